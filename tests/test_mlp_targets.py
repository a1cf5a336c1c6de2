"""Which y, weights, held-out rows and parameters are accepted, and how errors name the others."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from helpers import few_epochs, from_1_7, same_bits
from sklearn import neural_network
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from pyrelu import MLPClassifier, MLPRegressor, TabularMLPRegressor

pytestmark = few_epochs

X = np.random.default_rng(0).normal(size=(60, 4))
BOTH = (X[:, :3] > 0).astype(int)  # multilabel
Y, THREE = BOTH[:, 0], BOTH[:, :2].sum(axis=1)
FEW = dict(max_iter=3, random_state=0)


@pytest.mark.parametrize("factor", [255, 2, -1])
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("how", ["fit", "partial_fit", "eval_set"])
def test_multilabel_targets_of_other_numbers(factor, container, how):
    """Nonzero is 1, as in scikit-learn."""

    def fitted(y):
        mlp = MLPClassifier(**FEW)
        if how == "partial_fit":
            return mlp.partial_fit(X, y, classes=[0, 1, 2])
        return mlp.fit(X, BOTH, eval_set=(X, y)) if how == "eval_set" else mlp.fit(X, y)

    mlp, plain = fitted(container(BOTH * factor)), fitted(BOTH)
    assert all(map(same_bits, mlp.coefs_, plain.coefs_)) and mlp.validation_scores_ == plain.validation_scores_
    if how == "fit":
        theirs = neural_network.MLPClassifier(**FEW).fit(X, container(BOTH * factor))
        assert mlp.loss_ == pytest.approx(theirs.loss_, rel=1e-12)


MISSING = {
    "NaN": np.array([0, 1, np.nan] * 20, object),
    "None": np.array(["a", "b", None] * 20, object),
    "pd.NA": pd.Series([0, 1, pd.NA] * 20, dtype=object),
    "NaT": pd.Series([0, 1, pd.NaT] * 20, dtype=object),
    "Int64": pd.Series([0, 1, pd.NA] * 20, dtype="Int64"),
    "float": np.array([0, 1, np.nan] * 20),
    "list": [0, 1, None] * 20,
}
INFINITE = {"inf": np.array([0, 1, np.inf] * 20, object), "10**400": np.array([0, 1, 10**400] * 20, object)}


@pytest.mark.parametrize("name", [*MISSING, *INFINITE])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("how", ["fit", "early stopping", "eval_set", "partial_fit"])
def test_missing_and_infinite_targets(cls, name, how):
    y = (MISSING | INFINITE)[name]
    mlp = cls(early_stopping=how == "early stopping", **FEW)
    with pytest.raises(ValueError, match="Input y contains " + ("NaN" if name in MISSING else "infinity")):
        if how == "eval_set":
            mlp.fit(X, Y, eval_set=(X, y))
        elif how == "partial_fit" and cls is MLPRegressor:
            mlp.partial_fit(X, y)
        elif how == "partial_fit":
            mlp.partial_fit(X, Y, classes=[0, 1]).partial_fit(X, y)
        else:
            mlp.fit(X, y)


def test_too_large_for_float32():
    with pytest.raises(
        ValueError, match=re.escape("Input y contains infinity or a value too large for dtype('float32')")
    ):
        MLPRegressor(**FEW).fit(X.astype(np.float32), X[:, 0] * 1e40)


@pytest.mark.parametrize("cls", [MLPRegressor, TabularMLPRegressor])
@pytest.mark.parametrize("y", [pd.to_timedelta(range(60), "h"), pd.date_range("2020", periods=60)], ids=["m", "M"])
@pytest.mark.parametrize("kind", [pd.Series, pd.DataFrame, np.asarray])
def test_dates_and_durations_are_no_numbers(cls, y, kind):
    with pytest.raises(
        ValueError, match=rf"y has dtype {y.dtype.name[:5]}.*; a regressor takes numbers. Pass durations"
    ):
        cls(max_iter=1).fit(np.arange(60.0)[:, np.newaxis], kind(y))


ANOTHER_KIND = [(Y, BOTH), (THREE, BOTH), (BOTH, Y), (BOTH, THREE), (BOTH, BOTH[:, :2]), (BOTH, BOTH * [1, 2, 3])]


@pytest.mark.parametrize(("first", "then"), ANOTHER_KIND)
@pytest.mark.parametrize("how", ["partial_fit", "warm start", "eval_set"])
def test_targets_of_another_kind(first, then, how):
    mlp = MLPClassifier(warm_start=how == "warm start", **FEW)
    classes = np.unique(first) if first.ndim == 1 else range(3)
    with pytest.raises(ValueError, match="y (has shape|must be an indicator matrix)"):
        if how == "eval_set":
            mlp.fit(X, first, eval_set=(X, then))
        elif how == "partial_fit":
            mlp.partial_fit(X, first, classes=classes).partial_fit(X, then)
        else:
            mlp.fit(X, first).fit(X, then)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_never_a_number(early_stopping):
    one = X[:1], X[:1, 0]
    with pytest.raises(ValueError, match=r"score was NaN after each of the 3 epochs.*the 1 rows of eval_set"):
        MLPRegressor(early_stopping=early_stopping, **FEW).fit(X, X[:, 0], eval_set=one)
    for values in ([np.nan], [-np.inf], [np.inf], [np.nan, -np.inf]):
        mlp = MLPClassifier(early_stopping=early_stopping, scoring=_score(itertools.cycle(values)), **FEW)
        with pytest.raises(ValueError, match=r"scoring=<function .*rows (of eval_set|held out by validation_fraction)"):
            mlp.fit(X, Y, eval_set=None if early_stopping else (X, Y))
        assert not hasattr(mlp, "coefs_")


def _score(values):
    return lambda *data: next(values)


def test_a_score_that_is_a_number_at_times():
    scores = iter([np.nan, 0.5, np.nan])
    mlp = MLPClassifier(early_stopping=True, scoring=lambda *data: next(scores), **FEW).fit(X, Y)
    assert mlp.best_validation_score_ == 0.5
    scores = iter([0.1, 0.5])
    alone = MLPClassifier(early_stopping=True, scoring=lambda *data: next(scores), **FEW | dict(max_iter=2)).fit(X, Y)
    assert all(map(same_bits, mlp.coefs_, alone.coefs_))


def test_weights():
    with pytest.raises(ValueError, match=r"Sample weights must not be negative, got -1\.0"):
        MLPClassifier(**FEW).fit(X, Y, np.r_[-1.0, np.ones(59)])
    split = train_test_split(np.arange(60), random_state=np.random.RandomState(0), test_size=0.1)
    for rows, purpose in zip(split, ("train on", "score")):
        weights = np.ones(60)
        weights[rows] = 0
        mlp = MLPRegressor(early_stopping=True, init=lambda shape, rng: np.ones(shape), **FEW)
        with pytest.raises(ValueError, match=f"are 0 for all of the {len(rows)} rows to {purpose}"):
            mlp.fit(X, X[:, 0], weights)


@pytest.mark.parametrize(
    "scoring",
    [
        "neg_log_loss",
        pytest.param("neg_brier_score", marks=from_1_7),  # of two classes only, before
        pytest.param("d2_log_loss_score", marks=from_1_7),
        "top_k_accuracy",
        "f1_macro",
    ],
)
def test_classes_that_no_scored_row_has(scoring):
    lacking = THREE < 2
    mlp = MLPClassifier(early_stopping=True, scoring=scoring, **FEW | dict(max_iter=1))
    mlp.fit(X, THREE, eval_set=(X[lacking], THREE[lacking]))
    assert np.isfinite(mlp.best_validation_score_)
    if scoring == "neg_log_loss":
        expected = -log_loss(THREE[lacking], mlp.predict_proba(X[lacking]), labels=mlp.classes_)
        assert mlp.best_validation_score_ == pytest.approx(expected)


def test_rare_classes_and_log_loss():
    y = np.r_[np.zeros(30), np.ones(28), 2, 2].astype(int)
    for seed in range(10):
        MLPClassifier(4, early_stopping=True, scoring="neg_log_loss", max_iter=1, random_state=seed).fit(X, y)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("hidden_layer_sizes", lambda: map(int, ["64", "32"])),
        ("hidden_layer_sizes", lambda: {5, 6}),
        ("hidden_layer_sizes", lambda: b"\x05"),
        ("activation", lambda: iter(["relu", "tanh"])),
        ("dropout", lambda: iter([0.1, 0.1])),
    ],
)
def test_iterators_as_parameters(name, make):
    with pytest.raises(ValueError, match=name):
        MLPClassifier(**FEW | {name: make()}).fit(X, Y)


def test_words():
    with pytest.raises(
        TypeError, match=re.escape("MLPClassifier.__init__() takes from 1 to 3 positional arguments but 4")
    ):
        MLPClassifier((5,), "relu", "adam")
    with pytest.raises(TypeError, match=re.escape("MLPRegressor.__init__() got an unexpected keyword argument 'foo'")):
        MLPRegressor(foo=1)
    with pytest.raises(ValueError, match=re.escape("class_weight=[{0: 1}] is a list, which is for multilabel targets")):
        MLPClassifier(class_weight=[{0: 1}]).fit(X, Y)
    with pytest.raises(ValueError, match="validation_fraction=0 leaves early_stopping no rows"):
        MLPClassifier(early_stopping=True, validation_fraction=0).fit(X, Y)
    with pytest.raises(ValueError, match=re.escape("(validation_fraction=0.001)")):
        MLPClassifier(early_stopping=True, validation_fraction=0.001).fit(X, Y)
    with pytest.raises(TypeError, match=re.escape("y of shape (60, 1) is sparse")):
        MLPRegressor().fit(X, scipy.sparse.csr_array(BOTH[:, :1]))
