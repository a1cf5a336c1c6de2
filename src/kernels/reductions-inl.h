/* Maxima and sums of rows: a vector of each row, then one number of each of up to LANES rows in one vector. */
#ifndef PYRELU_REDUCTIONS_INL_H
#define PYRELU_REDUCTIONS_INL_H

#include "simd/double_double.h"
#include "simd/unroll.h"

#define EACH_UNROLLED UNROLLED for (int v = 0; v < UNROLL; v++)

/* What follows in parentheses, for each vector of a row: at i, with `left` elements, LANES but for the last */
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

/* Compensated sums, one in each lane: as exact as if in twice the precision */
INLINE dd dd_accumulate(dd sum, vector term) {
    const dd s = two_sum(sum.hi, term);
    return (dd){s.hi, sum.lo + s.lo};
}

/* As no exponential is larger than 1, their sums begin with 1 and want no more than the shorter addition. */
INLINE dd dd_accumulate_exponential(dd sum, vector term) {
    const dd s = fast_two_sum(sum.hi, term);
    return (dd){s.hi, sum.lo + s.lo};
}

/* The largest elements of sign x; a NaN may be passed over, since whatever is computed next keeps it. */
INLINE void take_larger(vector *most, const real *x, real sign, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= n; i += UNROLL_LANES)
        EACH_UNROLLED most[v] = max_(sign * load(x + i + v * LANES), most[v]);
    for (; i + LANES <= n; i += LANES) most[0] = max_(sign * load(x + i), most[0]);
    if (i < n) most[0] = max_(sign * load_some(x + i, n % LANES, -sign * R_INF), most[0]);
}

INLINE vector largest_of(vector *most) {
    UNROLLED for (int v = 1; v < UNROLL; v++) most[0] = max_(most[v], most[0]);
    return most[0];
}

INLINE vector largest(const real *x, real sign, ptrdiff_t n) {
    vector most[UNROLL];
    EACH_UNROLLED most[v] = V(-R_INF);
    take_larger(most, x, sign, n);
    return largest_of(most);
}

/* 0, or NaN if one of them is */
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

/* Two reductions side by side: x in lanes whose number lacks the bit, y in the others. `own` is each lane's own number,
 * `other` that of the lane which differs in this bit. After a step for each bit every lane has the result of the row of
 * its own number. */
INLINE vector own(vector x, vector y, const int bit) { return blend(lanes_with(bit), y, x); }
INLINE vector other(vector x, vector y, const int bit) { return shuffle_xor(blend(lanes_with(bit), x, y), bit); }
#define EACH_BIT _Pragma("GCC unroll 4") for (int bit = LANES / 2; bit; bit /= 2)

INLINE vector maximum_of_each(vector *x, ptrdiff_t rows) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = V(0);
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) x[r] =
        max_(own(x[r], x[r + bit], bit), other(x[r], x[r + bit], bit));
    return x[0];
}

/* The sums of all lanes, less `seeds`. Of one that is hardly more than 1 even the excess is right. */
INLINE dd sum_of_each(dd *x, ptrdiff_t rows, int seeds) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = (dd){V(0), V(0)};
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) {
        const dd a = x[r], b = x[r + bit], s = two_sum(own(a.hi, b.hi, bit), other(a.hi, b.hi, bit));
        x[r] = (dd){s.hi, s.lo + (own(a.lo, b.lo, bit) + other(a.lo, b.lo, bit))};
    }
    const dd sum = two_sum(x[0].hi, V(-seeds));
    return fast_two_sum(sum.hi, sum.lo + x[0].lo);
}

/* The sum of all lanes, in each */
INLINE dd total(dd sum) {
    _Alignas(WIDTH) dd of_row[LANES] = {sum};
    const dd all = sum_of_each(of_row, 1, 0);
    return (dd){V(all.hi[0]), V(all.lo[0])};
}

#endif
