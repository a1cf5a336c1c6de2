"""From the table to the public functions in `functional`, `derivative` and `vjp`.

A row without parameters becomes a ufunc with one operand. The operands of a ufunc can have neither names nor defaults,
and a ufunc with two operands has methods that make no sense for an activation. So all other rows become an
`ActivationFunction` over one or two ufuncs or, for functions along an axis, an `AxisActivationFunction` over a
generalised ufunc.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu._functions.callables import REQUIRED, ActivationFunction, AxisActivationFunction
from pyrelu._functions.domains import Parameters
from pyrelu.registry import Activation, AxisFunction, activations, axis_functions

Function = Callable[..., Any]  # a ufunc or one of ours

OPERANDS = {_ufuncs.FORWARD: ["x"], _ufuncs.DERIVATIVE: ["x"], _ufuncs.VJP: ["x", "g"]}


def build(kind: int, module: str) -> dict[str, Function]:
    """Return name -> function for one kind (FORWARD, DERIVATIVE or VJP), including aliases.

    Parameters
    ----------
    kind : int
        `_ufuncs.FORWARD`, `_ufuncs.DERIVATIVE` or `_ufuncs.VJP`.
    module : str
        The name of the module, for `__module__`, which pickle uses to find functions.
    """
    choices = {row.choice_of[0]: row for row in activations.values() if row.choice_of}
    functions: dict[str, Function] = {}
    for row in sorted(activations.values(), key=lambda row: row.name in choices):  # choices come first
        functions[row.name] = _elementwise(row, kind, module, choices.get(row.name), functions)
    for along in axis_functions.values():
        if kind != _ufuncs.DERIVATIVE:  # a Jacobian is not elementwise
            functions[along.name] = _along_axis(along, kind, module)
    for name, function in functions.items():
        docstrings.add_example(function, name, module)
    return functions | {alias: functions[row.name] for row in activations.values() for alias in row.aliases}


def _elementwise(
    row: Activation, kind: int, module: str, other: Activation | None, functions: Mapping[str, Function]
) -> Function:
    doc = docstrings.activation(row, kind, choice=other)
    data, parameters = OPERANDS[kind], Parameters(row)
    if data == ["x"] and not parameters and not other:
        return _found_in(module, _ufuncs.make_ufunc(row.index, kind, row.name, doc))
    # pickle finds a ufunc by its qualified name, here as an attribute of the public function
    ufunc = _found_in(module, _ufuncs.make_ufunc(row.index, kind, f"{row.name}.ufunc", doc))
    default: np.ufunc | None = ufunc
    if parameters:
        # A second ufunc has the defaults built in, so that x alone decides the type of the result and no parameter has
        # to be converted in each call.
        optional = None not in parameters.values()
        default = None
        if optional:
            name = f"{row.name}.default_ufunc"
            default = _found_in(module, _ufuncs.make_ufunc(row.index, kind, name, doc, defaults=True))
    if not other or not other.choice_of:
        return ActivationFunction(row.name, module, doc, ufunc, default, data, parameters)
    _, keyword, value = other.choice_of
    choices: dict[str, Function] = {"none": ufunc, value: functions[other.name]}
    return ActivationFunction(
        row.name, module, doc, ufunc, default, data, parameters, extras=[(keyword, "none")], choose=choices
    )


def _along_axis(row: AxisFunction, kind: int, module: str) -> AxisActivationFunction:
    doc = docstrings.axis_function(row, kind, [*OPERANDS[kind], "axis", "out", "kwargs"])
    assert row.index is not None
    vjp = kind == _ufuncs.VJP
    return AxisActivationFunction(
        row.name,
        module,
        doc,
        row.vjp_signature if vjp else row.signature,
        dict.fromkeys(OPERANDS[kind], REQUIRED),
        ufunc=_found_in(module, _ufuncs.make_gufunc(row.index, vjp, f"{row.name}.ufunc", doc)),
    )


def _found_in(module: str, ufunc: np.ufunc) -> np.ufunc:
    """Return the ufunc, with the name of the module that pickle is to find it in.

    Without it, pickle asks every module that was ever imported, and some of them warn of such a question.
    """
    with suppress(AttributeError):  # before NumPy 2.2, a ufunc takes no attributes
        ufunc.__module__ = module
    return ufunc
