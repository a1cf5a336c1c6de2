"""What `pyrelu compare` trains on: scikit-learn's data sets that need no download, or a CSV file."""

import os
from dataclasses import dataclass

import numpy as np

from pyrelu._commands import csv_file
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

# A CSV's target that is all whole numbers, and of no more kinds, is taken for classes: digits, grades and months are
# such, ages and prices are not.
MOST_CLASSES = 20


@dataclass(frozen=True)
class Data:
    """Rows to train on.

    Attributes
    ----------
    name : str
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    feature_names : list of str
    target : str
    classification : bool
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    feature_names: list
    target: str
    classification: bool


def _loaded(name):
    def load():
        from sklearn import datasets

        return getattr(datasets, f"load_{name}")(return_X_y=True)

    return load


def _made(name, **settings):
    def make():
        from sklearn import datasets

        return getattr(datasets, f"make_{name}")(1000, random_state=0, **settings)

    return make


BUILT_IN = {
    **{name: _loaded(name) for name in ("digits", "iris", "wine", "breast_cancer", "diabetes")},
    "moons": _made("moons", noise=0.2),
    "circles": _made("circles", noise=0.1, factor=0.6),
}


def load(name, target, ignored=(), task="auto", delimiter=","):
    """Return the `Data` of a name in BUILT_IN, else of a CSV file; see `from_csv`.

    Raises
    ------
    InvalidParameterError
        Where there is neither, or where a name comes with what only files have.
    """
    if name in BUILT_IN:
        if target is not None or ignored or task != "auto":
            raise InvalidParameterError(f"--target, --ignore and --task are for CSV files; {name} needs none of them")
        X, y = BUILT_IN[name]()
        return Data(name, X, y, [f"x{i}" for i in range(X.shape[1])], "y", name != "diabetes")
    if name != "-" and not os.path.exists(name):
        raise InvalidParameterError(f"--data {name}: there is no such file, and the names are {', '.join(BUILT_IN)}")
    return from_csv(name, target, ignored, task, delimiter)


def from_csv(path, target, ignored=(), task="auto", delimiter=","):
    """Read features and target.

    Parameters
    ----------
    path : str
    target : str or None
        The target's column; all others but those ignored are features, which must be numbers.
    ignored : sequence of str
    task : {"auto", "classification", "regression"}
        auto: classification where the target holds text, or whole numbers of no more than 20 kinds.
    delimiter : str

    Returns
    -------
    Data
        For classification, the classes are the target's texts as they stand in the file.

    Raises
    ------
    InvalidFileError
        Where the file is not as described, with its line and column.
    InvalidParameterError
        Where `target` is None.
    OSError
        Where it cannot be opened.
    """
    if target is None:
        raise InvalidParameterError(f"{path} is a CSV file: say with --target which column is to be predicted")

    def choose(header):
        for name in ignored:
            if name not in header:
                raise InvalidFileError(path, csv_file.no_column(name, header))
        return [name for name in header if name != target and name not in ignored], target

    advice = "; encode text as numbers, or leave the column out with --ignore"
    table = csv_file.read(path, choose, delimiter, advice)
    if not table.names:
        raise InvalidFileError(path, f"has no column of features beside {target!r}")
    numbers = csv_file.as_numbers(table.texts)
    if task == "auto":
        classification = numbers is None or _are_classes(numbers)
    else:
        classification = task == "classification"
    if not classification and numbers is None:
        line, text = next((i, text) for i, text in zip(table.lines, table.texts) if csv_file.as_numbers([text]) is None)
        raise InvalidFileError(
            path, f"line {line}, column {target!r}: {text!r} is not a number, as --task regression needs"
        )
    y = np.array(table.texts) if classification else numbers
    if classification and len(set(table.texts)) < 2:
        raise InvalidFileError(path, f"column {target!r}: all rows are of the class {table.texts[0]!r}")
    return Data(path, table.numbers, y, table.names, target, classification)


def _are_classes(numbers):
    return len(np.unique(numbers)) <= MOST_CLASSES and bool((numbers % 1 == 0).all())
