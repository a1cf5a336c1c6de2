"""What the examples share: one colour per activation, labels at the lines' ends, and the table of claims."""

import matplotlib
import numpy as np
from sklearn.isotonic import IsotonicRegression

BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PURPLE, SKY, BLACK, GREY = "#a05195", "#56b4e9", "#222222", "#999999"
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK, GREY)  # after Okabe and Ito: told apart by the colour-blind
COLORS = {
    "relu": BLUE,
    "leaky_relu": SKY,
    "prelu": GREEN,
    "rrelu": "#7a9a01",
    "elu": ORANGE,
    "selu": ORANGE,
    "maxout": PURPLE,
    "tanh": RED,
    "sigmoid": BLACK,
    "softmax": GREY,
}

matplotlib.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "savefig.dpi": 130,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
        "legend.frameon": False,
    }
)


def label_ends(axes, gap=0.055):
    """Write each line's label beside its last point, moved apart where they would touch.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Its lines with a label are labelled.
    gap : float, default=0.055
        The least distance between two labels, in heights of the axes.
    """
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    ends = np.array([to_axes((line.get_xdata()[-1], line.get_ydata()[-1])) for line in lines])
    heights = _apart(ends[:, 1], gap)
    for line, x, height in zip(lines, ends[:, 0], heights):
        axes.annotate(
            line.get_label(),
            (x, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
            annotation_clip=False,
        )


def _apart(heights, gap):
    """Return the heights moved as little as it takes to be a gap apart, in the same order."""
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(heights))
    moved = np.empty(len(heights))
    moved[order] = IsotonicRegression().fit_transform(steps, heights[order] - steps) + steps
    return moved


def compare(claims):
    """Print what the literature says beside what came out here.

    Parameters
    ----------
    claims : list of (str, str, str)
        What is claimed; the claimed number; the measured one.
    """
    rows = [("", "claimed", "measured"), *claims]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
