"""Fixtures that loop over the table's rows, types, namespaces and instruction sets."""

import signal
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from helpers import HAS_CALLBACKS

import pyrelu as pr
from pyrelu import registry
from pyrelu._mlp.callback_support import CallbackSupportMixin

hypothesis.settings.register_profile("the same on every run", derandomize=True, deadline=None)
hypothesis.settings.load_profile("the same on every run")

DTYPES = [np.float16, np.float32, np.float64]


def pytest_generate_tests(metafunc):
    """`activation`, `axis_function`: every name of the table; `dtype`: every type with loops of its own.

    A test that says itself what they are to be goes before.
    """
    said = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    said = {name.strip() for names in said for name in (names.split(",") if isinstance(names, str) else names)}
    for argument, values in {
        "activation": list(registry.activations),
        "axis_function": list(registry.axis_functions),
        "dtype": DTYPES,
    }.items():
        if argument in metafunc.fixturenames and argument not in said:
            metafunc.parametrize(argument, values, ids=[getattr(v, "__name__", v) for v in values])


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Let a Ctrl-C that a test sends, and that nothing catches, end that test only, not the run."""
    if not pyfuncitem.get_closest_marker("interrupts"):
        return (yield)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
    try:
        return (yield)
    except KeyboardInterrupt:
        pytest.fail("the Ctrl-C that this test sent came through")
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """Runs each test here: in the checkout's own folder the sources would hide the installed package."""
    monkeypatch.chdir(Path(__file__).parent)


@pytest.fixture(autouse=True)
def figures():
    """Closes the figures that a test leaves open; matplotlib warns of more than 20, in whichever test opens the next."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(autouse=not HAS_CALLBACKS)
def callbacks(monkeypatch):
    """Skips a test where it sets callbacks that the installed scikit-learn does not have."""

    def set_callbacks(self, *given):
        return pytest.skip("callbacks need scikit-learn 1.9") if given else self

    monkeypatch.setattr(CallbackSupportMixin, "set_callbacks", set_callbacks)


@pytest.fixture
def threads():
    """Sets the number of threads; the old one is back after the test."""
    before = pr.get_num_threads()
    yield pr.set_num_threads
    pr.set_num_threads(before)


@pytest.fixture
def overflow_is_expected():
    """Inputs are of all sizes; that an overflow is reported is tested in test_calling.py."""
    with np.errstate(over="ignore"):
        yield


@pytest.fixture(params=[name for name in pr._LAZY if name.startswith("Tabular")])
def cls(request):
    """Each of the estimators for tables."""
    return getattr(pr, request.param)


@pytest.fixture(scope="session")
def cluster():
    """Two processes of one thread."""
    pytest.importorskip("distributed")
    from clusters import cluster_of_processes

    with cluster_of_processes(2, threads_per_worker=1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster):
    """The current client, of `cluster`."""
    with pytest.importorskip("distributed").Client(cluster) as client:
        yield client
