"""The loss as a sum over rows in many places, against a fit of all rows, finite differences and the local steps."""

import itertools
import pickle
from functools import reduce

import numpy as np
import pytest
import scipy.optimize
from helpers import few_epochs, rng, same_bits
from sklearn.datasets import make_classification, make_regression

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu.distributed import Objective


def classification(n=300):
    X, y = make_classification(n, 8, n_informative=5, n_classes=3, random_state=0)
    return X, np.array(["low", "middle", "high"])[y]


def total(objective, parameters, partitions):
    """The sums over all partitions, in order."""
    of_each = [objective.loss_and_gradient(parameters, *rows) for rows in partitions]
    return reduce(lambda a, b: tuple(x + y for x, y in zip(a, b, strict=True)), of_each)


def cases():
    X, y = classification()
    weights = rng("weights").random(len(X))
    yield "classes", MLPClassifier(7, "gelu", alpha=0.1), X, y, weights
    yield "class_weight", MLPClassifier(7, "tanh", class_weight={"low": 3.0, "high": 0.5}), X, y, weights
    yield "labels", MLPClassifier(7, "tanh"), X, (X[:, :3] > 0).astype(int), None
    X, y = make_regression(200, 6, n_targets=2, random_state=0)
    yield "numbers", MLPRegressor(hidden_layer_sizes=(6, 5), activation="silu", l1=0.01), X, y[:, 1] / 100, None
    yield "prelu", MLPRegressor(hidden_layer_sizes=5, activation="prelu"), X, y[:, 0] / 100, rng("w").random(200)


@pytest.mark.parametrize(
    ("name", "mlp", "X", "y", "weights"), list(cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_gradient_is_that_of_the_loss(name, mlp, X, y, weights):
    objective = Objective(mlp.set_params(random_state=0), X, y)
    parameters = objective.parameters
    _, gradient, weight = objective.loss_and_gradient(parameters, X, y, weights)
    direction = rng("direction").standard_normal(len(parameters))

    def loss_at(step):
        moved = parameters + step * direction
        loss, _, weight = objective.loss_and_gradient(moved, X, y, weights)
        return loss + weight * objective.penalised(moved, np.zeros_like(moved), weight)[0]

    with_penalties = weight * objective.penalised(parameters, gradient, weight)[1]
    numeric = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5
    assert with_penalties @ direction == pytest.approx(numeric, rel=1e-6)
    if weights is None or mlp.get_params().get("class_weight") is None:
        assert weight == pytest.approx(len(X) if weights is None else weights.sum())


@pytest.mark.parametrize(
    ("name", "mlp", "X", "y", "weights"), list(cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_sums_over_partitions_are_those_over_all_rows(name, mlp, X, y, weights):
    objective = Objective(mlp.set_params(random_state=0), X, y)
    ends = np.array([0, 1, 1, 90, len(X)])  # one has a single row
    rows = [slice(a, b) for a, b in itertools.pairwise(ends) if a < b]
    parts = [(X[s], y[s], None if weights is None else weights[s]) for s in rows]
    whole = objective.loss_and_gradient(objective.parameters, X, y, weights)
    summed = total(objective, objective.parameters, parts)
    for a, b in zip(whole, summed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@few_epochs
def test_lbfgs_over_partitions_is_the_local_fit():
    X, y = classification()
    mlp = MLPClassifier(10, "tanh", solver="lbfgs", alpha=0.5, l1=0.01, max_iter=25, random_state=1)
    objective = pickle.loads(pickle.dumps(Objective(mlp, X[:3], y[:3], classes=np.unique(y))))
    parts = [(X[i::5], y[i::5]) for i in range(5)]

    def mean_loss(parameters):
        loss, gradient, weight = total(objective, parameters, parts)
        penalties, gradient = objective.penalised(parameters, gradient, weight)
        return loss / weight + penalties, gradient

    options = {"maxiter": 25, "gtol": mlp.tol, "maxfun": mlp.max_fun}
    found = scipy.optimize.minimize(mean_loss, objective.parameters, jac=True, method="L-BFGS-B", options=options)
    mlp.fit(X, y)
    assert found.fun == pytest.approx(mlp.loss_, rel=1e-7)
    there = objective.to_estimator(found.x)
    np.testing.assert_allclose(there.predict_proba(X), mlp.predict_proba(X), atol=1e-4)
    assert (there.predict(X) == mlp.predict(X)).all()


@few_epochs
@pytest.mark.parametrize("clip_norm", [None, 0.05])
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_steps_are_those_of_a_local_fit(solver, clip_norm):
    """With batches of all rows, and all rows in two halves."""
    X, y = make_regression(128, 6, noise=1, random_state=0)
    y = y / 100
    mlp = MLPRegressor(
        hidden_layer_sizes=(9, 4), activation="gelu", solver=solver, clip_norm=clip_norm, alpha=0.1, l1=0.02, shuffle=False,
        batch_size=128, max_iter=5, random_state=0,
    )  # fmt: skip
    objective = Objective(mlp, X[:1], y[:1])
    parameters, optimizer = objective.parameters, None
    before = parameters.copy()
    for _ in range(5):
        _, gradient, weight = total(objective, parameters, [(X[:64], y[:64]), (X[64:], y[64:])])
        parameters, optimizer = objective.apply_step(parameters, gradient, weight, optimizer)
    assert same_bits(objective.parameters, before)
    mlp.fit(X, y)
    local = np.concatenate([a.ravel() for group in mlp._arrays() for a in group if a is not None])
    np.testing.assert_allclose(parameters, local, rtol=1e-9, atol=1e-12)
    assert optimizer.t == 5


def test_rows_without_weight_contribute_nothing():
    X, y = classification()
    objective = Objective(MLPClassifier(4, class_weight={"low": 0.0}, random_state=0), X, y)
    low = y == "low"
    for rows in ((X[low], y[low]), (X, y, np.zeros(len(X)))):
        loss, gradient, weight = objective.loss_and_gradient(objective.parameters, *rows)
        assert (loss, weight) == (0, 0) and not gradient.any()
    parameters, _ = objective.apply_step(objective.parameters, gradient, 0.0)
    assert same_bits(parameters, objective.parameters)


def test_float32_stays_float32_and_sums_are_float64():
    X, y = classification()
    objective = Objective(MLPClassifier(4, random_state=0), X[:3].astype(np.float32), y[:3], classes=np.unique(y))
    assert objective.parameters.dtype == np.float32
    assert objective.loss_and_gradient(objective.parameters, X, y)[1].dtype == np.float64


def test_the_first_weights_are_those_of_fit():
    X, y = classification()
    mlp = MLPClassifier((5, 4), init="he_normal", random_state=3, max_iter=1)
    first = Objective(mlp, X[:2], y[:2], classes=np.unique(y)).to_estimator
    other = MLPClassifier((5, 4), init="he_normal", random_state=3, max_iter=1, learning_rate_init=1e-300)
    with pytest.warns(Warning, match="Maximum iterations"):
        other.fit(X, y)
    ours = first(Objective(mlp, X[:2], y[:2], classes=np.unique(y)).parameters)
    for a, b in zip(ours.coefs_, other.coefs_, strict=True):
        assert same_bits(a, b)
    assert not hasattr(mlp, "coefs_")


def test_errors():
    X, y = classification()
    with pytest.raises(TypeError, match="estimator must be an MLPClassifier"):
        Objective("mlp", X, y)
    with pytest.raises(ValueError, match="class_weight='balanced' needs the frequencies"):
        Objective(MLPClassifier(class_weight="balanced"), X, y)
    objective = Objective(MLPClassifier(3), X, y)
    with pytest.raises(ValueError, match="parameters has the shape"):
        objective.loss_and_gradient(objective.parameters[1:], X, y)
    with pytest.raises(ValueError, match="classes not in"):
        objective.loss_and_gradient(objective.parameters, X[:1], ["none of them"])
    with pytest.raises(ValueError, match="features"):
        objective.loss_and_gradient(objective.parameters, X[:, 1:], y)
    with pytest.raises(ValueError, match="shape"):
        objective.apply_step(objective.parameters, objective.parameters[1:], 1.0)
    with pytest.raises(ValueError, match="weight=-1"):
        objective.apply_step(objective.parameters, objective.parameters, -1.0)
    lbfgs = Objective(MLPClassifier(3, solver="lbfgs"), X, y)
    with pytest.raises(ValueError, match="solver='lbfgs' takes no steps"):
        lbfgs.apply_step(lbfgs.parameters, lbfgs.parameters, 1.0)
    objective._isa = "another"
    with pytest.raises(RuntimeError, match="PYRELU_ISA="):
        objective.check_isa()
