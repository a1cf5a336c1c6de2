"""Generated files in the repository are current."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_stubs_and_tables_are_current():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True, cwd=ROOT.parent
    )
    assert result.returncode == 0, result.stdout + result.stderr
