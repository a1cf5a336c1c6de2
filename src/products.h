/* The matrix products: by BLAS, or for the first layer's sparse rows at the cost of what is stored. */
#ifndef PYRELU_PRODUCTS_H
#define PYRELU_PRODUCTS_H

#include "slice.h"

/* Multiply-adds up to which our own loops are as fast as BLAS or faster; see docs/performance.md. */
static const double LIMIT = 1 << 27;

/* BLAS thinks in columns: to it, the memory of a matrix holds the transpose, and so it is asked for C' = B' A' + C'. */
static inline void multiply_by_blas(void (*function)(void), const pyrelu_product *p) {
    typedef void gemm(char *, char *, int *, int *, int *, real *, const real *, int *, const real *, int *, real *,
                      real *, int *);
    int m = p->m, n = p->n, k = p->k, lda = p->lda, ldb = p->ldb, ldc = p->ldc;
    real one = 1, beta = p->add || p->bias;
    if (p->bias && !p->add)
        for (ptrdiff_t i = 0; i < p->m; i++) memcpy((real *)p->c + i * p->ldc, p->bias, p->n * sizeof(real));
    ((gemm *)function)(p->transpose_b ? "T" : "N", p->transpose_a ? "T" : "N", &n, &m, &k, &one, p->b, &ldb, p->a, &lda,
                       &beta, p->c, &ldc);
}

static inline void multiply(const network *net, const pyrelu_product *p) {
    if ((double)p->m * p->n * p->k <= LIMIT) pyrelu_kernels_for(TYPE)->multiply(p);
    else multiply_by_blas(net->gemm, p);
}

static inline void add_multiple(real *restrict y, real a, const real *restrict x, ptrdiff_t n) {
    for (ptrdiff_t j = 0; j < n; j++) y[j] += a * x[j];
}

/* z = X W + bias for `rows` rows of the slice, from `first` on */
static inline void sparse_forward(const slice *s, ptrdiff_t first, ptrdiff_t rows, const real *weights,
                                  const real *bias, ptrdiff_t n, real *z) {
    const samples *data = s->data;
    for (ptrdiff_t row = 0; row < rows; row++) {
        memcpy(z + row * n, bias, n * sizeof(real));
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        for (ptrdiff_t k = data->starts[sample]; k < data->starts[sample + 1]; k++)
            add_multiple(z + row * n, ((const real *)data->values)[k], weights + data->columns[k] * n, n);
    }
}

/* gradient += X' delta for `rows` rows of X', from `first` on */
static inline void sparse_gradient(const slice *s, ptrdiff_t first, ptrdiff_t rows, const real *delta, ptrdiff_t n,
                                   real *gradient) {
    const samples *data = s->data;
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        const ptrdiff_t sample = sample_at(data, s->start + row);
        for (ptrdiff_t k = data->starts[sample]; k < data->starts[sample + 1]; k++) {
            const ptrdiff_t column = data->columns[k] - first;
            if (column >= 0 && column < rows)
                add_multiple(gradient + column * n, ((const real *)data->values)[k], delta + row * n, n);
        }
    }
}

#endif
