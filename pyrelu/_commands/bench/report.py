"""What was measured, as text, Markdown, JSON and a picture."""

import json
from dataclasses import asdict, dataclass

from pyrelu import _ufuncs
from pyrelu._commands import info
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
        head = [self.title, self._facts(), *self.notes, ""]
        width = max(map(len, self.summary), default=0)
        tail = [f"{name:{width}}  {_cell(number)}" for name, number in self.summary.items()]
        return "\n".join([*head, aligned(self.cells()), "", *tail])

    def markdown(self):
        """Return title, table and summary in Markdown."""
        headings, *rows = self.cells()
        lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
        table = [f"| {' | '.join(line)} |" for line in lines]
        tail = [f"- {name}: {_cell(number)}" for name, number in self.summary.items()]
        return "\n".join([f"{self.title}. {self._facts()}.", "", *table, *([""] if tail else []), *tail])

    def json(self):
        """Return all of it as JSON."""
        return json.dumps({key: value for key, value in asdict(self).items() if key != "drawn"}, indent=2)

    def _facts(self):
        return "; ".join(f"{name} {fact}" for name, fact in self.facts.items())

    def cells(self):
        """Return headings and rows as text; columns that are empty throughout are left out."""
        headings = [key for key in self.rows[0] if any(row[key] is not None for row in self.rows)]
        return [headings, *([_cell(row[heading]) for heading in headings] for row in self.rows)]

    def draw(self, path):
        """Write a picture: one line of points per row."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("matplotlib") from error

        figure = Figure(figsize=(8, 1.2 + 0.22 * len(self.rows)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for heading, marker in zip(self.drawn, "o^vsDPX", strict=False):
            shown = [(row[heading], place) for place, row in enumerate(self.rows) if row.get(heading)]
            if shown:
                axes.plot(*zip(*shown, strict=True), marker, label=heading)
        axes.set_yticks(range(len(self.rows)), [next(iter(row.values())) for row in self.rows])
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel=self.title)
        axes.grid(alpha=0.3)
        figure.legend(loc="outside upper center", ncols=len(self.drawn))
        figure.savefig(path, dpi=120)


def machine(versions):
    """Return the machine, the instruction set in use, and the versions given of others that are compared."""
    facts = info.facts()
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
