"""Several activations in one axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pyrelu.plot._activation import (
    NAMES,
    ActivationDisplay,
    Curve,
    Names,
    common_range,
    limits,
    named_displays,
    widths,
)
from pyrelu.plot._style import bare, given_figure, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

    from pyrelu.plot._style import AnyFigure


class ActivationOverlayDisplay:
    """Several activations in one plot, and their derivatives in another one next to it or below it.

    Each activation has one colour in both, from a palette that is safe for any kind of colour vision.

    Parameters
    ----------
    displays : dict of str to ActivationDisplay
        Name in the legend -> curves.

    Attributes
    ----------
    lines_, derivative_lines_ : list of Line2D
        The curves; the second is empty if only the activations are drawn.
    legend_ : Legend
    ax_, derivative_ax_ : Axes
        Of the activations and of their derivatives; the second is None if only the activations are drawn.
    figure_ : Figure

    See Also
    --------
    ActivationGridDisplay : One axes for each activation.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from pyrelu.plot import ActivationOverlayDisplay
    >>> overlay = ActivationOverlayDisplay.from_names(["relu", "elu", ("leaky_relu", {"negative_slope": 0.2})])
    >>> [text.get_text() for text in overlay.legend_.get_texts()]
    ['relu', 'elu', 'leaky_relu(negative_slope=0.2)']
    """

    def __init__(self, displays: Mapping[str, ActivationDisplay]) -> None:
        self.displays = displays

    @classmethod
    def from_names(
        cls,
        names: Names,
        *,
        x_range: Sequence[float] | None = None,
        derivative: bool = True,
        below: bool = False,
        figure: AnyFigure | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw activations of the table.

        Parameters
        ----------
        names : sequence of str, (str, dict) or (callable, callable); or dict
            As for `ActivationDisplay.from_name`. A dict maps the names in the legend to them.
        x_range : (float, float), default=None
            The smallest and the largest x. None means -4 to 4, extended to show all kinks.
        derivative : bool, default=True
            Whether to draw the derivatives too.
        below : bool, default=False
            Whether the derivatives are below the activations; False: to their right.
        figure : Figure, default=None
            Where to draw; None: on a new figure.
        **keywords
            Passed to `Axes.plot` for all lines.

        Returns
        -------
        ActivationOverlayDisplay

        Raises
        ------
        ValueError
            If a name is not known, or names is empty.
        MissingExtraError
            If matplotlib is not installed.
        """
        displays = {label or display._description: display for label, display in named_displays(names, x_range)}
        return cls(displays).plot(derivative=derivative, below=below, figure=figure, **keywords)

    def plot(
        self, *, derivative: bool = True, below: bool = False, figure: AnyFigure | None = None, **keywords: Any
    ) -> Self:
        """Draw it; the parameters are those of `from_names`.

        Returns
        -------
        ActivationOverlayDisplay
            The object itself.
        """
        displays = list(self.displays.values())
        common_range(displays)
        rows, columns = (1 + bool(derivative), 1) if below else (1, 1 + bool(derivative))
        new = None
        if figure is None:
            figure = new = new_axes(figsize=(0.4 + 4 * columns, 0.2 + 3.2 * rows))[0]
        else:
            figure = given_figure(figure)
        figure.clear()
        self.figure_ = figure
        self.ax_, *others = figure.subplots(rows, columns, squeeze=False, sharex=True).flat
        self.derivative_ax_ = others[0] if others else None
        self.lines_ = self._draw(self.ax_, NAMES[0], [d.function for d in displays], keywords)
        self.derivative_lines_ = []
        if self.derivative_ax_:
            self.derivative_lines_ = self._draw(self.derivative_ax_, NAMES[1], [d.slope for d in displays], keywords)
            self.ax_.tick_params(labelbottom=True)
        self.legend_ = self._legend(max(1, 3 * columns - 1))
        if new is not None:
            new.set_figheight(new.get_figheight() + self.legend_.get_window_extent().height / new.dpi)
        return self

    def _legend(self, most_columns: int) -> Legend:
        """Draw the legend in as many columns as the figure has room for."""
        columns = most_columns
        while True:
            legend = self.figure_.legend(
                handles=self.lines_, loc="outside upper left", ncols=columns, frameon=False, fontsize=9
            )
            if columns == 1 or legend.get_window_extent().width <= 0.95 * self.figure_.bbox.width:  # the rest: margins
                return legend
            legend.remove()
            columns -= 1

    def _draw(self, ax: Axes, title: str, curves: Sequence[Curve], keywords: dict[str, Any]) -> list[Line2D]:
        ax.axhline(0, color="0.85", linewidth=0.8, zorder=0, label="_")
        ax.axvline(0, color="0.85", linewidth=0.8, zorder=0, label="_")
        lines = [
            curve.draw(ax, label=label, **line_style(i) | {"linewidth": width} | keywords)[0]
            for i, (label, curve, width) in enumerate(zip(self.displays, curves, widths(len(curves)), strict=True))
        ]
        ax.set(xlim=curves[0].ends, ylim=limits(curves), xlabel="x")
        ax.set_title(title, loc="left", fontsize=10)
        bare(ax)
        return lines
