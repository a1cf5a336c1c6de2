/* Functions as polynomials on 32 intervals, for instruction sets where one instruction looks up one of 32 coefficients
 * for each lane: AVX-512, in float.
 */
#ifndef PYRELU_PIECEWISE_H
#define PYRELU_PIECEWISE_H

#include "math/exponential.h"

#define PIECEWISE (WIDTH == 64 && PYRELU_BITS == 32)

/* f(x) = at_centre + distance slope. at_centre is so close to a number that the errors of the other two matter only as
 * much as they contribute. */
typedef struct {
    vector at_centre, distance, slope;
} piece;

INLINE vector piece_value(piece p) { return mad(p.distance, p.slope, p.at_centre); }

#if PIECEWISE

/* Together the intervals reach from 0 to `end`. That of x is the one whose number is nearest to linear x +
 * quadratic x^2. */
typedef struct {
    real end, linear, quadratic;
    _Alignas(WIDTH) real centre[32], at_centre[32], coefficients[][32];
} piecewise;

#include "math/piecewise_f32.h"

INLINE vector lookup_32(const real *table, vector_bits i) {
    return _mm512_permutex2var_ps(load(table), (__m512i)i, load(table + LANES));
}

/* c[0][i] + c[1][i] x + ... up to c[n - 1] by Horner's rule */
INLINE vector lookup_32_horner(vector x, const real (*c)[32], const int n, vector_bits i) {
    vector y = lookup_32(c[n - 1], i);
#pragma GCC unroll 8
    for (int k = n - 2; k >= 0; k--) y = mad(y, x, lookup_32(c[k], i));
    return y;
}

/* Its low bits are the interval's number. */
INLINE vector position_in(const piecewise *f, vector x) {
    return mad(x, f->quadratic != 0 ? mad(x, V(f->quadratic), V(f->linear)) : V(f->linear), V(SHIFTER));
}

/* By n coefficients, as many as the table has, for 0 <= x <= end */
INLINE piece piece_of(const piecewise *f, const int n, vector x) {
    const vector_bits i = (vector_bits)position_in(f, x);
    const vector distance = x - lookup_32(f->centre, i);
    return (piece){lookup_32(f->at_centre, i), distance, lookup_32_horner(distance, f->coefficients, n, i)};
}

/* The same for f with f(0) = 0 and f'(0) = 1, which in the first interval is x + x slope. */
INLINE vector piecewise_from_0(const piecewise *f, const int n, vector x) {
    piece p = piece_of(f, n, x);
    p.at_centre = blend(equal(position_in(f, x), V(SHIFTER)), x, p.at_centre);
    return piece_value(p);
}

#endif
#endif
