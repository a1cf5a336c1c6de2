"""The tabular estimators: weights, held-out rows, scores, several networks, probabilities."""

import numpy as np
import pytest
from helpers import few_epochs, rng, same_bits
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from tabular_cases import SMALL, labels, numbers, outputs, table, targets

from pyrelu import TabularMLPClassifier, TabularMLPRegressor
from pyrelu.exceptions import InvalidParameterError
from pyrelu.tabular import _calibration

pytestmark = few_epochs


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
