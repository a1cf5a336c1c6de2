"""What the processor allows a kernel, beside what it takes: for docs/performance.md.

    make && python limits.py [v3 ...] [32|64] [golden-cove|zen5]          (needs objdump; a quiet machine)

For each function: the operations of a vector, the ns of an element that their ports need at the clock of this machine
(ports.py), those that a copy of as many bytes takes, and what build/time measures, in the caches and on one thread. The
larger of the first two is the limit, and "share" how much of the time it explains. What is left is waiting: for the
results of other operations, since a core holds only some hundreds at a time, and for ports that others took in the
meantime.
"""

import subprocess
import sys
from pathlib import Path
from statistics import geometric_mean

from ports import CORES, bound, kernels

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "bench"))

from peers.functions import COMMON  # noqa: E402
from pyrelu.registry import activations  # noqa: E402

FUNCTIONS = [name for name in COMMON if name in activations]
WIDTHS = {"v3": 32, "v4": 64}


def of_program(*arguments):
    """Return the lines that build/time prints, as words."""
    process = subprocess.run(
        [HERE / "build" / "time", *arguments], capture_output=True, text=True, cwd=HERE, check=True
    )
    return [line.split() for line in process.stdout.splitlines()]


def rows(isa, bits, core):
    """Yield function, operations, ns by ports, ns of a copy, ns measured."""
    loops = dict(kernels(HERE / "build" / f"this.{isa}.{bits}.so", "forward"))
    clock = float(of_program("clock")[0][0])
    lanes = WIDTHS[isa] * 8 // int(bits)
    times = {name: float(time) for name, time, _ in of_program(isa, bits, "forward", "this", "copy", *FUNCTIONS)}
    for name in FUNCTIONS:
        operations, cycles = bound(loops[name], bits == "64", core)
        yield name, operations, cycles / lanes / clock, times["copy"], times[name]


def main():
    words = sys.argv[1:]
    core = next((word for word in words if (word, 256) in CORES), "golden-cove")
    bits = "64" if "64" in words else "32"
    for isa in [word for word in words if word in WIDTHS] or list(WIDTHS):
        print(f"| {isa}, float{bits} | operations | ns by ports | ns of a copy | ns measured | share |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        shares = []
        for name, operations, ports, copy, measured in rows(isa, bits, core):
            shares.append(share := max(ports, copy) / measured)
            print(f"| {name} | {operations:.0f} | {ports:.2f} | {copy:.2f} | {measured:.2f} | {share:.0%} |")
        print(f"| geometric mean | | | | | {geometric_mean(shares):.0%} |\n")


if __name__ == "__main__":
    main()
