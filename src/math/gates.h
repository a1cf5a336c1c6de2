/* Products with a gate: gated_<gate>(b, a) = a gate(b), and gated_slope_<gate>(b, a, g) = g a gate'(b).
 *
 * Nothing on the way is infinite or 0 unless the result is: far out, where gate(b) is about to be subnormal, it is a
 * number of ordinary size times a power of 2 (not that of gelu). Elsewhere a gate(b) is the product of a and
 * f_<gate>(b). Where one factor is 0 and the other infinite, the product is 0: NaN only comes out where NaN went in.
 */
#ifndef PYRELU_GATES_H
#define PYRELU_GATES_H

#include "math/activations.h"

/* FAR: nearer to 0 than that, gates and slopes are normal numbers; e^-FAR is not to be seen beside 1. FARTHEST: from
 * there on, a slope times any two numbers rounds to 0. GELU_FAR, GELU_FARTHEST: the same for gelu. LEAST_EXPONENT: what
 * is multiplied by its power of 2 rounds to 0. SMALL_BITS: as many make a normal number of a subnormal one. */
#if PYRELU_BITS == 32
#define FAR R(80.0)
#define FARTHEST R(300.0)
#define GELU_FAR R(12.0)
#define GELU_FARTHEST R(24.0)
#define LEAST_EXPONENT -250
#define SMALLEST_NORMAL R(0x1p-126)
#define SMALL_BITS 24
#define SMALL_SCALE R(0x1p24)
#else
#define FAR R(690.0)
#define FARTHEST R(2200.0)
#define GELU_FAR R(37.0)
#define GELU_FARTHEST R(66.0)
#define LEAST_EXPONENT -2040
#define SMALLEST_NORMAL R(0x1p-1022)
#define SMALL_BITS 54
#define SMALL_SCALE R(0x1p54)
#endif

/* x = fraction 2^exponent with 1 <= |fraction| < 2; of 0, infinity and NaN the fraction is that. Exponents are kept as
 * numbers, as these have a minimum on every instruction set. */
typedef struct {
    vector fraction, exponent;
} parted;

INLINE vector bits_as_number(vector_bits k) { return (vector)(k + to_bits(SHIFTER)) - SHIFTER; }

INLINE parted part(vector x) {
    mask small = less(abs_(x), V(SMALLEST_NORMAL)), ordinary = less_equal(abs_(x), V(R_MAX)) & greater(abs_(x), V(0));
    vector y = blend(small, x * SMALL_SCALE, x);
    const bits sign_and_fraction = SIGN_BIT | (((bits)1 << R_FRACTION) - 1);
    vector fraction = (vector)(((vector_bits)y & sign_and_fraction) | to_bits(R(1.0)));
    vector biased = bits_as_number((vector_bits)abs_(y) >> R_FRACTION);
    vector exponent = biased - blend(small, V(R_BIAS + SMALL_BITS), V(R_BIAS));
    return (parted){blend(ordinary, fraction, x), blend(ordinary, exponent, V(0))};
}

/* v 2^k for |v| > 2^-R_BIAS or 0: the first product is exact, unless the result is infinite or 0 */
INLINE vector times_power_of_2(vector v, vector k) {
    k = max_(k, V(LEAST_EXPONENT));
    vector shifted = k / 2 + SHIFTER, half = shifted - SHIFTER;
    vector first = power_of_2((vector_bits)shifted, 0), second = power_of_2((vector_bits)(k - half + SHIFTER), 0);
    return mul(mul(v, first), second);
}

/* c e^x far from 0 */
INLINE parted far_exponential(exponential e, vector c) { return (parted){mad(c, e.p, c), (vector)e.k - SHIFTER}; }

INLINE vector finite_where(mask c, vector x, real most) { return blend(c, clamp(x, V(-most), V(most)), x); }

/* a times a gate */
INLINE vector gated(vector a, vector gate) {
    gate = finite_where(equal(a, V(0)), gate, R_MAX);
    return mul(finite_where(equal(gate, V(0)), a, R_MAX), gate);
}

/* b + ln 2 (-n), which is not far, and n: e^b = e^(the sum) 2^n, and so are functions that are e^b far out. n is 0
 * where b is not far. */
typedef struct {
    dd sum;
    vector n;
} nearer;

INLINE nearer brought_near(vector b) {
    const vector from_far = min_(max_(b, V(-FARTHEST)) + FAR, V(0));
    const vector n = mad(from_far, V(R(1.4426950408889634)), V(SHIFTER)) - SHIFTER;
    return (nearer){{mad(n, V(-LN2.hi), clamp(b, V(-FARTHEST), V(SATURATED))), n * -LN2.lo}, n};
}

/* a times a gate that is 2^n `gate` */
INLINE vector gated_near(vector b, vector a, vector gate, vector n) {
    a = finite_where(equal(b, V(-R_INF)) | equal(gate, V(0)), a, R_MAX);
    return times_power_of_2(mul(a, gate), n);
}

/* g a times a slope, which is finite */
INLINE vector gated_slope(vector a, vector g, mask far, vector near, parted out) {
    parted p = part(a), q = part(g);
    vector slope = blend(far, out.fraction, near), exponent = blend(far, out.exponent, V(0));
    const mask zero = equal(a, V(0)) | equal(g, V(0)) | equal(slope, V(0));
    vector product = finite_where(zero, p.fraction, 2) * finite_where(zero, q.fraction, 2);
    return times_power_of_2(product * slope, p.exponent + q.exponent + exponent);
}

INLINE mask far_below(vector b, real bound) { return less(b, V(-bound)) & greater(b, V(-R_INF)); }
INLINE exponential exponential_below(vector b) { return exp_parts((dd){max_(b, V(-FARTHEST)), V(0)}); }

/* sigmoid is e^b there, and its slope too, on either side. */
INLINE vector gated_sigmoid(vector b, vector a) {
    const nearer c = brought_near(b);
    return gated_near(b, a, sigmoid_(c.sum), c.n);
}
INLINE vector gated_slope_sigmoid(vector b, vector a, vector g) {
    const vector x = -abs_(b);
    return gated_slope(a, g, far_below(x, FAR), df_sigmoid(b), far_exponential(exponential_below(x), V(1)));
}

/* silu is b e^b. */
INLINE vector gated_silu(vector b, vector a) {
    const nearer c = brought_near(b);
    const vector y = mul_sigmoid(clamp(b, V(-FARTHEST), V(SATURATED)), c.sum);
    return gated_near(b, a, finite_where(equal(a, V(0)), blend(greater(b, V(SATURATED)), b, y), R_MAX), c.n);
}
INLINE vector gated_slope_silu(vector b, vector a, vector g) {
    const parted out = far_exponential(exponential_below(b), 1 + max_(b, V(-FARTHEST)));
    return gated_slope(a, g, far_below(b, FAR), df_silu(b), out);
}

/* gelu's slope is phi(b) (b - (1 - 1/b^2 + 3/b^4 - ...)/b), phi the density of the normal distribution. The gate itself
 * is left to be subnormal, for speed. */
#define SQRT_2PI_INVERSE R(0.398942280401432677939946)
static const real MILLS_SERIES[] = {1, -1, 3, -15, 105, -945, 10395, -135135};
INLINE vector far_left(vector b) { return clamp(b, V(-GELU_FARTHEST), V(-GELU_FAR)); }
INLINE vector mills_series(vector b) { return POLYNOMIAL(1 / (b * b), MILLS_SERIES); }
INLINE vector gated_gelu(vector b, vector a) { return gated(a, f_gelu(b)); }
INLINE vector gated_slope_gelu(vector b, vector a, vector g) {
    const vector x = far_left(b), c = SQRT_2PI_INVERSE * (x - mills_series(x) / x);
    return gated_slope(a, g, far_below(b, GELU_FAR), df_gelu(b), far_exponential(gauss(x), c));
}

/* relu is never nearly 0. */
INLINE vector gated_relu(vector b, vector a) { return gated(a, f_relu(b)); }
INLINE vector gated_slope_relu(vector b, vector a, vector g) {
    const vector slope = df_relu(b);
    const mask zero = equal(a, V(0)) | equal(g, V(0)) | equal(slope, V(0));
    return mul(mul(finite_where(zero, a, 1), finite_where(zero, g, 1)), slope);
}

#endif
