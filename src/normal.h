/* The tail of the normal distribution, for gelu: without branches and with full relative accuracy down to the last
 * subnormal number.
 *
 * The algorithms stand here once for both precisions; the constants of each are in normal_f32.h and normal_f64.h.
 */
#ifndef PYRELU_NORMAL_H
#define PYRELU_NORMAL_H

#include "elementary.h"

/* a Phi(-a) and a phi(a) round to 0 from NORMAL_END on, a/(1 + e^u) (see below) from GELU_TANH_END on */
#if PYRELU_BITS == 32
#include "normal_f32.h"
BOUND NORMAL_END = R(15.0), GELU_TANH_END = R(11.0);
#else
#include "normal_f64.h"
BOUND NORMAL_END = 39, GELU_TANH_END = R(21.6);
#endif

/* exp(-a^2/2) */
static inline exponential gauss(real a) {
    real b = R(-0.5) * a, h = b * a;
    return exp_parts((pair){h, fma_(b, a, -h)});
}

/* y e^x 2^-k, rounded once but for some hundredths of an ULP */
static inline real times_exp(pair y, exponential e) {
    return y.hi + fma_(y.hi, e.r, mad(y.hi, e.s, mad(y.lo, e.r + e.s, y.lo)));
}

/* base - y 2^k, where only the last step rounds a subnormal result */
static inline real minus_scaled(real base, real y, bits k) {
    return mad(y * power_of_2(k, SCALE_BIAS), -power_of_2(0, -SCALE_BIAS), base);
}

/* x Phi(x) = max(x, 0) - a Phi(-a), where a = |x| and a Phi(-a) = exp(-a^2/2) w (1 + v): w = a/d with d = SLOPE a + SHIFT
 * has most of Mills' ratio, v the rest. What w lost to rounding is put back to first order.
 */
static inline real gelu_(real x) {
    real a = at_most(abs_(x), NORMAL_END);
    exponential e = gauss(a);
    real d = mad(a, NORMAL_SLOPE, NORMAL_SHIFT), d_lost = fma_(a, NORMAL_SLOPE, NORMAL_SHIFT - d);
    real w = a / d, lost = mad(-w, d_lost, fma_(-w, d, a)) * POLYNOMIAL(w, TAIL_SENSITIVITY);
    real v = fma_(w, POLYNOMIAL(w - NORMAL_MIDDLE, TAIL_POLYNOMIAL), NORMAL_SHIFT / 2 - 1);
    real y = w + fma_(w, e.r, fma_(w, mad(v, e.r + e.s, e.s) + v, lost));
    return minus_scaled(at_least(x, ZERO), y, e.k);
}

/* The derivative: Phi(x) + x phi(x) = Phi(-a) - a phi(a) = phi(a) (R(a) - a) at -a, 1 minus that at a. The root of
 * R(a) - a stands as a factor, so that the result has full relative accuracy even there.
 */
static inline real gelu_slope(real x) {
    real a = at_most(abs_(x), NORMAL_END);
    exponential e = gauss(a);
    real t = a / mad(a, NORMAL_SLOPE, NORMAL_SHIFT) - NORMAL_MIDDLE;
    pair q = fast_two_sum(R(0.5), POLYNOMIAL(t, GELU_SLOPE_POLYNOMIAL));
    real f = a - GELU_SLOPE_ROOT.hi, f_lost = ((a - f) - GELU_SLOPE_ROOT.hi) - GELU_SLOPE_ROOT.lo;
    pair p = two_product(f, q.hi);
    real y = times_exp((pair){p.hi, mad(f, q.lo, mad(f_lost, q.hi, p.lo))}, e);
    return minus_scaled(x < 0 ? 0 : 1, x < 0 ? y : -y, e.k);
}

/* u = 2 sqrt(2/pi) (a + 0.044715 a^3) and a du/da */
typedef struct {
    pair u, slope;
} gelu_tanh_argument;

/* For a up to GELU_TANH_END, from where on a e^-u rounds to 0. GELU_TANH_GRID is added and taken away again to get the
 * cubic term as a multiple of its ULP, as GELU_TANH_LINEAR.hi is one: their sum is exact, and so is 3 times that.
 */
static inline gelu_tanh_argument gelu_tanh_argument_(real a) {
    pair h = two_product(a, a);
    real c = mad(GELU_TANH_CUBIC.hi, h.hi, GELU_TANH_GRID) - GELU_TANH_GRID;
    real lost = mad(GELU_TANH_CUBIC.hi, h.lo, mad(GELU_TANH_CUBIC.lo, h.hi, fma_(GELU_TANH_CUBIC.hi, h.hi, -c)));
    return (gelu_tanh_argument){
        pair_times((pair){GELU_TANH_LINEAR.hi + c, GELU_TANH_LINEAR.lo + lost}, a),
        pair_times((pair){mad(3, c, GELU_TANH_LINEAR.hi), mad(3, lost, GELU_TANH_LINEAR.lo)}, a),
    };
}

/* x sigmoid(u(x)) = max(x, 0) - a sigmoid(-u(a)) */
static inline real gelu_tanh_(real x) {
    real a = at_most(abs_(x), GELU_TANH_END);
    pair u = gelu_tanh_argument_(a).u;
    scaled s = sigmoid_((pair){-u.hi, -u.lo});
    return minus_scaled(at_least(x, ZERO), times(a, s.m), s.k);
}

/* The derivative: s (1 - a u' (1 - s)) at -a with s = sigmoid(-u(a)), and 1 minus that at a. */
static inline real gelu_tanh_slope(real x) {
    gelu_tanh_argument c = gelu_tanh_argument_(at_most(abs_(x), GELU_TANH_END));
    logistic l = logistic_((pair){-c.u.hi, -c.u.lo});
    pair w = pair_sum(l.sum, pair_times(c.slope, -l.d));
    real y = quotient_value(pair_product(l.n.m, w), pair_square(l.sum));
    return minus_scaled(x < 0 ? 0 : 1, x < 0 ? -y : y, l.n.k);
}

#endif
