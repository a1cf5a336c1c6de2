"""Callbacks of a fit, for scikit-learn's callback framework (scikit-learn 1.9 or later).

``mlp.set_callbacks(...)`` sets them, those of `sklearn.callback` as well; a fit calls them before and after each epoch.
The fit's last record is then ``estimator.history_[-1]``, and a callback that returns True after an epoch ends the fit.
partial_fit calls none.

Examples
--------
A callback is any object with these four methods:

>>> from pyrelu import MLPClassifier
>>> class StopAtLoss:
...     def __init__(self, loss):
...         self.loss = loss
...     def setup(self, estimator, context):
...         pass
...     def on_fit_task_begin(self, estimator, context):
...         pass
...     def on_fit_task_end(self, estimator, context):
...         return estimator.loss_ < self.loss
...     def teardown(self, estimator, context):
...         pass
>>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 10, [0, 0, 1, 1] * 10
>>> mlp = MLPClassifier(5, "tanh", learning_rate_init=0.1, random_state=0).set_callbacks(StopAtLoss(0.3)).fit(X, y)
>>> 0.2 < mlp.loss_ < 0.3
True
"""

import os

import numpy as np

from pyrelu._mlp import checkpoint
from pyrelu._mlp.constraints import Constraint, boolean, check, count, not_negative, one_of, string
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.perceptron import BasePerceptron

__all__ = ["Checkpoint", "EarlyStopping"]


class _Callback:
    """What the callbacks here have in common."""

    def setup(self, estimator, context):
        """Check that it goes with the estimator. scikit-learn calls it as a fit begins."""
        if not isinstance(estimator, BasePerceptron):
            raise TypeError(f"{type(self).__name__} is for pyrelu's estimators. Got {estimator!r}.")

    def on_fit_task_begin(self, estimator, context):
        """Do nothing, or what a subclass does, before an epoch and before the first."""

    def on_fit_task_end(self, estimator, context):
        """Do nothing, or what a subclass does, after an epoch and after the last."""

    def teardown(self, estimator, context):
        """Do nothing. scikit-learn calls it once a fit has ended."""


def _is_epoch(context):
    return context.max_subtasks == 0  # the fit itself has its epochs below it


class EarlyStopping(_Callback):
    """Ends a fit once a value of its history has stalled.

    The estimators' own `early_stopping` watches the validation score, `tol` the loss; this one watches any value, beside
    them, and on all of the rows.

    Parameters
    ----------
    monitor : str, default="loss"
        A key of the records in `history_`: "loss", "validation_score", "gradient_norm", "dead_units", ...
    patience : int, default=10
        How many epochs in a row may pass without improvement; the last of them ends the fit.
    min_delta : float, default=0.0
        An epoch has improved where the value is better by more than that than the best one.
    mode : {"auto", "min", "max"}, default="auto"
        Whether less is better, or more; "auto": more of "validation_score", less of all else.
    restore_best : bool, default=True
        Whether the weights at the end are those of the best epoch, rather than of the last.

    Examples
    --------
    An own validation set, in place of a share of the training rows, and a patience of 5 epochs:

    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.callbacks import EarlyStopping
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = X[:1400] / 16, X[1400:] / 16, y[:1400], y[1400:]
    >>> stop = EarlyStopping("validation_score", patience=5)
    >>> mlp = MLPClassifier(random_state=0, learning_rate_init=0.01).set_callbacks(stop)
    >>> mlp = mlp.fit(X_train, y_train, eval_set=(X_test, y_test))
    >>> scores = [record["validation_score"] for record in mlp.history_]
    >>> mlp.n_iter_ < 60, scores.index(max(scores)) == mlp.n_iter_ - 6, mlp.score(X_test, y_test) == max(scores)
    (True, True, True)
    """

    def __init__(self, monitor="loss", patience=10, min_delta=0.0, mode="auto", restore_best=True):
        check(self, "monitor", monitor, string)
        check(self, "patience", patience, count)
        check(self, "min_delta", min_delta, not_negative)
        check(self, "mode", mode, one_of("auto", "min", "max"))
        check(self, "restore_best", restore_best, boolean)
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.restore_best = restore_best

    def on_fit_task_end(self, estimator, context):
        """Return whether the fit is to end; after the last epoch, restore the best weights."""
        state = estimator._fit_state
        if not _is_epoch(context):
            if self.restore_best and self._name in state.best_parameters:
                state.parameters[:] = state.best_parameters[self._name]
            return False
        seen, best, waited = state.callback_data.get(id(self), (0, np.inf, 0))
        for record in state.history[len(state.history) - state.n_iter + seen :]:
            value = self._sign * self._value(record)
            improves = value < best - self.min_delta
            best, waited = (value, 0) if improves else (best, waited + 1)
        state.callback_data[id(self)] = state.n_iter, best, waited
        if improves and self.restore_best:
            state.best_parameters[self._name] = state.parameters.copy()
        return waited >= self.patience

    def _value(self, record):
        if self.monitor not in record:
            raise ValueError(f"monitor={self.monitor!r} is not in history_, which has: {', '.join(record)}")
        return record[self.monitor]

    @property
    def _sign(self):
        return -1 if self.mode == "max" or (self.mode == "auto" and self.monitor == "validation_score") else 1

    @property
    def _name(self):
        return f"best {self.monitor}, {self.mode}, {self.min_delta}"


def _rules(estimator):
    """Return the early stopping among the callbacks: what a fit comes to depends on it as on the parameters."""
    return [callback for callback in estimator._skl_callbacks if isinstance(callback, EarlyStopping)]


class Checkpoint(_Callback):
    """Writes a fit to a file every few epochs, from which it goes on after the process was killed.

    The file holds all that the fit depends on: the weights, the optimizer, the generator of random numbers, the order of
    the rows, the best weights so far, the records. A fit that resumes ends with the bits of one that was never interrupted.
    The file is replaced whole or not at all, and reading it runs no code from it.

    Parameters
    ----------
    path : str, bytes or path-like
        The file. Each fit that is under way needs one of its own.
    every : int, default=1
        After how many epochs to write it, which takes a few milliseconds, or 0.1 s for a million weights. It is also
        written as the fit ends or is interrupted by Ctrl-C.
    resume : bool, default=False
        Whether to go on from the file where there is one. A file of a fit that had come to its end gives its result at
        once. With False, a file that is there is replaced.

    Raises
    ------
    InvalidFileError
        A ValueError, from `fit`: the file is of other data, other parameters (other than verbose and n_threads) or other
        `EarlyStopping` callbacks, is truncated or damaged, or is no checkpoint.

    Notes
    -----
    For the stochastic solvers; what "lbfgs" depends on is in SciPy. Where `random_state` is None, the generator that
    NumPy's functions share is set to where it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.callbacks import Checkpoint
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fit.safetensors"
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 10, [0, 0, 1, 1] * 10
    >>> def fit():  # what a job runs that may be killed, and runs again after it was
    ...     mlp = MLPClassifier(5, "tanh", learning_rate_init=0.1, random_state=0)
    ...     return mlp.set_callbacks(Checkpoint(path, every=10, resume=True)).fit(X, y)
    >>> fit().loss_curve_ == fit().loss_curve_
    True
    """

    def __init__(self, path, *, every=1, resume=False):
        check(self, "path", path, string | Constraint("a path", lambda value: isinstance(value, bytes | os.PathLike)))
        check(self, "every", every, count)
        check(self, "resume", resume, boolean)
        self.path = path
        self.every = every
        self.resume = resume

    def setup(self, estimator, context):
        """Check that the solver is stochastic and that there is a folder to write to."""
        super().setup(estimator, context)
        if estimator.solver not in STOCHASTIC:
            raise ValueError(
                f"Checkpoint needs one of the solvers {', '.join(STOCHASTIC)}. Got solver={estimator.solver!r}."
            )
        path = os.fsdecode(self.path)
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"path={path!r}: there is no folder {folder}")
        if not path or os.path.isdir(path):
            raise IsADirectoryError(f"path={path!r} is a folder")

    def on_fit_task_begin(self, estimator, context):
        """Before the first epoch, go to where the file says; before others, write the file where it is time."""
        state = estimator._fit_state
        if not _is_epoch(context):
            if self.resume and os.path.exists(self.path):
                checkpoint.load(state, self.path, _rules(estimator))
            state.callback_data[id(self)] = state.n_iter
        elif (
            state.n_iter - state.callback_data[id(self)] >= self.every
        ):  # once all callbacks are done with the last one
            self._save(state)

    def on_fit_task_end(self, estimator, context):
        """Write the file at the end."""
        if not _is_epoch(context):
            self._save(estimator._fit_state)

    def _save(self, state):
        checkpoint.save(state, self.path, _rules(state.estimator))
        state.callback_data[id(self)] = state.n_iter
