"""The estimators' parameter `activation`: what it may be, and the `HiddenActivation` of each layer that it gives."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf, isfinite
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from pyrelu import functional, registry, vjp
from pyrelu._functions import composed
from pyrelu._functions.domains import Parameters
from pyrelu._mlp.constraints import is_sequence
from pyrelu._typing import Floats

Function = Callable[..., Floats]
Functions = tuple[Function, Function]  # the user's own, and its derivative
One = str | tuple[str, Mapping[str, Any]] | Functions
Given = One | Sequence[One]

INITIAL_SLOPE = 0.25  # of prelu, as in He et al. (2015) and PyTorch


class ValueMissing(ValueError):
    """An activation lacks values of `parameters`, which have no defaults."""

    def __init__(self, name: str, parameters: list[str]) -> None:
        example = ", ".join(f"{parameter!r}: 0.25" for parameter in parameters)
        super().__init__(f"activation={name!r} needs a value, as in ({name!r}, {{{example}}})")
        self.name, self.parameters = name, parameters


@dataclass(frozen=True)
class HiddenActivation:
    """How a hidden layer turns its pre-activations into outputs.

    Attributes
    ----------
    name : str
    parameters : Mapping[str, float]
        Values of its parameters.
    transform : str
        The name of its transform in the core (src/training/transforms-inl.h).
    index : int
        The row of the table.
    values : tuple of float
        The parameters, as arguments for the core.
    pieces : int
        Pre-activations per unit.
    functions : (callable, callable) or None
        The user's own function and its derivative.
    """

    name: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    transform: str = "elementwise"
    index: int = 0
    values: tuple[float, ...] = ()
    pieces: int = 1
    functions: Functions | None = None

    def width(self, n_units: int) -> int:
        """Return the number of pre-activations of this many units."""
        return n_units * self.pieces

    def n_units(self, width: int) -> int:
        """Return the number of units with this many pre-activations."""
        return width // self.pieces

    def columns(self, units: NDArray[np.intp], n_units: int) -> NDArray[np.intp]:
        """Return the numbers of the pre-activations of some of a layer's units, in their order."""
        if self.transform == "gated":  # the gates of all units come first
            return np.concatenate([units, n_units + units])
        return (units[:, np.newaxis] * self.pieces + np.arange(self.pieces)).ravel()

    def deterministic(self) -> "HiddenActivation":
        """Return the activation with random slopes replaced by their mean."""
        return replace(self, values=(sum(self.values) / 2,) * 2) if self.transform == "drawn_slopes" else self

    def parametric(self) -> "HiddenActivation":
        """Return z + a (f(z) - z) with a learned a for each unit, of an elementwise f."""
        if self.transform != "elementwise":
            raise ValueError(
                f"parametric_activation=True does not go with activation={self.name!r}, which is not an elementwise "
                "function of pyrelu's without learned or random slopes of its own"
            )
        return replace(self, transform="parametric")

    @property
    def zero_below(self) -> float:
        """Below which pre-activation all outputs are 0; -inf if there are none, or if the table does not tell."""
        row = registry.activations.get(self.name) if self.transform == "elementwise" else None
        kinks = row.kinks_at(*self.values) if row and row.limits[0] in ("0", "-0") else []
        return kinks[0] if kinks else -inf

    @property
    def initial_slope(self) -> float | None:
        """The initial value of what is learned for each unit, or None."""
        if self.transform == "parametric":
            return 1.0
        return self.values[0] if self.transform == "learned_slopes" else None

    def forward(self, z: Floats, slopes: Floats | None = None) -> Floats:
        """Return the outputs for pre-activations of shape (n, width), as in prediction."""
        if self.functions:
            return self.functions[0](z)
        if self.transform == "parametric":
            if slopes is None:
                raise ValueError(f"a parametric {self.name} needs its slopes")
            return z + slopes * (replace(self, transform="elementwise").forward(z) - z)
        with np.errstate(over="ignore"):
            outputs: Floats = getattr(functional, self.name)(z, *self._parameters(slopes))
        return outputs

    def backward(self, z: Floats, g: Floats, slopes: Floats | None = None) -> Floats:
        """Return the gradient with respect to z, given that with respect to the outputs."""
        if self.functions:
            return g * self.functions[1](z)
        if self.transform == "parametric":
            if slopes is None:
                raise ValueError(f"a parametric {self.name} needs its slopes")
            return g + slopes * (replace(self, transform="elementwise").backward(z, g) - g)
        with np.errstate(over="ignore"):
            gradient: Floats = getattr(vjp, self.name)(z, g, *self._parameters(slopes))
        return gradient

    def _parameters(self, slopes: Floats | None) -> Iterable[float | Floats]:
        return self.parameters.values() if slopes is None else [slopes]


def resolve(activation: Given, n_hidden: int) -> list[HiddenActivation]:
    """Return the `HiddenActivation` of each hidden layer.

    Parameters
    ----------
    activation : str, (str, dict), (callable, callable), or a sequence of these with one per hidden layer
        A name or alias; a pair of one and its parameters; or a function of arrays and its derivative.
    n_hidden : int

    Returns
    -------
    list of HiddenActivation

    Examples
    --------
    >>> [leaky] = resolve(("leaky_relu", {"negative_slope": 0.2}), 1)
    >>> leaky.name, leaky.values
    ('leaky_relu', (0.2,))
    >>> resolve("maxout", 1)[0].width(100)
    200
    """
    if isinstance(activation, str):
        return [_resolve_name(activation)] * n_hidden
    if _is_pair(activation):
        return [_resolve_one(activation)] * n_hidden
    if not is_sequence(activation):
        raise _unknown(activation)
    per_layer = list(activation)
    if len(per_layer) != n_hidden:
        raise ValueError(f"activation={activation!r} has {len(per_layer)} entries for {n_hidden} hidden layers")
    return [_resolve_name(one) if isinstance(one, str) else _resolve_one(one) for one in per_layer]


def resolve_of(mlp: Any, n_hidden: int) -> list[HiddenActivation]:
    """Return the `HiddenActivation` of each hidden layer of an estimator of ours or of scikit-learn's."""
    activations = resolve(mlp.activation, n_hidden)
    return [one.parametric() for one in activations] if getattr(mlp, "parametric_activation", False) else activations


def output_name(out_activation: str) -> str:
    """Return the table's name for an estimator's `out_activation_`, which is scikit-learn's name.

    Examples
    --------
    >>> output_name("exp"), output_name("softmax")
    ('exponential', 'softmax')
    """
    return {theirs: ours for ours, theirs in _THEIR_WORDS.items()}.get(out_activation, out_activation)


def out_activation(name: str) -> str:
    """Return scikit-learn's name for an output activation; the reverse of `output_name`."""
    return _THEIR_WORDS.get(name, name)


_THEIR_WORDS = {"exponential": "exp", "sigmoid": "logistic"}


def names() -> list[str]:
    """Return the names of all activations for hidden layers, including aliases."""
    return [*registry.names(), *_ROWWISE, *composed.GATES, "maxout"]


_ROWWISE = {
    name: row.index
    for name, row in registry.axis_functions.items()
    if row.signature == "(n)->(n)" and row.index is not None
}


def _is_pair(activation: Given) -> TypeGuard[tuple[Any, Any]]:
    if not isinstance(activation, tuple) or len(activation) != 2:
        return False
    return isinstance(activation[1], Mapping) or all(map(callable, activation))


def _resolve_name(name: str) -> HiddenActivation:
    one = _resolved(name)
    return replace(one, parameters=dict(one.parameters))  # so that what a caller does to it is not kept


@cache  # a prediction of one row would take twice as long
def _resolved(name: str) -> HiddenActivation:
    return _resolve_one(name)


def _resolve_one(activation: One) -> HiddenActivation:
    pair: tuple[Any, Any] = activation if _is_pair(activation) else (activation, {})
    name, given = pair
    if callable(name):
        return HiddenActivation(getattr(name, "__name__", "callable"), transform="called", functions=(name, given))
    if not isinstance(name, str) or name not in names():
        raise _unknown(name)
    if name == "maxout":
        values = _values(activation, given, {"num_pieces": 2})
        pieces = _num_pieces(activation, values["num_pieces"])
        return HiddenActivation(name, {"num_pieces": pieces}, "maxout", pieces=pieces)
    if name in composed.GATES:
        gate = registry.activations[composed.GATES[name]]
        return HiddenActivation(name, _values(activation, given, {}), "gated", gate.index, pieces=2)
    if name in _ROWWISE:
        return HiddenActivation(name, _values(activation, given, {}), "rowwise", _ROWWISE[name])
    return _resolve_elementwise(activation, *_select_row(registry.find(name), given))


def _select_row(row: registry.Activation, given: Mapping[str, Any]) -> tuple[registry.Activation, Mapping[str, Any]]:
    """Return the row that a parameter selects, such as gelu's approximate="tanh", and the other parameters."""
    for other in registry.activations.values():
        if other.choice_of is None:
            continue
        base, parameter, choice = other.choice_of
        if base == row.name and parameter in given:
            rest = {key: value for key, value in given.items() if key != parameter}
            if given[parameter] == choice:
                return other, rest
            if given[parameter] == "none":
                return row, rest
            raise ValueError(f"activation={row.name!r}: {parameter}={given[parameter]!r} is not 'none' or {choice!r}")
    return row, given


def _resolve_elementwise(activation: One, row: registry.Activation, given: Mapping[str, Any]) -> HiddenActivation:
    defaults = dict(row.parameters) | ({"weight": INITIAL_SLOPE} if row.name == "prelu" else {})
    parameters = _values(activation, given, defaults)
    values = tuple(parameters.values())
    check: Callable[[str, tuple[float, ...]], None] | None = Parameters(row).check
    if check:
        check(f"activation={activation!r}", values)
    prelu = registry.activations["prelu"].index
    if row.name == "prelu":
        return HiddenActivation(row.name, parameters, "learned_slopes", prelu, values)
    if row.name == "rrelu":
        return HiddenActivation(row.name, parameters, "drawn_slopes", prelu, values)
    return HiddenActivation(row.name, parameters, "elementwise", row.index, values)


def _values(activation: One, given: Mapping[str, Any], defaults: Mapping[str, float | None]) -> dict[str, float]:
    """Return the values of all parameters, with defaults for those that are not given."""
    name: Any = activation if isinstance(activation, str) else activation[0]
    if unknown := given.keys() - defaults.keys():
        known = ", ".join(defaults) or "none"
        raise ValueError(f"activation={activation!r} has no parameter {min(unknown)!r}; {name} has: {known}")
    values = {**defaults, **given}
    if missing := [parameter for parameter, value in values.items() if value is None]:
        raise ValueMissing(name, missing)
    for parameter, value in values.items():
        if not isinstance(value, Real) or not isfinite(value):
            raise ValueError(f"activation={activation!r}: {parameter}={value!r} is not a finite number")
    return {parameter: float(value) for parameter, value in values.items()}


def _num_pieces(activation: One, pieces: float) -> int:
    if pieces < 1 or pieces != int(pieces):
        raise ValueError(f"activation={activation!r}: num_pieces={pieces:g} is not an integer of at least 1")
    return int(pieces)


def _unknown(name: object) -> ValueError:
    return ValueError(
        f"activation={name!r} is not known; allowed are {', '.join(sorted(names()))}, one of them with its parameters "
        "as in ('leaky_relu', {'negative_slope': 0.2}), a pair of functions (f, derivative), and a sequence of these"
    )
