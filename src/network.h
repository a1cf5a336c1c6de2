/* The training core: forward, loss, backward and update of a multilayer perceptron.
 *
 * The caller owns all memory and hands in BLAS, so that nothing here allocates or can fail. Matrices are row-major. A
 * void pointer is to numbers of the core's precision.
 */
#ifndef PYRELU_NETWORK_H
#define PYRELU_NETWORK_H

#include "pyrelu.h"

enum { PYRELU_SOFTMAX = -1 };

typedef struct {
    ptrdiff_t n_inputs, n_outputs;
    int activation;                           /* a row of pyrelu_activations, or in the last layer PYRELU_SOFTMAX */
    double parameters[PYRELU_MAX_PARAMETERS]; /* of the activation */
    void *weights, *bias;                     /* (n_inputs, n_outputs) and (n_outputs,) */
    void *kept;                               /* set by `arrange`: what the backward pass reads, input or output */
    void *output;                             /* of the activation; may be `kept` */
    void *delta;                              /* the gradient of the loss before the activation; may be `output` */
} pyrelu_layer;

/* Each goes with the output activation that makes prediction - target its gradient. The targets of MULTINOMIAL are
 * class numbers, one a row, and its output softmax; of BINARY 0 or 1 per output, logistic; of SQUARED_ERROR anything,
 * identity; of POISSON not negative, exponential.
 */
typedef enum { PYRELU_MULTINOMIAL, PYRELU_BINARY, PYRELU_SQUARED_ERROR, PYRELU_POISSON } pyrelu_loss;

typedef struct {
    int n_layers; /* hidden layers and the output layer */
    pyrelu_layer *layers;
    pyrelu_loss loss;
    void (*gemm)(void);   /* sgemm or dgemm, called as Fortran's */
    ptrdiff_t slice_rows; /* how many rows are worked on at a time; set by `arrange` with the rest */
    void *inputs;         /* (slice_rows, n_features) */
    double *partial_sums; /* one for each piece of the work */
} pyrelu_network;

typedef struct {
    const void *values;                /* (n_samples, n_features), or the stored values of a CSR matrix */
    const ptrdiff_t *columns, *starts; /* of a CSR matrix: indices and indptr; else NULL */
    const ptrdiff_t *order;            /* row i is sample order[i]; NULL: sample i. The rest is by sample: */
    const void *targets;               /* see pyrelu_loss */
    const void *weights;               /* (n_samples,); NULL: all 1 */
} pyrelu_samples;

typedef struct {
    pyrelu_solver solver;
    double learning_rate, momentum, beta_1, beta_2, epsilon; /* as scikit-learn's */
    double alpha;                                            /* L2 penalty on the weights, not the biases */
    ptrdiff_t t;                                             /* updates so far */
    /* Four buffers laid out alike; the weights and biases of all layers lie in the first. */
    void *parameters, *gradients, *state[2];
} pyrelu_optimizer;

typedef struct {
    /* How many bytes of scratch the network needs for slices of that many rows; lays them out unless NULL. */
    size_t (*arrange)(pyrelu_network *, ptrdiff_t slice_rows, int training, void *scratch);

    /* For rows [start, stop): writes their rows of `outputs`, and sets alive[unit] to 1 for each hidden unit, all
     * layers' one after the other, that is not 0 for all of them. Either may be NULL. */
    void (*predict)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive);

    /* Trains on rows [start, stop) batch by batch. Returns the sum over batches of loss times rows. */
    double (*train)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop,
                    ptrdiff_t batch_size, pyrelu_optimizer *);
} pyrelu_core;

extern PYRELU_API const pyrelu_core pyrelu_core_f32, pyrelu_core_f64;

#endif
