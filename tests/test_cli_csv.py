"""CSV files, good and bad: what `pyrelu train`, `predict` and `compare` make of them."""

import json
import os

import numpy as np
import pytest

from pyrelu import cli
from pyrelu._commands import csv_file, datasets
from pyrelu.exceptions import InvalidFileError, InvalidParameterError

GOOD = "width,height,kind\n1,2.5,cat\n3,4,dog\n5,6e1,cat\n-7,8,dog\n"


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def both(header):
    return [name for name in header if name != "kind"], "kind"


# ---- reading ----


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace(",", ", "),
        GOOD.replace("3,4,dog", '"3","4","dog"').replace("width", '"width"'),
        GOOD.replace(",", ";"),
    ],
    ids=["plain", "crlf", "cr", "bom", "no newline at the end", "blank lines", "spaces", "quotes", "semicolons"],
)
def test_files_as_programs_write_them(content, tmp_path):
    table = csv_file.read(write(tmp_path, content), both, ";" if ";" in content else ",")
    assert table.names == ["width", "height"]
    np.testing.assert_array_equal(table.numbers, [[1, 2.5], [3, 4], [5, 60], [-7, 8]])
    assert table.texts == ["cat", "dog", "cat", "dog"]


def test_quoted_cells_may_hold_anything(tmp_path):
    table = csv_file.read(write(tmp_path, 'width,kind\n1,"cat, or\n""dog"""\n2,é\n'), both)
    assert table.texts == ['cat, or\n"dog"', "é"]
    assert list(table.lines) == [3, 4]


def test_standard_input(tmp_path):
    read, write_end = os.pipe()
    os.write(write_end, GOOD.encode())
    os.close(write_end)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", open(0, closefd=False))
            assert csv_file.read("-", both).numbers.shape == (4, 2)
    finally:
        os.dup2(saved, 0)
        os.close(read)
        os.close(saved)


BAD = {
    "empty": ("", "is empty"),
    "blank": ("\n\n  \n".replace(" ", ""), "is empty"),
    "header only": ("width,height,kind\n", "has a header, but no rows"),
    "no such column": ("width,height\n1,2\n", "has no column 'kind'; it has: 'width', 'height'"),
    "semicolons": (
        GOOD.replace(",", ";"),
        "has no column 'kind'; it has: 'width;height;kind' (try --delimiter ';')",
    ),
    "text": (GOOD.replace("4,dog", "four,dog"), "line 3, column 'height': 'four' is not a number"),
    "decimal comma": (GOOD.replace("3,4,", '3,"4,5",'), "line 3, column 'height': '4,5' is not a number"),
    "underscore": (GOOD.replace("3,4", "3,4_000"), "line 3, column 'height': '4_000' is not a number"),
    "missing": (GOOD.replace("3,4", "3,"), "line 3, column 'height': the value is missing"),
    "missing target": (GOOD.replace("4,dog", "4,"), "line 3, column 'kind': the value is missing"),
    "nan": (GOOD.replace("3,4", "3,nan"), "line 3, column 'height': nan is not a finite number"),
    "infinite": (GOOD.replace("3,4", "3,1e999"), "line 3, column 'height': inf is not a finite number"),
    "short row": (GOOD.replace("3,4,dog", "3,4"), "line 3, column 'kind': the row ends before it, after 2 of 3 cells"),
    "long row": (
        GOOD.replace("3,4,dog", "3,4,dog,5"),
        "line 3, after column 'kind': the row has 4 cells, the header 3",
    ),
    "after blank lines": (GOOD.replace("\n3,4", "\n\n\n3,x"), "line 5, column 'height': 'x' is not a number"),
    "twice": (GOOD.replace("height", "width"), "line 1, column 2: 'width' is also column 1"),
    "unnamed": (GOOD.replace("height", ""), "line 1, column 2: it has no name"),
    "open quote": (GOOD.replace("3,4,dog", '3,4,"dog'), "line 5: unexpected end of data"),
    "latin 1": (GOOD.replace("4,dog", "4,é").encode("latin1"), "line 3, column 'kind': the text is not UTF-8"),
    "latin 1 number": (GOOD.replace("3,4", "3,4€").encode("cp1252"), "line 3, column 'height': the text is not UTF-8"),
    "latin 1 header": (GOOD.replace("height", "höhe").encode("latin1"), "line 1, column 2: the name is not UTF-8"),
    "utf-16": (GOOD.encode("utf-16"), "line 1, column 1: the name is not UTF-8"),
    "one class": (GOOD.replace("dog", "cat"), "column 'kind': all rows are of the class 'cat'"),
    "only a target": ("kind\ncat\ndog\n", "has no column of features beside 'kind'"),
    "binary": (bytes(range(256)) * 40, "has no column 'kind'; it has: '"),
    "header after blank lines": (
        "\n\n" + GOOD.replace("height", "width"),
        "line 3, column 2: 'width' is also column 1",
    ),
    "many columns": (",".join(f"c{i}" for i in range(99)), "has no column 'kind'; it has: 'c0', 'c1', "),
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


def test_a_long_cell_is_not_printed_whole(tmp_path):
    with pytest.raises(InvalidFileError, match=r"'x{37}\.\.\.' is not a number"):
        csv_file.read(write(tmp_path, f"width,kind\n{'x' * 10_000},cat\n"), both)


def test_tabs(tmp_path):
    options = cli._parser().parse_args(["predict", "model", "data.csv", "--delimiter", r"\t"])
    assert csv_file.read(write(tmp_path, GOOD.replace(",", "\t")), both, options.delimiter).numbers.shape == (4, 2)


def test_what_is_ignored_may_be_anything(tmp_path):
    path = write(tmp_path, ",id,id,width,kind\n0,a,b,1,cat\n1,,,2,dog\n")
    data = datasets.from_csv(path, "kind", ["", "id"])
    assert data.feature_names == ["width"] and data.X.tolist() == [[1], [2]]
    with pytest.raises(InvalidFileError, match="has no column 'no'; it has: '', 'id'"):
        datasets.from_csv(path, "kind", ["no"])


# ---- what the target says ----


@pytest.mark.parametrize(
    "targets, task, classes",
    [
        (["a", "b", "1"], "auto", ["1", "a", "b"]),
        (["0", "1", "2"], "auto", ["0", "1", "2"]),
        (["0.5", "1", "2"], "auto", None),
        ([*map(str, range(20))], "auto", [*sorted(map(str, range(20)))]),
        ([*map(str, range(21))], "auto", None),
        (["0", "1", "2"], "regression", None),
        (["0.5", "1.5"], "classification", ["0.5", "1.5"]),
    ],
)
def test_task(targets, task, classes, tmp_path):
    path = write(tmp_path, "x,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets)))
    data = datasets.from_csv(path, "y", task=task)
    assert data.classification == (classes is not None)
    assert data.y.tolist() == (targets if classes else [float(target) for target in targets])
    if classes:
        assert np.unique(data.y).tolist() == classes


def test_regression_needs_numbers(tmp_path):
    with pytest.raises(InvalidFileError, match="line 3, column 'kind': 'dog' is not a number, as --task regression"):
        datasets.from_csv(write(tmp_path, GOOD.replace("cat", "1")), "kind", task="regression")


def test_a_csv_needs_a_target(tmp_path):
    with pytest.raises(InvalidParameterError, match="say with --target"):
        datasets.from_csv(write(tmp_path, GOOD), None)


@pytest.mark.parametrize("name", datasets.BUILT_IN)
def test_built_in_data(name):
    data = datasets.load(name, None)
    assert len(data.X) == len(data.y) and data.X.shape[1] == len(data.feature_names)
    assert data.classification == (name != "diabetes")


def test_numbers_survive_the_way_through_a_file(tmp_path):
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    path = write(tmp_path, "x,kind\n" + "".join(f"{json.dumps(value)},a\n" for value in values.tolist()))
    np.testing.assert_array_equal(csv_file.read(path, both).numbers[:, 0], values)
