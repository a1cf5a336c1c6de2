"""init: the distributions are those of the formulas, and what a user's function returns is checked."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.embedding import PARAMETERS
from pyrelu._mlp.initializers import INITIALIZERS, draw
from pyrelu.exceptions import InvalidParameterError
from pyrelu.inspection._trace import passes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHAPE = (300, 500)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_deviation(name):
    weights, biases = draw(name, SHAPE, "relu", np.random.RandomState(0))
    deviation = {
        "he_normal": np.sqrt(2 / 300),
        "he_uniform": np.sqrt(6 / 300 / 3),
        "glorot_normal": np.sqrt(2 / 800),
        "glorot_uniform": np.sqrt(6 / 800 / 3),
        "lecun_normal": np.sqrt(1 / 300),
        # E[z**2 | -2 < z < 2] for a standard normal z
        "truncated_normal": 0.01 * np.sqrt(1 - 4 * np.exp(-2) / np.sqrt(2 * np.pi) / 0.9544997361036416),
        "orthogonal": np.sqrt(1 / 500),  # 300 rows of length 1
    }[name]
    assert weights.shape == SHAPE and biases.shape == (500,) and not biases.any()
    assert abs(weights.mean()) < 4 * deviation / np.sqrt(weights.size)
    assert abs(weights.std() / deviation - 1) < 0.01


def test_bounds():
    rng = np.random.RandomState(0)
    assert abs(draw("he_uniform", SHAPE, "relu", rng)[0]).max() == pytest.approx(np.sqrt(6 / 300), rel=1e-4)
    assert abs(draw("glorot_uniform", SHAPE, "relu", rng)[0]).max() == pytest.approx(np.sqrt(6 / 800), rel=1e-4)
    truncated = draw(("truncated_normal", {"std": 0.1}), SHAPE, "relu", rng)[0]
    assert abs(truncated).max() == pytest.approx(0.2, rel=1e-3)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 6), (6, 1)])
def test_orthogonal(shape):
    weights, _ = draw(("orthogonal", {"gain": 3}), shape, "relu", np.random.RandomState(0))
    products = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    np.testing.assert_allclose(products, 9 * np.eye(min(shape)), atol=1e-14)


def test_orthogonal_prefers_no_direction():
    draws = [draw("orthogonal", (2, 2), "relu", np.random.RandomState(i))[0] for i in range(2000)]
    assert abs(np.mean(draws, axis=0)).max() < 4 * np.sqrt(0.5 / 2000)


@pytest.mark.parametrize("name", ["auto", *INITIALIZERS])
def test_fit_starts_from_it(name, digits):
    X, y = digits
    mlp = MLPClassifier((20,), init=name, learning_rate_init=1e-300, max_iter=1, random_state=3).fit(X, y)
    rng = np.random.RandomState(3)
    for i, shape in enumerate([(64, 20), (20, 10)]):
        weights, biases = draw(name, shape, "relu", rng)
        assert (mlp.coefs_[i] == weights).all()
        np.testing.assert_allclose(mlp.intercepts_[i], biases, rtol=0, atol=1e-290)
    fitted = MLPClassifier((20,), init=name, max_iter=100, learning_rate_init=0.01, random_state=3).fit(X, y)
    assert fitted.score(X, y) > 0.9


def test_function(digits):
    shapes = []

    def small(shape, rng):
        shapes.append(shape)
        return rng.normal(0, 0.1, shape)

    mlp = MLPClassifier((20, 15), init=small, max_iter=3, random_state=0).fit(*digits)
    assert shapes == [(64, 20), (20, 15), (15, 10)]
    assert mlp.loss_curve_ == MLPClassifier((20, 15), init=small, max_iter=3, random_state=0).fit(*digits).loss_curve_
    assert MLPClassifier(init=small, max_iter=1).fit(digits[0].astype(np.float32), digits[1]).coefs_[0].dtype == "f4"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda shape, rng: np.zeros(shape).T,
        lambda shape, rng: np.full(shape, np.nan),
        lambda shape, rng: np.full(shape, "a"),
        lambda shape, rng: np.zeros(shape, complex),
        lambda shape, rng: None,
    ],
)
def test_function_that_returns_something_else(wrong, digits):
    with pytest.raises(ValueError, match=r"must return finite numbers of shape \(64, 100\), got an array of shape"):
        MLPClassifier(init=wrong).fit(*digits)


@pytest.mark.parametrize(
    "wrong",
    [
        "xavier",
        ("xavier", {}),
        ("he_normal", {"gain": 2}),
        ("orthogonal", {"gain": -1}),
        ("orthogonal", {"gain": "high"}),
        ("truncated_normal", {"std": np.inf}),
        ("auto", {}),
        None,
        2,
        ("he_normal",),
        ("he_normal", {"bias_std": -1}),
        ("he_normal", {"bias_std": np.nan}),
        ("he_normal", {"zero_output": 1}),
        ("unit_variance", {}),
    ],
)
def test_wrong_value(wrong, digits):
    message = "The 'init' parameter of MLPClassifier must be one of 'auto', 'unit_variance', 'he_normal', "
    with pytest.raises(InvalidParameterError, match=re.escape(message) + r".*std of truncated_normal, gain of orthog"):
        MLPClassifier(init=wrong).fit(*digits)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_options_of_all(name):
    rng = np.random.RandomState(0)
    weights, biases = draw((name, {"bias_std": 0.5}), SHAPE, "relu", rng)
    assert weights.any() and abs(biases.std() / 0.5 - 1) < 4 / np.sqrt(2 * 500)
    for is_output in (False, True):
        weights, biases = draw((name, {"bias_std": 0.5, "zero_output": True}), SHAPE, "relu", rng, is_output=is_output)
        assert weights.any() == biases.any() == (not is_output)


def test_zero_output_is_that_of_the_output_layer(digits):
    mlp = MLPClassifier((5, 4), "tanh", init=("he_normal", {"zero_output": True}), solver="sgd")
    mlp.set_params(max_iter=1, learning_rate_init=1e-300).fit(*digits)
    assert [abs(coef).max() > 1e-100 for coef in mlp.coefs_] == [True, True, False]
    assert np.allclose(mlp.predict_proba(digits[0]), 0.1)


@pytest.mark.parametrize("embedding", [None, *PARAMETERS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "activation", ["relu", "selu", "prelu", "maxout", "rrelu", "softmax", "glu", (np.tanh, np.cos)]
)
def test_unit_variance(activation, dtype, embedding):
    """Of every pre-activation of every layer, on the training rows; and the mean is within their range."""
    random = np.random.default_rng(0)
    X = (random.normal(size=(500, 4)) * [1e-3, 1, 1e3, 1] + [0, 100, 0, 0]).astype(dtype)
    X[:, 3] = 0.1  # with a deviation by rounding errors alone
    mlp = MLPRegressor(
        hidden_layer_sizes=(30, 20), activation=[activation, "relu"], init="unit_variance", numeric_embedding=embedding,
        solver="sgd", momentum=0.0, learning_rate_init=1e-300, max_iter=1, random_state=0,
    ).fit(X, X[:, 1])  # fmt: skip
    [step] = [step for step, _ in passes(mlp, X)]
    for z in step.before:
        deviations = z.std(axis=0)
        alive = deviations > 1e-3  # a unit of softmax or relu may get constant inputs
        assert alive.mean() > 0.5
        np.testing.assert_allclose(deviations[alive], 1, rtol=1e-6 if dtype == np.float64 else 2e-2)
        assert (abs(z.mean(axis=0)) < 5).all()
        assert (z.min(axis=0) <= 1e-6).all() and (z.max(axis=0) >= -1e-6).all()  # each is 0 somewhere between its rows
    biases = [bias for bias in mlp.intercepts_ if len(bias) > 1]
    assert all(len(set(bias)) == len(bias) for bias in biases)


def test_unit_variance_of_columns_that_do_not_vary():
    """Rounding errors must not be scaled up to 1."""
    for X in (np.full((300, 3), 0.1), np.full((7, 1), 1e-3), np.zeros((5, 2))):
        mlp = MLPRegressor(hidden_layer_sizes=5, activation="tanh", init="unit_variance", max_iter=1, random_state=0)
        mlp.fit(X, np.arange(len(X)))
        assert max(abs(coef).max() for coef in mlp.coefs_) < 10


def test_unit_variance_looks_at_some_rows():
    X = np.random.default_rng(0).normal(size=(10_500, 2)).astype(np.float32)
    fits = [
        MLPRegressor(hidden_layer_sizes=3, init="unit_variance", max_iter=1, random_state=0).fit(X, X[:, 0])
        for _ in "ab"
    ]
    assert (fits[0].coefs_[0] == fits[1].coefs_[0]).all()
