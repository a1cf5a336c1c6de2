"""Callbacks for fits, on scikit-learn's callback framework (scikit-learn 1.9 or later).

``mlp.set_callbacks(...)`` sets them, including those of `sklearn.callback`. A fit calls them before and after each epoch.
After an epoch, ``estimator.history_[-1]`` is its record, and a callback that returns True ends the fit. partial_fit calls
no callbacks.

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
from pyrelu._mlp.constraints import Constraint, boolean, check, not_negative, one_of, positive_int, string
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.perceptron import BasePerceptron

__all__ = ["Checkpoint", "EarlyStopping"]


class _Callback:
    """The base class of these callbacks."""

    def setup(self, estimator, context):
        """Check that the estimator is one of pyrelu's. scikit-learn calls this when a fit begins."""
        if not isinstance(estimator, BasePerceptron):
            raise TypeError(f"{type(self).__name__} is for pyrelu's estimators. Got {estimator!r}.")

    def on_fit_task_begin(self, estimator, context):
        """Do nothing. A fit calls this before the first epoch and before each epoch."""

    def on_fit_task_end(self, estimator, context):
        """Do nothing. A fit calls this after each epoch and after the last epoch."""

    def teardown(self, estimator, context):
        """Do nothing. scikit-learn calls this when a fit has ended."""

    def _for_fit(self, number, again):
        """Return the callback for one of the fits that an estimator makes of several networks, or None.

        Parameters
        ----------
        number : int or None
            Of the network; None where there is only one.
        again : bool
            Whether a network is fitted for a number of epochs that its first fit has found.
        """
        return self


def _is_epoch(context):
    return context.max_subtasks == 0  # epochs are the subtasks of a fit, and have none


class EarlyStopping(_Callback):
    """Ends a fit when a value in its history has stalled.

    The estimators' own `early_stopping` monitors the validation score, and `tol` the loss. This callback monitors any
    value, in addition to them, and holds out no rows.

    Parameters
    ----------
    monitor : str, default="loss"
        A key of the records in `history_`: "loss", "validation_score", "gradient_norm", "dead_units", ...
    patience : int, default=10
        The number of consecutive epochs without improvement after which the fit ends.
    min_delta : float, default=0.0
        An epoch is an improvement if its value is better than the best one by more than this.
    mode : {"auto", "min", "max"}, default="auto"
        Whether smaller or larger values are better; "auto": larger for "validation_score", smaller for all others.
    restore_best : bool, default=True
        Whether to return to the weights of the best epoch at the end, rather than keep those of the last.

    Examples
    --------
    Your own validation set instead of held-out training rows, and a patience of 5 epochs:

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
        check(self, "patience", patience, positive_int)
        check(self, "min_delta", min_delta, not_negative)
        check(self, "mode", mode, one_of("auto", "min", "max"))
        check(self, "restore_best", restore_best, boolean)
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.restore_best = restore_best

    def on_fit_task_end(self, estimator, context):
        """Return whether to end the fit; after the last epoch, restore the best weights."""
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

    def _for_fit(self, number, again):
        return None if again else self

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
    """Return the EarlyStopping callbacks: like parameters, they determine the result of a fit."""
    return [callback for callback in estimator._skl_callbacks if isinstance(callback, EarlyStopping)]


class Checkpoint(_Callback):
    """Writes a fit to a file every few epochs, so that it can resume after the process was killed.

    The file holds everything that the fit depends on: the weights, the optimizer, the random generator, the order of the
    rows, the best weights so far and the records. A resumed fit ends with the same bits as an uninterrupted one. The file
    is replaced atomically, and reading it runs no code from it.

    Parameters
    ----------
    path : str, bytes or path-like
        The file. Fits that run at the same time need different files. Of a tabular estimator's several networks, each has
        a file of its own: "fit.0.safetensors", "fit.1.safetensors" ... for the path "fit.safetensors"; a refit has
        "fit.again.safetensors".
    every : int, default=1
        The number of epochs between two writes. Writing takes a few milliseconds, and 0.1 s for a million weights. The
        file is also written when the fit ends or Ctrl-C interrupts it.
    resume : bool, default=False
        Whether to resume from the file if it exists. The file of a finished fit gives its result at once. With False, an
        existing file is replaced.

    Raises
    ------
    InvalidFileError
        A ValueError, from `fit`: the file belongs to other data, other parameters (verbose and n_threads may differ) or
        other `EarlyStopping` callbacks, is truncated or damaged, or is no checkpoint.

    Notes
    -----
    Only for the stochastic solvers: the state of "lbfgs" is inside SciPy. If `random_state` is None, resuming sets the
    state of NumPy's global generator.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.callbacks import Checkpoint
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fit.safetensors"
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 10, [0, 0, 1, 1] * 10
    >>> def fit():  # a job that may be killed, and is then started again
    ...     mlp = MLPClassifier(5, "tanh", learning_rate_init=0.1, random_state=0)
    ...     return mlp.set_callbacks(Checkpoint(path, every=10, resume=True)).fit(X, y)
    >>> fit().loss_curve_ == fit().loss_curve_
    True
    """

    def __init__(self, path, *, every=1, resume=False):
        check(self, "path", path, string | Constraint("a path", lambda value: isinstance(value, bytes | os.PathLike)))
        check(self, "every", every, positive_int)
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

    def _for_fit(self, number, again):
        parts = ([] if number is None else [str(number)]) + (["again"] if again else [])
        start, end = os.path.splitext(os.fsdecode(self.path))
        return Checkpoint(".".join([start, *parts]) + end, every=self.every, resume=self.resume)

    def on_fit_task_begin(self, estimator, context):
        """Before the first epoch, resume from the file; before later ones, write it if it is due."""
        state = estimator._fit_state
        if not _is_epoch(context):
            if self.resume and os.path.exists(self.path):
                checkpoint.load(state, self.path, _rules(estimator))
            state.callback_data[id(self)] = state.n_iter
        elif (
            state.n_iter - state.callback_data[id(self)] >= self.every
        ):  # now that all callbacks have seen the last epoch
            self._save(state)

    def on_fit_task_end(self, estimator, context):
        """Write the file at the end."""
        if not _is_epoch(context):
            self._save(estimator._fit_state)

    def _save(self, state):
        checkpoint.save(state, self.path, _rules(state.estimator))
        state.callback_data[id(self)] = state.n_iter
