"""Fitted estimators to attack, and everything that can be called on them."""

import copy
import functools
import os
import pickle

import numpy as np
import scipy.sparse
from helpers import HAS_CALLBACKS
from sklearn.base import clone

from pyrelu import MLPClassifier, MLPRegressor, inspection
from pyrelu._mlp.activation import names, resolve
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu.callbacks import EarlyStopping

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
TARGETS = {
    "two classes": (X[:, 0] > 0).astype(int),
    "three classes": np.arange(40) % 3,
    "words": np.array(["red", "green", "blue"])[np.arange(40) % 3],
    "multilabel": (X[:, :2] > 0).astype(int),
    "one output": X[:, 0],
    "two outputs": np.abs(X[:, :2]),
}
SOLVERS = ("lbfgs", *STOCHASTIC)
SETTINGS = (
    {},
    {"early_stopping": True},
    {"dropout": 0.2, "clip_norm": 1.0},
    {"learning_rate": "cosine", "l1": 0.01},
    {"nesterovs_momentum": False, "batch_size": 7},
    {"learning_rate": ("step", {"step_size": 1, "gamma": 1.5}), "warm_start": True},
    {"learning_rate": "one_cycle", "shuffle": False},
    {"learning_rate": "invscaling", "power_t": 3.0},
    {
        "numeric_embedding": ("periodic", {"n_frequencies": 3, "size": 2}),
        "categorical_features": [3],
        "embedding_size": 2,
        "scale_inputs": True,
        "dropout": (0.2, 0.1, 0.0),
        "dropout_schedule": "flat_cos",
    },
    {
        "numeric_embedding": ("piecewise_linear", {"n_bins": 3}),
        "numeric_features": [0, 2],
        "param_groups": {
            "weights": {"ntk": True, "schedule": "coslog4"},
            "numeric_embeddings": {"alpha": 0.5, "learning_rate": 0.1},
        },
        "alpha_schedule": ("step", {"step_size": 1}),
        "drop_last": True,
        "batch_size": 7,
    },
    {"scale_inputs": True, "init": ("he_normal", {"bias_std": 0.1, "zero_output": True}), "learning_rate": "coslog4"},
    {"init": "unit_variance", "categorical_features": [False, False, False, True], "learning_rate": "flat_cos"},
    {
        "ensemble_size": 3,
        "dropout": (0.2, 0.1, 0.0),
        "scale_inputs": True,
        "param_groups": {"adapters": {"alpha": 0.5}},
    },
)
LARGE = ("max_iter", "max_fun")  # parameters that are for long fits
ERRORS = (ValueError, TypeError)
# What Python, NumPy and scikit-learn say of attributes that someone has overwritten or deleted.
THEIR_ERRORS = (*ERRORS, ArithmeticError, AttributeError, LookupError, NotImplementedError, UnboundLocalError)


# ---- models: each activation, with the solvers, targets and settings in turn ----


@functools.cache
def model(i):
    """Return a fitted estimator, and the X and y that it was fitted to."""
    activations = names()
    activation = activations[i % len(activations)]
    target = list(TARGETS)[i % len(TARGETS)]
    settings = dict(SETTINGS[i % len(SETTINGS)])
    solver = SOLVERS[(i // 2) % len(SOLVERS)]
    if solver == "lbfgs":
        settings.pop("dropout", None)
    if activation == "threshold":
        activation = ("threshold", {"threshold": 0.1, "value": 0.2})
    cls = MLPRegressor if "output" in target else MLPClassifier
    if target == "two outputs":
        settings["loss"] = "poisson"
    elif target != "one output":
        settings["loss"] = ("log_loss", "focal")[i // len(TARGETS) % 2]
    elif i // len(TARGETS) % 2:
        settings["loss"] = ("quantile", {"level": [0.1, 0.9], "monotone": True})
    data = X.astype(np.float32) if i % 3 == 0 else X
    if "categorical_features" in settings:
        data = np.column_stack([data[:, :3], abs(data[:, 3]).round()]).astype(data.dtype)
    mlp = cls(hidden_layer_sizes=(6, 4), activation=[activation, "relu"], solver=solver, max_iter=2, random_state=i)
    if i % 5 == 0 and resolve(activation, 1)[0].transform == "elementwise":
        mlp.set_params(parametric_activation=True)
    return mlp.set_params(**settings).fit(data, TARGETS[target]), data, TARGETS[target]


# ---- all that there is to call ----


def calls(mlp, X, y, rnd):
    """Return functions of everything that reads a fitted estimator."""
    with_callbacks = [
        lambda: mlp.set_callbacks(inspection.ActivityRecorder(X)).set_params(warm_start=True).fit(X, y),
        lambda: mlp.set_callbacks(EarlyStopping(patience=1)).set_params(warm_start=True).fit(X, y),
    ]
    found = [
        lambda: mlp.predict(X),
        lambda: mlp.score(X, y),
        lambda: mlp.predict(scipy.sparse.csr_array(X)),
        lambda: mlp.set_params(warm_start=True).fit(X, y),
        lambda: mlp.save(f"{os.curdir}/saved"),
        lambda: type(mlp).load(f"{os.curdir}/saved") if os.path.exists("saved") else None,
        lambda: pickle.loads(pickle.dumps(mlp)),
        lambda: clone(mlp),
        lambda: inspection.layer_report(mlp, X, y),
        lambda: inspection.dead_units(mlp, X),
        lambda: inspection.unit_activity(mlp, X),
        lambda: inspection.gradient_norms(mlp, X, y),
        lambda: inspection.local_linear_map(mlp, X[0]),
        lambda: mlp.to_sklearn(),
        lambda: type(mlp).from_sklearn(mlp.to_sklearn()).predict(X),
        *(with_callbacks if HAS_CALLBACKS else []),
        lambda: mlp.fit(X, y, eval_set=(X, y)),
        lambda: copy.deepcopy(mlp).predict(X),
        lambda: repr(mlp) + mlp._repr_html_(),
    ]
    if isinstance(mlp, MLPClassifier):
        found += [lambda: mlp.predict_proba(X), lambda: mlp.predict_log_proba(X)]
    if isinstance(mlp.solver, str) and mlp.solver in STOCHASTIC:
        found += [lambda: mlp.partial_fit(X, y), lambda: mlp.partial_fit(scipy.sparse.csr_array(X), y)]
    rnd.shuffle(found)
    return found


class Unexpected(Exception):
    """Something was raised that a user does not expect."""


def attempt(function, allowed=THEIR_ERRORS):
    """Call it, and raise Unexpected where it raises anything that is not allowed."""
    try:
        function()
    except allowed:
        pass
    except Exception as error:
        raise Unexpected(f"{type(error).__name__}: {error}") from error


def use(mlp, X, y, rnd, n=5):
    for function in calls(mlp, X, y, rnd)[:n]:
        attempt(function)
