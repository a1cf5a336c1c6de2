/* Double-double arithmetic on vectors, and polynomials.
 *
 * Nothing here branches. Contraction is off: the compiler fuses nothing that is not written as an fma, so that all
 * instruction sets with a fused multiply-add give the same bits.
 *
 * Ranges: u = 2^-24 in float and 2^-53 in double. What is called exact is so unless the result overflows or its error
 * term is too small to be represented. Arguments must be finite: an infinity turns lo, and with it the sum, into NaN.
 *
 * `*` or mul: both round once and give the same bits. A formula uses mul(a, b), defined below, where inputs of ordinary
 * size can make the product subnormal, because most processors slow down there, and `*` everywhere else.
 */
#ifndef PYRELU_DOUBLE_DOUBLE_H
#define PYRELU_DOUBLE_DOUBLE_H

#include "simd/vectors.h"

/* Whether the instruction set has a fused multiply-add */
#if defined(__FMA__) || defined(__aarch64__)
#define HAS_FMA 1
#else
#define HAS_FMA 0
#endif

/* An unevaluated sum hi + lo, where hi is the rounded value and lo its rounding error. With double-double intermediate
 * results, a composed formula stays within 1 ULP without a wider type: only the last addition rounds.
 */
typedef struct {
    vector hi, lo;
} dd;

/* A constant of twice the precision. DD(c) broadcasts it, as V(x) does a number. */
typedef struct {
    real hi, lo;
} dd_constant;
#define DD(c) ((dd){V((c).hi), V((c).lo)})

/* a + b exactly, for |a| >= |b| or a = 0 (Dekker) */
INLINE dd fast_two_sum(vector a, vector b) {
    vector s = a + b;
    return (dd){s, b - (s - a)};
}

/* a + b exactly, in any order of magnitude (Knuth) */
INLINE dd two_sum(vector a, vector b) {
    vector s = a + b, c = s - a;
    return (dd){s, (a - (s - c)) + (b - c)};
}

#if !HAS_FMA && PYRELU_BITS == 64
/* a*b exactly, by halves of 26 and 27 bits (Veltkamp and Dekker), for |a| and |b| < 2^996 */
INLINE dd two_product_by_halves(vector a, vector b) {
    vector ca = a * 0x1.0000002p27, cb = b * 0x1.0000002p27;
    vector ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, p = a * b;
    return (dd){p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)};
}
#endif

/* a*b + c rounded once, for exact residuals and for the last step of a formula. Without hardware FMA: in float rounded
 * to double first, so that a result near the middle of two floats may round the other way; in double nearly always
 * rounded once, for |a| and |b| < 2^996. */
INLINE vector fma_(vector a, vector b, vector c) {
#if HAS_FMA
    return mad(a, b, c);
#elif PYRELU_BITS == 32
    typedef double wide __attribute__((vector_size(2 * WIDTH)));
    return __builtin_convertvector(
        __builtin_convertvector(a, wide) * __builtin_convertvector(b, wide) + __builtin_convertvector(c, wide), vector);
#else
    dd p = two_product_by_halves(a, b), s = two_sum(p.hi, c);
    return s.hi + (s.lo + p.lo);
#endif
}

/* a*b that may be subnormal or underflow to 0, which on most processors slows down a multiplication but not an fma.
 * Adding -0 changes nothing, not even the sign of a zero. */
INLINE vector mul(vector a, vector b) { return mad(a, b, V(-0.0)); }

/* x, for functions that add to max(x, 0) what becomes smaller with |x| and does not change the sum from `limit` on. A
 * multiply-add does not mind if its product is subnormal; without one, |x| is not to grow until it is. */
INLINE vector while_visible(vector x, vector limit) {
#if HAS_FMA
    (void)limit;
    return x;
#else
    return min_(x, limit);
#endif
}

/* a*b exactly: hi is a*b rounded, lo the rest */
INLINE dd two_product(vector a, vector b) {
#if !HAS_FMA && PYRELU_BITS == 64
    return two_product_by_halves(a, b);
#else
    vector p = mul(a, b);
    return (dd){p, fma_(a, b, -p)};
#endif
}

/* x*(p.hi + p.lo), rounded once but for an error of order u^2. In double without hardware FMA rounded twice, since fma_
 * would overflow for a large x. */
INLINE vector mul_by_dd(vector x, dd p) { return (PYRELU_BITS == 32 ? fma_ : mad)(x, p.hi, mul(x, p.lo)); }

/* Sums, products and quotients of double-doubles: relative errors of a few u^2, if a sum does not cancel, each |lo| is
 * at most a few u |hi|, and for a quotient neither b.hi nor 1/b.hi is subnormal. */
INLINE dd dd_add(dd a, dd b) {
    dd s = two_sum(a.hi, b.hi);
    return (dd){s.hi, s.lo + (a.lo + b.lo)};
}

/* a + b for a, b >= 0, whichever is larger: the cheaper sum where both signs are known */
INLINE dd dd_add_positive(vector a, dd b) {
    vector s = a + b.hi;
    return (dd){s, (min_(a, b.hi) - (s - max_(a, b.hi))) + b.lo};
}

INLINE dd dd_mul_by(dd a, vector b) {
    dd p = two_product(a.hi, b);
    return (dd){p.hi, mad(a.lo, b, p.lo)};
}

INLINE dd dd_mul(dd a, dd b) {
    dd p = two_product(a.hi, b.hi);
    return (dd){p.hi, mad(a.hi, b.lo, mad(a.lo, b.hi, p.lo))};
}

INLINE dd dd_square(dd a) {
    dd p = two_product(a.hi, a.hi);
    return (dd){p.hi, mad(2 * a.hi, a.lo, p.lo)};
}

INLINE dd dd_div(dd a, dd b) {
    vector reciprocal = 1 / b.hi, q = a.hi * reciprocal;
    return (dd){q, mul(fma_(-q, b.hi, a.hi) + mad(-q, b.lo, a.lo), reciprocal)};
}

/* a/b of two numbers as a double-double: hi is within 2 ULP, not correctly rounded; hi + lo has a relative error of a
 * few u^2. 1/b must be a normal number, and without hardware FMA |b| < 2^996 in double. */
INLINE dd quotient_dd(vector a, vector b) {
    vector reciprocal = 1 / b, q = mul(a, reciprocal);
    return (dd){q, mul(fma_(-q, b, a), reciprocal)};
}

/* a times a power of 2: exact unless it overflows or becomes subnormal */
INLINE dd dd_scale(dd a, vector power) { return (dd){mul(a.hi, power), mul(a.lo, power)}; }

INLINE dd dd_negate(dd a) { return (dd){-a.hi, -a.lo}; }

INLINE dd dd_blend(mask c, dd a, dd b) { return (dd){blend(c, a.hi, b.hi), blend(c, a.lo, b.lo)}; }

INLINE vector dd_value(dd p) { return p.hi + p.lo; }

/* (a.hi + a.lo)(b.hi + b.lo), rounded once but for an error of order u^2 */
INLINE vector dd_mul_value(dd a, dd b) { return fma_(a.hi, b.hi, mad(a.hi, b.lo, a.lo * b.hi)); }

/* a/(b.hi + b.lo), within 0.5 ULP and an error of order u^2, for normal 1/b.hi; a zero keeps the sign of a */
INLINE vector div_by_dd(vector a, dd b) {
    vector reciprocal = 1 / b.hi, q = mul(a, reciprocal), excess = mad(q, b.lo, fma_(q, b.hi, -a));
    return mad(-excess, reciprocal, q);
}

/* The value of dd_div, within 0.5 ULP and an error of order u^2; ranges as for dd_div */
INLINE vector dd_div_value(dd a, dd b) {
    vector reciprocal = 1 / b.hi, q = a.hi * reciprocal;
    return mad(fma_(-q, b.hi, a.hi) + mad(-q, b.lo, a.lo), reciprocal, q);
}

/* c[0] + c[step] x + c[2 step] x^2 + ... up to c[n - 1] by Horner's rule */
INLINE vector horner(vector x, const real *c, int n, int step) {
    int i = (n - 1) / step * step;
    vector y = V(c[i]);
#pragma GCC unroll 32
    for (i -= step; i >= 0; i -= step) y = mad(y, x, V(c[i]));
    return y;
}

/* c[0] + c[1] x + ...; from 8 terms on as two chains, even and odd, which run in parallel */
INLINE vector polynomial(vector x, const real *c, int n) {
    return n < 8 ? fma_(horner(x, c + 1, n - 1, 1), x, V(c[0]))
                 : fma_(horner(x * x, c + 1, n - 1, 2), x, horner(x * x, c, n, 2));
}
/* An array and its length, as two arguments */
#define COUNTED(c) c, (int)(sizeof(c) / sizeof *(c))
#define POLYNOMIAL(x, c) polynomial(x, COUNTED(c))

#endif
