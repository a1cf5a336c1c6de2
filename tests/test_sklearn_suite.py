"""scikit-learn's own tests of its MLPs, and those of its tests elsewhere that use one, run against these classes."""

import importlib
import importlib.util
import inspect
from unittest import mock

import numpy as np
import pytest
import sklearn.neural_network

import pyrelu

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::pyrelu.exceptions.DeadUnitWarning",
)

MODULES = [
    "sklearn.neural_network.tests.test_mlp",
    "sklearn.ensemble.tests.test_stacking",
    "sklearn.model_selection.tests.test_validation",
    "sklearn.utils._repr_html.tests.test_estimator"
    if importlib.util.find_spec("sklearn.utils._repr_html")  # from scikit-learn 1.7 on
    else "sklearn.utils.tests.test_estimator_html_repr",
]

# What is not run as it is, and why.
LEFT_OUT = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; test_network.py compares gradients with differences",
    "test_mlp_regressor_dtypes_casting": "below: for float32 X and float64 y scikit-learn has gradients in float64, pyrelu in float32",
}


def with_our_classes(name):
    """Import the module once more, with our classes where it imports scikit-learn's."""
    spec = importlib.util.spec_from_file_location(f"{name}_of_ours", importlib.import_module(name).__file__)
    module = importlib.util.module_from_spec(spec)
    ours = {name: getattr(pyrelu, name) for name in ("MLPClassifier", "MLPRegressor")}
    with mock.patch.multiple(sklearn.neural_network, **ours):
        spec.loader.exec_module(module)
    return module


def mlp_tests(module):
    """Return the module's tests of MLPs."""
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and "MLP" in inspect.getsource(test)
    }


TESTS = {name: test for module in MODULES for name, test in mlp_tests(with_our_classes(module)).items()}
globals().update({name: test for name, test in TESTS.items() if name not in LEFT_OUT})


@pytest.fixture
def global_random_seed():
    return 42


def test_mlp_regressor_dtypes_casting_with_four_times_the_tolerance():
    def close(actual, desired, rtol):
        np.testing.assert_allclose(actual, desired, rtol=4 * rtol)

    test = TESTS["test_mlp_regressor_dtypes_casting"]
    with mock.patch.dict(test.__globals__, assert_allclose=close):
        test()


def test_all_of_them_are_run():
    assert len(TESTS) >= 40 and TESTS.keys() > LEFT_OUT.keys()
    for test in TESTS.values():
        for name in ("MLPClassifier", "MLPRegressor"):
            assert test.__globals__.get(name, getattr(pyrelu, name)) is getattr(pyrelu, name)
