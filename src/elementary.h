/* exp, expm1, sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula
 * composed of them still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "real.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SATURATED: x e^-x is no more to be seen beside 1. SCALE_BIAS: see
 * scale(). INVISIBLE: 2^SCALE_BIAS times 2^-60 or 2^-200. VANISHED: 2^SCALE_BIAS times 2^k, where x e^x = v 2^k rounds
 * to 0. SHIFTER: x + SHIFTER is x rounded to an integer, in its lowest bits. */
#if PYRELU_BITS == 32
#include "elementary_f32.h"
BOUND EXP_LOWEST = R(-120.0), EXP_HIGHEST = R(90.0), SATURATED = R(24.0), INVISIBLE = R(0x1p4), VANISHED = R(0x1p-93);
BOUND SOFTSIGN_LIMIT = R(0x1p100), SQUAREPLUS_FAR = R(0x1p50);
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "elementary_f64.h"
BOUND EXP_LOWEST = R(-760.0), EXP_HIGHEST = R(712.0), SATURATED = R(48.0), INVISIBLE = R(0x1p312),
      VANISHED = R(0x1p-573);
BOUND SOFTSIGN_LIMIT = R(0x1p600), SQUAREPLUS_FAR = R(0x1p200);
#define SCALE_BIAS 512
#define SHIFTER R(0x1.8p52)
#endif

/* e^x = 2^k (1 + r + s) with |r| <= ln(2)/2 and s = O(r^2), which also holds what r lost to rounding */
typedef struct {
    real r, s;
    bits k; /* k in its low bits, rubbish above them: for power_of_2 */
} exponential;

/* A sum that is still to be multiplied by 2^k */
typedef struct {
    pair m;
    bits k;
} scaled;

/* 2^(k + bias), which must be a normal number */
static inline real power_of_2(bits k, int bias) { return from_bits((k + (bits)(R_BIAS + bias)) << R_FRACTION); }

/* v 2^k for v of ordinary size and EXP_LOWEST's k <= k <= SCALE_BIAS: first exactly, to above the subnormal numbers,
 * then down, so that a subnormal result is rounded here and nowhere before. What would round to 0 is 0 by the first
 * step, since underflow is slow. */
static inline real scale(real v, bits k) {
    real power = power_of_2(k, SCALE_BIAS);
    return v * (power < VANISHED ? 0 : power) * power_of_2(0, -SCALE_BIAS);
}

/* The parts of e^(x.hi + x.lo) for x <= EXP_HIGHEST (checked by nobody) and x >= EXP_LOWEST (below that: of
 * e^EXP_LOWEST, which is 0 after any scaling). Cody and Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact.
 */
static inline exponential exp_parts(pair x) {
    real shifted = mad(x.hi, R(1.4426950408889634), SHIFTER), k = shifted - SHIFTER;
    real r = mad(k, -LN2.hi, x.hi), c = mad(k, LN2.lo, -x.lo), t = r - c;
    return (exponential){r, mad(t * t, POLYNOMIAL(t, EXP_POLYNOMIAL), -c), to_bits(shifted)};
}

/* e^x as a pair in [0.70, 1.42] still to be scaled, with a relative error below 2^-26 (float), 2^-55 (double). x.lo
 * must be finite. */
static inline scaled exp_(pair x) {
    exponential e = exp_parts((pair){at_least(x.hi, EXP_LOWEST), x.lo});
    real hi = 1 + (e.r + e.s);
    return (scaled){{hi, ((1 - hi) + e.r) + e.s}, e.k};
}

static inline real exp_nonpositive(real x) {
    scaled e = exp_((pair){x, 0});
    return scale(pair_value(e.m), e.k);
}

/* v 2^k beside something near 1: k stops where that is no more to be seen, as subnormal numbers are slow */
static inline pair unscaled(scaled v) {
    real power = at_least(power_of_2(v.k, SCALE_BIAS), INVISIBLE) * power_of_2(0, -SCALE_BIAS);
    return pair_scaled(v.m, power);
}

/* e^x - 1 for -SATURATED <= x <= 0, accurate near 0 too */
static inline pair expm1_(pair x) {
    exponential e = exp_parts(x);
    real p = power_of_2(e.k, 0), r = p * e.r, s = p * e.s, p1 = p - 1, lost = p - (p1 + 1), hi = p1 + (r + s);
    return (pair){hi, (((p1 - hi) + r) + s) + lost};
}

/* e^(x.hi + x.lo) = 2^k n/d by e^r = (c + r)/(c - r) with c = r coth(r/2), which is even and takes but a few terms: for
 * the functions that divide anyhow. d is a number, the best that c - r rounds to, and n = d + 2r. */
typedef struct {
    pair n;
    real d;
    bits k;
} exponential_ratio;

static inline exponential_ratio exp_ratio(pair x) {
    real shifted = mad(x.hi, R(1.4426950408889634), SHIFTER), k = shifted - SHIFTER;
    real t = mad(k, -LN2.hi, x.hi), c = mad(k, LN2.lo, -x.lo), r = t - c, z = r * r;
    real d = 2 + mad(z, POLYNOMIAL(z, COTH_POLYNOMIAL), -r), n = mad(2, r, d);
    return (exponential_ratio){{n, mad(-2, c, mad(2, t, d - n))}, d, to_bits(shifted)};
}

static inline real limited(real x) { return at_most(at_least(x, EXP_LOWEST), SATURATED); }

/* For EXP_LOWEST <= x <= SATURATED, with e^x = n/d: n, d and their sum. Then n/sum is 1/(1 + e^-x), the logistic
 * function, and d/sum is 1/(1 + e^x). */
typedef struct {
    scaled n;
    pair sum;
    real d;
} logistic;

static inline logistic logistic_(pair x) {
    exponential_ratio e = exp_ratio(x);
    pair n = unscaled((scaled){e.n, e.k});
    return (logistic){{e.n, e.k}, sorted_pair_sum(e.d, n), e.d};
}

/* 1/(1 + e^-x) */
static inline real sigmoid_(pair x) {
    logistic l = logistic_(x);
    return scale(quotient_value(l.n.m, l.sum), l.n.k);
}

/* c e^x/(1 + e^x)^2, c times the derivative of that: even */
static inline real sigmoid_slope(real c, real x) {
    logistic l = logistic_((pair){at_least(-abs_(x), EXP_LOWEST), 0});
    return scale(c * quotient_value(pair_times(l.n.m, l.d), pair_square(l.sum)), l.n.k);
}

/* x sigmoid(u) */
static inline real gated(real x, pair u) {
    logistic l = logistic_(u);
    return scale(times(x, pair_quotient(l.n.m, l.sum)), l.n.k);
}

/* sigmoid(u) (1 + v sigmoid(-u)) = n (sum + v d)/sum^2, the derivative of x sigmoid(u) for v = x u' */
static inline real gated_slope(pair u, pair v) {
    logistic l = logistic_(u);
    pair w = pair_sum(l.sum, pair_times(v, l.d));
    return scale(quotient_value(pair_product(l.n.m, w), pair_square(l.sum)), l.n.k);
}

/* log(1 + e^x) for EXP_LOWEST <= x <= 0 by log(1 + e) = 2 atanh(e/(2 + e)) */
static inline scaled log1p_exp(pair x) {
    exponential_ratio e = exp_ratio(x);
    pair q = pair_quotient(e.n, fast_pair_sum(2 * e.d, unscaled((scaled){e.n, e.k})));
    real s = unscaled((scaled){q, e.k}).hi, z = s * s;
    return (scaled){{2 * q.hi, 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)}, e.k};
}

/* a + v for a >= 0 and v > 0. Where a is 0, hi already is the rounded sum of v's parts, and lo, which may be subnormal
 * even if the result is not, could only spoil it. */
static inline real plus_scaled(real a, scaled v) {
    pair m = fast_two_sum(v.m.hi, v.m.lo);
    real sum = pair_value(sorted_pair_sum(a, (pair){scale(m.hi, v.k), scale(a > 0 ? m.lo : 0, v.k)}));
    return sum == sum ? sum : a; /* inf */
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static inline real softplus_(real x) { return plus_scaled(at_least(x, ZERO), log1p_exp((pair){-abs_(limited(x)), 0})); }

/* tanh |x| = -t/(2 + t) with t = e^(-2|x|) - 1, which does not cancel */
static inline pair tanh_abs(real x) {
    pair t = expm1_((pair){at_least(-2 * abs_(x), -SATURATED), 0});
    return pair_quotient((pair){-t.hi, -t.lo}, fast_pair_sum(2, t));
}

/* sqrt(x^2 + b) as a pair */
static inline pair hypotenuse(real x, real b) {
    pair s = pair_sum(two_product(x, x), (pair){b, 0});
    real root = sqrt_(s.hi), lost = (fma_(-root, root, s.hi) + s.lo) / (2 * root);
    return (pair){root, root > 0 ? lost : 0};
}

#endif
