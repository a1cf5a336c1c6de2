"""Fits to rows that come in batches: the same as fits of all rows where they do the same, and bounded memory."""

import numpy as np
import pytest
from helpers import few_epochs, same_bits
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification, make_regression

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu.callbacks import Checkpoint
from pyrelu.distributed import Objective
from pyrelu.exceptions import InvalidParameterError

pytestmark = few_epochs


def data(n=500):
    X, y = make_classification(n, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


def pieces(*arrays, size=70):
    """Return batches of a size that no window is a multiple of."""
    n = arrays[0].shape[0]
    return [tuple(array[i : i + size] for array in arrays) for i in range(0, n, size)]


def same_network(a, b):
    return all(same_bits(x, y) for x, y in zip((*a.coefs_, *a.intercepts_), (*b.coefs_, *b.intercepts_), strict=True))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("window", [1, 64, 130, 500, 10_000])
def test_without_shuffling_it_is_fit(window, drop_last):
    X, y = data()
    assert len(X) % 32 > 0
    mlp = MLPClassifier(
        9, "gelu", shuffle=False, batch_size=32, max_iter=4, dropout=0.2, random_state=0, drop_last=drop_last
    )
    local = MLPClassifier(**mlp.get_params()).fit(X, y)
    mlp.fit_batches(pieces(X, y), classes=["a", "b", "c"], window=window)
    assert same_network(mlp, local)
    assert mlp.n_iter_ == local.n_iter_ and mlp.t_ == local.t_
    np.testing.assert_allclose(mlp.loss_curve_, local.loss_curve_, rtol=1e-12)
    assert [same_bits(a, b) for a, b in zip(mlp.dead_units_, local.dead_units_)]


def test_the_first_epoch_shuffles_as_fit_does_where_the_window_holds_all_rows():
    X, y = data()
    mlp = MLPClassifier(9, batch_size=32, max_iter=1, random_state=0)
    assert same_network(MLPClassifier(**mlp.get_params()).fit_batches(pieces(X, y), window=512), mlp.fit(X, y))


@pytest.mark.parametrize("window", [1, 1000])
@pytest.mark.parametrize("drop_last", [False, True])
def test_fewer_rows_than_a_batch_are_the_batch(window, drop_last):
    X, y = data(100)
    mlp = MLPClassifier(9, max_iter=3, shuffle=False, random_state=0, drop_last=drop_last)
    local = MLPClassifier(**mlp.get_params()).fit(X, y)
    assert same_network(mlp.fit_batches(pieces(X, y), window=window), local)
    assert mlp.t_ == local.t_ == 300


def test_lbfgs_is_fit_to_rounding():
    X, y = make_regression(300, 5, noise=1, random_state=0)
    weights = np.linspace(0, 2, 300)
    mlp = MLPRegressor(hidden_layer_sizes=6, activation="tanh", solver="lbfgs", max_iter=15, alpha=0.1, random_state=0)
    local = MLPRegressor(**mlp.get_params()).fit(X, y / 50, weights)
    mlp.fit_batches(pieces(X, y / 50, weights), window=100)
    np.testing.assert_allclose(mlp.loss_, local.loss_, rtol=1e-8)
    np.testing.assert_allclose(mlp.predict(X), local.predict(X), rtol=1e-4, atol=1e-5)


def test_early_stopping_on_an_eval_set():
    X, y = data()
    mlp = MLPClassifier(20, early_stopping=True, learning_rate_init=0.01, n_iter_no_change=3, random_state=0)
    mlp.fit_batches(lambda: iter(pieces(X[:400], y[:400])), eval_set=(X[400:], y[400:]), window=90)
    assert mlp.n_iter_ < 200
    assert mlp.score(X[400:], y[400:]) == mlp.best_validation_score_ == max(mlp.validation_scores_)
    with pytest.raises(ValueError, match="give fit_batches an eval_set"):
        mlp.fit_batches(pieces(X, y))


def test_no_more_than_a_window_and_a_batch_is_held():
    """Batches that count how many of them live."""
    import gc
    import weakref

    X, y = data(800)
    alive, most = weakref.WeakSet(), []

    class Part(np.ndarray):
        pass

    def batches():
        for part, labels in pieces(X, y, size=50):
            part = part.copy().view(Part)
            alive.add(part)
            gc.collect(0)
            most.append(len(alive))
            yield part, labels

    class Hashable(Part):
        pass

    Part.__hash__ = lambda self: id(self)
    Part.__eq__ = lambda self, other: self is other
    MLPClassifier(5, max_iter=2, batch_size=50, random_state=0).fit_batches(batches, classes=list("abc"), window=200)
    assert max(most) <= 200 // 50 + 3


def test_class_weights():
    X, y = data()
    keep = (y != "a") | (np.arange(len(y)) % 4 == 0)
    X, y = X[keep], y[keep]
    mlp = MLPClassifier(6, "tanh", shuffle=False, max_iter=3, class_weight="balanced", random_state=0)
    local = MLPClassifier(**mlp.get_params()).fit(X, y)
    mlp.fit_batches(pieces(X, y))
    assert same_network(mlp, local)
    assert mlp.class_weight == "balanced"
    mlp.set_params(class_weight={"a": 0.0})
    order = np.argsort(y)  # the first batches have no weight at all
    assert np.isfinite(mlp.fit_batches(pieces(X[order], y[order])).loss_)


def test_sparse_multilabel_and_float32():
    X, y = data()
    X = X.astype(np.float32)
    labels = np.column_stack([y == "a", X[:, 0] > 0]).astype(int)
    mlp = MLPClassifier(6, shuffle=False, max_iter=3, random_state=0)
    local = MLPClassifier(**mlp.get_params()).fit(csr_matrix(X), labels)
    mlp.fit_batches(pieces(csr_matrix(X), labels), window=150)
    assert mlp.coefs_[0].dtype == np.float32
    assert (mlp.predict(X) == local.predict(X)).all()


def test_a_checkpoint_resumes_to_the_same_bits(tmp_path):
    pytest.importorskip("sklearn.callback")
    X, y = data()

    class Stop:
        setup = on_fit_task_begin = teardown = lambda self, estimator, context: None

        def on_fit_task_end(self, estimator, context):
            if context.max_subtasks == 0 and estimator.n_iter_ == 3:
                raise RuntimeError("killed")

    def mlp(*callbacks):
        mlp = MLPClassifier(6, max_iter=6, random_state=0, dropout=0.1)
        return mlp.set_callbacks(*callbacks)

    whole = mlp().fit_batches(pieces(X, y), window=150)
    file = tmp_path / "fit.safetensors"
    with pytest.raises(RuntimeError, match="killed"):
        mlp(Checkpoint(file), Stop()).fit_batches(pieces(X, y), window=150)
    resumed = mlp(Checkpoint(file, resume=True)).fit_batches(pieces(X, y), window=150)
    assert same_network(whole, resumed)
    assert whole.loss_curve_ == resumed.loss_curve_
    with pytest.raises(ValueError, match="other data"):
        mlp(Checkpoint(file, resume=True)).fit_batches(pieces(X + 1, y), window=150)


def test_warm_start_goes_on():
    X, y = data()
    mlp = MLPClassifier(6, warm_start=True, max_iter=2, random_state=0).fit(X, y)
    before = mlp.loss_
    assert mlp.fit_batches(pieces(X, y), classes=list("abc")).loss_ < before


def test_errors_leave_the_estimator_as_it_was():
    X, y = data()
    mlp = MLPClassifier(4, max_iter=2, random_state=0).fit(X, y)
    before = vars(mlp).copy()
    with pytest.raises(TypeError, match="start anew"):
        mlp.fit_batches(iter(pieces(X, y)))
    with pytest.raises(ValueError, match="batches gave none"):
        mlp.fit_batches([], classes=["a"])
    with pytest.raises(ValueError, match=r"batch 1 must be \(X, y\)"):
        mlp.fit_batches([(X, y), X], classes=list("abc"))
    with pytest.raises(ValueError, match="window=0"):
        mlp.fit_batches([(X, y)], window=0)
    with pytest.raises(ValueError, match="classes not in"):
        mlp.fit_batches([(X, y)], classes=["a", "b"])
    with pytest.raises(ValueError, match="features"):
        mlp.fit_batches([(X, y), (X[:, 1:], y)])
    assert vars(mlp) == before


def test_an_invalid_parameter_is_named_as_in_fit():
    mlp, X, y = MLPRegressor(numeric_embedding="no_such"), np.ones((8, 2)), np.arange(8.0)
    for begin in (lambda: mlp.fit(X, y), lambda: mlp.fit_batches([(X, y)]), lambda: Objective(mlp, X, y)):
        with pytest.raises(InvalidParameterError, match="^The 'numeric_embedding' parameter"):
            begin()


@pytest.mark.parametrize(
    "parameters", [{"init": "unit_variance"}, {"categorical_features": [0]}, {"numeric_embedding": "piecewise_linear"}]
)
def test_what_depends_on_all_rows_is_refused(parameters):
    mlp = MLPRegressor(max_iter=1, **parameters)
    [name] = parameters
    with pytest.raises(ValueError, match=f"^{name}=.*is set from all rows"):
        mlp.fit_batches([(np.arange(16.0).reshape(8, 2) % 3, np.arange(8.0))])
