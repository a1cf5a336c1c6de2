/* What a hidden layer makes of its pre-activations, and what the gradient becomes on its way back, side by side.
 *
 * `forward` writes rows of outputs y from pre-activations z, `backward` rows of delta, the gradient with respect to z,
 * from g, that with respect to y, and what was kept: z, or y where the table's row reads that. `first` is the number of
 * the first row within the micro-batch. Those that work in place may be given y = z and delta = g.
 */
#ifndef PYRELU_TRANSFORMS_INL_H
#define PYRELU_TRANSFORMS_INL_H

#include "training/micro_batch-inl.h"

typedef struct {
    int in_place;
    void (*forward)(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y);
    void (*backward)(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *saved, const real *g, real *delta);
} transform;

static inline pyrelu_map *map_of(const layer *l, pyrelu_kind kind) {
    return pyrelu_kernels_for(TYPE)->map[l->activation][kind];
}

/* ---- elementwise: the parameters are the same for all ---- */

/* Calls a kernel with one or two arrays and then the activation's parameters. */
static void with_parameters(const layer *l, pyrelu_kind kind, const real *x, const real *g, real *out, ptrdiff_t n) {
    real values[PYRELU_MAX_PARAMETERS];
    const void *in[PYRELU_MAX_OPERANDS] = {x, g}, **parameters = in + (g ? 2 : 1);
    for (int i = 0; i < PYRELU_MAX_PARAMETERS; i++) {
        values[i] = l->parameters[i];
        parameters[i] = &values[i];
    }
    map_of(l, kind)(in, 1, out, n);
}

static void elementwise(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first;
    with_parameters(l, PYRELU_FORWARD, z, NULL, y, rows * l->width);
}

static void elementwise_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *saved, const real *g,
                             real *delta) {
    (void)first;
    with_parameters(l, PYRELU_BACKWARD, saved, g, delta, rows * l->width);
}

/* ---- prelu: a slope for each unit, or for each unit and row ---- */

static void learned_slopes(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t n = l->width;
    (void)first;
    for (; rows > 0; rows--, z += n, y += n) map_of(l, PYRELU_FORWARD)((const void *[]){z, l->slopes}, 0, y, n);
}

static void learned_slopes_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                                real *delta) {
    const ptrdiff_t n = l->width;
    real *of_slopes = (real *)l->slope_delta + first * n;
    for (; rows > 0; rows--, z += n, g += n, delta += n, of_slopes += n) {
        for (ptrdiff_t j = 0; j < n; j++) of_slopes[j] = g[j] * (z[j] < 0 ? z[j] : 0);
        map_of(l, PYRELU_VJP)((const void *[]){z, g, l->slopes}, 0, delta, n);
    }
}

static void drawn_slopes(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const real mean = (l->parameters[0] + l->parameters[1]) / 2;
    const void *slopes = l->drawn ? (real *)l->drawn + first * l->width : &mean;
    map_of(l, PYRELU_FORWARD)((const void *[]){z, slopes}, !l->drawn, y, rows * l->width);
}

static void drawn_slopes_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                              real *delta) {
    const real mean = (l->parameters[0] + l->parameters[1]) / 2;
    const void *slopes = l->drawn ? (real *)l->drawn + first * l->width : &mean;
    map_of(l, PYRELU_VJP)((const void *[]){z, g, slopes}, !l->drawn, delta, rows * l->width);
}

/* ---- softmax and its kin ---- */

static void rowwise(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    pyrelu_rowwise *f = pyrelu_kernels_for(TYPE)->rowwise[l->activation][0];
    (void)first;
    f((const void *[]){z}, y, rows, l->width);
}

static void rowwise_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g, real *delta) {
    pyrelu_rowwise *vjp = pyrelu_kernels_for(TYPE)->rowwise[l->activation][1];
    (void)first;
    vjp((const void *[]){z, g}, delta, rows, l->width);
}

/* ---- glu and its kin: y = a * gate(b) where z = (a, b) ---- */

static void gated(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t n = l->n_outputs;
    (void)first;
    for (; rows > 0; rows--, z += 2 * n, y += n) {
        with_parameters(l, PYRELU_FORWARD, z + n, NULL, y, n);
        for (ptrdiff_t j = 0; j < n; j++) y[j] *= z[j];
    }
}

static void gated_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g, real *delta) {
    const ptrdiff_t n = l->n_outputs;
    (void)first;
    for (; rows > 0; rows--, z += 2 * n, g += n, delta += 2 * n) {
        with_parameters(l, PYRELU_FORWARD, z + n, NULL, delta, n);
        for (ptrdiff_t j = 0; j < n; j++) {
            delta[j] *= g[j];
            delta[n + j] = z[j] * g[j];
        }
        with_parameters(l, PYRELU_VJP, z + n, delta + n, delta + n, n);
    }
}

/* ---- maxout: the gradient goes to the largest, the first of equals ---- */

static inline int wins(real challenger, real best) { return (challenger > best) | (challenger != challenger); }

static void maxout(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t pieces = l->width / l->n_outputs, n = rows * l->n_outputs;
    (void)first;
    for (ptrdiff_t i = 0; i < n; i++, z += pieces) {
        real best = z[0];
        for (ptrdiff_t k = 1; k < pieces; k++) best = wins(z[k], best) ? z[k] : best;
        y[i] = best;
    }
}

static void maxout_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g, real *delta) {
    const ptrdiff_t pieces = l->width / l->n_outputs, n = rows * l->n_outputs;
    (void)first;
    for (ptrdiff_t i = 0; i < n; i++, z += pieces, delta += pieces) {
        real best = z[0];
        ptrdiff_t winner = 0;
        for (ptrdiff_t k = 1; k < pieces; k++) {
            const int won = wins(z[k], best) & (best == best);
            winner = won ? k : winner;
            best = won ? z[k] : best;
        }
        for (ptrdiff_t k = 0; k < pieces; k++) delta[k] = k == winner ? g[i] : 0;
    }
}

/* ---- the caller's own ---- */

static void called(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first;
    l->call(l->context, 0, z, y, rows, l->width);
}

static void called_back(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g, real *delta) {
    (void)first;
    l->call(l->context, 1, z, delta, rows, l->width);
    for (ptrdiff_t i = 0; i < rows * l->width; i++) delta[i] *= g[i];
}

/* ---- the output layer's; its gradient is the loss's business ---- */

static void softmax(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first, (void)z; /* in place always */
    pyrelu_kernels_for(TYPE)->softmax_rows(y, rows, l->width);
}

static const transform transforms[PYRELU_N_TRANSFORMS] = {
    [PYRELU_ELEMENTWISE] = {1, elementwise, elementwise_back},
    [PYRELU_LEARNED_SLOPES] = {1, learned_slopes, learned_slopes_back},
    [PYRELU_DRAWN_SLOPES] = {1, drawn_slopes, drawn_slopes_back},
    [PYRELU_ROWWISE] = {0, rowwise, rowwise_back},
    [PYRELU_GATED] = {0, gated, gated_back},
    [PYRELU_MAXOUT] = {0, maxout, maxout_back},
    [PYRELU_CALLED] = {0, called, called_back},
    [PYRELU_SOFTMAX] = {1, softmax, NULL},
};

/* What the backward pass of a layer is given beside the gradient. */
static inline int saves_input(const layer *l) {
    return l->transform != PYRELU_ELEMENTWISE || pyrelu_activations[l->activation].reads == 'X';
}

#endif
