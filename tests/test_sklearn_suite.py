"""scikit-learn's own tests of its MLPs, run against these classes."""

import importlib.util
from unittest import mock

import pytest
import sklearn.neural_network
from sklearn.neural_network.tests import test_mlp as original

import pyrelu

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::pyrelu.exceptions.DeadUnitWarning",
)

# What is left out, and why.
PRIVATE = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; test_network.py compares gradients with differences",
}


def with_our_classes():
    """Import scikit-learn's test module once more, with our classes where it imports scikit-learn's."""
    spec = importlib.util.spec_from_file_location("sklearn_test_mlp", original.__file__)
    module = importlib.util.module_from_spec(spec)
    ours = {name: getattr(pyrelu, name) for name in ("MLPClassifier", "MLPRegressor")}
    with mock.patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return module


TESTS = {name: test for name, test in vars(with_our_classes()).items() if name.startswith("test_")}
globals().update({name: test for name, test in TESTS.items() if name not in PRIVATE})


@pytest.fixture
def global_random_seed():
    return 42


def test_all_of_them_are_run():
    assert len(TESTS) >= 40 and TESTS.keys() > PRIVATE.keys()
    for test in TESTS.values():
        assert test.__globals__["MLPClassifier"] is pyrelu.MLPClassifier
        assert test.__globals__["MLPRegressor"] is pyrelu.MLPRegressor
