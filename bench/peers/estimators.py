"""The parts of a fit other than its steps, and other work of an estimator, beside scikit-learn."""

import subprocess
import sys
import warnings
from functools import partial
from statistics import median

import numpy as np

import peers
from peers import fit
from peers.report import Report
from peers.timing import once_in_turn
from pyrelu._commands.bench import chosen, machine

EPOCHS = 10  # by which a fit is longer than another, for what is left to be setting up and ending
FRESH = "import time, numpy\nstart = time.perf_counter_ns()\nimport pyrelu\nprint(time.perf_counter_ns() - start)"


def run(names=(), threads=1, rounds=7, size=1.0):
    """Time what `python bench/peers fit` does not.

    Parameters
    ----------
    names : sequence of str
        Of `TASKS`; none means all.
    threads : int
        For all who are compared.
    rounds : int
        How often each is timed.
    size : float
        Multiplies the number of rows.

    Returns
    -------
    Report
        Rows: task, milliseconds of the floor where it has one, of pyrelu and of scikit-learn, and ratios.

    Raises
    ------
    InvalidParameterError
        Where a name is not known.
    """
    names = chosen(names, list(TASKS), "a task")
    with peers.limited_to(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fits are cut short
        import sklearn

        rows = [_row(TASKS[name].__doc__.rstrip("."), TASKS[name](size, rounds)) for name in names]
        facts = machine({"scikit-learn": sklearn.__version__})
    return Report(
        title=f"Estimators, {threads} thread{'s' * (threads > 1)}: ms",
        rows=rows,
        summary={},
        facts=facts,
        notes=("floor: the bare matrix products of a prediction.",),
    )


def _row(task, times):
    ms = {candidate: time / 1e6 for candidate, time in times.items()}
    ours, floor, theirs = (ms.get(who) for who in ("pyrelu", "floor", "scikit-learn"))
    return {
        "task": task,
        "floor": floor,
        "pyrelu": ours,
        "pyrelu / floor": floor and ours / floor,
        "scikit-learn": theirs,
        "scikit-learn / pyrelu": theirs and theirs / ours,
    }


def estimators(*hidden, **settings):
    """Return name -> MLPClassifier of pyrelu and scikit-learn, with the same settings."""
    from sklearn.neural_network import MLPClassifier as Reference

    from pyrelu.neural_network import MLPClassifier

    settings = dict(hidden_layer_sizes=hidden, random_state=0, n_iter_no_change=1000, tol=0.0) | settings
    return {"pyrelu": MLPClassifier(**settings), "scikit-learn": Reference(**settings)}


def dense(rows, columns, dtype=np.float32):
    """Return random X and y of ten classes."""
    X = np.random.default_rng(0).uniform(0, 1, (rows, columns)).astype(dtype)
    return X, np.resize(np.arange(10), rows)


def sparse(rows, columns):
    """Return the same with 1% of X stored."""
    from scipy.sparse import random_array

    rng = np.random.default_rng(0)
    X = random_array((rows, columns), density=0.01, format="csr", dtype=np.float32, random_state=rng)
    return X, np.resize(np.arange(10), rows)


def _fits(X, y, rounds, *hidden, **settings):
    return once_in_turn({name: partial(mlp.fit, X, y) for name, mlp in estimators(*hidden, **settings).items()}, rounds)


# Each returns candidate -> nanoseconds; its docstring says what, for the table.


def predict_proba(size, rounds):
    """predict_proba, 200,000 x 64 through (256, 256)."""
    X, y = dense(max(10, int(200_000 * size)), 64)
    fitted = {name: mlp.fit(X[:2000], y[:2000]) for name, mlp in estimators(256, 256, max_iter=1).items()}
    calls = {name: partial(mlp.predict_proba, X) for name, mlp in fitted.items()}
    return once_in_turn({"floor": fit.forward_products([64, 256, 256, 10], len(X))} | calls, rounds)


def setup(size, rounds):
    """fit, 1,000 x 20, (100,), without its epoch."""
    X, y = dense(max(10, int(1000 * size)), 20)
    few = _fits(X, y, 3 * rounds, 100, max_iter=1)
    many = _fits(X, y, 3 * rounds, 100, max_iter=1 + EPOCHS)
    # a fit of one epoch, less a tenth of ten more
    return {name: few[name] - (many[name] - few[name]) / EPOCHS for name in few}


def import_(size, rounds):
    """import pyrelu, after numpy."""
    command = [sys.executable, "-c", FRESH]
    return {"pyrelu": median(int(subprocess.check_output(command)) for _ in range(rounds))}


def sparse_fit(size, rounds):
    """fit, CSR 10,000 x 10,000 with 1% stored, (100,), 2 epochs."""
    return _fits(*sparse(max(10, int(10_000 * size)), 10_000), rounds, 100, max_iter=2)


def lbfgs(size, rounds):
    """fit, lbfgs, 2,000 x 64, (100,), float64, 20 iterations."""
    X, y = dense(max(10, int(2000 * size)), 64, np.float64)
    return _fits(X, y, rounds, 100, solver="lbfgs", max_iter=20)


def lbfgs_large(size, rounds):
    """fit, lbfgs, 20,000 x 64, (256, 256), 5 iterations."""
    return _fits(*dense(max(10, int(20_000 * size)), 64), rounds, 256, 256, solver="lbfgs", max_iter=5)


TASKS = {
    "predict_proba": predict_proba,
    "setup": setup,
    "import": import_,
    "sparse": sparse_fit,
    "lbfgs": lbfgs,
    "lbfgs_large": lbfgs_large,
}
