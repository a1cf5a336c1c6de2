/* The losses of the table (losses.def, math/losses.h) as functions of a row, in an array. */
#ifndef PYRELU_LOSSES_INL_H
#define PYRELU_LOSSES_INL_H

#include "math/losses.h"
#include "training/network.h"

/* Returns the loss of one row of n outputs, and replaces the outputs by the gradient with respect to the
 * pre-activations. A row has one target per output, or a single target for all outputs, which for a classifier is the
 * index of the class. `smoothing` is the part of a target that is spread evenly over all classes. `p` has the
 * parameters of the first output, then those of the second, and so on. */
typedef real row_loss(real *y, const real *target, ptrdiff_t n, ptrdiff_t n_targets, real smoothing, const real *p);

/* The target of output j. */
static inline real regressor_target(const real *target, ptrdiff_t j, ptrdiff_t n, ptrdiff_t n_targets, real smoothing) {
    (void)smoothing;
    return target[n_targets == n ? j : 0];
}
static inline real classifier_target(const real *target, ptrdiff_t j, ptrdiff_t n, ptrdiff_t n_targets,
                                     real smoothing) {
    const real t = n_targets == n ? target[j] : j == (ptrdiff_t)*target;
    return (1 - smoothing) * t + smoothing / 2;
}

#define NONE 0
#define ONE(...) 1
#define TWO(...) 2
#define CLASSIFIER classifier_target
#define REGRESSOR regressor_target
#define OVER_SUM 1
#define OVER_MEAN n
#define OUTPUTS(name, target_of, over, n_parameters)                                                      \
    static real row_##name(real *y, const real *target, ptrdiff_t n, ptrdiff_t n_targets, real smoothing, \
                           const real *p) {                                                               \
        real sum = 0;                                                                                     \
        for (ptrdiff_t j = 0; j < n; j++, p += n_parameters) {                                            \
            const real t = target_of(target, j, n, n_targets, smoothing), output = y[j];                  \
            sum += loss_##name(output, t, p);                                                             \
            y[j] = dloss_##name(output, t, p);                                                            \
        }                                                                                                 \
        return sum / OVER_##over;                                                                         \
    }
#define CLASSES(name, target_of, over, n_parameters)                                                      \
    static real row_##name(real *y, const real *target, ptrdiff_t n, ptrdiff_t n_targets, real smoothing, \
                           const real *p) {                                                               \
        (void)n_targets;                                                                                  \
        return class_loss_##name(y, (ptrdiff_t)*target, n, smoothing, p);                                 \
    }
#define LOSS(name, estimator, targets, link, over, parameters, ...) targets(name, estimator, over, parameters)
#include "table/losses.def"
#undef LOSS

#define LOSS(name, ...) row_##name,
static row_loss *const row_losses[] = {
#include "table/losses.def"
};
#undef LOSS
#undef OUTPUTS
#undef CLASSES
#undef CLASSIFIER
#undef REGRESSOR
#undef NONE
#undef ONE
#undef TWO

#endif
