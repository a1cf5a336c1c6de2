"""Fits on a cluster of processes: against local fits, for any number of workers, and with one that dies."""

import itertools
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from clusters import KillOnce, cluster_of_processes, gathered_and_received, marks, single_worker
from helpers import same_bits
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression

from pyrelu import MLPClassifier, MLPRegressor, _ufuncs

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
pd = pytest.importorskip("pandas")
import dask  # noqa: E402

from pyrelu.dask import DaskMLPClassifier, DaskMLPRegressor  # noqa: E402

pytestmark = marks


def data(n=600):
    X, y = make_classification(n, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


def chunked(*arrays, rows=130):
    """Return dask arrays of unequal partitions."""
    return [da.from_array(a, chunks=(rows, *a.shape[1:])) for a in arrays]


def same_fit(a, b):
    assert getattr(a, "loss_curve_", None) == getattr(b, "loss_curve_", None)  # L-BFGS has none
    assert a.history_ == b.history_
    return all(same_bits(x, y) for x, y in zip((*a.coefs_, *a.intercepts_), (*b.coefs_, *b.intercepts_), strict=True))


def test_lbfgs_is_the_local_fit_to_rounding(client):
    X, y = data()
    weights = np.linspace(0, 2, len(X))
    local = MLPClassifier(
        8, "tanh", solver="lbfgs", alpha=0.3, l1=0.01, max_iter=25, random_state=0, class_weight="balanced"
    )
    mlp = DaskMLPClassifier(**local.get_params()).fit(*chunked(X, y, weights))
    local.fit(X, y, weights)
    assert mlp.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(mlp.loss_, local.loss_, rtol=1e-7)
    np.testing.assert_allclose(mlp.predict_proba(X), local.predict_proba(X), atol=1e-4)
    assert mlp.n_iter_ == local.n_iter_ and len(mlp.history_) == len(local.history_)
    assert mlp.class_weight == "balanced"


@pytest.mark.parametrize("solver", ["sgd", "adamw", "lamb"])
def test_steps_over_all_rows_are_local_steps_to_rounding(client, solver):
    X, y = make_regression(256, 5, noise=1, random_state=0)
    local = MLPRegressor(
        hidden_layer_sizes=(7, 4), activation="gelu", solver=solver, batch_size=256, max_iter=6, shuffle=False, random_state=0,
        clip_norm=0.5, learning_rate="cosine",
    )  # fmt: skip
    mlp = DaskMLPRegressor(**local.get_params()).fit(*chunked(X, y / 50, rows=60))
    local.fit(X, y / 50)
    np.testing.assert_allclose(mlp.loss_curve_, local.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(mlp.predict(X), local.predict(X), rtol=1e-7, atol=1e-9)
    for ours, theirs in zip(mlp.history_, local.history_, strict=True):
        assert ours.keys() == theirs.keys()
        np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-9)
    assert (mlp.t_, mlp.n_iter_) == (local.t_, local.n_iter_)
    for ours, theirs in zip(mlp.dead_units_, local.dead_units_, strict=True):
        assert same_bits(ours, theirs)


SETTINGS = {
    "step": {"solver": "adam", "dropout": 0.2, "batch_size": 200},
    "epoch": {"solver": "sgd", "sync": "epoch", "dropout": 0.1, "batch_size": 32},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True, "batch_size": 200},
}


def fit(settings, **more):
    mlp = DaskMLPClassifier(8, "gelu", max_iter=4, random_state=0, **settings, **more)
    return mlp.fit(*chunked(*data()))


def test_bits_do_not_depend_on_workers_nor_on_their_deaths(client, cluster):
    """Last of its cluster would be best: here a worker dies, and the nanny starts it anew."""
    with_two = {name: fit(settings) for name, settings in SETTINGS.items()}
    address = sorted(client.scheduler_info()["workers"])[0]
    with (
        cluster_of_processes(1, threads_per_worker=2) as other,
        distributed.Client(other, set_as_default=False) as one,
    ):
        for name, settings in SETTINGS.items():
            assert same_fit(fit(settings, client=one), with_two[name]), name

    for name, settings in SETTINGS.items():
        killed = KillOnce(client, address)
        mlp = DaskMLPClassifier(8, "gelu", max_iter=4, random_state=0, **settings).set_callbacks(killed)
        assert same_fit(mlp.fit(*chunked(*data())), with_two[name]), name
        assert killed.done
        client.wait_for_workers(2, timeout=60)
        address = sorted(client.scheduler_info()["workers"])[0]


def test_nothing_is_gathered(client):
    """What comes to the client and what moves between workers is smaller than any partition."""
    rng = np.random.default_rng(0)
    X = da.from_array(rng.standard_normal((8000, 50)), chunks=(2000, 50)).persist()
    y = (X[:, 0] > 0).astype(int).persist()
    distributed.wait([X, y])
    mlp = DaskMLPClassifier(4, max_iter=3, batch_size=1000, early_stopping=True, random_state=0)
    # Once before, so that the scheduler knows how short the tasks are: it moves rows away from a worker that seems busy, as
    # one that has just replaced another does while it imports.
    mlp.fit(X, y)
    with gathered_and_received(client) as largest:
        mlp.fit(X, y)
        predicted = mlp.predict(X)
    assert max(largest) < 2000 * 50 * 8 / 20
    assert isinstance(predicted, da.Array) and predicted.chunks == X.chunks[:1]


def test_frames_and_delayed_partitions(client):
    X, y = data()
    frame = pd.DataFrame(X, columns=list("uvwxyz"))
    frames = dd.from_pandas(frame.assign(label=y), npartitions=3)
    settings = {"hidden_layer_sizes": 6, "max_iter": 3, "batch_size": 100, "random_state": 0}
    of_frames = DaskMLPClassifier(**settings).fit(frames[list("uvwxyz")], frames["label"])
    assert of_frames.feature_names_in_.tolist() == list("uvwxyz")
    ends = [*frames.divisions[:-1], len(X)]
    pairs = [(X[a:b], y[a:b]) for a, b in itertools.pairwise(ends)]
    delayed = [[dask.delayed(part) for part in parts] for parts in zip(*pairs, strict=True)]
    of_delayed = DaskMLPClassifier(**settings).fit(*delayed)
    assert same_fit(of_frames, of_delayed)
    futures = client.scatter([pair[0] for pair in pairs]), client.scatter([pair[1] for pair in pairs])
    assert same_fit(of_frames, DaskMLPClassifier(**settings).fit(*futures))
    predicted = of_frames.predict(frames[list("uvwxyz")])
    assert (predicted.compute() == of_delayed.to_local().predict(X)).all()
    lazy = of_delayed.predict_proba(delayed[0])
    assert same_bits(lazy.compute(), of_delayed.predict_proba(X))


def test_predictions_and_scores_are_lazy_and_those_of_the_local_estimator(client):
    X, y = make_regression(200, 5, n_targets=2, random_state=0)
    weights = np.linspace(0, 1, 200)
    parts = chunked(X, y / 50, weights, rows=70)
    mlp = DaskMLPRegressor(hidden_layer_sizes=5, max_iter=3, random_state=0).fit(*parts)
    local = mlp.to_local()
    assert type(local) is MLPRegressor
    lazy = mlp.predict(parts[0])
    assert lazy.shape == (200, 2) and lazy.dtype == np.float64
    assert same_bits(lazy.compute(), local.predict(X))
    assert float(mlp.score(*parts)) == pytest.approx(local.score(X, y / 50, weights), rel=1e-10)
    assert mlp.score(X, y / 50) == local.score(X, y / 50)
    X, y = data(200)
    parts = chunked(X, y, weights, rows=70)
    classifier = DaskMLPClassifier(5, max_iter=3, random_state=0).fit(*parts)
    assert float(classifier.score(*parts)) == pytest.approx(classifier.to_local().score(X, y, weights))
    assert (classifier.predict(parts[0]).compute() == classifier.predict(X)).all()


def test_validation_data_in_memory_and_in_partitions_score_alike(client):
    X, y = make_regression(400, 5, noise=1, random_state=0)
    y = y / 50
    parts, held_out = chunked(X[:300], y[:300]), chunked(X[300:], y[300:], rows=40)
    settings = {"hidden_layer_sizes": 5, "max_iter": 4, "batch_size": 100, "early_stopping": True, "random_state": 0}
    a = DaskMLPRegressor(**settings).fit(*parts, eval_set=(X[300:], y[300:]))
    b = DaskMLPRegressor(**settings).fit(*parts, eval_set=tuple(held_out))
    np.testing.assert_allclose(a.validation_scores_, b.validation_scores_, rtol=1e-10)
    assert b.best_validation_score_ == pytest.approx(a.to_local().score(X[300:], y[300:]))
    X, y = data()
    scored = DaskMLPClassifier(5, max_iter=3, scoring="neg_log_loss", early_stopping=True, random_state=0)
    scored.fit(*chunked(X[:500], y[:500]), eval_set=(X[500:], y[500:]))
    assert scored.validation_scores_[0] < 0


def test_class_weights_are_not_those_of_validation_data(client):
    X, y = data()
    mlp = DaskMLPClassifier(5, max_iter=3, batch_size=100, class_weight={"a": 10.0, "b": 0.1}, random_state=0)
    scores = [
        mlp.fit(*chunked(X, y), eval_set=eval_set).validation_scores_
        for eval_set in ((X[:200], y[:200]), tuple(chunked(X[:200], y[:200])))
    ]
    np.testing.assert_allclose(*scores, rtol=1e-12)


def test_workers_keep_their_rows_once(client):
    """As the network takes them, and not as the user's partitions as well."""

    class Look:
        setup = on_fit_task_begin = teardown = lambda self, estimator, context: None

        def __deepcopy__(self, memo):
            return self

        def on_fit_task_end(self, estimator, context):
            sizes = client.nbytes(summary=False)
            held.append(sum(sizes[key] for keys in client.has_what().values() for key in keys))

    def frame(i):
        return pd.DataFrame(np.random.default_rng(i).normal(size=(5000, 20)))

    held = []
    X = [dask.delayed(frame)(i) for i in range(4)]
    y = [dask.delayed(lambda part: (part[0] > 0).astype(np.int8))(part) for part in X]
    DaskMLPClassifier(4, max_iter=2, batch_size=10_000).set_callbacks(Look()).fit(X, y)
    assert max(held[1:]) < 1.2 * 4 * 5000 * 20 * 8


def test_multilabel_float32_and_partitions_without_rows_or_weight(client):
    X, y = data()
    X, labels = X.astype(np.float32), np.column_stack([y == "a", X[:, 0] > 0]).astype(int)
    rows = (130, 0, 270, 200)
    parts = da.from_array(X, chunks=(rows, 6)), da.from_array(labels, chunks=(rows, 2))
    mlp = DaskMLPClassifier(5, max_iter=3, batch_size=100, random_state=0).fit(*parts)
    assert mlp.coefs_[0].dtype == np.float32
    assert mlp.predict(parts[0]).compute().shape == (600, 2)
    order = np.argsort(y)
    mlp = DaskMLPClassifier(5, max_iter=2, class_weight={"a": 0.0, "b": 0.0}, shuffle=False, random_state=0)
    assert np.isfinite(mlp.fit(*chunked(X[order], y[order])).loss_)


def test_a_fit_whose_client_died_resumes(client, tmp_path):
    pytest.importorskip("sklearn.callback")
    from pyrelu.callbacks import Checkpoint

    class Die:
        setup = on_fit_task_begin = teardown = lambda self, estimator, context: None

        def on_fit_task_end(self, estimator, context):
            if context.max_subtasks == 0 and estimator.n_iter_ == 3:
                raise RuntimeError("died")

    def fit(*callbacks, client=None):
        settings = dict(max_iter=5, batch_size=200, dropout=0.1, early_stopping=True, random_state=0, client=client)
        return DaskMLPClassifier(6, **settings).set_callbacks(*callbacks).fit(*chunked(*data()))

    file = tmp_path / "fit.safetensors"
    with pytest.raises(RuntimeError, match="died"):
        fit(Checkpoint(file), Die())
    with single_worker() as other:
        resumed = fit(Checkpoint(file, resume=True), client=other)
    assert same_fit(resumed, fit())


def test_estimators_are_cloned_pickled_and_saved(client, tmp_path):
    mlp = fit({"batch_size": 100}, client=client)
    assert clone(mlp).client is client
    twin = pickle.loads(pickle.dumps(mlp))
    assert twin.client is None and same_fit(twin, mlp)
    mlp.to_local().save(tmp_path / "mlp.safetensors")
    assert same_fit(MLPClassifier.load(tmp_path / "mlp.safetensors"), mlp)
    assert not hasattr(mlp, "partial_fit")


def test_errors(client):
    X, y = data()
    parts = chunked(X, y)
    mlp = DaskMLPClassifier(4, max_iter=2)
    with pytest.raises(TypeError, match="X must be a dask array, .*got ndarray"):
        mlp.fit(X, y)
    with pytest.raises(ValueError, match="y has 2 partitions, and X has 5"):
        mlp.fit([*parts[0].to_delayed().ravel()], [*parts[1].to_delayed()[:2]])
    with pytest.raises(ValueError, match="sync='steps'|'sync' parameter"):
        DaskMLPClassifier(sync="steps").fit(*parts)
    with pytest.raises(TypeError, match="client must be"):
        DaskMLPClassifier(client="tcp://1.2.3.4:8786").fit(*parts)
    with pytest.raises(ValueError, match="scoring='f1_macro' needs rows in memory"):
        DaskMLPClassifier(scoring="f1_macro", early_stopping=True).fit(*parts)
    bad = X.copy()
    bad[-1] = np.nan
    with pytest.raises(ValueError, match="partition 4: Input X contains NaN"):
        mlp.fit(*chunked(bad, y))
    assert not hasattr(mlp, "coefs_")
    quantiles = DaskMLPRegressor(loss=("quantile", {"level": [0.1, 0.9]}), max_iter=2)
    with pytest.raises(ValueError, match="several levels"):
        quantiles.fit(*chunked(X, X[:, 0]), eval_set=tuple(chunked(X, X[:, 0])))


def test_workers_of_another_instruction_set_are_refused(client, monkeypatch):
    n = len(client.scheduler_info()["workers"])  # a test before may have killed one
    monkeypatch.setattr("pyrelu._ufuncs.isa", lambda: "another")
    with pytest.raises(ValueError, match=f"{n} of {n} workers compute with another instruction set .*PYRELU_ISA"):
        fit({})


def test_a_worker_of_another_instruction_set_is_refused_by_name(client):
    address = sorted(client.scheduler_info()["workers"])[0]

    def computes_with(module):
        from pyrelu._dask import tasks

        tasks._ufuncs = module

    client.run(computes_with, SimpleNamespace(isa=lambda: "another"), workers=[address])
    try:
        with pytest.raises(ValueError, match=f"{address} with 'another', this one with '{_ufuncs.isa()}'"):
            fit({})
    finally:
        client.run(computes_with, _ufuncs, workers=[address])


def test_without_a_client(monkeypatch):
    def no_client():
        raise ValueError("No global client found and no address provided")

    monkeypatch.setattr("pyrelu._dask.rows.get_client", no_client)
    with pytest.raises(ValueError, match="client=None takes the current client, and there is none"):
        DaskMLPClassifier().fit(*chunked(*data()))
