"""Stubs of the functions' namespaces: what goes in decides what comes out.

Of the overloads, the first that fits counts: an array of floats gives one of its kind, a NumPy scalar one of its kind, a
Python number a float64, sequences of numbers and arrays of integers an array. All else is `Any`: containers of other
libraries, which keep their kind, and calls with `dtype=`.
"""

import importlib
import inspect

import numpy as np

from pyrelu.registry import axis_functions, composed_functions

HEADER = "# Written by tools/generate.py from src/*.def: do not edit.\n"
HEAD = """\
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
"""
TYPES = """\
_Array = TypeVar("_Array", bound=np.ndarray[Any, np.dtype[np.floating[Any]]])
_Out = TypeVar("_Out", bound=np.ndarray[Any, Any])
_Float = TypeVar("_Float", bound=np.floating[Any])
_Integers: TypeAlias = NDArray[np.integer[Any]] | NDArray[np.bool_]
_Numbers: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | Sequence[Sequence[Sequence[float]]]
"""
KINDS = {
    "approximate": 'Literal["none", "tanh"]',
    "training": "bool",
    "rng": "int | np.random.Generator | None",
    "axis": "int",
    "num_pieces": "int",
}  # all else is an operand

# Kind of data -> the result, and what a second operand of data may be beside it.
ELEMENTWISE = {
    "_Array": ("_Array", "_Array | float"),
    "_Float": ("_Float", "_Float | float"),
    "float": ("np.float64", "float"),
    "_Numbers": ("NDArray[np.float64]", "_Numbers | float"),
    "_Integers": ("NDArray[np.floating[Any]]", "_Integers | float"),
}
ALONG_AN_AXIS = {
    "_Array": ("_Array", "_Array"),
    "_Numbers": ("NDArray[np.float64]", "_Numbers"),
    "_Integers": ("NDArray[np.floating[Any]]", "_Integers"),
}
RESHAPING = {
    "NDArray[_Float]": ("NDArray[_Float]", "NDArray[_Float]"),
    "_Numbers": ALONG_AN_AXIS["_Numbers"],
    "_Integers": ALONG_AN_AXIS["_Integers"],
}


def stub(namespace):
    """Return the text of pyrelu/<namespace>.pyi."""
    module = importlib.import_module(f"pyrelu.{namespace}")
    ufuncs, functions, aliases = [], [], []
    for name in module.__all__:
        function = getattr(module, name)
        if function.__name__ != name:
            aliases.append(f"{name} = {function.__name__}")
        elif isinstance(function, np.ufunc):
            ufuncs.append(f"{name}: _Elementwise")
        else:
            overloads = [*_overloads(name, inspect.signature(function).parameters.values(), namespace == "vjp")]
            mark = "@overload\n" if len(overloads) > 1 else ""
            functions += [f"{mark}def {name}({taken}) -> {result}: ..." for taken, result in overloads]
    names = ["__all__ = [", *(f'    "{name}",' for name in module.__all__), "]", ""]
    kinds = [TYPES, *_elementwise_class()] if ufuncs else [TYPES]
    return "\n".join([HEADER, HEAD, *names, *kinds, *ufuncs, "", *functions, "", *aliases, ""])


def _elementwise_class():
    """Return the lines of the type of a function of x alone."""
    yield "class _Elementwise(np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]"
    calls = [
        (f"x: {kind}, /, out: None = None, *, where: ArrayLike = True", of) for kind, (of, _) in ELEMENTWISE.items()
    ]
    calls += [
        ("x: ArrayLike, /, out: _Out, **kwargs: Any", "_Out"),
        ("x: Any, /, out: Any = None, **kwargs: Any", "Any"),
    ]
    for taken, result in calls:
        yield f"    @overload\n    def __call__(self, {taken}) -> {result}: ..."
    yield ""


def _forms(name):
    """Return kind of data -> (result, a second operand) of a function; none where that depends on the shape."""
    if name in composed_functions:
        return RESHAPING
    if name not in axis_functions:
        return ELEMENTWISE if name != "prelu_weight" else {}
    return ALONG_AN_AXIS if axis_functions[name].signature == "(n)->(n)" else {}


def _overloads(name, parameters, is_vjp):
    """Yield (parameters, result) of each overload."""
    n_data = 2 if is_vjp else 1
    forms = _forms(name)
    operands = [p for p in parameters if p.name not in ("out", "kwargs")]
    has_out, more = ({p.name for p in parameters} & {one} for one in ("out", "kwargs"))
    for kind, (result, second) in forms.items():
        kinds = [kind, second][:n_data] + ["float"] * len(operands)
        taken = [_typed(p, of) for p, of in zip(operands, kinds, strict=False)]
        taken += ["out: None = None"] if has_out else []
        taken += ["*, where: ArrayLike = True"] if more and forms is ELEMENTWISE else []
        yield ", ".join(taken), result
    anything = [_typed(p, "Any" if i == 0 else "ArrayLike") for i, p in enumerate(operands)]
    rest = ["**kwargs: Any"] if more else []
    if has_out and forms:
        yield ", ".join([*anything, "*", "out: _Out", *rest]), "_Out"
    yield ", ".join([*anything, *(["out: Any = None"] if has_out else []), *rest]), "Any"


def _typed(parameter, operand):
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}".replace("'", '"')
    return f"{parameter.name}: {KINDS.get(parameter.name, operand)}{default}"
