"""What is generated and committed is current, and a type checker passes on it."""

import subprocess
import sys
from pathlib import Path

import pyrelu

ROOT = Path(__file__).parent.parent

USE = """
import numpy as np
import pyrelu as pr

x = np.ones(3)
pr.relu(x, out=x)
pr.leaky_relu(x, negative_slope=0.2)
pr.derivative.gelu(x)
pr.vjp.softplus(x, x, beta=2.0)
pr.softmax(x, axis=0)
formula: str = pr.activations["gelu"].formula
pr.set_num_threads(2)
pr.leaky_relu(x, slope=0.2)  # a wrong name is **kwargs, and an error at run time
pr.no_such_function(x)
"""


def test_stubs_and_tables_are_current():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True, cwd=ROOT.parent
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_type_checker_passes(tmp_path, monkeypatch):
    if Path(pyrelu.__file__).is_relative_to(ROOT / "pyrelu"):  # an editable installation, which mypy cannot see
        monkeypatch.setenv("MYPYPATH", str(ROOT))
    use = tmp_path / "use.py"
    use.write_text(USE)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--cache-dir",
            tmp_path,
            "--config-file",
            ROOT / "pyproject.toml",
            "-p",
            "pyrelu",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path, "--config-file", ROOT / "pyproject.toml", use],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "no_such_function" in result.stdout and result.stdout.count("error:") == 1, result.stdout
