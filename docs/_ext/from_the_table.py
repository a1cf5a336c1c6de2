"""A Sphinx extension that writes what follows from the table: the curves of docs/functions.md, and the API's pages."""

import inspect
import re
from importlib import import_module
from pathlib import Path

from formulas import mathml
from matplotlib.figure import Figure

import pyrelu as pr
from pyrelu.plot import ActivationGridDisplay

FOLDER = "_generated"
LEGEND = (
    "In the pictures, the solid line is the function and the dashed line its derivative, for x from -4 to 4 or past the "
    "last kink. At a jump, a dot marks the value and a ring the limit that is not taken."
)
ESTIMATORS = {
    "MLPClassifier": "fit, partial_fit, predict, predict_proba, predict_log_proba, save, load, from_sklearn, to_sklearn",
    "MLPRegressor": "fit, partial_fit, predict, save, load, from_sklearn, to_sklearn",
    "TabularMLPClassifier": "fit, predict, predict_proba, predict_log_proba, decision_function, save, load",
    "TabularMLPRegressor": "fit, predict, score, save, load",
}
NAMESPACES = ("functional", "derivative", "vjp")
ASKED_FOR = {"weight": 0.25, "threshold": 0.5, "value": -0.5}  # parameters without a default


def draw(activation, path):
    """Write the curve of an activation and, dashed, of its derivative, y to the scale of x."""
    values = {name: ASKED_FOR.get(name, default) for name, default in activation.parameters.items()}
    edge = max([4, *(1.3 * abs(kink) for kink in activation.kinks_at(*values.values()))])
    figure = Figure(figsize=(1.9, 1.3), layout="constrained")
    grid = ActivationGridDisplay.from_names([(activation.name, values)], x_range=(-edge, edge), figure=figure)
    grid.legend_.remove()
    [display] = grid.displays_
    display.line_.set_linewidth(2)
    display.derivative_line_.set_linestyle((0, (3, 1)))
    display.text_.remove()
    display.ax_.set_title("", loc="left")
    display.ax_.spines[:].set_visible(False)
    display.ax_.set(ylim=(-0.45 * edge, edge), xticks=[], yticks=[])
    figure.savefig(path, transparent=True)


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
    for name, members in ESTIMATORS.items():
        text = f"{name}\n{'=' * len(name)}\n\n.. autoclass:: pyrelu.{name}\n   :members: {members}\n"
        (folder / f"{name}.rst").write_text(text)
    for namespace in NAMESPACES:
        (folder / f"{namespace}.rst").write_text(page(namespace))


def complete_table(app, docname, source):
    """Give the tables of docs/functions.md curves, links to the API, and the formulas as mathematics."""
    if docname != "functions":
        return
    lines = source[0].replace("| name |", f"{LEGEND}\n\n| name |", 1).split("\n")
    drawn = False
    for i, line in enumerate(lines):
        if line.startswith("| name |"):
            drawn = "derivative" in line
        if not line.startswith("|"):
            continue
        name = re.match(r"\| `(\w+)`", line)
        if name and name[1] in pr.functional.__all__:
            names, formula, *others = line.removeprefix("| ").split(" | ")
            names = names.replace(f"`{name[1]}`", f"{{py:func}}`{name[1]} <pyrelu.functional.{name[1]}>`", 1)
            line = " | ".join([f"| {names}", f"{mathml(formula.strip('`'))}<br>{formula}", *others])
        if drawn:
            cell = f"![{name[1]}]({FOLDER}/{name[1]}.svg)" if name else "---" if "---" in line else "curve"
            line = f"| {cell} {line}"
        lines[i] = line
    source[0] = "\n".join(lines)


class CourseOrder:
    """Sorts the examples of the gallery as a course: from what an activation is for to what needs the rest."""

    COURSE = (
        "straight_line_bent",
        "xor_by_hand",
        "softmax_and_logistic",
        "one_hidden_layer",
        "vanishing_gradients",
        "dying_relu",
        "six_times_faster",
        "family",
        "maxout_with_dropout",
        "cnn_forward_pass",
        "walsh_hadamard",
    )

    def __init__(self, folder):
        pass

    def __call__(self, filename):
        """Return the place of an example; one that has none is an error."""
        return self.COURSE.index(Path(filename).stem)


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", write_all)
    app.connect("source-read", complete_table)
    return {"parallel_read_safe": True}
