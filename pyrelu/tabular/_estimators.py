"""Estimators for tables: a preprocessor, one network or several, and what makes predictions of their outputs."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp import losses
from pyrelu._mlp.parameters import extends
from pyrelu._mlp.targets import check_objects
from pyrelu.tabular import _calibration
from pyrelu.tabular._base import BaseTabularMLP
from pyrelu.tabular._documentation import documented
from pyrelu.tabular._networks import NetworkClassifier, NetworkRegressor


@documented
class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """A classifier for tables as they are: multilayer perceptrons with embedded columns."""

    _network_class = NetworkClassifier
    _loss_kind = losses.CLASSIFIER
    _default_loss = "log_loss"

    @extends(BaseTabularMLP)
    def __init__(self, *, calibrate=True, class_weight=None, label_smoothing=None):
        self.calibrate = calibrate
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def _network_parameters(self):
        parameters, refit = super()._network_parameters()
        return parameters | {"class_weight": self.class_weight}, refit

    def _validate_y(self, y):
        check_objects(y)
        if issparse(y):
            y = y.toarray()
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        check_classification_targets(y)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _conclude(self, network, scored, of_fit):
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
            weights = network._weigh(None if weights is None else np.asarray(weights), targets.astype(float), False)
        if self.calibrate:
            network.temperature_ = _calibration.fit_temperature(probabilities, targets, weights, each_label)
        return _calibration.apply(probabilities, network.temperature_, each_label)

    def _outputs_of(self, network, Z):
        outputs = network.outputs(Z)
        if not losses.gives_probabilities(network):
            return outputs
        each_label = network.out_activation_ == "logistic"
        if network.undoes_smoothing_:
            return _calibration.undo_smoothing(outputs, network.label_smoothing, each_label)
        return _calibration.apply(outputs, network.temperature_, each_label)

    def predict(self, X):
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
        return estimator._first().labels(estimator._mean_outputs(X))

    def _first(self):
        check_is_fitted(self)
        return self.estimators_[0]

    @available_if(losses.has_probabilities)
    def predict_proba(self, X):
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
        return self._shallow_copy()._mean_outputs(X)

    @available_if(losses.has_probabilities)
    def predict_log_proba(self, X):
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
            return np.log(self.predict_proba(X))

    @available_if(losses.has_margins)
    def decision_function(self, X):
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
        return estimator._first().scores(estimator._mean_outputs(X))

    def __sklearn_tags__(self):
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
    def __init__(self):
        pass

    def _validate_y(self, y):
        check_objects(y)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        losses.resolve(self._loss(), self._loss_kind).check_targets(y)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _outputs_of(self, network, Z):
        return network.predict(Z)

    def predict(self, X):
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
        return self._shallow_copy()._mean_outputs(X)

    def score(self, X, y, sample_weight=None):
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
        return self.estimators_[0]._score(self._validate_y(y), self.predict(X), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
