"""The functions are NumPy ufuncs: every keyword, shape, stride and type, in all three namespaces."""

import pickle

import numpy as np
import pytest
from helpers import NAMESPACES, arrays_of, call, parameters, pickles_ufuncs, rng, same_bits

import pyrelu as pr
from pyrelu.registry import activations

pytestmark = pytest.mark.usefixtures("overflow_is_expected")


each_namespace = pytest.mark.parametrize("namespace", NAMESPACES)


def data(dtype, *shape):
    x, g = rng("ufuncs", shape).normal(size=(2, *shape)) * 3
    return x.astype(dtype), g.astype(dtype)


@each_namespace
def test_every_length_gives_the_bits_of_one_element_alone(activation, namespace, dtype):
    """Tails, alignment and position do not matter."""
    x, g = data(dtype, 150)
    x[::7] *= 10  # formulas by intervals go over to others there, next to elements that do not
    alone = np.array(
        [call(namespace, activation, *arrays_of(namespace, x[i : i + 1], g[i : i + 1]))[0] for i in range(150)]
    )
    for start in (0, 1, 3):
        for n in (0, 1, 2, 7, 8, 9, 31, 33, 64, 65, 100):
            part = slice(start, start + n)
            got = call(namespace, activation, *arrays_of(namespace, x[part], g[part]))
            assert same_bits(got, alone[part].astype(dtype))


@each_namespace
def test_large_results_may_begin_anywhere_in_a_line_of_the_caches(activation, namespace, dtype):
    """From 4,096 elements on, what is in front of the first whole line is computed by itself."""
    n = 4099
    x, g = data(dtype, n + 16)
    want = np.concatenate(
        [call(namespace, activation, *arrays_of(namespace, x[i : i + 500], g[i : i + 500])) for i in range(0, n, 500)]
    )[:n]
    arrays = arrays_of(namespace, x[:n], g[:n])
    for start in (0, 1, 4, 7, 15):
        out = np.full(n + 16, 7, dtype)
        call(namespace, activation, *arrays, out=out[start : start + n])
        assert same_bits(out, np.concatenate([out[:start] * 0 + 7, want, out[start + n :] * 0 + 7]))
        shared = x[:n].copy()
        call(namespace, activation, *arrays_of(namespace, shared[start:], g[start:n]), out=shared[: n - start])
        assert same_bits(shared[: n - start], want[start:])


@each_namespace
def test_strides_broadcasting_and_order(activation, namespace, dtype):
    x, g = data(dtype, 40, 60)
    want = call(namespace, activation, *arrays_of(namespace, x, g))
    views = [np.s_[::2], np.s_[:, ::3], np.s_[::-1, ::-2], np.s_[:, 5:6], np.s_[3]]
    for view in views:
        assert same_bits(call(namespace, activation, *arrays_of(namespace, x[view], g[view])), want[view])
    assert same_bits(call(namespace, activation, *arrays_of(namespace, x.T, g.T)), want.T)
    assert same_bits(call(namespace, activation, *arrays_of(namespace, np.asfortranarray(x), g)), want)
    swapped = x.astype(x.dtype.newbyteorder())
    assert same_bits(call(namespace, activation, *arrays_of(namespace, swapped, g)), want)
    row, one = np.broadcast_to(x[0], (40, 60)), g[0, 0]
    expected = call(namespace, activation, *arrays_of(namespace, row.copy(), np.full_like(row, one)))
    assert same_bits(call(namespace, activation, *arrays_of(namespace, row, one)), expected)


@each_namespace
def test_out_where_and_overlap(activation, namespace, dtype):
    x, g = data(dtype, 1000)
    want = call(namespace, activation, *arrays_of(namespace, x, g))
    out = np.full_like(x, 7)
    assert call(namespace, activation, *arrays_of(namespace, x, g), out=out) is out
    assert same_bits(out, want)
    where, out = x > 0, np.full_like(x, 7)
    call(namespace, activation, *arrays_of(namespace, x, g), out=out, where=where)
    assert same_bits(out, np.where(where, want, dtype(7)))
    same = x.copy()
    call(namespace, activation, *arrays_of(namespace, same, g), out=same)
    assert same_bits(same, want)
    for source, target in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:]), (np.s_[::-1], np.s_[:])):
        shared = x.copy()
        call(namespace, activation, *arrays_of(namespace, shared[source], g[source]), out=shared[target])
        assert same_bits(shared[target], want[source])


@each_namespace
def test_empty_zero_dimensional_and_python_numbers(activation, namespace):
    assert call(namespace, activation, *arrays_of(namespace, np.empty((0, 3)), 1.0)).shape == (0, 3)
    assert np.ndim(call(namespace, activation, *arrays_of(namespace, 0.5, 1.0))) == 0
    assert call(namespace, activation, *arrays_of(namespace, [1.0, 2.0], 1.0)).shape == (2,)


def test_integers_and_booleans_promote_as_for_tanh(activation):
    if parameters(activation):  # what has no default is an operand, and takes part
        promote = lambda x: call("functional", activation, x).dtype == np.hypot(x, 0.25).dtype  # noqa: E731
    else:
        promote = lambda x: call("functional", activation, x).dtype == np.tanh(x).dtype  # noqa: E731
    for code in "?bBhHiIlLqQefd":
        assert promote(np.ones(3, code)), code


BAD = [np.ones(2, complex), np.array(["a"]), np.array([None])]
if np.dtype(np.longdouble).itemsize > 8:  # where it is more than a double
    BAD.append(np.ones(2, np.longdouble))


@each_namespace
@pytest.mark.parametrize("bad", BAD)
def test_other_types_raise(activation, namespace, bad):
    with pytest.raises(TypeError):
        call(namespace, activation, *arrays_of(namespace, bad, 1.0))


@each_namespace
def test_out_of_wrong_shape_or_type_raises(activation, namespace):
    arrays = arrays_of(namespace, np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="broadcast"):
        call(namespace, activation, *arrays, out=np.empty(4))
    with pytest.raises(TypeError, match="[Cc]ast"):
        call(namespace, activation, *arrays, out=np.empty(3, int))
    with pytest.raises(TypeError, match="out|return arrays"):
        call(namespace, activation, *arrays, out="here")


def test_dtype_and_casting(activation):
    x = np.ones(3)
    assert call("functional", activation, x, dtype=np.float32, casting="same_kind").dtype == np.float32
    with pytest.raises(TypeError, match="[Cc]ast"):
        call("functional", activation, x, dtype=np.float32, casting="safe")


@each_namespace
def test_parameters_broadcast(activation, namespace):
    names = activations[activation].parameters
    x, g = data(np.float32, 5, 4)
    values = np.sort(rng(activation).uniform(0.1, 2, (len(names), 4)), axis=0).astype(np.float32)
    function = getattr(getattr(pr, namespace), activation)
    got = function(*arrays_of(namespace, x, g), *values)
    for column in range(4):
        one = function(*arrays_of(namespace, x[:, column], g[:, column]), *values[:, column])
        assert same_bits(got[:, column], one)


def test_vjp_is_g_times_the_derivative(activation, dtype):
    x, g = data(dtype, 300)
    x, g = x[x != 0], g[x != 0]
    slope = call("derivative", activation, x.astype(np.float32))
    got = call("vjp", activation, x, g)
    if dtype != np.float16:
        slope = call("derivative", activation, x)
    np.testing.assert_array_equal(got, (g * slope).astype(dtype))


def test_subclasses_and_overrides(activation):
    class Labelled(np.ndarray):
        pass

    class Lazy:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return ufunc, method

    assert type(call("functional", activation, np.ones(3).view(Labelled))) is Labelled
    ufunc, method = call("functional", activation, Lazy())
    assert isinstance(ufunc, np.ufunc) and method == "__call__"


def test_dask_stays_lazy_pandas_and_xarray_keep_their_labels(activation):
    import dask.array as da
    import pandas as pd
    import xarray as xr

    x = data(np.float64, 12)[0]
    want = call("functional", activation, x)
    lazy = call("functional", activation, da.from_array(x, chunks=4))
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), want)
    series = call("functional", activation, pd.Series(x, index=list("abcdefghijkl")))
    assert list(series.index) == list("abcdefghijkl")
    labelled = call("functional", activation, xr.DataArray(x, dims="time"))
    assert labelled.dims == ("time",)
    np.testing.assert_array_equal(labelled, want)


@pickles_ufuncs
@each_namespace
def test_pickle_finds_each_function(activation, namespace):
    module = getattr(pr, namespace)
    for name, function in vars(module).items():
        if name.strip("_").startswith(activation) and callable(function):
            assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_axis_functions_along_any_axis(axis_function, namespace, dtype):
    x, g = data(dtype, 4, 33, 5)
    function = getattr(getattr(pr, namespace), axis_function)
    reduces = pr.axis_functions[axis_function].signature.endswith("()")
    for axis in range(3):
        g_here = g.take(0, axis) if reduces else g
        got = (
            function(*arrays_of(namespace, x, g_here), axis=axis)
            if namespace == "functional" or not reduces
            else function(x, g_here, axes=[axis, (), axis])
        )
        moved_x = np.ascontiguousarray(np.moveaxis(x, axis, -1))
        moved_g = np.ascontiguousarray(g_here if reduces else np.moveaxis(g, axis, -1))
        want = function(*arrays_of(namespace, moved_x, moved_g))
        if want.ndim == 3:
            got = np.moveaxis(got, axis, -1)
        assert same_bits(got, want)


@pytest.mark.parametrize("n", [0, 1, 5000])
def test_axis_functions_of_rows_in_place_and_of_any_length(axis_function, dtype, n):
    x, _ = data(dtype, 3, n)
    function = getattr(pr, axis_function)
    want = function(x)
    strided = np.empty((3, 2 * n), dtype)[:, ::2]
    strided[...] = x
    assert same_bits(function(strided), want)
    if want.shape == x.shape:
        function(x, out=x)
        assert same_bits(x, want)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 33, 100, 300])
@pytest.mark.parametrize("namespace", ["functional", "vjp"])
def test_axis_functions_give_each_row_the_bits_of_one_row_alone(axis_function, namespace, dtype, n):
    """Kernels take rows in groups; which rows are beside one does not matter, nor whether copies of rows are made."""
    x, g = data(dtype, 150, n)
    if pr.axis_functions[axis_function].signature.endswith("()"):
        g = g[:, 0]
    function = getattr(getattr(pr, namespace), axis_function)
    alone = np.array([function(*arrays_of(namespace, x[i], g[i])) for i in range(150)])
    assert same_bits(function(*arrays_of(namespace, x, g)), alone)
    assert same_bits(function(*arrays_of(namespace, x[1:72], g[1:72])), alone[1:72])
    apart = np.empty((150, n + 3), dtype)[:, :n]
    apart[...] = x
    assert same_bits(function(*arrays_of(namespace, apart, g)), alone)
    repeated = np.broadcast_to(g[5], g.shape)
    assert same_bits(function(*arrays_of(namespace, x, repeated))[5], alone[5])
    for turned in (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]):  # backwards beside forwards, in either operand
        backwards, out = x[turned].copy()[turned], np.empty_like(alone)
        assert same_bits(function(*arrays_of(namespace, backwards, g), out=out), alone)
        if out.ndim == 2:
            assert same_bits(function(*arrays_of(namespace, x, g), out=out[turned]), alone)
    if namespace == "vjp" or alone.shape == x.shape:
        out = x.copy()
        function(*arrays_of(namespace, out, g), out=out)
        assert same_bits(out, alone)


def test_gelu_chooses_its_form():
    x = np.linspace(-3, 3, 7)
    for namespace in (pr.functional, pr.derivative):
        np.testing.assert_array_equal(namespace.gelu(x, approximate="tanh"), namespace.gelu_tanh(x))
    np.testing.assert_array_equal(pr.vjp.gelu(x, 2.0, approximate="tanh"), pr.vjp.gelu_tanh(x, 2.0))
    for bad in ("erf", None, [1]):
        with pytest.raises(ValueError, match="approximate=.*'none', 'tanh'"):
            pr.gelu(x, approximate=bad)
