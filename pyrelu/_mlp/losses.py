"""The estimators' parameter `loss`: what it may be, and the `OutputLoss` that it gives the network."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from pyrelu import registry
from pyrelu._functions.domains import interval, outside
from pyrelu._mlp.constraints import is_sequence
from pyrelu._network import Network
from pyrelu._typing import Floats
from pyrelu.exceptions import InvalidParameterError

Functions = tuple[Callable[..., Floats], Callable[..., Floats]]  # the user's own, and its gradient
Given = str | tuple[str, Mapping[str, Any]] | Functions

CLASSIFIER, REGRESSOR = "classifier", "regressor"
WIDTH = 100  # of the lines in docstrings
EVERYWHERE = "(-inf, inf)"

_ANYWHERE = (-np.inf, np.inf, True, True)  # its ends, and whether they belong to it

_LABELS = "binary_"  # prefix of rows in which each output is the probability of one label
_LEVEL = "level"  # the parameter that may be a sequence, with one output per value
_MONOTONE = "monotone"
_IN_UNITS = "delta"  # the parameter that is in the target's units


@dataclass(frozen=True)
class OutputLoss:
    """The loss that a network minimises.

    Attributes
    ----------
    name : str
    link : str
        The activation of the output layer: its name in the tables.
    domain : str
        The domain of a target, in interval notation.
    parameters : Mapping[str, tuple of float]
        For each parameter, one value, or one value per output.
    monotone : bool
        Whether predictions of several levels are sorted.
    index : int
        The row of the table; -1 if `functions` are given.
    values : list of list of float
        For the core: the parameters of each output. Set by `of`.
    functions : (callable, callable) or None
        The user's own loss and its gradient.
    """

    name: str
    link: str
    domain: str
    parameters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    monotone: bool = False
    index: int = -1
    values: list[list[float]] = field(default_factory=list)
    functions: Functions | None = None

    @property
    def levels(self) -> tuple[float, ...] | None:
        """The levels if there are several, else None."""
        levels = self.parameters.get(_LEVEL, ())
        return levels if len(levels) > 1 else None

    @property
    def gives_probabilities(self) -> bool:
        """Whether outputs are probabilities."""
        return self.link in ("softmax", "sigmoid")

    @property
    def scales_with_target(self) -> bool:
        """Whether changing the output layer can scale and shift predictions by any numbers."""
        return self.link == "identity" and self.domain == EVERYWHERE

    def n_outputs(self, n_columns: int) -> int:
        """Return the number of outputs of a network for a y with `n_columns` columns."""
        if self.levels is None:
            return n_columns
        if n_columns != 1:
            raise ValueError(f"y has {n_columns} columns; loss={self.name!r} with several levels takes one")
        return len(self.levels)

    def of(self, n_outputs: int) -> "OutputLoss":
        """Return this loss for a network with `n_outputs` outputs, with `values` set."""
        columns = [values * n_outputs if len(values) == 1 else values for values in self.parameters.values()]
        if any(len(column) != n_outputs for column in columns):
            n_levels = max(map(len, self.parameters.values()))
            raise ValueError(f"loss={self.name!r} has {n_levels} levels for a network of {n_outputs} outputs")
        return replace(self, values=[[column[i] for column in columns] for i in range(n_outputs)])

    def of_standardised(self, mean: Floats, scale: Floats) -> "OutputLoss":
        """Return this loss for targets and outputs that are standardised, with parameters in the target's units.

        Parameters
        ----------
        mean, scale : ndarray of shape () or (n_outputs,)
        """
        parameters = {
            name: tuple(np.ravel(values / scale).tolist()) if name == _IN_UNITS else values
            for name, values in self.parameters.items()
        }
        if self.functions is None:
            return replace(self, parameters=parameters)
        loss, gradient = self.functions

        def in_units(y_true: Floats, y_pred: Floats) -> tuple[Floats, Floats]:
            return y_true * scale + mean, y_pred * scale + mean

        return replace(
            self,
            functions=(
                lambda y_true, y_pred: loss(*in_units(y_true, y_pred)),
                lambda y_true, y_pred: gradient(*in_units(y_true, y_pred)) * scale,
            ),
        )

    def check_targets(self, targets: Floats) -> None:
        """Raise ValueError if any target is outside the domain."""
        low, high, low_belongs, high_belongs = interval(self.domain) or _ANYWHERE
        for extreme in (targets.min(), targets.max()):
            if outside(extreme, low, high, low_belongs, high_belongs):
                raise ValueError(f"y must be in the range {self.domain} with loss={self.name!r}, got {extreme}")

    def in_order(self, outputs: Floats) -> Floats:
        """Return predictions of several levels; with `monotone`, sorted so that a higher level is never lower.

        Sorting brings them closer to the true quantiles (Chernozhukov, Fernandez-Val and Galichon, 2010).
        """
        if not self.monotone or self.levels is None or outputs.shape[1] != len(self.levels):
            return outputs
        ordered = np.empty_like(outputs)
        ordered[:, np.argsort(self.levels)] = np.sort(outputs, axis=1)
        return ordered

    def of_rows(self, targets: Floats, outputs: Floats) -> tuple[Floats, Floats]:
        """Return the loss of each row and its gradient with respect to the pre-activations, in float64.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_outputs) or (n_samples, 1)
        outputs : ndarray of shape (n_samples, n_outputs)
        """
        n = outputs.shape[1]
        network = Network([np.zeros((1, n))], [np.zeros(n)], [], None, self.of(n))
        given = np.ascontiguousarray(targets, float), np.ascontiguousarray(outputs, float)
        losses, gradient = network.losses(*given)
        return losses, gradient


def names(kind: str) -> list[str]:
    """Return the names of the losses for a "classifier" or a "regressor".

    Examples
    --------
    >>> names("classifier")
    ['log_loss', 'focal', 'hinge', 'squared_hinge']
    """
    return [row.name for row in registry.losses.values() if row.estimator == kind and not row.name.startswith(_LABELS)]


def resolve(loss: Given, kind: str, labels: bool = False) -> OutputLoss:
    """Return the `OutputLoss` for a value of the parameter `loss`.

    Parameters
    ----------
    loss : str, (str, dict) or (callable, callable)
        A name, or a pair of a name and values of its parameters; for a regressor also the user's functions.
    kind : {"classifier", "regressor"}
    labels : bool, default=False
        Whether each output is the probability of one label.

    Examples
    --------
    >>> resolve(("huber", {"delta": 1.35}), "regressor").parameters
    {'delta': (1.35,)}
    >>> resolve("log_loss", "classifier", labels=True).link
    'sigmoid'
    """
    if isinstance(loss, str):
        return _resolve_name(loss, kind, labels)
    name, given = loss if isinstance(loss, tuple) and len(loss) == 2 else (loss, {})
    if kind == REGRESSOR and callable(name) and callable(given):
        return OutputLoss(getattr(name, "__name__", "callable"), "identity", EVERYWHERE, functions=(name, given))
    if not isinstance(name, str) or name not in names(kind) or not isinstance(given, Mapping):
        raise _not_allowed(loss, kind)
    return _resolve_row(name, given, labels)


@cache  # a prediction of one row would take a third longer
def _resolve_name(name: str, kind: str, labels: bool) -> OutputLoss:
    if name not in names(kind):
        raise _not_allowed(name, kind)
    return _resolve_row(name, {}, labels)


def _resolve_row(name: str, given: Mapping[str, Any], labels: bool) -> OutputLoss:
    row = registry.losses[name]
    monotone = False
    if _LEVEL in row.parameters and _MONOTONE in given:
        monotone, given = given[_MONOTONE], {key: value for key, value in given.items() if key != _MONOTONE}
        if not isinstance(monotone, bool | np.bool_):
            raise InvalidParameterError(f"loss={name!r}: monotone={monotone!r} is not a bool")
    parameters = {parameter: _values(row, parameter, value) for parameter, value in _complete(row, given).items()}
    row = registry.losses.get(_LABELS + name, row) if labels else row
    return OutputLoss(name, row.link, row.domain or EVERYWHERE, parameters, bool(monotone), row.index)


def _complete(row: registry.Loss, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of all parameters, with defaults for those that are not given."""
    if unknown := given.keys() - row.parameters.keys():
        known = [*row.parameters, *([_MONOTONE] if _LEVEL in row.parameters else [])]
        raise InvalidParameterError(
            f"loss={row.name!r} has no parameter {min(unknown, key=str)!r}; it has: {', '.join(known) or 'none'}"
        )
    return {**row.parameters, **given}


def _values(row: registry.Loss, parameter: str, value: Any) -> tuple[float, ...]:
    several = parameter == _LEVEL and is_sequence(value) and len(value) > 0
    domain = row.parameter_domains[parameter]
    bounds = interval(domain) or _ANYWHERE
    values = tuple(value) if several else (value,)
    for one in values:
        if not isinstance(one, Real) or isinstance(one, bool) or not isfinite(one) or outside(one, *bounds):
            sequence = ", or a sequence of such floats" if parameter == _LEVEL else ""
            raise InvalidParameterError(
                f"loss={row.name!r}: {parameter} must be a float in the range {domain}{sequence}. Got {value!r} instead."
            )
    return tuple(map(float, values))


def _not_allowed(loss: object, kind: str) -> InvalidParameterError:
    rows = [registry.losses[name] for name in names(kind)]
    example = next(row for row in rows if row.parameters)
    parameter, default = next(iter(example.parameters.items()))
    pair = ", or a pair of functions (loss, gradient)" if kind == REGRESSOR else ""
    return InvalidParameterError(
        f"The 'loss' parameter of MLP{kind.capitalize()} must be one of {', '.join(repr(row.name) for row in rows)}, one "
        f"of them with its parameters, as in ({example.name!r}, {{{parameter!r}: {default:g}}}){pair}. "
        f"Got {loss!r} instead."
    )


def describe(kind: str) -> list[str]:
    """Return a list of the losses as lines for a docstring."""
    lines = []
    for name in names(kind):
        row = registry.losses[name]
        defaults = ", ".join(f"{parameter}={default:g}" for parameter, default in row.parameters.items())
        meanings = [
            f"`{parameter}`, in {row.parameter_domains[parameter]}: {doc}"
            for parameter, doc in row.parameter_docs.items()
        ]
        text = " ".join([f'- "{name}"{f" ({defaults})" if defaults else ""}: {row.summary}', *meanings])
        lines += textwrap.wrap(text, WIDTH, subsequent_indent="  ")
    return lines


# ---- methods that a classifier has or has not ----


def gives_probabilities(mlp: Any) -> bool:
    """Whether the outputs of a classifier are probabilities, in its fit or, before one, with its parameters."""
    if hasattr(mlp, "out_activation_"):
        return mlp.out_activation_ in ("softmax", "logistic")
    try:
        return resolve(mlp.loss, CLASSIFIER).gives_probabilities
    except ValueError:
        return True  # fit raises the error


def has_probabilities(mlp: Any) -> bool:
    """Return True; AttributeError where the loss gives no probabilities."""
    if not gives_probabilities(mlp):
        raise AttributeError(f"loss={mlp.loss!r} gives no probabilities; use decision_function")
    return True


def has_margins(mlp: Any) -> bool:
    """Return True; AttributeError where the loss gives probabilities."""
    if gives_probabilities(mlp):
        raise AttributeError(
            f"decision_function is for losses without probabilities; with loss={mlp.loss!r}, use predict_proba"
        )
    return True
