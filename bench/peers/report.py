"""Measurements as text, Markdown, JSON and a picture."""

import json
from dataclasses import asdict, dataclass

from pyrelu._commands.bench import cell, cells, in_words, text


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
        What it was measured with: see `pyrelu._commands.bench.machine`.
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
        """Return the report as text."""
        return text(self.title, self.facts, self.rows, self.summary, self.notes)

    def markdown(self):
        """Return title, table and summary in Markdown."""
        headings, *rows = cells(self.rows)
        lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
        table = [f"| {' | '.join(line)} |" for line in lines]
        tail = [f"- {name}: {cell(number)}" for name, number in self.summary.items()]
        return "\n".join([f"{self.title}. {in_words(self.facts)}.", "", *table, *([""] if tail else []), *tail])

    def json(self):
        """Return the report as JSON."""
        return json.dumps({key: value for key, value in asdict(self).items() if key != "drawn"}, indent=2)

    def draw(self, path):
        """Write a picture: one line of points per row."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

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
