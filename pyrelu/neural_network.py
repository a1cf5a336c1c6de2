"""Multilayer perceptrons with the names, parameters, attributes, warnings and errors of scikit-learn's."""

import numpy as np
import sklearn.neural_network
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from pyrelu._mlp import losses
from pyrelu._mlp.activation import out_activation
from pyrelu._mlp.batches import OutOfCore
from pyrelu._mlp.fitted import add_optimizers
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.parameters import documented, extends
from pyrelu._mlp.perceptron import BasePerceptron
from pyrelu._mlp.sample_weight import weigh_classes
from pyrelu._mlp.targets import as_targets, check
from pyrelu._network import DefaultFloatingPoint
from pyrelu.exceptions import InvalidParameterError

__all__ = ["MLPClassifier", "MLPRegressor"]


def _is_stochastic(mlp):
    if mlp.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {mlp.solver} is not stochastic."
        )
    return True


@documented
class MLPClassifier(ClassifierMixin, OutOfCore, BasePerceptron):
    """A multilayer perceptron classifier that minimises the log-loss, or another loss.

    It replaces scikit-learn's class of the same name: for settings that both have, the same `random_state` gives the
    same `loss_curve_` and `coefs_` up to rounding. If X is float32, training runs in float32.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, as ``{label: weight}``; a label that is missing has weight 1. For multilabel targets, a
        list with one dict ``{0: weight, 1: weight}`` per column; a row's weight is the product over the columns.
        "balanced" makes weights inversely proportional to the frequencies of the classes in y. Class weights multiply
        the sample weights, also those of held-out rows.
    label_smoothing : float, default=0.0
        Share of each target, in [0, 1), that is spread evenly over all classes (Szegedy et al., 2016). Only for losses
        that give probabilities.
    loss : str or (str, dict), default="log_loss"
        The loss to minimise: a name, or a pair of a name and its parameters, as in ``("focal", {"gamma": 1.0})``.

        {LOSSES}

        For multilabel targets, the loss is the sum over the labels. "hinge" and "squared_hinge" compare each class with
        the rest. They give no probabilities: `decision_function` replaces `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    {ATTRIBUTES}
    out_activation_ : {"softmax", "logistic", "identity"}
        Activation of the output layer: softmax for three or more classes, logistic for two classes and for multilabel
        targets, identity for "hinge" and "squared_hinge".

    Warns
    -----
    {WARNINGS}

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The class that this one replaces.

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

    _theirs = sklearn.neural_network.MLPClassifier

    @extends(BasePerceptron)
    def __init__(self, *, class_weight=None, label_smoothing=0.0, loss="log_loss"):
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.loss = loss

    @available_if(_is_stochastic)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one more epoch.

        As in scikit-learn, the solver and its settings, such as the learning rate, are those of the first call, or of a
        `fit` before it, even if `set_params` changes them in between.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.
        classes : array-like of shape (n_classes,), default=None
            All labels that may occur in any call. Required in the first call.

        Returns
        -------
        MLPClassifier
            The estimator itself. If training fails, it stays unchanged.
        """
        with self._transaction() as training:
            training._set_classes(y, classes)
            training._fit(X, y, sample_weight, incremental=True)
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
        mlp = self._shallow_copy()  # so that all attributes are those of one fit, whatever other threads do
        outputs = mlp._outputs(X)
        if mlp._is_multilabel():
            return mlp._label_binarizer.inverse_transform(
                outputs.ravel() if mlp.n_outputs_ == 1 else outputs, threshold=mlp._threshold()
            )
        index = outputs.argmax(axis=1) if mlp._is_multiclass() else outputs.ravel() > mlp._threshold()
        # where y had one class, a probability of 0 stands for it, too
        return mlp._label_binarizer.classes_.take(index, mode="clip")

    @available_if(losses.has_margins)
    def decision_function(self, X):
        """Return a score for each row and class, if the loss gives no probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The outputs of the network. With two classes, a positive output predicts ``classes_[1]``; with more, the
            largest output decides; with multilabel targets, each positive output predicts its label.

        Examples
        --------
        >>> from pyrelu import MLPClassifier
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> mlp = MLPClassifier(loss="squared_hinge", solver="lbfgs", random_state=0).fit(X, y)
        >>> mlp.classes_.tolist(), mlp.decision_function(X) > 0
        (['high', 'low'], array([ True,  True, False, False]))
        """
        mlp = self._shallow_copy()
        outputs = mlp._outputs(X)
        return outputs.ravel() if mlp.n_outputs_ == 1 else outputs

    @available_if(losses.has_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        mlp = self._shallow_copy()
        outputs = mlp._outputs(X)
        return np.hstack((1 - outputs, outputs)) if mlp.n_outputs_ == 1 else outputs

    @available_if(losses.has_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column per class, in the order of `classes_`.
        """
        probabilities = self.predict_proba(X)
        with DefaultFloatingPoint():
            return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ---- what BasePerceptron asks of it ----

    def _validate(self, X, y, incremental, first):
        X, y = check(self, X, y, first)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_kind(y)
            self._check_classes(unique_labels(y))
        if self._is_multilabel():
            targets = self._label_binarizer.transform(y) != 0  # as in scikit-learn, any number but 0 is a label
        else:  # a single column with the index of the class
            targets = np.searchsorted(self.classes_, y)[:, np.newaxis]
        self.n_outputs_ = len(self.classes_) if self._is_multiclass() else targets.shape[1]
        self.out_activation_ = out_activation(self._output_loss().link)
        return X, as_targets(targets, X)

    def _output_loss(self):
        labels = hasattr(self, "_label_binarizer") and not self._is_multiclass()
        loss = losses.resolve(self.loss, losses.CLASSIFIER, labels)
        if self.label_smoothing and not loss.gives_probabilities:
            raise InvalidParameterError(
                f"label_smoothing={self.label_smoothing!r} cannot be combined with loss={self.loss!r}, which gives no "
                "probabilities; it must be 0"
            )
        return loss

    def _threshold(self):
        """Return the threshold: a label is predicted if its output is greater."""
        return 0.5 if losses.gives_probabilities(self) else 0.0

    def _is_multiclass(self):
        return self._label_binarizer.y_type_ == "multiclass"

    def _is_multilabel(self):
        return self._label_binarizer.y_type_.startswith("multilabel")

    def _check_kind(self, y):
        """Raise ValueError if y is one-dimensional and the network was fitted to an indicator matrix, or vice versa."""
        fitted = f"indicator matrix of {len(self.classes_)} columns" if self._is_multilabel() else "array of labels"
        columns = y.shape[1] if y.ndim == 2 else None
        if columns != (len(self.classes_) if self._is_multilabel() else None):
            raise ValueError(f"y has shape {y.shape}, but the network was fitted to y as an {fitted}")
        if self._is_multilabel() and type_of_target(y) != "multilabel-indicator":
            raise ValueError(f"y must be an {fitted}, got {type_of_target(y, input_name='y')} targets")

    def _set_classes(self, y, classes):
        """Set the classes in the first call of partial_fit; in later calls, check that they are the same."""
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

    def _weigh(self, weights, targets, incremental):
        if self.class_weight is None:
            return weights
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit, which sees only a part of y. Use "
                "class_weight=dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y))), with a y "
                "that is large enough to estimate the frequencies of the classes."
            )
        of_rows = weigh_classes(self.class_weight, targets, None if self._is_multilabel() else self.classes_)
        return of_rows if weights is None else weights * of_rows

    def _decode(self, targets):
        if self._is_multiclass():
            return self.classes_[targets[:, 0].astype(int)]
        return self._label_binarizer.inverse_transform(super()._decode(targets))

    def _lacks_classes(self, targets):
        return not self._is_multilabel() and len(np.unique(targets)) < len(self.classes_)

    def _strata(self, targets):
        # words, because scikit-learn's errors list them
        return np.where(targets.ravel() != 0, "True", "False") if self.n_outputs_ == 1 else None

    def _score_outputs(self, outputs, targets, weights):
        if self._is_multiclass():
            right = outputs.argmax(axis=1) == targets[:, 0]
        else:
            right = ((outputs > self._threshold()) == targets).all(axis=1)
        return float(np.average(right, weights=weights))


@documented
class MLPRegressor(RegressorMixin, OutOfCore, BasePerceptron):
    """A multilayer perceptron regressor that minimises the squared error, or another loss.

    It replaces scikit-learn's class of the same name: for settings that both have, the same `random_state` gives the
    same `loss_curve_` and `coefs_` up to rounding. If X is float32, training runs in float32.

    Parameters
    ----------
    loss : str, (str, dict) or (callable, callable), default="squared_error"
        The loss to minimise: a name; a pair of a name and its parameters, as in ``("huber", {"delta": 1.35})``; or a pair
        of your own functions.

        {LOSSES}

        With several levels, as in ``("quantile", {"level": [0.1, 0.5, 0.9]})``, the network has one output per level: y has
        shape (n_samples,) and predictions have shape (n_samples, n_levels). ``"monotone": True`` in the same dict sorts
        each row's predictions, so that a higher level never has a lower quantile (Chernozhukov et al., 2010).

        In a pair of functions, ``loss(y_true, y_pred)`` returns the loss of each row or of each element, and
        ``gradient(y_true, y_pred)`` returns its derivative with respect to y_pred. Both take arrays of shape
        (n_rows, n_outputs) and are called with blocks of rows.
    {PARAMETERS}

    Attributes
    ----------
    {ATTRIBUTES}
    out_activation_ : {"identity", "exp"}
        Activation of the output layer: exp for "poisson", "gamma" and "tweedie", identity for other losses.

    Warns
    -----
    {WARNINGS}

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The class that this one replaces.

    Examples
    --------
    >>> from pyrelu import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.preprocessing import scale
    >>> X, y = make_regression(200, n_features=10, random_state=0)
    >>> mlp = MLPRegressor(activation="gelu", solver="lbfgs", random_state=0).fit(X, scale(y))
    >>> mlp.score(X, scale(y)) > 0.99
    True

    Counts, whose predicted means are never negative:

    >>> y = [len(word) for word in "the squared error of counts is a poor measure".split()]
    >>> mlp = MLPRegressor("poisson", (5,), solver="lbfgs", max_iter=1000, random_state=0).fit(X[:9], y)
    >>> bool((mlp.predict(X) > 0).all())
    True
    """

    _theirs = sklearn.neural_network.MLPRegressor

    @extends(BasePerceptron)
    def __init__(self, loss="squared_error"):
        self.loss = loss

    @available_if(_is_stochastic)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch.

        As in scikit-learn, the solver and its settings, such as the learning rate, are those of the first call, or of a
        `fit` before it, even if `set_params` changes them in between.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the loss; None: all 1.

        Returns
        -------
        MLPRegressor
            The estimator itself. If training fails, it stays unchanged.
        """
        with self._transaction() as training:
            training._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X):
        """Return the prediction for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the precision that the weights and X have in common. With several levels of "quantile",
            one column per level.
        """
        mlp = self._shallow_copy()  # so that all attributes are those of one fit, whatever other threads do
        outputs = mlp._output_loss().in_order(mlp._outputs(X))
        return outputs.ravel() if mlp.n_outputs_ == 1 else outputs

    def score(self, X, y, sample_weight=None):
        """Return R2 or, with several levels of "quantile", the mean of their D2.

        D2 is 1 minus the loss divided by that of always predicting the empirical quantile
        (`sklearn.metrics.d2_pinball_score`).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; None: all 1.

        Returns
        -------
        float
            The score; 1 is the best.
        """
        return self._score(y, self.predict(X), sample_weight)

    def _score(self, y, predicted, weights):
        levels = self._output_loss().levels
        if levels is None:
            return float(r2_score(y, predicted, sample_weight=weights))
        columns = zip(levels, predicted.T, strict=True)
        return float(np.mean([d2_pinball_score(y, one, sample_weight=weights, alpha=level) for level, one in columns]))

    # ---- what BasePerceptron asks of it ----

    def _validate(self, X, y, incremental, first):
        X, y = check(self, X, y, first, numeric=True)
        targets = y.reshape(len(y), -1)
        loss = self._output_loss()
        n_outputs = loss.n_outputs(targets.shape[1])
        if not first and n_outputs != self.n_outputs_:
            raise ValueError(f"y has {n_outputs} outputs, but the network was fitted to {self.n_outputs_}")
        targets = as_targets(targets, X)
        loss.check_targets(targets)
        self.n_outputs_ = n_outputs
        self.out_activation_ = out_activation(loss.link)
        return X, targets

    def _output_loss(self):
        return losses.resolve(self.loss, losses.REGRESSOR)

    def _strata(self, targets):
        return None

    def _bounds(self):
        """Return between what the outputs are predictions, or None."""

    def _score_outputs(self, outputs, targets, weights):
        if not np.isfinite(outputs).all():
            return np.nan
        return self._score(targets, self._output_loss().in_order(outputs), weights)


add_optimizers(MLPRegressor())
