"""Inspection against the training core, finite differences, and networks whose values are known by hand."""

from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
import scipy.sparse
from helpers import parameters, rng
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier as ScikitLearnClassifier
from sklearn.neural_network import MLPRegressor as ScikitLearnRegressor
from sklearn.pipeline import make_pipeline

import pyrelu as pr
from pyrelu import MLPClassifier, inspection, registry
from pyrelu._mlp.activation import names
from pyrelu.inspection import (
    ActivityRecorder,
    dead_units,
    gradient_norms,
    layer_report,
    local_linear_map,
    repeated,
    unit_activity,
)
from pyrelu.inspection._gradients import loss_gradients

PIECEWISE_LINEAR = [
    name
    for rows in (registry.activations, registry.axis_functions, registry.composed_functions)
    for name, row in rows.items()
    if row.piecewise_linear
]


def with_parameters(activation):
    """With values for what has no default, and slopes that training draws from one point only."""
    if activation not in registry.activations:
        return activation
    return (activation, {"lower": 0.2, "upper": 0.2} if activation == "rrelu" else parameters(activation))


def hidden_activations():
    """All named hidden activations, and a pair of functions."""
    along_an_axis = [name for name in names() if name not in registry.names()]
    return [
        *map(with_parameters, registry.activations),
        *along_an_axis,
        ("maxout", {"num_pieces": 3}),
        (np.sin, np.cos),
    ]


def data(n=60, n_features=5, n_classes=3):
    random = rng("inspection", n)
    X = random.normal(size=(n, n_features))
    return X, np.arange(n) % n_classes


def fitted(X, y, activation="relu", hidden=(7, 6), cls=MLPClassifier, **settings):
    settings = dict(max_iter=3, random_state=0, learning_rate_init=0.01) | settings
    with np.errstate(all="ignore"), pytest.warns(Warning):
        return cls(hidden_layer_sizes=hidden, activation=activation, **settings).fit(X, y)


def targets(kind, X, y):
    if kind == "binary":
        return np.where(y > 0, "yes", "no")
    return {"multiclass": y, "multilabel": np.column_stack([y == 0, X[:, 0] > 0]).astype(int)}[kind]


def mean_loss(mlp, X, y):
    """The loss by scikit-learn's metrics."""
    p = mlp.predict_proba(X)
    if y.ndim == 2:
        return -np.mean(np.sum(np.log(np.where(y == 1, p, 1 - p)), axis=1))
    return log_loss(y, p, labels=mlp.classes_)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_gradients_are_finite_differences_of_the_loss(kind):
    X, y = data()
    y = targets(kind, X, y)
    mlp = fitted(X, y, ("gelu", "tanh"))
    of_weights, of_biases = loss_gradients(mlp, X, y)
    for arrays, gradients in ((mlp.coefs_, of_weights), (mlp.intercepts_, of_biases)):
        for array, gradient in zip(arrays, gradients, strict=True):
            at = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
            middle, step = array[at], 1e-5
            losses = []
            for moved in (middle - step, middle + step):
                array[at] = moved
                losses.append(mean_loss(mlp, X, y))
            array[at] = middle
            np.testing.assert_allclose(gradient[at], (losses[1] - losses[0]) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("hidden", hidden_activations(), ids=str)
def test_gradients_are_those_of_the_core(hidden):
    """One step of plain gradient descent on all rows moves the weights by the gradient."""
    X, y = data()
    mlp = fitted(X, y, hidden, alpha=0.0, learning_rate_init=1e-4)
    before = [array.copy() for array in (*mlp.coefs_, *mlp.intercepts_)]
    gradients = [array for arrays in loss_gradients(mlp, X, y) for array in arrays]
    mlp.set_params(solver="sgd", momentum=0.0, learning_rate_init=1.0, batch_size=len(X), shuffle=False)
    del mlp._optimizer
    after = mlp.partial_fit(X, y)
    for old, gradient, new in zip(before, gradients, (*after.coefs_, *after.intercepts_), strict=True):
        np.testing.assert_allclose(old - new, gradient, rtol=1e-9, atol=1e-12)


def test_gradient_norms():
    X, y = data(2500)
    mlp = fitted(X, y, "tanh")
    of_weights, of_biases = loss_gradients(mlp, X, y)
    want = [np.linalg.norm(np.append(w, b)) for w, b in zip(of_weights, of_biases, strict=True)]
    np.testing.assert_allclose(gradient_norms(mlp, X, y), want)
    assert len(want) == 3


def test_regressors_of_scikit_learn_too():
    X, y = data()
    target = X @ np.arange(5) + y
    mlp = fitted(X, target, cls=ScikitLearnRegressor)
    of_weights, _ = loss_gradients(mlp, X, target)
    step = 1e-5
    losses = []
    for sign in (-1, 1):
        mlp.coefs_[0][1, 2] += sign * step
        losses.append(np.mean((mlp.predict(X) - target) ** 2) / 2)
        mlp.coefs_[0][1, 2] -= sign * step
    np.testing.assert_allclose(of_weights[0][1, 2], (losses[1] - losses[0]) / (2 * step), rtol=1e-6)
    W, b = local_linear_map(mlp, X[3])
    np.testing.assert_allclose(W @ X[3] + b, mlp.predict(X[3:4]), rtol=1e-12)


def test_dead_units_are_those_that_fit_found():
    X, y = data(1500)
    mlp = fitted(X, y, hidden=(30, 20), learning_rate_init=0.5, max_iter=15)
    for found, known in zip(dead_units(mlp, X), mlp.dead_units_, strict=True):
        assert found.dtype == bool
        assert np.array_equal(found, known)
    assert any(found.any() for found in dead_units(mlp, X))


def test_more_rows_than_a_block_are_all_counted():
    """Sums over all rows are those over parts of them, each less than the rows that are evaluated at a time."""
    X, y = data(2500)
    X = np.sort(X, axis=0)  # other units are alive at its end than at its beginning
    mlp = fitted(X, y, hidden=(20, 10))
    parts = [slice(start, start + 500) for start in range(0, 2500, 500)]
    assert dead_units(mlp, X)[0].sum() < dead_units(mlp, X[parts[-1]])[0].sum()
    for whole, *of_parts in zip(dead_units(mlp, X), *(dead_units(mlp, X[part]) for part in parts), strict=True):
        assert np.array_equal(whole, np.all(of_parts, axis=0))
    for whole, *of_parts in zip(unit_activity(mlp, X), *(unit_activity(mlp, X[part]) for part in parts), strict=True):
        np.testing.assert_allclose(whole, np.mean(of_parts, axis=0), rtol=1e-12)
    squares = 0
    for of_parts in zip(
        *(loss_gradients(mlp, X[part], y[part]) for part in parts), strict=True
    ):  # weights, then biases
        squares += np.array([(np.mean(of_layer, axis=0) ** 2).sum() for of_layer in zip(*of_parts, strict=True)])
    np.testing.assert_allclose(gradient_norms(mlp, X, y) ** 2, squares, rtol=1e-10)


def test_report():
    X, y = data(1500)
    mlp = fitted(X, y, (("leaky_relu", {"negative_slope": 0.2}), "relu"), hidden=(7, 6))
    mlp.intercepts_[1][:3] = -1000
    mlp.intercepts_[1][3] = 1000
    first, second, last = report = layer_report(mlp, X, y)
    assert [record.layer for record in report] == [0, 1, 2]
    assert [record.activation for record in report] == ["leaky_relu(negative_slope=0.2)", "relu", "softmax"]
    assert [record.units for record in report] == [7, 6, 3]
    z = X @ mlp.coefs_[0] + mlp.intercepts_[0]
    a = np.where(z > 0, z, 0.2 * z)
    z2 = a @ mlp.coefs_[1] + mlp.intercepts_[1]
    a2 = np.maximum(z2, 0)
    assert first.dead == first.sparsity == first.saturated == 0
    assert second.dead == 0.5
    np.testing.assert_allclose([second.sparsity, second.saturated], np.mean(z2 <= 0))
    np.testing.assert_allclose(
        [first.mean, first.std, second.mean, second.std], [a.mean(), a.std(), a2.mean(), a2.std()]
    )
    p = mlp.predict_proba(X)
    delta = p - np.eye(3)[y]
    np.testing.assert_allclose([last.mean, last.gradient], [1 / 3, np.abs(delta).mean()])
    np.testing.assert_allclose(second.gradient, np.abs(delta @ mlp.coefs_[2].T * (z2 > 0)).mean())
    assert np.isnan(last.saturated)


@pytest.mark.parametrize("hidden", ["tanh", "glu", ("maxout", {"num_pieces": 3}), "softmax"], ids=str)
def test_gradient_of_a_report_is_the_mean_over_rows_and_pre_activations(hidden):
    """A bias moves one pre-activation of a layer by as much; gated units and maxout have several."""
    X, y = data()
    mlp = fitted(X, y, hidden, alpha=0.0)

    def losses():
        return -np.log(mlp.predict_proba(X)[np.arange(len(X)), y])

    for record, biases in zip(layer_report(mlp, X, y), mlp.intercepts_, strict=True):
        gradients = []
        for j, middle in enumerate(biases):
            ends = []
            for biases[j] in (middle - 1e-5, middle + 1e-5):
                ends.append(losses())
            biases[j] = middle
            gradients.append((ends[1] - ends[0]) / 2e-5)
        np.testing.assert_allclose(record.gradient, np.mean(np.abs(gradients)), rtol=1e-4)


def test_report_without_targets_has_the_gradient_of_the_outputs():
    X, y = data()
    mlp = fitted(X, y)
    without, with_targets = layer_report(mlp, X), layer_report(mlp, X, y)
    assert without[-1].gradient == 1
    z = np.maximum(X @ mlp.coefs_[0] + mlp.intercepts_[0], 0) @ mlp.coefs_[1] + mlp.intercepts_[1]
    np.testing.assert_allclose(without[1].gradient, np.abs(mlp.coefs_[2].sum(axis=1) * (z > 0)).mean())
    assert without[0].std == with_targets[0].std


def test_report_as_table():
    X, y = data()
    report = layer_report(fitted(X, y, ("sigmoid", "relu")), X)
    lines = str(report).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == [
        "layer",
        "activation",
        "units",
        "dead",
        "saturated",
        "mean",
        "std",
        "|gradient|",
        "sparsity",
    ]
    assert lines[-1].split()[1:5] == ["softmax", "3", "0.0%", "-"]
    frame = pandas.DataFrame(report)
    assert list(frame.columns)[:2] == ["layer", "activation"]
    assert frame["units"].tolist() == [7, 6, 3]
    assert frame["std"][0] == report[0].std


def test_report_in_a_notebook():
    X, y = data()
    report = layer_report(fitted(X, y, (np.sin, np.cos)), X)
    assert len(repr(report).splitlines()) == 1 and "softmax 3" in repr(report)
    rows = ElementTree.fromstring(report._repr_html_()).iter("tr")  # well-formed, whatever a function is called
    cells = [["".join(cell.itertext()) for cell in row] for row in rows]
    assert cells[0][-2:] == ["|gradient|", "sparsity"] and [row[2] for row in cells[1:]] == ["7", "6", "3"]


def test_saturation():
    X, y = data()
    mlp = fitted(X, y, "sigmoid", hidden=4)
    mlp.coefs_[0][:] = 0
    mlp.intercepts_[0][:] = [0, 4, -5, 10]  # sigmoid' is 0.0177 at 4 and 0.0066 at 5
    assert layer_report(mlp, X)[0].saturated == 0.5


@pytest.mark.parametrize("form", [scipy.sparse.csr_array, np.float32, list])
def test_other_forms_of_rows(form):
    X, y = data()
    mlp = fitted(X, y)
    other = X.tolist() if form is list else X.astype(form) if form is np.float32 else form(X)
    for record, want in zip(layer_report(mlp, other, y.tolist()), layer_report(mlp, X, y), strict=True):
        assert record.units == want.units
        np.testing.assert_allclose([record.mean, record.gradient], [want.mean, want.gradient], rtol=1e-5)


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_local_linear_map(name):
    X, y = data()
    mlp = fitted(X, y, with_parameters(name))
    for x in X[:10]:
        W, b = local_linear_map(mlp, x)
        assert W.shape == (3, 5) and b.shape == (3,)
        for near in (x, x + 1e-9 * rng("near").normal(size=5)):  # no kink lies as close
            logits = W @ near + b
            p = np.exp(logits - logits.max())
            np.testing.assert_allclose(p / p.sum(), mlp.predict_proba(near[np.newaxis])[0], rtol=1e-12)


def test_piecewise_linear_by_name():
    assert "maxout" in PIECEWISE_LINEAR and "glu" not in PIECEWISE_LINEAR and "softmax" not in PIECEWISE_LINEAR


def test_learned_slopes_and_functions_of_the_user():
    X, y = data()
    mlp = fitted(X, y, ("prelu", (np.sin, np.cos)), learning_rate_init=0.1)
    assert np.ptp(mlp.activation_weights_[0]) > 0
    first, second, _ = layer_report(mlp, X)
    z = X @ mlp.coefs_[0] + mlp.intercepts_[0]
    a = np.where(z > 0, z, mlp.activation_weights_[0] * z)
    np.testing.assert_allclose(first.mean, a.mean())
    np.testing.assert_allclose(second.mean, np.sin(a @ mlp.coefs_[1] + mlp.intercepts_[1]).mean())
    assert (first.activation, second.activation) == ("prelu", "sin")
    with pytest.raises(ValueError, match="hidden layer 1 has the activation sin, which is not piecewise linear"):
        local_linear_map(mlp, X[0])


def test_units_of_several_pieces():
    X, y = data()
    mlp = fitted(X, y, "maxout")
    assert [record.units for record in layer_report(mlp, X)] == [7, 6, 3]
    assert [len(dead) for dead in dead_units(mlp, X)] == [7, 6]
    assert np.isnan(layer_report(mlp, X)[0].saturated)


def test_names_of_features_are_checked_and_not_asked_of_a_point():
    X, y = data()
    frame = pandas.DataFrame(X, columns=list("abcde"))
    mlp = fitted(frame, y)
    W, b = local_linear_map(mlp, frame.iloc[0])
    np.testing.assert_array_equal(W, local_linear_map(mlp, X[0]).W)
    assert layer_report(mlp, frame, y)[0].units == 7
    with pytest.raises(ValueError, match="feature names"):
        layer_report(mlp, frame.rename(columns={"a": "z"}))


def test_local_linear_map_without_hidden_layers_is_the_network():
    X, y = data()
    mlp = fitted(X, y, hidden=())
    W, b = local_linear_map(mlp, X[0])
    np.testing.assert_array_equal(W, mlp.coefs_[0].T)
    np.testing.assert_array_equal(b, mlp.intercepts_[0])


def test_there_is_no_linear_map_where_the_activation_bends():
    X, y = data()
    with pytest.raises(ValueError, match="hidden layer 1 has the activation gelu, which is not piecewise linear"):
        local_linear_map(fitted(X, y, ("relu", "gelu")), X[0])
    with pytest.raises(ValueError, match="x has 4 features; MLPClassifier is expecting 5 features"):
        local_linear_map(fitted(X, y), X[0, :4])
    with pytest.raises(ValueError, match="contains NaN"):
        local_linear_map(fitted(X, y), np.full(5, np.nan))
    with pytest.raises(ValueError, match=r"x has shape \(60, 5\)"):
        local_linear_map(fitted(X, y), X)


def test_piecewise_linear_means_few_slopes(activation):
    """The property, read from the formula, against the derivative: as many values as there are pieces, or many."""
    row = registry.activations[activation]
    slopes = np.unique(getattr(pr.derivative, activation)(np.linspace(-9, 9, 10_001), *parameters(activation).values()))
    assert row.piecewise_linear == (len(slopes) <= len(row.kinks) + 1)


def test_wrong_input():
    X, y = data()
    mlp = fitted(X, y)
    for look in (layer_report, dead_units, local_linear_map):
        with pytest.raises(NotFittedError):
            look(MLPClassifier(), X[0] if look is local_linear_map else X)
        with pytest.raises(TypeError, match="Pipeline is no multi-layer perceptron; of a pipeline, pass the last step"):
            look(make_pipeline(mlp), X[0] if look is local_linear_map else X)
    with pytest.raises(ValueError, match="expecting 5 features"):
        layer_report(mlp, X[:, :4])
    with pytest.raises(ValueError, match="y has 5, which is not one of the classes"):
        gradient_norms(mlp, X, y + 5)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        gradient_norms(mlp, X, y[:-1])


def test_classifiers_of_scikit_learn_too():
    X, y = data()
    mine, reference = fitted(X, y), fitted(X, y, cls=ScikitLearnClassifier)
    np.testing.assert_allclose(gradient_norms(mine, X, y), gradient_norms(reference, X, y), rtol=1e-9)


def test_relu_is_idempotent_and_sigmoid_forgets():
    x = np.linspace(-3, 3, 13)
    for n in (1, 2, 50):
        value, slope = repeated(pr.relu, x, n)
        np.testing.assert_array_equal(value, np.maximum(x, 0))
        np.testing.assert_array_equal(slope, x > 0)
    for n in (0, 1, 5, 20):
        assert repeated("logistic", x, n).derivative.max() <= 0.25**n


def test_repeated_has_the_derivative_of_the_chain(activation):
    x, step = np.array([0.3, 1.1]), 1e-6  # no kink, nor does the chain meet one
    f = (activation, parameters(activation))
    value, slope = repeated(f, x, 3)
    by_hand = x
    for _ in range(3):
        by_hand = getattr(pr, activation)(by_hand, *parameters(activation).values())
    np.testing.assert_array_equal(value, by_hand)
    low, high = (repeated(f, x + move, 3).value for move in (-step, step))
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-7, atol=1e-7)


def test_repeated_keeps_shape_and_type_and_refuses_what_it_does_not_know():
    assert repeated("tanh", np.zeros((2, 0), np.float32), 2).value.dtype == np.float32
    assert repeated("tanh", 1, 0) == (1.0, 1.0)
    assert repeated(pr.leaky_relu, -1.0, 2).value == -1e-4
    for f, n in (("softmax", 1), ("maxout", 1), (print, 1), ("relu", -1), ("relu", 1.5), ("relu", True)):
        with pytest.raises(ValueError, match="not known|along an axis|n="):
            repeated(f, 1.0, n)


def test_activity_by_callback_is_that_between_epochs():
    """Also when early stopping returns to an earlier epoch at the end, and in a second fit."""
    X, y = data(200)
    recorder, by_hand = ActivityRecorder(X), ActivityRecorder(X)
    settings = dict(hidden_layer_sizes=(6, 5), random_state=0, learning_rate_init=0.01)
    with pytest.warns(Warning):
        mlp = MLPClassifier(max_iter=4, **settings).set_callbacks(recorder).fit(X, y)
    twin = MLPClassifier(**settings)
    for _ in range(4):
        by_hand.record(twin.partial_fit(X, y, classes=[0, 1, 2]))
    for recorded, want in zip(recorder.activity_, by_hand.activity_, strict=True):
        for layer, wanted in zip(recorded, want, strict=True):
            np.testing.assert_array_equal(layer, wanted)
    for layer, wanted in zip(recorder.activity_[-1], unit_activity(mlp, X), strict=True):
        np.testing.assert_array_equal(layer, wanted)
    with pytest.warns(Warning):
        MLPClassifier(max_iter=4, early_stopping=True, **settings).set_callbacks(recorder).fit(X, y)
    assert len(recorder.activity_) == 8


def test_unit_activity_of_every_kind():
    X, y = data()
    mlp = fitted(X, y, ("sigmoid", "maxout"), hidden=(4, 3))
    mlp.coefs_[0][:] = 0
    mlp.intercepts_[0][:] = [0, 4, -5, 10]  # sigmoid' is 0.0177 at 4 and 0.0066 at 5
    first, second = unit_activity(mlp, X)
    assert first.tolist() == [1, 1, 0, 0] and second.tolist() == [1, 1, 1]


def test_public_names():
    assert all(hasattr(inspection, name) for name in inspection.__all__)
    assert pr.inspection is inspection
