"""The estimators' parameter `init`: the distributions of the initial weights.

"auto" is scikit-learn's and draws biases as well as weights. All others set the biases to 0 unless "bias_std" is given.
"unit_variance" depends on the training rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
from scipy.sparse import issparse
from scipy.special import ndtr, ndtri

from pyrelu._mlp.activation import HiddenActivation
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._typing import Floats

Shape = tuple[int, int]
Draw = Callable[..., np.ndarray]  # (shape, rng, **parameters) -> array of that shape
Given = str | tuple[str, Mapping[str, Any]] | Callable[[Shape, np.random.RandomState], Any]


@dataclass(frozen=True)
class Initializer:
    """A distribution of weights; `formula` describes it in terms of fan_in inputs and fan_out outputs."""

    formula: str
    reference: str
    draw: Draw
    parameters: tuple[str, ...] = ()


def _normal(factor: float, fans: Callable[[int, int], int]) -> Draw:
    return lambda shape, rng: rng.normal(0, np.sqrt(factor / fans(*shape)), shape)


def _uniform(factor: float, fans: Callable[[int, int], int]) -> Draw:
    def draw(shape: Shape, rng: np.random.RandomState) -> np.ndarray:
        bound = np.sqrt(factor / fans(*shape))
        return rng.uniform(-bound, bound, shape)

    return draw


def _truncated_normal(shape: Shape, rng: np.random.RandomState, std: float = 0.01) -> np.ndarray:
    weights: np.ndarray = std * ndtri(rng.uniform(ndtr(-2), ndtr(2), shape))
    return weights


def _orthogonal(shape: Shape, rng: np.random.RandomState, gain: float = 1.0) -> np.ndarray:
    """Orthonormal columns, or rows if there are more columns than rows, in uniformly random directions."""
    q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
    q = q * np.where(np.diag(r) < 0, -1, 1)
    weights: np.ndarray = gain * (q if shape[0] >= shape[1] else q.T)
    return weights


def _fan_in(fan_in: int, fan_out: int) -> int:
    return fan_in


def _fan_sum(fan_in: int, fan_out: int) -> int:
    return fan_in + fan_out


_HE = "He et al., arXiv:1502.01852"
_GLOROT = "Glorot and Bengio, AISTATS 2010"
_LECUN = "LeCun et al., Efficient backprop, 1998; for selu: Klambauer et al., arXiv:1706.02515"

INITIALIZERS = {
    "he_normal": Initializer("normal, variance 2/fan_in", _HE, _normal(2, _fan_in)),
    "he_uniform": Initializer("uniform up to sqrt(6/fan_in)", _HE, _uniform(6, _fan_in)),
    "glorot_normal": Initializer("normal, variance 2/(fan_in + fan_out)", _GLOROT, _normal(2, _fan_sum)),
    "glorot_uniform": Initializer("uniform up to sqrt(6/(fan_in + fan_out))", _GLOROT, _uniform(6, _fan_sum)),
    "lecun_normal": Initializer("normal, variance 1/fan_in", _LECUN, _normal(1, _fan_in)),
    "truncated_normal": Initializer(
        "normal of standard deviation std=0.01, truncated at 2*std",
        "as in TensorFlow",
        _truncated_normal,
        ("std",),
    ),
    "orthogonal": Initializer(
        "random orthonormal columns (or rows), times gain=1.0",
        "Saxe et al., arXiv:1312.6120",
        _orthogonal,
        ("gain",),
    ),
}


UNIT_VARIANCE = "unit_variance"
MAX_ROWS = 10_000  # that "unit_variance" looks at, divided by the members of an ensemble
LEAST_ROWS = 100

# What any of the initializers takes beside its own parameters: name -> default, allowed, test
COMMON: dict[str, tuple[Any, str, Callable[[Any], bool]]] = {
    "bias_std": (0.0, "a float in the range [0, inf)", lambda value: _is_number(value) and 0 <= value < np.inf),
    "zero_output": (False, "a bool", lambda value: isinstance(value, bool | np.bool_)),
}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def is_known(init: Any) -> bool:
    """Return whether `init` is "auto", a name, a pair (name, parameters) or a callable."""
    if callable(init) or (isinstance(init, str) and init in ("auto", UNIT_VARIANCE)):
        return True
    name, given = _parts(init)
    if not (isinstance(name, str) and name in INITIALIZERS):
        return False
    own = {key: value for key, value in given.items() if key not in COMMON}
    return (
        own.keys() <= {*INITIALIZERS[name].parameters}
        and all(_is_number(value) and 0 < value < np.inf for value in own.values())
        and all(test(given[key]) for key, (_, _, test) in COMMON.items() if key in given)
    )


def _parts(init: Any) -> tuple[Any, Mapping[str, Any]]:
    is_pair = isinstance(init, tuple) and len(init) == 2 and isinstance(init[1], dict)
    name, given = init if is_pair else (init, {})
    return name, given


def draw(
    init: Given, shape: Shape, activation: str, rng: np.random.RandomState, *, is_output: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial weights and biases of a layer.

    Parameters
    ----------
    init : str, (str, dict) or callable
        A value for which `is_known` is true.
    shape : (int, int)
        The shape of the weights: inputs and outputs.
    activation : str
        Its name in `pyrelu.activations`; "auto" has a narrower range for sigmoid.
    rng : numpy.random.RandomState
    is_output : bool, default=False
        Whether it is the output layer.

    Returns
    -------
    weights : ndarray of that shape
    biases : ndarray of shape (n_outputs,)

    Examples
    --------
    >>> weights, biases = draw(("orthogonal", {"gain": 2.0}), (5, 3), "relu", np.random.RandomState(0))
    >>> (weights.T @ weights).round(12) + 0.0
    array([[4., 0., 0.],
           [0., 4., 0.],
           [0., 0., 4.]])
    """
    if isinstance(init, str) and init == "auto":
        bound = np.sqrt((2.0 if activation == "sigmoid" else 6.0) / sum(shape))
        return rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, shape[1])
    if callable(init):
        weights = np.asarray(init(shape, rng))
        if weights.shape != shape or weights.dtype.kind not in "fiu" or not np.isfinite(weights).all():
            raise ValueError(
                f"init={init!r} must return finite numbers of shape {shape}, got an array of shape {weights.shape} and "
                f"dtype {weights.dtype}"
            )
    else:
        name, given = _parts(init)
        common = {key: given.get(key, default) for key, (default, _, _) in COMMON.items()}
        weights = INITIALIZERS[name].draw(shape, rng, **{k: v for k, v in given.items() if k not in COMMON})
        if common["zero_output"] and is_output:
            return np.zeros(shape), np.zeros(shape[1])
        if common["bias_std"]:
            return weights, rng.normal(0, common["bias_std"], shape[1])
    return weights, np.zeros(shape[1])


def draw_network(
    init: Given,
    X: Any,
    embedding: InputEmbedding | None,
    shapes: Sequence[Shape],
    activations: Sequence[HiddenActivation],
    slopes: Sequence[Floats | None],
    adapters: Sequence[Floats],
    rng: np.random.RandomState,
) -> tuple[list[Floats], list[Floats]]:
    """Return the initial weights and biases of all layers, those of the output layer for each member of an ensemble.

    Parameters
    ----------
    init : str, (str, dict) or callable
        A value for which `is_known` is true.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The training rows, on which "unit_variance" depends.
    embedding : InputEmbedding or None
        What makes the first layer's inputs of them.
    shapes : list of (int, int)
        Of the weights of each layer.
    activations : list of HiddenActivation
        Of the hidden layers; without any, the one that the estimator names.
    slopes : list of (ndarray or None)
        What the activations learn.
    adapters : list of ndarray
        Of an ensemble; else empty.
    rng : numpy.random.RandomState
    """
    n_members = len(adapters[0]) if adapters else 1
    if isinstance(init, str) and init == UNIT_VARIANCE:
        most = max(MAX_ROWS // n_members, LEAST_ROWS)
        rows = X if X.shape[0] <= most else X[np.sort(rng.permutation(X.shape[0])[:most])]
        rows = rows.toarray() if issparse(rows) else rows
        inputs = rows.astype(float) if embedding is None else embedding.transform(rows)
        return draw_unit_variance(inputs, shapes, activations[: len(shapes) - 1], slopes, rng, adapters)
    names = [activations[min(i, len(activations) - 1)].name for i in range(len(shapes))]
    drawn = [draw(init, shape, name, rng) for shape, name in zip(shapes[:-1], names[:-1], strict=True)]
    heads = [draw(init, shapes[-1], names[-1], rng, is_output=True) for _ in range(n_members)]
    weights, biases = [weights for weights, _ in drawn], [np.tile(biases, n_members) for _, biases in drawn]
    weights.append(np.hstack([of_head for of_head, _ in heads]))
    return weights, [*biases, np.hstack([of_head for _, of_head in heads])]


def draw_unit_variance(
    X: Floats,
    shapes: Sequence[Shape],
    activations: Sequence[HiddenActivation],
    slopes: Sequence[Floats | None],
    rng: np.random.RandomState,
    adapters: Sequence[Floats] = (),
) -> tuple[list[Floats], list[Floats]]:
    """Return the initial weights and biases of all layers, such that every pre-activation has variance 1 on X.

    Weights are normal, those of each unit divided by the standard deviation of its pre-activations. Each bias is minus a
    random convex combination of five of them, so that units bend where the data is (RealMLP, arXiv:2407.04491).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_inputs)
        What the first layer takes.
    shapes : list of (int, int)
        Of the weights of each layer.
    activations : list of HiddenActivation
    slopes : list of (ndarray or None)
        What the activations learn.
    rng : numpy.random.RandomState
    adapters : list of ndarray, default=()
        Of an ensemble: the variance is that over rows and members. Products are not scaled before training.
    """
    n_members = len(adapters[0]) if len(adapters) else 1
    X = X[:, np.newaxis]  # (rows, members, inputs); of the first layer's inputs, all members have the same
    all_weights: list[Floats] = []
    all_biases: list[Floats] = []
    for i, ((_, width), activation) in enumerate(zip(shapes[:-1], activations, strict=True)):
        weights, biases, z = _draw_unit_variance_layer(X * adapters[2 * i] if len(adapters) else X, width, rng)
        all_weights.append(weights)
        all_biases.append(biases.ravel())
        X = activation.forward(z.reshape(-1, width), slopes[i]).reshape(len(X), n_members, -1)
    heads = [_draw_unit_variance_layer(X[:, [member]], shapes[-1][1], rng) for member in range(n_members)]
    all_weights.append(np.hstack([weights for weights, _, _ in heads]))
    return all_weights, [*all_biases, np.hstack([biases[0] for _, biases, _ in heads])]


def _draw_unit_variance_layer(
    X: Floats, width: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights, the biases of each member, and the pre-activations of all rows and members."""
    n_rows, n_members, n_inputs = X.shape
    weights = rng.normal(size=(n_inputs, width)) / np.sqrt(n_inputs)
    z = X.reshape(-1, n_inputs) @ weights
    deviations = z.std(axis=0)
    rounding = 1e-12 * abs(z).max(axis=0)
    deviations[deviations <= rounding] = 1  # of inputs that are all the same
    weights /= deviations
    z /= deviations
    z = z.reshape(n_rows, n_members, width)
    shares = rng.exponential(size=(5, width))
    rows = rng.randint(0, n_rows, (5, width))
    chosen = np.take_along_axis(z, rows[:, np.newaxis], axis=0)
    biases = -(chosen * shares[:, np.newaxis] / shares.sum(axis=0)).sum(axis=0)
    return weights, biases, z + biases
