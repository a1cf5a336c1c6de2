"""NaN, infinities and zeros give the limit of the function, without warnings."""

import ctypes
import platform
import sys
import threading
import warnings
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from helpers import NAMESPACES, arrays_of, call, forward, parameter_values, parameters, rng, same_bits
from oracle import in_floats, limit

import pyrelu as pr
from pyrelu import _ufuncs
from pyrelu._mlp.activation import resolve
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.registry import activations

pytestmark = pytest.mark.usefixtures("overflow_is_expected")


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
        assert_same_numbers(got, np.array(expected, got.dtype))


def assert_same_numbers(got, want):
    """Equal, and zeros of the same sign."""
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[got == 0]))


def test_zeros_have_the_sign_of_the_formula(activation, dtype):
    for x in (0.0, -0.0):
        want = in_floats(activation, x, **parameters(activation))
        if activation == "tanhshrink":
            want = x  # it is odd; x - tanh(x) is 0 for either zero
        if want == 0:
            assert_same_numbers(forward(activation, np.full(65, x, dtype)), np.full(65, want))


def test_zeros_have_one_sign_whatever_the_type(activation):
    zeros = np.array([0.0, -0.0] * 33)
    for values in parameter_values(activation):
        want = getattr(pr, activation)(zeros, *values)
        for narrow in (np.float16, np.float32):
            got = getattr(pr, activation)(zeros.astype(narrow), *values)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_what_underflows_keeps_its_sign(activation, namespace):
    """Zeros of narrower types have the sign of the float64 result, over all numbers of float16."""
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    x = x[~np.isnan(x)]
    for g in (1.0, -1.0):
        want = call(namespace, activation, *arrays_of(namespace, x.astype(np.float64), np.float64(g)))
        for narrow in (np.float16, np.float32):
            got = call(namespace, activation, *arrays_of(namespace, x.astype(narrow), narrow(g)))
            zero = got == 0
            np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


def test_results_are_rounded_to_half_precision_as_by_numpy():
    """prelu(-1, -v) is v: here all numbers of float16, what is halfway between two of them, and its neighbours."""
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = np.append((halves[:-1] + halves[1:]) / 2, np.float32(65520))  # the least that rounds to infinity
    ends = np.float32([0, np.inf])
    values = np.concatenate([halves, between, *(np.nextafter(between, end) for end in ends), 2 * between[-8:]])
    values = np.concatenate([values, -values])
    want = values.astype(np.float16)
    for n in (7, 64):  # the rest of a vector, and whole ones
        rows = values[: len(values) // n * n].reshape(-1, n)
        slopes = np.pad(-rows, [(0, 0), (0, 1)])[:, :n]  # apart, so that NumPy passes row by row
        got = pr.prelu(np.full(rows.shape, -1, np.float16), slopes)
        assert same_bits(got, want[: rows.size].reshape(rows.shape))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_no_nan_unless_one_goes_in(activation, namespace, dtype):
    """Whatever the parameters; a slope of 0 stops every gradient, and a gradient of 0 stays one."""
    info = np.finfo(dtype)
    some = [np.inf, info.max, 1e4, 100, 20, 3, 1, 0.3, 1e-3, float(info.tiny), float(info.smallest_subnormal), 0]
    x = np.concatenate([some, np.negative(some)]).astype(dtype)[:, None]
    g = np.array([0, -0.0, 1, -1e-3, info.max, np.inf, -np.inf], dtype)
    widest = np.float32 if dtype == np.float16 else dtype
    for values in parameter_values(activation, widest):
        got = getattr(getattr(pr, namespace), activation)(*arrays_of(namespace, x, g), *values)
        assert not np.isnan(got).any(), values
        if namespace == "vjp":
            slope = getattr(pr.derivative, activation)(x.astype(widest), *values)
            assert not got[np.broadcast_to((slope == 0) | (g == 0), got.shape)].any(), values


@pytest.mark.parametrize("name", list(pr.registry.composed_functions))
def test_nan_comes_out_of_composed_functions_wherever_it_goes_in(name, dtype):
    keywords = {"num_pieces": 3} if name == "maxout" else {}
    x = np.linspace(-2, 2, 6, dtype=dtype)
    clean = getattr(pr, name)(x, **keywords)
    assert not np.isnan(clean).any()
    for i in range(6):
        with_nan = x.copy()
        with_nan[i] = np.nan
        changed = np.isnan(getattr(pr, name)(with_nan, **keywords))
        touched = {"maxout": [i // 3], "crelu": [i, i + 6]}.get(name, [i % 3])
        assert changed.nonzero()[0].tolist() == touched


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("n", [1, 70, 9000])
def test_parameters_outside_their_domain_give_nan_and_the_invalid_flag(activation, namespace, dtype, n):
    row = activations[activation]
    if not row.parameters:
        return
    inside = [0.3, 1.0][: len(row.parameters)]
    x = rng(activation, n).normal(size=n).astype(dtype)
    parameter_type = np.float32 if dtype == np.float16 else dtype
    arrays = arrays_of(namespace, x, np.ones_like(x))
    function = getattr(getattr(pr, namespace), activation)
    want = function(*arrays, *(np.full(n, v, parameter_type) for v in inside))
    cases = []
    for k, domain in enumerate(row.parameter_domains.values()):
        low, high = map(float, domain[1:-1].split(","))
        bad = (
            [low if "(" in domain else np.nextafter(parameter_type(low), parameter_type(-np.inf))]
            if low > -np.inf or "(" in domain
            else []
        )
        bad += [high] if ")" in domain else []
        cases += [(k, v) for v in {*bad, *([-1.0] if low == 0 else [])}]
    if row.condition:
        cases.append((0, 2.0))
    for k, bad in cases:
        values = [np.full(n, v, parameter_type) for v in inside]
        values[k][n // 2 :: 7] = bad
        outside = np.zeros(n, bool)
        outside[n // 2 :: 7] = True
        with np.errstate(all="raise", invalid="warn"), pytest.warns(RuntimeWarning, match="invalid value"):
            got = function(*arrays, *values)
        assert same_bits(got, np.where(outside, dtype(np.nan), want)), (k, bad)
        strided = [np.repeat(v, 2)[::2] for v in values]
        with np.errstate(invalid="ignore"):
            assert same_bits(function(*arrays, *strided), got)
            whole = function(
                *arrays,
                *(v[n // 2] if j != k else np.full((), bad, parameter_type)[None] for j, v in enumerate(values)),
            )
        assert np.isnan(whole).all()
        with pytest.raises(ValueError, match="outside (its|the) domain"):
            function(*arrays, *(v[n // 2] if j != k else parameter_type(bad) for j, v in enumerate(values)))


def test_parameters_outside_their_domain_are_found_by_every_thread():
    x, beta = np.ones(1_000_000, np.float32), np.ones(1_000_000, np.float32)
    beta[[5, 400_000, -1]] = 0
    with np.errstate(all="raise", invalid="warn"), pytest.warns(RuntimeWarning, match="invalid value"):
        got = pr.softplus(x, beta)
    assert np.isnan(got).nonzero()[0].tolist() == [5, 400_000, 999_999]


def test_no_floating_point_warning(activation, dtype):
    huge = float(np.finfo(dtype).max)
    x = np.array([-np.inf, -huge, -1e4, -100, -1e-5, -0.0, 0.0, 1e-5, 100, 1e4, huge, np.inf, np.nan], dtype)
    with warnings.catch_warnings(), np.errstate(all="raise", over="ignore"):
        warnings.simplefilter("error")
        for namespace in NAMESPACES:
            call(namespace, activation, *arrays_of(namespace, x, np.ones_like(x)))


def test_neighbours_of_zero(activation, dtype):
    """f(-0) is f(0), but for its sign, and subnormals are not flushed."""
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
@pytest.mark.parametrize("name", ["glu", "reglu", "geglu", "swiglu", "crelu", "maxout"])
def test_flush_to_zero_set_by_others_does_not_reach_gates(name):
    x = np.array([1e-30, 3e-40, -1.0, 1e-39, -20.0, 1e-9, 2.0, 1e-39], np.float32)
    if name == "maxout":  # largest of subnormals and zeros, in whole vectors of NumPy's
        x = np.tile(np.array([0, 1e-40, -1e-40, 0, 3e-40, 2e-40, 1e-40, 3e-40], np.float32), 16)
    g = np.array([2e-39, 1.0, 1e-39, 1e-20] * (4 if name == "crelu" else x.size // 8), np.float32)
    given = (2,) if name == "maxout" else ()
    want = getattr(pr, name)(x, *given), getattr(pr.vjp, name)(x, g, *given)
    with flush_to_zero():
        got = getattr(pr, name)(x, *given), getattr(pr.vjp, name)(x, g, *given)
    assert any(((0 < np.abs(w)) & (np.abs(w) < 1.17e-38)).any() for w in want)
    assert all(map(same_bits, got, want))


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_flush_to_zero_set_by_others_does_not_reach_us(activation, namespace):
    x = np.array([-1e-40, 1e-40, -100, -88, 88, 100, -1, 1], np.float32)
    g = np.array([1, 1, 1, 1, 1, 1, 3e-40, 3e-40], np.float32)
    with np.errstate(over="ignore"):  # exponential(100)
        want = call(namespace, activation, *arrays_of(namespace, x, g))
        with flush_to_zero():
            assert np.float32(1e-40) * np.float32(1) == 0  # it is on
            got = call(namespace, activation, *arrays_of(namespace, x, g))
    np.testing.assert_array_equal(got.view("u4"), want.view("u4"))


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")
@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_flush_to_zero_set_by_others_does_not_reach_functions_along_an_axis(axis_function, namespace):
    rows = np.array([[0, -88, -95, -100], [1e-40, -88, 3e-40, 0]], np.float32)
    reduces = pr.axis_functions[axis_function].signature.endswith("()")
    g = np.float32([1e-39, 1]) if reduces else np.array([[1e-39, 1, 0, 1e-38]] * 2, np.float32)
    function = getattr(getattr(pr, namespace), axis_function)
    want = function(*arrays_of(namespace, rows, g))
    with flush_to_zero():
        got = function(*arrays_of(namespace, rows, g))
    assert same_bits(got, want)


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")
def test_flush_to_zero_set_by_others_does_not_reach_threads_of_a_network(threads):
    """OpenMP's threads inherit the state of the thread that first needs them: here of one that flushes to zero."""
    threads(2)
    random, units = rng("subnormal outputs"), (4, 64, 128, 3)
    weights = [random.uniform(0.1, 0.3, shape).astype(np.float32) for shape in pairwise(units)]
    biases = [np.zeros(n, np.float32) for n in units[1:]]
    network = Network(weights, biases, resolve("relu", 2), activations["identity"].index, None)
    samples = Samples(random.uniform(1e-43, 1e-42, (20000, 4)).astype(np.float32))
    want, got = network.predict(samples), []
    assert (0 < want).all() and (want < np.finfo(np.float32).tiny).all()

    def run():
        with flush_to_zero():
            pr.relu(np.ones(1 << 20, np.float32))  # so that it has threads
            got.append(network.predict(samples))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert same_bits(got[0], want)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_results_that_go_past_the_caches_are_the_same(activation, namespace, dtype):
    x, g = rng(activation, "streaming").normal(size=(2, 1600)).astype(dtype)
    want = call(namespace, activation, *arrays_of(namespace, x, g))
    _ufuncs.set_streaming_bytes(1)
    try:
        for n in (2, 3, 17, 127, 511, 512, 513, 1024, 1599):
            for start in (0, 1):
                out = np.full(n + 8, 7, dtype)
                call(namespace, activation, *arrays_of(namespace, x[:n], g[:n]), out=out[start : start + n])
                assert same_bits(out[start : start + n], want[:n])
                assert (out[start + n :] == 7).all() and (out[:start] == 7).all()
    finally:
        _ufuncs.set_streaming_bytes(0)


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("name", "row", "want"),
    [
        ("softmax", [0, -INF], [1, 0]),
        ("softmax", [6e4, 6e4], [0.5, 0.5]),
        ("softmax", [-6e4, -6e4], [0.5, 0.5]),
        ("softmax", [NAN, 0], [NAN, NAN]),
        ("softmax", [INF, NAN], [NAN, NAN]),
        ("softmax", [INF, 0], [1, 0]),
        ("softmax", [INF, 0, INF, -INF], [0.5, 0, 0.5, 0]),
        ("softmax", [-INF, -INF], [0.5, 0.5]),
        ("softmin", [-INF, 0], [1, 0]),
        ("softmin", [INF, INF], [0.5, 0.5]),
        ("softmin", [0, INF], [1, 0]),
        ("log_softmax", [0, -INF], [0, -INF]),
        ("log_softmax", [6e4, 0], [0, -6e4]),
        ("log_softmax", [NAN, 0], [NAN, NAN]),
        ("log_softmax", [INF, 0], [0, -INF]),
        ("log_softmax", [-INF] * 4, np.log([0.25] * 4)),
        ("logsumexp", [-INF, -INF], -INF),
        ("logsumexp", [INF, -INF], INF),
        ("logsumexp", [INF, NAN], NAN),
        ("logsumexp", [6e4, 0], 6e4),
        ("logsumexp", [], -INF),
        ("sparsemax", [-INF, 0, 0], [0, 0.5, 0.5]),
        ("sparsemax", [6e4, 0], [1, 0]),
        ("sparsemax", [NAN, 0], [NAN, NAN]),
        ("sparsemax", [INF, NAN], [NAN, NAN]),
        ("sparsemax", [INF, 0], [1, 0]),
        ("sparsemax", [INF, 0, INF, -INF], [0.5, 0, 0.5, 0]),
        ("sparsemax", [-INF, -INF], [0.5, 0.5]),
    ],
)
def test_axis_functions_of_special_rows(name, row, want, dtype):
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(getattr(pr, name)(np.array(row, dtype)), np.array(want, dtype))


@pytest.mark.parametrize("n", [1, 2, 5, 70, 300, 3000])
def test_vjps_of_axis_functions_have_no_nan_unless_one_goes_in(axis_function, dtype, n):
    """Rows with infinities are what they tend to: the vjp is that at a row of finite numbers of the same result."""
    reduces = pr.axis_functions[axis_function].signature.endswith("()")
    far = 2e4 * (-1 if axis_function == "softmin" else 1)
    patterns = [[INF, 0, 5, 1], [INF, 0, INF, -1], [-INF, 0.5, -INF, 1], [-INF], [INF], [0, -INF, INF, 2]]
    for pattern in patterns:
        x = np.resize(np.array(pattern, dtype), n)
        g = rng(n).normal(size=n).astype(dtype)
        signed = x.astype(float) * np.sign(far)
        most = signed.max()
        finite = np.where(signed == most, 0, -abs(far)) if np.isinf(most) else np.maximum(signed, -abs(far))
        finite = (finite * np.sign(far)).astype(dtype)
        vjp = getattr(pr.vjp, axis_function)
        got = vjp(x, g[0] if reduces else g)
        np.testing.assert_array_equal(got, vjp(finite, g[0] if reduces else g))
        assert not np.isnan(got).any()


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
