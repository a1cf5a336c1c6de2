"""Functions that halve, group or double an axis, and rrelu with its random slopes: thin layers over the ufuncs.

A ufunc cannot halve an axis, and what is left to do beside the elementwise part is NumPy's own work, so these are
functions of Python. Like the ufuncs they keep dask arrays lazy.
"""

import inspect

import numpy as np

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu.registry import composed_functions

GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}


def forward(functions, module):
    """Return name -> composed function for `functional`, given its ufuncs."""
    composed = {name: _gated(functions[gate]) for name, gate in GATES.items()}
    composed |= {"maxout": _maxout, "crelu": _crelu(functions["relu"])}
    return _named(composed, functions, _rrelu, _ufuncs.FORWARD, module)


def derivative(functions, module):
    """Return name -> composed function for `derivative`, given its ufuncs."""
    return _named({}, functions, _rrelu, _ufuncs.DERIVATIVE, module)


def vjp(functions, activations, module):
    """Return name -> composed function for `vjp`, given its ufuncs and those of `functional`."""
    composed = {name: _gated_vjp(activations[gate], functions[gate]) for name, gate in GATES.items()}
    composed |= {"maxout": _maxout_vjp, "crelu": _crelu_vjp(functions["relu"])}
    return _named(composed, functions, _rrelu_vjp, _ufuncs.VJP, module) | {"prelu_weight": prelu_weight}


def _named(composed, functions, make_rrelu, kind, module):
    for name, function in composed.items():
        function.__doc__ = docstrings.axis_function(
            composed_functions[name], kind, inspect.signature(function).parameters
        )
    composed["rrelu"] = rrelu = make_rrelu(functions["rrelu"], functions["prelu"])
    rrelu.__doc__ = functions["rrelu"].__doc__.replace("out : ndarray", f"{_TRAINING_DOC}out : ndarray")
    for name, function in composed.items():
        function.__name__ = function.__qualname__ = name
        function.__module__ = module
    return composed


def _array(x):
    return x if hasattr(x, "__array_ufunc__") and hasattr(x, "ndim") else np.asarray(x)


def _axis(x, axis):
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    return axis % x.ndim


def _halves(name, x, axis):
    axis = _axis(x, axis)
    n = x.shape[axis]
    if n % 2:
        raise ValueError(f"x has {n} elements along axis {axis}; {name} halves that axis, which takes an even number")
    before = (slice(None),) * axis
    return x[(*before, slice(n // 2))], x[(*before, slice(n // 2, None))]


def _gated(gate):
    def gated(x, axis=-1, out=None):
        a, b = _halves(gated.__name__, _array(x), axis)
        return np.multiply(a, gate(b), out=out)

    return gated


def _gated_vjp(gate, gate_vjp):
    def gated(x, g, axis=-1):
        x = _array(x)
        a, b = _halves(gated.__name__, x, axis)
        return np.concatenate([g * gate(b), gate_vjp(b, g * a)], axis=axis)

    return gated


def _grouped(x, num_pieces, axis):
    """X with its axis split into groups of num_pieces, and the number of the new axis."""
    axis = _axis(x, axis)
    n = x.shape[axis]
    if isinstance(num_pieces, bool) or not hasattr(num_pieces, "__index__") or num_pieces < 1 or n % num_pieces:
        raise ValueError(
            f"num_pieces={num_pieces!r} is not a positive integer that divides the {n} elements along {axis=}"
        )
    return x.reshape(*x.shape[:axis], n // num_pieces, num_pieces, *x.shape[axis + 1 :]), axis + 1


def _maxout(x, num_pieces, axis=-1, out=None):
    grouped, pieces = _grouped(_array(x), num_pieces, axis)
    return np.max(grouped, axis=pieces, out=out)


def _maxout_vjp(x, g, num_pieces, axis=-1):
    x, g = np.asarray(x), np.asarray(g)
    grouped, pieces = _grouped(x, num_pieces, axis)
    winner = np.expand_dims(np.argmax(grouped, axis=pieces), pieces)  # the first of equals
    dx = np.zeros(grouped.shape, np.result_type(x, g))
    np.put_along_axis(dx, winner, np.broadcast_to(np.expand_dims(g, pieces), winner.shape), axis=pieces)
    return dx.reshape(x.shape)


def _crelu(relu):
    def crelu(x, axis=-1):
        x = _array(x)
        return np.concatenate([relu(x), relu(np.negative(x))], axis=_axis(x, axis))

    return crelu


def _crelu_vjp(relu_vjp):
    def crelu(x, g, axis=-1):
        x = _array(x)
        up, down = _halves("vjp.crelu", _array(g), axis)
        return relu_vjp(x, up) - relu_vjp(np.negative(x), down)

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
    """
    shape = np.shape(weight)
    gradient = np.multiply(g, np.minimum(x, 0))
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)


def _slopes(x, lower, upper, rng):
    if not np.all(np.less_equal(lower, upper)):
        raise ValueError(f"lower={lower!r} must not be greater than upper={upper!r}")
    drawn = np.random.default_rng(rng).uniform(lower, upper, np.broadcast_shapes(*map(np.shape, (x, lower, upper))))
    small = getattr(x, "dtype", None) in (np.float16, np.float32)
    return drawn.astype(np.float32 if small else np.float64, copy=False)


def _rrelu(mean_slope, prelu):
    """The table's rrelu with `training` and `rng`: a slope of its own for each element."""
    low, high = mean_slope.__defaults__[:2]

    def rrelu(x, lower=low, upper=high, training=False, rng=None, out=None, **kwargs):
        if training:
            return prelu(x, _slopes(x, lower, upper, rng), out=out, **kwargs)
        return mean_slope(x, lower, upper, out=out, **kwargs)

    return rrelu


def _rrelu_vjp(mean_slope, prelu):
    low, high = mean_slope.__defaults__[:2]

    def rrelu(x, g, lower=low, upper=high, training=False, rng=None, out=None, **kwargs):
        if training:
            return prelu(x, g, _slopes(x, lower, upper, rng), out=out, **kwargs)
        return mean_slope(x, g, lower, upper, out=out, **kwargs)

    return rrelu


_TRAINING_DOC = """\
training : bool, default=False
    Whether each element gets a slope of its own, drawn uniformly from lower to upper, instead of their mean.
rng : int or numpy.random.Generator, optional
    Where the slopes come from in training. One seed gives the same slopes in all three namespaces.
"""
