"""Each kernel is a loop over whole vectors into which everything is inlined, and which branches nowhere: its time does not
depend on the values. Read off the assembly for AVX2 and AVX-512.
"""

import platform
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from pyrelu.registry import activations

ROOT = Path(__file__).parent.parent


def options(variable):
    """What a `set(...)` of CMakeLists.txt holds, at the place where it is set for a build without sanitizers."""
    words = re.search(rf"set\({variable} (.*?)\)", (ROOT / "CMakeLists.txt").read_text())[1].split()
    return [option for word in words for option in (options(word[2:-1]) if word.startswith("${") else [word])]


@pytest.fixture(scope="module", params=[(isa, bits) for isa in ("v3", "v4") for bits in (32, 64)], ids=str)
def compiled(request):
    """The instruction set, and the assembly of each function of elementwise.c."""
    isa, bits = request.param
    flags = [
        *options("KERNEL_OPTIONS"),
        *options("UNROLL_OPTIONS"),
        *options(f"OPTIONS_{isa}"),
        "-std=gnu11",
        "-fno-ipa-icf",
    ]
    defines = [f"-DPYRELU_TARGET={isa}", f"-DPYRELU_BITS={bits}"]
    compiler = sysconfig.get_config_var("CC").split()[0]
    command = [
        compiler,
        *flags,
        *defines,
        "-S",
        "-I",
        ROOT / "src",
        ROOT / "src" / "kernels" / "elementwise.c",
        "-o",
        "-",
    ]
    assembly = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    parts = re.split(r"^(\w[\w.]*):\n", assembly, flags=re.MULTILINE)
    return isa, dict(zip(parts[1::2], parts[2::2], strict=True))


# What sets the flags that a jump reads by a comparison of elements: a mask of AVX-512 has 8 or 16 bits, a length 64.
TO_FLAGS = re.compile(r"\t(?:kortest|ktest|vptest|vtest|vpmovmsk|vmovmsk|vu?comis|(?:test|cmp)[bw]\t)")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the assembly of x86-64")
@pytest.mark.parametrize("kind", ["forward", "derivative", "vjp"])
def test_every_kernel_is_a_vector_loop_without_calls_and_branches(compiled, kind):
    isa, functions = compiled
    register = {"v3": "ymm", "v4": "zmm"}[isa]
    for name in activations:
        body = functions[f"{kind}_{name}"]
        # The loop: from a label to the jump back to it, working on whole vectors.
        loops = re.findall(r"^(\.L\d+):\n((?:(?!^\.L\d+:).*\n)*?)\tj\w+\t\1$", body, re.MULTILINE)
        store = rf"\tvmov(?:[au]p[sd]|dq[au]\d*)\t%{register}\d+, -?\d*\("
        assert any(re.search(store, loop) for _, loop in loops), f"{kind}_{name} is no loop over vectors"
        assert not re.search(r"\tcall\t", body), f"{kind}_{name} calls a function for each element"
        assert not TO_FLAGS.search(body), f"{kind}_{name} branches on elements"
