"""`pyrelu train`: from a table in a file to a network in a file."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrelu._commands import datasets, interrupt, progress, standardised
from pyrelu._commands.options import check_output, estimator, network_class, network_parameters, reading
from pyrelu._commands.out_of_core import FolderRows, is_streamed
from pyrelu._text import MOST_NAMED, pairs, show
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

if TYPE_CHECKING:
    import argparse


def command(options: argparse.Namespace) -> int:
    """Train as the options say and save the network."""
    check_output(options.output, options.data)
    tabular = options.model == "tabular"
    Rows = FolderRows if not tabular and is_streamed(options.data) else _FileRows
    rows = Rows(options.data, options.target, options.test_size, options.seed, **reading(options))
    mlp = _network(rows.classification, options)
    rows.learn(mlp)
    columns = rows.columns
    notes = rows.notes + [f"column {name!r} is left out: {why}" for name, why in columns.left_out.items()]
    progress.say(*notes)
    start = time.perf_counter()
    interrupted = _fit(mlp, rows)
    seconds = time.perf_counter() - start
    if interrupted and not mlp.n_iter_:
        print("pyrelu: interrupted before the end of the first epoch; nothing is saved", file=sys.stderr)
        return 130
    mlp.verbose = False
    if not tabular:
        mlp.feature_names_in_ = np.array(columns.inputs, dtype=object)
    mlp.target_name_ = rows.target
    mlp.table_columns_ = columns.facts()
    n_training, n_test, *scored = map(int, rows.counts)
    report = {
        "task": "classification" if rows.classification else "regression",
        "target": rows.target,
        **({"classes": mlp.classes_.tolist()} if rows.classification else {}),
        "features": columns.names,
        "inputs": mlp.estimators_[0].n_features_in_ if tabular else len(columns.inputs),
        "training rows": n_training,
        **({"validation rows": scored[0]} if any(scored) else {}),
        "test rows": n_test,
        "epochs": int(mlp.n_iter_),
        "loss": round(float(mlp.loss_), 6),
        **_scores(mlp, rows, {"training": n_training, "test": n_test}),
        "seconds": round(seconds, 3),
        "model": options.output,
    }
    mlp.save(options.output)
    if interrupted:
        print(
            f"pyrelu: interrupted; {options.output} holds the network after {mlp.n_iter_} whole "
            f"epoch{'s' if mlp.n_iter_ > 1 else ''}",
            file=sys.stderr,
        )
    show(report | {"notes": notes} if options.json else report, options.json, _text)
    return 130 if interrupted else 0


class _FileRows:
    """The rows of a table in memory: see `out_of_core.FolderRows`."""

    def __init__(self, path: str, target: str | None, test_size: float, seed: int | None, **reading: Any) -> None:
        self._data = datasets.from_file(path, target, **reading)
        self._parts = self._data.split(test_size, seed)
        self.target, self.classification, self.notes = target, self._data.classification, self._data.notes
        if os.path.isdir(path):
            self.notes.append(f"all {len(self._data.y)} rows are read into memory; with --model mlp, they are not")
        self.counts = list(map(len, self._parts))

    def learn(self, mlp: Any) -> None:
        """Learn medians and categories of the rows to train on; encode all rows."""
        self._tabular = hasattr(mlp, "preset")
        self.columns, *self._X = self._data.encoded(*self._parts, typed=self._tabular)

    def fit(self, mlp: Any) -> None:
        """Train."""
        X, y = self._X[0], self._data.y[self._parts[0]]
        if self._tabular:
            mlp.fit(X, y)
        else:
            standardised.fit(mlp, X, y, len(self.columns.numbers))

    def scores(self, mlp: Any) -> dict[str, float]:
        """Return the score of the rows to train on, and of those to test on, if there are some."""
        return {
            part: float(mlp.score(X, self._data.y[rows]))
            for part, X, rows in zip(("training", "test"), self._X, self._parts, strict=True)
            if len(rows)
        }


def _text(report: Mapping[str, object]) -> str:
    """Return the report as text, without names by the hundred."""
    shortened = {
        name: [*fact[:MOST_NAMED], f"and {len(fact) - MOST_NAMED} more"]
        for name, fact in report.items()
        if isinstance(fact, list) and len(fact) > MOST_NAMED
    }
    undefined = {name: "undefined" for name, fact in report.items() if fact is None}
    return pairs({**report, **shortened, **undefined})


def _network(classification: bool, options: argparse.Namespace) -> Any:
    given = {"verbose": int(progress.wanted())}
    if options.activation is not None:
        given["activation"] = options.activation
    return estimator(network_class(options, classification), **given | network_parameters(options))


def _fit(mlp: Any, rows: FolderRows | _FileRows) -> bool:
    """Train; return whether Ctrl-C interrupted it. Warnings go to standard error, a line each."""
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(sys.stderr):  # `verbose` prints there
        warnings.simplefilter("always")
        try:
            with interrupt.raises(KeyboardInterrupt) as interrupts:  # a fit keeps its last complete epoch
                rows.fit(mlp)
        except KeyboardInterrupt:  # before the first epoch began
            raise interrupt.Interrupted from None
        except InvalidFileError:
            raise
        except ValueError as error:  # a parameter that is not allowed, or a fit that diverges
            raise InvalidParameterError(str(error)) from error
    progress.say(*(message for warning in caught if (message := _message(mlp, warning))))
    return bool(interrupts)


def _message(mlp: Any, warning: warnings.WarningMessage) -> str | None:
    """Return the message for a warning, in terms of command-line options; None for no message."""
    from sklearn.exceptions import ConvergenceWarning

    if issubclass(warning.category, ConvergenceWarning) and mlp.n_iter_ == mlp.max_iter:
        return f"training ended after {mlp.n_iter_} epochs without converging; raise --epochs"
    message = " ".join(str(warning.message).split())
    return None if message == "Training interrupted by user." else message  # printed after the model is saved


def _scores(mlp: Any, rows: FolderRows | _FileRows, parts: Mapping[str, int]) -> dict[str, float | None]:
    """Return the score on each part that has rows; None if it is undefined, like R2 of a single row."""
    score = "accuracy" if rows.classification else "R2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names, which X has not, and of scores that are not defined
        scores = rows.scores(mlp)
    return {
        f"{part} {score}": round(float(scores[part]), 4) if math.isfinite(scores[part]) else None
        for part, n in parts.items()
        if n
    }
