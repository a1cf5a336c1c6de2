/* Matrix products: by our gemm or BLAS, and for a sparse first layer by a loop over the stored values. */
#ifndef PYRELU_PRODUCTS_INL_H
#define PYRELU_PRODUCTS_INL_H

#include "training/dropout-inl.h"
#include "training/micro_batch-inl.h"

/* Multiply-adds up to which our gemm is at least as fast as OpenBLAS with the same instruction set, as measured by
 * tools/products for SSE2, AVX2 and AVX-512 (docs/performance.md). */
#ifdef __x86_64__
static const double MAX_OWN_WORK = 1 << 28;
#else
static const double MAX_OWN_WORK = 1 << 18; /* not measured: up to here, BLAS spends its time on the call itself */
#endif

static inline pyrelu_matrix plain(const void *values, ptrdiff_t stride) { return (pyrelu_matrix){values, stride, 0}; }

static inline pyrelu_matrix transposed(const void *values, ptrdiff_t stride) {
    return (pyrelu_matrix){values, stride, 1};
}

/* BLAS matrices are column-major: in its eyes our C is C', which is B' A'. */
static inline void gemm_by_blas(void (*function)(void), const product *p) {
    typedef void blas_gemm(char *, char *, int *, int *, int *, real *, const real *, int *, const real *, int *,
                           real *, real *, int *);
    int m = p->m, n = p->n, k = p->k, a = p->a.stride, b = p->b.stride, c = p->c_stride;
    real one = 1, beta = p->add || p->bias;
    if (p->bias && !p->add)
        for (ptrdiff_t i = 0; i < p->m; i++) memcpy((real *)p->c + i * p->c_stride, p->bias, p->n * sizeof(real));
    ((blas_gemm *)function)(p->b.transposed ? "T" : "N", p->a.transposed ? "T" : "N", &n, &m, &k, &one, p->b.values, &b,
                            p->a.values, &a, &beta, p->c, &c);
}

static inline int exceeds_own_gemm(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) { return (double)m * n * k > MAX_OWN_WORK; }

static inline void gemm(const network *net, const product *p) {
    if (exceeds_own_gemm(p->m, p->n, p->k)) gemm_by_blas(net->blas_gemm, p);
    else pyrelu_kernels_for(TYPE)->gemm(p);
}

/* Whether the gradient of a layer's weights is one product of ours, which takes delta packed. */
static inline int packs_delta(const micro_batch *s, const layer *l) {
    if (s->net->n_members > 1 || (l == s->net->layers && s->data->starts)) return 0;
    return !exceeds_own_gemm(rows_per_weight_block(s, l), l->width, s->rows);
}

/* Whether columns of delta that are 0 may be left out of that product. To add their gradient to what is there could
 * turn -0 into 0. The output layer has none. */
static inline int may_leave_out_columns(const micro_batch *s, const layer *l) {
    return s->begins && l < s->net->layers + s->net->n_layers - 1;
}

/* Packs the rows of delta once for all blocks of weights, while they are in cache, and looks what of it is not 0. */
static inline void pack_delta(const micro_batch *s, const layer *l, ptrdiff_t part, ptrdiff_t first, ptrdiff_t rows) {
    if (!packs_delta(s, l)) return;
    const pyrelu_kernels *kernels = pyrelu_kernels_for(TYPE);
    const real *delta = from(l->delta, first, l->width);
    kernels->pack_rows(delta, l->width, first, rows, s->rows, l->packed);
    if (!may_leave_out_columns(s, l)) return;
    real *found = from(l->column_bits, part, l->width);
    memset(found, 0, l->width * sizeof(real));
    kernels->or_rows(delta, rows, l->width, found);
}

/* The k-th stored value, which belongs to this row of the micro-batch, after input dropout. */
static inline real stored_value(const micro_batch *s, ptrdiff_t row, ptrdiff_t k) {
    const real value = ((const real *)s->data->values)[k];
    return drops_inputs(s) ? value * input_multiplier(s, row, s->data->columns[k]) : value;
}

/* z = X W + bias for `rows` rows of the micro-batch, from `first` on */
static inline void sparse_forward(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows, const real *weights,
                                  const real *bias, ptrdiff_t n, real *z) {
    const samples *data = s->data;
    void (*const add_multiple)(double, const void *, void *, ptrdiff_t) = pyrelu_kernels_for(TYPE)->add_multiple;
    for (ptrdiff_t row = 0; row < rows; row++) {
        memcpy(z + row * n, bias, n * sizeof(real));
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        for (ptrdiff_t k = data->starts[sample]; k < data->starts[sample + 1]; k++)
            add_multiple(stored_value(s, first + row, k), weights + data->columns[k] * n, z + row * n, n);
    }
}

/* gradient += X' delta for `rows` rows of X', from `first` on */
static inline void sparse_gradient(const micro_batch *s, ptrdiff_t first, ptrdiff_t rows, const real *delta,
                                   ptrdiff_t n, real *gradient) {
    const samples *data = s->data;
    void (*const add_multiple)(double, const void *, void *, ptrdiff_t) = pyrelu_kernels_for(TYPE)->add_multiple;
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        const ptrdiff_t sample = sample_at(data, s->start + row);
        for (ptrdiff_t k = data->starts[sample]; k < data->starts[sample + 1]; k++) {
            const ptrdiff_t column = data->columns[k] - first;
            if (column >= 0 && column < rows)
                add_multiple(stored_value(s, row, k), delta + row * n, gradient + column * n, n);
        }
    }
}

#endif
