/* The vocabulary that formulas are written in.
 *
 * A file that includes this is compiled once per precision (PYRELU_BITS = 32 or 64) and instruction set. `real` is
 * the number type and `bits` the unsigned integer of its size. Nothing here branches: a loop over any of these
 * functions is left for the compiler to vectorise. Contraction is off, so that what is written is what is computed,
 * in a vector lane and in the scalar tail alike.
 */
#ifndef PYRELU_REAL_H
#define PYRELU_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if PYRELU_BITS == 32
typedef float real;
typedef uint32_t bits;
#define R(x) x##f /* a literal in the precision at hand: R(0.5) */
#define R_BUILTIN(name) __builtin_##name##f
#define R_MAX R(0x1.fffffep127)
enum { R_FRACTION = 23, R_BIAS = 127 };
#elif PYRELU_BITS == 64
typedef double real;
typedef uint64_t bits;
#define R(x) x
#define R_BUILTIN(name) __builtin_##name
#define R_MAX R(0x1.fffffffffffffp1023)
enum { R_FRACTION = 52, R_BIAS = 1023 };
#else
#error "PYRELU_BITS must be 32 or 64"
#endif

#define R_INF ((real)__builtin_inff())
#define R_NAN ((real)__builtin_nanf(""))

static inline bits to_bits(real x) {
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline real from_bits(bits b) {
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

static inline real abs_(real x) { return R_BUILTIN(fabs)(x); }
static inline real sqrt_(real x) { return R_BUILTIN(sqrt)(x); }
static inline real copysign_(real x, real sign) { return R_BUILTIN(copysign)(x, sign); }

/* A constant bound for these should be a BOUND: a constant that gcc sees through it makes two to nine instructions of
 * compares and blends, where max and min are one each. A NaN compares false and thus stays. */
#define BOUND static real __attribute__((used))
BOUND ZERO = 0, ONE = 1, THREE = 3, SIX = 6;

static inline real at_least(real x, real bound) { return bound > x ? bound : x; }
static inline real at_most(real x, real bound) { return bound < x ? bound : x; }

/* min(|x|, end), by bits in float (where it is one instruction, and end for NaN): gcc 12 moves a select of reals past
 * whatever is computed from it, and computes that twice. */
static inline real magnitude(real x, real end) {
#if PYRELU_BITS == 32
    bits a = to_bits(abs_(x)), b = to_bits(end);
    return from_bits(a < b ? a : b);
#else
    return at_most(abs_(x), end);
#endif
}

/* An unevaluated sum: hi is the number, lo what rounding took from it. Intermediate results that are pairs are how a
 * composed formula keeps within 1 ULP without leaving its precision; only the last addition rounds.
 */
typedef struct {
    real hi, lo;
} pair;

/* a + b exactly, if |a| >= |b| (Dekker) */
static inline pair fast_two_sum(real a, real b) {
    real s = a + b;
    return (pair){s, b - (s - a)};
}

/* a + b exactly (Knuth) */
static inline pair two_sum(real a, real b) {
    real s = a + b, c = s - a;
    return (pair){s, (a - (s - c)) + (b - c)};
}

#if !defined(__FMA__) && !defined(__aarch64__) && PYRELU_BITS == 64
/* a*b exactly, by halves of 26 and 27 bits (Veltkamp and Dekker), if nothing over- or underflows */
static inline pair two_product_by_halves(real a, real b) {
    real ca = a * 0x1.0000002p27, cb = b * 0x1.0000002p27;
    real ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, p = a * b;
    return (pair){p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)};
}
#endif

/* a*b + c, rounded once (almost always so where the hardware has no such instruction): for exact residuals and for the
 * last step of a formula */
static inline real fma_(real a, real b, real c) {
#if defined(__FMA__) || defined(__aarch64__)
    return R_BUILTIN(fma)(a, b, c);
#elif PYRELU_BITS == 32
    return (float)((double)a * (double)b + (double)c);
#else
    pair p = two_product_by_halves(a, b), s = two_sum(p.hi, c);
    return s.hi + (s.lo + p.lo);
#endif
}

/* a*b + c, rounded once or twice, whichever is faster */
static inline real mad(real a, real b, real c) {
#if defined(__FMA__) || defined(__aarch64__)
    return R_BUILTIN(fma)(a, b, c);
#else
    return a * b + c;
#endif
}

/* a*b where that may be subnormal or vanish: on most processors that costs a multiplication some cycles more, an fma
 * none. As the addend, -0 changes nothing. */
BOUND NEGATIVE_ZERO = R(-0.0);
static inline real mul(real a, real b) { return mad(a, b, NEGATIVE_ZERO); }

/* a*b exactly */
static inline pair two_product(real a, real b) {
#if !defined(__FMA__) && !defined(__aarch64__) && PYRELU_BITS == 64
    return two_product_by_halves(a, b);
#else
    real p = mul(a, b);
    return (pair){p, fma_(a, b, -p)};
#endif
}

/* x*(p.hi + p.lo), rounded once; in double without hardware FMA twice, since halves would overflow for a large x */
static inline real times(real x, pair p) { return (PYRELU_BITS == 32 ? fma_ : mad)(x, p.hi, mul(x, p.lo)); }

/* Sums, products and quotients of pairs: relative errors of a few 2^-2p for p-bit numbers, as long as sums do not
 * cancel and each lo is within a few ULP of its hi. */
static inline pair pair_sum(pair a, pair b) {
    pair s = two_sum(a.hi, b.hi);
    return (pair){s.hi, s.lo + (a.lo + b.lo)};
}

/* a + b for |a| >= |b.hi| */
static inline pair fast_pair_sum(real a, pair b) {
    pair s = fast_two_sum(a, b.hi);
    return (pair){s.hi, s.lo + b.lo};
}

/* a + b for positive numbers, whichever is larger */
static inline pair sorted_pair_sum(real a, pair b) {
    real s = a + b.hi;
    return (pair){s, (at_most(a, b.hi) - (s - at_least(a, b.hi))) + b.lo};
}

static inline pair pair_times(pair a, real b) {
    pair p = two_product(a.hi, b);
    return (pair){p.hi, mad(a.lo, b, p.lo)};
}

static inline pair pair_product(pair a, pair b) {
    pair p = two_product(a.hi, b.hi);
    return (pair){p.hi, mad(a.hi, b.lo, mad(a.lo, b.hi, p.lo))};
}

/* a (1 + b) for |b| < 1/2 */
static inline pair pair_plus_product(pair a, real b) {
    real hi = mad(a.hi, b, a.hi);
    return (pair){hi, fma_(a.hi, b, a.hi - hi) + mad(a.lo, b, a.lo)};
}

static inline pair pair_square(pair a) {
    pair p = two_product(a.hi, a.hi);
    return (pair){p.hi, mad(2 * a.hi, a.lo, p.lo)};
}

static inline pair pair_quotient(pair a, pair b) {
    real reciprocal = 1 / b.hi, q = a.hi * reciprocal;
    return (pair){q, mul(fma_(-q, b.hi, a.hi) + mad(-q, b.lo, a.lo), reciprocal)};
}

/* a/b for numbers */
static inline pair exact_quotient(real a, real b) {
    real reciprocal = 1 / b, q = mul(a, reciprocal);
    return (pair){q, mul(fma_(-q, b, a), reciprocal)};
}

/* a times a power of 2, which is exact */
static inline pair pair_scaled(pair a, real power) { return (pair){mul(a.hi, power), mul(a.lo, power)}; }

static inline pair pair_negative(pair a) { return (pair){-a.hi, -a.lo}; }

static inline pair pair_select(int c, pair a, pair b) { return (pair){c ? a.hi : b.hi, c ? a.lo : b.lo}; }

static inline real pair_value(pair p) { return p.hi + p.lo; }

/* the values of a product and a quotient */
static inline real product_value(pair a, pair b) { return fma_(a.hi, b.hi, mad(a.hi, b.lo, a.lo * b.hi)); }

/* a/b, with the sign of a where that is 0 */
static inline real ratio(real a, pair b) {
    real reciprocal = 1 / b.hi, q = mul(a, reciprocal), excess = mad(q, b.lo, fma_(q, b.hi, -a));
    return mad(-excess, reciprocal, q);
}

static inline real quotient_value(pair a, pair b) {
    real reciprocal = 1 / b.hi, q = a.hi * reciprocal;
    return mad(fma_(-q, b.hi, a.hi) + mad(-q, b.lo, a.lo), reciprocal, q);
}

/* c[0] + c[step] x + c[2 step] x^2 + ... up to c[n - 1] by Horner's rule */
__attribute__((always_inline)) static inline real horner(real x, const real *c, int n, int step) {
    int i = (n - 1) / step * step;
    real y = c[i];
#pragma GCC unroll 32
    for (i -= step; i >= 0; i -= step) y = mad(y, x, c[i]);
    return y;
}

/* c[0] + c[1] x + ...; long ones as two interleaved chains, even and odd, which a processor runs side by side */
__attribute__((always_inline)) static inline real polynomial(real x, const real *c, int n) {
    return n < 8 ? horner(x, c, n, 1) : mad(horner(x * x, c + 1, n - 1, 2), x, horner(x * x, c, n, 2));
}
#define POLYNOMIAL(x, c) polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

#endif
