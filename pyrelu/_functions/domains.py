"""The domains of parameters: scalars outside them raise an error before any work is done."""

from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from pyrelu.registry import Activation


class Parameters(dict[str, float | None]):
    """The parameters of an `Activation` as name -> default, with a check of values.

    Attributes
    ----------
    check : callable or None
        Takes the public function's name and the values of the first parameters, scalars or arrays. Raises ValueError if a
        scalar is outside its parameter's domain, or scalars violate the condition; the loops check arrays. None: all values
        are allowed.
    """

    def __init__(self, row: Activation) -> None:
        super().__init__(row.parameters)
        self._texts = row.parameter_domains
        self._domains = [interval(self._texts[name]) for name in self]
        self._condition = row.condition
        # for Python floats, which are checked without calling `check`
        self.bounds = [domain[:2] if domain else (-np.inf, np.inf) for domain in self._domains]
        self.ordered = bool(row.condition)
        restricted = self._condition or any(self._domains)
        self.check: Callable[[str, Sequence[Any]], None] | None = self._check if restricted else None
        self._holds = compile(self._condition or "True", f"<{row.name}>", "eval")

    def _check(self, function: str, values: Sequence[Any]) -> None:
        scalars = {}
        for name, value, domain in zip(self, values, self._domains, strict=False):
            if isinstance(value, (float, int, np.number)) or (isinstance(value, np.ndarray) and value.ndim == 0):
                scalars[name] = value
                if domain and not domain[0] < value < domain[1] and outside(value, *domain):
                    raise ValueError(
                        f"{function}: {name}={value!r} is outside its domain; allowed are values in {self._texts[name]}"
                    )
        if self._condition and len(scalars) == len(self) and not _holds(self._holds, scalars):
            given = ", ".join(f"{name}={value!r}" for name, value in scalars.items())
            raise ValueError(f"{function}: {given} is outside the domain, {self._condition}")


def interval(text: str) -> tuple[float, float, bool, bool] | None:
    """Return the ends of an interval such as "(0, inf)", and whether each belongs to it; None if it has no bounds."""
    low, high = map(float, text[1:-1].split(","))
    return None if text == "[-inf, inf]" else (low, high, text[0] == "[", text[-1] == "]")


def outside(value: Any, low: float, high: float, low_belongs: bool, high_belongs: bool) -> bool:
    # NaN is allowed; it gives NaN.
    below = value < low or (value == low and not low_belongs)
    return bool(below or value > high or (value == high and not high_belongs))


def _holds(condition: CodeType, scalars: Mapping[str, Any]) -> bool:
    return any(map(np.isnan, scalars.values())) or bool(eval(condition, {"__builtins__": {}}, scalars))
