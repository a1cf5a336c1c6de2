/* The first phase of a batch: its rows, in blocks that pass through all layers while in cache. */
#ifndef PYRELU_ROW_BLOCKS_INL_H
#define PYRELU_ROW_BLOCKS_INL_H

#include <tgmath.h>

#include "training/dropout-inl.h"
#include "training/embedding-inl.h"
#include "training/losses-inl.h"
#include "training/micro_batch-inl.h"
#include "training/products-inl.h"
#include "training/transforms-inl.h"

static void gather(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = s->net->n_features;
    const real *values = s->data->values;
    real *row = from(s->net->inputs, first, n);
    for (ptrdiff_t i = s->start + first, stop = i + rows; i < stop; i++, row += n)
        memcpy(row, values + sample_at(s->data, i) * n, n * sizeof(real));
}

/* Drops some of the dense inputs of the first layer. */
static void drop_inputs(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const network *net = s->net;
    const ptrdiff_t n = n_inputs(net);
    real *all = net->embedding ? net->embedding->outputs : net->inputs;
    real *inputs = from(all, first, n), *mask = from(net->input_mask, first, n);
    draw_mask(s, INPUT_STREAM, first, rows, n, net->input_dropout * s->opt->dropout_factor, mask);
    drop(inputs, mask, rows * n, inputs);
}

static void activate(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = l->n_outputs;
    real *z = from(l->saved, first, l->width), *output = from(l->output, first, n);
    real *y = saves_input(l) || !l->mask ? output : z;
    if (l->drawn) {
        real *slopes = from(l->drawn, first, n);
        draw(s, slope_stream(s, l), first, rows, n, slopes);
        const real lower = l->parameters[0], range = l->parameters[1] - lower;
        for (ptrdiff_t i = 0; i < rows * n; i++) slopes[i] = lower + range * slopes[i];
    }
    transforms[l->transform].forward(l, first, rows, z, y);
    if (l->mask) {
        real *mask = from(l->mask, first, n);
        draw_mask(s, output_stream(s, l), first, rows, n, l->dropout * s->opt->dropout_factor, mask);
        drop(y, mask, rows * n, output);
    }
}

static void forward(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    if (gathers(s)) gather(s, first, rows);
    if (s->net->embedding) embed(s, first, rows);
    if (drops_inputs(s) && !s->data->starts) drop_inputs(s, first, rows);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        const ptrdiff_t n = l->width;
        real *z = from(l->saved, first, n);
        if (i == 0 && s->data->starts) sparse_forward(s, first, rows, l->weights, l->bias, n, z);
        else {
            const pyrelu_matrix x = plain(inputs(s, i, first), l->n_inputs);
            product p = {rows, n, l->n_inputs, x, plain(l->weights, n), z, n, .bias = l->bias};
            if (s->opt && i > 0) { /* written soon, and long out of cache where the network is large */
                p.prefetched[0] = from(l[-1].gradient, first, l->n_inputs);
                p.prefetched_bytes = rows * l->n_inputs * sizeof(real);
            }
            gemm(s->net, &p);
        }
        activate(s, l, first, rows);
    }
}

/* Applies the sample weight to the loss of a row and to its gradient, which is in y. */
static double weighted(const samples *data, ptrdiff_t sample, real row_loss, real *y, ptrdiff_t n) {
    const real *weights = data->weights;
    if (!weights) return row_loss;
    for (ptrdiff_t j = 0; j < n; j++) y[j] *= weights[sample];
    return row_loss * weights[sample];
}

/* The loss by the caller's own function, which takes the targets of the rows as one array. */
static double called_loss(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows, real *y, ptrdiff_t n) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t n_targets = data->n_targets;
    real *targets = from(net->targets, first, n_targets), *losses = from(net->losses, first, 1);
    for (ptrdiff_t row = 0; row < rows; row++)
        memcpy(targets + row * n_targets,
               (const real *)data->targets + sample_at(data, s->start + first + row) * n_targets,
               n_targets * sizeof(real));
    net->loss_call(net->loss_context, targets, y, losses, rows, n, n_targets);
    double sum = 0;
    for (ptrdiff_t row = 0; row < rows; row++, y += n)
        sum += weighted(data, sample_at(data, s->start + first + row), losses[row], y, n);
    return sum;
}

static double loss(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t n = net->layers[net->n_layers - 1].n_outputs, n_targets = data->n_targets;
    const real *targets = data->targets;
    real *y = from(net->layers[net->n_layers - 1].output, first, n);
    if (net->loss < 0) return called_loss(s, first, rows, y, n);
    double sum = 0;
    for (ptrdiff_t row = 0; row < rows; row++, y += n) {
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        const real row_loss = row_losses[net->loss](y, targets + sample * n_targets, n, n_targets, net->label_smoothing,
                                                    net->loss_parameters);
        sum += weighted(data, sample, row_loss, y, n);
    }
    return sum;
}

static void backward(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    pack_delta(s, &s->net->layers[s->net->n_layers - 1], first, rows);
    for (int i = s->net->n_layers - 1; i > 0; i--) {
        const layer *l = &s->net->layers[i], *below = l - 1;
        const ptrdiff_t n = l->width, m = l->n_inputs;
        real *gradient = from(below->gradient, first, m);
        gemm(s->net, &(product){rows, m, n, plain(from(l->delta, first, n), n), transposed(l->weights, n), gradient, m,
                                .bias = NULL});
        if (below->mask) drop(gradient, from(below->mask, first, m), rows * m, gradient);
        transforms[below->transform].backward(below, first, rows, from(below->saved, first, below->width), gradient,
                                              from(below->delta, first, below->width));
        pack_delta(s, below, first, rows);
    }
    const pyrelu_embedding *e = s->net->embedding;
    if (!e) return;
    const layer *l = s->net->layers;
    const ptrdiff_t n = l->width, m = l->n_inputs;
    gemm(s->net, &(product){rows, m, n, plain(from(l->delta, first, n), n), transposed(l->weights, n),
                            from(e->gradient, first, m), m, .bias = NULL});
    real *gradient = from(e->gradient, first, m);
    if (drops_inputs(s)) drop(gradient, from(s->net->input_mask, first, m), rows * m, gradient);
    if (e->scales) scale_backward(e, first, rows);
}

/* The blocks that one thread computes together. Each product packs the weights anew, so that larger ones are better
 * while there are enough of them for the team, and while none would become BLAS's: results do not depend on the team.
 */
static ptrdiff_t blocks_together(const micro_batch *s) {
    const ptrdiff_t each = rows_per_block(s), n = ceil_div(s->rows, each), threads = pyrelu_team_size(s->team);
    ptrdiff_t together = threads > 1 ? n / (2 * threads) : n;
    if (!s->opt || together < 2) return 1;
    together = min_size(together, ROWS_TOGETHER / each);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        while (together > 1 && exceeds_own_gemm(together * each, l->width, l->n_inputs)) together--;
    }
    return together > 1 ? together : 1;
}

/* The first phase for the i-th blocks of rows that are computed together; the loss is that of each block. */
static void row_blocks(const micro_batch *s, ptrdiff_t i) {
    const ptrdiff_t each = rows_per_block(s), start = i * blocks_together(s) * each;
    const ptrdiff_t stop = min_size(start + blocks_together(s) * each, s->rows);
    forward(s, start, stop - start);
    for (ptrdiff_t first = start; first < stop; first += each)
        s->net->partial_sums[first / each] =
            (pyrelu_sums){s->opt ? loss(s, first, min_size(each, stop - first)) : 0, 0};
    if (s->opt) backward(s, start, stop - start);
}

/* Marks the units of a hidden layer that are not 0 for every row of the micro-batch. */
static inline void mark_alive(const layer *l, ptrdiff_t rows, unsigned char *restrict alive) {
    const ptrdiff_t n = l->n_outputs;
    const real *restrict y = l->output;
    if (!memchr(alive, 0, n)) return;
    for (ptrdiff_t row = 0; row < rows; row++, y += n)
        for (ptrdiff_t j = 0; j < n; j++) alive[j] |= y[j] != 0;
}

/* The part of `alive`, which covers all hidden units, that belongs to this layer. */
static inline unsigned char *flags(const network *net, const layer *l, unsigned char *alive) {
    for (const layer *below = net->layers; below < l; below++) alive += below->n_outputs;
    return alive;
}

#endif
