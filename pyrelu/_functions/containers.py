"""Functions along an axis of other containers than ndarrays: keep the labels, or raise an error that says why not.

Elementwise functions need none of this, because NumPy's ufunc protocol handles each container correctly. For functions
along an axis it does not: pandas calls a ufunc column by column, xarray does not call it at all, and masked arrays lose
their mask. So this module removes the labels, computes the result, and adds the labels again.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

# The table of containers in docs/functions.md: container, elementwise functions, functions along an axis.
TABLE = [
    ("lists, tuples, numbers", "`numpy.asarray` of them", "the same"),
    ("`numpy.memmap` and other subclasses of ndarray", "as for any ufunc", "as for any generalised ufunc"),
    ("`numpy.matrix`", "as for any ufunc", "TypeError: it has no one-dimensional rows"),
    ("`numpy.ma.MaskedArray`", "the mask is kept", "TypeError: fill the masked elements first"),
    ("pandas Series, DataFrame", "labels are kept",
     "labels are kept, the last axis is each row; columns of several numeric types are promoted to one; TypeError "
     "if the length of the axis changes (glu and its variants, maxout, crelu)"),
    ("xarray DataArray", "labels are kept, dask inside stays lazy",
     "the same; TypeError if the length of the axis changes"),
    ("xarray Dataset", "each variable", "TypeError: use `Dataset.map`"),
    ("dask Array", "stays lazy", "stays lazy; the axis must be a single chunk"),
    ("other classes with `__array_ufunc__` (awkward, polars Series)", "whatever the class does",
     "TypeError: their axes are unknown"),
    ("other classes with `__array_wrap__` (torch tensors that need no gradient)",
     "of the class; NumPy may warn of its `__array_wrap__`, as for `numpy.tanh`", "of the class"),
    ("other classes with `__array__` (polars DataFrame)", "an ndarray", "an ndarray"),
]  # fmt: skip


class Function(Protocol):
    """What `apply` asks of an `AxisActivationFunction`."""

    __name__: str
    signature: str

    def compute(self, *operands: Any, axis: int, **keywords: Any) -> Any: ...


def apply(
    function: Function, arrays: Sequence[Any], rest: Sequence[Any], axis: int, keywords: Mapping[str, Any]
) -> Any:
    """Compute an `AxisActivationFunction` and keep the labels of x, or raise TypeError.

    Parameters
    ----------
    function : AxisActivationFunction
        The function; its signature decides which labels can be kept.
    arrays : list
        x, or x and g, of any kind.
    rest : list
        The operands that are not arrays.
    axis : int
        The axis.
    keywords : dict
        Keywords for NumPy, such as `out`.
    """
    name, cores = function.__name__, function.signature.replace("->", ",").split(",")
    for array in arrays:
        _refuse(name, array)
    labels = [_labels_of(array) for array in arrays]
    if not any(labels):
        return _wrapped(function, arrays, rest, axis, keywords)
    kind, labels_of_x = _kind(arrays[0]), labels[0]
    if labels_of_x is None:
        raise TypeError(f"{name}: g is a {_kind(arrays[1])} and x a {kind}; labels are taken from x")
    if keywords:
        raise TypeError(f"{name}: {next(iter(keywords))}= is for arrays, but x is a {kind}")
    if not {"(n)", "()"}.issuperset(cores):
        raise TypeError(
            f"{name} changes the length of the axis, so the labels of a {kind} no longer fit; "
            f"pass {'x.to_numpy()' if labels_of_x is _Pandas else 'x.data'}"
        )
    x = labels_of_x(name, arrays[0], axis)
    values = [x.values(), *(x.matching(g, core == "()") for g, core in zip(arrays[1:], cores[1:], strict=False))]
    return x.labelled(function.compute(*values, *rest, axis=axis), cores[-1] == "()")


def _wrapped(
    function: Function, arrays: Sequence[Any], rest: Sequence[Any], axis: int, keywords: Mapping[str, Any]
) -> Any:
    """Compute it of arrays without labels; a class that is no array gets its own back, as from a ufunc.

    What a ufunc itself does with such a class depends on how NumPy calls `__array_wrap__`, which with torch warns.
    """
    known = np.ndarray, np.generic
    others = [
        array
        for array in arrays
        if hasattr(array, "__array_wrap__") and not hasattr(array, "__array_ufunc__") and not isinstance(array, known)
    ]
    if not others or keywords:
        return function.compute(*arrays, *rest, axis=axis, **keywords)
    values = [np.asarray(array) if any(array is other for other in others) else array for array in arrays]
    return others[0].__array_wrap__(np.asarray(function.compute(*values, *rest, axis=axis)))


def _kind(array: object) -> str:
    return f"{type(array).__module__.partition('.')[0]}.{type(array).__name__}"


def _classes(module: str, *names: str) -> tuple[type, ...]:
    """Return classes of a module if it has been imported; if not, there can be no instances of them."""
    return tuple(getattr(sys.modules.get(module), name) for name in names if hasattr(sys.modules.get(module), name))


def _refuse(name: str, array: Any) -> None:
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name} does not take numpy.ma.MaskedArray, because masked elements would influence the others along the "
            f"axis; fill them first, for softmax with x.filled(-numpy.inf)"
        )
    if isinstance(array, np.matrix):
        raise TypeError(f"{name} does not take numpy.matrix, which has no one-dimensional rows; pass numpy.asarray(x)")
    if isinstance(array, _classes("xarray", "Dataset")):
        raise TypeError(f"{name} does not take xarray.Dataset; use dataset.map(pyrelu.{name})")
    known = (np.ndarray, np.generic, *_classes("dask.array", "Array"))
    if hasattr(array, "__array_ufunc__") and not isinstance(array, known) and not _labels_of(array):
        raise TypeError(f"{name} does not take {_kind(array)}, whose axes are unknown; pass an array")


def _labels_of(array: object) -> "type[_Pandas] | type[_Xarray] | None":
    if isinstance(array, _classes("pandas", "Series", "DataFrame")):
        return _Pandas
    return _Xarray if isinstance(array, _classes("xarray", "DataArray")) else None


class _Pandas:
    """Removes the labels of a Series or DataFrame, and adds them to a result."""

    def __init__(self, name: str, x: Any, axis: int) -> None:
        if not -x.ndim <= axis < x.ndim:
            raise np.exceptions.AxisError(axis, x.ndim)
        self._name, self._x = name, x
        self._left = [labels for k, labels in enumerate(x.axes) if k != axis % x.ndim]

    def values(self) -> Any:
        return self._numbers(self._x, "x")

    def _numbers(self, array: Any, operand: str) -> np.ndarray:
        values: np.ndarray = array.to_numpy()
        if values.dtype == object:
            raise TypeError(f"{self._name}: {operand} is a {_kind(array)} whose columns have no common numeric type")
        return values

    def matching(self, g: Any, reduced: bool) -> Any:
        if not _labels_of(g):
            return g
        axes = self._left if reduced else self._x.axes
        if not hasattr(g, "axes") or len(g.axes) != len(axes) or not all(map(lambda a, b: a.equals(b), g.axes, axes)):
            raise ValueError(f"{self._name}: the labels of g do not match those of x; align them, or pass arrays")
        return self._numbers(g, "g")

    def labelled(self, values: Any, reduced: bool) -> Any:
        pandas = sys.modules["pandas"]
        if not reduced:
            if self._x.ndim == 1:
                return pandas.Series(values, index=self._x.index, name=self._x.name)
            return pandas.DataFrame(values, index=self._x.index, columns=self._x.columns)
        return pandas.Series(values, index=self._left[0]) if self._left else values


class _Xarray:
    """Removes the labels of a DataArray, and adds them to a result."""

    def __init__(self, name: str, x: Any, axis: int) -> None:
        if not -x.ndim <= axis < x.ndim:
            raise np.exceptions.AxisError(axis, x.ndim)
        self._name, self._x, self._dimension = name, x, x.dims[axis]

    def values(self) -> Any:
        return self._x.data

    def _frame(self, reduced: bool) -> Any:
        return self._x.isel({self._dimension: 0}, drop=True) if reduced else self._x

    def matching(self, g: Any, reduced: bool) -> Any:
        if not _labels_of(g):
            return g
        frame = self._frame(reduced)
        try:
            return sys.modules["xarray"].align(frame, g, join="exact")[1].transpose(*frame.dims).data
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{self._name}: the labels of g do not match those of x: {error}") from None

    def labelled(self, values: Any, reduced: bool) -> Any:
        return self._frame(reduced).copy(data=values)
