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
#define GELU_TANH_END R(11.0)
#else
#include "normal_f64.h"
#define NORMAL_END R(39.0)
#define GELU_TANH_END R(21.6)
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
    real a = magnitude(x, NORMAL_END);
    exponential e = gauss(a);
    real d = mad(a, NORMAL_SLOPE, NORMAL_SHIFT), d_lost = fma_(a, NORMAL_SLOPE, NORMAL_SHIFT - d);
    real w = a / d, lost = mad(-w, d_lost, fma_(-w, d, a)) * POLYNOMIAL(w, TAIL_SENSITIVITY);
    real v = fma_(w, POLYNOMIAL(w - NORMAL_MIDDLE, TAIL_POLYNOMIAL), NORMAL_SHIFT / 2 - 1);
    real y = w + fma_(w, e.r, fma_(w, mad(v, e.r + e.s, e.s) + v, lost));
    return minus_scaled(x < 0 ? 0 : x, y, e.k);
}

/* The derivative: Phi(x) + x phi(x) = Phi(-a) - a phi(a) = phi(a) (R(a) - a) at -a, 1 minus that at a. The root of
 * R(a) - a stands as a factor, so that the result has full relative accuracy even there.
 */
static inline real gelu_slope(real x) {
    real a = magnitude(x, NORMAL_END);
    exponential e = gauss(a);
    real t = a / mad(a, NORMAL_SLOPE, NORMAL_SHIFT) - NORMAL_MIDDLE;
    pair q = fast_two_sum(R(0.5), POLYNOMIAL(t, GELU_SLOPE_POLYNOMIAL));
    real f = a - GELU_SLOPE_ROOT.hi, f_lost = ((a - f) - GELU_SLOPE_ROOT.hi) - GELU_SLOPE_ROOT.lo;
    pair p = two_product(f, q.hi);
    real y = times_exp((pair){p.hi, mad(f, q.lo, mad(f_lost, q.hi, p.lo))}, e);
    y = x < 0 ? y : -y;
    return x == x ? minus_scaled(x < 0 ? 0 : 1, y, e.k) : x;
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
        pair_multiple(a, (pair){GELU_TANH_LINEAR.hi + c, GELU_TANH_LINEAR.lo + lost}),
        pair_multiple(a, (pair){mad(3, c, GELU_TANH_LINEAR.hi), mad(3, lost, GELU_TANH_LINEAR.lo)}),
    };
}

/* 1 + e^x for x <= 0 as a pair */
static inline pair one_plus_exp(exponential e) {
    real p = power_of_2(e.k, SCALE_BIAS) * power_of_2(0, -SCALE_BIAS), d = mad(p, e.r + e.s, 1 + p);
    return (pair){d, mad(p, e.s, mad(p, e.r, (1 - d) + p))};
}

/* x sigmoid(u(x)) = max(x, 0) - a/(1 + e^u), where the last factor is e^-u/(1 + e^-u) */
static inline real gelu_tanh_(real x) {
    real a = magnitude(x, GELU_TANH_END);
    pair u = gelu_tanh_argument_(a).u;
    exponential e = exp_parts((pair){-u.hi, -u.lo});
    pair d = one_plus_exp(e);
    real r = 1 / d.hi, w = a * r, lost = mad(-w, d.lo, fma_(-w, d.hi, a)) * r;
    return minus_scaled(x < 0 ? 0 : x, times_exp((pair){w, lost}, e), e.k);
}

/* The derivative: n e^-u/d^2 at -a with d = 1 + e^-u and n = d - a du/da, and 1 minus that at a. */
static inline real gelu_tanh_slope(real x) {
    real a = magnitude(x, GELU_TANH_END);
    gelu_tanh_argument c = gelu_tanh_argument_(a);
    exponential e = exp_parts((pair){-c.u.hi, -c.u.lo});
    pair d = one_plus_exp(e), n = pair_sum(d, (pair){-c.slope.hi, -c.slope.lo});
    real r = 1 / d.hi, r_lost = mad(-r, d.lo, fma_(-r, d.hi, 1));
    pair q = pair_multiple(r, n);
    real w = q.hi * r, y = times_exp((pair){w, mad(q.lo, r, 2 * w * r_lost)}, e);
    y = x < 0 ? -y : y;
    return x == x ? minus_scaled(x < 0 ? 0 : 1, y, e.k) : x;
}

#endif
