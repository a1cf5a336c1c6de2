"""Activations side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from pyrelu import registry
from pyrelu.plot._activation import NAMES, ActivationDisplay, Names, common_range, limits, named_displays
from pyrelu.plot._style import figure_and_axes, given_figure

if TYPE_CHECKING:
    from pyrelu.plot._style import AnyFigure

# How far a shared y goes below and above 0, as shares of the range of x: far enough for relu6, and tanh stays legible.
SHARED_REACH = 0.25, 0.6


class ActivationGridDisplay:
    """Activations side by side, each with its derivative, all to the same scale.

    To draw them in one axes, use `ActivationOverlayDisplay`.

    Parameters
    ----------
    displays : list of ActivationDisplay
        What to draw.

    Attributes
    ----------
    displays_ : list of ActivationDisplay
        The same, drawn.
    legend_ : Legend
        The solid line is f(x), the dashed one f'(x).
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

    def __init__(self, displays: Sequence[ActivationDisplay]) -> None:
        self.displays = displays

    @classmethod
    def from_names(
        cls,
        names: Names | None = None,
        *,
        columns: int | None = None,
        x_range: Sequence[float] | None = None,
        derivative: bool = True,
        share: bool = True,
        figure: AnyFigure | None = None,
    ) -> Self:
        """Draw activations of the table.

        Parameters
        ----------
        names : sequence of str, (str, dict) or (callable, callable), default=None
            As for `ActivationDisplay.from_name`; None: the whole table. A parameter that has no default, such as
            prelu's weight, is 0.25 if it is not given.
        columns : int, default=None
            Number of columns; None: up to four in one row, more in about a square.
        x_range : (float, float), default=None
            The smallest and the largest x. None means -4 to 4, extended to show all kinks.
        derivative : bool, default=True
            Whether to draw the derivatives too.
        share : bool, default=True
            Whether all panels have the same scale, which may cut off steep curves. False: each has its own.
        figure : Figure, default=None
            Where to draw; None: on a new figure.

        Returns
        -------
        ActivationGridDisplay

        Raises
        ------
        ValueError
            If a name is not known, or names is empty.
        MissingExtraError
            If matplotlib is not installed.
        """
        named = named_displays(list(registry.activations) if names is None else names, x_range)
        return cls([display for _, display in named]).plot(
            columns=columns, derivative=derivative, share=share, figure=figure
        )

    def plot(
        self,
        *,
        columns: int | None = None,
        derivative: bool = True,
        share: bool = True,
        figure: AnyFigure | None = None,
    ) -> Self:
        """Draw it; the parameters are those of `from_names`.

        Returns
        -------
        ActivationGridDisplay
            The object itself.
        """
        n = len(self.displays)
        columns = columns or (n if n <= 4 else int(np.ceil(np.sqrt(n))))
        rows = -(-n // columns)
        size = (2.1 * columns + 0.2, 1.85 * rows + 0.4)
        figure = figure_and_axes(figsize=size)[0] if figure is None else given_figure(figure)
        figure.clear()
        self.figure_, self.axes_ = figure, figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share)
        if share:
            common_range(self.displays)
        self.displays_ = [
            display.plot(ax=ax, derivative=derivative, labels=False, linewidth=1.4)
            for display, ax in zip(self.displays, self.axes_.flat, strict=False)
        ]
        if share:
            curves = [curve for d in self.displays for curve in (d.function, *([d.slope] if derivative else []))]
            low, high = limits(curves)
            below, above = np.multiply(SHARED_REACH, np.ptp(self.displays[0].function.ends))
            self.axes_[0, 0].set_ylim(max(low, -below), min(high, above))
        for ax in self.axes_.flat:
            ax.tick_params(labelsize=7)
        for ax in self.axes_.flat[n:]:
            ax.set_axis_off()
        for ax in self.axes_.flat[max(0, n - columns) : n]:
            ax.tick_params(labelbottom=True)  # the last in its column, also above an empty place
        first = self.displays_[0]
        lines = [line for line in (first.line_, first.derivative_line_) if line]
        self.legend_ = figure.legend(
            lines, NAMES[: len(lines)], loc="outside upper right", ncols=2, frameon=False, fontsize=9
        )
        return self
