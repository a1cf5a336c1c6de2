"""Loss curves."""

import numpy as np

from pyrelu.inspection._trace import activation_name
from pyrelu.plot._style import bare, figure_and_axes, line_style, log_scale, write_names


class LossCurveDisplay:
    """The training loss of one or several estimators, epoch by epoch.

    Parameters
    ----------
    curves : dict of str to sequence of float
        Name -> loss of each epoch.

    Attributes
    ----------
    lines_ : list of Line2D
    texts_ : list of Annotation
        The names beside the lines.
    ax_, figure_ : Axes, Figure

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
    >>> fits = {name: MLPClassifier(activation=name, **settings).fit(X / 16, y) for name in ("relu", "tanh")}
    >>> display = LossCurveDisplay.from_estimators(fits)
    >>> [text.get_text() for text in display.texts_]
    ['relu', 'tanh']
    """

    def __init__(self, curves):
        self.curves = curves

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, **keywords):
        """Draw the `loss_curve_` of a fitted estimator, of pyrelu or of scikit-learn.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted by a solver that goes by epochs.
        name : str, default=None
            What to write beside the line; None: its hidden activations.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            For `Axes.plot`.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            Where the estimator has no `loss_curve_`.
        MissingExtraError
            Where matplotlib is not installed.
        """
        return cls.from_estimators({name or activation_name(estimator): estimator}, ax=ax, **keywords)

    @classmethod
    def from_estimators(cls, estimators, *, ax=None, **keywords):
        """Draw the `loss_curve_` of several, under their names.

        Parameters
        ----------
        estimators : dict of str to estimator
            Name -> estimator, as for `from_estimator`.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            For `Axes.plot`, of all lines.

        Returns
        -------
        LossCurveDisplay
        """
        for name, estimator in estimators.items():
            if not hasattr(estimator, "loss_curve_"):
                raise ValueError(f"{name} ({estimator!r}) has no loss_curve_: fit it, with the solver sgd or adam")
        return cls({name: estimator.loss_curve_ for name, estimator in estimators.items()}).plot(ax=ax, **keywords)

    def plot(self, *, ax=None, **keywords):
        """Draw it.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            For `Axes.plot`, of all lines.

        Returns
        -------
        LossCurveDisplay
            The object itself.
        """
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(6.4, 4))
        self.lines_ = [
            ax.plot(np.arange(1, len(losses) + 1), losses, **line_style(i) | {"linewidth": 1.6} | keywords)[0]
            for i, losses in enumerate(self.curves.values())
        ]
        ax.set(xlabel="epoch", ylabel="training loss")
        ax.set_xlim(0, 1.01 * max(map(len, self.curves.values())))
        log_scale(ax)
        bare(ax)
        self.texts_ = write_names(ax, self.lines_, list(self.curves))
        return self
