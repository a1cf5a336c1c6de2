/* The training core; network.h says what it offers. Compiled once per precision.
 *
 * A batch is worked on in two phases. First its rows, in blocks: gather, forward, loss, backward, all of a block while
 * it is in cache. Then the weights, in tiles of whole rows: gradient and update of a tile while it is in cache. Blocks
 * and tiles depend on nothing but shapes, and each sum over them is taken in their order, so that the result does not
 * depend on which thread does which.
 */
#include <tgmath.h>

#include "dropout.h"
#include "losses.h"
#include "products.h"
#include "slice.h"
#include "transforms.h"

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

static size_t arrange(network *net, ptrdiff_t rows, int training, void *scratch) {
#define TAKE(n) take(scratch, &used, rows *(n), sizeof(real))
    size_t used = 0;
    ptrdiff_t pieces = rows; /* there are no more blocks than rows, nor tiles than rows of weights */
    net->slice_rows = rows;
    net->inputs = TAKE(net->layers->n_inputs);
    net->input_mask = training && net->input_dropout > 0 ? TAKE(net->layers->n_inputs) : NULL;
    for (layer *l = net->layers, *last = l + net->n_layers - 1; l <= last; l++) {
        const int trains = training && l < last, in_place = transforms[l->transform].in_place;
        const int drops = trains && l->dropout > 0;
        l->kept = TAKE(l->width);
        l->output = !in_place || drops || (trains && keeps_input(l)) ? TAKE(l->n_outputs) : l->kept;
        l->delta = trains ? TAKE(l->width) : l->output;
        l->gradient = trains && !in_place ? TAKE(l->n_outputs) : l->delta;
        l->mask = drops ? TAKE(l->n_outputs) : NULL;
        l->drawn = trains && l->transform == PYRELU_DRAWN_SLOPES ? TAKE(l->width) : NULL;
        l->slope_delta = trains && l->transform == PYRELU_LEARNED_SLOPES ? TAKE(l->width) : NULL;
        pieces += l->n_inputs;
    }
    net->partial_sums = take(scratch, &used, pieces, sizeof(pyrelu_sums));
    return used;
}

/* ---- rows: gather, forward, loss, backward ---- */

/* Rows of a buffer of the slice with n columns, from `first` on. */
static real *from(void *buffer, ptrdiff_t first, ptrdiff_t n) { return (real *)buffer + first * n; }

static void gather(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = s->net->layers->n_inputs;
    const real *values = s->data->values;
    real *row = from(s->net->inputs, first, n);
    for (ptrdiff_t i = s->start + first, stop = i + rows; i < stop; i++, row += n)
        memcpy(row, values + sample_at(s->data, i) * n, n * sizeof(real));
    if (drops_inputs(s)) {
        real *inputs = from(s->net->inputs, first, n), *mask = from(s->net->input_mask, first, n);
        draw_mask(s, INPUTS, first, rows, n, s->net->input_dropout, mask);
        drop(inputs, mask, rows * n, inputs);
    }
}

static void activate(const slice *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const ptrdiff_t n = l->n_outputs;
    real *z = from(l->kept, first, l->width), *output = from(l->output, first, n);
    real *y = keeps_input(l) || !l->mask ? output : z;
    if (l->drawn) {
        real *slopes = from(l->drawn, first, n);
        draw(s, of_slopes(s, l), first, rows, n, slopes);
        const real lower = l->parameters[0], range = l->parameters[1] - lower;
        for (ptrdiff_t i = 0; i < rows * n; i++) slopes[i] = lower + range * slopes[i];
    }
    transforms[l->transform].forward(l, first, rows, z, y);
    if (l->mask) {
        real *mask = from(l->mask, first, n);
        draw_mask(s, of_outputs(s, l), first, rows, n, l->dropout, mask);
        drop(y, mask, rows * n, output);
    }
}

static void forward(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    if (gathers(s)) gather(s, first, rows);
    for (int i = 0; i < s->net->n_layers; i++) {
        const layer *l = &s->net->layers[i];
        const ptrdiff_t n = l->width;
        real *z = from(l->kept, first, n);
        if (i == 0 && s->data->starts) sparse_forward(s, first, rows, l->weights, l->bias, n, z);
        else
            multiply(s->net, &(product){rows, n, l->n_inputs, plain(inputs(s, i, first), l->n_inputs),
                                        plain(l->weights, n), z, n, .bias = l->bias});
        activate(s, l, first, rows);
    }
}

static double loss(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    const network *net = s->net;
    const samples *data = s->data;
    const ptrdiff_t n = net->layers[net->n_layers - 1].n_outputs, n_targets = net->loss == PYRELU_MULTINOMIAL ? 1 : n;
    const real *targets = data->targets, *weights = data->weights;
    real *y = from(net->layers[net->n_layers - 1].output, first, n);
    double sum = 0;
    for (ptrdiff_t row = 0; row < rows; row++, y += n) {
        const ptrdiff_t sample = sample_at(data, s->start + first + row);
        const real row_loss = losses[net->loss](y, targets + sample * n_targets, n, net->label_smoothing);
        if (weights)
            for (ptrdiff_t j = 0; j < n; j++) y[j] *= weights[sample];
        sum += weights ? row_loss * weights[sample] : row_loss;
    }
    return sum;
}

static void backward(const slice *s, ptrdiff_t first, ptrdiff_t rows) {
    for (int i = s->net->n_layers - 1; i > 0; i--) {
        const layer *l = &s->net->layers[i], *below = l - 1;
        const ptrdiff_t n = l->width, m = l->n_inputs;
        real *gradient = from(below->gradient, first, m);
        multiply(s->net,
                 &(product){rows, m, n, plain(from(l->delta, first, n), n), transposed(l->weights, n), gradient, m});
        if (below->mask) drop(gradient, from(below->mask, first, m), rows * m, gradient);
        transforms[below->transform].backward(below, first, rows, from(below->kept, first, below->width), gradient,
                                              from(below->delta, first, below->width));
    }
}

/* All that is done with a block of rows. */
static pyrelu_sums block(const slice *s, ptrdiff_t i) {
    const ptrdiff_t each = block_rows(s), first = i * each, rows = least(each, s->rows - first);
    pyrelu_sums sums = {0, 0};
    forward(s, first, rows);
    if (s->opt) {
        sums.loss = loss(s, first, rows);
        backward(s, first, rows);
    }
    return sums;
}

/* ---- weights: gradient and update ---- */

/* The place in one of the optimizer's buffers of what belongs to a parameter. */
static real *beside(const optimizer *opt, void *buffer, const real *parameter) {
    return buffer ? (real *)buffer + (parameter - (real *)opt->parameters) : NULL;
}

/* What is done to some parameters once the gradient of the rows is there: nothing while the batch goes on; and where
 * the gradient's norm must be known first, a pass that leaves the whole gradient, and in the end another. */
static pyrelu_sums update(const slice *s, real *parameters, ptrdiff_t n, int penalized) {
    const optimizer *opt = s->opt;
    if (!s->ends) return (pyrelu_sums){0, 0};
    pyrelu_step step = s->step;
    if (!penalized) step.l2 = step.l1 = step.decay = 0;
    real *gradient = beside(opt, opt->gradients, parameters);
    void *const state[] = {beside(opt, opt->state[0], parameters), beside(opt, opt->state[1], parameters)};
    if (s->stage == MEASURE)
        return pyrelu_kernels_for(TYPE)->update[PYRELU_GRADIENT](&step, parameters, gradient, (void *[]){gradient}, n);
    return pyrelu_kernels_for(TYPE)->update[opt->solver](&step, parameters, gradient, state, n);
}

static pyrelu_sums add(pyrelu_sums a, pyrelu_sums b) { return (pyrelu_sums){a.loss + b.loss, a.gradient + b.gradient}; }

/* Parameters of which each unit has one: their gradient is the sum over the rows of `delta`. */
static pyrelu_sums units_tile(const slice *s, real *parameters, const real *delta, ptrdiff_t n) {
    real *gradient = beside(s->opt, s->opt->gradients, parameters);
    if (s->stage != APPLY) {
        if (s->begins) memset(gradient, 0, n * sizeof(real));
        pyrelu_kernels_for(TYPE)->add_rows(delta, s->rows, n, gradient);
    }
    return update(s, parameters, n, 0);
}

static pyrelu_sums weights_tile(const slice *s, const layer *l, ptrdiff_t first, ptrdiff_t rows) {
    const int i = (int)(l - s->net->layers);
    const ptrdiff_t n = l->width;
    real *weights = from(l->weights, first, n), *gradient = beside(s->opt, s->opt->gradients, weights);
    if (s->stage != APPLY) {
        if (i == 0 && s->data->starts) {
            if (s->begins) memset(gradient, 0, rows * n * sizeof(real));
            sparse_gradient(s, first, rows, l->delta, n, gradient);
        } else
            multiply(s->net, &(product){rows, n, s->rows, transposed(inputs(s, i, 0) + first, l->n_inputs),
                                        plain(l->delta, n), gradient, n, .add = !s->begins});
    }
    return update(s, weights, rows * n, 1);
}

/* Marks the units of a hidden layer that are not 0 for all rows of the slice, unless all are marked. */
static void mark_alive(const layer *l, ptrdiff_t rows, unsigned char *alive) {
    const ptrdiff_t n = l->n_outputs;
    const real *y = l->output;
    if (!memchr(alive, 0, n)) return;
    for (ptrdiff_t row = 0; row < rows; row++, y += n)
        for (ptrdiff_t j = 0; j < n; j++) alive[j] |= y[j] != 0;
}

/* The flags of a layer among those of all hidden units. */
static unsigned char *flags(const network *net, const layer *l, unsigned char *alive) {
    for (const layer *below = net->layers; below < l; below++) alive += below->n_outputs;
    return alive;
}

static ptrdiff_t tiles_of(const slice *s, const layer *l) { return count(l->n_inputs, tile_rows(s, l)); }

/* Gradient and update of tile i, counted over all layers. The first of a layer has its units' parameters with it. */
static pyrelu_sums tile(const slice *s, ptrdiff_t i) {
    const network *net = s->net;
    const layer *l = net->layers, *last = l + net->n_layers - 1;
    for (; i >= tiles_of(s, l); l++) i -= tiles_of(s, l);
    const ptrdiff_t each = tile_rows(s, l), first = i * each;
    pyrelu_sums sums = {0, 0};
    if (i == 0) {
        sums = units_tile(s, l->bias, l->delta, l->width);
        if (l->slopes) sums = add(sums, units_tile(s, l->slopes, l->slope_delta, l->n_outputs));
        if (net->alive && l < last && s->stage != APPLY) mark_alive(l, s->rows, flags(net, l, net->alive));
    }
    return add(sums, weights_tile(s, l, first, least(each, l->n_inputs - first)));
}

/* ---- the core ---- */

/* Blocks or tiles. The team takes them one after the other; who takes which does not matter to the result. */
typedef struct {
    const slice *s;
    pyrelu_sums (*work)(const slice *, ptrdiff_t);
} job;

static void piece_of(void *context, ptrdiff_t i) {
    const job *j = context;
    j->s->net->partial_sums[i] = j->work(j->s, i);
}

/* Returns the sum of what the pieces return. */
static pyrelu_sums run(const slice *s, pyrelu_sums (*work)(const slice *, ptrdiff_t), ptrdiff_t n) {
    pyrelu_sums sums = {0, 0};
    pyrelu_share(s->team, n, piece_of, &(job){s, work});
    for (ptrdiff_t i = 0; i < n; i++) sums = add(sums, s->net->partial_sums[i]);
    return sums;
}

static ptrdiff_t n_tiles(const slice *s) {
    ptrdiff_t n = 0;
    for (int i = 0; i < s->net->n_layers; i++) n += tiles_of(s, &s->net->layers[i]);
    return n;
}

static pyrelu_sums run_blocks(const slice *s) { return run(s, block, count(s->rows, block_rows(s))); }

static pyrelu_sums run_tiles(const slice *s) { return run(s, tile, n_tiles(s)); }

/* How many threads a slice is worth: one if neither its rows nor the weights of a layer are worth cutting. */
static int threads_for(const slice *s) {
    const int cut = count(s->rows, block_rows(s)) > 1 || (s->opt && n_tiles(s) > s->net->n_layers);
    return cut ? s->net->n_threads : 1;
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
    return (pyrelu_step){.l2 = opt->alpha,
                         .l1 = opt->l1,
                         .scale = 1 / weight,
                         .decay = opt->learning_rate * opt->decay,
                         .rate = rate,
                         .momentum = opt->momentum,
                         .beta_1 = opt->beta_1,
                         .beta_2 = opt->beta_2,
                         .epsilon = opt->epsilon};
}

/* Updates the parameters by the gradient that a pass over the tiles has left, scaled down to the norm allowed. */
static void update_clipped(slice *s, double norm) {
    s->stage = APPLY;
    s->step.l2 = s->step.l1 = 0; /* the gradient has them */
    s->step.scale = norm > s->opt->clip_norm ? s->opt->clip_norm / norm : 1;
    run_tiles(s);
}

/* A call of the core: what is worked on, and where to. */
typedef struct {
    slice s;
    ptrdiff_t stop, batch_size;
    double work; /* multiply-adds since the caller was asked whether to stop */
    int stopped;
    pyrelu_course course;
    real *outputs;
    unsigned char *alive;
} errand;

/* Multiply-adds between two such questions, some 0.05 s on a slow core, and what a slice takes beside its own, counted
 * in these: a function of the user's may take 0.1 ms. */
static const double PATIENCE = 3e8, OVERHEAD = 3e5;

/* Notes that so many rows are done, and asks whether to stop once in a while. */
static void advance(errand *e, ptrdiff_t rows) {
    const network *net = e->s.net;
    e->work += (double)rows * work_per_row(net) * (e->s.opt ? 3 : 1) + OVERHEAD;
    if (e->work < PATIENCE) return;
    e->work = 0;
    e->stopped = net->interrupted && net->interrupted(net->context);
}

/* Returns the batch's loss and the norm of its gradient. */
static pyrelu_course train_batch(errand *e, ptrdiff_t start, ptrdiff_t stop) {
    slice s = e->s;
    const double weight = total_weight(s.data, start, stop);
    if (weight == 0) return (pyrelu_course){0, 0}; /* as if the batch were not there */
    optimizer *opt = s.opt;
    s.batch = start;
    s.step = next_step(opt, weight);
    s.stage = isinf(opt->clip_norm) ? FUSED : MEASURE;
    pyrelu_sums rows = {0, 0}, parameters = {0, 0};
    for (s.start = start; s.start < stop && !e->stopped; s.start += s.rows) {
        s.rows = least(s.net->slice_rows, stop - s.start);
        s.begins = s.start == start;
        s.ends = s.start + s.rows == stop;
        rows = add(rows, run_blocks(&s));
        parameters = add(parameters, run_tiles(&s));
        if (s.ends && s.stage == MEASURE) update_clipped(&s, sqrt(parameters.gradient));
        advance(e, s.rows);
    }
    return (pyrelu_course){(rows.loss + parameters.loss) / weight, sqrt(parameters.gradient)};
}

static void train_batches(pyrelu_team *team, void *context) {
    errand *e = context;
    e->s.team = team;
    for (ptrdiff_t start = e->s.start, rows; start < e->stop && !e->stopped; start += rows) {
        rows = least(e->batch_size, e->stop - start);
        const pyrelu_course batch = train_batch(e, start, start + rows);
        e->course.loss += batch.loss * rows;
        e->course.gradient_norm += batch.gradient_norm * rows;
    }
}

static pyrelu_course train(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop,
                           ptrdiff_t batch_size, optimizer *opt) {
    const ptrdiff_t rows = least(least(batch_size, stop - start), net->slice_rows);
    errand e = {.s = {.net = net, .data = data, .start = start, .rows = rows, .opt = opt},
                .stop = stop,
                .batch_size = batch_size};
    pyrelu_with_team(threads_for(&e.s), train_batches, &e);
    return e.course;
}

static void predict_slices(pyrelu_team *team, void *context) {
    errand *e = context;
    const network *net = e->s.net;
    const layer *last = &net->layers[net->n_layers - 1];
    const ptrdiff_t n = last->n_outputs;
    slice s = e->s;
    s.team = team;
    for (; s.start < e->stop && !e->stopped; s.start += s.rows) {
        s.rows = least(net->slice_rows, e->stop - s.start);
        run_blocks(&s);
        if (e->outputs) memcpy(from(e->outputs, s.start, n), last->output, s.rows * n * sizeof(real));
        for (const layer *l = net->layers; e->alive && l < last; l++) mark_alive(l, s.rows, flags(net, l, e->alive));
        advance(e, s.rows);
    }
}

static void predict(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive) {
    const ptrdiff_t rows = least(stop - start, net->slice_rows);
    errand e = {.s = {.net = net, .data = data, .start = start, .rows = rows},
                .stop = stop,
                .outputs = outputs,
                .alive = alive};
    pyrelu_with_team(threads_for(&e.s), predict_slices, &e);
}

const pyrelu_core CORE = {arrange, predict, train};
