/* Piecewise polynomials on LOOKUP intervals, for instruction sets where one instruction looks up a coefficient for each
 * lane: AVX2 and AVX-512, in float.
 *
 * For each interval, the table NAME in interval_tables_f32.h holds a CENTRE, the function's value there (AT_CENTRE) and
 * the coefficients of P, the difference quotient (QUOTIENT), a polynomial or a quotient of two: f(x) = f(centre) + d
 * P(d) with d = x - centre.
 */
#ifndef PYRELU_INTERVAL_TABLES_H
#define PYRELU_INTERVAL_TABLES_H

#include "math/exponential.h"

#define TABLES (LOOKUP && PYRELU_BITS == 32)
/* Derivatives with a root need intervals so narrow that f(centre) is most of f(x). */
#define NARROW_TABLES (TABLES && LOOKUP == 16)

#if TABLES
#include "math/interval_tables_f32.h"

/* The interval of x >= 0 follows from the exponent and the leading fraction bits of 1 + SCALE x, which must be < 16 */
#define POSITION(x, name) mad(x, V(name##_SCALE), V(1))
INLINE vector_bits interval(vector position) { return (vector_bits)position >> (R_FRACTION - EXP_SIZE_BITS + 2); }
INLINE mask beyond_first(vector position) { return greater_equal(position, V(1 + R(4.0) / LOOKUP)); }

#if LOOKUP == 16

/* c[0][i] + c[1][i] x + ... up to c[n - 1], as two chains of even and odd terms */
INLINE vector lookup_polynomial(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector square = mul(x, x), even = lookup(c[(n - 1) / 2 * 2], i), odd = lookup(c[n / 2 * 2 - 1], i);
#pragma GCC unroll 16
    for (int k = (n - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = mad(even, square, lookup(c[k], i));
#pragma GCC unroll 16
    for (int k = n / 2 * 2 - 3; k >= 0; k -= 2) odd = mad(odd, square, lookup(c[k], i));
    return mad(odd, x, even);
}

#define QUOTIENT(d, name, i) lookup_polynomial(d, COUNTED(OF_LOOKUP(name##_QUOTIENT)), i)

#else

/* c[0][i] + c[1][i] x + ... up to c[n - 1] by Horner's rule */
INLINE vector lookup_horner(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector y = lookup(c[n - 1], i);
#pragma GCC unroll 16
    for (int k = n - 2; k >= 0; k--) y = mad(y, x, lookup(c[k], i));
    return y;
}

/* By a NUMERATOR and a DENOMINATOR, whose first coefficient is 1: a polynomial would have so many coefficients that
 * looking them up takes longer than the division. */
#define QUOTIENT(d, name, i)                            \
    (lookup_horner(d, COUNTED(name##_NUMERATOR_8), i) / \
     mad(d, lookup_horner(d, COUNTED(name##_DENOMINATOR_8), i), V(1)))

#endif

/* In interval i of a table. VALUE is f(x), rounded; formulas that can use f(x) in two parts take these instead. */
#define DISTANCE(x, name, i) ((x) - lookup(OF_LOOKUP(name##_CENTRE), i))
#define AT_CENTRE(name, i) lookup(OF_LOOKUP(name##_AT_CENTRE), i)
#define VALUE(d, name, i) mad(d, QUOTIENT(d, name, i), AT_CENTRE(name, i))

#endif
#endif
