"""What `verbose` shows."""

import sys

import numpy as np
import pytest

from pyrelu import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def shown(capsys, **parameters):
    parameters = dict(hidden_layer_sizes=3, max_iter=5, random_state=0) | parameters
    MLPClassifier(**parameters).fit(X, Y, eval_set=(X, Y))
    return capsys.readouterr()


@pytest.mark.parametrize("verbose", [False, 0, np.False_])
def test_nothing(capsys, verbose):
    assert shown(capsys, verbose=verbose) == ("", "")


@pytest.mark.parametrize("verbose", [True, 2, 10, np.True_])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_lines(capsys, verbose, solver):
    out, err = shown(capsys, verbose=verbose, solver=solver)
    assert err == "" and out.count("\n") == 10
    assert out.startswith("Iteration 1, loss = 0.") and "Validation score: 0." in out


@pytest.mark.parametrize("verbose", [1, np.int64(1)])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_bar(capsys, verbose, solver):
    out, err = shown(capsys, verbose=verbose, solver=solver)
    last = err.rstrip("\n").split("\r")[-1]
    assert out == "" and "5/5" in last and "100%" in last and "loss=0." in last and "score=" in last


def test_bar_says_why_it_ends(capsys):
    out, err = shown(capsys, verbose=1, tol=1e9, n_iter_no_change=1, max_iter=100)
    assert out == "Training loss did not improve more than tol=1000000000.000000 for 1 consecutive epochs. Stopping.\n"
    assert "3/100" in err


def test_bar_is_closed_by_a_failing_fit(capsys):
    with pytest.raises(ValueError, match="non-finite"):
        MLPRegressor(verbose=1, solver="sgd", learning_rate_init=1e200, random_state=0).fit(X * 1e10, Y)
    assert capsys.readouterr().err.endswith("\n")


def test_partial_fit_prints_lines(capsys):
    MLPClassifier(verbose=1).partial_fit(X, Y, classes=[0, 1])
    assert capsys.readouterr().out.startswith("Iteration 1, loss")


def test_without_tqdm(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    out, err = shown(capsys, verbose=1)
    assert out.startswith("Iteration 1, loss = 0.") and err == ""
