"""`pyrelu bench` and bench/: every function is measured, tables hold what they say. Nothing here depends on times."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import arrays_of, rng, same_bits

import peers
import pyrelu
from peers import calls, command, estimators, fit, functions, memory, numpy_peer, values
from peers.timing import once_in_turn
from pyrelu import cli
from pyrelu._commands import bench, formulas, info, processor, timing
from pyrelu.exceptions import InvalidParameterError
from pyrelu.registry import activations, composed_functions

TINY = dict(n=32, seconds=0)
ROOT = Path(__file__).parent.parent
NETWORK = "5-4-3/8"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Samples of one call; and NumPy and SciPy alone, as loading PyTorch or JAX would limit the threads for good."""
    monkeypatch.setattr(timing, "SAMPLE", 1)
    monkeypatch.setattr(bench, "SECONDS", 0)
    monkeypatch.setattr(peers, "installed", lambda: [numpy_peer])


def public(namespace):
    """All that is public, but for aliases and what Python composes of others."""
    aliases = {alias for row in activations.values() for alias in row.aliases}
    return set(getattr(pyrelu, namespace).__all__) - aliases - set(composed_functions) - {"prelu_weight"}


@pytest.mark.parametrize("namespace", functions.NAMESPACES)
def test_every_function_is_measured(namespace):
    rows = functions.run([], namespace, **TINY).rows
    assert {row["function"] for row in rows} == public(namespace)
    assert all(row["pyrelu"] > 0 for row in rows)


@pytest.mark.parametrize("namespace", functions.NAMESPACES)
def test_what_is_measured_is_the_function(namespace):
    for name in functions.functions(namespace):
        x = bench.arrays(name, "float32", 64)
        g = rng("bench").normal(size=bench.call(name, "functional", x)().shape).astype(np.float32)
        arrays = arrays_of(namespace, x, g)
        function = getattr(getattr(pyrelu, namespace), name)
        row = activations.get(name)
        required = [formulas.PARAMETER for default in (row.parameters.values() if row else ()) if default is None]
        expected = function(*arrays, *required)
        assert same_bits(bench.call(name, namespace, x, g)(), expected)


def test_peers_have_formulas_for_nothing_but_what_is_measured():
    for table in (formulas.NUMPY, formulas.SCIPY, numpy_peer.NUMPY_DERIVATIVE, numpy_peer.SCIPY_DERIVATIVE):
        assert table.keys() <= public("functional")


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 1000])
def test_any_size_can_be_measured(n, axis_function):
    """Functions along an axis get whole rows."""
    assert bench.arrays("relu", "float32", n).size == n
    x = bench.arrays(axis_function, "float32", n)
    assert n - 256 < x.size <= n and x.shape[1] == min(n, 256)
    assert len(bench.call(axis_function, "functional", x)()) == len(x)


@pytest.mark.parametrize("namespace", functions.NAMESPACES)
@pytest.mark.parametrize("peer", ["numpy_peer", "torch_peer", "jax_peer"])
def test_peers_compute_the_same(namespace, peer):
    """A peer that computed something else would make the ratio meaningless. In a process of its own: see `quick`."""
    pytest.importorskip({"torch_peer": "torch", "jax_peer": "jax"}.get(peer, "numpy"))
    code = f"""
import importlib, numpy as np
from peers import functions
from pyrelu._commands.bench import arrays, call
module = importlib.import_module("peers.{peer}")
rng, done = np.random.default_rng(0), 0
for name in functions.functions({namespace!r}):
    x = arrays(name, "float64", 512)
    g = rng.uniform(-1, 1, call(name, "functional", x)().shape)
    expected = call(name, {namespace!r}, x, g)()
    for who, theirs in module.candidates(name, {namespace!r}, x, g).items():
        done += 1
        np.testing.assert_allclose(np.asarray(theirs()), expected, rtol=1e-5, atol=1e-6, err_msg=f"{{who}} {{name}}")
print(done)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "bench", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.split()[-1]) > 5


def test_ratio_is_that_of_the_best_peer():
    row = bench.row("tanh", {"pyrelu": 100.0, "NumPy": 300.0, "PyTorch": 200.0}, 100, peers.NAMES)
    assert row == {
        "function": "tanh",
        "pyrelu": 1.0,
        "NumPy": 3.0,
        "SciPy": None,
        "PyTorch": 2.0,
        "JAX": None,
        "best peer": "PyTorch",
        "ratio": 2.0,
    }
    alone = bench.row("mine", {"pyrelu": 100.0}, 100, peers.NAMES)
    assert alone["best peer"] is None and alone["ratio"] is None
    summary = functions.summary([row, row | {"function": "relu", "ratio": 8.0}, alone])
    assert summary["best peer / pyrelu, geometric mean of 2"] == pytest.approx(4)
    assert summary["best peer / pyrelu, minimum (tanh)"] == 2
    assert functions.summary([alone]) == {}


def test_candidates_take_turns():
    calls = []
    times = timing.in_turn({name: lambda name=name: calls.append(name) for name in "ab"}, seconds=0, rounds=(3, 3))
    assert set(times) == {"a", "b"} and min(times.values()) > 0
    each = timing.WARMING_CALLS + 1
    assert "".join(calls[-4 * each :]) == 2 * ("a" * each + "b" * each)
    calls.clear()
    timing.in_turn({"a": lambda: None}, seconds=0, rounds=(3, 3), prepare=calls.append)
    assert calls == ["a"] * 4
    calls.clear()
    once_in_turn({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=2)
    assert "".join(calls) == "ababab"


def test_values():
    report = values.run(["sigmoid", "softmax", "relu"], **TINY)
    assert list(report.rows[0])[2:] == list(values.KINDS)
    assert all(row[kind] > 0 for row in report.rows for kind in values.KINDS)


def test_inputs_with_subnormal_results_are_found(dtype):
    for name in ("sigmoid", "silu", "relu"):
        x = values.subnormal_results(name, "functional", dtype)
        y = np.abs(getattr(pyrelu, name)(x))
        assert np.all((y > 0) & (y < np.finfo(dtype).tiny))
    assert values.subnormal_results("softplus", "derivative", "float32") is not None
    assert values.subnormal_results("relu", "derivative", "float32") is None


def test_memory():
    report = memory.run(["relu", "softmax"], **TINY)
    assert [row["against"] for row in report.rows[:2]] == ["np.copyto(y, x)", "x.copy()"]
    assert all(row["ratio"] == pytest.approx(row["us of that"] / row["us"]) for row in report.rows)
    assert memory.last_level_cache() > 0


def test_the_floor_has_every_product_but_the_gradient_of_the_data():
    assert fit.products([20, 7, 3], 5) == [
        ((5, 7, 20), (False, False)),
        ((20, 7, 5), (True, False)),
        ((5, 3, 7), (False, False)),
        ((7, 3, 5), (True, False)),
        ((5, 7, 3), (False, True)),
    ]


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True)])
def test_the_floor_multiplies_in_place(transposed):
    from scipy.linalg.blas import sgemm

    _, b, a, _, c = (product := fit._product(sgemm, (4, 3, 2), transposed)).args[:5]
    assert a.flags.f_contiguous and b.flags.f_contiguous and c.flags.f_contiguous  # else each call would copy
    assert np.shares_memory(product(), c)
    A, B = (a if transposed[0] else a.T), (b if transposed[1] else b.T)
    np.testing.assert_allclose(c.T, A @ B, rtol=1e-5)


def test_fit():
    report = fit.run([NETWORK], rounds=1, work=1)
    (row,) = report.rows
    assert row["network/batch"] == NETWORK and row["pyrelu"] > 0 and row["scikit-learn"] > 0
    assert row["scikit-learn / pyrelu"] == pytest.approx(row["scikit-learn"] / row["pyrelu"])
    assert fit.run([NETWORK], activation="elu", rounds=1, work=1).rows[0]["scikit-learn"] is None
    assert row["one thread"] is None
    (row,) = fit.run([NETWORK], threads=2, rounds=1, work=1).rows
    assert row["one thread / pyrelu"] == pytest.approx(row["one thread"] / row["pyrelu"])


def test_calls():
    rows = calls.run(["relu", "threshold", "softmax"], seconds=0.001).rows
    assert [row["what"].split(",")[0] for row in rows[:4]] == ["relu", "relu(1.5)", "relu", "threshold"]
    assert len(rows) == 3 + 3 + 1 + 4 and all(row["us"] > 0 and row["us of that"] > 0 for row in rows)


def test_estimators():
    report = estimators.run(rounds=1, size=0.001)
    assert len(report.rows) == len(estimators.TASKS)
    for row in report.rows:
        assert row["pyrelu"] > 0 or "without its epoch" in row["task"]  # a difference
        if row["scikit-learn"]:
            assert row["scikit-learn / pyrelu"] == pytest.approx(row["scikit-learn"] / row["pyrelu"])


@pytest.mark.parametrize(("package", "module"), [("torch", "torch_fit"), ("jax", "jax_fit")])
def test_the_peers_learn(package, module):
    pytest.importorskip(package)
    code = f"""
import numpy as np
from peers.{module} import fit
from peers.{package}_peer import FUNCTIONAL
fit(np.eye(8, 5, dtype=np.float32), np.resize([0, 1, 2], 8), [5, 4, 3], 4, 2, FUNCTIONAL["relu"])
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "bench", check=True)


def test_pyrelu_bench(capsys):
    arguments = ["bench", "tanh", "softmax", "--size", "32", "--dtype", "float64"]
    assert cli.main([*arguments, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [row["function"] for row in written["rows"]] == ["tanh", "softmax"]
    for row in written["rows"]:
        theirs = [row[peer] for peer in ("NumPy", "SciPy") if row[peer]]
        assert row["ratio"] == pytest.approx(min(theirs) / row["pyrelu"])
    assert written["facts"]["NumPy"] == np.__version__ and "functional, float64, 32" in written["title"]
    assert written["facts"]["machine"] == info.facts()["machine"]
    assert cli.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == written["title"]
    assert any(line.split()[0] == "softmax" for line in lines if line)


def test_pyrelu_bench_measures_all_by_default(capsys):
    assert cli.main(["bench", "--size", "32", "--threads", "2", "--json"]) == 0
    assert {row["function"] for row in json.loads(capsys.readouterr().out)["rows"]} == public("functional")


def test_pyrelu_bench_explains_a_wrong_call(capsys):
    assert cli.main(["bench", "relu", "no_such"]) == 2
    assert "'no_such' is not a function; there are identity" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cpuinfo", "words"),
    [
        (
            "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n\nmodel\t: 2\n",
            "25 model 1",
        ),
        ("vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: \n", "Intel family 6 model 85"),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "Arm implementer 0x41 part 0xd0c"),
    ],
)
def test_the_processor_is_named_by_its_numbers_too(cpuinfo, words):
    assert processor.model(cpuinfo).endswith(words)
    assert processor.model("cpu\t\t: POWER9\n") == ""


def test_the_benchmarks_run_from_the_root_and_from_bench(tmp_path):
    """In the checkout, whether or not the installed package is elsewhere."""
    arguments = ["relu", "-n", "32", "--seconds", "0", "--json"]
    for folder, program in (
        (ROOT, ["bench/peers"]),
        (ROOT / "bench", ["-m", "peers"]),
        (tmp_path, [ROOT / "bench/peers"]),
    ):
        result = subprocess.run([sys.executable, *program, *arguments], cwd=folder, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert [row["function"] for row in json.loads(result.stdout)["rows"]] == ["relu"]


def test_command(tmp_path, capsys):
    picture = tmp_path / "bench.png"
    arguments = ["relu", "softmax", "-n", "32", "--seconds", "0"]
    assert command.main([*arguments, "--json", "--plot", str(picture)]) == 0
    written = json.loads(capsys.readouterr().out)
    assert [row["function"] for row in written["rows"]] == ["relu", "softmax"]
    assert written["facts"]["NumPy"] == np.__version__ and "functional, float32, 32" in written["title"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert command.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == written["title"]
    assert any(line.split()[0] == "softmax" for line in lines if line)


@pytest.mark.parametrize("picture", ["none/x.png", "x.doc", "x", "no matplotlib.png"])
def test_a_picture_that_cannot_be_written_is_an_error_before_anything_is_measured(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "run", lambda *words, **options: pytest.fail("measured"))
    if picture.startswith("no "):
        monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    with pytest.raises(SystemExit) as end:
        command.main(["relu", "--plot", picture])
    assert end.value.code == 2


def test_markdown():
    title, _, headings, *_ = functions.run(["relu"], **TINY).markdown().splitlines()
    assert title.startswith("pyrelu.functional") and headings == "| function | pyrelu | NumPy | best peer | ratio |"


def test_tables_in_pages_can_be_measured_anew():
    spec = importlib.util.spec_from_file_location("measure", ROOT / "tools" / "measure.py")
    spec.loader.exec_module(measure := importlib.util.module_from_spec(spec))
    for page in measure.PAGES:
        tables = measure.TABLE.findall(page.read_text())
        assert tables and page.read_text().count("<!-- end -->") == len(tables)
        for _, line, _ in tables:
            variables, arguments = measure.split(line)
            assert command._parser().parse_args(arguments) and all(name.isupper() for name in variables)
    page = "before\n<!-- measured by: A=b python bench/peers relu -n 32 --seconds 0 -->\nold\n<!-- end -->\nafter\n"
    text = measure.renewed(page, measure.TABLE.search(page)[2])
    assert text.startswith(page[: page.index("old")]) and text.endswith("<!-- end -->\nafter\n")
    assert "| relu |" in text and "old" not in text
    assert measure.renewed(page, "A=b python bench/peers tanh") == page


def test_common_functions_are_there():
    assert set(functions.COMMON) <= set(functions.functions())
    assert functions.selected(["common"]) == list(functions.COMMON)
    assert "softmax" not in functions.selected(["common"], "derivative")


@pytest.mark.parametrize("subject", [values, memory], ids=lambda module: module.__name__)
def test_other_subjects_have_pictures(subject, tmp_path):
    subject.run(["sigmoid"], **TINY).draw(tmp_path / "bench.png")
    assert (tmp_path / "bench.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such"], "'no_such' is not a function; there are identity"),
        (["values", "no_such"], "'no_such' is not a function"),
        (["fit", "64-100"], "'64-100' is not a network; give layers/batch"),
        (["fit", "--dtype", "float64"], "--dtype has no meaning for fit; it takes --threads"),
        (["fit", NETWORK, "--activation", "no_such"], "'no_such' is not an activation; there are"),
        (["memory", "--threads", "2"], "--threads has no meaning for memory"),
    ],
)
def test_a_wrong_call_is_explained(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2 and message in capsys.readouterr().err


def test_options_are_those_of_the_subjects():
    with pytest.raises(InvalidParameterError, match="--work has no meaning for functions"):
        command.run([], work=1)


def test_threads_are_given_back():
    before = pyrelu.get_num_threads(), dict(os.environ)
    with peers.limited_to(1):
        assert pyrelu.get_num_threads() == 1
    assert (pyrelu.get_num_threads(), dict(os.environ)) == before


def test_import_loads_nothing_of_it():
    code = "import sys, pyrelu; print([m for m in sys.modules if '_commands' in m])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
