/* The second phase of a batch: the weights, in blocks of rows; gradient and update of a block while it is in cache. */
#ifndef PYRELU_WEIGHT_BLOCKS_INL_H
#define PYRELU_WEIGHT_BLOCKS_INL_H

#include "training/adapters-inl.h"
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
static pyrelu_sums update(const micro_batch *s, real *parameters, real *gradient, ptrdiff_t n, pyrelu_group group,
                          double rate_factor, double trust_ratio) {
    const optimizer *opt = s->opt;
    if (!s->ends) return (pyrelu_sums){0, 0};
    const double rate = opt->rate_factors[group], alpha = opt->alpha_factors[group];
    pyrelu_step step = s->step;
    step.l2 *= alpha;
    step.l1 *= alpha;
    step.decay *=
        rate * alpha; /* not the factor of the layer: see neural tangent parametrization in docs/training.md */
    step.weight_decay *= alpha;
    step.rate *= rate * rate_factor;
    step.adam_rate *= rate * rate_factor;
    void *const state[] = {element_of(opt, opt->state[0], parameters), element_of(opt, opt->state[1], parameters)};
    if (s->stage == MEASURE)
        return pyrelu_kernels_for(TYPE)->update[PYRELU_GRADIENT](&step, parameters, gradient, (void *[2]){gradient}, n);
    if (s->stage == SCALE) {
        pyrelu_kernels_for(TYPE)->add_multiple(-step.rate * trust_ratio, gradient, parameters, n);
        return (pyrelu_sums){0, 0};
    }
    return pyrelu_kernels_for(TYPE)->update[opt->solver](&step, parameters, gradient, state, n);
}

/* The same for an array that one block updates whole. */
static pyrelu_sums update_array(const micro_batch *s, real *parameters, ptrdiff_t n, pyrelu_group group) {
    if (s->stage == SCALE) return (pyrelu_sums){0, 0}; /* done in the stage DIRECT */
    real *gradient = element_of(s->opt, s->opt->gradients, parameters);
    const pyrelu_sums sums = update(s, parameters, gradient, n, group, 1, 1);
    if (s->stage != DIRECT) return sums;
    micro_batch scale = *s;
    scale.stage = SCALE;
    return update(&scale, parameters, gradient, n, group, 1, trust_ratio(sums));
}

/* The gradient of n parameters, which is 0 where a batch begins. */
static real *gradient_of(const micro_batch *s, const real *parameters, ptrdiff_t n) {
    real *gradient = element_of(s->opt, s->opt->gradients, parameters);
    if (s->begins) memset(gradient, 0, n * sizeof(real));
    return gradient;
}

/* Gradient and update of biases, slopes or scales: their gradient is the sum of these rows. */
static pyrelu_sums unit_parameters(const micro_batch *s, real *parameters, const real *delta, ptrdiff_t rows,
                                   ptrdiff_t n, pyrelu_group group) {
    if (computes_gradient(s)) pyrelu_kernels_for(TYPE)->add_rows(delta, rows, n, gradient_of(s, parameters, n));
    return update_array(s, parameters, n, group);
}

/* Numbers of a gradient that are updated at a time, some 100 KB of a second-level cache; and rows that the product
 * computes at least, a multiple of any tile's height: each reads all of delta. */
enum { CHUNK_SIZE = 24 * 1024, CHUNK_ROWS = 24 };

static ptrdiff_t rows_per_chunk(ptrdiff_t n) {
    const ptrdiff_t rows = CHUNK_SIZE / n / CHUNK_ROWS * CHUNK_ROWS;
    return rows > CHUNK_ROWS ? rows : CHUNK_ROWS;
}

/* The bytes of a layer's weights from which on they do not stay in cache from one step to the next. */
static const ptrdiff_t PREFETCHED_FROM = 1 << 17;

/* Gradient and update of some rows of a layer's weights by a product of ours. Where the gradient is complete with this
 * micro-batch, it is computed and used in chunks at one and the same place, which so stays in cache, as do the weights
 * and the state that the product prefetches. */
static pyrelu_sums weights_in_chunks(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const optimizer *opt = s->opt;
    const int i = (int)(l - s->net->layers), complete = s->stage == FUSED && s->begins && s->ends;
    const ptrdiff_t n = l->width, stop = first + rows, each = complete ? rows_per_chunk(n) : rows;
    const int prefetches = complete && l->n_inputs * n * (ptrdiff_t)sizeof(real) >= PREFETCHED_FROM;
    const ptrdiff_t block = first / rows_per_weight_block(s, l);
    const int watched = i == 0 && watches(s);
    real *gradient = element_of(opt, opt->gradients, from(l->weights, first, n));
    const ptrdiff_t place = pyrelu_team_size(s->team) > 1 ? block : 0; /* one stays in cache */
    real *before = watched ? from(s->net->watch.weights, place, each * n) : NULL;
    pyrelu_sums sums = {0, 0};
    for (ptrdiff_t m; first < stop; first += m) {
        m = min_size(each, stop - first);
        real *weights = from(l->weights, first, n);
        const pyrelu_matrix of_inputs = transposed(inputs(s, i, 0) + first, l->n_inputs);
        product p = {m,        l->n_packed, s->rows,           of_inputs,  plain(l->packed, l->n_packed),
                     gradient, n,           .add = !s->begins, .packed = 1};
        if (prefetches) {
            p.prefetched[0] = weights;
            for (int k = 0; k < 2; k++) p.prefetched[1 + k] = element_of(opt, opt->state[k], weights);
            p.prefetched_bytes = m * n * sizeof(real);
        }
        pyrelu_kernels_for(TYPE)->gemm(&p);
        if (watched) memcpy(before, weights, m * n * sizeof(real)); /* now that they are in cache */
        if (l->n_packed < n) pyrelu_kernels_for(TYPE)->spread(gradient, m, n, l->places);
        sums = add(sums, update(s, weights, gradient, m * n, PYRELU_GROUP_weights, l->rate_factor, l->trust_ratio));
        if (watched) watch_weights(s, block, first, m, before);
    }
    return sums;
}

static pyrelu_sums weights(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const int i = (int)(l - s->net->layers);
    const ptrdiff_t n = l->input_factors ? l->width : s->net->n_members * l->width;
    real *weights = from(l->weights, first, n), *gradient = element_of(s->opt, s->opt->gradients, weights);
    if (computes_gradient(s)) {
        if (packs_delta(s, l)) return weights_in_chunks(s, l, first, rows);
        if (s->net->n_members > 1) member_weight_gradient(s, l, first, rows, gradient, !s->begins);
        else if (i == 0 && s->data->starts) {
            if (s->begins) memset(gradient, 0, rows * n * sizeof(real));
            sparse_gradient(s, first, rows, l->delta, n, gradient);
        } else
            gemm(s->net, &(product){rows, n, s->rows, transposed(inputs(s, i, 0) + first, l->n_inputs),
                                    plain(l->delta, n), gradient, n, .add = !s->begins});
    }
    return update(s, weights, gradient, rows * n, PYRELU_GROUP_weights, l->rate_factor, l->trust_ratio);
}

static ptrdiff_t weight_blocks_of(const micro_batch *s, const layer *l) {
    return ceil_div(l->n_inputs, rows_per_weight_block(s, l));
}

/* ---- the embedding: a block for the scales and the categories, then one for every few numeric columns ---- */

enum { COLUMNS_PER_BLOCK = 8 };

static ptrdiff_t embedding_blocks(const network *net) {
    const pyrelu_embedding *e = net->embedding;
    return e ? 1 + ceil_div(e->n_numeric, COLUMNS_PER_BLOCK) : 0;
}

static pyrelu_sums categorical_embeddings(const micro_batch *s) {
    const pyrelu_embedding *e = s->net->embedding;
    const ptrdiff_t n = n_levels(e) * e->level_size;
    if (computes_gradient(s)) add_level_gradients(s, gradient_of(s, e->levels, n));
    return update_array(s, e->levels, n, PYRELU_GROUP_categorical_embeddings);
}

/* Gradient and update of the embedding of numeric column j. */
static pyrelu_sums numeric_embedding(const micro_batch *s, ptrdiff_t j) {
    const pyrelu_embedding *e = s->net->embedding;
    const int learned = pyrelu_embeddings[e->embedding].learned;
    const ptrdiff_t n = e->n_features, m = e->size - 1;
    real *frequencies = from(e->frequencies, j, n), *phases = from(e->phases, j, n);
    real *weights = from(e->weights, j, n * m), *biases = from(e->biases, j, m);
    if (computes_gradient(s)) {
        const pyrelu_numeric_gradients to = {learned ? gradient_of(s, frequencies, n) : NULL,
                                             learned ? gradient_of(s, phases, n) : NULL, gradient_of(s, weights, n * m),
                                             gradient_of(s, biases, m)};
        add_numeric_gradients(s, j, &to);
    }
    const pyrelu_group group = PYRELU_GROUP_numeric_embeddings;
    pyrelu_sums sums = {0, 0};
    if (learned) sums = add(update_array(s, frequencies, n, group), update_array(s, phases, n, group));
    sums = add(sums, update_array(s, weights, n * m, group));
    return add(sums, update_array(s, biases, m, group));
}

static pyrelu_sums embedding_block(const micro_batch *s, ptrdiff_t i) {
    const pyrelu_embedding *e = s->net->embedding;
    pyrelu_sums sums = {0, 0};
    if (i == 0) {
        if (e->scales) sums = unit_parameters(s, e->scales, e->scale_delta, s->rows, e->n_outputs, PYRELU_GROUP_scales);
        return e->n_categorical ? add(sums, categorical_embeddings(s)) : sums;
    }
    const ptrdiff_t first = (i - 1) * COLUMNS_PER_BLOCK, end = min_size(first + COLUMNS_PER_BLOCK, e->n_numeric);
    for (ptrdiff_t j = first; j < end; j++) sums = add(sums, numeric_embedding(s, j));
    return sums;
}

/* ---- the factors by which members of an ensemble differ: a block for each hidden layer ---- */

static ptrdiff_t adapter_blocks(const network *net) { return net->layers->input_factors ? net->n_layers - 1 : 0; }

static pyrelu_sums adapter_block(const micro_batch *s, const layer *l) {
    const ptrdiff_t k = s->net->n_members, m = k * l->n_inputs, n = k * l->width;
    if (computes_gradient(s)) {
        add_input_factor_gradients(s, l, gradient_of(s, l->input_factors, m));
        pyrelu_kernels_for(TYPE)->add_products(l->delta, l->products, s->rows, n, gradient_of(s, l->output_factors, n));
    }
    return add(update_array(s, l->input_factors, m, PYRELU_GROUP_adapters),
               update_array(s, l->output_factors, n, PYRELU_GROUP_adapters));
}

/* Gradient and update of block i: the blocks of all layers, then those of the embedding and of the adapters. The first
 * block of a layer includes its biases and slopes. */
static pyrelu_sums weight_block_sums(const micro_batch *s, ptrdiff_t i) {
    const network *net = s->net;
    const layer *l = net->layers, *last = l + net->n_layers - 1;
    for (; l <= last && i >= weight_blocks_of(s, l); l++) i -= weight_blocks_of(s, l);
    if (l > last) {
        const ptrdiff_t n = embedding_blocks(net);
        return i < n ? embedding_block(s, i) : adapter_block(s, net->layers + (i - n));
    }
    const ptrdiff_t each = rows_per_weight_block(s, l), first = i * each;
    pyrelu_sums sums = {0, 0};
    if (i == 0) {
        const ptrdiff_t k = net->n_members;
        sums = unit_parameters(s, l->bias, l->delta, s->rows, k * l->width, PYRELU_GROUP_biases);
        if (l->slopes)
            sums = add(sums, unit_parameters(s, l->slopes, l->slope_delta, k * s->rows, l->n_outputs,
                                             PYRELU_GROUP_activations));
        if (net->alive && l < last && computes_gradient(s)) mark_alive(l, k * s->rows, flags(net, l, net->alive));
    }
    return add(sums, weights(s, l, first, min_size(each, l->n_inputs - first)));
}

/* The second phase for block i. */
static void weight_block(const micro_batch *s, ptrdiff_t i) { s->net->partial_sums[i] = weight_block_sums(s, i); }

#endif
