/* The second phase of a batch: the weights, in tiles of whole rows; gradient and update of a tile while it is in cache.
 */
#ifndef PYRELU_WEIGHT_BLOCKS_INL_H
#define PYRELU_WEIGHT_BLOCKS_INL_H

#include "training/micro_batch-inl.h"
#include "training/products-inl.h"
#include "training/row_blocks-inl.h"

/* The place in one of the optimizer's buffers of what belongs to a parameter. */
static real *beside(const optimizer *opt, void *buffer, const real *parameter) {
    return buffer ? (real *)buffer + (parameter - (real *)opt->parameters) : NULL;
}

/* Whether this pass over the weights is the one that computes their gradient. */
static int takes_gradient(const micro_batch *s) { return s->stage == FUSED || s->stage == MEASURE; }

/* What a step of a whole array is multiplied by: the norm of its parameters by that of the direction. */
static double trust_ratio(pyrelu_sums squares) {
    return squares.loss > 0 && squares.gradient > 0 ? sqrt(squares.loss / squares.gradient) : 1;
}

/* What is done to some parameters once the gradient of the rows is there: nothing while the batch goes on; and where
 * the gradient's norm must be known first, a pass that leaves the whole gradient, and in the end another. */
static pyrelu_sums update(const micro_batch *s, real *parameters, ptrdiff_t n, int penalized, double trust_ratio) {
    const optimizer *opt = s->opt;
    if (!s->ends) return (pyrelu_sums){0, 0};
    pyrelu_step step = s->step;
    if (!penalized) step.l2 = step.l1 = step.decay = step.weight_decay = 0;
    real *gradient = beside(opt, opt->gradients, parameters);
    void *const state[] = {beside(opt, opt->state[0], parameters), beside(opt, opt->state[1], parameters)};
    if (s->stage == MEASURE)
        return pyrelu_kernels_for(TYPE)->update[PYRELU_GRADIENT](&step, parameters, gradient, (void *[2]){gradient}, n);
    if (s->stage == SCALE) {
        pyrelu_kernels_for(TYPE)->add_multiple(-step.rate * trust_ratio, gradient, parameters, n);
        return (pyrelu_sums){0, 0};
    }
    return pyrelu_kernels_for(TYPE)->update[opt->solver](&step, parameters, gradient, state, n);
}

/* Parameters of which each unit has one: their gradient is the sum over the rows of `delta`. */
static pyrelu_sums unit_parameters(const micro_batch *s, real *parameters, const real *delta, ptrdiff_t n) {
    real *gradient = beside(s->opt, s->opt->gradients, parameters);
    if (takes_gradient(s)) {
        if (s->begins) memset(gradient, 0, n * sizeof(real));
        pyrelu_kernels_for(TYPE)->add_rows(delta, s->rows, n, gradient);
    }
    if (s->stage == SCALE) return (pyrelu_sums){0, 0}; /* done */
    const pyrelu_sums sums = update(s, parameters, n, 0, 1);
    if (s->stage != DIRECT) return sums;
    micro_batch scale = *s;
    scale.stage = SCALE;
    return update(&scale, parameters, n, 0, trust_ratio(sums));
}

static pyrelu_sums weights(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const int i = (int)(l - s->net->layers);
    const ptrdiff_t n = l->width;
    real *weights = from(l->weights, first, n), *gradient = beside(s->opt, s->opt->gradients, weights);
    if (takes_gradient(s)) {
        if (i == 0 && s->data->starts) {
            if (s->begins) memset(gradient, 0, rows * n * sizeof(real));
            sparse_gradient(s, first, rows, l->delta, n, gradient);
        } else
            gemm(s->net, &(product){rows, n, s->rows, transposed(inputs(s, i, 0) + first, l->n_inputs),
                                    plain(l->delta, n), gradient, n, .add = !s->begins});
    }
    return update(s, weights, rows * n, 1, l->trust_ratio);
}

static ptrdiff_t weight_blocks_of(const micro_batch *s, const layer *l) {
    return ceil_div(l->n_inputs, rows_per_weight_block(s, l));
}

/* Gradient and update of tile i, counted over all layers. The first of a layer has its units' parameters with it. */
static pyrelu_sums weight_block(const micro_batch *s, ptrdiff_t i) {
    const network *net = s->net;
    const layer *l = net->layers, *last = l + net->n_layers - 1;
    for (; i >= weight_blocks_of(s, l); l++) i -= weight_blocks_of(s, l);
    const ptrdiff_t each = rows_per_weight_block(s, l), first = i * each;
    pyrelu_sums sums = {0, 0};
    if (i == 0) {
        sums = unit_parameters(s, l->bias, l->delta, l->width);
        if (l->slopes) sums = add(sums, unit_parameters(s, l->slopes, l->slope_delta, l->n_outputs));
        if (net->alive && l < last && takes_gradient(s)) mark_alive(l, s->rows, flags(net, l, net->alive));
    }
    return add(sums, weights(s, l, first, min_size(each, l->n_inputs - first)));
}

#endif
