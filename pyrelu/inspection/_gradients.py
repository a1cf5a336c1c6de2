"""The loss's gradient, layer by layer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyrelu._typing import Floats, Rows
from pyrelu.inspection._trace import FittedNetwork, layers_of, loss_of, passes


def gradient_norms(estimator: FittedNetwork, X: Rows, y: ArrayLike) -> NDArray[np.float64]:
    """Return the norm of the loss's gradient with respect to each layer's weights and biases.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows to evaluate.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    Returns
    -------
    ndarray of shape (n_layers,)
        L2 norms of the gradient of the mean loss over the rows; the output layer is the last. Penalties, class weights
        and label smoothing are not included.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If X or y does not match the estimator.
    """
    return np.array([np.sqrt((w**2).sum() + (b**2).sum()) for w, b in zip(*loss_gradients(estimator, X, y))])


def loss_gradients(estimator: FittedNetwork, X: Rows, y: ArrayLike) -> tuple[list[Floats], list[Floats]]:
    """Return the gradients of the mean loss, as lists of arrays with the shapes of `coefs_` and of `intercepts_`."""
    layers, loss = layers_of(estimator), loss_of(estimator)
    of_weights = [np.zeros(layer.weights.shape) for layer in layers]
    of_biases = [np.zeros(layer.bias.shape) for layer in layers]
    n = 0
    for step, targets in passes(estimator, X, y):
        assert targets is not None  # as y is given
        _, delta = loss.of_rows(targets, step.after[-1])
        for i, g in enumerate(step.backward(delta)):
            of_weights[i] += step.inputs[i].T @ g
            of_biases[i] += g.sum(axis=0)
        n += len(targets)
    return [w / n for w in of_weights], [b / n for b in of_biases]
