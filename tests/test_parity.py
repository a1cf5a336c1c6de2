"""The same random_state gives what scikit-learn's classes give."""

import warnings
from functools import cache

import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network
from helpers import BEFORE_1_7, few_epochs, from_1_7
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification, make_regression
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

import pyrelu
from pyrelu.exceptions import DeadUnitWarning

pytestmark = few_epochs

SOLVERS = {
    "adam": dict(solver="adam"),
    "nesterov": dict(solver="sgd", learning_rate_init=0.02),
    "momentum": dict(solver="sgd", learning_rate_init=0.02, nesterovs_momentum=False),
    "lbfgs": dict(solver="lbfgs"),
}

SETTINGS = {
    "no hidden layer": dict(hidden_layer_sizes=()),
    "no hidden layer, logistic": dict(hidden_layer_sizes=(), activation="logistic"),
    "three hidden layers": dict(hidden_layer_sizes=[12, 9, 7], batch_size=64, alpha=1.0),
    "invscaling": dict(solver="sgd", learning_rate_init=0.05, learning_rate="invscaling", power_t=0.2),
    "adaptive": dict(solver="sgd", learning_rate_init=0.1, learning_rate="adaptive", tol=1e-2, n_iter_no_change=2),
    "no momentum": dict(solver="sgd", momentum=0, nesterovs_momentum=False),
    "no shuffling": dict(shuffle=False, batch_size=50),
    "stops early": dict(tol=0.05, n_iter_no_change=1),
    "betas": dict(beta_1=0.5, beta_2=0.9, epsilon=1e-3),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads for products as small as these are slow, and on a busy machine very slow."""
    with threadpool_limits(1, user_api="blas"):
        yield


@cache
def task(name):
    """Return the class's name, its parameters, X and y."""
    if name == "multilabel":
        X, y = make_multilabel_classification(150, n_features=10, random_state=0)
        return "MLPClassifier", {}, X / 10, y
    if name in ("binary", "multiclass"):
        n_classes = 2 if name == "binary" else 4
        X, y = make_classification(150, 10, n_informative=6, n_classes=n_classes, random_state=0)
        labels = np.array(["first", "2nd", "third", "4th"])
        return "MLPClassifier", {}, X, y if BEFORE_1_7 else labels[y]  # its early stopping failed with words
    X, y = make_regression(150, 10, n_targets=3 if name == "multi-output" else 1, random_state=0)
    y = scale(y)
    if name == "poisson":
        return "MLPRegressor", {"loss": "poisson"}, X, np.random.default_rng(0).poisson(np.exp(y))
    return "MLPRegressor", {}, X, y


POISSON = pytest.param("poisson", marks=from_1_7)
TASKS = ("binary", "multiclass", "multilabel", "squared_error", POISSON, "multi-output")


def both(name, use, **parameters):
    """Return an estimator of ours and one of scikit-learn's after `use(estimator, X, y)`."""
    cls, of_task, X, y = task(name)
    fitted = []
    for module in (pyrelu, sklearn.neural_network):
        mlp = getattr(module, cls)(**dict(hidden_layer_sizes=(15,), max_iter=30, random_state=3) | of_task | parameters)
        use(mlp, X, y)
        fitted.append(mlp)
    return *fitted, X


def check_same(ours, theirs, X, rtol=1e-7):
    """All that scikit-learn's has after a fit, ours has, and it is equal to `rtol`."""
    public = [name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")]
    assert {"coefs_", "intercepts_", "n_iter_", "loss_"} <= set(public)
    for name in public:
        check_close(getattr(ours, name), getattr(theirs, name), rtol, name)
    for method in ("predict", "predict_proba"):
        if hasattr(theirs, method):
            check_close(getattr(ours, method)(X), getattr(theirs, method)(X), 10 * rtol, method)


def check_close(mine, other, rtol, name):
    """Compare numbers in units of the largest, all else exactly."""
    if isinstance(other, list):
        assert len(mine) == len(other), name
        for a, b in zip(mine, other, strict=True):
            check_close(a, b, rtol, name)
    elif np.asarray(other).dtype.kind == "f":
        np.testing.assert_allclose(mine, other, rtol=0, atol=rtol * np.abs(other).max(), err_msg=name)
    else:
        assert np.array_equal(mine, other), name


def fit(mlp, X, y):
    mlp.fit(X, y)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("hidden", ["identity", "logistic", "tanh", "relu"])
def test_grid(name, solver, hidden):
    for early_stopping in (False, True):
        for batch_size in ("auto", 32):
            given = dict(activation=hidden, early_stopping=early_stopping, batch_size=batch_size) | SOLVERS[solver]
            check_same(*both(name, fit, **given), rtol=1e-4 if solver == "lbfgs" else 1e-7)
            if solver == "lbfgs":
                return  # it knows neither


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_setting(name, setting, early_stopping):
    check_same(*both(name, fit, early_stopping=early_stopping, **SETTINGS[setting]))


@from_1_7
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", TASKS)
def test_weights(name, solver):
    weights = np.random.default_rng(0).uniform(0, 3, 150)
    weights[::7] = 0
    for early_stopping in (False, True):
        given = dict(early_stopping=early_stopping) | SOLVERS[solver]
        check_same(*both(name, lambda mlp, X, y: mlp.fit(X, y, weights), **given), 1e-4 if solver == "lbfgs" else 1e-7)


@pytest.mark.parametrize("form", [scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.csr_matrix])
@pytest.mark.parametrize("name", TASKS)
def test_sparse(name, form):
    check_same(*both(name, lambda mlp, X, y: mlp.fit(form(X * (X > 0.5)), y), batch_size=40))


@pytest.mark.parametrize("solver", ["adam", "nesterov"])
@pytest.mark.parametrize("name", TASKS)
def test_partial_fit_and_warm_start(name, solver):
    def use(mlp, X, y):
        classes = {} if hasattr(mlp, "loss") and "Regressor" in type(mlp).__name__ else {"classes": np.unique(y)}
        if name == "multilabel":
            classes = {"classes": np.arange(y.shape[1])}
        for rows in np.array_split(np.arange(150), 4):
            mlp.partial_fit(X[rows], y[rows], **classes)
        mlp.set_params(warm_start=True, max_iter=5).fit(X, y).fit(X, y).partial_fit(X, y)

    check_same(*both(name, use, **SOLVERS[solver]))


@pytest.mark.parametrize("name", TASKS)
def test_random_state_is_drawn_from_alike(name):
    def use(mlp, X, y):
        mlp.set_params(random_state=np.random.RandomState(5)).fit(X, y).fit(X, y)

    ours, theirs, _ = both(name, use, max_iter=2, early_stopping=True)
    assert ours.random_state.randint(2**31) == theirs.random_state.randint(2**31)


def test_one_class():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), ["only"] * 20
    ours, theirs = (module.MLPClassifier(random_state=0).fit(X, y) for module in (pyrelu, sklearn.neural_network))
    check_same(ours, theirs, X)


def test_digits():
    X, y = load_digits(return_X_y=True)
    ours, theirs = (
        module.MLPClassifier((40, 30), max_iter=30, random_state=0).fit(X / 16, y)
        for module in (pyrelu, sklearn.neural_network)
    )
    check_same(ours, theirs, X / 16)


@from_1_7
def test_verbose_prints_the_same(capsys):
    printed = []
    for module in (pyrelu, sklearn.neural_network):
        for setting in ("adaptive", "stops early"):
            for early_stopping in (False, True):
                _, _, X, y = task("multiclass")
                given = dict(verbose=True, random_state=0, max_iter=30, early_stopping=early_stopping)
                module.MLPClassifier(**given | SETTINGS[setting]).fit(X, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


@pytest.mark.parametrize("type_of_X", [np.float16, np.float32, np.float64, np.int64, np.uint8, bool])
@pytest.mark.parametrize("name", ["multiclass", "multi-output"])
def test_types(name, type_of_X):
    cast = (
        (lambda X: (np.abs(X) * 4).astype(type_of_X)) if type_of_X == np.uint8 else lambda X: (X * 4).astype(type_of_X)
    )
    ours, theirs, X = both(name, lambda mlp, X, y: mlp.fit(cast(X), y), max_iter=2)
    check_same(ours, theirs, cast(X), rtol=1e-3 if type_of_X == np.float32 else 1e-7)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype
    for other in (np.float16, np.float32, np.float64, np.int64):
        for method in {"predict", "predict_proba"} & set(dir(theirs)):
            outputs = [getattr(mlp, method)(X.astype(other)) for mlp in (ours, theirs)]
            assert outputs[0].dtype == outputs[1].dtype, (method, other)


X, y = task("multiclass")[2:]
R, r = task("squared_error")[2:]


@cache
def fitted(module):
    return module.MLPClassifier(max_iter=1).fit(X, y)


def raised(call):
    """Return types and texts of the warnings and the error of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeadUnitWarning)
        try:
            call()
        except Exception as error:
            return [(type(one.message), str(one.message)) for one in caught] + [(type(error), str(error))]
    return [(type(one.message), str(one.message)) for one in caught]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda m: m.MLPClassifier(max_iter=2, solver="lbfgs").fit(X, y), marks=from_1_7),
        lambda m: m.MLPRegressor(max_iter=2).fit(R, r[:, np.newaxis]),
        lambda m: m.MLPRegressor(max_iter=2, batch_size=1000).fit(R, r),
        lambda m: m.MLPRegressor(max_iter=2).fit(R, r[:5]),
        lambda m: m.MLPRegressor().fit(R, np.array(["a"] * 150, object)),
        lambda m: m.MLPRegressor().predict(X),
        lambda m: m.MLPRegressor(early_stopping=True).partial_fit(R, r),
        lambda m: m.MLPClassifier(solver="lbfgs").partial_fit(X, y),
        pytest.param(
            lambda m: m.MLPRegressor(early_stopping=True, validation_fraction=0.001).fit(R, r), marks=from_1_7
        ),
        lambda m: m.MLPClassifier().fit(X, r),
        lambda m: m.MLPClassifier().fit(X, None),
        lambda m: m.MLPClassifier().predict_proba(X),
        lambda m: m.MLPClassifier().partial_fit(X, y),
        lambda m: m.MLPClassifier(warm_start=True, max_iter=1).fit(X, y).fit(X, y == "first"),
        lambda m: fitted(m).partial_fit(X, y, classes=["a"]),
        lambda m: fitted(m).partial_fit(X, [*y[:-1].tolist(), 2 * max(y.tolist())]),
        lambda m: fitted(m).predict(X[:, :3]),
        lambda m: fitted(m).predict(X * np.nan),
        pytest.param(lambda m: fitted(m).fit(X, y, np.ones(3)), marks=from_1_7),
        pytest.param(lambda m: fitted(m).fit(X, y, np.zeros(150)), marks=from_1_7),
        lambda m: m.MLPClassifier(early_stopping=True).fit(X[:40], [0] * 39 + [1]),
    ],
)
def test_warnings_and_errors(call):
    """The same types or more special ones, with at least the first line of the text."""
    ours, theirs = raised(lambda: call(pyrelu)), raised(lambda: call(sklearn.neural_network))
    assert theirs
    for mine, other in zip(ours, theirs, strict=True):
        assert issubclass(mine[0], other[0])
        assert mine[1].startswith(other[1].split("\n")[0].rstrip("."))
