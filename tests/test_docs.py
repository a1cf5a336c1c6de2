"""Every example runs: in docstrings, in README, in docs/."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import matplotlib
import pytest

import pyrelu
from pyrelu import plot

ROOT = Path(__file__).parent.parent
MODULES = [
    m.name
    for package in (pyrelu, plot)
    for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    if m.name not in ("pyrelu.__main__", "pyrelu.libpyrelu")
]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize("name", ["pyrelu", *MODULES])
def test_examples_in_docstrings(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_there_are_examples():
    assert sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES) > 0


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_pages(page, tmp_path, monkeypatch, capsys):
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    scope = {}
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), scope)


def test_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    first, second = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.endswith("pyrelu demo\n") and second.endswith("pytest\n")
