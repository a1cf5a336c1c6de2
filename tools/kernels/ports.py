"""How many cycles a vector of each activation takes at least, had no operation ever to wait for another.

    make && python ports.py build/this.v4.32.so [kind]        (kind: forward, derivative or vjp; needs objdump)

Counts the operations in each kernel's loop by the ports of AMD's Zen 5 that run them. As loops of instructions of two
kinds show when timed, these are: for multiplications 0 and 1; additions, comparisons, minima and shifts 2 and 3;
permutations 1 and 2; the bits of vectors and additions of integers any. A division keeps the divider busy for 2.5 (float)
or 4 cycles, a store its port for one, loads two ports.
"""

import re
import subprocess
import sys

CLASSES = {
    "multiply": r"vf[nm]|vmul",
    "add": r"vadd|vsub|vmin|vmax|vcmp|vps[lr]l|vps[lr]a|vround|vrndscale",
    "permute": r"vperm|vshuf|vunpck",
    "divide": r"vdiv|vsqrt",
    "any": r"vp?and|vp?x?or|vpternlog|vpadd|vpsub|vblend|vpblend",
}
MOVE = re.compile(r"v?mov|vbroadcast|vpbroadcast")


def loop_of(lines):
    """The instructions of the last loop of a function, as (address, text)."""
    parsed = [(int(a, 16), text.split("#")[0].strip()) for a, text in (line.split(":", 1) for line in lines)]
    ends = {
        address: int(m[1], 16)
        for address, text in parsed
        if (m := re.match(r"j\w+\s+([0-9a-f]+)", text)) and int(m[1], 16) < address
    }
    last = max(ends, default=None)
    return [text for address, text in parsed if last and ends[last] <= address <= last]


def bound(loop, wide):
    """Operations and cycles of a vector."""
    count = dict.fromkeys([*CLASSES, "load"], 0)
    stores = 0
    for text in loop:
        name, _, operands = text.partition(" ")
        operands = operands.strip()
        if MOVE.match(name) and re.search(r"\)$", operands) and operands.startswith("%"):
            stores += not re.search(r"\(%r[sb]p\)$", operands)
        elif "(" in operands:
            count["load"] += 1
        for kind, pattern in CLASSES.items():
            if re.match(pattern, name):
                count[kind] += 1
                break
    m, a, p, o = (count[kind] for kind in ("multiply", "add", "permute", "any"))
    most = max(m / 2, a / 2, p / 2, (m + p) / 3, (a + p) / 3, (m + a + p + o) / 4)
    most = max(most, count["divide"] * (4 if wide else 2.5), count["load"] / 2, stores)
    return (m + a + p + o + count["divide"]) / stores, most / stores


def main():
    library, kind = (*sys.argv[1:], "forward")[:2]
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
    )
    functions = re.findall(rf"<{kind}_(\w+)>:\n(.*?)\n\n", listing.stdout + "\n\n", re.S)
    print(f"{'function':18}  operations  cycles at least")
    for name, body in functions:
        loop = loop_of(body.splitlines())
        if loop:
            operations, cycles = bound(loop, ".64." in library)
            print(f"{name:18}  {operations:10.1f}  {cycles:15.1f}")


if __name__ == "__main__":
    main()
