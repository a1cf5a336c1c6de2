"""`pyrelu train` and `pyrelu predict`: from CSV to CSV, and the saved network."""

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
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import rng
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from pyrelu import MLPClassifier, MLPRegressor, cli, registry
from pyrelu._commands import datasets, standardised
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
    return cli.main(
        ["train", "iris.csv", "--model", "mlp", "--ignore", "number", "--seed", "0", "--output", "model", *arguments]
    )


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


@pytest.mark.parametrize("setting", ["numeric_embedding=periodic", "scale_inputs=True"])
def test_classification_by_embedded_columns(iris, capsys, setting):
    options = ["--hidden", "16", "--set", "learning_rate_init=0.01", "--set", setting]
    assert train("--target", "species", *options, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["training accuracy"] > 0.9 and report["test accuracy"] > 0.85
    assert len(predicted(capsys, "iris.csv")) == 151


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


@pytest.mark.parametrize("ensemble_size", [1, 3])
def test_the_saved_network_takes_raw_numbers(ensemble_size):
    """Folding the scales into the weights changes nothing but rounding, however far the columns are apart."""
    random = rng("standardised")
    X = random.normal(size=(200, 5)) * [1, 1e6, 1e-6, 3, 0] + [0, 1e6, 5, -1000, 7]
    y = X[:, 0] + X[:, 1] / 1e6 + 50
    settings = dict(hidden_layer_sizes=(8, 4), activation="tanh", solver="lbfgs", random_state=0, max_iter=5000)
    settings["ensemble_size"] = ensemble_size
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


EMBEDDINGS = [
    *({"numeric_embedding": name, "numeric_features": of} for name in registry.embeddings for of in (None, [3, 1])),
    {"scale_inputs": True},
    {"categorical_features": [2]},
    {"categorical_features": [False, False, True, False, False]},
    {"numeric_embedding": next(iter(registry.embeddings)), "categorical_features": [2], "scale_inputs": True},
]


@pytest.mark.parametrize("ensemble_size", [1, 3])
@pytest.mark.parametrize("embedding", EMBEDDINGS, ids=str)
def test_an_embedding_takes_raw_numbers(embedding, ensemble_size):
    """Folding the scales into what the first layer takes in place of columns changes nothing but rounding."""
    random = rng("embedded")
    X = random.normal(size=(200, 5)) * [1, 1e4, 0, 3, 0] + [0, 1e5, 0, -100, 7]
    X[:, 2] = random.integers(4, size=len(X))
    y = X[:, 0] ** 2 + X[:, 1] / 1e4 + X[:, 2]
    settings = dict(activation="tanh", learning_rate_init=0.05, random_state=0, max_iter=20, tol=0)
    settings |= dict(hidden_layer_sizes=(8, 4), ensemble_size=ensemble_size) | embedding
    Z, target = StandardScaler().fit_transform(X), StandardScaler().fit(y[:, np.newaxis])
    if "categorical_features" in embedding:
        Z[:, 2] = X[:, 2]
    raw, scaled = MLPRegressor(**settings), MLPRegressor(**settings)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        standardised.fit(raw, X, y)
        scaled.fit(Z, target.transform(y[:, np.newaxis]).ravel())
    want = target.inverse_transform(scaled.predict(Z)[:, np.newaxis]).ravel()
    assert want.std() > 0.1 * y.std()
    np.testing.assert_allclose(raw.predict(X), want, rtol=1e-7, atol=1e-9)


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
    assert "numbers.csv has 2 columns; the model expects 4" in capsys.readouterr().err
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


def test_keep(iris, capsys):
    """Columns as they stand in the file, before the predictions; one of the target's name does not hide these."""
    with open("iris.csv") as file:
        text = file.read()
    with open("iris.csv", "w") as file:
        header, *lines = text.splitlines()
        file.write(
            "\n".join([header.replace("number", "number,code"), *(f"{i},00{line}" for i, line in enumerate(lines))])
        )
    assert train("--target", "species", "--ignore", "code", "--epochs", "20") == 0
    heading, first, *_ = kept = predicted(
        capsys, "iris.csv", "--keep", "code,sepal length", "--keep", "species", "--proba"
    )
    assert heading[:4] == ["code", "sepal length", "species", "predicted species"] and len(kept) == 151
    assert first[:3] == ["000", rows()[1][2], "setosa"]
    plain = predicted(capsys, "iris.csv", "--proba")
    assert [row[3:] for row in kept[1:]] == plain[1:]
    assert cli.main(["predict", "model", "iris.csv", "--keep", "code", "--json"]) == 0
    assert next(iter(json.loads(capsys.readouterr().out)[149].items())) == ("code", "00149")
    assert cli.main(["predict", "model", "iris.csv", "--keep", "cod"]) == 2
    assert "iris.csv has no column 'cod'" in capsys.readouterr().err


MIXED = "id,age,town,joined,member,paid\n" + "".join(
    f"{1000 - i},{'NA' if i % 7 == 3 else 20 + i % 50},{['Oslo', 'Rome', ''][i % 3]},2020-{1 + i % 12:02}-01,"
    f"{bool(i % 2)},{i % 50 + 10 * (i % 3):.1f}\n"
    for i in range(150)
)


@pytest.fixture
def mixed(tmp_path, monkeypatch, capsys):
    """A folder with a model of a file that holds numbers, text, dates and booleans, with gaps."""
    monkeypatch.chdir(tmp_path)
    Path("mixed.csv").write_text(MIXED)
    settings = [
        "--target",
        "paid",
        "--seed",
        "0",
        "--set",
        "solver=lbfgs",
        "--hidden",
        "16",
        "--epochs",
        "300",
        "--json",
    ]
    assert cli.main(["train", "mixed.csv", "--model", "mlp", *settings, "--output", "model"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_holds_what_it_learned_of_the_columns(mixed, capsys):
    """predict gives the numbers that the score of training was computed from, to the last digit."""
    assert mixed["features"] == ["id", "age", "member", "town", "joined"] and mixed["inputs"] == 10
    assert mixed["test R2"] > 0.5
    heading, *rows = predicted(capsys, "mixed.csv")
    assert heading == ["paid"]
    data = datasets.from_file("mixed.csv", "paid")
    training, held_out = data.split(0.2, 0)
    learned, _, X = data.encoded(training, held_out)
    mlp = load("model")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        want = mlp.predict(X)
    assert [float(rows[i][0]) for i in held_out] == want.tolist()
    assert list(mlp.feature_names_in_) == learned.inputs
    assert mixed["test R2"] == pytest.approx(r2_score(data.y[held_out], want), abs=1e-4)


def test_what_predict_meets_for_the_first_time(mixed, capsys):
    """Unknown towns are like rare ones, missing values are taken to be the median; both are allowed in each row."""
    header = "joined,more,town,member,id,age"
    rows = ["2024-02-29,x,Paris,True,5,30", ",x,,,,", "2020-01-01,x,Oslo,False,7,"]
    Path("new.csv").write_text("\n".join([header, *rows]))
    capsys.readouterr()
    assert cli.main(["predict", "model", "new.csv"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4 and all(np.isfinite(float(value)) for value in out.split()[1:])
    assert "pyrelu: column 'id': a value is missing, unlike in training; the median, " in err
    assert "column 'member': a value is missing" in err and "'age'" not in err


@pytest.mark.parametrize(
    "content, message",
    [
        ("age,town\n1,x\n", "new.csv has no columns 'id', 'member', 'joined'; it has: 'age', 'town'"),
        (
            MIXED.replace("\n999,", "\nx,").replace("2020-03-01", "March 2020"),
            "new.csv line 3, column 'id': 'x' is not a number; line 4, column 'joined': 'March 2020' is not a date as in "
            "training (YYYY-MM-DD)",
        ),
        (MIXED.replace("\n999,", "\ninf,"), "new.csv line 3, column 'id': inf is not finite"),
    ],
)
def test_files_that_do_not_fit_the_model(content, message, mixed, capsys):
    Path("new.csv").write_text(content)
    assert cli.main(["predict", "model", "new.csv", "--output", "out.csv"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"pyrelu: {message}\n")
    assert sorted(os.listdir()) == ["mixed.csv", "model", "new.csv"]


def test_what_stands_for_missing_values_is_remembered(mixed, capsys):
    Path("marks.csv").write_text(MIXED.replace(",NA,", ",?,"))
    assert cli.main(["train", "marks.csv", "--target", "paid", "--output", "marks"]) == 2
    assert "line 5, column 'age': '?' is not a number. If such a value stands for a" in capsys.readouterr().err
    assert (
        cli.main(["train", "marks.csv", "--target", "paid", "--missing", "?", "--epochs", "2", "--output", "marks"])
        == 0
    )
    assert cli.main(["predict", "marks", "marks.csv"]) == 0


def test_a_model_with_other_columns_than_its_network_has(mixed, capsys):
    mlp = load("model")
    mlp.table_columns_["texts"].pop()
    mlp.save("model")
    assert cli.main(["predict", "model", "mixed.csv"]) == 2
    assert "model describes 7 inputs; its network expects 10" in capsys.readouterr().err
    mlp.table_columns_["texts"] = 3
    mlp.save("model")
    assert cli.main(["predict", "model", "mixed.csv"]) == 2
    assert "model is damaged: the description of its columns" in capsys.readouterr().err


def test_a_score_that_is_not_defined_is_null(tmp_path, monkeypatch, capsys):
    """R2 of a single row; the model is written in any case, after the report was made."""
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("x,y\n" + "".join(f"{i % 5},{i / 3}\n" for i in range(30)))
    arguments = ["data.csv", "--target", "y", "--test-size", "0.01", "--epochs", "3", "--output", "model"]
    assert cli.main(["train", *arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert report["test rows"] == 1 and report["test R2"] is None and os.path.exists("model")
    assert cli.main(["train", *arguments]) == 0
    assert "test R2        undefined\n" in capsys.readouterr().out
    compare = ["compare", "relu", "--data", *arguments[:5], "--epochs", "3", "--repeats", "2"]
    assert cli.main([*compare, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["activations"]
    assert row["test mean"] is None and row["test scores"] == [None, None]
    assert cli.main(compare) == 0


@pytest.mark.parametrize("command", ["train", "compare"])
def test_a_class_of_one_row_is_used_for_training(command, iris, capsys):
    with open("iris.csv") as file:
        lines = file.read().splitlines()
    Path("iris.csv").write_text("\n".join([*lines, "150,1,2,3,4,unicorn"]))
    arguments = ["--target", "species", "--epochs", "3", "--json"]
    if command == "train":
        assert train(*arguments) == 0
    else:
        assert cli.main(["compare", "relu", "--data", "iris.csv", "--repeats", "2", *arguments]) == 0
    out, err = capsys.readouterr()
    assert "pyrelu: class 'unicorn' has a single row, which is used for training\n" in err
    if command == "train":
        report = json.loads(out)
        assert "unicorn" in report["classes"] and report["test rows"] == 30


def test_warnings_are_lines(iris, capsys):
    assert train("--target", "species", "--epochs", "2") == 0
    assert capsys.readouterr().err == "pyrelu: training ended after 2 epochs without converging; raise --epochs\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--set", "depth=3"], "MLPClassifier has no parameter 'depth'"),
        (["--set", "solver=newton"], "'solver' parameter of MLPClassifier must be"),
        (["--activation", "relu,tanh"], "has 2 entries for 1 hidden layer"),
        (["--ignore", "sepal length,colour"], "iris.csv has no column 'colour'; it has: 'number'"),
        (["--ignore", "colour"], "iris.csv has no column 'colour'"),
        (["--output", "none/model"], "none/model cannot be written"),
        (["--output", "./iris.csv"], "./iris.csv is an input file; write to another one"),
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
