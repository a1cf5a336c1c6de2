"""BLAS is kept to one thread while networks run, and has its threads back afterwards."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pyrelu import _network  # noqa: F401  loads the BLAS that networks call
from pyrelu._mlp.blas import single_threaded_blas


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
