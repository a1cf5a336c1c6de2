"""The units that a fit finds dead: 0 for every row, by the outputs of each layer as NumPy computes them."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp import alive
from pyrelu._mlp.activation import names, resolve_of
from pyrelu._network import Network
from pyrelu._samples import Samples

N = 900
VALUES = {"threshold": {"threshold": 0.5, "value": 0.0}}  # with which a unit can be dead; the table has no defaults
ACTIVATIONS = [(name, VALUES[name]) if name in VALUES else name for name in names()]
ACTIVATIONS += [("maxout", {"num_pieces": 3}), (abs, np.sign)]
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)


def fitted(activation, dtype=np.float64, rng=None, **settings):
    """An estimator of three hidden layers of which some units are dead, and some alive for a single row."""
    rng = rng or np.random.default_rng(0)
    X = rng.integers(-2, 3, (N, 6)).astype(dtype)
    X[:, 5] = 0
    X[[3, 70, 300, N - 1], 5] = 1, 2, 3, 4  # in each of the first looks, and in the last row
    mlp = MLPRegressor(hidden_layer_sizes=(12, 10, 8), activation=activation, max_iter=1, random_state=0, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.fit(0.01 * X, X[:, 0])
    for layer, (coef, bias) in enumerate(zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True)):
        coef[:] = rng.integers(-2, 3, coef.shape)
        bias[:] = rng.integers(-2, 3, bias.shape)
        bias[::3] = -1e4  # flat there, if the activation is anywhere
        if layer == 0:
            coef[5, : len(bias) // 2] = rng.choice([3000, 4000, 12000], len(bias) // 2)
    return mlp, X


def alive_by_numpy(mlp, X):
    """Return whether each hidden unit is not 0 for some row."""
    found = []
    activations = resolve_of(mlp, len(mlp.coefs_) - 1)
    for coef, bias, slopes, activation in zip(
        mlp.coefs_, mlp.intercepts_, mlp.activation_weights_, activations, strict=False
    ):
        X = activation.forward(X @ coef + bias, slopes)
        found.append((X != 0).any(axis=0))
    return np.concatenate(found)


@each_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_of_every_activation(activation, dtype):
    mlp, X = fitted(activation, dtype)
    with np.errstate(all="ignore"):
        want = alive_by_numpy(mlp, X)
    network = mlp._network(mlp._arrays())
    assert alive.find_alive(network, Samples(X)).tolist() == want.tolist()
    assert alive.find_alive(network, Samples(csr_matrix(X))).tolist() == want.tolist()
    assert network.find_alive(Samples(X)).tolist() == want.tolist()
    if activation == "relu":
        assert 5 < want.sum() < len(want) - 5


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_threads_and_an_order_of_some_rows(threads):
    before = pr.get_num_threads()
    pr.set_num_threads(threads)
    try:
        mlp, X = fitted("relu")
        order = np.random.default_rng(1).permutation(N)[: N // 2]
        want = alive_by_numpy(mlp, X[order])
        assert want.tolist() != alive_by_numpy(mlp, X).tolist()
        assert alive.find_alive(mlp._network(mlp._arrays()), Samples(X), order).tolist() == want.tolist()
    finally:
        pr.set_num_threads(before)


def test_no_rows_and_no_hidden_layers():
    mlp, X = fitted("relu")
    network = mlp._network(mlp._arrays())
    assert not alive.find_alive(network, Samples(X), np.empty(0, np.intp)).any()
    linear = Network([np.ones((6, 1))], [np.zeros(1)], [], 0, None)
    assert alive.find_alive(linear, Samples(X)).shape == (0,)


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::pyrelu.exceptions.DeadUnitWarning"
)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("settings", [{}, {"dropout": 0.5}, {"early_stopping": True}, {"parametric_activation": True}])
def test_those_of_a_fit(settings, sparse):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (1500, 8)).astype(float)
    mlp = MLPClassifier((40, 20), learning_rate_init=0.5, max_iter=6, random_state=0, **settings)
    mlp.fit(csr_matrix(X) if sparse else X, X[:, 0] > X[:, 1])
    if "early_stopping" not in settings:  # else of the rows that are not held out
        assert (~np.concatenate(mlp.dead_units_)).tolist() == alive_by_numpy(mlp, X).tolist()
    everything = mlp._network(mlp._arrays()).find_alive(Samples(X))
    assert not (everything < ~np.concatenate(mlp.dead_units_)).any()
    assert bool(settings.get("parametric_activation")) or np.concatenate(mlp.dead_units_).any()


def test_only_units_in_doubt_are_computed(monkeypatch):
    sizes = []

    def recorded(weights, *rest, **more):
        sizes.append([w.shape for w in weights])
        return Network(weights, *rest, **more)

    monkeypatch.setattr(alive, "Network", recorded)
    weights = [np.eye(20, 300), np.ones((300, 200)), np.ones((200, 1))]
    biases = [np.zeros(300), np.zeros(200), np.zeros(1)]
    activations = resolve_of(MLPRegressor(hidden_layer_sizes=(300, 200)), 2)
    network = Network(weights, biases, activations, 0, None)
    X = np.zeros((600, 20))
    X[:64, :10] = 1  # units 10 to 19 are alive in the second look, the others from 20 on never
    X[64:, 10:] = 1
    found = alive.find_alive(network, Samples(X))
    assert found.tolist() == [True] * 20 + [False] * 280 + [True] * 200
    assert sizes[0] == [(20, 290), (290, 1)]  # the second layer, where all are alive, is left out
