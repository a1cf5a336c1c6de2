/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision.
 *
 * A forward function's out may be its x. In a vjp, out is neither x nor g.
 */
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

/* Adds `value`, an expression of i, for i < n to `s`. `statement` comes before it. */
#define ADD_EACH(s, statement, value)                                                                                  \
    do {                                                                                                               \
        ptrdiff_t start_ = 0;                                                                                          \
        for (; start_ + LANES <= n; start_ += LANES) {                                                                 \
            _Pragma("omp simd") for (int lane_ = 0; lane_ < LANES; lane_++) {                                          \
                const ptrdiff_t i = start_ + lane_;                                                                    \
                statement;                                                                                             \
                add(s, lane_, value);                                                                                  \
            }                                                                                                          \
        }                                                                                                              \
        for (ptrdiff_t i = start_; i < n; i++) {                                                                       \
            statement;                                                                                                 \
            add(s, (int)(i - start_), value);                                                                          \
        }                                                                                                              \
    } while (0)

/* The largest element; a NaN may be passed over, since whatever is computed next keeps it. */
static inline real largest(const real *x, real sign, ptrdiff_t n) {
    real m = -R_INF;
#pragma omp simd reduction(max : m)
    for (ptrdiff_t i = 0; i < n; i++)
        m = sign * x[i] > m ? sign * x[i] : m;
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
    ADD_EACH(&s, out[i] = exp_shifted(sign * x[i], m), out[i]);
    return total(&s);
}

static inline void softmax_of(const real *x, real sign, real *out, ptrdiff_t n) {
    const real sum = exponentials(x, sign, largest(x, sign, n), out, n).hi;
    EACH_ELEMENT out[i] = out[i] / sum;
}

static void forward_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_of(in[0], 1, out, n); }

/* y * (g - sum(g y)), times -1 for softmin */
static inline void softmax_vjp_of(const real *x, const real *g, real sign, real *out, ptrdiff_t n) {
    softmax_of(x, sign, out, n);
    sums s = {0};
    ADD_EACH(&s, , g[i] * out[i]);
    const real mean = total(&s).hi;
    EACH_ELEMENT out[i] = sign * out[i] * (g[i] - mean);
}

static void vjp_softmax(const void *const *in, void *out, ptrdiff_t n) { softmax_vjp_of(in[0], in[1], 1, out, n); }

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PRIVATE(rowwise)[][2] = {
#include "rowwise.def"
};
