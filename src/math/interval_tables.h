/* Quotients of polynomials on 8 intervals, for the instruction set where one instruction looks up one of 8 coefficients
 * for each lane: AVX2, in float.
 *
 * For each interval, the table NAME in interval_tables_f32.h holds a CENTRE, the function's value there (AT_CENTRE) and
 * the coefficients of P, the difference quotient (QUOTIENT): f(x) = f(centre) + d P(d) with d = x - centre.
 */
#ifndef PYRELU_INTERVAL_TABLES_H
#define PYRELU_INTERVAL_TABLES_H

#include "math/piecewise.h"

#define TABLES (LOOKUP == 8)

#if TABLES
#include "math/interval_tables_f32.h"

/* The interval of x >= 0 follows from the exponent and the leading fraction bit of 1 + SCALE x, which must be < 16 */
#define POSITION(x, name) mad(x, V(name##_SCALE), V(1))
INLINE vector_bits interval(vector position) { return (vector_bits)position >> (R_FRACTION - 1); }

/* c[0][i] + c[1][i] x + ... up to c[n - 1] by Horner's rule */
INLINE vector lookup_horner(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector y = lookup(c[n - 1], i);
#pragma GCC unroll 16
    for (int k = n - 2; k >= 0; k--) y = mad(y, x, lookup(c[k], i));
    return y;
}

/* By a NUMERATOR and a DENOMINATOR, whose first coefficient is 1: a polynomial would have so many coefficients that
 * looking them up takes longer than the division. */
#define QUOTIENT(d, name, i) \
    (lookup_horner(d, COUNTED(name##_NUMERATOR), i) / mad(d, lookup_horner(d, COUNTED(name##_DENOMINATOR), i), V(1)))
#define DISTANCE(x, name, i) ((x) - lookup(name##_CENTRE, i))
#define AT_CENTRE(name, i) lookup(name##_AT_CENTRE, i)

#endif
#endif
