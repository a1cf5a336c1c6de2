"""Fit and predict of MLPClassifier."""

import warnings

import numpy as np
from sklearn.datasets import load_digits

from pyrelu import MLPClassifier
from pyrelu._bench import fit


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
    """One fit of each network of `pyrelu bench fit`."""

    param_names = ("network",)
    params = (fit.NETWORKS,)

    def setup(self, network):
        layers, batch, epochs, _ = fit.plan(network)
        X, y = fit.data(layers, batch)
        self.fit = fit.learners(X, y, layers, batch, epochs, "relu")["pyrelu"]

    def time_fit(self, network):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.fit()


class Predict:
    """200,000 rows of 64 features through (256, 256)."""

    def setup(self):
        X, y = _digits()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model = MLPClassifier((256, 256), max_iter=1, random_state=0).fit(X, y)
        self.X = np.random.default_rng(0).uniform(0, 1, (200_000, 64)).astype(np.float32)

    def time_predict_proba(self):
        self.model.predict_proba(self.X)

    def peakmem_predict_proba(self):
        self.model.predict_proba(self.X)
