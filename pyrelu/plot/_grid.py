"""Activations side by side."""

import numpy as np

from pyrelu import registry
from pyrelu.plot._activation import NAMES, ActivationDisplay
from pyrelu.plot._style import figure_and_axes

WITHOUT_DEFAULT = 0.25  # what a parameter without a default gets: where torch.nn.PReLU's slope starts


class ActivationGridDisplay:
    """Activations side by side, each with its derivative.

    Parameters
    ----------
    displays : list of ActivationDisplay
        What to draw.

    Attributes
    ----------
    displays_ : list of ActivationDisplay
        The same, drawn.
    legend_ : Legend
        Which line is which.
    axes_ : ndarray of Axes
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from pyrelu.plot import ActivationGridDisplay
    >>> grid = ActivationGridDisplay.from_names(["relu", "elu", "gelu"])
    >>> [display.name for display in grid.displays_]
    ['relu', 'elu', 'gelu']
    """

    def __init__(self, displays):
        self.displays = displays

    @classmethod
    def from_names(cls, names=None, *, columns=None, x_range=None, derivative=True, figure=None):
        """Draw activations of the table.

        Parameters
        ----------
        names : sequence of such names, default=None
            As for `ActivationDisplay.from_name`; None: the whole table. A parameter that has no default, such as
            prelu's weight, is 0.25 where it is not given.
        columns : int, default=None
            How many stand side by side; None: about as many as stand below each other.
        x_range : (float, float), default=None
            From where to where; None: each as `ActivationDisplay.from_name` does it.
        derivative : bool, default=True
            Whether to draw the derivatives too.
        figure : Figure, default=None
            Where to draw; None: on a new figure.

        Returns
        -------
        ActivationGridDisplay

        Raises
        ------
        ValueError
            Where a name is not known, or there is none.
        MissingExtraError
            Where matplotlib is not installed.
        """
        names = list(registry.activations if names is None else names)
        if not names:
            raise ValueError("names=[] names no activation")
        displays = [ActivationDisplay._of(_complete(name), x_range) for name in names]
        return cls(displays).plot(columns=columns, derivative=derivative, figure=figure)

    def plot(self, *, columns=None, derivative=True, figure=None):
        """Draw it; the parameters are those of `from_names`.

        Returns
        -------
        ActivationGridDisplay
            The object itself.
        """
        n = len(self.displays)
        columns = columns or int(np.ceil(np.sqrt(n)))
        rows = -(-n // columns)
        if figure is None:
            figure, self.axes_ = figure_and_axes(
                nrows=rows, ncols=columns, squeeze=False, figsize=(2.1 * columns, 1.85 * rows + 0.3)
            )
        else:
            self.axes_ = figure.subplots(rows, columns, squeeze=False)
        self.figure_ = figure
        self.displays_ = [
            display.plot(ax=ax, derivative=derivative, labels=False, linewidth=1.4)
            for display, ax in zip(self.displays, self.axes_.flat, strict=False)
        ]
        for ax in self.axes_.flat:
            ax.tick_params(labelsize=7)
        for ax in self.axes_.flat[n:]:
            ax.set_axis_off()
        first = self.displays_[0]
        lines = [line for line in (first.line_, first.derivative_line_) if line]
        self.legend_ = figure.legend(
            lines, NAMES[: len(lines)], loc="outside upper right", ncols=2, frameon=False, fontsize=9
        )
        return self


def _complete(name):
    """Give parameters without a default a value."""
    if not isinstance(name, str) or name not in registry.names():
        return name
    parameters = registry.find(name).parameters
    return name, {parameter: WITHOUT_DEFAULT for parameter, default in parameters.items() if default is None}
