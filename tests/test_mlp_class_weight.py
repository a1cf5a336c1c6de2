"""class_weight: the same as the equivalent sample weights."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_sample_weight

from pyrelu import MLPClassifier
from pyrelu.exceptions import InvalidParameterError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def skewed():
    X, y = make_classification(300, n_classes=3, n_informative=6, weights=[0.8, 0.15], random_state=0)
    return X, np.array(["often", "at times", "rare"])[y]


def curve(X, y, sample_weight=None, **parameters):
    return MLPClassifier(max_iter=5, random_state=0, **parameters).fit(X, y, sample_weight).loss_curve_


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}])
@pytest.mark.parametrize("given", ["balanced", {"rare": 5, "often": 0.5, "at times": 2}, {"rare": 3}, {}])
def test_equals_sample_weights(skewed, given, parameters):
    X, y = skewed
    own = np.random.default_rng(0).uniform(0, 2, len(y))
    weights = compute_sample_weight(given, y)
    assert curve(X, y, class_weight=given, **parameters) == curve(X, y, weights, **parameters)
    assert curve(X, y, own, class_weight=given, **parameters) == curve(X, y, own * weights, **parameters)


@pytest.mark.parametrize("given", ["balanced", [{0: 1, 1: 5}, {1: 2}, {}, {0: 3}, {0: 2, 1: 2}]])
def test_multilabel(given):
    X, y = make_multilabel_classification(200, random_state=0)
    assert curve(X, y, class_weight=given) == curve(X, y, compute_sample_weight(given, y))


def test_lbfgs(skewed):
    X, y = skewed
    fitted = [
        MLPClassifier(solver="lbfgs", max_iter=5, random_state=0, class_weight=given).fit(X, y, weights).loss_
        for given, weights in (("balanced", None), (None, compute_sample_weight("balanced", y)))
    ]
    assert fitted[0] == fitted[1]


def test_rare_classes_are_found(skewed):
    X, y = skewed
    plain, balanced = (
        MLPClassifier((), class_weight=given, max_iter=100, learning_rate_init=0.01, random_state=0).fit(X, y)
        for given in (None, "balanced")
    )
    assert balanced_accuracy_score(y, balanced.predict(X)) > balanced_accuracy_score(y, plain.predict(X)) + 0.2


def test_partial_fit_on_a_batch_without_the_first_class(skewed):
    X, y = skewed
    some, given, classes = y != "at times", {"at times": 2, "rare": 5, "often": 0.5}, np.unique(y)
    own, equivalent = (MLPClassifier(random_state=0, class_weight=weights) for weights in (given, None))
    own.partial_fit(X[some], y[some], classes=classes)
    equivalent.partial_fit(X[some], y[some], classes=classes, sample_weight=[given[label] for label in y[some]])
    assert own.loss_curve_ == equivalent.loss_curve_


def test_partial_fit_on_a_batch_without_that_class(skewed):
    X, y = skewed
    mlp = MLPClassifier(random_state=0, class_weight={"rare": 5})
    mlp.partial_fit(X[y != "rare"], y[y != "rare"], classes=np.unique(y))
    plain = MLPClassifier(random_state=0).partial_fit(X[y != "rare"], y[y != "rare"], classes=np.unique(y))
    assert mlp.loss_curve_ == plain.loss_curve_
    X, y = make_multilabel_classification(100, random_state=0)
    nothing = MLPClassifier(class_weight=[{1: 2}] * 5, random_state=0).partial_fit(X, 0 * y, classes=np.arange(5))
    assert np.isfinite(nothing.loss_)


def test_partial_fit_refuses_balanced(skewed):
    with pytest.raises(ValueError, match=r"class_weight='balanced' is not supported by partial_fit.*compute_class_wei"):
        MLPClassifier(class_weight="balanced").partial_fit(*skewed, classes=np.unique(skewed[1]))


@pytest.mark.parametrize(
    "wrong", ["even", {"rare": -1}, {"rare": "much"}, 3, [1, 2, 3], [{"rare": -1}], {"rare": np.inf}]
)
def test_wrong_value(skewed, wrong):
    with pytest.raises(InvalidParameterError, match=r"class_weight.*a dict of label: weight.*or 'balanced' or None"):
        MLPClassifier(class_weight=wrong).fit(*skewed)


def test_wrong_labels(skewed):
    with pytest.raises(ValueError, match="are not in class_weight"):
        MLPClassifier(class_weight={"seldom": 2}).fit(*skewed)
    with pytest.raises(ValueError, match="should be a list of dicts"):
        MLPClassifier(class_weight={0: 2}).fit(*make_multilabel_classification(20, random_state=0))
    with pytest.raises(ValueError, match="leaves no row of y with a weight"):
        MLPClassifier(class_weight=dict.fromkeys(np.unique(skewed[1]).tolist(), 0)).fit(*skewed)
