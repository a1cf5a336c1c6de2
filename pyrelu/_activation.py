"""The estimators' `activation=`: from what the user writes to rows of the table."""

from pyrelu.registry import find


def resolve(activation, n_hidden):
    """Return (Activation, values of its parameters) for each hidden layer.

    Parameters
    ----------
    activation : str, (str, dict), or a sequence of such with one per hidden layer
        A name or alias of the table, with values for its parameters if they are not to be the defaults.
    n_hidden : int

    Returns
    -------
    list of (Activation, tuple of float)

    Examples
    --------
    >>> [(found, values)] = resolve(("leaky_relu", {"negative_slope": 0.2}), 1)
    >>> found.name, values
    ('leaky_relu', (0.2,))
    """
    if isinstance(activation, str) or _is_pair(activation):
        return [_resolve_one(activation)] * n_hidden
    try:
        per_layer = list(activation)
    except TypeError:
        find(activation)  # raises the error that lists the names
    if len(per_layer) != n_hidden:
        raise ValueError(f"activation={activation!r} has {len(per_layer)} entries for {n_hidden} hidden layers")
    return [_resolve_one(one) for one in per_layer]


def _is_pair(activation):
    return isinstance(activation, tuple) and len(activation) == 2 and isinstance(activation[1], dict)


def _resolve_one(activation):
    name, given = activation if _is_pair(activation) else (activation, {})
    found = find(name)
    if unknown := given.keys() - found.parameters.keys():
        known = ", ".join(found.parameters) or "none"
        raise ValueError(f"activation={activation!r} has no parameter {min(unknown)!r}; {name} has: {known}")
    values = found.parameters | given
    for parameter, value in values.items():
        if value is None:
            raise ValueError(f"activation={name!r} needs a value, as in ({name!r}, {{{parameter!r}: 0.25}})")
    return found, tuple(map(float, values.values()))
