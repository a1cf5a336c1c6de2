"""Shared parts of the plots: axes, colours, and names next to lines."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import IsotonicRegression

from pyrelu._storage.files import write_atomically
from pyrelu.exceptions import InvalidParameterError, MissingExtraError
from pyrelu.inspection._trace import activation_name

if TYPE_CHECKING:  # matplotlib is an extra
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

    AnyFigure: TypeAlias = Figure | SubFigure

# Okabe and Ito, Color universal design (2008): distinct for every kind of colour vision. Yellow is
# missing because it is too pale for a line on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":", "-.")  # after the last colour, colours repeat with the next dash style


# Connects the end of a line with a name that was moved away to avoid overlap.
LEADER = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 2}


def figure_and_axes(ax: Axes | None = None, **keywords: Any) -> tuple[AnyFigure, Axes]:
    """Return the axes given, or new ones, with their figure; keywords are those of `pyplot.subplots`."""
    if ax is None:
        return new_axes(**keywords)
    try:
        from matplotlib.axes import Axes
    except ImportError as error:
        raise MissingExtraError("matplotlib") from error
    check_artists("ax", [ax], Axes)
    return ax.figure, ax


def new_axes(**keywords: Any) -> tuple[Figure, Any]:
    """Return a new figure with its axes, which are an array if there are several; keywords as for `figure_and_axes`."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError("matplotlib") from error
    return pyplot.subplots(**{"layout": "constrained"} | keywords)


def given_figure(figure: AnyFigure) -> AnyFigure:
    """Return a figure that the user passed, or raise TypeError."""
    from matplotlib.figure import FigureBase

    check_artists("figure", [figure], FigureBase)
    return figure


def check_artists(parameter: str, values: Iterable[object], cls: type) -> None:
    """Raise TypeError if any value that the user passed is not of matplotlib's class."""
    for value in values:
        if not isinstance(value, cls):
            raise TypeError(f"{parameter}={value!r} must be None or a matplotlib {cls.__name__.removesuffix('Base')}")


def new_figure(**keywords: Any) -> Figure:
    """Return a figure that belongs to no window, for a file; keywords are those of `Figure`."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib") from error
    return Figure(**{"layout": "constrained"} | keywords)


def save(figure: Figure, path: str) -> None:
    """Write a picture atomically, in the format that the path's ending names; PNG without an ending."""
    content = io.BytesIO()
    figure.savefig(content, format=picture_format(figure, path), dpi=120)
    write_atomically(path, content.getvalue())


def picture_format(figure: Figure, path: str) -> str:
    """Return the format that the path's ending names; raise InvalidParameterError if it is unknown."""
    kind = os.path.splitext(path)[1][1:].lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise InvalidParameterError(f"{path}: pictures can be written as {', '.join(sorted(known))}")
    return kind


def bare(ax: Axes) -> None:
    """Remove the upper and right sides of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


def log_scale(ax: Axes) -> None:
    """Make y logarithmic, with ticks at 1, 2 and 5 if it spans little more than a decade."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_yscale("log", nonpositive="mask")
    ax.margins(y=0.08)  # leaves room for a name below a line
    ax.autoscale_view()
    low, high = ax.get_ylim()
    if high < 1000 * low:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())


def labelled(estimators: dict[str, Any] | Iterable[Any]) -> dict[str, Any]:
    """Return label -> estimator; estimators without labels get the parameters in which they differ.

    Parameters
    ----------
    estimators : dict of str to estimator, or sequence of estimator

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> list(labelled([MLPClassifier(alpha=alpha, activation="tanh") for alpha in (0.1, 1.0)]))
    ['alpha=0.1', 'alpha=1.0']
    """
    if isinstance(estimators, dict):
        return estimators
    estimators = list(estimators)
    settings = [estimator.get_params(deep=False) for estimator in estimators]
    names = dict.fromkeys(name for parameters in settings for name in parameters)
    absent = object()
    values = {name: [parameters.get(name, absent) for parameters in settings] for name in names}
    differing = [name for name in names if len(set(map(repr, values[name]))) > 1]
    labels = [
        ", ".join(_setting(name, values[name][i]) for name in differing if values[name][i] is not absent)
        or activation_name(estimator)
        for i, estimator in enumerate(estimators)
    ]
    again = {label for label in labels if labels.count(label) > 1}
    return {
        f"{label} (no. {i})" if label in again else label: estimator
        for i, (label, estimator) in enumerate(zip(labels, estimators, strict=True))
    }


def _setting(name: str, value: object) -> str:
    if name == "activation" and isinstance(value, str):
        return value  # has a descriptive repr
    return f"{name}={getattr(value, '__name__', value)}"


def line_style(i: int) -> dict[str, Any]:
    """Return the look of the i-th line."""
    return {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[i // len(COLORS) % len(DASHES)]}


def write_names(ax: Axes, lines: Sequence[Line2D], names: Sequence[str], side: str = "right") -> list[Annotation]:
    """Write each line's name next to its end, in its colour, without overlap.

    Parameters
    ----------
    ax : Axes
        Its limits must be final.
    lines : list of Line2D
    names : list of str
    side : {"right", "left"}
        Which end.

    Returns
    -------
    list of Annotation
    """
    size = 9.0
    ends = [_end(ax, line, side) for line in lines]
    height = ax.get_window_extent().height * 72 / ax.figure.dpi  # in points
    wanted = np.array([ax.transLimits.transform(ax.transScale.transform(end))[1] for end in ends]) * height
    given = spread(wanted, 1.25 * size, height)
    moved = np.abs(given - wanted) > 0.7 * size
    away = (18 if moved.any() else 6) * (1 if side == "right" else -1)
    return [
        ax.annotate(
            name,
            end,
            (away, high - low),
            textcoords="offset points",
            ha="left" if side == "right" else "right",
            va="center_baseline",
            color=line.get_color(),
            fontsize=size,
            annotation_clip=False,
            arrowprops=LEADER
            | {"relpos": (0 if side == "right" else 1, 0.5)}
            | {"color": line.get_color(), "linestyle": line.get_linestyle()}
            if moved.any()
            else None,
        )
        for line, name, end, low, high in zip(lines, names, ends, wanted, given, strict=True)
    ]


def _end(ax: Axes, line: Line2D, side: str) -> tuple[float, float]:
    """Return the line's last or first point inside the axes; without one, one on the x axis, as for 0 on a log scale."""
    points = np.asarray(line.get_xydata())
    with np.errstate(invalid="ignore"):
        places = ax.transLimits.transform(ax.transScale.transform(points))
        inside = (np.isfinite(places) & (places >= 0) & (places <= 1)).all(axis=1)
    drawn = points[inside]
    if not len(drawn):
        drawn = np.column_stack([points[:, 0], np.full(len(points), ax.get_ylim()[0])])
    x, y = drawn[-1 if side == "right" else 0].tolist()
    return x, y


def spread(wanted: ArrayLike, gap: float, height: float) -> NDArray[np.float64]:
    """Return the positions nearest to those wanted, in the same order, at least `gap` apart, between 0 and `height`.

    Examples
    --------
    >>> spread([50, 51, 80, 1, 0], 10, 100).tolist()
    [45.5, 55.5, 80.0, 10.0, 0.0]
    """
    wanted = np.asarray(wanted, float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    # Without the minimum gaps, positions must not decrease: an isotonic least-squares fit.
    rising = IsotonicRegression(y_min=0, y_max=max(0, height - steps[-1]))
    result = np.empty_like(wanted)
    result[order] = rising.fit_transform(steps, wanted[order] - steps) + steps
    return result
