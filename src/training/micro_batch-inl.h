/* A micro-batch: the rows under way, few enough to fit in the scratch memory; and the chunks that it is cut into. */
#ifndef PYRELU_MICRO_BATCH_INL_H
#define PYRELU_MICRO_BATCH_INL_H

#include "simd/real.h"
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
    pyrelu_team *team; /* that works on it */
    ptrdiff_t start, rows;
    ptrdiff_t batch; /* where its batch starts */
    optimizer *opt;  /* NULL: prediction only */
    pyrelu_step step;
    int begins, ends; /* whether the micro-batch is the first or the last of its batch */
    /* Of the update: all at once; or the gradient's norm first; or, for a row of whole arrays, the norm, then the
     * direction of the step, then the step, in proportion to the norms of the layer's weights and of their direction.
     */
    enum { FUSED, MEASURE, APPLY, DIRECT, SCALE } stage;
} micro_batch;

static inline ptrdiff_t min_size(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Rows of a buffer of the micro-batch with n columns, from `first` on. */
static inline real *from(void *buffer, ptrdiff_t first, ptrdiff_t n) { return (real *)buffer + first * n; }

static inline pyrelu_sums add(pyrelu_sums a, pyrelu_sums b) {
    return (pyrelu_sums){a.loss + b.loss, a.gradient + b.gradient};
}

static inline ptrdiff_t sample_at(const samples *data, ptrdiff_t row) { return data->order ? data->order[row] : row; }

static inline int drops_inputs(const micro_batch *s) { return s->opt && s->net->input_dropout > 0; }

/* Whether rows are copied before they are read: those of another order or without what dropout takes. */
static inline int gathers(const micro_batch *s) { return !s->data->starts && (s->data->order || drops_inputs(s)); }

/* The inputs of a layer, from some row of the micro-batch on. */
static inline const real *inputs(const micro_batch *s, int i, ptrdiff_t first) {
    const network *net = s->net;
    const ptrdiff_t n = net->layers[i].n_inputs;
    if (i > 0) return (const real *)net->layers[i - 1].output + first * n;
    if (!gathers(s)) return (const real *)s->data->values + (s->start + first) * n;
    return (const real *)net->inputs + first * n;
}

/* Multiply-adds below which a thread of its own does not pay. */
static const ptrdiff_t MIN_WORK_PER_CHUNK = 1 << 22;

/* Cuts n rows into chunks of equal length, worth MIN_WORK_PER_CHUNK and of no fewer than `least_rows` each. Returns
 * that length. BLAS packs an operand anew for each chunk, so chunks are not to be small. */
static inline ptrdiff_t chunk_length(ptrdiff_t n, ptrdiff_t work_each, ptrdiff_t least_rows) {
    const ptrdiff_t chunks = min_size(n * work_each / MIN_WORK_PER_CHUNK, n / least_rows);
    return chunks > 1 ? (n + chunks - 1) / chunks : n;
}

/* Multiply-adds forward. */
static inline ptrdiff_t work_per_row(const network *net) {
    ptrdiff_t work = 0;
    for (int i = 0; i < net->n_layers; i++) work += net->layers[i].n_inputs * net->layers[i].width;
    return work;
}

static inline ptrdiff_t rows_per_block(const micro_batch *s) {
    return chunk_length(s->rows, work_per_row(s->net),
                        s->opt ? 64 : 256); /* batches are small, and predictions plenty */
}

static inline ptrdiff_t ceil_div(ptrdiff_t rows, ptrdiff_t rows_each) { return (rows + rows_each - 1) / rows_each; }

/* For each tile of a sparse first layer, all that is stored is looked through: those are few. */
static inline ptrdiff_t rows_per_weight_block(const micro_batch *s, const layer *l) {
    const int sparse = l == s->net->layers && s->data->starts;
    return chunk_length(l->n_inputs, s->rows * l->width,
                        sparse && l->n_inputs > 8 * 128 ? ceil_div(l->n_inputs, 8) : 128);
}

#endif
