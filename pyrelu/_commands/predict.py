"""`pyrelu predict`: from a network in a file and a table in another to predictions."""

from __future__ import annotations

import csv
import io
import json
import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrelu._commands import progress, table_file
from pyrelu._commands.column_kinds import as_texts
from pyrelu._commands.columns import Columns
from pyrelu._commands.datasets import split_names
from pyrelu._commands.options import check_output, format_of
from pyrelu._storage.files import write_atomically
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

if TYPE_CHECKING:
    import argparse


def command(options: argparse.Namespace) -> int:
    """Predict as the options say."""
    if options.output:
        check_output(options.output, options.model, options.data)
    mlp = load(options.model)
    if options.proba and not hasattr(mlp, "predict_proba"):
        raise InvalidParameterError(f"--proba needs a classifier; {options.model} holds a regressor")
    if not hasattr(mlp, "n_features_in_"):
        raise InvalidParameterError(f"{options.model} holds a network that is not fitted")
    kept, X = _inputs(mlp, options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")  # they were matched by name
        try:
            columns = _columns(mlp, X, options.proba, kept)
        except ValueError as error:  # a column is not what it was in the fit
            raise InvalidFileError(options.data, f"does not fit the model: {error}") from error
    text = (_as_json if options.json else _as_csv)(kept | columns)
    if options.output:
        write_atomically(options.output, text.encode())
        print(f"{len(X)} predictions: {options.output}", file=sys.stderr)
    else:
        print(text, end="")
    return 0


def load(path: str) -> Any:
    """Return the estimator in a file; raise InvalidFileError if there is none."""
    from pyrelu.neural_network import MLPClassifier, MLPRegressor
    from pyrelu.tabular import TabularMLPClassifier, TabularMLPRegressor

    errors = []
    for cls in (MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor):
        try:
            return cls.load(path)
        except InvalidFileError as error:
            if not str(error).endswith(f", not {cls.__name__}"):
                raise
            errors.append(error)
    raise errors[0]


def _inputs(mlp: Any, options: argparse.Namespace) -> tuple[dict[str, list[str]], Any]:
    """Return the columns to keep, as name -> texts, and the inputs of the network."""
    learned = _learned(mlp, options.model)
    format = format_of(options, None if learned is None else learned.format)
    kept = [name for given in options.keep for name in (given, *given.split(","))]
    texts = [*(text.name for text in learned.texts), *(date.name for date in learned.dates)] if learned else []
    table = table_file.read(options.data, format, [*texts, *kept])
    if learned is None:  # a network without feature names uses the columns in their order
        learned = Columns.of_numbers(table.header)
        if len(table.header) != mlp.n_features_in_:
            raise InvalidFileError(
                options.data, f"has {len(table.header)} columns; the model expects {mlp.n_features_in_}"
            )
    kept = split_names(options.keep, table.header)
    table.check(kept)
    progress.say(*learned.check(table, format))
    X = (learned.typed if _is_tabular(mlp) and hasattr(mlp, "feature_names_in_") else learned.encode)(
        table.frame, format
    )
    if X.shape[1] != mlp.n_features_in_:
        raise InvalidFileError(
            options.model, f"describes {X.shape[1]} inputs; its network expects {mlp.n_features_in_}"
        )
    return {name: as_texts(table.frame[name]).tolist() for name in kept}, X


def _learned(mlp: Any, path: str) -> Columns | None:
    """Return the columns in the file: those that `pyrelu train` learned, or named numbers, or None."""
    if hasattr(mlp, "table_columns_"):
        try:
            return Columns.from_facts(mlp.table_columns_)
        except ValueError as error:
            raise InvalidFileError(path, f"is damaged: {error}") from None
    names = getattr(mlp, "feature_names_in_", None)
    if names is not None and _is_tabular(mlp):
        return Columns.of_preprocessor(mlp.preprocessor_)
    return None if names is None else Columns.of_numbers(list(names))


def _is_tabular(mlp: Any) -> bool:
    return hasattr(mlp, "preprocessor_")


def _columns(mlp: Any, X: Any, proba: bool, kept: Collection[str]) -> dict[str, list[Any]]:
    """Return heading -> values."""
    name = getattr(mlp, "target_name_", "prediction")
    if name in kept:
        name = f"predicted {name}"
    predictions = mlp.predict(X)
    if predictions.ndim == 1:
        columns = {name: predictions}
    else:
        columns = {f"{name}_{i}": column for i, column in enumerate(predictions.T)}
    if proba:
        columns |= {f"probability_{label}": p for label, p in zip(mlp.classes_, mlp.predict_proba(X).T, strict=True)}
    return {name: values.tolist() for name, values in columns.items()}


def _as_csv(columns: Mapping[str, Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _as_json(columns: Mapping[str, Sequence[Any]]) -> str:
    records = [dict(zip(columns, map(_value, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps(records, indent=2, allow_nan=False) + "\n"


def _value(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value
