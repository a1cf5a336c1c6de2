"""The bounds of the table on a thinned sweep of all floats, by the program of tools/ulp, for each instruction set."""

import subprocess
import sys
from pathlib import Path

import pytest

from pyrelu import _ufuncs

FOLDER = Path(__file__).parent.parent / "tools" / "ulp"


@pytest.mark.skipif(sys.platform != "linux", reason="needs gcc's libquadmath")
@pytest.mark.parametrize("bits", [32, 64])
def test_no_bound_is_exceeded(bits):
    program = f"build/ulp_{bits}"
    subprocess.run(["make", "-s", program], cwd=FOLDER, check=True)
    measured = subprocess.run([program, "-s", "9973", "-n", "100000"], cwd=FOLDER, capture_output=True, text=True)
    assert measured.returncode == 0, "\n".join(line for line in measured.stdout.splitlines() if "EXCEEDED" in line)
    assert all(isa in measured.stdout for isa in _ufuncs.isa_names())
