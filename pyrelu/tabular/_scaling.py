"""Scales of columns of numbers: what is learned of a column, and how it is applied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import QuantileTransformer, StandardScaler

MOST_QUANTILES = 1000
CLIP = 3.0  # the largest size that the smooth clip gives


def smooth_clip(x):
    """Return ``x / sqrt(1 + (x / 3)**2)``: x near 0, and below 3 in size everywhere.

    Examples
    --------
    >>> smooth_clip(np.array([0.0, 4.0, -np.inf]))
    array([ 0. ,  2.4, -3. ])
    """
    x = np.clip(x, -np.finfo(float).max, np.finfo(float).max)
    return x / np.hypot(1, x / CLIP)  # the square would overflow


_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def _robust_of(n, quantile, moments):
    """Return median and interquartile range; half the range where that is 0, and inf where nothing varies."""
    width = quantile[0.75] - quantile[0.25] or (quantile[1.0] - quantile[0.0]) / 2
    return quantile[0.5], width or np.inf


def _robust(known):
    return _robust_of(len(known), dict(zip(_QUARTILES, np.quantile(known, _QUARTILES), strict=True)), None)


def _standard(known):
    scaler = StandardScaler().fit(known[:, np.newaxis])
    return scaler.mean_[0], scaler.scale_[0]


def _standard_of(n, quantile, moments):
    """Return mean and standard deviation of the mean and the variance, as StandardScaler does."""
    mean, variance = moments
    epsilon = np.finfo(float).eps
    varies = variance > n * epsilon * variance + (n * mean * epsilon) ** 2
    return mean, np.sqrt(variance) if varies else 1.0


def _quantiles(known):
    n = min(MOST_QUANTILES, len(known))
    return QuantileTransformer(n_quantiles=n, subsample=None).fit(known[:, np.newaxis]).quantiles_[:, 0]


def _fractions_of_quantiles(n):
    return (np.linspace(0, 1, min(MOST_QUANTILES, n)) * 100 / 100).tolist()  # as QuantileTransformer has them


def _quantiles_of(n, quantile, moments):
    return [quantile[q] for q in _fractions_of_quantiles(n)]


def _apply_quantiles(matrix, of_columns):
    """Return the normal scores of values; by column, as columns may have different numbers of known values."""
    scores = np.empty_like(matrix)
    for j, quantiles in enumerate(of_columns):
        transformer = QuantileTransformer(output_distribution="normal")
        transformer.n_features_in_ = 1
        transformer.quantiles_ = quantiles[:, np.newaxis]
        transformer.n_quantiles_ = len(quantiles)
        transformer.references_ = np.linspace(0, 1, len(quantiles))
        scores[:, [j]] = transformer.transform(matrix[:, [j]])
    return scores


def _apply_linear(matrix, of_columns):
    center, scale = np.array(of_columns).T
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num((matrix - center) / scale)


def _apply_robust(matrix, of_columns):
    return smooth_clip(_apply_linear(matrix, of_columns))


@dataclass(frozen=True)
class Scale:
    """A way to scale columns of numbers.

    Attributes
    ----------
    learn : callable
        Returns what is learned of the known values of a column, as an array.
    apply : callable
        Applies what is learned of the columns to a matrix.
    scales_one_hot : bool
        Whether one-hot columns are scaled, too.
    fractions : callable
        Of the number of known values: which quantiles are needed where not all values are in one place.
    learn_of : callable
        Learns of the number of values, their quantiles and, if needed, their mean and variance.
    needs_moments : bool
    """

    learn: Callable[..., Any]
    apply: Callable[..., Any]
    scales_one_hot: bool
    fractions: Callable[..., Any]
    learn_of: Callable[..., Any]
    needs_moments: bool


SCALES = {
    "robust": Scale(_robust, _apply_robust, True, lambda n: _QUARTILES, _robust_of, False),
    "standard": Scale(_standard, _apply_linear, False, lambda n: (), _standard_of, True),
    "quantile": Scale(_quantiles, _apply_quantiles, False, _fractions_of_quantiles, _quantiles_of, False),
}


def learn(numeric, known):
    """Return an array of what a scale learns of the values of a column that are not missing."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(SCALES[numeric].learn(known), dtype=float)


def fractions(numeric, n):
    """Return the fractions of the quantiles of n values that a scale needs."""
    return SCALES[numeric].fractions(n)


def needs_moments(numeric):
    """Tell whether a scale needs mean and variance."""
    return SCALES[numeric].needs_moments


def of_quantiles(numeric, n, quantile, moments):
    """Return what `learn` returns of n values with these quantiles, fraction -> value, and mean and variance."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(SCALES[numeric].learn_of(n, quantile, moments), dtype=float)


def apply(numeric, matrix, learned):
    """Return a matrix whose columns are scaled by what was learned of each."""
    return SCALES[numeric].apply(matrix, learned) if matrix.size else matrix


def scales_one_hot(numeric):
    """Tell whether one-hot columns are scaled as numbers are."""
    return SCALES[numeric].scales_one_hot
