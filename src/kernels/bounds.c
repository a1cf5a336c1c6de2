/* Upper bounds of a layer's pre-activations, for training/watch-inl.h. Compiled once per instruction set and precision.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"
#include "sizes.h"

enum { ROWS = 4 }; /* at a time, so that the results are read and written once for all of them */

INLINE void max_some_rows(const int rows, const real *x, ptrdiff_t n, real *y) {
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        vector top = load_some(y + j, n - j, 0);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++) top = max_(top, load_some(x + row * n + j, n - j, 0));
        store_some(y + j, n - j, top);
    }
}

void PER_TARGET(max_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *from = x;
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n) max_some_rows(ROWS, from, n, y);
    for (; rows > 0; rows--, from += n) max_some_rows(1, from, n, y);
}

INLINE void rise_of_some_rows(const int rows, const real *before, const real *after, const real *lows,
                              const real *highs, ptrdiff_t n, real *rises, real *sizes) {
    for (ptrdiff_t j = 0; j < n; j += LANES) {
        vector rise = load_some(rises + j, n - j, 0), size = load_some(sizes + j, n - j, 0);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++) {
            const vector w = load_some(before + row * n + j, n - j, 0), v = load_some(after + row * n + j, n - j, 0);
            const vector low = V(lows[row]), high = V(highs[row]), change = v - w;
            rise += max_(change * low, change * high);
            size += max_(abs_(w), abs_(v)) * max_(abs_(low), abs_(high));
        }
        store_some(rises + j, n - j, rise);
        store_some(sizes + j, n - j, size);
    }
}

void PER_TARGET(add_rises)(const void *before, const void *after, const void *lows, const void *highs, ptrdiff_t rows,
                           ptrdiff_t n, void *rises, void *sizes) {
    const real *w = before, *v = after, *low = lows, *high = highs;
    for (; rows > 0;) {
        const ptrdiff_t some = rows >= ROWS ? ROWS : 1;
        if (some == ROWS) rise_of_some_rows(ROWS, w, v, low, high, n, rises, sizes);
        else rise_of_some_rows(1, w, v, low, high, n, rises, sizes);
        rows -= some, w += some * n, v += some * n, low += some, high += some;
    }
}
