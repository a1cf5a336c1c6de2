"""The affine map that a piecewise linear network computes around a point."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from pyrelu._typing import Floats
from pyrelu.inspection._trace import FittedNetwork, Layer, Pass, layers_of


class LinearMap(NamedTuple):
    """What `local_linear_map` returns: the network around x is ``W @ x + b``."""

    W: Floats
    b: Floats


def local_linear_map(estimator: FittedNetwork, x: ArrayLike) -> LinearMap:
    """Return the affine map that a piecewise linear network computes around a point.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of pyrelu or of scikit-learn. All hidden activations must be piecewise linear: maxout, or one with
        `pyrelu.activations[name].piecewise_linear`.
    x : array-like of shape (n_features,)
        The point. Exactly at a kink, the map is that of the branch that the activation's formula takes.

    Returns
    -------
    W : ndarray of shape (n_outputs, n_features)
    b : ndarray of shape (n_outputs,)
        ``W @ x + b`` is the network's output before the output activation: the logits of a classifier, the prediction
        of a regressor. It holds in the whole linear region that contains x.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If a hidden layer's activation is not piecewise linear, columns of X are embedded, or x has the wrong shape.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from pyrelu import MLPRegressor
    >>> from pyrelu.inspection import local_linear_map
    >>> X, y = load_diabetes(return_X_y=True)
    >>> settings = dict(learning_rate_init=0.01, max_iter=1000, random_state=0)
    >>> mlp = MLPRegressor(hidden_layer_sizes=(10, 10), activation="leaky_relu", **settings).fit(X, y)
    >>> W, b = local_linear_map(mlp, X[0])
    >>> np.allclose(W @ X[0] + b, mlp.predict(X[:1]))
    True
    """
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"x has shape {x.shape}; it must be one point of shape (n_features,)")
    layers = piecewise_linear_layers(estimator)
    if len(x) != len(layers[0].weights):
        raise ValueError(
            f"x has {len(x)} features; {type(estimator).__name__} is expecting {len(layers[0].weights)} features"
        )
    step = Pass.forward(layers, check_array(x[np.newaxis], dtype=float))
    # W is the Jacobian of the logits. Each bias contributes to b, and so does each activation with a - J @ z, where J is
    # its Jacobian: 0 for relu, but not for hardtanh beyond its kinks.
    n_outputs = len(step.layers[-1].bias)
    one_row_per_output = Pass.forward(step.layers, np.repeat(step.inputs[0], n_outputs, axis=0))
    jacobians = one_row_per_output.backward(np.eye(n_outputs))
    b = np.zeros(n_outputs)
    for jacobian, layer in zip(jacobians, step.layers):
        b += jacobian @ layer.bias
    for i, below in enumerate(jacobians[:-1]):
        b = b + jacobians[i + 1] @ (step.after[i][0] @ step.layers[i + 1].weights) - below @ step.before[i][0]
    return LinearMap(jacobians[0] @ step.layers[0].weights.T, b)


def piecewise_linear_layers(estimator: FittedNetwork) -> list[Layer]:
    """Return the layers of an estimator, the scales of its inputs among the weights of the first.

    Raises
    ------
    ValueError
        If it embeds columns, or a hidden layer is not piecewise linear.
    """
    layers = layers_of(estimator)
    embedding = getattr(estimator, "embedding_", None)
    if embedding is not None:
        if embedding.kind is not None or len(embedding.categorical):
            raise ValueError(
                "the estimator embeds columns of X (numeric_embedding, categorical_features): it is not an affine map of "
                "them around a point"
            )
        weights = layers[0].weights * embedding.arrays["scales"][:, np.newaxis]
        layers[0] = replace(layers[0], weights=weights)
    for i, layer in enumerate(layers[:-1]):
        if not layer.piecewise_linear:
            raise ValueError(
                f"hidden layer {i} has the activation {layer.description}, which is not piecewise linear: the "
                "network is not an affine map around a point"
            )
    return layers
