/* Random numbers for the units of a row (philox.h). Compiled once per instruction set and precision. */
#include "kernels/philox.h"

#include "kernels/targets.h"

void PER_TARGET(random)(const pyrelu_random_counter *counter, uint32_t first, uint32_t *out, ptrdiff_t n) {
    const ptrdiff_t whole = n / 4;
#pragma omp simd
    for (ptrdiff_t i = 0; i < whole; i++) philox(counter, first / 4 + (uint32_t)i, out + 4 * i);
    if (n % 4) {
        uint32_t last[4];
        philox(counter, first / 4 + (uint32_t)whole, last);
        for (ptrdiff_t i = 4 * whole; i < n; i++) out[i] = last[i % 4];
    }
}
