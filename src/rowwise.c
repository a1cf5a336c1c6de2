/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision. */
#include "elementary.h"
#include "kernels.h"
#include "strip.h"

/* A row is taken in strips (strip.h), what is left of it vector by vector, and the last vector filled up. What is found
 * of a whole row stands in every lane of a vector. */
#define EACH_VECTOR for (ptrdiff_t i = 0; i < n; i += LANES)
#define EACH UNROLLED for (int v = 0; v < VECTORS; v++)

/* Compensated sums, one in each lane: as exact as if in twice the precision */
typedef struct {
    vector hi[VECTORS], lo[VECTORS];
} sums;

INLINE void add(sums *s, int v, pair value) {
    pair t = two_sum(s->hi[v], value.hi);
    s->hi[v] = t.hi;
    s->lo[v] += t.lo + value.lo;
}

/* The sum of all lanes less `seeds`. Of one that is hardly more than 1 even the excess is right. */
#if PYRELU_BITS == 32
typedef double wide __attribute__((vector_size(WIDTH)));

INLINE wide widened(vector x) { /* and its two halves added */
    typedef float half __attribute__((vector_size(WIDTH / 2)));
    const union {
        vector whole;
        half halves[2];
    } u = {x};
    return __builtin_convertvector(u.halves[0], wide) + __builtin_convertvector(u.halves[1], wide);
}

INLINE double wide_total(wide sum) {
#pragma GCC unroll 8
    for (int by = LANES / 4; by; by /= 2) {
        wide other;
#pragma GCC unroll 16
        for (int lane = 0; lane < LANES / 2; lane++) other[lane] = sum[(lane + by) % (LANES / 2)];
        sum += other;
    }
    return sum[0];
}

INLINE pair total(const sums *s, int seeds) {
    wide hi = {0}, lo = {0};
    EACH hi += widened(s->hi[v]), lo += widened(s->lo[v]);
    const double all = wide_total(hi) - seeds, rest = wide_total(lo);
    const float head = (float)(all + rest);
    return (pair){V(head), V((float)(all - head + rest))};
}
#else
INLINE pair total(sums *s, int seeds) {
    UNROLLED for (int v = 1; v < VECTORS; v++) add(s, 0, (pair){s->hi[v], s->lo[v]});
#pragma GCC unroll 8
    for (int half = LANES / 2; half; half /= 2) add(s, 0, (pair){rotated(s->hi[0], half), rotated(s->lo[0], half)});
    const pair sum = two_sum(s->hi[0], V(-seeds));
    return fast_two_sum(sum.hi, sum.lo + s->lo[0]);
}
#endif

/* The sum of `value`, an expression of i that is 0 behind the row's end, over a row */
#define SUM(s, value) \
    sums s = {0};     \
    EACH_VECTOR add(&s, (int)(i / LANES % VECTORS), (pair){(value), V(0)})

/* The largest element of sign x; a NaN may be passed over, since whatever is computed next keeps it. */
INLINE vector largest(const real *x, real sign, ptrdiff_t n) {
    vector most[VECTORS];
    ptrdiff_t i = 0;
    EACH most[v] = V(-R_INF);
    for (; i + STRIP <= n; i += STRIP) EACH most[v] = at_least(sign * load(x + i + v * LANES), most[v]);
    for (; i < n; i += LANES) most[0] = at_least(sign * load_some(x + i, n - i, -sign * R_INF), most[0]);
    UNROLLED for (int v = 1; v < VECTORS; v++) most[0] = at_least(most[v], most[0]);
#pragma GCC unroll 8
    for (int half = LANES / 2; half; half /= 2) most[0] = at_least(rotated(most[0], half), most[0]);
    return most[0];
}

/* e^(x - m), into [0, 1]. Below `floor` that is 0, and the difference would have no low part. */
INLINE vector exponential_of(vector x, vector m, vector floor) {
    return exp_nonpositive(two_sum(at_least(x, floor), -m));
}

/* As no term is larger than 1, sums that begin with 1 want no more than the shorter addition. */
INLINE void add_term(sums *s, int v, vector term) {
    const pair t = fast_two_sum(s->hi[v], term);
    s->hi[v] = t.hi;
    s->lo[v] += t.lo;
}

/* e^(sign x - m) as `out` if that is not NULL, and their sum */
INLINE pair exponentials(const real *x, real sign, vector m, real *restrict out, ptrdiff_t n) {
    /* as far below m as results are not 0, or as numbers of its size are apart */
    const vector floor = m - at_least(abs_(m) * R(0x1p-20), V(1 - EXP_LOWEST));
    sums s = {0};
    ptrdiff_t i = 0;
    EACH s.hi[v] = V(1);
    for (; i + STRIP <= n; i += STRIP) {
        vector y[VECTORS];
        EACH y[v] = exponential_of(sign * load(x + i + v * LANES), m, floor);
        EACH add_term(&s, v, y[v]);
        if (out) EACH store(out + i + v * LANES, y[v]);
    }
    for (; i < n; i += LANES) {
        vector y = exponential_of(sign * load_some(x + i, n - i, -sign * R_INF), m, floor);
        add_term(&s, 0, y);
        if (out) store_some(out + i, n - i, y);
    }
    return total(&s, STRIP);
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

/* log(sum(e^x)) = m + log(sum(e^(x - m))). The maximum is taken off first, or the sum would overflow and, for large x,
 * drown. */
INLINE pair log_sum_exp(const real *x, vector m, ptrdiff_t n) {
    return pair_sum((pair){m, V(0)}, log_(exponentials(x, 1, m, NULL, n)));
}

INLINE void softmax_of(const real *x, real sign, real *out, ptrdiff_t n) {
    const pair r = pair_quotient((pair){V(1), V(0)}, exponentials(x, sign, largest(x, sign, n), out, n));
    EACH_VECTOR store_some(out + i, n - i, times(load_some(out + i, n - i, 0), r));
}

INLINE void softmax_vjp_of(const real *x, const real *g, real sign, real *out, ptrdiff_t n) {
    softmax_of(x, sign, out, n);
    SUM(s, load_some(g + i, n - i, 0) * load_some(out + i, n - i, 0));
    const vector mean = total(&s, 0).hi;
    EACH_VECTOR store_some(out + i, n - i, sign * load_some(out + i, n - i, 0) * (load_some(g + i, n - i, 0) - mean));
}

static void forward_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_of(in[0], 1, out, n); }
static void vjp_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_vjp_of(in[0], in[1], 1, out, n); }

static void forward_softmin(const void *const *in, void *out, ptrdiff_t n) { softmax_of(in[0], -1, out, n); }
static void vjp_softmin(const void *const *in, void *out, ptrdiff_t n) { softmax_vjp_of(in[0], in[1], -1, out, n); }

static void forward_log_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0];
    real *y = out;
    const pair l = log_sum_exp(x, largest(x, 1, n), n);
    EACH_VECTOR store_some(y + i, n - i, (load_some(x + i, n - i, 0) - l.hi) - l.lo);
}

/* g - softmax(x) sum(g) */
static void vjp_log_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *g = in[1];
    real *dx = out;
    softmax_of(in[0], 1, dx, n);
    SUM(s, load_some(g + i, n - i, 0));
    const vector sum = total(&s, 0).hi;
    EACH_VECTOR store_some(dx + i, n - i, fma_(-load_some(dx + i, n - i, 0), sum, load_some(g + i, n - i, 0)));
}

static void forward_logsumexp(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0];
    const vector m = largest(x, 1, n);
    if (m[0] == R_INF || m[0] == -R_INF) { /* it is the result, and x - m would not be a number */
        SUM(s, choose(equal(load_some(x + i, n - i, 0), load_some(x + i, n - i, 0)), V(0), V(R_NAN)));
        *(real *)out = m[0] + total(&s, 0).hi[0];
        return;
    }
    *(real *)out = pair_value(log_sum_exp(x, m, n))[0];
}

static void vjp_logsumexp(const void *const *in, void *out, ptrdiff_t n) {
    const real g = *(const real *)in[1];
    real *dx = out;
    softmax_of(in[0], 1, dx, n);
    EACH_VECTOR store_some(dx + i, n - i, g * load_some(dx + i, n - i, 0));
}

/* max(x - tau, 0), where tau makes that sum to 1: the mean excess of the elements above it, found by dropping those
 * that are not until none is left to drop (Michelot 1986). With the maximum taken off, tau is in [-1, 0). */
static void forward_sparsemax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0];
    real *y = out;
    const vector m = largest(x, 1, n);
    vector tau = V(-1);
    EACH_VECTOR store_some(y + i, n - i, load_some(x + i, n - i, 0) - m);
    for (ptrdiff_t kept = n + 2, above = n + 1; above < kept;) {
        const real least = tau[0];
        kept = above;
        above = 0;
        for (ptrdiff_t i = 0; i < n; i++) above += !(y[i] <= least);
        sums s = {0};
        EACH_VECTOR {
            const vector value = load_some(y + i, n - i, -R_INF);
            add(&s, (int)(i / LANES % VECTORS), (pair){choose(less_equal(value, tau), V(0), value), V(0)});
        }
        const pair sum = total(&s, 0);
        tau = ((sum.hi - 1) + sum.lo) / (real)above;
    }
    EACH_VECTOR store_some(y + i, n - i, at_least(load_some(y + i, n - i, 0) - tau, V(0)));
}

/* g less its mean over the elements that are not 0, and 0 for those that are */
static void vjp_sparsemax(const void *const *in, void *out, ptrdiff_t n) {
    const real *g = in[1];
    real *dx = out;
    forward_sparsemax(in, dx, n);
    sums s = {0};
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n; i++) count += dx[i] != 0;
    EACH_VECTOR {
        const vector p = load_some(dx + i, n - i, 0), gradient = load_some(g + i, n - i, 0);
        const vector term = choose(equal(p, V(0)), V(0), choose(greater(p, V(0)), gradient, p));
        add(&s, (int)(i / LANES % VECTORS), (pair){term, V(0)});
    }
    const vector mean = total(&s, 0).hi / (real)count;
    EACH_VECTOR {
        const vector p = load_some(dx + i, n - i, 0), gradient = load_some(g + i, n - i, 0);
        store_some(dx + i, n - i, choose(equal(p, V(0)), p, gradient - mean));
    }
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PRIVATE(rowwise)[][2] = {
#include "rowwise.def"
};
