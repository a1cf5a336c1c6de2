/* Rows in groups that stay in the first-level cache: for each of a group's rows the maximum, the exponentials of what
 * the others are below it, and their sum.
 *
 * Each step is a loop over all of a group, since in one row the steps wait for each other. What is found of a row
 * stands in an array with a number for each; of LANES rows it is computed in one vector. Which rows are beside one does
 * not matter to it: in which way it is computed depends on its length alone.
 */
#ifndef PYRELU_GROUPS_INL_H
#define PYRELU_GROUPS_INL_H

#include "kernels/reductions-inl.h"
#include "math/exponential.h"

enum {
    SHORT = (1 << 8) / sizeof(real),           /* elements of a row, so few that a part of a vector counts */
    GROUP_ROWS = 1 << 7,                       /* rows of a group at most, */
    GROUP_OF_SHORT = (1 << 13) / sizeof(real), /* and elements, */
    GROUP = (1 << 14) / sizeof(real)           /* if more than one row */
};

#define EACH_ROW for (ptrdiff_t r = 0; r < rows; r++)
#define EACH_BLOCK for (ptrdiff_t b = 0; b < rows; b += LANES) /* of rows */
#define EACH_ROW_OF_BLOCK for (ptrdiff_t r = b; r < rows && r < b + LANES; r++)

/* How many of `rows` rows are the next group */
INLINE ptrdiff_t group_of(ptrdiff_t rows, ptrdiff_t n) {
    const ptrdiff_t elements = n <= SHORT ? GROUP_OF_SHORT : GROUP;
    const ptrdiff_t most = n <= elements / GROUP_ROWS ? GROUP_ROWS : n < elements ? elements / n : 1;
    return rows < most ? rows : most;
}

/* m rounded to a multiple of 2^-15, or nearly m if that is large, and the rest. Rounded, it has no lower bits than any
 * x that is larger in size and for which e^(x - m) is not 0, so that sums with such x do not lose any. */
INLINE dd coarse(vector m) {
    const vector near = (m + SHIFTER * R(0x1p-15)) - SHIFTER * R(0x1p-15);
    return (dd){near, m - near};
}

/* e^(x - m), where x is at most m, which is in two parts for x - m.hi to want no more than the shorter addition,
 * whichever of them is larger. Where the result is 0, what the difference lost is of no matter, but must not be large.
 */
INLINE vector exponential_of(vector x, dd m) {
    const vector d = x - m.hi, lost = x - (max_(d, V(EXP_LOWEST)) + m.hi);
    return exp_nonpositive((dd){d, max_(lost, V(-1)) - m.lo});
}

/* With what sums of exponentials begin */
#define ONE_IN_EACH_LANE ((dd){V(1), V(0)})

/* log s for s >= 3/4, with as many digits near 1 as s.lo brings: s = 2^k f, log f = 2 atanh((f - 1)/(f + 1)) */
INLINE dd log_(dd s) {
    const vector_bits k = ((vector_bits)s.hi - to_bits(R(0.75))) >> R_FRACTION;
    const vector p = (vector)(to_bits(R(1.0)) - (k << R_FRACTION)), hi = s.hi * p, lo = s.lo * p;
    const dd q = dd_div(fast_two_sum(hi - 1, lo), two_sum(hi + 1, lo));
    const vector z = q.hi * q.hi, kr = (vector)(k + to_bits(SHIFTER)) - SHIFTER;
    const dd t = two_sum(kr * LN2.hi, 2 * q.hi);
    return fast_two_sum(t.hi, t.lo + mad(kr, V(LN2.lo), 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)));
}

/* e^(sign x - m) as `out` if that is not NULL; returns their sums, added to `sum`. */
INLINE dd add_exponentials(dd sum, const real *x, real sign, dd m, real *restrict out, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= n; i += UNROLL_LANES) {
        vector y[UNROLL];
        EACH_UNROLLED y[v] = exponential_of(sign * load(x + i + v * LANES), m);
        EACH_UNROLLED sum = dd_accumulate_exponential(sum, y[v]);
        if (out) EACH_UNROLLED store(out + i + v * LANES, y[v]);
    }
    for (; i + LANES <= n; i += LANES) {
        const vector y = exponential_of(sign * load(x + i), m);
        sum = dd_accumulate_exponential(sum, y);
        if (out) store(out + i, y);
    }
    if (i < n) {
        const vector y = exponential_of(sign * load_some(x + i, n % LANES, -sign * R_INF), m);
        sum = dd_accumulate_exponential(sum, y);
        if (out) store_some(out + i, n % LANES, y);
    }
    return sum;
}

typedef struct {
    ptrdiff_t rows;
    _Alignas(WIDTH) real most[GROUP_ROWS];               /* the largest of each row, */
    const real *terms;                                   /* e^(x - most), */
    _Alignas(WIDTH) real hi[GROUP_ROWS], lo[GROUP_ROWS]; /* and the sum of these */
    /* Room for short rows. Reading and writing whole vectors, one goes beyond the end. */
    _Alignas(WIDTH) real terms_of_short[GROUP_OF_SHORT + LANES], near[GROUP_OF_SHORT + LANES],
        rest[GROUP_OF_SHORT + LANES];
} group;

INLINE dd load_dd(const group *g, ptrdiff_t b) { return (dd){load(g->hi + b), load(g->lo + b)}; }
INLINE void store_dd(group *g, ptrdiff_t b, dd p) {
    store(g->hi + b, p.hi);
    store(g->lo + b, p.lo);
}

/* A row's double-double in every lane */
INLINE dd dd_of_row(const group *g, ptrdiff_t r) { return (dd){V(g->hi[r]), V(g->lo[r])}; }

INLINE vector short_rows_exponential(const group *g, vector x, ptrdiff_t i) {
    return exponential_of(x, (dd){load(g->near + i), load(g->rest + i)});
}

/* The exponentials of short rows are one stream, without a vector at each row's end that is filled in part. */
INLINE void exponentials_of_short_rows(group *g, const real *x, real sign, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows, all = rows * n;
    real *terms = g->terms_of_short;
    EACH_ROW for (ptrdiff_t i = r * n; i < r * n + n; i += LANES) {
        store(g->near + i, V(g->hi[r]));
        store(g->rest + i, V(g->lo[r]));
    }
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= all; i += UNROLL_LANES) {
        vector y[UNROLL];
        EACH_UNROLLED y[v] = short_rows_exponential(g, sign * load(x + i + v * LANES), i + v * LANES);
        EACH_UNROLLED store(terms + i + v * LANES, y[v]);
    }
    for (; i < all; i += LANES) store(terms + i, short_rows_exponential(g, sign * load_some(x + i, all - i, 0), i));
}

INLINE dd sum_of_terms(const real *terms, ptrdiff_t n) {
    dd sum = ONE_IN_EACH_LANE;
    EACH_VECTOR(sum = dd_accumulate_exponential(sum, load_some(terms + i, left, 0)));
    return sum;
}

/* The maxima of a group's rows. Returns whether one of them is infinite. */
INLINE int find_maxima(group *g, const real *x, real sign, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows;
    vector infinite = V(0);
    EACH_BLOCK {
        _Alignas(WIDTH) vector of_row[LANES];
        EACH_ROW_OF_BLOCK of_row[r - b] = largest(x + r * n, sign, n);
        const vector most = maximum_of_each(of_row, rows - b);
        store(g->most + b, most);
        store_dd(g, b, coarse(most));
        infinite = blend(greater(abs_(most), V(R_MAX)), V(1), infinite);
    }
    real found = 0;
    for (int lane = 0; lane < LANES; lane++) found += infinite[lane];
    return found > 0;
}

/* Rows with an infinite maximum as what they tend to: the elements that have it are equal, and nothing beside them
 * counts. x less an infinite maximum is that already, but for those elements. */
static __attribute__((noinline)) void take_limits(const group *g, const real *x, real sign, real *out, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows;
    EACH_ROW {
        const vector most = V(g->most[r]);
        const mask infinite = greater(abs_(most), V(R_MAX));
        EACH_VECTOR({
            const vector v = load_some(x + r * n + i, left, 0), signed_ = sign * v;
            const vector limit = blend(equal(signed_, most), V(0), signed_ - most);
            store_some(out + r * n + i, left, blend(infinite, sign * limit, v));
        });
    }
}

/* The next group of `left` rows: what stands in `g`. Exponentials of rows that are not short become `out`, if that is
 * not NULL. Returns the rows; where they have an infinite maximum, what they tend to, in `limits` (or as they are, if
 * that is NULL). */
INLINE const real *begin_group(group *g, const real *x, real sign, real *out, real *limits, ptrdiff_t left,
                               ptrdiff_t n) {
    const ptrdiff_t rows = g->rows = group_of(left, n);
    if (find_maxima(g, x, sign, n) && limits) {
        take_limits(g, x, sign, limits, n);
        x = limits;
        find_maxima(g, x, sign, n);
    }
    if (n <= SHORT) exponentials_of_short_rows(g, x, sign, n);
    g->terms = n <= SHORT ? g->terms_of_short : out;
    EACH_BLOCK {
        _Alignas(WIDTH) dd of_row[LANES];
        EACH_ROW_OF_BLOCK {
            const ptrdiff_t start = r * n;
            const dd m = dd_of_row(g, r);
            of_row[r - b] = n <= SHORT
                                ? sum_of_terms(g->terms + start, n)
                                : add_exponentials(ONE_IN_EACH_LANE, x + start, sign, m, out ? out + start : NULL, n);
        }
        store_dd(g, b, sum_of_each(of_row, rows - b, LANES));
    }
    return x;
}

#endif
