/* Arithmetic with double-doubles of vectors, and polynomials.
 *
 * Nothing here branches. Contraction is off, so that what is written is what is computed, on every instruction set with
 * a fused multiply-add the same bits.
 */
#ifndef PYRELU_DOUBLE_DOUBLE_H
#define PYRELU_DOUBLE_DOUBLE_H

#include "simd/vectors.h"

/* An unevaluated sum: hi is the number, lo what rounding took from it. Intermediate results that are double-doubles are
 * how a composed formula keeps within 1 ULP without leaving its precision; only the last addition rounds.
 */
typedef struct {
    vector hi, lo;
} dd;

/* a constant to more digits than a number has */
typedef struct {
    real hi, lo;
} dd_constant;
#define DD(c) ((dd){V((c).hi), V((c).lo)})

/* a + b exactly, if |a| >= |b| (Dekker) */
INLINE dd fast_two_sum(vector a, vector b) {
    vector s = a + b;
    return (dd){s, b - (s - a)};
}

/* a + b exactly (Knuth) */
INLINE dd two_sum(vector a, vector b) {
    vector s = a + b, c = s - a;
    return (dd){s, (a - (s - c)) + (b - c)};
}

#if !defined(__FMA__) && !defined(__aarch64__) && PYRELU_BITS == 64
/* a*b exactly, by halves of 26 and 27 bits (Veltkamp and Dekker), if nothing over- or underflows */
INLINE dd two_product_by_halves(vector a, vector b) {
    vector ca = a * 0x1.0000002p27, cb = b * 0x1.0000002p27;
    vector ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, p = a * b;
    return (dd){p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)};
}
#endif

/* a*b + c, rounded once (almost always so where the hardware has no such instruction): for exact residuals and for the
 * last step of a formula */
INLINE vector fma_(vector a, vector b, vector c) {
#if defined(__FMA__) || defined(__aarch64__)
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

/* a*b where that may be subnormal or vanish: on most processors that costs a multiplication some cycles more, an fma
 * none. As the addend, -0 changes nothing. */
INLINE vector mul(vector a, vector b) { return mad(a, b, V(-0.0)); }

/* a*b exactly */
INLINE dd two_product(vector a, vector b) {
#if !defined(__FMA__) && !defined(__aarch64__) && PYRELU_BITS == 64
    return two_product_by_halves(a, b);
#else
    vector p = mul(a, b);
    return (dd){p, fma_(a, b, -p)};
#endif
}

/* x*(p.hi + p.lo), rounded once; in double without hardware FMA twice, since halves would overflow for a large x */
INLINE vector mul_by_dd(vector x, dd p) { return (PYRELU_BITS == 32 ? fma_ : mad)(x, p.hi, mul(x, p.lo)); }

/* Sums, products and quotients of double-doubles: relative errors of a few 2^-2p for p-bit numbers, as long as sums do
 * not cancel and each lo is within a few ULP of its hi. */
INLINE dd dd_add(dd a, dd b) {
    dd s = two_sum(a.hi, b.hi);
    return (dd){s.hi, s.lo + (a.lo + b.lo)};
}

/* a + b for positive numbers, whichever is larger */
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

/* a/b for numbers */
INLINE dd two_quotient(vector a, vector b) {
    vector reciprocal = 1 / b, q = mul(a, reciprocal);
    return (dd){q, mul(fma_(-q, b, a), reciprocal)};
}

/* a times a power of 2, which is exact */
INLINE dd dd_scale(dd a, vector power) { return (dd){mul(a.hi, power), mul(a.lo, power)}; }

INLINE dd dd_negate(dd a) { return (dd){-a.hi, -a.lo}; }

INLINE dd dd_blend(mask c, dd a, dd b) { return (dd){blend(c, a.hi, b.hi), blend(c, a.lo, b.lo)}; }

INLINE vector dd_value(dd p) { return p.hi + p.lo; }

/* the values of a product and a quotient */
INLINE vector dd_mul_value(dd a, dd b) { return fma_(a.hi, b.hi, mad(a.hi, b.lo, a.lo * b.hi)); }

/* a/b, with the sign of a where that is 0 */
INLINE vector div_by_dd(vector a, dd b) {
    vector reciprocal = 1 / b.hi, q = mul(a, reciprocal), excess = mad(q, b.lo, fma_(q, b.hi, -a));
    return mad(-excess, reciprocal, q);
}

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

/* c[0] + c[1] x + ...; long ones as two interleaved chains, even and odd, which a processor runs side by side */
INLINE vector polynomial(vector x, const real *c, int n) {
    return n < 8 ? fma_(horner(x, c + 1, n - 1, 1), x, V(c[0]))
                 : fma_(horner(x * x, c + 1, n - 1, 2), x, horner(x * x, c, n, 2));
}
/* An array and the number of its elements, as two arguments */
#define COUNTED(c) c, (int)(sizeof(c) / sizeof *(c))
#define POLYNOMIAL(x, c) polynomial(x, COUNTED(c))

#endif
