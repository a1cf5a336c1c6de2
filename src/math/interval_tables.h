/* Functions as a polynomial for each of LOOKUP intervals, where one instruction looks up a coefficient for each lane:
 * in float with AVX2 and AVX-512.
 *
 * A table NAME, in tables_f32.h, has for each interval a CENTRE, the function's value there, HEAD, and the coefficients
 * of a polynomial P of the distance d from the centre, QUOTIENT: the function is head + d P(d).
 */
#ifndef PYRELU_INTERVAL_TABLES_H
#define PYRELU_INTERVAL_TABLES_H

#include "math/exponential.h"

#define TABLES (LOOKUP && PYRELU_BITS == 32)
/* Derivatives, which have a root, want intervals so narrow that the head is most of the value. */
#define NARROW_TABLES (TABLES && LOOKUP == 16)

#if TABLES
#include "math/interval_tables_f32.h"

/* Where tables have the interval of x, from place = 1 + SCALE x < 16: by its exponent and the first of its fraction */
#define PLACE(x, name) mad(x, V(name##_SCALE), V(1))
INLINE vector_bits interval(vector place) { return (vector_bits)place >> (R_FRACTION - EXP_SIZE_BITS + 2); }
INLINE mask beyond_first(vector place) { return greater_equal(place, V(1 + R(4.0) / LOOKUP)); }

/* c[0][i] + c[1][i] x + ... up to c[n - 1], even and odd terms side by side */
INLINE vector lookup_polynomial(vector x, const real (*c)[LOOKUP], int n, vector_bits i) {
    vector square = mul(x, x), even = lookup(c[(n - 1) / 2 * 2], i), odd = lookup(c[n / 2 * 2 - 1], i);
#pragma GCC unroll 16
    for (int k = (n - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = mad(even, square, lookup(c[k], i));
#pragma GCC unroll 16
    for (int k = n / 2 * 2 - 3; k >= 0; k -= 2) odd = mad(odd, square, lookup(c[k], i));
    return mad(odd, x, even);
}

/* In interval i of a table; VALUE is rounded, where the last addition may be left to what comes after. */
#define DISTANCE(x, name, i) ((x) - lookup(OF_LOOKUP(name##_CENTRE), i))
#define HEAD(name, i) lookup(OF_LOOKUP(name##_HEAD), i)
#define QUOTIENT(d, name, i) lookup_polynomial(d, COUNTED(OF_LOOKUP(name##_QUOTIENT)), i)
#define VALUE(d, name, i) mad(d, QUOTIENT(d, name, i), HEAD(name, i))

#endif
#endif
