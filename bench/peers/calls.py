"""What a call costs beside its arithmetic: of a number, of a few elements, of runs of them, of one row to predict."""

import warnings
from functools import partial

import numpy as np

import pyrelu
from peers.estimators import dense, estimators
from peers.functions import selected
from peers.report import Report
from pyrelu._commands.bench import arrays, call, machine, on_threads
from pyrelu._commands.formulas import PARAMETER
from pyrelu._commands.timing import in_turn
from pyrelu.registry import activations

FEW, RUNS = 16, 30_000  # elements


def run(names=(), seconds=0.4):
    """Time calls whose arithmetic takes less than the call itself, against those of NumPy and scikit-learn.

    Parameters
    ----------
    names : sequence of str
        Functions; none means all.
    seconds : float
        Time to spend on each candidate.

    Returns
    -------
    Report
        Rows: what, its microseconds, against what, the microseconds of that, ratio of the latter to the former.
    """
    names = selected(names)
    with on_threads(1):
        rows = [row for name in names for row in _of_function(name, seconds)]
        rows += [
            _of_one_row(n_classes, method, seconds) for n_classes in (2, 10) for method in ("predict", "predict_proba")
        ]
        import sklearn

        facts = machine({"scikit-learn": sklearn.__version__})
    return Report(
        title="Calls: microseconds, least of all samples; ratio = time of what it is held against / its own",
        rows=rows,
        summary={},
        facts=facts,
        drawn=("us", "us of that"),
        notes=(f"where=: float64, {RUNS:,} elements, two of three true, so that a ufunc gets two at a time.",),
    )


def _row(what, against, candidates, seconds):
    own, other = in_turn(dict(zip(("own", "other"), candidates, strict=True)), seconds, statistic=min).values()
    return {"what": what, "us": own / 1e3, "against": against, "us of that": other / 1e3, "ratio": other / own}


def _of_function(name, seconds):
    x = arrays(name, "float32", FEW)
    out = np.empty_like(x)
    few = call(name, "functional", x), partial(np.tanh, x, out=out)
    yield _row(f"{name}, {FEW} elements", "np.tanh", few, seconds)
    if name not in activations:
        return  # along an axis: of no number, and without where=
    function = getattr(pyrelu, name)
    parameters = [PARAMETER for default in activations[name].parameters.values() if default is None]
    yield _row(f"{name}(1.5)", "np.tanh", (partial(function, 1.5, *parameters), partial(np.tanh, 1.5)), seconds)
    x = arrays(name, "float64", RUNS)
    where = {"out": np.zeros_like(x), "where": np.arange(RUNS) % 3 > 0}
    yield _row(
        f"{name}, where=", "np.exp", (partial(function, x, *parameters, **where), partial(np.exp, x, **where)), seconds
    )


def _of_one_row(n_classes, method, seconds):
    X, y = dense(200, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fits are cut short
        fitted = [mlp.fit(X, y % n_classes) for mlp in estimators(100, max_iter=1).values()]
    calls = [partial(getattr(mlp, method), X[:1]) for mlp in fitted]
    return _row(f"{method}, one row, (100,), {n_classes} classes", "scikit-learn", calls, seconds)
