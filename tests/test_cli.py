"""The command line: what it prints, and its exit codes."""

import json
import subprocess
import sys

import pytest

import pyrelu
from pyrelu import _ufuncs, cli


def test_info(capsys):
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pyrelu"] == pyrelu.__version__
    assert facts["instruction set"].startswith(_ufuncs.isa())
    assert ("built without OpenMP" in facts["threads"]) != _ufuncs.has_openmp()
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
        assert (row["scikit-learn"] is not None) == (row["activation"] in ("relu", "tanh", "sigmoid"))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert cli.main(["demo", "--epochs", "1", "--output", str(picture)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[0] == "activation"


def test_a_missing_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["demo", "--epochs", "1", "--output", str(tmp_path / "x.png")]) == 2
    assert "pip install 'pyrelu[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["demo", "--epochs", "0"], ["demo", "--epochs", "many"]])
def test_a_wrong_call_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert "usage: pyrelu" in capsys.readouterr().err


def test_module_runs_as_a_command():
    result = subprocess.run([sys.executable, "-m", "pyrelu", "--version"], capture_output=True, text=True)
    assert result.stdout == f"pyrelu {pyrelu.__version__}\n"
