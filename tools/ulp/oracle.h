/* The functions of activations.def once more, plainly and in a wider type: oracle_f_<name>(x, y, parameters) for BLOCK
 * numbers, oracle_df_, oracle_dfy_. A row without one fails. */
#ifndef ORACLE_H
#define ORACLE_H

#include "loops.h"

#if PYRELU_BITS == 32
typedef double wide; /* off by 2^-26 ULP of float at most, with libmvec's vector functions */
#elif __LDBL_MANT_DIG__ == 113
typedef long double wide;
#else
typedef __float128 wide;
#endif

/* The distance between numbers of the precision measured at x >= 0 */
#if PYRELU_BITS == 32 /* where this takes most of the time, by bits */
static inline wide ulp_of(wide x) {
    const uint64_t lowest = (uint64_t)(1023 - 126) << 52, fraction = (uint64_t)23 << 52;
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    b = ((b < lowest ? lowest : b) >> 52 << 52) - fraction;
    memcpy(&x, &b, sizeof x);
    return x;
}
#else
wide ulp_of(wide x);
#endif

/* Where the derivative has its root, to within 0.01, or NaN: there its error counts in ULP of 1. */
double oracle_root(const char *name);

#endif
