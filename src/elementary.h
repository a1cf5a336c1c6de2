/* exp, expm1, sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula
 * composed of them still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "real.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SATURATED: x e^-x is no more to be seen beside 1. SCALE_BIAS: see scale(). SHIFTER: x + SHIFTER is x rounded to an integer,
 * in its lowest bits. */
#if PYRELU_BITS == 32
#include "elementary_f32.h"
#define EXP_LOWEST R(-120.0)
#define SATURATED R(24.0)
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "elementary_f64.h"
#define EXP_LOWEST R(-760.0)
#define SATURATED R(48.0)
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
 * then down, so that a subnormal result is rounded here and nowhere before */
static inline real scale(real v, bits k) { return v * power_of_2(k, SCALE_BIAS) * power_of_2(0, -SCALE_BIAS); }

/* The parts of e^(x.hi + x.lo) for x <= EXP_HIGHEST (checked by nobody) and x >= EXP_LOWEST (below that: of
 * e^EXP_LOWEST, which is 0 after any scaling). Cody and Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact.
 */
static inline exponential exp_parts(pair x) {
    real shifted = mad(x.hi, R(1.4426950408889634), SHIFTER), k = shifted - SHIFTER;
    real r = mad(k, -LN2.hi, x.hi), c = mad(k, LN2.lo, -x.lo), t = r - c;
    return (exponential){r, mad(t * t, POLYNOMIAL(t, EXP_POLYNOMIAL), -c), to_bits(shifted)};
}

/* e^x as a pair in [0.70, 1.42] still to be scaled, with a relative error below 2^-26 (float), 2^-55 (double). x.lo must
 * be finite. */
static inline scaled exp_(pair x) {
    exponential e = exp_parts((pair){at_least(x.hi, EXP_LOWEST), x.lo});
    real hi = 1 + (e.r + e.s);
    return (scaled){{hi, ((1 - hi) + e.r) + e.s}, e.k};
}

static inline real exp_nonpositive(real x) {
    scaled e = exp_((pair){x, 0});
    return scale(pair_value(e.m), e.k);
}

/* v 2^k where it does not matter that a subnormal result is rounded twice */
static inline pair unscaled(scaled v) { return pair_times_power(scale(1, v.k), v.m); }

/* e^x - 1 for -SATURATED <= x <= 0, accurate near 0 too */
static inline pair expm1_(real x) {
    exponential e = exp_parts((pair){x, 0});
    real p = power_of_2(e.k, 0), r = p * e.r, s = p * e.s, p1 = p - 1, lost = p - (p1 + 1), hi = p1 + (r + s);
    return (pair){hi, (((p1 - hi) + r) + s) + lost};
}

/* The logistic function is built from e^-|x|: with n = e^x, d = 1 + e^x where x < 0 and n = 1, d = 1 + e^-x where not,
 * it is n/d without overflow and with all digits in the tail. n is still to be scaled.
 */
typedef struct {
    scaled n;
    pair e, d; /* e = e^-|x| */
} logistic;

static inline logistic logistic_(pair x) {
    scaled e = exp_((pair){-abs_(x.hi), x.hi < 0 ? x.lo : -x.lo});
    pair u = unscaled(e);
    return (logistic){{pair_select(x.hi < 0, e.m, (pair){1, 0}), x.hi < 0 ? e.k : 0}, u, fast_pair_sum(1, u)};
}

/* 1/(1 + e^-x) */
static inline scaled sigmoid_(pair x) {
    logistic l = logistic_(x);
    return (scaled){pair_quotient(l.n.m, l.d), l.n.k};
}

/* c e^x/(1 + e^x)^2, c times the derivative of that: even */
static inline real sigmoid_slope(real c, real x) {
    scaled e = exp_((pair){-abs_(x), 0});
    pair d = fast_pair_sum(1, unscaled(e));
    return scale(c * pair_value(pair_quotient(e.m, pair_product(d, d))), e.k);
}

/* log(1 + e^x) for x <= 0 by log(1 + e) = 2 atanh(e/(2 + e)) */
static inline scaled log1p_exp(pair x) {
    scaled e = exp_(x);
    pair q = pair_quotient(e.m, fast_pair_sum(2, unscaled(e)));
    real s = scale(q.hi, e.k), z = s * s;
    return (scaled){fast_two_sum(2 * q.hi, 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)), e.k};
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static inline real softplus_(pair x) {
    scaled l = log1p_exp((pair){-abs_(x.hi), x.hi < 0 ? x.lo : -x.lo});
    pair s = two_sum(x.hi > 0 ? x.hi : 0, scale(l.m.hi, l.k));
    return s.hi + (s.lo + (scale(l.m.lo, l.k) + (x.hi > 0 ? x.lo : 0)));
}

/* tanh |x| = -t/(2 + t) with t = e^(-2|x|) - 1, which does not cancel */
static inline pair tanh_abs(real x) {
    pair t = expm1_(-2 * at_most(abs_(x), SATURATED / 2));
    return pair_quotient((pair){-t.hi, -t.lo}, fast_pair_sum(2, t));
}

/* c x as an argument for the above: exact, and finite at infinity */
static inline pair argument(real c, real x) {
    pair p = two_product(c, x);
    return (pair){at_most(at_least(p.hi, EXP_LOWEST), -EXP_LOWEST), abs_(p.hi) < -EXP_LOWEST ? p.lo : 0};
}

#endif
