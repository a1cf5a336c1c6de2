"""Activations with their derivatives."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pyrelu.inspection._trace import elementwise
from pyrelu.plot._style import COLORS, bare, figure_and_axes, write_names
from pyrelu.registry import activations

NAMES = ["f(x)", "f'(x)"]
POINTS = 201  # of each smooth piece

_LONG_NUMBER = re.compile(r"(\d+\.\d{4})\d+")


@dataclass(frozen=True)
class Curve:
    """A function between its kinks.

    Attributes
    ----------
    x, y : ndarray of shape (n_points,)
        With NaN between two pieces where it jumps.
    jumps : list of (x, value there, limits from the left and the right)
    """

    x: np.ndarray
    y: np.ndarray
    jumps: list

    @classmethod
    def of(cls, f, low, high, kinks):
        """Evaluate f from low to high."""
        inner = [kink for kink in kinks if low < kink < high]
        xs, ys, jumps = [], [], []
        for a, b in pairwise([low, *inner, high]):
            # Not on a kink, but as close to it as can be.
            x = np.linspace(a if a == low else np.nextafter(a, b), b if b == high else np.nextafter(b, a), POINTS)
            y = f(x)
            if ys and abs(y[0] - ys[-1][-1]) > 1e-9:
                jumps.append((a, float(f(a)), float(ys[-1][-1]), float(y[0])))
                xs.append([np.nan])
                ys.append([np.nan])
            xs.append(x)
            ys.append(y)
        return cls(np.concatenate(xs), np.concatenate(ys), jumps)


class ActivationDisplay:
    """An activation and its derivative as curves.

    Kinks are drawn sharp. Where a curve jumps, a full dot marks its value and a ring the limit that it does not take.

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
        The curves; the second is None where only the activation is drawn.
    dots_ : list of Line2D
        Full dots and rings, where the curves jump.
    text_ : Annotation
        Formula and parameters.
    ax_, figure_ : Axes, Figure
        Where it is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from pyrelu.plot import ActivationDisplay
    >>> display = ActivationDisplay.from_name("gelu")
    >>> display.ax_.get_title(loc="left")
    'gelu'
    >>> display = ActivationDisplay.from_name(("leaky_relu", {"negative_slope": 0.2}), ax=display.ax_)
    """

    def __init__(self, name, parameters, function, slope, formula):
        self.name = name
        self.parameters = parameters
        self.function = function
        self.slope = slope
        self.formula = formula

    @classmethod
    def from_name(cls, name, *, x_range=None, derivative=True, ax=None, **keywords):
        """Draw an activation of the table.

        Parameters
        ----------
        name : str, (str, dict) or (callable, callable)
            A name or alias in `pyrelu.activations`; with its parameters, as in
            ``("leaky_relu", {"negative_slope": 0.2})``; or any function and its derivative.
        x_range : (float, float), default=None
            From where to where; None: from -4 to 4, or as far as it takes to show all kinks.
        derivative : bool, default=True
            Whether to draw the derivative too.
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        **keywords
            For `Axes.plot`, of both lines.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            Where the name is not known or not elementwise, or a parameter lacks a value.
        MissingExtraError
            Where matplotlib is not installed.
        """
        return cls._of(name, x_range).plot(ax=ax, derivative=derivative, **keywords)

    @classmethod
    def _of(cls, name, x_range=None):
        activation, slopes = elementwise(name)
        row = activations.get(activation.name)
        kinks = row.kinks_at(*activation.parameters.values()) if row else []
        low, high = x_range or (min([-4.0, *(kink - 2 for kink in kinks)]), max([4.0, *(kink + 2 for kink in kinks)]))
        if not low < high:
            raise ValueError(f"x_range={x_range!r} must be two numbers, the smaller one first")
        function, slope = (Curve.of(f, low, high, kinks) for f in (activation.forward, slopes))
        formula = _LONG_NUMBER.sub(r"\1...", row.formula) if row else ""
        return cls(activation.name, activation.parameters, function, slope, formula)

    def plot(self, *, ax=None, derivative=True, labels=True, **keywords):
        """Draw it.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None: on a new figure.
        derivative : bool, default=True
            Whether to draw the derivative too.
        labels : bool, default=True
            Whether to write the formula, and names beside the lines.
        **keywords
            For `Axes.plot`, of both lines.

        Returns
        -------
        ActivationDisplay
            The object itself.
        """
        self.figure_, self.ax_ = _, ax = figure_and_axes(ax, figsize=(5.2, 3.6))
        from matplotlib.ticker import MaxNLocator

        self.dots_ = []
        ax.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        ax.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        self.derivative_line_ = self._draw(self.slope, COLORS[1], keywords) if derivative else None
        self.line_ = self._draw(self.function, COLORS[0], keywords)
        ax.set_xlim(self.function.x[0], self.function.x[-1])
        ax.set_ylim(self._limits(derivative))
        bare(ax)
        ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 10]))
        ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
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
        if labels:
            ax.set_xlabel("x")
            lines = [line for line in (self.line_, self.derivative_line_) if line]
            write_names(ax, lines, NAMES[: len(lines)])
        return self

    def _draw(self, curve, color, keywords):
        look = {"color": color, "linewidth": 1.8, "solid_joinstyle": "miter", "solid_capstyle": "butt"} | keywords
        (line,) = self.ax_.plot(curve.x, curve.y, **look)
        for x, value, *limits in curve.jumps:
            rings = [limit for limit in limits if abs(limit - value) > 1e-9]
            for y, face in [(value, line.get_color()), *((ring, "white") for ring in rings)]:
                self.dots_ += self.ax_.plot(
                    x, y, "o", color=line.get_color(), markerfacecolor=face, markersize=3.5 * look["linewidth"] ** 0.5
                )
        return line

    def _limits(self, derivative):
        """Return limits of y that hold the curves, but no more than the square below and above the x axis."""
        values = np.concatenate([self.function.y, self.slope.y if derivative else []])
        reach = np.abs(self.function.x[[0, -1]]).max()
        low, high = np.clip([min(0, np.nanmin(values)), max(0, np.nanmax(values))], -reach, reach)
        margin = 0.06 * (high - low or 1)
        return low - margin, high + margin
