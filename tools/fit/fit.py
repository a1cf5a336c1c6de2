"""Prints src/math/elementary_f32.h or src/math/elementary_f64.h: the constants of src/math/exponential.h and src/math/elementary.h.

    python tools/fit/fit.py 32 > src/math/elementary_f32.h        (needs mpmath)

Each polynomial is the minimax one for the weight given, found by Lawson's reweighted least squares in 240-bit
arithmetic; the error printed with it is that of the rounded coefficients, relative to the function that it serves.
"""

import sys
from textwrap import wrap

from mpmath import (
    atanh,
    cos,
    cosh,
    erfc,
    exp,
    expm1,
    linspace,
    log,
    lu_solve,
    matrix,
    mp,
    mpf,
    nstr,
    pi,
    sqrt,
    tanh,
)

mp.prec = 240


def minimax(f, weight, a, b, degree, rounds=8):
    """The coefficients, lowest first, that nearly minimise max |weight (polynomial - f)| over [a, b]."""
    n = 8 * (degree + 2)
    a, b = mpf(a), mpf(b)
    x = [(a + b) / 2 - (b - a) / 2 * cos(pi * (i + mpf("0.5")) / n) for i in range(n)]
    values, weights, lawson = [f(t) for t in x], [weight(t) for t in x], [mpf(1)] * n
    best = None
    for _ in range(rounds):
        w = [v * sqrt(u) for v, u in zip(weights, lawson)]
        c = list(
            lu_solve(
                matrix([[v * t**j for j in range(degree + 1)] for v, t in zip(w, x)]),
                matrix([v * y for v, y in zip(w, values)]),
            )
        )  # more rows than columns: least squares
        error = [abs(v * (horner(c, t) - y)) for v, t, y in zip(weights, x, values)]
        if best is None or max(error) < best[0]:
            best = max(error), c
        lawson = [u * e for u, e in zip(lawson, error)]
        lawson = [u / max(lawson) for u in lawson]
    return best[1]


def rounded_minimax(f, weight, a, b, degree, precision):
    """As minimax, but each coefficient, once rounded, is made up for by those after it."""
    if degree < 0:
        return []
    c = rounded(minimax(f, weight, a, b, degree)[0], precision)
    return [c, *rounded_minimax(lambda t: (f(t) - c) / t, lambda t: weight(t) * t, a, b, degree - 1, precision)]


def horner(c, x):
    y = mpf(0)
    for k in reversed(c):
        y = y * x + k
    return y


def rounded(x, precision):
    with mp.workprec(precision):
        return +x


def literal(x, precision):
    """The shortest decimal that reads back as x."""
    for digits in range(6, 25):
        text = nstr(x, digits, strip_zeros=True, min_fixed=-3)
        if rounded(mpf(text), precision) == x:
            return text


def polynomial(name, what, f, weight, a, b, degree, precision):
    c = rounded_minimax(f, weight, a, b, degree, precision)
    worst = max(abs(weight(t) * (horner(c, t) - f(t))) for t in linspace(mpf(a), mpf(b), 2001))
    print(f"/* {what}: error 2^{nstr(log(worst, 2), 3)} */")
    numbers = ", ".join(f"R({literal(k, precision)})" for k in c)
    print("\n    ".join(wrap(f"static const real {name}[] = {{{numbers}}};", 112)))


def split(name, what, x, precision, head=None):
    """x as the unevaluated sum of two numbers, the first of `head` bits."""
    hi = rounded(x, head or precision)
    lo = rounded(x - hi, precision)
    print(f"/* {what} */")
    print(f"static const dd_constant {name} = {{R({literal(hi, precision)}), R({literal(lo, precision)})}};")


def numbers(what, name, values, precision):
    """An array, or one of arrays."""
    if what:
        print(f"/* {what} */")
    nested = isinstance(values[0], list)
    rows = [", ".join(f"R({literal(x, precision)})" for x in row) for row in (values if nested else [values])]
    text = ", ".join(f"{{{row}}}" for row in rows) if nested else rows[0]
    size = f"[{len(values[0])}]" if nested else ""
    print("\n    ".join(wrap(f"static const real {name}[]{size} = {{{text}}};", 112)))


def exp_table(size, precision):
    """2^(j/size) for j < size as a short number, and the logarithm of the factor that this lacks."""
    exact = [mpf(2) ** (mpf(j) / size) for j in range(size)]
    short = [rounded(x, SHORT[precision]) for x in exact]
    # the bits of a number in [1, 2), less j/size of the distance to 2, are those of another in (1 - 1/16, 1]
    units = mpf(2) ** (precision - 1)
    less = [(x - 1) * units - mpf(j) * units / size for j, x in enumerate(short)]
    moved = [1 + b / units if b >= 0 else 1 + b / units / 2 for b in less]
    numbers(
        f"2^(j/{size}) to {SHORT[precision]} bits, with j/{size} of an exponent step subtracted from its bit pattern",
        f"EXP_TABLE_{size}",
        moved,
        precision,
    )
    numbers(
        f"the logarithm of 2^(j/{size}) divided by that",
        f"EXP_RESIDUAL_{size}",
        [rounded(log(x / y), precision) for x, y in zip(exact, short)],
        precision,
    )


def roots_of_2(size, factor, precision):
    """factor 2^(j/size) for j < size, rounded, and the largest relative error of these."""
    exact = [factor * mpf(2) ** (mpf(j) / size) for j in range(size)]
    near = [rounded(x, precision) for x in exact]
    return near, max(abs(x / y - 1) for x, y in zip(near, exact))


def nearly_exact(size, precision, steps):
    """The factor, steps[i] units in the last place below 1, whose products with the roots of 2 are nearest to numbers."""
    factors = [1 - mpf(k) / 2**precision for k in steps]
    return min(factors, key=lambda c: roots_of_2(size, c, precision)[1])


def power_bits(near, precision):
    """Numbers whose bits are those of `near`, less j/size of the distance from 1 to 2; see exp_table."""
    units = mpf(2) ** (precision - 1)
    less = [(x - 1) * units * (2 if x < 1 else 1) - mpf(j) * units / len(near) for j, x in enumerate(near)]
    return [1 + b / units / (2 if b < 0 else 1) for b in less]


def quarters(precision, degree):
    """e^x by quarters of an octave: the table, the polynomial, and what turns x into quarters."""
    c = nearly_exact(4, precision, range(1 << {24: 13, 53: 16}[precision]))
    near, error = roots_of_2(4, c, precision)
    numbers(
        f"c 2^(j/4), relative error 2^{nstr(log(error, 2), 3)}, with j/4 of an exponent step subtracted",
        "QUARTER_TABLE",
        power_bits(near, precision),
        precision,
    )
    width = mpf("0.5001")
    polynomial(
        "QUARTER_POLYNOMIAL",
        "2^(t/4)/c - 1 on |t| <= 1/2, relative to 2^(t/4)/c",
        lambda t: mpf(2) ** (t / 4) / c - 1,
        lambda t: c / mpf(2) ** (t / 4),
        -width,
        width,
        degree,
        precision,
    )
    split("QUARTERS", "4/ln 2", 4 / log(2), precision)
    split("QUICK_GELU_QUARTERS", "1.702 times that", mpf("1.702") * 4 / log(2), precision)


EXP_TABLES = {32: {8: 2, 16: 1}, 64: {16: 5}}  # bits: {size of the table: degree}
EXPM1_TABLES = {32: {8: 2, 16: 2}, 64: {16: 5}}
SHORT = {24: 10, 53: 25}  # precision: bits of what is to have exact products with numbers of the other half


def main(bits):
    precision = {32: 24, 64: 53}[bits]

    def at(t):  # the quotients below have their limit at 0
        return t if abs(t) > mpf(2) ** -60 else mpf(2) ** -60

    print(
        f"/* The constants of exponential.h and elementary.h for PYRELU_BITS = {bits}, printed by tools/fit/fit.py {bits} */\n/* clang-format off */\n"
    )
    for name, to, relative_to, size, degree in (
        ("EXP_POLYNOMIAL", "e^r", exp, 1, {32: 4, 64: 9}[bits]),
        ("EXPM1_POLYNOMIAL", "e^r - 1", expm1, 1, {32: 5, 64: 10}[bits]),
        *((f"EXP_POLYNOMIAL_{n}", "e^r", exp, n, degree) for n, degree in EXP_TABLES[bits].items()),
        *((f"EXPM1_POLYNOMIAL_{n}", "e^r - 1", expm1, n, degree) for n, degree in EXPM1_TABLES[bits].items()),
    ):
        r = log(2) / 2 / size * mpf("1.0001") + (0 if size == 1 else mpf(2) ** -SHORT[precision])
        lacking = "" if size == 1 else f" + 2^-{SHORT[precision]}"
        polynomial(
            name,
            f"(e^r - 1 - r)/r^2 on |r| <= ln(2)/{2 * size}{lacking}, relative to {to}",
            lambda r: (expm1(at(r)) - at(r)) / at(r) ** 2,
            lambda r, value=relative_to: at(r) ** 2 / value(at(r)),
            -r,
            r,
            degree,
            precision,
        )
    for size in EXP_TABLES[bits]:
        exp_table(size, precision)
    split(
        "LN2", "ln 2; hi has trailing zeros enough for k LN2.hi to be exact", log(2), precision, {32: 16, 64: 42}[bits]
    )
    polynomial(
        "LOG1P_POLYNOMIAL",
        "(log(1 + z) - z)/z^2 on 0 <= z <= 1/e, relative to log(1 + z)",
        lambda z: (log(1 + at(z)) - at(z)) / at(z) ** 2,
        lambda z: at(z) ** 2 / log(1 + at(z)),
        0,
        exp(-1) * mpf("1.0001"),
        {32: 6, 64: 13}[bits],
        precision,
    )

    def softplus(z):  # log(2 cosh(x/2)) = log(1 + e^x) - x/2, less its value at 0, per z = x^2
        return (log(cosh(sqrt(at(z)) / 2))) / at(z)

    split("LOG_2", "ln 2", log(2), precision)
    polynomial(
        "SOFTPLUS_POLYNOMIAL",
        "(log(1 + e^x) - x/2 - ln 2)/x^2 of x^2 on |x| <= 1, relative to log(1 + e^-|x|)",
        softplus,
        lambda z: at(z) / (at(z) * softplus(z) + log(2) - sqrt(at(z)) / 2),
        0,
        1,
        {32: 4, 64: 8}[bits],
        precision,
    )
    polynomial(
        "ATANH_POLYNOMIAL",
        "(atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s",
        lambda z: (atanh(sqrt(at(z))) / sqrt(at(z)) - 1) / at(z),
        lambda z: at(z) / (atanh(sqrt(at(z))) / sqrt(at(z))),
        0,
        mpf(1) / 9,
        {32: 4, 64: 9}[bits],
        precision,
    )

    def shrink(z):
        x = sqrt(at(z))
        return (x - tanh(x)) / x**3

    quarters(precision, {32: 4, 64: 8}[bits])
    polynomial(
        "TANH_DIVISOR_POLYNOMIAL",
        "x^3/(x - tanh x) of -x^2 on |x| <= 1, relative to tanh(x)/(x - tanh x)",
        lambda z: 1 / shrink(-z),
        lambda z: shrink(-z) * (sqrt(at(-z)) / tanh(sqrt(at(-z))) - 1),
        -1,
        0,
        {32: 3, 64: 7}[bits],
        precision,
    )
    polynomial(
        "TANHSHRINK_POLYNOMIAL",
        "(x^3/(x - tanh x) - 3)/x^2 of x^2 on |x| <= 1, relative to x^3/(x - tanh x)",
        lambda z: (1 / shrink(z) - 3) / at(z),
        lambda z: at(z) * shrink(z),
        0,
        1,
        {32: 3, 64: 7}[bits],
        precision,
    )
    if bits == 64:
        polynomial(
            "EXP_ROOT_POLYNOMIAL",
            "e^t on |t| <= ln(2)/4, relative to it",
            exp,
            lambda t: exp(-t),
            -log(2) / 4 * mpf("1.0001"),
            log(2) / 4 * mpf("1.0001"),
            9,
            precision,
        )
        near, _ = roots_of_2(16, 1, precision)
        numbers(
            "2^(j/16), with j/16 of an exponent step subtracted",
            "SIXTEENTH_TABLE",
            power_bits(near, precision),
            precision,
        )
        polynomial(
            "SIXTEENTH_POLYNOMIAL",
            "2^(t/16) on |t| <= 1/2, relative to it",
            lambda t: mpf(2) ** (t / 16),
            lambda t: mpf(2) ** (-t / 16),
            mpf("-0.5001"),
            mpf("0.5001"),
            6,
            precision,
        )
        print(f"/* 16/ln 2 */\n#define SIXTEENTHS R({literal(rounded(16 / log(2), precision), precision)})")
    polynomial(
        "TANH_POLYNOMIAL",
        "(1/3 - (x - tanh x)/x^3)/x^2 of x^2 on |x| <= 0.9, relative to x - tanh x",
        lambda z: (mpf(1) / 3 - shrink(z)) / at(z),
        lambda z: at(z) / shrink(z),
        0,
        mpf("0.81"),
        {32: 6, 64: 14}[bits],
        precision,
    )
    # Klambauer et al., arXiv:1706.02515, equation 14: with these, mean 0 and variance 1 are a fixed point
    u, v = erfc(1 / sqrt(mpf(2))) * exp(mpf(1) / 2), erfc(sqrt(mpf(2))) * exp(2)
    alpha = sqrt(2 / pi) / (1 - u)
    scale = (1 - u) * sqrt(2 * pi / (2 * v + pi * u**2 - 2 * (2 + pi) * u + pi + 2))
    split("SELU_SCALE", "lambda", scale, precision)
    split("SELU_SCALE_ALPHA", "lambda alpha", scale * alpha, precision)
    split("QUICK_GELU_SCALE", "1.702", mpf("1.702"), precision)
    split("THIRD", "1/3", mpf(1) / 3, precision)
    split("SIXTH", "1/6", mpf(1) / 6, precision)


if __name__ == "__main__":
    main(int(sys.argv[1]))
