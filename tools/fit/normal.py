"""Prints src/math/normal_f32.h or src/math/normal_f64.h: the polynomials of src/math/normal.h.

    python tools/fit/normal.py 32 > src/math/normal_f32.h        (needs mpmath)

Everything is a function of Mills' ratio R(a) = Phi(-a)/phi(a) = sqrt(pi/2) exp(a^2/2) erfc(a/sqrt(2)), which falls
from sqrt(pi/2) to 1/a: a polynomial in w = a/(slope a + shift) follows it from 0 to the last subnormal.
"""

import sys

from fit import literal, polynomial, split
from mpmath import erfc, exp, findroot, log, mp, mpf, pi, sqrt

mp.prec = 240  # R(38) is the quotient of numbers near 2^-1000, but of full relative accuracy

SETTINGS = {  # bits: (precision, end of the normal results, slope, shift, middle of w, degrees for gelu and its derivative)
    32: (24, mpf("13.3"), mpf("2"), mpf("2.5"), mpf("0.25"), 12, 11),
    64: (53, mpf("38.6"), mpf("2"), mpf("3.5"), mpf("0.25"), 30, 26),
}


def mills(a):
    return sqrt(pi / 2) * exp(a * a / 2) * erfc(a / sqrt(mpf(2)))


def main(bits):
    precision, end, slope, shift, middle, degree, derivative_degree = SETTINGS[bits]
    root2pi, tiny = sqrt(2 * pi), mpf(2) ** -70
    first, last = tiny - middle, end / (slope * end + shift) - middle

    def a_of(t):
        w = t + middle
        return w, shift * w / (1 - slope * w)

    def scaled_mills(t):  # Phi(-a)/phi(0) exp(a^2/2) a/w, less its value at a = 0, per w
        w, a = a_of(t)
        return (mills(a) * (slope * a + shift) / root2pi - shift / 2) / w

    def scaled_weight(t):
        w, a = a_of(t)
        return w * root2pi / (mills(a) * (slope * a + shift))

    def sensitivity(t):  # d(a R(a)/sqrt(2 pi))/dw (slope a + shift)^-1
        w, a = a_of(t + tiny - middle)
        return (mills(a) * (1 + a * a) - a) * (slope * a + shift) / (shift * root2pi)

    def sensitivity_weight(t):
        return root2pi / mills(a_of(t + tiny - middle)[1])

    root = findroot(lambda a: mills(a) - a, mpf("0.75"))

    def slope_ratio(t):  # (R(a) - a)/((root - a) sqrt(2 pi))
        a = a_of(t)[1]
        return (mills(a) - a) / (root - a) / root2pi

    print(
        f"/* The constants of normal.h for PYRELU_BITS = {bits}, printed by tools/fit/normal.py {bits} */\n/* clang-format off */\n"
    )
    for name, value in ("SLOPE", slope), ("SHIFT", shift), ("MIDDLE", middle):
        print(f"#define NORMAL_{name} R({literal(value, precision)})")
    polynomial(
        "TAIL_POLYNOMIAL",
        "(R(a) a/w/sqrt(2 pi) - SHIFT/2)/w of w - MIDDLE, relative to R(a) a/w/sqrt(2 pi)",
        scaled_mills,
        scaled_weight,
        first,
        last,
        degree,
        precision,
    )
    polynomial(
        "TAIL_SENSITIVITY",
        "d(a R(a)/sqrt(2 pi))/dw/(SLOPE a + SHIFT) of w, relative to R(a)/sqrt(2 pi)",
        sensitivity,
        sensitivity_weight,
        tiny,
        last + middle,
        {32: 1, 64: 3}[bits],
        precision,
    )
    polynomial(
        "GELU_SLOPE_POLYNOMIAL",
        "(R(a) - a)/(GELU_SLOPE_ROOT - a)/sqrt(2 pi) - 7/16 of w - MIDDLE, relative to that + 7/16",
        lambda t: slope_ratio(t) - mpf("0.4375"),
        lambda t: 1 / slope_ratio(t),
        first,
        last,
        derivative_degree,
        precision,
    )
    split("GELU_SLOPE_ROOT", "where R(a) = a", root, precision)
    if bits == 32:
        split("INVERSE_ROOT_2PI", "1/sqrt(2 pi)", 1 / sqrt(2 * pi), precision)
    split("GELU_TANH_LINEAR", "2 sqrt(2/pi), with a short head", 2 * sqrt(2 / pi), precision, {32: 16, 64: 40}[bits])
    split("GELU_TANH_CUBIC", "2 sqrt(2/pi) 0.044715", 2 * sqrt(2 / pi) * mpf("0.044715"), precision)
    linear = 4 / log(2) * 2 * sqrt(2 / pi)
    split("GELU_TANH_LINEAR_QUARTERS", "the same in quarters of an octave", linear, precision, {32: 16, 64: 40}[bits])
    split("GELU_TANH_CUBIC_QUARTERS", "and 0.044715 times that", linear * mpf("0.044715"), precision)
    split("GELU_TANH_SLOPE_CUBIC", "three times that", 6 * sqrt(2 / pi) * mpf("0.044715"), precision)


if __name__ == "__main__":
    main(int(sys.argv[1]))
