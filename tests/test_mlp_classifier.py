"""MLPClassifier beyond test_parity.py: accepted and refused input, fitted attributes."""

import inspect
import pickle
import re
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, from_1_7, parameters, same_bits
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.allowed import CONSTRAINTS
from pyrelu.exceptions import DeadUnitWarning, InvalidParameterError

pytestmark = few_epochs


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="module")
def fitted(digits):
    with pytest.warns(ConvergenceWarning):
        return MLPClassifier(max_iter=30, random_state=0).fit(*digits)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(MLPClassifier, Theirs), pytest.param(MLPRegressor, TheirRegressor, marks=from_1_7)]
)
def test_signature_is_scikit_learns_and_more(ours, theirs):
    ours, theirs = (list(inspect.signature(cls).parameters.values()) for cls in (ours, theirs))
    assert ours[: len(theirs)] == theirs
    neutral = (
        0.0,
        "auto",
        None,
        "log_loss",
        "constant",
        False,
        8,
        1,
    )  # 8: of embeddings, where there are some; 1: network
    assert all(p.kind is p.KEYWORD_ONLY and p.default in neutral for p in ours[len(theirs) :])


def test_every_parameter_has_a_constraint():
    elsewhere = {"activation", "loss"}  # are checked where they are taken apart
    assert CONSTRAINTS.keys() | elsewhere == MLPClassifier().get_params().keys() | MLPRegressor().get_params().keys()


# ---- what it learns ----


def test_every_activation_learns(activation, digits):
    X, y = digits
    given = (activation, parameters(activation))
    X = X - 0.5  # on both sides of 0, for step, whose weights are never trained
    mlp = MLPClassifier((100,), given, alpha=0, max_iter=40, random_state=0, learning_rate_init=0.003)
    assert mlp.fit(X[:1400], y[:1400]).score(X[1400:], y[1400:]) > 0.8
    assert mlp.loss_curve_[-1] < mlp.loss_curve_[0] / 2


def test_one_activation_per_layer(digits):
    X, y = digits
    mlp = MLPClassifier((20, 20), ("tanh", ("leaky_relu", {"negative_slope": 0.2})), max_iter=30, random_state=0)
    assert mlp.fit(X, y).score(X, y) > 0.9
    assert mlp.set_params(activation="tanh").score(X, y) != mlp.set_params(activation="relu").score(X, y)


def test_alias(digits):
    curves = [MLPClassifier(activation=name, max_iter=3, random_state=0).fit(*digits) for name in ("logistic", "expit")]
    assert curves[0].loss_curve_ == curves[1].loss_curve_


def test_float32_throughout(digits):
    X, y = digits
    mlp = MLPClassifier(max_iter=5, random_state=0, early_stopping=True).fit(X.astype(np.float32), y)
    assert {array.dtype for array in mlp.coefs_ + mlp.intercepts_ + mlp._optimizer.state} == {np.dtype(np.float32)}
    assert mlp.predict_proba(X.astype(np.float32)).dtype == np.float32


def test_multilabel():
    X, y = make_multilabel_classification(200, random_state=0)
    mlp = MLPClassifier(max_iter=100, random_state=0).fit(X, y)
    assert mlp.predict(X).shape == mlp.predict_proba(X).shape == y.shape
    assert mlp.out_activation_ == "logistic"
    sparse = MLPClassifier(max_iter=100, random_state=0).fit(X, scipy.sparse.csr_array(y))
    assert sparse.loss_curve_ == mlp.loss_curve_


def test_pipeline_and_grid_search(digits):
    X, y = digits
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((20,), max_iter=30, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__activation": ["relu", "tanh"]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8


def test_pickle(fitted, digits):
    again = pickle.loads(pickle.dumps(fitted))
    assert same_bits(again.predict_proba(digits[0]), fitted.predict_proba(digits[0]))
    again.partial_fit(*digits)
    assert len(again.loss_curve_) == len(fitted.loss_curve_) + 1


def test_rows_are_predicted_alike_alone_and_together(fitted, digits):
    X = np.tile(digits[0], (3, 1))
    np.testing.assert_allclose(fitted.predict_proba(X)[-5:], fitted.predict_proba(X[-5:]), rtol=1e-12)
    assert fitted.predict_proba(X[::2]).shape == (len(X[::2]), 10)


def test_probabilities(fitted, digits):
    probabilities = fitted.predict_proba(digits[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(fitted.predict_log_proba(digits[0]), np.log(probabilities))
    assert (fitted.predict(digits[0]) == probabilities.argmax(axis=1)).all()


def test_changed_weights_are_used(digits):
    X, y = digits
    mlp = MLPClassifier(max_iter=2, random_state=0).fit(X, y)
    mlp.coefs_[1] = np.asfortranarray(np.zeros((100, 10)))
    mlp.intercepts_[1] = np.arange(10)
    assert (mlp.predict(X) == 9).all()


def test_many_classes_take_no_column_each():
    y = np.arange(200_000) % 2_000
    mlp = MLPClassifier((2,), max_iter=1, batch_size=50_000, random_state=0)
    tracemalloc.start()
    mlp.fit(np.ones((len(y), 1)), y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000 * 2_000 / 2  # bytes; a column of booleans each would take twice that


# ---- what it refuses ----


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("hidden_layer_sizes", (10, 0), "an int in the range [1, inf) or a sequence of ints"),
        ("hidden_layer_sizes", "100", "an int in the range [1, inf) or a sequence of ints"),
        ("hidden_layer_sizes", True, "an int in the range [1, inf) or a sequence of ints"),
        ("hidden_layer_sizes", (5, True), "an int in the range [1, inf) or a sequence of ints"),
        ("solver", "newton", "one of 'lbfgs', 'sgd', 'adam'"),
        ("alpha", -1, "a float in the range [0, inf)"),
        ("batch_size", 0, "an int in the range [1, inf) or 'auto'"),
        ("learning_rate", "fast", "one of 'constant', 'invscaling', 'adaptive'"),
        ("learning_rate_init", 0, "a float in the range (0, inf)"),
        ("max_iter", 1.5, "an int in the range [1, inf)"),
        ("shuffle", "yes", "a bool"),
        ("random_state", -1, "None, an int in the range [0, 2**32 - 1] or a numpy.random.RandomState"),
        ("beta_1", 1, "a float in the range [0, 1)"),
        ("n_iter_no_change", 2.5, "an int in the range [1, inf) or inf"),
        ("tol", float("nan"), "a float in the range [0, inf)"),
    ],
)
def test_wrong_parameter(name, value, allowed, digits):
    message = f"The '{name}' parameter of MLPClassifier must be {allowed}"
    for error in (InvalidParameterError, ValueError, TypeError):
        with pytest.raises(error, match=re.escape(message)) as caught:
            MLPClassifier(**{name: value}).fit(*digits)
        assert f"Got {value!r} instead." in str(caught.value)


def test_unknown_activation_lists_the_known(digits):
    for activation in ("rellu", ("relu", "rellu"), 5, None):
        with pytest.raises(ValueError, match=r"is not known; allowed are .*logistic.*relu.*tanh"):
            MLPClassifier((5, 5), activation).fit(*digits)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("relu", "relu", "relu"), "3 entries for 2 hidden layers"),
        (("elu", {"slope": 1}), "has no parameter 'slope'; elu has: alpha"),
        (("relu", {"slope": 1}), "has no parameter 'slope'; relu has: none"),
        ("threshold", "activation='threshold' needs a value"),
        (("maxout", {"num_pieces": 1.5}), "num_pieces=1.5 is not an integer"),
        (("gelu", {"approximate": "erf"}), "approximate='erf' is not 'none' or 'tanh'"),
        (("elu", {"alpha": "1"}), "alpha='1' is not a finite number"),
        (("rrelu", {"lower": 0.5}), "lower=0.5, upper=0.33.* outside the domain, lower <= upper"),
        (("hardtanh", {"min_val": 2}), "min_val=2.0, max_val=1.0 is outside the domain, min_val <= max_val"),
        (("softplus", {"beta": 0}), r"softplus.*beta=0.0 is outside its domain; allowed are values in \(0, inf\)"),
        (("squareplus", {"b": -1.0}), r"b=-1.0 is outside its domain; allowed are values in \[0, inf\)"),
    ],
)
def test_wrong_activation(wrong, message, digits):
    with pytest.raises(ValueError, match=message):
        MLPClassifier((5, 5), wrong).fit(*digits)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_input(fitted, digits, bad):
    X = digits[0].copy()
    X[3, 3] = bad
    for call in (lambda: MLPClassifier().fit(X, digits[1]), lambda: fitted.predict(X)):
        with pytest.raises(ValueError, match="Input X contains"):
            call()


def test_wrong_number_of_features(fitted, digits):
    message = "X has 10 features, but MLPClassifier is expecting 64 features as input"
    for call in (fitted.predict, fitted.predict_proba, lambda X: fitted.partial_fit(X, digits[1])):
        with pytest.raises(ValueError, match=message):
            call(digits[0][:, :10])


def test_not_fitted(digits):
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError, match="MLPClassifier instance is not fitted yet"):
            getattr(MLPClassifier(), method)(digits[0])


def test_wrong_labels(fitted, digits):
    X, y = digits
    with pytest.raises(ValueError, match="Unknown label type"):
        MLPClassifier().fit(X, y + 0.5)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        fitted.partial_fit(X, y, classes=[1, 2, 3])
    with pytest.raises(ValueError, match=re.escape("`y` has classes not in `self.classes_`")):
        fitted.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        MLPClassifier(warm_start=True, max_iter=1).fit(X, y).fit(X, y % 2)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(5), r"sample_weight.shape == \(5,\)"),
        (np.ones((1797, 1)), "must be 1D"),
        (np.zeros(1797), "at least one non-zero"),
        (np.full(1797, np.nan), "sample_weight contains NaN"),
    ],
)
def test_wrong_weights(digits, weights, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier().fit(*digits, sample_weight=weights)


def test_solver_without_partial_fit():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


def test_early_stopping_refuses(digits):
    X, y = digits
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPClassifier(early_stopping=True).partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="The validation set is too small"):
        MLPClassifier(early_stopping=True, validation_fraction=0.0001).fit(X, y)


def test_batch_size_is_clipped(digits):
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        MLPClassifier(batch_size=5000, max_iter=1).fit(*digits)


# ---- what it leaves behind ----


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_divergence_names_the_learning_rate(digits, solver):
    X, y = digits
    mlp = MLPClassifier((50, 50), "identity", solver=solver, learning_rate_init=1e200, random_state=0)
    with pytest.raises(ValueError, match=r"Solver produced non-finite parameter weights.*learning_rate_init=1e\+200"):
        mlp.fit(X * 1e10, y)
    assert not hasattr(mlp, "coefs_")


@pytest.mark.parametrize("how", ["fit", "warm_start", "partial_fit"])
def test_failed_fit_leaves_all_as_it_was(digits, how):
    X, y = digits
    mlp = MLPClassifier((20,), "identity", solver="sgd", warm_start=how == "warm_start", max_iter=2, random_state=0)
    mlp.fit(X, y)
    before = pickle.dumps(mlp)
    mlp.set_params(learning_rate_init=1e20, max_iter=50)  # too high for a few epochs to go well
    with pytest.raises(ValueError, match="non-finite"):
        getattr(mlp, "partial_fit" if how == "partial_fit" else "fit")(X * (1e200 if how == "partial_fit" else 1), y)
    mlp.set_params(learning_rate_init=0.001, max_iter=2)
    assert pickle.dumps(mlp) == before


def test_warnings_point_at_the_call(digits):
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(1\) reached") as caught:
        MLPClassifier(max_iter=1).fit(*digits)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iteration") as more:
        MLPClassifier(max_iter=2, solver="lbfgs").fit(*digits)
    assert {warning.filename for warning in [*caught, *more]} == {__file__}


def test_dead_units(digits):
    X, y = digits
    mlp = MLPClassifier((30, 20), solver="sgd", learning_rate_init=3.0, max_iter=10, random_state=0)
    with pytest.warns(DeadUnitWarning, match="of the .* units of hidden layer .* learning_rate_init"):
        mlp.fit(X, y)
    assert [len(dead) for dead in mlp.dead_units_] == [30, 20]
    hidden = X
    for dead, coef, intercept in zip(mlp.dead_units_, mlp.coefs_, mlp.intercepts_, strict=False):
        hidden = np.maximum(hidden @ coef + intercept, 0)
        assert (dead == (hidden == 0).all(axis=0)).all()
    assert not any(dead.any() for dead in mlp.set_params(activation="tanh").fit(X, y).dead_units_)
