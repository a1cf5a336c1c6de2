/* Whether numbers lie outside an interval. Compiled once per instruction set and precision. */
#include "kernels/targets.h"
#include "simd/vectors.h"

enum { CHAINS = 4 };

/* By the least and the greatest of them, which pass over NaN. */
int PER_TARGET(any_outside)(const void *numbers, double low, double high, ptrdiff_t n) {
    const real *x = numbers;
    vector least[CHAINS], greatest[CHAINS];
    ptrdiff_t i = 0;
#pragma GCC unroll 4
    for (int v = 0; v < CHAINS; v++) least[v] = greatest[v] = V(low);
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 4
        for (int v = 0; v < CHAINS; v++) {
            const vector some = load(x + i + v * LANES);
            least[v] = min_(least[v], some);
            greatest[v] = max_(greatest[v], some);
        }
    for (; i < n; i += LANES) {
        const vector some = load_some(x + i, n - i, low);
        least[0] = min_(least[0], some);
        greatest[0] = max_(greatest[0], some);
    }
#pragma GCC unroll 4
    for (int v = 1; v < CHAINS; v++) {
        least[0] = min_(least[0], least[v]);
        greatest[0] = max_(greatest[0], greatest[v]);
    }
    const vector found = blend(less(least[0], V(low)) | greater(greatest[0], V(high)), V(1), V(0));
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += found[lane];
    return sum > 0;
}
