"""Fit and predict of MLPClassifier."""

import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits

import pyrelu
from peers import estimators, fit
from pyrelu import MLPClassifier
from pyrelu.callbacks import Checkpoint, EarlyStopping


def _digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


class Fit:
    """Ten epochs of digits, 64-100-10."""

    param_names = ("activation", "solver", "batch_size")
    params = (["relu", "gelu", "tanh"], ["adam", "sgd"], [32, 200])

    def setup(self, activation, solver, batch_size):
        self.X, self.y = _digits()
        self.model = MLPClassifier(
            activation=activation,
            solver=solver,
            batch_size=batch_size,
            max_iter=10,
            n_iter_no_change=10,
            random_state=0,
        )

    def time_fit(self, activation, solver, batch_size):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.fit(self.X, self.y)


class Networks:
    """One fit of each network of `python bench/peers fit`."""

    param_names = ("network", "activation", "threads")
    params = (fit.NETWORKS, ["relu", "gelu", "tanh"], [1, 2])

    def setup(self, network, activation, threads):
        pyrelu.set_num_threads(threads)
        layers, batch, epochs, _ = fit.plan(network)
        X, y = fit.data(layers, batch)
        self.fit = fit.learners(X, y, layers, batch, epochs, activation)["pyrelu"]

    def time_fit(self, network, activation, threads):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.fit()


class Predict:
    """200,000 rows of 64 features through (256, 256)."""

    def setup(self):
        X, y = estimators.dense(2000, 64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model = MLPClassifier((256, 256), max_iter=1, random_state=0).fit(X, y)
        self.X, _ = estimators.dense(200_000, 64)

    def time_predict_proba(self):
        self.model.predict_proba(self.X)

    def time_predict_one_row(self):
        self.model.predict(self.X[:1])

    def peakmem_predict_proba(self):
        self.model.predict_proba(self.X)


class Others:
    """The fits of `python bench/peers estimators`."""

    param_names = ("fit",)
    params = (["one epoch", "sparse", "lbfgs", "lbfgs, large"],)

    def setup(self, name):
        (X, y), hidden, settings = {
            "one epoch": (estimators.dense(1000, 20), (100,), {"max_iter": 1}),
            "sparse": (estimators.sparse(10_000, 10_000), (100,), {"max_iter": 2}),
            "lbfgs": (estimators.dense(2000, 64, np.float64), (100,), {"solver": "lbfgs", "max_iter": 20}),
            "lbfgs, large": (estimators.dense(20_000, 64), (256, 256), {"solver": "lbfgs", "max_iter": 5}),
        }[name]
        self.fit = partial(estimators.estimators(*hidden, **settings)["pyrelu"].fit, X, y)

    def time_fit(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.fit()

    def peakmem_fit(self, name):
        self.time_fit(name)


class Callbacks:
    """A hundred epochs of 1000 rows x 20, with what is called after each."""

    param_names = ("callbacks",)
    params = (["none", "EarlyStopping", "Checkpoint", "ScoringMonitor", "eval_set", "scoring"],)

    def setup(self, name):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(1000, 20)), rng.integers(0, 2, 1000)
        self.folder = tempfile.TemporaryDirectory()
        callbacks = {
            "EarlyStopping": lambda: EarlyStopping(patience=100),
            "Checkpoint": lambda: Checkpoint(Path(self.folder.name) / "fit.safetensors"),
            "ScoringMonitor": lambda: ScoringMonitor(scoring="accuracy"),
        }
        scoring = "accuracy" if name == "scoring" else None
        mlp = MLPClassifier(max_iter=100, n_iter_no_change=100, scoring=scoring, random_state=0)
        mlp.set_callbacks(*(make() for wanted, make in callbacks.items() if wanted == name))
        self.fit = partial(mlp.fit, X, y, eval_set=(X[:100], y[:100]) if name in ("eval_set", "scoring") else None)

    def time_fit(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.fit()

    def teardown(self, name):
        self.folder.cleanup()
