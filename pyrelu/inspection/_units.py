"""Dead units, and the activity of all units."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._typing import Rows
from pyrelu.inspection._trace import SATURATED, FittedNetwork, layers_of, passes


def dead_units(estimator: FittedNetwork, X: Rows) -> list[NDArray[np.bool_]]:
    """Return which hidden units are 0 for every row of X.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to evaluate.

    Returns
    -------
    list of ndarray of bool
        One array per hidden layer, of shape (n_units,). The attribute `dead_units_` is the same for the training rows.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If X does not match the estimator.
    """
    hidden = layers_of(estimator)[:-1]
    dead = [np.ones(layer.activation.n_units(len(layer.bias)), bool) for layer in hidden]
    for step, _ in passes(estimator, X):
        for units, a in zip(dead, step.after[:-1], strict=True):
            units &= (a == 0).all(axis=0)
    return dead


def unit_activity(estimator: FittedNetwork, X: Rows) -> list[NDArray[np.float64]]:
    """Return the share of rows to which each hidden unit responds.

    A unit responds to a row if the absolute value of its derivative is at least 0.01, so that it can learn from the
    row: relu if its input is positive, sigmoid and tanh if they are not saturated. A unit of a function along an axis,
    such as softmax, responds if its output is not 0.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to evaluate.

    Returns
    -------
    list of ndarray of float
        One array per hidden layer, of shape (n_units,), with shares between 0 and 1.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If X does not match the estimator.
    """
    hidden = layers_of(estimator)[:-1]
    n, responding = 0, [np.zeros(layer.activation.n_units(len(layer.bias)), int) for layer in hidden]
    for step, _ in passes(estimator, X):
        for count, layer, z, a in zip(responding, hidden, step.before, step.after):
            slopes = layer.slopes(z)
            count += np.count_nonzero(a if slopes is None else np.abs(slopes) >= SATURATED, axis=0)
        n += len(step.inputs[0])
    return [count / n for count in responding]


class ActivityRecorder:
    """A callback that records, after each epoch, the share of rows to which each hidden unit responds.

    It uses the callbacks of scikit-learn 1.9 or later. `pyrelu.plot.UnitActivityDisplay.from_recorder` draws the record.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to evaluate; a few hundred are enough.

    Attributes
    ----------
    activity_ : list of list of ndarray of shape (n_units,)
        The results of `unit_activity`, one for each epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from pyrelu import MLPClassifier
    >>> from pyrelu.inspection import ActivityRecorder
    >>> X, y = load_digits(return_X_y=True)
    >>> recorder = ActivityRecorder(X[:500])
    >>> mlp = MLPClassifier((32, 16), max_iter=500, random_state=0).set_callbacks(recorder).fit(X, y)
    >>> len(recorder.activity_) == mlp.n_iter_
    True
    >>> recorder.activity_[-1][1].shape
    (16,)

    Without callbacks, or between calls of `partial_fit`:

    >>> recorder.record(mlp)
    """

    def __init__(self, X: Rows) -> None:
        self.X = X
        self.activity_: list[list[NDArray[np.float64]]] = []

    def record(self, estimator: FittedNetwork) -> None:
        """Record the estimator in its present state.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted; of pyrelu or of scikit-learn.
        """
        self.activity_.append(unit_activity(estimator, self.X))

    def setup(self, estimator: object, context: object) -> None:
        """Do nothing before a fit: the records of several fits are kept one after another."""

    def teardown(self, estimator: object, context: object) -> None:
        """Do nothing after a fit."""

    def on_fit_task_begin(self, estimator: object, context: object) -> None:
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator: FittedNetwork, context: Any) -> None:
        """Record an epoch. The fit as a whole is not one: it has subtasks, the epochs."""
        if context.max_subtasks == 0:
            self.record(estimator)
