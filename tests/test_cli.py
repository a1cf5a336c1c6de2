"""The command line: what it prints, and its exit codes."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import pyrelu
from pyrelu import _ufuncs, cli
from pyrelu._commands import datasets

README = Path(__file__).parent.parent / "README.md"


def test_info(capsys):
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pyrelu"] == pyrelu.__version__
    assert facts["instruction set"].startswith(_ufuncs.isa())
    assert ("built without OpenMP" in facts["threads"]) == (_ufuncs.threads_by() is None)
    assert facts["BLAS"] != "unknown"
    assert cli.main(["info"]) == 0
    text = capsys.readouterr().out
    assert all(f"{key} " in text and value in text for key, value in facts.items())


def test_demo(tmp_path, capsys):
    picture = tmp_path / "curves.png"
    assert cli.main(["demo", "--epochs", "3", "--output", str(picture), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["activation"] for row in rows] == ["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid"]
    for row in rows:
        assert row["epochs"] == 3 and row["test accuracy"] > 0.3 and 0 <= row["dead units"] <= 1
        for name in ("scikit-learn", "scikit-learn, one thread"):
            assert (row[name] is not None) == (row["activation"] in ("relu", "tanh", "sigmoid"))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert cli.main(["demo", "--epochs", "1", "--output", str(picture)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[0] == "activation"


def test_a_missing_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["demo", "--epochs", "1", "--output", str(tmp_path / "x.png")]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["demo", "--epochs", "0"],
        ["demo", "--epochs", "many"],
        ["plot"],
        ["plot", "rleu"],
        ["plot", "elu:alpha"],
        ["plot", "relu,elu"],
        ["plot", "gelu", "--range", "0", "inf"],
        ["compare", "relu,rleu"],
        ["compare", "--test-size", "1"],
        ["compare", "--hidden", "8,,8"],
        ["compare", "--seed", "-1"],
        ["compare", "--set", "alpha"],
        ["train", "data.csv", "--output", "model"],
        ["train", "data.csv", "--target", "y"],
        ["predict", "model"],
        ["predict", "model", "data.csv", "--delimiter", ";;"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert "usage: pyrelu" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 100, 200])
@pytest.mark.parametrize("command", ["", "demo", "compare", "plot", "train", "predict", "bench", "info"])
def test_help_fits_the_terminal(command, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as end:
        cli.main([*command.split(), "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "usage: pyrelu" in text and all(len(line) <= columns for line in text.splitlines())
    longest = max(len(line) for line in text.splitlines() if not line.startswith(" "))
    assert columns > 80 or command == "info" or longest > 60, "paragraphs fill the width"


def shown_commands():
    """The commands in README's shell blocks and in the help texts, with lines that go on joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    texts = "\n".join([*blocks, cli._COMPARE, cli._PLOT, cli._TRAIN, cli._PREDICT]).replace("\\\n", " ")
    return re.findall(r"^ *(pyrelu .*)", texts, re.MULTILINE)


@pytest.mark.parametrize("command", shown_commands())
def test_commands_that_are_shown_are_right(command):
    options = cli._parser().parse_args(shlex.split(command)[1:])
    if settings := dict(getattr(options, "set", [])):
        cls = pyrelu.TabularMLPClassifier if getattr(options, "model", "mlp") == "tabular" else pyrelu.MLPClassifier
        assert settings.keys() <= cls().get_params().keys()


# ---- plot ----


def test_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plot", "gelu"]) == 0
    assert cli.main(["plot", "relu", "elu:alpha=2", "--output", "two.svg", "--range", "-1", "1"]) == 0
    assert cli.main(["plot", "all"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("gelu.png").read_bytes().startswith(b"\x89PNG")
    assert Path("activations.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("two.svg").read_text()
    assert sorted(os.listdir()) == ["activations.png", "gelu.png", "two.svg"]


def test_plot_as_json(tmp_path, capsys):
    output = str(tmp_path / "step.png")
    assert cli.main(["plot", "step", "leaky_relu:negative_slope=0.5", "--output", output, "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    step, leaky = drawn["activations"]
    assert drawn["output"] == output and step["name"] == "step"
    assert {*step["function"]["y"]} == {0, 1, None}
    assert leaky["parameters"] == {"negative_slope": 0.5} and leaky["function"]["y"][0] == -2


def test_plot_together(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    figures = []
    monkeypatch.setattr("pyrelu._commands.plot.save", lambda figure, path: figures.append(figure))
    assert cli.main(["plot", "relu", "elu:alpha=2", "gelu", "--together", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)["activations"]
    assert [curve["name"] for curve in drawn] == ["relu", "elu", "gelu"]
    assert cli.main(["plot", "relu", "gelu", "--together", "--no-derivative"]) == 0
    both, functions = figures
    assert len(both.axes) == 2 and len(functions.axes) == 1
    assert [text.get_text() for text in both.legends[0].get_texts()] == ["relu", "elu(alpha=2)", "gelu"]


def test_plot_of_a_steep_curve(tmp_path, capsys):
    """Far beyond where a picture's axis would be 10^43 high."""
    for extra in ([], ["relu"], ["relu", "--together"]):
        output = str(tmp_path / "exp.png")
        assert cli.main(["plot", "exponential", *extra, "--range", "0", "100", "--output", output]) == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["softmax"], "works along an axis"),
        (["relu", "--output", "x.doc"], "x.doc: pictures can be written as "),
        (["relu", "--output", "none/x.png"], "none/x.png cannot be written: there is no folder"),
        (["relu", "--output", "."], ". is a folder"),
        (["relu", "--range", "1", "0"], "--range 1 0: the first number must be smaller"),
        (
            ["relu", "--range", "-1e308", "1e308"],
            "--range -1e+308 1e+308: the first number must be smaller, and less than",
        ),
    ],
)
def test_what_cannot_be_drawn(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plot", *arguments]) == 2
    assert message in one_line(capsys)
    assert os.listdir() == []


@pytest.mark.parametrize("low", ["-1", "-0.5", "-.5", "-1e3", "-1.5e-3", "-1E+300"])
def test_ranges_below_0(low, tmp_path, capsys):
    high = str(float(low) / 2)
    assert cli.main(["plot", "relu", "--range", low, high, "--output", str(tmp_path / "x.svg"), "--json"]) == 0
    x = json.loads(capsys.readouterr().out)["activations"][0]["function"]["x"]
    assert x[0] == float(low) and x[-1] == float(high)


def test_missing_parameters_are_named_as_the_command_line_has_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        cli.main(["plot", "threshold"])
    advice = capsys.readouterr().err.strip().rpartition("as in ")[2]
    assert advice == "threshold:threshold=0.25:value=0.25"
    assert cli.main(["plot", advice]) == 0


# ---- compare ----


def compared(capsys, *arguments):
    assert cli.main(["compare", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_compare(capsys):
    arguments = ["relu", "elu:alpha=2.0", "--data", "moons", "--repeats", "3", "--epochs", "30", "--hidden", "8"]
    report = compared(capsys, *arguments)
    assert report["data"] == "moons" and report["seeds"] == [0, 1, 2] and report["score"] == "accuracy"
    assert [row["activation"] for row in report["activations"]] == ["relu", "elu:alpha=2.0"]
    for row in report["activations"]:
        assert len(row["test scores"]) == row["runs"] == 3 and row["diverged"] == 0
        assert row["test mean"] == pytest.approx(np.mean(row["test scores"]), abs=1e-4)
        assert row["test sd"] == pytest.approx(np.std(row["test scores"], ddof=1), abs=1e-4)
        assert 0.6 < row["test mean"] <= 1 and row["epochs mean"] == 30 and 0 <= row["dead mean"] <= 1
    again = compared(capsys, *arguments)
    assert [row["test scores"] for row in again["activations"]] == [row["test scores"] for row in report["activations"]]
    (moved,) = compared(capsys, *arguments[:1], *arguments[2:], "--seed", "1")["activations"]
    assert moved["test scores"][:2] == report["activations"][0]["test scores"][1:]
    assert cli.main(["compare", *arguments]) == 0
    text = capsys.readouterr().out
    assert "relu " in text and "elu:alpha=2.0 " in text and " ± " in text and "diverged" not in text


def test_compare_a_regression_that_diverges(capsys):
    settings = ["--set", "learning_rate_init=9", "--set", "solver=sgd", "--repeats", "2", "--data", "diabetes"]
    report = compared(capsys, "exponential", *settings)
    (row,) = report["activations"]
    assert report["score"] == "R2"
    assert row["diverged"] == 2 and row["test mean"] is None and row["test scores"] == [None, None]
    assert cli.main(["compare", "exponential", *settings]) == 0
    assert "2 of 2" in capsys.readouterr().out


def test_compare_counts_and_one_seed(tmp_path, capsys):
    """A target that standardising would make negative; a single run has no spread."""
    path = tmp_path / "counts.csv"
    path.write_text("x,n\n" + "".join(f"{i / 50},{i // 5}\n" for i in range(200)))
    arguments = ["relu", "--data", str(path), "--target", "n", "--repeats", "1", "--seed", "3"]
    report = compared(capsys, *arguments, "--set", "loss=poisson", "--set", "solver=lbfgs")
    (row,) = report["activations"]
    assert row["test sd"] is None and row["test mean"] > 0.9
    assert cli.main(["compare", *arguments]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0].endswith("200 rows, 1 features; seed 3") and "±" not in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "none.csv", "--target", "y"], "none.csv: no such file or data set; the data sets are digits, iris"),
        (["--data", str(README)], "README.md is a file: name the column to predict with --target"),
        (["--target", "y"], "options such as --target and --ignore are for files; iris is a built-in data set"),
        (["--decimal", ","], "options such as --target and --ignore are for files; iris is a built-in data set"),
        (["--set", "depth=3"], "MLPClassifier has no parameter 'depth'; it has: activation, alpha"),
        (["--set", "alpha=-1"], "The 'alpha' parameter of MLPClassifier must be"),
        (["relu,tanh"], "has 2 entries for 1 hidden layer"),
        (["--data", "diabetes", "--test-size", "0.999999"], "--test-size 0.999999 leaves no row to train on"),
        (["--test-size", "0"], "--test-size 0 leaves no row to test on"),
    ],
)
def test_what_cannot_be_compared(arguments, message, capsys):
    assert cli.main(["compare", "--data", "iris", *arguments]) == 2
    assert message in one_line(capsys)


# ---- how it ends ----


def one_line(capsys):
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("pyrelu: ") and err.count("\n") == 1
    return err


@pytest.fixture
def endless(tmp_path, monkeypatch):
    """The end of a command that trains on x and y for ever; Ctrl-C comes half a second after the file is read."""
    load = datasets.from_file
    data = tmp_path / "data.csv"
    data.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(5000)))

    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))

    def load_and_start_the_clock(*arguments, **keywords):
        result = load(*arguments, **keywords)
        timer.start()
        return result

    monkeypatch.setattr(datasets, "from_file", load_and_start_the_clock)
    yield ["--target", "y", "--epochs", "1000000000", "--set", "n_iter_no_change=1000000000"]
    timer.cancel()  # where the command has ended by itself


@pytest.mark.interrupts
def test_ctrl_c_ends_a_command(endless, tmp_path, capsys):
    before = signal.getsignal(signal.SIGINT)
    assert cli.main(["compare", "--data", str(tmp_path / "data.csv"), *endless]) == 130
    assert one_line(capsys) == "pyrelu: interrupted\n"
    assert os.listdir(tmp_path) == ["data.csv"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.interrupts
@pytest.mark.parametrize(("kind", "cls"), [("mlp", "MLPClassifier"), ("tabular", "TabularMLPClassifier")])
def test_ctrl_c_in_train_keeps_the_last_whole_epoch(kind, cls, endless, tmp_path, capsys):
    before = signal.getsignal(signal.SIGINT)
    data, model = str(tmp_path / "data.csv"), str(tmp_path / "model")
    assert cli.main(["train", data, "--model", kind, "--hidden", "8", "--output", model, *endless, "--json"]) == 130
    out, err = capsys.readouterr()
    report, mlp = json.loads(out), getattr(pyrelu, cls).load(model)
    assert report["epochs"] == mlp.n_iter_ == len(mlp.loss_curve_) > 0
    plural = "s" if mlp.n_iter_ > 1 else ""
    assert err == f"pyrelu: interrupted; {model} holds the network after {mlp.n_iter_} whole epoch{plural}\n"
    assert signal.getsignal(signal.SIGINT) is before
    assert cli.main(["predict", model, data]) == 0


@pytest.mark.interrupts
def test_ctrl_c_while_the_table_is_read_saves_nothing(endless, tmp_path, monkeypatch, capsys):
    def read(self, X):
        while True:
            time.sleep(0.1)

    monkeypatch.setattr("pyrelu.tabular.TablePreprocessor.fit", read)
    data = str(tmp_path / "data.csv")
    assert cli.main(["train", data, "--output", str(tmp_path / "model"), *endless]) == 130
    assert one_line(capsys) == "pyrelu: interrupted\n"
    assert os.listdir(tmp_path) == ["data.csv"]


@pytest.mark.interrupts
def test_ctrl_c_in_train_before_an_epoch_saves_nothing(endless, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pyrelu._commands.standardised.fit", lambda mlp, *_: _until_interrupted(mlp))
    data = str(tmp_path / "data.csv")
    assert cli.main(["train", data, "--model", "mlp", "--output", str(tmp_path / "model"), *endless]) == 130
    assert one_line(capsys) == "pyrelu: interrupted before the end of the first epoch; nothing is saved\n"
    assert os.listdir(tmp_path) == ["data.csv"]


def _until_interrupted(mlp):
    """What a fit does that is interrupted in its first epoch."""
    mlp.n_iter_ = 0
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    command = f"{sys.executable} -m pyrelu plot relu elu gelu tanh --json --output {tmp_path / 'x.png'} | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("{\n", "")  # of more than a pipe holds


def test_module_runs_as_a_command():
    result = subprocess.run([sys.executable, "-m", "pyrelu", "--version"], capture_output=True, text=True)
    assert result.stdout == f"pyrelu {pyrelu.__version__}\n"
