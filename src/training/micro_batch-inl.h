/* A micro-batch, the rows of a batch that the workspace holds at a time, and its division into blocks. */
#ifndef PYRELU_MICRO_BATCH_INL_H
#define PYRELU_MICRO_BATCH_INL_H

#include "simd/real.h"
#include "sizes.h"
#include "training/network.h"

#define TYPE (PYRELU_BITS == 32 ? PYRELU_F32 : PYRELU_F64)

typedef pyrelu_network network;
typedef pyrelu_layer layer;
typedef pyrelu_samples samples;
typedef pyrelu_optimizer optimizer;
typedef pyrelu_gemm_args product;

typedef struct {
    const network *net;
    const samples *data;
    pyrelu_team *team;
    ptrdiff_t start, rows;
    ptrdiff_t batch; /* the first row of its batch */
    optimizer *opt;  /* NULL: prediction only */
    pyrelu_step step;
    int given;        /* whether the caller computed the gradient, and the passes only update */
    int begins, ends; /* whether it is the first or the last micro-batch of its batch */
    /* What a pass over the weights does. FUSED: gradient and update at once. With gradient clipping: MEASURE (gradient
     * and its norm), then APPLY (the update). For an optimizer of scope ARRAY: MEASURE, then DIRECT (the direction of
     * the step and its norm), then SCALE (the step, in proportion to the norms of weights and direction).
     */
    enum { FUSED, MEASURE, APPLY, DIRECT, SCALE } stage;
} micro_batch;

/* Row `first` of a buffer of the micro-batch with n columns. */
static inline real *from(void *buffer, ptrdiff_t first, ptrdiff_t n) { return (real *)buffer + first * n; }

static inline pyrelu_sums add(pyrelu_sums a, pyrelu_sums b) {
    return (pyrelu_sums){a.loss + b.loss, a.gradient + b.gradient};
}

static inline ptrdiff_t sample_at(const samples *data, ptrdiff_t row) { return data->order ? data->order[row] : row; }

static inline int drops_inputs(const micro_batch *s) { return s->opt && s->net->input_dropout > 0; }

/* The inputs of the first layer. */
static inline ptrdiff_t n_inputs(const network *net) { return net->layers[0].n_inputs; }

/* Whether rows must be copied before use, because they are shuffled or dropout changes them. Dropout of embedded
 * columns changes what they become: a category times a factor would be another one. */
static inline int gathers(const micro_batch *s) {
    return !s->data->starts && (s->data->order || (drops_inputs(s) && !s->net->embedding));
}

/* The columns of the samples, from row `first` of the micro-batch on. */
static inline const real *features(const micro_batch *s, ptrdiff_t first) {
    const ptrdiff_t n = s->net->n_features;
    if (!gathers(s)) return (const real *)s->data->values + (s->start + first) * n;
    return (const real *)s->net->inputs + first * n;
}

/* The inputs of layer i, from row `first` of the micro-batch on. */
static inline const real *inputs(const micro_batch *s, int i, ptrdiff_t first) {
    const network *net = s->net;
    if (i > 0) return from(net->layers[i - 1].output, first, net->n_members * net->layers[i].n_inputs);
    if (net->embedding) return from(net->embedding->outputs, first, net->embedding->n_outputs);
    return features(s, first);
}

/* Multiply-adds that are worth a thread of their own. */
static const ptrdiff_t MIN_WORK_PER_BLOCK = 1 << 22;

/* The length of equal blocks of n rows, each of at least MIN_WORK_PER_BLOCK multiply-adds and `min_rows` rows. BLAS
 * packs an operand anew for each block, so small blocks are expensive. */
static inline ptrdiff_t block_length(ptrdiff_t n, ptrdiff_t work_per_row, ptrdiff_t min_rows) {
    const ptrdiff_t blocks = min_size(n * work_per_row / MIN_WORK_PER_BLOCK, n / min_rows);
    return blocks > 1 ? ceil_div(n, blocks) : n;
}

/* The multiply-adds that take as long as a feature of an embedding. */
enum { WORK_PER_FEATURE = 16 };

/* Multiply-adds of the forward pass for one row. */
static inline ptrdiff_t forward_work(const network *net) {
    ptrdiff_t work = 0;
    for (int i = 0; i < net->n_layers; i++) work += net->n_members * net->layers[i].n_inputs * net->layers[i].width;
    const pyrelu_embedding *e = net->embedding;
    if (e) work += e->n_numeric * e->n_features * (e->size + WORK_PER_FEATURE);
    return work;
}

/* The rows of blocks that one thread computes together: at most 1 MB of a layer of 1,024 units. */
enum { ROWS_TOGETHER = 256 };

enum { MIN_TRAINED_ROWS = 64, MIN_PREDICTED_ROWS = 256 }; /* of a block: batches are short, predictions long */

/* The parts of the first phase in training, at most, of a network that is no ensemble. */
static inline ptrdiff_t most_row_parts(ptrdiff_t rows) { return ceil_div(rows, MIN_TRAINED_ROWS); }

static inline ptrdiff_t rows_per_block(const micro_batch *s) {
    const ptrdiff_t min_rows = ceil_div(s->opt ? MIN_TRAINED_ROWS : MIN_PREDICTED_ROWS, s->net->n_members);
    return block_length(s->rows, forward_work(s->net), min_rows);
}

enum { MIN_WEIGHT_ROWS = 128 }; /* of a block */

static inline ptrdiff_t most_weight_blocks(const layer *l) { return ceil_div(l->n_inputs, MIN_WEIGHT_ROWS); }

/* A sparse first layer has at most 8 blocks, since each searches all stored values of the micro-batch. */
static inline ptrdiff_t rows_per_weight_block(const micro_batch *s, const layer *l) {
    const int sparse = l == s->net->layers && s->data->starts;
    const ptrdiff_t min_rows = sparse && l->n_inputs > 8 * MIN_WEIGHT_ROWS ? ceil_div(l->n_inputs, 8) : MIN_WEIGHT_ROWS;
    return block_length(l->n_inputs, s->net->n_members * s->rows * l->width, min_rows);
}

#endif
