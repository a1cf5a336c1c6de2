"""Each kernel is a loop over whole vectors into which everything is inlined. Read off the assembly for AVX2."""

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


@pytest.fixture(scope="module", params=[32, 64])
def functions(request):
    """The assembly of each function of elementwise.c."""
    flags = [
        *options("KERNEL_OPTIONS"),
        *options("UNROLL_OPTIONS"),
        *options("OPTIONS_v3"),
        "-std=gnu11",
        "-fno-ipa-icf",
    ]
    defines = ["-DPYRELU_TARGET=v3", f"-DPYRELU_BITS={request.param}"]
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
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the assembly of x86-64")
@pytest.mark.parametrize("kind", ["forward", "derivative", "vjp"])
def test_every_kernel_is_a_vector_loop_without_calls(functions, kind):
    for name in activations:
        body = functions[f"{kind}_{name}"]
        # The loop: from a label to the jump back to it, working on whole vectors.
        loops = re.findall(r"^(\.L\d+):\n((?:(?!^\.L\d+:).*\n)*?)\tj\w+\t\1$", body, re.MULTILINE)
        assert any(re.search(r"\tvmov(?:[au]p[sd]|dq[au])\t%ymm\d+, -?\d*\(", loop) for _, loop in loops), (
            f"{kind}_{name} is no loop over vectors"
        )
        assert not re.search(r"\tcall\t", body), f"{kind}_{name} calls a function for each element"
