"""`pyrelu train`: from a CSV file to a network in a file."""

import sys
import time
import warnings
from contextlib import redirect_stdout

import numpy as np

from pyrelu._commands import datasets, progress, standardised
from pyrelu._commands.options import check_output, estimator, network_parameters
from pyrelu._text import pairs, show
from pyrelu.exceptions import InvalidParameterError


def command(options):
    """Train as the options say and save the network."""
    from sklearn.model_selection import train_test_split

    check_output(options.output, options.data)
    data = datasets.from_csv(options.data, options.target, options.ignore, options.task, options.delimiter)
    mlp = _network(data, options)
    rows = np.arange(len(data.y))
    training, held_out = rows, rows[:0]
    if options.test_size:
        strata = data.y if data.classification and np.unique(data.y, return_counts=True)[1].min() > 1 else None
        try:
            training, held_out = train_test_split(
                rows, test_size=options.test_size, random_state=options.seed, stratify=strata
            )
        except ValueError as error:
            raise InvalidParameterError(f"--test-size {options.test_size:g}: {error}") from None
    seconds = _fit(mlp, data, training)
    mlp.verbose = False
    mlp.feature_names_in_ = np.array(data.feature_names, dtype=object)
    mlp.target_name_ = data.target
    mlp.save(options.output)
    report = _report(mlp, data, training, held_out, seconds, options.output)
    show(report, options.json, pairs)
    return 0


def _network(data, options):
    from pyrelu.neural_network import MLPClassifier, MLPRegressor

    return estimator(
        MLPClassifier if data.classification else MLPRegressor,
        **{"activation": options.activation, "verbose": int(progress.wanted())} | network_parameters(options),
    )


def _fit(mlp, data, training):
    """Train; return the seconds that it took. What it warns of goes to standard error, a line each."""
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(sys.stderr):  # where `verbose` has its say
        warnings.simplefilter("always")
        try:
            standardised.fit(mlp, data.X[training], data.y[training])
        except ValueError as error:  # a parameter that is not allowed, or a fit that diverges
            raise InvalidParameterError(str(error)) from error
    for warning in caught:
        print(f"pyrelu: {' '.join(str(warning.message).split())}", file=sys.stderr)
    return time.perf_counter() - start


def _report(mlp, data, training, held_out, seconds, output):
    score = "accuracy" if data.classification else "R2"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")  # they are columns of data.X, in order
        scores = {
            f"{part} {score}": round(float(mlp.score(data.X[rows], data.y[rows])), 4)
            for part, rows in (("training", training), ("test", held_out))
            if len(rows)
        }
    return {
        "task": "classification" if data.classification else "regression",
        "target": data.target,
        **({"classes": mlp.classes_.tolist()} if data.classification else {}),
        "features": data.feature_names,
        "training rows": len(training),
        "test rows": len(held_out),
        "epochs": int(mlp.n_iter_),
        "loss": round(float(mlp.loss_), 6),
        **scores,
        "seconds": round(seconds, 3),
        "model": output,
    }
