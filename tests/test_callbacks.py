"""Callbacks: scikit-learn's own, and those of pyrelu.callbacks."""

import copy
import gc
import pickle
import re
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest
import scipy.sparse
from helpers import few_epochs, same_bits
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidParameterError

pytest.importorskip("sklearn.callback", reason="callbacks need scikit-learn 1.9")
from sklearn.callback import FitCallback, ProgressBar, ScoringMonitor

pytestmark = few_epochs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
SOLVERS = ["sgd", "adam", "adamw", "lbfgs"]


class Recorder:
    """Notes what is called; asks to stop after some epochs."""

    def __init__(self, stop_after=None, fail_in=None):
        self.calls, self.fitted, self.stop_after, self.fail_in = [], [], stop_after, fail_in

    def note(self, hook, context):
        self.calls.append((hook, context.task_name))
        if self.fail_in == hook:
            raise RuntimeError(hook)

    def setup(self, estimator, context):
        self.note("setup", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.data = X, y, metadata
        self.note("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.note("end", context)
        self.fitted.append(fitted_estimator)
        return estimator.n_iter_ == self.stop_after

    def teardown(self, estimator, context):
        self.note("teardown", context)


def classifier(*callbacks, **parameters):
    parameters = dict(hidden_layer_sizes=8, max_iter=6, random_state=0, n_iter_no_change=100) | parameters
    return MLPClassifier(**parameters).set_callbacks(*callbacks)


def attributes(mlp):
    return {name for name in vars(mlp) if name != "_skl_callbacks"}


# ---- the protocol ----


@pytest.mark.parametrize("solver", SOLVERS)
def test_hooks_are_called_around_each_epoch(solver):
    recorder = Recorder()
    mlp = classifier(recorder, solver=solver).fit(X, Y, sample_weight=np.ones(200))
    epochs = [(hook, f"epoch {i + 1}") for i in range(6) for hook in ("begin", "end")]
    assert recorder.calls == [("setup", "fit"), ("begin", "fit"), *epochs, ("end", "fit"), ("teardown", "fit")]
    assert recorder.data[0] is X and recorder.data[1] is Y and set(recorder.data[2]) == {"sample_weight"}
    plain = classifier(solver=solver).fit(X, Y)
    assert all(map(same_bits, mlp.coefs_, plain.coefs_))
    assert attributes(mlp) == attributes(plain)


@pytest.mark.parametrize("solver", SOLVERS)
def test_fitted_estimator_is_that_of_the_epoch(solver):
    recorder = Recorder()
    mlp = classifier(recorder, solver=solver).fit(X, Y)
    for n, fitted in enumerate(recorder.fitted[:-1], start=1):
        alone = classifier(solver=solver, max_iter=n).fit(X, Y)
        assert same_bits(fitted.predict_proba(X), alone.predict_proba(X)) and len(fitted.history_) == n
    assert same_bits(recorder.fitted[-1].predict_proba(X), mlp.predict_proba(X))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_may_end_the_fit(solver):
    recorder = Recorder(stop_after=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        mlp = classifier(recorder, solver=solver).fit(X, Y)
    assert mlp.n_iter_ == len(mlp.history_) == 3
    assert recorder.calls[-3:] == [("end", "epoch 3"), ("end", "fit"), ("teardown", "fit")]


@pytest.mark.parametrize("hook", ["setup", "begin", "end", "teardown"])
def test_a_failing_callback_leaves_the_estimator_as_it_was(hook):
    recorder = Recorder(fail_in=hook)
    mlp = classifier(recorder)
    before = attributes(mlp)
    with pytest.raises(RuntimeError, match=hook):
        mlp.fit(X, Y)
    if hook != "teardown":  # by then it is fitted
        assert attributes(mlp) == before
    assert recorder.calls[-1][0] == "teardown"


def test_a_failing_fit_tears_down():
    recorder = Recorder()
    with pytest.raises(ValueError, match="non-finite"):
        classifier(recorder, solver="sgd", activation="identity", learning_rate_init=1e200).fit(X * 1e10, Y)
    assert recorder.calls[-1] == ("teardown", "fit")


def test_no_callbacks_no_context():
    recorder = Recorder()
    mlp = classifier(recorder).set_callbacks().fit(X, Y)
    assert recorder.calls == [] and not hasattr(mlp, "_skl_callbacks")


def test_partial_fit_calls_none():
    recorder = Recorder()
    classifier(recorder).partial_fit(X, Y, classes=[0, 1])
    assert recorder.calls == []


@pytest.mark.parametrize("twin", [copy.deepcopy, clone, lambda mlp: pickle.loads(pickle.dumps(mlp))])
def test_copies_and_pickles(twin, tmp_path):
    kept = twin(classifier(EarlyStopping(), Checkpoint(tmp_path / "a")).fit(X, Y))._skl_callbacks
    assert [type(callback) for callback in kept] == [EarlyStopping, Checkpoint]


def test_saved_without_them(tmp_path):
    mlp = classifier(EarlyStopping()).fit(X, Y)
    mlp.save(tmp_path / "mlp")
    again = MLPClassifier.load(tmp_path / "mlp")
    assert same_bits(again.predict_proba(X), mlp.predict_proba(X)) and not hasattr(again, "_skl_callbacks")
    assert again.history_ == mlp.history_


def test_nothing_keeps_the_data_alive():
    data = np.copy(X)
    mlp = classifier(EarlyStopping()).fit(data, Y)  # scikit-learn keeps callbacks alive: one that holds no data
    kept = weakref.ref(data), weakref.ref(mlp)
    del data, mlp
    gc.collect()
    assert all(reference() is None for reference in kept)


# ---- scikit-learn's ----


@pytest.mark.parametrize("solver", SOLVERS)
def test_scoring_monitor(solver):
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    mlp = classifier(monitor, solver=solver).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    epochs = log[log["task_name"].str.startswith("epoch")]
    assert len(epochs) == 6
    for n, accuracy in enumerate(epochs.sort_values("task_id")["accuracy"], start=1):
        assert accuracy == classifier(solver=solver, max_iter=n).fit(X, Y).score(X, Y)
    assert log[log["task_name"] == "fit"]["accuracy"].item() == mlp.score(X, Y)


def test_scoring_monitor_of_a_regressor_with_names():
    pandas = pytest.importorskip("pandas")
    monitor = ScoringMonitor(scoring="r2")
    mlp = MLPRegressor(hidden_layer_sizes=5, max_iter=3, random_state=0).set_callbacks(monitor)
    mlp.fit(pandas.DataFrame(X, columns=list("abcdef")), X[:, 0])  # where names are lost, this warns
    assert len(monitor.get_logs().data) == 4


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_scoring_monitor_in_pipeline_and_grid_search(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), classifier(monitor))
    pipeline.fit(X, Y)
    assert len(monitor.get_logs().data) == 7
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 0.01]}, cv=2, n_jobs=n_jobs).fit(X, Y)
    assert search.best_score_ > 0.3
    assert len(monitor.get_logs("all")) == 2  # the pipeline and the search
    assert len(monitor.get_logs().data) == 5 * 7  # two candidates, two folds, and the refit


@pytest.mark.parametrize("nest", ["alone", "pipeline", "grid search"])
def test_progress_bar(nest, capsys):
    pytest.importorskip("rich")
    mlp = classifier()
    model = {
        "alone": mlp,
        "pipeline": make_pipeline(StandardScaler(), mlp),
        "grid search": GridSearchCV(mlp, {"alpha": [0.1, 0.01]}, cv=2),
    }[nest]
    model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    shown = capsys.readouterr().out
    assert "MLPClassifier - fit" in shown and "100%" in shown


# ---- EarlyStopping ----


def test_ours_follow_the_protocol():
    assert isinstance(EarlyStopping(), FitCallback) and isinstance(Checkpoint("a"), FitCallback)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("restore_best", [False, True])
def test_early_stopping(solver, restore_best):
    stop = EarlyStopping("validation_score", patience=4, restore_best=restore_best)
    parameters = dict(solver=solver, learning_rate_init=0.05, max_iter=300, hidden_layer_sizes=30)
    evaluation = X[100:], Y[100:]
    mlp = classifier(stop, **parameters).fit(X[:100], Y[:100], eval_set=evaluation)
    scores = mlp.validation_scores_
    best = int(np.argmax(scores))
    assert mlp.n_iter_ == best + 1 + 4 < 300
    assert mlp.score(*evaluation) == scores[best if restore_best else -1]
    n = best + 1 if restore_best else mlp.n_iter_
    assert all(map(same_bits, mlp.coefs_, classifier(**parameters | dict(max_iter=n)).fit(X[:100], Y[:100]).coefs_))


def test_early_stopping_modes():
    grows = dict(solver="sgd", learning_rate="constant", max_iter=20)
    assert classifier(EarlyStopping(mode="max", patience=3), **grows).fit(X, Y).n_iter_ == 4  # the loss falls
    assert classifier(EarlyStopping(mode="min", patience=3), **grows).fit(X, Y).n_iter_ == 20
    assert classifier(EarlyStopping(min_delta=10.0, patience=3), **grows).fit(X, Y).n_iter_ == 4
    assert classifier(EarlyStopping("learning_rate", patience=3), **grows).fit(X, Y).n_iter_ == 4  # constant
    warm = classifier(EarlyStopping(mode="max", patience=3), **grows, warm_start=True).fit(X, Y).fit(X, Y)
    assert warm.n_iter_ == 4 and len(warm.history_) == 8  # the earlier fit does not count


def test_early_stopping_of_lbfgs():
    mlp = classifier(EarlyStopping(min_delta=10.0, patience=3), solver="lbfgs", max_iter=50).fit(X, Y)
    assert mlp.n_iter_ == len(mlp.history_) == 4
    assert all(map(same_bits, mlp.coefs_, classifier(solver="lbfgs", max_iter=1).fit(X, Y).coefs_))


def test_early_stopping_is_shared_by_the_fits_of_a_search():
    stop = EarlyStopping(min_delta=10.0, patience=2)
    search = GridSearchCV(classifier(stop), {"alpha": [0.1, 0.01]}, cv=2, n_jobs=2).fit(X, Y)
    assert search.best_estimator_.n_iter_ == 3


def test_two_of_them():
    stops = EarlyStopping(patience=3), EarlyStopping("gradient_norm", mode="max", patience=2)
    assert classifier(*stops, solver="sgd", max_iter=50).fit(X, Y).n_iter_ < 50


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(monitor=3), "'monitor' parameter of EarlyStopping must be a str. Got 3"),
        (dict(patience=0), "'patience' parameter of EarlyStopping must be an int in the range [1, inf)"),
        (dict(min_delta=-1), "a float in the range [0, inf)"),
        (dict(mode="up"), "one of 'auto', 'min', 'max'"),
        (dict(restore_best=None), "a bool"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        EarlyStopping(**parameters)


def test_unknown_monitor():
    mlp = classifier(EarlyStopping("validation_score"))
    with pytest.raises(ValueError, match="is not in history_, which has: epoch, loss, learning_rate"):
        mlp.fit(X, Y)
    assert not hasattr(mlp, "coefs_")


def test_ours_are_for_our_estimators():
    with pytest.raises(TypeError, match=re.escape("is for pyrelu's estimators. Got LogisticRegression()")):
        LogisticRegression().set_callbacks(EarlyStopping()).fit(X, Y)


# ---- without the framework ----


def test_older_scikit_learn():
    code = """if True:
        import sys, sklearn.pipeline, sklearn.model_selection
        sys.modules["sklearn.callback"] = None  # as if it were not there
        import numpy as np
        from pyrelu import MLPClassifier
        X = np.random.default_rng(0).normal(size=(50, 3))
        mlp = MLPClassifier(max_iter=2, verbose=True).fit(X, X[:, 0] > 0).partial_fit(X, X[:, 0] > 0)
        try:
            mlp.set_callbacks()
        except ImportError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert "Iteration 2" in done.stdout and "callbacks need scikit-learn 1.9 or later" in done.stdout


# ---- sparse and feature names in the middle of a fit ----


def test_sparse():
    recorder = Recorder()
    mlp = classifier(recorder).fit(scipy.sparse.csr_array(X), Y)
    assert same_bits(recorder.fitted[-1].predict(scipy.sparse.csr_array(X)), mlp.predict(X))
