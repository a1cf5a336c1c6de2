"""Weights of rows: what `sample_weight` may be, what `class_weight` makes of targets, and what "balanced" makes of labels."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from pyrelu._typing import Floats

ClassWeight = Mapping[Any, float] | Sequence[Mapping[Any, float]] | Literal["balanced"]


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


def weigh_classes(class_weight: ClassWeight, targets: Floats, classes: NDArray[Any] | None) -> Floats:
    """Return the weight of each row for its class, or for all of its labels.

    Parameters
    ----------
    class_weight : dict, list of dict or "balanced"
    targets : ndarray of shape (n_samples, n_targets)
        The index of the class in one column, or the indicator matrix.
    classes : ndarray or None
        The labels; None: the targets are an indicator matrix.
    """
    numbers = targets.astype(int)
    if classes is None:
        if isinstance(class_weight, list):  # scikit-learn raises if y lacks one value and the dict the other
            class_weight = [{0: 1.0, 1: 1.0} | weights_of for weights_of in class_weight]
        of_rows = compute_sample_weight(class_weight, numbers)
    elif isinstance(class_weight, list):
        raise ValueError(
            f"class_weight={class_weight!r} is a list, which is for multilabel targets; for y of shape "
            f"({len(targets)},) it must be one dict of label: weight"
        )
    else:
        numbers = numbers.ravel()
        of_rows = compute_class_weight(class_weight, classes=classes, y=classes[numbers])[numbers]
    weights: Floats = of_rows.astype(targets.dtype)
    return weights


def count_labels(y: ArrayLike) -> dict[Any, int]:
    """Return how many rows each label has: label -> number."""
    y = np.asarray(y)
    y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(
            f"y has the shape {y.shape}; the labels of an indicator matrix are not counted: give class_weight as a list of "
            "dicts, and classes=range(n_columns)"
        )
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def balanced(counts: Mapping[Any, int]) -> dict[Any, float]:
    """Return the class weights that "balanced" stands for, as `sklearn.utils.class_weight.compute_class_weight` has it."""
    n_rows = sum(counts.values())
    return {label: n_rows / (len(counts) * count) for label, count in counts.items()}
