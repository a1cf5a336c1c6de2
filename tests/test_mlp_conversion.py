"""from_sklearn and to_sklearn: the same predictions on both sides."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.neural_network
from helpers import from_1_7
from sklearn.datasets import load_digits, make_multilabel_classification

import pyrelu
from pyrelu._mlp.conversion import SHARED

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
Y = make_multilabel_classification(300, random_state=0)[1]
NAMED = pd.DataFrame(X).add_prefix("pixel ")

CASES = {
    "integers": lambda m: m.MLPClassifier((9, 7), "tanh", max_iter=5, random_state=0).fit(X, y),
    "strings": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X, y.astype(str)),
    "two classes": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X, y > 4),
    "one class": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X, y * 0),
    "multilabel": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X, Y),
    "sparse multilabel": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X, scipy.sparse.csr_array(Y)),
    "regressor": lambda m: m.MLPRegressor(max_iter=5, random_state=0).fit(X, y),
    "poisson": lambda m: m.MLPRegressor("poisson", max_iter=5, random_state=0).fit(X, np.c_[y, y]),
    "early stopping": lambda m: m.MLPRegressor(max_iter=5, random_state=0, early_stopping=True).fit(X, y),
    "lbfgs": lambda m: m.MLPClassifier(solver="lbfgs", activation="logistic", max_iter=5, random_state=0).fit(X, y),
    "sgd": lambda m: m.MLPClassifier(solver="sgd", learning_rate="adaptive", max_iter=5, random_state=0).fit(X, y),
    "no hidden layer": lambda m: m.MLPClassifier((), max_iter=5, random_state=0).fit(X, y),
    "feature names": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(NAMED, y),
    "float32": lambda m: m.MLPClassifier(max_iter=5, random_state=0).fit(X.astype(np.float32), y),
    "not fitted": lambda m: m.MLPRegressor("poisson", (3,), random_state=0),
}

POISSON = pytest.param("poisson", marks=from_1_7)
EACH = [
    pytest.param(case, marks=from_1_7) if case in ("poisson", "not fitted") else case for case in CASES
]  # those of a loss


def there(mlp):
    return getattr(pyrelu, type(mlp).__name__).from_sklearn(mlp)


def back(mlp):
    return mlp.to_sklearn()


@pytest.mark.parametrize("case", EACH)
@pytest.mark.parametrize(("module", "convert"), [(sklearn.neural_network, there), (pyrelu, back)])
def test_same_predictions(case, module, convert):
    before = CASES[case](module)
    after = convert(before)
    assert type(after).__name__ == type(before).__name__ and type(after).__module__ != type(before).__module__
    assert (
        before.get_params().items() <= after.get_params().items()
        or before.get_params().items() >= after.get_params().items()
    )
    for name in SHARED:
        assert hasattr(after, name) == hasattr(before, name), name
    if not hasattr(before, "coefs_"):
        return
    for a, b in zip(after.coefs_ + after.intercepts_, before.coefs_ + before.intercepts_, strict=True):
        assert a.dtype == b.dtype and (a == b).all() and not np.shares_memory(a, b)
    data = NAMED if case == "feature names" else X
    check_same(after.predict(data), before.predict(data))
    check_same(after.predict(data.astype(np.float32)), before.predict(data.astype(np.float32)))
    if hasattr(before, "predict_proba"):
        tolerance = 1e-5 if case == "float32" else 1e-12
        np.testing.assert_allclose(after.predict_proba(data), before.predict_proba(data), rtol=0, atol=tolerance)


def check_same(after, before):
    assert type(after) is type(before) and after.dtype == before.dtype and after.shape == before.shape
    if scipy.sparse.issparse(before):
        assert (after != before).nnz == 0
    elif before.dtype.kind == "f":
        np.testing.assert_allclose(after, before, rtol=1e-5)
    else:
        assert (after == before).all()


@pytest.mark.parametrize("case", ["integers", "sgd", POISSON, "lbfgs", "sparse multilabel"])
@pytest.mark.parametrize(("module", "convert"), [(sklearn.neural_network, there), (pyrelu, back)])
def test_training_goes_on(case, module, convert):
    after = convert(CASES[case](module))
    aim = {"poisson": np.c_[y, y], "sparse multilabel": scipy.sparse.csr_array(Y)}.get(case, y)
    before = after.loss_
    for _ in range(3):
        after.partial_fit(X, aim) if case != "lbfgs" else after.set_params(warm_start=True).fit(X, aim)
    assert after.loss_ < before
    assert after.set_params(max_iter=2).fit(X, aim).n_iter_ <= 2


def test_the_way_back_is_the_reverse():
    theirs = CASES["strings"](sklearn.neural_network)
    again = there(theirs).to_sklearn()
    assert again.get_params() == theirs.get_params()
    assert (again.predict_proba(X) == theirs.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("given", "their_word"), [("expit", "logistic"), (("relu", "relu"), "relu"), ("linear", "identity")]
)
def test_names_that_mean_the_same(given, their_word):
    assert pyrelu.MLPClassifier((5, 4), given).to_sklearn().activation == their_word


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"activation": "leaky_relu"},
            "cannot express it: The 'activation' parameter of MLPClassifier must be a str among",
        ),
        ({"activation": ("relu", "tanh")}, "Got ('relu', 'tanh') instead"),
        ({"activation": "maxout"}, "Got 'maxout' instead"),
        ({"solver": "adamw"}, "The 'solver' parameter of MLPClassifier must be"),
        (
            {"dropout": 0.5},
            "has no parameter 'dropout'. If dropout=0.5 only affects training, set_params(dropout=0.0)",
        ),
        ({"class_weight": "balanced"}, "has no parameter 'class_weight'"),
    ],
)
def test_what_scikit_learn_lacks(parameters, message):
    with pytest.raises(ValueError, match="scikit-learn's class .*" + re.escape(message)):
        pyrelu.MLPClassifier((5, 5), **parameters).to_sklearn()


@pytest.mark.parametrize("other", [sklearn.neural_network.MLPRegressor(), pyrelu.MLPClassifier(), "mlp", None])
def test_another_class(other):
    with pytest.raises(
        TypeError, match=r"MLPClassifier\.from_sklearn takes a sklearn\.neural_network\.MLPClassifier, got"
    ):
        pyrelu.MLPClassifier.from_sklearn(other)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
def test_counters_and_records_are_kept(solver):
    """What says how long a fit took, and how it went."""
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.resize([0, 1], 60)
    mlp = pyrelu.MLPClassifier(4, solver=solver, max_iter=7, random_state=0).fit(X, y)
    theirs = mlp.to_sklearn()
    back = pyrelu.MLPClassifier.from_sklearn(theirs)
    assert mlp.n_iter_ == 7
    for name in ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "n_layers_", "n_outputs_", "n_features_in_"):
        assert hasattr(theirs, name) == hasattr(mlp, name), name
        if hasattr(mlp, name):
            assert getattr(theirs, name) == getattr(back, name) == getattr(mlp, name), name


@pytest.mark.parametrize("name", ["n_features_in_", "n_outputs_"])
@pytest.mark.parametrize("module", [pyrelu, sklearn.neural_network])
def test_counts_that_coefs_contradict(module, name):
    """No memory is taken for what no coefs_ are there for."""
    mlp = module.MLPRegressor(max_iter=2).fit(X[:20], y[:20])
    for value in (2**40, -1, "3"):
        setattr(mlp, name, value)
        with pytest.raises(ValueError, match=f"{name}={value!r}, but coefs_ are for"):
            mlp.to_sklearn() if module is pyrelu else pyrelu.MLPRegressor.from_sklearn(mlp)
