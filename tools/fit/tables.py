"""Prints src/math/interval_tables_f32.h: functions as a polynomial for each of 8 or 16 intervals, for src/math/interval_tables.h.

python tools/fit/tables.py > src/math/interval_tables_f32.h        (needs mpmath)
"""

from fit import SHORT, horner, literal, numbers, rounded, rounded_minimax
from mpmath import cos, exp, findroot, linspace, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt, tanh
from normal import mills

mp.prec = 240

PRECISION = 24
NEARLY_0 = mpf(2) ** -60
SHORT_HEAD = PRECISION - SHORT[PRECISION] - 2  # its products with the short numbers of exponential.h are exact


def intervals(size, scale):
    """By the bits of 1 + scale x < 16, as many to each octave, from that of 2 on: from where to where."""
    for j in range(size):
        octave, part = divmod((j + size // 4) % size, size // 4)
        yield tuple((mpf(2) ** octave * (1 + mpf(part + k) / (size // 4)) - 1) / scale for k in (0, 1))


def table(name, what, f, degrees, scale, end, **options):
    """The tables of f up to `end`, of the degree for each size: {size: degree}."""
    print(f"#define {name}_SCALE R({literal(mpf(scale), PRECISION)})")
    for size, degree in degrees.items():
        rows, errors = zip(
            *(fitted(f, first, last, degree, mpf(end), **options) for first, last in intervals(size, mpf(scale)))
        )
        print(f"/* {what} on {size} intervals, relative error 2^{nstr(log(max(errors), 2), 3)} */")
        columns = [list(column) for column in zip(*rows)]
        numbers("", f"{name}_CENTRE_{size}", columns[0], PRECISION)
        numbers("", f"{name}_AT_CENTRE_{size}", columns[1], PRECISION)
        numbers("", f"{name}_QUOTIENT_{size}", columns[2:], PRECISION)


def fitted(f, first, last, degree, end, bits=PRECISION, visible=0, exact_at_0=False):
    """f(x) = head + d P(d): the centre, the head, of so many bits, P's coefficients and the largest error of an interval.

    The centre is a number near the middle where f is very nearly a number, so that the head has no error to speak of, or
    the first one is 0 if f is to be `exact_at_0`; if it is 0 there, f(x) = x + x P(x). Errors are
    relative to f or, where that is less, to `visible`.
    """
    last = max(min(last, end), first)
    if abs(f(last) - f(first)) < abs(f(first)) * mpf(2) ** -PRECISION:  # as good as constant
        return (rounded(first, PRECISION), rounded(f(last), bits), *[mpf(0)] * degree), abs(f(last) / f(first) - 1)
    at_0 = first == 0 and exact_at_0
    from_0 = at_0 and f(first) == 0
    centre, head = (mpf(0), f(first)) if at_0 else near_value(f, first, last, bits)

    def away(d):
        return d if abs(d) > NEARLY_0 else NEARLY_0

    def quotient(d):
        return f(away(d)) / away(d) - 1 if from_0 else (f(centre + away(d)) - f(centre)) / away(d)

    def weight(d):
        return away(d) / magnitude(centre + away(d))

    def magnitude(x):
        return max(abs(f(x)), visible)

    c = rounded_minimax(quotient, weight, first - centre, last - centre, degree - 1, PRECISION)
    distances = [x - centre for x in linspace(first + (last - first) / 1000, last, 101)]
    errors = [((d if from_0 else head) + d * horner(c, d) - f(centre + d)) / magnitude(centre + d) for d in distances]
    return (centre, head, *c), max(map(abs, errors))


def quotient_table(name, what, f, size, scale, end, bits):
    """The same by f(x) = head + d n(d)/(1 + d m(d)) for each interval, with n of degree 2 and m of degree 1."""
    rows, errors = [], []
    for first, last in intervals(size, mpf(scale)):
        centre, head = near_value(f, first, min(last, mpf(end)), bits)
        a, b = first - centre, min(last, mpf(end)) - centre
        middle, half, n = (a + b) / 2, (b - a) / 2, 50
        nodes = [middle - half * cos(pi * (k + mpf("0.5")) / n) for k in range(n)]
        *c, error = rounded_quotient(
            nodes, [(f(centre + d) - head) / d for d in nodes], [d / f(centre + d) for d in nodes]
        )
        rows.append((centre, head, *c))
        errors.append(error)
    print(f"/* {what} on {size} intervals as quotients, relative error 2^{nstr(log(max(errors), 2), 3)} */")
    columns = [list(column) for column in zip(*rows)]
    numbers("", f"{name}_CENTRE_{size}", columns[0], PRECISION)
    numbers("", f"{name}_AT_CENTRE_{size}", columns[1], PRECISION)
    numbers("", f"{name}_NUMERATOR_{size}", columns[2:5], PRECISION)
    numbers("", f"{name}_DENOMINATOR_{size}", columns[5:], PRECISION)


def rounded_quotient(x, y, weights):
    """The rounded coefficients n0, n1, n2, m0, m1 of (n0 + n1 x + n2 x^2)/(1 + m0 x + m1 x^2), and the largest error.

    Each is rounded in turn and made up for by those after it. A fit is linear once multiplied by the denominator of the
    one before; Lawson's weights make the largest error least.
    """
    powers = (0, 1, 2, 1, 2)  # of the coefficients' terms
    known, result = {}, None
    for fixed in (None, 0, 3, 1, 4, 2):
        if fixed is not None:
            known[fixed] = rounded(result[fixed], PRECISION)
        result, least, below, lawson = None, mpf("inf"), [mpf(1)] * len(x), [mpf(1)] * len(x)
        for _ in range(10):
            free = [k for k in range(5) if k not in known]
            rows, values = [], []
            for v, target, weight, q, more in zip(x, y, weights, below, lawson):
                terms = [v ** powers[k] * (1 if k < 3 else -target) * weight / q * sqrt(more) for k in range(5)]
                rows.append([terms[k] for k in free])
                values.append(target * weight / q * sqrt(more) - sum(terms[k] * c for k, c in known.items()))
            c = known | dict(zip(free, lu_solve(matrix(rows), matrix(values)) if free else ()))
            below = [1 + c[3] * v + c[4] * v**2 for v in x]
            errors = [
                abs(((c[0] + c[1] * v + c[2] * v**2) / q - target) * weight)
                for v, target, weight, q in zip(x, y, weights, below)
            ]
            if max(errors) < least:
                result, least = c, max(errors)
            lawson = [more * error for more, error in zip(lawson, errors)]
            lawson = [more / max(lawson) + mpf(10) ** -9 for more in lawson]
    return [*(result[k] for k in range(5)), least]


def near_value(f, first, last, bits):
    """A number near the middle of an interval where f is very nearly a number of so few bits, and that."""
    middle = (first + last) / 2
    unit = mpf(2) ** (int(mp.floor(log(abs(f(middle)), 2))) + 1 - bits)
    step = max(1, int(abs(f(last) - f(first)) / 400 / unit))
    candidates = [(mp.nint(f(middle) / unit) + k * step) * unit for k in range(-12, 13)]
    found = [(solved(f, value, middle), value) for value in candidates]
    near = [(abs(f(x) / value - 1), x, value) for x, value in found if abs(x - middle) < (last - first) / 12]
    return min(near)[1:]


def solved(f, value, start):
    """x with f(x) = value, rounded; infinity if there is none."""
    try:
        return rounded(findroot(lambda x: f(x) - value, start), PRECISION)
    except (ValueError, ZeroDivisionError):
        return mpf("inf")


def normal_tail(a):
    return mills(a) / sqrt(2 * pi)


def gelu_slope(a):
    return (mills(a) - a) / sqrt(2 * pi)


def logistic(u):
    return 1 / (1 + exp(-u))


def gated_slope(x, u, slope):
    """The derivative of x sigmoid(u) at -x, times e^u."""
    return logistic(u) * (1 - x * slope * logistic(u))


def gelu_tanh_slope(x):
    c, cubic = 2 * sqrt(2 / pi), mpf("0.044715")
    return gated_slope(x, c * (x + cubic * x**3), c * (1 + 3 * cubic * x**2))


def main():
    print(
        "/* The constants of interval_tables.h for PYRELU_BITS = 32, printed by tools/fit/tables.py */\n/* clang-format off */\n"
    )
    # with this scale the second interval begins with a tanh above a power of 2, where its ULP is twice that below
    table("TANH", "tanh x", tanh, {16: 6}, 0.90625, 9.5, exact_at_0=True)
    table("NORMAL", "Phi(-x) exp(x^2/2)", normal_tail, {16: 6}, 1, 15, bits=SHORT_HEAD)
    quotient_table("NORMAL", "Phi(-x) exp(x^2/2)", normal_tail, 8, 1, 15, bits=SHORT_HEAD)
    # with these the root is near the middle of an interval, so that in the others the head is most of the value
    seen = mpf(1) / 32
    table("GELU_SLOPE", "gelu'(-x) exp(x^2/2)", gelu_slope, {16: 7}, 0.828125, 15, visible=seen)
    table("GELU_TANH_SLOPE", "gelu_tanh'(-x) e^u", gelu_tanh_slope, {16: 7}, 1.28125, 11, visible=seen)


if __name__ == "__main__":
    main()
