"""The content of a wheel: the package, without benchmarks, tests and sources in C and Cython."""

import ast
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {".c", ".h", ".def", ".pyx", ".pxd"}
FOLDERS = {"bench", "benchmarks", "peers", "src", "tests", "tools"}
NOT_NEEDED = {"jax", "torch"} | FOLDERS
WHEN_CALLED = {"_mlp/torch_modules.py": {"torch"}}  # imported in functions only
MODULES = sorted(ROOT.glob("pyrelu/**/*.py"))


def in_a_wheel(path):
    return path.suffix not in SOURCES and not FOLDERS & set(path.parts)


def test_what_is_installed():
    """An editable installation says less here; the next test is on what a wheel is made of."""
    assert all(map(in_a_wheel, metadata.files("pyrelu")))


def test_wheels_are_made_of_the_package_alone():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["scikit-build"]["wheel"]
    assert wheel["packages"] == ["pyrelu"]
    excluded = {Path(pattern).suffix for pattern in wheel["exclude"]}
    files = [path.relative_to(ROOT) for path in ROOT.glob("pyrelu/**/*") if path.suffix not in excluded]
    assert Path("pyrelu/cli.py") in files and all(map(in_a_wheel, files))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_imports_no_framework_and_nothing_beside_it(path):
    tree = ast.parse(path.read_text())
    allowed = WHEN_CALLED.get(path.relative_to(ROOT / "pyrelu").as_posix(), set())
    assert not imported(ast.walk(tree)) & (NOT_NEEDED - allowed)
    outside = [node for node in ast.iter_child_nodes(tree) if not isinstance(node, ast.FunctionDef)]
    assert not imported(part for node in outside for part in ast.walk(node)) & allowed


def imported(nodes):
    """The packages that these nodes import."""
    nodes = list(nodes)
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in names}
