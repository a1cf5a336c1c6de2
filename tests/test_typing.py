"""What type checkers and editors see: a user's script passes, its mistakes are reported, the stubs are the runtime's."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyrelu

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "tests" / "typing"
EDITABLE = Path(pyrelu.__file__).is_relative_to(ROOT / "pyrelu")  # type checkers cannot see such an installation


shapes_are_typed = pytest.mark.skipif(
    not re.search(r"TypeVar\(.* default=", (Path(np.__file__).parent / "__init__.pyi").read_text()),
    reason="NumPy's stubs say what shape an array has, and what an ndarray without type arguments is, from 2.2 on",
)


def run(folder, *arguments):
    """Run a tool in a folder that holds the scripts but not the sources; return its exit code and output."""
    for script in SCRIPTS.glob("*.py"):
        (folder / script.name).write_text(script.read_text())
    result = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=folder)
    assert not result.stderr, result.stderr
    return result.returncode, result.stdout


def to_report():
    lines = (SCRIPTS / "wrong.py").read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# reported")}


@pytest.fixture
def mypy(tmp_path, monkeypatch):
    """A call of mypy; a user has no configuration, which mypy needs where it sees our sources in place of an installation."""
    config = ROOT / "pyproject.toml" if EDITABLE else ""
    if EDITABLE:
        monkeypatch.setenv("MYPYPATH", str(ROOT))
    return lambda *arguments: run(tmp_path, "mypy", "--strict", "--config-file", config, *arguments)


@shapes_are_typed
def test_mypy_reports_mistakes_and_nothing_else(mypy):
    """Of both scripts in one run, as most of it goes into reading NumPy's stubs."""
    _, output = mypy("right.py", "wrong.py")
    found = {(file, int(line)) for file, line in re.findall(r"^(.+?):(\d+): error", output, re.MULTILINE)}
    assert found == {("wrong.py", line) for line in to_report()}, output


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """File -> lines in which pyright sees a mistake. Its package brings its own interpreter and is large."""
    pytest.importorskip("basedpyright", reason="comes with the extra `lint`")
    folder = tmp_path_factory.mktemp("pyright")
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT)] if EDITABLE else []}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    _, output = run(folder, "basedpyright", "--outputjson", "--pythonpath", sys.executable, "right.py", "wrong.py")
    found = json.loads(output)
    assert found["summary"]["filesAnalyzed"] == 2
    lines = {"right.py": set(), "wrong.py": set()}
    for diagnostic in found["generalDiagnostics"]:
        lines[Path(diagnostic["file"]).name].add(diagnostic["range"]["start"]["line"] + 1)
    return lines


def test_pyright_passes_on_a_users_script(reported):
    assert reported["right.py"] == set()


def test_pyright_reports_mistakes(reported):
    assert reported["wrong.py"] == to_report()


ESTIMATORS = [("neural_network.pyi", "MLPClassifier"), ("neural_network.pyi", "MLPRegressor")]
ESTIMATORS += [("tabular/__init__.pyi", "TabularMLPClassifier"), ("tabular/__init__.pyi", "TabularMLPRegressor")]


@pytest.mark.parametrize(("stub", "name"), ESTIMATORS)
def test_jedi_shows_what_a_constructor_takes(stub, name):
    """Jedi is what IPython, Jupyter and many editors complete with. It, too, sees no editable installation: hence the text."""
    jedi = pytest.importorskip("jedi", reason="comes with the extra `lint`")
    (shown,) = jedi.Script(f"{(ROOT / 'pyrelu' / stub).read_text()}\n{name}(").get_signatures()
    assert [p.name for p in shown.params if p.name != "*"] == list(inspect.signature(getattr(pyrelu, name)).parameters)


# scikit-learn's sources have few types: as much of them as ours need, since a class is known no better than its bases.
SKLEARN = """
class BaseEstimator: ...
class ClassifierMixin: ...
class RegressorMixin: ...
class TransformerMixin: ...
class MLPClassifier: ...
class MLPRegressor: ...
"""


def test_pyright_knows_the_type_of_all_that_is_public(tmp_path, monkeypatch):
    pytest.importorskip("basedpyright", reason="comes with the extra `lint`")
    shutil.copytree(ROOT / "pyrelu", tmp_path / "pyrelu", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for module in ("__init__", "base", "neural_network"):
        (tmp_path / "sklearn-stubs").mkdir(exist_ok=True)
        (tmp_path / "sklearn-stubs" / f"{module}.pyi").write_text(SKLEARN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    _, output = run(tmp_path, "basedpyright", "--verifytypes", "pyrelu", "--ignoreexternal", "--outputjson")
    found = json.loads(output)["typeCompleteness"]
    assert len(found["symbols"]) > 500 and found["packageName"] == "pyrelu"
    lacking = {one["name"]: one["diagnostics"] for one in found["symbols"] if one["diagnostics"]}
    assert found["completenessScore"] == 1, lacking


# Private modules have no stubs. The public functions are objects that a type checker is to see as functions;
# test_generated.py compares their signatures.
NO_STUBS = r"""
pyrelu\.__main__
pyrelu\.(\w+\.)?_[a-z].*
pyrelu\.libpyrelu
pyrelu\.cli\.Commands
pyrelu\.dask\.\w+\.(__sklearn_clone__|set_partial_fit_request)
pyrelu\.(functional|derivative|vjp)\.\w+
pyrelu\.(dask|neural_network|tabular)\.\w+\.__sklearn_tags__
"""


def without_strict(settings):
    """Return settings of mypy with what its `strict` stands for, which stubtest overlooks."""
    words = subprocess.run([sys.executable, "-m", "mypy", "--help"], capture_output=True, text=True, check=True).stdout
    words = re.sub(r"-\n\s+", "-", words).partition("Strict mode; enables the following flags:")[2].split()
    flags = words[: [word.endswith(",") for word in words].index(False) + 1]
    flags = [flag.strip("-,").replace("-", "_") for flag in flags]
    assert {"disallow_untyped_defs", "warn_return_any", "extra_checks"} <= {*flags}
    unset = [flag for flag in flags if f"\n{flag} = " not in settings]
    return settings.replace("\nstrict = true\n", "".join(f"\n{flag} = true" for flag in unset) + "\n")


@pytest.fixture(scope="module")
def stubtest(tmp_path_factory):
    """Exit code and output of stubtest, which has mypy check the package first."""
    folder = tmp_path_factory.mktemp("stubtest")
    (folder / "allowed").write_text(NO_STUBS)
    (folder / "mypy.toml").write_text(without_strict((ROOT / "pyproject.toml").read_text()))
    settings = ["--mypy-config-file", "mypy.toml", "--allowlist", "allowed", "--ignore-unused-allowlist"]
    with pytest.MonkeyPatch.context() as patch:
        if EDITABLE:
            patch.setenv("MYPYPATH", str(ROOT))
        return run(folder, "mypy.stubtest", "pyrelu", *settings)


@shapes_are_typed
def test_mypy_passes_on_the_package(stubtest):
    _, output = stubtest
    assert "mypy build errors" not in output, output


@shapes_are_typed
def test_stubs_are_those_of_the_runtime(stubtest):
    code, output = stubtest
    assert code == 0, output
