/* Sums of rows, for products with sparse rows and the gradients of biases. Compiled once per instruction set and
 * precision, with contraction as in gemm.c.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"

void PER_TARGET(add_multiple)(double a, const void *x, void *y, ptrdiff_t n) {
    const real *restrict from = x;
    real *restrict to = y, factor = a;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++) to[j] += factor * from[j];
}

/* Adds up one or four vectors of columns. */
INLINE void add_columns(const int vectors, const real *x, ptrdiff_t rows, ptrdiff_t n, real *y) {
    vector sum[4];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sum[v] = *(const vector *)(y + v * LANES);
    for (ptrdiff_t row = 0; row < rows; row++, x += n)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[v] += *(const vector *)(x + v * LANES);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) *(vector *)(y + v * LANES) = sum[v];
}

void PER_TARGET(add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *from = x;
    real *restrict to = y;
    ptrdiff_t j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES) add_columns(4, from + j, rows, n, to + j);
    for (; j + LANES <= n; j += LANES) add_columns(1, from + j, rows, n, to + j);
    for (ptrdiff_t row = 0; j < n && row < rows; row++, from += n)
        for (ptrdiff_t i = j; i < n; i++) to[i] += from[i];
}
