"""Dead units, and the activity of all units."""

import numpy as np

from pyrelu.inspection._trace import SATURATED, layers_of, passes


def dead_units(estimator, X):
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
    alive = [False] * (len(layers_of(estimator)) - 1)
    for step, _ in passes(estimator, X):
        alive = [seen | (a != 0).any(axis=0) for seen, a in zip(alive, step.after[:-1], strict=True)]
    return [~seen for seen in alive]


def unit_activity(estimator, X):
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
    n, responding = 0, 0
    for step, _ in passes(estimator, X):
        block = []
        for layer, z, a in zip(step.layers[:-1], step.before, step.after):
            slopes = layer.slopes(z)
            block.append(np.count_nonzero(a if slopes is None else np.abs(slopes) >= SATURATED, axis=0))
        responding = [sum(pair) for pair in zip(block, responding, strict=True)] if n else block
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

    def __init__(self, X):
        self.X = X
        self.activity_ = []

    def record(self, estimator):
        """Record the estimator in its present state.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted; of pyrelu or of scikit-learn.
        """
        self.activity_.append(unit_activity(estimator, self.X))

    def setup(self, estimator, context):
        """Do nothing before a fit: the records of several fits are kept one after another."""

    def teardown(self, estimator, context):
        """Do nothing after a fit."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator, context):
        """Record an epoch. The fit as a whole is not one: it has subtasks, the epochs."""
        if context.max_subtasks == 0:
            self.record(estimator)
