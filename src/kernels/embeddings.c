/* Embeddings of numeric columns. Compiled once per instruction set and precision, with contraction as in gemm.c.
 *
 * The rows fill the vectors. Sums over rows are vectors, too, which are added up at the end, so that every bit depends
 * on the number of rows alone.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"
#include "sizes.h"

static const real TURN = R(6.28318530717958647692528676655900577);
static const real TURN_REST = PYRELU_BITS == 32 ? R(-1.74845560007449713e-7) : R(2.44929359829470635445e-16);

/* The feature of x with w and b, and its derivative with respect to b. That with respect to w is STEEPNESS x times as
 * much. */
typedef struct {
    vector value, slope;
} feature;

/* sin(2 pi v) for |v| <= 1/4, within 1.5 ULP of 1: the Taylor series up to the 13th or 21st power, whose next term is
 * below half an ULP of 1. Each coefficient is the one before times -(2 pi)^2/((n - 1) n). */
INLINE vector sine_of_turn(vector v) {
#define NEXT(c, n) (-(c) * (TURN_LD * TURN_LD) / ((n - 1) * n))
#define TURN_LD 6.28318530717958647692528676655900577L
#define C3 NEXT(TURN_LD, 3)
#define C5 NEXT(C3, 5)
#define C7 NEXT(C5, 7)
#define C9 NEXT(C7, 9)
#define C11 NEXT(C9, 11)
#define C13 NEXT(C11, 13)
#define C15 NEXT(C13, 15)
#define C17 NEXT(C15, 17)
#define C19 NEXT(C17, 19)
#define C21 NEXT(C19, 21)
    const vector z = v * v;
#if PYRELU_BITS == 32
    vector sum = V(C13);
#else
    vector sum = V(C21);
    sum = sum * z + (real)C19;
    sum = sum * z + (real)C17;
    sum = sum * z + (real)C15;
    sum = sum * z + (real)C13;
#endif
    sum = sum * z + (real)C11;
    sum = sum * z + (real)C9;
    sum = sum * z + (real)C7;
    sum = sum * z + (real)C5;
    sum = sum * z + (real)C3;
    return (sum * z + TURN_REST) * v + TURN * v;
}

#define STEEPNESS_periodic TURN
INLINE feature periodic(real w, real b, vector x) {
    static const real shifter = PYRELU_BITS == 32 ? R(0x1.8p23) : R(0x1.8p52); /* x + shifter has no fraction */
    const vector turns = w * x + b * (1 / TURN), half = V(0.5);
    /* in [-1/2, 1/2] by itself unless there are so many turns that no fraction is left */
    const vector r = clamp(turns - ((turns + shifter) - shifter), -half, half);
    const vector size = abs_(r), folded = blend(greater(size, V(0.25)), copysign_(half, r) - r, r); /* the same sine */
    return (feature){sine_of_turn(R(0.25) - size), -sine_of_turn(folded)};
}

#define STEEPNESS_piecewise_linear 1
INLINE feature piecewise_linear(real w, real b, vector x) {
    const vector y = w * x + b, zero = V(0), one = V(1);
    return (feature){clamp(y, zero, one), blend(greater(y, zero) & less(y, one), one, zero)};
}

typedef feature rule(real w, real b, vector x);

/* Loads a vector of a column, with zeros for the rows that are not there. */
INLINE vector load_column(const real *from, ptrdiff_t stride, ptrdiff_t rows) {
    vector v = V(0);
    if (rows >= LANES)
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) v[i] = from[i * stride];
    else
        for (ptrdiff_t i = 0; i < rows; i++) v[i] = from[i * stride];
    return v;
}

INLINE real add_lanes(vector v) {
    real sum = 0;
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

enum { ROW_VECTORS = 4, FEATURES_AT_A_TIME = 16 };

INLINE void embed_column(rule *f, const pyrelu_numeric_embedding *e, const real *x, ptrdiff_t x_stride, ptrdiff_t rows,
                         real *y, ptrdiff_t y_stride) {
    const ptrdiff_t n = e->size - 1, step = ROW_VECTORS * LANES;
    const real *frequencies = e->frequencies, *phases = e->phases, *weights = e->weights, *biases = e->biases;
    vector sums[PYRELU_MAX_EMBEDDING][ROW_VECTORS];
    for (; rows > 0; rows -= step, x += step * x_stride, y += step * y_stride) {
        vector of_rows[ROW_VECTORS];
        for (int v = 0; v < ROW_VECTORS; v++)
            of_rows[v] = load_column(x + v * LANES * x_stride, x_stride, rows - v * LANES);
        for (ptrdiff_t c = 0; c < n; c++)
            for (int v = 0; v < ROW_VECTORS; v++) sums[c][v] = V(biases[c]);
        for (ptrdiff_t k = 0; k < e->n_features; k++) {
            vector values[ROW_VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < ROW_VECTORS; v++) values[v] = f(frequencies[k], phases[k], of_rows[v]).value;
            for (ptrdiff_t c = 0; c < n; c++)
#pragma GCC unroll 4
                for (int v = 0; v < ROW_VECTORS; v++) sums[c][v] += weights[k * n + c] * values[v];
        }
        const ptrdiff_t m = min_size(rows, step);
        for (ptrdiff_t i = 0; i < m; i++) y[i * y_stride] = x[i * x_stride];
        for (ptrdiff_t c = 0; c < n; c++)
            for (ptrdiff_t i = 0; i < m; i++) y[i * y_stride + 1 + c] = ((const real *)sums[c])[i];
    }
}

/* For `count` features from k0 on and all rows; with the first of them, the biases. */
INLINE void embed_features_backward(rule *f, real steepness, const pyrelu_numeric_embedding *e, ptrdiff_t k0,
                                    ptrdiff_t count, const real *x, ptrdiff_t x_stride, ptrdiff_t rows, const real *g,
                                    ptrdiff_t g_stride, const pyrelu_numeric_gradients *to) {
    const ptrdiff_t n = e->size - 1;
    const real *frequencies = (const real *)e->frequencies + k0, *phases = (const real *)e->phases + k0;
    const real *weights = (const real *)e->weights + k0 * n;
    vector of_biases[PYRELU_MAX_EMBEDDING], of_weights[FEATURES_AT_A_TIME * PYRELU_MAX_EMBEDDING];
    vector of_frequencies[FEATURES_AT_A_TIME], of_phases[FEATURES_AT_A_TIME];
    for (ptrdiff_t c = 0; c < n; c++) of_biases[c] = V(0);
    for (ptrdiff_t i = 0; i < count * n; i++) of_weights[i] = V(0);
    for (ptrdiff_t k = 0; k < count; k++) of_frequencies[k] = of_phases[k] = V(0);
    for (; rows > 0; rows -= LANES, x += LANES * x_stride, g += LANES * g_stride) {
        const vector of_rows = load_column(x, x_stride, rows);
        vector gradients[PYRELU_MAX_EMBEDDING];
        for (ptrdiff_t c = 0; c < n; c++) {
            gradients[c] = load_column(g + 1 + c, g_stride, rows);
            of_biases[c] += gradients[c];
        }
        for (ptrdiff_t k = 0; k < count; k++) {
            const feature one = f(frequencies[k], phases[k], of_rows);
            vector of_value = V(0);
            for (ptrdiff_t c = 0; c < n; c++) {
                of_weights[k * n + c] += one.value * gradients[c];
                of_value += weights[k * n + c] * gradients[c];
            }
            of_value *= one.slope;
            of_phases[k] += of_value;
            of_frequencies[k] += of_value * of_rows;
        }
    }
    real *to_biases = to->biases, *to_weights = (real *)to->weights + k0 * n;
    for (ptrdiff_t c = 0; k0 == 0 && c < n; c++) to_biases[c] += add_lanes(of_biases[c]);
    for (ptrdiff_t i = 0; i < count * n; i++) to_weights[i] += add_lanes(of_weights[i]);
    for (ptrdiff_t k = 0; to->phases && k < count; k++) {
        ((real *)to->phases)[k0 + k] += add_lanes(of_phases[k]);
        ((real *)to->frequencies)[k0 + k] += steepness * add_lanes(of_frequencies[k]);
    }
}

INLINE void embed_column_backward(rule *f, real steepness, const pyrelu_numeric_embedding *e, const real *x,
                                  ptrdiff_t x_stride, ptrdiff_t rows, const real *g, ptrdiff_t g_stride,
                                  const pyrelu_numeric_gradients *to) {
    for (ptrdiff_t k = 0; k < e->n_features; k += FEATURES_AT_A_TIME)
        embed_features_backward(f, steepness, e, k, min_size(FEATURES_AT_A_TIME, e->n_features - k), x, x_stride, rows,
                                g, g_stride, to);
}

#define EMBEDDING(name, ...)                                                                                 \
    static __attribute__((flatten)) void embed_##name(const pyrelu_numeric_embedding *e, const void *x,      \
                                                      ptrdiff_t x_stride, ptrdiff_t rows, void *y,           \
                                                      ptrdiff_t y_stride) {                                  \
        embed_column(name, e, x, x_stride, rows, y, y_stride);                                               \
    }                                                                                                        \
    static __attribute__((flatten)) void embed_##name##_backward(                                            \
        const pyrelu_numeric_embedding *e, const void *x, ptrdiff_t x_stride, ptrdiff_t rows, const void *g, \
        ptrdiff_t g_stride, const pyrelu_numeric_gradients *to) {                                            \
        embed_column_backward(name, STEEPNESS_##name, e, x, x_stride, rows, g, g_stride, to);                \
    }
#include "table/embeddings.def"
#undef EMBEDDING

#define EMBEDDING(name, ...) embed_##name,
pyrelu_embed *const PER_TARGET(embed)[] = {
#include "table/embeddings.def"
};
#undef EMBEDDING

#define EMBEDDING(name, ...) embed_##name##_backward,
pyrelu_embed_backward *const PER_TARGET(embed_backward)[] = {
#include "table/embeddings.def"
};
