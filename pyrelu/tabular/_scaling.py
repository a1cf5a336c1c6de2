"""Scales of columns of numbers: what is learned of a column, and how it is applied."""

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


def _robust(known):
    """Return median and interquartile range; half the range where that is 0, and inf where nothing varies."""
    low, center, high = np.quantile(known, (0.25, 0.5, 0.75))
    width = high - low or (known.max() - known.min()) / 2
    return center, width or np.inf


def _standard(known):
    scaler = StandardScaler().fit(known[:, np.newaxis])
    return scaler.mean_[0], scaler.scale_[0]


def _quantiles(known):
    n = min(MOST_QUANTILES, len(known))
    return QuantileTransformer(n_quantiles=n, subsample=None).fit(known[:, np.newaxis]).quantiles_[:, 0]


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


# name -> (what is learned of the known values of a column, as an array;
#          the function that applies what is learned of the columns to a matrix; whether one-hot columns are scaled too)
SCALES = {
    "robust": (_robust, _apply_robust, True),
    "standard": (_standard, _apply_linear, False),
    "quantile": (_quantiles, _apply_quantiles, False),
}


def learn(numeric, known):
    """Return an array of what a scale learns of the values of a column that are not missing."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(SCALES[numeric][0](known), dtype=float)


def apply(numeric, matrix, learned):
    """Return a matrix whose columns are scaled by what was learned of each."""
    return SCALES[numeric][1](matrix, learned) if matrix.size else matrix


def scales_one_hot(numeric):
    """Tell whether one-hot columns are scaled as numbers are."""
    return SCALES[numeric][2]
