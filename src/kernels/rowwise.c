/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision. */
#include "kernels/groups-inl.h"
#include "kernels/targets.h"
#include "math/elementary.h"

#define EACH_GROUP for (ptrdiff_t first = 0; first < all; first += g.rows)

/* Results of a row. Those of short rows are written as whole vectors until all end: what comes to lie behind the row's
 * end is written again, by the next row. */
INLINE void store_result(real *y, ptrdiff_t left, ptrdiff_t n, const real *end, vector v) {
    store_some(y, n <= SHORT && left < LANES ? end - y : left, v);
}

/* 1/sum in place of each sum */
INLINE void invert_sums(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK store_dd(g, b, dd_div((dd){V(1), V(0)}, load_dd(g, b)));
}

/* log(sum(e^x)) = most + log(sum(e^(x - most))) in place of each sum. The maximum is taken off first, or the sum would
 * overflow and, for large x, drown. */
INLINE void take_logarithms(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK store_dd(g, b, dd_add((dd){load(g->most + b), V(0)}, log_(load_dd(g, b))));
}

INLINE vector softmax_at(const group *g, ptrdiff_t r, ptrdiff_t at, ptrdiff_t left) {
    return mul_by_dd(load_some(g->terms + at, left, 0), dd_of_row(g, r));
}

INLINE void softmax_of(const real *x, real sign, real *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        real *y = out + first * n;
        begin_group(&g, x + first * n, sign, y, y, all - first, n);
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
        begin_group(&g, x + first * n, sign, dx, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK {
            _Alignas(WIDTH) dd of_row[LANES];
            EACH_ROW_OF_BLOCK {
                dd sum = {V(0), V(0)};
                EACH_VECTOR(
                    sum = dd_accumulate(sum, load_some(dy + r * n + i, left, 0) * softmax_at(&g, r, r * n + i, left)));
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
        real *y = (real *)out + first * n;
        const real *x = begin_group(&g, (const real *)in[0] + first * n, 1, NULL, y, all - first, n);
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
        begin_group(&g, (const real *)in[0] + first * n, 1, dx, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK {
            _Alignas(WIDTH) dd of_row[LANES];
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

static void forward_logsumexp(const void *const *in, void *out, ptrdiff_t all, ptrdiff_t n) {
    group g;
    EACH_GROUP {
        const real *x = (const real *)in[0] + first * n;
        real *y = (real *)out + first;
        begin_group(&g, x, 1, NULL, NULL, all - first, n);
        take_logarithms(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK store_some(y + b, rows - b, dd_value(load_dd(&g, b)));
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
        begin_group(&g, (const real *)in[0] + first * n, 1, dx, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_ROW EACH_VECTOR({
            const vector part = dy[r] * softmax_at(&g, r, r * n + i, left);
            store_result(dx + r * n + i, left, n, (real *)out + all * n, part);
        });
    }
}

/* ---- sparsemax, a row at a time ---- */

/* max(x - tau, 0), where tau makes that sum to 1: the mean excess of the elements above it, found by dropping those
 * that are not until none is left to drop (Michelot 1986). With the maximum taken off, tau is in [-1, 0). */
INLINE void sparsemax_of_row(const real *x, real *y, ptrdiff_t n) {
    vector most[LANES] = {largest(x, 1, n)};
    const real m = maximum_of_each(most, 1)[0];
    vector tau = V(-1);
    EACH_VECTOR({ /* equal to an infinite maximum: 0 below it */
                  const vector v = load_some(x + i, left, 0);
                  store_some(y + i, left, blend(equal(v, V(m)), V(0), v - m));
    });
    for (ptrdiff_t kept = n + 2, above = n + 1; above < kept;) {
        const real least = tau[0];
        kept = above;
        above = 0;
        for (ptrdiff_t i = 0; i < n; i++) above += !(y[i] <= least);
        dd sum = {V(0), V(0)};
        EACH_VECTOR({
            const vector value = load_some(y + i, left, -R_INF);
            sum = dd_accumulate(sum, blend(less_equal(value, tau), V(0), value));
        });
        sum = total(sum);
        tau = ((sum.hi - 1) + sum.lo) / (real)above;
    }
    EACH_VECTOR(store_some(y + i, left, max_(load_some(y + i, left, 0) - tau, V(0))));
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
        dd sum = {V(0), V(0)};
        ptrdiff_t count = 0;
        for (ptrdiff_t i = 0; i < n; i++) count += dx[i] != 0;
        EACH_VECTOR({
            const vector p = load_some(dx + i, left, 0), gradient = load_some(g + i, left, 0);
            sum = dd_accumulate(sum, blend(equal(p, V(0)), V(0), blend(greater(p, V(0)), gradient, p)));
        });
        const vector mean = total(sum).hi / (real)count;
        EACH_VECTOR({
            const vector p = load_some(dx + i, left, 0), gradient = load_some(g + i, left, 0);
            store_some(dx + i, left, blend(equal(p, V(0)), p, gradient - mean));
        });
    }
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PER_TARGET(rowwise)[][2] = {
#include "table/rowwise.def"
};
