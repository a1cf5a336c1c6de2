"""Units that are dead, and units at work."""

import numpy as np

from pyrelu.inspection._trace import SATURATED, layers_of, passes


def dead_units(estimator, X):
    """Return which hidden units are 0 for every row of X.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.

    Returns
    -------
    list of ndarray of bool
        One array per hidden layer, of shape (n_units,). The attribute `dead_units_` is this for the training rows.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X does not fit it.
    """
    alive = [False] * (len(layers_of(estimator)) - 1)
    for step, _ in passes(estimator, X):
        alive = [seen | (a != 0).any(axis=0) for seen, a in zip(alive, step.after[:-1], strict=True)]
    return [~seen for seen in alive]


def unit_activity(estimator, X):
    """Return to how much of X each hidden unit responds.

    A unit responds to a row where its derivative is at least 0.01 in size, so that it can learn from it: relu where its
    input is positive, sigmoid and tanh where they are not saturated. A unit of a function along an axis, such as
    softmax, responds where it is not 0.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at.

    Returns
    -------
    list of ndarray of float
        One array per hidden layer, of shape (n_units,): shares of the rows, between 0 and 1.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    ValueError
        Where X does not fit it.
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
    """Keeps, for each epoch, to how much of some rows each hidden unit responds.

    It is a callback of scikit-learn's (1.9 or later). `pyrelu.plot.UnitActivityDisplay.from_recorder` draws it.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to look at; some hundreds say as much as all.

    Attributes
    ----------
    activity_ : list of list of ndarray of shape (n_units,)
        What `unit_activity` returned after each epoch.

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
        """Look at the estimator as it is now.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
            Fitted; of pyrelu or of scikit-learn.
        """
        self.activity_.append(unit_activity(estimator, self.X))

    def setup(self, estimator, context):
        """Do nothing before a fit: records of several fits follow each other."""

    def teardown(self, estimator, context):
        """Do nothing after a fit."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator, context):
        """Record an epoch. The fit as a whole is none: it has subtasks, the epochs."""
        if context.max_subtasks == 0:
            self.record(estimator)
