/* What units of the first layer can at most have become: upper bounds of their pre-activations of all rows seen in an
 * epoch, with the parameters as they are at its end.
 *
 * A row's pre-activation is known when its batch is computed. Each later update changes it by the row times the change
 * of the weights, of which each term is at most what the lowest or highest number of that column makes of it.
 */
#ifndef PYRELU_WATCH_INL_H
#define PYRELU_WATCH_INL_H

#include "training/micro_batch-inl.h"
#include "training/products-inl.h"

/* Columns up to which sums of as many terms are accurate enough. */
enum { MAX_WATCHED = 1 << 13 };

static inline int watchable(const network *net) {
    return net->n_members == 1 && net->layers->n_inputs <= MAX_WATCHED && !net->embedding;
}

/* Whether a batch can be watched: its rows as they are, and each weight updated once, where its gradient is computed.
 */
static inline int watches(const micro_batch *s) {
    return s->net->watch.tops && watchable(s->net) && s->opt && s->stage == FUSED && s->begins && s->ends &&
           !drops_inputs(s) && packs_delta(s, s->net->layers);
}

static inline ptrdiff_t n_watched_blocks(const micro_batch *s) {
    return ceil_div(s->net->layers->n_inputs, rows_per_weight_block(s, s->net->layers));
}

/* Takes in the pre-activations of some rows. */
static inline void watch_rows(const micro_batch *s, ptrdiff_t part, ptrdiff_t rows, const real *z) {
    const ptrdiff_t n = s->net->layers->width;
    real *tops = from(s->net->watch.peaks, part, n);
    for (ptrdiff_t j = 0; j < n; j++) tops[j] = -R_INF;
    pyrelu_kernels_for(TYPE)->max_rows(z, rows, n, tops);
}

/* Rises, then sizes, that a block of weights makes. */
static inline real *rises_of_block(const micro_batch *s, ptrdiff_t block) {
    return from(s->net->watch.rises, block, 2 * s->net->layers->width);
}

/* Takes in the update of `rows` rows of the weights, from `first` on, which belong to this block. */
static inline void watch_weights(const micro_batch *s, ptrdiff_t block, ptrdiff_t first, ptrdiff_t rows,
                                 const real *before) {
    const layer *l = s->net->layers;
    const pyrelu_watch *watch = &s->net->watch;
    real *rises = rises_of_block(s, block);
    pyrelu_kernels_for(TYPE)->add_rises(before, from(l->weights, first, l->width), (const real *)watch->lows + first,
                                        (const real *)watch->highs + first, rows, l->width, rises, rises + l->width);
}

static void begin_watch(const micro_batch *s) {
    const layer *l = s->net->layers;
    memset(s->net->watch.rises, 0, n_watched_blocks(s) * 2 * l->width * sizeof(real));
    memcpy(s->net->watch.bias, l->bias, l->width * sizeof(real));
}

/* Makes of the bounds of earlier rows, and the pre-activations of these, bounds for the parameters as they are now. */
static void end_watch(const micro_batch *s, ptrdiff_t n_parts) {
    const layer *l = s->net->layers;
    const pyrelu_watch *watch = &s->net->watch;
    const ptrdiff_t n = l->width;
    const real *bias = l->bias, *before = watch->bias;
    real *rises = rises_of_block(s, 0), *sizes = rises + n;
    for (ptrdiff_t block = 1; block < n_watched_blocks(s); block++) {
        const real *more = rises_of_block(s, block);
        for (ptrdiff_t j = 0; j < 2 * n; j++) rises[j] += more[j];
    }
    pyrelu_kernels_for(TYPE)->max_rows(from(watch->peaks, 1, n), n_parts - 1, n, watch->peaks);
    for (ptrdiff_t j = 0; j < n; j++) {
        const double peak = ((const real *)watch->peaks)[j], top = watch->tops[j];
        const double size = sizes[j] + fmax(fabs(bias[j]), fabs(before[j]));
        watch->tops[j] = (peak > top ? peak : top) + ((double)bias[j] - before[j] + rises[j]);
        if (!(size <= watch->sizes[j]) && !isnan(watch->sizes[j])) watch->sizes[j] = size;
    }
}

/* Bounds nothing any more. */
static void give_up_watch(const network *net) {
    for (ptrdiff_t j = 0; j < net->layers->width; j++) net->watch.tops[j] = net->watch.sizes[j] = INFINITY;
}

#endif
