"""Ctrl-C in the middle of a fit."""

import copy
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from helpers import few_epochs, same_bits

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.fit_state import FitState

pytestmark = [few_epochs, pytest.mark.interrupts]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4000, 30)).astype(np.float32)
Y = (X[:, :5].sum(axis=1) > 0).astype(int)
ENDLESS = dict(max_iter=10**6, tol=0, n_iter_no_change=10**6, random_state=0)

SETTINGS = {
    "adam": dict(solver="adam"),
    "nesterov": dict(solver="sgd", batch_size=50),
    "early stopping": dict(early_stopping=True),
    "learned slopes, dropout": dict(activation="prelu", dropout=0.2),
}


@contextmanager
def ctrl_c(seconds):
    """Press it after a while, if the block lasts so long, and again where that had no effect; give a list of when."""
    pressed, ended = [], threading.Event()

    def press():
        while not ended.wait(10 if pressed else seconds):
            pressed.append(time.perf_counter())
            signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield pressed
    finally:
        ended.set()
        thread.join()


def interrupt(mlp, seconds, *data):
    with ctrl_c(seconds) as pressed:
        with pytest.warns(UserWarning, match=r"Training interrupted by user\.") as caught:
            mlp.fit(*data)
        assert time.perf_counter() - pressed[0] < 1  # 0.2 s where the machine is not busy
    assert caught[-1].filename == __file__
    return mlp


def same_state(a, b):
    same = all(map(same_bits, a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_))
    same &= all(map(same_bits, a._optimizer.state, b._optimizer.state))
    names = ("loss_", "n_iter_", "t_", "_no_improvement_count", "best_loss_", "best_validation_score_", "loss_curve_")
    return same and all(getattr(a, name) == getattr(b, name) for name in (*names, "validation_scores_"))


@pytest.mark.parametrize("name", SETTINGS)
def test_keeps_the_last_whole_epoch(name):
    parameters = dict(hidden_layer_sizes=(50, 50)) | ENDLESS | SETTINGS[name]
    mlp = interrupt(MLPClassifier(**parameters), 0.3, X, Y)
    assert 0 < mlp.n_iter_ == len(mlp.loss_curve_) == len(mlp.history_)
    assert mlp._optimizer.t % mlp.n_iter_ == 0  # as many steps in each epoch
    assert same_state(mlp, MLPClassifier(**parameters | dict(max_iter=mlp.n_iter_)).fit(X, Y))
    assert [len(dead) for dead in mlp.dead_units_] == [50, 50]


def test_in_the_first_epoch():
    many = np.tile(X, (50, 1)), np.tile(Y, 50)
    mlp = interrupt(MLPClassifier((600, 600), batch_size=2000, **ENDLESS), 1.0, *many)
    assert mlp.n_iter_ == mlp.t_ == mlp._optimizer.t == 0 and mlp.loss_curve_ == mlp.history_ == []
    assert mlp.score(X, Y) > 0.2
    assert not hasattr(mlp, "dead_units_")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_when_all_is_done(solver):
    """During the last calls of callbacks, and during the search for dead units."""

    class AtTheEnd:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "fit":
                signal.raise_signal(signal.SIGINT)

        def teardown(self, estimator, context):
            pass

    parameters = dict(hidden_layer_sizes=(5, 4), max_iter=3, solver=solver, random_state=0)
    mlp = MLPClassifier(**parameters).set_callbacks(AtTheEnd())
    with pytest.warns(UserWarning, match="interrupted"):
        mlp.fit(X, Y)
    assert all(map(same_bits, mlp.coefs_, MLPClassifier(**parameters).fit(X, Y).coefs_))
    assert [len(dead) for dead in mlp.dead_units_] == [5, 4]


def test_goes_on_with_warm_start():
    mlp = interrupt(MLPClassifier((50,), warm_start=True, **ENDLESS), 0.3, X, Y)
    epochs = mlp.n_iter_
    mlp.set_params(max_iter=3).fit(X, Y)
    assert len(mlp.loss_curve_) == len(mlp.history_) == epochs + 3
    assert mlp.loss_curve_[epochs] < mlp.loss_curve_[0] / 2


def test_lbfgs_keeps_the_last_iterate():
    y = np.sin(X.astype(float) @ RNG.normal(size=(30, 3)))
    parameters = dict(hidden_layer_sizes=(60,), solver="lbfgs", tol=0, max_fun=10**6, random_state=0)
    mlp = interrupt(MLPRegressor(max_iter=10**6, **parameters), 0.3, X.astype(float), y)
    assert 0 < mlp.n_iter_ == len(mlp.history_)
    uninterrupted = MLPRegressor(max_iter=mlp.n_iter_, **parameters).fit(X.astype(float), y)
    assert all(map(same_bits, mlp.coefs_, uninterrupted.coefs_)) and mlp.loss_ == uninterrupted.loss_


def test_partial_fit_takes_the_batch_back():
    mlp = MLPClassifier((400, 400), random_state=0).partial_fit(X, Y, classes=[0, 1])
    before = copy.deepcopy(mlp)
    many = np.tile(X, (50, 1)), np.tile(Y, 50)
    start = time.perf_counter()
    copy.deepcopy(mlp).partial_fit(*many)
    with ctrl_c((time.perf_counter() - start) / 2), pytest.warns(UserWarning, match="interrupted"):
        mlp.partial_fit(*many)
    before.n_iter_ = 0  # of the last call
    assert same_state(mlp, before)


def test_user_generator_goes_on():
    """A fit that is interrupted advances the user's RandomState all the same."""
    state = np.random.RandomState(0)
    interrupt(MLPClassifier((50,), **ENDLESS | dict(random_state=state)), 0.3, X, Y)
    assert state.randint(2**31) != np.random.RandomState(0).randint(2**31)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_while_the_last_epoch_is_kept(solver, when, monkeypatch):
    keep, calls = FitState.keep_snapshot, []

    def interrupted(state):
        last = len(calls) == 3
        calls.append(state.last_epoch.parameters is state.parameters)
        if last and when == "before":
            raise KeyboardInterrupt
        keep(state)
        if last:
            raise KeyboardInterrupt

    parameters = dict(hidden_layer_sizes=(5, 4), solver=solver, random_state=0)
    monkeypatch.setattr(FitState, "keep_snapshot", interrupted)
    with pytest.warns(UserWarning, match="interrupted"):
        mlp = MLPClassifier(**parameters).fit(X, Y)
    monkeypatch.undo()
    assert mlp.n_iter_ == len(mlp.history_) == 3 and all(calls)  # copied once an epoch, of the fit's own arrays
    uninterrupted = MLPClassifier(**parameters | dict(max_iter=3)).fit(X, Y)
    assert all(map(same_bits, mlp.coefs_ + mlp.intercepts_, uninterrupted.coefs_ + uninterrupted.intercepts_))
    if solver == "adam":
        assert same_state(mlp, uninterrupted)
