"""NaN, infinities and zeros give the limit of the function, without warnings."""

import ctypes
import platform
import sys
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from helpers import NAMESPACES, arrays_of, call, parameters, same_bits
from oracle import limit

import pyrelu as pr


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_nan_goes_in_nan_comes_out(activation, namespace, dtype):
    for n in (1, 7, 64, 65):  # scalar tails and full vectors
        x = np.full(n, np.nan, dtype)
        assert np.isnan(call(namespace, activation, *arrays_of(namespace, x, np.ones_like(x)))).all()


def test_infinity_gives_the_limit(activation, dtype):
    x = np.array([-np.inf, np.inf] * 33, dtype)
    want = [limit(activation, which, **parameters(activation)) for which in range(4)]
    for got, expected in (
        (call("functional", activation, x), want[:2] * 33),
        (call("derivative", activation, x), want[2:] * 33),
    ):
        np.testing.assert_array_equal(got, np.array(expected, got.dtype))


def test_no_floating_point_warning(activation, dtype):
    huge = float(np.finfo(dtype).max)
    x = np.array([-np.inf, -huge, -1e4, -100, -1e-5, -0.0, 0.0, 1e-5, 100, 1e4, huge, np.inf, np.nan], dtype)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for namespace in NAMESPACES:
            call(namespace, activation, *arrays_of(namespace, x, np.ones_like(x)))


def test_neighbours_of_zero(activation, dtype):
    """f(-0) is f(0), and subnormals are not flushed."""
    at_zero = call("functional", activation, np.array([0.0, -0.0], dtype))
    assert at_zero[0] == at_zero[1]
    tiny = np.finfo(dtype).smallest_subnormal
    assert pr.relu(tiny) == tiny


@contextmanager
def flush_to_zero():
    """What loading a library that was linked with -ffast-math does to a thread (glibc's fenv_t on x86-64 and arm64)."""
    libm, saved, changed = ctypes.CDLL(None), (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    libm.fegetenv(saved)
    libm.fegetenv(changed)
    field, flags = (7, 0x8040) if platform.machine() == "x86_64" else (0, 1 << 24)
    changed[field] |= flags
    libm.fesetenv(changed)
    try:
        yield
    finally:
        libm.fesetenv(saved)


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")
@pytest.mark.parametrize("name", ["glu", "reglu", "geglu", "swiglu", "crelu"])
def test_flush_to_zero_set_by_others_does_not_reach_gates(name):
    x = np.array([1e-30, 3e-40, -1.0, 1e-39, -20.0, 1e-9, 2.0, 1e-39], np.float32)
    g = np.array([2e-39, 1.0, 1e-39, 1e-20] * (4 if name == "crelu" else 1), np.float32)
    want = getattr(pr, name)(x), getattr(pr.vjp, name)(x, g)
    with flush_to_zero():
        got = getattr(pr, name)(x), getattr(pr.vjp, name)(x, g)
    assert any(((0 < np.abs(w)) & (np.abs(w) < 1.17e-38)).any() for w in want)
    assert all(map(same_bits, got, want))


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")
def test_flush_to_zero_set_by_others_does_not_reach_us(activation):
    x = np.array([-1e-40, 1e-40, -100, -88, 88, 100], np.float32)
    want = call("functional", activation, x)
    with flush_to_zero():
        assert np.float32(1e-40) * np.float32(1) == 0  # it is on
        got = call("functional", activation, x)
    np.testing.assert_array_equal(got.view("u4"), want.view("u4"))


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("name", "row", "want"),
    [
        ("softmax", [0, -INF], [1, 0]),
        ("softmax", [6e4, 6e4], [0.5, 0.5]),
        ("softmax", [-6e4, -6e4], [0.5, 0.5]),
        ("softmax", [NAN, 0], [NAN, NAN]),
        ("softmax", [INF, 0], [NAN, NAN]),
        ("softmax", [-INF, -INF], [NAN, NAN]),
        ("softmin", [0, INF], [1, 0]),
        ("log_softmax", [0, -INF], [0, -INF]),
        ("log_softmax", [6e4, 0], [0, -6e4]),
        ("log_softmax", [NAN, 0], [NAN, NAN]),
        ("logsumexp", [-INF, -INF], -INF),
        ("logsumexp", [INF, -INF], INF),
        ("logsumexp", [INF, NAN], NAN),
        ("logsumexp", [6e4, 0], 6e4),
        ("logsumexp", [], -INF),
        ("sparsemax", [-INF, 0, 0], [0, 0.5, 0.5]),
        ("sparsemax", [6e4, 0], [1, 0]),
        ("sparsemax", [NAN, 0], [NAN, NAN]),
    ],
)
def test_axis_functions_of_special_rows(name, row, want, dtype):
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(getattr(pr, name)(np.array(row, dtype)), np.array(want, dtype))


def test_axis_functions_of_the_largest_numbers(dtype):
    """As a mask may leave them: rows of the lowest number and others."""
    lowest, rows = np.finfo(dtype).min, np.empty((2, 20), dtype)
    rows[0], rows[1] = lowest, 0
    rows[1, 1:] = lowest
    want = np.zeros_like(rows)
    want[0], want[1, 0] = 1 / dtype(20), 1
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(pr.softmax(rows), want)
        np.testing.assert_array_equal(pr.softmin(-rows), want)
        np.testing.assert_array_equal(pr.log_softmax(rows)[1], rows[1])
        np.testing.assert_array_equal(pr.logsumexp(rows), np.array([lowest, 0], dtype))
