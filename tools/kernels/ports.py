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

KINDS = ("forward", "derivative", "vjp", "backward")
CLASSES = {
    "multiply": r"vf[nm]|vmul",
    "add": r"vadd|vsub|vmin|vmax|vcmp|vps[lr]l|vps[lr]a|vround|vrndscale",
    "permute": r"vperm|vshuf|vunpck",
    "divide": r"vdiv|vsqrt",
    "any": r"vp?and|vp?x?or|vpternlog|vpadd|vpsub|vblend|vpblend",
}
MOVE = re.compile(r"v?mov|vbroadcast|vpbroadcast")


def loops_of(lines):
    """The innermost loops of a function, as lists of instructions: what lies between a jump back and its target."""
    parsed = [(int(a, 16), text.split("#")[0].strip()) for a, text in (line.split(":", 1) for line in lines)]
    ends = [
        (int(m[1], 16), address)
        for address, text in parsed
        if (m := re.match(r"j\w+\s+([0-9a-f]+)", text)) and int(m[1], 16) < address
    ]
    innermost = [e for e in ends if not any(o != e and e[0] <= o[0] and o[1] <= e[1] for o in ends)]
    return [[text for address, text in parsed if first <= address <= last] for first, last in innermost]


def kernels(library, kind):
    """Yield the name and the loop of each kernel of a library: that of a block of vectors.

    The other loop is for what is less than a block. Where parameters may be arrays, it is the shorter of two: the loop
    for single numbers, which reads less.
    """
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
    )
    for name, body in re.findall(rf"<{kind}_(\w+)>:\n(.*?)\n\n", listing.stdout + "\n\n", re.S):
        storing = [loop for loop in loops_of(body.splitlines()) if vectors(loop)]
        if storing:
            yield name, min(storing, key=lambda loop: (-vectors(loop), len(loop)))


def is_store(text):
    name, _, operands = text.partition(" ")
    return MOVE.match(name) and operands.strip().startswith("%") and operands.endswith(")")


def vectors(loop):
    """The vectors of results that a round of a loop stores; the stack is no result."""
    return sum(bool(is_store(text) and not re.search(r"\(%r[sb]p\)$", text)) for text in loop)


def bound(loop, wide):
    """Operations and cycles of a vector."""
    count = dict.fromkeys([*CLASSES, "load"], 0)
    for text in loop:
        name = text.split()[0]
        count["load"] += "(" in text and not is_store(text)
        for kind, pattern in CLASSES.items():
            if re.match(pattern, name):
                count[kind] += 1
                break
    m, a, p, o = (count[kind] for kind in ("multiply", "add", "permute", "any"))
    stores = vectors(loop)
    most = max(m / 2, a / 2, p / 2, (m + p) / 3, (a + p) / 3, (m + a + p + o) / 4)
    most = max(most, count["divide"] * (4 if wide else 2.5), count["load"] / 2, stores)
    return (m + a + p + o + count["divide"]) / stores, most / stores


def main():
    library, kind = (*sys.argv[1:], "forward")[:2]
    print(f"{'function':18}  operations  cycles at least")
    for name, loop in kernels(library, kind):
        operations, cycles = bound(loop, ".64." in library)
        print(f"{name:18}  {operations:10.1f}  {cycles:15.1f}")


if __name__ == "__main__":
    main()
