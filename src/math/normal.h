/* The tail of the normal distribution, for gelu: without branches and with full relative accuracy down to the last
 * subnormal number.
 *
 * The algorithms stand here once for both precisions; the constants of each are in normal_f32.h and normal_f64.h.
 */
#ifndef PYRELU_NORMAL_H
#define PYRELU_NORMAL_H

#include "math/elementary.h"
#include "simd/unroll.h"

/* a Phi(-a) and a phi(a) round to 0 from NORMAL_END on, and a + a Phi(-a) to a from NORMAL_VISIBLE on.
 * NORMAL_UNIT: 2^-NORMAL_BIAS, such that neither e^(-a^2/2)/NORMAL_UNIT nor its rounding error is subnormal. */
#if PYRELU_BITS == 32
#include "math/normal_f32.h"
#define NORMAL_END R(14.99)
#define NORMAL_VISIBLE R(6.0)
#define NORMAL_BIAS 96
#define NORMAL_UNIT R(0x1p-96)
#else
#include "math/normal_f64.h"
#define NORMAL_END R(39.0)
#define NORMAL_VISIBLE R(9.0)
#define NORMAL_BIAS SCALE_BIAS
#define NORMAL_UNIT UNIT
#endif

/* exp(-a^2/2) */
INLINE exponential gauss(vector a) {
    vector b = R(-0.5) * a, h = mul(b, a);
    return exp_parts((dd){h, fma_(b, a, -h)});
}

/* y e^x 2^-k, rounded once but for some hundredths of an ULP */
INLINE vector times_exp(dd y, exponential e) { return y.hi + fma_(y.hi, e.r, mad(y.hi, e.s, mad(y.lo, e.p, y.lo))); }

/* base - y 2^k, where only the last step rounds a subnormal result */
INLINE vector minus_scaled(vector base, vector y, vector_bits k) {
    return mad(y * power_of_2(k, NORMAL_BIAS), V(-NORMAL_UNIT), base);
}

#if TABLES || PIECEWISE

/* x Phi(x) = max(x, 0) - a Phi(-a), where a = |x| and Phi(-a) = exp(-a^2/2) (head + rest), by a quotient of polynomials
 * for each of 8 intervals or a polynomial for each of 32. The heads of the first are short. */
INLINE piece normal_piece(vector a) {
#if PIECEWISE
    return piece_of(&NORMAL_PIECES, 5, a);
#else
    const vector_bits i = interval(POSITION(a, NORMAL));
    const vector d = DISTANCE(a, NORMAL, i);
    return (piece){AT_CENTRE(NORMAL, i), d, QUOTIENT(d, NORMAL, i)};
#endif
}

/* e^(-a^2/2) 2^bias */
INLINE power_and_rest gauss_of(vector a, const int bias) {
    const vector h = mul(a, V(-QUARTERS.hi / 2)), lost = mad(a, V(-QUARTERS.lo / 2), fma_(a, V(-QUARTERS.hi / 2), -h));
    return exp_of((exponent){a, h, lost, V(-0.0)}, EXPONENT_BIASED(bias));
}

INLINE vector gelu_(vector x) {
    const vector a = min_(abs_(while_visible(x, V(NORMAL_VISIBLE))), V(NORMAL_END));
    power_and_rest e = gauss_of(a, NORMAL_BIAS);
#if !PIECEWISE /* there, 32 registers suffice */
    SCHEDULING_BARRIER(e.power);
#endif
    const piece p = normal_piece(a);
    const vector w = e.power * p.at_centre, w_lost = fma_(e.power, p.at_centre, -w);
    const vector rest = mad(e.p, piece_value(p), mul(p.slope, p.distance));
    const vector y = fma_(a, w, mul(a, mad(e.power, rest, w_lost)));
    return mad(y, V(-NORMAL_UNIT), max_(x, V(0)));
}

#else

/* x Phi(x) = max(x, 0) - a Phi(-a), where a = |x| and a Phi(-a) = exp(-a^2/2) w (1 + v): w = a/d with d = SLOPE a +
 * SHIFT has most of Mills' ratio, v the rest. What w lost to rounding is put back to first order.
 */
INLINE vector gelu_(vector x) {
    vector a = min_(abs_(while_visible(x, V(NORMAL_VISIBLE))), V(NORMAL_END));
    exponential e = gauss(a);
    vector d = mad(a, V(NORMAL_SLOPE), V(NORMAL_SHIFT)), d_lost = fma_(a, V(NORMAL_SLOPE), NORMAL_SHIFT - d);
    vector w = mul(a, 1 / d), lost = mul(mad(-w, d_lost, fma_(-w, d, a)), POLYNOMIAL(w, TAIL_SENSITIVITY));
    vector v = fma_(w, POLYNOMIAL(w - NORMAL_MIDDLE, TAIL_POLYNOMIAL), V(NORMAL_SHIFT / 2 - 1));
    vector y = w + fma_(w, e.r, fma_(w, mad(v, e.p, e.s) + v, mad(lost, e.p, lost)));
    return copysign_(minus_scaled(max_(x, V(0)), y, e.k), x);
}

#endif

/* The derivative: Phi(x) + x phi(x) = Phi(-a) - a phi(a) = phi(a) (R(a) - a) at -a, 1 minus that at a. The root of
 * R(a) - a stands as a factor, or is the centre of an interval, so that the result has full relative accuracy even
 * there; by the table of 8 its error there is small beside 1. Eight intervals are too wide for a table of the
 * difference: Phi(-a) by that of gelu, less a phi(a). What their heads lose is exact for a < 1/2, where it matters.
 */
#if PIECEWISE

INLINE vector gelu_slope(vector x) {
    const vector a = min_(abs_(x), V(NORMAL_END));
    const power_and_rest e = gauss_of(a, SCALE_BIAS);
    return step_less(x, times_power(piece_value(piece_of(&GELU_SLOPE_PIECES, 5, a)), e), UNIT);
}

#elif TABLES

INLINE vector gelu_slope(vector x) {
    const vector a = min_(abs_(x), V(NORMAL_END));
    const power_and_rest e = gauss_of(a, SCALE_BIAS);
    const piece p = normal_piece(a);
    const vector value = fma_(a, V(-INVERSE_ROOT_2PI.hi), p.at_centre);
    const vector lost = keep(less(a, V(0.5)), fma_(a, V(-INVERSE_ROOT_2PI.hi), p.at_centre - value));
    const vector rest = mad(p.distance, p.slope, mad(a, V(-INVERSE_ROOT_2PI.lo), lost));
    return step_less(x, sum_times_power(value, rest, e), UNIT);
}

#else

INLINE vector gelu_slope(vector x) {
    vector a = min_(abs_(x), V(NORMAL_END));
    exponential e = gauss(a);
    vector t = a / mad(a, V(NORMAL_SLOPE), V(NORMAL_SHIFT)) - NORMAL_MIDDLE;
    dd q = fast_two_sum(V(0.4375), POLYNOMIAL(t, GELU_SLOPE_POLYNOMIAL));
    vector f = a - GELU_SLOPE_ROOT.hi, f_lost = ((a - f) - GELU_SLOPE_ROOT.hi) - GELU_SLOPE_ROOT.lo;
    dd p = two_product(f, q.hi);
    vector y = times_exp((dd){p.hi, mad(f, q.lo, mad(f_lost, q.hi, p.lo))}, e);
    return step_less(x, mul(-y, power_of_2(e.k, SCALE_BIAS)), UNIT);
}

#endif

/* gelu_tanh is 0 below the first, x above the second. */
#if PYRELU_BITS == 32
#define GELU_TANH_LOWEST R(-11.05)
#define GELU_TANH_HIGHEST R(6.0)
#else
#define GELU_TANH_LOWEST R(-21.7)
#define GELU_TANH_HIGHEST R(8.0)
#endif

/* x (GELU_TANH_LINEAR + cubic x^2): with GELU_TANH_CUBIC u = 2 sqrt(2/pi) (x + 0.044715 x^3), with three times that x
 * u'. The head of the linear term has so few bits that the rounding error of the sum is representable. */
INLINE dd gelu_tanh_cubic(vector x, dd_constant cubic) {
    dd xx = two_product(x, x);
    vector sum = mad(V(cubic.hi), xx.hi, V(GELU_TANH_LINEAR.hi));
    vector lost = fma_(V(cubic.hi), xx.hi, GELU_TANH_LINEAR.hi - sum);
    lost += mad(V(cubic.hi), xx.lo, mad(V(cubic.lo), xx.hi, V(GELU_TANH_LINEAR.lo)));
    dd u = two_product(x, sum);
    return (dd){u.hi, mad(x, lost, u.lo)};
}

/* -u, of which gelu_tanh is x/(1 + e^-u) */
INLINE exponent gelu_tanh_exponent(vector x) {
#if LOOKUP_4 /* in quarters of an octave */
    const dd_constant linear = GELU_TANH_LINEAR_QUARTERS, cubic = GELU_TANH_CUBIC_QUARTERS;
    dd xx = two_product(x, x);
    vector sum = mad(V(cubic.hi), xx.hi, V(linear.hi)), lost = fma_(V(cubic.hi), xx.hi, linear.hi - sum);
    lost += mad(V(cubic.hi), xx.lo, mad(V(cubic.lo), xx.hi, V(linear.lo)));
    return (exponent){x, -sum, -lost, V(-0.0)};
#else
    return dd_negate(gelu_tanh_cubic(x, GELU_TANH_CUBIC));
#endif
}

/* The derivative of x sigmoid(u) with u = 2 sqrt(2/pi) (x + 0.044715 x^3) */
INLINE vector gelu_tanh_slope(vector x) {
#if LOOKUP_4
    vector a = max_(negative(x), V(GELU_TANH_LOWEST));
    logistic s = logistic_above(gelu_tanh_exponent(a));
    dd v = gelu_tanh_cubic(a, GELU_TANH_SLOPE_CUBIC);
    vector above = 1 + v.hi, lost = PYRELU_BITS == 32 ? V(-0.0) : v.hi - (above - 1);
    return product_slope(x, s, v.hi, above, mad(v.lo, of_rest(s), lost));
#else
    vector a = clamp(x, V(GELU_TANH_LOWEST), V(GELU_TANH_HIGHEST));
    return mul_sigmoid_derivative(gelu_tanh_cubic(a, GELU_TANH_CUBIC), gelu_tanh_cubic(a, GELU_TANH_SLOPE_CUBIC));
#endif
}

#endif
