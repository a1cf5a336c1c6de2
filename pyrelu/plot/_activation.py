"""Activations with their derivatives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pyrelu._mlp.activation import Given, One
from pyrelu.inspection._trace import described, elementwise
from pyrelu.plot._style import COLORS, bare, figure_and_axes, line_style, write_names
from pyrelu.registry import activations, find
from pyrelu.registry import names as names_of_activations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

NAMES = ["f(x)", "f'(x)"]
WITHOUT_DEFAULT = 0.25  # for parameters without a default: the initial slope of torch.nn.PReLU
POINTS = 201  # of each smooth piece
WIDTH = 1.8
DERIVATIVE: dict[str, Any] = {"linestyle": "--"}  # wherever it shares axes with its function

Names = Sequence[One] | dict[str, Given]  # of activations, or labels -> activations

_LONG_NUMBER = re.compile(r"(\d+\.\d{4})\d+")


def checked_range(x_range: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a range of x; raise ValueError if it cannot be drawn."""
    try:
        low, high = map(float, x_range)
    except (TypeError, ValueError):
        low = high = np.nan
    if not low < high or not high - low < 1e300:  # matplotlib extends an axis beyond its range
        raise ValueError(f"x_range={x_range!r} must be two numbers, the smaller one first, less than 1e300 apart")
    return low, high


@dataclass(frozen=True)
class Curve:
    """A function, evaluated piece by piece between its kinks.

    Attributes
    ----------
    x, y : ndarray of shape (n_points,)
        The points, with NaN between two pieces where the function jumps.
    jumps : list of (x, value there, limits from the left and the right)
    f : callable
        The function.
    kinks : list of float
        All of its kinks, including those outside of x.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    jumps: list[tuple[float, float, float, float]]
    f: Callable[[Any], Any] | None = None
    kinks: tuple[float, ...] = ()

    @classmethod
    def of(cls, f: Callable[[Any], Any], low: float, high: float, kinks: Sequence[float]) -> Self:
        """Evaluate f from low to high."""
        inner = [kink for kink in kinks if low < kink < high]
        xs: list[Any] = []
        ys: list[Any] = []
        jumps = []
        for a, b in pairwise([low, *inner, high]):
            # Not at the kink itself, but at the nearest number.
            x = np.linspace(a if a == low else np.nextafter(a, b), b if b == high else np.nextafter(b, a), POINTS)
            y = f(x)
            if ys and abs(y[0] - ys[-1][-1]) > 1e-9:
                jumps.append((a, float(f(a)), float(ys[-1][-1]), float(y[0])))
                xs.append([np.nan])
                ys.append([np.nan])
            xs.append(x)
            ys.append(y)
        return cls(np.concatenate(xs), np.concatenate(ys), jumps, f, tuple(kinks))

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest x."""
        return self.x[0], self.x[-1]

    def over(self, low: float, high: float) -> Curve:
        """Return the same function from low to high."""
        return self if self.f is None or self.ends == (low, high) else Curve.of(self.f, low, high, self.kinks)

    def draw(self, ax: Axes, **look: Any) -> tuple[Line2D, list[Line2D]]:
        """Draw the curve; return its line and its dots."""
        style: dict[str, Any] = {"linewidth": WIDTH, "solid_joinstyle": "miter", "solid_capstyle": "butt"}
        (line,) = ax.plot(self.x, self.y, **style | look)
        return line, self.draw_dots(line)

    def draw_dots(self, line: Line2D) -> list[Line2D]:
        """Draw a full dot for the value at each jump and rings for the limits that it does not take."""
        dots: list[Line2D] = []
        axes: Any = line.axes
        for x, value, *limits in self.jumps:
            rings = [limit for limit in limits if abs(limit - value) > 1e-9]
            for y, face in [(value, line.get_color()), *((ring, "white") for ring in rings)]:
                size = 3.5 * line.get_linewidth() ** 0.5
                dots += axes.plot(
                    x, y, "o", color=line.get_color(), markerfacecolor=face, markersize=size, label="_", zorder=3
                )
        return dots


class ActivationDisplay:
    """One activation and its derivative as curves.

    The function is a solid line, its derivative a dashed one. Kinks are drawn sharp. At a jump, a full dot marks
    the value, and a ring the other limit.

    Drawn onto axes that hold another activation, the curve takes the next colour and a legend names them all. To draw
    several in one call, use `ActivationOverlayDisplay`.

    Parameters
    ----------
    name : str
    parameters : dict of str to float
    function, slope : Curve
        The activation and its derivative.
    formula : str
        The definition.

    Attributes
    ----------
    line_, derivative_line_ : Line2D
        The curves; the second is None if only the activation is drawn.
    dots_ : list of Line2D
        Full dots and rings at jumps.
    text_ : Annotation
        Formula and parameters; empty once the axes hold several activations.
    legend_ : Legend or None
        The names of several activations.
    ax_, figure_ : Axes, Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from pyrelu.plot import ActivationDisplay
    >>> display = ActivationDisplay.from_name("gelu")
    >>> display.ax_.get_title(loc="left")
    'gelu'
    >>> leaky = ("leaky_relu", {"negative_slope": 0.2})
    >>> display = ActivationDisplay.from_name(leaky, ax=display.ax_, label="leaky")
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['gelu', 'leaky', 'derivative']
    """

    def __init__(self, name: str, parameters: Mapping[str, float], function: Curve, slope: Curve, formula: str) -> None:
        self.name = name
        self.parameters = parameters
        self.function = function
        self.slope = slope
        self.formula = formula

    @classmethod
    def from_name(
        cls,
        name: Given,
        *,
        x_range: Sequence[float] | None = None,
        derivative: bool = True,
        label: str | None = None,
        ax: Axes | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw an activation of the table.

        Parameters
        ----------
        name : str, (str, dict) or (callable, callable)
            A name or alias in `pyrelu.activations`; with its parameters, as in
            ``("leaky_relu", {"negative_slope": 0.2})``; or any function and its derivative.
        x_range : (float, float), default=None
            The smallest and the largest x. None means -4 to 4, extended to show all kinks and to fill the axes.
        derivative : bool, default=True
            Whether to draw the derivative too.
        label : str, default=None
            The name in the legend; None: the activation's, with its parameters.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            Passed to `Axes.plot` for both lines.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            If the name is not known or not elementwise, or a parameter lacks a value.
        MissingExtraError
            If matplotlib is not installed.
        """
        return cls._of(name, x_range).plot(ax=ax, derivative=derivative, label=label, **keywords)

    @classmethod
    def _of(cls, name: Given, x_range: Sequence[float] | None = None) -> Self:
        activation, slopes = elementwise(name)
        row = activations.get(activation.name)
        kinks = row.kinks_at(*activation.parameters.values()) if row else []
        widest = min([-4.0, *(kink - 1 for kink in kinks)]), max([4.0, *(kink + 1 for kink in kinks)])
        low, high = widest if x_range is None else checked_range(x_range)
        function, slope = (Curve.of(f, low, high, kinks) for f in (activation.forward, slopes))
        formula = _LONG_NUMBER.sub(r"\1...", row.formula) if row else ""
        display = cls(activation.name, activation.parameters, function, slope, formula)
        display._extensible = x_range is None
        return display

    _extensible = False

    @property
    def _description(self) -> str:
        """The name, with the parameters that are not at their defaults."""
        defaults = activations[self.name].parameters if self.name in activations else {}
        given = {name: value for name, value in self.parameters.items() if value != defaults.get(name)}
        return described(self.name, given)

    def plot(
        self,
        *,
        ax: Axes | None = None,
        derivative: bool = True,
        labels: bool = True,
        label: str | None = None,
        **keywords: Any,
    ) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        derivative : bool, default=True
            Whether to draw the derivative too.
        labels : bool, default=True
            Whether to write the formula, and names next to the lines.
        label : str, default=None
            The name in the legend; None: the activation's, with its parameters.
        **keywords
            Passed to `Axes.plot` for both lines.

        Returns
        -------
        ActivationDisplay
            The object itself.
        """
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(5.2, 3.6))
        together = [display for display in getattr(ax, "_pyrelu_activations", []) if display.line_.axes is ax]
        vars(ax)["_pyrelu_activations"] = [*together, self]
        name = label or self._description
        look = line_style(len(together)) | keywords
        slope_look = (look if together else {"color": COLORS[1]}) | DERIVATIVE | keywords
        self.line_, dots = self.function.draw(ax, label=name, **look)
        self.derivative_line_, self.dots_ = None, dots
        if derivative:
            self.derivative_line_, dots = self.slope.draw(ax, label=f"derivative of {name}", **slope_look)
            self.dots_ += dots
        self.legend_: Legend | None = None
        self._given = set(keywords)
        if together:
            _share(ax, [*together, self])
        else:
            self._alone(ax, labels, label)
        return self

    def _alone(self, ax: Axes, labels: bool, label: str | None) -> None:
        from matplotlib.ticker import MaxNLocator

        ax.axhline(0, color="0.85", linewidth=0.8, zorder=0, label="_")
        ax.axvline(0, color="0.85", linewidth=0.8, zorder=0, label="_")
        ax.set(xlim=self.function.ends, ylim=limits([self.function, *([self.slope] if self.derivative_line_ else [])]))
        bare(ax)
        ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 10]))
        ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.set_title(self.name, loc="left", fontsize=11 if labels else 9, pad=16 if labels else 12)
        given = ", ".join(f"{name}={value:.3g}" for name, value in self.parameters.items())
        text = "   ".join(filter(None, [self.formula, given])) if labels else given
        self.text_ = ax.annotate(
            text,
            (0, 1),
            (0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8 if labels else 6.5,
            color="0.4",
        )
        self._names = []
        if labels:
            ax.set_xlabel("x")
            lines = [line for line in (self.line_, self.derivative_line_) if line]
            self._names = write_names(ax, lines, [label or NAMES[0], NAMES[1]][: len(lines)])


def named_displays(names: Names, x_range: Sequence[float] | None) -> list[tuple[str | None, ActivationDisplay]]:
    """Return (label, ActivationDisplay) for each activation; the label is None unless `names` is a dict of label to name.

    Raises
    ------
    ValueError
        If a name is not known, `names` is a single name, or it is empty.
    """
    if isinstance(names, str):
        raise ValueError(f"names={names!r} must be a sequence of activations, such as [{names!r}]")
    pairs: list[tuple[str | None, Given]] = [(None, name) for name in names]
    if isinstance(names, dict):
        pairs = list(names.items())
    if not pairs:
        raise ValueError(f"names={names!r} names no activation")
    return [(label, ActivationDisplay._of(_complete(name), x_range)) for label, name in pairs]


def _complete(name: Given) -> Given:
    """Give parameters without a default a value."""
    if not isinstance(name, str) or name not in names_of_activations():
        return name
    parameters = find(name).parameters
    return name, {parameter: WITHOUT_DEFAULT for parameter, default in parameters.items() if default is None}


def _share(ax: Axes, displays: Sequence[ActivationDisplay]) -> None:
    """Turn axes of one activation into those of several: one range, one legend, limits that hold all."""
    first, *_, last = displays
    if first._names or first.text_.get_text():
        for name in first._names:
            name.remove()
        first._names = []
        first.text_.set_text("")
        if ax.get_title(loc="left") == first.name:
            ax.set_title("", loc="left")
        if first.derivative_line_ and not first._given & {"color", "c"}:
            first.derivative_line_.set_color(first.line_.get_color())
    last.text_, last._names = first.text_, []
    low, high = common_range(displays)
    curves = []
    for display, width in zip(displays, widths(len(displays)), strict=True):
        if not display._given & {"linewidth", "lw"}:
            display.line_.set_linewidth(width)
        drawn = [(display.function, display.line_)]
        drawn += [(display.slope, display.derivative_line_)] if display.derivative_line_ else []
        for dot in display.dots_:
            dot.remove()
        display.dots_ = []
        for curve, line in drawn:
            line.set_data(curve.x, curve.y)
            display.dots_ += curve.draw_dots(line)
            curves.append(curve)
    ax.set(xlim=(low, high), ylim=limits(curves))
    handles = [display.line_ for display in displays]
    if any(display.derivative_line_ for display in displays):
        from matplotlib.lines import Line2D

        handles.append(Line2D([], [], color="0.4", label="derivative", **DERIVATIVE))
    legend = ax.legend(handles=handles, frameon=False, fontsize=9)
    for display in displays:
        display.legend_ = legend


def common_range(displays: Sequence[ActivationDisplay]) -> tuple[float, float]:
    """Extend all whose range was not given to the same range of x, and return it."""
    starts, stops = zip(*(display.function.ends for display in displays))
    low, high = min(starts), max(stops)
    for display in displays:
        if display._extensible:
            display.function, display.slope = (curve.over(low, high) for curve in (display.function, display.slope))
    return low, high


def widths(n: int) -> NDArray[np.float64]:
    """Return widths for n lines, the first drawn the widest, so that those which coincide are all seen."""
    return np.linspace(WIDTH + 0.8 * min(n - 1, 4), WIDTH, n)


def limits(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return limits of y that hold the curves, but no more than the square below and above the x axis."""
    reach = max(np.abs(curve.ends).max() for curve in curves)
    values = np.concatenate([curve.y[np.isfinite(curve.y)] for curve in curves])
    low, high = np.clip([values.min(initial=0), values.max(initial=0)], -reach, reach)
    margin = 0.06 * (high - low or 1)
    return low - margin, high + margin
