/* Random numbers in training: dropout masks of inputs and outputs, and random slopes.
 *
 * A number depends on the update, the row of the batch, the layer and the unit alone: not on threads, blocks or
 * micro-batches, nor on whether rows are stored dense or sparse.
 */
#ifndef PYRELU_DROPOUT_INL_H
#define PYRELU_DROPOUT_INL_H

#include "kernels/dropout.h"
#include "kernels/philox.h"
#include "training/micro_batch-inl.h"

/* Streams of random numbers: one for the inputs, then two for each layer. */
enum { INPUT_STREAM = 0 };
static inline uint32_t output_stream(const micro_batch *s, const layer *l) {
    return 1 + 2 * (uint32_t)(l - s->net->layers);
}
static inline uint32_t slope_stream(const micro_batch *s, const layer *l) { return 1 + output_stream(s, l); }

static inline pyrelu_random_counter counter_at(const micro_batch *s, uint32_t stream, ptrdiff_t row) {
    return (pyrelu_random_counter){s->opt->seed, (uint32_t)(s->start - s->batch + row), stream, (uint32_t)s->opt->t};
}

/* The multiplier of one input in a row of the micro-batch. */
static inline real input_multiplier(const micro_batch *s, ptrdiff_t row, ptrdiff_t feature) {
    uint32_t bits[4];
    const pyrelu_random_counter p = counter_at(s, INPUT_STREAM, row);
    philox(&p, (uint32_t)(feature / 4), bits);
    return multiplier(uniform(bits[feature % 4]), s->net->input_dropout * s->opt->dropout_factor);
}

/* Draws numbers in [0, 1) for n units in each of `rows` rows of the micro-batch, from `first` on. */
static inline void draw(const micro_batch *s, uint32_t stream, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t n, real *u) {
    for (ptrdiff_t row = first; row < first + rows; row++, u += n) {
        const pyrelu_random_counter counter = counter_at(s, stream, row);
        pyrelu_kernels_for(TYPE)->uniform(&counter, u, n);
    }
}

static inline void draw_mask(const micro_batch *s, uint32_t stream, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t n,
                             double dropout, real *mask) {
    for (ptrdiff_t row = first; row < first + rows; row++, mask += n) {
        const pyrelu_random_counter counter = counter_at(s, stream, row);
        pyrelu_kernels_for(TYPE)->dropout_mask(&counter, dropout, mask, n);
    }
}

/* out = x * mask, and 0 where the mask is 0, even if x is infinite or NaN */
static inline void drop(const real *x, const real *mask, ptrdiff_t n, real *out) {
    pyrelu_kernels_for(TYPE)->drop(x, mask, n, out);
}

#endif
