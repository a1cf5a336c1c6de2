"""The units that a fit finds dead: 0 for every row, by the outputs of each layer as NumPy computes them."""

import warnings

import numpy as np
import pytest
from helpers import same_bits
from scipy.sparse import csr_matrix

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp import alive, rows
from pyrelu._mlp.activation import names, resolve_of
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.registry import find

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


# ---- upper bounds of the first layer's pre-activations, found while an epoch is trained ----


def test_activations_are_0_where_the_table_says_so():
    found = {}
    for [activation] in (resolve_of(MLPRegressor(activation=one), 1) for one in ACTIVATIONS):
        if activation.zero_below > -np.inf:
            found[activation.name] = activation.zero_below
            for dtype in (np.float32, np.float64):
                end = np.nextafter(dtype(activation.zero_below), dtype(-np.inf))
                z = np.concatenate([[end, np.finfo(dtype).min], end - np.geomspace(1e-30, 1e30, 999)]).astype(dtype)
                assert not activation.forward(z).any()
    assert found["relu"] == found["relu6"] == 0
    assert found["hardswish"] == -3
    assert not found.keys() & {"leaky_relu", "elu", "sigmoid", "gelu", "exponential"}


OPTIMIZERS = [
    dict(solver="adam"),
    dict(solver="adamw", alpha=0.1),
    dict(solver="sgd", learning_rate_init=1e-4),
    dict(solver="sgd", learning_rate_init=1e-4, nesterovs_momentum=False, alpha=1.0),
    dict(solver="adam", learning_rate_init=0.5, dropout=[0.0, 0.5]),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_inputs", [2, 7, 131, 300])
@pytest.mark.parametrize("settings", OPTIMIZERS, ids=str)
def test_bounds_are_above_what_units_become(settings, n_inputs, dtype, n_units=50):
    random = np.random.default_rng(n_inputs)
    X = (random.normal(size=(N, n_inputs)) * 10.0 ** random.integers(-2, 2, n_inputs)).astype(dtype)
    X[:, 0] = 3
    X[:, 1] = abs(X[:, 1])
    mlp = MLPRegressor(
        hidden_layer_sizes=n_units, activation="relu", max_iter=1, random_state=0, batch_size=128, **settings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.fit(X, X[:, 0])
    parameters, (weights, biases) = pack((mlp.coefs_, mlp.intercepts_), dtype)
    network = Network(
        weights, biases, resolve_of(mlp, 1), find("identity").index, "squared_error", (), parameters,
        settings.get("dropout", ()),
    )  # fmt: skip
    samples = Samples(X, random.normal(size=(N, 1)).astype(dtype))
    optimizer = STOCHASTIC[mlp.solver](parameters, mlp)
    slack = []
    for _ in range(6):
        order = random.permutation(N)
        bounds = network.train(samples, order, 128, optimizer, samples.ranges()).bounds
        z = X.astype(np.longdouble) @ weights[0].astype(np.longdouble) + biases[0]
        slack.append(bounds - z.max(axis=0))
    assert np.min(slack) > 0
    assert np.isfinite(slack).all()
    # They rise by what the weights change, and no more: what a row makes of it is at most that of the ranges.
    optimizer.learning_rate = optimizer.momentum = 0.0
    if hasattr(optimizer, "decay"):
        optimizer.decay = 0.0
    bounds = network.train(samples, None, 128, optimizer, samples.ranges()).bounds
    z = X.astype(np.longdouble) @ weights[0].astype(np.longdouble) + biases[0]
    error = (n_inputs + 64) * np.finfo(dtype).eps * (abs(X).max(axis=0) @ abs(weights[0]) + abs(biases[0]))
    assert (bounds - z.max(axis=0) < 4 * error).all()


@pytest.mark.parametrize(
    ("settings", "batch_size"),
    [(dict(clip_norm=1.0), 128), (dict(dropout=[0.5, 0.0]), 128), (dict(solver="lamb"), 128), ({}, 2000)],
    ids=str,
)
def test_what_cannot_be_watched_has_infinite_bounds(settings, batch_size):
    X = np.random.default_rng(0).normal(size=(3000, 5))
    mlp = MLPRegressor(hidden_layer_sizes=20, max_iter=1, batch_size=batch_size, random_state=0, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.fit(X, X[:, 0])
    parameters, (weights, biases) = pack((mlp.coefs_, mlp.intercepts_), np.float64)
    network = Network(
        weights, biases, resolve_of(mlp, 1), find("identity").index, "squared_error", (), parameters,
        settings.get("dropout", ()),
    )  # fmt: skip
    samples = Samples(X, X[:, :1].copy())
    trained = network.train(samples, None, batch_size, STOCHASTIC[mlp.solver](parameters, mlp), samples.ranges())
    assert (trained.bounds == np.inf).all()


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::pyrelu.exceptions.DeadUnitWarning"
)
@pytest.mark.parametrize("activation", ["relu", "relu6", "hardsigmoid"])
@pytest.mark.parametrize("sizes", [(60,), (60, 30), (300, 20), (40, 30, 20)], ids=str)
def test_units_that_bounds_tell_are_dead_are_not_computed(sizes, activation, monkeypatch):
    seen = []

    def recorded(network, samples, order, bounds):
        seen.append(0 if bounds is None else np.count_nonzero(bounds.dead(network)))
        return find_alive(network, samples, order, bounds)

    find_alive = alive.find_alive
    monkeypatch.setattr(rows, "find_alive", recorded)
    X = np.random.default_rng(0).uniform(size=(1500, 30)).astype(np.float32)
    mlp = MLPClassifier(
        sizes, activation=activation, learning_rate_init=0.1, max_iter=8, batch_size=100, random_state=0
    )
    mlp.fit(X, X[:, 0] > X[:, 1])
    assert (~np.concatenate(mlp.dead_units_)).tolist() == alive_by_numpy(mlp, X).tolist()
    assert seen[0] > sizes[0] / 10
    monkeypatch.setattr(rows, "pays_to_watch", lambda *_: False)
    other = MLPClassifier(**mlp.get_params()).fit(X, X[:, 0] > X[:, 1])
    assert seen[1] == 0
    for name in ("coefs_", "intercepts_", "dead_units_", "loss_curve_"):
        assert all(map(same_bits, getattr(mlp, name), getattr(other, name)))


def test_bounds_of_other_parameters_tell_nothing():
    mlp, X = fitted("relu")
    network = mlp._network(mlp._arrays())
    bounds = alive.Bounds.after(network, np.full(12, -1.0))
    assert bounds.dead(network).tolist() == [True] * 12 + [False] * 18
    mlp.intercepts_[0][0] += 1
    network = mlp._network(mlp._arrays())
    assert not bounds.dead(network).any()
    assert alive.find_alive(network, Samples(X), None, bounds).tolist() == alive_by_numpy(mlp, X).tolist()


@pytest.mark.parametrize("n_units", [200, 300])
def test_deeper_layers_need_no_units_that_are_dead(n_units, monkeypatch):
    """Where so few terms are one sum, whose bits those of 0 do not change."""
    sizes = []

    def recorded(weights, *rest, **more):
        sizes.append([w.shape for w in weights])
        return Network(weights, *rest, **more)

    random = np.random.default_rng(0)
    mlp, X = fitted("relu")
    monkeypatch.setattr(alive, "Network", recorded)
    weights = [random.normal(size=shape) for shape in ((6, n_units), (n_units, 40), (40, 1))]
    biases = [np.zeros(n_units), np.zeros(40), np.zeros(1)]
    biases[0][: n_units // 2] = -1e5
    first = np.maximum(X @ weights[0] + biases[0], 0)
    z = first @ weights[1]
    highest = np.sort(z, axis=0)[-2:]
    biases[1][:] = 1e-6 - highest.mean(axis=0)  # alive for a single row, or for two that are equal
    biases[1][::2] -= abs(biases[1][::2])
    expected = [*first.any(axis=0), *(z + biases[1] > 0).any(axis=0)]
    assert 10 < sum(expected[n_units:]) < 30
    network = Network(weights, biases, resolve_of(mlp, 3)[:2], 0, None)
    bounds = alive.Bounds.after(network, (X @ weights[0] + biases[0]).max(axis=0) + 1e-6)
    assert alive.find_alive(network, Samples(X), None, bounds).tolist() == expected
    needed = n_units // 2 if n_units < 256 else n_units
    assert {shapes[0][1] for shapes in sizes} == {shapes[1][0] for shapes in sizes} == {needed}


def test_all_of_the_first_layer_is_dead():
    mlp, X = fitted("relu")
    mlp.intercepts_[0][:] = -1e6
    network = mlp._network(mlp._arrays())
    bounds = alive.Bounds.after(network, np.full(12, -1.0))
    expected = alive_by_numpy(mlp, X)
    assert 0 < sum(expected) < 18
    assert alive.find_alive(network, Samples(X), None, bounds).tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (4, 16), (203, 45)])
def test_ranges_of_columns(shape, dtype):
    X = np.random.default_rng(0).normal(size=shape).astype(dtype)
    assert same_bits(Samples(X).ranges(), np.stack([X.min(axis=0), X.max(axis=0)]))
    assert Samples(csr_matrix(X)).ranges() is Samples(X[:0]).ranges() is None
    for value in (np.nan, np.inf, -np.inf):
        for row in {0, shape[0] // 2, shape[0] - 1}:
            other = X.copy()
            other[row, -1] = value
            assert np.isnan(Samples(other).ranges()[0]).tolist() == [False] * (shape[1] - 1) + [True]
