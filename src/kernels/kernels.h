/* The kernels' interface: single-threaded loops over contiguous arrays of one precision. */
#ifndef PYRELU_KERNELS_H
#define PYRELU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "api.h"
#include "table/table.h"

enum { PYRELU_CACHE_LINE = 64 }; /* bytes of a line of the caches */

typedef enum { PYRELU_F16, PYRELU_F32, PYRELU_F64, PYRELU_N_TYPES } pyrelu_type; /* F16 is a storage format only */

/* BACKWARD is the training core's VJP: it takes x or y, as the row's column `reads` says. */
typedef enum { PYRELU_FORWARD, PYRELU_DERIVATIVE, PYRELU_VJP, PYRELU_BACKWARD, PYRELU_N_KINDS } pyrelu_kind;

/* out[i] = f(in[0][i], ...) for i < n. in[0] is x (or y, for BACKWARD), then g for VJP and BACKWARD, then the
 * parameters: one value each if `scalars`, else n. out may be in[0] or in[1]. */
typedef void pyrelu_map(const void *const *in, int scalars, void *out, ptrdiff_t n);

/* out = f(in[0], ...) for each of `rows` contiguous rows of n elements. An operand without the axis has one number per
 * row. out must not overlap an input. */
typedef void pyrelu_rowwise(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n);

/* The same of one row of n elements of which no more than PYRELU_ROW_BLOCK are at hand at a time; the bits are the
 * same. Where an operand or the result has one number, that is its element 0. */
enum { PYRELU_ROW_BLOCK = 768 };

typedef struct pyrelu_blocked_row pyrelu_blocked_row;
struct pyrelu_blocked_row {
    ptrdiff_t n;
    /* Elements `at` to `at` + n of an operand, until the next call for that operand. */
    const void *(*read)(pyrelu_blocked_row *row, int operand, ptrdiff_t at, ptrdiff_t n);
    /* Makes `values` the result's elements `at` to `at` + n. */
    void (*write)(pyrelu_blocked_row *row, const void *values, ptrdiff_t at, ptrdiff_t n);
};

typedef void pyrelu_rowwise_blocked(pyrelu_blocked_row *row);

typedef struct {
    double l2, l1, scale; /* the gradient is (gradient + l2 * w + l1 * sign(w)) * scale */
    double decay;         /* the share of w that a step subtracts: learning rate times weight_decay */
    double weight_decay;
    double rate, adam_rate, momentum, beta_1, beta_2, epsilon;
    double mean_scale, next_mean_scale, square_scale; /* 1/(1 - beta_1^t), the same of t + 1, 1/(1 - beta_2^t) */
} pyrelu_step;

typedef struct {
    double loss;     /* of rows; or the penalties on parameters */
    double gradient; /* its sum of squares */
} pyrelu_sums;

/* Updates n parameters and the state that the optimizer keeps for each. Returns the penalties on the parameters as they
 * were, and the square of their gradient's norm. PYRELU_GRADIENT leaves w as it is; its state is the gradient. A row of
 * whole arrays takes a gradient that has the penalties, turns it into the direction of the step, leaves w as it is, and
 * returns the squares of both norms. */
typedef pyrelu_sums pyrelu_update(const pyrelu_step *step, void *w, void *gradient, void *const *state, ptrdiff_t n);

/* The embedding of a numeric column: x becomes `size` numbers, x itself and
 * y[c] = sum over k of f(frequencies[k], phases[k], x) weights[k][c], plus biases[c], for c < size - 1. */
enum { PYRELU_MAX_EMBEDDING = 64 }; /* the largest size */

typedef struct {
    ptrdiff_t n_features, size;
    const void *frequencies, *phases, *weights, *biases;
} pyrelu_numeric_embedding;

typedef struct {
    void *frequencies, *phases, *weights, *biases; /* the first two NULL where they are fixed */
} pyrelu_numeric_gradients;

/* Embeds `rows` numbers that are x_stride apart. */
typedef void pyrelu_embed(const pyrelu_numeric_embedding *, const void *x, ptrdiff_t x_stride, ptrdiff_t rows, void *y,
                          ptrdiff_t y_stride);

/* Adds to the gradients, from g, the gradient with respect to y. */
typedef void pyrelu_embed_backward(const pyrelu_numeric_embedding *, const void *x, ptrdiff_t x_stride, ptrdiff_t rows,
                                   const void *g, ptrdiff_t g_stride, const pyrelu_numeric_gradients *);

/* The counter of the training's random numbers (philox.h). */
typedef struct {
    uint64_t seed;
    uint32_t row, stream, step;
} pyrelu_random_counter;

/* A row-major matrix with rows `stride` apart, or its transpose. */
typedef struct {
    const void *values;
    ptrdiff_t stride;
    int transposed;
} pyrelu_matrix;

enum {
    PYRELU_PREFETCHED = 3,
    PYRELU_WHOLE_SUM =
        256 /* terms up to which a sum is not cut in parts, so that to leave out those of 0 changes no bit */
};

/* C = A B + bias, or C += A B where `add`: A is (m, k), B (k, n), C (m, n). */
typedef struct {
    ptrdiff_t m, n, k;
    pyrelu_matrix a, b;
    void *c;
    ptrdiff_t c_stride;
    const void *bias; /* (n,), added to each row; NULL: 0 */
    int add;
    int packed; /* whether b.values is what pack_rows made of B */
    /* Arrays that the caller needs next (or NULL), and how much of each, brought to cache meanwhile. */
    const void *prefetched[PYRELU_PREFETCHED];
    ptrdiff_t prefetched_bytes;
} pyrelu_gemm_args;

typedef struct {
    pyrelu_map *const (*map)[PYRELU_N_KINDS];            /* [row of pyrelu_activations][kind] */
    pyrelu_rowwise *const (*rowwise)[2];                 /* [row of pyrelu_axis_functions][forward, vjp] */
    pyrelu_rowwise_blocked *const (*rowwise_blocked)[2]; /* likewise */
    int (*any_outside)(const void *x, double low, double high, ptrdiff_t n); /* whether a number is; NaN is not */
    pyrelu_update *const *update;                                            /* [row of pyrelu_optimizers] */
    pyrelu_embed *const *embed;                                              /* [row of pyrelu_embeddings] */
    pyrelu_embed_backward *const *embed_backward;                            /* likewise */
    void (*softmax_rows)(void *x, ptrdiff_t rows, ptrdiff_t n);              /* in place */
    pyrelu_map *const (*gated)[2]; /* [row of pyrelu_gates][product of b and a, slope of b, a and g] */
    void (*gemm)(const pyrelu_gemm_args *);
    /* Packs rows [first, first + rows) of a B of shape (k, n), which are at x, as gemm reads them. The whole takes k
     * rows of as many numbers as fill cache lines. */
    void (*pack_rows)(const void *x, ptrdiff_t n, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t k, void *packed);
    /* The same for n of the columns of an x with k rows that are `stride` apart. */
    void (*pack_columns)(const void *x, ptrdiff_t stride, const int32_t *columns, ptrdiff_t n, ptrdiff_t k,
                         void *packed);
    void (*or_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *found); /* found |= the bits of each row */
    int (*all_finite)(const void *x, ptrdiff_t n);
    /* Moves the first numbers of each row of x, in their order, to some of its n columns, and sets the others to 0.
     * places[j] is, as an integer as wide as a number, twice the number of these columns that are left of column j,
     * plus 1 if it is one of them. */
    void (*spread)(void *x, ptrdiff_t rows, ptrdiff_t n, const void *places);
    void (*max_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y); /* y = the maximum of y and the rows of x */
    /* The least and the largest of each column. The least is NaN where not all numbers are finite. */
    void (*range_of_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *lows, void *highs);
    /* Of matrices before and after an update, from the numbers `lows` and `highs` of each row: adds to `rises` the sum
     * over each column of the larger product of one of them with the change, and to `sizes` that of the larger absolute
     * values. */
    void (*add_rises)(const void *before, const void *after, const void *lows, const void *highs, ptrdiff_t rows,
                      ptrdiff_t n, void *rises, void *sizes);
    void (*add_multiple)(double a, const void *x, void *y, ptrdiff_t n);   /* y += a x */
    void (*add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y); /* y += the sum of the rows of x */
    void (*random)(const pyrelu_random_counter *, uint32_t first_unit, uint32_t *out,
                   ptrdiff_t n);                                          /* a multiple of 4 */
    void (*uniform)(const pyrelu_random_counter *, void *u, ptrdiff_t n); /* numbers in [0, 1) */
    void (*dropout_mask)(const pyrelu_random_counter *, double dropout, void *mask, ptrdiff_t n); /* 0 or 1/(1 - p) */
    void (*drop)(const void *x, const void *mask, ptrdiff_t n,
                 void *out); /* x mask; 0 where the mask is, even of NaN */
    void (*scale_rows)(const void *x, const void *scales, ptrdiff_t rows, ptrdiff_t n,
                       void *y); /* each row times them */
    void (*scale_and_shift)(const void *x, const void *scales, const void *shifts, ptrdiff_t rows, ptrdiff_t n,
                            void *y); /* each row times some, plus others */
    void (*add_products)(const void *x, const void *factors, ptrdiff_t rows, ptrdiff_t n,
                         void *y); /* y += the sum of the rows of x, each times its factors */
    /* y = z + a (f - z), and f becomes f - z; then the change, f - z, becomes its product with g, and
     * delta = g + a (vjp - g). */
    void (*mix)(const void *z, const void *a, void *f, void *y, ptrdiff_t n);
    void (*mix_backward)(const void *g, const void *a, const void *vjp, void *change, void *delta, ptrdiff_t n);
    pyrelu_map *widen, *narrow; /* half to float and back; with the float kernels only */
} pyrelu_kernels;

/* The kernels for F32 or F64 of the instruction set that was chosen when the library was loaded. */
PYRELU_API const pyrelu_kernels *pyrelu_kernels_for(pyrelu_type type);

#endif
