"""Long rows that are strided or in half precision: the bits of contiguous ones, without memory in proportion."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import arrays_of, rng, same_bits

import pyrelu as pr

N = 1_050_000  # elements; more than fit in a copy of a row, and no multiple of a block


def operands(name, n, dtype):
    x, g = rng(name, n).normal(size=(2, n)).astype(dtype)
    return x * 4, g[0] if pr.axis_functions[name].signature.endswith("()") else g


@pytest.mark.parametrize("kind", ["finite", "nan", "inf"])
@pytest.mark.parametrize("namespace", ["functional", "vjp"])
@pytest.mark.parametrize("dtype_", [np.float32, np.float64])
def test_strided_rows_have_the_bits_of_contiguous_ones(axis_function, namespace, dtype_, kind):
    n = N if dtype_ == np.float32 else N // 2
    x, g = operands(axis_function, n, dtype_)
    if kind != "finite":
        x[n // 3] = x[n // 2] = float(kind)
    apart = np.empty((n, 2), dtype_)[:, 0]
    apart[...] = x
    function = getattr(getattr(pr, namespace), axis_function)
    assert same_bits(function(*arrays_of(namespace, apart, g)), function(*arrays_of(namespace, x, g)))


@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_long_rows_of_half_precision_are_rounded_ones_of_float32(axis_function, namespace):
    x, g = operands(axis_function, N, np.float16)
    function = getattr(getattr(pr, namespace), axis_function)
    got = function(*arrays_of(namespace, x, g))
    want = function(*arrays_of(namespace, x.astype(np.float32), np.float32(g)))
    assert same_bits(got, want.astype(np.float16))


LIMITED = """
import resource, sys
import numpy as np
import pyrelu as pr

name, namespace, n = sys.argv[1], sys.argv[2], 20_000_000
reduces = pr.axis_functions[name].signature.endswith("()")
x = np.zeros(n, np.float16)
x[::7] = 1
arrays = (x,) if namespace == "functional" else (x, np.float16(1) if reduces else x[::-1].copy())
function = getattr(getattr(pr, namespace), name)
out = np.full(() if reduces and namespace == "functional" else n, 7, np.float16)
function(*(a[:9] if a.ndim else a for a in arrays))  # what is loaded on first use
pr.set_num_threads(1)
used = 1024 * int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData")))
resource.setrlimit(resource.RLIMIT_DATA, (used + (2 << 20),) * 2)
try:
    np.empty(3 << 20, np.uint8).fill(1)
    sys.exit("the limit does not hold")
except MemoryError:
    pass
function(*arrays, out=out)
assert not np.any(np.equal(out[:5] if out.ndim else out, 7))
for n in (5_000, 100_000, 400_000):  # rows that would be copied if there was memory
    function(*(a[:n] if a.ndim else a for a in arrays), out=out[:n] if out.ndim else out)
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process may allocate by RLIMIT_DATA")
@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_no_memory_is_needed(axis_function, namespace):
    command = [sys.executable, "-c", LIMITED, axis_function, namespace]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("done\n", "")
