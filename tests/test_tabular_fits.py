"""Fits of the tabular estimators: callbacks, checkpoints, interruptions, progress, files, what is inside."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from helpers import few_epochs, same_bits
from tabular_cases import SMALL, labels, numbers, outputs, table, targets

from pyrelu import MLPClassifier, TabularMLPClassifier, TabularMLPRegressor
from pyrelu._storage import files
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError

pytestmark = few_epochs


# ---- callbacks ----


def test_callbacks_reach_the_network(cls, tmp_path):
    X = table()
    y = targets(cls, X)
    seen = []

    class Watch:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            seen.append(estimator.n_iter_)
            return len(seen) == 3

        def teardown(self, estimator, context):
            seen.append("end")

    mlp = cls(**SMALL).set_callbacks(Watch()).fit(X, y)
    assert seen == [1, 2, 3, 3, "end"] and mlp.n_iter_ == 3
    assert not hasattr(mlp.estimators_[0], "_skl_callbacks")
    stop = EarlyStopping("loss", patience=1, min_delta=1e9)
    assert cls(**SMALL).set_callbacks(stop).fit(X, y).n_iter_ == 2
    assert all(n.n_iter_ == 2 for n in cls(n_members=3, **SMALL).set_callbacks(stop).fit(X, y).estimators_)


@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"refit": True}, {"cv": 2, "refit": True}])
def test_checkpoints_resume(cls, tmp_path, settings):
    X = table()
    y = targets(cls, X)

    class Kill(RuntimeError):
        pass

    class KillIn:
        def __init__(self, epoch):
            self.epoch = epoch

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if context.task_name == f"epoch {self.epoch}":
                raise Kill

        def on_fit_task_end(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

    path = tmp_path / "fit.safetensors"
    save = Checkpoint(path, resume=True)
    killed = cls(**settings, **SMALL).set_callbacks(save, KillIn(5))
    with pytest.raises(Kill):  # the other networks end early, and their files say that they are to go on
        killed.fit(X, y)
    assert os.listdir(tmp_path)
    resumed = cls(**settings, **SMALL).set_callbacks(save).fit(X, y)
    assert same_bits(outputs(resumed, X), outputs(cls(**settings, **SMALL).fit(X, y), X))
    n = max(1, settings.get("n_members", 1), settings.get("cv", 1)) * (2 if "refit" in settings else 1)
    assert len(os.listdir(tmp_path)) == n


def test_a_network_that_another_one_ends_goes_on(cls, tmp_path):
    """Where one network's fit fails, the others end after their epoch, and their checkpoints are not those of ended fits."""
    X = table()
    y = targets(cls, X)
    failed = threading.Event()

    class FailIn:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch 3":
                if estimator.random_state == seeds[0]:
                    failed.set()
                    raise RuntimeError("no")
                failed.wait()
                time.sleep(0.3)

        def on_fit_task_end(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

    whole = cls(n_members=2, **SMALL).fit(X, y)
    seeds = [network.random_state for network in whole.estimators_]
    save = Checkpoint(tmp_path / "fit", resume=True)
    with pytest.raises(RuntimeError, match="no"):
        cls(n_members=2, n_threads=2, **SMALL).set_callbacks(save, FailIn()).fit(X, y)
    resumed = cls(n_members=2, **SMALL).set_callbacks(save).fit(X, y)
    assert [network.n_iter_ for network in resumed.estimators_] == [8, 8]
    assert same_bits(outputs(resumed, X), outputs(whole, X))


def test_scikit_learns_callbacks():
    callback = pytest.importorskip("sklearn.callback")
    X = table()
    monitor = callback.ScoringMonitor(scoring="r2")
    TabularMLPRegressor(**SMALL).set_callbacks(monitor).fit(X, numbers(X))
    assert len(monitor.get_logs().data) == 9  # eight epochs, and the fit


# ---- interruptions, progress ----


@pytest.mark.interrupts
@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"n_members": 5, "n_threads": 2}, {"refit": True}])
def test_ctrl_c_keeps_what_there_is(settings):
    X = table()
    mlp = TabularMLPClassifier(**settings, **SMALL | dict(max_iter=10**6))
    pressed, ended = [], threading.Event()

    def press():
        while not ended.wait(10 if pressed else 1.0):
            pressed.append(True)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.warns(UserWarning, match=r"Training interrupted by user\.") as caught:
            mlp.fit(X, labels(X))
    finally:
        ended.set()
        thread.join()
    assert caught[-1].filename == __file__
    assert len(mlp.estimators_) == min(settings.get("n_members", 1), 2)
    assert all(0 < network.n_iter_ < 10**6 for network in mlp.estimators_)
    assert len(mlp.predict(X)) == 120 and all(network.temperature_ for network in mlp.estimators_)


def test_verbose(capsys, cls):
    X = table()
    cls(verbose=True, **SMALL).fit(X, targets(cls, X))
    assert capsys.readouterr().out.count("Validation score") == 8
    cls(verbose=True, n_members=3, **SMALL).fit(X, targets(cls, X))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Network {i} of 3" for i in (1, 2, 3)]


# ---- files ----


@pytest.mark.parametrize("settings", [{}, {"n_members": 2}, {"cv": 2}, {"ensemble_size": 3}])
def test_files(cls, tmp_path, settings):
    X = table()
    mlp = cls(**settings, **SMALL).fit(X, targets(cls, X))
    path = tmp_path / "mlp.safetensors"
    mlp.save(path)
    again = cls.load(path)
    assert same_bits(outputs(again, X), outputs(mlp, X)) and vars(again).keys() == vars(mlp).keys()
    assert again.history_ == mlp.history_ and list(again.feature_names_in_) == list(X.columns)
    cls(**SMALL).save(path)
    assert not hasattr(cls.load(path), "estimators_")
    with pytest.raises(InvalidFileError):
        MLPClassifier.load(path)


FORGERIES = {
    "no networks": lambda mlp: setattr(mlp, "estimators_", []),
    "no preprocessor": lambda mlp: delattr(mlp, "preprocessor_"),
    "something else for networks": lambda mlp: setattr(mlp, "estimators_", [1.0]),
    "an unfitted network": lambda mlp: delattr(mlp.estimators_[0], "coefs_"),
    "an unfitted preprocessor": lambda mlp: delattr(mlp.preprocessor_, "columns_"),
    "one column less": lambda mlp: mlp.preprocessor_.columns_.pop(0),
    "a number for the records": lambda mlp: mlp.__dict__.update(n_iter_=3),
    "another number of columns": lambda mlp: setattr(mlp, "n_features_in_", 3),
    "other names": lambda mlp: setattr(mlp, "feature_names_in_", np.array(["a"] * 8, dtype=object)),
    "no names": lambda mlp: delattr(mlp, "feature_names_in_"),
    "another shape of weights": lambda mlp: setattr(
        mlp.estimators_[0], "coefs_", [coef[:-1] for coef in mlp.estimators_[0].coefs_]
    ),
    "out-of-fold text": lambda mlp: setattr(mlp, "oof_", "text"),
}
OF_CLASSIFIERS = {
    "other classes": lambda mlp: setattr(mlp, "classes_", np.array(["a", "b"])),
    "no classes": lambda mlp: delattr(mlp, "classes_"),
    "no temperature": lambda mlp: delattr(mlp.estimators_[0], "temperature_"),
    "no word on smoothing": lambda mlp: delattr(mlp.estimators_[0], "undoes_smoothing_"),
    "a negative temperature": lambda mlp: setattr(mlp.estimators_[0], "temperature_", -1.0),
}
OF_REGRESSORS = {
    "no scale": lambda mlp: delattr(mlp.estimators_[0], "target_scale_"),
    "a scale of 0": lambda mlp: setattr(mlp.estimators_[0], "target_scale_", np.array(0.0)),
    "a mean of another shape": lambda mlp: setattr(mlp.estimators_[0], "target_mean_", np.zeros(3)),
    "a range that is not finite": lambda mlp: setattr(mlp.estimators_[0], "target_range_", np.array([0, np.inf])),
}


@pytest.mark.parametrize(
    ("cls", "forge"),
    [
        pytest.param(cls, forge, id=f"{cls.__name__}, {name}")
        for cls, own in ((TabularMLPClassifier, OF_CLASSIFIERS), (TabularMLPRegressor, OF_REGRESSORS))
        for name, forge in (FORGERIES | own).items()
    ],
    indirect=False,
)
def test_forged_files(cls, forge, tmp_path):
    X = table(40)
    mlp = cls(**SMALL | dict(max_iter=1)).fit(X, targets(cls, X))
    forge(mlp)
    path = tmp_path / "mlp.safetensors"
    content = {"dtype": None} | vars(mlp)
    files.write(path, cls.__name__, content)
    with pytest.raises(InvalidFileError):
        cls.load(path)


# ---- looking inside ----


def test_inspection_takes_the_networks(cls):
    from pyrelu.inspection import dead_units, layer_report

    X = table()
    y = targets(cls, X)
    mlp = cls(**SMALL).fit(X, y)
    Z = mlp.preprocessor_.transform(X)
    assert len(dead_units(mlp.estimators_[0], Z)) == 1
    assert str(layer_report(mlp.estimators_[0], Z, y))
