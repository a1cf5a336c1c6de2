"""What the examples share: one colour per activation, labels at the lines' ends, and the table of claims."""

from collections.abc import Sequence

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes

from pyrelu.plot._style import COLORS as CYCLE
from pyrelu.plot._style import write_names

BLUE, RED, GREEN, _, SKY, ORANGE, BLACK = CYCLE
PURPLE, GREY = "#a05195", "#999999"  # the cycle's own purple is too pale on orange, as maxout is drawn
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


def use_style() -> None:
    """Set matplotlib's defaults for the figures of the examples."""
    matplotlib.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "savefig.dpi": 130,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "axes.prop_cycle": cycler(color=CYCLE),
            "legend.frameon": False,
        }
    )


def label_ends(axes: Axes) -> None:
    """Write each line's label beside its last point."""
    labels = {line: str(line.get_label()) for line in axes.get_lines()}
    lines = [line for line, label in labels.items() if not label.startswith("_")]
    write_names(axes, lines, [labels[line] for line in lines])


def compare(claims: Sequence[tuple[str, str, str]]) -> None:
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
