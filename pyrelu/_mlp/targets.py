"""Checks of X and y, those of y that scikit-learn lacks included, and y as a network takes it."""

from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import validate_data

from pyrelu._typing import Floats, Rows


def check(mlp: Any, X: Rows, y: Any, first: bool, numeric: bool = False) -> tuple[Any, Any]:
    """Return X and y after scikit-learn's validation; y with a single column becomes one-dimensional."""
    check_objects(y)
    if numeric:
        check_numbers(y)
    if issparse(y) and (y.shape[1] == 1 or not is_classifier(mlp)):
        raise TypeError(
            f"y of shape {y.shape} is sparse; only an indicator matrix of several columns may be. Pass y.toarray()"
        )
    X, y = validate_data(
        mlp,
        X,
        y,
        accept_sparse="csr",
        multi_output=True,
        dtype=(np.float64, np.float32),
        order="C",
        reset=first,
        y_numeric=numeric,
    )
    return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def as_targets(values: Any, X: Any) -> Floats:
    """Return targets as a C-contiguous array in the precision of X."""
    with np.errstate(over="ignore"):  # the next check reports infinities
        targets: Floats = np.ascontiguousarray(np.asarray(values).astype(X.dtype, copy=False))
    with np.errstate(invalid="ignore"):
        assert_all_finite(targets, input_name="y")
    return targets


def check_numbers(y: Any) -> None:
    """Raise ValueError if y holds dates or durations, which NumPy would turn into counts of whatever their unit is."""
    dtype = None if issparse(y) else np.asarray(y).dtype
    if dtype is not None and dtype.kind in "Mm":
        raise ValueError(
            f"y has dtype {dtype}; a regressor takes numbers. Pass durations in a unit of your choice, as "
            "y.dt.total_seconds(), and dates as durations since the first, as (y - y.min()).dt.total_seconds()"
        )


def check_objects(y: Any) -> None:
    """Raise ValueError if y has dtype object and a missing or infinite value, some of which scikit-learn overlooks."""
    try:
        values = np.asarray(None if issparse(y) else y)
    except ValueError:  # no array at all; scikit-learn's validation raises the error
        return
    if values.dtype != object or values.ndim == 0:
        return
    items = values.ravel().tolist()
    types = set(map(type, items))
    if any(cls.__name__ in ("NoneType", "NAType", "NaTType", "MaskedConstant") for cls in types):
        raise ValueError("Input y contains NaN.")
    if any(issubclass(cls, Real) for cls in types):
        try:
            numbers = np.array([item for item in items if isinstance(item, Real)], np.float64)
        except OverflowError:
            numbers = np.array([np.inf])
        assert_all_finite(numbers, input_name="y")
