/* sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula composed of them
 * still rounds to within 1 ULP.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "exponential.h"

#if LOOKUP
/* Where tables have the interval of x, from place = 1 + scale x < 16: by its exponent and the first of its fraction */
INLINE vector_bits interval(vector place) { return (vector_bits)place >> (R_FRACTION - EXP_SIZE_BITS + 2); }
INLINE mask beyond_first(vector place) { return greater_equal(place, V(1 + R(4.0) / LOOKUP)); }

/* c[0][i] + c[1][i] x + ... up to c[n - 1], even and odd terms side by side */
INLINE vector lookup_polynomial(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector square = mul(x, x), even = lookup(c[(n - 1) / 2 * 2], i), odd = lookup(c[n / 2 * 2 - 1], i);
#pragma GCC unroll 16
    for (int k = (n - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = mad(even, square, lookup(c[k], i));
#pragma GCC unroll 16
    for (int k = n / 2 * 2 - 3; k >= 0; k -= 2) odd = mad(odd, square, lookup(c[k], i));
    return mad(odd, x, even);
}
#define LOOKUP_POLYNOMIAL(x, c, i) lookup_polynomial(x, c, (int)(sizeof(c) / sizeof *(c)), i)

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
    vector residual = mad(-r, mul(e.power, e.p), fma_(-r, least, fma_(-r, most, V(1))));
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

#else

/* The same where powers come without a table, and p may be too large for a product with it to be exact enough */
INLINE vector gated(vector a, pair x) { return scaled_down(ratio(a, one_plus_exp(pair_negative(x)))); }

INLINE vector sigmoid_(pair x) { return gated(V(1), x); }

#endif

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

/* tanh x for 0 <= x <= TANH_END, by a polynomial for each interval. With this scale the second interval begins with a
 * tanh above a power of 2, where its ULP is twice that below. */
INLINE vector tanh_nonnegative(vector x) {
    vector place = mad(x, V(TANH_SCALE), V(1));
    vector_bits i = interval(place);
    vector head = choose(beyond_first(place), lookup(OF_LOOKUP(TANH_HEAD), i), x);
    vector d = x - lookup(OF_LOOKUP(TANH_CENTRE), i);
    return mad(d, LOOKUP_POLYNOMIAL(d, OF_LOOKUP(TANH_QUOTIENTS), i), head);
}

#else

/* The same by the quotient of e^2x - 1 and e^2x + 1. As y is short, its residual, which cancels, is nearly exact; in
 * double what p and, far out, the sums lose to rounding stays below 2 ULP. */
INLINE vector tanh_nonnegative(vector x) {
    short_exponential e = exp_short((pair){2 * x, V(0)}, 0);
    vector minus = e.power - 1, plus = e.power + 1, grown = e.power * e.p, reciprocal = 1 / (plus + grown);
    vector y = shortened((minus + grown) * reciprocal), residual = fma_(-y, plus, minus), c = y * e.power;
    if (PYRELU_BITS == 64) return mad(mad(-y, grown, residual + grown), reciprocal, y);
    residual = mad(-c, e.s, fma_(-c, e.r, mad(e.power, e.s, fma_(e.power, e.r, residual))));
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
