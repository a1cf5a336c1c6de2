/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision. */
#include "elementary.h"
#include "kernels.h"

/* Sums go over the row in LANES compensated partial sums: as exact as if in twice the precision, and in an order that
 * is the same for every instruction set. */
enum { LANES = 16 };

typedef struct {
    real hi[LANES], lo[LANES];
} sums;

static inline void add(sums *s, int lane, real value) {
    pair t = two_sum(s->hi[lane], value);
    s->hi[lane] = t.hi;
    s->lo[lane] += t.lo;
}

static inline pair total(const sums *s) {
    pair t = {0, 0};
    for (int lane = 0; lane < LANES; lane++) {
        pair u = two_sum(t.hi, s->hi[lane]);
        t = (pair){u.hi, t.lo + (u.lo + s->lo[lane])};
    }
    return fast_two_sum(t.hi, t.lo);
}

#define EACH_ELEMENT _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++)

/* Adds `value`, an expression of i, to `s` for each i < n. */
#define ADD_EACH(s, value)                                                       \
    do {                                                                         \
        ptrdiff_t start_ = 0;                                                    \
        for (; start_ + LANES <= n; start_ += LANES) {                           \
            _Pragma("omp simd") for (int lane_ = 0; lane_ < LANES; lane_++) {    \
                const ptrdiff_t i = start_ + lane_;                              \
                add(s, lane_, value);                                            \
            }                                                                    \
        }                                                                        \
        for (ptrdiff_t i = start_; i < n; i++) add(s, (int)(i - start_), value); \
    } while (0)

/* The largest element; a NaN may be passed over, since whatever is computed next keeps it. */
static inline real largest(const real *x, real sign, ptrdiff_t n) {
    real m = -R_INF;
#pragma omp simd reduction(max : m)
    for (ptrdiff_t i = 0; i < n; i++) m = sign * x[i] > m ? sign * x[i] : m;
    return m;
}

/* x - m exactly; -inf has no low part */
static inline pair shifted(real x, real m) {
    pair d = two_sum(x, -m);
    return (pair){d.hi, d.hi > EXP_LOWEST ? d.lo : 0};
}

/* e^(x - m), into [0, 1] */
static inline real exp_shifted(real x, real m) {
    scaled e = exp_(shifted(x, m));
    return scale(pair_value(e.m), e.k);
}

/* e^(sign*x[i] - m) into out, and their sum */
static inline pair exponentials(const real *x, real sign, real m, real *out, ptrdiff_t n) {
    sums s = {0};
    EACH_ELEMENT out[i] = exp_shifted(sign * x[i], m);
    ADD_EACH(&s, out[i]);
    return total(&s);
}

static inline void softmax_of(const real *x, real sign, real *out, ptrdiff_t n) {
    const pair r = pair_quotient((pair){1, 0}, exponentials(x, sign, largest(x, sign, n), out, n));
    EACH_ELEMENT out[i] = times(out[i], r);
}

/* y * (g - sum(g y)) for y = softmax(sign x), times sign */
static inline void softmax_vjp_of(const real *x, const real *g, real sign, real *out, ptrdiff_t n) {
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

/* log s for s >= 3/4, with as many digits near 1 as s.lo brings: s = 2^k f, log f = 2 atanh((f - 1)/(f + 1)) */
static inline pair log_(pair s) {
    const bits k = (to_bits(s.hi) - to_bits(R(0.75))) >> R_FRACTION;
    const real p = from_bits(to_bits(R(1.0)) - (k << R_FRACTION)), hi = s.hi * p, lo = s.lo * p;
    const pair q = pair_quotient(fast_two_sum(hi - 1, lo), two_sum(hi + 1, lo));
    const real z = q.hi * q.hi, kr = (real)(int)k;
    const pair t = two_sum(kr * LN2.hi, 2 * q.hi);
    return fast_two_sum(t.hi, t.lo + mad(kr, LN2.lo, 2 * mad(q.hi * z, POLYNOMIAL(z, ATANH_POLYNOMIAL), q.lo)));
}

/* The maximum is taken off first, or the sum would overflow and, for large x, drown. */
static void forward_log_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0], m = largest(x, 1, n);
    real *y = out;
    const pair l = log_(exponentials(x, 1, m, y, n));
    EACH_ELEMENT {
        const pair d = shifted(x[i], m), t = two_sum(d.hi, -l.hi);
        y[i] = d.hi > EXP_LOWEST ? t.hi + (t.lo + (d.lo - l.lo)) : d.hi - l.hi;
    }
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
    ADD_EACH(&s, exp_shifted(x[i], m));
    const pair l = log_(total(&s)), t = two_sum(m, l.hi);
    *(real *)out = t.hi + (t.lo + l.lo);
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
