"""`pyrelu compare`: activations on one data set, each with several seeds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrelu._commands import datasets
from pyrelu._commands.demo import ACTIVATIONS
from pyrelu._commands.options import Named, estimator, label, network_class, network_parameters, reading
from pyrelu._commands.progress import bar, say
from pyrelu._text import aligned, show
from pyrelu.exceptions import InvalidParameterError

if TYPE_CHECKING:
    import argparse

Scores = dict[str, float]  # of a fit


def command(options: argparse.Namespace) -> int:
    """Compare as the options say."""
    seed = 0 if options.seed is None else options.seed
    data = datasets.load(options.data, options.target, **reading(options))
    if not options.test_size:
        raise InvalidParameterError("--test-size 0 leaves no row to test on")
    say(*data.notes)
    show(run(data, options.activations or ACTIVATIONS, options, seed), options.json, table)
    return 0


def run(
    data: datasets.Data, activations: Sequence[Named], options: argparse.Namespace, seed: int = 0
) -> dict[str, Any]:
    """Train with each activation and seed, on the same splits.

    Parameters
    ----------
    data : Data
    activations : sequence
        As the estimators' `activation`.
    options : argparse.Namespace
        `model`, `repeats`, `test_size` and those that `network_parameters` reads.
    seed : int, default=0
        The first of the seeds; each determines a split and the first weights.

    Returns
    -------
    dict
        What was trained on, and one row per activation.
    """
    cls = network_class(options, data.classification)
    settings = network_parameters(options)
    seeds = range(seed, seed + options.repeats)
    jobs = [(activation, seed) for activation in activations for seed in seeds]
    runs: dict[str, list[Scores | None]] = {}
    for activation, at in bar(jobs, "fits"):
        mlp = estimator(cls, **settings | {"activation": activation, "random_state": at})
        runs.setdefault(label(activation), []).append(_once(mlp, data, options, at))
    return {
        "data": data.name,
        "rows": len(data.y),
        "features": data.X.shape[1],
        "score": "accuracy" if data.classification else "R2",
        "seeds": list(seeds),
        "settings": {name: value for name, value in settings.items() if name != "random_state"},
        "activations": [_row(name, results) for name, results in runs.items()],
    }


def _once(mlp: Any, data: datasets.Data, options: argparse.Namespace, seed: int) -> Scores | None:
    """Return test score, training score, epochs, seconds and share of dead units of a fit; None if it diverges."""
    from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

    from pyrelu._commands import standardised
    from pyrelu._mlp.training import NOT_FINITE
    from pyrelu.exceptions import DeadUnitWarning

    tabular = options.model == "tabular"
    training, held_out = data.split(options.test_size, seed)
    learned, X_train, X_test = data.encoded(training, held_out, typed=tabular)
    y_train, y_test = data.y[training], data.y[held_out]
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # R2 of a single row
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", DeadUnitWarning)  # the table says how many
        try:
            if tabular:
                mlp.fit(X_train, y_train)
            else:
                standardised.fit(mlp, X_train, y_train, len(learned.numbers) if learned else None)
        except ValueError as error:
            if str(error).startswith(NOT_FINITE.partition("{")[0]):
                return None
            raise InvalidParameterError(str(error)) from error
        seconds = time.perf_counter() - start
        networks = mlp.estimators_ if tabular else [mlp]
        dead = [units for network in networks for units in network.dead_units_]
        return {
            "test": float(mlp.score(X_test, y_test)),
            "training": float(mlp.score(X_train, y_train)),
            "epochs": int(mlp.n_iter_),
            "seconds": seconds,
            "dead": float(np.mean(np.concatenate(dead))) if dead else 0.0,
        }


def _row(name: str, results: Sequence[Scores | None]) -> dict[str, Any]:
    done = [result for result in results if result]
    columns = {key: [result[key] for result in done] for key in ("test", "training", "epochs", "seconds", "dead")}
    row = {"activation": name, "runs": len(results), "diverged": len(results) - len(done)}
    for key, values in columns.items():
        row[f"{key} mean"] = _rounded(np.mean(values)) if done else None
        row[f"{key} sd"] = _rounded(np.std(values, ddof=1)) if len(done) > 1 else None
    return row | {"test scores": [result and _rounded(result["test"]) for result in results]}


def _rounded(value: float | np.floating[Any]) -> float | None:
    """Return a number for JSON, which has no NaN."""
    return round(float(value), 4) if np.isfinite(value) else None


def table(report: Mapping[str, Any]) -> str:
    """Return the report as text."""
    headings = [
        "activation",
        f"test {report['score']}",
        f"training {report['score']}",
        "epochs",
        "seconds",
        "dead units",
    ]
    percent = report["score"] == "accuracy"
    lines = []
    for row in report["activations"]:
        formats = {"test": percent, "training": percent, "epochs": None, "seconds": False, "dead": True}
        cells = [_spread(row[f"{key} mean"], row[f"{key} sd"], kind) for key, kind in formats.items()]
        lines.append([row["activation"], *cells, f"{row['diverged']} of {row['runs']}" if row["diverged"] else ""])
    diverged = any(row["diverged"] for row in report["activations"])
    lines = [[*headings, "diverged"], *lines]
    seeds = report["seeds"]
    of = f"{report['data']}: {report['rows']} rows, {report['features']} features"
    several = f"mean ± standard deviation over the seeds {seeds[0]} to {seeds[-1]}"
    head = f"{of}; {several if len(seeds) > 1 else f'seed {seeds[0]}'}"
    return f"{head}\n\n" + aligned(lines if diverged else [line[:-1] for line in lines])


def _spread(mean: float | None, sd: float | None, percent: bool | None) -> str:
    """Return mean and spread: as percentages, as numbers of three decimals (False), or of none (None)."""
    if mean is None:
        return "-"
    pattern = "{:.0f}" if percent is None else "{:.1%}" if percent else "{:.3f}"
    return pattern.format(mean) + ("" if sd is None else f" ± {pattern.format(sd)}")
