/* The training core: forward, loss, backward and update of a multilayer perceptron.
 *
 * The caller owns all memory and hands in BLAS, so that nothing here allocates or can fail. Matrices are row-major. A
 * void pointer is to numbers of the core's precision.
 */
#ifndef PYRELU_NETWORK_H
#define PYRELU_NETWORK_H

#include <stdint.h>

#include "kernels/kernels.h"
#include "runtime/threads.h"

/* What a layer makes of its pre-activations; transforms.h has one double-double of functions for each. */
typedef enum {
    PYRELU_ELEMENTWISE,    /* `activation` is a row of pyrelu_activations */
    PYRELU_LEARNED_SLOPES, /* prelu, which is the row `activation`, with a slope for each unit: `slopes` */
    PYRELU_DRAWN_SLOPES,   /* the same with slopes drawn between the two parameters; their mean where not trained */
    PYRELU_ROWWISE,        /* a row of pyrelu_axis_functions, over the units */
    PYRELU_GATED,          /* the first half of the pre-activations times an elementwise activation of the second */
    PYRELU_MAXOUT,         /* the largest of as many neighbours as there are to an output */
    PYRELU_CALLED,         /* the caller's own function */
    PYRELU_SOFTMAX,        /* of the output layer only */
    PYRELU_N_TRANSFORMS
} pyrelu_transform;

/* Writes an elementwise function, or its derivative, of an array of that shape. May be called by any thread. */
typedef void pyrelu_call(void *context, int derivative, const void *z, void *out, ptrdiff_t rows, ptrdiff_t n);

typedef struct {
    ptrdiff_t n_inputs, width, n_outputs; /* width: the number of pre-activations */
    pyrelu_transform transform;
    int activation;
    double parameters[PYRELU_MAX_PARAMETERS]; /* of the activation */
    double dropout;                           /* the probability that training drops an output */
    pyrelu_call *call;
    void *context;        /* of the call */
    double trust_ratio;   /* set by training: see optimizers.def, ARRAY */
    void *weights, *bias; /* (n_inputs, width) and (width,) */
    void *slopes;         /* (n_outputs,), of LEARNED_SLOPES */
    /* The rest is set by `arrange`, each of as many rows as a micro-batch. */
    void *saved;            /* the pre-activations, or what an activation in place makes of them */
    void *output;           /* may be `kept` */
    void *gradient, *delta; /* of the loss, before dropout and before the activation; may be one */
    void *mask, *drawn;     /* what the outputs are multiplied by, the slopes drawn */
    void *slope_delta;      /* what to add up over the rows for the gradient of the slopes */
} pyrelu_layer;

/* A loss of the caller's own: writes the loss of each of the rows, and turns `outputs`, of shape (rows, n_outputs),
 * into the gradient before the output activation. May be called by any thread. */
typedef void pyrelu_loss_call(void *context, const void *targets, void *outputs, void *losses, ptrdiff_t rows,
                              ptrdiff_t n_outputs, ptrdiff_t n_targets);

typedef struct {
    int n_layers; /* hidden layers and the output layer */
    pyrelu_layer *layers;
    double input_dropout;        /* as the layers' dropout */
    int loss;                    /* a row of pyrelu_losses; -1: the caller's own */
    const void *loss_parameters; /* (n_outputs, its n_parameters) */
    pyrelu_loss_call *loss_call;
    void *loss_context;
    double label_smoothing;     /* of a classifier: the share of a target that goes to all classes evenly */
    int n_threads;              /* at most */
    int (*interrupted)(void *); /* asked now and then by the thread that calls: whether to stop; NULL: never */
    void *context;              /* of that function */
    unsigned char *alive;       /* training sets it for each hidden unit that is not 0 for all rows; or NULL */
    void (*blas_gemm)(void);    /* sgemm or dgemm, called as Fortran's */
    ptrdiff_t micro_batch_rows; /* how many rows are worked on at a time; set by `arrange` with the rest */
    void *targets, *losses;     /* of the caller's own loss: (micro_batch_rows, n_outputs), (micro_batch_rows,) */
    void *inputs, *input_mask;  /* (micro_batch_rows, n_features) */
    pyrelu_sums *partial_sums;  /* one for each chunk of the work */
} pyrelu_network;

typedef struct {
    const void *values;                /* (n_samples, n_features), or the stored values of a CSR matrix */
    const ptrdiff_t *columns, *starts; /* of a CSR matrix: indices and indptr; else NULL */
    const ptrdiff_t *order;            /* row i is sample order[i]; NULL: sample i. The rest is by sample: */
    const void *targets;               /* (n_samples, n_targets): one for each output, or the number of the class */
    ptrdiff_t n_targets;
    const void *weights; /* (n_samples,); NULL: all 1 */
} pyrelu_samples;

typedef struct {
    int solver;                                              /* a row of pyrelu_optimizers, or PYRELU_GRADIENT */
    double learning_rate, momentum, beta_1, beta_2, epsilon; /* as scikit-learn's */
    double alpha, l1;                                        /* penalties on the weights, not on biases and slopes */
    double decay;                                            /* of the weights, times the learning rate, by each step */
    double clip_norm;                                        /* the largest norm of a gradient; may be infinite */
    uint64_t seed;                                           /* of dropout and of drawn slopes */
    ptrdiff_t t;                                             /* updates so far */
    /* Four buffers laid out alike; the weights, biases and slopes of all layers lie in the first. */
    void *parameters, *gradients, *state[2];
} pyrelu_optimizer;

typedef struct {
    double loss, gradient_norm; /* of each batch, times its rows, added up */
} pyrelu_epoch_sums;

typedef struct {
    /* How many bytes of scratch the network needs for micro-batches of that many rows; lays them out unless NULL. */
    size_t (*plan_workspace)(pyrelu_network *, ptrdiff_t micro_batch_rows, int training, void *workspace);

    /* Whether a product of the network, as it is arranged, may be left to `gemm`. */
    int (*calls_gemm)(const pyrelu_network *);

    /* For rows [start, stop): writes their rows of `outputs`, and sets alive[unit] to 1 for each hidden unit, all
     * layers' one after the other, that is not 0 for all of them. Either may be NULL. */
    void (*predict)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive);

    /* Trains on rows [start, stop) batch by batch. */
    pyrelu_epoch_sums (*train)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop,
                               ptrdiff_t batch_size, pyrelu_optimizer *);
    /* The losses of rows by themselves: writes each row's, and turns the outputs into the gradient before the output
     * activation, as training does. */
    void (*losses)(const pyrelu_network *, const void *targets, ptrdiff_t n_targets, void *outputs, void *losses,
                   ptrdiff_t rows);
} pyrelu_core;

extern PYRELU_API const pyrelu_core pyrelu_core_f32, pyrelu_core_f64;

#endif
