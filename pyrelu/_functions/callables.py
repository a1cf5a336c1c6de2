"""The public functions that need more than a NumPy ufunc: operands by name, defaults, labelled arrays."""

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from pyrelu._functions import containers
from pyrelu._functions.domains import Parameters
from pyrelu._operands import NamedAxis, NamedOperands, NamedParameters

REQUIRED = NamedOperands.REQUIRED


class _Public:
    """The base class: a name, a signature, a docstring, and pickling by name."""

    __name__: str
    __qualname__: str
    __signature__: inspect.Signature

    def _introduce(self, name: str, module: str, doc: str, operands: Mapping[str, Any], keywords: bool) -> None:
        parameters = [
            inspect.Parameter(
                operand,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if default is REQUIRED else default,
            )
            for operand, default in operands.items()
        ]
        if keywords:
            parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
        self.__name__ = self.__qualname__ = name
        self.__module__ = module
        self.__doc__ = doc
        self.__signature__ = inspect.Signature(parameters)

    def __repr__(self) -> str:
        return f"<activation function {self.__module__}.{self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__  # pickle and copy find it in its module


def _refused(method: str, reason: str) -> Callable[..., NoReturn]:
    """Return a method that raises ValueError, as NumPy's ufuncs do for methods they do not support."""

    def refuse(self: _Public, *args: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(f"{self.__name__}.{method} is not defined: {reason}")

    refuse.__name__ = method
    refuse.__doc__ = f"Raise ValueError: {reason}."
    return refuse


_ELEMENTWISE = "its operands are data and parameters, not elements of one array to combine"
_ALONG = "it works along an axis, not on single elements"


class ActivationFunction(_Public, NamedParameters):
    """An elementwise function with parameters, or with a second operand.

    It takes all keywords of a `numpy.ufunc`, and each operand by position or by name.

    Attributes
    ----------
    ufunc : numpy.ufunc
        The ufunc that computes it; the parameters are its last operands.
    default_ufunc : numpy.ufunc or None
        The ufunc for default parameters, which are not operands; None if a parameter has no default.
    nin, nout, nargs, ntypes, types, identity, signature
        The attributes of `ufunc`.
    """

    def __init__(
        self,
        name: str,
        module: str,
        doc: str,
        ufunc: np.ufunc,
        default_ufunc: np.ufunc | None,
        data: Sequence[str],
        parameters: Parameters,
        *,
        extras: Iterable[tuple[str, Any]] = (),
        choose: dict[str, Callable[..., Any]] | Callable[..., tuple[Callable[..., Any], Any]] | None = None,
    ) -> None:
        operands: dict[str, Any] = dict.fromkeys(data, REQUIRED)
        operands |= {name: REQUIRED if default is None else default for name, default in parameters.items()}
        operands |= dict(extras) | {"out": None}
        super().__init__(operands, ufunc, default_ufunc, len(data), parameters, choose)
        self._introduce(name, module, doc, operands, keywords=True)
        self._n_data = len(data)
        self._check = parameters.check or (lambda *_: None)

    def at(self, a: Any, indices: Any, *operands: Any) -> None:
        """Apply the function in place to the elements of `a` at `indices`, like `numpy.ufunc.at`."""
        self._check(self.__name__, operands[self._n_data - 1 :])
        ufunc = self.default_ufunc if self.default_ufunc and 1 + len(operands) == self._n_data else self.ufunc
        if 1 + len(operands) != ufunc.nin:
            raise TypeError(f"{self.__name__}.at takes {ufunc.nin - 1} operands beside a and indices")
        ufunc.at(a, indices, *operands)

    def outer(self, a: Any, b: Any, /, **kwargs: Any) -> Any:
        """Apply the function to all pairs of elements of `a` and `b`, its first two operands, like `numpy.ufunc.outer`."""
        ufunc = self.ufunc if self.ufunc.nin == 2 or not self.default_ufunc else self.default_ufunc
        if ufunc.nin == 2 and ufunc is self.ufunc and self._n_data == 1:
            self._check(self.__name__, [b])
        return ufunc.outer(a, b, **kwargs)

    reduce, accumulate, reduceat = (_refused(m, _ELEMENTWISE) for m in ("reduce", "accumulate", "reduceat"))


class AxisActivationFunction(_Public, NamedAxis):
    """A function along an axis of an array, or of a pandas or xarray object if its labels can be kept.

    Attributes
    ----------
    ufunc : numpy.ufunc or None
        The generalised ufunc that computes it; None if it is composed of ufuncs in Python.
    signature : str
        The signature, in the syntax of generalised ufuncs.
    nin, nout, nargs : int
        The numbers of operands, results and both, as for a ufunc.
    """

    def __init__(
        self,
        name: str,
        module: str,
        doc: str,
        signature: str,
        operands: Mapping[str, Any],
        *,
        ufunc: np.ufunc | None = None,
        compute: Callable[..., Any] | None = None,
    ) -> None:
        operands = {**operands, "axis": -1, "out": None}
        cores = signature.replace("->", ",").split(",")
        super().__init__(operands, ufunc, compute, cores)
        self._introduce(name, module, doc, operands, keywords=ufunc is not None)
        self.signature = signature
        self.nin, self.nout, self.nargs = len(cores) - 1, 1, len(cores)

    def one_axis(self, axis: Any) -> int:
        """Return the axis as an integer, or raise TypeError."""
        try:
            return operator.index(axis)
        except TypeError:
            raise TypeError(f"{self.__name__}: axis={axis!r} is not supported; pass an integer") from None

    def labelled(self, arrays: Sequence[Any], rest: Sequence[Any], axis: int, keywords: dict[str, Any]) -> Any:
        """Compute the function of arrays that may have labels."""
        return containers.apply(self, arrays, rest, axis, keywords)

    @property
    def types(self) -> list[str]:
        """The types of the loops, as for a ufunc."""
        return ["e" * self.nin + "->e", "f" * self.nin + "->f", "d" * self.nin + "->d"]

    ntypes = 3
    identity = None

    at, outer = (_refused(method, _ALONG) for method in ("at", "outer"))
    reduce, accumulate, reduceat = (_refused(m, _ALONG) for m in ("reduce", "accumulate", "reduceat"))


for _attribute in ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature"):
    setattr(ActivationFunction, _attribute, property(operator.attrgetter(f"ufunc.{_attribute}")))
