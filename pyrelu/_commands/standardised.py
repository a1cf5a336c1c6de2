"""Networks that are trained on standardised data, but take and return unscaled data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.preprocessing import StandardScaler

from pyrelu._mlp import losses


def fit(mlp: Any, X: NDArray[np.float64], y: NDArray[Any], n_scaled: int | None = None) -> None:
    """Train on X, and a regressor on y, of mean 0 and variance 1; then let the weights take raw numbers.

    The first layer computes ``(X - mean) / scale @ W + b``, which is ``X @ (W / scale) + (b - mean / scale @ W)``; the
    last one of a regressor gets the target's scale and mean likewise. A column that does not vary gets the scale 1.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor
        Trained in place. The loss, its parameters and all records refer to the standardised data.
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    n_scaled : int, default=None
        The number of columns to standardise, counted from the first; the others, such as categories, are 0 or 1. None: all.
    """
    scaled = slice(0, X.shape[1] if n_scaled is None else n_scaled)
    mean, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
    if X[:, scaled].shape[1]:
        inputs = StandardScaler().fit(X[:, scaled])
        mean[scaled], scale[scaled] = inputs.mean_, inputs.scale_
    target = None
    if scales_target(mlp):
        scaler = StandardScaler().fit(y[:, np.newaxis])
        y = scaler.transform(y[:, np.newaxis]).ravel()
        target = scaler.mean_, scaler.scale_
    mlp.fit((X - mean) / scale, y)
    fold(mlp, mean, scale, target)


def scales_target(mlp: Any) -> bool:
    """Return whether the target is standardised: not that of losses which are not scaled with it."""
    return is_regressor(mlp) and losses.resolve(mlp.loss, losses.REGRESSOR).scales_with_target


def fold(
    mlp: Any,
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    target: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> None:
    """Let the weights of a network that was trained on standardised data take, and give, raw numbers.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor
        Changed in place.
    mean, scale : ndarray of shape (n_features,)
        What was subtracted from the inputs, and what they were then divided by.
    target : tuple of (mean, scale), default=None
        That of the target; None: it was as it is.
    """
    first, last = mlp.coefs_[0], mlp.coefs_[-1]
    of_inputs, of_products = getattr(mlp, "adapters_", [1.0, 1.0])[:2]  # of an ensemble's members
    mlp.intercepts_[0] -= np.ravel((mean / scale * of_inputs) @ first * of_products)
    first /= scale[:, np.newaxis]
    if target is not None:
        mean, scale = target
        last *= scale
        mlp.intercepts_[-1] *= scale
        mlp.intercepts_[-1] += mean
