"""scikit-learn's own checks of estimators, none expected to fail."""

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from pyrelu import MLPClassifier
from pyrelu.exceptions import DeadUnitWarning


@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
@pytest.mark.filterwarnings("ignore", category=DeadUnitWarning)
@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPClassifier(max_iter=100, solver="sgd", activation="tanh"),
        MLPClassifier(max_iter=100, solver="lbfgs", activation="silu"),
    ]
)
def test_estimator(estimator, check):
    check(estimator)
