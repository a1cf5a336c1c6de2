"""BLAS is kept to one thread while networks run, and has its threads back afterwards."""

import numpy as np
import pytest
from helpers import few_epochs
from pyrelu._mlp.blas import single_threaded_blas
from threadpoolctl import threadpool_info, threadpool_limits

from pyrelu import _network  # noqa: F401  loads the BLAS that networks call
from pyrelu.neural_network import MLPClassifier


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_limit_ends_with_the_outermost_use():
    with single_threaded_blas():
        with single_threaded_blas():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_limit_ends_after_an_error():
    with pytest.raises(ZeroDivisionError), single_threaded_blas():
        raise ZeroDivisionError
    assert blas_threads() == {2}


@few_epochs
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_limit_holds_within_a_fit_and_a_prediction_and_ends_with_it(solver):
    seen = []

    def activation(z):
        seen.append(blas_threads())
        return np.maximum(z, 0)

    X, y = np.eye(6), np.resize([0, 1], 6)
    mlp = MLPClassifier((3,), (activation, lambda z: (z > 0) * 1.0), solver=solver, max_iter=2)
    for call in (lambda: mlp.fit(X, y), lambda: mlp.predict(X), lambda: mlp.predict_proba(X), lambda: mlp.score(X, y)):
        seen.clear()
        call()
        assert seen and all(one == {1} for one in seen)
        assert blas_threads() == {2}
