"""`import pyrelu` is light: NumPy and the kernels, nothing of scikit-learn or SciPy before an estimator is asked for."""

import importlib.metadata
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import pyrelu

ROOT = Path(__file__).parent.parent


def test_import_loads_only_numpy_and_the_kernels():
    code = "import sys, pyrelu; print([m for m in ('scipy', 'sklearn', 'joblib', 'threadpoolctl') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_public_name_is_there():
    for name in pyrelu.__all__:
        assert getattr(pyrelu, name) is not None
    assert set(pyrelu.__all__) <= set(dir(pyrelu))


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(pyrelu, "no_such_name")


def installed_editable():
    """Whether the suite runs with what README's commands install, and not with a wheel."""
    origin = importlib.metadata.distribution("pyrelu").read_text("direct_url.json")
    return origin is not None and json.loads(origin).get("dir_info", {}).get("editable", False)


@pytest.mark.skipif(not installed_editable(), reason="pyrelu is installed from a wheel")
@pytest.mark.parametrize("arguments", [["-c", "import pyrelu"], ["-m", "pyrelu", "--version"], ["-m", "pytest", "-h"]])
def test_an_editable_install_can_be_used_in_the_clone_itself(arguments):
    result = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == ""


def test_a_tree_that_was_never_built_says_what_to_do(tmp_path):
    compiled = shutil.ignore_patterns("*.so", "*.dylib", "*.pyd", "__pycache__")
    shutil.copytree(ROOT / "pyrelu", tmp_path / "pyrelu", ignore=compiled)
    others = str(Path(numpy.__file__).parent.parent)
    code = f"import sys; sys.path[:0] = ['']; sys.path.append({others!r}); import pyrelu"
    # Without site, whose .pth files would find the build of the suite's own environment.
    command = [sys.executable, "-I", "-S", "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {tmp_path.resolve()} holds pyrelu's source code without its compiled modules")
    assert "`pip install -e .`" in last and result.stderr.count("Traceback") == 1
