/* The first phase of a batch: its rows, in blocks that pass through all layers while in cache. */
#ifndef PYRELU_ROW_BLOCKS_INL_H
#define PYRELU_ROW_BLOCKS_INL_H

#include "training/adapters-inl.h"
#include "training/dropout-inl.h"
#include "training/embedding-inl.h"
#include "training/losses-inl.h"
#include "training/micro_batch-inl.h"
#include "training/products-inl.h"
#include "training/transforms-inl.h"
#include "training/watch-inl.h"

static void gather(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = s->net->n_features;
    const real *values = s->data->values;
    real *row = from(s->net->inputs, first, n);
    for (ptrdiff_t i = s->start + first, stop = i + rows; i < stop; i++, row += n) {
        const real *next = values + sample_at(s->data, i + (i + 1 < stop)) * n; /* it may be anywhere */
        for (ptrdiff_t j = 0; j < n; j += 64 / sizeof(real)) __builtin_prefetch(next + j);
        memcpy(row, values + sample_at(s->data, i) * n, n * sizeof(real));
    }
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
    const ptrdiff_t k = s->net->n_members, n = k * l->n_outputs;
    real *z = from(l->saved, first, k * l->width), *output = from(l->output, first, n);
    real *y = saves_input(l) || !l->mask ? output : z;
    if (l->drawn) {
        real *slopes = from(l->drawn, first, n);
        draw(s, slope_stream(s, l), first, rows, n, slopes);
        const real lower = l->parameters[0], range = l->parameters[1] - lower;
        for (ptrdiff_t i = 0; i < rows * n; i++) slopes[i] = lower + range * slopes[i];
    }
    transforms[l->transform].forward(l, k * first, k * rows, z, y);
    if (l->mask) {
        real *mask = from(l->mask, first, n);
        draw_mask(s, output_stream(s, l), first, rows, n, l->dropout * s->opt->dropout_factor, mask);
        drop(y, mask, rows * n, output);
    }
}

static void forward(const micro_batch *s, ptrdiff_t part, ptrdiff_t first, ptrdiff_t rows) {
    if (gathers(s)) gather(s, first, rows);
    if (s->net->embedding) embed(s, first, rows);
    if (drops_inputs(s) && !s->data->starts) drop_inputs(s, first, rows);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        const ptrdiff_t n = l->width, k = s->net->n_members;
        real *z = from(l->saved, first, k * n);
        if (k > 1) member_products(s, l, first, rows, z);
        else if (i == 0 && s->data->starts) sparse_forward(s, first, rows, l->weights, l->bias, n, z);
        else {
            const pyrelu_matrix x = plain(inputs(s, i, first), l->n_inputs);
            product p = {rows, n, l->n_inputs, x, plain(l->weights, n), z, n, .bias = l->bias};
            if (s->opt && i > 0) { /* written soon, and long out of cache where the network is large */
                p.prefetched[0] = from(l[-1].gradient, first, l->n_inputs);
                p.prefetched_bytes = rows * l->n_inputs * sizeof(real);
            }
            gemm(s->net, &p);
        }
        if (i == 0 && watches(s)) watch_rows(s, part, rows, z);
        activate(s, l, first, rows);
    }
}

/* Applies the sample weight, and the member's share, to the loss of a row and to its gradient, which is in y. */
static double weighted(const micro_batch *s, ptrdiff_t sample, real row_loss, real *y, ptrdiff_t n) {
    const real *weights = s->data->weights;
    const ptrdiff_t members = s->net->n_members;
    if (!weights && members == 1) return row_loss;
    const real weight = (weights ? weights[sample] : 1) / members;
    for (ptrdiff_t j = 0; j < n; j++) y[j] *= weight;
    return row_loss * weight;
}

/* The loss by the caller's own function, which takes the targets of the rows as one array. */
static double called_loss(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows, real *y, ptrdiff_t n) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t k = net->n_members, n_targets = data->n_targets;
    real *targets = from(net->targets, first, k * n_targets), *losses = from(net->losses, first, k);
    for (ptrdiff_t row = 0; row < k * rows; row++)
        memcpy(targets + row * n_targets,
               (const real *)data->targets + sample_at(data, s->start + first + row / k) * n_targets,
               n_targets * sizeof(real));
    net->loss_call(net->loss_context, targets, y, losses, k * rows, n, n_targets);
    double sum = 0;
    for (ptrdiff_t row = 0; row < k * rows; row++, y += n)
        sum += weighted(s, sample_at(data, s->start + first + row / k), losses[row], y, n);
    return sum;
}

static double loss(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t n = net->layers[net->n_layers - 1].n_outputs, n_targets = data->n_targets, k = net->n_members;
    const real *targets = data->targets;
    real *y = from(net->layers[net->n_layers - 1].output, first, k * n);
    if (net->loss < 0) return called_loss(s, first, rows, y, n);
    double sum = 0;
    for (ptrdiff_t row = 0; row < k * rows; row++, y += n) {
        const ptrdiff_t sample = sample_at(data, s->start + first + row / k);
        const real row_loss = row_losses[net->loss](y, targets + sample * n_targets, n, n_targets, net->label_smoothing,
                                                    net->loss_parameters);
        sum += weighted(s, sample, row_loss, y, n);
    }
    return sum;
}

/* The gradient with respect to a layer's inputs. */
static void products_backward(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows, real *gradient) {
    const ptrdiff_t n = l->width, m = l->n_inputs;
    if (s->net->n_members > 1) member_products_backward(s, l, first, rows, gradient);
    else
        gemm(s->net, &(product){rows, m, n, plain(from(l->delta, first, n), n), transposed(l->weights, n), gradient, m,
                                .bias = NULL});
}

static void backward(const micro_batch *s, ptrdiff_t part, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t k = s->net->n_members;
    pack_delta(s, &s->net->layers[s->net->n_layers - 1], part, first, rows);
    for (int i = s->net->n_layers - 1; i > 0; i--) {
        const layer *below = &s->net->layers[i - 1];
        const ptrdiff_t m = k * below->n_outputs, width = k * below->width;
        real *gradient = from(below->gradient, first, m);
        products_backward(s, &s->net->layers[i], first, rows, gradient);
        if (below->mask) drop(gradient, from(below->mask, first, m), rows * m, gradient);
        transforms[below->transform].backward(below, k * first, k * rows, from(below->saved, first, width), gradient,
                                              from(below->delta, first, width));
        pack_delta(s, below, part, first, rows);
    }
    const pyrelu_embedding *e = s->net->embedding;
    const layer *l = s->net->layers;
    const ptrdiff_t m = l->n_inputs;
    real *gradient = e ? from(e->gradient, first, m) : NULL;
    if (e || l->input_factors) products_backward(s, l, first, rows, gradient);
    if (!e) return;
    if (drops_inputs(s)) drop(gradient, from(s->net->input_mask, first, m), rows * m, gradient);
    if (e->scales) scale_backward(e, first, rows);
}

/* The blocks that one thread computes together: as many as leave some for each thread, since each product packs the
 * weights anew, but not so many that a product would become BLAS's, as results do not depend on the team. */
static ptrdiff_t blocks_together(const micro_batch *s) {
    const ptrdiff_t each = rows_per_block(s), n = ceil_div(s->rows, each), threads = pyrelu_team_size(s->team);
    ptrdiff_t together = n / threads;
    if (!s->opt || together < 2) return 1;
    together = min_size(together, ROWS_TOGETHER / each);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        while (together > 1 && exceeds_own_gemm(s->net->n_members * together * each, l->width, l->n_inputs)) together--;
    }
    return together > 1 ? together : 1;
}

/* The parts of the first phase, each of some blocks of rows. */
static ptrdiff_t row_parts(const micro_batch *s) {
    return ceil_div(ceil_div(s->rows, rows_per_block(s)), blocks_together(s));
}

/* The first phase for the i-th blocks of rows that are computed together; the loss is that of each block. */
static void row_blocks(const micro_batch *s, ptrdiff_t i) {
    const ptrdiff_t each = rows_per_block(s), start = i * blocks_together(s) * each;
    const ptrdiff_t stop = min_size(start + blocks_together(s) * each, s->rows);
    forward(s, i, start, stop - start);
    for (ptrdiff_t first = start; first < stop; first += each)
        s->net->partial_sums[first / each] =
            (pyrelu_sums){s->opt ? loss(s, first, min_size(each, stop - first)) : 0, 0};
    if (s->opt) backward(s, i, start, stop - start);
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
