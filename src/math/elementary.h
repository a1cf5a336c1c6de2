/* sigmoid, log1p, tanh ... without branches and, as double-doubles, with some bits to spare, so that a formula composed
 * of them still rounds to within 1 ULP.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "math/interval_tables.h"

#if LOOKUP
/* r (1 + growth) = -1/(1 + e^-x): the sign that spares a negation */
typedef struct {
    vector r, growth;
} logistic;

/* The logistic function with UNIT in place of 1, which keeps it from overflow. As r and power are short, 1 less their
 * products is exact if the larger is taken off first. */
INLINE logistic logistic_parts(dd x) {
    short_exponential e = exp_short(dd_negate(x), -SCALE_BIAS);
    vector r = shortened(-1 / mad(e.power, e.p, e.power + UNIT));
    vector most = max_(e.power, V(UNIT)), least = min_(e.power, V(UNIT));
    vector residual = mad(r, mul(e.power, e.p), fma_(r, least, fma_(r, most, V(1))));
    return (logistic){r, mad(residual, residual, residual)};
}

INLINE vector sigmoid_(dd x) {
    logistic l = logistic_parts(x);
    return mul(mad(l.r, l.growth, l.r), V(-UNIT));
}

/* a/(1 + e^-x), a times the logistic function */
INLINE vector mul_sigmoid(vector a, dd x) {
    logistic l = logistic_parts(x);
    return mul(fma_(a, l.r, mul(a, l.r) * l.growth), V(-UNIT));
}

#else

/* The same where powers come without a table, and p may be too large for a product with it to be exact enough */
INLINE vector mul_sigmoid(vector a, dd x) { return scaled_down(div_by_dd(a, one_plus_exp(dd_negate(x)))); }

INLINE vector sigmoid_(dd x) { return mul_sigmoid(V(1), x); }

#endif

/* y UNIT where x < 0, else 1 - y UNIT: the derivative of x g(x) where g(x) + g(-x) = 1 */
INLINE vector step_less(vector x, vector y) {
    mask left = less(x, V(0));
    return mad(blend(left, y, -y), V(UNIT), blend(left, V(-0.0), V(1))); /* -0 keeps the sign of what underflows */
}

/* sigmoid_slope(c, x): c e^x/(1 + e^x)^2, c times the derivative of the logistic function, which is even.
 * silu_slope(x, a): the derivative of x sigmoid(x), from x or, where there are tables, from a = |x| and x's sign. */

#if NARROW_TABLES

INLINE vector sigmoid_slope(const real c, vector x) {
    vector a = min_(abs_(x), V(-EXP_LOWEST));
    vector_bits i = interval(min_(PLACE(a, SIGMOID_SLOPE), V(15)));
    vector value = VALUE(DISTANCE(a, SIGMOID_SLOPE, i), SIGMOID_SLOPE, i);
    return times_exp_short((dd){-a, V(-0.0)}, value) * (c * UNIT);
}

INLINE vector silu_slope(dd x, dd a) {
    vector_bits i = interval(min_(PLACE(a.hi, SILU_SLOPE), V(15)));
    vector value = VALUE(DISTANCE(a.hi, SILU_SLOPE, i) + a.lo, SILU_SLOPE, i);
    return step_less(x.hi, times_exp_short(dd_negate(a), value));
}

#else

INLINE vector sigmoid_slope(const real c, vector x) {
    exponential e = exp_parts((dd){max_(-abs_(x), V(EXP_LOWEST)), V(0)});
    vector power = visible_power_of_2(e.k), d = mad(power, e.p, 1 + power), lost = mad(power, e.p, power - (d - 1));
    vector r = 1 / d, error = mad(-r, lost, fma_(-r, d, V(1))), square = r * r;
    return scale(c * mad(square, mad(2 * error, 1 + e.p, e.p), square), e.k);
}

/* r (1 + v t) with r = sigmoid(u) and t = sigmoid(-u): the derivative of x sigmoid(u) for v = x u'. For d = 1 + e^-u,
 * r = 1/d and t = (d - 1)/d. The sum may cancel, so that t and v are double-doubles; what r lost to rounding counts
 * twice. */
INLINE vector mul_sigmoid_derivative(dd u, dd v) {
    dd d = one_plus_exp(dd_negate(u)), n = fast_two_sum(d.hi, V(-UNIT));
    vector r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, V(1)));
    vector t = n.hi * r, lost = mad(n.lo + d.lo, r, fma_(n.hi, r, -t)), s = fma_(v.hi, t, V(1));
    return scaled_down(mad(r, s, r * mad(error, mad(V(2), s, V(-1)), mad(v.hi, lost, v.lo * t))));
}

INLINE vector silu_slope(dd x, dd a) {
    (void)a;
    return mul_sigmoid_derivative(x, x);
}

#endif

/* max(x, 0) + c log(1 + e^a) for base = max(x, 0), a = -|u|, and c u = x: near 0 by the polynomial of log(1 + e^u)'s
 * even part, elsewhere as z (1 + z Q(z)) for z = e^a <= 1/e */
INLINE vector softplus_(vector base, vector c, vector u, dd a) {
    short_exponential e = expm1_short(a, SCALE_BIAS);
    vector visible = max_(e.power, V(INVISIBLE)) * UNIT, z = mad(visible, e.p, visible);
    vector log = fma_(e.power, e.r + fma_(fma_(e.p, z, z), POLYNOMIAL(z, LOG1P_POLYNOMIAL), e.s), e.power);
    dd line = fast_two_sum(V(LOG_2.hi), u / 2);
    vector near = line.hi + (line.lo + mad(u * u, POLYNOMIAL(u * u, SOFTPLUS_POLYNOMIAL), V(LOG_2.lo)));
    return blend(less(abs_(u), V(1)), c * near, mad(log, c * UNIT, base));
}

#if TABLES

/* tanh x for 0 <= x <= TANH_END, by a polynomial for each interval. With this scale the second interval begins with a
 * tanh above a power of 2, where its ULP is twice that below. */
INLINE vector tanh_nonnegative(vector x) {
    vector place = PLACE(x, TANH);
    vector_bits i = interval(place);
    vector d = DISTANCE(x, TANH, i);
    return mad(d, QUOTIENT(d, TANH, i), blend(beyond_first(place), HEAD(TANH, i), x));
}

#else

/* The same by the quotient of e^2x - 1 and e^2x + 1, and a correction by what that leaves. If it is short, the rest is
 * nearly exact; in double what the sums lose to rounding stays below 2 ULP without that. */
INLINE vector tanh_nonnegative(vector x) {
    short_exponential e = exp_short((dd){2 * x, V(-0.0)}, 0);
    vector minus = e.power - 1, dd_accumulate = e.power + 1, grown = e.power * (e.r + e.s),
           reciprocal = 1 / (dd_accumulate + grown);
    vector quotient = (minus + grown) * reciprocal;
    if (PYRELU_BITS == 64)
        return mad(mad(-quotient, grown, fma_(-quotient, dd_accumulate, minus) + grown), reciprocal, quotient);
    vector y = shortened(quotient), residual = fma_(-y, dd_accumulate, minus), c = y * e.power;
    residual = mad(-c, e.s, fma_(-c, e.r, mad(e.power, e.s, fma_(e.power, e.r, residual))));
    return blend(greater(x, V(4)), mad(V(-2), reciprocal, V(1)), mad(residual, reciprocal, y));
}

#endif

/* 1 - tanh x = 2/(1 + e^2x) for TANH_NEAR <= x <= TANH_END */
INLINE vector one_minus_tanh(vector x) {
    exponential e = exp_parts((dd){2 * x, V(0)});
    vector power = power_of_2(e.k, 0);
    return 2 / mad(power, e.p, 1 + power);
}

/* the same as a double-double */
INLINE dd one_minus_tanh_dd(vector x) {
    exponential e = exp_parts((dd){2 * x, V(0)});
    vector power = power_of_2(e.k, 0), sum = 1 + power, d = mad(power, e.p, sum), lost = mad(power, e.p, sum - d);
    vector w = 2 / d;
    return (dd){w, mad(-w, lost, fma_(-w, d, V(2))) * (w / 2)};
}

/* (1/3 - (x - tanh x)/x^3)/x^2 of x^2 for |x| <= TANH_NEAR */
INLINE vector tanh_series(vector xx) { return POLYNOMIAL(xx, TANH_POLYNOMIAL); }

/* x - x^3 (1/3 - x^2 series) = tanh x for |x| <= TANH_NEAR */
INLINE dd tanh_near(vector x) {
    vector xx = mad(x, x, V(TINY)), t = THIRD.hi + mad(-xx, tanh_series(xx), V(THIRD.lo)), cube = mul(x, xx),
           hi = fma_(-cube, t, x);
    return (dd){hi, fma_(-cube, t, x - hi)};
}

/* sqrt(x^2 + b) as a double-double */
INLINE dd hypotenuse(vector x, vector b) {
    dd s = dd_add_positive(b, two_product(x, x));
    vector root = sqrt_(s.hi), lost = (fma_(-root, root, s.hi) + s.lo) / (2 * root);
    return (dd){root, blend(greater(root, V(0)), lost, V(0))};
}

#endif
