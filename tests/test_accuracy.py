"""Values and derivatives against mpmath: every row stays within the bounds of the table."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import derivative as derivative_of
from helpers import forward, parameter_values, parameters, rng
from oracle import DERIVATIVE, FORWARD, KINDS, exact, exact_vector, exact_vector_vjp, kinks, ulp_error

import pyrelu as pr
from pyrelu.registry import activations

pytestmark = pytest.mark.usefixtures("overflow_is_expected")


FLOATS = [np.float32, np.float64]
MATH = Path(__file__).parent.parent / "src" / "math"
PIECES = re.findall(r"piecewise \w+ = \{\s*R\((.*?)\), R\((.*?)\), R\((.*?)\),", (MATH / "piecewise_f32.h").read_text())
OCTAVES = (np.arange(174) + 0.5) * np.log(2)  # src/math/octaves.h


def ends_of_pieces(name, dtype):
    """Return where formulas go from one interval to the next, with any instruction set."""
    ends = [0.5, 1, 2, 3, 5, 7, 11] if name == "gelu" else []  # src/math/interval_tables.h
    if dtype == np.float32 and name in ("gelu", "tanh"):
        for end, linear, quadratic in np.array(PIECES, float):
            position = np.minimum(np.arange(32) + 0.5, linear * end + quadratic * end**2)
            ends += [*(2 * position / (linear + np.sqrt(linear**2 + 4 * quadratic * position)))]
    if dtype == np.float32 and not activations[name].kinks:
        ends += [*OCTAVES, *OCTAVES / 2, *OCTAVES / 1.702]
    return np.array(ends)


def inputs(name, dtype, n):
    """Inputs of all magnitudes, where exp leaves the normal range, special points, and beside kinks and ends of intervals."""
    r = rng(name, dtype)
    reach = {np.float16: 12, np.float32: 120, np.float64: 800}[dtype]
    x = np.concatenate(
        [
            r.uniform(-reach, reach, n),
            r.uniform(-8, 8, n),
            r.normal(size=n),
            np.exp(r.uniform(np.log(float(np.finfo(dtype).smallest_subnormal)), np.log(1e4), n)) * r.choice([-1, 1], n),
            [0.0, -0.0, 1, -1, 0.5, -0.5, 3, -3],
        ]
    ).astype(dtype)
    ends = ends_of_pieces(name, dtype)
    near = np.concatenate([list(kinks(name, **parameters(name))), ends, -ends]).astype(dtype)
    near = np.concatenate([near, np.nextafter(near, dtype(np.inf)), np.nextafter(near, dtype(-np.inf))])
    return np.concatenate([x, near])


def bound(name, kind, dtype):
    """The table's bound; half precision rounds a float32 result."""
    forward32, derivative32, forward64, derivative64 = activations[name].ulp
    if dtype == np.float64:
        return forward64 if kind == FORWARD else derivative64
    at32 = forward32 if kind == FORWARD else derivative32
    return at32 if dtype == np.float32 else 0.5 + at32 * 2.0**-13


@pytest.mark.parametrize("kind", KINDS)
def test_error_is_within_the_bound_of_the_table(activation, kind, dtype):
    x = inputs(activation, dtype, 40 if dtype == np.float16 else 150)  # of float16, a test below takes every input
    got = (forward if kind == FORWARD else derivative_of)(activation, x)
    worst, witness = 0.0, None
    one = float(np.finfo(dtype).eps)
    for xi, yi in zip(x.tolist(), got.tolist(), strict=True):
        want = exact(activation, xi, kind, **parameters(activation))
        error = ulp_error(yi, want, dtype)
        if kind == DERIVATIVE and abs(want) < 2**-4:  # near a root the bound is in ULP of 1
            error = min(error, float(abs(yi - want)) / one)
        if error > worst:
            worst, witness = error, (xi, yi, float(want))
    assert worst <= bound(activation, kind, dtype), f"{worst} ULP at (x, got, want) = {witness}"


def test_float16_of_every_input(activation):
    """Against the float64 function, which the test above holds to mpmath."""
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    x = x[np.isfinite(x)]
    got, want = forward(activation, x).astype(float), forward(activation, x.astype(float))
    largest = float(np.finfo(np.float16).max)
    fits = np.abs(want) <= largest
    unit = 2.0 ** (np.maximum(np.frexp(want)[1], -13) - 11)  # of the last place; 2^-24 for subnormal numbers
    assert np.max(np.abs(got[fits] - want[fits]) / unit[fits]) <= 0.501
    assert (np.abs(got[~fits]) >= largest).all()


def inputs_for(name, dtype, values):
    """Inputs of all magnitudes, and where parameters that scale x put the bend."""
    r = rng(name, dtype, values)
    reach = {np.float32: 120, np.float64: 800}[dtype]
    x = np.concatenate([r.uniform(-reach, reach, 8), r.uniform(-8, 8, 8), np.exp(r.uniform(-60, 12, 6)), [1.0, 0.0]])
    scales = [s for v in values if v for s in (abs(v), 1 / abs(v))]
    ends = kinks(name, **dict(zip(activations[name].parameters, values, strict=True)))
    return np.unique(np.concatenate([x, -x, *(s * x[:12] for s in scales), ends]).astype(dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype_", FLOATS)
def test_parameters_away_from_their_defaults(activation, kind, dtype_):
    """One ULP is allowed beyond the bound at the defaults; parameters from 10^-6 to 10^6, and 0."""
    names = list(activations[activation].parameters)
    namespace = pr.functional if kind == FORWARD else pr.derivative
    one, limit = float(np.finfo(dtype_).eps), bound(activation, kind, dtype_) + 1
    cases = [values for values in parameter_values(activation, dtype_) if np.isfinite(values).all()] if names else []
    cases = cases[:: 5 if len(names) > 1 else 1]
    if len(names) == 1:  # the ends of what the test promises
        cases += [(dtype_(s * 1e6),) for s in (1, -1) if (-0.3,) in cases or s == 1] + [(dtype_(1e-6),)]
    for values in cases:
        given = dict(zip(names, map(float, values), strict=True))
        x = inputs_for(activation, dtype_, values)
        if kind == DERIVATIVE and given == {"b": 0}:  # squareplus becomes relu, whose formula has no slope at 0
            x = x[x != 0]
        got = getattr(namespace, activation)(x, *values)
        for xi, yi in zip(x.tolist(), got.tolist(), strict=True):
            want = exact(activation, xi, kind, **given)
            error = ulp_error(yi, want, dtype_)
            if kind == DERIVATIVE and abs(want) < 2**-4:
                error = min(error, float(abs(yi - want)) / one)
            assert error <= limit, (xi, given, yi, float(want))


def axis_error(name, got, want, dtype):
    """The error in the unit that the row states its bound in."""
    error = ulp_error(got, want, dtype)
    if pr.axis_functions[name].error.endswith("ULP of 1"):
        error = min(error, float(abs(got - want)) / float(np.finfo(dtype).eps))
    return error


@pytest.mark.parametrize(("n", "spread"), [(1, 5), (2, 5), (3, 40), (10, 0.1), (10, 40), (100, 5), (1000, 5)])
def test_axis_functions(axis_function, dtype, n, spread):
    x = (rng(axis_function, n).normal(size=n) * spread).astype(dtype)
    got = np.ravel(getattr(pr, axis_function)(x)).tolist()
    limit = float(pr.axis_functions[axis_function].error.split()[0])
    for g, w in zip(got, exact_vector(axis_function, x.tolist()), strict=True):
        assert axis_error(axis_function, g, w, dtype) <= limit


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_vjp_of_axis_functions_is_g_times_the_jacobian(axis_function, dtype, n):
    x, g = rng(axis_function, n).normal(size=(2, n)).astype(dtype)
    if pr.axis_functions[axis_function].signature.endswith("()"):
        g = g[0]
    got = getattr(pr.vjp, axis_function)(x, g).tolist()
    want = exact_vector_vjp(axis_function, x.tolist(), np.ravel(g).tolist())
    scale = max(1, float(np.abs(g.astype(float)).sum()))
    for a, b in zip(got, want, strict=True):
        assert abs(a - b) <= 4 * float(np.finfo(dtype).eps) * scale
