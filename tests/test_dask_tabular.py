"""The tabular estimators on a cluster: against those on one machine, for any number of workers, and with one that dies."""

import itertools

import numpy as np
import pytest
from clusters import KillOnce, cluster_of_processes, gathered_and_received, marks, single_worker
from helpers import same_bits
from sklearn.base import clone
from tabular_cases import SMALL, table, targets

from pyrelu import TabularMLPClassifier, TabularMLPRegressor
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular import TablePreprocessor

distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
import dask  # noqa: E402

from pyrelu.dask import DaskTabularMLPClassifier, DaskTabularMLPRegressor  # noqa: E402

pytestmark = marks
QUICK = SMALL | dict(max_iter=4, batch_size=40)
ON_CLUSTER = {TabularMLPClassifier: DaskTabularMLPClassifier, TabularMLPRegressor: DaskTabularMLPRegressor}


def parts(X, *others, ends=(50, 51, 90)):
    """Return delayed partitions of unequal sizes."""
    ends = [0, *ends, len(X)]
    return [[dask.delayed(of[a:b]) for a, b in itertools.pairwise(ends)] for of in (X, *others)]


def fitted(cls, *data, **parameters):
    return ON_CLUSTER[cls](**QUICK | parameters).fit(*data)


def same_networks(a, b):
    assert len(a.estimators_) == len(b.estimators_)
    for ours, theirs in zip(a.estimators_, b.estimators_, strict=True):
        assert ours.history_ == theirs.history_ and getattr(ours, "temperature_", 0) == getattr(
            theirs, "temperature_", 0
        )
        for x, y in zip((*ours.coefs_, *ours.intercepts_), (*theirs.coefs_, *theirs.intercepts_), strict=True):
            assert same_bits(x, y)
    return True


# ---- as on one machine ----


@pytest.mark.parametrize("numeric", ["robust", "quantile"])
def test_the_preprocessor_is_that_of_all_rows(numeric, cls, client):
    X = table()
    settings = {"categorical_features": ["count"], "max_one_hot": 3, "numeric": numeric}
    mlp = fitted(cls, *parts(X, targets(cls, X)), max_iter=1, **settings)
    of_all = TablePreprocessor(**settings).fit(X)
    assert mlp.preprocessor_.columns_ == of_all.columns_
    for ours, theirs in zip(mlp.preprocessor_.scales_, of_all.scales_, strict=True):
        assert same_bits(ours, theirs)
    assert mlp.feature_names_in_.tolist() == list(X)


@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_steps_over_all_rows_are_local_steps_to_rounding(preset, cls, client):
    """First weights included, as the sample by which they are drawn is all rows."""
    X = table()
    y = targets(cls, X)
    settings = SMALL | dict(
        preset=preset,
        batch_size=len(X),
        dropout=0.0,
        early_stopping=False,
        max_iter=5,
        network_params={"shuffle": False},
    )
    mlp = ON_CLUSTER[cls](**settings).fit(*parts(X, y))
    local = cls(**settings).fit(X, y)
    np.testing.assert_allclose(mlp.loss_curve_, local.loss_curve_, rtol=1e-3)
    for ours, theirs in zip(mlp.estimators_[0].coefs_, local.estimators_[0].coefs_, strict=True):
        # Adam's first steps go by the signs of gradients, which rounding changes where they are 0 but for it.
        assert np.isclose(ours, theirs, rtol=1e-2, atol=1e-3).mean() > 0.98
    assert vars(mlp.to_local()).keys() == vars(local).keys()
    assert vars(mlp.estimators_[0]).keys() == vars(local.estimators_[0]).keys()
    if cls is TabularMLPRegressor:
        for name in ("target_mean_", "target_scale_", "target_range_"):
            np.testing.assert_allclose(
                getattr(mlp.estimators_[0], name), getattr(local.estimators_[0], name), rtol=1e-12
            )


def test_it_learns(cls, client):
    X = table(400)
    mlp = fitted(cls, *parts(X, targets(cls, X), ends=(100,)), preset="auto", max_iter=15, batch_size=100)
    assert mlp.to_local().score(X, targets(cls, X)) > 0.9


def test_validation_data_in_memory_and_in_partitions_do_alike(cls, client):
    X, weights = table(), np.linspace(0, 1, 40)
    y = targets(cls, X)
    scored = X[80:], y[80:], weights
    fits = [
        ON_CLUSTER[cls](**QUICK).fit(*parts(X[:80], y[:80], ends=(30,)), eval_set=eval_set)
        for eval_set in (scored, tuple(parts(*scored, ends=(15,))))
    ]
    for a, b in zip(*(mlp.estimators_ for mlp in fits), strict=True):
        np.testing.assert_allclose(a.validation_scores_, b.validation_scores_, rtol=1e-5)
        if cls is TabularMLPClassifier:
            assert a.temperature_ == pytest.approx(b.temperature_, rel=1e-3) and a.temperature_ != 1


def test_temperatures_are_those_of_the_rows_held_out(client):
    X = table(300)
    y = targets(TabularMLPClassifier, X)
    settings = {"preset": "td", "validation_fraction": 0.3, "batch_size": 100}
    mlp, plain = (
        fitted(TabularMLPClassifier, *parts(X, y, ends=(100, 200)), calibrate=calibrate, **settings)
        for calibrate in (True, False)
    )
    assert mlp.estimators_[0].temperature_ != 1 and plain.estimators_[0].temperature_ == 1
    refit = fitted(TabularMLPClassifier, *parts(X, y, ends=(100, 200)), refit=True, **settings).estimators_[0]
    assert refit.temperature_ == mlp.estimators_[0].temperature_ and refit.validation_scores_ is None
    scores = mlp.estimators_[0].validation_scores_
    assert refit.n_iter_ == int(np.flatnonzero(np.array(scores) == max(scores))[-1]) + 1


# ---- what to rely on ----


SETTINGS = {
    "step": {"early_stopping": True, "refit": True},
    "epoch": {"sync": "epoch", "n_members": 2},
}


def test_bits_do_not_depend_on_workers_nor_on_their_deaths(client, cluster):
    X = table()
    data = parts(X, targets(TabularMLPClassifier, X))
    with_two = {name: fitted(TabularMLPClassifier, *data, **settings) for name, settings in SETTINGS.items()}
    with (
        cluster_of_processes(1, threads_per_worker=2) as other,
        distributed.Client(other, set_as_default=False) as one,
    ):
        for name, settings in SETTINGS.items():
            assert same_networks(fitted(TabularMLPClassifier, *data, client=one, **settings), with_two[name]), name
    killed = KillOnce(client, sorted(client.scheduler_info()["workers"])[0])
    mlp = DaskTabularMLPClassifier(**QUICK, **SETTINGS["step"]).set_callbacks(killed).fit(*data)
    assert same_networks(mlp, with_two["step"]) and killed.done
    client.wait_for_workers(2, timeout=60)


def test_nothing_is_gathered(client):
    rng = np.random.default_rng(0)
    X = da.from_array(rng.standard_normal((40_000, 20)), chunks=(10_000, 20)).persist()
    y = (X[:, 0] > 0).astype(int).persist()
    distributed.wait([X, y])
    with gathered_and_received(client) as largest:
        mlp = DaskTabularMLPClassifier("td", hidden_layer_sizes=(4,), max_iter=2, batch_size=10_000, random_state=0)
        predicted = mlp.fit(X, y).predict(X)
    assert predicted.chunks == y.chunks
    assert max(largest) < 10_000 * 20 * 8 / 4  # some 2,500 rows of each partition, in float32, are the largest


def test_a_fit_whose_client_died_resumes(client, tmp_path):
    pytest.importorskip("sklearn.callback")
    from pyrelu.callbacks import Checkpoint

    class Die:
        setup = on_fit_task_begin = teardown = lambda self, estimator, context: None

        def on_fit_task_end(self, estimator, context):
            if context.max_subtasks == 0 and estimator.n_iter_ == 3:
                raise RuntimeError("died")

    X = table()

    def fit(*callbacks, client=None):
        mlp = DaskTabularMLPRegressor(**QUICK, early_stopping=True, client=client).set_callbacks(*callbacks)
        return mlp.fit(*parts(X, targets(TabularMLPRegressor, X)))

    file = tmp_path / "fit.safetensors"
    with pytest.raises(RuntimeError, match="died"):
        fit(Checkpoint(file), Die())
    with single_worker() as other:
        resumed = fit(Checkpoint(file, resume=True), client=other)
    assert same_networks(resumed, fit())


# ---- collections, predictions, copies ----


def test_frames_predictions_and_scores(cls, client, tmp_path):
    X = table()
    y = targets(cls, X)
    frame = dd.from_pandas(X.assign(target=y), npartitions=3)
    mlp = fitted(cls, frame[list(X)], frame["target"])
    local = mlp.to_local()
    assert type(local) is cls
    assert (mlp.predict(frame[list(X)]).compute() == local.predict(X)).all()
    assert float(mlp.score(frame[list(X)], frame["target"])) == pytest.approx(local.score(X, y), rel=1e-9)
    assert mlp.score(X, y) == local.score(X, y)
    if cls is TabularMLPClassifier:
        assert same_bits(mlp.predict_proba(frame[list(X)]).compute(), local.predict_proba(X))
        assert mlp.classes_.tolist() == ["no", "yes"]
    local.save(tmp_path / "file")
    assert (cls.load(tmp_path / "file").predict(X) == local.predict(X)).all()
    again = clone(mlp.set_params(client=client))
    assert again.client is client and same_networks(again.fit(frame[list(X)], frame["target"]), mlp)


def test_partitions_without_rows_weights_and_several_targets(client):
    X = table()
    y = targets(TabularMLPRegressor, X)
    both, weights = np.column_stack([y, -y]), np.linspace(0.1, 1, len(X))
    full, holed = ((50, 90), (0, 50, 50, 90, 120))
    fits = [fitted(TabularMLPRegressor, *parts(X, both, weights, ends=ends)) for ends in (full, holed)]
    assert same_networks(*fits) and fits[0].to_local().predict(X).shape == (120, 2)
    labels = np.column_stack([y > 1000, y > 1050]).astype(int)
    mlp = fitted(TabularMLPClassifier, *parts(X, labels))
    assert mlp.predict(parts(X)[0]).compute().shape == (120, 2)
    arrays = da.from_array(X[["number", "same"]].to_numpy(float), chunks=(50, 2)), da.from_array(y, chunks=50)
    unnamed = fitted(TabularMLPRegressor, *arrays)
    assert unnamed.predict(arrays[0]).chunks == arrays[1].chunks and not hasattr(unnamed, "feature_names_in_")


def test_errors(client):
    X = table()
    y = targets(TabularMLPClassifier, X)
    mlp = DaskTabularMLPClassifier(**SMALL)
    data = parts(X, y)
    with pytest.raises(InvalidParameterError, match="cv=3 needs rows that can be counted"):
        clone(mlp).set_params(cv=3).fit(*data)
    with pytest.raises(TypeError, match="X must be a dask array, .*got DataFrame"):
        mlp.fit(X, y)
    with pytest.raises(ValueError, match="sync"):
        clone(mlp).set_params(sync="steps").fit(*data)
    with pytest.raises(InvalidParameterError, match="scoring='f1' needs rows in memory"):
        clone(mlp).set_params(scoring="f1").fit(*data)
    with pytest.raises(ValueError, match="Column 'number' holds numbers in one partition"):
        mlp.fit([data[0][0], dask.delayed(X[50:].assign(number="a"))], [data[1][0], dask.delayed(y[50:])])
    with pytest.raises(ValueError, match="partition 1: X has infinite values: column 'number'"):
        mlp.fit([data[0][0], dask.delayed(X[50:].assign(number=np.inf))], [data[1][0], dask.delayed(y[50:])])
    with pytest.raises(ValueError, match="partition 0: .*NaN"):
        mlp.fit([dask.delayed(X)], [dask.delayed(np.where(y == "no", np.nan, 1.0))])
    with pytest.raises(ValueError, match="the partitions have no rows"):
        mlp.fit([dask.delayed(X[:0])], [dask.delayed(y[:0])])
    with pytest.raises(ValueError, match="numeric_embedding='piecewise_linear' is set from all rows"):
        clone(mlp).set_params(network_params={"numeric_embedding": "piecewise_linear"}).fit(*data)
    assert not hasattr(mlp, "estimators_")
