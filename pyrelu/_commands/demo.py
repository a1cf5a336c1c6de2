"""The main job: one network per activation on the digits data set, side by side."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._commands.options import check_output
from pyrelu._commands.progress import bar
from pyrelu._text import aligned, show

if TYPE_CHECKING:
    import argparse

    from matplotlib.figure import Figure

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid")
# A BLAS may use all cores for products this small, and be slower for it: the second time is without that.
_TIMES_OF_SCIKIT_LEARN = {"scikit-learn": None, "scikit-learn, one thread": 1}
_SCIKIT_LEARN_NAMES = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def command(options: argparse.Namespace) -> int:
    """Run `pyrelu demo`."""
    from pyrelu.plot._style import new_figure, picture_format, save

    check_output(options.output)
    figure = new_figure(figsize=(7, 4.5))  # fails now rather than after training
    picture_format(figure, options.output)
    rows, curves = run(epochs=options.epochs, seed=options.seed)
    show(rows, options.json, table)
    draw(curves, figure)
    save(figure, options.output)
    print(f"Loss curves: {options.output}", file=sys.stderr)
    return 0


def run(epochs: int, seed: int) -> tuple[list[dict[str, Any]], dict[str, list[float]]]:
    """Train on digits with each of ACTIVATIONS.

    Parameters
    ----------
    epochs : int
        Epochs of each fit.
    seed : int
        Seed of the split and of the weights.

    Returns
    -------
    rows : list of dict
        activation, test accuracy, epochs, seconds, scikit-learn's seconds with its default number of BLAS threads and
        with one (None if it lacks the activation), and share of dead hidden units.
    curves : dict
        activation -> loss per epoch.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier as Reference
    from threadpoolctl import threadpool_limits

    from pyrelu.neural_network import MLPClassifier

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        (X / 16).astype(np.float32), y, test_size=0.25, random_state=seed, stratify=y
    )
    settings: dict[str, Any] = dict(
        hidden_layer_sizes=(100,), max_iter=epochs, n_iter_no_change=epochs, random_state=seed
    )
    rows, curves = [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed number of epochs is meant to end before convergence
        MLPClassifier(**settings | {"max_iter": 1}).fit(X_train, y_train)  # excludes lazy loading from the times
        for activation in bar(ACTIVATIONS, "fits"):
            model, seconds = _timed_fit(MLPClassifier(activation=activation, **settings), X_train, y_train)
            reference_seconds = dict.fromkeys(_TIMES_OF_SCIKIT_LEARN)
            if activation in _SCIKIT_LEARN_NAMES:
                reference = Reference(activation=_SCIKIT_LEARN_NAMES[activation], **settings)
                for name, n_threads in _TIMES_OF_SCIKIT_LEARN.items():
                    with threadpool_limits(n_threads, user_api="blas"):
                        reference_seconds[name] = round(_timed_fit(reference, X_train, y_train)[1], 3)
            rows.append(
                {
                    "activation": activation,
                    "test accuracy": round(model.score(X_test, y_test), 4),
                    "epochs": model.n_iter_,
                    "seconds": round(seconds, 3),
                    **reference_seconds,
                    "dead units": round(float(np.mean(np.concatenate(model.dead_units_))), 4),
                }
            )
            curves[activation] = list(model.loss_curve_)
    return rows, curves


def _timed_fit(model: Any, X: NDArray[Any], y: NDArray[Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    model.fit(X, y)
    return model, time.perf_counter() - start


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as text."""
    names = list(rows[0])
    headings = [name.removeprefix("scikit-learn, ") for name in names]
    return (
        aligned([headings, *([_cell(name, row[name]) for name in names] for row in rows)])
        + "\n\nscikit-learn, one thread: seconds that its MLPClassifier takes with the default number of BLAS threads, "
        "and with one"
    )


def _cell(heading: str, value: object) -> str:
    if value is None:
        return "-"
    if heading in ("test accuracy", "dead units"):
        return f"{value:.1%}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def draw(curves: Mapping[str, Sequence[float]], figure: Figure) -> None:
    """Draw the loss curves."""
    from pyrelu.plot import LossCurveDisplay

    display = LossCurveDisplay(curves).plot(ax=figure.subplots())
    display.ax_.set_title("Digits, 64-100-10, adam: loss by activation", loc="left")
