"""Multilayer perceptrons, named as in scikit-learn and with its parameters, attributes, warnings and errors."""

from numbers import Real

import numpy as np
import sklearn.neural_network
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from pyrelu._mlp import losses
from pyrelu._mlp.activation import out_activation
from pyrelu._mlp.batches import OutOfCore
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.parameters import documented, extends
from pyrelu._mlp.perceptron import BasePerceptron
from pyrelu._network import DefaultFloatingPoint
from pyrelu.exceptions import InvalidParameterError

__all__ = ["MLPClassifier", "MLPRegressor"]


def _is_stochastic(mlp):
    if mlp.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {mlp.solver} is not stochastic."
        )
    return True


def _gives_probabilities(mlp):
    """Whether the outputs of a classifier are probabilities: as it was fitted, or as it is about to be."""
    if hasattr(mlp, "out_activation_"):
        return mlp.out_activation_ in ("softmax", "logistic")
    try:
        return losses.resolve(mlp.loss, losses.CLASSIFIER).gives_probabilities
    except ValueError:
        return True  # fit is about to say what is wrong


def _has_probabilities(mlp):
    if not _gives_probabilities(mlp):
        raise AttributeError(f"there are no probabilities with loss={mlp.loss!r}; decision_function gives the outputs")
    return True


def _has_margins(mlp):
    if _gives_probabilities(mlp):
        raise AttributeError(
            f"decision_function is for losses without probabilities; loss={mlp.loss!r} has predict_proba"
        )
    return True


def _check(mlp, X, y, first, **more):
    """Return X and y as scikit-learn's own validation leaves them; y of one column becomes one-dimensional."""
    _check_objects(y)
    if issparse(y) and (y.shape[1] == 1 or not is_classifier(mlp)):
        raise TypeError(
            f"y of shape {y.shape} is sparse, as only an indicator matrix of several columns can be; pass y.toarray()"
        )
    X, y = validate_data(
        mlp,
        X,
        y,
        accept_sparse="csr",
        multi_output=True,
        dtype=(np.float64, np.float32),
        order="C",
        reset=first,
        **more,
    )
    return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def _check_objects(y):
    """Raise ValueError where y has a missing or an infinite number among objects, where scikit-learn overlooks some."""
    try:
        values = np.asarray(None if issparse(y) else y)
    except ValueError:  # no array at all, as scikit-learn is about to say
        return
    if values.dtype != object or values.ndim == 0:
        return
    values = values.ravel().tolist()
    types = set(map(type, values))
    if any(cls.__name__ in ("NoneType", "NAType", "NaTType", "MaskedConstant") for cls in types):
        raise ValueError("Input y contains NaN.")
    if any(issubclass(cls, Real) for cls in types):
        try:
            numbers = np.array([value for value in values if isinstance(value, Real)], np.float64)
        except OverflowError:
            numbers = np.array([np.inf])
        assert_all_finite(numbers, input_name="y")


def _as_targets(values, X):
    """Return targets as the network takes them, in the precision of X."""
    with np.errstate(over="ignore"):  # it is about to be an error
        targets = np.ascontiguousarray(np.asarray(values).astype(X.dtype, copy=False))
    with np.errstate(invalid="ignore"):
        assert_all_finite(targets, input_name="y")
    return targets


@documented
class MLPClassifier(ClassifierMixin, OutOfCore, BasePerceptron):
    """A multilayer perceptron that minimises the log-loss, or another loss.

    It takes the place of scikit-learn's class of that name: where that one has the setting, the same `random_state`
    gives the same `loss_curve_` and `coefs_` to rounding. It trains in float32 where X is float32.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, ``{label: weight}`` with 1 where there is none; for multilabel targets one dict
        ``{0: weight, 1: weight}`` per column, the product of which counts; or "balanced", inversely proportional to
        the classes' frequencies in y. The sample weights are multiplied with them, also those of held-out rows.
    label_smoothing : float, default=0.0
        Share of each target, in [0, 1), that is spread evenly over all classes (Szegedy et al., 2016). For losses of
        probabilities.
    loss : str or (str, dict), default="log_loss"
        What is minimised: a name, or with its parameters, as in ``("focal", {"gamma": 1.0})``.

        {LOSSES}

        Those of labels, for two classes and multilabel targets, are sums over the labels. "hinge" and "squared_hinge" take
        one class against the rest; they give no probabilities, and `decision_function` takes the place of
        `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    {ATTRIBUTES}
    out_activation_ : {"softmax", "logistic", "identity"}
        Its activation: softmax for three or more classes, logistic for two and for multilabel targets, identity for
        "hinge" and "squared_hinge".

    Warns
    -----
    {WARNINGS}

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

    _theirs = sklearn.neural_network.MLPClassifier

    @extends(BasePerceptron)
    def __init__(self, *, class_weight=None, label_smoothing=0.0, loss="log_loss"):
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.loss = loss

    @available_if(_is_stochastic)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch, going on from where the last call ended.

        The solver and its settings, such as the learning rate, stay those of the first call, or of `fit` before it,
        whatever `set_params` changes in between, as with scikit-learn.

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
        mlp = self._shallow_copy()  # all of one fit, whatever other threads do
        outputs = mlp._outputs(X)
        return mlp._label_binarizer.inverse_transform(
            outputs.ravel() if mlp.n_outputs_ == 1 else outputs, threshold=mlp._threshold()
        )

    @available_if(_has_margins)
    def decision_function(self, X):
        """Return how far each row is on the side of each class, where the loss gives no probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The outputs. For two classes a positive number stands for ``classes_[1]``; for more the largest counts; for
            multilabel targets the positive ones.

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

    @available_if(_has_probabilities)
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
        mlp = self._shallow_copy()
        outputs = mlp._outputs(X)
        return np.hstack((1 - outputs, outputs)) if mlp.n_outputs_ == 1 else outputs

    @available_if(_has_probabilities)
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
        with DefaultFloatingPoint():
            return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ---- what BasePerceptron asks of it ----

    def _validate(self, X, y, incremental, first):
        X, y = _check(self, X, y, first)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_kind(y)
            self._check_classes(unique_labels(y))
        if self._is_multilabel():
            targets = self._label_binarizer.transform(y) != 0  # as scikit-learn has it, whatever the number
        else:  # numbers of classes, without a column for each
            targets = np.searchsorted(self.classes_, y)[:, np.newaxis]
        self.n_outputs_ = len(self.classes_) if self._is_multiclass() else targets.shape[1]
        self.out_activation_ = out_activation(self._output_loss().link)
        return X, _as_targets(targets, X)

    def _output_loss(self):
        labels = hasattr(self, "_label_binarizer") and not self._is_multiclass()
        loss = losses.resolve(self.loss, losses.CLASSIFIER, labels)
        if self.label_smoothing and not loss.gives_probabilities:
            raise InvalidParameterError(
                f"label_smoothing={self.label_smoothing!r} does not go with loss={self.loss!r}, which gives no "
                "probabilities; it must be 0"
            )
        return loss

    def _threshold(self):
        """Return what an output is greater than where its label is predicted."""
        return 0.5 if _gives_probabilities(self) else 0.0

    def _is_multiclass(self):
        return self._label_binarizer.y_type_ == "multiclass"

    def _is_multilabel(self):
        return self._label_binarizer.y_type_.startswith("multilabel")

    def _check_kind(self, y):
        """Raise ValueError where y is not of the kind, one-dimensional or an indicator matrix, fitted before."""
        fitted = f"indicator matrix of {len(self.classes_)} columns" if self._is_multilabel() else "array of labels"
        columns = y.shape[1] if y.ndim == 2 else None
        if columns != (len(self.classes_) if self._is_multilabel() else None):
            raise ValueError(f"y has the shape {y.shape}, but the network is fitted to y as an {fitted}")
        if self._is_multilabel() and type_of_target(y) != "multilabel-indicator":
            raise ValueError(f"y must be an {fitted}, got {type_of_target(y, input_name='y')} targets")

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

    def _weigh(self, weights, targets, incremental):
        if self.class_weight is None:
            return weights
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit, which sees a part of y only. Give "
                "class_weight=dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y))), with y large "
                "enough to estimate the classes' frequencies."
            )
        numbers = targets.astype(int)
        if isinstance(self.class_weight, list) and not self._is_multilabel():
            raise ValueError(
                f"class_weight={self.class_weight!r} has one dict for each column of multilabel targets; for y of shape "
                f"({len(targets)},) it must be one dict, label: weight"
            )
        if self._is_multilabel():
            per_class = self.class_weight
            if isinstance(per_class, list):  # complete, as a batch may lack a value that has no weight of its own
                per_class = [{0: 1.0, 1: 1.0} | weights_of for weights_of in per_class]
            of_rows = compute_sample_weight(per_class, numbers)
        else:
            numbers = numbers.ravel()
            per_class = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[numbers])
            of_rows = per_class[numbers]
        return of_rows.astype(targets.dtype) if weights is None else weights * of_rows.astype(targets.dtype)

    def _decode(self, targets):
        if self._is_multiclass():
            return self.classes_[targets[:, 0].astype(int)]
        return self._label_binarizer.inverse_transform(super()._decode(targets))

    def _lacks_classes(self, targets):
        return not self._is_multilabel() and len(np.unique(targets)) < len(self.classes_)

    def _strata(self, targets):
        # as words, which errors have from scikit-learn's
        return np.where(targets.ravel() != 0, "True", "False") if self.n_outputs_ == 1 else None

    def _score_outputs(self, outputs, targets, weights):
        if self._is_multiclass():
            right = outputs.argmax(axis=1) == targets[:, 0]
        else:
            right = ((outputs > self._threshold()) == targets).all(axis=1)
        return float(np.average(right, weights=weights))


@documented
class MLPRegressor(RegressorMixin, OutOfCore, BasePerceptron):
    """A multilayer perceptron that minimises the squared error, or another loss.

    It takes the place of scikit-learn's class of that name: where that one has the setting, the same `random_state`
    gives the same `loss_curve_` and `coefs_` to rounding. It trains in float32 where X is float32.

    Parameters
    ----------
    loss : str, (str, dict) or (callable, callable), default="squared_error"
        What is minimised: a name; with its parameters, as in ``("huber", {"delta": 1.35})``; or functions of one's own.

        {LOSSES}

        With several levels, as in ``("quantile", {"level": [0.1, 0.5, 0.9]})``, the network has an output for each, y is of
        shape (n_samples,), predictions are of shape (n_samples, n_levels), and ``"monotone": True`` beside them sorts these,
        so that no quantile is below that of a lower level (Chernozhukov et al., 2010).

        Of two functions ``loss(y_true, y_pred)`` returns the loss of each row or of each element, and
        ``gradient(y_true, y_pred)`` its derivative with respect to y_pred. Both take arrays of shape
        (n_rows, n_outputs), of some of the rows.
    {PARAMETERS}

    Attributes
    ----------
    {ATTRIBUTES}
    out_activation_ : {"identity", "exp"}
        Its activation: exp for "poisson", "gamma" and "tweedie".

    Warns
    -----
    {WARNINGS}

    See Also
    --------
    sklearn.neural_network.MLPRegressor : What this is modelled on.

    Examples
    --------
    >>> from pyrelu import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.preprocessing import scale
    >>> X, y = make_regression(200, n_features=10, random_state=0)
    >>> mlp = MLPRegressor(activation="gelu", solver="lbfgs", random_state=0).fit(X, scale(y))
    >>> mlp.score(X, scale(y)) > 0.99
    True

    Counts, with means that are never negative:

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
        """Train for one epoch, going on from where the last call ended.

        The solver and its settings, such as the learning rate, stay those of the first call, or of `fit` before it,
        whatever `set_params` changes in between, as with scikit-learn.

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
            The estimator itself. Where training fails, it is left as it was.
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
            In the precision that the weights and X have in common. With several levels of "quantile", a column for each.
        """
        mlp = self._shallow_copy()  # all of one fit, whatever other threads do
        outputs = mlp._output_loss().in_order(mlp._outputs(X))
        return outputs.ravel() if mlp.n_outputs_ == 1 else outputs

    def score(self, X, y, sample_weight=None):
        """Return R2, or with several levels of "quantile" the mean of their D2.

        D2 is the share of the loss that predicting the empirical quantile would leave (`sklearn.metrics.d2_pinball_score`).

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
            1 at best.
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
        X, y = _check(self, X, y, first, y_numeric=True)
        targets = y.reshape(len(y), -1)
        loss = self._output_loss()
        n_outputs = loss.n_outputs(targets.shape[1])
        if not first and n_outputs != self.n_outputs_:
            raise ValueError(f"y has {n_outputs} outputs, but the network was fitted to {self.n_outputs_}")
        targets = _as_targets(targets, X)
        loss.check_targets(targets)
        self.n_outputs_ = n_outputs
        self.out_activation_ = out_activation(loss.link)
        return X, targets

    def _output_loss(self):
        return losses.resolve(self.loss, losses.REGRESSOR)

    def _strata(self, targets):
        return None

    def _score_outputs(self, outputs, targets, weights):
        if not np.isfinite(outputs).all():
            return np.nan
        return self._score(targets, self._output_loss().in_order(outputs), weights)
