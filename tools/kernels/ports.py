"""How many cycles a vector of each activation takes at least, had no operation ever to wait for another.

    make && python ports.py build/this.v4.32.so [kind] [core]

kind: forward (default), derivative, vjp or backward. core: golden-cove (default; Intel, 2021) or zen5 (AMD, 2024). Needs
objdump. Counts the operations in each kernel's loop by the ports that run them, as loops of instructions of two kinds
show when timed on the two.
"""

import re
import subprocess
import sys
from itertools import combinations

KINDS = ("forward", "derivative", "vjp", "backward")
CLASSES = {
    "multiply": r"vf[nm]|vmul",
    "add": r"vadd|vsub",
    "extreme": r"vmin|vmax|vround|vrndscale",
    "compare": r"vcmp",
    "shift": r"vps[lr]l|vps[lr]a",
    "permute": r"vperm|vshuf|vunpck",
    "divide": r"vdiv|vsqrt",
    "select": r"vblendv",
    "any": r"vp?and|vp?x?or|vpternlog|vpadd|vpsub|vblend|vpblend",
}
MOVE = re.compile(r"v?mov|vbroadcast|vpbroadcast")

# (core, bits of a register) -> the ports of each class; cycles of the divider in float and
# double; loads and stores of a cycle
_ZEN5 = dict(multiply="01", add="23", extreme="23", compare="23", shift="23", permute="12", select="0123", any="0123")
CORES = {
    ("zen5", 256): _ZEN5 | {"divide": (2.5, 4), "moves": (2, 1)},
    ("zen5", 512): _ZEN5 | {"divide": (2.5, 4), "moves": (2, 1)},
    ("golden-cove", 256): {
        **dict(multiply="01", add="15", extreme="01", compare="01", shift="01", permute="5", select="015", any="015"),
        **{"select operations": 3, "divide": (5, 8), "moves": (3, 2)},
    },
    ("golden-cove", 512): {
        **dict(multiply="05", add="05", extreme="05", compare="5", shift="0", permute="5", select="05", any="05"),
        **{"divide": (10, 16), "moves": (2, 1)},
    },
}


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


def bound(loop, wide, core="golden-cove"):
    """Operations and cycles of a vector."""
    ports = CORES[core, 512 if any("%zmm" in text for text in loop) else 256]
    count = dict.fromkeys(CLASSES, 0)
    loads = 0
    for text in loop:
        name = text.split()[0]
        loads += "(" in text and not is_store(text) and not name.startswith("lea")
        for kind, pattern in CLASSES.items():
            if re.match(pattern, name):
                count[kind] += ports.get(f"{kind} operations", 1)
                break
    divisions = count.pop("divide")
    stores = vectors(loop)
    of_each_load, of_each_store = ports["moves"]
    most = max(divisions * ports["divide"][wide], loads / of_each_load, stores / of_each_store)
    every = sorted(set("".join(ports[kind] for kind in count)))
    for n in range(1, len(every) + 1):  # what only these ports can run takes these ports that long
        for some in combinations(every, n):
            most = max(most, sum(k for kind, k in count.items() if set(ports[kind]) <= set(some)) / n)
    return (sum(count.values()) + divisions) / stores, most / stores


def main():
    words = sys.argv[2:]
    core = next((word for word in words if (word, 256) in CORES), "golden-cove")
    kind = next((word for word in words if word in KINDS), "forward")
    library = sys.argv[1]
    print(f"{'function':18}  operations  cycles at least ({core})")
    for name, loop in kernels(library, kind):
        operations, cycles = bound(loop, ".64." in library, core)
        print(f"{name:18}  {operations:10.1f}  {cycles:15.1f}")


if __name__ == "__main__":
    main()
