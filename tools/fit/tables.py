"""Prints src/math/interval_tables_f32.h: functions as a quotient for each of 8 intervals, for src/math/interval_tables.h.

python tools/fit/tables.py > src/math/interval_tables_f32.h        (needs mpmath)
"""

from fit import SHORT, literal, numbers, rounded
from mpmath import cos, findroot, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt
from normal import mills

mp.prec = 240

PRECISION, SIZE = 24, 8
SHORT_HEAD = PRECISION - SHORT[PRECISION] - 2  # its products with the short numbers of exponential.h are exact


def intervals(scale):
    """By the bits of 1 + scale x < 16, two to each octave, from that of 2 on: from where to where."""
    for j in range(SIZE):
        octave, part = divmod((j + 2) % SIZE, 2)
        yield tuple((mpf(2) ** octave * (1 + mpf(part + k) / 2) - 1) / scale for k in (0, 1))


def quotient_table(name, what, f, scale, end, bits):
    """f(x) = head + d n(d)/(1 + d m(d)) for each interval, with n of degree 2 and m of degree 1.

    d is the distance from a number near the middle where f is very nearly a number of so few bits, the head.
    """
    rows, errors = [], []
    for first, last in intervals(mpf(scale)):
        centre, head = near_value(f, first, min(last, mpf(end)), bits)
        a, b = first - centre, min(last, mpf(end)) - centre
        middle, half, n = (a + b) / 2, (b - a) / 2, 50
        nodes = [middle - half * cos(pi * (k + mpf("0.5")) / n) for k in range(n)]
        *c, error = rounded_quotient(
            nodes, [(f(centre + d) - head) / d for d in nodes], [d / f(centre + d) for d in nodes]
        )
        rows.append((centre, head, *c))
        errors.append(error)
    print(f"#define {name}_SCALE R({literal(mpf(scale), PRECISION)})")
    print(f"/* {what} on {SIZE} intervals, relative error 2^{nstr(log(max(errors), 2), 3)} */")
    columns = [list(column) for column in zip(*rows)]
    numbers("", f"{name}_CENTRE", columns[0], PRECISION)
    numbers("", f"{name}_AT_CENTRE", columns[1], PRECISION)
    numbers("", f"{name}_NUMERATOR", columns[2:5], PRECISION)
    numbers("", f"{name}_DENOMINATOR", columns[5:], PRECISION)


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


def main():
    print(
        "/* The constants of interval_tables.h for PYRELU_BITS = 32, printed by tools/fit/tables.py */\n/* clang-format off */\n"
    )
    quotient_table("NORMAL", "Phi(-x) exp(x^2/2)", normal_tail, 1, 15, bits=SHORT_HEAD)


if __name__ == "__main__":
    main()
