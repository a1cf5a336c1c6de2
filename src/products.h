/* The matrix products: by BLAS, or for the first layer's sparse rows at the cost of what is stored. */
#ifndef PYRELU_PRODUCTS_H
#define PYRELU_PRODUCTS_H

#include "dropout.h"
#include "slice.h"

/* C = A B + beta C, where C has m rows and n columns, and k is summed over. BLAS thinks in columns: to it, the memory
 * of a matrix holds the transpose, and so it is asked for C' = B' A' + beta C'. */
static inline void multiply(const network *net, char *transpose_a, char *transpose_b, ptrdiff_t m, ptrdiff_t n,
                            ptrdiff_t k, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb, real beta,
                            real *c) {
    typedef void gemm(char *, char *, int *, int *, int *, real *, real *, int *, real *, int *, real *, real *, int *);
    int M = m, N = n, K = k, LDA = lda, LDB = ldb;
    real one = 1;
    ((gemm *)net->gemm)(transpose_b, transpose_a, &N, &M, &K, &one, (real *)b, &LDB, (real *)a, &LDA, &beta, c, &N);
}

/* The k-th stored value, of a row of the slice, or 0 where dropout takes it. */
static inline real stored(const slice *s, ptrdiff_t row, ptrdiff_t k) {
    const real value = ((const real *)s->data->values)[k];
    return drops_inputs(s) ? value * input_multiplier(s, row, s->data->columns[k]) : value;
}

static inline void add_multiple(real *restrict y, real a, const real *restrict x, ptrdiff_t n) {
    for (ptrdiff_t j = 0; j < n; j++) y[j] += a * x[j];
}

/* z += X W for `rows` rows of the slice, from `first` on */
static inline void sparse_forward(const slice *s, ptrdiff_t first, ptrdiff_t rows, const real *weights, ptrdiff_t n,
                                  real *z) {
    const samples *data = s->data;
    for (ptrdiff_t row = 0; row < rows; row++) {
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        for (ptrdiff_t k = data->starts[sample]; k < data->starts[sample + 1]; k++)
            add_multiple(z + row * n, stored(s, first + row, k), weights + data->columns[k] * n, n);
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
                add_multiple(gradient + column * n, stored(s, row, k), delta + row * n, n);
        }
    }
}

#endif
