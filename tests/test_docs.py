"""Every example runs: in docstrings, in README, in docs/."""

import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from functools import cached_property
from pathlib import Path

import matplotlib.pyplot
import numpy as np
import pytest

import pyrelu

ROOT = Path(__file__).parent.parent
MODULES = [
    m.name
    for m in pkgutil.walk_packages(pyrelu.__path__, "pyrelu.")
    if m.name not in ("pyrelu.__main__", "pyrelu.libpyrelu") and "_peer" not in m.name and "_fit" not in m.name
]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
EXAMPLES = [script for script in sorted(ROOT.glob("examples/*.py")) if "\n# %%\n" in script.read_text()]  # no modules


def examples_of(module):
    """The tests of a module's docstrings; doctest itself overlooks cached properties and what is not a plain function."""
    finder = doctest.DocTestFinder()
    tests = {test.name: test for test in finder.find(module)}
    overlooked = {}
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if isinstance(thing, np.ufunc) or (inspect.isfunction(thing) and thing.__module__ == module.__name__):
            overlooked[name] = thing
    for name, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ == module.__name__:
            overlooked |= {f"{name}.{k}": v for k, v in vars(cls).items() if isinstance(v, cached_property)}
    for name, thing in overlooked.items():
        found = finder.find(thing, f"{module.__name__}.{name}", module=False, globs=vars(module).copy())
        tests = {test.name: test for test in found} | tests
    return tests.values()


@pytest.mark.parametrize("name", ["pyrelu", *MODULES])
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples_of(module):
        runner.run(test)
    assert runner.failures == 0
    written = Path(module.__file__).read_text().count(">>> ") if module.__file__.endswith(".py") else 0
    assert runner.tries >= written, "some examples were not found"


def blocks(page):
    """The page's Python, that of its pictures too."""
    found = re.findall(
        r"^```(?:python|\{eval-rst\}\n\.\. plot::\n[^\n]*\n)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
    )
    return [textwrap.dedent(block) for block in found]


def run_session(block, scope, name):
    """Run an interactive session; the names that it defines go into scope."""
    session = doctest.DocTestParser().get_doctest(block, scope, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(session, clear_globs=False)
    assert runner.failures == 0
    scope.update(session.globs)


@pytest.fixture
def anywhere(tmp_path, monkeypatch):
    """Another directory to run in, without a display; the number of threads is as before after it."""
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    threads = pyrelu.get_num_threads()
    yield
    pyrelu.set_num_threads(threads)


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_pages(page):
    scope = {}
    for block in blocks(page):
        if block.startswith(">>>"):
            run_session(block, scope, page.name)
        else:
            exec(compile(block, str(page), "exec"), scope)


def quickly(script):
    """Return the script's source with what its comments say for a quick run: ``EPOCHS = 40  # quick: 1``."""
    return re.sub(r"^(\w+ = ).*# quick: (.*)$", r"\1\2", script.read_text(), flags=re.MULTILINE)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # so few epochs are meant
@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_example(script, monkeypatch):
    monkeypatch.syspath_prepend(script.parent)
    monkeypatch.delitem(sys.modules, "support", raising=False)  # it sets matplotlib's parameters when imported
    with matplotlib.rc_context():
        exec(compile(quickly(script), str(script), "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")
    assert Path(f"{script.stem}.png").stat().st_size > 10_000


def test_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    first, second = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.endswith("pyrelu demo\n") and second.endswith("pytest\n")
