/* The exponential function in parts, so that what is composed of it still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_EXPONENTIAL_H
#define PYRELU_EXPONENTIAL_H

#include "simd/double_double.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SATURATED: x e^-x is no more to be seen beside 1. UNIT: 2^-SCALE_BIAS,
 * see scale(). INVISIBLE: 2^SCALE_BIAS times 2^-60 or 2^-200. TANH_END: tanh is 1 from there on. TANH_NEAR: where the
 * polynomial for x - tanh x ends. TINY: not to be seen beside what it is added to, nor slow as subnormal numbers are.
 * SHIFTER: x + SHIFTER is x rounded to an integer, in its lowest bits. */
#if PYRELU_BITS == 32
#include "math/elementary_f32.h"
#define EXP_LOWEST R(-120.0)
#define EXP_HIGHEST R(90.0)
#define SATURATED R(24.0)
#define UNIT R(0x1p-64)
#define INVISIBLE R(0x1p4)
#define TANH_END R(9.5)
#define SOFTSIGN_LIMIT R(0x1p100)
#define SQUAREPLUS_FAR R(0x1p50)
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "math/elementary_f64.h"
#define EXP_LOWEST R(-760.0)
#define EXP_HIGHEST R(712.0)
#define SATURATED R(48.0)
#define UNIT R(0x1p-512)
#define INVISIBLE R(0x1p312)
#define TANH_END R(20.0)
#define SOFTSIGN_LIMIT R(0x1p600)
#define SQUAREPLUS_FAR R(0x1p200)
#define SCALE_BIAS 512
#define SHIFTER R(0x1.8p52)
#endif
#define TANH_NEAR R(0.9)
#define TINY R(0x1p-100)

/* x UNIT, where a subnormal result is rounded */
INLINE vector scaled_down(vector x) { return mul(x, V(UNIT)); }

/* e^x = 2^k (1 + r + s) with |r| <= ln(2)/2, of full precision, and s = O(r^2), which also holds what r lost to
 * rounding. Most want no more than p = r + s. */
typedef struct {
    vector r, s, p;
    vector_bits k; /* k in its low bits, rubbish above them: for power_of_2 */
} exponential;

/* 2^(k + bias), which must be a normal number */
INLINE vector power_of_2(vector_bits k, int bias) { return (vector)((k + (bits)(R_BIAS + bias)) << R_FRACTION); }

/* v 2^k for v of ordinary size and EXP_LOWEST's k <= k <= SCALE_BIAS: first exactly, to above the subnormal numbers,
 * then down, so that a subnormal result is rounded here and nowhere before. */
INLINE vector scale(vector v, vector_bits k) { return scaled_down(mul(v, power_of_2(k, SCALE_BIAS))); }

/* The parts of e^(x.hi + x.lo) for EXP_LOWEST <= x <= -EXP_LOWEST (checked by nobody). x.lo must be finite. Cody and
 * Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact. c[] is (e^r - 1 - r)/r^2. */
INLINE exponential exp_by(dd x, const real *c, int n) {
    vector shifted = mad(x.hi, V(R(1.4426950408889634)), V(SHIFTER)), k = shifted - SHIFTER;
    vector r = mad(k, V(-LN2.hi), x.hi), lost = mad(k, V(LN2.lo), -x.lo), t = r - lost;
    vector s = mad(mul(t, t), polynomial(t, c, n), -lost);
    return (exponential){r, s, r + s, (vector_bits)shifted};
}

#define EXP_BY(x, c) exp_by(x, COUNTED(c))

INLINE exponential exp_parts(dd x) { return EXP_BY(x, EXP_POLYNOMIAL); }

/* e^x - 1 for -SATURATED <= x <= 0, accurate near 0 too; -0 for either zero */
INLINE vector expm1_(dd x) {
    exponential e = EXP_BY(x, EXPM1_POLYNOMIAL);
    vector power = power_of_2(e.k, 0);
    return negative(mad(power, e.p, power - 1));
}

INLINE vector limited(vector x) { return clamp(x, V(EXP_LOWEST), V(SATURATED)); }

/* c + 2^k (1 + r + s) for c > 0 and power = 2^k. The sum of c and 2^k may round, and is rounded again when 2^k (r + s)
 * joins it; lo is what both lost. */
INLINE dd plus_exp(vector c, vector power, exponential e) {
    vector sum = power + c, hi = mad(power, e.p, sum), lost = min_(power, c) - (sum - max_(power, c));
    return (dd){hi, mad(power, e.s, mad(power, e.r, sum - hi)) + lost};
}

/* 1 + e^x times UNIT, which keeps it from overflow, for -SATURATED <= x <= -EXP_LOWEST */
INLINE dd one_plus_exp(dd x) {
    exponential e = exp_parts(x);
    return plus_exp(V(UNIT), power_of_2(e.k, -SCALE_BIAS), e);
}

/* a e^x 2^-k = a (1 + r + s) */
INLINE dd times_unscaled(dd a, exponential e) {
    vector hi = mad(a.hi, e.p, a.hi);
    return (dd){hi, mad(a.hi, e.s, fma_(a.hi, e.r, a.hi - hi)) + mad(a.lo, e.p, a.lo)};
}

/* e^x = power (1 + p), where power has at most half the bits of a number, so that products with what else is short are
 * exact, and p is small: of |x - n ln(2)/size| <= ln(2)/(2 size) with n rounded, and a table of `size` powers of 2
 * (Tang, Table-driven implementation of the exponential function in IEEE floating-point arithmetic, 1989). p = r + s as
 * above.
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

/* For e^x 2^bias, where the shifter says the bias; c[] is (e^r - 1 - r)/r^2. To add an x.lo of -0 is nothing, 0 one
 * operation. */
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

/* The same with full relative accuracy of p even where that is small */
INLINE short_exponential expm1_short(dd x, const int bias) {
    return EXP_SHORT_BY(x, BIASED(bias), EXPM1_SHORT_POLYNOMIAL);
}

/* e^x for EXP_LOWEST's x <= 0 */
INLINE vector exp_nonpositive(dd x) {
    short_exponential e = exp_short((dd){max_(x.hi, V(EXP_LOWEST)), x.lo}, SCALE_BIAS);
    return scaled_down(mad(e.power, e.p, e.power));
}

/* c e^x 2^SCALE_BIAS for EXP_LOWEST's x <= 0 */
INLINE vector times_exp_short(dd x, vector c) {
    short_exponential e = exp_short(x, SCALE_BIAS);
    return fma_(e.power, c, mul(e.power, e.p) * c);
}

/* x to half of its bits */
INLINE vector shortened(vector x) { return (vector)((vector_bits)x & ~(((bits)1 << (R_FRACTION + 1) / 2) - 1)); }

/* 2^k beside something near 1: k stops where that is no more to be seen, as subnormal numbers are slow */
INLINE vector visible_power_of_2(vector_bits k) { return max_(power_of_2(k, SCALE_BIAS), V(INVISIBLE)) * UNIT; }

#endif
