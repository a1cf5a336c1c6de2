"""partial_fit between calls of set_params: when a step follows changed parameters."""

import copy

import numpy as np
import pytest
import sklearn.neural_network
from helpers import few_epochs

from pyrelu import MLPClassifier

pytestmark = few_epochs
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 5)), np.resize([0, 1, 2], 40)
SETTINGS = dict(hidden_layer_sizes=(6,), solver="sgd", momentum=0.0, batch_size=40, shuffle=False, random_state=0)


def begun(cls=MLPClassifier, **parameters):
    return cls(**SETTINGS | parameters).partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_new_l2_penalty_counts_at_once_as_in_scikit_learn(solver):
    ours, theirs = begun(solver=solver), begun(sklearn.neural_network.MLPClassifier, solver=solver)
    for alpha in (5.0, 0.0, 1.0):
        ours.set_params(alpha=alpha).partial_fit(X, Y)
        theirs.set_params(alpha=alpha).partial_fit(X, Y)
        assert ours.loss_ == pytest.approx(theirs.loss_)
        for a, b in zip(ours.coefs_, theirs.coefs_):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("penalty", "gradient"), [("alpha", lambda w: 2.0 * w / len(X)), ("l1", lambda w: 2.0 * np.sign(w) / len(X))]
)
def test_a_new_penalty_is_in_the_next_step(penalty, gradient):
    """By the difference between two steps from the same weights, with and without it."""
    mlp = begun(alpha=0.0, learning_rate_init=0.1)
    without, with_it = copy.deepcopy(mlp), copy.deepcopy(mlp).set_params(**{penalty: 2.0})
    without.partial_fit(X, Y)
    with_it.partial_fit(X, Y)
    for before, a, b in zip(mlp.coefs_, without.coefs_, with_it.coefs_, strict=True):
        np.testing.assert_allclose(a - b, 0.1 * gradient(before), rtol=1e-6, atol=1e-12)
    for a, b in zip(without.intercepts_, with_it.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)  # biases have no penalty


def test_a_new_clip_norm_is_in_the_next_step():
    mlp = begun(alpha=0.0, learning_rate_init=0.1)
    clipped = copy.deepcopy(mlp).set_params(clip_norm=1e-3).partial_fit(X, Y)
    pairs = zip(mlp.coefs_ + mlp.intercepts_, clipped.coefs_ + clipped.intercepts_, strict=True)
    assert np.sqrt(sum(np.sum((a - b) ** 2) for a, b in pairs)) == pytest.approx(0.1 * 1e-3)
