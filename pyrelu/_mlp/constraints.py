"""Constraints on parameters, with their wording in errors; allowed.py lists those of the estimators."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from pyrelu.exceptions import InvalidParameterError


@dataclass(frozen=True)
class Constraint:
    """A condition on a value: a description for errors, and a test."""

    description: str
    test: Callable[[Any], bool]

    def __or__(self, other: "Constraint") -> "Constraint":
        return Constraint(
            f"{self.description} or {other.description}", lambda value: self.test(value) or other.test(value)
        )


def one_of(*options: str) -> Constraint:
    listed = ", ".join(map(repr, options))
    return Constraint(
        repr(options[0]) if len(options) == 1 else f"one of {listed}",
        lambda value: isinstance(value, type(options[0])) and value in options,
    )


def real(interval: str, test: Callable[[Any], bool]) -> Constraint:
    return Constraint(f"a float in the range {interval}", lambda value: isinstance(value, Real) and test(value))


boolean = Constraint("a bool", lambda value: isinstance(value, bool | np.bool_))
not_negative = real("[0, inf)", lambda value: value >= 0)
positive = real("(0, inf)", lambda value: value > 0)
fraction = real("[0, 1)", lambda value: 0 <= value < 1)
string = Constraint("a str", lambda value: isinstance(value, str))
none = Constraint("None", lambda value: value is None)
positive_int = Constraint("an int in the range [1, inf)", lambda value: isinstance(value, Integral) and int(value) >= 1)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is an ordered collection other than a string, which can be iterated over repeatedly."""
    return (
        hasattr(value, "__len__")
        and np.iterable(value)
        and not isinstance(value, str | bytes | bytearray | Mapping | Set)
    )


def check(owner: object, name: str, value: object, constraint: Constraint) -> None:
    """Raise InvalidParameterError, a ValueError and a TypeError, if the value violates the constraint."""
    if not constraint.test(value):
        raise InvalidParameterError(
            f"The {name!r} parameter of {type(owner).__name__} must be {constraint.description}. Got {value!r} instead."
        )
