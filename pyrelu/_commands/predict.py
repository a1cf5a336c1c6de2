"""`pyrelu predict`: from a network in a file and a CSV file to predictions."""

import csv
import io
import json
import sys
import warnings

from pyrelu._commands import csv_file
from pyrelu._commands.options import check_output
from pyrelu._storage.files import write_atomically
from pyrelu.exceptions import InvalidFileError, InvalidParameterError


def command(options):
    """Predict as the options say."""
    if options.output:
        check_output(options.output, options.model, options.data)
    mlp = load(options.model)
    if options.proba and not hasattr(mlp, "predict_proba"):
        raise InvalidParameterError(f"--proba needs a classifier; {options.model} holds a regressor")
    X = _features(mlp, options.data, options.delimiter)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")  # they were matched by name
        columns = _columns(mlp, X, options.proba)
    text = (_as_json if options.json else _as_csv)(columns)
    if options.output:
        write_atomically(options.output, text.encode())
        print(f"{len(X)} predictions: {options.output}", file=sys.stderr)
    else:
        print(text, end="")
    return 0


def load(path):
    """Return the estimator in a file; InvalidFileError where there is none."""
    from pyrelu.neural_network import MLPClassifier, MLPRegressor

    try:
        return MLPClassifier.load(path)
    except InvalidFileError as error:
        try:
            return MLPRegressor.load(path)
        except InvalidFileError:
            raise error from None


def _features(mlp, path, delimiter):
    """Return the columns that the network was trained on, whatever their order; the others are left out."""
    if not hasattr(mlp, "coefs_"):
        raise InvalidParameterError("the model is not fitted")
    names = getattr(mlp, "feature_names_in_", None)
    table = csv_file.read(path, lambda header: (header if names is None else list(names), None), delimiter)
    if table.numbers.shape[1] != mlp.n_features_in_:  # only where the network knows no names
        raise InvalidFileError(path, f"has {table.numbers.shape[1]} columns; the model takes {mlp.n_features_in_}")
    return table.numbers


def _columns(mlp, X, proba):
    """Return heading -> values."""
    name = getattr(mlp, "target_name_", "prediction")
    predictions = mlp.predict(X)
    if predictions.ndim == 1:
        columns = {name: predictions}
    else:
        columns = {f"{name}_{i}": column for i, column in enumerate(predictions.T)}
    if proba:
        columns |= {f"probability_{label}": p for label, p in zip(mlp.classes_, mlp.predict_proba(X).T, strict=True)}
    return {name: values.tolist() for name, values in columns.items()}


def _as_csv(columns):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _as_json(columns):
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps(records, indent=2) + "\n"
