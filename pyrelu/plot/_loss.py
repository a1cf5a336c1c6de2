"""Loss curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pyrelu.inspection._trace import activation_name
from pyrelu.plot._style import bare, figure_and_axes, labelled, line_style, log_scale, new_axes, write_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """The training loss of one or several estimators by epoch, and the validation scores of early stopping below it.

    Parameters
    ----------
    curves : dict of str to sequence of float
        Name -> loss of each epoch.
    validation : dict of str to sequence of float, default=None
        Name -> validation score of each epoch; names without one are left out.

    Attributes
    ----------
    lines_ : list of Line2D
        The losses.
    validation_lines_ : list of Line2D
        The validation scores, with a dot at each best one.
    texts_ : list of Annotation
        The names next to the lines.
    ax_, validation_ax_ : Axes
        Of the losses and of the validation scores; the second is None if no score is drawn.
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.plot import LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> settings = dict(random_state=0, max_iter=500)
    >>> fits = [MLPClassifier(activation=name, **settings).fit(X / 16, y) for name in ("relu", "tanh")]
    >>> display = LossCurveDisplay.from_estimators(fits)
    >>> [text.get_text() for text in display.texts_]
    ['relu', 'tanh']
    """

    def __init__(
        self, curves: Mapping[str, Sequence[float]], validation: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        self.curves = curves
        self.validation = validation or {}

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        validation_ax: Axes | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw the `loss_curve_` of a fitted estimator, of pyrelu or of scikit-learn.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted with the solver "sgd", "adam" or "adamw".
        name : str, default=None
            The name next to the line; None: the hidden activations.
        ax : Axes, default=None
            Where to draw the loss; None: on a new figure.
        validation_ax : Axes, default=None
            Where to draw the validation scores of a fit with `early_stopping`; None: below the loss on a new figure,
            nowhere if `ax` is given.
        **keywords
            Passed to `Axes.plot`.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            If the estimator has no `loss_curve_`.
        MissingExtraError
            If matplotlib is not installed.
        """
        named = {name or activation_name(estimator): estimator}
        return cls.from_estimators(named, ax=ax, validation_ax=validation_ax, **keywords)

    @classmethod
    def from_estimators(
        cls,
        estimators: dict[str, Any] | Iterable[Any],
        *,
        ax: Axes | None = None,
        validation_ax: Axes | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw the `loss_curve_` of several estimators.

        Parameters
        ----------
        estimators : dict of str to estimator, or sequence of estimator
            As for `from_estimator`. The keys of a dict are the names next to the lines; the names for a sequence are the
            parameters in which the estimators differ.
        ax, validation_ax : Axes, default=None
            As for `from_estimator`.
        **keywords
            Passed to `Axes.plot` for all lines.

        Returns
        -------
        LossCurveDisplay
        """
        estimators = labelled(estimators)
        if not estimators:
            raise ValueError(f"estimators={estimators!r} holds no estimator")
        for name, estimator in estimators.items():
            if not hasattr(estimator, "loss_curve_"):
                raise ValueError(f"{name} ({estimator!r}) has no loss_curve_: fit it, with the solver sgd or adam")
        curves = {name: estimator.loss_curve_ for name, estimator in estimators.items()}
        validation = {
            name: scores
            for name, estimator in estimators.items()
            if (scores := getattr(estimator, "validation_scores_", None))
        }
        return cls(curves, validation).plot(ax=ax, validation_ax=validation_ax, **keywords)

    def plot(self, *, ax: Axes | None = None, validation_ax: Axes | None = None, **keywords: Any) -> Self:
        """Draw it.

        Parameters
        ----------
        ax, validation_ax : Axes, default=None
            As for `from_estimator`.
        **keywords
            Passed to `Axes.plot` for all lines.

        Returns
        -------
        LossCurveDisplay
            The object itself.
        """
        if ax is None and validation_ax is None and self.validation:
            _, (ax, validation_ax) = new_axes(nrows=2, sharex=True, figsize=(6.4, 5.6), height_ratios=[3, 2])
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(6.4, 4))
        if validation_ax is not None:
            figure_and_axes(validation_ax)  # checks its type
        self.validation_ax_ = validation_ax if self.validation else None
        styles = {name: line_style(i) | {"linewidth": 1.6} | keywords for i, name in enumerate(self.curves)}
        self.lines_ = _draw(ax, self.curves, styles)
        ax.set(xlabel="epoch", ylabel="training loss")
        last = max(map(len, self.curves.values()))
        ax.set_xlim(0, max(1.01 * last, 2))
        log_scale(ax)
        bare(ax)
        self.validation_lines_ = []
        if validation_ax is not None and self.validation_ax_:
            ax.set_xlabel("" if ax.get_shared_x_axes().joined(ax, validation_ax) else "epoch")
            self.validation_lines_ = _draw(validation_ax, self.validation, styles)
            for line in self.validation_lines_:
                scores = np.asarray(line.get_ydata())
                best = int(np.argmax(scores))
                validation_ax.plot(best + 1, scores[best], "o", color=line.get_color(), label="_")
            validation_ax.set(xlabel="epoch", ylabel="validation score (dot: best)", xlim=ax.get_xlim())
            bare(validation_ax)
        self.texts_ = write_names(ax, self.lines_, list(self.curves))
        return self


def _draw(ax: Axes, curves: Mapping[str, Sequence[float]], styles: Mapping[str, dict[str, Any]]) -> list[Line2D]:
    return [
        ax.plot(np.arange(1, len(values) + 1), values, label=name, **styles[name])[0] for name, values in curves.items()
    ]
