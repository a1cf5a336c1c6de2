"""Temperatures: the exponent that makes probabilities of held-out rows right on average."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from pyrelu._typing import Floats

TINY = np.finfo(np.float32).tiny  # in place of probabilities of 0, of which there is no logarithm
RANGE = 0.05, 20.0  # temperatures beyond these say that there are too few rows


def apply(probabilities: Floats, temperature: float, each_label: bool) -> NDArray[np.float64]:
    """Return the probabilities of the same outputs before their activation, divided by the temperature, in float64.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    temperature : float
    each_label : bool
        Whether each column is the probability of one label, rather than all columns those of the classes.
    """
    if temperature == 1:
        p = probabilities.astype(float)
        return p if each_label else _shares(p)
    logs = np.log(np.maximum(probabilities, TINY, dtype=float)) / temperature
    if each_label:
        others = np.log(np.maximum(1 - probabilities, TINY, dtype=float)) / temperature
        return 1 / (1 + np.exp(others - logs))
    return _shares(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _shares(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row as shares of its sum."""
    shares: NDArray[np.float64] = p / p.sum(axis=1, keepdims=True)
    return shares


def undo_smoothing(probabilities: Floats, smoothing: float, each_label: bool) -> NDArray[np.float64]:
    """Return the probabilities for which training with label smoothing gives these.

    Smoothing makes p into ``(1 - smoothing) p + smoothing / n_classes``. What would be below a thousandth of the smoothing
    is taken for that: a probability of 0 is not known.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    smoothing : float
    each_label : bool
        As `apply` takes it.
    """
    least = 1e-3 * smoothing
    n_classes = 2 if each_label else probabilities.shape[1]
    p = np.clip((probabilities.astype(float) - smoothing / n_classes) / (1 - smoothing), least, 1 - least)
    return p if each_label else _shares(p)


def fit_temperature(probabilities: Floats, targets: NDArray[Any], weights: Floats | None, each_label: bool) -> float:
    """Return the temperature with the least log-loss (Guo et al., On calibration of modern neural networks, ICML 2017).

    The targets are smoothed by as much as one row in all, as Platt does it (Probabilistic outputs for support vector
    machines, 1999).

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Of rows that the network was not trained on.
    targets : ndarray of shape (n_samples, 1) or (n_samples, n_classes)
        The number of the class, or 0 and 1 for each label.
    weights : ndarray of shape (n_samples,) or None
    each_label : bool
        As `apply` takes it.
    """
    shares = smoothed(probabilities, targets, len(probabilities), each_label)

    def log_loss(temperature: float) -> float:
        return np.average(losses(probabilities, shares, temperature, each_label), weights=weights)

    return best_temperature(log_loss)


def smoothed(probabilities: Floats, targets: NDArray[Any], n_rows: int, each_label: bool) -> Floats:
    """Return the targets as probabilities, smoothed by as much as one of so many rows."""
    n_classes = 2 if each_label else probabilities.shape[1]
    smoothing = 1 / (n_rows + 2)
    wrong = smoothing / n_classes  # Platt's: a few rows without an error do not make probabilities of 0 and 1
    if each_label:
        labels: Floats = np.stack([targets > 0, targets <= 0]) * (1 - smoothing) + wrong
        return labels
    shares = np.full(probabilities.shape, wrong)
    np.put_along_axis(shares, targets.astype(np.intp), 1 - smoothing + wrong, axis=1)
    return shares


def losses(probabilities: Floats, shares: Floats, temperature: float, each_label: bool) -> NDArray[np.float64]:
    """Return the log-loss of each row at a temperature."""
    p = apply(probabilities, temperature, each_label)
    p = np.maximum(np.stack([p, 1 - p]) if each_label else p, TINY)
    of_rows: NDArray[np.float64] = -(shares * np.log(p)).sum(axis=(0, 2) if each_label else 1)
    return of_rows


def best_temperature(log_loss: Callable[[float], float]) -> float:
    """Return the temperature at which a function of it is least."""
    found = minimize_scalar(
        lambda log_temperature: log_loss(np.exp(log_temperature)),
        bounds=np.log(RANGE),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(found.x)) if found.fun < log_loss(1.0) else 1.0
