/* Counter-based random numbers: the numbers at a counter do not depend on the order in which threads ask for them.
 *
 * Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011): four
 * 32-bit numbers from four 32-bit counters and a key.
 */
#ifndef PYRELU_PHILOX_H
#define PYRELU_PHILOX_H

#include "kernels/kernels.h"

#define PHILOX_FACTOR_0 0xD2511F53u
#define PHILOX_FACTOR_1 0xCD9E8D57u
#define PHILOX_WEYL_0 0x9E3779B9u /* what the keys grow by in each round */
#define PHILOX_WEYL_1 0xBB67AE85u

static inline void philox(const pyrelu_random_counter *counter, uint32_t i, uint32_t out[4]) {
    uint32_t a = i, b = counter->row, c = counter->stream, d = counter->step;
    uint32_t key_0 = (uint32_t)counter->seed, key_1 = (uint32_t)(counter->seed >> 32);
    for (int round = 0; round < 10; round++, key_0 += PHILOX_WEYL_0, key_1 += PHILOX_WEYL_1) {
        const uint64_t p = (uint64_t)PHILOX_FACTOR_0 * a, q = (uint64_t)PHILOX_FACTOR_1 * c;
        a = (uint32_t)(q >> 32) ^ b ^ key_0;
        c = (uint32_t)(p >> 32) ^ d ^ key_1;
        b = (uint32_t)q;
        d = (uint32_t)p;
    }
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}

#endif
