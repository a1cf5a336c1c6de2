/* The training core; network.h says what it offers. Compiled once per precision.
 *
 * A batch is worked on in two phases. First its rows, in blocks (rows.h): gather, forward, loss, backward. Then the
 * weights, in tiles (weights.h): gradient and update. Blocks and tiles depend on nothing but shapes, and each sum over
 * them is taken in their order, so that the result does not depend on which thread does which.
 */
#include <tgmath.h>

#include "rows.h"
#include "slice.h"
#include "transforms.h"
#include "weights.h"

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

static int calls_gemm(const network *net) {
    for (int i = 0; i < net->n_layers; i++)
        if (is_for_blas(net->slice_rows, net->layers[i].width, net->layers[i].n_inputs)) return 1;
    return 0;
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

const pyrelu_core CORE = {arrange, calls_gemm, predict, train};
