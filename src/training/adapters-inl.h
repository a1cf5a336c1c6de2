/* The members of an ensemble that shares weights: what each has of its own, and how its products with the weights
 * differ.
 *
 * A hidden layer has rank-one adapters (BatchEnsemble, arXiv:2002.06715; TabM, arXiv:2410.24210): factors of a member's
 * inputs and of the products. The products of all members with the shared weights are one matrix product, of a row for
 * each row of the micro-batch and each member. In the output layer, each member has weights of its own.
 */
#ifndef PYRELU_ADAPTERS_INL_H
#define PYRELU_ADAPTERS_INL_H

#include "training/micro_batch-inl.h"
#include "training/products-inl.h"

static inline int layer_number(const micro_batch *s, const layer *l) { return (int)(l - s->net->layers); }

/* z = (x * input factors) W * output factors + bias for `rows` rows of the micro-batch, from `first` on, and all
 * members; in the output layer z = x W + bias with the member's own W. */
static void member_products(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows, real *z) {
    const ptrdiff_t k = s->net->n_members, m = l->n_inputs, n = l->width;
    const real *x = inputs(s, layer_number(s, l), first);
    if (!l->input_factors) {
        for (ptrdiff_t j = 0; j < k; j++)
            gemm(s->net, &(product){rows, n, m, plain(x + j * m, k * m), plain((real *)l->weights + j * n, k * n),
                                    z + j * n, k * n, .bias = (real *)l->bias + j * n});
        return;
    }
    real *adapted = from(l->adapted, first, k * m), *products = from(l->products, first, k * n);
    if (l == s->net->layers)
        for (ptrdiff_t row = 0; row < rows; row++)
            pyrelu_kernels_for(TYPE)->scale_rows(l->input_factors, x + row * m, k, m, adapted + row * k * m);
    else pyrelu_kernels_for(TYPE)->scale_rows(x, l->input_factors, rows, k * m, adapted);
    gemm(s->net, &(product){k * rows, n, m, plain(adapted, m), plain(l->weights, n), products, n, .bias = NULL});
    pyrelu_kernels_for(TYPE)->scale_and_shift(products, l->output_factors, l->bias, rows, k * n, z);
}

/* Writes the gradient with respect to the inputs, unless `gradient` is NULL, and to the products and adapted inputs. */
static void member_products_backward(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows,
                                     real *gradient) {
    const ptrdiff_t k = s->net->n_members, m = l->n_inputs, n = l->width;
    const real *delta = from(l->delta, first, k * n);
    if (!l->input_factors) {
        for (ptrdiff_t j = 0; j < k; j++)
            gemm(s->net,
                 &(product){rows, m, n, plain(delta + j * n, k * n), transposed((real *)l->weights + j * n, k * n),
                            gradient + j * m, k * m, .bias = NULL});
        return;
    }
    real *adapted_delta = from(l->adapted_delta, first, k * m), *product_delta = from(l->product_delta, first, k * n);
    pyrelu_kernels_for(TYPE)->scale_rows(delta, l->output_factors, rows, k * n, product_delta);
    gemm(s->net, &(product){k * rows, m, n, plain(product_delta, n), transposed(l->weights, n), adapted_delta, m,
                            .bias = NULL});
    if (!gradient) return;
    if (l > s->net->layers) {
        pyrelu_kernels_for(TYPE)->scale_rows(adapted_delta, l->input_factors, rows, k * m, gradient);
        return;
    }
    memset(gradient, 0, rows * m * sizeof(real));
    for (ptrdiff_t row = 0; row < rows; row++)
        pyrelu_kernels_for(TYPE)->add_products(adapted_delta + row * k * m, l->input_factors, k, m, gradient + row * m);
}

/* Adds to the gradient of the factors of the inputs. */
static void add_input_factor_gradients(const micro_batch *s, const layer *l, real *gradient) {
    const ptrdiff_t k = s->net->n_members, m = l->n_inputs;
    const real *x = inputs(s, layer_number(s, l), 0), *delta = l->adapted_delta;
    if (l > s->net->layers) {
        pyrelu_kernels_for(TYPE)->add_products(delta, x, s->rows, k * m, gradient);
        return;
    }
    for (ptrdiff_t row = 0; row < s->rows; row++, x += m, delta += k * m)
        for (ptrdiff_t j = 0; j < k; j++)
            pyrelu_kernels_for(TYPE)->add_products(delta + j * m, x, 1, m, gradient + j * m);
}

/* gradient = the gradient of `rows` rows of the weights, from `first` on; or is added, if `adds`. */
static void member_weight_gradient(const micro_batch *s, const layer *l, ptrdiff_t first, ptrdiff_t rows,
                                   real *gradient, int adds) {
    const ptrdiff_t k = s->net->n_members, m = l->n_inputs, n = l->width;
    if (l->input_factors) {
        gemm(s->net, &(product){rows, n, k * s->rows, transposed((real *)l->adapted + first, m),
                                plain(l->product_delta, n), gradient, n, .add = adds});
        return;
    }
    const real *x = inputs(s, layer_number(s, l), 0) + first;
    for (ptrdiff_t j = 0; j < k; j++)
        gemm(s->net, &(product){rows, n, s->rows, transposed(x + j * m, k * m), plain((real *)l->delta + j * n, k * n),
                                gradient + j * n, k * n, .add = adds});
}

#endif
