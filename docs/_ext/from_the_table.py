"""A Sphinx extension that writes what follows from the table: the curves of docs/functions.md, and the API's pages."""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

import pyrelu as pr

FOLDER = "_generated"
LEGEND = "In the pictures the function is drawn through and its derivative dashed, for x from -4 to 4, or past the last kink."
NAMESPACES = ("functional", "derivative", "vjp")
ASKED_FOR = {"weight": 0.25, "threshold": 0.5, "value": -0.5}  # parameters without a default


def draw(activation, path):
    """Write the curve of an activation and, dashed, of its derivative."""
    values = [ASKED_FOR[name] if default is None else default for name, default in activation.parameters.items()]
    edge = max([4, *(1.3 * abs(kink) for kink in activation.kinks_at(*values))])
    x = np.linspace(-edge, edge, 801)
    figure = Figure(figsize=(1.9, 1.3), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.axhline(0, color="0.75", linewidth=0.8)
    axes.axvline(0, color="0.75", linewidth=0.8)
    slope, curve = getattr(pr.derivative, activation.name)(x, *values), getattr(pr, activation.name)(x, *values)
    axes.plot(x, _broken(slope), color="#e69f00", linewidth=1.3, linestyle=(0, (3, 1)))
    axes.plot(x, _broken(curve), color="#0072b2", linewidth=2)
    axes.set(xlim=(-edge, edge), ylim=(-0.45 * edge, edge), xticks=[], yticks=[])
    figure.savefig(path, transparent=True)


def _broken(y):
    """Return y with a gap where it jumps, so that no vertical line is drawn there."""
    return np.where(np.abs(np.diff(y, prepend=y[0])) > 0.2, np.nan, y)


def page(namespace):
    """Return the API's page of a namespace."""
    module = import_module(f"pyrelu.{namespace}")
    title = f"pyrelu.{namespace}"
    lines = [title, "=" * len(title), "", module.__doc__.strip(), ""]
    for name in module.__all__:
        function = getattr(module, name)
        if function.__name__ == name:  # an alias is on the page of its function
            lines += [f".. autofunction:: {title}.{name}{inspect.signature(function)}", ""]
    return "\n".join(lines)


def write_all(app):
    """Draw the curves and write the pages."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for activation in pr.activations.values():
        draw(activation, folder / f"{activation.name}.svg")
    for namespace in NAMESPACES:
        (folder / f"{namespace}.rst").write_text(page(namespace))


def add_curves(app, docname, source):
    """Give the table of activations its column of curves."""
    if docname != "functions":
        return
    lines = source[0].replace("| name |", f"{LEGEND}\n\n| name |", 1).split("\n")
    drawn = False
    for i, line in enumerate(lines):
        if line.startswith("| name |"):
            drawn = "derivative" in line
        if line.startswith("|") and drawn:
            name = re.match(r"\| `(\w+)`", line)
            cell = f"![{name[1]}]({FOLDER}/{name[1]}.svg)" if name else "---" if "---" in line else "curve"
            lines[i] = f"| {cell} {line}"
    source[0] = "\n".join(lines)


def forget_style(gallery_conf, script):
    """Have the next example import `support` anew, which sets matplotlib's parameters; the gallery has reset them."""
    sys.modules.pop("support", None)


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", write_all)
    app.connect("source-read", add_curves)
    return {"parallel_read_safe": True}
