"""From the table to the public functions: what `functional`, `derivative` and `vjp` are filled with.

A row without optional parameters is a ufunc itself. Defaults cannot be given to a ufunc's operands, so a row that has
them gets a thin function over a private ufunc; its text is compiled here so that names and defaults are in its
signature.
"""

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu.registry import activations, axis_functions

_OPERANDS = {_ufuncs.FORWARD: ["x"], _ufuncs.DERIVATIVE: ["x"], _ufuncs.VJP: ["x", "g"]}


def build(kind, module):
    """Return name -> function for one kind (FORWARD, DERIVATIVE or VJP), private ufuncs included.

    Parameters
    ----------
    kind : int
        `_ufuncs.FORWARD`, `_ufuncs.DERIVATIVE` or `_ufuncs.VJP`.
    module : str
        The module's name, for `__module__`; pickle finds functions by it.
    """
    functions = {}
    choices = [row for row in activations.values() if row.choice_of]
    bases = {row.choice_of[0] for row in choices}
    for row in activations.values():
        functions |= _of_activation(row, kind, module, f"_{row.name}" if row.name in bases else row.name)
    for row in axis_functions.values():
        if kind != _ufuncs.DERIVATIVE:  # a Jacobian is not elementwise
            doc = docstrings.axis_function(row, kind, [*_OPERANDS[kind], "axis", "out", "kwargs"])
            functions[row.name] = _ufuncs.make_gufunc(row.index, kind == _ufuncs.VJP, row.name, doc)
    for row in choices:
        functions |= _with_choice(functions, row, kind, module)
    for row in activations.values():
        functions |= {alias: functions[row.name] for alias in row.aliases}
    return functions


def public(functions):
    """Return the public names among what `build` returned."""
    return sorted(name for name in functions if not name.startswith("_"))


def _of_activation(row, kind, module, name):
    doc = docstrings.activation(row, kind)
    if all(default is None for default in row.parameters.values()):
        return {name: _ufuncs.make_ufunc(row.index, kind, name, doc)}
    # Two ufuncs: with the defaults built in, so that x alone decides the result's type and there is no parameter to
    # convert at each call; and with the parameters as operands.
    general, default = f"_{row.name}", f"_{row.name}_default"
    ufuncs = {
        general: _ufuncs.make_ufunc(row.index, kind, general, doc),
        default: _ufuncs.make_ufunc(row.index, kind, default, doc, defaults=True),
    }
    data = ", ".join(_OPERANDS[kind])
    body = f"""
    if {" and ".join(f"{name} is _{name}" for name in row.parameters)}:
        return {default}({data}, out=out, **kwargs)
    return {general}({data}, {", ".join(row.parameters)}, out=out, **kwargs)"""
    function = _function(row.name, _OPERANDS[kind], row.parameters, body, module, doc, ufuncs)
    return ufuncs | {row.name: function}


def _with_choice(functions, row, kind, module):
    """`gelu(x, approximate="tanh")`: a keyword of one function that chooses another row."""
    base, keyword, value = row.choice_of
    choices = {"none": functions[f"_{base}"], value: functions[row.name]}

    def choose(chosen):
        if not isinstance(chosen, str) or chosen not in choices:
            raise ValueError(f"{keyword}={chosen!r} is not known; allowed are {', '.join(map(repr, choices))}")
        return choices[chosen]

    doc = docstrings.activation(activations[base], kind, choice=(keyword, row))
    body = f"""
    return _choose({keyword})({", ".join(_OPERANDS[kind])}, out=out, **kwargs)"""
    function = _function(base, _OPERANDS[kind], {keyword: "none"}, body, module, doc, {"_choose": choose})
    return {base: function}


def _function(name, operands, keywords, body, module, doc, scope):
    signature = ", ".join([*operands, *(f"{keyword}=_{keyword}" for keyword in keywords), "out=None", "**kwargs"])
    scope = {"__name__": module} | {f"_{keyword}": value for keyword, value in keywords.items()} | scope
    exec(compile(f"def {name}({signature}):{body}\n", f"<{module}.{name}>", "exec"), scope)
    function = scope[name]
    function.__doc__ = doc
    return function
