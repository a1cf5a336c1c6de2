"""Any number of threads gives the same bits; a fork does not hang; limits set by others are respected."""

import multiprocessing
import os
import threading
import time
from itertools import pairwise

import joblib
import numpy as np
import pytest
from helpers import NAMESPACES, arrays_of, call, rng, same_bits
from threadpoolctl import threadpool_limits

import pyrelu as pr
from pyrelu import _threads, _ufuncs
from pyrelu._mlp.activation import resolve
from pyrelu._network import Network
from pyrelu._samples import Samples

LARGE = 1 << 19


@pytest.fixture(scope="module")
def large():
    return rng("threads").normal(size=(2, LARGE)).astype(np.float32) * 3


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_threads_do_not_change_a_bit(activation, namespace, large, threads):
    x, g = large
    threads(1)
    want = call(namespace, activation, *arrays_of(namespace, x, g))
    for n in (2, 3):
        threads(n)
        assert same_bits(call(namespace, activation, *arrays_of(namespace, x, g)), want)
        assert same_bits(call(namespace, activation, *arrays_of(namespace, x[::2], g[::2])), want[::2])


def test_axis_functions_do_not_change_a_bit(axis_function, large, threads):
    x = large[0].reshape(-1, 64)
    threads(1)
    want = getattr(pr, axis_function)(x)
    threads(2)
    assert same_bits(getattr(pr, axis_function)(x), want)


def test_partial_overlap_with_threads(activation, large, threads):
    threads(2)
    x = large[0].copy()
    want = call("functional", activation, x[1:].copy())
    call("functional", activation, x[1:], out=x[:-1])
    assert same_bits(x[:-1], want)


def test_default_is_what_this_process_may_use():
    assert _threads.available_cpus() == joblib.cpu_count()


def test_container_quota_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(_threads, "CGROUPS", tmp_path / "sys/fs/cgroup")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    quota = tmp_path / "sys/fs/cgroup/cpu.max"
    quota.write_text("50000 100000\n")
    assert _threads.available_cpus() == 1
    quota.write_text("max 100000\n")
    assert _threads.available_cpus() == len(_threads._affinity())
    quota.unlink()
    v1 = tmp_path / "sys/fs/cgroup/cpu"
    v1.mkdir()
    (v1 / "cpu.cfs_quota_us").write_text("-1\n")
    (v1 / "cpu.cfs_period_us").write_text("100000\n")
    assert _threads.available_cpus() == len(_threads._affinity())


def test_set_num_threads_checks_its_argument(threads):
    threads(1)
    assert pr.get_num_threads() == 1
    pr.set_num_threads(2**31)
    pr.set_num_threads(2**70)
    pr.set_num_threads(1)
    for bad in (0, -1):
        with pytest.raises(ValueError, match=f"n={bad} is out of range"):
            pr.set_num_threads(bad)
    for bad in (1.5, "2", None, True):
        with pytest.raises(TypeError, match="not an integer"):
            pr.set_num_threads(bad)
    assert pr.get_num_threads() == 1


def test_threadpoolctl_is_obeyed(threads):
    """Where there is an OpenMP for it to tell; the system's own threads on Windows are out of its reach."""
    threads(3)
    free = 3 if _ufuncs.threads_by() else 1
    with threadpool_limits(1, user_api="openmp"):
        assert pr.get_num_threads() == (1 if _ufuncs.threads_by() == "OpenMP" else free)
    with threadpool_limits(3, user_api="openmp"):
        assert pr.get_num_threads() == free


LIMITS = ["set_num_threads", "n_threads", *["threadpoolctl"] * (_ufuncs.threads_by() == "OpenMP")]


@pytest.mark.parametrize("limited_by", LIMITS)
def test_a_network_has_no_more_threads_than_it_may(limited_by, threads):
    """By the threads that call a function of one's own, which is slow enough for each of them to have its turn."""
    callers = set()

    def slow_tanh(z):
        callers.add(threading.get_ident())
        time.sleep(0.003)
        return np.tanh(z)

    random, units = rng("callers"), (64, 256, 1)
    weights = [random.normal(size=shape) for shape in pairwise(units)]
    network = Network(
        weights,
        [np.zeros(n) for n in units[1:]],
        resolve((slow_tanh, pr.derivative.tanh), 1),
        pr.activations["identity"].index,
        None,
        n_threads=2 if limited_by == "n_threads" else 4,
    )
    threads(2 if limited_by == "set_num_threads" else 4)
    with threadpool_limits(2 if limited_by == "threadpoolctl" else 4, user_api="openmp"):
        network.predict(Samples(random.normal(size=(8192, 64))))
    assert len(callers) <= 2


def _in_child(x, queue):
    queue.put((pr.get_num_threads(), float(pr.sigmoid(x).sum())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_works_and_stays_on_one_thread(large, threads):
    threads(2)
    x = large[0]
    want = float(pr.sigmoid(x).sum())  # OpenMP's threads run now
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(x, queue))
    child.start()
    try:
        assert queue.get(timeout=60) == (1, want)
    finally:
        child.kill()
        child.join()
    assert pr.get_num_threads() == (2 if _ufuncs.threads_by() else 1)
