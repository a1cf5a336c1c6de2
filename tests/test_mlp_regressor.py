"""MLPRegressor, and inputs of every type, beyond what test_parity.py compares."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from helpers import few_epochs
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.metrics import r2_score

from pyrelu import MLPRegressor

pytestmark = few_epochs

X, y = load_diabetes(return_X_y=True)
X, y = X * 20, y / 100


def fit(X, y, loss="squared_error", **parameters):
    return MLPRegressor(loss, **dict(hidden_layer_sizes=(20,), max_iter=20, random_state=0) | parameters).fit(X, y)


# ---- what it learns ----


def test_a_line_is_least_squares():
    mlp = fit(X, y, hidden_layer_sizes=(), solver="lbfgs", alpha=0, max_iter=5000, tol=1e-8)
    np.testing.assert_allclose(mlp.predict(X), LinearRegression().fit(X, y).predict(X), rtol=1e-4)


def test_counts_are_poisson_regression():
    counts = np.random.default_rng(0).poisson(y)
    mlp = fit(X, counts, "poisson", hidden_layer_sizes=(), solver="lbfgs", alpha=0, max_iter=5000, tol=1e-8)
    expected = PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000).fit(X, counts)
    np.testing.assert_allclose(mlp.predict(X), expected.predict(X), rtol=1e-3)


def test_every_activation_learns(activation):
    given = {"prelu": ("prelu", {"weight": 0.25}), "threshold": ("threshold", {"threshold": 0, "value": 0})}
    given = given.get(activation, activation)
    # alpha=0, or Adam takes the penalty on step's first weights, all their gradient, for a reason to move them
    mlp = fit(X, y, activation=given, hidden_layer_sizes=(50,), max_iter=150, learning_rate_init=0.01, alpha=0)
    assert mlp.score(X, y) > 0.4


def test_many_outputs_are_apart():
    """Without hidden layers they share nothing but the mean over them that the loss takes."""
    given = dict(hidden_layer_sizes=(), solver="lbfgs", max_iter=1000, tol=1e-8, alpha=0)
    together = fit(X, np.c_[y, -y, y**2], **given)
    assert together.predict(X).shape == (len(y), 3)
    for i, aim in enumerate((y, -y, y**2)):
        np.testing.assert_allclose(together.predict(X)[:, i], fit(X, aim, **given).predict(X), rtol=1e-3, atol=1e-3)


def test_counts_of_zero():
    mlp = fit(X, np.zeros(len(y)), "poisson", max_iter=200, learning_rate_init=0.05)
    assert 0 < mlp.loss_ < 0.01 and (mlp.predict(X) > 0).all()


def test_early_stopping_scores_r2():
    mlp = fit(X, y, early_stopping=True, max_iter=100, learning_rate_init=0.01)
    assert mlp.best_validation_score_ == max(mlp.validation_scores_)
    X_val = X[: len(X) // 3]
    scored = fit(X, y, max_iter=1)
    assert scored.score(X_val, y[: len(X_val)]) == r2_score(y[: len(X_val)], scored.predict(X_val))


# ---- types of X and y ----


@pytest.mark.parametrize(
    "cast",
    [
        list,
        pd.DataFrame,
        np.asfortranarray,
        scipy.sparse.csr_array,
        scipy.sparse.coo_matrix,
        lambda X: X[::-1][::-1],
        lambda X: X.astype(object),
        lambda X: X.astype(np.longdouble),
        lambda X: X.astype(">f8"),
        lambda X: pd.DataFrame(X).convert_dtypes(),
        lambda X: np.concatenate([X, X], axis=1)[:, : X.shape[1]],
    ],
)
def test_forms_of_X(cast):
    plain, mlp = fit(X, y), fit(cast(X), y)
    np.testing.assert_allclose(mlp.loss_curve_, plain.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(mlp.predict(cast(X)), plain.predict(X), rtol=1e-10)


@pytest.mark.parametrize("cast", [list, pd.Series, lambda y: y.astype(object), lambda y: y.astype(">f8"), np.float32])
def test_forms_of_y(cast):
    np.testing.assert_allclose(fit(X, cast(y)).loss_curve_, fit(X, y).loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("aim", [np.arange(len(y)) % 2 == 0, np.arange(len(y), dtype=np.uint8) % 7, np.full(len(y), 3)])
def test_types_of_y(aim):
    assert fit(X, aim).loss_curve_ == fit(X, aim.astype(float)).loss_curve_


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_float32_throughout(loss, n_outputs):
    aim = np.repeat(y[:, np.newaxis], n_outputs, axis=1) if n_outputs > 1 else y
    mlp = fit(X.astype(np.float32), aim, loss)
    assert {array.dtype for array in mlp.coefs_ + mlp.intercepts_ + mlp._optimizer.state} == {np.dtype(np.float32)}
    assert mlp.predict(X.astype(np.float32)).dtype == np.float32
    assert mlp.predict(X).dtype == mlp.predict((X * 5).astype(int)).dtype == np.float64
    np.testing.assert_allclose(mlp.predict(X.astype(np.float32)), fit(X, aim, loss).predict(X), rtol=0, atol=1e-4)


# ---- what it refuses ----


def test_counts_below_zero():
    with pytest.raises(ValueError, match=r"y must be in the range \[0, inf\) with loss='poisson', got -1\.0"):
        fit(X, np.where(np.arange(len(y)) == 3, -1.0, y), "poisson")


def test_another_number_of_outputs():
    mlp = fit(X, y)
    with pytest.raises(ValueError, match="y has 2 outputs, but the network was fitted to 1"):
        mlp.partial_fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="y has 2 outputs, but the network was fitted to 1"):
        mlp.set_params(warm_start=True).fit(X, np.c_[y, y])
    assert mlp.set_params(warm_start=False).fit(X, np.c_[y, y]).n_outputs_ == 2


def test_another_loss():
    with pytest.raises(ValueError, match="'loss' parameter of MLPRegressor must be one of 'squared_error', 'absolute"):
        fit(X, y, "log_loss")


DIVERGENT = [
    (dict(solver="sgd", learning_rate_init=10.0), 1),
    (dict(learning_rate_init=1e200), 1),
    (dict(loss="poisson", solver="sgd", learning_rate_init=3.0), 1),
    (dict(solver="sgd"), 1e6),
]


@pytest.mark.parametrize(("parameters", "scale"), DIVERGENT)
@pytest.mark.parametrize("warm_start", [False, True])
def test_divergence_leaves_the_last_fit(parameters, scale, warm_start):
    mlp = fit(X, y, activation="identity", max_iter=3, warm_start=warm_start)
    before, settings = pickle.dumps(mlp), mlp.get_params()
    mlp.set_params(**dict(max_iter=300) | parameters)
    named = f"learning_rate_init={mlp.learning_rate_init} is too high"
    with pytest.raises(ValueError, match="non-finite parameter weights.*" + re.escape(named)):
        mlp.fit(X * scale, y)
    assert pickle.dumps(mlp.set_params(**settings)) == before


@pytest.mark.parametrize(("parameters", "scale"), DIVERGENT)
def test_divergence_of_partial_fit_leaves_the_call_before(parameters, scale):
    mlp = MLPRegressor(hidden_layer_sizes=(20,), activation="identity", random_state=0).set_params(**parameters)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        for _ in range(1000):
            before = pickle.dumps(mlp)
            mlp.partial_fit(X * scale, y)
    assert pickle.dumps(mlp) == before
    if hasattr(mlp, "coefs_"):
        assert all(np.isfinite(coef).all() for coef in mlp.coefs_)
