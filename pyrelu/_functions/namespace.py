"""From the table to the public functions in `functional`, `derivative` and `vjp`.

A row without parameters becomes a ufunc with one operand. The operands of a ufunc can have neither names nor defaults,
and a ufunc with two operands has methods that make no sense for an activation. So all other rows become an
`ActivationFunction` over one or two ufuncs or, for functions along an axis, an `AxisActivationFunction` over a
generalised ufunc.
"""

from contextlib import suppress

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu._functions.callables import REQUIRED, ActivationFunction, AxisActivationFunction
from pyrelu._functions.domains import Parameters
from pyrelu.registry import activations, axis_functions

OPERANDS = {_ufuncs.FORWARD: ["x"], _ufuncs.DERIVATIVE: ["x"], _ufuncs.VJP: ["x", "g"]}


def build(kind, module):
    """Return name -> function for one kind (FORWARD, DERIVATIVE or VJP), including aliases.

    Parameters
    ----------
    kind : int
        `_ufuncs.FORWARD`, `_ufuncs.DERIVATIVE` or `_ufuncs.VJP`.
    module : str
        The name of the module, for `__module__`, which pickle uses to find functions.
    """
    choices = {row.choice_of[0]: row for row in activations.values() if row.choice_of}
    functions = {}
    for row in sorted(activations.values(), key=lambda row: row.name in choices):  # choices come first
        functions[row.name] = _elementwise(row, kind, module, choices.get(row.name), functions)
    for row in axis_functions.values():
        if kind != _ufuncs.DERIVATIVE:  # a Jacobian is not elementwise
            functions[row.name] = _along_axis(row, kind, module)
    for name, function in functions.items():
        docstrings.add_example(function, name, module)
    return functions | {alias: functions[row.name] for row in activations.values() for alias in row.aliases}


def _elementwise(row, kind, module, other, functions):
    doc = docstrings.activation(row, kind, choice=other)
    data, parameters = OPERANDS[kind], Parameters(row)
    if data == ["x"] and not parameters and not other:
        return _found_in(module, _ufuncs.make_ufunc(row.index, kind, row.name, doc))
    # pickle finds a ufunc by its qualified name, here as an attribute of the public function
    ufunc = default = _found_in(module, _ufuncs.make_ufunc(row.index, kind, f"{row.name}.ufunc", doc))
    if parameters:
        # A second ufunc has the defaults built in, so that x alone decides the type of the result and no parameter has
        # to be converted in each call.
        optional = None not in parameters.values()
        default = None
        if optional:
            name = f"{row.name}.default_ufunc"
            default = _found_in(module, _ufuncs.make_ufunc(row.index, kind, name, doc, defaults=True))
    if not other:
        return ActivationFunction(row.name, module, doc, ufunc, default, data, parameters)
    _, keyword, value = other.choice_of
    choices = {"none": ufunc, value: functions[other.name]}
    return ActivationFunction(
        row.name, module, doc, ufunc, default, data, parameters, extras=[(keyword, "none")], choose=choices
    )


def _along_axis(row, kind, module):
    doc = docstrings.axis_function(row, kind, [*OPERANDS[kind], "axis", "out", "kwargs"])
    vjp = kind == _ufuncs.VJP
    return AxisActivationFunction(
        row.name,
        module,
        doc,
        row.vjp_signature if vjp else row.signature,
        dict.fromkeys(OPERANDS[kind], REQUIRED),
        ufunc=_found_in(module, _ufuncs.make_gufunc(row.index, vjp, f"{row.name}.ufunc", doc)),
    )


def _found_in(module, ufunc):
    """Return the ufunc, with the name of the module that pickle is to find it in.

    Without it, pickle asks every module that was ever imported, and some of them warn of such a question.
    """
    with suppress(AttributeError):  # before NumPy 2.2, a ufunc takes no attributes
        ufunc.__module__ = module
    return ufunc
