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

enum { ROWS = 4 }; /* at a time, so that the sums are read and written once for all of them */

/* Adds some rows to the sums, from left to right: columns of one row lie side by side, those of one column may be pages
 * apart. */
INLINE void add_some_rows(const int rows, const real *x, ptrdiff_t n, real *y) {
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        vector sum = load_some(y + j, n - j, 0);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++) sum += load_some(x + row * n + j, n - j, 0);
        store_some(y + j, n - j, sum);
    }
}

void PER_TARGET(add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *from = x;
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n) add_some_rows(ROWS, from, n, y);
    for (; rows > 0; rows--, from += n) add_some_rows(1, from, n, y);
}
