/* Groups of rows that fit into the first-level cache: for each row its maximum m, the exponentials e^(x - m), and their
 * sum.
 *
 * Each step is a loop over the whole group, because within a single row every step waits for the one before it. Results
 * of rows are kept in arrays with one number per row, and are computed for LANES rows in one vector. The way in which a
 * row is computed depends on its length alone, so its neighbours do not change its bits.
 */
#ifndef PYRELU_GROUPS_INL_H
#define PYRELU_GROUPS_INL_H

#include "kernels/reductions-inl.h"
#include "math/exponential.h"

enum {
    SHORT_ROW_ELEMENTS = (1 << 8) / sizeof(real), /* in rows up to this, an incomplete vector per row is expensive */
    MAX_GROUP_ROWS = 1 << 7,
    SHORT_GROUP_ELEMENTS = (1 << 13) / sizeof(real), /* the most in a group of short rows, */
    GROUP_ELEMENTS = (1 << 14) / sizeof(real)        /* and of other rows, unless it is a single row */
};

#define EACH_ROW for (ptrdiff_t r = 0; r < rows; r++)
#define EACH_BLOCK_OF_ROWS for (ptrdiff_t b = 0; b < rows; b += LANES)
#define EACH_ROW_OF_BLOCK for (ptrdiff_t r = b; r < rows && r < b + LANES; r++)

/* The number of rows in the next group, of `rows` that are left */
INLINE ptrdiff_t group_of(ptrdiff_t rows, ptrdiff_t n) {
    const ptrdiff_t elements = n <= SHORT_ROW_ELEMENTS ? SHORT_GROUP_ELEMENTS : GROUP_ELEMENTS;
    const ptrdiff_t max_rows = n <= elements / MAX_GROUP_ROWS ? MAX_GROUP_ROWS : n < elements ? elements / n : 1;
    return rows < max_rows ? rows : max_rows;
}

/* hi is m rounded to a multiple of 2^-15 (or about m, if m is large), and lo the rest. The lowest bit of hi is not
 * below that of any larger |x| for which e^(x - m) is not 0, so that x - hi loses no bits. */
INLINE dd coarse(vector m) {
    const vector near = (m + SHIFTER * R(0x1p-15)) - SHIFTER * R(0x1p-15);
    return (dd){near, m - near};
}

/* Exponentials and their sums are computed in this unit, 2^-TERM_BIAS, in which neither e^TERM_LOWEST nor its product
 * with the lower half of 1/sum is subnormal, and a sum of 2^35 terms does not overflow. e^TERM_LOWEST itself is 0. */
#if PYRELU_BITS == 32
#define TERM_BIAS 92
#define TERM_UNIT R(0x1p-92)
#define TERM_LOWEST R(-111.0)
#else
#define TERM_BIAS SCALE_BIAS
#define TERM_UNIT UNIT
#define TERM_LOWEST EXP_LOWEST
#endif

/* e^(x - m) 2^TERM_BIAS, for x <= m. As m is a `coarse` double-double, a fast two-sum gives x - m.hi, whichever is
 * larger. If the result stands for 0, the error of the difference does not matter, but it must not become large. */
INLINE vector exponential_of(vector x, dd m) {
    const vector d = x - m.hi, lost = x - (max_(d, V(TERM_LOWEST)) + m.hi);
    const exponent u = exponent_of_dd((dd){max_(d, V(TERM_LOWEST)), max_(lost, V(-1)) - m.lo});
    const power_and_rest e = exp_of(u, EXPONENT_BIASED(TERM_BIAS));
    return mad(e.power, e.p, e.power);
}

/* 1/sum. What does not change it is 0, as the product with a small term would be subnormal. */
INLINE dd inverse_of(dd sum) {
    const dd p = dd_div((dd){V(1), V(0)}, sum);
    return (dd){p.hi, keep(greater(abs_(p.lo), p.hi * (1 / (SHIFTER * SHIFTER))), p.lo)};
}

/* The share of such a term in the sum, of which `inverse` is the reciprocal */
INLINE vector share(vector term, dd inverse) { return mul(mul_by_dd(term, inverse), V(TERM_UNIT)); }

/* A sum of such terms. What is too small to be seen is 0 there, as it would become subnormal later. */
INLINE dd in_units_of_1(dd sum) {
    return dd_scale((dd){sum.hi, keep(greater(abs_(sum.lo), V(1)), sum.lo)}, V(TERM_UNIT));
}

/* The initial value of a sum of exponentials; see dd_accumulate_exponential. */
#define ONE_IN_EACH_LANE ((dd){V(1 / TERM_UNIT), V(0)})
#define SUM_OF_ONES (LANES / TERM_UNIT)

/* log s for s >= 3/4; near 1 it uses the digits of s.lo. s = 2^k f, log f = 2 atanh((f - 1)/(f + 1)). What changes
 * nothing is taken for 0 where its square or third power might be subnormal. */
INLINE dd log_(dd s) {
    const vector_bits k = ((vector_bits)s.hi - to_bits(R(0.75))) >> R_FRACTION;
    const vector p = (vector)(to_bits(R(1.0)) - (k << R_FRACTION)), hi = s.hi * p, lo = s.lo * p;
    const dd q = dd_div(fast_two_sum(hi - 1, lo), two_sum(hi + 1, keep(greater(abs_(lo), V(4 * UNIT)), lo)));
    const vector near = keep(greater(abs_(q.hi), V(PYRELU_BITS == 32 ? R(0x1p-41) : R(0x1p-100))), q.hi);
    const vector z = near * near, kr = (vector)(k + to_bits(SHIFTER)) - SHIFTER;
    const dd t = two_sum(kr * LN2.hi, 2 * q.hi);
    return fast_two_sum(t.hi, t.lo + mad(kr, V(LN2.lo), 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)));
}

/* Adds e^(sign x - m) 2^TERM_BIAS to `sum`, lane by lane, and writes the terms to `out` unless that is NULL. */
INLINE dd add_exponentials(dd sum, const real *x, real sign, dd m, real *restrict out, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= n; i += UNROLL_LANES) {
        vector y[UNROLL];
        EACH_UNROLLED y[v] = exponential_of(signed_by(sign, load(x + i + v * LANES)), m);
        EACH_UNROLLED sum = dd_accumulate_exponential(sum, y[v]);
        if (out) EACH_UNROLLED store(out + i + v * LANES, y[v]);
    }
    for (; i + LANES <= n; i += LANES) {
        const vector y = exponential_of(signed_by(sign, load(x + i)), m);
        sum = dd_accumulate_exponential(sum, y);
        if (out) store(out + i, y);
    }
    if (i < n) {
        const vector y = exponential_of(signed_by(sign, load_some(x + i, n % LANES, -sign * R_INF)), m);
        sum = dd_accumulate_exponential(sum, y);
        if (out) store_some(out + i, n % LANES, y);
    }
    return sum;
}

typedef struct {
    ptrdiff_t rows;
    _Alignas(WIDTH) real maxima[MAX_GROUP_ROWS];
    const real *terms;                                           /* e^(x - maximum) 2^TERM_BIAS */
    _Alignas(WIDTH) real hi[MAX_GROUP_ROWS], lo[MAX_GROUP_ROWS]; /* the maxima, `coarse`; then the sums of the terms */
    /* Space for short rows, with room for a whole vector at the end. */
    _Alignas(WIDTH) real short_terms[SHORT_GROUP_ELEMENTS + LANES], near[SHORT_GROUP_ELEMENTS + LANES],
        rest[SHORT_GROUP_ELEMENTS + LANES];
} group;

INLINE dd load_dd(const group *g, ptrdiff_t b) { return (dd){load(g->hi + b), load(g->lo + b)}; }
INLINE void store_dd(group *g, ptrdiff_t b, dd p) {
    store(g->hi + b, p.hi);
    store(g->lo + b, p.lo);
}

/* The double-double of a row, in every lane */
INLINE dd dd_of_row(const group *g, ptrdiff_t r) { return (dd){V(g->hi[r]), V(g->lo[r])}; }

INLINE vector short_rows_exponential(const group *g, vector x, ptrdiff_t i) {
    return exponential_of(x, (dd){load(g->near + i), load(g->rest + i)});
}

/* Computes the exponentials of short rows as one array, so that rows do not end in incomplete vectors. */
INLINE void exponentials_of_short_rows(group *g, const real *x, real sign, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows, all = rows * n;
    real *terms = g->short_terms;
    EACH_ROW for (ptrdiff_t i = r * n; i < r * n + n; i += LANES) {
        store(g->near + i, V(g->hi[r]));
        store(g->rest + i, V(g->lo[r]));
    }
    ptrdiff_t i = 0;
    for (; i + UNROLL_LANES <= all; i += UNROLL_LANES) {
        vector y[UNROLL];
        EACH_UNROLLED y[v] = short_rows_exponential(g, signed_by(sign, load(x + i + v * LANES)), i + v * LANES);
        EACH_UNROLLED store(terms + i + v * LANES, y[v]);
    }
    for (; i < all; i += LANES)
        store(terms + i, short_rows_exponential(g, signed_by(sign, load_some(x + i, all - i, 0)), i));
}

INLINE dd sum_of_terms(const real *terms, ptrdiff_t n) {
    dd sum = ONE_IN_EACH_LANE;
    EACH_VECTOR(sum = dd_accumulate_exponential(sum, load_some(terms + i, left, 0)));
    return sum;
}

/* Finds the maxima of a group's rows; returns whether one of them is infinite. */
INLINE int find_maxima(group *g, const real *x, real sign, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows;
    vector infinite = V(0);
    EACH_BLOCK_OF_ROWS {
        _Alignas(WIDTH) vector of_row[LANES];
        EACH_ROW_OF_BLOCK of_row[r - b] = row_maximum(x + r * n, sign, n);
        const vector maxima = maximum_of_each(of_row, rows - b);
        store(g->maxima + b, maxima);
        store_dd(g, b, coarse(maxima));
        infinite = blend(greater(abs_(maxima), V(R_MAX)), V(1), infinite);
    }
    real found = 0;
    for (int lane = 0; lane < LANES; lane++) found += infinite[lane];
    return found > 0;
}

/* Replaces each row with an infinite maximum by one with the same limit of softmax: 0 for the elements that equal the
 * maximum, which share everything, and -infinity for the others, which is what x - maximum gives. */
static __attribute__((noinline)) void take_limits(const group *g, const real *x, real sign, real *out, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows;
    EACH_ROW {
        const vector maximum = V(g->maxima[r]);
        const mask infinite = greater(abs_(maximum), V(R_MAX));
        EACH_VECTOR({
            const vector v = load_some(x + r * n + i, left, 0), signed_ = sign * v;
            const vector limit = blend(equal(signed_, maximum), V(0), signed_ - maximum);
            store_some(out + r * n + i, left, blend(infinite, sign * limit, v));
        });
    }
}

/* Computes the next group, of `left` rows, in `g`. The exponentials of rows that are not short are written to `out`
 * unless that is NULL. Returns the rows; if one has an infinite maximum and `limits` is not NULL, a copy in `limits`
 * with such rows replaced by their limits. Not inlined: it would be most of each function's code. */
static __attribute__((noinline, unused)) const real *begin_group(group *g, const real *x, real sign, real *out,
                                                                 real *limits, ptrdiff_t left, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows = group_of(left, n);
    if (find_maxima(g, x, sign, n) && limits) {
        take_limits(g, x, sign, limits, n);
        x = limits;
        find_maxima(g, x, sign, n);
    }
    if (n <= SHORT_ROW_ELEMENTS) exponentials_of_short_rows(g, x, sign, n);
    g->terms = n <= SHORT_ROW_ELEMENTS ? g->short_terms : out;
    EACH_BLOCK_OF_ROWS {
        _Alignas(WIDTH) dd of_row[LANES];
        EACH_ROW_OF_BLOCK {
            const ptrdiff_t start = r * n;
            const dd m = dd_of_row(g, r);
            of_row[r - b] = n <= SHORT_ROW_ELEMENTS
                                ? sum_of_terms(g->terms + start, n)
                                : add_exponentials(ONE_IN_EACH_LANE, x + start, sign, m, out ? out + start : NULL, n);
        }
        store_dd(g, b, in_units_of_1(sum_of_each(of_row, rows - b, SUM_OF_ONES)));
    }
    return x;
}

#endif
