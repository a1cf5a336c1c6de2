/* Functions of a whole row: softmax and related ones. Compiled once per instruction set and precision. */
#include "kernels/groups-inl.h"
#include "kernels/targets.h"
#include "math/elementary.h"

#define EACH_GROUP for (ptrdiff_t first = 0; first < all; first += g.rows)

/* Stores results of a row. Short rows are stored as whole vectors, except at the end of the array; what exceeds a row's
 * end is overwritten by the next row. */
INLINE void store_result(real *y, ptrdiff_t left, ptrdiff_t n, const real *end, vector v) {
    store_some(y, n <= SHORT_ROW_ELEMENTS && left < LANES ? end - y : left, v);
}

/* Replaces each sum by 1/sum. */
INLINE void invert_sums(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK_OF_ROWS store_dd(g, b, inverse_of(load_dd(g, b)));
}

/* Replaces each sum by log(sum(e^x)) = m + log(sum(e^(x - m))), where m is the maximum. Without subtracting m, the sum
 * would overflow for large x and underflow for small x. */
INLINE void take_logarithms(group *g) {
    const ptrdiff_t rows = g->rows;
    EACH_BLOCK_OF_ROWS store_dd(g, b, dd_add((dd){load(g->maxima + b), V(0)}, log_(load_dd(g, b))));
}

INLINE vector softmax_at(const group *g, ptrdiff_t r, ptrdiff_t at, ptrdiff_t left) {
    return share(load_some(g->terms + at, left, 0), dd_of_row(g, r));
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
        real *dx = out + first * n, mean[MAX_GROUP_ROWS];
        begin_group(&g, x + first * n, sign, dx, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK_OF_ROWS {
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
        real *dx = (real *)out + first * n, sum[MAX_GROUP_ROWS];
        begin_group(&g, (const real *)in[0] + first * n, 1, dx, dx, all - first, n);
        invert_sums(&g);
        const ptrdiff_t rows = g.rows;
        EACH_BLOCK_OF_ROWS {
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
        EACH_BLOCK_OF_ROWS store_some(y + b, rows - b, dd_value(load_dd(&g, b)));
        EACH_ROW { /* an infinite maximum is the result unless x contains NaN; x - maximum was NaN */
            const real maximum = g.maxima[r];
            if (maximum == R_INF || maximum == -R_INF) y[r] = maximum + nan_among(x + r * n, n);
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

/* max(x - tau, 0), where tau is such that the results sum to 1. The support, the elements above tau, shrinks from all
 * elements until it no longer changes; each step computes tau from the sum over the support (Michelot 1986). After the
 * maximum is subtracted, tau is in [-1, 0). */
INLINE void sparsemax_of_row(const real *x, real *y, ptrdiff_t n) {
    vector maxima[LANES] = {row_maximum(x, 1, n)};
    const real m = maximum_of_each(maxima, 1)[0];
    vector tau = V(-1);
    EACH_VECTOR({ /* 0 for elements equal to the maximum, even if it is infinite */
                  const vector v = load_some(x + i, left, 0);
                  store_some(y + i, left, blend(equal(v, V(m)), V(0), v - m));
    });
    for (ptrdiff_t previous = n + 2, support = n + 1; support < previous;) {
        const real threshold = tau[0];
        previous = support;
        support = 0;
        for (ptrdiff_t i = 0; i < n; i++) support += !(y[i] <= threshold);
        dd sum = {V(0), V(0)};
        EACH_VECTOR({
            const vector value = load_some(y + i, left, -R_INF);
            sum = dd_accumulate(sum, blend(less_equal(value, tau), V(0), value));
        });
        sum = total(sum);
        tau = ((sum.hi - 1) + sum.lo) / (real)support;
    }
    EACH_VECTOR(store_some(y + i, left, max_(load_some(y + i, left, 0) - tau, V(0))));
}

static void forward_sparsemax(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n) {
    EACH_ROW sparsemax_of_row((const real *)in[0] + r * n, (real *)out + r * n, n);
}

/* g minus its mean over the support, where the output is not 0; elsewhere 0 */
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
