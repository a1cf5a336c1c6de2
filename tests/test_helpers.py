"""The tests' own tools: their checks must be able to fail."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import same_bits


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, np.nan], [1.0, -np.nan]),
        ([[1.0], [-0.0]], [[1.0], [-0.0]]),
        (3.0, 3.0),
        ([True, False], [True, False]),
        ([], []),
    ],
)
def test_same_bits(a, b):
    assert same_bits(a, b)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 2.0], [1.0, np.nextafter(2, 3)], r"1 of 2 differ, by 1 ULP at most; the first at \(1,\)"),
        (
            [[1.0, 2.0]],
            [[0.0, 2.0]],
            r"1 of 2 differ, .* the first at \(0, 0\): np.float64\(1.0\), not np.float64\(0.0\)",
        ),
        ([0.0], [-0.0], "by 1 ULP at most"),
        (np.float32([5e-324, 1e-45]), np.float32([0, -1e-45]), "1 of 2 differ, by 3 ULP at most"),
        ([np.nan], [1.0], "differ"),
        ([1.0], [[1.0]], r"float64 of shape \(1,\), not float64 of shape \(1, 1\)"),
        (np.float32([1.0]), [1.0], "float32 of shape"),
        ([True, False], [True, True], "is not"),
    ],
)
def test_same_bits_says_what_differs(a, b, message):
    with pytest.raises(AssertionError, match=message):
        same_bits(a, b)


SENDS = """
import signal, pytest

@pytest.mark.interrupts
def test_sends():
    signal.raise_signal(signal.SIGINT)

def test_comes_after():
    pass
"""


def test_a_ctrl_c_that_nothing_catches_does_not_end_the_run(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = interrupts")
    for name in ("conftest.py", "helpers.py"):
        (tmp_path / name).write_text((Path(__file__).parent / name).read_text())
    (tmp_path / "test_it.py").write_text(SENDS)
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", tmp_path], capture_output=True, text=True, cwd=tmp_path)
    assert "1 failed, 1 passed" in run.stdout, run.stdout
