/* Columns of a matrix that are 0 throughout: how to find them, and how to put them back. Compiled once per instruction
 * set and precision.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"

enum { ROWS = 4 }; /* at a time, so that what is found is read and written once for all of them */

void PER_TARGET(or_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *found) {
    const bits *from = x;
    bits *restrict to = found;
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] |= (from[j] | from[j + n]) | (from[j + 2 * n] | from[j + 3 * n]);
    for (; rows > 0; rows--, from += n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] |= from[j];
}

int PER_TARGET(all_finite)(const void *x, ptrdiff_t n) {
    const real *from = x;
    real sum = 0; /* of zeros, unless a number is not finite */
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) sum += from[i] * 0;
    return sum == 0;
}

/* From the last column back: what is still to be moved lies before what is written. */
INLINE void spread_rows(const int rows, real *x, ptrdiff_t n, const bits *places) {
    ptrdiff_t j = n;
#if LOOKUP
    const ptrdiff_t whole = LOOKUP == LANES ? n / LANES * LANES : 0; /* columns of whole vectors */
#else
    const ptrdiff_t whole = 0;
#endif
    while (j > whole) {
        j--;
        for (int row = 0; row < rows; row++)
            x[row * n + j] = places[j] & 1 ? x[row * n + (ptrdiff_t)(places[j] >> 1)] : 0;
    }
#if LOOKUP
    while (j > 0) {
        j -= LANES;
        const vector_bits here = *(const vector_bits *)(places + j);
        const bits first = places[j] >> 1;
        const vector_bits i = (here >> 1) - first, kept = -(here & 1);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++)
            store(x + row * n + j, (vector)((vector_bits)lookup(x + row * n + first, i) & kept));
    }
#endif
}

void PER_TARGET(spread)(void *x, ptrdiff_t rows, ptrdiff_t n, const void *places) {
    real *row = x;
    for (; rows >= ROWS; rows -= ROWS, row += ROWS * n) spread_rows(ROWS, row, n, places);
    for (; rows > 0; rows--, row += n) spread_rows(1, row, n, places);
}
