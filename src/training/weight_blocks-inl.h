/* The second phase of a batch: the weights, in blocks of rows; gradient and update of a block while it is in cache. */
#ifndef PYRELU_WEIGHT_BLOCKS_INL_H
#define PYRELU_WEIGHT_BLOCKS_INL_H

#include "training/micro_batch-inl.h"
#include "training/products-inl.h"
#include "training/row_blocks-inl.h"

/* The element of one of the optimizer's buffers that belongs to a parameter. */
static real *element_of(const optimizer *opt, void *buffer, const real *parameter) {
    return buffer ? (real *)buffer + (parameter - (real *)opt->parameters) : NULL;
}

/* Whether this pass over the weights computes their gradient. */
static int computes_gradient(const micro_batch *s) { return !s->given && (s->stage == FUSED || s->stage == MEASURE); }

/* The factor of a step of scope ARRAY: the norm of the parameters divided by that of the direction. */
static double trust_ratio(pyrelu_sums squares) {
    return squares.loss > 0 && squares.gradient > 0 ? sqrt(squares.loss / squares.gradient) : 1;
}

/* Updates parameters from their gradient after the last micro-batch of a batch, or does the part of the update that
 * belongs to this stage. */
static pyrelu_sums update(const micro_batch *s, real *parameters, ptrdiff_t n, int penalized, double trust_ratio) {
    const optimizer *opt = s->opt;
    if (!s->ends) return (pyrelu_sums){0, 0};
    pyrelu_step step = s->step;
    if (!penalized) step.l2 = step.l1 = step.decay = step.weight_decay = 0;
    real *gradient = element_of(opt, opt->gradients, parameters);
    void *const state[] = {element_of(opt, opt->state[0], parameters), element_of(opt, opt->state[1], parameters)};
    if (s->stage == MEASURE)
        return pyrelu_kernels_for(TYPE)->update[PYRELU_GRADIENT](&step, parameters, gradient, (void *[2]){gradient}, n);
    if (s->stage == SCALE) {
        pyrelu_kernels_for(TYPE)->add_multiple(-step.rate * trust_ratio, gradient, parameters, n);
        return (pyrelu_sums){0, 0};
    }
    return pyrelu_kernels_for(TYPE)->update[opt->solver](&step, parameters, gradient, state, n);
}

/* Gradient and update of biases or slopes, one per unit: their gradient is the sum of the rows of `delta`. */
static pyrelu_sums unit_parameters(const micro_batch *s, real *parameters, const real *delta, ptrdiff_t n) {
    real *gradient = element_of(s->opt, s->opt->gradients, parameters);
    if (computes_gradient(s)) {
        if (s->begins) memset(gradient, 0, n * sizeof(real));
        pyrelu_kernels_for(TYPE)->add_rows(delta, s->rows, n, gradient);
    }
    if (s->stage == SCALE) return (pyrelu_sums){0, 0}; /* done in the stage DIRECT */
    const pyrelu_sums sums = update(s, parameters, n, 0, 1);
    if (s->stage != DIRECT) return sums;
    micro_batch scale = *s;
    scale.stage = SCALE;
    return update(&scale, parameters, n, 0, trust_ratio(sums));
}

static pyrelu_sums weights(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const int i = (int)(l - s->net->layers);
    const ptrdiff_t n = l->width;
    real *weights = from(l->weights, first, n), *gradient = element_of(s->opt, s->opt->gradients, weights);
    if (computes_gradient(s)) {
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

/* Gradient and update of block i, counted over all layers. The first block of a layer includes its biases and slopes.
 */
static pyrelu_sums weight_block(const micro_batch *s, ptrdiff_t i) {
    const network *net = s->net;
    const layer *l = net->layers, *last = l + net->n_layers - 1;
    for (; i >= weight_blocks_of(s, l); l++) i -= weight_blocks_of(s, l);
    const ptrdiff_t each = rows_per_weight_block(s, l), first = i * each;
    pyrelu_sums sums = {0, 0};
    if (i == 0) {
        sums = unit_parameters(s, l->bias, l->delta, l->width);
        if (l->slopes) sums = add(sums, unit_parameters(s, l->slopes, l->slope_delta, l->n_outputs));
        if (net->alive && l < last && computes_gradient(s)) mark_alive(l, s->rows, flags(net, l, net->alive));
    }
    return add(sums, weights(s, l, first, min_size(each, l->n_inputs - first)));
}

#endif
