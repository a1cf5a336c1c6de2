"""No kernel computes with a subnormal number where neither input nor result is one, as each costs Intel's processors some
150 cycles: the processor's own flag says whether an operand was subnormal. tests/test_isa.py runs this for each set.
"""

import ctypes

import numpy as np
import pytest
from helpers import parameters, rng
from test_tools import LIBRARY
from test_ulp import RUNS_HERE

from pyrelu.registry import activations, axis_functions

pytestmark = pytest.mark.skipif(not RUNS_HERE, reason="reads the flags of x86-64 as Linux's C library gives them")

FLOATS = [np.float32, np.float64]
TYPES = {np.float32: 1, np.float64: 2}  # pyrelu_type in src/kernels/kernels.h
KINDS = 4  # PYRELU_N_KINDS
FLAG_OF_SUBNORMAL_OPERANDS = 0x2
BLOCK = 128  # a multiple of all vectors' lengths


def kernel(dtype, table, row, columns):
    """The address of a forward kernel: of the table that is the 0th or the 1st member of pyrelu_kernels."""
    library = ctypes.CDLL(LIBRARY)
    library.pyrelu_kernels_for.restype = ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))
    return library.pyrelu_kernels_for(TYPES[dtype])[table][row * columns]


def meets_subnormal(function, *arguments):
    """Whether any operand of a floating-point operation was subnormal while the function ran."""
    c = ctypes.CDLL(None)
    environment = (ctypes.c_uint32 * 8)()  # fenv_t: the last word is MXCSR
    c.fesetenv(ctypes.c_void_p(-1))  # FE_DFL_ENV
    function(*arguments)
    c.fegetenv(environment)
    return bool(environment[7] & FLAG_OF_SUBNORMAL_OPERANDS)


def elementwise(name, dtype):
    """Return f(x) -> (results, whether an operand was subnormal), for arrays of whole blocks."""
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t)
    function = prototype(kernel(dtype, 0, list(activations).index(name), KINDS))
    values = [np.array([v], dtype) for v in (activations[name].parameters | parameters(name)).values()]

    def call(x):
        y = np.empty_like(x)
        operands = (ctypes.c_void_p * 4)(*(a.ctypes.data for a in [x, *values]))
        return y, meets_subnormal(function, operands, 1, y.ctypes.data, len(x))

    return call


def along_rows(name, dtype):
    """The same of a function along an axis, for a matrix."""
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t)
    function = prototype(kernel(dtype, 1, list(axis_functions).index(name), 2))

    def call(x):
        y = np.empty_like(x) if "->(n)" in axis_functions[name].signature else np.empty(len(x), dtype)
        return y, meets_subnormal(function, (ctypes.c_void_p * 1)(x.ctypes.data), y.ctypes.data, *x.shape)

    return call


def is_subnormal(x):
    return (x != 0) & (np.abs(x) < np.finfo(x.dtype).tiny)


def numbers(name, dtype):
    """Inputs from 1/1000 to about the root of the largest number, in whole blocks; some beyond, 0, infinities, NaN."""
    r = rng(name, dtype)
    reach, most = {np.float32: (128, 1e18), np.float64: (800, 1e150)}[dtype]
    of_all_magnitudes = np.exp(r.uniform(np.log(1e-3), np.log(most), 8 * BLOCK)) * r.choice([-1, 1], 8 * BLOCK)
    uniform = np.concatenate([r.uniform(-reach, reach, 20 * BLOCK), r.uniform(-16, 16, 20 * BLOCK)])
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, -1e9, -1e30]
    x = np.concatenate([special, uniform[np.abs(uniform) > 1e-3], of_all_magnitudes])
    return x[: len(x) // BLOCK * BLOCK].astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_elementwise_functions_meet_none(activation, dtype):
    call = elementwise(activation, dtype)
    x = numbers(activation, dtype)
    y, nearer = call(x)[0], call(dtype(0.9) * x)[0]
    # A result that has just become 0 is rounded from what is smaller than any subnormal number, in several steps.
    covered = x[~is_subnormal(y) & ((y != 0) | (nearer == 0))]
    x = np.resize(covered, -(-len(covered) // BLOCK) * BLOCK)
    assert {np.inf, -np.inf, 0.0} <= set(x.tolist()), "not all kinds of numbers are left"
    found = [block for block in x.reshape(-1, BLOCK) if call(block)[1]]
    assert not found, f"{activation} of {[v for v in found[0].tolist() if call(np.full(BLOCK, v, dtype))[1]]}"


@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_along_an_axis_meet_none(axis_function, dtype):
    call = along_rows(axis_function, dtype)
    r = rng(axis_function, dtype)
    sign = -1 if axis_function == "softmin" else 1
    for n in (3, 10, 64, 300):
        near, far = r.normal(size=(64, n)), r.uniform(-1000, 0, (64, n))
        masked = r.random((64, n)) < 0.4
        one = np.eye(64, n) > 0
        for x in (
            near,
            np.where(masked, -np.inf, near),
            np.where(masked, -1e9, near),
            np.where(one, 0.0, near - 50),  # nearly all of the sum is one term
            np.where(one, 0.0, near / 10 - 70),
            np.where(one, 0.0, far),
        ):
            x = (sign * x).astype(dtype)
            y = call(x)[0]
            plain = ~is_subnormal(y).any(axis=tuple(range(1, y.ndim)))
            if plain.any():  # as many rows again: what pads the vectors of fewer may be anything
                assert not call(np.resize(x[plain], x.shape))[1], f"in a row of {n}"


def test_the_flag_is_seen():
    call = elementwise("squareplus", np.float32)
    assert call(np.full(BLOCK, 1e-40, np.float32))[1]
    assert not call(np.ones(BLOCK, np.float32))[1]
