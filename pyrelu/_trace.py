"""A fitted network in NumPy, layer by layer: what inspection and plots look at.

It is written with `pyrelu.functional`, `pyrelu.derivative` and `pyrelu.vjp`, not with the training core, and so checks
that core as well. It works in float64, block by block of rows.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import label_binarize
from sklearn.utils import check_consistent_length, column_or_1d, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from pyrelu import derivative, functional, vjp
from pyrelu._activation import resolve
from pyrelu.registry import find

BLOCK_ROWS = 1024  # keeps what a wide layer gives for a block to some megabytes


@dataclass(frozen=True)
class Layer:
    """Weights and bias of a layer, and its activation; that of the output layer may be "softmax".

    Attributes
    ----------
    weights, bias : ndarray of shape (n_inputs, n_units), (n_units,)
    activation : str
    values : tuple of float
        Those of the activation's parameters.
    """

    weights: np.ndarray
    bias: np.ndarray
    activation: str
    values: tuple = ()

    def forward(self, z):
        """Return the outputs for the pre-activations z, one row per sample."""
        return getattr(functional, self.activation)(z, *self.values)

    def backward(self, z, g):
        """Return the gradient with respect to z, given that with respect to the outputs."""
        return getattr(vjp, self.activation)(z, g, *self.values)

    def slopes(self, z):
        """Return the derivative at z; None where an output depends on more than one element of z."""
        elementwise = getattr(derivative, self.activation, None)
        return elementwise and elementwise(z, *self.values)

    @property
    def description(self):
        """The activation's name, with the values of its parameters."""
        names = find(self.activation).parameters if self.values else ()
        given = ", ".join(f"{name}={value:g}" for name, value in zip(names, self.values))
        return f"{self.activation}({given})" if given else self.activation

    @property
    def piecewise_linear(self):
        """Whether the activation is, as its row of the table says."""
        return find(self.activation).piecewise_linear

    @property
    def kinks(self):
        """Where the activation has a kink or a jump."""
        return find(self.activation).kinks_at(*self.values)


def layers_of(estimator):
    """Return the `Layer` of each of a fitted estimator's layers, hidden ones first."""
    check_is_fitted(estimator)
    hidden = resolve(estimator.activation, len(estimator.coefs_) - 1)
    activations = [*((row.name, values) for row, values in hidden), (estimator.out_activation_, ())]
    return [
        Layer(np.asarray(weights, float), np.asarray(bias, float), *activation)
        for weights, bias, activation in zip(estimator.coefs_, estimator.intercepts_, activations, strict=True)
    ]


@dataclass
class Pass:
    """A block of rows on its way through the network.

    Attributes
    ----------
    inputs : list of ndarray
        What goes into each layer.
    before, after : list of ndarray of shape (n_rows, n_units)
        Pre-activations and outputs of each layer.
    """

    layers: list
    inputs: list
    before: list
    after: list

    @classmethod
    def forward(cls, layers, X):
        """Send the rows X through the layers."""
        inputs, before, after = [X], [], []
        for layer in layers:
            before.append(inputs[-1] @ layer.weights + layer.bias)
            after.append(layer.forward(before[-1]))
            inputs.append(after[-1])
        return cls(layers, inputs[:-1], before, after)

    def backward(self, g):
        """Return the gradients with respect to each layer's pre-activations, given that of the last layer's."""
        gradients = [g]
        for layer, above, z in zip(self.layers[-2::-1], self.layers[:0:-1], self.before[-2::-1], strict=True):
            gradients.insert(0, layer.backward(z, gradients[0] @ above.weights.T))
        return gradients


def passes(estimator, X, y=None):
    """Yield a `Pass` and the block of targets (None without y) for each block of rows."""
    layers = layers_of(estimator)
    X = validate_data(estimator, X, accept_sparse="csr", reset=False)
    targets = None if y is None else targets_of(estimator, y)
    check_consistent_length(X, targets)
    for rows in gen_batches(X.shape[0], BLOCK_ROWS):
        yield Pass.forward(layers, X[rows].astype(float)), None if targets is None else targets[rows]


def targets_of(estimator, y):
    """Return y as the output layer is to give it, of shape (n_samples, n_outputs).

    The gradient of each of the estimators' losses with respect to the last pre-activations is outputs minus targets.
    """
    if not hasattr(estimator, "classes_"):
        y = np.asarray(y, float)
        return y.reshape(len(y), -1)
    y = np.asarray(y) if np.ndim(y) == 2 and np.shape(y)[1] > 1 else column_or_1d(y)
    if y.ndim == 1 and len(unknown := np.setdiff1d(y, estimator.classes_)):
        raise ValueError(f"y has {unknown.tolist()[0]!r}, which is none of the classes {estimator.classes_.tolist()}")
    return label_binarize(y, classes=estimator.classes_).astype(float)
