/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision. */
#include "elementary.h"
#include "kernels.h"
#include "strip.h"

/* A row is taken in strips (strip.h), and each lane has a maximum and a compensated sum of its
 * own: as exact as if in twice the precision. */
#define EACH_LANE _Pragma("omp simd") for (int lane = 0; lane < STRIP; lane++)
#define EACH_ELEMENT _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++)

typedef struct {
    real hi[STRIP], lo[STRIP];
} sums;

static inline void add(sums *s, int lane, real value) {
    pair t = two_sum(s->hi[lane], value);
    s->hi[lane] = t.hi;
    s->lo[lane] += t.lo;
}

/* The lanes by halves. Of a sum that is hardly more than 1 even the excess is right. */
static inline pair total(sums *s) {
#pragma GCC unroll 8
    for (int half = STRIP / 2; half; half /= 2)
        for (int lane = 0; lane < half; lane++) {
            add(s, lane, s->hi[lane + half]);
            s->lo[lane] += s->lo[lane + half];
        }
    return fast_two_sum(s->hi[0], s->lo[0]);
}

/* Adds `value`, an expression of i, to `s` for each i < n. */
#define ADD_EACH(s, value)                                                       \
    do {                                                                         \
        ptrdiff_t start_ = 0;                                                    \
        for (; start_ + STRIP <= n; start_ += STRIP) {                           \
            EACH_LANE {                                                          \
                const ptrdiff_t i = start_ + lane;                               \
                add(s, lane, value);                                             \
            }                                                                    \
        }                                                                        \
        for (ptrdiff_t i = start_; i < n; i++) add(s, (int)(i - start_), value); \
    } while (0)

/* The last strip of x, which has less than STRIP elements, with a filler behind them */
static inline void fill(real *strip, const real *x, ptrdiff_t n, real filler) {
    for (int lane = 0; lane < STRIP; lane++) strip[lane] = lane < n ? x[lane] : filler;
}

/* The largest element of sign x; a NaN may be passed over, since whatever is computed next keeps it. */
INLINE real largest(const real *x, real sign, ptrdiff_t n) {
    real most[STRIP], last[STRIP];
    ptrdiff_t start = 0;
    EACH_LANE most[lane] = -R_INF;
    for (; start + STRIP <= n; start += STRIP) EACH_LANE most[lane] = at_least(sign * x[start + lane], most[lane]);
    if (start < n) {
        fill(last, x + start, n - start, -sign * R_INF);
        EACH_LANE most[lane] = at_least(sign * last[lane], most[lane]);
    }
    real m = -R_INF;
    _Pragma("omp simd reduction(max : m)") for (int lane = 0; lane < STRIP; lane++) m = at_least(most[lane], m);
    return m;
}

/* e^(sign x - m) of a strip, into [0, 1]. Below `floor` that is 0, and the difference would have no low part. Terms are
 * not negative, so that all but a few are smaller than the sum before, which the shorter addition wants. */
INLINE void exponentials_of(const real *x, real sign, real m, real floor, real *y, sums *s) {
    EACH_LANE {
        const real e = exp_nonpositive(two_sum(at_least(sign * x[lane], floor), -m));
        const pair t = fast_two_sum(s->hi[lane], e);
        s->hi[lane] = t.hi;
        s->lo[lane] += t.lo;
        y[lane] = e;
    }
}

/* e^(sign x - m) as `out` if that is not NULL, and their sums */
INLINE sums exponentials(const real *x, real sign, real m, real *restrict out, ptrdiff_t n) {
    /* as far below m as results are not 0, or as numbers of its size are apart */
    const real floor = m - at_least(abs_(m) * R(0x1p-20), 1 - EXP_LOWEST);
    sums s;
    real last[STRIP], y[STRIP];
    ptrdiff_t start = 0;
    EACH_LANE s.hi[lane] = s.lo[lane] = 0;
    for (; start + STRIP <= n; start += STRIP) exponentials_of(x + start, sign, m, floor, out ? out + start : y, &s);
    if (start < n) {
        fill(last, x + start, n - start, -sign * R_INF);
        exponentials_of(last, sign, m, floor, y, &s);
        if (out) memcpy(out + start, y, (n - start) * sizeof(real));
    }
    return s;
}

/* log s for s >= 3/4, with as many digits near 1 as s.lo brings: s = 2^k f, log f = 2 atanh((f - 1)/(f + 1)) */
static inline pair log_(pair s) {
    const bits k = (to_bits(s.hi) - to_bits(R(0.75))) >> R_FRACTION;
    const real p = from_bits(to_bits(R(1.0)) - (k << R_FRACTION)), hi = s.hi * p, lo = s.lo * p;
    const pair q = pair_quotient(fast_two_sum(hi - 1, lo), two_sum(hi + 1, lo));
    const real z = q.hi * q.hi, kr = (real)(int)k;
    const pair t = two_sum(kr * LN2.hi, 2 * q.hi);
    return fast_two_sum(t.hi, t.lo + mad(kr, LN2.lo, 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)));
}

/* log(sum(e^x)) = m + log(sum(e^(x - m))). The maximum is taken off first, or the sum would overflow and, for large x,
 * drown. */
INLINE pair log_sum_exp(const real *x, real m, ptrdiff_t n) {
    sums s = exponentials(x, 1, m, NULL, n);
    return pair_sum((pair){m, 0}, log_(total(&s)));
}

INLINE void softmax_of(const real *x, real sign, real *out, ptrdiff_t n) {
    sums s = exponentials(x, sign, largest(x, sign, n), out, n);
    const pair r = pair_quotient((pair){1, 0}, total(&s));
    EACH_ELEMENT out[i] = times(out[i], r);
}

INLINE void softmax_vjp_of(const real *x, const real *g, real sign, real *out, ptrdiff_t n) {
    softmax_of(x, sign, out, n);
    sums s = {0};
    ADD_EACH(&s, g[i] * out[i]);
    const real mean = total(&s).hi;
    EACH_ELEMENT out[i] = sign * out[i] * (g[i] - mean);
}

static void forward_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_of(in[0], 1, out, n); }
static void vjp_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_vjp_of(in[0], in[1], 1, out, n); }

static void forward_softmin(const void *const *in, void *out, ptrdiff_t n) { softmax_of(in[0], -1, out, n); }
static void vjp_softmin(const void *const *in, void *out, ptrdiff_t n) { softmax_vjp_of(in[0], in[1], -1, out, n); }

static void forward_log_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0];
    real *y = out;
    const pair l = log_sum_exp(x, largest(x, 1, n), n);
    EACH_ELEMENT y[i] = (x[i] - l.hi) - l.lo;
}

/* g - softmax(x) sum(g) */
static void vjp_log_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *g = in[1];
    real *dx = out;
    softmax_of(in[0], 1, dx, n);
    sums s = {0};
    ADD_EACH(&s, g[i]);
    const real sum = total(&s).hi;
    EACH_ELEMENT dx[i] = fma_(-dx[i], sum, g[i]);
}

static void forward_logsumexp(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0], m = largest(x, 1, n);
    sums s = {0};
    if (abs_(m) == R_INF) { /* it is the result, and x - m would not be a number */
        ADD_EACH(&s, x[i] == x[i] ? 0 : x[i]);
        *(real *)out = m + total(&s).hi;
        return;
    }
    *(real *)out = pair_value(log_sum_exp(x, m, n));
}

static void vjp_logsumexp(const void *const *in, void *out, ptrdiff_t n) {
    const real g = *(const real *)in[1];
    real *dx = out;
    softmax_of(in[0], 1, dx, n);
    EACH_ELEMENT dx[i] = g * dx[i];
}

/* max(x - tau, 0), where tau makes that sum to 1: the mean excess of the elements above it, found by dropping those
 * that are not until none is left to drop (Michelot 1986). With the maximum taken off, tau is in [-1, 0). */
static void forward_sparsemax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0], m = largest(x, 1, n);
    real *y = out, tau = -1;
    EACH_ELEMENT y[i] = x[i] - m;
    for (ptrdiff_t kept = n + 2, above = n + 1; above < kept;) {
        kept = above;
        above = 0;
        sums s = {0};
        for (ptrdiff_t i = 0; i < n; i++) above += !(y[i] <= tau);
        ADD_EACH(&s, y[i] <= tau ? 0 : y[i]);
        const pair sum = total(&s);
        tau = ((sum.hi - 1) + sum.lo) / (real)above;
    }
    EACH_ELEMENT y[i] = at_least(y[i] - tau, 0);
}

/* g less its mean over the elements that are not 0, and 0 for those that are */
static void vjp_sparsemax(const void *const *in, void *out, ptrdiff_t n) {
    const real *g = in[1];
    real *dx = out;
    forward_sparsemax(in, dx, n);
    sums s = {0};
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n; i++) count += dx[i] != 0;
    ADD_EACH(&s, dx[i] == 0 ? 0 : dx[i] > 0 ? g[i] : dx[i]);
    const real mean = total(&s).hi / (real)count;
    EACH_ELEMENT dx[i] = dx[i] == 0 ? 0 : g[i] - mean;
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PRIVATE(rowwise)[][2] = {
#include "rowwise.def"
};
