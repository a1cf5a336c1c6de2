"""Results as text: tables, pairs, JSON; and values in messages."""

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from numbers import Integral
from typing import Any

MOST_NAMED = 20  # columns, lines or the like that a message lists


def aligned(lines: list[list[str]]) -> str:
    """Return lines of cells as text in columns.

    Parameters
    ----------
    lines : list of list of str
        The headings, then the rows.

    Returns
    -------
    str
        The first column is aligned to the left, all others to the right; a rule follows the headings.

    Examples
    --------
    >>> print(aligned([["name", "n"], ["relu", "12"]]))
    name   n
    ----  --
    relu  12
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    headings, *rows = lines
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [headings, ["-" * width for width in widths], *rows]
    )


def html_table(lines: list[list[str]]) -> str:
    """Return lines of cells as an HTML table, for notebooks; the first line is the headings.

    Examples
    --------
    >>> html_table([["name", "n"], ["relu", "12"]])
    '<table><thead><tr><th>name</th><th>n</th></tr></thead><tbody><tr><td>relu</td><td>12</td></tr></tbody></table>'
    """
    headings, *rows = lines
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def pairs(facts: Mapping[str, object]) -> str:
    """Return name -> value as text, one per line, with the elements of lists separated by commas.

    Examples
    --------
    >>> print(pairs({"rows": 3, "classes": ["a", "b"]}))
    rows     3
    classes  a, b
    """
    width = max(map(len, facts))
    texts = {name: ", ".join(map(str, fact)) if isinstance(fact, list) else str(fact) for name, fact in facts.items()}
    return "\n".join(f"{name:{width}}  {text}" for name, text in texts.items())


def show(result: Any, as_json: bool, as_text: Callable[[Any], str] = str) -> None:
    """Print a result as JSON, or the text that `as_text(result)` returns."""
    print(json.dumps(result, indent=2, allow_nan=False) if as_json else as_text(result))


def shortened(cell: object) -> str:
    """Return what a message says of a table's cell.

    Examples
    --------
    >>> shortened("x" * 99)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"
    """
    cell = str(cell)
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")


def listed(names: Sequence[object]) -> str:
    """Return names in a message, not too many of them."""
    return ", ".join(map(shortened, names[:MOST_NAMED])) + (
        f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    )


def number_as_text(value: Any) -> str:
    """Return a number as the text of a category: the same one whether a column holds integers or floats.

    Examples
    --------
    >>> number_as_text(1), number_as_text(1.0), number_as_text(0.5)
    ('1', '1', '0.5')
    """
    return str(int(value)) if isinstance(value, Integral) or float(value).is_integer() else str(value)
