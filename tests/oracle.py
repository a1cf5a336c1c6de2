"""What the functions should be: the table's formula strings, evaluated and differentiated by mpmath.

A formula is evaluated on dual numbers (value and derivative) of high precision, so the derivative is exact and at a
kink is that of the branch the formula takes. Nothing here knows of pyrelu's own numerics.
"""

import functools
import math
import re

import mpmath
import numpy as np
from mpmath import mp, mpf

from pyrelu.registry import activations, axis_functions

FORWARD, DERIVATIVE = "forward", "derivative"
KINDS = (FORWARD, DERIVATIVE)


class Dual:
    """A number and its derivative with respect to x."""

    def __init__(self, value, slope=0):
        self.value, self.slope = mpf(value), mpf(slope)

    def __add__(self, other):
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = _dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other):
        other = _dual(other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __neg__(self):
        return Dual(-self.value, -self.slope)

    def __sub__(self, other):
        return self + -_dual(other)

    def __rsub__(self, other):
        return _dual(other) - self

    def __rtruediv__(self, other):
        return _dual(other) / self

    def __pow__(self, n):
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, other):
        return self.value < _dual(other).value

    def __le__(self, other):
        return self.value <= _dual(other).value

    def __gt__(self, other):
        return self.value > _dual(other).value

    def __ge__(self, other):
        return self.value >= _dual(other).value

    def __eq__(self, other):
        return self.value == _dual(other).value

    __hash__ = None


def _dual(x):
    return x if isinstance(x, Dual) else Dual(x)


def _lift(function, slope):
    """`function` on dual numbers, given its derivative."""

    def lifted(x):
        x = _dual(x)
        return Dual(function(x.value), x.slope * slope(x.value) if x.slope else 0)

    return lifted


NAMES = {
    "exp": _lift(mp.exp, mp.exp),
    "expm1": _lift(mp.expm1, mp.exp),
    "log": _lift(mp.log, lambda x: 1 / x),
    "log1p": _lift(mp.log1p, lambda x: 1 / (1 + x)),
    "sqrt": _lift(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x))),
    "cosh": _lift(mp.cosh, mp.sinh),
    "tanh": _lift(mp.tanh, lambda x: mp.sech(x) ** 2),
    "erfc": _lift(mp.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "abs": lambda x: x if x > 0 else -_dual(x),
    "max": lambda a, b: a if _dual(a) > b else b,  # of equals the second: the constant, in max(x, 0)
    "min": lambda a, b: a if _dual(a) < b else b,
    "pi": mp.pi,
    "mpf": mpf,
}

# Bits: enough for 1 + tanh(u) where that is the smallest float64
_PRECISION = 1200


def _precision(x, parameters):
    """Return the bits to compute with: x - tanh(x) loses twice as many as x has zeros before its first digit, and
    1 + tanh(u) as many as u/0.35, where u is of the order of the parameters, x and its cube.
    """
    near_0 = 600 + 2 * max(0, -math.frexp(x)[1])
    is_moderate = abs(x) <= 8 and all(0.25 <= abs(value) <= 4 for _, value in parameters)
    return near_0 if is_moderate else max(_PRECISION, near_0)


@functools.cache
def _code(formula):
    """The formula with its decimal fractions as what they say, not as the nearest float64."""
    return compile(re.sub(r"\d+\.\d+", r'mpf("\g<0>")', formula), "<formula>", "eval")


@functools.lru_cache(maxsize=1 << 16)
def _evaluate(formula, x, parameters):
    with mp.workprec(_precision(x, parameters)):
        scope = NAMES | {"x": Dual(x, 1)} | {name: mpf(value) for name, value in parameters}
        result = _dual(eval(_code(formula), {"__builtins__": {}}, scope))
    return result.value, result.slope


def exact(name, x, kind=FORWARD, **parameters):
    """Return f(x) or f'(x) of the table's formula as an mpf, for one finite float x.

    Parameters not given have their defaults.
    """
    row = activations[name]
    parameters = {k: v for k, v in row.parameters.items() if v is not None} | parameters
    value, slope = _evaluate(row.formula, float(x), tuple(parameters.items()))
    return value if kind == FORWARD else slope


def exact_loss(row, z, t, parameters):
    """Return the loss of one row of pre-activations, and its gradient, as mpf.

    Parameters
    ----------
    row : Loss
    z : sequence of float
    t : sequence of float, or int
        A target for each output, or the number of the class.
    parameters : sequence of dict
        For each output.
    """
    with mp.workprec(_PRECISION):
        losses, gradient = [], []
        for k in range(len(z)):
            x = [Dual(float(value), j == k) for j, value in enumerate(z)]
            if row.targets == "classes":
                exponentials = [NAMES["exp"](one) for one in x]
                total = sum(exponentials[1:], start=exponentials[0])
                scope = {"y": [one / total for one in exponentials], "t": t}
            else:
                y = eval(_code(activations[row.link].formula), {"__builtins__": {}}, NAMES | {"x": x[k]})
                scope = {"y": _dual(y), "t": mpf(float(t[k]))}
            scope |= {name: mpf(value) for name, value in parameters[k].items()}
            loss = _dual(eval(_code(row.formula), {"__builtins__": {}}, NAMES | scope))
            losses.append(loss.value)
            gradient.append(loss.slope)
        if row.targets == "classes":
            return losses[0], gradient
        return mp.fsum(losses) / (len(z) if row.outputs == "mean" else 1), gradient


def limit(name, which, **parameters):
    """Return one of f(-inf), f(inf), f'(-inf), f'(inf) from the table as a float; `which` counts them."""
    row = activations[name]
    parameters = {k: v for k, v in row.parameters.items() if v is not None} | parameters
    text = re.sub(r"(?<![\w.])0(?![\w.])", "0.0", row.limits[which])  # -0 is an int without a sign
    return float(eval(text, {"__builtins__": {}}, {"inf": math.inf, "pi": math.pi} | parameters))


_FLOATS = {name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "erfc", "pi")}


def in_floats(name, x, **parameters):
    """Return the formula's value in float64 arithmetic: it decides the sign of a zero."""
    row = activations[name]
    parameters = {k: v for k, v in row.parameters.items() if v is not None} | parameters
    scope = _FLOATS | {"abs": abs, "max": max, "min": min, "x": x} | parameters
    return float(eval(row.formula, {"__builtins__": {}}, scope))


def kinks(name, **parameters):
    """Return where the derivative jumps."""
    row = activations[name]
    parameters = {k: v for k, v in row.parameters.items() if v is not None} | parameters
    return [float(eval(k, {"__builtins__": {}}, parameters)) for k in row.kinks]


class Vector(list):
    """A list with the arithmetic that the formulas of rowwise.def use."""

    def _with(self, other, op):
        return Vector(op(a, other) for a in self)

    def __truediv__(self, other):
        return self._with(other, lambda a, b: a / b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __neg__(self):
        return Vector(-a for a in self)


def _project(x):
    """The point of the simplex that is nearest to x, by sorting."""
    total = mpf(0)
    for count, largest in enumerate(sorted(x, reverse=True), 1):
        total += largest
        if largest > (total - 1) / count:
            threshold = (total - 1) / count
    return Vector(max(a - threshold, mpf(0)) for a in x)


_VECTOR_NAMES = {
    "exp": lambda x: Vector(mp.exp(a) for a in x),
    "log": mp.log,
    "sum": mp.fsum,
    "project": _project,
}


def exact_vector(name, x, precision=700):
    """Return an axis function of one vector: a list of mpf, of one element for a function that reduces."""
    with mp.workprec(precision):
        scope = _VECTOR_NAMES | {"x": Vector(mpf(v) for v in x)}
        result = eval(_code(axis_functions[name].formula), {"__builtins__": {}}, scope)
        noise = mpf(2) ** (40 - precision) * max([1, *map(abs, scope["x"])])  # what x - log(exp(x)) leaves of 0
        return [v if abs(v) > noise else mpf(0) for v in (result if isinstance(result, list) else [result])]


def exact_vector_vjp(name, x, g):
    """Return g times the Jacobian at x, by differences of very close points."""
    step = mpf(2) ** -200
    with mp.workprec(700):
        columns = []
        for i in range(len(x)):
            up, down = ([mpf(v) + (sign * step if k == i else 0) for k, v in enumerate(x)] for sign in (1, -1))
            ends = exact_vector(name, up), exact_vector(name, down)
            columns.append(mp.fsum(mpf(c) * (a - b) / (2 * step) for c, a, b in zip(g, *ends, strict=True)))
    return columns


def ulp_error(got, want, dtype):
    """Return |got - want| in units in the last place of `want` in dtype; inf where only one of them is finite.

    `want` is an mpf. A result that overflows is right where `want`, rounded, does.
    """
    info = np.finfo(dtype)
    got = float(got)
    largest = mpf(float(info.max)) * (1 + mpf(2) ** -(info.nmant + 2))
    if abs(want) >= largest:
        return 0.0 if math.isinf(got) and (got > 0) == (want > 0) else math.inf
    if not math.isfinite(got):
        return math.inf
    exponent = max(mpmath.frexp(want)[1] - 1, info.minexp) if want else info.minexp
    return float(abs(mpf(got) - want) / mpf(2) ** (exponent - info.nmant))
