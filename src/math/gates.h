/* Products with a gate: gated_<gate>(b, a) = a gate(b), and gated_slope_<gate>(b, a, g) = g a gate'(b).
 *
 * Intermediate results neither overflow nor underflow unless the result does. To ensure this, a gate that would be
 * nearly subnormal is kept as a number of ordinary size and a power of 2 (except the gate of gelu). For other b,
 * a gate(b) is simply a times f_<gate>(b). The product of 0 and infinity is 0, so that only a NaN gives NaN.
 */
#ifndef PYRELU_GATES_H
#define PYRELU_GATES_H

#include "math/activations.h"

/* FAR: for |b| < FAR, gates and slopes are normal numbers; 1 + e^-FAR rounds to 1.
 * FARTHEST: for b <= -FARTHEST, the product of the slope with any two numbers rounds to 0.
 * GELU_FAR, GELU_FARTHEST: the same for gelu.
 * LEAST_EXPONENT: any number times 2^LEAST_EXPONENT rounds to 0.
 * SMALL_BITS: any subnormal number times 2^SMALL_BITS, which is SMALL_SCALE, is normal. */
#if PYRELU_BITS == 32
#define FAR R(80.0)
#define FARTHEST R(300.0)
#define GELU_FAR R(12.0)
#define GELU_FARTHEST R(24.0)
#define LEAST_EXPONENT -250
#define SMALL_BITS 24
#define SMALL_SCALE R(0x1p24)
#else
#define FAR R(690.0)
#define FARTHEST R(2200.0)
#define GELU_FAR R(37.0)
#define GELU_FARTHEST R(66.0)
#define LEAST_EXPONENT -2040
#define SMALL_BITS 54
#define SMALL_SCALE R(0x1p54)
#endif

/* x = fraction 2^exponent with 1 <= |fraction| < 2. If x is 0, infinite or NaN, so is the fraction. Exponents are
 * floating-point numbers because not every instruction set has a minimum of integers. */
typedef struct {
    vector fraction, exponent;
} scaled;

INLINE vector bits_as_number(vector_bits k) { return (vector)(k + to_bits(SHIFTER)) - SHIFTER; }

INLINE scaled frexp_(vector x) {
    mask small = less(abs_(x), V(R_MIN)), ordinary = less_equal(abs_(x), V(R_MAX)) & greater(abs_(x), V(0));
    vector y = blend(small, x * SMALL_SCALE, x);
    const bits sign_and_fraction = SIGN_BIT | (((bits)1 << R_FRACTION) - 1);
    vector fraction = (vector)(((vector_bits)y & sign_and_fraction) | to_bits(R(1.0)));
    vector biased = bits_as_number((vector_bits)abs_(y) >> R_FRACTION);
    vector exponent = biased - blend(small, V(R_BIAS + SMALL_BITS), V(R_BIAS));
    return (scaled){blend(ordinary, fraction, x), blend(ordinary, exponent, V(0))};
}

/* v 2^k, for v = 0 or |v| > 2^-R_BIAS. The first product is exact unless the result is infinite or 0. */
INLINE vector ldexp_(vector v, vector k) {
    k = max_(k, V(LEAST_EXPONENT));
    vector shifted = k / 2 + SHIFTER, half = shifted - SHIFTER;
    vector first = power_of_2((vector_bits)shifted, 0), second = power_of_2((vector_bits)(k - half + SHIFTER), 0);
    return mul(mul(v, first), second);
}

/* c e^x without overflow or underflow */
INLINE scaled far_exponential(exponential e, vector c) { return (scaled){mad(c, e.p, c), (vector)e.k - SHIFTER}; }

/* x, clamped to [-bound, bound] for lanes where c is true */
INLINE vector clamp_where(mask c, vector x, real bound) { return blend(c, clamp(x, V(-bound), V(bound)), x); }

/* a times a gate */
INLINE vector gated(vector a, vector gate) {
    gate = clamp_where(equal(a, V(0)), gate, R_MAX);
    return mul(clamp_where(equal(gate, V(0)), a, R_MAX), gate);
}

/* sum = b - n ln 2 and n, such that the sum is not below -FAR: e^b = e^sum 2^n, and the same holds for functions that
 * tend to e^b. n is 0 for b >= -FAR. */
typedef struct {
    dd sum;
    vector n;
} reduced;

INLINE reduced reduce_far(vector b) {
    const vector from_far = min_(max_(b, V(-FARTHEST)) + FAR, V(0));
    const vector n = mad(from_far, V(R(1.4426950408889634)), V(SHIFTER)) - SHIFTER;
    return (reduced){{mad(n, V(-LN2.hi), clamp(b, V(-FARTHEST), V(SATURATED))), n * -LN2.lo}, n};
}

/* a times the gate 2^n `gate` */
INLINE vector gated_near(vector b, vector a, vector gate, vector n) {
    a = clamp_where(equal(b, V(-R_INF)) | equal(gate, V(0)), a, R_MAX);
    return ldexp_(mul(a, gate), n);
}

/* g a times the slope, which is finite: `out` for lanes where `far` is true, `near` for the others */
INLINE vector gated_slope(vector a, vector g, mask far, vector near, scaled out) {
    scaled p = frexp_(a), q = frexp_(g);
    vector slope = blend(far, out.fraction, near), exponent = blend(far, out.exponent, V(0));
    const mask zero = equal(a, V(0)) | equal(g, V(0)) | equal(slope, V(0));
    vector product = clamp_where(zero, p.fraction, 2) * clamp_where(zero, q.fraction, 2);
    return ldexp_(product * slope, p.exponent + q.exponent + exponent);
}

INLINE mask far_below(vector b, real bound) { return less(b, V(-bound)) & greater(b, V(-R_INF)); }
INLINE exponential exponential_below(vector b) { return exp_parts((dd){max_(b, V(-FARTHEST)), V(0)}); }

/* Far below 0, sigmoid(b) is e^b; its slope is e^-|b| on both sides. */
FORMULA gated_by_sigmoid(vector b, vector a) {
    const reduced c = reduce_far(b);
    return gated_near(b, a, sigmoid_minus(exponent_of_dd(dd_negate(c.sum))), c.n);
}
INLINE vector gated_sigmoid(vector b, vector a) {
    return BY_PIECES(less(b, V(-SIGMOID_TAIL.end)), gated_by_sigmoid(b, a),
                     mul(a, complement_above_0(&SIGMOID_TAIL, 6, b)));
}
INLINE vector gated_slope_sigmoid(vector b, vector a, vector g) {
    const vector x = -abs_(b);
    return gated_slope(a, g, far_below(x, FAR), df_sigmoid(b), far_exponential(exponential_below(x), V(1)));
}

/* Far below 0, silu(b) is b e^b. */
FORMULA gated_by_silu(vector b, vector a) {
#if PIECEWISE
    const reduced c = reduce_far(b);
    vector y = clamp(b, V(-FARTHEST), V(SATURATED));
    y = mul_sigmoid_minus(y, exponent_of_dd(dd_negate(c.sum)), 0, V(-0.0));
    y = blend(greater(b, V(SATURATED)), b, y);
#else
    const vector below = negative(min_(b, V(SATURATED)));
    const reduced c = reduce_far(below);
    const vector y =
        mul_sigmoid_minus(max_(below, V(-FARTHEST)), exponent_of_dd(dd_negate(c.sum)), 1, max_(b, V(-0.0)));
#endif
    return gated_near(b, a, clamp_where(equal(a, V(0)), y, R_MAX), c.n);
}
INLINE vector gated_silu(vector b, vector a) {
    return BY_PIECES(less(b, V(-SILU_TAIL.end)), gated_by_silu(b, a), gated(a, minus_half(&SILU_TAIL, 7, b)));
}
INLINE vector gated_slope_silu(vector b, vector a, vector g) {
    const scaled out = far_exponential(exponential_below(b), 1 + max_(b, V(-FARTHEST)));
    return gated_slope(a, g, far_below(b, FAR), df_silu(b), out);
}

/* Far below 0, the slope of gelu is phi(b) (b - (1 - 1/b^2 + 3/b^4 - ...)/b), where phi is the density of the normal
 * distribution. The gate itself may become subnormal, which is faster. */
#define SQRT_2PI_INVERSE R(0.398942280401432677939946)
static const real MILLS_SERIES[] = {1, -1, 3, -15, 105, -945, 10395, -135135};
INLINE vector far_left(vector b) { return clamp(b, V(-GELU_FARTHEST), V(-GELU_FAR)); }
INLINE vector mills_series(vector b) { return POLYNOMIAL(1 / (b * b), MILLS_SERIES); }
INLINE vector gated_gelu(vector b, vector a) { return gated(a, f_gelu(b)); }
INLINE vector gated_slope_gelu(vector b, vector a, vector g) {
    const vector x = far_left(b), c = SQRT_2PI_INVERSE * (x - mills_series(x) / x);
    return gated_slope(a, g, far_below(b, GELU_FAR), df_gelu(b), far_exponential(gauss(x), c));
}

/* relu is never subnormal unless b is. */
INLINE vector gated_relu(vector b, vector a) { return gated(a, f_relu(b)); }
INLINE vector gated_slope_relu(vector b, vector a, vector g) {
    const vector slope = df_relu(b);
    const mask zero = equal(a, V(0)) | equal(g, V(0)) | equal(slope, V(0));
    return mul(mul(clamp_where(zero, a, 1), clamp_where(zero, g, 1)), slope);
}

#endif
