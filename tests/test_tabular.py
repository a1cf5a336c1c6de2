"""The tabular estimators: tables and targets of every kind, ensembles, probabilities, files, interruptions."""

import copy
import os
import pickle
import signal
import threading
import time
from importlib.util import find_spec

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, rng, same_bits
from sklearn.base import clone
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from pyrelu import MLPClassifier, TabularMLPClassifier, TabularMLPRegressor, registry
from pyrelu._storage import files
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError, InvalidParameterError
from pyrelu.tabular import _calibration, _preprocessing

pytestmark = few_epochs

SMALL = dict(preset="td", hidden_layer_sizes=(16,), max_iter=8, random_state=0)
BOTH = (TabularMLPClassifier, TabularMLPRegressor)


def table(n=120, seed=0):
    """Columns of every kind, missing values in all."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "number": random.normal(size=n),
            "count": random.integers(0, 9, size=n),
            "flag": pd.array(random.integers(0, 2, size=n).astype(bool), "boolean"),
            "colour": random.choice(["red", "green", "blue"], size=n),
            "town": [f"town {i}" for i in random.integers(0, 15, size=n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 99, size=n), "D"),
            "same": 1.0,
            "nothing": np.nan,
        }
    ).astype({"colour": object, "town": object})
    for i, name in enumerate(X.columns[:6]):
        X.loc[X.index[i::17], name] = None if X[name].dtype == object else pd.NaT if name == "day" else pd.NA
    return X


def labels(X):
    return np.where(X["number"].fillna(0) + (X["colour"] == "red") > 0.4, "yes", "no")


def numbers(X):
    return 1000 + 50 * (X["number"].fillna(0) + (X["colour"] == "red")).to_numpy(float)


def targets(cls, X):
    return labels(X) if cls is TabularMLPClassifier else numbers(X)


def outputs(estimator, X):
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


@pytest.fixture(params=BOTH)
def cls(request):
    return request.param


# ---- scikit-learn's checks ----


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "weights have no part in medians, scales and held-out rows",
    }


# In 10 epochs only with small batches, which are larger than the smallest tables.
@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@parametrize_with_checks(
    [cls(max_iter=10, hidden_layer_sizes=(16,), batch_size=16) for cls in BOTH],
    expected_failed_checks=expected_failures,
)
def test_estimator(estimator, check):
    check(estimator)


# ---- tables ----


def containers(X):
    """The same table in all containers."""
    import pyarrow as pa

    arrow = pa.Table.from_pandas(X, preserve_index=False)
    plain = X.astype(object).where(X.notna(), None)
    found = {"pandas": X, "pyarrow": arrow, "objects": plain.to_numpy(dtype=object)}
    if find_spec("polars"):
        import polars as pl

        found["polars"] = pl.from_pandas(X)
    return found


def test_the_same_table_in_any_container(cls):
    X = table()
    found = {name: outputs(cls(**SMALL).fit(of, targets(cls, X)), of) for name, of in containers(X).items()}
    assert np.isfinite(found["pandas"]).all()
    for name, predicted in found.items():
        assert same_bits(predicted, found["pandas"]), name


def test_categories_in_an_array():
    random = rng("codes")
    X = random.integers(0, 12, size=(200, 2)).astype(float)
    y = (X[:, 0] * 7 % 5 > 2).astype(int)
    mlp = TabularMLPClassifier(**SMALL | dict(max_iter=40), categorical_features=[0]).fit(X, y)
    assert mlp.preprocessor_.cardinalities_ == [13] and mlp.estimators_[0].categorical_features == [1]
    assert mlp.score(X, y) > 0.9


def test_columns_by_name_unknown_values_and_gaps(cls):
    X = table()
    mlp = cls(**SMALL).fit(X, targets(cls, X))
    assert list(mlp.feature_names_in_) == list(X.columns) and mlp.n_features_in_ == 8
    assert same_bits(outputs(mlp, X[X.columns[::-1]].assign(more="x")), outputs(mlp, X))
    strange = X.assign(colour="violet", town="nowhere", number=None, day=pd.NaT)
    assert np.isfinite(outputs(mlp, strange)).all()
    with pytest.raises(ValueError, match="X lacks the column 'town'"):
        mlp.predict(X.drop(columns="town"))
    with pytest.raises(ValueError, match=r"column 'number' holds inf in row 0"):
        mlp.predict(X.assign(number=np.inf))


def test_a_block_of_rows_at_a_time(cls, monkeypatch):
    X = table()
    mlp = cls(n_members=2, **SMALL).fit(X, targets(cls, X))
    whole = outputs(mlp, X)
    sizes = []
    network = type(mlp.estimators_[0])
    monkeypatch.setattr(_preprocessing, "BLOCK", 200)
    original = network._outputs
    monkeypatch.setattr(network, "_outputs", lambda self, Z: sizes.append(len(Z)) or original(self, Z))
    assert same_bits(outputs(mlp, X), whole)
    assert len(sizes) > 10 and max(sizes) <= 200 // 8


@pytest.mark.parametrize("transform", ["pandas", "polars"])
def test_any_output_of_transformers(cls, transform):
    import sklearn

    X = table()
    want = outputs(cls(**SMALL).fit(X, targets(cls, X)), X)
    with sklearn.config_context(transform_output=transform):
        assert same_bits(outputs(cls(**SMALL).fit(X, targets(cls, X)), X), want)


# ---- targets ----


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        list,
        lambda y: y.astype(object),
        lambda y: pd.Series(y, dtype="category"),
        lambda y: pd.Series(y, dtype="string"),
        lambda y: y == "yes",
        lambda y: pd.array(y == "yes", "boolean"),
        lambda y: pd.array((y == "yes") + 1, "Int64"),
    ],
)
def test_labels_of_any_type(convert):
    X = table()
    y = labels(X)
    given = convert(y)
    mlp = TabularMLPClassifier(**SMALL | dict(max_iter=40)).fit(X, given)
    assert len(mlp.classes_) == 2 and mlp.estimators_[0].n_outputs_ == 2
    assert mlp.predict_proba(X).shape == (len(X), 2)
    predicted = mlp.predict(X)
    assert set(predicted) <= set(np.asarray(given).tolist()) and np.mean(predicted == np.asarray(given)) > 0.85


def test_polars_labels():
    pl = pytest.importorskip("polars")

    X = table()
    mlp = TabularMLPClassifier(**SMALL).fit(pl.from_pandas(X), pl.Series(labels(X).tolist()))
    assert list(mlp.classes_) == ["no", "yes"]


def test_rare_classes():
    """A class of one row is trained on; the others are in both parts, in proportion."""
    X = table()
    y = np.array(["a"] * 89 + ["b"] * 30 + ["c"])
    mlp = TabularMLPClassifier(**SMALL)
    for seed in range(5):
        training, held_out = mlp._held_out(y, 0.2, np.random.RandomState(seed))
        assert sorted([*training, *held_out]) == list(range(120)) and len(held_out) == 24
        assert 119 in training and np.sum(y[held_out] == "b") in (5, 6, 7)
    mlp.fit(X, y)
    assert list(mlp.classes_) == ["a", "b", "c"] and np.isfinite(mlp.predict_proba(X)).all()


def test_a_single_class():
    X = table(20)
    mlp = TabularMLPClassifier(**SMALL).fit(X, ["only"] * 20)
    assert same_bits(mlp.predict_proba(X), np.ones((20, 1))) and set(mlp.predict(X)) == {"only"}


def test_multilabel():
    X = table()
    y = np.column_stack([labels(X) == "yes", X["flag"].fillna(False), X["count"].fillna(0) > 4]).astype(int)
    mlp = TabularMLPClassifier(**SMALL | dict(max_iter=60), n_members=2).fit(X, y)
    p = mlp.predict_proba(X)
    assert p.shape == y.shape and same_bits(mlp.predict(X), (p > 0.5).astype(int))
    assert np.mean(mlp.predict(X) == y) > 0.85
    assert all(0 < network.temperature_ != 1 for network in mlp.estimators_)


def test_several_outputs():
    X = table()
    y = np.column_stack([numbers(X), -1e6 * numbers(X)])
    mlp = TabularMLPRegressor(**SMALL | dict(max_iter=60)).fit(X, y)
    assert mlp.predict(X).shape == y.shape and mlp.score(X, y) > 0.7
    assert (mlp.predict(X) >= y.min(axis=0)).all() and (mlp.predict(X) <= y.max(axis=0)).all()


@pytest.mark.parametrize("y", [None, ["yes", None] * 60, [1.0, np.nan] * 60, [[1, 2]] * 119 + [[1]]])
def test_targets_that_are_none(cls, y):
    with pytest.raises(ValueError, match=r"requires y|NaN|inhomogeneous|Unknown label"):
        cls(**SMALL).fit(table(), y)


# ---- regression ----


def test_predictions_do_not_depend_on_units():
    X = table()
    y = numbers(X)
    base = TabularMLPRegressor(**SMALL).fit(X, y).predict(X)
    scaled = TabularMLPRegressor(**SMALL).fit(X, 1024 * y).predict(X)  # a power of two: the same bits
    assert same_bits(scaled, 1024 * base)
    assert (base >= y.min()).all() and (base <= y.max()).all()


def own_huber(delta):
    def loss(y_true, y_pred):
        error = np.abs(y_true - y_pred)
        return np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))

    return loss, lambda y_true, y_pred: np.clip(y_pred - y_true, -delta, delta)


def test_delta_and_own_functions_are_in_the_units_of_y():
    X = table()
    y = numbers(X)
    settings = SMALL | dict(early_stopping=False, network_params={"solver": "sgd"}, learning_rate_init=0.01)
    scale = y.std()
    base = TabularMLPRegressor(loss=("huber", {"delta": 0.5}), **settings).fit(X, y / scale).predict(X)
    huber = TabularMLPRegressor(loss=("huber", {"delta": 0.5 * scale}), **settings).fit(X, y).predict(X)
    np.testing.assert_allclose(huber, base * scale, rtol=1e-4)
    seen = []

    def loss(y_true, y_pred):
        seen.append((y_true.min(), y_true.max(), y_pred.mean()))
        return (y_true - y_pred) ** 2 / 2

    TabularMLPRegressor(loss=(loss, lambda y_true, y_pred: y_pred - y_true), **SMALL).fit(X, y)
    low, high, mean = np.array(seen).T
    assert low.min() >= y.min() - 1 and high.max() <= y.max() + 1 and 500 < mean.mean() < 1500


def test_delta_of_several_outputs():
    X = table()
    y = np.column_stack([numbers(X), 100 * numbers(X)])
    mlp = TabularMLPRegressor(loss=("huber", {"delta": 10.0}), **SMALL).fit(X, y)
    deltas = mlp.estimators_[0]._output_loss().of(2).values
    np.testing.assert_allclose(np.ravel(deltas), 10 / y.std(axis=0))


def test_quantile_levels():
    X = table(400)
    random = rng("levels")
    y = numbers(X) + 100 * random.exponential(size=400)
    loss = ("quantile", {"level": [0.1, 0.5, 0.9], "monotone": True})
    mlp = TabularMLPRegressor(loss=loss, **SMALL | dict(max_iter=60), n_members=2).fit(X, y)
    predicted = mlp.predict(X)
    assert predicted.shape == (400, 3) and (np.diff(predicted, axis=1) >= 0).all()
    shares = (y[:, np.newaxis] < predicted).mean(axis=0)
    assert abs(shares - [0.1, 0.5, 0.9]).max() < 0.12
    assert 0 < mlp.score(X, y) < 1


@pytest.mark.parametrize("name", [row.name for row in registry.losses.values() if row.estimator == "regressor"])
def test_every_loss_of_regressors(name):
    X = table()
    y = 1000 * np.exp((numbers(X) - 1000) / 50)  # errors of the scale would take many epochs to mend
    mlp = TabularMLPRegressor(loss=name, **SMALL | dict(max_iter=60), batch_size=32, dropout=0.0).fit(X, y)
    assert mlp.score(X, y) > 0.6 and (mlp.predict(X) > 0).all()


@pytest.mark.parametrize("name", ["log_loss", "focal", "hinge", "squared_hinge"])
def test_every_loss_of_classifiers(name):
    X = table()
    y = labels(X)
    mlp = TabularMLPClassifier(loss=name, **SMALL | dict(max_iter=40), scoring="roc_auc").fit(X, y)
    assert mlp.score(X, y) > 0.85
    if name in ("log_loss", "focal"):
        assert not hasattr(mlp, "decision_function")
    else:
        scores = mlp.decision_function(X)
        assert not hasattr(mlp, "predict_proba") and scores.shape == (120,)
        assert same_bits(mlp.predict(X), mlp.classes_[(scores > 0).astype(int)])
        assert TabularMLPClassifier(loss=name, **SMALL).fit(X, X["colour"].fillna("?")).decision_function(X).shape == (
            120,
            4,
        )


# ---- weights, held-out rows, scores ----


def test_weights(cls):
    X = table()
    y = targets(cls, X)
    base, same = outputs(cls(**SMALL).fit(X, y), X), outputs(cls(**SMALL).fit(X, y, np.ones(120)), X)
    np.testing.assert_allclose(base, same, rtol=1e-4, atol=1e-5)
    red = (X["colour"] == "red").to_numpy()
    other = np.where(red, y[::-1], y)  # where rows weigh nothing, their targets do not matter
    settings = SMALL | dict(early_stopping=False)
    weighted = [cls(**settings).fit(X, of, np.where(red, 0.0, 1.0)) for of in (y, other)]
    if cls is TabularMLPClassifier:
        assert same_bits(outputs(weighted[0], X), outputs(weighted[1], X))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cls(**SMALL).fit(X, y, np.ones(7))


def test_class_weight():
    X = table()
    y = labels(X)
    means = [
        TabularMLPClassifier(class_weight=weight, **SMALL).fit(X, y).predict_proba(X)[:, 1].mean()
        for weight in ({"yes": 0.05}, None, {"yes": 20.0})
    ]
    assert means[0] + 0.1 < means[1] < means[2] - 0.1
    TabularMLPClassifier(class_weight="balanced", **SMALL).fit(X, y)


def test_eval_set_decides(cls):
    X, X_val = table(), table(60, seed=1)
    y, y_val = targets(cls, X), targets(cls, X_val)
    mlp = cls(**SMALL | dict(max_iter=15)).fit(X, y, eval_set=(X_val[X.columns[::-1]], y_val))
    scores = mlp.validation_scores_
    assert len(scores) == 15 and mlp.best_validation_score_ == max(scores)
    assert mlp.score(X_val, y_val) == pytest.approx(max(scores), abs=1e-6)
    with pytest.raises(ValueError, match="eval_set: X lacks the column 'day'"):
        mlp.fit(X, y, eval_set=(X_val.drop(columns="day"), y_val))
    with pytest.raises(ValueError, match="eval_set must be a tuple"):
        mlp.fit(X, y, eval_set=[X_val, y_val])


def test_ties_go_to_the_latest_epoch():
    X = table()
    scores = iter([0.5, 0.7, 0.7, 0.2])
    mlp = TabularMLPClassifier(scoring=lambda *_: next(scores), calibrate=False, **SMALL | dict(max_iter=4))
    mlp.fit(X, labels(X))
    want = TabularMLPClassifier(scoring=lambda *_: next(scores), calibrate=False, **SMALL | dict(max_iter=4))
    scores = iter([0.5, 0.6, 0.7, 0.2])
    assert same_bits(mlp.predict_proba(X), want.fit(X, labels(X)).predict_proba(X))


def test_scores_are_in_the_units_of_y():
    X, X_val = table(), table(60, seed=1)
    y, y_val = numbers(X), numbers(X_val)
    seen = []

    def scorer(estimator, Z, y_true, sample_weight=None):
        seen.append((Z.shape, y_true))
        return -mean_absolute_error(y_true, estimator.predict(Z), sample_weight=sample_weight)

    fits = [
        TabularMLPRegressor(scoring=scoring, **SMALL).fit(X, y, eval_set=(X_val, y_val))
        for scoring in ("neg_mean_absolute_error", scorer)
    ]
    assert fits[0].validation_scores_ == fits[1].validation_scores_
    assert max(fits[0].validation_scores_) == pytest.approx(-mean_absolute_error(y_val, fits[0].predict(X_val)))
    np.testing.assert_allclose(seen[0][1], y_val, rtol=1e-6)
    assert seen[0][0] == (60, fits[1].estimators_[0].n_features_in_)


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss", "f1_macro"])
def test_scores_of_classifiers(scoring):
    X = table()
    mlp = TabularMLPClassifier(scoring=scoring, **SMALL).fit(X, labels(X))
    assert np.isfinite(mlp.validation_scores_).all()
    assert np.isfinite(cross_val_score(mlp, X, labels(X), cv=2, scoring=scoring)).all()


def test_early_stopping():
    X = table()
    y = labels(X)
    stopped = TabularMLPClassifier(**SMALL | dict(max_iter=500), n_iter_no_change=3).fit(X, y)
    assert stopped.n_iter_ < 100
    free = TabularMLPClassifier(**SMALL, early_stopping=False).fit(X, y)
    assert free.validation_scores_ is None and free.n_iter_ == 8 and free.estimators_[0].temperature_ == 1
    with pytest.raises(InvalidParameterError, match="validation_fraction=0 leaves"):
        TabularMLPClassifier(**SMALL, validation_fraction=0).fit(X, y)
    with pytest.raises(ValueError, match="n_samples=2 is too few to hold out"):
        TabularMLPClassifier(**SMALL).fit(X[:2], y[:2])
    TabularMLPRegressor(**SMALL).fit(X[:4], numbers(X)[:4])


# ---- parameters ----


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(preset="best"), "'preset' parameter of TabularMLP.* must be one of 'auto'"),
        (dict(n_members=0), "'n_members'"),
        (dict(cv=1), "'cv'"),
        (dict(cv=3, n_members=2), "n_members=2 must be 1 or the number of splits of cv, which is 3"),
        (dict(network_params=[1]), "'network_params'"),
        (dict(network_params={"alhpa": 1.0}), "network_params has 'alhpa', which is no parameter of MLP"),
        (dict(network_params={"dropout": 0.5}), "network_params has 'dropout', which is a parameter of TabularMLP"),
        (dict(network_params={"solver": "lbfgs"}), "network_params: solver must be one of 'sgd'"),
        (dict(network_params={"warm_start": True}), "network_params: warm_start must be False"),
        (dict(network_params={"clip_norm": -1.0}), "network_params: clip_norm must be a float in the range"),
        (dict(loss="poison"), "'loss' parameter"),
        (dict(max_iter=0), "'max_iter'"),
        (dict(categorical_features=["colour", "shape"]), "'shape'"),
    ],
)
def test_parameters_that_are_not_allowed(cls, given, message):
    X = table()
    mlp = cls(**SMALL).fit(X, targets(cls, X))
    before = vars(mlp).copy()
    with pytest.raises(InvalidParameterError, match=message):
        mlp.set_params(**given).fit(X, targets(cls, X))
    mlp.set_params(**{name: before[name] for name in given})
    assert vars(mlp) == before


def test_a_failed_fit_changes_nothing(cls):
    X = table()
    y = targets(cls, X)
    mlp = cls(n_members=2, **SMALL).fit(X, y)
    before, predicted = vars(mlp).copy(), outputs(mlp, X)
    for bad in (X.assign(number=np.inf), X.assign(town=[[1]] * 120)):
        with pytest.raises(ValueError, match="column 'number'|Column 'town'|column 'town'"):
            mlp.fit(bad, y)
    with pytest.raises(RuntimeError, match="no score"):
        mlp.set_params(scoring=failing).fit(X, y)
    assert vars(mlp) == before | {"scoring": failing} and same_bits(outputs(mlp, X), predicted)


def failing(estimator, X, y):
    raise RuntimeError("no score")


def test_network_params():
    X = table()
    mlp = TabularMLPClassifier(network_params={"solver": "lion", "clip_norm": 1.0}, dropout=0.3, **SMALL)
    network = mlp.fit(X, labels(X)).estimators_[0]
    assert (network.solver, network.clip_norm, network.dropout) == ("lion", 1.0, (0.0, 0.3))
    assert network.scale_inputs and network.hidden_layer_sizes == (16,)


def test_presets_can_be_fitted(cls):
    X = table()
    for preset in ("auto", "td", "td-s"):
        mlp = cls(preset=preset, max_iter=2, random_state=0).fit(X, targets(cls, X))
        assert mlp.estimators_[0].get_params()["hidden_layer_sizes"]


def test_the_default_trains_on_all_rows(cls):
    X = table()
    mlp = cls(random_state=0, hidden_layer_sizes=(16,), max_iter=8, batch_size=20).fit(X, targets(cls, X))
    assert mlp.estimators_[0].t_ == 120 * mlp.n_iter_ and mlp.validation_scores_ is None
    mlp = cls(random_state=0, hidden_layer_sizes=(16,), max_iter=8, batch_size=20, cv=2).fit(X, targets(cls, X))
    assert mlp.estimators_[0].t_ == 60 * mlp.n_iter_ and np.isfinite(mlp.oof_).all()
    X_val = table(40, seed=1)
    mlp = cls(random_state=0, hidden_layer_sizes=(16,), max_iter=8, batch_size=20).fit(
        X, targets(cls, X), eval_set=(X_val, targets(cls, X_val))
    )
    assert mlp.best_validation_score_ == max(mlp.validation_scores_)


# ---- reproducible ----


@pytest.mark.parametrize("settings", [{}, {"n_members": 3}, {"cv": 3, "refit": True}])
def test_same_bits_for_any_number_of_threads(cls, settings):
    X = table()
    y = targets(cls, X)
    fits = [cls(n_threads=n, **settings, **SMALL).fit(X, y) for n in (1, 2, 2)]
    assert joblib.hash(fits[1]) == joblib.hash(fits[2])
    assert joblib.hash(fits[0].set_params(n_threads=2)) != joblib.hash(cls())
    assert same_bits(outputs(fits[0], X), outputs(fits[1], X))
    for a, b in zip(fits[0].estimators_, fits[1].estimators_, strict=True):
        assert joblib.hash(a.set_params(n_threads=None)) == joblib.hash(b.set_params(n_threads=None))


def test_clone_pickle_set_params(cls):
    X = table()
    mlp = cls(n_members=2, cv=2, **SMALL).fit(X, targets(cls, X))
    again = pickle.loads(pickle.dumps(mlp))
    assert joblib.hash(again) == joblib.hash(mlp) and same_bits(outputs(again, X), outputs(mlp, X))
    assert joblib.hash(copy.deepcopy(mlp)) == joblib.hash(mlp)
    fresh = clone(mlp)
    assert (
        fresh.get_params() == mlp.get_params() and not hasattr(fresh, "estimators_") and not hasattr(fresh, "n_iter_")
    )
    assert same_bits(outputs(fresh.fit(X, targets(cls, X)), X), outputs(mlp, X))
    assert not hasattr(fresh.set_params(cv=None).fit(X, targets(cls, X)), "oof_")


# ---- ensembles ----


def test_members_are_averaged(cls):
    X = table()
    mlp = cls(n_members=3, **SMALL).fit(X, targets(cls, X))
    assert len(mlp.estimators_) == 3 and len({network.random_state for network in mlp.estimators_}) == 3
    Z = mlp.preprocessor_.transform(X)
    of_each = [mlp._outputs_of(network, Z) for network in mlp.estimators_]
    np.testing.assert_allclose(outputs(mlp, X), np.mean(of_each, axis=0), rtol=1e-6)
    assert mlp.n_iter_ == mlp.estimators_[0].n_iter_ and mlp.loss_curve_ == mlp.estimators_[0].loss_curve_
    assert mlp.history_[-1]["validation_score"] == mlp.validation_scores_[-1]


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("refit", [True, False])
def test_out_of_fold_predictions(cls, early_stopping, refit):
    """Each is of a network that has not seen the row: other targets there change nothing."""
    X = table()
    y = targets(cls, X)
    cv = KFold(3)
    settings = SMALL | dict(early_stopping=early_stopping, refit=refit, max_iter=4)
    if cls is TabularMLPClassifier:
        settings["calibrate"] = False
    mlp = cls(cv=cv, **settings).fit(X, y)
    assert len(mlp.estimators_) == 3 and mlp.oof_.shape == outputs(mlp, X).shape and np.isfinite(mlp.oof_).all()
    if early_stopping:  # chooses the epoch by them
        return
    first = np.arange(40)
    other = y.copy()
    other[first] = y[first][::-1]
    if cls is TabularMLPRegressor:  # as the target's scale depends on all rows
        other[first] = np.roll(y[first], 1)
    again = cls(cv=cv, **settings).fit(X, other)
    np.testing.assert_allclose(again.oof_[first], mlp.oof_[first], rtol=1e-6, atol=1e-9)
    assert not np.allclose(again.oof_[40:], mlp.oof_[40:])


def test_splitters_of_all_kinds():
    X = table()
    y = labels(X)
    mlp = TabularMLPClassifier(cv=4, **SMALL).fit(X, y)
    assert len(mlp.estimators_) == 4 and np.isfinite(mlp.oof_).all()
    assert log_loss(y, mlp.oof_) < 1.5
    mlp = TabularMLPClassifier(cv=ShuffleSplit(2, test_size=10, train_size=20, random_state=0), **SMALL).fit(X, y)
    assert np.isnan(mlp.oof_[:, 0]).sum() >= 100
    assert mlp.estimators_[0].t_ == 20 * mlp.n_iter_  # the rest is neither trained on nor held out
    mask = np.arange(120) % 3 == 0
    mlp = TabularMLPClassifier(cv=[(~mask, mask)], **SMALL).fit(X, y)
    assert (np.isfinite(mlp.oof_[:, 0]) == mask).all()
    with pytest.raises(ValueError, match="eval_set cannot be combined with cv"):
        mlp.fit(X, y, eval_set=(X, y))


def test_refit():
    X = table()
    y = labels(X)
    once = TabularMLPClassifier(**SMALL | dict(max_iter=12, batch_size=24)).fit(X, y)
    twice = TabularMLPClassifier(refit=True, **SMALL | dict(max_iter=12, batch_size=24)).fit(X, y)
    scores = np.array(once.validation_scores_)
    assert twice.n_iter_ == np.flatnonzero(scores == scores.max())[-1] + 1
    assert twice.estimators_[0].t_ == 120 * twice.n_iter_
    assert twice.estimators_[0].temperature_ == once.estimators_[0].temperature_


# ---- probabilities ----


@pytest.mark.parametrize("seed", range(3))
def test_temperatures(seed):
    """The log-loss of held-out rows never rises, and their order stays."""
    X, X_val = table(), table(80, seed=seed + 1)
    y, y_val = labels(X), labels(X_val)
    flipped = rng("flips", seed).random(80) < 0.2
    y_val = np.where(flipped, y_val[::-1], y_val)
    settings = SMALL | dict(max_iter=30, random_state=seed)
    plain, calibrated = (
        TabularMLPClassifier(calibrate=calibrate, **settings).fit(X, y, eval_set=(X_val, y_val))
        for calibrate in (False, True)
    )
    p, q = plain.predict_proba(X_val), calibrated.predict_proba(X_val)
    assert plain.estimators_[0].temperature_ == 1 != calibrated.estimators_[0].temperature_
    assert log_loss(y_val, q) <= log_loss(y_val, p) + 1e-3  # targets are smoothed
    assert roc_auc_score(y_val, q[:, 1]) == pytest.approx(roc_auc_score(y_val, p[:, 1]), abs=1e-3)
    np.testing.assert_allclose(q.sum(axis=1), 1)


def test_the_temperature_is_found():
    """Probabilities that are made from outcomes, then sharpened by a known exponent."""
    random = rng("temperature")
    p = random.dirichlet([1, 1, 1], size=20000)
    truth = (p.cumsum(axis=1) < random.random((20000, 1))).sum(axis=1)[:, np.newaxis]
    sharp = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    found = _calibration.fit_temperature(sharp, truth, None, each_label=False)
    assert found == pytest.approx(2.5, rel=0.05)
    np.testing.assert_allclose(_calibration.apply(sharp, 2.5, each_label=False), p, atol=1e-9)
    few = _calibration.fit_temperature(np.array([[0.6, 0.4]] * 3), np.zeros((3, 1), int), None, each_label=False)
    assert 0.15 < few < 1  # three rows that are right make nothing certain


# ---- callbacks ----


def test_callbacks_reach_the_network(cls, tmp_path):
    X = table()
    y = targets(cls, X)
    seen = []

    class Watch:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            seen.append(estimator.n_iter_)
            return len(seen) == 3

        def teardown(self, estimator, context):
            seen.append("end")

    mlp = cls(**SMALL).set_callbacks(Watch()).fit(X, y)
    assert seen == [1, 2, 3, 3, "end"] and mlp.n_iter_ == 3
    assert not hasattr(mlp.estimators_[0], "_skl_callbacks")
    stop = EarlyStopping("loss", patience=1, min_delta=1e9)
    assert cls(**SMALL).set_callbacks(stop).fit(X, y).n_iter_ == 2
    assert all(n.n_iter_ == 2 for n in cls(n_members=3, **SMALL).set_callbacks(stop).fit(X, y).estimators_)


@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"refit": True}, {"cv": 2, "refit": True}])
def test_checkpoints_resume(cls, tmp_path, settings):
    X = table()
    y = targets(cls, X)

    class Kill(RuntimeError):
        pass

    class KillIn:
        def __init__(self, epoch):
            self.epoch = epoch

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if context.task_name == f"epoch {self.epoch}":
                raise Kill

        def on_fit_task_end(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

    path = tmp_path / "fit.safetensors"
    save = Checkpoint(path, resume=True)
    killed = cls(**settings, **SMALL).set_callbacks(save, KillIn(5))
    with pytest.raises(Kill):  # the other networks end early, and their files say that they are to go on
        killed.fit(X, y)
    assert os.listdir(tmp_path)
    resumed = cls(**settings, **SMALL).set_callbacks(save).fit(X, y)
    assert same_bits(outputs(resumed, X), outputs(cls(**settings, **SMALL).fit(X, y), X))
    n = max(1, settings.get("n_members", 1), settings.get("cv", 1)) * (2 if "refit" in settings else 1)
    assert len(os.listdir(tmp_path)) == n


def test_a_network_that_another_one_ends_goes_on(cls, tmp_path):
    """Where one network's fit fails, the others end after their epoch, and their checkpoints are not those of ended fits."""
    X = table()
    y = targets(cls, X)
    failed = threading.Event()

    class FailIn:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch 3":
                if estimator.random_state == seeds[0]:
                    failed.set()
                    raise RuntimeError("no")
                failed.wait()
                time.sleep(0.3)

        def on_fit_task_end(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

    whole = cls(n_members=2, **SMALL).fit(X, y)
    seeds = [network.random_state for network in whole.estimators_]
    save = Checkpoint(tmp_path / "fit", resume=True)
    with pytest.raises(RuntimeError, match="no"):
        cls(n_members=2, n_threads=2, **SMALL).set_callbacks(save, FailIn()).fit(X, y)
    resumed = cls(n_members=2, **SMALL).set_callbacks(save).fit(X, y)
    assert [network.n_iter_ for network in resumed.estimators_] == [8, 8]
    assert same_bits(outputs(resumed, X), outputs(whole, X))


def test_scikit_learns_callbacks():
    callback = pytest.importorskip("sklearn.callback")
    X = table()
    monitor = callback.ScoringMonitor(scoring="r2")
    TabularMLPRegressor(**SMALL).set_callbacks(monitor).fit(X, numbers(X))
    assert monitor.get_logs() is not None


# ---- interruptions, progress ----


@pytest.mark.interrupts
@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"n_members": 5, "n_threads": 2}, {"refit": True}])
def test_ctrl_c_keeps_what_there_is(settings):
    X = table()
    mlp = TabularMLPClassifier(**settings, **SMALL | dict(max_iter=10**6))
    pressed, ended = [], threading.Event()

    def press():
        while not ended.wait(10 if pressed else 1.0):
            pressed.append(True)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.warns(UserWarning, match=r"Training interrupted by user\.") as caught:
            mlp.fit(X, labels(X))
    finally:
        ended.set()
        thread.join()
    assert caught[-1].filename == __file__
    assert len(mlp.estimators_) == min(settings.get("n_members", 1), 2)
    assert all(0 < network.n_iter_ < 10**6 for network in mlp.estimators_)
    assert len(mlp.predict(X)) == 120 and all(network.temperature_ for network in mlp.estimators_)


def test_verbose(capsys, cls):
    X = table()
    cls(verbose=True, **SMALL).fit(X, targets(cls, X))
    assert capsys.readouterr().out.count("Validation score") == 8
    cls(verbose=True, n_members=3, **SMALL).fit(X, targets(cls, X))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Network {i} of 3" for i in (1, 2, 3)]


# ---- files ----


@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"cv": 2}])
def test_files(cls, tmp_path, settings):
    X = table()
    mlp = cls(**settings, **SMALL).fit(X, targets(cls, X))
    path = tmp_path / "mlp.safetensors"
    mlp.save(path)
    again = cls.load(path)
    assert same_bits(outputs(again, X), outputs(mlp, X)) and vars(again).keys() == vars(mlp).keys()
    assert again.history_ == mlp.history_ and list(again.feature_names_in_) == list(X.columns)
    cls(**SMALL).save(path)
    assert not hasattr(cls.load(path), "estimators_")
    with pytest.raises(InvalidFileError):
        MLPClassifier.load(path)


FORGERIES = {
    "no networks": lambda mlp: setattr(mlp, "estimators_", []),
    "no preprocessor": lambda mlp: delattr(mlp, "preprocessor_"),
    "something else for networks": lambda mlp: setattr(mlp, "estimators_", [1.0]),
    "an unfitted network": lambda mlp: delattr(mlp.estimators_[0], "coefs_"),
    "an unfitted preprocessor": lambda mlp: delattr(mlp.preprocessor_, "columns_"),
    "one column less": lambda mlp: mlp.preprocessor_.columns_.pop(0),
    "a number for the records": lambda mlp: mlp.__dict__.update(n_iter_=3),
    "another number of columns": lambda mlp: setattr(mlp, "n_features_in_", 3),
    "other names": lambda mlp: setattr(mlp, "feature_names_in_", np.array(["a"] * 8, dtype=object)),
    "no names": lambda mlp: delattr(mlp, "feature_names_in_"),
    "another shape of weights": lambda mlp: setattr(
        mlp.estimators_[0], "coefs_", [coef[:-1] for coef in mlp.estimators_[0].coefs_]
    ),
    "out-of-fold text": lambda mlp: setattr(mlp, "oof_", "text"),
}
OF_CLASSIFIERS = {
    "other classes": lambda mlp: setattr(mlp, "classes_", np.array(["a", "b"])),
    "no classes": lambda mlp: delattr(mlp, "classes_"),
    "no temperature": lambda mlp: delattr(mlp.estimators_[0], "temperature_"),
    "no word on smoothing": lambda mlp: delattr(mlp.estimators_[0], "undoes_smoothing_"),
    "a negative temperature": lambda mlp: setattr(mlp.estimators_[0], "temperature_", -1.0),
}
OF_REGRESSORS = {
    "no scale": lambda mlp: delattr(mlp.estimators_[0], "target_scale_"),
    "a scale of 0": lambda mlp: setattr(mlp.estimators_[0], "target_scale_", np.array(0.0)),
    "a mean of another shape": lambda mlp: setattr(mlp.estimators_[0], "target_mean_", np.zeros(3)),
    "a range that is not finite": lambda mlp: setattr(mlp.estimators_[0], "target_range_", np.array([0, np.inf])),
}


@pytest.mark.parametrize(
    ("cls", "forge"),
    [
        pytest.param(cls, forge, id=f"{cls.__name__}, {name}")
        for cls, own in ((TabularMLPClassifier, OF_CLASSIFIERS), (TabularMLPRegressor, OF_REGRESSORS))
        for name, forge in (FORGERIES | own).items()
    ],
    indirect=False,
)
def test_forged_files(cls, forge, tmp_path):
    X = table(40)
    mlp = cls(**SMALL | dict(max_iter=1)).fit(X, targets(cls, X))
    forge(mlp)
    path = tmp_path / "mlp.safetensors"
    content = {"dtype": None} | vars(mlp)
    files.write(path, cls.__name__, content)
    with pytest.raises(InvalidFileError):
        cls.load(path)


# ---- looking inside ----


def test_inspection_takes_the_networks(cls):
    from pyrelu.inspection import dead_units, layer_report

    X = table()
    y = targets(cls, X)
    mlp = cls(**SMALL).fit(X, y)
    Z = mlp.preprocessor_.transform(X)
    assert len(dead_units(mlp.estimators_[0], Z)) == 1
    assert str(layer_report(mlp.estimators_[0], Z, y))
