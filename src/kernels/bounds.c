/* Ranges of columns, and upper bounds of a layer's pre-activations, for training/watch-inl.h. Compiled once per
 * instruction set and precision.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"
#include "sizes.h"

enum { ROWS = 4 }; /* at a time, so that the results are read and written once for all of them */

/* low is NULL where only the maxima are asked for. */
INLINE void range_of_some_rows(const int rows, const real *x, ptrdiff_t n, real *low, real *high) {
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        vector least = low ? load_some(low + j, n - j, 0) : V(0), most = load_some(high + j, n - j, 0), zeros = V(0);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++) {
            const vector v = load_some(x + row * n + j, n - j, 0);
            if (low) least = min_(least, v);
            if (low) zeros += v * 0;
            most = max_(most, v);
        }
        if (low) store_some(low + j, n - j, least + zeros); /* NaN, and stays so, unless all are finite */
        store_some(high + j, n - j, most);
    }
}

void PER_TARGET(max_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *from = x;
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n) range_of_some_rows(ROWS, from, n, NULL, y);
    for (; rows > 0; rows--, from += n) range_of_some_rows(1, from, n, NULL, y);
}

void PER_TARGET(range_of_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *lows, void *highs) {
    const real *from = x;
    memcpy(lows, x, n * sizeof(real));
    memcpy(highs, x, n * sizeof(real));
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n) range_of_some_rows(ROWS, from, n, lows, highs);
    for (; rows > 0; rows--, from += n) range_of_some_rows(1, from, n, lows, highs);
}

/* For the first n of LANES columns. */
INLINE void rises_of_vectors(const int rows, const real *before, const real *after, const real *lows, const real *highs,
                             ptrdiff_t stride, ptrdiff_t n, real *rises, real *sizes) {
    vector rise = load_some(rises, n, 0), size = load_some(sizes, n, 0);
#pragma GCC unroll 4
    for (int row = 0; row < rows; row++) {
        const vector w = load_some(before + row * stride, n, 0), v = load_some(after + row * stride, n, 0);
        const vector low = V(lows[row]), high = V(highs[row]), change = v - w;
        rise += max_(change * low, change * high);
        size += max_(abs_(w), abs_(v)) * max_(abs_(low), abs_(high));
    }
    store_some(rises, n, rise);
    store_some(sizes, n, size);
}

INLINE void rises_of_rows(const int rows, const real *before, const real *after, const real *lows, const real *highs,
                          ptrdiff_t n, real *rises, real *sizes) {
    ptrdiff_t j = 0;
    for (; j + LANES <= n; j += LANES)
        rises_of_vectors(rows, before + j, after + j, lows, highs, n, LANES, rises + j, sizes + j);
    if (j < n) rises_of_vectors(rows, before + j, after + j, lows, highs, n, n - j, rises + j, sizes + j);
}

void PER_TARGET(add_rises)(const void *before, const void *after, const void *lows, const void *highs, ptrdiff_t rows,
                           ptrdiff_t n, void *rises, void *sizes) {
    const real *w = before, *v = after, *low = lows, *high = highs;
    for (; rows >= ROWS; rows -= ROWS, w += ROWS * n, v += ROWS * n, low += ROWS, high += ROWS)
        rises_of_rows(ROWS, w, v, low, high, n, rises, sizes);
    for (; rows > 0; rows--, w += n, v += n, low++, high++) rises_of_rows(1, w, v, low, high, n, rises, sizes);
}
