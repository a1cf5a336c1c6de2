"""Gradients, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrelu._typing import Rows
from pyrelu.inspection import gradient_norms
from pyrelu.inspection._trace import FittedNetwork, activation_name
from pyrelu.plot._style import bare, figure_and_axes, labelled, line_style, log_scale, write_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class GradientNormDisplay:
    """The norm of the loss's gradient in each layer: it shows whether the gradient vanishes or explodes.

    Layers are numbered from 0, as in `coefs_`.

    Parameters
    ----------
    norms : dict of str to ndarray of shape (n_layers,)
        Name -> length of each layer's gradient, as `pyrelu.inspection.gradient_norms` returns them.

    Attributes
    ----------
    lines_ : list of Line2D
    texts_ : list of Annotation
        The names next to the lines.
    ax_, figure_ : Axes, Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.plot import GradientNormDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8, 8, 8), random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    >>> display = GradientNormDisplay.from_estimator(mlp, X, y)
    >>> display.lines_[0].get_xdata().tolist()
    [0, 1, 2, 3]
    """

    def __init__(self, norms: Mapping[str, NDArray[np.float64]]) -> None:
        self.norms = norms

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedNetwork,
        X: Rows,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw the gradient norms of a fitted estimator, of pyrelu or of scikit-learn.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows to evaluate.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        name : str, default=None
            The name next to the line; None: the hidden activations.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            Passed to `Axes.plot`.

        Returns
        -------
        GradientNormDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        MissingExtraError
            If matplotlib is not installed.
        """
        return cls.from_estimators({name or activation_name(estimator): estimator}, X, y, ax=ax, **keywords)

    @classmethod
    def from_estimators(
        cls,
        estimators: dict[str, FittedNetwork] | Iterable[FittedNetwork],
        X: Rows,
        y: ArrayLike,
        *,
        ax: Axes | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw the gradient norms of several estimators.

        Parameters
        ----------
        estimators : dict of str to estimator, or sequence of estimator
            As for `from_estimator`. The keys of a dict are the names next to the lines; the names for a sequence are the
            parameters in which the estimators differ.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows to evaluate.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            Passed to `Axes.plot` for all lines.

        Returns
        -------
        GradientNormDisplay
        """
        norms = {name: gradient_norms(estimator, X, y) for name, estimator in labelled(estimators).items()}
        return cls(norms).plot(ax=ax, **keywords)

    def plot(self, *, ax: Axes | None = None, **keywords: Any) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            Passed to `Axes.plot` for all lines.

        Returns
        -------
        GradientNormDisplay
            The object itself.
        """
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(6.4, 4))
        look = {"marker": "o", "markersize": 4, "linewidth": 1.6}
        self.lines_ = [
            ax.plot(np.arange(len(norms)), norms, **line_style(i) | look | keywords)[0]
            for i, norms in enumerate(self.norms.values())
        ]
        n_layers = max(map(len, self.norms.values()))
        ax.set(xlabel="layer, the output layer last", ylabel="norm of the loss's gradient")
        ax.set_xticks(np.arange(n_layers))
        ax.set_xlim(-0.16 * n_layers, n_layers - 0.8)  # room for the names where the gradient arrives last
        log_scale(ax)
        bare(ax)
        self.texts_ = write_names(ax, self.lines_, list(self.norms), side="left")
        return self
