"""Functions that halve, group or double an axis, and rrelu with its random slopes: thin layers over the ufuncs.

A ufunc cannot halve an axis, and what is left to do beside the elementwise part is NumPy's own work, so these are
functions of Python. Like the ufuncs they keep dask arrays lazy, and promote integers first.
"""

import numpy as np

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu._functions.callables import REQUIRED, ActivationFunction, AxisActivationFunction
from pyrelu._functions.domains import Parameters
from pyrelu._functions.namespace import OPERANDS
from pyrelu.registry import activations, composed_functions

# Private ones, which pickle finds here by their names.
IDENTITY = _ufuncs.make_ufunc(activations["identity"].index, _ufuncs.FORWARD, "IDENTITY", "")
PRELU_VJP = _ufuncs.make_ufunc(activations["prelu"].index, _ufuncs.VJP, "PRELU_VJP", "")

GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}


def forward(functions, module):
    """Return name -> composed function for `functional`, given its functions so far."""
    computes = {name: _gated(name, functions[gate]) for name, gate in GATES.items()}
    computes |= {"maxout": _maxout(), "crelu": _crelu(functions["relu"])}
    return _public(computes, functions, _ufuncs.FORWARD, module)


def derivative(functions, module):
    """Return name -> composed function for `derivative`, given its functions so far."""
    return _public({}, functions, _ufuncs.DERIVATIVE, module)


def vjp(functions, functional, derivative, module):
    """Return name -> composed function for `vjp`, given its functions so far and those of the other namespaces."""
    computes = {name: _gated_vjp(name, functional[gate], derivative[gate]) for name, gate in GATES.items()}
    computes |= {"maxout": _maxout_vjp(), "crelu": _crelu_vjp(functions["relu"])}
    prelu_weight.__module__ = module
    return _public(computes, functions, _ufuncs.VJP, module) | {"prelu_weight": prelu_weight}


def _public(computes, functions, kind, module):
    public = {}
    for name, compute in computes.items():
        row = composed_functions[name]
        operands = dict.fromkeys([*OPERANDS[kind], *(["num_pieces"] if name == "maxout" else [])], REQUIRED)
        public[name] = AxisActivationFunction(
            name,
            module,
            docstrings.axis_function(row, kind, [*operands, "axis", "out"]),
            row.vjp_signature if kind == _ufuncs.VJP else row.signature,
            operands,
            compute=compute,
        )
    public["rrelu"] = _rrelu(functions["rrelu"], functions["prelu"], kind, module)
    for name, function in public.items():
        docstrings.add_example(function, name, module)
    return public


def _promoted(x):
    """X as an array of float16, float32 or float64; dask arrays stay what they are."""
    if not (hasattr(x, "__array_ufunc__") and hasattr(x, "ndim")):
        x = np.asarray(x)
    return x if x.dtype.char in "efd" else IDENTITY(x)


def _product(a, b, out=None):
    """a * b, rounded once to the type of a; where that is float16, b is float32.

    It is the vjp of prelu where x is negative, and so is computed in the kernels' floating-point state: the caller's
    may be to flush subnormal numbers to zero.
    """
    return PRELU_VJP(a.dtype.type(-1), a, b, out=out)


def _wider(x):
    """float16 as float32, so that what stands between is rounded neither up to infinity nor down to 0."""
    return x.astype(np.float32) if x.dtype.char == "e" else x


def _axis(x, axis):
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    return axis % x.ndim


def _halves(name, x, axis, operand="x"):
    axis = _axis(x, axis)
    n = x.shape[axis]
    if n % 2:
        raise ValueError(
            f"{operand} has {n} elements along axis {axis}; {name} halves that axis, which takes an even number"
        )
    before = (slice(None),) * axis
    return x[(*before, slice(n // 2))], x[(*before, slice(n // 2, None))]


def _joined(parts, axis, out):
    joined = np.concatenate(parts, axis=axis)
    if out is None:
        return joined
    out = out[0] if isinstance(out, tuple) else out
    if np.shape(out) != joined.shape:
        raise ValueError(f"out has shape {np.shape(out)}; the result has {joined.shape}")
    np.copyto(out, joined)
    return out


def _gated(name, gate):
    def gated(x, axis, out=None):
        a, b = _halves(name, _promoted(x), axis)
        return _product(a, gate(_wider(b)), out=out)

    return gated


def _gated_vjp(name, gate, gate_derivative):
    def gated(x, g, axis, out=None):
        x, g = _same_type(_promoted(x), _promoted(g))
        a, b = _halves(name, x, axis)
        da = _product(g, gate(_wider(b)))
        # a * g * gate'(b): the larger of a and g is first where the slope makes it smaller, last where it makes it
        # larger, so that nothing in between is infinite or 0 unless the result is.
        a, g, slope = _wider(a), _wider(g), gate_derivative(_wider(b))
        larger_is_a, grows = np.abs(a) > np.abs(g), slope > 1
        a_first = larger_is_a != grows
        db = _product(np.where(a_first, g, a), _product(np.where(a_first, a, g), slope))
        return _joined([da, db.astype(x.dtype, copy=False)], axis, out)

    return gated


def _same_type(x, g):
    if x.dtype == g.dtype:
        return x, g
    kind = np.result_type(x.dtype, g.dtype)
    return x.astype(kind, copy=False), g.astype(kind, copy=False)


def _grouped(x, num_pieces, axis):
    """X with its axis split into groups of num_pieces, and the number of the new axis."""
    axis = _axis(x, axis)
    n = x.shape[axis]
    if isinstance(num_pieces, bool) or not hasattr(num_pieces, "__index__") or num_pieces < 1 or n % num_pieces:
        raise ValueError(
            f"num_pieces={num_pieces!r} is not a positive integer that divides the {n} elements along {axis=}"
        )
    return x.reshape(*x.shape[:axis], n // num_pieces, num_pieces, *x.shape[axis + 1 :]), axis + 1


def _maxout():
    def maxout(x, num_pieces, axis, out=None):
        grouped, pieces = _grouped(_promoted(x), num_pieces, axis)
        return np.max(grouped, axis=pieces, out=out[0] if isinstance(out, tuple) else out)

    return maxout


def _maxout_vjp():
    def maxout(x, g, num_pieces, axis, out=None):
        x, g = _promoted(x), _promoted(g)
        grouped, pieces = _grouped(x, num_pieces, axis)
        winner = np.expand_dims(np.argmax(grouped, axis=pieces), pieces)  # the first of equals
        piece = np.arange(num_pieces).reshape(-1, *(1,) * (grouped.ndim - pieces - 1))
        dx = np.where(winner == piece, np.expand_dims(g, pieces), g.dtype.type(0)).astype(np.result_type(x, g))
        return _joined([dx.reshape(x.shape)], axis, out)

    return maxout


def _crelu(relu):
    def crelu(x, axis, out=None):
        x = _promoted(x)
        return _joined([relu(x), relu(np.negative(x))], _axis(x, axis), out)

    return crelu


def _crelu_vjp(relu_vjp):
    def crelu(x, g, axis, out=None):
        x, g = _same_type(_promoted(x), _promoted(g))
        up, down = _halves("vjp.crelu", g, axis, "g")
        # One of both parts is 0. It is chosen, not added, and by the sign's bit: the caller may flush subnormal numbers.
        dx = np.where(np.signbit(x), relu_vjp(np.negative(x), np.negative(down)), relu_vjp(x, up))
        return _joined([dx], axis, out)

    return crelu


def prelu_weight(x, g, weight):
    """Gradient of prelu with respect to its weight: g * min(x, 0), summed to the weight's shape.

    Parameters
    ----------
    x : array_like
        What prelu was called with.
    g : array_like
        The gradient with respect to prelu(x, weight), of its shape.
    weight : array_like
        The slopes that prelu was called with; broadcasts with x.

    Returns
    -------
    ndarray
        Of weight's shape.

    Examples
    --------
    >>> import pyrelu as pr
    >>> pr.vjp.prelu_weight([-2.0, 0.5, -3.0], [1.0, 1.0, 2.0], 0.25)
    np.float64(-8.0)
    """
    x, g = map(_promoted, (x, g))
    kind, shape = np.result_type(x, g), np.shape(weight)
    gradient = np.multiply(_wider(g), np.minimum(_wider(x), 0))
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=axes, keepdims=True).reshape(shape).astype(kind)[()]


def _slopes(x, lower, upper, rng):
    if not np.all(np.less_equal(lower, upper)):
        raise ValueError(f"lower={lower!r} must not be greater than upper={upper!r}")
    drawn = np.random.default_rng(rng).uniform(lower, upper, np.broadcast_shapes(*map(np.shape, (x, lower, upper))))
    small = getattr(x, "dtype", None) in (np.float16, np.float32)
    return drawn.astype(np.float32 if small else np.float64, copy=False)


def _rrelu(mean, prelu, kind, module):
    """The table's rrelu with `training` and `rng`: a slope of its own for each element."""

    def choose(x, *operands):
        *data, lower, upper, training, rng = operands
        if training:
            return prelu, (x, *data, _slopes(x, lower, upper, rng))
        return mean, (x, *data, lower, upper)

    doc = mean.__doc__.partition("\n\nExamples\n")[0].replace("out : ndarray", f"{_TRAINING_DOC}out : ndarray")
    return ActivationFunction(
        "rrelu",
        module,
        doc,
        mean.ufunc,
        mean.default_ufunc,
        OPERANDS[kind],
        Parameters(activations["rrelu"]),
        extras=[("training", False), ("rng", None)],
        choose=choose,
    )


_TRAINING_DOC = """\
training : bool, default=False
    Whether each element gets a slope of its own, drawn uniformly from lower to upper, instead of their mean.
rng : int or numpy.random.Generator, optional
    Where the slopes come from in training. One seed gives the same slopes in all three namespaces.
"""
