"""Estimators for tables: a preprocessor, one network or several, and what makes predictions of their outputs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp import losses
from pyrelu._mlp.parameters import extends
from pyrelu._mlp.targets import check_numbers, check_objects
from pyrelu._typing import Floats
from pyrelu.tabular import _calibration
from pyrelu.tabular._base import BaseTabularMLP
from pyrelu.tabular._documentation import documented
from pyrelu.tabular._ensemble import Scored
from pyrelu.tabular._networks import NetworkClassifier, NetworkRegressor


@documented
class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """A classifier for tables as they are: multilayer perceptrons with embedded columns."""

    _network_class = NetworkClassifier
    _loss_kind = losses.CLASSIFIER
    _default_loss = "log_loss"

    @extends(BaseTabularMLP)
    def __init__(
        self, *, calibrate: bool = True, class_weight: Any = None, label_smoothing: float | None = None
    ) -> None:
        self.calibrate = calibrate
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def _network_parameters(self) -> tuple[dict[str, Any], bool]:
        parameters, refit = super()._network_parameters()
        return parameters | {"class_weight": self.class_weight}, refit

    def _validate_y(self, y: Any) -> NDArray[Any]:
        check_objects(y)
        if issparse(y):
            y = y.toarray()
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        check_classification_targets(y)
        labels: NDArray[Any] = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        return labels

    def _conclude(self, network: NetworkClassifier, scored: Scored | None, of_fit: bool) -> Floats | None:
        """Set the network's temperature, by rows that it was not trained on."""
        network.temperature_ = 1.0
        if scored is None or not losses.gives_probabilities(network):
            network.undoes_smoothing_ = bool(self.calibrate and network.label_smoothing)
            return super()._conclude(network, scored, of_fit)
        network.undoes_smoothing_ = False
        Z, y, weights = scored
        probabilities = network.predict_proba(Z)
        each_label = y.ndim == 2
        targets = y != 0 if each_label else np.searchsorted(network.classes_, y)[:, np.newaxis]
        if of_fit:
            weights = network._weigh(weights, targets.astype(float), False)
        if self.calibrate:
            network.temperature_ = _calibration.fit_temperature(probabilities, targets, weights, each_label)
        return _calibration.apply(probabilities, network.temperature_, each_label)

    def _outputs_of(self, network: NetworkClassifier, Z: Floats) -> Floats:
        outputs = network.outputs(Z)
        if not losses.gives_probabilities(network):
            return outputs
        each_label = network.out_activation_ == "logistic"
        if network.undoes_smoothing_:
            return _calibration.undo_smoothing(outputs, network.label_smoothing, each_label)
        return _calibration.apply(outputs, network.temperature_, each_label)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the label of each row.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The labels, those of the largest mean outputs; for multilabel targets an indicator matrix.
        """
        estimator = self._shallow_copy()  # so that all attributes are those of one fit, whatever other threads do
        labels: NDArray[Any] = estimator._first().labels(estimator._mean_outputs(X))
        return labels

    def _first(self) -> NetworkClassifier:
        check_is_fitted(self)
        first: NetworkClassifier = self.estimators_[0]
        return first

    @available_if(losses.has_probabilities)
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class: the mean over the networks, each with its temperature.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        probabilities: NDArray[np.float64] = self._shallow_copy()._mean_outputs(X)
        return probabilities

    @available_if(losses.has_probabilities)
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        with np.errstate(divide="ignore"):
            logs: NDArray[np.float64] = np.log(self.predict_proba(X))
        return logs

    @available_if(losses.has_margins)
    def decision_function(self, X: Any) -> Floats:
        """Return a score for each row and class, if the loss gives no probabilities.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The mean of the networks' outputs, of which the largest decides; with two classes, the second minus the first.
        """
        estimator = self._shallow_copy()
        scores: Floats = estimator._first().scores(estimator._mean_outputs(X))
        return scores

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@documented
class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """A regressor for tables as they are: multilayer perceptrons with embedded columns."""

    _network_class = NetworkRegressor
    _loss_kind = losses.REGRESSOR
    _default_loss = "squared_error"

    @extends(BaseTabularMLP)
    def __init__(self) -> None:
        pass

    def _validate_y(self, y: Any) -> NDArray[np.float64]:
        check_objects(y)
        check_numbers(y)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        losses.resolve(self._loss(), self._loss_kind).check_targets(y)
        targets: NDArray[np.float64] = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        return targets

    def _outputs_of(self, network: NetworkRegressor, Z: Floats) -> Floats:
        return network.predict(Z)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the prediction for each row, in y's units: the mean over the networks.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In float64, and within the range of y in the fit; but whatever they are with your own functions as loss. With
            several levels of "quantile", one column per level.
        """
        predictions: NDArray[np.float64] = self._shallow_copy()._mean_outputs(X)
        return predictions

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return R2 or, with several levels of "quantile", the mean of their D2, as MLPRegressor does.

        Parameters
        ----------
        X : DataFrame of pandas or polars, Table of pyarrow, or array-like of shape (n_samples, n_features)
            With the columns that `fit` has seen.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; None: all 1.

        Returns
        -------
        float
            The score; 1 is the best.
        """
        check_is_fitted(self)
        score: float = self.estimators_[0]._score(self._validate_y(y), self.predict(X), sample_weight)
        return score

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
