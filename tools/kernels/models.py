"""Cycles per element of each kernel on processors that are not at hand, by llvm-mca's models of them.

    make && python models.py build/this.v3.32.so [kind] [name ...]      (needs objdump and llvm-mca 17 or later)
    python models.py build/before.v3.32.so build/this.v3.32.so          (one after the other, and the ratios)

kind: forward (default), derivative, vjp or backward. The columns are the processors, `bound` the least that the ports of
ports.py (Golden Cove's) allow, and `here` what build/time measures on this machine; LLVM_MCA names the program if it is not in PATH.
A model knows ports, latencies and the scheduler's size, but neither caches nor what decoding costs: it is for comparing
two formulas on one processor, not one processor with another.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from ports import KINDS, bound, kernels, vectors

PROCESSORS = ("znver2", "znver3", "znver4", "skylake", "icelake-server", "alderlake")
WIDE = ("znver4", "icelake-server", "sapphirerapids")  # with AVX-512; the model of sapphirerapids is alderlake's
ITERATIONS = 200


def modelled(loop, processor):
    """Return the cycles of one round of a loop."""
    text = "\n".join(re.sub(r"^(j\w+\s+)([0-9a-f]+).*", r"\g<1>0x\2", line) for line in loop)
    command = [os.environ.get("LLVM_MCA", "llvm-mca"), "-mtriple=x86_64-linux-gnu", f"-mcpu={processor}", "-json"]
    command += [f"-iterations={ITERATIONS}", "-"]
    process = subprocess.run(command, input=text, capture_output=True, text=True)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{process.stderr}")
    summary = json.loads(process.stdout)["CodeRegions"][0]["SummaryView"]
    return summary["TotalCycles"] / summary["Iterations"]


def measured(library, kind, names):
    """Return {name: cycles per element here}, by build/time."""
    tree, isa, bits, _ = library.name.split(".")
    program = library.parent.resolve() / "time"
    command = [program, isa, bits, kind, tree, *names]
    lines = subprocess.run(command, capture_output=True, text=True, cwd=library.parent.parent, check=True).stdout
    clock = float(subprocess.run([program, "clock"], capture_output=True, text=True, check=True).stdout)
    return {line.split()[0]: float(line.split()[1]) * clock for line in lines.splitlines()}


def table(library, kind, names):
    """Return {name: {column: cycles per element}}."""
    isa, bits = library.name.split(".")[1:3]
    lanes = {"baseline": 16, "v3": 32, "v4": 64}[isa] * 8 // int(bits)
    found = {name: loop for name, loop in kernels(library, kind) if not names or name in names}
    here = measured(library, kind, list(found))
    rows = {}
    for name, loop in found.items():
        per_loop = vectors(loop) * lanes
        rows[name] = {"bound": bound(loop, bits == "64")[1] / lanes}
        for processor in PROCESSORS if isa != "v4" else WIDE:
            rows[name][processor] = modelled(loop, processor) / per_loop
        rows[name]["here"] = here[name]
    return rows


def show(title, rows):
    """Print a table."""
    columns = list(next(iter(rows.values())))
    print(f"{title:16}" + "".join(f"{column:>16}" for column in columns))
    for name, row in rows.items():
        print(f"{name:16}" + "".join(f"{row[column]:16.2f}" for column in columns))


def main():
    libraries = [Path(word) for word in sys.argv[1:] if word.endswith(".so")]
    kind, *names = [word for word in sys.argv[1:] if not word.endswith(".so")] or ["forward"]
    if kind not in KINDS:
        kind, names = "forward", [kind, *names]
    tables = [table(library, kind, names) for library in libraries]
    for library, rows in zip(libraries, tables):
        show(library.name.split(".")[0], rows)
    if len(tables) == 2:
        before, after = tables
        ratios = {
            name: {column: before[name][column] / cycles for column, cycles in row.items()}
            for name, row in after.items()
            if name in before
        }
        show("times as fast", ratios)


if __name__ == "__main__":
    main()
