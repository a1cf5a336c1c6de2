"""A program that is killed in the middle of fits: python killed_fits.py <folder>."""

import os
import signal
import sys
import warnings

import numpy as np

from pyrelu import MLPClassifier
from pyrelu.callbacks import Checkpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 8))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)

FITS = {
    "adam": (dict(), X),
    "adamw, dropout, learned slopes": (dict(solver="adamw", dropout=0.3, activation="prelu"), X),
    "nesterov": (dict(solver="sgd", learning_rate_init=0.05, shuffle=False), X),
    "adaptive": (dict(solver="sgd", learning_rate="adaptive", learning_rate_init=0.5, tol=1e-2, n_iter_no_change=2), X),
    "invscaling": (dict(solver="sgd", learning_rate="invscaling", learning_rate_init=0.5), X),
    "one_cycle": (dict(learning_rate="one_cycle", learning_rate_init=0.02), X),
    "early stopping": (dict(early_stopping=True, learning_rate_init=0.02, n_iter_no_change=8), X),
    "float32": (dict(batch_size=64), X.astype(np.float32)),
    "no seed": (dict(random_state=None, early_stopping=True, n_iter_no_change=100), X),
}


def make(name, *callbacks):
    """Return the estimator of that fit."""
    parameters, _ = FITS[name]
    mlp = MLPClassifier(**dict(hidden_layer_sizes=(12, 7), max_iter=40, random_state=3) | parameters)
    return mlp.set_callbacks(*callbacks)


class At:
    """Calls a function at the end of an epoch."""

    def __init__(self, epoch, function):
        self.epoch, self.function = epoch, function

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name != "fit" and estimator.n_iter_ == self.epoch:
            return self.function()

    def teardown(self, estimator, context):
        pass


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for i, (name, (_, data)) in enumerate(FITS.items()):
        for epoch in (5, 11):
            if not (pid := os.fork()):
                np.random.seed(epoch)  # noqa: NPY002  of the fit without a seed of its own
                make(name, Checkpoint(f"{sys.argv[1]}/{i}", every=3, resume=True), At(epoch, kill)).fit(data, Y)
                os._exit(0)
            assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL, name
