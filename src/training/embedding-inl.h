/* From the columns of the samples to the inputs of the first layer, and the gradient back. */
#ifndef PYRELU_EMBEDDING_INL_H
#define PYRELU_EMBEDDING_INL_H

#include "training/micro_batch-inl.h"

/* Where the inputs that are embeddings of categories begin. */
static inline ptrdiff_t first_level_input(const pyrelu_embedding *e) { return e->n_numeric * e->size + e->n_plain; }

/* The levels of all categorical columns together. */
static inline ptrdiff_t n_levels(const pyrelu_embedding *e) {
    ptrdiff_t n = 0;
    for (ptrdiff_t j = 0; j < e->n_categorical; j++) n += e->n_levels[j];
    return n;
}

/* A sample's number as a level; 0 for what is none, since what the samples hold is not checked. */
static inline ptrdiff_t level_of(real x, ptrdiff_t levels) {
    const ptrdiff_t level = x >= 0 && x < levels ? (ptrdiff_t)x : 0;
    return level == x ? level : 0;
}

/* The embedding of numeric column j. */
static inline pyrelu_numeric_embedding numeric_column(const pyrelu_embedding *e, ptrdiff_t j) {
    const ptrdiff_t n = e->n_features, m = e->size - 1;
    return (pyrelu_numeric_embedding){n,
                                      e->size,
                                      from(e->frequencies, j, n),
                                      from(e->phases, j, n),
                                      from(e->weights, j, n * m),
                                      from(e->biases, j, m)};
}

/* Embeds `rows` rows of the micro-batch, from `first` on. */
static void embed(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows) {
    const pyrelu_embedding *e = s->net->embedding;
    const ptrdiff_t n = s->net->n_features, m = e->n_outputs, size = e->size;
    const real *x = features(s, first);
    real *y = from(e->embedded, first, m);
    for (ptrdiff_t j = 0; j < e->n_numeric; j++) {
        const pyrelu_numeric_embedding of_column = numeric_column(e, j);
        pyrelu_kernels_for(TYPE)->embed[e->embedding](&of_column, x + e->numeric[j], n, rows, y + j * size, m);
    }
    for (ptrdiff_t row = 0; row < rows; row++)
        for (ptrdiff_t j = 0; j < e->n_plain; j++) y[row * m + e->n_numeric * size + j] = x[row * n + e->plain[j]];
    const real *levels = e->levels;
    for (ptrdiff_t j = 0, at = first_level_input(e); j < e->n_categorical; j++, at += e->level_size) {
        for (ptrdiff_t row = 0; row < rows; row++)
            memcpy(y + row * m + at, levels + level_of(x[row * n + e->categorical[j]], e->n_levels[j]) * e->level_size,
                   e->level_size * sizeof(real));
        levels += e->n_levels[j] * e->level_size;
    }
    if (!e->scales) return;
    pyrelu_kernels_for(TYPE)->scale_rows(y, e->scales, rows, m, from(e->outputs, first, m));
}

/* Turns the gradient with respect to the outputs into that with respect to what is scaled, and writes each row's
 * contribution to the gradient of the scales. */
static void scale_backward(const pyrelu_embedding *e, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t m = e->n_outputs;
    real *g = from(e->gradient, first, m), *of_scales = from(e->scale_delta, first, m);
    pyrelu_kernels_for(TYPE)->scale_rows(from(e->embedded, first, m), g, 1, rows * m, of_scales); /* as one row */
    pyrelu_kernels_for(TYPE)->scale_rows(g, e->scales, rows, m, g);
}

/* Adds to the gradient of the levels. */
static void add_level_gradients(const micro_batch *s, real *gradient) {
    const pyrelu_embedding *e = s->net->embedding;
    const ptrdiff_t n = s->net->n_features, m = e->n_outputs, size = e->level_size;
    const real *x = features(s, 0), *g = (const real *)e->gradient + first_level_input(e);
    for (ptrdiff_t j = 0; j < e->n_categorical; j++, g += size) {
        for (ptrdiff_t row = 0; row < s->rows; row++) {
            real *level = gradient + level_of(x[row * n + e->categorical[j]], e->n_levels[j]) * size;
            for (ptrdiff_t k = 0; k < size; k++) level[k] += g[row * m + k];
        }
        gradient += e->n_levels[j] * size;
    }
}

/* Adds to the gradients of the embedding of numeric column j. */
static void add_numeric_gradients(const micro_batch *s, ptrdiff_t j, const pyrelu_numeric_gradients *to) {
    const pyrelu_embedding *e = s->net->embedding;
    const pyrelu_numeric_embedding of_column = numeric_column(e, j);
    pyrelu_kernels_for(TYPE)->embed_backward[e->embedding](&of_column, features(s, 0) + e->numeric[j],
                                                           s->net->n_features, s->rows,
                                                           (const real *)e->gradient + j * e->size, e->n_outputs, to);
}

#endif
