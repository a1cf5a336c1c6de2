"""The same random_state gives what scikit-learn's class gives."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as Theirs
from threadpoolctl import threadpool_limits

from pyrelu import MLPClassifier
from pyrelu.exceptions import DeadUnitWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore", category=ConvergenceWarning),
    pytest.mark.filterwarnings("ignore", category=DeadUnitWarning),
]

SOLVERS = {
    "adam": dict(solver="adam"),
    "nesterov": dict(solver="sgd", learning_rate_init=0.05),
    "momentum": dict(solver="sgd", learning_rate_init=0.05, nesterovs_momentum=False),
    "invscaling": dict(solver="sgd", learning_rate_init=0.1, learning_rate="invscaling", power_t=0.2),
    "adaptive": dict(solver="sgd", learning_rate_init=0.2, learning_rate="adaptive", tol=1e-2, n_iter_no_change=2),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads for products as small as these are slow, and on a busy machine very slow."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fit_both(X, y, sample_weight=None, **parameters):
    parameters = dict(max_iter=25, random_state=3) | parameters
    return [cls(**parameters).fit(X, y, sample_weight) for cls in (MLPClassifier, Theirs)]


def check_same(ours, theirs, X, rtol=1e-8):
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=10 * rtol * abs(other).max())
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_", "best_loss_", "validation_scores_", "best_validation_score_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert mine is other is None or np.allclose(mine, other, rtol=rtol), name
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12)
    assert (ours.predict(X) == theirs.predict(X)).all()


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu"])
def test_digits(digits, name, solver, early_stopping):
    X, y = digits
    check_same(*fit_both(X, y, activation=name, early_stopping=early_stopping, **SOLVERS[solver]), X)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    "parameters",
    [
        dict(hidden_layer_sizes=()),
        dict(hidden_layer_sizes=(), activation="logistic"),
        dict(hidden_layer_sizes=7),
        dict(hidden_layer_sizes=[30, 20, 10], batch_size=64, alpha=1.0),
        dict(shuffle=False, batch_size=1000),
    ],
    ids=str,
)
def test_shapes(digits, parameters, early_stopping):
    X, y = digits
    check_same(*fit_both(X, y, early_stopping=early_stopping, **parameters), X)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_two_classes_with_weights(digits, early_stopping):
    X, y = digits
    labels = np.array(["even", "odd"])[y % 2]
    weights = np.random.default_rng(0).uniform(0, 3, len(y))
    check_same(*fit_both(X, labels, weights, early_stopping=early_stopping), X)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_multilabel(early_stopping):
    X, y = make_multilabel_classification(400, random_state=0)
    check_same(*fit_both(X / 10, y, early_stopping=early_stopping), X)


@pytest.mark.parametrize("form", [scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.csr_matrix])
def test_sparse(digits, form):
    X, y = digits
    check_same(*fit_both(form(X), y), form(X))


def test_one_class():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), ["only"] * 20
    check_same(*fit_both(X, y), X)


def test_partial_fit_and_warm_start(digits):
    X, y = digits
    fitted = []
    for cls in (MLPClassifier, Theirs):
        mlp = cls(random_state=0, max_iter=3)
        for start in range(0, 1000, 250):
            mlp.partial_fit(X[start : start + 250], y[start : start + 250], classes=np.unique(y))
        mlp.set_params(warm_start=True).fit(X, y).partial_fit(X, y)
        fitted.append(mlp)
    check_same(*fitted, X)


def test_random_state_is_drawn_from_alike(digits):
    X, y = digits
    states = [np.random.RandomState(5), np.random.RandomState(5)]
    for cls, state in zip((MLPClassifier, Theirs), states, strict=True):
        cls(random_state=state, max_iter=2, early_stopping=True).fit(X, y)
    assert states[0].randint(2**31) == states[1].randint(2**31)


@pytest.mark.parametrize("name", ["logistic", "tanh", "relu"])
def test_lbfgs(digits, name):
    X, y = digits
    ours, theirs = fit_both(X, y, activation=name, solver="lbfgs", max_iter=15)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)
    assert ours.n_iter_ == theirs.n_iter_
    assert not hasattr(ours, "loss_curve_")


def test_verbose_prints_the_same(digits, capsys):
    X, y = digits
    printed = []
    for cls in (MLPClassifier, Theirs):
        for parameters in (SOLVERS["adaptive"], dict(early_stopping=True, n_iter_no_change=1, tol=0.1)):
            cls(verbose=True, random_state=0, max_iter=30, **parameters).fit(X, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


@pytest.mark.parametrize("type_of_X", [np.float16, np.float32, np.float64, np.int64, np.uint8, bool])
def test_types(digits, type_of_X):
    X, y = digits
    X = (X * 4).astype(type_of_X)
    ours, theirs = fit_both(X, y, max_iter=2)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype
    for other in (np.float16, np.float32, np.float64, np.int64):
        assert ours.predict_proba(X.astype(other)).dtype == theirs.predict_proba(X.astype(other)).dtype
    rtol = 1e-3 if type_of_X == np.float32 else 1e-8
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
