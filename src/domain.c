/* Whether a number lies outside an interval. Compiled once per instruction set and precision. */
#include "kernels.h"
#include "vectors.h"

INLINE vector outside(vector x, vector low, vector high, vector found) {
    return choose(less(x, low) | greater(x, high), V(1), found);
}

int PRIVATE(any_outside)(const void *numbers, double low, double high, ptrdiff_t n) {
    const real *x = numbers;
    vector found[4] = {V(0), V(0), V(0), V(0)};
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) found[v] = outside(load(x + i + v * LANES), V(low), V(high), found[v]);
    for (; i < n; i += LANES) found[0] = outside(load_some(x + i, n - i, low), V(low), V(high), found[0]);
    const vector all = found[0] + found[1] + found[2] + found[3];
    real sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += all[lane];
    return sum > 0;
}
