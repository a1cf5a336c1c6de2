/* exp, expm1, sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula
 * composed of them still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "pairs.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SATURATED: x e^-x is no more to be seen beside 1. UNIT: 2^-SCALE_BIAS,
 * see scale(). INVISIBLE: 2^SCALE_BIAS times 2^-60 or 2^-200. TANH_END: tanh is 1 from there on. TANH_NEAR: where the polynomial for x - tanh x ends. TINY: not to be seen beside what it is added to, nor slow as subnormal numbers are.
 * SHIFTER: x + SHIFTER is x rounded to an integer, in its lowest bits. */
#if PYRELU_BITS == 32
#include "elementary_f32.h"
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
#include "elementary_f64.h"
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

/* A sum that is still to be multiplied by 2^k */
typedef struct {
    pair m;
    vector_bits k;
} scaled;

/* 2^(k + bias), which must be a normal number */
INLINE vector power_of_2(vector_bits k, int bias) { return (vector)((k + (bits)(R_BIAS + bias)) << R_FRACTION); }

/* v 2^k for v of ordinary size and EXP_LOWEST's k <= k <= SCALE_BIAS: first exactly, to above the subnormal numbers,
 * then down, so that a subnormal result is rounded here and nowhere before. */
INLINE vector scale(vector v, vector_bits k) { return scaled_down(mul(v, power_of_2(k, SCALE_BIAS))); }

/* The parts of e^(x.hi + x.lo) for EXP_LOWEST <= x <= -EXP_LOWEST (checked by nobody). x.lo must be finite. Cody and
 * Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact. c[] is (e^r - 1 - r)/r^2. */
INLINE exponential exp_by(pair x, const real *c, int n) {
    vector shifted = mad(x.hi, V(R(1.4426950408889634)), V(SHIFTER)), k = shifted - SHIFTER;
    vector r = mad(k, V(-LN2.hi), x.hi), lost = mad(k, V(LN2.lo), -x.lo), t = r - lost;
    vector s = mad(mul(t, t), polynomial(t, c, n), -lost);
    return (exponential){r, s, r + s, (vector_bits)shifted};
}
#define EXP_BY(x, c) exp_by(x, c, (int)(sizeof(c) / sizeof *(c)))

INLINE exponential exp_parts(pair x) { return EXP_BY(x, EXP_POLYNOMIAL); }

/* e^x - 1 for -SATURATED <= x <= 0, accurate near 0 too */
INLINE vector expm1_(pair x) {
    exponential e = EXP_BY(x, EXPM1_POLYNOMIAL);
    vector power = power_of_2(e.k, 0);
    return mad(power, e.p, power - 1);
}

INLINE vector limited(vector x) { return clamp(x, V(EXP_LOWEST), V(SATURATED)); }

/* c + 2^k (1 + r + s) for c > 0 and power = 2^k. The sum of c and 2^k may round, and is rounded again when 2^k (r + s)
 * joins it; lo is what both lost. */
INLINE pair plus_exp(vector c, vector power, exponential e) {
    vector sum = power + c, hi = mad(power, e.p, sum), lost = at_most(power, c) - (sum - at_least(power, c));
    return (pair){hi, mad(power, e.s, mad(power, e.r, sum - hi)) + lost};
}

/* 1 + e^x times UNIT, which keeps it from overflow, for -SATURATED <= x <= -EXP_LOWEST */
INLINE pair one_plus_exp(pair x) {
    exponential e = exp_parts(x);
    return plus_exp(V(UNIT), power_of_2(e.k, -SCALE_BIAS), e);
}

/* a e^x 2^-k = a (1 + r + s) */
INLINE pair times_unscaled(pair a, exponential e) {
    vector hi = mad(a.hi, e.p, a.hi);
    return (pair){hi, mad(a.hi, e.s, fma_(a.hi, e.r, a.hi - hi)) + mad(a.lo, e.p, a.lo)};
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
#else
enum { EXP_SIZE = 1, EXP_SIZE_BITS = 0 };
#define EXP_SHORT_POLYNOMIAL EXP_POLYNOMIAL
#endif

#if LOOKUP
/* Where tables have the interval of x, by the bits of x + 1 < 16: its exponent and the first of its fraction */
INLINE vector_bits interval(vector x) { return (vector_bits)(x + 1) >> (R_FRACTION - EXP_SIZE_BITS + 2); }
#define TANH_FIRST (R(4.0) / LOOKUP)

/* c[0][i] + c[1][i] x + ... up to c[n - 1], even and odd terms side by side */
INLINE vector lookup_polynomial(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector square = x * x, even = lookup(c[(n - 1) / 2 * 2], i), odd = lookup(c[n / 2 * 2 - 1], i);
#pragma GCC unroll 16
    for (int k = (n - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = mad(even, square, lookup(c[k], i));
#pragma GCC unroll 16
    for (int k = n / 2 * 2 - 3; k >= 0; k -= 2) odd = mad(odd, square, lookup(c[k], i));
    return mad(odd, x, even);
}
#define LOOKUP_POLYNOMIAL(x, c, i) lookup_polynomial(x, c, (int)(sizeof(c) / sizeof *(c)), i)
#endif

/* For e^x 2^bias */
INLINE short_exponential exp_short(pair x, const int bias) {
    const real shifter = SHIFTER + bias * EXP_SIZE;
    vector shifted = mad(x.hi, V(R(1.4426950408889634) * EXP_SIZE), V(shifter)), n = shifted - shifter;
    vector r = mad(n, V(-LN2.hi / EXP_SIZE), x.hi), t, low;
    vector_bits i = (vector_bits)shifted, power;
#if LOOKUP
    low = mad(n, V(-LN2.lo / EXP_SIZE), x.lo + lookup(OF_LOOKUP(EXP_LACK), i));
    power = (vector_bits)lookup(OF_LOOKUP(EXP_TABLE), i);
#else
    low = mad(n, V(-LN2.lo), x.lo);
    power = (vector_bits){0} + to_bits(R(1.0));
#endif
    t = r + low;
    vector q = POLYNOMIAL(t, EXP_SHORT_POLYNOMIAL), s = mad(mul(t, t), q, low);
    vector p = LOOKUP ? mad(mul(t, t), q, t) : r + s;
    return (short_exponential){(vector)(power + (i << (R_FRACTION - EXP_SIZE_BITS))), r, s, p};
}

/* e^x for EXP_LOWEST's x <= 0 */
INLINE vector exp_nonpositive(pair x) {
    short_exponential e = exp_short((pair){at_least(x.hi, V(EXP_LOWEST)), x.lo}, SCALE_BIAS);
    return scaled_down(mad(e.power, e.p, e.power));
}

/* x to half of its bits */
INLINE vector shortened(vector x) { return (vector)((vector_bits)x & ~(((bits)1 << (R_FRACTION + 1) / 2) - 1)); }

/* sum - b power p */
INLINE vector less_p_times(vector b, short_exponential e, vector sum) {
    if (LOOKUP) return mad(-b, e.power * e.p, sum);
    vector c = b * e.power;
    return mad(-c, e.s, fma_(-c, e.r, sum));
}

/* r (1 + growth) = 1/(1 + e^-x) */
typedef struct {
    vector r, growth;
} logistic;

/* The logistic function with UNIT in place of 1, which keeps it from overflow. As r and power are short, 1 less their
 * products is exact if the larger is taken off first. */
INLINE logistic logistic_parts(pair x) {
    short_exponential e = exp_short(pair_negative(x), -SCALE_BIAS);
    vector r = shortened(1 / mad(e.power, e.p, e.power + UNIT));
    vector most = at_least(e.power, V(UNIT)), least = at_most(e.power, V(UNIT));
    vector residual = fma_(-r, least, fma_(-r, most, V(1)));
    residual = less_p_times(r, e, residual);
    return (logistic){r, mad(residual, residual, residual)};
}

INLINE vector sigmoid_(pair x) {
    logistic l = logistic_parts(x);
    return scaled_down(mad(l.r, l.growth, l.r));
}

/* a/(1 + e^-x), a times the logistic function */
INLINE vector gated(vector a, pair x) {
    logistic l = logistic_parts(x);
    return scaled_down(fma_(a, l.r, mul(a, l.r) * l.growth));
}

/* 2^k beside something near 1: k stops where that is no more to be seen, as subnormal numbers are slow */
INLINE vector visible_power_of_2(vector_bits k) { return at_least(power_of_2(k, SCALE_BIAS), V(INVISIBLE)) * UNIT; }

/* c e^x/(1 + e^x)^2, c times the derivative of the logistic function, which is even: for x <= 0 */
INLINE vector sigmoid_slope(vector c, vector x) {
    exponential e = exp_parts((pair){at_least(-abs_(x), V(EXP_LOWEST)), V(0)});
    vector power = visible_power_of_2(e.k), d = mad(power, e.p, 1 + power), lost = mad(power, e.p, power - (d - 1));
    vector r = 1 / d, error = mad(-r, lost, fma_(-r, d, V(1))), square = r * r;
    return scale(c * mad(square, mad(2 * error, 1 + e.p, e.p), square), e.k);
}

/* r (1 + v t) with r = sigmoid(u) and t = sigmoid(-u): the derivative of x sigmoid(u) for v = x u'. For d = 1 + e^-u,
 * r = 1/d and t = (d - 1)/d. The sum may cancel, so that t and v are pairs; what r lost to rounding counts twice. */
INLINE vector gated_slope(pair u, pair v) {
    pair d = one_plus_exp(pair_negative(u)), n = fast_two_sum(d.hi, V(-UNIT));
    vector r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, V(1)));
    vector t = n.hi * r, lost = mad(n.lo + d.lo, r, fma_(n.hi, r, -t)), s = fma_(v.hi, t, V(1));
    return scaled_down(mad(r, s, r * mad(error, mad(V(2), s, V(-1)), mad(v.hi, lost, v.lo * t))));
}

/* max(x, 0) + c log(1 + e^a) for base = max(x, 0), a = -|u|, and c u = x: near 0 by the polynomial of log(1 + e^u)'s
 * even part, elsewhere as z (1 + z Q(z)) for z = e^a <= 1/e */
INLINE vector softplus_(vector base, vector c, vector u, pair a) {
    exponential e = exp_parts(a);
    vector power = power_of_2(e.k, SCALE_BIAS), z = visible_power_of_2(e.k) * (1 + e.p);
    vector log = mad(power, e.r + mad(mad(e.p, z, z), POLYNOMIAL(z, LOG1P_POLYNOMIAL), e.s), power);
    pair line = fast_two_sum(V(LOG_2.hi), u / 2);
    vector near = line.hi + (line.lo + mad(u * u, POLYNOMIAL(u * u, SOFTPLUS_POLYNOMIAL), V(LOG_2.lo)));
    return choose(less(abs_(u), V(1)), c * near, mad(log, c * UNIT, base));
}

#if LOOKUP && PYRELU_BITS == 32

/* tanh x for 0 <= x <= TANH_END, by a polynomial for each interval */
INLINE vector tanh_nonnegative(vector x) {
    vector_bits i = interval(x);
    vector head = choose(less(x, V(TANH_FIRST)), x, lookup(OF_LOOKUP(TANH_HEAD), i));
    vector d = x - lookup(OF_LOOKUP(TANH_CENTRE), i);
    return mad(d, LOOKUP_POLYNOMIAL(d, OF_LOOKUP(TANH_QUOTIENTS), i), head);
}

#else

/* The same by the quotient of e^2x - 1 and e^2x + 1. As y is short, its residual, which cancels, is nearly exact. Far out
 * e^2x is too large for 1 to be seen beside it. */
INLINE vector tanh_nonnegative(vector x) {
    short_exponential e = exp_short((pair){2 * x, V(0)}, 0);
    vector minus = e.power - 1, plus = e.power + 1, grown = e.power * e.p, reciprocal = 1 / (plus + grown);
    vector y = shortened((minus + grown) / (plus + grown));
    vector residual = less_p_times(y, e, mad(e.power, e.s, fma_(e.power, e.r, fma_(-y, plus, minus))));
    return choose(greater(x, V(4)), mad(V(-2), reciprocal, V(1)), mad(residual, reciprocal, y));
}

#endif

/* 1 - tanh x = 2/(1 + e^2x) for TANH_NEAR <= x <= TANH_END */
INLINE vector one_minus_tanh(vector x) {
    exponential e = exp_parts((pair){2 * x, V(0)});
    vector power = power_of_2(e.k, 0);
    return 2 / mad(power, e.p, 1 + power);
}

/* the same as a pair */
INLINE pair one_minus_tanh_pair(vector x) {
    exponential e = exp_parts((pair){2 * x, V(0)});
    vector power = power_of_2(e.k, 0), sum = 1 + power, d = mad(power, e.p, sum), lost = mad(power, e.p, sum - d);
    vector w = 2 / d;
    return (pair){w, mad(-w, lost, fma_(-w, d, V(2))) * (w / 2)};
}

/* (1/3 - (x - tanh x)/x^3)/x^2 of x^2 for |x| <= TANH_NEAR */
INLINE vector tanh_series(vector xx) { return POLYNOMIAL(xx, TANH_POLYNOMIAL); }

/* x - x^3 (1/3 - x^2 series) = tanh x for |x| <= TANH_NEAR */
INLINE pair tanh_near(vector x) {
    vector xx = mad(x, x, V(TINY)), t = THIRD.hi + mad(-xx, tanh_series(xx), V(THIRD.lo)), cube = mul(x, xx),
           hi = fma_(-cube, t, x);
    return (pair){hi, fma_(-cube, t, x - hi)};
}

/* sqrt(x^2 + b) as a pair */
INLINE pair hypotenuse(vector x, vector b) {
    pair s = sorted_pair_sum(b, two_product(x, x));
    vector root = sqrt_(s.hi), lost = (fma_(-root, root, s.hi) + s.lo) / (2 * root);
    return (pair){root, choose(greater(root, V(0)), lost, V(0))};
}

#endif
