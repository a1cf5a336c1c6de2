"""The bounds of the table on a thinned sweep of all floats, by the program of tools/ulp, for each instruction set."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from pyrelu import _ufuncs
from pyrelu.registry import activations

FOLDER = Path(__file__).parent.parent / "tools" / "ulp"
RUNS_HERE = (sys.platform, platform.machine()) == ("linux", "x86_64")


@pytest.mark.skipif(not RUNS_HERE, reason="`make neon` is for arm64")
@pytest.mark.parametrize("bits", [32, 64])
def test_no_bound_is_exceeded(bits):
    program = f"build/ulp_{bits}"
    subprocess.run(["make", "-s", program], cwd=FOLDER, check=True)
    measured = subprocess.run([program, "-s", "9973", "-n", "100000"], cwd=FOLDER, capture_output=True, text=True)
    failed = [line for line in measured.stdout.splitlines() if "EXCEEDED" in line or "NO ORACLE" in line]
    assert measured.returncode == 0, "\n".join(failed) or measured.stdout
    kinds = {name: ["f", "df"] + ["dfy"] * (row.reads == "Y") for name, row in activations.items()}
    rows = {(name, kind, isa) for name in kinds for kind in kinds[name] for isa in _ufuncs.isa_names()}
    assert rows == {tuple(line.split()[:3]) for line in measured.stdout.splitlines()[1:]}
