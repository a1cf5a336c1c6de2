"""The state that a fit leaves: complete or unchanged, reproducible, usable by any solver, from any thread."""

import copy
import itertools
import os
import pickle
import sys
import threading

import joblib
import numpy as np
import pytest
from helpers import few_epochs, same_bits
from sklearn import neural_network

import pyrelu
from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu.callbacks import Checkpoint, EarlyStopping

pytestmark = few_epochs

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
SOLVERS = ["lbfgs", *STOCHASTIC]
FITS = {
    **{solver: dict(solver=solver) for solver in SOLVERS},
    "early stopping": dict(early_stopping=True),
    "scoring": dict(early_stopping=True, scoring="neg_log_loss"),
    "learned slopes, dropout": dict(activation="prelu", dropout=0.2),
}


def make(name, *callbacks):
    return MLPClassifier(4, max_iter=3, random_state=0, **FITS[name]).set_callbacks(*callbacks)


# ---- the same every time ----


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("with_callbacks", [False, True])
def test_two_fits_are_the_same_to_the_byte(name, with_callbacks, tmp_path):
    """In joblib's hash, a pickle and a file."""
    files = []
    for i in range(2):
        mlp = make(name, *([EarlyStopping(patience=2)] if with_callbacks else [])).fit(X, Y)
        if name != "lbfgs":
            mlp.set_params(early_stopping=False).partial_fit(X, Y)
        mlp.save(tmp_path / str(i))
        files.append((joblib.hash(mlp), pickle.dumps(mlp), (tmp_path / str(i)).read_bytes()))
        mlp.set_callbacks()
        assert joblib.hash(MLPClassifier.load(tmp_path / str(i))) == joblib.hash(mlp)
    assert files[0] == files[1]


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "Philox"])
def test_two_loads_are_the_same(name, tmp_path):
    seed = np.random.RandomState(getattr(np.random, name)(7))
    MLPClassifier(random_state=seed, max_iter=2).fit(X, Y).save(tmp_path / "mlp")
    first, second = (joblib.hash(MLPClassifier.load(tmp_path / "mlp")) for _ in range(2))
    assert first == second


# ---- one solver after another ----


# Each with each of either class, with and without early stopping; not all of both, as those do not know of each other.
AFTER_EACH_OTHER = [
    ((MLPClassifier, MLPRegressor)[(i + j + stops_early) % 2], SOLVERS[i], SOLVERS[j], stops_early)
    for i, j, stops_early in itertools.product(range(len(SOLVERS)), range(len(SOLVERS)), (False, True))
]


@pytest.mark.parametrize(("cls", "first", "then", "stops_early"), AFTER_EACH_OTHER)
def test_any_solver_after_any(cls, first, then, stops_early):
    def fitted():
        mlp = cls(hidden_layer_sizes=8, solver=first, max_iter=3, random_state=0, early_stopping=stops_early)
        return mlp.fit(X, Y)

    def converted():
        theirs = getattr(neural_network, cls.__name__)(
            hidden_layer_sizes=(8,), solver=first if first in ("lbfgs", "sgd") else "adam", max_iter=3
        )
        return cls.from_sklearn(theirs.fit(X, Y))

    for start in (fitted, converted):
        warm = start().set_params(solver=then, warm_start=True, early_stopping=stops_early).fit(X, Y)
        warm.set_params(early_stopping=not stops_early).fit(X, Y)
        check(warm)
        if then != "lbfgs":
            incremental = start().set_params(solver=then, early_stopping=False).partial_fit(X, Y).partial_fit(X, Y)
            check(incremental)
            assert isinstance(incremental._optimizer, tuple(STOCHASTIC.values()))


def check(mlp):
    assert np.isfinite(mlp.predict(X)).all()
    assert [record["epoch"] for record in mlp.history_] == list(range(1, len(mlp.history_) + 1))
    assert vars(pickle.loads(pickle.dumps(mlp))).keys() == vars(mlp).keys()


def test_a_new_fit_forgets_the_one_before():
    mlp = make("early stopping").fit(X, Y).set_params(solver="lbfgs", early_stopping=False).fit(X, Y)
    assert vars(mlp).keys() == vars(make("lbfgs").fit(X, Y)).keys()
    assert joblib.hash(mlp) == joblib.hash(make("lbfgs").fit(X, Y))


# ---- interrupted anywhere ----

FOLDER = os.path.dirname(pyrelu.__file__)


class InterruptAt:
    """Raises KeyboardInterrupt at the n-th line of the package's that runs in the block."""

    def __init__(self, n):
        self.n, self.lines = n, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exception):
        sys.settrace(self.before)

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.n:
                raise KeyboardInterrupt
        return self.trace


def looks(mlp):
    """All of its visible state."""
    state = {name: value for name, value in vars(mlp).items() if name != "_skl_callbacks"}
    return joblib.hash((sorted(state), state))


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize(
    ("how", "name"),
    [
        *[("fit", name) for name in ("adam", "early stopping", "lbfgs")],
        ("partial_fit", "adam"),
        *[("with a checkpoint", name) for name in ("adam", "early stopping")],
    ],
)
def test_an_interrupt_at_any_line_leaves_the_old_or_the_new(how, name, tmp_path):
    """The new: as it is after one of the epochs."""
    path = tmp_path / "fit"

    def prepare():
        mlp = make(name).fit(X[:30], Y[:30]).set_params(warm_start=True)
        return mlp.set_callbacks(Checkpoint(path)) if how == "with a checkpoint" else mlp

    def call(mlp):
        mlp.partial_fit(X, Y) if how == "partial_fit" else mlp.fit(X, Y)

    before = prepare()
    with InterruptAt(None) as counter:
        call(mlp := copy.deepcopy(before))
    new, old = mlp, looks(before)
    epochs = {new.n_iter_: new}
    for n in range(3):
        stopped = prepare()
        if n:
            call(stopped.set_params(max_iter=n))
            epochs[n] = stopped
    kept, n_new = 0, 0
    for n in range(1, counter.lines + 1, 1 + counter.lines // 50):
        mlp = copy.deepcopy(before)
        raised = True
        with InterruptAt(n):
            try:
                call(mlp)
                raised = False
            except KeyboardInterrupt:
                pass
        if looks(mlp) == old:
            assert raised
            kept += 1
            continue
        n_new += 1
        assert not hasattr(mlp, "_fit_state")
        if how != "partial_fit" and mlp.n_iter_:
            assert all(map(same_bits, mlp.coefs_, epochs[mlp.n_iter_].coefs_)), n
        elif how != "partial_fit" or mlp.n_iter_ == 0:
            assert all(map(same_bits, mlp.coefs_, before.coefs_)), n
        else:
            assert all(map(same_bits, mlp.coefs_, new.coefs_)), n
        assert mlp.predict(X).shape == Y.shape
    assert kept and n_new


@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_dead_units_are_those_of_the_last_whole_epoch():
    """The second epoch ends with a step that kills units; the third finds them dead, but is interrupted."""
    epochs = []

    def scoring(*arguments):
        epochs.append(len(epochs))
        if len(epochs) == 3:
            raise KeyboardInterrupt
        return 0.0

    rates = [1e-3, 10.0, 1e-3]
    settings = dict(learning_rate=rates.__getitem__, max_iter=3, random_state=0)
    positive = abs(X)
    whole = MLPClassifier((30, 20), **settings).fit(positive, Y)
    mlp = MLPClassifier((30, 20), scoring=scoring, **settings).fit(positive, Y, eval_set=(positive, Y))
    assert mlp.n_iter_ == 2 and whole.history_[2]["dead_units"] > whole.history_[1]["dead_units"]
    assert np.concatenate(mlp.dead_units_).mean() == pytest.approx(whole.history_[1]["dead_units"])


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_interrupted_while_a_checkpoint_is_written(moment, tmp_path, monkeypatch):
    """The last epoch stays, as with any Ctrl-C, and the file is written at the end."""
    path = tmp_path / "fit"
    write, calls = os.replace, []

    def interrupted(*names):
        calls.append(names)
        if moment == "after":
            write(*names)
        if len(calls) == 2:
            raise KeyboardInterrupt
        if moment == "before":
            write(*names)

    monkeypatch.setattr("pyrelu._storage.files.write_atomically", lambda path, *content: store(path, b"".join(content)))

    def store(path, content):
        with open(f"{path}.new", "wb") as file:
            file.write(content)
        interrupted(f"{path}.new", path)

    mlp = make("adam", Checkpoint(path))
    mlp.fit(X, Y)
    assert mlp.n_iter_ == 2 and len(calls) == 3
    monkeypatch.undo()
    resumed = make("adam", Checkpoint(path, resume=True)).fit(X, Y)
    assert all(map(same_bits, resumed.coefs_, make("adam").fit(X, Y).coefs_))


def test_a_second_interrupt_leaves_the_old(monkeypatch):
    """One while the first is dealt with."""
    mlp = make("adam").fit(X, Y)
    before = looks(mlp)

    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyrelu._mlp.fit_state.FitState.restore", interrupt)
    monkeypatch.setattr("pyrelu._mlp.training._train_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mlp.fit(X, Y)
    assert looks(mlp) == before


# ---- several threads ----


class Meanwhile:
    """Calls a function in the middle of a fit, in another thread."""

    def __init__(self, function):
        self.function = function

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        thread = threading.Thread(target=lambda: setattr(self, "result", self.function()))
        thread.start()
        thread.join()

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


def test_others_see_the_old_network_during_a_fit():
    mlp = make("adam").fit(X, Y)
    old = mlp.predict_proba(X)
    seen = []
    mlp.set_callbacks(Meanwhile(lambda: seen.append(mlp.predict_proba(X)))).fit(X, 1 - Y)
    assert len(seen) == 4 and all(same_bits(one, old) for one in seen)
    assert not np.array_equal(mlp.predict_proba(X), old)


def test_a_fit_in_another_thread_meanwhile():
    """It is refused at once with a sentence, and the one that has begun goes on."""
    refused = []

    def train(call):
        with pytest.raises(RuntimeError, match="this MLPClassifier is already being fitted") as caught:
            call()
        refused.append(caught)

    mlp = make("adam").fit(X, Y)
    mlp.set_callbacks(Meanwhile(lambda: (train(lambda: mlp.fit(X, Y)), train(lambda: mlp.partial_fit(X, Y)))))
    mlp.fit(X, 1 - Y).set_callbacks()
    assert len(refused) == 8  # the fit and its three epochs
    assert looks(mlp) == looks(make("adam").fit(X, 1 - Y))
    mlp.fit(X, Y)


def test_a_function_that_a_fit_calls_cannot_fit_the_same_estimator():
    mlp = make("adam").set_params(early_stopping=True, scoring=lambda estimator, X, y: mlp.fit(X, y).score(X, y))
    with pytest.raises(RuntimeError, match="is already being fitted"):
        mlp.fit(X, Y)
    assert not hasattr(mlp, "coefs_")
    mlp.set_params(scoring=None).fit(X, Y)


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, SystemExit])
def test_after_a_fit_that_failed_comes_another(error):
    def fail(epoch):
        raise error

    mlp = make("adam").set_params(learning_rate=fail)
    for _ in range(2):
        try:
            mlp.fit(X, Y)
        except error:
            pass
    mlp.set_params(learning_rate="constant").fit(X, Y)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_meanwhile_fits_the_same_estimator():
    """The fit that goes on in the parent does not in the child."""

    def fork():
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = 0 if mlp.set_callbacks().fit(X, Y).n_iter_ == 3 else 2
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    codes = []
    mlp = make("adam")
    mlp.set_callbacks(Meanwhile(fork)).fit(X, Y)
    assert codes == [0] * 4


def test_partial_fit_in_two_threads_loses_nothing():
    mlp = MLPClassifier(4, random_state=0).partial_fit(X, Y, classes=[0, 1])
    outcomes = []

    def train():
        for _ in range(30):
            try:
                mlp.partial_fit(X, Y)
                outcomes.append(True)
            except RuntimeError as error:
                outcomes.append("in another thread" not in str(error) and error)

    threads = [threading.Thread(target=train) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 60 and all(outcome in (True, False) for outcome in outcomes)
    assert mlp.t_ == len(X) * (1 + sum(outcomes)) == len(X) * len(mlp.history_)


def test_what_is_set_meanwhile_stays():
    mlp = make("adam")
    mlp.set_callbacks(Meanwhile(lambda: mlp.set_params(alpha=7))).fit(X, Y)
    assert mlp.alpha == 7 and hasattr(mlp, "coefs_")


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda mlp: pickle.loads(pickle.dumps(mlp))])
def test_copies_and_files_made_by_a_callback(twin, tmp_path):
    made = []

    class Copy(Meanwhile):
        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "fit":
                return
            callbacks = vars(estimator).pop("_skl_callbacks")  # which cannot be pickled where the class is local
            made.append(twin(estimator))
            estimator._skl_callbacks = callbacks
            estimator.save(tmp_path / "mlp")

    make("adam", Copy(None)).fit(X, Y)
    assert len(made) == 3 and not any(hasattr(mlp, "_fit_state") for mlp in made)
    made[0].set_callbacks().partial_fit(X, Y)
    assert same_bits(MLPClassifier.load(tmp_path / "mlp").predict_proba(X), made[-1].predict_proba(X))
