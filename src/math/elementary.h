/* sigmoid, softplus, tanh and others without branches, with some bits more than the precision where a formula composed
 * of them needs these to stay within 1 ULP.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "math/interval_tables.h"
#include "math/octaves.h"

/* sigmoid_minus(u): 1/(1 + e^u). mul_sigmoid_minus(a, u, above, base): base + a/(1 + e^u), where base is -0 or much
 * larger than what the sum rounds away. `above` says that u is not negative, so that 1 is the smaller term of the sum.
 * For u from about -SATURATED to -EXP_LOWEST; mul_sigmoid_minus meets no subnormal numbers up to -LOGISTIC_LOWEST. */

#if LOOKUP || LOOKUP_4

/* r (1 + growth) = -1/(1 + e^u), with LOGISTIC_UNIT in place of 1, which prevents overflow; the minus sign saves a
 * negation */
typedef struct {
    vector r, growth;
} logistic;

#if LOOKUP_4

/* r is the quotient, and growth what it and the sums lost. The residual 1 - r (1 + e^u) is nearly exact because p is
 * small. */
INLINE logistic logistic_parts(exponent u, const int above) {
    power_and_rest e = exp_of(u, EXPONENT_BIASED(-LOGISTIC_BIAS));
    vector most = above ? e.power : max_(e.power, V(LOGISTIC_UNIT));
    vector least = above ? V(LOGISTIC_UNIT) : min_(e.power, V(LOGISTIC_UNIT));
    vector sum = e.power + LOGISTIC_UNIT, lost = least - (sum - most);
    vector rest = mad(e.power, e.p, lost), r = -1 / (sum + rest);
    return (logistic){r, mad(r, rest, fma_(r, sum, V(1)))};
}

INLINE vector mul_sigmoid_minus(vector a, exponent u, const int above, vector base) {
    logistic l = logistic_parts(u, above);
    return mad(fma_(a, l.r, a * (l.r * l.growth)), V(-LOGISTIC_UNIT), base);
}

#else

/* As r and power are short, 1 minus their products is exact if the larger product is subtracted first. */
INLINE logistic logistic_parts(exponent u, const int above) {
    power_and_rest e = exp_of(u, EXPONENT_BIASED(-LOGISTIC_BIAS));
    vector r = shortened(-1 / mad(e.power, e.p, e.power + LOGISTIC_UNIT));
    vector most = above ? e.power : max_(e.power, V(LOGISTIC_UNIT));
    vector least = above ? V(LOGISTIC_UNIT) : min_(e.power, V(LOGISTIC_UNIT));
    vector residual = mad(r, mul(e.power, e.p), fma_(r, least, fma_(r, most, V(1))));
    return (logistic){r, mad(residual, residual, residual)};
}

INLINE vector mul_sigmoid_minus(vector a, exponent u, const int above, vector base) {
    logistic l = logistic_parts(u, above);
    return mad(fma_(a, l.r, mul(a, l.r) * l.growth), V(-LOGISTIC_UNIT), base);
}

#endif

INLINE vector sigmoid_minus(exponent u) {
    logistic l = logistic_parts(u, 0);
    return mul(mad(l.r, l.growth, l.r), V(-LOGISTIC_UNIT));
}

#else

/* The same without a table of powers, where p is too large for accurate products */
INLINE vector mul_sigmoid_minus(vector a, exponent u, const int above, vector base) {
    exponential e = exp_parts(u);
    vector power = power_of_2(e.k, -LOGISTIC_BIAS);
    dd d = above ? plus_exp_above(V(LOGISTIC_UNIT), power, e) : plus_exp(V(LOGISTIC_UNIT), power, e);
    return mad(div_by_dd(a, d), V(LOGISTIC_UNIT), base);
}

INLINE vector sigmoid_minus(exponent u) { return mul_sigmoid_minus(V(1), u, 0, V(-0.0)); }

#endif

/* y unit for x < 0, else 1 - y unit: the derivative of x g(x), where g(x) + g(-x) = 1, from its value y unit at -|x|.
 * -0 keeps the sign of what underflows. */
INLINE vector step_less(vector x, vector y, const real unit) {
    vector minus = keep(greater_equal(x, V(0)), V(-1));
    return mad(y, copysign_(V(unit), minus), -minus);
}

/* sigmoid_(x): 1/(1 + e^-x). sigmoid_of_minus(x): that of -x. */
#if PIECEWISE

INLINE vector sigmoid_(vector x) {
    const octave o = octave_of(&SIGMOID_OCTAVES, min_(abs_(x), V(-LOGISTIC_LOWEST)));
    return step_less(x, scalef(octave_value(o), o.minus_k), OCTAVES_UNIT);
}
INLINE vector sigmoid_of_minus(vector x) { return sigmoid_(-x); }

#else

INLINE vector sigmoid_(vector x) {
    return sigmoid_minus(exponent_of_minus(clamp(x, V(LOGISTIC_LOWEST), V(SATURATED))));
}
INLINE vector sigmoid_of_minus(vector x) { return sigmoid_minus(exponent_of(clamp(x, V(-SATURATED), V(-EXP_LOWEST)))); }

#endif

/* sigmoid_slope(c, x): the derivative of c sigmoid(c x), an even function, for all x. silu_slope(x): that of x
 * sigmoid(x). */

#if LOOKUP_4

/* As logistic_parts, for 0 <= u <= -EXP_LOWEST: with SLOPE_UNIT in place of UNIT, and the residual by products, of
 * which the larger is subtracted first. */
#if PYRELU_BITS == 32
#define SLOPE_BIAS 88
#define SLOPE_UNIT R(0x1p-88)
#else
#define SLOPE_BIAS SCALE_BIAS
#define SLOPE_UNIT UNIT
#endif
INLINE logistic logistic_above(exponent u) {
    power_and_rest e = exp_of(u, EXPONENT_BIASED(-SLOPE_BIAS));
    vector rest = e.power * e.p, r = -1 / (e.power + SLOPE_UNIT + rest);
    return (logistic){r, mad(r, rest, fma_(r, V(SLOPE_UNIT), fma_(r, e.power, V(1))))};
}

#if PIECEWISE

INLINE vector sigmoid_slope(const real c, vector x) {
    const octave o = octave_of(&SIGMOID_SLOPE_OCTAVES, min_(abs_(c * x), V(-EXP_LOWEST)));
    return scalef(c * c * octave_value(o), o.minus_k);
}

#else

/* c^2 s (1 - s) with s = sigmoid(-c |x|), where what s lacks counts 1 - 2 s times */
INLINE vector sigmoid_slope(const real c, vector x) {
    vector a = max_(negative(x), V(EXP_LOWEST / c));
    logistic s = logistic_above((exponent){a, V(-c * QUARTERS.hi), V(-c * QUARTERS.lo), V(-0.0)});
    vector lost = s.growth * mad(s.r, V(2 * SLOPE_UNIT), V(1));
    return mul(mad(s.r, mad(s.r, V(SLOPE_UNIT), lost), s.r), V(-SLOPE_UNIT * c * c));
}

#endif

/* The derivative of x sigmoid(u), for u(-x) = -u(x), from s = sigmoid(-|u|) and v = -|x u'|: at -|x| it is
 * s (1 + v (1 - s)). What s lacks counts in both places; `above` is 1 + v, and `lost` what v (1 - s) lacks by it. */
INLINE vector product_slope(vector x, logistic s, vector v, vector above, vector lost) {
    vector vs = v * s.r, n = fma_(vs, V(SLOPE_UNIT), above), twice = mad(vs, V(SLOPE_UNIT), n);
    if (PYRELU_BITS == 64) lost = mad(fma_(v, s.r, -vs), V(SLOPE_UNIT), lost); /* near the root */
    return step_less(x, -fma_(s.r, n, s.r * mad(s.growth, twice, lost)), SLOPE_UNIT);
}

INLINE vector of_rest(logistic s) { return mad(s.r, V(SLOPE_UNIT), V(1)); }

INLINE vector silu_slope(vector x) {
    vector a = max_(negative(x), V(EXP_LOWEST)), above = 1 + a, lost = PYRELU_BITS == 32 ? V(-0.0) : a - (above - 1);
    return product_slope(x, logistic_above(exponent_of_minus(a)), a, above, lost);
}

#else

INLINE vector sigmoid_slope(const real c, vector x) {
    exponential e = exp_parts((dd){max_(-abs_(c * x), V(EXP_LOWEST)), V(0)});
    vector power = visible_power_of_2(e.k), d = mad(power, e.p, 1 + power), lost = mad(power, e.p, power - (d - 1));
    vector r = 1 / d, error = mad(-r, lost, fma_(-r, d, V(1))), square = r * r;
    return scale(c * c * mad(square, mad(2 * error, 1 + e.p, e.p), square), e.k);
}

/* r (1 + v t) with r = sigmoid(u) and t = sigmoid(-u), which is the derivative of x sigmoid(u) for v = x u'. With
 * d = 1 + e^-u, r = 1/d and t = (d - 1)/d. t and v are double-doubles because the sum may cancel; the rounding error of
 * r enters twice. For EXP_LOWEST <= u <= SATURATED. */
INLINE vector mul_sigmoid_derivative(dd u, dd v) {
    dd d = one_plus_exp(dd_negate(u)), n = fast_two_sum(d.hi, V(-UNIT));
    vector r = 1 / d.hi, error = mad(-r, d.lo, fma_(-r, d.hi, V(1)));
    vector t = n.hi * r, lost = mad(n.lo + d.lo, r, fma_(n.hi, r, -t)), s = fma_(v.hi, t, V(1));
    return scaled_down(mad(r, s, r * mad(error, mad(V(2), s, V(-1)), mad(v.hi, lost, v.lo * t))));
}

INLINE vector silu_slope(vector x) {
    const dd a = {limited(x), V(0)};
    return mul_sigmoid_derivative(a, a);
}

#endif

/* softplus_(x): log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). softplus_by(beta, x): that of beta x, over beta */
#if PIECEWISE

INLINE vector softplus_(vector x) {
    const octave o = octave_of(&SOFTPLUS_OCTAVES, abs_(clamp(x, V(EXP_LOWEST), V(SATURATED))));
    return softplus_by_octave(x, V(1), V(1 / OCTAVES_UNIT), o);
}
/* A large 1/beta would overflow if it were scaled, and keeps what it multiplies from being subnormal. */
INLINE vector softplus_by(vector beta, vector x) {
    const vector scale = 1 / beta, units = blend(greater(scale, V(0x1p40)), V(1), V(1 / OCTAVES_UNIT));
    const vector a = abs_(clamp(x, EXP_LOWEST / beta, SATURATED / beta));
    return softplus_by_octave(x, scale, units, octave_of_dd(&SOFTPLUS_OCTAVES, two_product(beta, a)));
}

#else

/* max(x, 0) + c log(1 + e^a) for c u = x and a = max(-|u|, EXP_LOWEST): for |u| < 1 from a polynomial for the even part
 * of log(1 + e^u), elsewhere as z (1 + z Q(z)) with z = e^a <= 1/e */
INLINE vector softplus_of(vector x, vector c, vector u, dd a) {
    short_exponential e = expm1_short(a, SCALE_BIAS);
    vector visible = max_(e.power, V(INVISIBLE)) * UNIT, z = mad(visible, e.p, visible);
    vector log = fma_(e.power, e.r + fma_(fma_(e.p, z, z), POLYNOMIAL(z, LOG1P_POLYNOMIAL), e.s), e.power);
    dd line = fast_two_sum(V(LOG_2.hi), u / 2);
    vector near = line.hi + (line.lo + mad(u * u, POLYNOMIAL(u * u, SOFTPLUS_POLYNOMIAL), V(LOG_2.lo)));
    return blend(less(abs_(u), V(1)), c * near, mad(log, c * UNIT, max_(x, V(0))));
}

INLINE vector softplus_(vector x) {
    return softplus_of(x, V(1), x, itself(max_(-abs_(while_visible(x, V(SATURATED))), V(EXP_LOWEST))));
}
INLINE vector softplus_by(vector beta, vector x) {
    const dd a = two_product(beta, max_(-abs_(while_visible(x, SATURATED / beta)), EXP_LOWEST / beta));
    return softplus_of(x, 1 / beta, beta * x, a);
}

#endif

#if LOOKUP || LOOKUP_4

/* tanh x = b + b p for |x| = a <= TANH_END, with b = x limited to [-1, 1] and p = -b^2/d, where d = x^3/(x - tanh x) up
 * to 1, a polynomial in x^2, and 1/(1 - tanh a) = (1 + e^2a)/2 from there on. Both rise and they meet at 1, where the
 * second rises faster, so that d is the larger. For b = 0, p is not 0 but positive, so that zeros keep their sign; the
 * smallest difference of ALMOST_0 and a square is no subnormal number. */
#define ALMOST_0 R(0x1p-81)
typedef struct {
    vector b, p;
} shrinkage;

INLINE shrinkage tanh_parts(vector a, vector b) {
    vector minus_square = mad(-b, b, V(ALMOST_0)), near = horner(minus_square, COUNTED(TANH_DIVISOR_POLYNOMIAL), 1),
           far;
#if LOOKUP_4 && PYRELU_BITS == 32
    vector shifted = mad(a, V(2 * QUARTERS.hi), EXPONENT_BIASED(-1)), n = shifted - EXPONENT_BIASED(-1);
    power_and_rest e = quarters(mad(a, V(2 * QUARTERS.hi), -n), (vector_bits)shifted);
    far = mad(e.power, e.p, V(0.5)) + e.power;
#elif LOOKUP_4 /* e^2a = 2^n (e^t)^2; the bit that the square loses is beyond the last one of the result */
    vector shifted = mad(a, V(2 * R(1.4426950408889634)), V(SHIFTER - 1)), n = shifted - (SHIFTER - 1);
    vector root = horner(mad(n, V(-LOG_2.hi / 2), a), COUNTED(EXP_ROOT_POLYNOMIAL), 1);
    far = mad(power_of_2((vector_bits)shifted, 0) * root, root, V(0.5));
#else
    vector shifted = mad(a, V(2 * SIXTEENTHS), BIASED(-1)), n = shifted - BIASED(-1);
    vector_bits i = (vector_bits)shifted;
    vector power = (vector)((vector_bits)lookup(SIXTEENTH_TABLE, i) + (i << (R_FRACTION - 4)));
    far = mad(power, horner(mad(a, V(2 * SIXTEENTHS), -n), COUNTED(SIXTEENTH_POLYNOMIAL), 1), V(0.5));
#endif
    return (shrinkage){b, minus_square / max_(near, far)};
}

#endif

/* tanh x */
#if PIECEWISE

INLINE vector tanh_(vector x) { return copysign_(piecewise_from_0(&TANH_PIECES, 6, min_(abs_(x), V(TANH_END))), x); }

#elif LOOKUP || LOOKUP_4

INLINE vector tanh_(vector x) {
    shrinkage t = tanh_parts(min_(abs_(x), V(TANH_END)), clamp(x, V(-1), V(1)));
    return fma_(t.b, t.p, t.b);
}

#else

/* By the quotient of e^2x - 1 and e^2x + 1, corrected by its residual. The residual of a shortened quotient is
 * nearly exact; in double the rounding errors of the sums stay below 2 ULP without shortening. */
INLINE vector tanh_nonnegative(vector x) {
    short_exponential e = exp_short((dd){2 * x, V(-0.0)}, 0);
    vector minus = e.power - 1, plus = e.power + 1, grown = e.power * (e.r + e.s), reciprocal = 1 / (plus + grown);
    vector quotient = (minus + grown) * reciprocal;
    if (PYRELU_BITS == 64)
        return mad(mad(-quotient, grown, fma_(-quotient, plus, minus) + grown), reciprocal, quotient);
    vector y = shortened(quotient), residual = fma_(-y, plus, minus), c = y * e.power;
    residual = mad(-c, e.s, fma_(-c, e.r, mad(e.power, e.s, fma_(e.power, e.r, residual))));
    return blend(greater(x, V(4)), mad(V(-2), reciprocal, V(1)), mad(residual, reciprocal, y));
}
INLINE vector tanh_(vector x) { return copysign_(tanh_nonnegative(min_(abs_(x), V(TANH_END))), x); }

#endif

/* (1/3 - (x - tanh x)/x^3)/x^2, as a function of x^2, for |x| <= TANH_NEAR */
INLINE vector tanh_series(vector xx) { return POLYNOMIAL(xx, TANH_POLYNOMIAL); }

/* tanh^2 x for 0 <= x <= TANH_END */
#if LOOKUP || LOOKUP_4

INLINE vector tanh_squared(vector x) {
    shrinkage t = tanh_parts(x, min_(x, V(1)));
    vector y = fma_(t.b, t.p, t.b), lost = fma_(t.b, t.p, t.b - y);
    return fma_(y, y, 2 * y * lost);
}

#else

/* up to TANH_NEAR by tanh x = x - x^3 (1/3 - x^2 series) as a double-double, beyond it by w = 1 - tanh x */
INLINE vector tanh_squared(vector x) {
    vector xx = mad(x, x, V(TINY)), t = THIRD.hi + mad(-xx, tanh_series(xx), V(THIRD.lo)), cube = mul(x, xx);
    vector y = fma_(-cube, t, x), lost = fma_(-cube, t, x - y);
    exponential e = exp_parts((dd){2 * x, V(0)});
    vector power = power_of_2(e.k, 0), w = 2 / mad(power, e.p, 1 + power);
    return blend(greater(x, V(TANH_NEAR)), mad(-w, 2 - w, V(1)), fma_(y, y, 2 * y * lost));
}

#endif

/* sqrt(x^2 + b) as a double-double, for b >= 0 and |x| <= SQUAREPLUS_FAR */
INLINE dd hypotenuse(vector x, vector b) {
    dd s = dd_add_positive(b, two_product(x, x));
    vector root = sqrt_(s.hi), lost = (fma_(-root, root, s.hi) + s.lo) / (2 * root);
    return (dd){root, blend(greater(root, V(0)), lost, V(0))};
}

#endif
