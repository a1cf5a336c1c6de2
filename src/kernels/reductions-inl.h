/* Maxima and sums of rows: first reduce each row to one vector, then up to LANES such vectors to one with a number per
 * row. */
#ifndef PYRELU_REDUCTIONS_INL_H
#define PYRELU_REDUCTIONS_INL_H

#include "simd/double_double.h"
#include "simd/unroll.h"

#define EACH_UNROLLED UNROLLED for (int v = 0; v < UNROLL; v++)

/* Runs the statements in parentheses for each vector of a row of n elements: it begins at element i and has `left`
 * elements, which is LANES except perhaps for the last vector. */
#define EACH_VECTOR(...)                      \
    do {                                      \
        ptrdiff_t i = 0;                      \
        for (; i + LANES <= n; i += LANES) {  \
            const ptrdiff_t left = LANES;     \
            __VA_ARGS__;                      \
        }                                     \
        if (i < n) {                          \
            const ptrdiff_t left = n % LANES; \
            __VA_ARGS__;                      \
        }                                     \
    } while (0)

/* Adds a term to the compensated sum in each lane, which is as accurate as a sum in twice the precision. */
INLINE dd dd_accumulate(dd sum, vector term) {
    const dd s = two_sum(sum.hi, term);
    return (dd){s.hi, sum.lo + s.lo};
}

/* The same for exponentials, which are at most 1 (in their unit). Since their sums start at 1, a fast two-sum is
 * enough. */
INLINE dd dd_accumulate_exponential(dd sum, vector term) {
    const dd s = fast_two_sum(sum.hi, term);
    return (dd){s.hi, sum.lo + s.lo};
}

/* sign x, for a sign of 1 or -1. That of NaN changes as well, as it does where the compiler knows the sign. */
INLINE vector signed_by(real sign, vector x) { return (vector)((vector_bits)x ^ ((vector_bits)V(sign) & SIGN_BIT)); }

/* Updates the maxima with the elements of sign x. It may ignore NaN, because the next computation keeps it. */
INLINE void update_maxima(vector *maxima, const real *x, real sign, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= n; i += UNROLL_LANES)
        EACH_UNROLLED maxima[v] = max_(signed_by(sign, load(x + i + v * LANES)), maxima[v]);
    for (; i + LANES <= n; i += LANES) maxima[0] = max_(signed_by(sign, load(x + i)), maxima[0]);
    if (i < n) maxima[0] = max_(signed_by(sign, load_some(x + i, n % LANES, -sign * R_INF)), maxima[0]);
}

INLINE vector maximum_of_vectors(vector *maxima) {
    UNROLLED for (int v = 1; v < UNROLL; v++) maxima[0] = max_(maxima[v], maxima[0]);
    return maxima[0];
}

/* A vector whose largest lane is the maximum of sign x */
INLINE vector row_maximum(const real *x, real sign, ptrdiff_t n) {
    vector maxima[UNROLL];
    EACH_UNROLLED maxima[v] = V(-R_INF);
    update_maxima(maxima, x, sign, n);
    return maximum_of_vectors(maxima);
}

/* NaN if x contains one, and 0 otherwise */
INLINE real nan_among(const real *x, ptrdiff_t n) {
    vector found = V(0);
    EACH_VECTOR({
        const vector v = load_some(x + i, left, 0);
        found = blend(equal(v, v), found, v);
    });
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += found[lane];
    return sum;
}

INLINE dd sum_of_row(const real *x, ptrdiff_t n) {
    dd sum = {V(0), V(0)};
    EACH_VECTOR(sum = dd_accumulate(sum, load_some(x + i, left, 0)));
    return sum;
}

/* One step of two reductions in one vector: lanes whose index lacks the bit continue x, the others continue y. `own` is
 * the lane's own element, `other` that of the lane whose index differs in this bit. After a step per bit, lane i has
 * the result of row i. */
INLINE vector own(vector x, vector y, const int bit) { return blend(lanes_with(bit), y, x); }
INLINE vector other(vector x, vector y, const int bit) { return shuffle_xor(blend(lanes_with(bit), x, y), bit); }
#define EACH_BIT _Pragma("GCC unroll 4") for (int bit = LANES / 2; bit; bit /= 2)

INLINE vector maximum_of_each(vector *x, ptrdiff_t rows) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = V(0);
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) x[r] =
        max_(own(x[r], x[r + bit], bit), other(x[r], x[r + bit], bit));
    return x[0];
}

/* The sum of all lanes of each row, minus `seeds`, which is what the sums started at. It is subtracted before the last
 * rounding, so that a sum slightly above 1 keeps the digits of its excess. */
INLINE dd sum_of_each(dd *x, ptrdiff_t rows, real seeds) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = (dd){V(0), V(0)};
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) {
        const dd a = x[r], b = x[r + bit], s = two_sum(own(a.hi, b.hi, bit), other(a.hi, b.hi, bit));
        x[r] = (dd){s.hi, s.lo + (own(a.lo, b.lo, bit) + other(a.lo, b.lo, bit))};
    }
    const dd sum = two_sum(x[0].hi, V(-seeds));
    return fast_two_sum(sum.hi, sum.lo + x[0].lo);
}

/* The sum of all lanes, in every lane */
INLINE dd total(dd sum) {
    _Alignas(WIDTH) dd of_row[LANES] = {sum};
    const dd all = sum_of_each(of_row, 1, 0);
    return (dd){V(all.hi[0]), V(all.lo[0])};
}

#endif
