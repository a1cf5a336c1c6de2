/* Each activation and its derivative, side by side, once for float and double.
 *
 * f_<name>(x, parameters...) is the function, df_<name>(x, parameters...) its derivative and, for the rows of
 * activations.def that read Y, dfy_<name>(y) the derivative as a function of the output. No branches: every
 * alternative is a select, so that a loop over a formula vectorises and takes the same time for all values.
 * Comparisons are written so that NaN takes the branch that keeps it. Where an end is to be selected, the condition
 * asks the result where it can, as gcc moves what only one branch needs into it and then masks every step there.
 * "ULP" above a function is the largest error that tools/ulp found, over all instruction sets, and where.
 */
#ifndef PYRELU_ACTIVATIONS_H
#define PYRELU_ACTIVATIONS_H

#include "normal.h"

/* value where c holds, 0 where not; NaN stays. Two masks and a sum are faster than selects one in the other. */
static inline real where(int c, real value, real x) { return (c ? value : 0) + (x == x ? 0 : x); }
static inline real clamp(real x, real low, real high) { return at_most(at_least(x, low), high); }
static inline int inside(real x, real low, real high) { return (x > low) & (x < high); }

/* The identity and what is made of straight lines */

static inline real f_identity(real x) { return x; }
static inline real df_identity(real x) { return where(1, 1, x); }
static inline real dfy_identity(real y) { return df_identity(y); }

static inline real f_relu(real x) { return x < 0 ? 0 : x; }
static inline real df_relu(real x) { return where(x > 0, 1, x); }
static inline real dfy_relu(real y) { return df_relu(y); }

/* ULP 0.84 at -0x1.6ad948p-119 (float), 0.50 at -0x1.8p+6 (double) */
static inline real f_leaky_relu(real x, real slope) { return x > 0 ? x : slope * x; }
static inline real df_leaky_relu(real x, real slope) { return x > 0 ? 1 : (x <= 0 ? slope : x); }

static inline real f_prelu(real x, real weight) { return f_leaky_relu(x, weight); }
static inline real df_prelu(real x, real weight) { return df_leaky_relu(x, weight); }

/* ULP 0.84 at -0x1.00176ap-123 (float), 0.50 at -0x1.8000000000003p+5 (double) */
static inline real f_rrelu(real x, real lower, real upper) { return f_leaky_relu(x, (lower + upper) / 2); }
static inline real df_rrelu(real x, real lower, real upper) { return df_leaky_relu(x, (lower + upper) / 2); }

static inline real f_relu6(real x) { return clamp(x, ZERO, SIX); }
static inline real df_relu6(real x) { return where(inside(x, 0, 6), 1, x); }
static inline real dfy_relu6(real y) { return df_relu6(y); }

static inline real f_relu_squared(real x) { return f_relu(x) * f_relu(x); }
static inline real df_relu_squared(real x) { return 2 * f_relu(x); }

static inline real f_threshold(real x, real threshold, real value) { return x <= threshold ? value : x; }
static inline real df_threshold(real x, real threshold, real value) {
    (void)value;
    return where(x > threshold, 1, x);
}

static inline real f_hardtanh(real x, real low, real high) { return clamp(x, low, high); }
static inline real df_hardtanh(real x, real low, real high) { return where(inside(x, low, high), 1, x); }

static inline real f_hardshrink(real x, real lambd) { return abs_(x) <= lambd ? 0 : x; }
static inline real df_hardshrink(real x, real lambd) { return where(abs_(x) > lambd, 1, x); }

static inline real f_softshrink(real x, real lambd) { return x - clamp(x, -lambd, lambd); }
static inline real df_softshrink(real x, real lambd) { return df_hardshrink(x, lambd); }

static inline real f_step(real x) { return where(x > 0, 1, x); }
static inline real df_step(real x) { return where(0, 0, x); }

/* (3 + x)/6 between -3 and 3 */
static inline real f_hardsigmoid(real x) { return product_value(fast_two_sum(3, clamp(x, -THREE, THREE)), SIXTH); }
static inline real df_hardsigmoid(real x) { return where(inside(x, -3, 3), SIXTH.hi, x); }

/* x (3 + x)/6 between -3 and 3 */
/* ULP 1.00 at 0x1.00052ep-124 (float), 1.00 at -0x1.2ee0ddf6f2a08p+1 (double) */
static inline real f_hardswish(real x) {
    real a = clamp(x, -THREE, THREE);
    pair s = fast_two_sum(3, a);
    real g = s.hi * SIXTH.hi, lost = mad(s.lo, SIXTH.hi, fma_(s.hi, SIXTH.hi, -g));
    return x > 3 ? x : fma_(a, g, a * lost);
}
static inline real df_hardswish(real x) {
    real a = clamp(x, -THREE, THREE);
    return x >= 3 ? 1 : x <= -3 ? 0 : product_value(two_sum(3, 2 * a), SIXTH);
}

static inline real f_sparse_sigmoid(real x) { return (1 + clamp(x, -ONE, ONE)) / 2; }
static inline real df_sparse_sigmoid(real x) { return where(inside(x, -1, 1), R(0.5), x); }

/* ((1 + x)/2)^2 between -1 and 1 */
static inline real f_sparse_plus(real x) {
    pair h = pair_scaled(fast_two_sum(1, clamp(x, -ONE, ONE)), R(0.5));
    return x > 1 ? x : product_value(h, h);
}
static inline real df_sparse_plus(real x) { return f_sparse_sigmoid(x); }

/* Exponentials. Positive and negative part are added, as one of them is 0: selects confuse gcc about min and max. */

/* ULP 0.89 at 0x1.2067a6p+2 (float), 0.86 at 0x1.d360963a183p+2 (double) */
static inline real f_exponential(real x) {
    exponential e = exp_parts((pair){clamp(x, EXP_LOWEST, EXP_HIGHEST), 0});
    int bias = x > 0 ? -SCALE_BIAS : SCALE_BIAS; /* scale() for either end */
    real power = power_of_2(e.k, bias);
    return mad(mad(power, e.p, power), power_of_2(0, -bias), NEGATIVE_ZERO);
}
/* ULP 0.85 at -0x1.2dec9ep+5 (float), 0.86 at 0x1.d360963a183p+2 (double) */
static inline real df_exponential(real x) { return f_exponential(x); }
static inline real dfy_exponential(real y) { return y; }

/* ULP 0.83 at -0x1.652b32p-2 (float), 0.85 at -0x1.81450501e58ap-2 (double) */
static inline real f_elu(real x, real alpha) {
    return mad(alpha, expm1_((pair){clamp(x, -SATURATED, ZERO), 0}), at_least(x, ZERO));
}
/* ULP 0.85 at -0x1.2dec9ep+5 (float), 0.83 at -0x1.fbf27b0b3fa3ep+2 (double) */
static inline real df_elu(real x, real alpha) {
    return (x > 0 ? 1 : alpha) * exp_nonpositive((pair){at_most(x, ZERO), 0});
}

/* ULP 0.93 at -0x1.429444p-2 (float), 0.89 at -0x1.9e1706a7ac4b4p-2 (double) */
static inline real f_selu(real x) {
    exponential e = EXP_BY(((pair){clamp(x, -SATURATED, ZERO), 0}), EXPM1_POLYNOMIAL);
    real power = power_of_2(e.k, 0), a = SELU_SCALE_ALPHA.hi;
    pair m = fast_two_sum(-a, a * power); /* a (2^k - 1), to which a 2^k (r + s) comes */
    real lost = mad(SELU_SCALE_ALPHA.lo, mad(power, e.p, power - 1), m.lo);
    real negative = m.hi + fma_(a * power, e.r, mad(a * power, e.s, lost));
    real positive = at_least(x, ZERO), above_1 = (SELU_SCALE.hi - 1) + SELU_SCALE.lo;
    return positive + mad(positive, above_1, negative);
}
/* ULP 1.16 at -0x1.08c758p+6 (float), 1.05 at -0x1.7fffffc5f7c57p+6 (double) */
static inline real df_selu(real x) {
    exponential e = exp_parts((pair){at_least(at_most(x, ZERO), EXP_LOWEST), 0});
    pair c = pair_select(x > 0, SELU_SCALE, SELU_SCALE_ALPHA);
    return scale(c.hi + mad(c.hi, e.p, c.lo), e.k);
}
/* ULP 0.70 at -0x1.0cep-13 (float), 0.57 at -0x1.5e9b958864f85p-1 (double) */
static inline real dfy_selu(real y) { return y > 0 ? SELU_SCALE.hi : (y + SELU_SCALE_ALPHA.hi) + SELU_SCALE_ALPHA.lo; }

/* ULP 0.82 at -0x1.1fa0a6p-2 (float), 0.85 at -0x1.81450501e58ap-2 (double) */
static inline real f_celu(real x, real alpha) {
    return mad(alpha, expm1_(exact_quotient(clamp(x, -SATURATED * alpha, ZERO), alpha)), at_least(x, ZERO));
}
/* ULP 0.85 at -0x1.2dec9ep+5 (float), 0.83 at -0x1.fbf27b0b3fa3ep+2 (double) */
static inline real df_celu(real x, real alpha) {
    return exp_nonpositive(exact_quotient(at_least(at_most(x, ZERO), EXP_LOWEST * alpha), alpha));
}

/* Sigmoids */

/* ULP 0.79 at -0x1.5ec7c4p+6 (float), 0.79 at -0x1.626482400dcc5p+9 (double) */
static inline real f_sigmoid(real x) { return sigmoid_((pair){limited(x), 0}); }
/* ULP 1.60 at 0x1.f17d74p-1 (float), 1.57 at -0x1.037e1239893d6p+0 (double) */
static inline real df_sigmoid(real x) { return sigmoid_slope(1, x); }
/* ULP 1.50 at 0x1.ffe95ep-2 (float), 1.50 at 0x1.ffff5dd013c85p-2 (double) */
static inline real dfy_sigmoid(real y) { return y * (1 - y); }

/* ULP 0.96 at -0x1.cfab04p-1 (float), 0.96 at 0x1.d0505946822ap-1 (double) */
static inline real f_tanh(real x) {
    real a = at_most(abs_(x), TANH_END);
    return a > TANH_NEAR ? copysign_(1 - one_minus_tanh(a), x) : tanh_near(x).hi;
}
/* ULP 1.65 at 0x1.03125cp-1 (float), 1.54 at 0x1.ffffffffffd2bp-2 (double) */
static inline real df_tanh(real x) { return sigmoid_slope(4, 2 * x); }
/* ULP 1.50 at 0x1.6a11f2p-13 (float), 1.50 at 0x1.75f3a70ae4f7ap-22 (double) */
static inline real dfy_tanh(real y) { return (1 - y) * (1 + y); }

/* x - tanh x, which cancels near 0: there the series, and where results are subnormal 2^SCALE_BIAS times it */
/* ULP 0.94 at 0x1.8b578ep-1 (float), 0.88 at 0x1.c464749c7e29p-1 (double) */
static inline real f_tanhshrink(real x) {
    real a = abs_(x), b = at_most(a, TANH_NEAR);
    pair z = two_product(b, b), cube = pair_times(z, b / UNIT);
    real series = tanh_series(z.hi), rest = fma_(-z.hi, series, mad(-z.lo, series, THIRD.lo));
    real near = scaled_down(product_value(cube, fast_two_sum(THIRD.hi, rest)));
    real far = pair_value(pair_sum(fast_two_sum(a, -1), one_minus_tanh_pair(at_most(a, TANH_END))));
    return copysign_(a < TANH_NEAR ? near : far == far ? far : a, x);
}
/* ULP 1.74 at -0x1.a14d8p-1 (float), 1.68 at 0x1.b2a37d03652ep-1 (double) */
static inline real df_tanhshrink(real x) {
    real a = at_most(abs_(x), TANH_END), w = one_minus_tanh(a);
    pair t = tanh_near(a);
    return a > TANH_NEAR ? mad(-w, 2 - w, 1) : mad(t.hi, t.hi, 2 * t.hi * t.lo);
}

/* x/(1 + |x|). In double the rounding of the sum stays below 2 ULP uncorrected. */
/* ULP 0.50 at -0x1.000018p-24 (float), 1.48 at 0x1.ff631fdc7d5cdp+7 (double) */
static inline real f_softsign(real x) {
    real a = at_most(abs_(x), SOFTSIGN_LIMIT);
    return PYRELU_BITS == 32 ? ratio(copysign_(a, x), sorted_pair_sum(1, (pair){a, 0})) : copysign_(a, x) / (1 + a);
}
/* ULP 1.24 at 0x1.6129dep+62 (float), 1.03 at 0x1.181983ed7bb5p+509 (double) */
static inline real df_softsign(real x) {
    pair d = sorted_pair_sum(1, (pair){at_most(abs_(x), SOFTSIGN_LIMIT), 0});
    real r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, 1)), square = r * r;
    return mad(square, 2 * error, square);
}
/* ULP 1.91 at -0x1.2d1626p-2 (float), 1.91 at 0x1.2f20fb6e3e7a5p-2 (double) */
static inline real dfy_softsign(real y) { return (1 - abs_(y)) * (1 - abs_(y)); }

/* Smooth relus */

/* log(1 + e^(beta x))/beta = max(x, 0) + log(1 + e^(-beta |x|))/beta */
/* ULP 0.99 at -0x1.01268ep+0 (float), 1.23 at -0x1.ffffffffffe02p-1 (double) */
static inline real f_softplus(real x, real beta) {
    pair a = two_product(beta, at_least(-abs_(x), EXP_LOWEST / beta));
    return softplus_(at_least(x, ZERO), 1 / beta, beta * x, a);
}
/* ULP 0.75 at -0x1.5f287ep+6 (float), 0.68 at -0x1.62657a8bb3b98p+9 (double) */
static inline real df_softplus(real x, real beta) {
    return sigmoid_(two_product(beta, clamp(x, EXP_LOWEST / beta, SATURATED / beta)));
}

/* ULP 0.99 at 0x1.01268ep+0 (float), 1.06 at 0x1.997a23756858p-1 (double) */
static inline real f_log_sigmoid(real x) {
    return -softplus_(at_least(-x, ZERO), 1, -x, (pair){at_least(-abs_(x), EXP_LOWEST), 0});
}
/* ULP 0.77 at 0x1.5efd88p+6 (float), 0.71 at 0x1.62498d3c9c49p+9 (double) */
static inline real df_log_sigmoid(real x) { return f_sigmoid(-x); }

/* ULP 0.82 at -0x1.6f6dcep+6 (float), 0.76 at -0x1.65c69468649c8p+9 (double) */
static inline real f_silu(real x) {
    real y = gated(limited(x), (pair){limited(x), 0});
    return y < SATURATED ? y : x;
}
/* ULP 1.79 at -0x1.74dd32p+2 (float), 1.65 at -0x1.0a810f1483fep+5 (double) */
static inline real df_silu(real x) { return gated_slope((pair){limited(x), 0}, (pair){limited(x), 0}); }

/* x sigmoid(1.702 x) */
/* ULP 0.79 at -0x1.af524ap+5 (float), 0.73 at -0x1.a403ddf22e682p+8 (double) */
static inline real f_quick_gelu(real x) {
    real a = clamp(x, EXP_LOWEST * R(0.585), SATURATED);
    real y = gated(a, pair_times(QUICK_GELU_SCALE, a));
    return y < SATURATED ? y : x;
}
/* ULP 1.74 at -0x1.56fc56p+2 (float), 1.67 at -0x1.b63a07ca55e5p+1 (double) */
static inline real df_quick_gelu(real x) {
    pair u = pair_times(QUICK_GELU_SCALE, clamp(x, EXP_LOWEST * R(0.585), SATURATED));
    return gated_slope(u, u);
}

/* ULP 1.46 at -0x1.d83df2p-9 (float), 1.69 at -0x1.d3d557898ad32p+4 (double) */
static inline real f_gelu(real x) { return gelu_(x); }
/* ULP 1.94 at -0x1.c0c772p+2 (float), 1.45 at -0x1.b58b3d57740c2p-16 (double) */
static inline real df_gelu(real x) { return gelu_slope(x); }

/* x sigmoid(u) with u = 2 sqrt(2/pi) (x + 0.044715 x^3) */
/* ULP 0.82 at -0x1.436bdcp+3 (float), 0.63 at -0x1.7b5643aeea6e4p+1 (double) */
static inline real f_gelu_tanh(real x) {
    real a = clamp(x, GELU_TANH_LOWEST, GELU_TANH_HIGHEST);
    real y = gated(a, gelu_tanh_cubic(a, GELU_TANH_CUBIC));
    return y < GELU_TANH_HIGHEST ? y : x;
}
/* ULP 1.79 at -0x1.9c321cp+0 (float), 1.70 at -0x1.3141205bc144p+0 (double) */
static inline real df_gelu_tanh(real x) {
    real a = clamp(x, GELU_TANH_LOWEST, GELU_TANH_HIGHEST);
    return gated_slope(gelu_tanh_cubic(a, GELU_TANH_CUBIC), gelu_tanh_cubic(a, GELU_TANH_SLOPE_CUBIC));
}

/* x tanh(log(1 + e^x)) = x e (e + 2)/(e (e + 2) + 2) with e = e^x */
/* ULP 0.83 at -0x1.6f81aap+6 (float), 1.20 at 0x1.c1dac68f26d68p-1021 (double) */
static inline real f_mish(real x) {
    real a = limited(x);
    exponential e = exp_parts((pair){a, 0});
    real power = visible_power_of_2(e.k);
    pair f = plus_exp(TWO, power, e), n = times_unscaled(f, e);
    pair q = pair_quotient(n, sorted_pair_sum(2, pair_scaled(n, power)));
    real y = scale(times(a, q), e.k);
    return y < SATURATED ? y : x;
}
/* e (4(x + 1) + (4x + 6)e + 4e^2 + e^3)/(e^2 + 2e + 2)^2 */
/* ULP 0.92 at -0x1.e62a7ep+1 (float), 0.89 at -0x1.a5037f10f5dcap+2 (double) */
static inline real df_mish(real x) {
    real a = clamp(x, EXP_LOWEST, SATURATED / 2);
    exponential e = exp_parts((pair){a, 0});
    pair m = fast_two_sum(1, e.p), n = pair_scaled(m, visible_power_of_2(e.k));
    pair w = pair_sum(pair_product(n, sorted_pair_sum(4, n)), two_sum(4 * a, 6));
    w = pair_sum(pair_product(n, w), two_sum(4 * a, 4));
    pair v = sorted_pair_sum(2, pair_product(n, sorted_pair_sum(2, n)));
    return scale(quotient_value(pair_product(m, w), pair_square(v)), e.k);
}

/* (x + root)/2 with root = sqrt(x^2 + b), which for x < 0 is b/2/(root - x). Far out root = |x|. */
static inline real f_squareplus(real x, real b) {
    real a = abs_(x);
    pair root = hypotenuse(at_most(a, SQUAREPLUS_FAR), b), h = fast_two_sum(at_least(root.hi, a) / 2, a / 2);
    h.lo += root.lo / 2;
    real near = x < 0 ? ratio(b / 4, h) : pair_value(h), far = x < 0 ? b / 4 * (1 / h.hi) : x;
    return a > SQUAREPLUS_FAR ? far : near;
}
/* f/root */
/* ULP 1.19 at -0x1.6c8734p+62 (float), 1.10 at -0x1.75a3442d44664p+460 (double) */
static inline real df_squareplus(real x, real b) {
    real a = abs_(x);
    pair root = hypotenuse(at_most(a, SQUAREPLUS_FAR), b), h = fast_two_sum(root.hi, at_most(a, SQUAREPLUS_FAR));
    h.lo += root.lo;
    pair n = pair_select(x < 0, (pair){b / 2, 0}, pair_scaled(h, R(0.5)));
    pair d = pair_select(x < 0, pair_product(h, root), root);
    real far = x < 0 ? b / 4 / a / a : 1;
    return a > SQUAREPLUS_FAR ? far : quotient_value(n, d);
}

#endif
