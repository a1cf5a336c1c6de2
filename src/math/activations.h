/* Each activation and its derivative, side by side, once for float and double.
 *
 * f_<name>(x, parameters...) is the function and df_<name>(x, parameters...) its derivative. For the rows of
 * activations.def that read Y, dfy_<name>(y) is the derivative as a function of the output. Formulas blend alternatives
 * and do not branch, so that they take the same time for all values. Comparisons are written such that NaN selects the
 * alternative that keeps it.
 * "ULP" above a function is the largest error that tools/ulp found over all instruction sets, and the argument at which
 * it occurs.
 */
#ifndef PYRELU_ACTIVATIONS_H
#define PYRELU_ACTIVATIONS_H

#include "math/normal.h"

/* `value` where c is true and 0 elsewhere, but NaN where x is NaN. Two blends and a sum are faster than nested blends.
 */
INLINE vector blend_zero(mask c, vector value, vector x) { return blend(c, value, V(0)) + blend(equal(x, x), V(0), x); }
INLINE mask inside(vector x, vector low, vector high) { return greater(x, low) & less(x, high); }

/* Piecewise linear and piecewise quadratic functions */

INLINE vector f_identity(vector x) { return x; }
INLINE vector df_identity(vector x) { return blend_zero(equal(x, x), V(1), x); }
INLINE vector dfy_identity(vector y) { return df_identity(y); }

INLINE vector f_relu(vector x) { return blend(less(x, V(0)), V(0), x); }
INLINE vector df_relu(vector x) { return blend_zero(greater(x, V(0)), V(1), x); }
INLINE vector dfy_relu(vector y) { return df_relu(y); }

/* ULP 0.84 at -0x1.6ad948p-119 (float), 0.50 at -0x1.8p+6 (double) */
INLINE vector f_leaky_relu(vector x, vector slope) {
    const vector lowest = blend(equal(slope, V(0)), V(-R_MAX), V(-R_INF)); /* a slope of 0 gives 0 at -inf, not NaN */
    return blend(greater(x, V(0)), x, slope * max_(x, lowest));
}
INLINE vector df_leaky_relu(vector x, vector slope) {
    return blend(greater(x, V(0)), V(1), blend(less_equal(x, V(0)), slope, x));
}

INLINE vector f_prelu(vector x, vector weight) { return f_leaky_relu(x, weight); }
INLINE vector df_prelu(vector x, vector weight) { return df_leaky_relu(x, weight); }

/* ULP 0.84 at -0x1.00176ap-123 (float), 0.50 at -0x1.8000000000003p+5 (double) */
INLINE vector f_rrelu(vector x, vector lower, vector upper) { return f_leaky_relu(x, lower / 2 + upper / 2); }
INLINE vector df_rrelu(vector x, vector lower, vector upper) { return df_leaky_relu(x, lower / 2 + upper / 2); }

INLINE vector f_relu6(vector x) { return clamp(x, V(0), V(6)); }
INLINE vector df_relu6(vector x) { return blend_zero(inside(x, V(0), V(6)), V(1), x); }
INLINE vector dfy_relu6(vector y) { return df_relu6(y); }

INLINE vector f_relu_squared(vector x) { return mul(f_relu(x), f_relu(x)); }
INLINE vector df_relu_squared(vector x) { return 2 * f_relu(x); }

INLINE vector f_threshold(vector x, vector threshold, vector value) {
    return blend(less_equal(x, threshold), value, x);
}
INLINE vector df_threshold(vector x, vector threshold, vector value) {
    (void)value;
    return blend_zero(greater(x, threshold), V(1), x);
}

INLINE vector f_hardtanh(vector x, vector low, vector high) { return clamp(x, low, high); }
INLINE vector df_hardtanh(vector x, vector low, vector high) { return blend_zero(inside(x, low, high), V(1), x); }

INLINE vector f_hardshrink(vector x, vector lambd) { return blend(less_equal(abs_(x), lambd), V(0), x); }
INLINE vector df_hardshrink(vector x, vector lambd) { return blend_zero(greater(abs_(x), lambd), V(1), x); }

INLINE vector f_softshrink(vector x, vector lambd) { return x - clamp(x, -lambd, lambd); }
INLINE vector df_softshrink(vector x, vector lambd) { return df_hardshrink(x, lambd); }

INLINE vector f_step(vector x) { return blend_zero(greater(x, V(0)), V(1), x); }
INLINE vector df_step(vector x) { return blend(equal(x, x), V(0), x); }

/* (3 + x)/6 between -3 and 3 */
INLINE vector f_hardsigmoid(vector x) { return dd_mul_value(fast_two_sum(V(3), clamp(x, V(-3), V(3))), DD(SIXTH)); }
INLINE vector df_hardsigmoid(vector x) { return blend_zero(inside(x, V(-3), V(3)), V(SIXTH.hi), x); }

/* x (3 + x)/6 between -3 and 3: x/2 + x t with t = x/6, rounded, and what t lacks by its exact rest x - 6 t. Near -3,
 * where the sum cancels, the rest is most of the result, and t above 1/6 in magnitude keeps the sum below it. */
/* ULP 1.00 at -0x1.7ffffcp+0 (float), 1.00 at -0x1.7fffffffffffep+0 (double) */
INLINE vector f_hardswish(vector x) {
#if HAS_FMA || PYRELU_BITS == 32
    const vector a = max_(x, V(-3));
    const mask in = less_equal(a, V(3));
    const vector b = keep(in, a);
#if PYRELU_BITS == 32
    const vector t = b * SIXTH.hi, sixth = t, rest = fma_(V(-6), t, b + TINY);
#else
    const vector t = b * R(0x1.5555555555556p-3), sixth = b * SIXTH.hi, rest = fma_(V(-6), t, b);
#endif
    /* minus the sum of what is halved and what stays, so that zeros keep the sign of x, and of -3 */
    const vector minus_line = mad(b, V(-0.5), -drop(in, a));
    return mad(sixth, rest, -fma_(-b, t, minus_line));
#else /* fma_ keeps neither the sign of a zero nor an infinity */
    const vector b = clamp(x, V(-3), V(3));
    dd s = fast_two_sum(V(3), b);
    vector g = s.hi * SIXTH.hi, lost = mad(s.lo, V(SIXTH.hi), fma_(s.hi, V(SIXTH.hi), -g));
    return blend(greater(x, V(3)), x, copysign_(fma_(b, g, mul(b, lost)), x));
#endif
}
/* 1/2 + x/3 between -3 and 3 */
/* ULP 0.67 at 0x1.00001ep+0 (float), 0.67 at 0x1.6eb28fff5f164p+1 (double) */
INLINE vector df_hardswish(vector x) {
    vector inner = mad(x, V(THIRD.lo), fma_(x, V(THIRD.hi), V(0.5)));
    return blend(greater_equal(x, V(3)), V(1), blend(less_equal(x, V(-3)), V(0), inner));
}

INLINE vector f_sparse_sigmoid(vector x) { return (1 + clamp(x, V(-1), V(1))) / 2; }
INLINE vector df_sparse_sigmoid(vector x) { return blend_zero(inside(x, V(-1), V(1)), V(0.5), x); }

/* ((1 + x)/2)^2 between -1 and 1: the square of h = (1 + x)/2, rounded, and h times twice what h lacks */
INLINE vector f_sparse_plus(vector x) {
#if HAS_FMA || PYRELU_BITS == 32
    const vector a = max_(x, V(-1));
    const mask in = less_equal(a, V(1));
    const vector b = min_(a, V(1)), h = keep(in, fma_(b, V(0.5), V(0.5))), lost = mad(V(-2), h, V(1)) + b;
    return fma_(h, h, mad(h, lost, drop(in, a)));
#else /* fma_ keeps no infinity */
    dd h = dd_scale(fast_two_sum(V(1), clamp(x, V(-1), V(1))), V(0.5));
    return blend(greater(x, V(1)), x, dd_mul_value(h, h));
#endif
}
INLINE vector df_sparse_plus(vector x) { return f_sparse_sigmoid(x); }

/* Exponentials. The positive and the negative part of a function are added, since one of them is 0. */

/* ULP 0.88 at 0x1.f31782p+3 (float), 0.88 at 0x1.e9ec21ca034c4p+1 (double) */
INLINE vector f_exponential(vector x) { return exp_whole(clamp(x, V(EXP_LOWEST), V(EXP_HIGHEST))); }
/* ULP 0.88 at 0x1.f31782p+3 (float), 0.88 at 0x1.e9ec21ca034c4p+1 (double) */
INLINE vector df_exponential(vector x) { return f_exponential(x); }
INLINE vector dfy_exponential(vector y) { return y; }

/* ULP 0.82 at -0x1.79a9f2p-2 (float), 0.91 at -0x1.211be6520ccep-2 (double) */
INLINE vector f_elu(vector x, vector alpha) {
    return mad(alpha, expm1_((dd){clamp(x, V(-SATURATED), V(0)), V(0)}), max_(x, V(0)));
}
/* ULP 0.87 at -0x1.78ffdcp+2 (float), 0.87 at -0x1.07005a1a908cp+0 (double) */
INLINE vector df_elu(vector x, vector alpha) {
    return blend(greater(x, V(0)), V(1), alpha) * exp_nonpositive(exponent_of(clamp(x, V(EXP_LOWEST), V(0))));
}

/* ULP 0.94 at -0x1.777b06p+3 (float), 1.32 at -0x1.230e19cb80228p-1022 (double) */
INLINE vector f_selu(vector x) {
    short_exponential e = expm1_short((dd){clamp(x, V(-SATURATED), V(0)), V(-0.0)}, 0);
    vector h = e.power - 1, a = V(SELU_SCALE_ALPHA.hi), b = a * e.power,
           lost = mul(V(SELU_SCALE_ALPHA.lo), mad(e.power, e.p, h));
    vector below = negative(fma_(a, h, fma_(b, e.r, mad(b, e.s, lost))));
    vector positive = max_(x, V(0)), above_1 = V((SELU_SCALE.hi - 1) + SELU_SCALE.lo);
    return positive + mad(positive, above_1, below);
}
/* ULP 1.22 at -0x1.2e2008p+5 (float), 1.12 at -0x1.8000008e398d9p+6 (double) */
INLINE vector df_selu(vector x) {
#if LOOKUP_4
    power_and_rest e = exp_of(exponent_of(clamp(x, V(EXP_LOWEST), V(0))), EXPONENT_BIASED(SCALE_BIAS));
    return blend(greater(x, V(0)), V(SELU_SCALE.hi), scaled_down(times_power(V(SELU_SCALE_ALPHA.hi), e)));
#else
    exponential e = exp_parts((dd){clamp(x, V(EXP_LOWEST), V(0)), V(0)});
    dd c = dd_blend(greater(x, V(0)), DD(SELU_SCALE), DD(SELU_SCALE_ALPHA));
    return scale(c.hi + mad(c.hi, e.p, c.lo), e.k);
#endif
}
/* ULP 0.70 at -0x1.0cep-13 (float), 0.57 at -0x1.5e9b958864f85p-1 (double) */
INLINE vector dfy_selu(vector y) {
    return blend(greater(y, V(0)), V(SELU_SCALE.hi), (y + SELU_SCALE_ALPHA.hi) + SELU_SCALE_ALPHA.lo);
}

/* ULP 0.82 at -0x1.79a9f2p-2 (float), 0.91 at -0x1.211be6520ccep-2 (double) */
INLINE vector f_celu(vector x, vector alpha) {
    return mad(alpha, expm1_(quotient_dd(clamp(x, -SATURATED * alpha, V(0)), alpha)), max_(x, V(0)));
}
/* ULP 0.87 at -0x1.78ffdcp+2 (float), 0.87 at -0x1.07005a1a908cp+0 (double) */
INLINE vector df_celu(vector x, vector alpha) {
    return exp_nonpositive(exponent_of_dd(quotient_dd(clamp(x, EXP_LOWEST * alpha, V(0)), alpha)));
}

/* Sigmoids */

/* ULP 0.88 at -0x1.77feb8p+2 (float), 0.83 at -0x1.625218dbd7556p+9 (double) */
INLINE vector f_sigmoid(vector x) { return sigmoid_(x); }
/* ULP 1.83 at 0x1.fcaa44p-1 (float), 1.77 at 0x1.fffffffe5746fp-1 (double) */
INLINE vector df_sigmoid(vector x) { return sigmoid_slope(1, x); }
/* ULP 1.50 at 0x1.ffe95ep-2 (float), 1.50 at 0x1.ffff5dd013c85p-2 (double) */
INLINE vector dfy_sigmoid(vector y) { return y * (1 - y); }

/* ULP 0.95 at -0x1.03219ap+0 (float), 1.88 at 0x1.65fb5a2e39fcp-3 (double) */
INLINE vector f_tanh(vector x) { return tanh_(x); }
/* ULP 1.83 at -0x1.fcaa44p-2 (float), 1.75 at 0x1.00a142aff904p-1 (double) */
INLINE vector df_tanh(vector x) { return sigmoid_slope(2, x); }
/* ULP 1.50 at 0x1.6a11f2p-13 (float), 1.50 at 0x1.75f3a70ae4f7ap-22 (double) */
INLINE vector dfy_tanh(vector y) { return (1 - y) * (1 + y); }

/* x - tanh x = (x - b) + b^3/d with b = min(x, 1), for x >= 0, where d = x^3/(x - tanh x) up to 1, a polynomial in x^2
 * that begins with 3, and (1 + e^2x)/2 from there on; it is the larger of the two. d - 4 rounds less than d - 3. Up to
 * 1 the quotient's last rounding is the result's, and above 4/3 much smaller. b^3 is computed times 2^SCALE_BIAS, to be
 * no subnormal number. */
/* ULP 0.92 at -0x1.3636f8p+0 (float), 1.05 at 0x1.fffe2c729a3c5p-1 (double) */
INLINE vector f_tanhshrink(vector x) {
    vector a = abs_(x), b = min_(a, V(1));
    dd square = two_product(b, b), cube = dd_mul_by(square, b / UNIT);
    power_and_rest e = exp_of(exponent_of_twice(min_(a, V(TANH_END))), EXPONENT_BIASED(-1));
    vector near = fma_(square.hi, POLYNOMIAL(square.hi, TANHSHRINK_POLYNOMIAL), V(-1));
    dd d = fast_two_sum(V(4), max_(near, mad(e.power, e.p, e.power - R(3.5))));
    vector reciprocal = 1 / d.hi, q = cube.hi * reciprocal;
    vector residual = fma_(-q, d.hi, cube.hi) + mad(-q, d.lo, cube.lo);
    return copysign_(mad(mad(residual, reciprocal, q), V(UNIT), a - b), x);
}
/* ULP 1.72 at 0x1.bfbbep-1 (float), 1.97 at -0x1.b3c8fff3f377p-1 (double) */
INLINE vector df_tanhshrink(vector x) { return tanh_squared(min_(abs_(x), V(TANH_END))); }

/* x/(1 + |x|). In double, the error stays below 2 ULP without a correction for the rounded sum. */
/* ULP 0.50 at 0x1.c2fa7ep-7 (float), 1.50 at -0x1.ff52141893f17p+8 (double) */
INLINE vector f_softsign(vector x) {
    vector a = clamp(x, V(-SOFTSIGN_LIMIT), V(SOFTSIGN_LIMIT));
    if (PYRELU_BITS == 64) return a / (1 + abs_(a));
    return div_by_dd(a, dd_add_positive(V(1), (dd){abs_(a), V(-0.0)})); /* adding -0 changes nothing */
}
/* ULP 1.25 at 0x1.555538p+62 (float), 1.21 at 0x1.07935daae839cp+510 (double) */
INLINE vector df_softsign(vector x) {
    dd d = dd_add_positive(V(1), (dd){min_(abs_(x), V(SOFTSIGN_LIMIT)), V(0)});
    vector r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, V(1))), square = r * r;
    return mad(square, 2 * error, square);
}
/* ULP 1.91 at -0x1.2d1626p-2 (float), 1.91 at 0x1.2f20fb6e3e7a5p-2 (double) */
INLINE vector dfy_softsign(vector y) { return (1 - abs_(y)) * (1 - abs_(y)); }

/* Smooth relus */

/* log(1 + e^(beta x))/beta = max(x, 0) + log(1 + e^(-beta |x|))/beta */
/* ULP 0.98 at -0x1.06204p+0 (float), 1.25 at -0x1.e8c07478cc56p-1 (double) */
INLINE vector f_softplus(vector x, vector beta) { return softplus_by(beta, x); }
/* ULP 0.84 at -0x1.5db1a2p+6 (float), 0.83 at -0x1.625218dbd7556p+9 (double) */
INLINE vector df_softplus(vector x, vector beta) {
    return sigmoid_minus(exponent_by(-beta, clamp(x, EXP_LOWEST / beta, SATURATED / beta)));
}

/* ULP 0.98 at 0x1.06204p+0 (float), 1.35 at 0x1.fffffee6e6643p-1 (double) */
INLINE vector f_log_sigmoid(vector x) { return -softplus_(-x); }
/* ULP 0.88 at 0x1.77feb8p+2 (float), 0.81 at 0x1.6260cd5614d9dp+9 (double) */
INLINE vector df_log_sigmoid(vector x) { return sigmoid_of_minus(x); }

/* x/(1 + e^u), where u = minus_u(x) is an odd function, as max(x, 0) + a/(1 + e^u) with a = -|x|: by `lowest` this
 * product has become 0, and by `highest` it no longer changes a sum with x. */
INLINE vector times_sigmoid_minus(vector x, real lowest, real highest, exponent minus_u(vector)) {
    const vector a = max_(negative(while_visible(x, V(highest))), V(lowest));
    return mul_sigmoid_minus(a, minus_u(a), 1, max_(x, V(-0.0))); /* where the product is -0, so is the sum */
}

/* ULP 0.86 at -0x1.7f1aa6p+2 (float), 1.02 at -0x1.07bf0ce405a2cp-4 (double) */
INLINE vector f_silu(vector x) { return times_sigmoid_minus(x, LOGISTIC_LOWEST, SATURATED, exponent_of_minus); }
/* ULP 1.97 at -0x1.5f29ap-6 (float), 1.87 at -0x1.0ff570cd25e5dp+5 (double) */
INLINE vector df_silu(vector x) { return silu_slope(x); }

/* -1.702 x */
INLINE exponent quick_gelu_exponent(vector x) {
#if LOOKUP_4
    return (exponent){x, V(-QUICK_GELU_QUARTERS.hi), V(-QUICK_GELU_QUARTERS.lo), V(-0.0)};
#else
    return dd_negate(dd_mul_by(DD(QUICK_GELU_SCALE), x));
#endif
}

/* x sigmoid(1.702 x) */
/* ULP 0.85 at -0x1.ae8f3ep+5 (float), 1.00 at -0x1.ffa108bda96a8p-63 (double) */
INLINE vector f_quick_gelu(vector x) {
    return times_sigmoid_minus(x, LOGISTIC_LOWEST * R(0.587), SATURATED * R(0.6), quick_gelu_exponent);
}
/* ULP 1.92 at -0x1.571d8ep+2 (float), 1.89 at -0x1.2e31547a5325cp+8 (double) */
INLINE vector df_quick_gelu(vector x) {
    const real lowest = EXP_LOWEST * R(0.585);
#if LOOKUP_4
    vector a = max_(negative(x), V(lowest)), v = a * QUICK_GELU_SCALE.hi, above = 1 + v;
    vector lost = mad(a, V(QUICK_GELU_SCALE.lo), fma_(a, V(QUICK_GELU_SCALE.hi), -v));
    logistic s = logistic_above(quick_gelu_exponent(a));
    return product_slope(x, s, v, above, mad(lost, of_rest(s), v - (above - 1)));
#else
    const dd u = dd_mul_by(DD(QUICK_GELU_SCALE), clamp(x, V(lowest), V(SATURATED)));
    return mul_sigmoid_derivative(u, u);
#endif
}

/* ULP 1.46 at 0x1.d83df2p-9 (float), 1.85 at -0x1.2051eb851ebaep+5 (double) */
INLINE vector f_gelu(vector x) { return gelu_(x); }
/* ULP 2.00 at -0x1.baa5fap+2 (float), 1.96 at -0x1.51b890446186p+2 (double) */
INLINE vector df_gelu(vector x) { return gelu_slope(x); }

/* x sigmoid(u) with u = 2 sqrt(2/pi) (x + 0.044715 x^3) */
/* ULP 0.83 at -0x1.438122p+3 (float), 1.01 at -0x1.e7e313573d78p-6 (double) */
INLINE vector f_gelu_tanh(vector x) {
    return times_sigmoid_minus(x, GELU_TANH_LOWEST, GELU_TANH_HIGHEST, gelu_tanh_exponent);
}
/* ULP 1.99 at -0x1.5be6acp-6 (float), 1.87 at -0x1.3141203188317p+0 (double) */
INLINE vector df_gelu_tanh(vector x) { return gelu_tanh_slope(x); }

/* x tanh(log(1 + e^x)) = x e (e + 2)/(e (e + 2) + 2) with e = e^x */
/* ULP 0.83 at -0x1.6f81aap+6 (float), 1.20 at 0x1.c1dac68f26d68p-1021 (double) */
INLINE vector f_mish(vector x) {
    vector a = limited(x);
    exponential e = exp_parts((dd){a, V(0)});
    vector power = visible_power_of_2(e.k);
    dd f = plus_exp(V(2), power, e), n = times_unscaled(f, e);
    dd q = dd_div(n, dd_add_positive(V(2), dd_scale(n, power)));
    vector y = copysign_(scale(mul_by_dd(a, q), e.k), x);
    return blend(greater(x, V(SATURATED)), x, y);
}
/* e (4(x + 1) + (4x + 6)e + 4e^2 + e^3)/(e^2 + 2e + 2)^2 */
/* ULP 1.06 at -0x1.a557c4p+2 (float), 1.04 at -0x1.64f56288ae183p+7 (double) */
INLINE vector df_mish(vector x) {
    vector a = clamp(x, V(EXP_LOWEST), V(SATURATED / 2));
    exponential e = exp_parts((dd){a, V(0)});
    dd m = fast_two_sum(V(1), e.p), n = dd_scale(m, visible_power_of_2(e.k));
    dd w = dd_add(dd_mul(n, dd_add_positive(V(4), n)), two_sum(4 * a, V(6)));
    w = dd_add(dd_mul(n, w), two_sum(4 * a, V(4)));
    dd v = dd_add_positive(V(2), dd_mul(n, dd_add_positive(V(2), n)));
    return scale(dd_div_value(dd_mul(m, w), dd_square(v)), e.k);
}

/* y = (x + root)/2 = max(x, 0) + b/4/h with root = sqrt(x^2 + b) and h = (|x| + root)/2. Rounded, it is corrected by
 * Newton's step for y (y - x) = b/4, whose divisor is root = h (2 - v) with v = |x|/h <= 1: a polynomial for 1/(2 - v)
 * within 1/99 is near enough. Beyond SQUAREPLUS_FAR root = |x|, and y is not corrected. For b = 0, h must not be 0. */
/* ULP 0.52 at -0x1.968bc8p-11 (float), 0.52 at -0x1.fe76453ee79b8p-20 (double) */
INLINE vector f_squareplus(vector x, vector b) {
    vector a = abs_(x), limited = min_(a, V(SQUAREPLUS_FAR)), root = max_(sqrt_(mad(limited, limited, b)), a);
    vector reciprocal = 1 / mad(a, V(0.5), mad(root, V(0.5), V(4 * R_MIN))), v = limited * reciprocal;
    vector y = mad(b / 4, reciprocal, max_(x, V(0)));
    dd other = two_sum(y, -x);
    vector residual = mad(-y, other.lo, fma_(-y, other.hi, b / 4));
    vector step = mad(mad(v, V(R(32.0) / 99), V(R(16.0) / 99)), v, V(R(50.0) / 99)) * reciprocal;
    return mad(keep(less_equal(a, V(SQUAREPLUS_FAR)), residual), step, y);
}
/* f/root; the derivative of relu for b = 0 */
/* ULP 1.21 at -0x1.6ab8a6p+52 (float), 1.18 at -0x1.6beb29777ed4cp+447 (double) */
INLINE vector df_squareplus(vector x, vector b) {
    vector a = abs_(x);
    dd root = hypotenuse(min_(a, V(SQUAREPLUS_FAR)), b), h = fast_two_sum(root.hi, min_(a, V(SQUAREPLUS_FAR)));
    h.lo += root.lo;
    mask left = less(x, V(0));
    dd n = dd_blend(left, (dd){b / 2, V(0)}, dd_scale(h, V(0.5)));
    dd d = dd_blend(left, dd_mul(h, root), root);
    vector far = blend(left, b / 4 / a / a, V(1));
    vector y = blend(greater(a, V(SQUAREPLUS_FAR)), far, dd_div_value(n, d));
    return blend(equal(b, V(0)), df_relu(x), y);
}

#endif
