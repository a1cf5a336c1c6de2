"""Data for `pyrelu compare` and `train`: a file, or one of scikit-learn's bundled data sets."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._commands import column_kinds, table_file
from pyrelu._commands.columns import Columns
from pyrelu._commands.table_file import PLAIN, Format, Table
from pyrelu._text import listed, shortened
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

# Integer targets with at most this many distinct values are classes, such as digits, grades and months; ages and prices
# have more.
MOST_CLASSES = 20

XY = tuple[NDArray[np.float64], NDArray[Any]]
Loader = Callable[[], XY]

_ROW_NUMBER = re.compile(r"(?i:unnamed: \d+|row[ ._]?names?|row[ ._]?id|index|id|.*[ ._]id)|.*[a-z](Id|ID)")


@dataclass(frozen=True)
class Data:
    """Rows to train on.

    Attributes
    ----------
    name : str
    X : ndarray or DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    feature_names : list of str
    target : str
    classification : bool
    kinds : dict of str: Kind, or None
        The kinds of the columns of a DataFrame.
    format : Format
    notes : list of str
        Messages for the user.
    """

    name: str
    X: Any
    y: NDArray[Any]
    feature_names: list[str]
    target: str
    classification: bool
    kinds: dict[str, column_kinds.Kind] | None = None
    format: Format = PLAIN
    notes: list[str] = field(default_factory=list)

    def encoded(self, training: NDArray[np.intp], *others: NDArray[np.intp], typed: bool = False) -> tuple[Any, ...]:
        """Return the inputs for a network.

        Parameters
        ----------
        training : ndarray of int
            The rows to learn medians and categories from.
        *others : ndarray of int
            Further rows.
        typed : bool, default=False
            Whether X is to be a DataFrame of numbers, texts and dates, rather than a matrix.

        Returns
        -------
        learned : Columns, or None
            None if X is an array of numbers, which is used unchanged.
        X : ndarray
            The inputs of `training`, followed by those of each of `others`.
        """
        if self.kinds is None:
            return None, *(self.X[rows] for rows in (training, *others))
        learned = Columns.learn(self.X.iloc[training], self.kinds, self.format)
        if not learned.names:
            raise InvalidFileError(self.name, f"has no column to predict {self.target!r} from")
        encode = learned.typed if typed else learned.encode
        return learned, *(encode(self.X.iloc[rows], self.format) for rows in (training, *others))

    def split(self, test_size: float, seed: int | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the training rows and the held-out rows, stratified by class. Each class has at least one training row.

        Raises
        ------
        InvalidParameterError
            If either part would have no rows.
        """
        from sklearn.model_selection import train_test_split

        rows = np.arange(len(self.y))
        if not test_size:
            return rows, rows[:0]
        kept, strata = rows[:0], None
        if self.classification:
            _, first, which, counts = np.unique(self.y, return_index=True, return_inverse=True, return_counts=True)
            kept = rows[counts[which] == 1]
            n_rest = len(rows) - len(kept)
            n_test = int(np.ceil(test_size * n_rest))
            if min(n_test, n_rest - n_test) >= (counts > 1).sum():
                strata = np.delete(self.y, kept)
            else:
                kept = np.sort(first)
            rows = np.delete(rows, kept)
        n_test = int(np.ceil(test_size * len(rows)))
        if not 0 < n_test < len(rows) + len(kept):
            what = "no row to train on" if n_test else "no row to test on: each class needs one to train on"
            raise InvalidParameterError(f"--test-size {test_size:g} leaves {what} of {len(self.y)} rows")
        if n_test == len(rows):
            return kept, rows
        training, held_out = train_test_split(rows, test_size=test_size, random_state=seed, stratify=strata)
        return np.concatenate([training, kept]), held_out


def _loaded(name: str) -> Loader:
    def load() -> XY:
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return X, y

    return load


def _made(name: str, **settings: Any) -> Loader:
    def make() -> XY:
        from sklearn import datasets

        X, y = getattr(datasets, f"make_{name}")(1000, random_state=0, **settings)
        return X, y

    return make


BUILT_IN = {
    **{name: _loaded(name) for name in ("digits", "iris", "wine", "breast_cancer", "diabetes")},
    "moons": _made("moons", noise=0.2),
    "circles": _made("circles", noise=0.1, factor=0.6),
}


def load(name: str, target: str | None, **reading: Any) -> Data:
    """Return the `Data` of a built-in data set, or of a file; see `from_file`.

    Raises
    ------
    InvalidParameterError
        If there is neither, or a built-in data set is given options for files.
    """
    if name in BUILT_IN:
        if target is not None or any(value not in ((), [], "auto", False, PLAIN) for value in reading.values()):
            raise InvalidParameterError(
                f"options such as --target and --ignore are for files; {name} is a built-in data set"
            )
        X, y = BUILT_IN[name]()
        return Data(name, X, y, [f"x{i}" for i in range(X.shape[1])], "y", name != "diabetes")
    if name != "-" and not os.path.exists(name):
        raise InvalidParameterError(f"--data {name}: no such file or data set; the data sets are {', '.join(BUILT_IN)}")
    return from_file(name, target, **reading)


def from_file(
    path: str,
    target: str | None,
    ignored: Sequence[str] = (),
    task: str = "auto",
    format: Format = PLAIN,
    texts: Sequence[str] = (),
    drop_missing: bool = False,
) -> Data:
    """Read features and target.

    Parameters
    ----------
    path : str
    target : str or None
        The column to predict; all others but those ignored are features.
    ignored : sequence of str
        Names of columns; one string may contain several, separated by commas.
    task : {"auto", "classification", "regression"}
        auto: classification if the target is text, or integers with at most MOST_CLASSES distinct values.
    format : Format
    texts : sequence of str
        Columns to treat as text even if they look like numbers; in the same form as `ignored`.
    drop_missing : bool, default=False
        Whether to drop rows without a target.

    Returns
    -------
    Data
        For classification, the classes are the target's texts in the file.

    Raises
    ------
    InvalidFileError
        If the contents of the file are invalid; the message names line and column.
    InvalidParameterError
        If `target` is None.
    OSError
        If the file cannot be opened.
    """
    if target is None:
        raise InvalidParameterError(f"{path} is a file: name the column to predict with --target")
    given = [name for text in texts for name in (text, *text.split(","))]
    table = table_file.read(path, format, [*given, target])
    data = of_table(table, target, ignored, task, format, texts, drop_missing)
    if data.classification:
        data.notes.extend(check_classes(data.name, target, *np.unique(data.y, return_counts=True)))
    return data


def of_table(
    table: Table,
    target: str,
    ignored: Sequence[str] = (),
    task: str = "auto",
    format: Format = PLAIN,
    texts: Sequence[str] = (),
    drop_missing: bool = False,
) -> Data:
    """Return the `Data` of a table; see `from_file`."""
    ignored, texts = (split_names(names, table.header) for names in (ignored, texts))
    table.check([target])
    table.check([*ignored, *texts], unique=False)
    notes: list[str] = []
    table, y, classification = _target(table, target, task, format, drop_missing, notes)
    names = [name for name in dict.fromkeys(table.header) if name != target and name not in set(ignored)]
    table.check(names)
    kinds, faults = {}, {}
    for i, (name, kind) in enumerate(column_kinds.kinds_of(table, names, set(texts), format).items()):
        if kind.name != "nothing" and name not in texts and _numbers_rows(table, name, i, kind, format):
            what = f"{name!r} numbers the rows and is left out" if name else "1 has no name and is left out as an index"
            kind = column_kinds.Kind("nothing", note=f"column {what}")
        if kind.fault:
            faults[name] = kind.fault
        if kind.note:
            notes.append(kind.note)
        if kind.name != "nothing":
            kinds[name] = kind
    column_kinds.raise_faults(table.path, faults)
    if not kinds:
        raise InvalidFileError(table.path, f"has no column to predict {target!r} from")
    return Data(table.path, table.frame[list(kinds)], y, list(kinds), target, classification, kinds, format, notes)


def check_classes(path: str, target: str, classes: NDArray[Any], counts: NDArray[np.intp]) -> list[str]:
    """Return notes on classes of a single row; raise InvalidFileError where there is one class only."""
    if len(classes) < 2:
        raise InvalidFileError(path, f"column {target!r}: all rows are of the class {str(classes[0])!r}")
    rare = classes[counts == 1]
    if not len(rare):
        return []
    those = "a single row, which is" if len(rare) == 1 else "a single row each, which are"
    what = "class" if len(rare) == 1 else "classes"
    verb = "has" if len(rare) == 1 else "have"
    return [f"{what} {listed(rare.tolist())} {verb} {those} used for training"]


def split_names(given: Iterable[str], header: Sequence[str]) -> list[str]:
    """Return the names in a list of strings, each a name or several names separated by commas.

    Examples
    --------
    >>> split_names(["a,b", "c"], ["a", "b", "c", "d"]), split_names(["a,b"], ["a,b", "c"])
    (['a', 'b', 'c'], ['a,b'])
    """
    known = set(header)
    return [name for text in given for name in ([text] if text in known else map(str.strip, text.split(",")))]


def _target(
    table: Table, target: str, task: str, format: Format, drop_missing: bool, notes: list[str]
) -> tuple[Table, NDArray[Any], bool]:
    """Return the table without rows that lack a target, the targets, and whether these are classes."""
    from dataclasses import replace

    column = table.frame[target]
    missing = column.isna().to_numpy()
    if missing.all():
        raise InvalidFileError(table.path, f"column {target!r} has no values")
    if missing.any():
        if not drop_missing:
            raise InvalidFileError(
                table.path,
                f"{_places(table, np.flatnonzero(missing))}, column {target!r}: the value to predict is missing; "
                "--drop-missing leaves such rows out",
            )
        count = f"{missing.sum()} rows have" if missing.sum() > 1 else "1 row has"
        notes.append(f"{count} no value of {target!r} and {'are' if missing.sum() > 1 else 'is'} left out")
        rows = np.flatnonzero(~missing)
        whole = table
        table = replace(
            table, frame=table.frame.iloc[rows].reset_index(drop=True), place=lambda i: whole.where(rows[i])
        )
    texts = column_kinds.as_texts(table.frame[target])
    if task == "classification":
        return table, texts.astype(str), True
    numbers = column_kinds.as_numbers(table.frame[target], format)
    wrong = np.flatnonzero(np.isnan(numbers))
    if task == "auto" and len(wrong):
        distinct, counts = np.unique(texts.astype(str), return_counts=True)
        like = [column_kinds.is_number(text, format) or column_kinds.almost_a_number(text) for text in distinct]
        if counts[like].sum() < len(texts) / 2:
            if len(distinct) > max(MOST_CLASSES, len(texts) / 2):
                raise InvalidFileError(
                    table.path,
                    f"column {target!r} holds {len(distinct)} different texts in {len(texts)} rows, too many for classes; "
                    "to train on them anyway, give --task classification",
                )
            return table, texts.astype(str), True
    if len(wrong):
        why = ", as --task regression needs" if task == "regression" else ""
        where, text = table.where(wrong[0]), texts[wrong[0]]
        raise InvalidFileError(
            table.path,
            f"{where}, column {target!r}: {shortened(text)} is not a number{why}{column_kinds.advice(text, format)}"
            + ("" if why else "; if the column holds classes, give --task classification"),
        )
    if fault := column_kinds.size_fault(table, target, numbers):
        raise InvalidFileError(table.path, fault)
    if task == "auto" and len(np.unique(numbers)) <= MOST_CLASSES and bool((numbers % 1 == 0).all()):
        return table, texts.astype(str), True
    return table, numbers, False


def _places(table: Table, rows: NDArray[np.intp]) -> str:
    """Return a description of where the first few rows are."""
    places = [table.where(row) for row in rows[:3]]
    word = places[0].split()[0]
    numbers = [place.split()[1] for place in places]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"{word}{'s' if len(rows) > 1 else ''} {', '.join(numbers)}{more}"


def _numbers_rows(table: Table, name: str, i: int, kind: column_kinds.Kind, format: Format) -> bool:
    """Return whether a column is an index."""
    if i == 0 and name in ("", "Unnamed: 0"):
        return True
    if kind.name != "number" or kind.fault or not _ROW_NUMBER.fullmatch(name):
        return False
    numbers = column_kinds.as_numbers(table.frame[name], format)
    return len(numbers) > 1 + table.breaks and int((np.diff(numbers) != 1).sum()) <= table.breaks
