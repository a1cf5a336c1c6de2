"""The command line: `python bench/tabular`."""

import argparse
import csv
import resource
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from pyrelu._commands import processor
from tabular.learners import learner, names
from tabular.tables import tables

FIELDS = (
    *("learner", "table", "task", "seed", "n_train", "error", "log_loss", "one_minus_auc", "cpu_seconds", "note"),
    "multiply_adds",
)
SHIFT = 0.01  # added to each error before the geometric mean, so that a table without errors does not decide it
_DESCRIPTION = """\
Compares learners for tables: the error of classification, or RMSE / standard deviation, on 20% of the rows of each table,
after training with defaults and on one thread on the rest. Prints geometric means relative to one of the learners.

  python bench/tabular                               the tables that come with scikit-learn
  python bench/tabular --tables FOLDER               all CSV and Parquet files of a folder; the target is the last column
  python bench/tabular --learners auto,lightgbm      only these; those that are not installed are left out
  python bench/tabular --out results.csv             keep each result, and run only what the file does not have
  python bench/tabular --learners td --peak 110      CPU seconds as a multiple of what the matrix products take at the
                                                     processor's peak, which tools/step prints in GFLOP/s
"""


def main(arguments=None):
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(
        "bench/tabular", description=_DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tables", metavar="FOLDER", help="files to compare on")
    parser.add_argument("--learners", default="auto,td,mlp,histgb,lightgbm,catboost", help=", ".join(names()))
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="splits of each table (default: 3)")
    parser.add_argument("--max-rows", type=int, default=6000, metavar="N", help="of training (default: 6000)")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="CSV of all results")
    parser.add_argument("--peak", type=float, default=None, metavar="GFLOPS", help="of one thread, in float32")
    parser.add_argument("--base", default=None, metavar="LEARNER", help="what to compare with (default: the first)")
    given = parser.parse_args(arguments)
    chosen = given.learners.split(",")
    if unknown := [name for name in chosen if name not in names()]:
        parser.error(f"no learner {unknown[0]!r}; there are {', '.join(names())}")
    warnings.simplefilter("ignore")
    results = _known(given.out)
    measured = set()
    for seed in range(given.seeds):
        for table in tables(given.tables):
            measured.add((table.name, seed))
            for name in chosen:
                if (name, table.name, seed) in {(r["learner"], r["table"], int(r["seed"])) for r in results}:
                    continue
                results.append(measure(name, table, seed, given.max_rows))
                _keep(given.out, results[-1])
                print("\r", name, table.name, seed, end=" " * 20, file=sys.stderr)
    print("\r", end="", file=sys.stderr)
    asked = [result for result in results if (result["table"], int(result["seed"])) in measured]  # not all of --out
    _print(pd.DataFrame(asked), chosen, given.base or chosen[0])
    if given.peak:
        _print_share(pd.DataFrame(asked), chosen, given.peak)
    return 0


def measure(name, table, seed, max_rows):
    """Return one result, as a dict of FIELDS."""
    X, X_test, y, y_test = table.split(seed, max_rows)
    result = dict.fromkeys(FIELDS, np.nan) | {"note": ""}
    result |= {"learner": name, "table": table.name, "seed": seed, "n_train": len(X)}
    result["task"] = "classification" if table.is_classification else "regression"
    try:
        start = _cpu_seconds()
        model = learner(name, table, seed).fit(X, y)
        result["cpu_seconds"] = _cpu_seconds() - start
        result["multiply_adds"] = _multiply_adds(model)
        result |= _errors(model, table, X_test, y_test)
    except Exception as error:  # is not installed, or does not take such a table
        result["note"] = f"{type(error).__name__}: {error}"[:200]
    return result


def _multiply_adds(model):
    """Return the multiply-adds of the matrix products of our fits: forward, gradient of the weights, of the inputs.

    NaN without early stopping: the network may be a second one, trained on all rows (`refit`), and the first is gone.
    """
    networks = getattr(model, "estimators_", ())
    if not networks or any(not network.early_stopping for network in networks):
        return np.nan
    return sum(3 * sum(weights.size for weights in network.coefs_) * network.t_ for network in networks)


def _errors(model, table, X, y):
    if not table.is_classification:
        return {"error": float(np.sqrt(np.mean((np.ravel(model.predict(X)) - y) ** 2)) / y.std())}
    p = np.clip(np.asarray(model.predict_proba(X), float), 1e-7, 1)
    p /= p.sum(axis=1, keepdims=True)
    labels = np.asarray(model.classes_)
    errors = {"error": float(np.mean(labels[p.argmax(axis=1)] != y)), "log_loss": log_loss(y, p, labels=labels)}
    if len(labels) == 2:
        errors["one_minus_auc"] = 1 - roc_auc_score(y == labels[1], p[:, 1])
    return errors


def _cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _known(path):
    if path is None or not path.exists():
        return []
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = ("n_train", "error", "log_loss", "one_minus_auc", "cpu_seconds", "multiply_adds")
    return [row | {name: float(row.get(name) or "nan") for name in numbers} for row in rows]


def _keep(path, result):
    if path is not None:
        new = not path.exists()
        with open(path, "a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if new:
                writer.writeheader()
            writer.writerow(result)


def _print(results, chosen, base):
    results["seed"] = results["seed"].astype(int)
    for note in sorted(set(results["note"]) - {""}):
        print(f"left out {', '.join(sorted(set(results.learner[results.note == note])))}: {note}")
    results = results[(results["note"] == "") & results["learner"].isin(chosen)]
    print(
        f"\n{processor.processor()}\n\nerror, or RMSE / standard deviation; mean of {results['seed'].nunique()} splits\n"
    )
    errors = results.pivot_table(index="table", columns="learner", values="error")
    print(errors[[name for name in chosen if name in errors]].round(4).to_string())
    print(
        f"\ngeometric means relative to {base}, on the tables and splits that both have; the spread is that of splits\n"
    )
    print(
        pd.DataFrame([_relative(results, name, base) for name in chosen if name in errors])
        .round(3)
        .to_string(index=False)
    )


def _print_share(results, chosen, peak):
    results = results[(results["note"] == "") & results["learner"].isin(chosen)].dropna(subset="multiply_adds")
    results = results.assign(multiple=results["cpu_seconds"] * peak * 1e9 / (2 * results["multiply_adds"]))
    print(f"\nCPU seconds as a multiple of 2 x 3 x weights x rows x epochs operations at {peak:g} GFLOP/s\n")
    multiples = results.pivot_table(index="table", columns="learner", values="multiple")
    print(pd.concat([multiples, multiples.median().to_frame("median").T]).round(2).to_string())


def _relative(results, name, base):
    one, other = (results[results["learner"] == n].set_index(["table", "seed"]) for n in (name, base))
    both = one.index.intersection(other.index)
    one, other = one.loc[both], other.loc[both]
    row = {"learner": name, "tables": both.get_level_values("table").nunique()}
    for column in ("error", "log_loss", "one_minus_auc"):
        ratio = np.log((one[column] + SHIFT) / (other[column] + SHIFT)).dropna()
        of_splits = ratio.groupby("seed").mean()
        row[column] = np.exp(ratio.groupby("table").mean().mean())
        row[f"+-{column[:5]}"] = of_splits.std() if len(of_splits) > 1 else np.nan
    row["CPU s / 1000 rows"] = (1000 * one["cpu_seconds"] / one["n_train"]).median()
    return row
