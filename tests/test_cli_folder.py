"""`pyrelu train` on folders of Parquet files: as on one file, a batch of rows at a time; and what is wrong with them."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, rng

from pyrelu import MLPClassifier, MLPRegressor, TabularMLPClassifier, cli
from pyrelu._commands import out_of_core, parquet_folder

pytest.importorskip("pyarrow")
pytestmark = few_epochs

N, FILES = 900, 3


@pytest.fixture
def frame(tmp_path, monkeypatch):
    """A table with a column of every kind, in one file and in the files of a folder; few rows are read at a time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parquet_folder, "BATCH", 128)
    random = rng("folder")
    frame = pd.DataFrame(
        {
            "row_id": np.arange(N),
            "age": random.integers(18, 90, N).astype(float),
            "size": random.normal(100, 30, N),
            "member": random.random(N) > 0.5,
            "town": random.choice(["Rome", "Oslo", "Lima"], N),
            "note": [f"note {i}" for i in range(N)],
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, N), "D"),
        }
    )
    frame["paid"] = frame["age"] * 2.5 + 100 * (frame["town"] == "Rome") + random.normal(size=N)
    frame["kind"] = np.where(frame["paid"] > 180, "dear", "cheap")
    for i, name in enumerate(("age", "town", "joined")):
        frame[name] = frame[name].where(np.arange(N) % 23 != i)
    frame.to_parquet("table.parquet")
    write(frame)
    return frame


def write(frame, change=lambda part, i: part):
    Path("parts").mkdir(exist_ok=True)
    for i in range(FILES):
        part = frame.iloc[i * N // FILES : (i + 1) * N // FILES].reset_index(drop=True)
        change(part, i).to_parquet(f"parts/{i}.parquet")


def train(data, target, *options, model="mlp", output="model"):
    other = "paid" if target == "kind" else "kind"
    settings = ["--seed", "0", "--hidden", "16", "--epochs", "2", "--ignore", other, "--output", output, "--json"]
    return cli.main(["train", data, "--target", target, "--model", model, *settings, *options])


def report(capsys):
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments, **keywords):
    assert train(*arguments, **keywords) == 2
    return capsys.readouterr().err


# ---- as one file ----


@pytest.mark.parametrize(("target", "cls"), [("kind", MLPClassifier), ("paid", MLPRegressor)])
def test_in_the_files_order_it_is_the_fit_to_one_file(target, cls, frame, monkeypatch, capsys):
    settings = ["--test-size", "0", "--set", "shuffle=False"]
    assert train("table.parquet", target, *settings, output="one") == 0
    one = report(capsys)
    monkeypatch.setattr(parquet_folder.ParquetFolder, "read", None)  # all of it
    assert train("parts", target, *settings) == 0
    parts = report(capsys)
    left_out = [
        "column 'row_id' numbers the rows and is left out",
        "column 'note' is left out: its values hardly ever repeat",
    ]
    assert parts["notes"] == one["notes"] == left_out
    for name in ("features", "inputs", "training rows", "test rows", "epochs"):
        assert parts[name] == one[name], name
    [score] = [name for name in one if name.startswith("training ") and name != "training rows"]
    assert parts[score] == pytest.approx(one[score], abs=2e-4) and parts["loss"] == pytest.approx(one["loss"], rel=1e-6)
    a, b = cls.load("one"), cls.load("model")
    assert b.table_columns_ == a.table_columns_
    assert b.feature_names_in_.tolist() == a.feature_names_in_.tolist()
    for ours, theirs in zip(b.coefs_, a.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_it_predicts_what_one_file_holds(frame, capsys):
    assert train("parts", "kind", "--set", "learning_rate_init=0.02", "--epochs", "20") == 0
    found = report(capsys)
    assert found["training rows"] + found["test rows"] == N and 0.1 < found["test rows"] / N < 0.3
    assert min(found["training accuracy"], found["test accuracy"]) > 0.85
    for data in ("table.parquet", "parts"):
        assert cli.main(["predict", "model", data]) == 0
        labels = capsys.readouterr().out.split()[1:]
        accuracy = np.mean(np.array(labels) == frame["kind"])
        shares = found["training rows"] * found["training accuracy"], found["test rows"] * found["test accuracy"]
        assert accuracy == pytest.approx(sum(shares) / N, abs=1e-3)


def test_early_stopping_holds_out_rows(frame, monkeypatch, capsys):
    settings = ["--set", "early_stopping=True", "--set", "learning_rate_init=0.02"]
    assert train("parts", "kind", *settings, "--set", "n_iter_no_change=4", "--epochs", "200") == 0
    found = report(capsys)
    assert found["training rows"] + found["validation rows"] + found["test rows"] == N
    assert 20 < found["validation rows"] < 200 and found["epochs"] < 200
    mlp = MLPClassifier.load("model")
    assert mlp.best_validation_score_ == max(mlp.validation_scores_) > 0.8
    monkeypatch.setattr(out_of_core, "MOST_SCORED", 20)
    assert train("parts", "kind", *settings) == 0
    assert 5 < report(capsys)["validation rows"] < 60


def test_the_same_seed_gives_the_same_network(frame, capsys):
    networks = []
    for seed in ("1", "1", "2"):
        assert train("parts", "paid", "--seed", seed) == 0
        networks.append(MLPRegressor.load("model").coefs_[0])
    assert (networks[0] == networks[1]).all() and (networks[0] != networks[2]).any()


def test_types_that_go_together(frame, capsys):
    """Integers where no value is missing, columns without values, categories of pandas."""

    def change(part, i):
        part = part.astype({"size": [np.int32, np.float32, float][i]})
        if i == 1:
            part = part.assign(age=None, town=part["town"].astype("category"))
        return part if i else part[part.columns[::-1]]

    write(frame, change)
    assert train("parts", "kind") == 0
    columns = MLPClassifier.load("model").table_columns_
    assert {"age", "size"} < {number["name"] for number in columns["numbers"]}
    assert [text["categories"] for text in columns["texts"] if text["name"] == "town"] == [["", "Lima", "Oslo", "Rome"]]


def test_folders_that_name_a_column(frame, tmp_path, capsys):
    for town, part in frame.groupby("town"):
        folder = tmp_path / "towns" / f"town={town}"
        folder.mkdir(parents=True)
        part.drop(columns="town").to_parquet(folder / "part.parquet")
        (folder / "_temporary.parquet").write_bytes(b"not read")
    (tmp_path / "towns" / "_SUCCESS").touch()
    assert train("towns", "kind") == 0
    columns = MLPClassifier.load("model").table_columns_
    assert [text["categories"] for text in columns["texts"] if text["name"] == "town"] == [["Lima", "Oslo", "Rome"]]


def test_a_file_that_is_too_large_for_memory(frame, monkeypatch, capsys):
    monkeypatch.setattr(parquet_folder, "_free_memory", lambda: 1000)
    monkeypatch.setattr(pd, "read_parquet", None)
    assert train("table.parquet", "kind") == 0
    assert report(capsys)["training rows"] > N / 2


# ---- the tabular estimators ----


def test_tabular_estimators_read_all(frame, monkeypatch, capsys):
    assert train("parts", "kind", "--epochs", "2", model="tabular") == 0
    found = report(capsys)
    assert "all 900 rows are read into memory; with --model mlp, they are not" in found["notes"]
    assert found["features"] == ["age", "size", "member", "town", "joined"]
    assert {"age", "town"} < set(TabularMLPClassifier.load("model").feature_names_in_)
    monkeypatch.setattr(parquet_folder, "_free_memory", lambda: 1000)
    assert "parts holds 0.0 GiB in 900 rows, and 0.0 GiB of memory are free; --model mlp" in refused(
        capsys, "parts", "kind", model="tabular"
    )


# ---- faults ----


@pytest.mark.parametrize("data", ["parts", "table.parquet"])
@pytest.mark.parametrize("package", ["pandas", "pyarrow"])
def test_packages_that_are_missing_are_named(package, data, frame, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert refused(capsys, data, "kind") == f"pyrelu: this needs {package}; install it with: pip install {package}\n"


def test_no_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    said = "parts is a folder without a file whose name ends in .parquet or .pq"
    assert said in refused(capsys, "parts", "kind")
    assert said in refused(capsys, "parts", "kind", model="tabular")


@pytest.mark.parametrize("model", ["mlp", "tabular"])
@pytest.mark.parametrize("keep", [0, 10, -1000])
def test_damaged_files_are_named(keep, model, frame, tmp_path, capsys):
    file = tmp_path / "parts" / "1.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:keep])
    assert "parts/1.parquet cannot be read as Parquet: " in refused(capsys, "parts", "kind", model=model)
    file.write_bytes(content[:300] + bytes(200) + content[500:])
    assert "parts/1.parquet is damaged: " in refused(capsys, "parts", "kind", model=model)
    assert not (tmp_path / "model").exists()


MIXED = {
    "parts/1.parquet lacks the column 'age', which parts/0.parquet has; all files": lambda part: part.drop(
        columns="age"
    ),
    "parts/0.parquet lacks the column 'new', which parts/1.parquet has; all files": lambda part: part.assign(new=1),
    "parts/1.parquet has the type string in column 'size', and parts/0.parquet has double; all files": (
        lambda part: part.astype({"size": str})
    ),
}


@pytest.mark.parametrize("said", MIXED)
def test_mixed_files_are_named(said, frame, capsys):
    write(frame, lambda part, i: MIXED[said](part) if i == 1 else part)
    assert said in refused(capsys, "parts", "kind")


def test_faults_beyond_the_first_rows_are_found_before_training(frame, monkeypatch, capsys):
    monkeypatch.setattr(out_of_core, "SAMPLE", 60)
    assert train("parts", "kind") == 0

    def last(name, value):
        changed = frame.copy()
        changed[name] = changed[name].astype(object)
        changed.loc[N - 1, name] = value
        return changed

    texts = frame.assign(age=frame["age"].map(lambda age: None if np.isnan(age) else f"{age:g}"))
    texts.loc[N - 1, "age"] = "old"
    write(texts)
    assert "parts/2.parquet row 300, column 'age': 'old' is not a number" in refused(capsys, "parts", "kind")
    write(last("size", np.inf).astype({"size": float}))
    assert "parts/2.parquet row 300, column 'size': inf is not finite" in refused(capsys, "parts", "kind")
    write(last("kind", None))
    said = "parts/2.parquet row 300, column 'kind': the value to predict is missing; --drop-missing"
    assert said in refused(capsys, "parts", "kind")
    assert train("parts", "kind", "--drop-missing") == 0
    found = report(capsys)
    assert found["training rows"] + found["test rows"] == N - 1
    assert "1 row has no value of 'kind' and is left out" in found["notes"]
    write(
        frame.assign(kind=np.arange(N) // (N // 30)).sort_values("row_id"),
        lambda part, i: part.assign(kind=np.where(np.arange(len(part)) < 20, 1, part["kind"])),
    )
    assert "give --task classification or --task regression" in refused(capsys, "parts", "kind")
    assert train("parts", "kind", "--task", "regression") == 0
    write(frame.assign(kind="one"))
    assert "column 'kind': all rows are of the class 'one'" in refused(capsys, "parts", "kind")


def test_rows_sorted_by_class(frame, monkeypatch, capsys):
    """In the first rows of each file there is one class only."""
    monkeypatch.setattr(out_of_core, "SAMPLE", 30)
    write(frame.sort_values("kind"))
    assert train("parts", "kind") == 0
    assert report(capsys)["classes"] == ["cheap", "dear"]


def test_shares_that_leave_no_rows(frame, capsys):
    assert "--test-size 1e-09 leaves 0 of 900 rows to score" in refused(capsys, "parts", "kind", "--test-size", "1e-9")
    assert "no row to train on" in refused(capsys, "parts", "kind", "--test-size", "0.9999999")


def test_moments_are_those_of_all_rows():
    random = rng("moments")
    matrix = random.normal(1e6, 1, (500, 3))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    matrix[:, 2] = 7
    moments = out_of_core.Moments()
    for batch in np.split(matrix, [1, 3, 200]):
        moments.add(batch)
    np.testing.assert_allclose(moments.mean, np.nanmean(matrix, axis=0), rtol=1e-14)
    np.testing.assert_allclose(moments.scale, [*np.nanstd(matrix[:, :2], axis=0), 1], rtol=1e-9)
    filled = np.where(np.isnan(matrix), 5.0, matrix)
    moments.add_constant(np.isnan(matrix).sum(axis=0), np.full(3, 5.0))
    np.testing.assert_allclose(moments.scale[:2], filled.std(axis=0)[:2], rtol=1e-9)
