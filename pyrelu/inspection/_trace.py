"""A fitted network in NumPy, layer by layer, for inspection and plots.

It uses `pyrelu.functional`, `pyrelu.derivative` and `pyrelu.vjp` rather than the training core, and so serves as a check
of that core, except for the loss, which is the core's. It computes in float64, in blocks of rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import label_binarize
from sklearn.utils import check_consistent_length, column_or_1d, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from pyrelu import derivative, registry
from pyrelu._mlp import losses, members
from pyrelu._mlp.activation import Given, HiddenActivation, output_name, resolve, resolve_of
from pyrelu._typing import Floats, Rows

SATURATED = 0.01  # a derivative below this passes on less than a hundredth of the gradient
BLOCK_ROWS = 1024  # bounds the outputs of a wide layer to a few megabytes per block


Slopes = Callable[[Floats], Floats]


class FittedNetwork(Protocol):
    """What a fitted estimator of pyrelu or of scikit-learn has."""

    activation: Given
    loss: Any
    coefs_: list[Floats]
    intercepts_: list[Floats]
    n_outputs_: int
    out_activation_: str


@dataclass(frozen=True)
class Layer:
    """Weights and bias of a layer, and its activation.

    Attributes
    ----------
    weights, bias : ndarray of shape (n_inputs, width), (width,)
    activation : HiddenActivation
        Of the output layer too.
    learned : ndarray of shape (n_units,) or None
        Learned slopes.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    activation: HiddenActivation
    learned: Floats | None = None

    def forward(self, z: Floats) -> Floats:
        """Return the outputs for the pre-activations z, one row per sample."""
        return self.activation.forward(z, self.learned)

    def backward(self, z: Floats, g: Floats) -> Floats:
        """Return the gradient with respect to z, given that with respect to the outputs."""
        return self.activation.backward(z, g, self.learned)

    def slopes(self, z: Floats) -> Floats | None:
        """Return the derivative at z; None where an output depends on more than one element of z."""
        if self.activation.transform != "parametric":
            slopes = _derivative_of(self.activation, self.learned)
            return slopes(z) if slopes else None
        assert self.learned is not None
        slopes = _derivative_of(self.activation)
        return 1 + self.learned * (slopes(z) - 1) if slopes else None

    @property
    def description(self) -> str:
        """The activation's name, with the values of its parameters."""
        given = {} if self.activation.transform == "learned_slopes" else self.activation.parameters
        return described(self.activation.name, given)

    @property
    def piecewise_linear(self) -> bool:
        """Whether the activation is piecewise linear, according to the table; False for a user's function."""
        name = self.activation.name
        if self.activation.functions:
            return False
        if name in registry.activations:
            return registry.activations[name].piecewise_linear
        return (registry.axis_functions.get(name) or registry.composed_functions[name]).piecewise_linear

    def bends(self, z: Floats) -> Floats:
        """Return numbers that change sign at the kinks and jumps of a piecewise linear activation."""
        if self.activation.name not in registry.activations:
            z = z.reshape(len(z), -1, self.activation.pieces)
            middle: Floats = np.sort(z, axis=-1)[..., -2:].mean(axis=-1, keepdims=True)
            return (z - middle).reshape(len(z), -1)
        kinks = registry.find(self.activation.name).kinks_at(*self.activation.parameters.values())
        return np.concatenate([np.empty((len(z), 0)), *(z - kink for kink in kinks)], axis=1)


def described(name: str, parameters: Mapping[str, float]) -> str:
    """Return an activation's name, with any parameters in brackets."""
    text = ", ".join(f"{parameter}={value:g}" for parameter, value in parameters.items())
    return f"{name}({text})" if text else name


def _derivative_of(activation: HiddenActivation, learned: Floats | None = None) -> Slopes | None:
    """Return the derivative of an elementwise activation; None for any other."""
    if activation.functions:
        return activation.functions[1]
    values = activation.parameters.values() if learned is None else [learned]
    if not (found := getattr(derivative, activation.name, None)):
        return None
    slopes: Slopes = np.errstate(over="ignore")(lambda z: found(z, *values))
    return slopes


def elementwise(activation: Given) -> tuple[HiddenActivation, Slopes]:
    """Resolve an activation; return it with its derivative. Raise ValueError if it is not elementwise."""
    [found] = resolve(activation, 1)
    if slopes := _derivative_of(found):
        return found, slopes
    raise ValueError(f"activation={activation!r} works along an axis, not elementwise: it has no derivative")


def layers_of(estimator: FittedNetwork) -> list[Layer]:
    """Return the `Layer` of each of a fitted estimator's layers, hidden ones first."""
    if not hasattr(estimator, "hidden_layer_sizes"):
        raise TypeError(
            f"{type(estimator).__name__} is no multi-layer perceptron; of a pipeline, pass the last step, and X as the "
            "steps before leave it"
        )
    check_is_fitted(estimator)
    members.refuse(estimator, "pyrelu.inspection and pyrelu.plot do not take")
    hidden = resolve_of(estimator, len(estimator.coefs_) - 1)
    learned = getattr(estimator, "activation_weights_", [None] * len(hidden))  # scikit-learn's learn none
    output = HiddenActivation(output_name(estimator.out_activation_))
    return [
        Layer(np.asarray(weights, float), np.asarray(bias, float), activation, slopes)
        for weights, bias, activation, slopes in zip(
            estimator.coefs_, estimator.intercepts_, [*hidden, output], [*learned, None], strict=True
        )
    ]


def activation_name(estimator: FittedNetwork) -> str:
    """Return the names of a fitted estimator's hidden activations, or a single name if all are the same."""
    names = [layer.description for layer in layers_of(estimator)[:-1]] or ["no hidden layer"]
    return names[0] if len(set(names)) == 1 else ", ".join(names)


@dataclass
class Pass:
    """The values of a block of rows throughout the network.

    Attributes
    ----------
    inputs : list of ndarray
        The inputs of each layer.
    before, after : list of ndarray of shape (n_rows, n_units)
        Pre-activations and outputs of each layer.
    """

    layers: list[Layer]
    inputs: list[Floats]
    before: list[Floats]
    after: list[Floats]

    @classmethod
    def forward(cls, layers: list[Layer], X: Floats) -> "Pass":
        """Send the rows X through the layers."""
        inputs, before, after = [X], list[Floats](), list[Floats]()
        for layer in layers:
            before.append(inputs[-1] @ layer.weights + layer.bias)
            after.append(layer.forward(before[-1]))
            inputs.append(after[-1])
        return cls(layers, inputs[:-1], before, after)

    def backward(self, g: Floats) -> list[Floats]:
        """Return the gradients with respect to each layer's pre-activations, given that of the last layer's."""
        gradients = [g]
        for layer, above, z in zip(self.layers[-2::-1], self.layers[:0:-1], self.before[-2::-1], strict=True):
            gradients.insert(0, layer.backward(z, gradients[0] @ above.weights.T))
        return gradients


def passes(estimator: FittedNetwork, X: Rows, y: ArrayLike | None = None) -> Iterator[tuple[Pass, Floats | None]]:
    """Yield a `Pass` and the block of targets (None without y) for each block of rows."""
    layers = layers_of(estimator)
    X = validate_data(estimator, X, accept_sparse="csr", reset=False)
    targets = None if y is None else targets_of(estimator, y)
    check_consistent_length(X, targets)
    embedding = getattr(estimator, "embedding_", None)
    for rows in gen_batches(X.shape[0], BLOCK_ROWS):
        inputs = X[rows].astype(float) if embedding is None else embedding.transform(X[rows])
        yield Pass.forward(layers, inputs), None if targets is None else targets[rows]


def targets_of(estimator: FittedNetwork, y: ArrayLike) -> Floats:
    """Return y in the form that the loss expects: one row per sample, with a number per output or the index of the class."""
    if not hasattr(estimator, "classes_"):
        y = np.asarray(y, float)
        return y.reshape(len(y), -1)
    y = np.asarray(y) if np.ndim(y) == 2 and np.shape(y)[1] > 1 else column_or_1d(y)
    if y.ndim == 1 and len(unknown := np.setdiff1d(y, estimator.classes_)):
        raise ValueError(
            f"y has {unknown.tolist()[0]!r}, which is not one of the classes {estimator.classes_.tolist()}"
        )
    if y.ndim == 1 and estimator.n_outputs_ > 1:
        return np.searchsorted(estimator.classes_, y)[:, np.newaxis].astype(float)
    return np.asarray(label_binarize(y, classes=estimator.classes_), float)


def loss_of(estimator: FittedNetwork) -> losses.OutputLoss:
    """Return the loss of a fitted estimator of pyrelu or scikit-learn as an `OutputLoss`."""
    if not hasattr(estimator, "classes_"):
        return losses.resolve(estimator.loss, losses.REGRESSOR)
    return losses.resolve(estimator.loss, losses.CLASSIFIER, labels=estimator.out_activation_ != "softmax")
