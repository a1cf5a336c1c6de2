"""BLAS is kept to one thread while networks call it, and has its threads back afterwards, in whatever order they end."""

import os
import signal
import threading
from contextlib import suppress

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pyrelu._mlp.activation import resolve
from pyrelu._network import Network
from pyrelu._samples import Samples


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def predict(function, units=768, rows=1024):
    """Have a network of products that are left to BLAS, or of few units, call a function on its way."""

    def activation(z):
        function()
        return z

    weights = [np.ones((units, units), np.float32), np.ones((units, 1), np.float32)]
    biases = [np.zeros(units, np.float32), np.zeros(1, np.float32)]
    network = Network(weights, biases, resolve([(activation, np.ones_like)], 1), 0, "squared_error", n_threads=1)
    network.predict(Samples(np.ones((rows, units), np.float32)))


def test_one_thread_where_blas_may_be_called_and_as_before_elsewhere():
    seen = []
    predict(lambda: seen.append(blas_threads()))
    assert {1} in seen and all(threads == {1} for threads in seen) and blas_threads() == {2}
    seen.clear()
    predict(lambda: seen.append(blas_threads()), units=8)
    assert seen == [{2}]


def test_networks_within_networks():
    seen = []
    predict(lambda: (predict(lambda: None, 769), seen.append(blas_threads())))
    assert seen[0] == {1} and blas_threads() == {2}


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_limit_ends_after_an_error(error):
    def fail():
        raise error

    with pytest.raises(error):
        predict(fail)
    assert blas_threads() == {2}


@pytest.mark.parametrize("first", [0, 1])
def test_limit_ends_with_the_last_use_whichever_that_is(first):
    inside, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def work(i):
        predict(lambda: (inside[i].set(), leave[i].wait(60)))

    workers = [threading.Thread(target=work, args=[i]) for i in range(2)]
    for worker, event in zip(workers, inside, strict=True):
        worker.start()
        assert event.wait(60)
    assert blas_threads() == {1}
    leave[first].set()
    workers[first].join()
    assert blas_threads() == {1}
    leave[1 - first].set()
    workers[1 - first].join()
    assert blas_threads() == {2}


# ---- forked children ----


def in_child(function):
    """Return what a forked child of this process gets from it, an integer."""
    pid = os.fork()
    if not pid:
        code = 99
        with suppress(BaseException):
            signal.alarm(60)
            code = function()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def threads_left():
    predict(lambda: None)
    return sum(blas_threads())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_the_threads_back_that_another_thread_limits():
    inside, leave = threading.Event(), threading.Event()
    worker = threading.Thread(target=predict, args=[lambda: (inside.set(), leave.wait(60))])
    worker.start()
    assert inside.wait(60) and blas_threads() == {1}
    try:
        assert in_child(lambda: sum(blas_threads())) == 2
        assert in_child(threads_left) == 2
    finally:
        leave.set()
        worker.join()
    assert blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_on_the_way_ends_the_limit_itself():
    pids = []

    def fork():
        if not pids:
            pids.append(os.fork())

    predict(fork)
    if not pids[0]:
        os._exit(threads_left())
    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 2
    assert blas_threads() == {2}
