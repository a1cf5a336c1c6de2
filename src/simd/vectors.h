/* Vectors as wide as the instruction set has them, so that a formula is written once and runs on all.
 *
 * `vector` is a vector type of gcc and clang: + - * / work on two vectors, or on a vector and a number. This file adds
 * the other operations that formulas need: multiply-add, minimum, comparison, blend. The vectors are explicit because
 * a compiler that vectorises scalar code masks every operation before a select, turns a minimum into nine
 * instructions, and cannot be told to look up a value by a permutation.
 */
#ifndef PYRELU_VECTORS_H
#define PYRELU_VECTORS_H

#include "simd/real.h"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 64
#elif defined(__AVX__)
#define WIDTH 32
#else
#define WIDTH 16
#endif
enum { LANES = WIDTH / sizeof(real) };

/* The alignment is that of a number, so that vectors may be loaded from and stored to any array. */
typedef real vector __attribute__((vector_size(WIDTH), aligned(sizeof(real))));
typedef bits vector_bits __attribute__((vector_size(WIDTH)));

#define INLINE static inline __attribute__((always_inline))

/* Broadcasts x to all lanes. x - 0 is x, even for -0. */
#define V(x) ((real)(x) - (vector){0})

INLINE vector load(const real *x) { return *(const vector *)x; }
INLINE void store(real *x, vector v) { *(vector *)x = v; }

/* The x86 intrinsic of this precision and width: X86(max) is _mm512_max_ps, for example. */
#if defined(__SSE2__)
#define PASTE3_(a, b, c) a##b##c
#define PASTE3(a, b, c) PASTE3_(a, b, c)
#if WIDTH == 64
#define X86_PREFIX _mm512_
#elif WIDTH == 32
#define X86_PREFIX _mm256_
#else
#define X86_PREFIX _mm_
#endif
#if PYRELU_BITS == 32
#define X86(name) PASTE3(X86_PREFIX, name, _ps)
#else
#define X86(name) PASTE3(X86_PREFIX, name, _pd)
#endif
#endif

/* A mask is true or false for each lane; & | ~ combine masks. A comparison with NaN is false. */
#if WIDTH == 64
#if PYRELU_BITS == 32
typedef __mmask16 mask;
#define COMPARE(x, operator, y, predicate) _mm512_cmp_ps_mask(x, y, predicate)
#else
typedef __mmask8 mask;
#define COMPARE(x, operator, y, predicate) _mm512_cmp_pd_mask(x, y, predicate)
#endif
#else
typedef vector_bits mask;
#define COMPARE(x, operator, y, predicate) ((mask)((x) operator(y)))
#endif
#if WIDTH == 64
#define COMPARE_ORDERED(x, y) COMPARE(x, , y, _CMP_ORD_Q)
#elif WIDTH == 32 && PYRELU_BITS == 32
#define COMPARE_ORDERED(x, y) ((mask)_mm256_cmp_ps(x, y, _CMP_ORD_Q))
#elif WIDTH == 32
#define COMPARE_ORDERED(x, y) ((mask)_mm256_cmp_pd(x, y, _CMP_ORD_Q))
#endif
INLINE mask less(vector x, vector y) { return COMPARE(x, <, y, _CMP_LT_OQ); }
INLINE mask greater(vector x, vector y) { return COMPARE(x, >, y, _CMP_GT_OQ); }
INLINE mask less_equal(vector x, vector y) { return COMPARE(x, <=, y, _CMP_LE_OQ); }
INLINE mask greater_equal(vector x, vector y) { return COMPARE(x, >=, y, _CMP_GE_OQ); }
INLINE mask equal(vector x, vector y) { return COMPARE(x, ==, y, _CMP_EQ_OQ); }

/* True for lanes where neither x nor y is NaN */
INLINE mask ordered(vector x, vector y) {
#if WIDTH >= 32
    return COMPARE_ORDERED(x, y);
#else
    return equal(x, x) & equal(y, y);
#endif
}

INLINE mask is_nan(vector x) { return COMPARE(x, !=, x, _CMP_UNORD_Q); }

/* `yes` for lanes where c is true, `no` for the others */
INLINE vector blend(mask c, vector yes, vector no) {
#if WIDTH == 64
    return X86(mask_blend)(c, no, yes);
#elif WIDTH == 32
    return X86(blendv)(no, yes, (vector)c);
#else
    return (vector)((c & (vector_bits)yes) | (~c & (vector_bits)no));
#endif
}

/* x for lanes where c is true, 0 for the others */
INLINE vector keep(mask c, vector x) {
#if WIDTH == 64
    return X86(maskz_mov)(c, x);
#else
    return (vector)(c & (vector_bits)x);
#endif
}

/* 0 for lanes where c is true, x for the others */
INLINE vector drop(mask c, vector x) {
#if WIDTH == 64
    return X86(mask_blend)(c, x, V(0));
#else
    return (vector)(~c & (vector_bits)x);
#endif
}

/* True for the first n lanes */
INLINE mask first_lanes(ptrdiff_t n) {
    vector number;
#pragma GCC unroll 16
    for (int lane = 0; lane < LANES; lane++) number[lane] = lane;
    return less(number, V(n));
}

/* True for lanes whose index has this bit set */
INLINE mask lanes_with(const int bit) {
    mask m = {0};
#pragma GCC unroll 16
    for (int lane = 0; lane < LANES; lane++)
#if WIDTH == 64
        m |= (mask)((lane & bit) / bit << lane);
#else
        m[lane] = lane & bit ? -1 : 0;
#endif
    return m;
}

/* Load or store n elements, or LANES if n is larger. Loading puts `filler` into the other lanes. */
INLINE vector load_some(const real *x, ptrdiff_t n, real filler) {
    if (n >= LANES) return load(x);
#if WIDTH == 64
    return X86(mask_loadu)(V(filler), first_lanes(n), x);
#elif WIDTH == 32
    const mask inside = first_lanes(n);
    return blend(inside, X86(maskload)(x, (__m256i)inside), V(filler));
#else
    vector v = V(filler);
#pragma GCC unroll 4
    for (int lane = 0; lane < LANES - 1; lane++)
        if (lane < n) v[lane] = x[lane];
    return v;
#endif
}
INLINE void store_some(real *x, ptrdiff_t n, vector v) {
    if (n >= LANES) {
        store(x, v);
        return;
    }
#if WIDTH == 64
    X86(mask_storeu)(x, first_lanes(n), v);
#else
#pragma GCC unroll 8
    for (int lane = 0; lane < LANES - 1; lane++)
        if (lane < n) x[lane] = v[lane];
#endif
}

/* Maximum and minimum. The result is x if either is NaN or both are zeros. */
INLINE vector max_(vector x, vector bound) {
#if defined(__SSE2__)
    return X86(max)(bound, x);
#else
    return blend(greater(bound, x), bound, x);
#endif
}
INLINE vector min_(vector x, vector bound) {
#if defined(__SSE2__)
    return X86(min)(bound, x);
#else
    return blend(less(bound, x), bound, x);
#endif
}
INLINE vector clamp(vector x, vector low, vector high) { return min_(max_(x, low), high); }

/* Exchanges lanes whose indices differ in this bit alone. */
INLINE vector shuffle_xor(vector x, const int bit) {
    vector y;
#pragma GCC unroll 16
    for (int lane = 0; lane < LANES; lane++) y[lane] = x[lane ^ bit];
    return y;
}

#define SIGN_BIT ((bits)1 << (PYRELU_BITS - 1))
INLINE vector abs_(vector x) { return (vector)((vector_bits)x & ~SIGN_BIT); }
/* |x| with the sign of `sign`, provided that x is positive or already has that sign */
INLINE vector copysign_(vector x, vector sign) { return (vector)((vector_bits)x | ((vector_bits)sign & SIGN_BIT)); }

/* x, which must not be positive, with the sign bit set: 0 becomes -0. */
INLINE vector negative(vector x) { return (vector)((vector_bits)x | SIGN_BIT); }

INLINE vector sqrt_(vector x) {
#if defined(__SSE2__)
    return X86(sqrt)(x);
#elif PYRELU_BITS == 32
    return vsqrtq_f32(x);
#else
    return vsqrtq_f64(x);
#endif
}

/* lookup(table, i) is table[i % LOOKUP] for each lane, in one instruction, which limits a table to LOOKUP numbers.
 * LOOKUP is 0 if the instruction set has no such instruction, because a gather from memory takes longer than the
 * computation that a table would save. OF_LOOKUP(name) names the table of that size. */
#if WIDTH == 64 && PYRELU_BITS == 32
#define LOOKUP 16
#define OF_LOOKUP(name) name##_16
INLINE vector lookup(const real *table, vector_bits i) { return _mm512_permutexvar_ps((__m512i)i, load(table)); }
#elif WIDTH == 64
#define LOOKUP 16
#define OF_LOOKUP(name) name##_16
INLINE vector lookup(const real *table, vector_bits i) {
    return _mm512_permutex2var_pd(load(table), (__m512i)i, load(table + LANES));
}
#elif WIDTH == 32 && PYRELU_BITS == 32
#define LOOKUP 8
#define OF_LOOKUP(name) name##_8
INLINE vector lookup(const real *table, vector_bits i) { return _mm256_permutevar8x32_ps(load(table), (__m256i)i); }
#else
#define LOOKUP 0
#endif

/* lookup_4(table, i) is table[i % 4]. In float it stays within each 128 bits of a register, which takes half a cycle to
 * one, and lookup, across them, up to two on AMD's processors before Zen 5. Of a double, it looks up both halves, the
 * one at 2 i and the other at 2 i + 1. */
#if WIDTH == 32 && PYRELU_BITS == 32
#define LOOKUP_4 1
INLINE vector lookup_4(const real *table, vector_bits i) {
    return _mm256_permutevar_ps(_mm256_broadcast_ps((const __m128 *)table), (__m256i)i);
}
#elif WIDTH == 32
#define LOOKUP_4 1
INLINE vector lookup_4(const real *table, vector_bits i) {
    const __m256i twice = _mm256_shuffle_epi32((__m256i)(i + i), 0xa0), half = _mm256_set1_epi64x(1LL << 32);
    const __m256 halves = _mm256_castpd_ps(load(table));
    return _mm256_castps_pd(_mm256_permutevar8x32_ps(halves, _mm256_or_si256(twice, half)));
}
#elif WIDTH == 64 && PYRELU_BITS == 32
#define LOOKUP_4 1
INLINE vector lookup_4(const real *table, vector_bits i) {
    return _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(table)), (__m512i)i);
}
#else
#define LOOKUP_4 0
#endif

/* a*b + c, rounded once if the instruction set has an fma and twice if not */
INLINE vector mad(vector a, vector b, vector c) {
#if defined(__FMA__)
    return X86(fmadd)(a, b, c);
#elif defined(__aarch64__) && PYRELU_BITS == 32
    return vfmaq_f32(c, a, b);
#elif defined(__aarch64__)
    return vfmaq_f64(c, a, b);
#else
    return a * b + c;
#endif
}

#endif
