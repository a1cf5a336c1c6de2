"""How `pyrelu train`, `predict` and `compare` read files, good and bad."""

import bz2
import csv
import datetime
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from helpers import rng

from pyrelu import cli
from pyrelu._commands import columns, datasets, table_file
from pyrelu._commands.table_file import Format
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

GOOD = "width,height,kind\n1,2.5,cat\n3,4,dog\n5,6e1,cat\n-7,8,dog\n"
NUMBERS = [[1, 2.5], [3, 4], [5, 60], [-7, 8]]


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def numbers(path, format=table_file.PLAIN):
    return table_file.read(path, format).frame[["width", "height"]].to_numpy(dtype=float)


def zipped(content, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


# ---- reading ----


WRITTEN = {
    "plain": GOOD,
    "crlf": GOOD.replace("\n", "\r\n"),
    "cr": GOOD.replace("\n", "\r"),
    "byte order mark": "\ufeff" + GOOD,
    "no newline at the end": GOOD.rstrip("\n"),
    "blank lines": "\n\n" + GOOD.replace("\n", "\n\n"),
    "spaces": GOOD.replace(",", ", "),
    "quotes": GOOD.replace("3,4,dog", '"3","4","dog"').replace("width", '"width"'),
    "semicolons": GOOD.replace(",", ";"),
    "tabs": GOOD.replace(",", "\t"),
    "bars": GOOD.replace(",", "|"),
    "a comma in a quoted name": GOOD.replace(",", ";").replace("kind", '"kind, of, which, animal"'),
    "utf-16": GOOD.encode("utf-16"),
    "utf-16 big-endian": b"\xfe\xff" + GOOD.encode("utf-16-be"),
    "utf-32": GOOD.encode("utf-32"),
    "gzip": gzip.compress(GOOD.encode()),
    "bzip2": bz2.compress(GOOD.encode()),
    "xz": lzma.compress(GOOD.encode()),
    "zip": zipped(GOOD, "data.csv"),
    "R's row names": "width,height,kind\n" + "".join(f"{i},{row}\n" for i, row in enumerate(GOOD.split()[1:])),
}


@pytest.mark.parametrize("what", WRITTEN)
def test_files_as_programs_write_them(what, tmp_path):
    np.testing.assert_array_equal(numbers(write(tmp_path, WRITTEN[what])), NUMBERS)


def test_formats_that_have_to_be_named(tmp_path):
    german = "width;height;kind\n1.000,5;2;é\n?;3;b\n"
    path = write(tmp_path, german.encode("cp1252"))
    format = Format(decimal=",", thousands=".", encoding="cp1252", missing=("?",))
    table = table_file.read(path, format)
    np.testing.assert_array_equal(table.frame["width"], [1000.5, np.nan])
    assert table.frame["kind"].tolist() == ["é", "b"]
    texts = table_file.read(path, format, texts=["width"]).frame["width"]
    assert texts[0] == "1.000,5"
    np.testing.assert_array_equal(columns.as_numbers(texts, format), [1000.5, np.nan])


def test_options_become_the_format():
    words = ["predict", "m", "d", "--sep", r"\t", "--decimal", ",", "--thousands", ".", "--encoding", "Latin-1"]
    given = cli._parser().parse_args([*words, "--missing", "?,-", "--missing", "none"])
    assert cli.options.format_of(given) == Format("\t", ",", ".", "iso8859-1", ("?,-", "?", "-", "none"))
    known = Format(";", ",", ".", "cp1252", ("?",))
    assert cli.options.format_of(cli._parser().parse_args(words[:3]), known) == known
    other = cli._parser().parse_args([*words[:3], "--decimal", ":", "--missing", "-"])
    assert cli.options.format_of(other, known) == Format(";", ":", ".", "cp1252", ("?", "-"))


@pytest.mark.parametrize(
    "changed", [{"decimal": "xx"}, {"thousands": "."}, {"sep": 1}, {"encoding": "rot13"}, {"a": 1}]
)
def test_formats_in_a_file_are_checked(changed):
    facts = columns.Columns.learn(pd.DataFrame({"a": [1.0, 2]}), {"a": columns.Kind("number")}).facts()
    facts["format"] |= changed
    with pytest.raises(ValueError, match="not as pyrelu writes it"):
        columns.Columns.from_facts(facts)


def test_predict_reads_files_as_train_did(tmp_path, monkeypatch, capsys):
    """1.234 is not 1,234: a model that forgot the format would predict from other numbers without a word."""
    monkeypatch.chdir(tmp_path)
    cells = [f"{i}.000,5;{'Köln' if i % 2 else 'Wien'};{i}" for i in range(1, 41)]
    write(tmp_path, "\n".join(["Größe;Ort;Preis", *cells]).encode("cp1252"))
    given = ["--sep", ";", "--decimal", ",", "--thousands", ".", "--encoding", "cp1252"]
    assert cli.main(["train", "data.csv", "--target", "Preis", "--output", "model", "--epochs", "3", *given]) == 0
    capsys.readouterr()
    assert cli.main(["predict", "model", "data.csv", *given]) == 0
    told = capsys.readouterr().out
    assert cli.main(["predict", "model", "data.csv"]) == 0
    assert capsys.readouterr().out == told and len(set(told.split())) > 20
    assert cli.main(["predict", "model", "data.csv", "--encoding", "ascii"]) == 2
    assert "the text is not ASCII" in capsys.readouterr().err


def test_a_character_has_one_meaning(tmp_path, capsys):
    path = write(tmp_path, "x,y\n1.5,2\n")
    words = ["train", path, "--target", "y", "--output", str(tmp_path / "m"), "--thousands", "."]
    assert cli.main(words) == 2
    assert capsys.readouterr().err == (
        "pyrelu: --decimal and --thousands are both '.'; they must be different characters\n"
    )


@pytest.mark.parametrize("dates", [["03/04/2021", "2021-03-04", "30.12.2020"], ["4 Mar 2021", "Mar 4, 2021"]])
def test_mixed_dates_are_said_to_be_text(dates, tmp_path):
    path = write(tmp_path, "day,x\n" + "".join(f'"{day}",{i}\n' for i in range(8) for day in dates))
    kind = columns.kind_of(table_file.read(path), "day", table_file.PLAIN)
    assert kind.name == "text"
    assert kind.note == "column 'day' mixes dates written in different ways and is treated as text"


@pytest.mark.parametrize("ending, package", [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_files_with_types(ending, package, tmp_path, monkeypatch, capsys):
    """The content reaches the model as that of a CSV file; without the package that reads it, a sentence names it."""
    path = str(tmp_path / f"data.{ending}")
    frame = pd.DataFrame({"x": [1, 2, 3, 4], "when": pd.date_range("2020", periods=4), "y": [0.5, 1, 2, 8]})
    reader = "read_excel" if ending == "xlsx" else "read_parquet"
    (tmp_path / f"data.{ending}").write_bytes(b"not read")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pd, reader, lambda path, engine, **_: frame.copy())
        data = datasets.from_file(path, "y")
    assert {name: kind.name for name, kind in data.kinds.items()} == {"x": "number", "when": "date"}
    assert data.y.tolist() == [0.5, 1, 2, 8]
    monkeypatch.setitem(sys.modules, package, None)
    assert cli.main(["train", path, "--target", "y", "--output", str(tmp_path / "model")]) == 2
    assert f"pip install {package}" in capsys.readouterr().err


def test_pandas_is_named_where_it_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pandas", None)
    path = write(tmp_path, GOOD)
    assert cli.main(["train", path, "--target", "kind", "--output", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err == "pyrelu: this needs pandas; install it with: pip install pandas\n"


WITHOUT_PANDAS = """
import sys


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pandas":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Finder())
from pyrelu import cli

print([cli.main(command.split()) for command in sys.argv[1:]])
"""


def test_only_files_need_pandas(tmp_path):
    commands = [
        "info",
        "compare relu --data iris --repeats 1 --epochs 1",
        f"plot relu --output {tmp_path / 'x.png'}",
        f"demo --epochs 1 --output {tmp_path / 'x.png'}",
        f"train {write(tmp_path, GOOD)} --target kind --output {tmp_path / 'model'}",
    ]
    result = subprocess.run([sys.executable, "-c", WITHOUT_PANDAS, *commands], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[0, 0, 0, 0, 2]", result.stderr


def test_quoted_cells_may_hold_anything(tmp_path):
    table = table_file.read(write(tmp_path, 'width,kind\n1,"cat, or\n""dog"""\n2,é\n'))
    assert table.frame["kind"].tolist() == ['cat, or\n"dog"', "é"]
    assert [table.where(row) for row in (0, 1)] == ["line 2", "line 4"]


def test_standard_input(tmp_path):
    read, write_end = os.pipe()
    os.write(write_end, GOOD.encode())
    os.close(write_end)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", open(0, closefd=False))
            np.testing.assert_array_equal(numbers("-"), NUMBERS)
    finally:
        os.dup2(saved, 0)
        os.close(read)
        os.close(saved)


def test_numbers_survive_the_way_through_a_file(tmp_path):
    values = rng("csv").normal(size=200) * 10.0 ** np.arange(-100, 100)
    path = write(tmp_path, "x,kind\n" + "".join(f"{json.dumps(value)},a\n" for value in values.tolist()))
    np.testing.assert_allclose(table_file.read(path).frame["x"], values, rtol=3e-16)


def test_wide_files(tmp_path, capsys):
    """The header is compared with itself a number of times that grows with its length, not with its square."""
    comparisons = 0

    class Name(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal comparisons
            comparisons += 1
            return str.__eq__(self, other)

        def strip(self):
            return Name(str.strip(self))

    n = 3000
    header = [f"c{i}" for i in range(n)]
    path = write(tmp_path, "\n".join([",".join(header), *(",".join(["1", "2.5"] * (n // 2)) for _ in range(4))]))
    records = table_file._records.__next__

    def named(self):
        line, record = records(self)
        return line, [Name(cell) for cell in record] if line == 1 else record

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_file._records, "__next__", named)
        data = datasets.from_file(path, "c7", task="regression")
    assert len(data.feature_names) == n - 1
    assert 0 < comparisons < 50 * n


# ---- what is wrong with a file ----

LONG = "width,height,kind\n" + "".join(f"{i},{i / 4},{'cat' if i % 3 else 'dog'}\n" for i in range(1, 41))

BAD = {
    "empty": ("", "is empty"),
    "blank": ("\n\n\n", "is empty"),
    "header only": ("width,height,kind\n", "has a header, but no rows"),
    "no such column": ("width,height\n1,2\n", "has no column 'kind'; it has: 'width', 'height'"),
    "other case": (
        LONG.replace("kind", "Kind"),
        "has no column 'kind'; it has: 'width', 'height', 'Kind' (did you mean 'Kind'?)",
    ),
    "text": (LONG.replace("3,0.75", "3,four"), "line 4, column 'height': 'four' is not a number. If such a value"),
    "decimal comma": (
        LONG.replace("3,0.75", '3,"0,75"'),
        "line 4, column 'height': '0,75' is not a number (try --decimal ,)",
    ),
    "thousands": (
        LONG.replace("3,0.75", '3,"3,750"'),
        "line 4, column 'height': '3,750' is not a number (try --thousands ,)",
    ),
    "currency": (
        LONG.replace("\n3,", "\n$3.00,").replace("\n4,", "\n$4,"),
        "line 4, column 'width': '$3.00' is not a number (remove the $)",
    ),
    "several columns": (
        LONG.replace("3,0.75", "x,0.75").replace("5,1.25", "5,-"),
        "line 4, column 'width': 'x' is not a number; line 6, column 'height': '-' is not a number. If such a value "
        "stands for a missing one, name it with --missing; to take columns as text, or to leave them out, give --text or "
        "--ignore width,height",
    ),
    "underscore": (LONG.replace("3,0.75", "3,4_000"), "line 4, column 'height': '4_000' is not a number"),
    "missing target": (
        GOOD.replace("4,dog", "4,").replace("60,cat", "60,NA"),
        "line 3, column 'kind': the value to predict is missing; --drop-missing leaves such rows out",
    ),
    "no target at all": (GOOD.replace("cat", "").replace("dog", ""), "column 'kind' has no values"),
    "infinite": (GOOD.replace("3,4", "3,1e999"), "line 3, column 'height': inf is not finite"),
    "too large": (GOOD.replace("3,4", "3,1e308"), "line 3, column 'height': 1e+308 is not below 1e+150 in size"),
    "long row": (GOOD.replace("3,4,dog", "3,4,dog,5"), "line 3: the row has 4 cells, the header 3"),
    "long rows": (
        GOOD.replace("dog", "dog,5,6").replace("cat", "cat,5,6"),
        "line 2: the row has 5 cells, the header 3",
    ),
    "after blank lines": (LONG.replace("\n3,", "\n\n\nx,"), "line 6, column 'width': 'x' is not a number"),
    "twice": (GOOD.replace("height", "width"), "has two columns named 'width': column 1 and column 2 of the header"),
    "open quote": (GOOD.replace("3,4,dog", '3,4,"dog'), "line 3: a quotation mark is opened and never closed"),
    "latin 1": (
        GOOD.replace("4,dog", "4,é").encode("latin1"),
        "line 3: the text is not UTF-8; name its encoding, as in --encoding cp1252",
    ),
    "latin 1 header": (GOOD.replace("height", "höhe").encode("latin1"), "line 1: the text is not UTF-8; name its"),
    "utf-16 without a mark": (GOOD.encode("utf-16-le"), "is not a text file"),
    "one class": (GOOD.replace("dog", "cat"), "column 'kind': all rows are of the class 'cat'"),
    "only a target": ("kind\ncat\ndog\n", "has no column to predict 'kind' from"),
    "binary": (bytes(range(256)) * 40, "is not a text file; CSV, Parquet (.parquet) and Excel (.xlsx) can be read"),
    "many columns": (",".join(f"c{i}" for i in range(99)) + "\n1", "has no column 'kind'; it has: 'c0', 'c1', "),
    "damaged gzip": (gzip.compress(GOOD.encode())[:-9], "is compressed and damaged: "),
    "damaged zip": (zipped(GOOD, "data.csv")[:-9], "is compressed and damaged: "),
    "two files": (zipped(GOOD, "a.csv", "b.csv"), "holds 2 files; a zip file must hold one table"),
    "excel": (zipped(GOOD, "[Content_Types].xml"), "is an Excel file; give it a name that ends in .xlsx"),
    "parquet": (b"PAR1" + bytes(50), "is "),
}


@pytest.mark.parametrize("command", ["train", "compare"])
@pytest.mark.parametrize("what", BAD)
def test_bad_files_get_one_line_and_exit_code_2(what, command, tmp_path, capsys):
    content, message = BAD[what]
    path, model = write(tmp_path, content), tmp_path / "model"
    arguments = [command, "--target", "kind"]
    arguments += [path, "--output", str(model)] if command == "train" else ["--data", path]
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"pyrelu: {path} {message}") and len(err) < 500
    assert os.listdir(tmp_path) == ["data.csv"]


def test_the_wrong_separator(tmp_path):
    with pytest.raises(InvalidFileError, match=r"has no column 'kind'.*\(try --sep ';'\)"):
        datasets.from_file(write(tmp_path, GOOD.replace(",", ";")), "kind", format=Format(sep=","))


def test_a_long_cell_is_not_printed_whole(tmp_path):
    with pytest.raises(InvalidFileError, match=r"'x{37}\.\.\.' is not a number"):
        datasets.from_file(write(tmp_path, LONG.replace("3,0.75", f"3,{'x' * 10_000}")), "kind")


def test_what_is_ignored_may_be_anything(tmp_path):
    path = write(tmp_path, "0,id,id,width,a;b,kind\n0,a,b,1,$3,cat\n1,,,2,4,dog\n")
    data = datasets.from_file(path, "kind", ["0,id", "a;b"])
    assert data.feature_names == ["width"] and data.X.to_numpy().tolist() == [[1], [2]]
    with pytest.raises(InvalidFileError, match="has no column 'no'; it has: '0', 'id'"):
        datasets.from_file(path, "kind", ["0,no"])


# ---- what columns hold ----


def kind(values, name="column"):
    frame = pd.read_csv(io.StringIO(f"other,{name}\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))))
    table = table_file.Table("file", frame, list(frame.columns), lambda row: f"line {row + 2}")
    return columns.kind_of(table, name, Format())


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
    learned = columns.Columns.learn(frame, {"place": columns.Kind("text")})
    assert learned.inputs == [f"place=place {i:03}" for i in range(20, 120)]


def test_dates_are_days_and_a_place_in_the_year():
    frame = pd.DataFrame({"when": ["1/1/1970", "1/1/1972", "", "7/2/1971"], "n": [1, 2, 3, 4]})
    learned = columns.Columns.learn(frame, {"when": columns.Kind("date", "%m/%d/%Y"), "n": columns.Kind("number")})
    X = learned.encode(frame)
    assert learned.names == ["n", "when"] and X.shape == (4, 7) == (4, len(learned.inputs))
    np.testing.assert_array_equal(X[:, 1], [0, 730, 547, 547])
    angle = 2 * np.pi * 730 / 365.2425
    np.testing.assert_allclose(X[1, 2:4], [np.sin(angle), np.cos(angle)])
    np.testing.assert_array_equal(X[:, 4:], [[0] * 3, [0] * 3, [1] * 3, [0] * 3])


def test_the_time_of_day_is_a_part_of_the_day():
    times = [datetime.datetime(1969, 12, 31, 6, 30), datetime.datetime(2024, 2, 29, 23, 59, 59)]
    frame = pd.DataFrame({"when": [time.strftime("%Y-%m-%d %H:%M:%S") for time in times]})
    encoded = columns.Columns.learn(frame, {"when": columns.Kind("date", "ISO8601")}).encode(frame)
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
    kinds = {"a": columns.Kind("number"), "flag": columns.Kind("number"), "city": columns.Kind("text")}
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
    kinds = {"a": columns.Kind("number"), "b": columns.Kind("text"), "c": columns.Kind("date", "ISO8601")}
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


# ---- files in the shape of those that courses use ----

PASSENGER = ["male", "female"]
REAL = {
    # name: (header, a row by its number and a random generator, target, options)
    "diamonds": (
        "carat,cut,color,clarity,depth,table,price,x,y,z",
        lambda i, r: (
            [
                r.uniform(0.2, 5),
                r.choice(["Ideal", "Premium", "Fair"]),
                r.choice([*"DEFGHIJ"]),
                "VS2",
                61.5,
                55.0,
                r.integers(326, 18823),
                3.95,
                3.98,
                2.43,
            ]
        ),
        "price",
        [],
    ),
    "penguins": (
        "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex",
        lambda i, r: (
            [
                ["Adelie", "Gentoo"][i % 2],
                "Torgersen",
                r.choice([39.1, 40.2, ""]),
                18.7,
                181 + i % 30,
                r.choice([3750, ""]),
                r.choice(["Male", "Female", ""]),
            ]
        ),
        "species",
        [],
    ),
    "titanic of Kaggle": (
        "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked",
        lambda i, r: (
            [
                i + 1,
                r.integers(2),
                r.integers(1, 4),
                f'"Braund, Mr. {i} ""Owen"""',
                r.choice(PASSENGER),
                r.choice(["", 22, 38.5]),
                1,
                0,
                r.choice([f"A/5 {i}", 113803 + i, 7]),
                7.25,
                r.choice(["", "C85"]),
                r.choice([*"SCQ"]),
            ]
        ),
        "Survived",
        [],
    ),
    "titanic of seaborn": (
        "survived,pclass,sex,age,fare,embarked,class,who,adult_male,deck,embark_town,alive,alone",
        lambda i, r: (
            [
                i % 2,
                3,
                r.choice(PASSENGER),
                r.choice(["", 22.0]),
                7.25,
                r.choice(["S", ""]),
                "Third",
                "man",
                r.choice(["True", "False"]),
                r.choice(["", "C"]),
                "Southampton",
                ["no", "yes"][i % 2],
                r.choice(["True", "False"]),
            ]
        ),
        "survived",
        ["--ignore", "alive"],
    ),
    "pima": (
        '"","npreg","glu","bp","skin","bmi","ped","age","type"',
        lambda i, r: (
            [
                f'"{i + 1}"',
                5,
                r.integers(60, 200),
                r.choice(["NA", 68]),
                r.choice(["NA", 28]),
                30.2,
                0.3,
                24,
                ["Yes", "No"][i % 2],
            ]
        ),
        "type",
        [],
    ),
    "credit": (
        "Income,Limit,Rating,Cards,Age,Education,Own,Student,Married,Region,Balance",
        lambda i, r: [14.9 + i, 3606, 283, 2, 34, 11, "No", r.choice(["Yes", "No"]), "Yes", "South", 333 + 7 * i],
        "Balance",
        [],
    ),
    "credit card": (
        '"Time","V1","V2","Amount","Class"',
        lambda i, r: [i, r.normal(), r.normal() * 1e-16, r.uniform(0, 3000), f'"{int(i % 30 == 0)}"'],
        "Class",
        [],
    ),
    "seattle weather": (
        "date,precipitation,temp_max,temp_min,wind,weather",
        lambda i, r: [f"2012/{1 + i % 12:02}/{1 + i % 28:02}", 0.0, 12.8, 5.0, 4.7, ["sun", "rain", "fog"][i % 3]],
        "weather",
        [],
    ),
    "texas housing": (
        "city,year,month,sales,volume,median,listings,inventory,date",
        lambda i, r: (
            [
                ["Abilene", "Waco"][i % 2],
                2000,
                1 + i % 12,
                r.choice(["NA", 72]),
                5380000,
                71400 + i * 100,
                701,
                r.choice([6.3, "NA"]),
                2000 + i / 12,
            ]
        ),
        "median",
        [],
    ),
    "iris": (
        "sepal_length,sepal_width,petal_length,petal_width,species",
        lambda i, r: [5.1, 3.5, 1.4 + i % 3, 0.2, ["setosa", "versicolor", "virginica"][i % 3]],
        "species",
        [],
    ),
    "wine": (
        "fixed acidity;volatile acidity;alcohol;quality",
        lambda i, r: [7.4, r.uniform(), 9.4 + i % 3, 5 + i % 3],
        "quality",
        [],
    ),
    "mtcars": (
        "rownames,mpg,cyl,disp,hp",
        lambda i, r: [f"Mazda RX{i}", 21 + i / 10, 6, 160, 110],
        "mpg",
        [],
    ),
    "tips": (
        "total_bill,tip,sex,smoker,day,time,size",
        lambda i, r: [16.99 + i, r.uniform(1, 10), "Female", "No", r.choice(["Sun", "Thur"]), "Dinner", 2],
        "tip",
        [],
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_files_that_courses_use(name, tmp_path, monkeypatch, capsys):
    """Each trains as it comes, and predicts the same from the raw file and from one with columns in another order."""
    monkeypatch.chdir(tmp_path)
    header, row, target, extra = REAL[name]
    random = rng(name)
    sep = ";" if ";" in header else ","
    lines = [header, *(sep.join(map(str, row(i, random))) for i in range(120))]
    write(tmp_path, "\n".join(lines) + "\n")
    arguments = ["--target", target, "--epochs", "8", "--seed", "0", "--hidden", "8", *extra]
    assert cli.main(["train", "data.csv", *arguments, "--output", "model", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["training rows"] + report["test rows"] == 120
    index = {"titanic of Kaggle": "PassengerId", "mtcars": "rownames", "pima": ""}.get(name)
    assert index not in report["features"] and target not in report["features"]
    assert cli.main(["predict", "model", "data.csv"]) == 0
    first = capsys.readouterr().out
    frame = pd.read_csv("data.csv", sep=sep, dtype=str, keep_default_na=False)
    truth = frame[target].to_numpy()
    predicted = np.array([cells[0] for cells in list(csv.reader(io.StringIO(first)))[1:]])
    assert len(predicted) == 120
    if report["task"] == "classification":
        n_right = report["training accuracy"] * report["training rows"] + report["test accuracy"] * report["test rows"]
        assert (predicted == truth).sum() == round(n_right)
    frame[frame.columns[::-1]].assign(more="x").drop(columns=target).to_csv("turned.csv", index=False)
    assert cli.main(["predict", "model", "turned.csv"]) == 0
    assert capsys.readouterr().out == first
