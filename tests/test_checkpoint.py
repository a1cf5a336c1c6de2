"""Checkpoint: a killed fit resumes and ends with the bits of an uninterrupted one."""

import os
import re
import signal
import subprocess
import sys
import time

import killed_fits
import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, same_bits
from killed_fits import FITS, RNG, At, X, Y, make

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._storage import files
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError

pytest.importorskip("sklearn.callback", reason="checkpoints are callbacks, which need scikit-learn 1.9")
pytestmark = few_epochs


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Name of each fit -> its file, after the processes that fitted were killed in the 5th and in the 11th epoch."""
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, killed_fits.__file__, str(folder)], check=True)
    return {name: folder / str(i) for i, name in enumerate(FITS)}


def check_same(resumed, whole):
    for name in ("coefs_", "intercepts_", "activation_weights_"):
        for a, b in zip(getattr(resumed, name), getattr(whole, name), strict=True):
            assert a is b is None or same_bits(a, b), name
    assert all(map(same_bits, resumed._optimizer.state, whole._optimizer.state))
    assert [resumed._optimizer.t, resumed._optimizer.learning_rate] == [
        whole._optimizer.t,
        whole._optimizer.learning_rate,
    ]
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_", "loss_", "n_iter_", "t_"):
        assert getattr(resumed, name) == getattr(whole, name), name
    assert resumed.history_ == whole.history_
    assert all(map(same_bits, resumed.dead_units_, whole.dead_units_))


@pytest.mark.parametrize("name", FITS)
def test_killed_twice(name, killed):
    files = os.listdir(killed[name].parent)
    np.random.seed(2)  # noqa: NPY002  what the fit without a seed draws from
    resumed = make(name, Checkpoint(killed[name], every=3, resume=True)).fit(FITS[name][1], Y)
    drawn = resumed._random_state.randint(2**31)
    np.random.seed(5)  # noqa: NPY002
    whole = make(name).fit(FITS[name][1], Y)
    check_same(resumed, whole)
    assert drawn == whole._random_state.randint(2**31)
    assert resumed.n_iter_ > 11
    assert os.listdir(killed[name].parent) == files  # and nothing else


def test_killed_at_any_moment(tmp_path):
    """As it comes: while it trains, while it writes."""
    path = tmp_path / "fit.safetensors"
    endless = dict(max_iter=10**6, tol=0, n_iter_no_change=10**6)
    code = f"""if True:
        from killed_fits import *
        make("adam", Checkpoint({str(path)!r}, resume=True)).set_params(**{endless}).fit(X, Y)
    """
    for _ in range(2):
        before = path.stat().st_mtime if path.exists() else 0
        process = subprocess.Popen([sys.executable, "-c", code])
        while not path.exists() or path.stat().st_mtime == before:
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(RNG.uniform(0, 0.2))
        process.kill()
        process.wait()
    resumed = make("adam", Checkpoint(path, resume=True), Stop()).set_params(**endless).fit(X, Y)
    assert resumed.n_iter_ > 2
    check_same(resumed, make("adam").set_params(**endless | dict(max_iter=resumed.n_iter_)).fit(X, Y))


class Stop:
    """Ends the fit after an epoch."""

    def setup(self, estimator, context):
        self.epochs = 0

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.epochs += 1
        return True

    def teardown(self, estimator, context):
        pass


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.interrupts
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("n_epochs", [5, 20])
def test_with_early_stopping_as_callback(tmp_path, order, n_epochs):
    """Interrupted by Ctrl-C, then ended by a callback, then fitted once more."""
    path = tmp_path / "fit.safetensors"

    def callbacks():  # the rate is constant: the first epoch is the best
        return [EarlyStopping("learning_rate", patience=25), Checkpoint(path, every=4, resume=True)][::order]

    with pytest.warns(UserWarning, match="interrupted"):
        make("adam", *callbacks(), At(n_epochs, press_ctrl_c)).fit(X, Y)
    whole = make("adam", EarlyStopping("learning_rate", patience=25)).fit(X, Y)
    assert whole.n_iter_ == 26
    for _ in range(2):
        check_same(make("adam", *callbacks()).fit(X, Y), whole)


def test_finished_fit_is_not_trained_again(tmp_path):
    path = tmp_path / "fit.safetensors"
    whole = make("early stopping", Checkpoint(path)).fit(X, Y)
    stop = Stop()
    check_same(make("early stopping", Checkpoint(path, resume=True), stop).fit(X, Y), whole)
    assert stop.epochs == 1  # the fit itself
    make("early stopping", Checkpoint(path), stop).fit(X, Y)  # without resume, from the start
    assert stop.epochs == 2


@pytest.mark.interrupts
def test_eval_set_and_sparse(tmp_path):
    path = tmp_path / "fit.safetensors"

    def fit(*callbacks):
        mlp = make("early stopping", *callbacks).set_params(scoring="roc_auc")
        return mlp.fit(scipy.sparse.csr_array(X), Y, np.ones(300), eval_set=(X[:50], Y[:50]))

    with pytest.warns(UserWarning, match="interrupted"):
        assert fit(Checkpoint(path), At(7, press_ctrl_c)).n_iter_ == 7
    with pytest.raises(InvalidFileError, match="other data"):
        make("early stopping", Checkpoint(path, resume=True)).set_params(scoring="roc_auc").fit(X, Y)
    check_same(fit(Checkpoint(path, resume=True)), fit())


@pytest.mark.interrupts
def test_warm_start(tmp_path):
    path = tmp_path / "fit.safetensors"
    twice = make("adam").set_params(warm_start=True, max_iter=5)
    for _ in range(2):
        twice.fit(X, Y)
    first = make("adam").set_params(warm_start=True, max_iter=5).fit(X, Y)
    with pytest.warns(UserWarning, match="interrupted"):
        first.set_callbacks(Checkpoint(path), At(2, press_ctrl_c)).fit(X, Y)
    resumed = make("adam", Checkpoint(path, resume=True)).set_params(warm_start=True, max_iter=5).fit(X, Y)
    check_same(resumed, twice)
    assert len(resumed.loss_curve_) == 10 and resumed.n_iter_ == 5
    check_same(resumed.partial_fit(X, Y), twice.partial_fit(X, Y))


# ---- what it refuses ----


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fit.safetensors"
    make("adam", Checkpoint(path), At(1, lambda: True)).fit(X, Y)
    return path


def refused(path, message, data=(X, Y), **parameters):
    mlp = make("adam", Checkpoint(path, resume=True)).set_params(**parameters)
    content = path.read_bytes()
    with pytest.raises(InvalidFileError, match=re.escape(message)):
        mlp.fit(*data)
    assert not hasattr(mlp, "coefs_")
    assert path.read_bytes() == content


def test_of_another_setting(file):
    refused(file, "fit with alpha=0.0001; this one has alpha=0.1", alpha=0.1)
    refused(
        file, "fit with hidden_layer_sizes=(12, 7); this one has hidden_layer_sizes=(12, 8)", hidden_layer_sizes=(12, 8)
    )
    refused(file, "learning_rate='constant'; this one has learning_rate=test_checkpoint.half", learning_rate=half)
    make("adam", Checkpoint(file, resume=True)).set_params(verbose=0, n_threads=1).fit(X, Y)


def half(epoch):
    return 0.5**epoch


def test_of_another_early_stopping(tmp_path):
    path = tmp_path / "fit.safetensors"

    def fit(*callbacks, n_epochs=0):
        return make("adam", *callbacks, Checkpoint(path, resume=True), At(n_epochs, lambda: True)).fit(X, Y)

    whole = fit(EarlyStopping(patience=3), n_epochs=5)
    content = path.read_bytes()
    told = "{{'monitor': 'loss', 'patience': {}, 'min_delta': 0.0, 'mode': 'auto', 'restore_best': {}}}"
    for others, here in {
        (): "None",
        (EarlyStopping(patience=4),): f"({told.format(4, True)})",
        (EarlyStopping(patience=3, restore_best=False),): f"({told.format(3, False)})",
        (EarlyStopping(patience=3), EarlyStopping()): f"({told.format(3, True)}, {told.format(10, True)})",
    }.items():
        message = f"fit with EarlyStopping=({told.format(3, True)}); this one has EarlyStopping={here}"
        with pytest.raises(InvalidFileError, match=re.escape(message)):
            fit(*others)
        assert path.read_bytes() == content
    check_same(fit(EarlyStopping(patience=3)), whole)
    path.unlink()
    fit(n_epochs=5)
    with pytest.raises(InvalidFileError, match="fit with EarlyStopping=None; this one has EarlyStopping="):
        fit(EarlyStopping())


def test_of_other_data(file):
    changed = X.copy()
    changed[7, 3] += 1e-9
    for data in [(X[:-1], Y[:-1]), (changed, Y), (X, 1 - Y), (X.astype(np.float32), Y), (X, Y, np.full(300, 2.0))]:
        refused(file, "is a checkpoint of a fit to other data", data)


def test_of_other_validation_data(tmp_path):
    path = tmp_path / "fit.safetensors"
    weights = np.ones(50)
    whole = (X[:50], Y[:50], weights)
    other_X, other_y, other_weights = X[:50].copy(), Y[:50].copy(), weights.copy()
    other_X[3, 2] += 1e-9
    other_y[4] = 1 - other_y[4]
    other_weights[5] = 2

    def fit(eval_set, *callbacks):
        return make("adam", Checkpoint(path, resume=True), *callbacks).fit(X, Y, eval_set=eval_set)

    fit(whole, At(1, lambda: True))
    for other in [(other_X, *whole[1:]), (X[:50], other_y, weights), (*whole[:2], other_weights), whole[:2], None]:
        with pytest.raises(InvalidFileError, match="other data"):
            fit(other)
    fit(whole)


def test_of_another_estimator(file):
    mlp = MLPRegressor(max_iter=2).set_callbacks(Checkpoint(file, resume=True))
    with pytest.raises(InvalidFileError, match="holds a checkpoint of MLPClassifier, not a checkpoint of MLPRegressor"):
        mlp.fit(X, Y)
    with pytest.raises(InvalidFileError, match="not MLPClassifier"):
        MLPClassifier.load(file)


def test_broken(file, tmp_path):
    content = file.read_bytes()
    file.write_bytes(content[:-100])
    refused(file, "is truncated, or not a safetensors file")
    file.write_bytes(b"")
    refused(file, "is truncated, or not a safetensors file")
    damaged = bytearray(content)
    damaged[-50] ^= 1
    file.write_bytes(bytes(damaged))
    refused(file, "is damaged")
    make("adam").fit(X, Y).set_callbacks().save(file)
    refused(file, "holds MLPClassifier, not a checkpoint of MLPClassifier")


def test_wrong_use(tmp_path):
    with pytest.raises(ValueError, match=r"Checkpoint needs one of the solvers sgd, .*\. Got solver='lbfgs'"):
        make("adam", Checkpoint(tmp_path / "a")).set_params(solver="lbfgs").fit(X, Y)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        make("adam", Checkpoint(tmp_path / "nowhere" / "a")).fit(X, Y)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        make("adam", Checkpoint(tmp_path)).fit(X, Y)
    for wrong in (dict(every=0), dict(resume=1), dict(path=3)):
        with pytest.raises(ValueError, match="of Checkpoint must be"):
            Checkpoint(**dict(path="a") | wrong)


@pytest.mark.parametrize("kind", [str, os.fsencode, lambda path: path])
def test_paths(kind, tmp_path):
    path = kind(tmp_path / "fit")
    whole = make("adam", Checkpoint(path)).fit(X, Y)
    check_same(make("adam", Checkpoint(path, resume=True)).fit(X, Y), whole)


FORGED = {
    "parameters": [np.zeros(3), None, "float32"],
    "optimizer_state": [[], [np.zeros(3)] * 2, [np.zeros(3)] * 3000],
    "optimizer_counters": [
        {},
        [],
        {"learning_rate": -1.0, "t": 1, "epoch": 1, "seed": 0},
        {"learning_rate": 0.1, "t": 1, "epoch": 2, "seed": 0},
        {"learning_rate": 0.1, "t": 1, "epoch": 2**62, "seed": 0},
    ],
    "counters": [{}, 3, {"n_iter": -1}],
    "records": [{}, [], {"loss_curve": ["a"], "history": [1]}],
    "held_out": [np.arange(3)],
    "order": [
        np.arange(300)[:-1],
        np.full(300, 2**40),
        np.zeros(300, np.intp),
        np.arange(300.0),
        -np.arange(300),
        None,
    ],
    "best_parameters": [{"loss": np.zeros(3)}, {3: np.zeros(3)}, []],
    "alive": [np.zeros(3, bool), 5],
    "stopped": [1, None],
    "random_state": [{}, None, "pos", "has_gauss"],
}


@pytest.mark.parametrize(("part", "value"), [(part, value) for part, values in FORGED.items() for value in values])
def test_forged(part, value, file):
    """With a digest that is right: what does not fit the fit is refused before it changes anything."""
    kind = "a checkpoint of MLPClassifier"
    content = files.read(file, kind)
    if isinstance(value, str) and value == "float32":
        value = content[part].astype(np.float32)
    if isinstance(value, str) and value == "pos":
        value = content[part]
        value["state"]["pos"] = 10**9
    if isinstance(value, str) and value == "has_gauss":
        value = content[part] | {"has_gauss": 2**40}
    files.write(file, kind, content | {part: value})
    refused(file, f"'{part}' has an impossible value")


def test_forged_parts(file):
    kind = "a checkpoint of MLPClassifier"
    content = files.read(file, kind)
    files.write(file, kind, content | {"more": 1})
    refused(file, "has an unknown part 'more'")
    files.write(file, kind, {name: value for name, value in content.items() if name != "order"})
    refused(file, "lacks 'order'")
    for settings in ({"alpha": np.zeros(3)}, [], None):
        files.write(file, kind, content | {"settings": settings})
        refused(file, "is a checkpoint without the settings of its fit")
