/* exp, expm1, sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula
 * composed of them still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "real.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SATURATED: x e^-x is no more to be seen beside 1. UNIT: 2^-SCALE_BIAS,
 * see scale(). INVISIBLE: 2^SCALE_BIAS times 2^-60 or 2^-200. TANH_END: tanh is 1 from there on. TANH_NEAR: where the
 * polynomial for tanh ends. TINY: not to be seen beside what it is added to, nor slow as subnormal numbers are.
 * SHIFTER: x + SHIFTER is x rounded to an integer, in its lowest bits. */
#if PYRELU_BITS == 32
#include "elementary_f32.h"
BOUND EXP_LOWEST = R(-120.0), EXP_HIGHEST = R(90.0), SATURATED = R(24.0), UNIT = R(0x1p-64), INVISIBLE = R(0x1p4);
BOUND SOFTSIGN_LIMIT = R(0x1p100), SQUAREPLUS_FAR = R(0x1p50), TANH_END = R(9.5);
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "elementary_f64.h"
BOUND EXP_LOWEST = R(-760.0), EXP_HIGHEST = R(712.0), SATURATED = R(48.0), UNIT = R(0x1p-512), INVISIBLE = R(0x1p312);
BOUND SOFTSIGN_LIMIT = R(0x1p600), SQUAREPLUS_FAR = R(0x1p200), TANH_END = R(20.0);
#define SCALE_BIAS 512
#define SHIFTER R(0x1.8p52)
#endif
BOUND TANH_NEAR = R(0.9), TWO = 2, TINY = R(0x1p-100);

/* x UNIT, where a subnormal result is rounded */
static inline real scaled_down(real x) { return mul(x, UNIT); }

/* e^x = 2^k (1 + r + s) with |r| <= ln(2)/2, of full precision, and s = O(r^2), which also holds what r lost to
 * rounding. Most want no more than p = r + s. */
typedef struct {
    real r, s, p;
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
 * then down, so that a subnormal result is rounded here and nowhere before. */
static inline real scale(real v, bits k) { return scaled_down(mul(v, power_of_2(k, SCALE_BIAS))); }

/* The parts of e^(x.hi + x.lo) for EXP_LOWEST <= x <= -EXP_LOWEST (checked by nobody). x.lo must be finite. Cody and
 * Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact. c[] is (e^r - 1 - r)/r^2. */
__attribute__((always_inline)) static inline exponential exp_by(pair x, const real *c, int n) {
    real shifted = mad(x.hi, R(1.4426950408889634), SHIFTER), k = shifted - SHIFTER;
    real r = mad(k, -LN2.hi, x.hi), lost = mad(k, LN2.lo, -x.lo), t = r - lost;
    real s = mad(mul(t, t), polynomial(t, c, n), -lost);
    return (exponential){r, s, r + s, to_bits(shifted)};
}
#define EXP_BY(x, c) exp_by(x, c, (int)(sizeof(c) / sizeof *(c)))

static inline exponential exp_parts(pair x) { return EXP_BY(x, EXP_POLYNOMIAL); }

/* e^x for EXP_LOWEST's x <= 0 */
static inline real exp_nonpositive(pair x) {
    exponential e = exp_parts((pair){at_least(x.hi, EXP_LOWEST), x.lo});
    real power = power_of_2(e.k, SCALE_BIAS);
    return scaled_down(mad(power, e.p, power));
}

/* e^x - 1 for -SATURATED <= x <= 0, accurate near 0 too */
static inline real expm1_(pair x) {
    exponential e = EXP_BY(x, EXPM1_POLYNOMIAL);
    real power = power_of_2(e.k, 0);
    return mad(power, e.p, power - 1);
}

static inline real limited(real x) { return at_most(at_least(x, EXP_LOWEST), SATURATED); }

/* c + 2^k (1 + r + s) for c > 0 and power = 2^k. The sum of c and 2^k may round, and is rounded again when 2^k (r + s)
 * joins it; lo is what both lost. */
static inline pair plus_exp(real c, real power, exponential e) {
    real sum = power + c, hi = mad(power, e.p, sum), lost = at_most(power, c) - (sum - at_least(power, c));
    return (pair){hi, mad(power, e.s, mad(power, e.r, sum - hi)) + lost};
}

/* 1 + e^x times UNIT, which keeps it from overflow, for -SATURATED <= x <= -EXP_LOWEST */
static inline pair one_plus_exp(pair x) {
    exponential e = exp_parts(x);
    return plus_exp(UNIT, power_of_2(e.k, -SCALE_BIAS), e);
}

/* a/(1 + e^-x), a times the logistic function */
static inline real gated(real a, pair x) { return scaled_down(ratio(a, one_plus_exp(pair_negative(x)))); }

static inline real sigmoid_(pair x) { return gated(1, x); }

/* 2^k beside something near 1: k stops where that is no more to be seen, as subnormal numbers are slow */
static inline real visible_power_of_2(bits k) { return at_least(power_of_2(k, SCALE_BIAS), INVISIBLE) * UNIT; }

/* c e^x/(1 + e^x)^2, c times the derivative of the logistic function, which is even: for x <= 0 */
static inline real sigmoid_slope(real c, real x) {
    exponential e = exp_parts((pair){at_least(-abs_(x), EXP_LOWEST), 0});
    real power = visible_power_of_2(e.k), d = mad(power, e.p, 1 + power), lost = mad(power, e.p, power - (d - 1));
    real r = 1 / d, error = mad(-r, lost, fma_(-r, d, 1)), square = r * r;
    return scale(c * mad(square, mad(2 * error, 1 + e.p, e.p), square), e.k);
}

/* r (1 + v t) with r = sigmoid(u) and t = sigmoid(-u): the derivative of x sigmoid(u) for v = x u'. For d = 1 + e^-u,
 * r = 1/d and t = (d - 1)/d. The sum may cancel, so that t and v are pairs; what r lost to rounding counts twice. */
static inline real gated_slope(pair u, pair v) {
    pair d = one_plus_exp(pair_negative(u)), n = fast_two_sum(d.hi, -UNIT);
    real r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, 1));
    real t = n.hi * r, lost = mad(n.lo + d.lo, r, fma_(n.hi, r, -t)), s = fma_(v.hi, t, 1);
    return scaled_down(mad(r, s, r * mad(error, mad(2, s, -1), mad(v.hi, lost, v.lo * t))));
}

/* max(x, 0) + c log(1 + e^a) for base = max(x, 0), a = -|u|, and c u = x: near 0 by the polynomial of log(1 + e^u)'s
 * even part, elsewhere as z (1 + z Q(z)) for z = e^a <= 1/e */
static inline real softplus_(real base, real c, real u, pair a) {
    exponential e = exp_parts(a);
    real power = power_of_2(e.k, SCALE_BIAS), z = visible_power_of_2(e.k) * (1 + e.p);
    real log = mad(power, e.r + mad(mad(e.p, z, z), POLYNOMIAL(z, LOG1P_POLYNOMIAL), e.s), power);
    pair line = fast_two_sum(LOG_2.hi, u / 2);
    real near = line.hi + (line.lo + mad(u * u, POLYNOMIAL(u * u, SOFTPLUS_POLYNOMIAL), LOG_2.lo));
    return abs_(u) < 1 ? c * near : mad(log, c * UNIT, base);
}

/* 1 - tanh x = 2/(1 + e^2x) for TANH_NEAR <= x <= TANH_END */
static inline real one_minus_tanh(real x) {
    exponential e = exp_parts((pair){2 * x, 0});
    real power = power_of_2(e.k, 0);
    return 2 / mad(power, e.p, 1 + power);
}

/* the same as a pair */
static inline pair one_minus_tanh_pair(real x) {
    exponential e = exp_parts((pair){2 * x, 0});
    real power = power_of_2(e.k, 0), sum = 1 + power, d = mad(power, e.p, sum), lost = mad(power, e.p, sum - d);
    real w = 2 / d;
    return (pair){w, mad(-w, lost, fma_(-w, d, 2)) * (w / 2)};
}

/* (1/3 - (x - tanh x)/x^3)/x^2 of x^2 for |x| <= TANH_NEAR */
static inline real tanh_series(real xx) { return POLYNOMIAL(xx, TANH_POLYNOMIAL); }

/* x - x^3 (1/3 - x^2 series) = tanh x for |x| <= TANH_NEAR */
static inline pair tanh_near(real x) {
    real xx = mad(x, x, TINY), t = THIRD.hi + mad(-xx, tanh_series(xx), THIRD.lo), cube = mul(x, xx),
         hi = fma_(-cube, t, x);
    return (pair){hi, fma_(-cube, t, x - hi)};
}

/* sqrt(x^2 + b) as a pair */
static inline pair hypotenuse(real x, real b) {
    pair s = sorted_pair_sum(b, two_product(x, x));
    real root = sqrt_(s.hi), lost = (fma_(-root, root, s.hi) + s.lo) / (2 * root);
    return (pair){root, root > 0 ? lost : 0};
}

#endif
