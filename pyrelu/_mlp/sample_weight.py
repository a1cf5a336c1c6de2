"""Weights of rows: what `sample_weight` may be."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from pyrelu._typing import Floats


def check_sample_weight(sample_weight: ArrayLike, X: Any) -> Floats:
    """Return one weight per row, in the precision of X; at least one is not 0."""
    weights = check_row_weights(sample_weight, X)
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def check_row_weights(sample_weight: ArrayLike, X: Any) -> Floats:
    """Return one weight per row, in the precision of X."""
    n_samples = X.shape[0]
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    weights: Floats = check_array(sample_weight, ensure_2d=False, dtype=X.dtype, order="C", input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!")
    if (weights < 0).any():
        raise ValueError(f"Sample weights must not be negative, got {weights.min()}.")
    return weights
