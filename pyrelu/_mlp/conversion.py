"""Conversion from and to scikit-learn's estimators, through their public attributes, and modules of torch."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Self

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, clone, is_classifier
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp import members, torch_modules
from pyrelu._mlp.activation import Given, resolve

# The fitted attributes that the estimators of both packages have.
SHARED = (
    "classes_",
    "coefs_",
    "intercepts_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
    "n_features_in_",
    "feature_names_in_",
    "n_iter_",
    "t_",
    "loss_",
    "best_loss_",
    "loss_curve_",
    "validation_scores_",
    "best_validation_score_",
)


class Convertible:
    """A mixin for estimators: from and to scikit-learn, whose class `_theirs` is, and torch."""

    _theirs: Any  # a class

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """Convert an estimator of scikit-learn's class to this class.

        Parameters
        ----------
        estimator : sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            An instance of the class of the same name. If it is fitted, so is the result, with copies of the weights;
            `partial_fit` and a warm start resume from these, with a new solver state.

        Returns
        -------
        An estimator of this class that gives the same predictions, up to rounding.

        Raises
        ------
        TypeError
            If the estimator is of another class.

        Examples
        --------
        >>> from sklearn import neural_network
        >>> from pyrelu import MLPClassifier
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> theirs = neural_network.MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
        >>> MLPClassifier.from_sklearn(theirs).predict([[0.5], [2.5]])
        array(['low', 'high'], dtype='<U4')
        """
        if not isinstance(estimator, cls._theirs):
            ours, theirs = cls.__name__, f"{cls._theirs.__module__.rsplit('.', 1)[0]}.{cls._theirs.__name__}"
            raise TypeError(f"{ours}.from_sklearn takes a {theirs}, got {estimator!r}")
        ours_of_it: Self = _convert(estimator, cls, clone(estimator).get_params(deep=False))
        return ours_of_it

    def to_sklearn(self) -> Any:
        """Convert the estimator to scikit-learn's class, for use without this package.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            An instance of the class of the same name. If this estimator is fitted, so is the result, with copies of the
            weights and the same predictions, up to rounding.

        Raises
        ------
        ValueError
            If a parameter has a value that scikit-learn's class does not support, such as activation="gelu", or this is an
            ensemble, of which `members` can be converted. A parameter that only affects training, such as `dropout`, can be set to its default first.

        Examples
        --------
        >>> from pyrelu import MLPRegressor
        >>> mlp = MLPRegressor(solver="lbfgs", random_state=0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
        >>> mlp.to_sklearn()
        MLPRegressor(random_state=0, solver='lbfgs')
        >>> MLPRegressor(activation="gelu").to_sklearn()
        Traceback (most recent call last):
            ...
        ValueError: scikit-learn's class cannot express it: The 'activation' parameter of MLPRegressor must be ...
        """
        members.refuse(self, "scikit-learn's class cannot express")
        theirs = self._theirs
        return _convert(self, theirs, _in_their_words(clone(self), theirs))

    @classmethod
    def from_torch(cls, module: Any, classes: ArrayLike | None = None) -> Self:
        """Convert a network of torch to an estimator, to predict with or to train on.

        What belongs to training alone, such as the solver, is at its default, but for `dropout`.

        Parameters
        ----------
        module : torch.nn.Sequential
            Of Linear, each with an activation and a Dropout after it or not, and before the first with a Dropout or not.
            The activations are those that both packages have under one name, as GELU and "gelu". Softmax, LogSoftmax or
            Sigmoid may end a classifier's network; without one its outputs are logits, for CrossEntropyLoss or, with one
            output, BCEWithLogitsLoss.
        classes : array-like of shape (n_classes,), default=None
            The labels of a classifier, sorted; None: 0, 1, and so on. With Sigmoid and several outputs each is a label of
            its own, and they are 0, 1, and so on.

        Returns
        -------
        An estimator of this class that has copies of the weights, and gives the same outputs to rounding.

        Raises
        ------
        TypeError
            If the module is no Sequential.
        ValueError
            If a module in it has no counterpart, which the message names.
        ImportError
            If torch is not installed.
        """
        parameters, attributes, y = torch_modules.read(module, issubclass(cls, ClassifierMixin), classes)
        mlp: Any = cls(**parameters)
        converted: Self = _with_weights(cls, mlp.get_params(deep=False), attributes, y)
        return converted

    def to_torch(self) -> Any:
        """Convert the fitted network to a module of torch.

        Returns
        -------
        torch.nn.Sequential
            In evaluation mode, on the CPU, of the weights' precision. It gives, to rounding, what `predict_proba` does (of
            two classes, only the probability of the second), `decision_function` where there are no probabilities, or
            `predict` of a regressor, always of shape (n_samples, n_outputs).

        Raises
        ------
        ValueError
            If torch.nn has no module for an activation, or for that of the output layer, such as that of loss="poisson".
        NotFittedError
            If the estimator is not fitted.
        ImportError
            If torch is not installed.
        """
        check_is_fitted(self)
        return torch_modules.write(self)


def _in_their_words(mlp: Any, theirs: Any) -> dict[str, Any]:
    """Return the parameters for scikit-learn's class; raise ValueError if it cannot express one."""
    parameters, defaults = mlp.get_params(deep=False), type(mlp)().get_params(deep=False)
    known = theirs().get_params(deep=False)
    for name in parameters.keys() - known.keys():
        if parameters[name] is not defaults[name] and parameters[name] != defaults[name]:
            raise ValueError(
                f"scikit-learn's class has no parameter {name!r}. If {name}={parameters[name]!r} only affects training, "
                f"set_params({name}={defaults[name]!r}) keeps all predictions"
            )
    parameters = {name: parameters[name] for name in known}
    parameters["activation"] = _their_activation(parameters["activation"], mlp)
    try:
        theirs(**parameters).fit(np.empty((0, 1)), [])  # checks the parameters, then refuses the empty data
    except ValueError as error:
        if type(error).__name__ == "InvalidParameterError":
            raise ValueError(f"scikit-learn's class cannot express it: {error}") from None
    return parameters


def _their_activation(activation: Given, mlp: Any) -> Given:
    """Return scikit-learn's name for an activation without parameters that all layers share; else the activation."""
    found: set[tuple[str, ...]] = {
        (one.name, *one.parameters) for one in resolve(activation, len(mlp._hidden_units()) or 1)
    }
    if len(found) != 1 or len(*found) != 1:
        return activation
    [(name,)] = found
    return {"sigmoid": "logistic"}.get(name, name)


def _convert(source: Any, cls: Any, parameters: dict[str, Any]) -> Any:
    """Return an estimator of the class with these parameters and, if `source` is fitted, its weights.

    Private attributes, such as the label encoder, come from a fit to the labels alone.
    """
    if not hasattr(source, "coefs_"):
        return cls(**parameters)
    if getattr(source, "embedding_", None) is not None:
        raise ValueError(
            "scikit-learn's class cannot express embedding_, which numeric_embedding, categorical_features and "
            "scale_inputs have left"
        )
    if getattr(source, "parametric_activation", False) or any(
        weights is not None for weights in getattr(source, "activation_weights_", None) or ()
    ):
        raise ValueError("scikit-learn's class cannot express the learned activations, activation_weights_")
    for name, here, axis in (("n_features_in_", 0, 0), ("n_outputs_", -1, 1)):
        of_coefs = np.shape(source.coefs_[here])[axis]
        if getattr(source, name) != of_coefs:
            raise ValueError(f"{name}={getattr(source, name)!r}, but coefs_ are for {name}={of_coefs}")
    attributes = {name: copy.deepcopy(getattr(source, name)) for name in SHARED if hasattr(source, name)}
    X = np.zeros((max(2, len(getattr(source, "classes_", ()))), source.n_features_in_))
    return _with_weights(cls, parameters, attributes, _labels(source, X))


def _with_weights(cls: Any, parameters: dict[str, Any], attributes: dict[str, Any], y: Any) -> Any:
    """Return a fitted estimator with these attributes, for targets like y."""
    loss = {"loss": parameters["loss"]} if "loss" in parameters else {}
    target = cls(solver="lbfgs", hidden_layer_sizes=(), max_iter=1, **loss)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target.fit(np.zeros((y.shape[0], attributes["n_features_in_"])), y)
    learned = {name: getattr(target, name) for name in ("classes_", "out_activation_") if hasattr(target, name)}
    for name in [name for name in vars(target) if name.endswith("_") and not name.startswith("_")]:
        delattr(target, name)
    for name, value in (learned | attributes).items():
        setattr(target, name, value)
    target._no_improvement_count = 0  # scikit-learn's L-BFGS does not set it, and a later partial_fit reads it
    return target.set_params(**parameters)


def _labels(source: Any, X: np.ndarray) -> Any:
    """Return targets of the same kind as those of `source`, with all of its classes."""
    if not is_classifier(source):
        return np.ones((len(X), source.n_outputs_))
    if source.n_outputs_ > 1 and source.out_activation_ == "logistic":
        indicator = np.zeros((len(X), source.n_outputs_), int)
        return scipy.sparse.csr_array(indicator) if scipy.sparse.issparse(source.predict(X)) else indicator
    return np.resize(source.classes_, len(X))
