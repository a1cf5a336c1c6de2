"""Validation data, scored after each epoch."""

import inspect
from contextlib import nullcontext
from numbers import Real
from typing import Any

import sklearn
from sklearn.metrics import check_scoring

from pyrelu._mlp.fit_state import FitState
from pyrelu._samples import Samples
from pyrelu._typing import Data, Indices


class Validation:
    """The validation rows of a fit.

    Parameters
    ----------
    mlp : estimator
        The estimator in training.
    samples : Samples
    data : tuple of (X, targets, weights)
        The arrays of `samples`.
    rows : ndarray of intp, default=None
        Which of them to score; None: all.
    """

    def __init__(self, mlp: Any, samples: Samples, data: Data, rows: Indices | None = None) -> None:
        self.mlp = mlp
        # Not the network in training, whose workspace is laid out for training.
        self.network = mlp._network(mlp._arrays())
        self.samples = samples
        self.data = data
        self.scorer: Any = None if mlp.scoring is None else check_scoring(mlp, mlp.scoring)
        self.labels: dict[str, Any] = {}  # keywords that name all classes, once the scorer has needed them
        self.take(rows)

    def take(self, rows: Indices | None) -> None:
        """Score these rows from now on; None: all."""
        self.rows = rows
        X, targets, weights = self.data
        if rows is not None:
            X, targets, weights = X[rows], targets[rows], None if weights is None else weights[rows]
        self.targets, self.weights = targets, weights
        if self.scorer is not None:
            self.X, self.y = X, self.mlp._decode(targets)

    def score(self, state: FitState) -> float:
        """Return the score of the weights as they are now."""
        if self.scorer is None:
            outputs = self.network.predict(self.samples, self.rows)
            # Targets and weights were checked when the fit began; a look at each again is most of a small score's time.
            with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
                of_outputs: float = self.mlp._score_outputs(outputs, self.targets, self.weights)
            return of_outputs
        state.write_attributes()
        score = self._call_scorer()
        if not isinstance(score, Real):
            raise ValueError(f"scoring={self.mlp.scoring!r} must return a number. Got {score!r}.")
        return float(score)

    def _call_scorer(self) -> object:
        try:
            return self._call(self.labels)
        except ValueError:
            # Scores of probabilities, such as "neg_log_loss", need `labels` if no row here has some class. Other scorers
            # give `labels` another meaning, so only a scorer that fails without it gets it.
            if self.labels or not self.mlp._lacks_classes(self.targets):
                raise
            labels = {"labels": self.mlp.classes_}
            try:
                score = self._call(labels)
            except (TypeError, ValueError):
                score = None
            if score is None:
                raise
            self.labels = labels
            return score

    def _call(self, labels: dict[str, Any]) -> Any:
        keywords = dict(labels)
        if self.weights is not None and "sample_weight" in inspect.signature(self.scorer).parameters:
            keywords["sample_weight"] = self.weights
        # scikit-learn's scorers take metadata other than the weights where routing is enabled
        with sklearn.config_context(enable_metadata_routing=True) if labels else nullcontext():
            return self.scorer(self._estimator(), self.X, self.y, **keywords)

    def _estimator(self) -> Any:
        """Return the estimator as if training ended now, for X without feature names."""
        estimator = self.mlp._shallow_copy()
        for name in ("feature_names_in_", "_fit_state"):
            vars(estimator).pop(name, None)
        return estimator
