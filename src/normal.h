/* The tail of the normal distribution, for gelu: without branches and with full relative accuracy down to the last
 * subnormal number.
 *
 * The algorithms stand here once for both precisions; the constants of each are in normal_f32.h and normal_f64.h.
 */
#ifndef PYRELU_NORMAL_H
#define PYRELU_NORMAL_H

#include "elementary.h"

#if PYRELU_BITS == 32
#include "normal_f32.h"
#define NORMAL_END R(14.5) /* a Phi(-a) rounds to 0 from there on */
#else
#include "normal_f64.h"
#define NORMAL_END R(39.0)
#endif

/* min(|x|, NORMAL_END), also for NaN. As integers, since a select of reals makes gcc 12 compute what follows twice. */
static inline real normal_argument(real x) {
    bits a = to_bits(abs_(x)), end = to_bits(NORMAL_END);
    return from_bits(a < end ? a : end);
}

/* exp(-a^2/2) */
static inline exponential gauss(real a) {
    real b = R(-0.5) * a, h = b * a;
    return exp_parts((pair){h, fma_(b, a, -h)});
}

/* -2^(k + SCALE_BIAS), and the way back */
static inline real finish(real y, bits k, real base) {
    return mad(y * power_of_2(k, SCALE_BIAS), -power_of_2(0, -SCALE_BIAS), base);
}

/* x Phi(x) = max(x, 0) - a Phi(-a), where a = |x| and a Phi(-a) = exp(-a^2/2) w (1 + v): w = a/d with d = SLOPE a + SHIFT
 * has most of Mills' ratio, v the rest. What w lost to rounding is put back to first order.
 */
static inline real gelu_(real x) {
    real a = normal_argument(x);
    exponential e = gauss(a);
    real d = mad(a, NORMAL_SLOPE, NORMAL_SHIFT), d_lost = fma_(a, NORMAL_SLOPE, NORMAL_SHIFT - d);
    real w = a / d, lost = mad(-w, d_lost, fma_(-w, d, a)) * POLYNOMIAL(w, TAIL_SENSITIVITY);
    real v = mad(w, POLYNOMIAL(w - NORMAL_MIDDLE, TAIL_POLYNOMIAL), NORMAL_SHIFT / 2 - 1);
    real y = w + mad(w, e.r, mad(w, mad(v, e.r + e.s, e.s) + v, lost));
    return finish(y, e.k, x < 0 ? 0 : x);
}

/* The derivative: Phi(x) + x phi(x) = Phi(-a) - a phi(a) = phi(a) (R(a) - a) at -a, 1 minus that at a. The root of
 * R(a) - a stands as a factor, so that the result has full relative accuracy even there.
 */
static inline real gelu_slope(real x) {
    real a = normal_argument(x);
    exponential e = gauss(a);
    real t = a / mad(a, NORMAL_SLOPE, NORMAL_SHIFT) - NORMAL_MIDDLE;
    pair q = fast_two_sum(GELU_SLOPE_MIDDLE, t * POLYNOMIAL(t, GELU_SLOPE_POLYNOMIAL));
    real f = a - GELU_SLOPE_ROOT.hi, f_lost = ((a - f) - GELU_SLOPE_ROOT.hi) - GELU_SLOPE_ROOT.lo;
    pair p = two_product(f, q.hi);
    real y = p.hi + mad(p.hi, e.r, mad(p.hi, e.s, mad(f, q.lo, mad(f_lost, q.hi, p.lo))));
    y = x < 0 ? y : -y;
    return x == x ? finish(y, e.k, x < 0 ? 0 : 1) : x;
}

/* gelu_tanh is 0 below the first, x above the second. */
#if PYRELU_BITS == 32
BOUND GELU_TANH_LOWEST = R(-11.0), GELU_TANH_HIGHEST = R(6.0);
#else
BOUND GELU_TANH_LOWEST = R(-21.6), GELU_TANH_HIGHEST = R(8.0);
#endif

#endif
