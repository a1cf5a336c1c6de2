"""NumPy-style docstrings, written from the table."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyrelu import _ufuncs
from pyrelu.registry import Activation, AxisFunction

_RESULT = {
    _ufuncs.FORWARD: "{summary}",
    _ufuncs.DERIVATIVE: "Derivative of {name}: {lower}",
    _ufuncs.VJP: "Vector-Jacobian product of {name}, g * f'(x) in one pass: {lower}",
}
_RETURNS = {
    _ufuncs.FORWARD: "{name}(x), in {range}.",
    _ufuncs.DERIVATIVE: "f'(x) for f = {name}.{kinks}",
    _ufuncs.VJP: "g * f'(x) for f = {name}: the gradient with respect to x, if g is that with respect to f(x).{kinks}",
}
_X = """\
x : array_like
    The input, of any shape. float16, float32 and float64 keep their type; integers and booleans are promoted as for
    `numpy.tanh`; other types raise TypeError."""
_G = """\
g : array_like
    The gradient to multiply by; broadcasts with x."""
_KEYWORDS = """\
out : ndarray, optional
    The array for the result, with the broadcast shape and a type to which the result can be cast.
**kwargs
    `where`, `dtype`, `casting`, `order`, `subok`: as for any `numpy.ufunc`."""
_AXIS_OPERANDS = {
    "x": _X,
    "g": "g : array_like\n    The gradient to multiply by, with the shape of the result.",
    "num_pieces": "num_pieces : int\n    The number of adjacent elements in a group; it must divide the length of the axis.",
    "axis": "axis : int, default=-1\n    The axis along which to compute.",
    "out": "out : ndarray, optional\n    The array for the result.",
    "kwargs": "**kwargs\n    `axes`, `dtype`, `casting`, `order`, `subok`: as for any generalised `numpy.ufunc`.",
}
_REGULAR = ["float32", "float64"]


def _first_lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _sections(
    summary: str, parameters: Sequence[str], returns: str, formula: str, notes: Sequence[str], reference: str
) -> str:
    text = f"{summary}\n\nParameters\n----------\n" + "\n".join(parameters)
    text += f"\n\nReturns\n-------\nndarray or scalar\n    {returns}"
    text += f"\n\nNotes\n-----\n``{formula}``\n" + "".join(f"\n{note}\n" for note in notes)
    if reference:
        text += f"\nReferences\n----------\n.. [1] {reference}.\n"
    return text


def add_example(function: Callable[..., Any], name: str, module: str) -> None:
    """Append an example, a call and its result, to the docstring of a public function. Doctest runs it."""
    cores = (getattr(function, "signature", None) or "()").replace("->", ",").split(",")
    x = [-2.0, 0.5, 3.0] if cores[0] == "()" else [-2.0, 0.5, 1.0, 3.0]
    operands: list[float | list[float]] = [x]
    if module.endswith("vjp"):
        n = len(x) // (1 if cores[0] in ("()", "(n)") else 2)
        length = {"(2n)": 2 * n, "(n)": n, "()": 0}[cores[1]] if len(cores) > 1 else n
        operands.append([i + 1.0 for i in range(length)] if length else 1.0)
    named = list(inspect.signature(function).parameters.values()) if hasattr(function, "__signature__") else []
    required = [p.name for p in named if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    given = {name: 2 if name == "num_pieces" else 0.25 for name in required[len(operands) :]}
    call = ", ".join([*map(str, operands), *(f"{k}={v}" for k, v in given.items())])
    prefix = "pr." if module.endswith("functional") else f"pr.{module.rpartition('.')[2]}."
    value = function(*operands, **given).round(3).tolist()
    doc = f"\n\nExamples\n--------\n>>> import pyrelu as pr\n>>> {prefix}{name}({call}).round(3).tolist()\n{value}\n"
    if isinstance(function, np.ufunc):  # NumPy begins its __doc__ with a signature
        _ufuncs.set_doc(function, (function.__doc__ or "").partition("\n\n")[2].rstrip() + doc)
    else:
        function.__doc__ = (function.__doc__ or "").rstrip() + doc


def activation(row: Activation, kind: int, choice: Activation | None = None) -> str:
    """Return the docstring of an `Activation` in one of the three namespaces.

    `choice` is the row that a keyword selects instead: gelu_tanh for gelu.
    """
    kinks = f" At the kinks (x = {', '.join(row.kinks)}) it is that of the formula's branch." if row.kinks else ""
    facts = dict(name=row.name, summary=row.summary, lower=_first_lower(row.summary), range=row.range, kinks=kinks)
    parameters = [_X] + ([_G] if kind == _ufuncs.VJP else [])
    for name, default in row.parameters.items():
        default_text = "" if default is None else f", default={default:g}"
        parameters.append(
            f"{name} : array_like{default_text}\n    {row.parameter_docs[name]} In {row.parameter_domains[name]}; outside, "
            "a number raises ValueError and an element of an array gives NaN. Broadcasts with x."
        )
    notes = [f"Requires {row.condition}."] if row.condition else []
    if choice and choice.choice_of:
        _, keyword, value = choice.choice_of
        parameters.append(
            f'{keyword} : {{"none", "{value}"}}, default="none"\n'
            f'    "none" selects the formula below, "{value}" selects ``{choice.formula}``.'
        )
    if kind != _ufuncs.VJP:
        bounds = row.ulp[kind::2]
        notes.append(
            "Error at most " + ", ".join(f"{u:g} ULP in {t}" for u, t in zip(bounds, _REGULAR, strict=True)) + "."
        )
    if row.aliases:
        notes.append("Also known as " + ", ".join(row.aliases) + ".")
    return _sections(
        _RESULT[kind].format(**facts),
        [*parameters, _KEYWORDS],
        _RETURNS[kind].format(**facts),
        row.formula,
        notes,
        row.reference,
    )


def axis_function(row: AxisFunction, kind: int, operands: Sequence[str]) -> str:
    """Return the docstring of an `AxisFunction` with these operands."""
    facts = dict(name=row.name, summary=row.summary, lower=_first_lower(row.summary), range=row.range, kinks="")
    returns = {
        _ufuncs.FORWARD: "{name} of each vector along `axis`, in {range}.",
        _ufuncs.VJP: "g times the Jacobian of {name}: the gradient with respect to x.",
    }[kind]
    return _sections(
        _RESULT[kind].format(**facts).replace("g * f'(x) in one pass", "g @ J(x) in one pass"),
        [_AXIS_OPERANDS[operand] for operand in operands],
        returns.format(**facts),
        row.formula,
        [f"Error at most {row.error} for up to 1,000 elements."] if row.error and kind == _ufuncs.FORWARD else [],
        row.reference,
    )
