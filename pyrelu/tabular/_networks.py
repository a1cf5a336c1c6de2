"""The networks that the tabular estimators train: MLPs with rows held out as told, which others may ask to stop."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if

from pyrelu._mlp.fit_state import FitState
from pyrelu._mlp.losses import OutputLoss, has_margins, has_probabilities
from pyrelu._mlp.parameters import extends
from pyrelu._typing import Floats, Rows
from pyrelu.neural_network import MLPClassifier, MLPRegressor

Split = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows to train on, and rows held out
Target = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]  # mean, scale and range


@dataclass
class Task:
    """What a fit is to know beside the parameters, and what is to be known of it.

    Attributes
    ----------
    rows : tuple of (ndarray of intp, ndarray of intp), or None
        The rows to train on, and the rows to score after each epoch; None: as an MLP does.
    interrupt : threading.Event
        Set where training is to end after the epoch.
    last_epoch : int or None
        After which training ends; None: after `max_iter`, by which schedules go.
    interrupted : bool
        Whether Ctrl-C or `interrupt` ended the fit.
    cardinalities : list of int or None
        The numbers of codes in the categorical columns, and
    target : tuple of (mean, scale, range) or None
        what a regressor subtracts from targets, divides them by, and their range, where the rows that the network sees first
        are not all rows; None: what these rows have.
    """

    rows: Split | None
    interrupt: threading.Event
    last_epoch: int | None = None
    interrupted: bool = False
    cardinalities: list[int] | None = None
    target: Target | None = None


class TabularNetwork(BaseEstimator):
    """A mixin before an MLP, what both kinds of networks have beside its own: in a fit by `_ensemble`, a `_task`."""

    keeps_latest_of_best = True
    _task: Task | None = None

    def _holds_out(self) -> bool:
        return self._task.rows is not None if self._task else super()._holds_out()

    def _split(self, rows: NDArray[np.intp], targets: Floats, random_state: np.random.RandomState) -> Split:
        if self._task is None:
            own: Split = super()._split(rows, targets, random_state)
            return own
        assert self._task.rows is not None  # as `_holds_out` said
        return self._task.rows

    @property
    def _cardinalities(self) -> list[int] | None:
        return self._task.cardinalities if self._task else None

    def _should_stop(self, n_iter: int) -> bool:
        return self._task is not None and n_iter == self._task.last_epoch

    def _end_epoch(self) -> None:
        if self._task and self._task.interrupt.is_set():
            raise KeyboardInterrupt

    def _warn_of_interrupt(self) -> None:
        if not (self._task and self._task.interrupt.is_set()):  # else `_ensemble` warns, once
            super()._warn_of_interrupt()

    def _run(self, state: FitState, incremental: bool) -> bool:
        finished: bool = super()._run(state, incremental)
        if self._task:
            self._task.interrupted = not finished
        return finished


class NetworkClassifier(TabularNetwork, MLPClassifier):
    """An MLPClassifier with an output for each class, also where there are two, or one."""

    @extends(MLPClassifier)
    def __init__(self) -> None:
        pass

    def _is_multiclass(self) -> bool:
        return self._label_binarizer.y_type_ in ("binary", "multiclass")

    def outputs(self, X: Rows) -> Floats:
        """Return the outputs for the rows of a matrix: probabilities, if the loss gives them, or margins."""
        outputs: Floats = self._shallow_copy()._outputs(X)
        return outputs

    def labels(self, outputs: Floats) -> NDArray[Any]:
        """Return the labels that outputs say, or means of the outputs of several networks."""
        if self._is_multiclass():
            labels: NDArray[Any] = self.classes_[outputs.argmax(axis=1)]
            return labels
        indicators: NDArray[np.intp] = (outputs > self._threshold()).astype(int)
        return indicators

    def scores(self, outputs: Floats) -> Floats:
        """Return margins in scikit-learn's shape: of two classes one score, above 0 for the second."""
        return outputs[:, 1] - outputs[:, 0] if self._is_multiclass() and outputs.shape[1] == 2 else outputs

    def predict(self, X: Rows) -> NDArray[Any]:
        """Return the labels of the rows of a matrix."""
        return self.labels(self.outputs(X))

    @available_if(has_probabilities)
    def predict_proba(self, X: Rows) -> Floats:
        """Return the probabilities of the classes for the rows of a matrix."""
        return self.outputs(X)

    @available_if(has_margins)
    def decision_function(self, X: Rows) -> Floats:
        """Return the margins of the rows of a matrix."""
        return self.scores(self.outputs(X))


class NetworkRegressor(TabularNetwork, MLPRegressor):
    """An MLPRegressor of standardised targets, which it takes and predicts in their own units.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape () or (n_outputs,)
        What is subtracted from targets, and what they are then divided by. Positive targets, of losses whose outputs are
        exp(...), are divided by their mean only.
    target_range_ : ndarray of shape (2,) or (2, n_outputs)
        The smallest and the largest target, which bound the predictions.
    """

    @extends(MLPRegressor)
    def __init__(self) -> None:
        pass

    def _validate(self, X: Floats, y: ArrayLike, incremental: bool, first: bool) -> tuple[Floats, Floats]:
        y = np.asarray(y, dtype=np.float64)
        if first:
            given = self._task.target if self._task else None
            if given is None:
                given = self._standards(y.mean(axis=0), y.std(axis=0), y.min(axis=0), y.max(axis=0))
            self.target_mean_, self.target_scale_, self.target_range_ = given
        if y.shape[1:] != self.target_mean_.shape:
            raise ValueError(f"y has the shape {y.shape}; in the fit, the shape of a row was {self.target_mean_.shape}")
        validated: tuple[Floats, Floats] = super()._validate(
            X, (y - self.target_mean_) / self.target_scale_, incremental, first
        )
        return validated

    def _standards(
        self,
        mean: NDArray[np.float64],
        deviation: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> Target:
        """Return `target_mean_`, `target_scale_` and `target_range_` of what y is on average, and so on."""
        shifts = super()._output_loss().scales_with_target
        scale = deviation if shifts else mean
        return (
            np.asarray(mean if shifts else np.zeros(np.shape(mean))),
            np.where(scale > 0, scale, 1.0),
            np.array([low, high]),
        )

    def _output_loss(self) -> OutputLoss:
        loss: OutputLoss = super()._output_loss()
        return loss.of_standardised(self.target_mean_, self.target_scale_) if hasattr(self, "target_mean_") else loss

    def _in_units(self, values: Floats) -> NDArray[np.float64]:
        """Return targets or outputs, an array of (n_samples,) or (n_samples, n_outputs), in y's units."""
        return values.astype(np.float64) * self.target_scale_ + self.target_mean_

    def _predictions(self, outputs: Floats) -> NDArray[np.float64]:
        outputs = self._output_loss().in_order(outputs)
        outputs = self._in_units(outputs.ravel() if self.n_outputs_ == 1 else outputs)
        return outputs if self._output_loss().functions else np.clip(outputs, *self.target_range_)

    def _bounds(self) -> NDArray[np.float64] | None:
        if self._output_loss().functions:
            return None
        return (self.target_range_ - self.target_mean_) / self.target_scale_

    def _decode(self, targets: Floats) -> NDArray[np.float64]:
        return self._in_units(super()._decode(targets))

    def _score_outputs(self, outputs: Floats, targets: Floats, weights: Floats | None) -> float:
        if not np.isfinite(outputs).all():
            return np.nan
        score: float = self._score(self._decode(targets), self._predictions(outputs), weights)
        return score

    def predict(self, X: Rows) -> NDArray[np.float64]:
        """Return the predictions for the rows of a matrix, in y's units."""
        network = self._shallow_copy()
        predictions: NDArray[np.float64] = network._predictions(network._outputs(X))
        return predictions

    def _check_target(self) -> None:
        """Raise ValueError unless the target's mean, scale and range are as a fit leaves them."""
        facts: list[Any] = [vars(self).get(name) for name in ("target_mean_", "target_scale_", "target_range_")]
        shape = () if self.n_outputs_ == 1 or super()._output_loss().levels else (self.n_outputs_,)
        shapes = (shape, shape, (2, *shape))
        right = all(isinstance(fact, np.ndarray) and fact.dtype == float for fact in facts)
        right = right and all(fact.shape == of for fact, of in zip(facts, shapes, strict=True))
        if not right or not all(np.isfinite(fact).all() for fact in facts) or not (facts[1] > 0).all():
            raise ValueError("the target's mean, scale and range are not as a fit leaves them")
