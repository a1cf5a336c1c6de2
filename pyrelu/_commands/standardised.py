"""Networks that are trained on standardised data, but take and return unscaled data."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.preprocessing import StandardScaler

from pyrelu import registry
from pyrelu._mlp import losses
from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.embedding import InputEmbedding

Floats = NDArray[np.float64]


def fit(mlp: Any, X: Floats, y: NDArray[Any], n_scaled: int | None = None) -> None:
    """Train on X, and a regressor on y, of mean 0 and variance 1; then let the weights take raw numbers.

    The first layer computes ``(X - mean) / scale @ W + b``, which is ``X @ (W / scale) + (b - mean / scale @ W)``; the
    last one of a regressor gets the target's scale and mean likewise. A column that does not vary gets the scale 1. Where
    columns are embedded, what takes their place gets their scales and means; numbers of categories stay as they are.

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
    mean, scale = _but_categories(mlp, mean, scale)
    target = None
    if scales_target(mlp):
        scaler = StandardScaler().fit(y[:, np.newaxis])
        y = scaler.transform(y[:, np.newaxis]).ravel()
        target = scaler.mean_, scaler.scale_
    mlp.fit((X - mean) / scale, y)
    fold(mlp, mean, scale, target)


def _but_categories(mlp: Any, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Return the same, but 0 and 1 for the columns that hold the numbers of categories."""
    check_parameters(mlp)
    given = np.asarray([] if mlp.categorical_features is None else mlp.categorical_features)
    numbers = np.flatnonzero(given) if given.dtype == bool else given
    categorical = np.isin(np.arange(len(mean)), numbers)  # a fit says what is wrong with others
    return np.where(categorical, 0.0, mean), np.where(categorical, 1.0, scale)


def scales_target(mlp: Any) -> bool:
    """Return whether the target is standardised: not that of losses which are not scaled with it."""
    return is_regressor(mlp) and losses.resolve(mlp.loss, losses.REGRESSOR).scales_with_target


def fold(mlp: Any, mean: Floats, scale: Floats, target: tuple[Floats, Floats] | None = None) -> None:
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
    if hasattr(mlp, "embedding_"):
        mean, scale = _fold_into_embedding(mlp.embedding_, mean, scale)
        of_inputs = of_inputs * mlp.embedding_.arrays.get("scales", 1.0)
    mlp.intercepts_[0] -= np.ravel((mean / scale * of_inputs) @ first * of_products)
    first /= scale[:, np.newaxis]
    if target is not None:
        mean, scale = target
        last *= scale
        mlp.intercepts_[-1] *= scale
        mlp.intercepts_[-1] += mean


def _fold_into_embedding(embedding: InputEmbedding, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Let the features of embedded numbers take raw ones; return mean and scale of each input of the first layer."""
    of_outputs = np.cumsum([0, *embedding.sizes])
    plain = np.concatenate([embedding.numeric, embedding.plain])  # these are inputs as well, each the first of its own
    at = of_outputs[: len(plain)]
    means, scales = np.zeros(of_outputs[-1]), np.ones(of_outputs[-1])
    means[at], scales[at] = mean[plain], scale[plain]
    if embedding.kind is not None:
        frequencies, phases = embedding.arrays["frequencies"], embedding.arrays["phases"]
        frequencies /= scale[embedding.numeric, np.newaxis]
        phases -= _factor(embedding.kind) * frequencies * mean[embedding.numeric, np.newaxis]
    return means, scales


def _factor(kind: str) -> float:
    """Return the number by which an embedding multiplies w*x before it adds b."""
    formula = registry.embeddings[kind].formula
    found = re.search(r"\((.*)w\*x \+ b\b", formula)
    assert found is not None
    factor: float = eval(f"{found[1]}1", {"pi": np.pi})  # a constant of the table
    return factor
