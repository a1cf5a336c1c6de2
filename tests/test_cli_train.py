"""`pyrelu train` and `pyrelu predict`: from CSV to CSV, and what the saved network is."""

import csv
import fcntl
import io
import json
import os
import pty
import stat
import struct
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import rng
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from pyrelu import MLPClassifier, MLPRegressor, cli
from pyrelu._commands import standardised
from pyrelu._commands.predict import load


@pytest.fixture
def iris(tmp_path, monkeypatch):
    """A folder with iris.csv in it; its columns differ in scale by far."""
    monkeypatch.chdir(tmp_path)
    X, y = load_iris(return_X_y=True)
    X *= [1, 1000, 1, 1e-6]
    names = load_iris().target_names
    with open("iris.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "sepal length", "sepal width", "petal length", "petal width", "species"])
        writer.writerows([i, *x, names[k]] for i, (x, k) in enumerate(zip(X.tolist(), y, strict=True)))
    return tmp_path


def train(*arguments):
    return cli.main(["train", "iris.csv", "--ignore", "number", "--seed", "0", "--output", "model", *arguments])


def predicted(capsys, *arguments):
    capsys.readouterr()
    assert cli.main(["predict", "model", *arguments]) == 0
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


def rows():
    with open("iris.csv", newline="") as file:
        return list(csv.reader(file))


def test_classification(iris, capsys):
    assert train("--target", "species", "--hidden", "16", "--set", "learning_rate_init=0.01", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["task"] == "classification" and report["classes"] == ["setosa", "versicolor", "virginica"]
    assert report["features"] == ["sepal length", "sepal width", "petal length", "petal width"]
    assert (report["training rows"], report["test rows"], report["model"]) == (120, 30, "model")
    assert report["training accuracy"] > 0.9 and report["test accuracy"] > 0.85
    heading, *labels = predicted(capsys, "iris.csv")
    assert heading == ["species"] and len(labels) == 150
    truth = [row[-1] for row in rows()[1:]]
    accuracy = np.mean([label == [true] for label, true in zip(labels, truth, strict=True)])
    assert accuracy == pytest.approx(0.8 * report["training accuracy"] + 0.2 * report["test accuracy"], abs=1e-3)


def test_columns_are_found_by_name(iris, capsys):
    assert train("--target", "species", "--epochs", "20", "--set", "alpha=0.01") == 0
    want = predicted(capsys, "iris.csv", "--proba")
    order = [3, 5, 1, 0, 4, 2]
    with open("other.csv", "w", newline="") as file:
        csv.writer(file).writerows([row[i] for i in order] for row in rows())
    assert predicted(capsys, "other.csv", "--proba") == want
    with open("other.csv", "w", newline="") as file:
        csv.writer(file).writerows(row[:4] for row in rows())
    assert cli.main(["predict", "model", "other.csv"]) == 2
    assert "other.csv has no column 'petal width'; it has: 'number', 'sepal length'" in capsys.readouterr().err


def test_probabilities_and_json(iris, capsys):
    assert train("--target", "species", "--epochs", "20") == 0
    heading, *table = predicted(capsys, "iris.csv", "--proba")
    assert heading == ["species", "probability_setosa", "probability_versicolor", "probability_virginica"]
    p = np.array([row[1:] for row in table], float)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert [row[0] for row in table] == [heading[1 + i].removeprefix("probability_") for i in p.argmax(axis=1)]
    assert cli.main(["predict", "model", "iris.csv", "--proba", "--json", "--output", "out.json"]) == 0
    with open("out.json") as file:
        records = json.load(file)
    assert [list(record.values()) for record in records] == [[row[0], *map(float, row[1:])] for row in table]


def test_regression(iris, capsys):
    arguments = ["--target", "sepal width", "--ignore", "species", "--epochs", "500", "--test-size", "0"]
    assert train(*arguments, "--activation", "gelu,leaky_relu:negative_slope=0.2", "--hidden", "16,8") == 0
    text = capsys.readouterr().out
    assert "task           regression\n" in text and "test rows      0\n" in text
    mlp = MLPRegressor.load("model")
    assert mlp.get_params()["activation"] == ["gelu", ("leaky_relu", {"negative_slope": 0.2})]
    assert mlp.get_params()["verbose"] is False
    heading, *values = predicted(capsys, "iris.csv")
    X = np.array([[*row[1:2], *row[3:5]] for row in rows()[1:]], float)
    assert heading == ["sepal width"]
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(np.array(values, float)[:, 0], mlp.predict(X))
    truth = np.array([row[2] for row in rows()[1:]], float)
    assert np.mean((np.array(values, float)[:, 0] - truth) ** 2) < 0.5 * truth.var()


def test_the_saved_network_takes_raw_numbers():
    """Folding the scales into the weights changes nothing but rounding, however far the columns are apart."""
    random = rng("standardised")
    X = random.normal(size=(200, 5)) * [1, 1e6, 1e-6, 3, 0] + [0, 1e6, 5, -1000, 7]
    y = X[:, 0] + X[:, 1] / 1e6 + 50
    settings = dict(hidden_layer_sizes=(8, 4), activation="tanh", solver="lbfgs", random_state=0, max_iter=5000)
    raw, scaled = MLPRegressor(**settings), MLPRegressor(**settings)
    standardised.fit(raw, X, y)
    target = (y - y.mean()) / y.std()
    scaled.fit(StandardScaler().fit_transform(X), target)
    want = scaled.predict(StandardScaler().fit_transform(X)) * y.std() + y.mean()
    np.testing.assert_allclose(raw.predict(X), want, rtol=1e-7)
    raw, scaled = MLPClassifier(**settings), MLPClassifier(**settings)
    standardised.fit(raw, X, y > 50)
    scaled.fit(StandardScaler().fit_transform(X), y > 50)
    np.testing.assert_allclose(
        raw.predict_proba(X), scaled.predict_proba(StandardScaler().fit_transform(X)), rtol=1e-6, atol=1e-9
    )


def test_counts_stay_counts():
    X = np.arange(20.0)[:, np.newaxis]
    mlp = MLPRegressor("poisson", (4,), solver="lbfgs", random_state=0, max_iter=1000)
    standardised.fit(mlp, X, X[:, 0] // 4)
    assert (mlp.predict(X) > 0).all() and abs(mlp.predict(X) - X[:, 0] // 4).max() < 1


def test_models_that_python_saved(iris, capsys):
    X, y = load_iris(return_X_y=True)
    MLPClassifier(max_iter=2000, random_state=0).fit(X, y > 0).save("model")
    with open("numbers.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "c", "d"], *X.tolist()])
    assert predicted(capsys, "numbers.csv")[0::60] == [["prediction"], ["True"], ["True"]]
    with open("numbers.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b"], *X[:, :2].tolist()])
    assert cli.main(["predict", "model", "numbers.csv"]) == 2
    assert "numbers.csv has 2 columns; the model takes 4" in capsys.readouterr().err
    targets = np.column_stack([y == 0, y == 1]).astype(int)
    MLPClassifier(max_iter=2000, random_state=0).fit(X, targets).save("model")
    with open("numbers.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "c", "d"], *X.tolist()])
    assert predicted(capsys, "numbers.csv", "--proba")[0] == [
        "prediction_0",
        "prediction_1",
        "probability_0",
        "probability_1",
    ]


def test_a_file_is_replaced_whole_and_keeps_its_mode(iris, capsys, monkeypatch):
    assert train("--target", "species", "--epochs", "2") == 0
    with open("out.csv", "w") as file:
        file.write("old")
    os.chmod("out.csv", 0o640)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left on device")))
        assert cli.main(["predict", "model", "iris.csv", "--output", "out.csv"]) == 2
        assert "no space left on device" in capsys.readouterr().err
        with open("out.csv") as file:
            assert file.read() == "old"
    assert cli.main(["predict", "model", "iris.csv", "--output", "out.csv"]) == 0
    assert stat.S_IMODE(os.stat("out.csv").st_mode) == 0o640
    assert sorted(os.listdir()) == ["iris.csv", "model", "out.csv"]


@pytest.mark.parametrize("command", ["predict", "train", "plot"])
def test_a_pipe_is_written_to_and_not_replaced(command, iris):
    """Nor is a device: a file in place of /dev/null would harm the whole machine."""
    assert train("--target", "species", "--epochs", "2") == 0
    os.mkfifo("pipe")
    arguments = {
        "predict": ["model", "iris.csv"],
        "train": ["iris.csv", "--target", "species", "--ignore", "number", "--epochs", "2"],
        "plot": ["relu"],
    }[command]
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(Path("pipe").read_bytes)
        assert cli.main([command, *arguments, "--output", "pipe"]) == 0
        assert len(received.result(timeout=60)) > 1000
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    assert sorted(os.listdir()) == ["iris.csv", "model", "pipe"]


def test_a_bar_on_a_terminal_and_json_elsewhere(iris):
    main_end, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = "train iris.csv --target species --ignore number --epochs 20 --output model --json --seed 0"
    try:
        result = subprocess.run(
            [sys.executable, "-m", "pyrelu", *command.split()], stdout=subprocess.PIPE, stderr=terminal, timeout=100
        )
        shown = os.read(main_end, 1 << 20).decode()
    finally:
        os.close(terminal)
        os.close(main_end)
    assert result.returncode == 0 and json.loads(result.stdout)["model"] == "model"
    assert "fit:" in shown and "epoch" in shown


def test_warnings_are_lines(iris, capsys):
    assert train("--target", "species", "--epochs", "2") == 0
    assert capsys.readouterr().err.startswith("pyrelu: Stochastic Optimizer: Maximum iterations (2) reached")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--set", "depth=3"], "MLPClassifier has no parameter 'depth'"),
        (["--set", "solver=newton"], "'solver' parameter of MLPClassifier must be"),
        (["--activation", "relu,tanh"], "has 2 entries for 1 hidden layer"),
        (["--test-size", "0.001"], "--test-size 0.001: "),
        (["--ignore", "colour"], "iris.csv has no column 'colour'"),
        (["--output", "none/model"], "none/model cannot be written"),
        (["--output", "./iris.csv"], "./iris.csv is to be read; write to another file"),
        (["--set", "learning_rate_init=1e300"], "non-finite"),
    ],
)
def test_what_cannot_be_trained(arguments, message, iris, capsys):
    assert train("--target", "species", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.count("\n") == 1
    assert os.listdir() == ["iris.csv"]


@pytest.mark.parametrize("command", [["predict", "iris.csv", "iris.csv"], ["predict", "none", "iris.csv"]])
def test_what_is_no_model(command, iris, capsys):
    assert cli.main([*command, "--output", "out.csv"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"pyrelu: {command[1]}") and err.count("\n") == 1
    assert os.listdir() == ["iris.csv"]


def test_a_damaged_model_is_said_to_be_damaged(iris, capsys):
    assert train("--target", "sepal width", "--ignore", "species", "--epochs", "2") == 0
    with open("model", "rb") as file:
        content = bytearray(file.read())
    content[-1] ^= 1
    with open("model", "wb") as file:
        file.write(content)
    capsys.readouterr()
    assert cli.main(["predict", "model", "iris.csv"]) == 2
    assert "pyrelu: model is damaged" in capsys.readouterr().err


def test_proba_needs_classes(iris, capsys):
    assert train("--target", "sepal width", "--ignore", "species", "--epochs", "2") == 0
    assert cli.main(["predict", "model", "iris.csv", "--proba"]) == 2
    assert "--proba needs a classifier; model holds a regressor" in capsys.readouterr().err
    assert isinstance(load("model"), MLPRegressor)
