/* The losses and their gradients, side by side. */
#ifndef PYRELU_LOSSES_INL_H
#define PYRELU_LOSSES_INL_H

#include <float.h>
#include <tgmath.h>

#include "simd/real.h"
#include "training/network.h"

#define EPSILON (PYRELU_BITS == 32 ? FLT_EPSILON : DBL_EPSILON)

/* Each returns the loss of one row of n outputs and turns the outputs into its gradient before their activation. As in
 * scikit-learn, a probability of 0 counts as the smallest step from 1, and so does the distance of 1 from it.
 * `smoothing` is the share of a class's target that goes to all of them evenly. */

static inline real clip(real p) { return p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p; }

static inline real multinomial(real *y, const real *target, ptrdiff_t n, real smoothing) {
    const ptrdiff_t truth = (ptrdiff_t)*target;
    const real evenly = smoothing / n;
    real loss = -(1 - smoothing) * log(clip(y[truth]));
    if (smoothing > 0)
        for (ptrdiff_t j = 0; j < n; j++) {
            loss -= evenly * log(clip(y[j]));
            y[j] -= evenly;
        }
    y[truth] -= 1 - smoothing;
    return loss;
}

static inline real binary(real *y, const real *target, ptrdiff_t n, real smoothing) {
    real loss = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        const real t = (1 - smoothing) * target[j] + smoothing / 2;
        if (smoothing > 0) loss -= t * log(clip(y[j])) + (1 - t) * log(clip(1 - y[j]));
        else loss -= log(clip(target[j] > 0 ? y[j] : 1 - y[j]));
        y[j] -= t;
    }
    return loss;
}

static inline real squared_error(real *y, const real *target, ptrdiff_t n, real smoothing) {
    (void)smoothing;
    real loss = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        y[j] -= target[j];
        loss += y[j] * y[j];
    }
    return loss / (2 * n);
}

/* Half the deviance, of outputs that are means. */
static inline real poisson(real *y, const real *target, ptrdiff_t n, real smoothing) {
    (void)smoothing;
    real loss = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        const real mean = y[j], truth = target[j];
        loss += (truth > 0 ? truth * log(truth / mean) : 0) - truth + mean;
        y[j] -= truth;
    }
    return loss;
}

static real (*const losses[])(real *, const real *, ptrdiff_t, real) = {[PYRELU_MULTINOMIAL] = multinomial,
                                                                        [PYRELU_BINARY] = binary,
                                                                        [PYRELU_SQUARED_ERROR] = squared_error,
                                                                        [PYRELU_POISSON] = poisson};

#endif
