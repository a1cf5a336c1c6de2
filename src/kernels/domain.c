/* Whether numbers lie outside an interval. Compiled once per instruction set and precision. */
#include "kernels/targets.h"
#include "simd/vectors.h"

enum { CHAINS = 4 };

/* Compares the minimum and the maximum, which ignore NaN. */
int PER_TARGET(any_outside)(const void *numbers, double low, double high, ptrdiff_t n) {
    const real *x = numbers;
    vector minima[CHAINS], maxima[CHAINS];
    ptrdiff_t i = 0;
#pragma GCC unroll 4
    for (int v = 0; v < CHAINS; v++) minima[v] = maxima[v] = V(low);
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 4
        for (int v = 0; v < CHAINS; v++) {
            const vector some = load(x + i + v * LANES);
            minima[v] = min_(minima[v], some);
            maxima[v] = max_(maxima[v], some);
        }
    for (; i < n; i += LANES) {
        const vector some = load_some(x + i, n - i, low);
        minima[0] = min_(minima[0], some);
        maxima[0] = max_(maxima[0], some);
    }
#pragma GCC unroll 4
    for (int v = 1; v < CHAINS; v++) {
        minima[0] = min_(minima[0], minima[v]);
        maxima[0] = max_(maxima[0], maxima[v]);
    }
    const vector found = blend(less(minima[0], V(low)) | greater(maxima[0], V(high)), V(1), V(0));
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += found[lane];
    return sum > 0;
}
