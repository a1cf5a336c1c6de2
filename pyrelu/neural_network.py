"""Multilayer perceptrons, named as in scikit-learn and with its parameters, attributes, warnings and errors."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from pyrelu._optimizers import STOCHASTIC
from pyrelu._parameters import documented, extends
from pyrelu._perceptron import BasePerceptron

__all__ = ["MLPClassifier"]


def _is_stochastic(mlp):
    if mlp.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {mlp.solver} is not stochastic."
        )
    return True


@documented
class MLPClassifier(ClassifierMixin, BasePerceptron):
    """A multilayer perceptron that minimises the log-loss.

    It takes the place of scikit-learn's class of that name: where that one has the setting, the same `random_state`
    gives the same `loss_curve_` and `coefs_` to rounding. It trains in float32 where X is float32.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes in the loss, ``{label: weight}``; one dict per column of multilabel targets; or inversely
        proportional to the classes' frequencies in y.
    label_smoothing : float, default=0.0
        Share of each target, in [0, 1), that is spread evenly over all classes (Szegedy et al., 2016).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    coefs_ : list of ndarray
        Weights of each layer, of shape (n_inputs, n_outputs) of that layer.
    intercepts_ : list of ndarray
        Biases of each layer, of shape (n_outputs,).
    dead_units_ : list of ndarray of bool
        For each hidden layer, which units were 0 for every training row at the end of `fit`.
    loss_ : float
        The loss of the last epoch.
    best_loss_ : float or None
        The lowest loss of an epoch; None with early stopping.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_ : list of float or None
        Accuracy on the held-out rows after each epoch, with early stopping.
    best_validation_score_ : float or None
        The best of them.
    n_iter_ : int
        Epochs (iterations of L-BFGS) of the last fit.
    t_ : int
        Training rows seen.
    n_features_in_ : int
        Features seen by `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X has names that are all strings.
    n_layers_ : int
        Layers, counting the input and the output.
    n_outputs_ : int
        Units of the output layer.
    out_activation_ : {"softmax", "logistic"}
        Its activation: softmax for three or more classes, logistic for two and for multilabel targets.

    Warns
    -----
    ConvergenceWarning
        Where `max_iter` was reached before the loss stalled.
    DeadUnitWarning
        Where more than 40% of a hidden layer is dead.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : What this is modelled on.

    Examples
    --------
    >>> from pyrelu import MLPClassifier
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> mlp = MLPClassifier(activation="gelu", max_iter=1000, random_state=0).fit(X_train, y_train)
    >>> mlp.score(X_test, y_test) > 0.96
    True
    >>> mlp.predict_proba(X_test[:2]).shape
    (2, 10)
    """

    @extends(BasePerceptron)
    def __init__(self, *, class_weight=None, label_smoothing=0.0):
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def fit(self, X, y, sample_weight=None):
        """Train on X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features. Sparse rows are made dense batch by batch.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The class labels, or for multilabel targets an indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.

        Returns
        -------
        MLPClassifier
            The estimator itself. Where fitting fails, it is left as it was.

        Raises
        ------
        ValueError
            Where X or y is not as described, a parameter has a value that is not allowed, or training diverges.
        """
        with self._all_or_nothing():
            self._fit(X, y, sample_weight, incremental=False)
        return self

    @available_if(_is_stochastic)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch, going on from where the last call ended.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. The first call needs it.

        Returns
        -------
        MLPClassifier
            The estimator itself. Where training fails, it is left as it was.
        """
        with self._all_or_nothing():
            self._set_classes(y, classes)
            self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X):
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The labels; for multilabel targets an indicator matrix.
        """
        outputs = self._outputs(X)
        return self._label_binarizer.inverse_transform(outputs.ravel() if self.n_outputs_ == 1 else outputs)

    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The columns are in the order of `classes_`.
        """
        outputs = self._outputs(X)
        return np.hstack((1 - outputs, outputs)) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The columns are in the order of `classes_`.
        """
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ---- what BasePerceptron asks of it ----

    def _validate(self, X, y, incremental, first):
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32), order="C", reset=first
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(y))
        targets = self._label_binarizer.transform(y)
        self.n_outputs_ = targets.shape[1]
        if self._label_binarizer.y_type_ == "multiclass":
            self.out_activation_, self._loss = "softmax", "log_loss"
            targets = targets.argmax(axis=1)[:, np.newaxis]
        else:
            self.out_activation_, self._loss = "logistic", "binary_log_loss"
        return X, np.ascontiguousarray(targets, X.dtype)

    def _set_classes(self, y, classes):
        """Take the classes of a first call of partial_fit, or check that they are those of the calls before."""
        known = getattr(self, "classes_", None)
        if classes is None:
            if known is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
        elif known is None:
            self.classes_ = unique_labels(classes)
            self._label_binarizer = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else classes)
        elif not np.array_equal(known, unique_labels(classes)):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")

    def _check_classes(self, classes):
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _strata(self, targets):
        return targets.ravel() if self.n_outputs_ == 1 else None

    def _score_outputs(self, outputs, targets, weights):
        if self.out_activation_ == "softmax":
            right = outputs.argmax(axis=1) == targets[:, 0]
        else:
            right = ((outputs > 0.5) == targets).all(axis=1)
        return float(np.average(right, weights=weights))
