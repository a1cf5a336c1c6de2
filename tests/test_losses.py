"""Every row of the table of losses against its formula, in training, and against scikit-learn where it has the loss."""

import pickle

import numpy as np
import pytest
from helpers import few_epochs, rng, same_bits
from oracle import exact_loss
from sklearn import linear_model, metrics
from sklearn.base import clone

from pyrelu import MLPClassifier, MLPRegressor, functional
from pyrelu._functions.domains import interval, outside
from pyrelu._mlp.activation import output_name, resolve
from pyrelu._mlp.losses import CLASSIFIER, REGRESSOR, names
from pyrelu._mlp.losses import resolve as resolve_loss
from pyrelu._mlp.network import pack
from pyrelu._mlp.optimizers import Gradient
from pyrelu._network import Network
from pyrelu._samples import Samples
from pyrelu.exceptions import InvalidParameterError
from pyrelu.inspection import gradient_norms
from pyrelu.registry import activations, losses

PRECISIONS = {np.float32: 2e-5, np.float64: 1e-13}
CANDIDATES = (0, 0.2, 0.5, 1, 1.35, 1.9, 3)
BINARY = "binary_"
EVERY = [(CLASSIFIER, name) for name in names(CLASSIFIER)] + [(REGRESSOR, name) for name in names(REGRESSOR)]


def variants(row):
    """The defaults, and other values of the first parameter."""
    yield dict(row.parameters)
    for name in row.parameters:
        for value in CANDIDATES:
            if not outside(value, *interval(row.parameter_domains[name])):
                yield row.parameters | {name: value}


def resolved(row, parameters):
    name = row.name.removeprefix(BINARY)
    return resolve_loss((name, parameters), row.estimator, labels=row.name.startswith(BINARY))


def draw(row, random, n, n_outputs):
    """Targets of every kind that the row takes."""
    if row.targets == "classes":
        return random.integers(n_outputs, size=(n, 1)).astype(float)
    if row.estimator == CLASSIFIER:
        return random.choice([0, 1], size=(n, n_outputs)).astype(float)
    return {
        "(-inf, inf)": random.normal(0, 2, (n, n_outputs)),
        "[0, inf)": random.poisson(1, (n, n_outputs)).astype(float),
        "(0, inf)": random.gamma(2, 1, (n, n_outputs)),
    }[row.domain]


def outputs(row, z):
    return getattr(functional, row.link)(z)


def of_rows(loss, targets, y, smoothing=0.0):
    n = y.shape[1]
    network = Network(
        [np.zeros((1, n), y.dtype)], [np.zeros(n, y.dtype)], [], None, loss.of(n), label_smoothing=smoothing
    )
    return network.losses(targets.astype(y.dtype), y)


# ---- the formulas ----


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("row", losses.values(), ids=losses)
def test_value_and_gradient_are_those_of_the_formula(row, dtype):
    random = rng(row.name)
    z = random.normal(0, 1.5, (12, 3)).astype(dtype)
    targets = draw(row, random, 12, 3).astype(dtype)
    for parameters in variants(row):
        values, gradient = of_rows(resolved(row, parameters), targets, outputs(row, z))
        used = {name: float(dtype(value)) for name, value in parameters.items()}
        for i in range(len(z)):
            t = int(targets[i, 0]) if row.targets == "classes" else targets[i]
            value, slopes = exact_loss(row, z[i], t, [used] * 3)
            scale = 4 * (1 + abs(float(value)))  # the terms of a formula, which may cancel
            assert abs(float(values[i]) - float(value)) < PRECISIONS[dtype] * scale, (parameters, i)
            np.testing.assert_allclose(gradient[i], [float(s) for s in slopes], rtol=0, atol=PRECISIONS[dtype] * scale)


@pytest.mark.parametrize(
    "row", [row for row in losses.values() if row.estimator == CLASSIFIER], ids=lambda row: row.name
)
def test_smoothing_mixes_the_targets(row):
    random, smoothing = rng("smoothing", row.name), 0.3
    z = random.normal(size=(8, 3))
    targets = draw(row, random, 8, 3)
    parameters = dict(row.parameters)
    values, gradient = of_rows(resolved(row, parameters), targets, outputs(row, z), smoothing)
    for i in range(len(z)):
        if row.targets == "classes":
            shares = np.full(3, smoothing / 3)
            shares[int(targets[i, 0])] += 1 - smoothing
            each = [exact_loss(row, z[i], t, [parameters] * 3) for t in range(3)]
            want = sum(share * float(value) for share, (value, _) in zip(shares, each, strict=True))
            slopes = sum(share * np.array(slopes, float) for share, (_, slopes) in zip(shares, each, strict=True))
        else:
            want, slopes = exact_loss(row, z[i], (1 - smoothing) * targets[i] + smoothing / 2, [parameters] * 3)
        np.testing.assert_allclose(values[i], float(want), rtol=1e-13)
        np.testing.assert_allclose(gradient[i], np.array(slopes, float), rtol=0, atol=1e-13)


@pytest.mark.parametrize("row", losses.values(), ids=losses)
def test_nan_is_not_hidden(row):
    y = np.full((1, 2), np.nan)
    targets = draw(row, rng("NaN"), 1, 2)
    values, gradient = of_rows(resolved(row, dict(row.parameters)), targets, y)
    assert np.isnan(values).all() and np.isnan(gradient).all()


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    "row", [row for row in losses.values() if row.estimator == REGRESSOR], ids=lambda row: row.name
)
def test_an_exact_prediction_has_no_loss_and_no_gradient(row, dtype):
    """0 is one of the subgradients where a loss has a kink."""
    targets = draw(row, rng("exact", row.name), 20, 2).astype(dtype)
    for parameters in variants(row):
        values, gradient = of_rows(resolved(row, parameters), targets, targets.copy())
        np.testing.assert_allclose(values, 0, atol=PRECISIONS[dtype] * (1 + abs(targets).max()))
        assert (gradient == 0).all(), parameters


def test_no_target_and_a_prediction_that_underflows():
    for dtype in PRECISIONS:
        for name in ("poisson", "tweedie"):
            values, gradient = of_rows(resolve_loss(name, REGRESSOR), np.zeros((1, 1)), np.zeros((1, 1), dtype))
            assert values == 0 and gradient == 0


# ---- in training ----


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("row", losses.values(), ids=losses)
def test_gradient_of_a_network_is_that_of_its_loss(row, smoothing):
    if smoothing and (row.estimator == REGRESSOR or row.link == "identity"):
        return
    random, n_outputs = rng("network", row.name), 3
    shapes = [(4, 5), (5, n_outputs)]
    weights = [random.normal(size=shape) / 2 for shape in shapes]
    biases = [random.normal(size=shape[1]) / 2 for shape in shapes]
    parameters, (weights, biases, _) = pack((weights, biases, [None]), np.float64)
    loss = resolved(row, dict(row.parameters)).of(n_outputs)
    link = output_name(loss.link)
    output = None if link == "softmax" else activations[link].index
    network = Network(weights, biases, resolve("tanh", 1), output, loss, (), parameters, (), smoothing)
    X, targets, sample_weight = (
        random.normal(size=(20, 4)),
        draw(row, random, 20, n_outputs),
        random.uniform(0.5, 2, 20),
    )
    samples = Samples(X, targets, sample_weight)
    solver = Gradient(parameters, MLPRegressor(alpha=0.0))

    def value():
        return network.train(samples, None, 20, solver).loss

    rows, _ = of_rows(resolved(row, dict(row.parameters)), targets, network.predict(samples), smoothing)
    assert value() == pytest.approx(np.average(rows, weights=sample_weight), rel=1e-13)
    gradient, differences, step = solver.state[0].copy(), [], 1e-6
    for i in range(len(parameters)):
        at = parameters[i]
        ends = []
        for end in (at - step, at + step):
            parameters[i] = end
            ends.append(value())
        parameters[i] = at
        differences.append((ends[1] - ends[0]) / (2 * step))
    factor = n_outputs if row.outputs == "mean" else 1
    np.testing.assert_allclose(gradient, np.array(differences) * factor, rtol=1e-6, atol=1e-8)


def data(kind, name, n=200, n_outputs=1):
    random = rng("data", kind, name)
    X = random.normal(size=(n, 4))
    if kind == CLASSIFIER:
        return X, np.digitize(X[:, 0] + random.normal(0, 0.3, n), [-0.5, 0.5])
    return X, draw(losses[name], random, n, n_outputs).reshape(n, -1).squeeze() + (X[:, 0] > 0)


def make(kind, name, **given):
    settings = dict(hidden_layer_sizes=(8,), random_state=0, max_iter=100) | given
    return MLPClassifier(loss=name, **settings) if kind == CLASSIFIER else MLPRegressor(name, **settings)


@few_epochs
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_loss_is_an_estimator_s(kind, name, tmp_path):
    X, y = data(kind, name)
    for dtype in PRECISIONS:
        mlp = make(kind, name, solver="lbfgs", max_iter=25).fit(X.astype(dtype), y)
        assert mlp.coefs_[0].dtype == dtype
        with np.errstate(all="raise"):
            first = make(kind, name, solver="lbfgs", max_iter=1).fit(X.astype(dtype), y)
        assert mlp.loss_ < first.loss_
    cls = type(mlp)
    mlp.save(tmp_path / "a")
    for again in (cls.load(tmp_path / "a"), pickle.loads(pickle.dumps(mlp)), clone(mlp).fit(X, y)):
        assert same_bits(again.predict(X), mlp.predict(X)) and again.loss == name
    if name not in ("log_loss", "squared_error", "poisson"):
        with pytest.raises(ValueError, match="loss"):
            mlp.to_sklearn()
    stopped = make(kind, name, early_stopping=True, max_iter=3).fit(X, y)
    assert len(stopped.validation_scores_) == 3
    weighted = make(kind, name, max_iter=3, shuffle=False, batch_size=1000, alpha=0)
    with pytest.warns(UserWarning, match="batch_size"):
        twice = clone(weighted).fit(np.r_[X, X], np.r_[y, y])
        weighted.fit(X, y, np.full(len(X), 2.0))
    np.testing.assert_allclose(weighted.loss_curve_, twice.loss_curve_, rtol=1e-10)


@few_epochs
@pytest.mark.parametrize("kind_of_y", ["one", "several"])
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_inspection_has_the_gradient_of_training(kind, name, kind_of_y):
    X, y = data(kind, name)
    if kind_of_y == "several":
        y = np.c_[y > 0, y > 1].astype(int) if kind == CLASSIFIER else np.c_[y, 2 * y]
    mlp = make(kind, name, solver="sgd", learning_rate_init=1e-30, max_iter=1, batch_size=len(X), alpha=0).fit(X, y)
    norm = np.sqrt((gradient_norms(mlp, X, y) ** 2).sum())
    assert norm == pytest.approx(mlp.history_[0]["gradient_norm"], rel=1e-10)


# ---- scikit-learn's ----


@pytest.mark.parametrize(
    ("loss", "theirs"),
    [
        ("poisson", linear_model.PoissonRegressor(alpha=0.1, tol=1e-9, max_iter=1000)),
        ("gamma", linear_model.GammaRegressor(alpha=0.1, tol=1e-9, max_iter=1000)),
        (("tweedie", {"power": 1.3}), linear_model.TweedieRegressor(power=1.3, alpha=0.1, tol=1e-9, max_iter=1000)),
    ],
    ids=str,
)
def test_without_hidden_layers_it_is_a_generalised_linear_model(loss, theirs):
    X = rng("GLM").normal(size=(100, 3))
    y = rng("GLM", 1).gamma(2, np.exp(X[:, 0] / 2))
    weights = rng("GLM", 2).uniform(0.5, 2, 100)
    theirs.fit(X, y, weights)
    alpha = 0.1 * weights.sum()  # ours is divided by it
    mlp = MLPRegressor(loss, (), solver="lbfgs", alpha=alpha, tol=1e-9, max_iter=1000, random_state=0)
    mlp.fit(X, y, weights)
    np.testing.assert_allclose(mlp.coefs_[0].ravel(), theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(mlp.intercepts_[0], theirs.intercept_, atol=1e-5)


def test_without_hidden_layers_it_is_a_huber_regressor():
    random = rng("huber")
    X = random.normal(size=(100, 3))
    y = X @ [1, 2, 3] + random.standard_t(1.5, 100)
    theirs = linear_model.HuberRegressor(alpha=0, tol=1e-9, max_iter=1000).fit(X, y)
    delta = theirs.epsilon * theirs.scale_
    mlp = MLPRegressor(
        ("huber", {"delta": delta}), (), solver="lbfgs", alpha=0, tol=1e-9, max_iter=1000, random_state=0
    )
    np.testing.assert_allclose(mlp.fit(X, y).coefs_[0].ravel(), theirs.coef_, atol=1e-4)


def test_without_hidden_layers_it_is_a_quantile_regressor():
    random = rng("quantile")
    X = random.normal(size=(200, 2))
    y = X @ [1, 2] + random.gamma(2, 1, 200)
    levels = [0.9, 0.1, 0.5]
    settings = dict(learning_rate="cosine", learning_rate_init=0.1, max_iter=300, alpha=0, n_iter_no_change=300)
    mlp = MLPRegressor(("quantile", {"level": levels}), (), batch_size=200, random_state=0, **settings).fit(X, y)
    assert mlp.predict(X).shape == (200, 3) and mlp.n_outputs_ == 3
    for level, predicted in zip(levels, mlp.predict(X).T, strict=True):
        theirs = linear_model.QuantileRegressor(quantile=level, alpha=0).fit(X, y).predict(X)
        best = metrics.mean_pinball_loss(y, theirs, alpha=level)
        assert best <= metrics.mean_pinball_loss(y, predicted, alpha=level) + 1e-12 < 1.01 * best
    d2 = [metrics.d2_pinball_score(y, one, alpha=q) for q, one in zip(levels, mlp.predict(X).T, strict=True)]
    assert mlp.score(X, y) == pytest.approx(np.mean(d2))


@pytest.mark.parametrize(
    ("loss", "metric"),
    [
        ("squared_error", lambda y, p: metrics.mean_squared_error(y, p) / 2),
        ("absolute_error", metrics.mean_absolute_error),
        (("quantile", {"level": 0.3}), lambda y, p: metrics.mean_pinball_loss(y, p, alpha=0.3)),
        ("poisson", lambda y, p: metrics.mean_poisson_deviance(y, p) / 2),
        ("gamma", lambda y, p: metrics.mean_gamma_deviance(y, p) / 2),
        (("tweedie", {"power": 1.7}), lambda y, p: metrics.mean_tweedie_deviance(y, p, power=1.7) / 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_are_those_of_scikit_learns_metrics(loss, metric):
    y, predicted = rng("y").gamma(2, 1, (50, 1)), rng("p").gamma(2, 1, (50, 1))
    values, _ = resolve_loss(loss, REGRESSOR).of_rows(y, predicted)
    assert values.mean() == pytest.approx(metric(y, predicted), rel=1e-12)


def test_hinge_is_scikit_learns():
    y, decision = rng("y").integers(2, size=50), rng("d").normal(size=(50, 3))
    values, _ = resolve_loss("hinge", CLASSIFIER).of_rows(y[:, np.newaxis], decision[:, :1])
    assert values.mean() == pytest.approx(metrics.hinge_loss(y, decision[:, 0]), rel=1e-12)
    classes = rng("c").integers(3, size=50)  # one class against the rest
    values, _ = resolve_loss("hinge", CLASSIFIER).of_rows(classes[:, np.newaxis], decision)
    against_the_rest = sum(metrics.hinge_loss(classes == k, decision[:, k]) for k in range(3))
    assert values.mean() == pytest.approx(against_the_rest, rel=1e-12)


# ---- what an estimator makes of it ----


@few_epochs
@pytest.mark.parametrize("target", ["two", "three", "labels"])
@pytest.mark.parametrize("name", names(CLASSIFIER))
def test_probabilities_or_margins(name, target):
    X, y = data(CLASSIFIER, name)
    y = {"two": np.array(["a", "b"])[(y > 0).astype(int)], "three": y, "labels": np.c_[y > 0, y > 1].astype(int)}[
        target
    ]
    mlp = make(CLASSIFIER, name, learning_rate_init=0.03)
    probable = losses[name].link != "identity"
    for one in (mlp, mlp.fit(X, y, eval_set=(X, y))):
        assert hasattr(one, "predict_proba") == hasattr(one, "predict_log_proba") == probable
        assert hasattr(one, "decision_function") == (not probable)
    mlp.set_params(loss="log_loss" if name == "hinge" else "hinge")  # predictions are those of the fit
    assert hasattr(mlp, "predict_proba") == probable
    if not probable:
        with pytest.raises(AttributeError):
            mlp.predict_proba(X)
    given = mlp.predict_proba(X) if probable else mlp.decision_function(X)
    if target == "labels":
        want = given > (0.5 if probable else 0)
    elif given.ndim == 1:
        want = mlp.classes_[(given > 0).astype(int)]
    else:
        want = mlp.classes_[given.argmax(axis=1)]
    np.testing.assert_array_equal(mlp.predict(X), want)
    assert mlp.score(X, y) == mlp.validation_scores_[-1] > 0.7


@few_epochs
def test_levels_in_order():
    X, y = data(REGRESSOR, "quantile")
    given = {"level": [0.9, 0.1, 0.5, 0.55, 0.45]}
    crossing, ordered = (
        make(REGRESSOR, ("quantile", given | more), max_iter=5).fit(X, y) for more in ({}, {"monotone": True})
    )
    at = np.argsort(given["level"])
    assert (np.diff(crossing.predict(X)[:, at]) < 0).any()
    assert (np.diff(ordered.predict(X)[:, at]) >= 0).all()
    np.testing.assert_array_equal(np.sort(crossing.predict(X)), ordered.predict(X)[:, at])
    with pytest.raises(ValueError, match="y has 2 columns"):
        crossing.fit(X, np.c_[y, y])
    assert make(REGRESSOR, "quantile", max_iter=2).fit(X, np.c_[y, y]).predict(X).shape == (200, 2)


def half_square(y_true, y_pred):
    return (y_pred - y_true) ** 2 / 2


def difference(y_true, y_pred):
    return y_pred - y_true


@few_epochs
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_functions_of_ones_own(solver, dtype):
    X, y = data(REGRESSOR, "squared_error", 1500)
    # as much work as takes several blocks of rows
    given = dict(solver=solver, max_iter=5, hidden_layer_sizes=(64, 128), batch_size=1024)
    for loss in (half_square, lambda t, p: half_square(t, p).sum(axis=1)):
        own = make(REGRESSOR, (loss, difference), **given).fit(X.astype(dtype), y, np.arange(1500.0))
        table = make(REGRESSOR, "squared_error", **given).fit(X.astype(dtype), y, np.arange(1500.0))
        assert all(map(same_bits, own.coefs_, table.coefs_)) and own.loss_ == pytest.approx(table.loss_, rel=1e-6)
    assert gradient_norms(own, X, y) == pytest.approx(gradient_norms(table, X, y))


class OnesOwnError(Exception):
    pass


def fails(y_true, y_pred):
    raise OnesOwnError


@pytest.mark.parametrize(
    ("pair", "error", "message"),
    [
        ((fails, difference), OnesOwnError, "^$"),
        ((half_square, fails), OnesOwnError, "^$"),
        ((lambda t, p: 1.0, difference), ValueError, r"loss: .* gave an array of shape \(\) for .* \(200, 1\)"),
        ((half_square, lambda t, p: (p - t).ravel()), ValueError, r"gradient .* of shape \(200,\) .* keep the shape"),
        ((half_square, lambda t, p: np.copyto(p, 1)), ValueError, "read-only"),
        ((lambda t, p: half_square(t, p) * np.nan, difference), ValueError, "non-finite"),
    ],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_errors_of_ones_own_functions_end_the_fit(pair, error, message, solver):
    X, y = data(REGRESSOR, "squared_error")
    mlp = make(REGRESSOR, pair, max_iter=5, solver=solver)
    if message == "non-finite" and solver == "lbfgs":
        return  # SciPy takes NaN for the end of a line search
    before = vars(mlp).copy()
    with pytest.raises(error, match=message):
        mlp.fit(X, y)
    assert vars(mlp) == before


@pytest.mark.parametrize("name", [name for name in names(REGRESSOR) if losses[name].domain != "(-inf, inf)"])
def test_targets_outside_the_domain(name):
    X, y = data(REGRESSOR, name)
    for bad in (-1.0, 0.0):
        if outside(bad, *interval(losses[name].domain)):
            wrong = y.copy()
            wrong[3] = bad
            with pytest.raises(ValueError, match=rf"y must be in the range .* with loss='{name}', got {bad}"):
                make(REGRESSOR, name).fit(X, wrong)
            with pytest.raises(ValueError, match="eval_set: y must be in the range"):
                make(REGRESSOR, name).fit(X, y, eval_set=(X, wrong))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("log_loss", "The 'loss' parameter of MLPRegressor must be one of 'squared_error', .* Got 'log_loss' instead"),
        (("huber", {"delta": 0}), r"loss='huber': delta must be a float in the range \(0, inf\). Got 0 instead"),
        (("huber", {"delta": np.nan}), "delta must be"),
        (("huber", {"delta": [1.0, 2.0]}), "delta must be"),
        (("huber", {"gamma": 2}), "loss='huber' has no parameter 'gamma'; it has: delta"),
        (("quantile", {"level": []}), "or a sequence of such"),
        (("quantile", {"level": [0.5, 1.0]}), "or a sequence of such"),
        (("quantile", {"monotone": 2}), "monotone=2 is not a bool"),
        (("log_cosh", {"monotone": True}), "it has: none"),
        ((half_square,), "a pair of functions"),
        (None, "Got None"),
        (["huber", {}], "Got"),
    ],
    ids=range(12),
)
def test_wrong_losses_are_named(loss, message):
    with pytest.raises(InvalidParameterError, match=message):
        MLPRegressor(loss).fit([[0.0], [1.0]], [1.0, 2.0])


def test_wrong_losses_of_classifiers():
    for loss in ("huber", "binary_log_loss", (half_square, difference)):
        with pytest.raises(
            InvalidParameterError, match="The 'loss' parameter of MLPClassifier must be one of 'log_loss'"
        ):
            MLPClassifier(loss=loss).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(InvalidParameterError, match="label_smoothing=0.1 cannot be combined with loss='hinge'"):
        MLPClassifier(loss="hinge", label_smoothing=0.1).fit([[0.0], [1.0]], [0, 1])
