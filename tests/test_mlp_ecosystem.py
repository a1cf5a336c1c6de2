"""The estimators where scikit-learn's work: pipelines, searches, metadata routing, calibration, clones, ..."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.neural_network
from helpers import few_epochs
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor, VotingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor
from pyrelu._mlp import documentation

pytestmark = few_epochs

X, y = load_iris(return_X_y=True)
X_d, y_d = load_diabetes(return_X_y=True)
weights = np.random.default_rng(0).uniform(0, 2, len(y))


def classifier(**parameters):
    return MLPClassifier(
        **dict(hidden_layer_sizes=(10,), max_iter=100, learning_rate_init=0.01, random_state=0) | parameters
    )


def regressor(**parameters):
    return MLPRegressor(hidden_layer_sizes=(10,), max_iter=100, learning_rate_init=0.1, random_state=0, **parameters)


# ---- pipelines and searches ----


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_in_parallel(backend):
    grid = {"mlpclassifier__activation": ["relu", "gelu"], "mlpclassifier__alpha": [1e-4, 1e-2]}
    pipeline = make_pipeline(StandardScaler(), classifier())
    alone = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    with parallel_backend(backend):
        together = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y)
    assert alone.best_score_ > 0.9
    assert (alone.cv_results_["mean_test_score"] == together.cv_results_["mean_test_score"]).all()
    assert (alone.predict_proba(X) == together.predict_proba(X)).all()


def test_cross_validation():
    assert cross_val_score(make_pipeline(StandardScaler(), classifier()), X, y).mean() > 0.9
    assert cross_val_score(make_pipeline(StandardScaler(), regressor()), X_d, y_d, scoring="r2").mean() > 0.3
    assert cross_val_predict(classifier(), X, y, method="predict_proba").shape == (150, 3)


@pytest.mark.parametrize(
    "model",
    [
        CalibratedClassifierCV(classifier(), cv=3),
        CalibratedClassifierCV(classifier(), method="isotonic", ensemble=False),
        VotingClassifier([("mlp", classifier()), ("linear", LogisticRegression())], voting="soft"),
        AdaBoostClassifier(classifier(), n_estimators=3),
        OneVsRestClassifier(classifier()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_classifier_inside(model):
    model = make_pipeline(StandardScaler(), model).fit(X, y)
    assert model.score(X, y) > 0.9 and model.predict_proba(X).shape == (150, 3)


@pytest.mark.parametrize(
    "model",
    [
        BaggingRegressor(regressor(), n_estimators=3, random_state=0),
        TransformedTargetRegressor(regressor(), transformer=StandardScaler()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_regressor_inside(model):
    assert make_pipeline(StandardScaler(), model).fit(X_d, y_d).score(X_d, y_d) > 0.4


def test_permutation_importance():
    found = permutation_importance(classifier().fit(X, y), X, y, n_repeats=3, random_state=0)
    assert found.importances_mean[2:].sum() > found.importances_mean[:2].sum()  # the petals tell more


# ---- names and frames ----


def test_frames_in_a_pipeline():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    pipeline = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas")
    mlp = pipeline.fit(frame, pd.Series(y).map({0: "x", 1: "y", 2: "z"}))[-1]
    assert mlp.feature_names_in_.tolist() == ["a", "b", "c", "d"] and mlp.classes_.tolist() == ["x", "y", "z"]
    assert set(pipeline.predict(frame)) == {"x", "y", "z"}


@pytest.mark.parametrize(
    "other",
    [
        pd.DataFrame(X, columns=["a", "b", "c", "e"]),
        pd.DataFrame(X, columns=["b", "a", "c", "d"]),
        X,
        pd.DataFrame(X[:, :3], columns=["a", "b", "c"]),
    ],
)
def test_wrong_names_are_told_as_scikit_learn_does(other):
    told = []
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    for module in (pr, sklearn.neural_network):
        mlp = module.MLPClassifier(max_iter=1).fit(frame, y)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                mlp.predict(other)
            except ValueError as error:
                caught.append(error)
        told.append([str(getattr(one, "message", one)) for one in caught])
    assert told[0] == told[1] != []


# ---- metadata routing ----


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_weights_are_routed(routing):
    mlp = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), mlp)
    weighted = pipeline.fit(X, y, sample_weight=weights)[-1]
    expected = classifier().fit(pipeline[0].transform(X), y, weights)
    assert weighted.loss_curve_ == expected.loss_curve_
    assert pipeline.score(X, y, sample_weight=weights) == expected.score(pipeline[0].transform(X), y, weights)
    scores = cross_validate(mlp, X, y, params={"sample_weight": weights}, cv=3)["test_score"]
    assert (scores != cross_validate(classifier(), X, y, cv=3)["test_score"]).any()
    search = GridSearchCV(mlp, {"alpha": [0.1]}, cv=3).fit(X, y, sample_weight=weights)
    assert search.best_estimator_.loss_curve_ == classifier(alpha=0.1).fit(X, y, weights).loss_curve_


def test_weights_that_nobody_asked_for_are_refused(routing):
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        cross_validate(regressor(), X_d, y_d, params={"sample_weight": np.ones(len(y_d))})


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_requests(name, routing):
    ours, theirs = (getattr(module, name)().get_metadata_routing() for module in (pr, sklearn.neural_network))
    for method in ("fit", "partial_fit", "score"):
        assert getattr(theirs, method).requests.items() <= getattr(ours, method).requests.items()


def test_requests_survive_a_clone(routing):
    mlp = clone(classifier().set_partial_fit_request(sample_weight=True, classes=True))
    assert mlp.get_metadata_routing().partial_fit.requests == {"sample_weight": True, "classes": True}


# ---- conventions ----


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_tags(name):
    assert get_tags(getattr(pr, name)()) == get_tags(getattr(sklearn.neural_network, name)())
    assert has_fit_parameter(getattr(pr, name)(), "sample_weight")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"activation": ("gelu",), "hidden_layer_sizes": [7], "class_weight": {0: 2.0}},
        {"activation": (np.sin, np.cos), "init": lambda shape, rng: rng.normal(size=shape) / 10},
        {"random_state": np.random.RandomState(3)},
    ],
)
def test_clone(parameters):
    mlp = classifier(**parameters).fit(X, y)
    again = clone(mlp)
    with pytest.raises(NotFittedError):
        check_is_fitted(again)
    if "random_state" in parameters:
        assert again.random_state is not mlp.random_state
    else:
        assert again.get_params() == mlp.get_params()
        assert again.fit(X, y).loss_curve_ == mlp.loss_curve_


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_train_apart(copied):
    mlp = classifier(warm_start=True).fit(X, y)
    coefs = [coef.copy() for coef in mlp.coefs_]
    curve = list(mlp.loss_curve_)
    copied(mlp).partial_fit(X, y).fit(X, y)
    assert all((a == b).all() for a, b in zip(mlp.coefs_, coefs, strict=True)) and mlp.loss_curve_ == curve


def test_html():
    assert "MLPClassifier" in classifier().fit(X, y)._repr_html_()


def test_html_links_to_the_documentation_where_the_package_says_where_it_is(monkeypatch):
    said = {"Project-URL": ["Source, https://a.example", "Documentation, https://docs.example/pyrelu/"]}
    monkeypatch.setattr(documentation.metadata, "metadata", lambda name: type("Message", (), {"get_all": said.get}))
    for cls in (MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor):
        assert f'href="https://docs.example/pyrelu/_generated/{cls.__name__}.html"' in cls()._repr_html_()
    dask = pytest.importorskip("pyrelu.dask")
    for name in dask.__all__:
        at = f"api.html#pyrelu.dask.{name}"
        assert f'href="https://docs.example/pyrelu/{at}"' in getattr(dask, name)()._repr_html_()
    said.clear()
    assert "docs.example" not in MLPClassifier()._repr_html_() and 'href="h' not in MLPClassifier()._repr_html_()
