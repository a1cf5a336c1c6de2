/* The exponential function in parts, so that functions composed of it stay within 1 ULP.
 *
 * The algorithms are the same for both precisions; elementary_f32.h and elementary_f64.h have the constants of each.
 */
#ifndef PYRELU_EXPONENTIAL_H
#define PYRELU_EXPONENTIAL_H

#include "simd/double_double.h"

/* EXP_LOWEST: x e^x rounds to 0 for x below this, from so far below the smallest number that Intel's processors do so
 * at once (as they do below 2^-159 and 2^-1087). EXP_HIGHEST: e^x overflows above. SATURATED: 1 + x e^-x rounds to 1
 * above. UNIT: 2^-SCALE_BIAS, see scale(). LOGISTIC_UNIT: 2^-LOGISTIC_BIAS, the same for 1/(1 +
 * e^-x), whose residuals it keeps from being subnormal for x >= LOGISTIC_LOWEST, where x e^x is 0 as above. INVISIBLE:
 * 2^SCALE_BIAS times a power of 2 that does not change a sum with 1. TANH_END: tanh x rounds to 1 from here on.
 * TANH_NEAR: the polynomial for x - tanh x is valid up to here. TINY: changes no sum that it occurs in, but keeps it
 * from being subnormal. SHIFTER: the lowest bits of x + SHIFTER are x rounded to an integer. */
#if PYRELU_BITS == 32
#include "math/elementary_f32.h"
#define EXP_LOWEST R(-120.0)
#define EXP_HIGHEST R(90.0)
#define SATURATED R(24.0)
#define UNIT R(0x1p-64)
#define LOGISTIC_BIAS 74
#define LOGISTIC_UNIT R(0x1p-74)
#define LOGISTIC_LOWEST R(-115.5)
#define INVISIBLE R(0x1p4)
#define TANH_END R(9.5)
#define SOFTSIGN_LIMIT R(0x1p100)
#define SQUAREPLUS_FAR R(0x1p50)
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "math/elementary_f64.h"
#define EXP_LOWEST R(-764.0)
#define EXP_HIGHEST R(712.0)
#define SATURATED R(48.0)
#define UNIT R(0x1p-512)
#define LOGISTIC_BIAS SCALE_BIAS
#define LOGISTIC_UNIT UNIT
#define LOGISTIC_LOWEST EXP_LOWEST
#define INVISIBLE R(0x1p312)
#define TANH_END R(20.0)
#define SOFTSIGN_LIMIT R(0x1p600)
#define SQUAREPLUS_FAR R(0x1p200)
#define SCALE_BIAS 512
#define SHIFTER R(0x1.8p52)
#endif
#define TANH_NEAR R(0.9)
#define TINY R(0x1p-100)

/* x UNIT; rounds once if the result is subnormal */
INLINE vector scaled_down(vector x) { return mul(x, V(UNIT)); }

/* e^x = 2^k (1 + r + s), where |r| <= ln(2)/2 and s = O(r^2) includes the rounding error of r. p = r + s, rounded,
 * which suffices for most callers. */
typedef struct {
    vector r, s, p;
    vector_bits k; /* k in the low bits, for power_of_2; the high bits are arbitrary */
} exponential;

/* 2^(k + bias), exactly; it must be a normal number */
INLINE vector power_of_2(vector_bits k, int bias) { return (vector)((k + (bits)(R_BIAS + bias)) << R_FRACTION); }

/* v 2^k, rounded once, if v 2^(k + SCALE_BIAS) is a normal number, as it is for EXP_LOWEST's k: scales up first, which
 * is exact, then down, so that a subnormal result is rounded in the last step only. */
INLINE vector scale(vector v, vector_bits k) { return scaled_down(mul(v, power_of_2(k, SCALE_BIAS))); }

/* The parts of e^(x.hi + x.lo) for EXP_LOWEST <= x.hi <= -EXP_LOWEST, which the caller ensures, and finite x.lo.
 * Reduction of Cody and Waite: k = round(x / ln 2), r = x - k ln 2, with k LN2.hi exact. c[] approximates (e^r - 1 -
 * r)/r^2; its error is given beside the coefficients. */
INLINE exponential exp_by(dd x, const real *c, int n) {
    vector shifted = mad(x.hi, V(R(1.4426950408889634)), V(SHIFTER)), k = shifted - SHIFTER;
    vector r = mad(k, V(-LN2.hi), x.hi), lost = mad(k, V(LN2.lo), -x.lo), t = r - lost;
    vector s = mad(mul(t, t), polynomial(t, c, n), -lost);
    return (exponential){r, s, r + s, (vector_bits)shifted};
}

#define EXP_BY(x, c) exp_by(x, COUNTED(c))

INLINE exponential exp_parts(dd x) { return EXP_BY(x, EXP_POLYNOMIAL); }

/* e^x - 1 within 1 ULP, near 0 too, for -SATURATED <= x <= 0; -0 for either zero */
INLINE vector expm1_(dd x) {
    exponential e = EXP_BY(x, EXPM1_POLYNOMIAL);
    vector power = power_of_2(e.k, 0);
    return negative(mad(power, e.p, power - 1));
}

INLINE vector limited(vector x) { return clamp(x, V(EXP_LOWEST), V(SATURATED)); }

/* c + 2^k (1 + r + s) as a double-double, for c > 0 and power = 2^k. The sum of c and 2^k rounds, and so does the
 * addition of 2^k (r + s); lo holds both errors. */
INLINE dd plus_exp(vector c, vector power, exponential e) {
    vector sum = power + c, hi = mad(power, e.p, sum), lost = min_(power, c) - (sum - max_(power, c));
    return (dd){hi, mad(power, e.s, mad(power, e.r, sum - hi)) + lost};
}

/* The same where c is not the larger, as it is for c = 1 and x >= 0 */
INLINE dd plus_exp_above(vector c, vector power, exponential e) {
    vector sum = power + c, hi = mad(power, e.p, sum), lost = c - (sum - power);
    return (dd){hi, mad(power, e.s, mad(power, e.r, sum - hi)) + lost};
}

/* UNIT (1 + e^x), which does not overflow, for -SATURATED <= x <= -EXP_LOWEST */
INLINE dd one_plus_exp(dd x) {
    exponential e = exp_parts(x);
    return plus_exp(V(UNIT), power_of_2(e.k, -SCALE_BIAS), e);
}

/* a e^x 2^-k = a (1 + r + s) */
INLINE dd times_unscaled(dd a, exponential e) {
    vector hi = mad(a.hi, e.p, a.hi);
    return (dd){hi, mad(a.hi, e.s, fma_(a.hi, e.r, a.hi - hi)) + mad(a.lo, e.p, a.lo)};
}

/* e^x = power (1 + p). `power` has at most half the significant bits of a number, so that its products with other short
 * numbers are exact, and p is small: from |x - n ln(2)/size| <= ln(2)/(2 size) and a table of `size` powers of 2 (Tang,
 * Table-driven implementation of the exponential function in IEEE floating-point arithmetic, 1989). p = r + s as above.
 */
typedef struct {
    vector power, r, s, p;
} short_exponential;

#if LOOKUP
enum { EXP_SIZE = LOOKUP, EXP_SIZE_BITS = LOOKUP == 16 ? 4 : 3 };
#define EXP_SHORT_POLYNOMIAL OF_LOOKUP(EXP_POLYNOMIAL)
#define EXPM1_SHORT_POLYNOMIAL OF_LOOKUP(EXPM1_POLYNOMIAL)
#else
enum { EXP_SIZE = 1, EXP_SIZE_BITS = 0 };
#define EXP_SHORT_POLYNOMIAL EXP_POLYNOMIAL
#define EXPM1_SHORT_POLYNOMIAL EXPM1_POLYNOMIAL
#endif

/* e^x 2^bias, where power must be a normal number, `shifter` is BIASED(bias) and c[] approximates (e^r - 1 - r)/r^2.
 * Callers without an x.lo pass -0, since the compiler removes the addition of -0, but not that of 0. */
INLINE short_exponential exp_short_by(dd x, vector shifter, const real *c, int n_terms) {
    vector shifted = mad(x.hi, V(R(1.4426950408889634) * EXP_SIZE), shifter), n = shifted - shifter;
    vector r = mad(n, V(-LN2.hi / EXP_SIZE), x.hi), t, low;
    vector_bits i = (vector_bits)shifted, power;
#if LOOKUP
    low = mad(n, V(-LN2.lo / EXP_SIZE), x.lo + lookup(OF_LOOKUP(EXP_RESIDUAL), i));
    power = (vector_bits)lookup(OF_LOOKUP(EXP_TABLE), i);
#else
    low = mad(n, V(-LN2.lo), x.lo);
    power = (vector_bits){0} + to_bits(R(1.0));
#endif
    t = r + low;
    vector q = polynomial(t, c, n_terms), s = fma_(mul(t, t), q, low);
    vector p = LOOKUP ? mad(mul(t, t), q, t) : r + s;
    return (short_exponential){(vector)(power + (i << (R_FRACTION - EXP_SIZE_BITS))), r, s, p};
}
#define BIASED(bias) V(SHIFTER + (bias) * EXP_SIZE)
#define EXP_SHORT_BY(x, shifter, c) exp_short_by(x, shifter, COUNTED(c))

INLINE short_exponential exp_short(dd x, const int bias) { return EXP_SHORT_BY(x, BIASED(bias), EXP_SHORT_POLYNOMIAL); }

/* The same, where even a small p has full relative accuracy */
INLINE short_exponential expm1_short(dd x, const int bias) {
    return EXP_SHORT_BY(x, BIASED(bias), EXPM1_SHORT_POLYNOMIAL);
}

/* e^u = power (1 + p) for functions that need no short power: an `exponent` is u, and power_and_rest(u, shifter) gives
 * the two, with a small p that need not be exact for a small u. */
typedef struct {
    vector power, p;
} power_and_rest;

#if LOOKUP_4

/* By quarters of an octave, with a table of 2^(j/4) times a factor for which all four are very nearly numbers, so that
 * their errors need no correction. u 4/ln 2 = x (hi + lo) + rest. */
typedef struct {
    vector x, hi, lo, rest;
} exponent;

/* x, for EXP_LOWEST <= x <= -EXP_LOWEST */
INLINE exponent exponent_of(vector x) { return (exponent){x, V(QUARTERS.hi), V(QUARTERS.lo), V(-0.0)}; }
INLINE exponent exponent_of_dd(dd x) { return (exponent){x.hi, V(QUARTERS.hi), V(QUARTERS.lo), x.lo * QUARTERS.hi}; }
/* 2x */
INLINE exponent exponent_of_twice(vector x) { return (exponent){x, V(2 * QUARTERS.hi), V(2 * QUARTERS.lo), V(-0.0)}; }
/* -x */
INLINE exponent exponent_of_minus(vector x) { return (exponent){x, V(-QUARTERS.hi), V(-QUARTERS.lo), V(-0.0)}; }
/* c x */
INLINE exponent exponent_by(vector c, vector x) {
    dd factor = dd_mul_by(DD(QUARTERS), c);
    return (exponent){x, factor.hi, factor.lo, V(-0.0)};
}

/* 2^((i + t)/4) */
INLINE power_and_rest quarters(vector t, vector_bits i) {
    vector power = (vector)((vector_bits)lookup_4(QUARTER_TABLE, i) + (i << (R_FRACTION - 2)));
    return (power_and_rest){power, POLYNOMIAL(t, QUARTER_POLYNOMIAL)};
}

INLINE power_and_rest exp_of(exponent u, vector shifter) {
    vector shifted = mad(u.x, u.hi, shifter), n = shifted - shifter;
    return quarters(mad(u.x, u.lo, fma_(u.x, u.hi, -n)) + u.rest, (vector_bits)shifted);
}

#define EXPONENT_BIASED(bias) V(SHIFTER + (bias) * 4)

#else

typedef dd exponent;

INLINE exponent exponent_of(vector x) { return (dd){x, V(-0.0)}; }
INLINE exponent exponent_of_dd(dd x) { return x; }
INLINE exponent exponent_of_twice(vector x) { return (dd){2 * x, V(-0.0)}; }
INLINE exponent exponent_of_minus(vector x) { return (dd){-x, V(-0.0)}; }
INLINE exponent exponent_by(vector c, vector x) { return two_product(c, x); }

INLINE power_and_rest exp_of(exponent u, vector shifter) {
    short_exponential e = EXP_SHORT_BY(u, shifter, EXP_SHORT_POLYNOMIAL);
    return (power_and_rest){e.power, e.p};
}
#define EXPONENT_BIASED(bias) BIASED(bias)

#endif

/* e^u within 1 ULP, subnormal results included, for EXP_LOWEST <= u <= 0 */
INLINE vector exp_nonpositive(exponent u) {
    power_and_rest e = exp_of(u, EXPONENT_BIASED(SCALE_BIAS));
    return scaled_down(mad(e.power, e.p, e.power));
}

/* e^x for EXP_LOWEST <= x <= EXP_HIGHEST. Its power of 2 is a product of two, each with half of the exponent, since
 * neither end of the range is to need a subnormal number, nor to overflow. */
INLINE vector exp_whole(vector x) {
    power_and_rest e = exp_of(exponent_of(x), EXPONENT_BIASED(R_BIAS));
    vector_bits both = (vector_bits)e.power, half = both >> (R_FRACTION + 1) << R_FRACTION;
    vector power = (vector)(both - half);
    return mul(mad(power, e.p, power), (vector)half);
}

/* c power (1 + p), rounded once but for some hundredths of an ULP */
INLINE vector times_power(vector c, power_and_rest e) { return fma_(c, e.power, e.power * (c * e.p)); }

/* (c + rest) power (1 + p), where c needs not be much larger than the rest */
INLINE vector sum_times_power(vector c, vector rest, power_and_rest e) {
    return fma_(c, e.power, e.power * mad(c + rest, e.p, rest));
}

/* x truncated to half of its bits */
INLINE vector shortened(vector x) { return (vector)((vector_bits)x & ~(((bits)1 << (R_FRACTION + 1) / 2) - 1)); }

/* 2^k to be added to a number near 1: limited below, where it no longer changes the sum, because subnormal numbers are
 * slow */
INLINE vector visible_power_of_2(vector_bits k) { return max_(power_of_2(k, SCALE_BIAS), V(INVISIBLE)) * UNIT; }

#endif
