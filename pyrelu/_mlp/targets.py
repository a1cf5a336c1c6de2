"""Checks of y that scikit-learn lacks."""

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite


def check_objects(y):
    """Raise ValueError if y has dtype object and a missing or infinite value, some of which scikit-learn overlooks."""
    try:
        values = np.asarray(None if issparse(y) else y)
    except ValueError:  # no array at all; scikit-learn's validation raises the error
        return
    if values.dtype != object or values.ndim == 0:
        return
    values = values.ravel().tolist()
    types = set(map(type, values))
    if any(cls.__name__ in ("NoneType", "NAType", "NaTType", "MaskedConstant") for cls in types):
        raise ValueError("Input y contains NaN.")
    if any(issubclass(cls, Real) for cls in types):
        try:
            numbers = np.array([value for value in values if isinstance(value, Real)], np.float64)
        except OverflowError:
            numbers = np.array([np.inf])
        assert_all_finite(numbers, input_name="y")
