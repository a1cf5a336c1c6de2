"""`eval_set` and `scoring`: what is scored after each epoch, and with what."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from helpers import few_epochs, same_bits
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.metrics import accuracy_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp import perceptron

pytestmark = few_epochs


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, np.array(list("abcdefghij"))[y], random_state=0)


def classifier(**parameters):
    return MLPClassifier(**dict(hidden_layer_sizes=20, max_iter=12, random_state=0) | parameters)


def scores_by_hand(digits, score, **parameters):
    """The score of one fit per number of epochs."""
    X, X_val, y, y_val = digits
    return [score(classifier(**parameters | dict(max_iter=n)).fit(X, y), X_val, y_val) for n in range(1, 13)]


# ---- eval_set ----


def test_positional_eval_set_is_an_error_that_names_no_private_class(digits):
    X, X_val, y, y_val = digits
    with pytest.raises(TypeError, match=r"^fit\(\) takes from 3 to 4 positional arguments but 5 were given"):
        classifier().fit(X, y, None, (X_val, y_val))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_only_scores(digits, solver):
    X, X_val, y, y_val = digits
    plain, scored = classifier(solver=solver).fit(X, y), classifier(solver=solver).fit(X, y, eval_set=(X_val, y_val))
    assert all(map(same_bits, plain.coefs_, scored.coefs_))
    scores = [record["validation_score"] for record in scored.history_]
    assert scores == scores_by_hand(digits, lambda mlp, *data: mlp.score(*data), solver=solver)
    if solver != "lbfgs":
        assert scored.validation_scores_ == scores and scored.best_validation_score_ == max(scores)
        assert plain.validation_scores_ is None and scored.best_loss_ == plain.best_loss_


def test_two_classes_are_stratified_by_one_column(monkeypatch):
    """Of targets of shape (n, 1), scikit-learn would join the columns of each row to a text, which takes far longer."""
    split, given = perceptron.train_test_split, []

    def watched(*arrays, stratify, **more):
        given.append(stratify)
        return split(*arrays, stratify=stratify, **more)

    monkeypatch.setattr(perceptron, "train_test_split", watched)
    X, y = np.random.default_rng(0).normal(size=(200, 3)), np.repeat(["no", "yes"], [150, 50])
    mlp = classifier(early_stopping=True, max_iter=2).fit(X, y)
    [strata] = given
    assert strata.shape == (200,) and len(np.unique(strata)) == 2 and mlp.n_outputs_ == 1


def test_early_stopping_holds_no_rows_out(digits):
    X, X_val, y, y_val = digits
    mlp = classifier(early_stopping=True, max_iter=300, n_iter_no_change=3, learning_rate_init=0.01)
    mlp.fit(X, y, eval_set=(X_val, y_val))
    assert mlp.t_ == len(X) * mlp.n_iter_ and mlp.n_iter_ < 300
    best = int(np.argmax(mlp.validation_scores_))
    assert mlp.score(X_val, y_val) == mlp.best_validation_score_ == mlp.validation_scores_[best]
    alone = classifier(max_iter=best + 1, learning_rate_init=0.01).fit(X, y)
    assert all(map(same_bits, mlp.coefs_, alone.coefs_))


def test_that_of_the_rows_held_out_is_early_stoppings(digits):
    """The same rows, given or held out, and the same weights at the start, make the same fit."""
    X, _, y, _ = digits
    held_out = classifier(early_stopping=True, init=constant, shuffle=False).fit(X, y)
    training, validation = train_test_split(np.arange(len(X)), test_size=0.1, random_state=np.random.RandomState(0))
    given = classifier(early_stopping=True, init=constant, shuffle=False)
    given.fit(X[training], y[training], eval_set=(X[validation], y[validation]))
    assert held_out.validation_scores_ == given.validation_scores_
    assert held_out.loss_curve_ == given.loss_curve_


def constant(shape, random_state):
    return np.sin(np.arange(np.prod(shape))).reshape(shape) / 10


def test_weights(digits):
    X, X_val, y, y_val = digits
    weights = np.random.default_rng(0).uniform(0, 3, len(y_val))
    mlp = classifier().fit(X, y, eval_set=(X_val, y_val, weights))
    assert mlp.validation_scores_ == scores_by_hand(digits, lambda mlp, *data: mlp.score(*data, weights))
    assert mlp.validation_scores_ != classifier().fit(X, y, eval_set=(X_val, y_val)).validation_scores_


@pytest.mark.parametrize("scoring", [None, "accuracy"])
@pytest.mark.parametrize(
    "form", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, pd.DataFrame, np.asfortranarray, list]
)
def test_forms_of_X(digits, form, scoring):
    X, X_val, y, y_val = digits
    X_val = X_val[:50].tolist() if form is list else form(X_val[:50])
    mlp = classifier(scoring=scoring, max_iter=4).fit(X.astype(np.float32), y, eval_set=(X_val, list(y_val[:50])))
    assert mlp.coefs_[0].dtype == np.float32
    assert mlp.validation_scores_[-1] == mlp.score(digits[1][:50].astype(np.float32), y_val[:50])


def test_some_classes_suffice(digits):
    X, X_val, y, y_val = digits
    some = np.isin(y_val, ["a", "b"])
    mlp = classifier(max_iter=3, warm_start=True).fit(X, y).fit(X, y, eval_set=(X_val[some], y_val[some]))
    assert mlp.validation_scores_[-1] == mlp.score(X_val[some], y_val[some])


@pytest.mark.parametrize("scoring", [None, "f1_micro"])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_multilabel(form, scoring):
    X, y = make_multilabel_classification(200, random_state=0)
    mlp = classifier(scoring=scoring, early_stopping=True).fit(X, form(y), eval_set=(X[:50], form(y[:50])))
    expected = get_scorer(scoring or "accuracy")(mlp, X[:50], y[:50])
    assert mlp.best_validation_score_ == pytest.approx(expected)


@pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_absolute_error"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regressor(scoring, n_outputs):
    X = np.random.default_rng(0).normal(size=(200, 5))
    y = X[:, :n_outputs] ** 2 if n_outputs > 1 else X[:, 0] ** 2
    mlp = MLPRegressor(scoring=scoring, early_stopping=True, max_iter=20, random_state=0)
    mlp.fit(X, y, eval_set=(X[:50], y[:50]))
    assert mlp.best_validation_score_ == pytest.approx(get_scorer(scoring or "r2")(mlp, X[:50], y[:50]), abs=1e-12)


@pytest.mark.parametrize(
    ("eval_set", "message"),
    [
        (7, "eval_set must be a tuple of (X, y) or (X, y, sample_weight). Got 7."),
        (([[1.0]],), "eval_set must be a tuple"),
        ((np.ones((5, 10)), list("aaaaa")), "eval_set: X has 10 features, but MLPClassifier is expecting 64"),
        ((np.ones((5, 64)), list("aaaaz")), "eval_set: `y` has classes not in `self.classes_`"),
        ((np.ones((5, 64)), [1, 2, 3, 4, 5]), "eval_set: "),
        ((np.ones((5, 64)), list("aaaa")), "eval_set: Found input variables with inconsistent numbers of samples"),
        ((np.full((5, 64), np.nan), list("aaaaa")), "eval_set: Input X contains NaN"),
        ((np.ones((5, 64)), list("aaaaa"), np.ones(4)), "eval_set: sample_weight.shape == (4,)"),
        ((np.ones((0, 64)), []), "eval_set: Found array with 0 sample(s)"),
    ],
)
def test_wrong_eval_set(digits, eval_set, message):
    X, _, y, _ = digits
    mlp = classifier()
    with pytest.raises(ValueError, match=re.escape(message)):
        mlp.fit(X, y, eval_set=eval_set)
    assert not hasattr(mlp, "coefs_")


def test_feature_names_are_checked(digits):
    X, X_val, y, y_val = digits
    names = [f"pixel{i}" for i in range(64)]
    data, validation = pd.DataFrame(X, columns=names), pd.DataFrame(X_val, columns=names)
    for scoring in (None, "accuracy"):
        mlp = classifier(scoring=scoring, early_stopping=True).fit(data, y, eval_set=(validation, y_val))
        assert mlp.best_validation_score_ == mlp.score(validation, y_val)
        classifier(scoring=scoring, early_stopping=True).fit(data, y)  # warns where names are lost
    with pytest.raises(ValueError, match="eval_set: The feature names should match"):
        classifier().fit(data, y, eval_set=(validation[names[::-1]], y_val))


def test_in_pipeline_and_grid_search(digits):
    X, X_val, y, y_val = digits
    pipeline = make_pipeline(StandardScaler(), classifier(max_iter=3))
    pipeline.fit(X, y, mlpclassifier__eval_set=(StandardScaler().fit(X).transform(X_val), y_val))
    assert pipeline[-1].validation_scores_[-1] == pipeline.score(X_val, y_val)
    search = GridSearchCV(classifier(max_iter=3), {"alpha": [0.1]}, cv=2).fit(X, y, eval_set=(X_val, y_val))
    assert len(search.best_estimator_.validation_scores_) == 3


def test_by_metadata_routing(digits):
    X, X_val, y, y_val = digits
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = classifier(max_iter=3, scoring="accuracy").set_fit_request(eval_set=True, sample_weight=True)
        validation = StandardScaler().fit(X).transform(X_val), y_val, np.ones(len(y_val))
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), mlp)
        pipeline.fit(X, y, eval_set=validation, sample_weight=np.ones(len(y)))
        assert pipeline[-1].validation_scores_[-1] == pipeline.score(X_val, y_val)


# ---- scoring ----


def cross_entropy(estimator, X, y):
    return -log_loss(y, estimator.predict_proba(X), labels=estimator.classes_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    "scoring",
    ["neg_log_loss", "balanced_accuracy", cross_entropy, make_scorer(accuracy_score, normalize=False)],
    ids=["neg_log_loss", "balanced_accuracy", "cross_entropy", "number of right answers"],
)
def test_scorers(digits, scoring, solver):
    X, X_val, y, y_val = digits
    mlp = classifier(scoring=scoring, solver=solver).fit(X, y, eval_set=(X_val, y_val))
    scorer = scoring if callable(scoring) else get_scorer(scoring)
    expected = scores_by_hand(digits, scorer, solver=solver)
    assert [record["validation_score"] for record in mlp.history_] == expected
    assert all(type(record["validation_score"]) is float for record in mlp.history_)


def test_early_stopping_goes_by_it(digits):
    X, X_val, y, y_val = digits
    parameters = dict(early_stopping=True, max_iter=200, n_iter_no_change=3, learning_rate_init=0.02, tol=0)
    by_loss, by_accuracy = (
        classifier(scoring=scoring, **parameters).fit(X, y, eval_set=(X_val, y_val))
        for scoring in ("neg_log_loss", None)
    )
    assert cross_entropy(by_loss, X_val, y_val) == pytest.approx(by_loss.best_validation_score_)
    assert by_loss.best_validation_score_ >= cross_entropy(by_accuracy, X_val, y_val)


def test_held_out_rows_come_with_their_labels_and_weights(digits):
    X, _, y, _ = digits
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((X, y, sample_weight))
        assert estimator.predict(X).shape == y.shape and len(estimator.history_) == estimator.n_iter_ - 1
        return accuracy_score(y, estimator.predict(X), sample_weight=sample_weight)

    weights = np.random.default_rng(0).uniform(0, 3, len(y))
    parameters = dict(early_stopping=True, max_iter=3)
    mlp = classifier(scoring=scorer, **parameters).fit(X, y, weights)
    assert mlp.validation_scores_ == pytest.approx(classifier(**parameters).fit(X, y, weights).validation_scores_)
    assert set(seen[0][1]) == set(y) and len(seen[0][2]) == len(seen[0][0]) == 135
    assert len(seen) == 3


@pytest.mark.parametrize("scoring", [3, ["accuracy"], "acuracy"])
def test_wrong_scoring(digits, scoring):
    X, X_val, y, y_val = digits
    with pytest.raises(ValueError, match="The 'scoring' parameter of"):
        classifier(scoring=scoring).fit(X, y, eval_set=(X_val, y_val))


@pytest.mark.parametrize("wrong", [None, "good", np.ones(2)])
def test_score_that_is_no_number(digits, wrong):
    X, X_val, y, y_val = digits
    mlp = classifier(scoring=lambda *_: wrong)
    with pytest.raises(ValueError, match="must return a number"):
        mlp.fit(X, y, eval_set=(X_val, y_val))
    assert not hasattr(mlp, "coefs_")


def test_warm_start_with_and_without_validation(digits):
    X, X_val, y, y_val = digits
    mlp = classifier(warm_start=True, max_iter=2).fit(X, y).fit(X, y, eval_set=(X_val, y_val))
    assert len(mlp.validation_scores_) == 2 and len(mlp.history_) == 4
    mlp.set_params(early_stopping=True).fit(X, y)
    assert len(mlp.validation_scores_) == 4
    assert mlp.set_params(early_stopping=False).fit(X, y).validation_scores_ is None
    assert ["validation_score" in record for record in mlp.history_] == [False] * 2 + [True] * 4 + [False] * 2


@pytest.mark.parametrize("latest", [False, True])
def test_of_equal_scores_the_first_or_the_latest_counts(digits, latest):
    """As the class says: with a constant score, the weights are those of the first or of the last epoch."""
    X, X_val, y, y_val = digits

    class Keeps(MLPClassifier):
        keeps_latest_of_best = latest

    given = dict(hidden_layer_sizes=20, random_state=0, early_stopping=True, scoring=lambda mlp, X, y: 0.5)
    mlp = Keeps(**given, max_iter=5).fit(X, y, eval_set=(X_val, y_val))
    want = Keeps(**given, max_iter=5 if latest else 1).fit(X, y, eval_set=(X_val, y_val))
    assert all(map(same_bits, mlp.coefs_, want.coefs_))
    assert mlp.coefs_[0].any()
