"""Functions that halve, group or double an axis, and rrelu with random slopes: thin layers over the ufuncs.

They are written in Python because a ufunc cannot change the length of an axis. Apart from the elementwise part, NumPy
does all the work. Like ufuncs, they keep dask arrays lazy and promote integers first.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrelu import _ufuncs
from pyrelu._functions import docstrings
from pyrelu._functions.callables import REQUIRED, ActivationFunction, AxisActivationFunction
from pyrelu._functions.domains import Parameters
from pyrelu._functions.namespace import OPERANDS, Function
from pyrelu._operands import given, parts, side_by_side
from pyrelu.registry import activations, composed_functions

if TYPE_CHECKING:  # takes a percent of the time of `import pyrelu`
    from numpy.typing import ArrayLike

# Private ufuncs; pickle finds them here by name.
IDENTITY = _ufuncs.make_ufunc(activations["identity"].index, _ufuncs.FORWARD, "IDENTITY", "")
GATES = _ufuncs.gate_rows()  # name -> its gate

Compute = Callable[..., Any]  # (*operands, axis, out) -> the result


def forward(functions: Mapping[str, Function], module: str) -> dict[str, Function]:
    """Return name -> composed function for `functional`, given its functions so far."""
    computes = {name: _gated(name) for name in GATES}
    computes |= {"maxout": _maxout(), "crelu": _crelu(functions["relu"])}
    return _public(computes, functions, _ufuncs.FORWARD, module)


def derivative(functions: Mapping[str, Function], module: str) -> dict[str, Function]:
    """Return name -> composed function for `derivative`, given its functions so far."""
    return _public({}, functions, _ufuncs.DERIVATIVE, module)


def vjp(functions: Mapping[str, Function], module: str) -> dict[str, Function]:
    """Return name -> composed function for `vjp`, given its functions so far."""
    computes = {name: _gated_vjp(name) for name in GATES}
    computes |= {"maxout": _maxout_vjp(), "crelu": _crelu_vjp(functions["relu"])}
    prelu_weight.__module__ = module
    return _public(computes, functions, _ufuncs.VJP, module) | {"prelu_weight": prelu_weight}


def _public(
    computes: Mapping[str, Compute], functions: Mapping[str, Any], kind: int, module: str
) -> dict[str, Function]:
    public: dict[str, Function] = {}
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


# b, a -> a * gate(b), and b, a, g -> g * a * gate'(b). Private ufuncs; pickle finds them here by name.
for _row, _name in enumerate(GATES):
    for _slope, _ufunc in enumerate((f"{_name.upper()}_PRODUCT", f"{_name.upper()}_SLOPE")):
        globals()[_ufunc] = _ufuncs.make_gated(_row, bool(_slope), _ufunc, "")


def _promoted(x: Any) -> Any:
    """Return x as an array of float16, float32 or float64; dask arrays stay dask arrays."""
    if type(x) is not np.ndarray and not (hasattr(x, "__array_ufunc__") and hasattr(x, "ndim")):
        x = np.asarray(x)
    return x if x.dtype.char in "efd" else IDENTITY(x)


def _wider(x: Any) -> Any:
    """Return float16 as float32, so that intermediate results do not overflow or underflow."""
    return x.astype(np.float32) if x.dtype.char == "e" else x


def _axis(x: Any, axis: int) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    return int(axis % x.ndim)


def _halves(name: str, x: Any, axis: int, operand: str = "x") -> tuple[Any, Any]:
    axis = _axis(x, axis)
    n = x.shape[axis]
    if n % 2:
        raise ValueError(
            f"{operand} has {n} elements along axis {axis}; {name} halves this axis, so the number must be even"
        )
    return parts(x, axis, n // 2)


def _gated(name: str) -> Compute:
    product: np.ufunc = globals()[f"{name.upper()}_PRODUCT"]

    def gated(x: Any, axis: int, out: Any) -> Any:
        a, b = _halves(name, _promoted(x), axis)
        return product(b, a, out=out)

    return gated


def _gated_vjp(name: str) -> Compute:
    product, slope = (globals()[f"{name.upper()}_{part}"] for part in ("PRODUCT", "SLOPE"))

    def gated(x: Any, g: Any, axis: int, out: Any) -> Any:
        x, g = _same_type(_promoted(x), _promoted(g))
        axis = _axis(x, axis)
        a, b = _halves(name, x, axis)
        return side_by_side((product, b, g), (slope, b, a, g), axis, out)

    return gated


def _same_type(x: Any, g: Any) -> tuple[Any, Any]:
    if x.dtype == g.dtype:
        return x, g
    kind = np.result_type(x.dtype, g.dtype)
    return x.astype(kind, copy=False), g.astype(kind, copy=False)


def _grouped(x: Any, num_pieces: int, axis: int) -> tuple[Any, int]:
    """Return x with its axis split into groups of num_pieces, and the number of the new axis."""
    axis = _axis(x, axis)
    n = x.shape[axis]
    if isinstance(num_pieces, bool) or not hasattr(num_pieces, "__index__") or num_pieces < 1 or n % num_pieces:
        raise ValueError(
            f"num_pieces={num_pieces!r} is not a positive integer that divides the {n} elements along {axis=}"
        )
    return x.reshape(*x.shape[:axis], n // num_pieces, num_pieces, *x.shape[axis + 1 :]), axis + 1


FEW = 16  # up to this many pieces, one call of NumPy per piece is faster than a reduction along a short axis


def _maxout() -> Compute:
    def maxout(x: Any, num_pieces: int, axis: int, out: Any) -> Any:
        grouped, pieces = _grouped(_promoted(x), num_pieces, axis)
        if not 1 < num_pieces <= FEW or type(grouped) is not np.ndarray:
            return np.max(grouped, axis=pieces, out=out[0] if isinstance(out, tuple) else out)
        first, second, *others = _each(grouped, pieces)
        largest = np.maximum(first, second, out=None if others else out)
        for i, other in enumerate(others, 1):
            largest = np.maximum(largest, other, out=out if i == len(others) else largest)
        return largest

    return maxout


def _each(grouped: Any, pieces: int) -> list[Any]:
    before = (slice(None),) * pieces
    return [grouped[(*before, i)] for i in range(grouped.shape[pieces])]


def _maxout_vjp() -> Compute:
    def maxout(x: Any, g: Any, num_pieces: int, axis: int, out: Any) -> Any:
        x, g = _same_type(_promoted(x), _promoted(g))
        grouped, pieces = _grouped(x, num_pieces, axis)
        winner = np.argmax(grouped, axis=pieces)  # the first of equals
        if num_pieces <= FEW and type(grouped) is type(g) is np.ndarray:
            dx = np.zeros(grouped.shape, x.dtype)
            for i, piece in enumerate(_each(dx, pieces)):
                np.copyto(piece, g, where=winner == i)
        else:
            piece = np.arange(num_pieces).reshape(-1, *(1,) * (grouped.ndim - pieces - 1))
            winner, g = np.expand_dims(winner, pieces), np.expand_dims(g, pieces)
            dx = np.where(winner == piece, g, g.dtype.type(0))
        return given(dx.reshape(x.shape), out)

    return maxout


def _crelu(relu: Function) -> Compute:
    def crelu(x: Any, axis: int, out: Any) -> Any:
        x = _promoted(x)
        return side_by_side((relu, x), (relu, np.negative(x)), _axis(x, axis), out)

    return crelu


def _crelu_vjp(relu_vjp: Function) -> Compute:
    def crelu(x: Any, g: Any, axis: int, out: Any) -> Any:
        x, g = _same_type(_promoted(x), _promoted(g))
        up, down = _halves("vjp.crelu", g, axis, "g")
        # One of the two parts is 0. Select by the sign bit, which is right even if the processor flushes subnormals.
        return relu_vjp(np.abs(x), np.where(np.signbit(x), np.negative(down), up), out=out)

    return crelu


def prelu_weight(x: "ArrayLike", g: "ArrayLike", weight: "ArrayLike") -> Any:
    """Gradient of prelu with respect to its weight: g * min(x, 0), summed to the weight's shape.

    Parameters
    ----------
    x : array_like
        The input of prelu.
    g : array_like
        The gradient with respect to prelu(x, weight), with the same shape as prelu(x, weight).
    weight : array_like
        The slopes of prelu; broadcasts with x.

    Returns
    -------
    ndarray
        The gradient, with the shape of `weight`.

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


def _slopes(x: Any, lower: Any, upper: Any, rng: Any) -> np.ndarray:
    if not np.all(np.less_equal(lower, upper)):
        raise ValueError(f"lower={lower!r} must not be greater than upper={upper!r}")
    drawn = np.random.default_rng(rng).uniform(lower, upper, np.broadcast_shapes(*map(np.shape, (x, lower, upper))))
    small = getattr(x, "dtype", None) in (np.float16, np.float32)
    return drawn.astype(np.float32 if small else np.float64, copy=False)


def _rrelu(mean: ActivationFunction, prelu: Function, kind: int, module: str) -> ActivationFunction:
    """Return the table's rrelu, extended by `training` and `rng`, which draw a slope for each element."""

    def choose(x: Any, *operands: Any) -> tuple[Function, tuple[Any, ...]]:
        *data, lower, upper, training, rng = operands
        if training:
            return prelu, (x, *data, _slopes(x, lower, upper, rng))
        return mean, (x, *data, lower, upper)

    doc = (mean.__doc__ or "").partition("\n\nExamples\n")[0].replace("out : ndarray", f"{_TRAINING_DOC}out : ndarray")
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
    Whether to draw a slope for each element, uniformly between lower and upper, instead of using their mean.
rng : int or numpy.random.Generator, optional
    Seed or generator for the slopes in training. The same seed gives the same slopes in all three namespaces.
"""
