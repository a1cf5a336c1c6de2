/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision.
 *
 * What is done to a row are steps that wait for each other: its maximum, the exponentials, their sum, its reciprocal or
 * logarithm, the results. So rows are taken in groups that stay in the first-level cache, and each step is a loop over
 * all of a group. What is found of a row stands in an array with a number for each; of LANES rows it is computed in one
 * vector. Which rows are beside one does not matter to it: in which way it is computed depends on its length alone.
 */
#include "elementary.h"
#include "kernels.h"
#include "strip.h"

enum {
    SHORT = (1 << 8) / sizeof(real),           /* elements of a row, so few that a part of a vector counts */
    GROUP_ROWS = 1 << 7,                       /* rows of a group at most, */
    GROUP_OF_SHORT = (1 << 13) / sizeof(real), /* and elements, */
    GROUP = (1 << 14) / sizeof(real)           /* if more than one row */
};

#define EACH_ROW for (ptrdiff_t r = 0; r < rows; r++)
#define EACH_BLOCK for (ptrdiff_t b = 0; b < rows; b += LANES) /* of rows */
#define EACH_ROW_OF_BLOCK for (ptrdiff_t r = b; r < rows && r < b + LANES; r++)
#define EACH UNROLLED for (int v = 0; v < VECTORS; v++)

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

/* How many of `rows` rows are the next group */
INLINE ptrdiff_t group_of(ptrdiff_t rows, ptrdiff_t n) {
    const ptrdiff_t elements = n <= SHORT ? GROUP_OF_SHORT : GROUP;
    const ptrdiff_t most = n <= elements / GROUP_ROWS ? GROUP_ROWS : n < elements ? elements / n : 1;
    return rows < most ? rows : most;
}

/* ---- one number of each row from a vector of each of up to LANES rows ---- */

/* Two reductions side by side: x in lanes whose number lacks the bit, y in the others. `own` is each lane's own number,
 * `other` that of the lane which differs in this bit. After a step for each bit every lane has the result of the row of
 * its own number. */
INLINE vector own(vector x, vector y, const int bit) { return choose(lanes_with(bit), y, x); }
INLINE vector other(vector x, vector y, const int bit) { return exchanged(choose(lanes_with(bit), x, y), bit); }
#define EACH_BIT _Pragma("GCC unroll 4") for (int bit = LANES / 2; bit; bit /= 2)

INLINE vector maximum_of_each(vector *x, ptrdiff_t rows) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = V(0);
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) x[r] =
        at_least(own(x[r], x[r + bit], bit), other(x[r], x[r + bit], bit));
    return x[0];
}

/* The sums of all lanes, less `seeds`. Of one that is hardly more than 1 even the excess is right. */
INLINE pair sum_of_each(pair *x, ptrdiff_t rows, int seeds) {
    for (ptrdiff_t r = rows; r < LANES; r++) x[r] = (pair){V(0), V(0)};
    EACH_BIT UNROLLED for (ptrdiff_t r = 0; r < bit; r++) {
        const pair a = x[r], b = x[r + bit], s = two_sum(own(a.hi, b.hi, bit), other(a.hi, b.hi, bit));
        x[r] = (pair){s.hi, s.lo + (own(a.lo, b.lo, bit) + other(a.lo, b.lo, bit))};
    }
    const pair sum = two_sum(x[0].hi, V(-seeds));
    return fast_two_sum(sum.hi, sum.lo + x[0].lo);
}

/* ---- a vector of each row ---- */

/* Compensated sums, one in each lane: as exact as if in twice the precision */
INLINE pair plus(pair sum, vector term) {
    const pair s = two_sum(sum.hi, term);
    return (pair){s.hi, sum.lo + s.lo};
}

/* As no exponential is larger than 1, their sums begin with 1 and want no more than the shorter addition. */
INLINE pair plus_exponential(pair sum, vector term) {
    const pair s = fast_two_sum(sum.hi, term);
    return (pair){s.hi, sum.lo + s.lo};
}

/* The largest elements of sign x; a NaN may be passed over, since whatever is computed next keeps it. */
INLINE vector largest(const real *x, real sign, ptrdiff_t n) {
    vector most[VECTORS];
    ptrdiff_t i = 0;
    EACH most[v] = V(-R_INF);
    for (; i + STRIP <= n; i += STRIP) EACH most[v] = at_least(sign * load(x + i + v * LANES), most[v]);
    for (; i + LANES <= n; i += LANES) most[0] = at_least(sign * load(x + i), most[0]);
    if (i < n) most[0] = at_least(sign * load_some(x + i, n % LANES, -sign * R_INF), most[0]);
    UNROLLED for (int v = 1; v < VECTORS; v++) most[0] = at_least(most[v], most[0]);
    return most[0];
}

INLINE pair sum_of_row(const real *x, ptrdiff_t n) {
    pair sum = {V(0), V(0)};
    EACH_VECTOR(sum = plus(sum, load_some(x + i, left, 0)));
    return sum;
}

/* m rounded to a multiple of 2^-15, or nearly m if that is large, and the rest. Rounded, it has no lower bits than any
 * x that is larger in size and for which e^(x - m) is not 0, so that sums with such x do not lose any. */
INLINE pair coarse(vector m) {
    const vector near = (m + SHIFTER * R(0x1p-15)) - SHIFTER * R(0x1p-15);
    return (pair){near, m - near};
}

/* e^(x - m), where x is at most m, which is in two parts for x - m.hi to want no more than the shorter addition,
 * whichever of them is larger. Where the result is 0, what the difference lost is of no matter, but must not be large.
 */
INLINE vector exponential_of(vector x, pair m) {
    const vector d = x - m.hi, lost = x - (at_least(d, V(EXP_LOWEST)) + m.hi);
    return exp_nonpositive((pair){d, at_least(lost, V(-1)) - m.lo});
}

/* e^(sign x - m) as `out` if that is not NULL, and their sums */
INLINE pair exponentials_of_row(const real *x, real sign, pair m, real *restrict out, ptrdiff_t n) {
    pair sum = {V(1), V(0)};
    ptrdiff_t i = 0;
    for (; i + STRIP <= n; i += STRIP) {
        vector y[VECTORS];
        EACH y[v] = exponential_of(sign * load(x + i + v * LANES), m);
        EACH sum = plus_exponential(sum, y[v]);
        if (out) EACH store(out + i + v * LANES, y[v]);
    }
    for (; i + LANES <= n; i += LANES) {
        const vector y = exponential_of(sign * load(x + i), m);
        sum = plus_exponential(sum, y);
        if (out) store(out + i, y);
    }
    if (i < n) {
        const vector y = exponential_of(sign * load_some(x + i, n % LANES, -sign * R_INF), m);
        sum = plus_exponential(sum, y);
        if (out) store_some(out + i, n % LANES, y);
    }
    return sum;
}

/* log s for s >= 3/4, with as many digits near 1 as s.lo brings: s = 2^k f, log f = 2 atanh((f - 1)/(f + 1)) */
INLINE pair log_(pair s) {
    const vector_bits k = ((vector_bits)s.hi - to_bits(R(0.75))) >> R_FRACTION;
    const vector p = (vector)(to_bits(R(1.0)) - (k << R_FRACTION)), hi = s.hi * p, lo = s.lo * p;
    const pair q = pair_quotient(fast_two_sum(hi - 1, lo), two_sum(hi + 1, lo));
    const vector z = q.hi * q.hi, kr = (vector)(k + to_bits(SHIFTER)) - SHIFTER;
    const pair t = two_sum(kr * LN2.hi, 2 * q.hi);
    return fast_two_sum(t.hi, t.lo + mad(kr, V(LN2.lo), 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)));
}

/* ---- groups ---- */

typedef struct {
    ptrdiff_t rows;
    _Alignas(WIDTH) real most[GROUP_ROWS];               /* the largest of each row, */
    const real *terms;                                   /* e^(x - most), */
    _Alignas(WIDTH) real hi[GROUP_ROWS], lo[GROUP_ROWS]; /* and the sum of these */
    /* Room for short rows. Reading and writing whole vectors, one goes beyond the end. */
    _Alignas(WIDTH) real terms_of_short[GROUP_OF_SHORT + LANES], near[GROUP_OF_SHORT + LANES],
        rest[GROUP_OF_SHORT + LANES];
} group;

INLINE pair load_pair(const group *g, ptrdiff_t b) { return (pair){load(g->hi + b), load(g->lo + b)}; }
INLINE void store_pair(group *g, ptrdiff_t b, pair p) {
    store(g->hi + b, p.hi);
    store(g->lo + b, p.lo);
}

/* A row's pair in every lane */
INLINE pair pair_of(const group *g, ptrdiff_t r) { return (pair){V(g->hi[r]), V(g->lo[r])}; }

INLINE vector short_rows_exponential(const group *g, vector x, ptrdiff_t i) {
    return exponential_of(x, (pair){load(g->near + i), load(g->rest + i)});
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
    for (; i + STRIP <= all; i += STRIP) {
        vector y[VECTORS];
        EACH y[v] = short_rows_exponential(g, sign * load(x + i + v * LANES), i + v * LANES);
        EACH store(terms + i + v * LANES, y[v]);
    }
    for (; i < all; i += LANES) store(terms + i, short_rows_exponential(g, sign * load_some(x + i, all - i, 0), i));
}

INLINE pair sum_of_terms(const real *terms, ptrdiff_t n) {
    pair sum = {V(1), V(0)};
    EACH_VECTOR(sum = plus_exponential(sum, load_some(terms + i, left, 0)));
    return sum;
}

/* The next group of `left` rows: what stands in `g`. Exponentials of rows that are not short become `out`, if that is
 * not NULL. */
INLINE void begin_group(group *g, const real *x, real sign, real *out, ptrdiff_t left, ptrdiff_t n) {
    const ptrdiff_t rows = g->rows = group_of(left, n);
    EACH_BLOCK {
        _Alignas(WIDTH) vector of_row[LANES];
        EACH_ROW_OF_BLOCK of_row[r - b] = largest(x + r * n, sign, n);
        const vector most = maximum_of_each(of_row, rows - b);
        const pair m = coarse(most);
        store(g->most + b, most);
        store_pair(g, b, m);
    }
    if (n <= SHORT) exponentials_of_short_rows(g, x, sign, n);
    g->terms = n <= SHORT ? g->terms_of_short : out;
    EACH_BLOCK {
        _Alignas(WIDTH) pair of_row[LANES];
        EACH_ROW_OF_BLOCK {
            const ptrdiff_t start = r * n;
            const pair m = pair_of(g, r);
            of_row[r - b] = n <= SHORT ? sum_of_terms(g->terms + start, n)
                                       : exponentials_of_row(x + start, sign, m, out ? out + start : NULL, n);
        }
        store_pair(g, b, sum_of_each(of_row, rows - b, LANES));
    }
}

#define EACH_GROUP for (ptrdiff_t first = 0; first < all; first += g.rows)

/* Results of a row. Those of short rows are written as whole vectors until all end: what comes to lie behind the row's
 * end is written again, by the next row. */
INLINE void store_result(real *y, ptrdiff_t left, ptrdiff_t n, const real *end, vector v) {
    store_some(y, n <= SHORT && left < LANES ? end - y : left, v);
}

/* 1/sum in place of each sum */
INLINE void invert_sums(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK store_pair(g, b, pair_quotient((pair){V(1), V(0)}, load_pair(g, b)));
}

/* log(sum(e^x)) = most + log(sum(e^(x - most))) in place of each sum. The maximum is taken off first, or the sum would
 * overflow and, for large x, drown. */
INLINE void take_logarithms(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK store_pair(g, b, pair_sum((pair){load(g->most + b), V(0)}, log_(load_pair(g, b))));
}

INLINE vector softmax_at(const group *g, ptrdiff_t r, ptrdiff_t at, ptrdiff_t left) {
    return times(load_some(g->terms + at, left, 0), pair_of(g, r));
}

INLINE void softmax_of(const real *x, real sign, real *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        real *y = out + first * n;
        begin_group(&g, x + first * n, sign, y, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_ROW EACH_VECTOR(store_result(y + r * n + i, left, n, out + all * n, softmax_at(&g, r, r * n + i, left)));
    }
}

INLINE void softmax_vjp_of(const real *x, const real *gradient, real sign, real *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *dy = gradient + first * n;
        real *dx = out + first * n, mean[GROUP_ROWS];
        begin_group(&g, x + first * n, sign, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK {
            _Alignas(WIDTH) pair of_row[LANES];
            EACH_ROW_OF_BLOCK {
                pair sum = {V(0), V(0)};
                EACH_VECTOR(sum = plus(sum, load_some(dy + r * n + i, left, 0) * softmax_at(&g, r, r * n + i, left)));
                of_row[r - b] = sum;
            }
            store(mean + b, sum_of_each(of_row, rows - b, 0).hi);
        }
        EACH_ROW EACH_VECTOR({
            const ptrdiff_t at = r * n + i;
            const vector part = sign * softmax_at(&g, r, at, left) * (load_some(dy + at, left, 0) - mean[r]);
            store_result(dx + at, left, n, out + all * n, part);
        });
    }
}

static void forward_softmax(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    softmax_of(in[0], 1, out, rows, n);
}
static void vjp_softmax(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    softmax_vjp_of(in[0], in[1], 1, out, rows, n);
}

static void forward_softmin(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    softmax_of(in[0], -1, out, rows, n);
}
static void vjp_softmin(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    softmax_vjp_of(in[0], in[1], -1, out, rows, n);
}

static void forward_log_softmax(const void *const *in, void *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *x = (const real *)in[0] + first * n;
        real *y = (real *)out + first * n;
        begin_group(&g, x, 1, NULL, all - first, n);
        take_logarithms(&g);
        const ptrdiff_t rows = g.rows;
        EACH_ROW EACH_VECTOR({
            const ptrdiff_t at = r * n + i;
            store_result(y + at, left, n, (real *)out + all * n, (load_some(x + at, left, 0) - g.hi[r]) - g.lo[r]);
        });
    }
}

/* g - softmax(x) sum(g) */
static void vjp_log_softmax(const void *const *in, void *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *dy = (const real *)in[1] + first * n;
        real *dx = (real *)out + first * n, sum[GROUP_ROWS];
        begin_group(&g, (const real *)in[0] + first * n, 1, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK {
            _Alignas(WIDTH) pair of_row[LANES];
            EACH_ROW_OF_BLOCK of_row[r - b] = sum_of_row(dy + r * n, n);
            store(sum + b, sum_of_each(of_row, rows - b, 0).hi);
        }
        EACH_ROW EACH_VECTOR({
            const ptrdiff_t at = r * n + i;
            const vector part = fma_(-softmax_at(&g, r, at, left), V(sum[r]), load_some(dy + at, left, 0));
            store_result(dx + at, left, n, (real *)out + all * n, part);
        });
    }
}

/* 0, or NaN if one of them is */
INLINE real nan_among(const real *x, ptrdiff_t n) {
    vector found = V(0);
    EACH_VECTOR({
        const vector v = load_some(x + i, left, 0);
        found = choose(equal(v, v), found, v);
    });
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += found[lane];
    return sum;
}

static void forward_logsumexp(const void *const *in, void *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *x = (const real *)in[0] + first * n;
        real *y = (real *)out + first;
        begin_group(&g, x, 1, NULL, all - first, n);
        take_logarithms(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK store_some(y + b, rows - b, pair_value(load_pair(&g, b)));
        EACH_ROW { /* an infinite maximum is the result, and x less that was not a number */
            const real most = g.most[r];
            if (most == R_INF || most == -R_INF) y[r] = most + nan_among(x + r * n, n);
        }
    }
}

static void vjp_logsumexp(const void *const *in, void *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *dy = (const real *)in[1] + first;
        real *dx = (real *)out + first * n;
        begin_group(&g, (const real *)in[0] + first * n, 1, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_ROW EACH_VECTOR({
            const vector part = dy[r] * softmax_at(&g, r, r * n + i, left);
            store_result(dx + r * n + i, left, n, (real *)out + all * n, part);
        });
    }
}

/* ---- sparsemax, a row at a time ---- */

/* The sum of all lanes, in each */
INLINE pair total(pair sum) {
    _Alignas(WIDTH) pair of_row[LANES] = {sum};
    const pair all = sum_of_each(of_row, 1, 0);
    return (pair){V(all.hi[0]), V(all.lo[0])};
}

/* max(x - tau, 0), where tau makes that sum to 1: the mean excess of the elements above it, found by dropping those
 * that are not until none is left to drop (Michelot 1986). With the maximum taken off, tau is in [-1, 0). */
INLINE void sparsemax_of_row(const real *x, real *y, ptrdiff_t n) {
    vector most[LANES] = {largest(x, 1, n)};
    const real m = maximum_of_each(most, 1)[0];
    vector tau = V(-1);
    EACH_VECTOR(store_some(y + i, left, load_some(x + i, left, 0) - m));
    for (ptrdiff_t kept = n + 2, above = n + 1; above < kept;) {
        const real least = tau[0];
        kept = above;
        above = 0;
        for (ptrdiff_t i = 0; i < n; i++) above += !(y[i] <= least);
        pair sum = {V(0), V(0)};
        EACH_VECTOR({
            const vector value = load_some(y + i, left, -R_INF);
            sum = plus(sum, choose(less_equal(value, tau), V(0), value));
        });
        sum = total(sum);
        tau = ((sum.hi - 1) + sum.lo) / (real)above;
    }
    EACH_VECTOR(store_some(y + i, left, at_least(load_some(y + i, left, 0) - tau, V(0))));
}

static void forward_sparsemax(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    EACH_ROW sparsemax_of_row((const real *)in[0] + r * n, (real *)out + r * n, n);
}

/* g less its mean over the elements that are not 0, and 0 for those that are */
static void vjp_sparsemax(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    EACH_ROW {
        const real *g = (const real *)in[1] + r * n;
        real *dx = (real *)out + r * n;
        sparsemax_of_row((const real *)in[0] + r * n, dx, n);
        pair sum = {V(0), V(0)};
        ptrdiff_t count = 0;
        for (ptrdiff_t i = 0; i < n; i++) count += dx[i] != 0;
        EACH_VECTOR({
            const vector p = load_some(dx + i, left, 0), gradient = load_some(g + i, left, 0);
            sum = plus(sum, choose(equal(p, V(0)), V(0), choose(greater(p, V(0)), gradient, p)));
        });
        const vector mean = total(sum).hi / (real)count;
        EACH_VECTOR({
            const vector p = load_some(dx + i, left, 0), gradient = load_some(g + i, left, 0);
            store_some(dx + i, left, choose(equal(p, V(0)), p, gradient - mean));
        });
    }
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PRIVATE(rowwise)[][2] = {
#include "rowwise.def"
};
