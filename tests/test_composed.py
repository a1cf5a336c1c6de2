"""Functions that Python composes: gates, maxout, crelu, and rrelu in training."""

import pickle

import dask.array as da
import numpy as np
import pytest
from helpers import rng, same_bits
from mpmath import mpf
from oracle import DERIVATIVE, FORWARD, exact, ulp_error

import pyrelu as pr
from pyrelu._functions import composed
from pyrelu.registry import composed_functions

GATES = {name: getattr(pr, gate) for name, gate in composed.GATES.items()}
each = pytest.mark.parametrize("name", list(composed_functions))


def arguments(name):
    return (3,) if name == "maxout" else ()


@each
def test_is_public_documented_and_pickles(name):
    for namespace in (pr, pr.functional, pr.vjp):
        function = getattr(namespace, name)
        assert composed_functions[name].reference in function.__doc__
        assert "Parameters\n----------\n" in function.__doc__
        assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("name", GATES)
def test_gates(name, dtype):
    x = rng(name).normal(size=(4, 6, 3)).astype(dtype)
    for axis in (1, -2):
        got = getattr(pr, name)(x, axis=axis)
        wide = x.astype(np.promote_types(dtype, np.float32))  # rounded to float16 once
        np.testing.assert_array_equal(got, (wide[:, :3] * GATES[name](wide[:, 3:])).astype(dtype))
        assert got.dtype == dtype
    out = np.empty((2, 6, 3), dtype)
    assert getattr(pr, name)(x, axis=0, out=out) is out


def far_and_wide(name, dtype, n):
    """Arrays a, b and g: a and g of all magnitudes, b from where gates times the largest numbers are 0 to where they grow."""
    info, random = np.finfo(dtype), rng(name, "wide", dtype.__name__)
    sizes = random.uniform(1, 2, (2, n)) * 2.0 ** random.integers(info.minexp, info.maxexp, (2, n))
    a, g = (sizes * random.choice([-1, 1], (2, n))).astype(dtype)
    lowest = {np.float16: 80, np.float32: 290, np.float64: 2100}[dtype]
    reach = {"geglu": np.sqrt(2 * lowest), "reglu": 9}.get(name, lowest)
    return a, np.concatenate([random.uniform(-reach, 20, n - n // 4), random.normal(size=n // 4)]).astype(dtype), g


@pytest.mark.parametrize("name", GATES)
def test_gates_do_not_overflow_or_underflow_on_the_way(name, dtype):
    """Against mpmath. The gate alone may have rounded to 0, or a * g to infinity, where the result has not."""
    n, gate = 400, composed.GATES[name]
    a, b, g = far_and_wide(name, dtype, n)
    if name == "geglu":
        g_limit = {np.float16: 5, np.float32: 12.5, np.float64: 37}[dtype]  # beyond it the gate is subnormal
    x = np.concatenate([a, b])
    with np.errstate(over="ignore"):
        y, (da, db) = getattr(pr, name)(x), np.split(getattr(pr.vjp, name)(x, g), 2)
    rescued = 0
    for i in range(n):
        value, slope = (exact(gate, float(b[i]), kind) for kind in (FORWARD, DERIVATIVE))
        a_i, g_i = mpf(float(a[i])), mpf(float(g[i]))
        if name != "geglu" or b[i] > -g_limit:
            assert ulp_error(y[i], value * a_i, dtype) < 2.5, (a[i], b[i])
            assert ulp_error(da[i], value * g_i, dtype) < 2.5, (g[i], b[i])
        error = ulp_error(db[i], slope * a_i * g_i, dtype)
        if abs(slope) < 2**-4 and -10 < b[i]:  # near its root, the slope's bound is in ULP of 1
            error = min(error, abs(mpf(float(db[i])) / a_i / g_i - slope) / float(np.finfo(dtype).eps))
        assert error < 3.5, (a[i], b[i], g[i])
        with np.errstate(all="ignore"):
            rescued += bool(np.isfinite(db[i]) and db[i] and not 0 < np.abs(a[i] * g[i]) < np.inf)
    assert rescued > 5 or name == "reglu"  # whose slope is 0 or 1


@pytest.mark.parametrize("name", GATES)
def test_gates_give_nan_only_for_nan(name, dtype):
    largest, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    special = np.array([np.inf, -np.inf, 0.0, -0.0, 1, -1, largest, -largest, least, -200, 30], dtype)
    a, b, g = map(np.ravel, np.meshgrid(special, special, special))
    with np.errstate(over="ignore", invalid="raise"):
        assert not np.isnan(getattr(pr, name)(np.concatenate([a, b]))).any()
        assert not np.isnan(getattr(pr.vjp, name)(np.concatenate([a, b]), g)).any()
        for operand in (a, b, g):
            kept, operand[:] = operand.copy(), np.nan
            da, db = np.split(getattr(pr.vjp, name)(np.concatenate([a, b]), g), 2)
            assert np.isnan(db).all() and np.isnan(da).all() == (operand is not a)
            operand[:] = kept


@pytest.mark.parametrize("name", composed_functions)
@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_out_may_be_an_input_or_of_another_type(namespace, name, dtype):
    x = rng(name).normal(size=(4, 12)).astype(dtype)
    y = getattr(pr, name)(x, *arguments(name))
    function, arrays = getattr(getattr(pr, namespace), name), [x, y][: 2 if namespace == "vjp" else 1]
    want = function(*arrays, *arguments(name))
    for out in (np.empty_like(want), np.empty(want.shape, np.float64), np.empty((*want.shape, 2), dtype)[..., 0]):
        assert function(*arrays, *arguments(name), out=out) is out
        np.testing.assert_array_equal(out, want)
        assert function(*arrays, *arguments(name), out=(out,)) is out
    if namespace == "vjp":
        assert function(*arrays, *arguments(name), out=arrays[0]) is arrays[0]
        np.testing.assert_array_equal(arrays[0], want)
    with pytest.raises(ValueError, match="shape|broadcast"):
        function(*arrays, *arguments(name), out=np.empty((3, 5), dtype))


@each
def test_vjp_is_the_gradient(name):
    """Central differences in float64 at points away from kinks and ties."""
    x = rng(name).normal(size=(2, 12)) + np.linspace(0, 0.5, 12)
    f = lambda x: getattr(pr, name)(x, *arguments(name))  # noqa: E731
    g = rng(name, "g").normal(size=f(x).shape)
    got = getattr(pr.vjp, name)(x, g, *arguments(name))
    step = 1e-6
    for i in np.ndindex(x.shape):
        bump = np.zeros_like(x)
        bump[i] = step
        want = np.sum(g * (f(x + bump) - f(x - bump))) / (2 * step)
        np.testing.assert_allclose(got[i], want, atol=1e-8)


@each
def test_other_axes_and_empty_arrays(name):
    x = rng(name).normal(size=(6, 5))
    f, vjp = getattr(pr, name), getattr(pr.vjp, name)
    along_0 = f(x, *arguments(name), axis=0)
    np.testing.assert_array_equal(along_0, f(np.ascontiguousarray(x.T), *arguments(name)).T)
    np.testing.assert_array_equal(
        vjp(x, along_0, *arguments(name), axis=0), vjp(x.T.copy(), along_0.T.copy(), *arguments(name)).T
    )
    assert f(np.empty((3, 0)), *arguments(name)).shape == (3, 0)
    with pytest.raises(np.exceptions.AxisError):
        f(x, *arguments(name), axis=2)


@each
def test_dask_stays_lazy(name):
    x = rng(name).normal(size=(4, 12))
    lazy = getattr(pr, name)(da.from_array(x, chunks=(2, 12)), *arguments(name))
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), getattr(pr, name)(x, *arguments(name)))


@pytest.mark.parametrize("name", GATES)
def test_an_odd_axis_cannot_be_halved(name):
    with pytest.raises(ValueError, match=f"x has 5 elements along axis 1; {name} halves"):
        getattr(pr, name)(np.ones((2, 5)))


def test_maxout():
    x = np.array([[1.0, 5, 2, 2, -1, np.nan]])
    np.testing.assert_array_equal(pr.maxout(x, 2), [[5, 2, np.nan]])
    np.testing.assert_array_equal(pr.vjp.maxout(x[:, :4], [[10.0, 20]], 2), [[0, 10, 20, 0]])  # the first of equals
    for bad in (0, -2, 4, 1.5, None, True):
        with pytest.raises(ValueError, match=f"num_pieces={bad} is not a positive integer that divides the 6 elements"):
            pr.maxout(x, bad)


def test_crelu():
    np.testing.assert_array_equal(pr.crelu([1.0, -2.0]), [1, 0, 0, 2])


@pytest.mark.parametrize("namespace", ["functional", "derivative", "vjp"])
def test_rrelu_draws_its_slopes_in_training(namespace, dtype):
    x = np.full(10_000, -1, dtype)
    g = (np.ones_like(x),) if namespace == "vjp" else ()
    rrelu, prelu = getattr(pr, namespace).rrelu, getattr(pr, namespace).prelu
    fixed = rrelu(x, *g)
    mean = (np.float64 if dtype == np.float64 else np.float32)((1 / 8 + 1 / 3) / 2)
    np.testing.assert_array_equal(fixed, prelu(x, *g, mean).astype(dtype))
    drawn = rrelu(x, *g, training=True, rng=0)
    assert drawn.dtype == dtype
    sign = -1 if namespace == "functional" else 1
    assert (sign * drawn >= 1 / 8 - 1e-3).all() and (sign * drawn <= 1 / 3 + 1e-3).all()
    assert abs(np.mean(sign * drawn, dtype=float) - (1 / 8 + 1 / 3) / 2) < 0.005
    np.testing.assert_array_equal(rrelu(x, *g, training=True, rng=0), drawn)
    np.testing.assert_array_equal(rrelu(x, *g, training=True, rng=np.random.default_rng(0)), drawn)
    np.testing.assert_array_equal(drawn, sign * pr.derivative.rrelu(x, training=True, rng=0))
    assert not np.array_equal(rrelu(x, *g, training=True), rrelu(x, *g, training=True))
    with pytest.raises(ValueError, match="lower=0.5 must not be greater than upper=0.2"):
        rrelu(x, *g, lower=0.5, upper=0.2, training=True)


def test_gradient_with_respect_to_the_slope_of_prelu():
    """For PReLU the weight is trained too: its gradient is the sum of g * min(x, 0)."""
    x, g = rng("prelu").normal(size=(2, 50, 4))
    weight, step = np.full(4, 0.25), 1e-6
    got = pr.vjp.prelu_weight(x, g, weight)
    want = [np.sum(g * (pr.prelu(x, weight + e) - pr.prelu(x, weight - e))) / (2 * step) for e in np.eye(4) * step]
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("name", GATES)
def test_gates_have_the_same_bits_anywhere_and_on_any_number_of_threads(name, dtype):
    x, g = rng(name, "bits").normal(size=(2, 2, 300_000)).astype(dtype) * 5
    want = getattr(pr, name)(x, axis=0), getattr(pr.vjp, name)(x, g[:1], axis=0)
    before = pr.get_num_threads()
    try:
        pr.set_num_threads(1)
        assert all(map(same_bits, (getattr(pr, name)(x, axis=0), getattr(pr.vjp, name)(x, g[:1], axis=0)), want))
    finally:
        pr.set_num_threads(before)
    some = np.s_[1:400:3]
    strided, few = x[:, some], g[:1, some]
    assert same_bits(getattr(pr, name)(strided, axis=0), want[0][:, some])
    assert same_bits(getattr(pr.vjp, name)(strided, few, axis=0), want[1][:, some])
    assert same_bits(getattr(pr, name)(np.ascontiguousarray(strided.T)), want[0][:, some].T)
