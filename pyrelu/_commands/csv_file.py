"""Tables of numbers in CSV files. What is wrong with one is said with its line and column."""

import csv
import sys
from array import array
from dataclasses import dataclass

import numpy as np

from pyrelu.exceptions import InvalidFileError


@dataclass(frozen=True)
class Table:
    """What `read` returns.

    Attributes
    ----------
    names : list of str
        The columns of numbers.
    numbers : ndarray of shape (n_rows, n_columns)
    texts : list of str, or None
        The column of text.
    lines : sequence of int
        Which line of the file each row ends on.
    """

    names: list
    numbers: np.ndarray
    texts: list | None
    lines: array


def read(path, choose, delimiter=",", advice=""):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str
        "-" is the standard input. UTF-8, with or without a byte order mark.
    choose : callable(list of str) -> (list of str, str or None)
        Given the header, returns the columns to read as numbers, and the one to read as text.
    delimiter : str, default=","
    advice : str, default=""
        What to say further where a cell is not a number.

    Returns
    -------
    Table

    Raises
    ------
    InvalidFileError
        Where the file is no such table; the message names the line and the column.
    OSError
        Where it cannot be opened.
    """
    with open(
        sys.stdin.fileno() if path == "-" else path,
        encoding="utf-8-sig",
        errors="surrogateescape",  # what is not UTF-8 comes as such characters, to be named with its cell
        newline="",
        closefd=path != "-",
    ) as file:
        lines = _lines(path, csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True))
        line, header = _header(path, lines)
        names, text = choose(header)
        for name in [*names, *([] if text is None else [text])]:
            _check_name(path, line, header, name)
        return _columns(path, lines, header, names, text, advice)


def _lines(path, reader):
    """Yield the rows that are not blank with the line they end on."""
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InvalidFileError(path, f"line {reader.line_num}: {error}") from None


def _header(path, lines):
    for line, row in lines:
        header = [name.strip() for name in row]
        for i, name in enumerate(header):
            if not _is_utf8(name):
                raise InvalidFileError(path, f"line {line}, column {i + 1}: the name is not UTF-8")
        return line, header
    raise InvalidFileError(path, "is empty")


def _check_name(path, line, header, name):
    if name not in header:
        raise InvalidFileError(path, no_column(name, header))
    if name == "":
        raise InvalidFileError(path, f"line {line}, column {header.index(name) + 1}: it has no name")
    if header.count(name) > 1:
        first = header.index(name) + 1
        second = header.index(name, first) + 1
        raise InvalidFileError(path, f"line {line}, column {second}: {name!r} is also column {first}")


def no_column(name, header):
    """Say that a column is not there, and which are."""
    known = ", ".join(map(_shortened, header[:20])) + (f" and {len(header) - 20} more" if len(header) > 20 else "")
    other = next((character for character in ";\t|" if len(header) == 1 and character in header[0]), None)
    return f"has no column {name!r}; it has: {known}" + (f" (try --delimiter {other!r})" if other else "")


def _columns(path, lines, header, names, text, advice):
    places = list(map(header.index, names))
    text_place = None if text is None else header.index(text)
    numbers, texts, at = array("d"), [], array("q")
    for line, row in lines:
        if len(row) != len(header):
            raise InvalidFileError(path, f"line {line}, {_where(header, row)}")
        cells = [row[i] for i in places]
        try:
            numbers.extend(map(_number, cells))
        except ValueError:
            raise _not_a_number(path, line, names, cells, advice) from None
        at.append(line)
        if text is not None:
            texts.append(_text(path, line, text, row[text_place]))
    if not at:
        raise InvalidFileError(path, "has a header, but no rows")
    table = np.frombuffer(numbers).reshape(len(at), len(names)) if names else np.empty((len(at), 0))
    if not np.isfinite(table).all():
        i, j = np.argwhere(~np.isfinite(table))[0]
        raise InvalidFileError(path, f"line {at[i]}, column {names[j]!r}: {table[i, j]} is not a finite number")
    return Table(names, table, None if text is None else texts, at)


def _where(header, row):
    """Say what is wrong with a row that has too few cells or too many."""
    if len(row) < len(header):
        return f"column {header[len(row)]!r}: the row ends before it, after {len(row)} of {len(header)} cells"
    return f"after column {header[-1]!r}: the row has {len(row)} cells, the header {len(header)}"


def _number(cell):
    if "_" in cell:  # float() takes it, as Python's own literals
        raise ValueError
    return float(cell)


def _not_a_number(path, line, names, cells, advice):
    for name, cell in zip(names, cells, strict=True):
        try:
            _number(cell)
        except ValueError:
            where = f"line {line}, column {name!r}:"
            if not cell.strip():
                return InvalidFileError(path, f"{where} the value is missing; fill it in or leave the row out")
            if not _is_utf8(cell):
                return InvalidFileError(path, f"{where} the text is not UTF-8")
            return InvalidFileError(path, f"{where} {_shortened(cell)} is not a number{advice}")
    raise AssertionError("all are numbers")


def _text(path, line, name, cell):
    cell = cell.strip()
    if not cell:
        raise InvalidFileError(
            path, f"line {line}, column {name!r}: the value is missing; fill it in or leave the row out"
        )
    if not _is_utf8(cell):
        raise InvalidFileError(path, f"line {line}, column {name!r}: the text is not UTF-8")
    return cell


def _is_utf8(text):
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def _shortened(cell):
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")


def as_numbers(texts):
    """Return a column of text as numbers, or None where one of them is none."""
    try:
        numbers = np.array(list(map(_number, texts)))
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None
