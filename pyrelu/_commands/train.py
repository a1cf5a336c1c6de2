"""`pyrelu train`: from a table in a file to a network in a file."""

import math
import sys
import time
import warnings
from contextlib import redirect_stdout

import numpy as np

from pyrelu._commands import datasets, interrupt, progress, standardised
from pyrelu._commands.options import check_output, estimator, network_parameters, reading
from pyrelu._text import MOST_NAMED, pairs, show
from pyrelu.exceptions import InvalidParameterError


def command(options):
    """Train as the options say and save the network."""
    check_output(options.output, options.data)
    data = datasets.from_file(options.data, options.target, **reading(options))
    mlp = _network(data, options)
    training, held_out = data.split(options.test_size, options.seed)
    tabular = options.model == "tabular"
    columns, X, X_held_out = data.encoded(training, held_out, typed=tabular)
    notes = data.notes + [f"column {name!r} is left out: {why}" for name, why in columns.left_out.items()]
    progress.say(*notes)
    start = time.perf_counter()
    interrupted = _fit(mlp, X, data.y[training], None if tabular else len(columns.numbers))
    seconds = time.perf_counter() - start
    if interrupted and not mlp.n_iter_:
        print("pyrelu: interrupted before the end of the first epoch; nothing is saved", file=sys.stderr)
        return 130
    mlp.verbose = False
    if not tabular:
        mlp.feature_names_in_ = np.array(columns.inputs, dtype=object)
    mlp.target_name_ = data.target
    mlp.table_columns_ = columns.facts()
    report = {
        "task": "classification" if data.classification else "regression",
        "target": data.target,
        **({"classes": mlp.classes_.tolist()} if data.classification else {}),
        "features": columns.names,
        "inputs": mlp.estimators_[0].n_features_in_ if tabular else len(columns.inputs),
        "training rows": len(training),
        "test rows": len(held_out),
        "epochs": int(mlp.n_iter_),
        "loss": round(float(mlp.loss_), 6),
        **_scores(mlp, data, {"training": (X, training), "test": (X_held_out, held_out)}),
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


def _text(report):
    """Return the report as text, without names by the hundred."""
    shortened = {
        name: [*fact[:MOST_NAMED], f"and {len(fact) - MOST_NAMED} more"]
        for name, fact in report.items()
        if isinstance(fact, list) and len(fact) > MOST_NAMED
    }
    undefined = {name: "undefined" for name, fact in report.items() if fact is None}
    return pairs(report | shortened | undefined)


def _network(data, options):
    if options.model == "tabular":
        from pyrelu.tabular import TabularMLPClassifier as Classifier
        from pyrelu.tabular import TabularMLPRegressor as Regressor
    else:
        from pyrelu.neural_network import MLPClassifier as Classifier
        from pyrelu.neural_network import MLPRegressor as Regressor
    given = {"verbose": int(progress.wanted())}
    if options.activation is not None:
        given["activation"] = options.activation
    return estimator(Classifier if data.classification else Regressor, **given | network_parameters(options))


def _fit(mlp, X, y, n_scaled):
    """Train; return whether Ctrl-C interrupted it. Warnings go to standard error, a line each."""
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(sys.stderr):  # `verbose` prints there
        warnings.simplefilter("always")
        try:
            with interrupt.raises(KeyboardInterrupt) as interrupts:  # a fit keeps its last complete epoch
                if n_scaled is None:
                    mlp.fit(X, y)
                else:
                    standardised.fit(mlp, X, y, n_scaled)
        except KeyboardInterrupt:  # before the first epoch began
            raise interrupt.Interrupted from None
        except ValueError as error:  # a parameter that is not allowed, or a fit that diverges
            raise InvalidParameterError(str(error)) from error
    progress.say(*(message for warning in caught if (message := _message(mlp, warning))))
    return bool(interrupts)


def _message(mlp, warning):
    """Return the message for a warning, in terms of command-line options; None for no message."""
    from sklearn.exceptions import ConvergenceWarning

    if issubclass(warning.category, ConvergenceWarning) and mlp.n_iter_ == mlp.max_iter:
        return f"training ended after {mlp.n_iter_} epochs without converging; raise --epochs"
    message = " ".join(str(warning.message).split())
    return None if message == "Training interrupted by user." else message  # printed after the model is saved


def _scores(mlp, data, parts):
    """Return the score on each part that has rows; None if it is undefined, like R2 of a single row."""
    score = "accuracy" if data.classification else "R2"
    scores = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names, which X has not, and of scores that are not defined
        for part, (X, rows) in parts.items():
            if len(rows):
                value = float(mlp.score(X, data.y[rows]))
                scores[f"{part} {score}"] = round(value, 4) if math.isfinite(value) else None
    return scores
