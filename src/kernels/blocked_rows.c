/* The functions of rowwise.c for rows that are read block by block: long rows that are strided or in half precision, of
 * which a contiguous copy would take too much memory. Each step is a pass that reads all blocks of the row again and
 * recomputes the exponentials. Sums run in the same order as in rowwise.c, so that the results have the same bits.
 * Compiled once per instruction set and precision. */
#include "kernels/groups-inl.h"
#include "kernels/targets.h"
#include "math/elementary.h"

enum { ROW_BLOCK = 768 };
_Static_assert(ROW_BLOCK % UNROLL_LANES == 0 && (int)ROW_BLOCK <= (int)PYRELU_ROW_BLOCK,
               "blocks end where unrolled blocks do");

/* Loops over the blocks of a row: each begins at element `at` and has n elements. */
#define EACH_ROW_BLOCK(row) \
    for (ptrdiff_t at = 0, n; n = (row)->n - at < ROW_BLOCK ? (row)->n - at : ROW_BLOCK, at < (row)->n; at += ROW_BLOCK)

static const real *read_block(pyrelu_blocked_row *row, int operand, ptrdiff_t at, ptrdiff_t n) {
    return row->read(row, operand, at, n);
}

/* The maximum of sign x */
INLINE real maximum_of(pyrelu_blocked_row *row, real sign) {
    vector maxima[UNROLL], of_row[LANES];
    EACH_UNROLLED maxima[v] = V(-R_INF);
    EACH_ROW_BLOCK(row) update_maxima(maxima, read_block(row, 0, at, n), sign, n);
    of_row[0] = maximum_of_vectors(maxima);
    return maximum_of_each(of_row, 1)[0];
}

/* ---- softmax and related functions ---- */

typedef struct {
    pyrelu_blocked_row *row;
    real sign, maximum;                     /* the maximum of sign x */
    dd m;                                   /* what is subtracted: the maximum, `coarse`, or 0 if it is infinite */
    int infinite;                           /* whether the maximum is infinite; */
    _Alignas(WIDTH) real limits[ROW_BLOCK]; /* if so, the block's elements are replaced by their limits */
} exponentials;

/* A block of x, or its limits if the row has an infinite maximum; see take_limits in groups-inl.h. */
INLINE const real *block_of_x(exponentials *e, ptrdiff_t at, ptrdiff_t n) {
    const real *x = read_block(e->row, 0, at, n);
    if (!e->infinite) return x;
    EACH_VECTOR({
        const vector v = e->sign * load_some(x + i, left, 0);
        store_some(e->limits + i, left, e->sign * blend(equal(v, V(e->maximum)), V(0), v - e->maximum));
    });
    return e->limits;
}

/* The sum of e^(sign x - m); initialises `e`. Not inlined, as it would be most of each function's code. */
static __attribute__((noinline)) dd sum_of_exponentials(exponentials *e, pyrelu_blocked_row *row, real sign) {
    e->row = row;
    e->sign = sign;
    e->maximum = maximum_of(row, sign);
    e->infinite = e->maximum == R_INF || e->maximum == -R_INF;
    e->m = coarse(V(e->infinite ? 0 : e->maximum));
    _Alignas(WIDTH) dd of_row[LANES] = {ONE_IN_EACH_LANE};
    EACH_ROW_BLOCK(row) of_row[0] = add_exponentials(of_row[0], block_of_x(e, at, n), sign, e->m, NULL, n);
    const dd sum = in_units_of_1(sum_of_each(of_row, 1, SUM_OF_ONES));
    return (dd){V(sum.hi[0]), V(sum.lo[0])};
}

INLINE dd inverse_sum(exponentials *e, pyrelu_blocked_row *row, real sign) {
    return inverse_of(sum_of_exponentials(e, row, sign));
}

/* log(sum(e^x)) = maximum + log(sum(e^(x - maximum))) */
INLINE dd logarithm_of_sum(exponentials *e, pyrelu_blocked_row *row) {
    const dd sum = sum_of_exponentials(e, row, 1);
    return dd_add((dd){V(e->infinite ? 0 : e->maximum), V(0)}, log_(sum));
}

INLINE vector softmax_at(const exponentials *e, dd inverse, const real *x, ptrdiff_t left) {
    return share(exponential_of(e->sign * load_some(x, left, -e->sign * R_INF), e->m), inverse);
}

INLINE void softmax_of(pyrelu_blocked_row *row, real sign) {
    exponentials e;
    _Alignas(WIDTH) real y[ROW_BLOCK];
    const dd inverse = inverse_sum(&e, row, sign);
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n);
        EACH_VECTOR(store_some(y + i, left, softmax_at(&e, inverse, x + i, left)));
        row->write(row, y, at, n);
    }
}

INLINE void softmax_vjp_of(pyrelu_blocked_row *row, real sign) {
    exponentials e;
    _Alignas(WIDTH) real y[ROW_BLOCK];
    _Alignas(WIDTH) dd sum[LANES] = {{V(0), V(0)}};
    const dd inverse = inverse_sum(&e, row, sign);
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n), *dy = read_block(row, 1, at, n);
        EACH_VECTOR(sum[0] = dd_accumulate(sum[0], load_some(dy + i, left, 0) * softmax_at(&e, inverse, x + i, left)));
    }
    const real mean = sum_of_each(sum, 1, 0).hi[0];
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n), *dy = read_block(row, 1, at, n);
        EACH_VECTOR({
            const vector part = sign * softmax_at(&e, inverse, x + i, left) * (load_some(dy + i, left, 0) - mean);
            store_some(y + i, left, part);
        });
        row->write(row, y, at, n);
    }
}

static void forward_softmax(pyrelu_blocked_row *row) { softmax_of(row, 1); }
static void vjp_softmax(pyrelu_blocked_row *row) { softmax_vjp_of(row, 1); }
static void forward_softmin(pyrelu_blocked_row *row) { softmax_of(row, -1); }
static void vjp_softmin(pyrelu_blocked_row *row) { softmax_vjp_of(row, -1); }

static void forward_log_softmax(pyrelu_blocked_row *row) {
    exponentials e;
    _Alignas(WIDTH) real y[ROW_BLOCK];
    const dd log = logarithm_of_sum(&e, row);
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n);
        EACH_VECTOR(store_some(y + i, left, (load_some(x + i, left, 0) - log.hi) - log.lo));
        row->write(row, y, at, n);
    }
}

static void vjp_log_softmax(pyrelu_blocked_row *row) {
    exponentials e;
    _Alignas(WIDTH) real y[ROW_BLOCK];
    _Alignas(WIDTH) dd of_row[LANES] = {{V(0), V(0)}};
    const dd inverse = inverse_sum(&e, row, 1);
    EACH_ROW_BLOCK(row) {
        const real *dy = read_block(row, 1, at, n);
        EACH_VECTOR(of_row[0] = dd_accumulate(of_row[0], load_some(dy + i, left, 0)));
    }
    const vector sum = V(sum_of_each(of_row, 1, 0).hi[0]);
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n), *dy = read_block(row, 1, at, n);
        EACH_VECTOR({
            const vector p = softmax_at(&e, inverse, x + i, left);
            store_some(y + i, left, fma_(-p, sum, load_some(dy + i, left, 0)));
        });
        row->write(row, y, at, n);
    }
}

static void forward_logsumexp(pyrelu_blocked_row *row) {
    exponentials e;
    real result = dd_value(logarithm_of_sum(&e, row))[0];
    if (e.infinite) { /* the maximum is the result unless x contains NaN */
        result = e.maximum;
        EACH_ROW_BLOCK(row) result += nan_among(read_block(row, 0, at, n), n);
    }
    row->write(row, &result, 0, 1);
}

static void vjp_logsumexp(pyrelu_blocked_row *row) {
    exponentials e;
    _Alignas(WIDTH) real y[ROW_BLOCK];
    const dd inverse = inverse_sum(&e, row, 1);
    const real dy = *read_block(row, 1, 0, 1);
    EACH_ROW_BLOCK(row) {
        const real *x = block_of_x(&e, at, n);
        EACH_VECTOR(store_some(y + i, left, dy * softmax_at(&e, inverse, x + i, left)));
        row->write(row, y, at, n);
    }
}

/* ---- sparsemax ---- */

/* x - maximum; 0 for elements equal to the maximum, even if it is infinite */
INLINE void block_below(pyrelu_blocked_row *row, real maximum, real *y, ptrdiff_t at, ptrdiff_t n) {
    const real *x = read_block(row, 0, at, n);
    EACH_VECTOR({
        const vector v = load_some(x + i, left, 0);
        store_some(y + i, left, blend(equal(v, V(maximum)), V(0), v - maximum));
    });
}

static vector threshold_of(pyrelu_blocked_row *row, real maximum) {
    _Alignas(WIDTH) real y[ROW_BLOCK];
    vector tau = V(-1);
    for (ptrdiff_t previous = row->n + 2, support = row->n + 1; support < previous;) {
        const real threshold = tau[0];
        dd sum = {V(0), V(0)};
        previous = support;
        support = 0;
        EACH_ROW_BLOCK(row) {
            block_below(row, maximum, y, at, n);
            for (ptrdiff_t i = 0; i < n; i++) support += !(y[i] <= threshold);
            EACH_VECTOR({
                const vector value = load_some(y + i, left, -R_INF);
                sum = dd_accumulate(sum, blend(less_equal(value, tau), V(0), value));
            });
        }
        sum = total(sum);
        tau = ((sum.hi - 1) + sum.lo) / (real)support;
    }
    return tau;
}

INLINE void block_of_sparsemax(pyrelu_blocked_row *row, real maximum, vector tau, real *y, ptrdiff_t at, ptrdiff_t n) {
    block_below(row, maximum, y, at, n);
    EACH_VECTOR(store_some(y + i, left, max_(load_some(y + i, left, 0) - tau, V(0))));
}

static void forward_sparsemax(pyrelu_blocked_row *row) {
    _Alignas(WIDTH) real y[ROW_BLOCK];
    const real maximum = maximum_of(row, 1);
    const vector tau = threshold_of(row, maximum);
    EACH_ROW_BLOCK(row) {
        block_of_sparsemax(row, maximum, tau, y, at, n);
        row->write(row, y, at, n);
    }
}

static void vjp_sparsemax(pyrelu_blocked_row *row) {
    _Alignas(WIDTH) real y[ROW_BLOCK];
    const real maximum = maximum_of(row, 1);
    const vector tau = threshold_of(row, maximum);
    dd sum = {V(0), V(0)};
    ptrdiff_t count = 0;
    EACH_ROW_BLOCK(row) {
        const real *g = read_block(row, 1, at, n);
        block_of_sparsemax(row, maximum, tau, y, at, n);
        for (ptrdiff_t i = 0; i < n; i++) count += y[i] != 0;
        EACH_VECTOR({
            const vector p = load_some(y + i, left, 0), gradient = load_some(g + i, left, 0);
            sum = dd_accumulate(sum, blend(equal(p, V(0)), V(0), blend(greater(p, V(0)), gradient, p)));
        });
    }
    const vector mean = total(sum).hi / (real)count;
    EACH_ROW_BLOCK(row) {
        const real *g = read_block(row, 1, at, n);
        block_of_sparsemax(row, maximum, tau, y, at, n);
        EACH_VECTOR({
            const vector p = load_some(y + i, left, 0), gradient = load_some(g + i, left, 0);
            store_some(y + i, left, blend(equal(p, V(0)), p, gradient - mean));
        });
        row->write(row, y, at, n);
    }
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise_blocked *const PER_TARGET(rowwise_blocked)[][2] = {
#include "table/rowwise.def"
};
