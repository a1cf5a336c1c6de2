"""Multilayer perceptrons, named as in scikit-learn and with its parameters, attributes, warnings and errors."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from pyrelu._optimizers import STOCHASTIC
from pyrelu._perceptron import BasePerceptron

__all__ = ["MLPClassifier"]


def _is_stochastic(mlp):
    if mlp.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {mlp.solver} is not stochastic."
        )
    return True


class MLPClassifier(ClassifierMixin, BasePerceptron):
    """A multilayer perceptron that minimises the log-loss.

    It takes the place of scikit-learn's class of that name: where that one has the setting, the same `random_state`
    gives the same `loss_curve_` and `coefs_` to rounding. It trains in float32 where X is float32.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; `()` for none.
    activation : str, (str, dict) or sequence of such, default="relu"
        Activation of the hidden layers: a name or alias in `pyrelu.activations`; with its parameters, as in
        ``("leaky_relu", {"negative_slope": 0.2})``; or one of these for each hidden layer.
    solver : {"lbfgs", "sgd", "adam"}, default="adam"
        L-BFGS on all data, for small data sets; stochastic gradient descent; or Adam (Kingma and Ba, 2014).
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights. The penalty is divided by the batch's number of rows.
    batch_size : int or "auto", default="auto"
        Rows in a batch; "auto" is ``min(200, n_samples)``. L-BFGS has no batches.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        With solver "sgd": constant; divided by ``t_ ** power_t`` after each epoch; or divided by 5 each time the loss
        (or the validation score) has stalled for `n_iter_no_change` epochs.
    learning_rate_init : float, default=0.001
        The learning rate at the start.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=200
        The largest number of epochs, or of iterations of L-BFGS.
    shuffle : bool, default=True
        Whether to shuffle the rows before each epoch.
    random_state : int, RandomState instance or None, default=None
        Determines the first weights, the validation split and the shuffling.
    tol : float, default=1e-4
        An epoch that does not lower the loss (raise the validation score) by as much has not improved.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last solution.
    momentum : float, default=0.9
        Momentum of "sgd", between 0 and 1.
    nesterovs_momentum : bool, default=True
        Whether that is Nesterov's.
    early_stopping : bool, default=False
        Whether to hold out some rows and stop once the score on them stalls. The split is stratified by class where
        there are two. The weights of the epoch with the best score are kept.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    beta_1 : float, default=0.9
        Decay of Adam's mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of Adam's mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Keeps Adam's step finite.
    n_iter_no_change : int or inf, default=10
        How many epochs may pass without improvement before training stops.
    max_fun : int, default=15000
        The largest number of evaluations of the loss by L-BFGS.

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
    feature_names_in_ : ndarray of shape (n_features_in_,)
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
