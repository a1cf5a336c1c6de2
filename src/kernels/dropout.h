/* From random bits to the multipliers of dropout: for the rows of a batch as for single inputs of a sparse row. */
#ifndef PYRELU_DROPOUT_H
#define PYRELU_DROPOUT_H

#include "simd/real.h"

/* A number in [0, 1) */
static inline real uniform(uint32_t bits) {
    return PYRELU_BITS == 32 ? (bits >> 8) * (real)0x1p-24 : bits * (real)0x1p-32;
}

/* For u uniform in [0, 1): 0 to drop, or the factor that keeps the mean */
static inline real multiplier(real u, real dropout) {
    const real scale = 1 / (1 - dropout);
    return u < dropout ? 0 : scale;
}

#endif
