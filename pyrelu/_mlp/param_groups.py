"""The estimators' `param_groups=`: factors on the learning rate and on alpha for each kind of learned parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu import registry
from pyrelu._mlp import schedules
from pyrelu._mlp.constraints import Constraint, none, real
from pyrelu.exceptions import InvalidParameterError

GROUPS = tuple(registry.parameter_groups)
ALPHAS = np.array([group.alpha for group in registry.parameter_groups.values()])  # where the user gives none
NTK = "ntk"
KEYS = ("learning_rate", "alpha", "schedule")

FACTOR = real("[0, inf)", lambda value: 0 <= value < np.inf)
PARAM_GROUPS = none | Constraint(
    f"a dict of {', '.join(map(repr, GROUPS))} to dicts", lambda value: isinstance(value, Mapping)
)


def resolve(mlp: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, schedules.Schedule]]:
    """Return the factors that the estimator's `param_groups` give.

    Returns
    -------
    rates, alphas : ndarray of shape (n_groups,)
        The factor of each kind of parameters on the learning rate, and on alpha and l1.
    group_schedules : dict of str to Schedule
        By which the factors on the learning rate change, where the user gives any.

    Examples
    --------
    >>> from pyrelu import MLPClassifier
    >>> rates, alphas, _ = resolve(MLPClassifier(param_groups={"biases": {"learning_rate": 0.1}}))
    >>> rates[:2].tolist(), alphas[:2].tolist()
    ([1.0, 0.1], [1.0, 0.0])
    """
    given: Mapping[Any, Any] = mlp.param_groups or {}
    if unknown := given.keys() - set(GROUPS):
        raise InvalidParameterError(
            f"param_groups has the group {min(unknown, key=str)!r}; there are: {', '.join(GROUPS)}"
        )
    rates, alphas = np.ones(len(GROUPS)), ALPHAS.copy()
    group_schedules: dict[str, schedules.Schedule] = {}
    for name, group in given.items():
        _check(name, group)
        i = GROUPS.index(name)
        rates[i] = group.get("learning_rate", rates[i])
        alphas[i] = group.get("alpha", alphas[i])
        if "schedule" in group:
            group_schedules[name] = schedules.resolve_factor(mlp, f"schedule of {name}", group["schedule"])
    return rates, alphas, group_schedules


def _check(name: str, group: Any) -> None:
    keys = (*KEYS, NTK) if name == "weights" else KEYS
    if not isinstance(group, Mapping) or (unknown := group.keys() - set(keys)):
        what = repr(group) if not isinstance(group, Mapping) else repr(min(unknown, key=str))
        raise InvalidParameterError(f"param_groups[{name!r}] must be a dict of {', '.join(keys)}. Got {what}.")
    for key in ("learning_rate", "alpha"):
        value = group.get(key, 1.0)
        if not FACTOR.test(value) or isinstance(value, bool):
            raise InvalidParameterError(
                f"param_groups[{name!r}][{key!r}] must be {FACTOR.description}. Got {value!r} instead."
            )
    if not isinstance(group.get(NTK, False), bool):
        raise InvalidParameterError(f"param_groups[{name!r}][{NTK!r}] must be a bool. Got {group[NTK]!r} instead.")


def rate_factors(mlp: Any, fan_ins: Sequence[int]) -> list[float]:
    """Return the factor on the learning rate of each layer's weights.

    In the neural tangent parametrization a layer computes x W/sqrt(fan_in), with weights W of variance 1. Adam's steps do
    not depend on the scale of the gradient, so that training W with a learning rate is training W/sqrt(fan_in) with that
    rate divided by sqrt(fan_in).
    """
    ntk = ((mlp.param_groups or {}).get("weights") or {}).get(NTK, False)
    return [1 / np.sqrt(n) if ntk else 1.0 for n in fan_ins]
