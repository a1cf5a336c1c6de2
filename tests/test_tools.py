"""The programs of tools/ that no other test runs still build and run."""

import os
import subprocess
from pathlib import Path

import pytest
from test_ulp import RUNS_HERE

from pyrelu import _ufuncs

TOOLS = Path(__file__).parent.parent / "tools"
LIBRARY = Path(_ufuncs.__file__).with_name("libpyrelu.so")


@pytest.mark.skipif(not RUNS_HERE, reason="measures x86-64 processors on Linux")
def test_the_budget_of_a_step():
    subprocess.run(["make", "-s"], cwd=TOOLS / "step", check=True)
    variables = {"SAMPLES": "1", "OMP_NUM_THREADS": "1"}
    command = ["build/step", LIBRARY, "20-8-3/16", "30-40-20-4/32"]
    done = subprocess.run(command, cwd=TOOLS / "step", env=os.environ | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for network in command[2:]:
        assert f"{network}, 1 thread: " in done.stdout
    assert done.stdout.count("| update ") == 2
