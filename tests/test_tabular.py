"""The tabular estimators: tables and targets of every kind, parameters, the same bits."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, rng, same_bits
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from tabular_cases import BOTH, SMALL, containers, labels, numbers, outputs, table, targets

from pyrelu import TabularMLPClassifier, TabularMLPRegressor, registry
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular import _preprocessing
from pyrelu.tabular._presets import PRESETS, parameters_of

pytestmark = few_epochs


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
    pytest.importorskip(transform)
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


@pytest.mark.parametrize("preset", PRESETS)
def test_networks_have_the_parameters_of_the_preset(cls, preset):
    X = table()
    found = cls(preset=preset, max_iter=2, random_state=0).fit(X, targets(cls, X)).estimators_[0].get_params()
    want, refit = parameters_of(preset, cls is TabularMLPClassifier)
    want |= {"max_iter": 2, "batch_size": found["batch_size"], "dropout": (0.0, *[want.get("dropout", 0.0)] * 3)}
    want |= {"early_stopping": False} if refit else {}
    assert {name: found[name] for name in want} == want


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


def auto_and(cls, X, y, given=(), **settings):
    """Return what the default and what "td" with these settings predict."""
    size = dict(hidden_layer_sizes=(16,), max_iter=6, random_state=0)
    td = cls(preset="td", **size, **settings).fit(X, y, **dict(given))
    return outputs(cls(**size).fit(X, y, **dict(given)), X), outputs(td, X)


def test_the_default_of_classifiers_trains_again_on_all_rows():
    X = table()
    assert same_bits(*auto_and(TabularMLPClassifier, X, labels(X), refit=True))
    assert parameters_of("auto", True)[0]["max_iter"] == 64


@pytest.mark.parametrize(("n", "batch_size"), [(120, 64), (40, 40), (2000, 256)])
def test_the_default_of_regressors_trains_on_all_rows(n, batch_size):
    X = table(n)
    settings = dict(early_stopping=False, batch_size=batch_size)
    assert same_bits(*auto_and(TabularMLPRegressor, X, numbers(X), **settings))


def test_the_default_takes_held_out_rows_where_there_are_some(cls):
    X, X_val = table(), table(40, seed=1)
    given = {"eval_set": (X_val, targets(cls, X_val))}
    small = {} if cls is TabularMLPClassifier else {"batch_size": 64}
    assert same_bits(*auto_and(cls, X, targets(cls, X), given, **small))
    mlp = cls(hidden_layer_sizes=(16,), max_iter=6, random_state=0, cv=2).fit(X, targets(cls, X))
    assert [len(network.validation_scores_) for network in mlp.estimators_] == [6, 6]


# ---- reproducible ----


@pytest.mark.parametrize(
    "settings", [{}, {"n_members": 3}, {"cv": 3, "refit": True}, {"n_members": 2, "ensemble_size": 3}]
)
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


def test_what_skops_is_to_trust_is_the_estimator_alone(cls):
    skops = pytest.importorskip("skops.io")
    X = table()
    mlp = cls(n_members=2, **SMALL).fit(X, targets(cls, X))
    content = skops.dumps(mlp)
    [name] = skops.get_untrusted_types(data=content)
    assert name == f"{cls.__module__}.{cls.__name__}"
    assert same_bits(outputs(skops.loads(content, trusted=[name]), X), outputs(mlp, X))
