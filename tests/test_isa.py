"""Instruction sets: the best is chosen, each can be forced, and each gives correct results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_ulp import RUNS_HERE

from pyrelu import _ufuncs

HERE = Path(__file__).parent
KERNEL_TESTS = [
    "test_accuracy.py",
    "test_special_values.py",
    "test_ufuncs.py",
    "test_subnormal.py",
    "test_embedding.py::test_cosine_of_turns",
    "test_embedding.py::test_features_are_those_of_the_formula",
    *("-k", "not (raise or dask or pickle)"),  # which concern what calls the kernels
    # The sweep of test_ulp.py, of each instruction set, has more points.
    *(["--deselect", "tests/test_accuracy.py::test_error_is_within_the_bound_of_the_table"] if RUNS_HERE else []),
]


def run(isa, *arguments):
    environment = os.environ | {"PYRELU_ISA": isa}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, cwd=HERE)


def test_the_best_one_is_chosen():
    if "PYRELU_ISA" not in os.environ:
        assert _ufuncs.isa() == _ufuncs.isa_names()[0]
    else:
        assert _ufuncs.isa() == os.environ["PYRELU_ISA"]


def test_baseline_runs_everywhere():
    assert _ufuncs.isa_names()[-1] == "baseline"


@pytest.mark.parametrize("isa", _ufuncs.isa_names())
def test_each_one_can_be_forced_and_passes_the_kernel_tests(isa):
    if isa == _ufuncs.isa():
        return  # this very run
    named = run(isa, "-c", "from pyrelu import _ufuncs; print(_ufuncs.isa())")
    assert named.stdout.strip() == isa, named.stderr
    tests = run(isa, "-m", "pytest", "-n0", "-q", "-x", "-p", "no:cacheprovider", *KERNEL_TESTS)
    assert tests.returncode == 0, tests.stdout[-3000:]


@pytest.mark.parametrize("name", ["v5", "AVX2", "v3 "])
def test_an_unknown_one_is_refused_with_the_list(name):
    result = run(name, "-c", "import pyrelu")
    assert result.returncode != 0
    assert f"ImportError: PYRELU_ISA={name!r}" in result.stderr
    for known in _ufuncs.isa_names():
        assert repr(known) in result.stderr
