"""Functions along an axis on labelled, masked, lazy and other arrays, as the table in docs/functions.md says."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from helpers import call

import pyrelu as pr
from pyrelu.registry import axis_functions, composed_functions

ROWS = axis_functions | composed_functions
CASES = [(namespace, name) for namespace in ("functional", "vjp") for name in ROWS]
each = pytest.mark.parametrize(("namespace", "name"), CASES)


def case(namespace, name):
    """The function, what it takes, as arrays, and what must stand beside them."""
    x = np.array([[1.0, 3.0, -2.0, 0.5], [2.0, 4.0, 0.25, -1.0], [0.0, 1.0, 7.0, 5.0]])
    beside = (2,) if name == "maxout" else ()
    if namespace == "functional":
        return pr.functional.__dict__[name], [x], beside
    return pr.vjp.__dict__[name], [x, np.cos(getattr(pr, name)(x, *beside))], beside


def keeps(name):
    return ROWS[name].signature in ("(n)->(n)", "(n)->()")


@each
def test_pandas(namespace, name):
    function, arrays, beside = case(namespace, name)
    frame = pd.DataFrame(arrays[0], index=list("abc"), columns=list("wxyz"))
    if not keeps(name):
        with pytest.raises(TypeError, match=f"{name} changes the length of the axis.*to_numpy"):
            function(frame, *arrays[1:], *beside)
        return
    for axis in (-1, 1, 0):
        plain = [arrays[0], *([np.cos(getattr(pr, name)(arrays[0], axis=axis))] if namespace == "vjp" else [])]
        got, want = function(frame, *plain[1:], axis=axis), function(*plain, axis=axis)
        np.testing.assert_array_equal(got, want)
        assert list(got.index) == (list("wxyz") if want.ndim == 1 and axis == 0 else list("abc"))
        if want.ndim == 2:
            assert list(got.columns) == list("wxyz")
    mixed = frame.assign(w=frame.w.astype(int), x=frame.x.astype(np.float32))
    np.testing.assert_array_equal(function(mixed, *arrays[1:]), function(*arrays))
    series = frame.loc["a"]
    got = function(series, *(g[0] for g in arrays[1:]))
    np.testing.assert_array_equal(got, function(*(a[0] for a in arrays)))
    assert np.ndim(got) == 0 or (got.name == "a" and list(got.index) == list("wxyz"))
    with pytest.raises(TypeError, match="no common numeric type"):
        function(frame.assign(w="text"), *arrays[1:])
    with pytest.raises(TypeError, match="out= is for arrays"):
        function(frame, *arrays[1:], out=np.empty((3, 4)))


@pytest.mark.parametrize("name", [name for name in ROWS if keeps(name)])
def test_labels_of_g_must_be_those_of_x(name):
    function, (x, g), _ = case("vjp", name)
    frame = pd.DataFrame(x, index=list("abc"), columns=list("wxyz"))
    array = xr.DataArray(x, dims=("row", "column"), coords={"row": list("abc")})
    for labelled in (frame, array):
        weights = np.cos(getattr(pr, name)(labelled))
        np.testing.assert_array_equal(function(labelled, weights), function(x, g))
        with pytest.raises(ValueError, match="labels of g"):
            function(labelled, weights[::-1])
        with pytest.raises(TypeError, match="labels are taken from x"):
            function(x, weights)


@each
def test_xarray(namespace, name):
    function, arrays, beside = case(namespace, name)
    array = xr.DataArray(arrays[0], dims=("row", "column"), coords={"row": list("abc")}, name="x")
    with pytest.raises(TypeError, match=f"{name} does not take xarray.Dataset"):
        function(array.to_dataset(), *arrays[1:], *beside)
    if not keeps(name):
        with pytest.raises(TypeError, match=f"{name} changes the length of the axis.*x.data"):
            function(array, *arrays[1:], *beside)
        return
    want = function(*arrays)
    for source in (array, array.chunk() if namespace == "vjp" else array.chunk(row=1)):  # as g, one chunk
        got = function(source, *arrays[1:])
        assert (got.chunks is None) == (source.chunks is None)
        assert got.dims == array.dims[: want.ndim] and list(got.row) == list("abc")
        np.testing.assert_array_equal(got, want)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@each
def test_masked_arrays_and_matrices_are_refused(namespace, name):
    function, arrays, beside = case(namespace, name)
    for k in range(len(arrays)):
        masked, matrix = list(arrays), list(arrays)
        masked[k], matrix[k] = np.ma.array(arrays[k], mask=arrays[k] > 1), np.asmatrix(arrays[k])
        with pytest.raises(TypeError, match=r"numpy\.ma\.MaskedArray"):
            function(*masked, *beside)
        with pytest.raises(TypeError, match=r"numpy\.matrix"):
            function(*matrix, *beside)


def test_elementwise_functions_keep_the_mask(activation):
    x = np.ma.array([1.0, 100.0, -2.0], mask=[0, 1, 0])
    for namespace in ("functional", "derivative"):
        got = call(namespace, activation, x)
        assert list(got.mask) == [False, True, False]
        np.testing.assert_array_equal(got.compressed(), call(namespace, activation, np.array([1.0, -2.0])))


@each
def test_dask_stays_lazy(namespace, name):
    function, arrays, beside = case(namespace, name)
    lazy = [da.from_array(a, chunks=(1, *a.shape[1:])) for a in arrays]
    got = function(*lazy, *beside)
    assert isinstance(got, da.Array)
    np.testing.assert_array_equal(got.compute(scheduler="sync"), function(*arrays, *beside))


@each
def test_classes_that_say_nothing_of_axes_are_refused_and_others_become_arrays(namespace, name):
    class Own:
        def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
            raise AssertionError("asked")

    class Tensor:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return self.array

    function, arrays, beside = case(namespace, name)
    with pytest.raises(TypeError, match=f"{name} does not take .*Own"):
        function(Own(), *arrays[1:], *beside)
    want = function(*arrays, *beside)
    np.testing.assert_array_equal(function(*map(Tensor, arrays), *beside), want)
    np.testing.assert_array_equal(function(*(a.tolist() for a in arrays), *beside), want)


@each
def test_axis_by_position_one_integer(namespace, name):
    function, arrays, beside = case(namespace, name)
    np.testing.assert_array_equal(function(*arrays, *beside, 1), function(*arrays, *beside, axis=-1))
    for bad in (None, (0, 1), 1.0):
        with pytest.raises(TypeError, match="axis=.* pass an integer"):
            function(*arrays, *beside, axis=bad)
    with pytest.raises(np.exceptions.AxisError):
        function(*arrays, *beside, axis=2)


@each
@pytest.mark.parametrize("code", "?bBhHiIlLqQ")
def test_integers_promote_first(namespace, name, code):
    function, arrays, beside = case(namespace, name)
    integers = [(np.abs(a) * 50).astype(code) for a in arrays]
    promoted = [a.astype(np.tanh(a).dtype) for a in integers]
    got, want = function(*integers, *beside), function(*promoted, *beside)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["glu", "reglu", "geglu", "swiglu"])
def test_no_gradient_of_a_gate_overflows_on_the_way(name, dtype):
    """Against float128 products of the gate's slope."""
    gate = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}[name]
    big = float(np.finfo(dtype).max) * 0.97
    a = np.array([big, 1e-4, big / 100, 600.0, big], dtype)
    b = np.array([1.5, 1.5, -3.0, -9.0, 2.0], dtype)
    g = np.array([1e-3, big, 100.0, 200.0, 0.5], dtype)
    with np.errstate(all="ignore"):
        got = getattr(pr.vjp, name)(np.concatenate([a, b]), g)[5:]
        wide = np.float32 if dtype == np.float16 else dtype
        slope = getattr(pr.derivative, gate)(b.astype(wide))
        want = (slope.astype(np.longdouble) * a * g).astype(dtype)
    assert np.isfinite(want).all()
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)
