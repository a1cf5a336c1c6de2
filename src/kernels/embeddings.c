/* Embeddings of numeric columns. Compiled once per instruction set and precision, with contraction as in gemm.c.
 *
 * A column is taken in chunks of rows, transposed so that the rows fill the vectors: a chunk and its sums stay in the
 * first-level cache for all features. Chunks depend on the number of rows alone, and with them every bit.
 */
#include <tgmath.h>

#include "kernels/targets.h"
#include "simd/vectors.h"
#include "sizes.h"

enum { CHUNK = 64 };
static const real TURN = R(6.28318530717958647692528676655900577);

/* The feature of x with w and b, and its derivative with respect to b. That with respect to w is STEEPNESS x times as
 * much. */
typedef struct {
    real value, slope;
} feature;

/* sin(2 pi v) for |v| <= 1/4: the Taylor series up to the 13th or 21st power, whose next term is below half an ULP
 * of 1. OVER(n) is z times 1/((n - 1) n), the quotient of two terms. */
INLINE real sine_of_turn(real v) {
#define OVER(n) (z * (R(1.0) / ((n - 1) * n)))
    const real x = TURN * v, z = x * x;
#if PYRELU_BITS == 32
    const real tail = 1 - OVER(11) * (1 - OVER(13));
#else
    const real tail = 1 - OVER(11) * (1 - OVER(13) * (1 - OVER(15) * (1 - OVER(17) * (1 - OVER(19) * (1 - OVER(21))))));
#endif
    return x * (1 - OVER(3) * (1 - OVER(5) * (1 - OVER(7) * (1 - OVER(9) * tail))));
#undef OVER
}

#define STEEPNESS_periodic TURN
INLINE feature periodic(real w, real b, real x) {
    static const real shifter = PYRELU_BITS == 32 ? R(0x1.8p23) : R(0x1.8p52); /* x + shifter has no fraction */
    const real turns = w * x + b * (1 / TURN), nearest = (turns + shifter) - shifter, limit = R(0.5);
    real r = turns - nearest; /* in [-1/2, 1/2] unless there are so many turns that no fraction is left */
    r = r < -limit ? -limit : r > limit ? limit : r;
    const real quarter = R(0.25), size = fabs(r);
    const real folded = size > quarter ? copysign(limit, r) - r : r; /* has the same sine */
    return (feature){sine_of_turn(quarter - size), -sine_of_turn(folded)};
}

#define STEEPNESS_piecewise_linear 1
INLINE feature piecewise_linear(real w, real b, real x) {
    const real y = w * x + b;
    return (feature){y < 0 ? 0 : y > 1 ? 1 : y, y > 0 && y < 1};
}

typedef feature rule(real w, real b, real x);

/* Loads a column of a chunk, with zeros in place of rows that it lacks. */
INLINE void load_column(const real *from, ptrdiff_t stride, ptrdiff_t rows, real *to) {
    for (ptrdiff_t i = 0; i < rows; i++) to[i] = from[i * stride];
    for (ptrdiff_t i = rows; i < CHUNK; i++) to[i] = 0;
}

INLINE void embed_column(rule *f, const pyrelu_numeric_embedding *e, const real *x, ptrdiff_t x_stride, ptrdiff_t rows,
                         real *y, ptrdiff_t y_stride) {
    const ptrdiff_t n = e->size - 1;
    const real *frequencies = e->frequencies, *phases = e->phases, *weights = e->weights, *biases = e->biases;
    real of_chunk[CHUNK], values[CHUNK], sums[PYRELU_MAX_EMBEDDING][CHUNK];
    for (; rows > 0; rows -= CHUNK, x += CHUNK * x_stride, y += CHUNK * y_stride) {
        const ptrdiff_t m = min_size(rows, CHUNK);
        load_column(x, x_stride, m, of_chunk);
        for (ptrdiff_t c = 0; c < n; c++)
            for (int i = 0; i < CHUNK; i++) sums[c][i] = biases[c];
        for (ptrdiff_t k = 0; k < e->n_features; k++) {
#pragma omp simd
            for (int i = 0; i < CHUNK; i++) values[i] = f(frequencies[k], phases[k], of_chunk[i]).value;
            for (ptrdiff_t c = 0; c < n; c++) {
                const real weight = weights[k * n + c];
#pragma omp simd
                for (int i = 0; i < CHUNK; i++) sums[c][i] += weight * values[i];
            }
        }
        for (ptrdiff_t i = 0; i < m; i++) {
            y[i * y_stride] = of_chunk[i];
            for (ptrdiff_t c = 0; c < n; c++) y[i * y_stride + 1 + c] = sums[c][i];
        }
    }
}

INLINE real sum(const real *x) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int i = 0; i < CHUNK; i++) total += x[i];
    return total;
}

INLINE real dot(const real *x, const real *y) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int i = 0; i < CHUNK; i++) total += x[i] * y[i];
    return total;
}

INLINE void embed_column_backward(rule *f, real steepness, const pyrelu_numeric_embedding *e, const real *x,
                                  ptrdiff_t x_stride, ptrdiff_t rows, const real *g, ptrdiff_t g_stride,
                                  const pyrelu_numeric_gradients *to) {
    const ptrdiff_t n = e->size - 1;
    const real *frequencies = e->frequencies, *phases = e->phases, *weights = e->weights;
    real *of_weights = to->weights, *of_biases = to->biases, *of_frequencies = to->frequencies, *of_phases = to->phases;
    real of_chunk[CHUNK], values[CHUNK], slopes[CHUNK], gradients[PYRELU_MAX_EMBEDDING][CHUNK];
    for (; rows > 0; rows -= CHUNK, x += CHUNK * x_stride, g += CHUNK * g_stride) {
        const ptrdiff_t m = min_size(rows, CHUNK);
        load_column(x, x_stride, m, of_chunk);
        for (ptrdiff_t c = 0; c < n; c++) {
            load_column(g + 1 + c, g_stride, m, gradients[c]);
            of_biases[c] += sum(gradients[c]);
        }
        for (ptrdiff_t k = 0; k < e->n_features; k++) {
#pragma omp simd
            for (int i = 0; i < CHUNK; i++) {
                const feature one = f(frequencies[k], phases[k], of_chunk[i]);
                values[i] = one.value;
                slopes[i] = one.slope;
            }
            for (ptrdiff_t c = 0; c < n; c++) of_weights[k * n + c] += dot(values, gradients[c]);
            if (!of_phases) continue;
            real of_value[CHUNK] = {0};
            for (ptrdiff_t c = 0; c < n; c++) {
                const real weight = weights[k * n + c];
#pragma omp simd
                for (int i = 0; i < CHUNK; i++) of_value[i] += weight * gradients[c][i];
            }
#pragma omp simd
            for (int i = 0; i < CHUNK; i++) of_value[i] *= slopes[i];
            of_phases[k] += sum(of_value);
            of_frequencies[k] += steepness * dot(of_value, of_chunk);
        }
    }
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
