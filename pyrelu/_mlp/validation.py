"""Rows that are not trained on but scored after each epoch."""

import copy
import inspect
from numbers import Real

from sklearn.metrics import check_scoring


class Validation:
    """The validation rows of a fit.

    Parameters
    ----------
    mlp : estimator
        Its weights are those in training.
    samples : Samples
    data : tuple of (X, targets, weights)
        What `samples` are of.
    rows : ndarray of intp, default=None
        Which of them to score; None: all.
    """

    def __init__(self, mlp, samples, data, rows=None):
        self.mlp = mlp
        self.network = mlp._network(mlp._arrays())  # not the one that trains, as that is laid out for training
        self.samples = samples
        self.data = data
        self.scorer = None if mlp.scoring is None else check_scoring(mlp, mlp.scoring)
        self.takes_weights = self.scorer and "sample_weight" in inspect.signature(self.scorer).parameters
        self.take(rows)

    def take(self, rows):
        """Score those rows from now on; None: all."""
        self.rows = rows
        X, targets, weights = (part if part is None or rows is None else part[rows] for part in self.data)
        self.targets, self.weights = targets, weights
        if self.scorer is not None:
            self.X, self.y = X, self.mlp._decode(targets)

    def score(self):
        """Return the score of the weights as they are now."""
        if self.scorer is None:
            return self.mlp._score_outputs(self.network.predict(self.samples, self.rows), self.targets, self.weights)
        keywords = {"sample_weight": self.weights} if self.takes_weights and self.weights is not None else {}
        score = self.scorer(self._estimator(), self.X, self.y, **keywords)
        if not isinstance(score, Real):
            raise ValueError(f"scoring={self.mlp.scoring!r} must return a number. Got {score!r}.")
        return float(score)

    def _estimator(self):
        """Return the estimator as it would be if training ended now, for X without feature names."""
        estimator = copy.copy(self.mlp)
        vars(estimator).pop("feature_names_in_", None)
        return estimator
