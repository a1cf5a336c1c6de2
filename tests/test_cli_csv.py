"""How `pyrelu train`, `predict` and `compare` read files, good and bad."""

import bz2
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
from helpers import rng, write

from pyrelu import cli
from pyrelu._commands import column_kinds, columns, datasets, table_file
from pyrelu._commands.table_file import Format
from pyrelu.exceptions import InvalidFileError

GOOD = "width,height,kind\n1,2.5,cat\n3,4,dog\n5,6e1,cat\n-7,8,dog\n"
NUMBERS = [[1, 2.5], [3, 4], [5, 60], [-7, 8]]


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
    np.testing.assert_array_equal(column_kinds.as_numbers(texts, format), [1000.5, np.nan])


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
    facts = columns.Columns.learn(pd.DataFrame({"a": [1.0, 2]}), {"a": column_kinds.Kind("number")}).facts()
    facts["format"] |= changed
    with pytest.raises(ValueError, match="not as pyrelu writes it"):
        columns.Columns.from_facts(facts)


def test_predict_reads_files_as_train_did(tmp_path, monkeypatch, capsys):
    """1.234 is not 1,234: a model that forgot the format would predict from other numbers without a word."""
    monkeypatch.chdir(tmp_path)
    cells = [f"{i}.000,5;{'Köln' if i % 2 else 'Wien'};{i}" for i in range(1, 41)]
    write(tmp_path, "\n".join(["Größe;Ort;Preis", *cells]).encode("cp1252"))
    given = ["--sep", ";", "--decimal", ",", "--thousands", ".", "--encoding", "cp1252"]
    assert (
        cli.main(
            ["train", "data.csv", "--target", "Preis", "--output", "model", "--epochs", "3", "--model", "mlp", *given]
        )
        == 0
    )
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
    kind = column_kinds.kind_of(table_file.read(path), "day", table_file.PLAIN)
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
