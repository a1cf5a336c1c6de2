"""`pyrelu train` and `predict` with their default, the tabular estimators: tables as they come."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, rng

from pyrelu import TabularMLPClassifier, TabularMLPRegressor, cli
from pyrelu._commands import datasets
from pyrelu._commands.options import reading

pytestmark = few_epochs

SETTINGS = ["--seed", "0", "--hidden", "16", "--epochs", "20", "--output", "model"]


@pytest.fixture
def people(tmp_path, monkeypatch):
    """A file with a column of every kind, and missing values in all of them."""
    monkeypatch.chdir(tmp_path)
    random = rng("people")
    n = 200
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, size=n),
            "town": random.choice(["Rome", "Oslo", "Lima"], size=n),
            "street": [f"street {i}" for i in random.integers(0, 12, size=n)],
            "member": random.choice([True, False], size=n),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, size=n), "D"),
        }
    )
    frame["paid"] = frame["age"] * 2.5 + 100 * (frame["town"] == "Rome") + random.normal(size=n)
    for i, name in enumerate(frame.columns[:5]):
        frame[name] = frame[name].astype(object)
        frame.loc[frame.index[i::23], name] = None
    frame.to_csv("people.csv", index=False)
    return frame


def predicted(capsys, *arguments):
    capsys.readouterr()
    assert cli.main(["predict", "model", *arguments]) == 0
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize(("target", "cls"), [("town", TabularMLPClassifier), ("paid", TabularMLPRegressor)])
def test_a_table_trains_as_it_comes(target, cls, people, capsys):
    assert cli.main(["train", "people.csv", "--target", target, "--drop-missing", *SETTINGS, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    mlp = cls.load("model")
    kinds = {facts["name"]: facts["kind"] for facts in mlp.preprocessor_.columns_}
    assert kinds.pop("joined") == "date" and kinds["street"] == "category" and kinds["age"] == "number"
    assert sorted([*kinds, "joined"]) == sorted(report["features"]) and report["epochs"] == mlp.n_iter_
    score = report[f"training {'accuracy' if cls is TabularMLPClassifier else 'R2'}"]
    heading, *rows = predicted(capsys, "people.csv")
    values = np.array([row[0] for row in rows])
    assert heading == [target] and len(rows) == 200
    if cls is TabularMLPRegressor:
        assert score > 0.5 and np.corrcoef(values.astype(float), people["paid"])[0, 1] > 0.7


def test_other_order_unknown_values_and_gaps(people, capsys):
    assert cli.main(["train", "people.csv", "--target", "paid", *SETTINGS]) == 0
    want = predicted(capsys, "people.csv")
    people[people.columns[::-1]].assign(more=1).to_csv("turned.csv", index=False)
    assert predicted(capsys, "turned.csv") == want
    people.assign(town="Atlantis", age=None, joined=None).to_csv("strange.csv", index=False)
    assert np.isfinite(np.array(predicted(capsys, "strange.csv")[1:], float)).all()
    people.drop(columns="town").to_csv("less.csv", index=False)
    assert cli.main(["predict", "model", "less.csv"]) == 2
    assert "has no column 'town'" in capsys.readouterr().err
    people.assign(age="old").to_csv("wrong.csv", index=False)
    assert cli.main(["predict", "model", "wrong.csv"]) == 2
    assert "line 2, column 'age': 'old' is not a number" in capsys.readouterr().err


def test_probabilities(people, capsys):
    assert cli.main(["train", "people.csv", "--target", "town", "--drop-missing", *SETTINGS]) == 0
    heading, *rows = predicted(capsys, "people.csv", "--proba", "--keep", "age")
    assert heading == ["age", "town", "probability_Lima", "probability_Oslo", "probability_Rome"]
    np.testing.assert_allclose(np.array([row[2:] for row in rows], float).sum(axis=1), 1)


def test_a_model_that_python_saved(people, capsys):
    people["age"] = people["age"].astype(float)
    people["joined"] = pd.to_datetime(people["joined"])
    X, y = people.drop(columns="paid"), people["paid"]
    mlp = TabularMLPRegressor(hidden_layer_sizes=(16,), max_iter=5, random_state=0).fit(X, y)
    mlp.save("model")
    heading, *rows = predicted(capsys, "people.csv")
    assert heading == ["prediction"]
    np.testing.assert_allclose(np.array(rows, float)[:, 0], mlp.predict(X))


def test_a_column_that_is_not_what_it_was(people, capsys):
    X = pd.DataFrame({"age": pd.to_timedelta(range(30), "h")})
    TabularMLPRegressor(max_iter=1).fit(X, range(30)).save("model.safetensors")
    assert cli.main(["predict", "model.safetensors", "people.csv"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("pyrelu: people.csv does not fit the model: Column 'age' held durations in the fit"), error


def test_parameters_of_the_model(people, capsys):
    given = ["--set", "n_members=2", "--set", "preset=td", "--activation", "gelu"]
    assert cli.main(["train", "people.csv", "--target", "paid", *SETTINGS, *given]) == 0
    mlp = TabularMLPRegressor.load("model")
    assert len(mlp.estimators_) == 2 and mlp.activation == "gelu" and mlp.preset == "td"
    assert cli.main(["train", "people.csv", "--target", "paid", *SETTINGS, "--set", "solver=lbfgs"]) == 2
    assert "TabularMLPRegressor has no parameter 'solver'" in capsys.readouterr().err
    assert (
        cli.main(["train", "people.csv", "--target", "paid", *SETTINGS, "--model", "mlp", "--set", "solver=lbfgs"]) == 0
    )


def test_compare(people, capsys):
    given = ["--target", "paid", "--hidden", "16", "--epochs", "20", "--repeats", "2"]
    assert cli.main(["compare", "relu", "mish", "--model", "tabular", "--data", "people.csv", *given, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["activations"]
    assert [row["activation"] for row in rows] == ["relu", "mish"]
    assert rows[0]["test scores"] != rows[1]["test scores"]
    # The networks are those that Python trains on these rows.
    options = cli._parser().parse_args(["compare", "--data", "people.csv", *given])
    data = datasets.load("people.csv", "paid", **reading(options))
    training, held_out = data.split(options.test_size, 0)
    _, X, X_test = data.encoded(training, held_out, typed=True)
    mlp = TabularMLPRegressor(hidden_layer_sizes=(16,), max_iter=20, activation="mish", random_state=0)
    score = mlp.fit(X, data.y[training]).score(X_test, data.y[held_out])
    assert score == pytest.approx(rows[1]["test scores"][0], abs=1e-4)


def test_compare_on_bundled_sets(capsys):
    given = ["compare", "relu", "--model", "tabular", "--epochs", "4", "--repeats", "1", "--json"]
    assert cli.main([*given, "--data", "iris", "--set", "n_members=2"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["activations"]
    assert row["diverged"] == 0 and 0 <= row["dead mean"] <= 1
    assert cli.main([*given, "--data", "diabetes", "--set", "learning_rate_init=1e30"]) == 0
    assert json.loads(capsys.readouterr().out)["activations"][0]["diverged"] == 1
    assert cli.main([*given, "--data", "iris", "--set", "solver=sgd"]) == 2
    assert "TabularMLPClassifier has no parameter 'solver'" in capsys.readouterr().err
