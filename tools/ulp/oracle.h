/* The functions of activations.def once more, plainly and in a wider type: oracle_f_<name>(x, parameters), oracle_df_,
 * oracle_dfy_. A row without one is reported as such. */
#ifndef ORACLE_H
#define ORACLE_H

#if PYRELU_BITS == 32
typedef double wide; /* off by 2^-28 ULP of float at most, and ten times as fast as long double */
#elif __LDBL_MANT_DIG__ == 113
typedef long double wide;
#else
typedef __float128 wide;
#endif

/* The distance between numbers of the precision measured at x >= 0 */
wide ulp_of(wide x);

/* Where the derivative has its root, to within 0.01, or NaN: there its error counts in ULP of 1. */
double oracle_root(const char *name);

#endif
