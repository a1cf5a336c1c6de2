/* How each layer turns its pre-activations into outputs, and the gradient back, side by side.
 *
 * `forward` writes outputs y from pre-activations z. `backward` writes delta, the gradient with respect to z, from g,
 * the gradient with respect to y, and the saved array: z, or y if the table's row reads Y. `first` is the index of the
 * first row in the micro-batch. A transform with `in_place` set accepts y = z and delta = g.
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

/* ---- elementwise, with the same parameters for all units ---- */

/* Calls a kernel with one or two arrays and the activation's parameters. */
static void call_kernel(const layer *l, pyrelu_kind kind, const real *x, const real *g, real *out, ptrdiff_t n) {
    real values[PYRELU_MAX_PARAMETERS];
    const void *in[PYRELU_MAX_OPERANDS] = {x, g}, **parameters = in + (g ? 2 : 1);
    for (int i = 0; i < PYRELU_MAX_PARAMETERS; i++) {
        values[i] = l->parameters[i];
        parameters[i] = &values[i];
    }
    map_of(l, kind)(in, 1, out, n);
}

static void elementwise_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first;
    call_kernel(l, PYRELU_FORWARD, z, NULL, y, rows * l->width);
}

static void elementwise_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *saved, const real *g,
                                 real *delta) {
    (void)first;
    call_kernel(l, PYRELU_BACKWARD, saved, g, delta, rows * l->width);
}

/* ---- prelu with a slope per unit, and rrelu with a slope per unit and row ---- */

static void learned_slopes_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t n = l->width;
    (void)first;
    for (; rows > 0; rows--, z += n, y += n) map_of(l, PYRELU_FORWARD)((const void *[]){z, l->slopes}, 0, y, n);
}

static void learned_slopes_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                                    real *delta) {
    const ptrdiff_t n = l->width;
    real *of_slopes = (real *)l->slope_delta + first * n;
    for (; rows > 0; rows--, z += n, g += n, delta += n, of_slopes += n) {
        for (ptrdiff_t j = 0; j < n; j++) of_slopes[j] = g[j] * (z[j] < 0 ? z[j] : 0);
        map_of(l, PYRELU_VJP)((const void *[]){z, g, l->slopes}, 0, delta, n);
    }
}

static void drawn_slopes_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const real mean = (l->parameters[0] + l->parameters[1]) / 2;
    const void *slopes = l->drawn ? (real *)l->drawn + first * l->width : &mean;
    map_of(l, PYRELU_FORWARD)((const void *[]){z, slopes}, !l->drawn, y, rows * l->width);
}

static void drawn_slopes_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                                  real *delta) {
    const real mean = (l->parameters[0] + l->parameters[1]) / 2;
    const void *slopes = l->drawn ? (real *)l->drawn + first * l->width : &mean;
    map_of(l, PYRELU_VJP)((const void *[]){z, g, slopes}, !l->drawn, delta, rows * l->width);
}

/* ---- z + a (f(z) - z), with an a per unit ---- */

enum { PARAMETRIC_CHUNK = 256 }; /* units at a time */

static void parametric_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t n = l->width;
    real *change = l->slope_delta ? (real *)l->slope_delta + first * n : NULL; /* f(z) - z, for the backward pass */
    for (; rows > 0; rows--, z += n, y += n, change += change ? n : 0)
        for (ptrdiff_t j = 0; j < n; j += PARAMETRIC_CHUNK) {
            const ptrdiff_t m = min_size(PARAMETRIC_CHUNK, n - j);
            const real *a = (const real *)l->slopes + j;
            real buffer[PARAMETRIC_CHUNK], *d = change ? change + j : buffer;
            call_kernel(l, PYRELU_FORWARD, z + j, NULL, d, m);
            pyrelu_kernels_for(TYPE)->mix(z + j, a, d, y + j, m);
        }
}

static void parametric_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                                real *delta) {
    const ptrdiff_t n = l->width;
    real *change = (real *)l->slope_delta + first * n; /* becomes its product with g */
    for (; rows > 0; rows--, z += n, g += n, delta += n, change += n)
        for (ptrdiff_t j = 0; j < n; j += PARAMETRIC_CHUNK) {
            const ptrdiff_t m = min_size(PARAMETRIC_CHUNK, n - j);
            const real *a = (const real *)l->slopes + j;
            real vjp[PARAMETRIC_CHUNK];
            call_kernel(l, PYRELU_VJP, z + j, g + j, vjp, m);
            pyrelu_kernels_for(TYPE)->mix_backward(g + j, a, vjp, change + j, delta + j, m);
        }
}

/* ---- softmax and other functions of a row ---- */

static void rowwise_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    pyrelu_rowwise *f = pyrelu_kernels_for(TYPE)->rowwise[l->activation][0];
    (void)first;
    f((const void *[]){z}, y, rows, l->width);
}

static void rowwise_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                             real *delta) {
    pyrelu_rowwise *vjp = pyrelu_kernels_for(TYPE)->rowwise[l->activation][1];
    (void)first;
    vjp((const void *[]){z, g}, delta, rows, l->width);
}

/* ---- glu and its variants: y = a * gate(b) for z = (a, b) ---- */

static void glu_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t n = l->n_outputs;
    (void)first;
    for (; rows > 0; rows--, z += 2 * n, y += n) {
        call_kernel(l, PYRELU_FORWARD, z + n, NULL, y, n);
        for (ptrdiff_t j = 0; j < n; j++) y[j] *= z[j];
    }
}

static void glu_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g, real *delta) {
    const ptrdiff_t n = l->n_outputs;
    (void)first;
    for (; rows > 0; rows--, z += 2 * n, g += n, delta += 2 * n) {
        call_kernel(l, PYRELU_FORWARD, z + n, NULL, delta, n);
        for (ptrdiff_t j = 0; j < n; j++) {
            delta[j] *= g[j];
            delta[n + j] = z[j] * g[j];
        }
        call_kernel(l, PYRELU_VJP, z + n, delta + n, delta + n, n);
    }
}

/* ---- maxout: the gradient goes to the largest piece, and to the first of equal ones ---- */

static inline int wins(real challenger, real best) { return (challenger > best) | (challenger != challenger); }

static void maxout_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    const ptrdiff_t pieces = l->width / l->n_outputs, n = rows * l->n_outputs;
    (void)first;
    for (ptrdiff_t i = 0; i < n; i++, z += pieces) {
        real best = z[0];
        for (ptrdiff_t k = 1; k < pieces; k++) best = wins(z[k], best) ? z[k] : best;
        y[i] = best;
    }
}

static void maxout_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                            real *delta) {
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

static void called_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first;
    l->call(l->context, 0, z, y, rows, l->width);
}

static void called_backward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, const real *g,
                            real *delta) {
    (void)first;
    l->call(l->context, 1, z, delta, rows, l->width);
    for (ptrdiff_t i = 0; i < rows * l->width; i++) delta[i] *= g[i];
}

/* ---- the output layer; the loss computes its gradient ---- */

static void softmax_forward(const layer *l, ptrdiff_t first, ptrdiff_t rows, const real *z, real *y) {
    (void)first, (void)z; /* always in place */
    pyrelu_kernels_for(TYPE)->softmax_rows(y, rows, l->width);
}

static const transform transforms[PYRELU_N_TRANSFORMS] = {
    [PYRELU_ELEMENTWISE] = {1, elementwise_forward, elementwise_backward},
    [PYRELU_LEARNED_SLOPES] = {1, learned_slopes_forward, learned_slopes_backward},
    [PYRELU_PARAMETRIC] = {1, parametric_forward, parametric_backward},
    [PYRELU_DRAWN_SLOPES] = {1, drawn_slopes_forward, drawn_slopes_backward},
    [PYRELU_ROWWISE] = {0, rowwise_forward, rowwise_backward},
    [PYRELU_GATED] = {0, glu_forward, glu_backward},
    [PYRELU_MAXOUT] = {0, maxout_forward, maxout_backward},
    [PYRELU_CALLED] = {0, called_forward, called_backward},
    [PYRELU_SOFTMAX] = {1, softmax_forward, NULL},
};

/* Whether the backward pass of a layer needs its pre-activations rather than its outputs. */
static inline int saves_input(const layer *l) {
    return l->transform != PYRELU_ELEMENTWISE || pyrelu_activations[l->activation].reads == 'X';
}

#endif
