/* The training core; network.h says what it offers. Compiled once per precision.
 *
 * A batch is worked on in two phases. First its rows, in blocks: gather, forward, loss, backward, all of a block while
 * it is in cache. Then the weights, in tiles of whole rows: gradient and update of a tile while it is in cache. Blocks
 * and tiles depend on nothing but shapes, and each sum over them is taken in their order, so that the result does not
 * depend on which thread does which.
 */
#include <tgmath.h>

#include "losses.h"
#include "products.h"
#include "slice.h"

#if PYRELU_BITS == 32
#define CORE pyrelu_core_f32
#else
#define CORE pyrelu_core_f64
#endif

/* ---- memory ---- */

static void *take(char *scratch, size_t *used, ptrdiff_t n, size_t size) {
    char *start = scratch ? scratch + *used : NULL;
    *used += (n * size + 63) / 64 * 64; /* whole cache lines: no two threads write to one */
    return start;
}

static int keeps_input(const layer *l) { return pyrelu_activations[l->activation].reads == 'X'; }

static size_t arrange(network *net, ptrdiff_t rows, int training, void *scratch) {
    size_t used = 0;
    ptrdiff_t pieces = rows; /* there are no more blocks than rows, nor tiles than rows of weights */
    net->slice_rows = rows;
    net->inputs = take(scratch, &used, rows * net->layers->n_inputs, sizeof(real));
    for (layer *l = net->layers, *last = l + net->n_layers - 1; l <= last; l++) {
        const ptrdiff_t n = rows * l->n_outputs;
        l->output = take(scratch, &used, n, sizeof(real));
        const int hidden = training && l < last;
        l->kept = hidden && keeps_input(l) ? take(scratch, &used, n, sizeof(real)) : l->output;
        l->delta = hidden ? take(scratch, &used, n, sizeof(real)) : l->output;
        pieces += l->n_inputs;
    }
    net->partial_sums = take(scratch, &used, pieces, sizeof(double));
    return used;
}

/* ---- rows: gather, forward, loss, backward ---- */

static void gather(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = s->net->layers->n_inputs;
    const real *values = s->data->values;
    real *row = (real *)s->net->inputs + first * n;
    for (ptrdiff_t i = s->start + first, stop = i + rows; i < stop; i++, row += n)
        memcpy(row, values + s->data->order[i] * n, n * sizeof(real));
}

/* The operands of a kernel: one or two arrays, then the activation's parameters. */
typedef struct {
    const void *in[PYRELU_MAX_OPERANDS];
    real parameters[PYRELU_MAX_PARAMETERS];
} operands;

static void add_parameters(operands *o, int n_arrays, const layer *l) {
    for (int i = 0; i < PYRELU_MAX_PARAMETERS; i++) {
        o->parameters[i] = l->parameters[i];
        o->in[n_arrays + i] = &o->parameters[i];
    }
}

static void activate(const layer *l, const real *x, real *y, ptrdiff_t rows) {
    const pyrelu_kernels *kernels = pyrelu_kernels_for(TYPE);
    if (l->activation == PYRELU_SOFTMAX) {
        kernels->softmax_rows(y, rows, l->n_outputs); /* the last layer has y = x */
        return;
    }
    operands o = {.in = {x}};
    add_parameters(&o, 1, l);
    kernels->map[l->activation][PYRELU_FORWARD](o.in, 1, y, rows * l->n_outputs);
}

static void forward(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    if (s->data->order && !s->data->starts) gather(s, first, rows);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        const ptrdiff_t n = l->n_outputs;
        real *z = (real *)l->kept + first * n;
        if (i == 0 && s->data->starts) sparse_forward(s, first, rows, l->weights, l->bias, n, z);
        else
            multiply(s->net, &(pyrelu_product){.m = rows,
                                               .n = n,
                                               .k = l->n_inputs,
                                               .a = inputs(s, i, first),
                                               .lda = l->n_inputs,
                                               .b = l->weights,
                                               .ldb = n,
                                               .c = z,
                                               .ldc = n,
                                               .bias = l->bias});
        activate(l, z, (real *)l->output + first * n, rows);
    }
}

static double loss(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t n = net->layers[net->n_layers - 1].n_outputs, n_targets = net->loss == PYRELU_MULTINOMIAL ? 1 : n;
    const real *targets = data->targets, *weights = data->weights;
    real *y = (real *)net->layers[net->n_layers - 1].output + first * n;
    double sum = 0;
    for (ptrdiff_t row = 0; row < rows; row++, y += n) {
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        const real row_loss = losses[net->loss](y, targets + sample * n_targets, n);
        if (weights)
            for (ptrdiff_t j = 0; j < n; j++) y[j] *= weights[sample];
        sum += weights ? row_loss * weights[sample] : row_loss;
    }
    return sum;
}

static void backward(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    for (int i = s->net->n_layers - 1; i > 0; i--) {
        const layer *l = &s->net->layers[i], *below = l - 1;
        const ptrdiff_t n = l->n_outputs, m = l->n_inputs;
        real *delta = (real *)below->delta + first * m;
        multiply(s->net, &(pyrelu_product){.m = rows,
                                           .n = m,
                                           .k = n,
                                           .a = (real *)l->delta + first * n,
                                           .lda = n,
                                           .b = l->weights,
                                           .ldb = n,
                                           .transpose_b = 1,
                                           .c = delta,
                                           .ldc = m});
        operands o = {.in = {(real *)below->kept + first * m, delta}};
        add_parameters(&o, 2, below);
        pyrelu_kernels_for(TYPE)->map[below->activation][PYRELU_BACKWARD](o.in, 1, delta, rows * m);
    }
}

/* All that is done with a block of rows. Returns the sum of their losses. */
static double block(const slice *s, ptrdiff_t i) {
    const ptrdiff_t each = block_rows(s), first = i * each, rows = least(each, s->rows - first);
    forward(s, first, rows);
    if (!s->opt) return 0;
    const double sum = loss(s, first, rows);
    backward(s, first, rows);
    return sum;
}

/* ---- weights: gradient and update ---- */

/* The place in one of the optimizer's buffers of what belongs to a parameter. */
static real *beside(const optimizer *opt, void *buffer, const real *parameter) {
    return buffer ? (real *)buffer + (parameter - (real *)opt->parameters) : NULL;
}

/* Returns the sum of squares of the parameters, 0 where the batch goes on and nothing is updated yet. */
static double update(const slice *s, real *parameters, ptrdiff_t n, double penalty) {
    const optimizer *opt = s->opt;
    if (!s->ends) return 0;
    pyrelu_step step = s->step;
    step.penalty = penalty;
    void *const state[] = {beside(opt, opt->state[0], parameters), beside(opt, opt->state[1], parameters)};
    return pyrelu_kernels_for(TYPE)->update[opt->solver](&step, parameters, beside(opt, opt->gradients, parameters),
                                                         state, n);
}

static void bias_tile(const slice *s, const layer *l) {
    const ptrdiff_t n = l->n_outputs;
    real *restrict gradient = beside(s->opt, s->opt->gradients, l->bias);
    const real *delta = l->delta;
    if (s->begins) memset(gradient, 0, n * sizeof(real));
    for (ptrdiff_t row = 0; row < s->rows; row++, delta += n)
        for (ptrdiff_t j = 0; j < n; j++) gradient[j] += delta[j];
    update(s, l->bias, n, 0);
}

static double weights_tile(const slice *s, int i, ptrdiff_t first, ptrdiff_t rows) {
    const layer *l = &s->net->layers[i];
    const ptrdiff_t n = l->n_outputs;
    real *weights = (real *)l->weights + first * n;
    real *gradient = beside(s->opt, s->opt->gradients, weights);
    if (i == 0 && s->data->starts) {
        if (s->begins) memset(gradient, 0, rows * n * sizeof(real));
        sparse_gradient(s, first, rows, l->delta, n, gradient);
    } else
        multiply(s->net, &(pyrelu_product){.m = rows,
                                           .n = n,
                                           .k = s->rows,
                                           .a = inputs(s, i, 0) + first,
                                           .lda = l->n_inputs,
                                           .transpose_a = 1,
                                           .b = l->delta,
                                           .ldb = n,
                                           .c = gradient,
                                           .ldc = n,
                                           .add = !s->begins});
    return update(s, weights, rows * n, s->opt->alpha);
}

static ptrdiff_t tiles_of(const slice *s, const layer *l) { return count(l->n_inputs, tile_rows(s, l)); }

/* Gradient and update of tile i, counted over all layers. The first of a layer has the biases with it. Returns the sum
 * of the squared weights. */
static double tile(const slice *s, ptrdiff_t i) {
    const layer *l = s->net->layers;
    for (; i >= tiles_of(s, l); l++) i -= tiles_of(s, l);
    const ptrdiff_t each = tile_rows(s, l), first = i * each;
    if (i == 0) bias_tile(s, l);
    return weights_tile(s, (int)(l - s->net->layers), first, least(each, l->n_inputs - first));
}

/* ---- the core ---- */

/* Blocks or tiles. Threads take them one after the other; which thread takes which does not matter to the result. */
typedef struct {
    const slice *s;
    double (*work)(const slice *, ptrdiff_t);
    ptrdiff_t n;
    _Atomic ptrdiff_t next;
} job;

static void take_turns(void *context, ptrdiff_t begin, ptrdiff_t end) {
    (void)begin, (void)end;
    job *j = context;
    for (ptrdiff_t i; (i = j->next++) < j->n;) j->s->net->partial_sums[i] = j->work(j->s, i);
}

/* Returns the sum of what the pieces return. `grain` of them are worth a thread. */
static double run(const slice *s, double (*work)(const slice *, ptrdiff_t), ptrdiff_t n, ptrdiff_t grain) {
    job j = {.s = s, .work = work, .n = n};
    double sum = 0;
    pyrelu_parallel(n, grain, take_turns, &j);
    for (ptrdiff_t i = 0; i < n; i++) sum += s->net->partial_sums[i];
    return sum;
}

static double run_blocks(const slice *s) { return run(s, block, count(s->rows, block_rows(s)), 1); }

static double run_tiles(const slice *s) {
    const network *net = s->net;
    ptrdiff_t n = 0;
    for (int i = 0; i < net->n_layers; i++) n += tiles_of(s, &net->layers[i]);
    return run(s, tile, n, n > net->n_layers ? 1 : n); /* no layer is worth cutting: none is worth a thread */
}

static double total_weight(const samples *data, ptrdiff_t start, ptrdiff_t stop) {
    const real *weights = data->weights;
    if (!weights) return stop - start;
    double sum = 0;
    for (ptrdiff_t row = start; row < stop; row++) sum += weights[sample_at(data, row)];
    return sum;
}

static pyrelu_step next_step(optimizer *opt, double weight) {
    opt->t++;
    double rate = opt->learning_rate;
    if (opt->solver == PYRELU_ADAM) rate *= sqrt(1 - pow(opt->beta_2, opt->t)) / (1 - pow(opt->beta_1, opt->t));
    return (pyrelu_step){.scale = 1 / weight,
                         .rate = rate,
                         .momentum = opt->momentum,
                         .beta_1 = opt->beta_1,
                         .beta_2 = opt->beta_2,
                         .epsilon = opt->epsilon};
}

/* Returns the loss. */
static double train_batch(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop, optimizer *opt) {
    const double weight = total_weight(data, start, stop);
    if (weight == 0) return 0; /* as if the batch were not there */
    slice s = {.net = net, .data = data, .opt = opt, .step = next_step(opt, weight)};
    double sum = 0, squares = 0;
    for (s.start = start; s.start < stop; s.start += s.rows) {
        s.rows = least(net->slice_rows, stop - s.start);
        s.begins = s.start == start;
        s.ends = s.start + s.rows == stop;
        sum += run_blocks(&s);
        squares += run_tiles(&s);
    }
    return (sum + 0.5 * opt->alpha * squares) / weight;
}

static double train(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t batch_size,
                    optimizer *opt) {
    double sum = 0;
    for (; start < stop; start += batch_size) {
        const ptrdiff_t end = least(start + batch_size, stop);
        sum += train_batch(net, data, start, end, opt) * (end - start);
    }
    return sum;
}

static void mark_alive(const network *net, ptrdiff_t rows, unsigned char *alive) {
    for (int i = 0; i < net->n_layers - 1; i++) {
        const ptrdiff_t n = net->layers[i].n_outputs;
        const real *y = net->layers[i].output;
        for (ptrdiff_t row = 0; row < rows; row++, y += n)
            for (ptrdiff_t j = 0; j < n; j++) alive[j] |= y[j] != 0;
        alive += n;
    }
}

static void predict(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive) {
    const layer *last = &net->layers[net->n_layers - 1];
    const ptrdiff_t n = last->n_outputs;
    slice s = {.net = net, .data = data};
    for (s.start = start; s.start < stop; s.start += s.rows) {
        s.rows = least(net->slice_rows, stop - s.start);
        run_blocks(&s);
        if (outputs) memcpy((real *)outputs + s.start * n, last->output, s.rows * n * sizeof(real));
        if (alive) mark_alive(net, s.rows, alive);
    }
}

const pyrelu_core CORE = {arrange, predict, train};
