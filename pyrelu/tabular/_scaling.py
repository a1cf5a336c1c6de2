"""Scales of columns of numbers: what is learned of a column, and how it is applied."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import QuantileTransformer, StandardScaler

MOST_QUANTILES = 1000
CLIP = 3.0  # the largest size that the smooth clip gives

Learned = Sequence[NDArray[np.float64]]  # what a scale learned of each column
Moments = tuple[float, float]  # mean and variance


def smooth_clip(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``x / sqrt(1 + (x / 3)**2)``: x near 0, and below 3 in size everywhere.

    Examples
    --------
    >>> smooth_clip(np.array([0.0, 4.0, -np.inf]))
    array([ 0. ,  2.4, -3. ])
    """
    x = np.clip(x, -np.finfo(float).max, np.finfo(float).max)
    return x / np.hypot(1, x / CLIP)  # the square would overflow


_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def _robust_of(n: int, quantile: Mapping[float, float], moments: Moments | None) -> tuple[float, float]:
    """Return median and interquartile range; half the range where that is 0, and inf where nothing varies."""
    width = quantile[0.75] - quantile[0.25] or (quantile[1.0] - quantile[0.0]) / 2
    return quantile[0.5], width or np.inf


def _robust(known: NDArray[np.float64]) -> tuple[float, float]:
    return _robust_of(len(known), dict(zip(_QUARTILES, np.quantile(known, _QUARTILES), strict=True)), None)


def _standard(known: NDArray[np.float64]) -> tuple[float, float]:
    scaler = StandardScaler().fit(known[:, np.newaxis])
    return scaler.mean_[0], scaler.scale_[0]


def _standard_of(n: int, quantile: Mapping[float, float], moments: Moments | None) -> tuple[float, float]:
    """Return mean and standard deviation of the mean and the variance, as StandardScaler does."""
    assert moments is not None  # as `needs_moments` says
    mean, variance = moments
    epsilon = np.finfo(float).eps
    varies = variance > n * epsilon * variance + (n * mean * epsilon) ** 2
    return mean, np.sqrt(variance) if varies else 1.0


def _quantiles(known: NDArray[np.float64]) -> NDArray[np.float64]:
    n = min(MOST_QUANTILES, len(known))
    fitted = QuantileTransformer(n_quantiles=n, subsample=None).fit(known[:, np.newaxis])
    quantiles: NDArray[np.float64] = fitted.quantiles_[:, 0]
    return quantiles


def _fractions_of_quantiles(n: int) -> list[float]:
    fractions: list[float] = (np.linspace(0, 1, min(MOST_QUANTILES, n)) * 100 / 100).tolist()
    return fractions  # as QuantileTransformer has them


def _quantiles_of(n: int, quantile: Mapping[float, float], moments: Moments | None) -> list[float]:
    return [quantile[q] for q in _fractions_of_quantiles(n)]


def _apply_quantiles(matrix: NDArray[np.float64], of_columns: Learned) -> NDArray[np.float64]:
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


def _apply_linear(matrix: NDArray[np.float64], of_columns: Learned) -> NDArray[np.float64]:
    center, scale = np.array(of_columns).T
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: NDArray[np.float64] = np.nan_to_num((matrix - center) / scale)
    return scaled


def _apply_robust(matrix: NDArray[np.float64], of_columns: Learned) -> NDArray[np.float64]:
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

    learn: Callable[[NDArray[np.float64]], ArrayLike]
    apply: Callable[[NDArray[np.float64], Learned], NDArray[np.float64]]
    scales_one_hot: bool
    fractions: Callable[[int], Sequence[float]]
    learn_of: Callable[[int, Mapping[float, float], Moments | None], ArrayLike]
    needs_moments: bool


SCALES = {
    "robust": Scale(_robust, _apply_robust, True, lambda n: _QUARTILES, _robust_of, False),
    "standard": Scale(_standard, _apply_linear, False, lambda n: (), _standard_of, True),
    "quantile": Scale(_quantiles, _apply_quantiles, False, _fractions_of_quantiles, _quantiles_of, False),
}


def learn(numeric: str, known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an array of what a scale learns of the values of a column that are not missing."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(SCALES[numeric].learn(known), dtype=float)


def fractions(numeric: str, n: int) -> Sequence[float]:
    """Return the fractions of the quantiles of n values that a scale needs."""
    return SCALES[numeric].fractions(n)


def needs_moments(numeric: str) -> bool:
    """Tell whether a scale needs mean and variance."""
    return SCALES[numeric].needs_moments


def of_quantiles(numeric: str, n: int, quantile: Mapping[float, float], moments: Moments | None) -> NDArray[np.float64]:
    """Return what `learn` returns of n values with these quantiles, fraction -> value, and mean and variance."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(SCALES[numeric].learn_of(n, quantile, moments), dtype=float)


def apply(numeric: str, matrix: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
    """Return a matrix whose columns are scaled by what was learned of each."""
    return SCALES[numeric].apply(matrix, learned) if matrix.size else matrix


def scales_one_hot(numeric: str) -> bool:
    """Tell whether one-hot columns are scaled as numbers are."""
    return SCALES[numeric].scales_one_hot
