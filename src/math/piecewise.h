/* Functions as polynomials on 32 intervals, for instruction sets where one instruction looks up one of 32 coefficients
 * for each lane: AVX-512, in float.
 *
 * Together the intervals reach from 0 to END. Beyond it go formulas with exponentials, which take twice as long, but
 * only vectors that have a lane there need them.
 */
#ifndef PYRELU_PIECEWISE_H
#define PYRELU_PIECEWISE_H

#include "math/exponential.h"

#define PIECEWISE (WIDTH == 64 && PYRELU_BITS == 32)

#if PIECEWISE

/* The interval of x is that whose number is nearest to linear x + quadratic x^2. */
typedef struct {
    real end, linear, quadratic;
    _Alignas(WIDTH) real centre[32], at_centre[32], coefficients[][32];
} piecewise;

#include "math/piecewise_f32.h"

INLINE vector lookup_32(const real *table, vector_bits i) {
    return _mm512_permutex2var_ps(load(table), (__m512i)i, load(table + LANES));
}

/* f(x) = at_centre + distance slope, for 0 <= x <= end. at_centre is so close to a number that the errors of the other
 * two matter only as much as they contribute. */
typedef struct {
    vector position, at_centre, distance, slope; /* the low bits of the position are the interval's number */
} piece;

INLINE piece piece_of(const piecewise *f, const int n, dd x) {
    const vector factor = f->quadratic > 0 ? mad(x.hi, V(f->quadratic), V(f->linear)) : V(f->linear);
    const vector position = mad(x.hi, factor, V(SHIFTER));
    const vector_bits i = (vector_bits)position;
    const vector distance = x.hi - lookup_32(f->centre, i) + x.lo;
    vector slope = lookup_32(f->coefficients[n - 1], i);
#pragma GCC unroll 8
    for (int k = n - 2; k >= 0; k--) slope = mad(slope, distance, lookup_32(f->coefficients[k], i));
    return (piece){position, lookup_32(f->at_centre, i), distance, slope};
}

INLINE vector piece_value(piece p) { return mad(p.distance, p.slope, p.at_centre); }

/* By n coefficients, as many as the table has */
INLINE vector piecewise_value(const piecewise *f, const int n, dd x) { return piece_value(piece_of(f, n, x)); }

/* The same for f with f(0) = 0 and f'(0) = 1, which in the first interval is x + x slope. */
INLINE vector piecewise_from_0(const piecewise *f, const int n, vector x) {
    piece p = piece_of(f, n, (dd){x, V(-0.0)});
    p.at_centre = blend(equal(p.position, V(SHIFTER)), x, p.at_centre);
    return piece_value(p);
}

/* max(x, 0) - f(|x|)/2 */
INLINE vector minus_half(const piecewise *f, const int n, vector x) {
    return mad(piecewise_from_0(f, n, min_(abs_(x), V(f->end))), V(-0.5), max_(x, V(0)));
}

/* f(-x) below 0 and 1 - f(x) above, where a is |x| or close to it */
INLINE vector complement_above_0_dd(const piecewise *f, const int n, vector x, dd a) {
    const vector y = piecewise_value(f, n, a);
    return blend(less(x, V(0)), y, 1 - y);
}
INLINE vector complement_above_0(const piecewise *f, const int n, vector x) {
    return complement_above_0_dd(f, n, x, (dd){min_(abs_(x), V(f->end)), V(-0.0)});
}

INLINE vector piecewise_even(const piecewise *f, const int n, vector x) {
    return piecewise_value(f, n, (dd){abs_(x), V(-0.0)});
}

/* 1/(1 + e^(-beta x)) */
INLINE vector sigmoid_pieces(vector x, vector beta) {
    return complement_above_0_dd(&SIGMOID_TAIL, 6, x, two_product(beta, min_(abs_(x), SIGMOID_TAIL.end / beta)));
}

/* max(x, 0) + log(1 + e^(-beta |x|))/beta */
INLINE vector softplus_pieces(vector x, vector beta) {
    const piece p = piece_of(&SOFTPLUS_TAIL, 6, two_product(beta, min_(abs_(x), SOFTPLUS_TAIL.end / beta)));
    const vector base = clamp(x, V(0), V(0x1p30)), c = 1 / beta, head = c * p.at_centre, sum = base + head,
                 lost = min_(base, head) - (sum - max_(base, head));
    return max_(sum + mad(c * p.distance, p.slope, lost), x); /* x beyond what does not overflow here */
}

/* `value`, and what `formula` gives for lanes that are `outside` of what the intervals are good for: a call, made only
 * for vectors that have such a lane. */
#define BY_PIECES(outside, formula, value)                                              \
    ({                                                                                  \
        const mask outside_ = outside;                                                  \
        const vector value_ = value;                                                    \
        __builtin_expect(outside_ != 0, 0) ? blend(outside_, formula, value_) : value_; \
    })
#define FORMULA static __attribute__((noinline, cold)) vector

#else
#define BY_PIECES(outside, formula, value) formula
#define FORMULA INLINE vector
#endif
#endif
