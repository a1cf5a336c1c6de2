"""`history_`: the content of its records, and its length."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs
from sklearn.datasets import load_digits

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.history import MAX_RECORDS
from pyrelu.exceptions import DeadUnitWarning

pytestmark = few_epochs

X = np.random.default_rng(0).normal(size=(200, 6))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_one_record_per_epoch(solver):
    mlp = MLPClassifier(20, solver=solver, max_iter=7, random_state=0).fit(X, Y)
    frame = pd.DataFrame(mlp.history_)
    assert list(frame["epoch"]) == list(range(1, mlp.n_iter_ + 1))
    expected = {"epoch", "loss", "learning_rate", "gradient_norm", "dead_units"}
    assert set(frame) == expected - ({"learning_rate"} if solver == "lbfgs" else set())
    assert frame["loss"].iloc[-1] == mlp.loss_
    assert (frame[["loss", "gradient_norm"]] > 0).all(axis=None)
    assert frame["dead_units"].between(0, 1).all()
    assert all(type(value) in (int, float) for record in mlp.history_ for value in record.values())
    if solver != "lbfgs":
        assert list(frame["loss"]) == mlp.loss_curve_


def test_validation_score():
    mlp = MLPClassifier(20, early_stopping=True, max_iter=7, random_state=0).fit(X, Y)
    assert [record["validation_score"] for record in mlp.history_] == mlp.validation_scores_


def test_gradient_norm_is_that_of_the_loss():
    """One epoch of one batch, without momentum, moves the weights by rate * gradient."""
    settings = dict(solver="sgd", momentum=0, nesterovs_momentum=False, learning_rate_init=0.1, random_state=0)
    one, two = (MLPRegressor(max_iter=n, **settings).fit(X, Y) for n in (1, 2))
    moved = np.concatenate(
        [(a - b).ravel() for a, b in zip(one.coefs_ + one.intercepts_, two.coefs_ + two.intercepts_)]
    )
    np.testing.assert_allclose(two.history_[1]["gradient_norm"], np.linalg.norm(moved) / 0.1, rtol=1e-9)


def test_gradient_norm_of_lbfgs_falls():
    norms = [r["gradient_norm"] for r in MLPRegressor(solver="lbfgs", max_iter=500, random_state=0).fit(X, Y).history_]
    assert norms[-1] < norms[0] / 100


def test_dead_units():
    mlp = MLPClassifier((30, 20), solver="sgd", learning_rate_init=100.0, max_iter=5, random_state=0, shuffle=False)
    mlp.fit(X * 10, Y)
    assert mlp.history_[-1]["dead_units"] == pytest.approx(np.concatenate(mlp.dead_units_).mean(), abs=0.02)
    assert mlp.history_[-1]["dead_units"] > mlp.history_[0]["dead_units"]
    assert MLPClassifier(()).fit(X, Y).history_[0]["dead_units"] == 0
    assert {r["dead_units"] for r in MLPClassifier(activation="tanh", max_iter=3).fit(X, Y).history_} == {0}


def test_a_rate_that_kills_units():
    """relu, at a rate that leaves 40% of the units dead, and at one that does not."""
    X, y = load_digits(return_X_y=True)
    mlp = MLPClassifier((50,), solver="sgd", learning_rate_init=3.0, max_iter=10, random_state=0)
    with pytest.warns(DeadUnitWarning, match=r"of the 50 units of hidden layer 0 are 0 .* Lower learning_rate_init"):
        mlp.fit(X / 16, y)
    shares = [record["dead_units"] for record in mlp.history_]
    assert mlp.dead_units_[0].mean() > 0.4 and shares[-1] > 0.4 > shares[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeadUnitWarning)
        mlp.set_params(learning_rate_init=0.1).fit(X / 16, y)
    assert mlp.dead_units_[0].mean() < 0.1


def test_goes_on_with_warm_start():
    mlp = MLPClassifier(5, max_iter=3, warm_start=True, random_state=0).fit(X, Y)
    first = mlp.history_
    mlp.fit(X, Y)
    assert [record["epoch"] for record in mlp.history_] == [1, 2, 3, 4, 5, 6] and mlp.n_iter_ == 3
    assert len(first) == 3  # a copy went on
    assert len(mlp.set_params(warm_start=False).fit(X, Y).history_) == 3


def test_partial_fit_keeps_the_last_records():
    mlp, few = MLPClassifier(2, random_state=0), slice(0, 5)
    losses = []
    for n in range(MAX_RECORDS + 20):
        mlp.partial_fit(X[few], Y[few], classes=[0, 1])
        losses.append(mlp.loss_)
        if n == MAX_RECORDS:
            size = len(pickle.dumps(mlp))
    assert mlp.loss_curve_ == [record["loss"] for record in mlp.history_] == losses[-MAX_RECORDS:]
    assert mlp.history_[-1]["epoch"] == MAX_RECORDS + 20
    assert len(pickle.dumps(mlp)) < size + 100


def test_long_fits_keep_all():
    mlp = MLPClassifier(2, max_iter=MAX_RECORDS + 20, n_iter_no_change=10**6, random_state=0).fit(X[:10], Y[:10])
    assert len(mlp.loss_curve_) == len(mlp.history_) == MAX_RECORDS + 20
    mlp.partial_fit(X[:10], Y[:10])
    assert len(mlp.loss_curve_) == len(mlp.history_) == MAX_RECORDS


def test_dead_units_after_partial_fit():
    mlp = MLPClassifier((30, 20), random_state=0).partial_fit(X, Y, classes=[0, 1])
    assert [len(dead) for dead in mlp.dead_units_] == [30, 20]
    assert np.concatenate(mlp.dead_units_).mean() == pytest.approx(mlp.history_[-1]["dead_units"])
    mlp.coefs_[0][:], mlp.intercepts_[0][:] = 0, -1
    mlp.partial_fit(X, Y)
    assert mlp.dead_units_[0].all()
