"""Every example runs: in docstrings, in README, in docs/."""

import ast
import doctest
import html
import importlib
import inspect
import pkgutil
import re
import textwrap
import tomllib
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot
import numpy as np
import pytest
from helpers import HAS_CALLBACKS

import pyrelu
from pyrelu import registry

ROOT = Path(__file__).parent.parent
MODULES = [
    m.name
    for m in pkgutil.walk_packages(pyrelu.__path__, "pyrelu.")
    if m.name not in ("pyrelu.__main__", "pyrelu.libpyrelu")
]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
EXAMPLES = sorted(ROOT.glob("examples/*.py"))


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


def written_examples(module):
    """Return how many lines of code the docstrings in a module's source hold."""
    if not module.__file__.endswith(".py"):
        return 0
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    nodes = [n for n in ast.walk(ast.parse(Path(module.__file__).read_text())) if isinstance(n, documented)]
    # a function that another module publishes is tested there
    nodes = [
        n
        for n in nodes
        if getattr(getattr(module, getattr(n, "name", ""), module), "__module__", module.__name__) == module.__name__
    ]
    return sum((ast.get_docstring(node) or "").count(">>> ") for node in nodes)


def skip_without_callbacks(text):
    """Skip the test of an example that sets callbacks, where scikit-learn has none; doctest would catch the skip itself."""
    if ".set_callbacks(" in text and not HAS_CALLBACKS:
        pytest.skip("callbacks need scikit-learn 1.9")


@pytest.mark.parametrize("name", ["pyrelu", *MODULES])
def test_examples_in_docstrings(name):
    if "dask" in name:
        pytest.importorskip("distributed")
    module = importlib.import_module(name)
    skip_without_callbacks(Path(module.__file__).read_text() if module.__file__.endswith(".py") else "")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples_of(module):
        runner.run(test)
    assert runner.failures == 0
    assert runner.tries >= written_examples(module), "some examples were not found"


def blocks(page):
    """The page's Python, that of its pictures too."""
    found = re.findall(
        r"^```(?:python|\{printed\}|\{eval-rst\}\n\.\. plot::\n(?: [^\n]*\n)+)\n(.*?)^```",
        page.read_text(),
        re.DOTALL | re.MULTILINE,
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
    """Another working directory, without a display; the number of threads is restored afterwards."""
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    threads = pyrelu.get_num_threads()
    yield
    pyrelu.set_num_threads(threads)


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_pages(page):
    skip_without_callbacks(page.read_text())
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
def test_example(script):
    with matplotlib.rc_context():
        exec(compile(quickly(script), str(script), "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")
    assert Path(f"{script.stem}.png").stat().st_size > 10_000


def test_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    first, second = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.endswith("pyrelu demo\n") and second.endswith("pytest\n")


def test_paths_in_readme_exist():
    """Links are absolute, as README is also the page of an index, and lead to files of this repository."""
    text = (ROOT / "README.md").read_text()
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    of_files = re.compile(rf"{repository}/(?:blob|tree)/main/(.+)|{raw}/main/(.+)")
    assert all(of_files.fullmatch(link) for link in links), links
    paths = {*(of_files.sub(r"\1\2", link) for link in links), *re.findall(r"\bexamples/\S+\.csv", text)}
    assert len(paths) > 8 and "docs/_static/activations.png" in paths
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_nobody_is_sent_to_an_index_that_has_no_pyrelu():
    sources = [*PAGES, *ROOT.glob("*.md"), *EXAMPLES, *ROOT.glob("pyrelu/**/*.py")]
    sent = [path for path in sources if re.search(r"pip install (-\S+ )*['\"]?pyrelu\b", path.read_text())]
    assert sent == []


@pytest.fixture
def extensions(monkeypatch):
    """Makes the modules of docs/_ext importable."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")


@pytest.mark.usefixtures("extensions")
def test_the_course_has_every_example():
    course = importlib.import_module("from_the_table").CourseOrder
    assert sorted(course.COURSE) == [script.stem for script in EXAMPLES]
    order = sorted((script.name for script in EXAMPLES), key=course("examples"))
    assert [Path(name).stem for name in order] == list(course.COURSE)


ROWS = registry.activations | registry.axis_functions | registry.composed_functions


@pytest.mark.usefixtures("extensions")
@pytest.mark.parametrize("name", ROWS)
def test_formulas_as_mathematics(name):
    """Well-formed, without what ends a cell of a table, and with every name and number of the formula."""
    formulas = importlib.import_module("formulas")
    formula = ROWS[name].formula
    text = formulas.mathml(formula)
    assert "|" not in text and "\n" not in text
    shown = [leaf.text for leaf in ElementTree.fromstring(text).iter() if leaf.tag in ("mi", "mn", "mtext")]
    for node in ast.walk(ast.parse(formula)):
        if isinstance(node, ast.Name) and node.id not in ("exp", "expm1", "log1p", "sqrt", "abs", "sum"):
            assert html.unescape(formulas.GREEK.get(node.id, node.id)) in shown
        if isinstance(node, ast.Constant):
            digits = repr(node.value)
            assert any(digits.startswith(number.rstrip("\u2026")) for number in shown if number[0].isdigit())


@pytest.mark.usefixtures("extensions")
@pytest.mark.parametrize(
    "formula, brackets",
    [
        ("(a + b)*c", 1),
        ("a + b*c", 0),
        ("a - (b - c)", 1),
        ("a*expm1(x)", 1),
        ("-x*a", 0),
        ("(a + b)/c", 0),
        ("(a*b)**2", 1),
    ],
)
def test_formulas_have_the_brackets_that_they_need(formula, brackets):
    assert importlib.import_module("formulas").mathml(formula).count("<mo>(</mo>") == brackets
