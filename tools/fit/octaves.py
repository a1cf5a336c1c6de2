"""Prints src/math/octaves_f32.h: functions that fall like e^-u, as a polynomial on each of 32 octaves, for src/math/octaves.h.

python tools/fit/octaves.py > src/math/octaves_f32.h        (needs mpmath)
"""

from fit import horner, rounded, rounded_minimax
from mpmath import exp, linspace, log, log1p, mp, mpf, nstr
from piecewise import NEARLY_0, PRECISION, SIZE, array, print_wrapped

mp.prec = 160

UNIT = 80  # as in src/math/octaves.h
TERMS = 6
LN2 = log(mpf(2))
BEYOND = mpf("1e-4")  # by how much roundings let u be beyond the end of an octave


def octave(f, k):
    """Return a centre d, 2^k f(k ln 2 + d), the coefficients of the rest over the distance to d, and the largest relative error.

    The last octave is that of all higher k, too. The centre is near the middle, a multiple of 2^-22, so that distances are
    exact, and one where the value is very nearly a number.
    """
    first, last = -LN2 / 2 - BEYOND if k else mpf(0), LN2 / 2 + BEYOND

    def scaled(d):
        return exp(-d) if k == SIZE - 1 else mpf(2) ** k * f(k * LN2 + d)

    def error(centre):
        return abs(rounded(scaled(centre), PRECISION) / scaled(centre) - 1)

    middle = int((first + last) / 2 * 2**22)
    centre = min((mpf(middle + 64 * step) / 2**22 for step in range(-500, 501)), key=error)
    head = rounded(scaled(centre), PRECISION)

    def away(d):
        return d if abs(d) > NEARLY_0 else NEARLY_0

    c = rounded_minimax(
        lambda d: (scaled(centre + away(d)) - head) / away(d),
        lambda d: away(d) / abs(scaled(centre + away(d))),
        first - centre,
        last - centre,
        TERMS - 1,
        PRECISION,
    )
    errors = [
        abs((head + d * horner(c, d)) / scaled(centre + d) - 1) for d in linspace(first - centre, last - centre, 101)
    ]
    return (centre, head, *c), max(errors)


def table(name, what, f, unit=0):
    """Print f times 2^unit, for f that is e^-u up to a factor of 1 + 2^-30 from the last octave on."""
    rows, errors = zip(*(octave(f, k) for k in range(SIZE)))
    centres, *columns = zip(*rows)
    scaled = [array([x * mpf(2) ** unit for x in column]) for column in columns]
    print(f"/* {what}: relative error 2^{nstr(log(max(errors), 2), 3)} */")
    print(f"static const octaves {name} = {{")
    print_wrapped(f"{array(centres)}, {scaled[0]}, {{{', '.join(scaled[1:])}}}}};")


def logistic(u):
    return 1 / (1 + exp(-u))


def main():
    print(
        "/* The constants of octaves.h for PYRELU_BITS = 32, printed by tools/fit/octaves.py */\n/* clang-format off */\n"
    )
    table("SIGMOID_OCTAVES", "2^80 sigmoid(-u)", lambda u: logistic(-u), UNIT)
    table("SOFTPLUS_OCTAVES", "2^80 log(1 + e^-u)", lambda u: log1p(exp(-u)), UNIT)
    table("SIGMOID_SLOPE_OCTAVES", "sigmoid'(u)", lambda u: logistic(u) * logistic(-u))


if __name__ == "__main__":
    main()
