/* The training core: forward, loss, backward and update of a multilayer perceptron.
 *
 * The caller owns all memory and passes BLAS as function pointers, so that nothing here allocates or can fail. Matrices
 * are row-major. A void pointer points to numbers of the core's precision.
 */
#ifndef PYRELU_NETWORK_H
#define PYRELU_NETWORK_H

#include <stdint.h>

#include "kernels/kernels.h"
#include "runtime/threads.h"

/* How a layer turns its pre-activations into outputs; transforms-inl.h has a forward and a backward function for each.
 */
typedef enum {
    PYRELU_ELEMENTWISE,    /* `activation` is a row of pyrelu_activations */
    PYRELU_LEARNED_SLOPES, /* prelu (then the row `activation`) with a learned slope per unit: `slopes` */
    PYRELU_PARAMETRIC,     /* z + a (f(z) - z) of an elementwise f, with a learned a per unit: `slopes` */
    PYRELU_DRAWN_SLOPES,   /* rrelu: in training, random slopes between the two parameters, else their mean */
    PYRELU_ROWWISE,        /* a row of pyrelu_axis_functions, over the units */
    PYRELU_GATED,          /* the first half of the pre-activations times an elementwise activation of the second */
    PYRELU_MAXOUT,         /* the largest of width/n_outputs neighbouring pre-activations */
    PYRELU_CALLED,         /* the caller's own function */
    PYRELU_SOFTMAX,        /* output layer only */
    PYRELU_N_TRANSFORMS
} pyrelu_transform;

/* Writes f(z), or f'(z) if `derivative`, to `out` of the same shape, for an elementwise f. Any thread may call it. */
typedef void pyrelu_call(void *context, int derivative, const void *z, void *out, ptrdiff_t rows, ptrdiff_t n);

typedef struct {
    ptrdiff_t n_inputs, width, n_outputs; /* width: the number of pre-activations */
    pyrelu_transform transform;
    int activation;
    double parameters[PYRELU_MAX_PARAMETERS]; /* of the activation */
    double dropout;                           /* probability of dropping an output in training */
    pyrelu_call *call;
    void *context;        /* of the call */
    double trust_ratio;   /* set in training, for optimizers of scope ARRAY (optimizers.def) */
    double rate_factor;   /* on the learning rate of the weights */
    void *weights, *bias; /* (n_inputs, width) and (width,) */
    void *slopes;         /* (n_outputs,), for LEARNED_SLOPES and PARAMETRIC */
    /* Of an ensemble's hidden layers: (n_members, n_inputs), (n_members, width). A member computes
     * ((x * its input factors) weights) * its output factors + its bias. */
    void *input_factors, *output_factors;
    /* plan_workspace sets the rest: buffers with a row per row of the micro-batch. */
    void *saved;        /* what the backward pass needs: pre-activations, or the outputs of an in-place activation */
    void *output;       /* may be `saved` */
    void *gradient;     /* of the loss with respect to the outputs */
    void *delta;        /* of the loss with respect to the pre-activations; may be `gradient` */
    void *mask, *drawn; /* multipliers of the outputs (dropout), random slopes */
    void *slope_delta;  /* each row's contribution to the gradient of the slopes */
    /* Of an ensemble's hidden layers: the inputs times their factors, and the products of these with the weights;
     * then the gradients of the loss with respect to both. */
    void *adapted, *products, *adapted_delta, *product_delta;
    void *packed; /* delta, packed for the product that is the gradient of the weights */
    /* What of delta is not 0 (zero_columns-inl.h): the bits of its columns, for each of the blocks of rows; how many
     * columns are packed, which, and for all where they are among them. */
    void *column_bits;
    ptrdiff_t n_packed;
    int32_t *columns;
    void *places;
} pyrelu_layer;

/* What the first layer takes in place of the columns of the samples: embeddings of numeric columns, then columns as
 * they are, then embeddings of categories; each input times a learned scale. */
typedef struct {
    ptrdiff_t n_numeric, n_plain, n_categorical;
    const ptrdiff_t *numeric, *plain, *categorical; /* the numbers of the columns */
    int embedding;                                  /* of numeric columns: a row of pyrelu_embeddings */
    ptrdiff_t n_features, size; /* of a numeric column: its features, and the inputs that it becomes */
    /* (n_numeric, n_features) twice, (n_numeric, n_features, size - 1), (n_numeric, size - 1) */
    void *frequencies, *phases, *weights, *biases;
    const ptrdiff_t *n_levels; /* of each categorical column; a number that is none of its levels stands for level 0 */
    ptrdiff_t level_size;
    void *levels; /* (sum of n_levels, level_size) */
    void *scales; /* (n_outputs,); NULL: all 1 */
    ptrdiff_t n_outputs;
    /* plan_workspace sets the rest: (micro_batch_rows, n_outputs) each. */
    void *embedded, *outputs; /* before and after the scales; may be the same */
    void *gradient, *scale_delta;
} pyrelu_embedding;

/* The caller's own loss: writes the loss of each row to `losses`, and replaces `outputs`, of shape (rows, n_outputs),
 * by the gradient with respect to the pre-activations. Any thread may call it. */
typedef void pyrelu_loss_call(void *context, const void *targets, void *outputs, void *losses, ptrdiff_t rows,
                              ptrdiff_t n_outputs, ptrdiff_t n_targets);

/* Asks training for upper bounds of the pre-activations of the first layer (watch-inl.h), unless `tops` is NULL. */
typedef struct {
    const void *lows, *highs; /* (n_features,): the least and the largest number of each column of the samples */
    /* (width,): -inf and 0 before; afterwards upper bounds, of sums without rounding errors, and of sums of absolute
     * values, to which these errors are proportional. Infinite where training does what cannot be watched. */
    double *tops, *sizes;
    /* plan_workspace sets the rest. */
    void *peaks, *rises;  /* for each part of the rows; twice for each block of weights */
    void *weights, *bias; /* before an update: of a chunk in each block, and all */
} pyrelu_watch;

/* A network may be an ensemble whose members share the hidden layers' weights. Then every buffer of a layer has the
 * units of the first member, then those of the next, in a row, and so has its bias; seen as n_members rows of one
 * member each, it is what a product or a transform takes. The output layer's weights are (n_inputs, n_members width),
 * some for each member. The loss is the mean over members, and so are predictions. */
typedef struct {
    int n_layers; /* hidden layers and the output layer */
    pyrelu_layer *layers;
    ptrdiff_t n_members;         /* 1: no ensemble */
    ptrdiff_t n_features;        /* columns of the samples */
    pyrelu_embedding *embedding; /* of these columns; NULL: they are the first layer's inputs */
    double input_dropout;        /* probability of dropping an input in training */
    int loss;                    /* a row of pyrelu_losses; -1: loss_call */
    const void *loss_parameters; /* (n_outputs, its n_parameters) */
    pyrelu_loss_call *loss_call;
    void *loss_context;
    double label_smoothing;     /* the share of a class's target that is spread evenly over all classes */
    int n_threads;              /* at most */
    int (*interrupted)(void *); /* whether to stop, asked now and then on the calling thread; NULL: never */
    void *context;              /* of `interrupted` */
    unsigned char *alive;       /* training sets it to 1 for each hidden unit that is not 0 for every row; or NULL */
    pyrelu_watch watch;
    void (*blas_gemm)(void); /* Fortran's sgemm or dgemm */
    /* plan_workspace sets the rest. */
    ptrdiff_t micro_batch_rows;
    void *targets, *losses;    /* for loss_call, of each row and member: (n_outputs,) and 1 */
    void *inputs, *input_mask; /* (micro_batch_rows, n_features), and that many rows of the first layer's inputs */
    pyrelu_sums *partial_sums; /* one for each block of work */
} pyrelu_network;

typedef struct {
    const void *values;                /* (n_samples, n_features), or the stored values of a CSR matrix */
    const ptrdiff_t *columns, *starts; /* of a CSR matrix: indices and indptr; else NULL */
    const ptrdiff_t *order;            /* row i is sample order[i]; NULL: sample i */
    const void *targets;               /* (n_samples, n_targets): one per output, or the index of the class */
    ptrdiff_t n_targets;
    const void *weights; /* (n_samples,); NULL: all 1 */
} pyrelu_samples;

typedef struct {
    int solver;                                              /* a row of pyrelu_optimizers, or PYRELU_GRADIENT */
    double learning_rate, momentum, beta_1, beta_2, epsilon; /* as scikit-learn's */
    double alpha, l1;                                        /* penalties on weights, not on biases and slopes */
    double decay;                          /* decoupled weight decay; a step applies it times the rate */
    double clip_norm;                      /* upper bound on the gradient's norm; may be infinite */
    double rate_factors[PYRELU_N_GROUPS];  /* on the learning rate of each kind of parameters */
    double alpha_factors[PYRELU_N_GROUPS]; /* on alpha, l1 and decay */
    double dropout_factor;                 /* on the probabilities of dropping */
    uint64_t seed;                         /* of dropout and random slopes */
    ptrdiff_t t;                           /* updates so far */
    /* Buffers of one layout: the weights, biases and slopes of all layers. */
    void *parameters, *gradients, *state[2];
} pyrelu_optimizer;

typedef struct {
    double loss, gradient_norm; /* sums over batches, each weighted by its number of rows */
} pyrelu_epoch_totals;

typedef struct {
    /* Returns the size in bytes of the workspace for micro-batches of that many rows. Unless `workspace` is NULL, sets
     * the network's buffers to lie in it. */
    size_t (*plan_workspace)(pyrelu_network *, ptrdiff_t micro_batch_rows, int training, void *workspace);

    /* Whether any product is so large that BLAS computes it. Call plan_workspace first. */
    int (*calls_blas)(const pyrelu_network *);

    /* For rows [start, stop): writes their rows of `outputs`, and sets alive[unit] to 1 for each hidden unit, counted
     * through all layers, that is not 0 for every row. Either may be NULL. */
    void (*predict)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive);

    /* Trains on rows [start, stop), batch by batch. */
    pyrelu_epoch_totals (*train)(const pyrelu_network *, const pyrelu_samples *, ptrdiff_t start, ptrdiff_t stop,
                                 ptrdiff_t batch_size, pyrelu_optimizer *);
    /* One step, with the gradient in opt->gradients: sums over rows of that total weight, without penalties. Returns
     * the penalties and the norm of the gradient, divided by the weight. */
    pyrelu_epoch_totals (*step)(const pyrelu_network *, double weight, pyrelu_optimizer *);
    /* The loss alone: writes the loss of each row, and replaces the outputs by the gradient with respect to the
     * pre-activations, as training does. */
    void (*losses)(const pyrelu_network *, const void *targets, ptrdiff_t n_targets, void *outputs, void *losses,
                   ptrdiff_t rows);
    /* Writes the least and the largest number of each of n columns; the least is NaN where not all are finite. */
    void (*ranges)(const void *values, ptrdiff_t rows, ptrdiff_t n, void *lows, void *highs);
} pyrelu_core;

extern PYRELU_API const pyrelu_core pyrelu_core_f32, pyrelu_core_f64;

#endif
