"""Prints src/math/piecewise_f32.h: functions as a polynomial on each of 32 intervals, for src/math/piecewise.h.

python tools/fit/piecewise.py > src/math/piecewise_f32.h        (needs mpmath)
"""

from itertools import pairwise
from textwrap import wrap

from fit import horner, literal, rounded, rounded_minimax
from mpmath import erfc, exp, findroot, floor, linspace, log, mp, mpf, nstr, pi, sqrt, tanh

mp.prec = 160

PRECISION, SIZE = 24, 32
NEARLY_0 = mpf(2) ** -60


def table(name, what, f, terms, end, linear=None, **options):
    """Print f on [0, end], by so many coefficients an interval.

    The interval of x is that whose number is nearest to linear x + quadratic x^2: wider towards the end, where f changes
    ever more slowly. Without `linear`, all have the same width.
    """
    last = SIZE - mpf("0.51")  # the end, too, is in the last interval
    quadratic = rounded((last / end - linear) / end, PRECISION) if linear else mpf(0)
    linear = rounded(mpf(linear or last / end), PRECISION)

    def inverse(position):
        return 2 * position / (sqrt(linear**2 + 4 * quadratic * position) + linear)

    limits = [mpf(0), *(inverse(k + mpf("0.5")) for k in range(SIZE))]
    rows, errors = zip(*(fitted(f, a, b, terms, **options) for a, b in pairwise(limits)))
    columns = [list(column) for column in zip(*rows)]
    print(f"/* {what}: relative error 2^{nstr(log(max(errors), 2), 3)} */")
    numbers = [f"R({literal(x, PRECISION)})" for x in (rounded(mpf(end), PRECISION), linear, quadratic)]
    arrays = [*map(array, columns[:2]), f"{{{', '.join(map(array, columns[2:]))}}}"]
    print(f"static const piecewise {name} = {{")
    print_wrapped(", ".join(numbers + arrays) + "};")


def print_wrapped(text):
    print("    " + "\n    ".join(wrap(text, 112)))


def array(values):
    return f"{{{', '.join(f'R({literal(x, PRECISION)})' for x in values)}}}"


def fitted(f, first, last, terms, from_0=False, root=None):
    """Return the centre of an interval, f there, the coefficients of (f(x) - f(centre))/(x - centre), and the error.

    The error is relative to f. The centre is a number where f is very nearly a number, which is near a root if the interval
    has one: distances from there are exact, so that f keeps its relative accuracy. But if f is `from_0`, which is for f with f(0) = 0 and f'(0) = 1, the first centre is 0 and the coefficients there are
    those of f(x)/x - 1, so that f(x) = x + x P(x) is accurate near 0 too.
    """
    at_0 = from_0 and first == 0
    if at_0:
        centre, head = mpf(0), mpf(0)
    elif root and first < root < last:
        centre = rounded(findroot(f, root), PRECISION)
        head = rounded(f(centre), PRECISION)
    else:
        centre, head = near_value(f, first, last)

    def away(d):
        return d if abs(d) > NEARLY_0 else NEARLY_0

    def quotient(d):
        return (f(centre + away(d)) - head) / away(d) - at_0

    def weight(d):
        return away(d) / abs(f(centre + away(d)))

    c = rounded_minimax(quotient, weight, first - centre, last - centre, terms - 1, PRECISION)
    distances = [away(d) for d in linspace(first - centre, last - centre, 101)]
    errors = [abs((head + d * (horner(c, d) + at_0) - f(centre + d)) / f(centre + d)) for d in distances]
    return (centre, head, *c), max(errors)


def near_value(f, first, last):
    """Return a number where f is very nearly a number, and that.

    The number is near where |f(x)/f(centre) - 1| is the same at both ends: the errors of what is added to f(centre)
    matter the least then.
    """
    middle = (first + last) / 2
    if 0 < f(first) / f(last) < 10 and f(first) != f(last):
        harmonic = 2 / (1 / f(first) + 1 / f(last))
        middle = findroot(lambda x: f(x) - harmonic, (first, last), solver="anderson")
    middle = rounded(middle, PRECISION)
    unit = mpf(2) ** (int(floor(log(middle, 2))) + 1 - PRECISION)
    step = max(1, int((last - first) / 24 / unit / 400)) * unit
    found = [rounded(middle + k * step, PRECISION) for k in range(-400, 401)]
    return min(
        (abs(rounded(f(x), PRECISION) / f(x) - 1), x, rounded(f(x), PRECISION)) for x in found if first < x < last
    )[1:]


def normal(x):
    return erfc(x / sqrt(mpf(2))) / 2 * exp(x * x / 2)


def main():
    print(
        "/* The constants of piecewise.h for PYRELU_BITS = 32, printed by tools/fit/piecewise.py */\n/* clang-format off */\n"
    )
    table("TANH_PIECES", "tanh x", tanh, 6, 9.5, from_0=True)
    table("NORMAL_PIECES", "Phi(-x) e^(x^2/2)", normal, 5, 14.99, linear=3.9)
    table(
        "GELU_SLOPE_PIECES",
        "gelu'(-x) e^(x^2/2)",
        lambda x: normal(x) - x / sqrt(2 * pi),
        5,
        14.99,
        linear=3.9,
        root=0.7518,
    )


if __name__ == "__main__":
    main()
