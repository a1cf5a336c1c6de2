"""What was measured, as text, Markdown, JSON and a picture."""

import json
from dataclasses import asdict, dataclass

from pyrelu import _info, _ufuncs
from pyrelu._text import aligned
from pyrelu.exceptions import MissingExtraError


@dataclass
class Report:
    """Rows of one measurement.

    Attributes
    ----------
    title : str
        What was measured, in which unit.
    rows : list of dict
        One dict per row, with the same keys: heading -> text, number, or None where there is nothing.
    summary : dict
        Text -> number.
    facts : dict
        What it was measured with: see `machine`.
    notes : tuple of str
        How candidates were called.
    drawn : tuple of str
        The headings that a picture shows; empty where there is none.
    """

    title: str
    rows: list
    summary: dict
    facts: dict
    notes: tuple = ()
    drawn: tuple = ()

    def text(self):
        """Return what `pyrelu bench` prints."""
        head = [self.title, "; ".join(f"{name} {fact}" for name, fact in self.facts.items()), *self.notes, ""]
        width = max(map(len, self.summary), default=0)
        tail = [f"{name:{width}}  {_cell(number)}" for name, number in self.summary.items()]
        return "\n".join([*head, aligned(self.cells()), "", *tail])

    def markdown(self, columns=None):
        """Return the table and the summary in Markdown, all columns where none are given."""
        headings, *rows = self.cells(columns)
        lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
        table = [f"| {' | '.join(line)} |" for line in lines]
        tail = [f"- {name}: {_cell(number)}" for name, number in self.summary.items()]
        return "\n".join([*table, "", *tail])

    def json(self):
        """Return all of it as JSON."""
        return json.dumps({key: value for key, value in asdict(self).items() if key != "drawn"}, indent=2)

    def cells(self, columns=None):
        """Return headings and rows as text; columns that are empty throughout are left out."""
        headings = [key for key in columns or self.rows[0] if any(row[key] is not None for row in self.rows)]
        return [headings, *([_cell(row[heading]) for heading in headings] for row in self.rows)]

    def draw(self, path):
        """Write a picture: one group of bars per row."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("matplotlib", "plot") from error

        headings = [heading for heading in self.drawn if any(row[heading] for row in self.rows)]
        figure = Figure(figsize=(9, 1.5 + 0.1 * len(self.rows) * (1 + len(headings))), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        height = 0.8 / len(headings)
        for i, heading in enumerate(headings):
            places = [j + i * height for j, row in enumerate(self.rows) if row[heading]]
            axes.barh(places, [row[heading] for row in self.rows if row[heading]], height, label=heading)
        labels = [next(iter(row.values())) for row in self.rows]
        axes.set_yticks([j + 0.4 - height / 2 for j in range(len(labels))], labels)
        axes.invert_yaxis()
        axes.set(xscale="log", title=self.title)
        axes.title.set_size("medium")
        axes.grid(axis="x", alpha=0.3)
        axes.margins(y=0.01)
        axes.legend()
        figure.savefig(path, dpi=120)


def machine(versions):
    """Return the machine, the instruction set in use, and the versions given of others that are compared."""
    facts = _info.facts()
    return {
        "machine": facts["machine"],
        "pyrelu": f"{facts['pyrelu']} ({_ufuncs.isa()})",
        "NumPy": facts["NumPy"],
        **versions,
        "BLAS": facts["BLAS"].rsplit(",")[0],
        "Python": facts["Python"],
    }


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
