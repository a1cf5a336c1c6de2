"""How `pyrelu train` interprets the columns and the target of a file."""

import datetime
import io
import json
import os

import numpy as np
import pandas as pd
import pytest
from helpers import rng, write

from pyrelu import cli
from pyrelu._commands import column_kinds, columns, datasets, table_file
from pyrelu._commands.table_file import Format
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

GOOD = "width,height,kind\n1,2.5,cat\n3,4,dog\n5,6e1,cat\n-7,8,dog\n"


# ---- what columns hold ----


def kind(values, name="column"):
    frame = pd.read_csv(io.StringIO(f"other,{name}\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))))
    table = table_file.Table("file", frame, list(frame.columns), lambda row: f"line {row + 2}")
    return column_kinds.kind_of(table, name, Format())


@pytest.mark.parametrize(
    "values, name",
    [
        (["1", "2.5", "-3e4"], "number"),
        (["1", "", "NA", "null"], "number"),
        (["True", "False", "True"], "number"),
        (["true", "", "FALSE"], "number"),
        (["99999999999999999999999", "1"], "number"),
        (["a", "b", ""], "text"),
        (["18-25", "26-35", "36-45"], "text"),
        (["113803", "A/5 21171", "PC 17599", "7"], "text"),
        (["0", "1", "2", "3+"] * 5, "text"),
        (["", "", ""], "nothing"),
        (["2012-01-01", "2012-12-31", ""], "date"),
        (["2012-01-01T12:30:00", "2012-12-31T00:00:00"], "date"),
        (["2012/01/01", "2012/12/31"], "date"),
        (["1/31/2012", "12/1/2012"], "date"),
        (["31/1/2012", "1/12/2012"], "date"),
        (["31.1.2012", "1.12.2012"], "date"),
        (["Jan 5 2012", "Dec 31 2012"], "date"),
        (["2012-01-01", "2012-13-01", "never"], "text"),
        (["may", "june"], "text"),
    ],
)
def test_kinds(values, name):
    found = kind(values)
    assert found.name == name and found.fault is None


@pytest.mark.parametrize("share", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("odd", ["?", "-", "unknown"])
def test_numbers_with_a_mark_are_no_text(odd, share):
    """One text among numbers stands for a missing value, however often."""
    values = [odd if i < share * 200 else i / 8 for i in range(200)]
    assert kind(values).fault == f"line 2, column 'column': {odd!r} is not a number"


def test_text_that_looks_like_numbers(tmp_path):
    path = write(tmp_path, "zip,y\n" + "".join(f"0{i % 3},{i}\n" for i in range(30)))
    data = datasets.from_file(path, "y", texts=["zip"])
    learned, X = data.encoded(np.arange(30))
    assert learned.inputs == ["zip=00", "zip=01", "zip=02"] and X.sum(axis=0).tolist() == [10, 10, 10]


def test_a_text_has_the_hundred_most_frequent_categories():
    frame = pd.DataFrame({"place": np.repeat([f"place {i:03}" for i in range(120)], np.arange(10, 130))})
    learned = columns.Columns.learn(frame, {"place": column_kinds.Kind("text")})
    assert learned.inputs == [f"place=place {i:03}" for i in range(20, 120)]


def test_dates_are_days_and_a_place_in_the_year():
    frame = pd.DataFrame({"when": ["1/1/1970", "1/1/1972", "", "7/2/1971"], "n": [1, 2, 3, 4]})
    learned = columns.Columns.learn(
        frame, {"when": column_kinds.Kind("date", "%m/%d/%Y"), "n": column_kinds.Kind("number")}
    )
    X = learned.encode(frame)
    assert learned.names == ["n", "when"] and X.shape == (4, 7) == (4, len(learned.inputs))
    np.testing.assert_array_equal(X[:, 1], [0, 730, 547, 547])
    angle = 2 * np.pi * 730 / 365.2425
    np.testing.assert_allclose(X[1, 2:4], [np.sin(angle), np.cos(angle)])
    np.testing.assert_array_equal(X[:, 4:], [[0] * 3, [0] * 3, [1] * 3, [0] * 3])


def test_the_time_of_day_is_a_part_of_the_day():
    times = [datetime.datetime(1969, 12, 31, 6, 30), datetime.datetime(2024, 2, 29, 23, 59, 59)]
    frame = pd.DataFrame({"when": [time.strftime("%Y-%m-%d %H:%M:%S") for time in times]})
    encoded = columns.Columns.learn(frame, {"when": column_kinds.Kind("date", "ISO8601")}).encode(frame)
    want = [(time - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1) for time in times]
    np.testing.assert_allclose(encoded[:, 0], want, rtol=1e-15)


def test_encoding_is_that_of_pandas():
    """Medians, gaps and categories against pandas, on rows that hold what training did not."""
    random = rng("columns")
    n = 400
    frame = pd.DataFrame(
        {
            "a": np.where(random.random(n) < 0.1, np.nan, random.normal(size=n)),
            "flag": random.random(n) < 0.3,
            "city": random.choice(["Oslo", "Rome", "Bern", "", "Lima"], n, p=[0.5, 0.3, 0.1, 0.098, 0.002]),
        }
    ).replace("", None)
    kinds = {"a": column_kinds.Kind("number"), "flag": column_kinds.Kind("number"), "city": column_kinds.Kind("text")}
    learned = columns.Columns.from_facts(columns.Columns.learn(frame, kinds).facts())
    new = pd.DataFrame({"a": [np.nan, 2], "flag": [True, False], "city": [None, "Paris"]})
    everything = pd.concat([frame, new], ignore_index=True)
    X = learned.encode(everything)
    want = pd.DataFrame({"a": everything["a"].fillna(frame["a"].median()), "flag": everything["flag"].astype(float)})
    want["a is missing"] = everything["a"].isna()
    for city in ["", "Bern", "Oslo", "Rome"]:
        want[f"city={city}"] = everything["city"].fillna("") == city
    assert learned.inputs == list(want.columns)
    np.testing.assert_array_equal(X, want.astype(float).to_numpy())


@pytest.mark.parametrize("cell", ["fill", "categories", "format", "missing"])
def test_facts_are_checked(cell):
    """A model's file may come from a stranger."""
    frame = pd.DataFrame({"a": [1.0, 2], "b": ["x", "x"], "c": ["2020-01-01", "2020-01-02"]})
    kinds = {
        "a": column_kinds.Kind("number"),
        "b": column_kinds.Kind("text"),
        "c": column_kinds.Kind("date", "ISO8601"),
    }
    facts = columns.Columns.learn(frame, kinds).facts()
    columns.Columns.from_facts(facts)
    changed = {"fill": "numbers", "categories": "texts", "format": "dates", "missing": "numbers"}
    for value in (None, 3, "x", [], [1], {}, float("inf")):
        broken = json.loads(json.dumps(facts))
        broken[changed[cell]][0][cell] = value
        with pytest.raises(ValueError, match="not as pyrelu writes it"):
            columns.Columns.from_facts(broken)
    for broken in (None, [], {}, facts | {"numbers": 3}, facts | {"numbers": []}, facts | {"format": {}}):
        with pytest.raises(ValueError, match="not as pyrelu writes it"):
            columns.Columns.from_facts(broken)


@pytest.mark.parametrize(
    "name, values, left_out",
    [
        ("", ["Mazda", "Datsun", "Hornet", "Valiant"], True),
        ("Unnamed: 0", ["0", "1", "2", "3"], True),
        ("rownames", ["1", "2", "3", "4"], True),
        ("PassengerId", ["892", "893", "894", "895"], True),
        ("id", ["1", "2", "3", "4"], True),
        ("id", ["7", "2", "5", "4"], False),
        ("x", ["1", "2", "3", "4"], False),
        ("humid", ["1", "2", "3", "4"], False),
    ],
)
def test_an_index_is_left_out(name, values, left_out, tmp_path):
    rows = "".join(f"{value},{i % 2},{i / 3}\n" for i, value in enumerate(values))
    data = datasets.from_file(write(tmp_path, f"{name},flag,y\n{rows}"), "y")
    assert data.feature_names == (["flag"] if left_out else [name, "flag"])
    assert len(data.notes) == left_out and (not left_out or "left out" in data.notes[0])


# ---- what the target says ----


@pytest.mark.parametrize(
    "targets, task, classes",
    [
        (["a", "b", "1"], "auto", ["1", "a", "b"]),
        (["0", "1", "2"], "auto", ["0", "1", "2"]),
        (["01", "1", "2"], "auto", ["01", "1", "2"]),
        (["True", "False", "True"], "auto", ["False", "True"]),
        (["0.5", "1", "2"], "auto", None),
        ([*map(str, range(20))], "auto", [*sorted(map(str, range(20)))]),
        ([*map(str, range(21))], "auto", None),
        (["0", "1", "2"], "regression", None),
        (["0.5", "1.5"], "classification", ["0.5", "1.5"]),
        (["1", "2", "-"], "classification", ["-", "1", "2"]),
        (["18-25", "26-35"], "auto", ["18-25", "26-35"]),
    ],
)
def test_task(targets, task, classes, tmp_path):
    path = write(tmp_path, "x,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets)))
    data = datasets.from_file(path, "y", task=task)
    assert data.classification == (classes is not None)
    assert data.y.tolist() == (targets if classes else [float(target) for target in targets])
    if classes:
        assert np.unique(data.y).tolist() == classes


@pytest.mark.parametrize("task", ["auto", "regression"])
@pytest.mark.parametrize(
    "wrong", ["-", "unknown", "$21.00", '"21,0"', '"1,021"', "1_0", "NA", "nan", "", "inf", "1e308"]
)
def test_a_numeric_target_with_something_else_is_an_error(wrong, task, tmp_path, capsys):
    """It does not become classification; the message has line and value."""
    values = [f"{i / 7:.3f}" for i in range(40)]
    values[17] = wrong
    path = write(tmp_path, "x,y\n" + "".join(f"{i % 5},{value}\n" for i, value in enumerate(values)))
    assert cli.main(["train", path, "--target", "y", "--task", task, "--output", str(tmp_path / "model")]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"pyrelu: {path} line 19, column 'y': ") and err.count("\n") == 1
    missing = wrong in ("NA", "nan", "")
    assert ("the value to predict is missing" in err) == missing and (missing or wrong.strip('"')[:2] in err)
    assert os.listdir(tmp_path) == ["data.csv"]


def test_all_targets_with_a_sign(tmp_path):
    rows = "".join(f"{i},${i}.00\n" for i in range(30))
    with pytest.raises(InvalidFileError, match=r"line 2, column 'y': '\$0.00' is not a number \(remove the \$\)"):
        datasets.from_file(write(tmp_path, f"x,y\n{rows}"), "y")


def test_texts_that_are_no_classes(tmp_path):
    path = write(tmp_path, "x,y\n" + "".join(f"{i},name {i}\n" for i in range(30)))
    with pytest.raises(InvalidFileError, match="holds 30 different texts in 30 rows, too many for classes"):
        datasets.from_file(path, "y")
    assert len(np.unique(datasets.from_file(path, "y", task="classification").y)) == 30


def test_rows_without_a_target(tmp_path):
    path = write(tmp_path, "x,y\n1,2\n2,\n3,4\n4,NA\n5,6\n6,\n7,\n8,x\n")
    with pytest.raises(InvalidFileError, match="lines 3, 5, 7 and 1 more, column 'y': the value to predict is missing"):
        datasets.from_file(path, "y")
    with pytest.raises(InvalidFileError, match="line 9, column 'y': 'x' is not a number"):
        datasets.from_file(path, "y", drop_missing=True)
    data = datasets.from_file(path, "y", drop_missing=True, task="classification")
    assert data.y.tolist() == ["2", "4", "6", "x"] and data.X["x"].tolist() == [1, 3, 5, 8]
    assert data.notes[0] == "4 rows have no value of 'y' and are left out"


def test_regression_needs_numbers(tmp_path):
    with pytest.raises(InvalidFileError, match="line 3, column 'kind': 'dog' is not a number, as --task regression"):
        datasets.from_file(write(tmp_path, GOOD.replace("cat", "1")), "kind", task="regression")


def test_a_file_needs_a_target(tmp_path):
    with pytest.raises(InvalidParameterError, match="with --target"):
        datasets.from_file(write(tmp_path, GOOD), None)


@pytest.mark.parametrize("name", datasets.BUILT_IN)
def test_built_in_data(name):
    data = datasets.load(name, None)
    assert len(data.X) == len(data.y) and data.X.shape[1] == len(data.feature_names)
    assert data.classification == (name != "diabetes")


@pytest.mark.parametrize("test_size", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("counts", [[50, 50], [40, 9, 1], [3, 2, 1, 1], [2, 2, 2, 2], [1, 1]])
def test_no_class_is_held_out_whole(counts, test_size):
    y = np.repeat([f"class {i}" for i in range(len(counts))], counts)
    data = datasets.Data("", np.zeros((len(y), 1)), y, [], "y", True)
    if counts == [1, 1]:
        with pytest.raises(InvalidParameterError, match="leaves no row to test on"):
            data.split(test_size, 0)
        return
    training, held_out = data.split(test_size, 0)
    assert sorted([*training, *held_out]) == list(range(len(y))) and len(held_out) > 0
    assert set(y[training]) == set(y)
    if min(counts) > 1 and len(held_out) >= len(counts):
        assert set(y[held_out]) == set(y) or len(training) == len(counts)
