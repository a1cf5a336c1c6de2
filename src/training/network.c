/* The training core; network.h says what it offers. Compiled once per precision.
 *
 * A batch takes two phases. First its rows, in blocks (row_blocks-inl.h): gather, forward, loss, backward. Then the
 * weights, in blocks (weight_blocks-inl.h): gradient and update. The blocks depend on shapes alone, and sums over them
 * are taken in order, so that the result does not depend on which thread computes which block.
 */
#include "math/functions.h"

#include "training/adapters-inl.h"
#include "training/micro_batch-inl.h"
#include "training/row_blocks-inl.h"
#include "training/transforms-inl.h"
#include "training/watch-inl.h"
#include "training/weight_blocks-inl.h"
#include "training/zero_columns-inl.h"

#if PYRELU_BITS == 32
#define CORE pyrelu_core_f32
#else
#define CORE pyrelu_core_f64
#endif

/* ---- memory ---- */

enum { NUMBERS_PER_LINE = PYRELU_CACHE_LINE / sizeof(real) };

static void *reserve(char *workspace, size_t *used, ptrdiff_t n, size_t size) {
    char *start = workspace ? workspace + *used : NULL;
    *used += (n * size + 63) / 64 * 64; /* whole cache lines, so that no two threads write to the same one */
    return start;
}

static size_t plan_workspace(network *net, ptrdiff_t rows, int training, void *workspace) {
#define RESERVE(n) reserve(workspace, &used, rows *(n), sizeof(real))
    size_t used = 0;
    ptrdiff_t n_blocks = rows; /* at most one block per row, and one per row of weights */
    net->micro_batch_rows = rows;
    net->inputs = RESERVE(net->n_features);
    const ptrdiff_t k = net->n_members, n_outputs = net->layers[net->n_layers - 1].n_outputs;
    net->targets = training && net->loss < 0 ? RESERVE(k * n_outputs) : NULL;
    net->losses = training && net->loss < 0 ? RESERVE(k) : NULL;
    net->input_mask = training && net->input_dropout > 0 ? RESERVE(n_inputs(net)) : NULL;
    pyrelu_embedding *e = net->embedding;
    if (e) {
        e->embedded = RESERVE(e->n_outputs);
        e->outputs = e->scales ? RESERVE(e->n_outputs) : e->embedded;
        e->gradient = training ? RESERVE(e->n_outputs) : NULL;
        e->scale_delta = training && e->scales ? RESERVE(e->n_outputs) : NULL;
        n_blocks += embedding_blocks(net);
    }
    for (layer *l = net->layers, *last = l + net->n_layers - 1; l <= last; l++) {
        const int trains = training && l < last, in_place = transforms[l->transform].in_place;
        const int drops = trains && l->dropout > 0;
        const ptrdiff_t inputs = k * l->n_inputs, width = k * l->width, outputs = k * l->n_outputs;
        l->saved = RESERVE(width);
        l->output = !in_place || drops || (trains && saves_input(l)) ? RESERVE(outputs) : l->saved;
        l->delta = trains ? RESERVE(width) : l->output;
        l->gradient = trains && !in_place ? RESERVE(outputs) : l->delta;
        l->mask = drops ? RESERVE(outputs) : NULL;
        l->drawn = trains && l->transform == PYRELU_DRAWN_SLOPES ? RESERVE(width) : NULL;
        l->slope_delta = trains && l->slopes ? RESERVE(width) : NULL;
        l->adapted = l->input_factors ? RESERVE(inputs) : NULL;
        l->products = l->input_factors && trains ? RESERVE(width) : l->saved;
        l->adapted_delta = l->input_factors && trains ? RESERVE(inputs) : NULL;
        l->product_delta = l->input_factors && trains ? RESERVE(width) : NULL;
        l->packed = training && k == 1 ? RESERVE(ceil_div(width, NUMBERS_PER_LINE) * NUMBERS_PER_LINE) : NULL;
        const int finds = trains && k == 1; /* columns that are 0 */
        l->column_bits = finds ? reserve(workspace, &used, most_row_parts(rows) * width, sizeof(real)) : NULL;
        l->columns = finds ? reserve(workspace, &used, width, sizeof(int32_t)) : NULL;
        l->places = finds ? reserve(workspace, &used, width, sizeof(real)) : NULL;
        n_blocks += l->n_inputs + 1;
    }
    if (training && k == 1) {
        const ptrdiff_t width = net->layers->width, blocks = most_weight_blocks(net->layers);
        net->watch.peaks = reserve(workspace, &used, most_row_parts(rows) * width, sizeof(real));
        net->watch.rises = reserve(workspace, &used, blocks * 2 * width, sizeof(real));
        net->watch.weights =
            reserve(workspace, &used, watchable(net) ? blocks * rows_per_chunk(width) * width : 0, sizeof(real));
        net->watch.bias = reserve(workspace, &used, width, sizeof(real));
    }
    net->partial_sums = reserve(workspace, &used, n_blocks, sizeof(pyrelu_sums));
    return used;
}

static int calls_blas(const network *net) {
    for (int i = 0; i < net->n_layers; i++)
        if (exceeds_own_gemm(net->n_members * net->micro_batch_rows, net->layers[i].width, net->layers[i].n_inputs))
            return 1;
    return 0;
}

/* ---- the core ---- */

/* A pass over blocks of rows or of weights, which the team shares; it leaves partial sums. */
typedef struct {
    const micro_batch *micro;
    void (*work)(const micro_batch *, ptrdiff_t);
} pass;

static void run_part(void *context, ptrdiff_t i) {
    const pass *p = context;
    p->work(p->micro, i);
}

/* Runs the n parts of a pass; returns the sum of the results of its blocks, in their order. */
static pyrelu_sums run(const micro_batch *s, void (*work)(const micro_batch *, ptrdiff_t), ptrdiff_t n,
                       ptrdiff_t n_blocks) {
    pyrelu_sums sums = {0, 0};
    pyrelu_team_for(s->team, n, run_part, &(pass){s, work});
    for (ptrdiff_t i = 0; i < n_blocks; i++) sums = add(sums, s->net->partial_sums[i]);
    return sums;
}

static ptrdiff_t n_weight_blocks(const micro_batch *s) {
    ptrdiff_t n = 0;
    for (int i = 0; i < s->net->n_layers; i++) n += weight_blocks_of(s, &s->net->layers[i]);
    return n + embedding_blocks(s->net) + adapter_blocks(s->net);
}

static pyrelu_sums run_row_blocks(const micro_batch *s) {
    const ptrdiff_t n = ceil_div(s->rows, rows_per_block(s));
    return run(s, row_blocks, row_parts(s), n);
}

static pyrelu_sums run_weight_blocks(const micro_batch *s) {
    const ptrdiff_t n = n_weight_blocks(s);
    return run(s, weight_block, n, n);
}

/* The threads for a micro-batch: one if neither its rows nor the weights of any layer make more than one block. */
static int threads_for(const micro_batch *s) {
    const ptrdiff_t whole = s->net->n_layers + embedding_blocks(s->net) + adapter_blocks(s->net);
    const int divides = ceil_div(s->rows, rows_per_block(s)) > 1 || (s->opt && n_weight_blocks(s) > whole);
    return divides ? s->net->n_threads : 1;
}

static double total_weight(const samples *data, ptrdiff_t start, ptrdiff_t stop) {
    const real *weights = data->weights;
    if (!weights) return stop - start;
    double sum = 0;
    for (ptrdiff_t row = start; row < stop; row++) sum += weights[sample_at(data, row)];
    return sum;
}

static int works_on_arrays(const optimizer *opt) {
    return opt->solver < PYRELU_N_OPTIMIZERS && pyrelu_optimizers[opt->solver].scope == 'A';
}

static pyrelu_step next_step(optimizer *opt, double weight) {
    opt->t++;
    const double mean = 1 - pow(opt->beta_1, opt->t), square = 1 - pow(opt->beta_2, opt->t);
    return (pyrelu_step){.l2 = opt->alpha,
                         .l1 = opt->l1,
                         .scale = 1 / weight,
                         .decay = opt->learning_rate * opt->decay,
                         .weight_decay = opt->decay,
                         .rate = opt->learning_rate,
                         .adam_rate = opt->learning_rate * (sqrt(square) / mean),
                         .mean_scale = 1 / mean,
                         .next_mean_scale = 1 / (1 - pow(opt->beta_1, opt->t + 1)),
                         .square_scale = 1 / square,
                         .momentum = opt->momentum,
                         .beta_1 = opt->beta_1,
                         .beta_2 = opt->beta_2,
                         .epsilon = opt->epsilon};
}

/* For each layer, what its step is to be multiplied by, from the sums of its blocks of weights. */
static void set_trust_ratios(const micro_batch *s) {
    const pyrelu_sums *of_block = s->net->partial_sums;
    for (int i = 0; i < s->net->n_layers; i++) {
        layer *l = &s->net->layers[i];
        pyrelu_sums sums = {0, 0};
        for (ptrdiff_t block = 0, n = weight_blocks_of(s, l); block < n; block++) sums = add(sums, *of_block++);
        l->trust_ratio = trust_ratio(sums);
    }
}

/* Updates the parameters with the gradient that the pass MEASURE left, scaled down to clip_norm. */
static void update_measured(micro_batch *s, double norm) {
    const int whole_arrays = works_on_arrays(s->opt);
    s->stage = whole_arrays ? DIRECT : APPLY;
    s->step.l2 = s->step.l1 = 0; /* the gradient includes the penalties */
    s->step.scale = norm > s->opt->clip_norm ? s->opt->clip_norm / norm : 1;
    run_weight_blocks(s);
    if (!whole_arrays) return;
    set_trust_ratios(s);
    s->stage = SCALE;
    run_weight_blocks(s);
}

/* One call of the core. */
typedef struct {
    micro_batch micro;
    ptrdiff_t stop, batch_size;
    double work; /* multiply-adds since `interrupted` was last called */
    int stopped;
    pyrelu_epoch_totals sums;
    real *outputs;
    unsigned char *alive;
} run_context;

/* Multiply-adds between two calls of `interrupted`, some 0.05 s on a slow core, and the cost of a micro-batch beyond
 * its own multiply-adds, in the same unit: a user's function may take 0.1 ms. */
static const double WORK_BETWEEN_CHECKS = 3e8, WORK_PER_BATCH = 3e5;

/* Records that rows are done, and now and then calls `interrupted`. */
static void advance(run_context *ctx, ptrdiff_t rows) {
    const network *net = ctx->micro.net;
    ctx->work += (double)rows * forward_work(net) * (ctx->micro.opt ? 3 : 1) + WORK_PER_BATCH;
    if (ctx->work < WORK_BETWEEN_CHECKS) return;
    ctx->work = 0;
    ctx->stopped = net->interrupted && net->interrupted(net->context);
}

/* Returns the batch's loss and the norm of its gradient. */
static pyrelu_epoch_totals train_batch(run_context *ctx, ptrdiff_t start, ptrdiff_t stop) {
    micro_batch s = ctx->micro;
    const double weight = total_weight(s.data, start, stop);
    if (weight == 0) { /* skips a batch without weight */
        if (s.net->watch.tops) give_up_watch(s.net);
        return (pyrelu_epoch_totals){0, 0};
    }
    optimizer *opt = s.opt;
    s.batch = start;
    s.step = next_step(opt, weight);
    s.stage = isinf(opt->clip_norm) && !works_on_arrays(opt) ? FUSED : MEASURE;
    pyrelu_sums rows = {0, 0}, parameters = {0, 0};
    for (s.start = start; s.start < stop && !ctx->stopped; s.start += s.rows) {
        s.rows = min_size(s.net->micro_batch_rows, stop - s.start);
        s.begins = s.start == start;
        s.ends = s.start + s.rows == stop;
        rows = add(rows, run_row_blocks(&s));
        leave_out_zero_columns(&s);
        if (watches(&s)) begin_watch(&s);
        else if (s.net->watch.tops) give_up_watch(s.net);
        parameters = add(parameters, run_weight_blocks(&s));
        if (watches(&s)) end_watch(&s, row_parts(&s));
        if (s.ends && s.stage == MEASURE) update_measured(&s, sqrt(parameters.gradient));
        advance(ctx, s.rows);
    }
    return (pyrelu_epoch_totals){(rows.loss + parameters.loss) / weight, sqrt(parameters.gradient)};
}

static void train_batches(pyrelu_team *team, void *context) {
    run_context *ctx = context;
    ctx->micro.team = team;
    for (ptrdiff_t start = ctx->micro.start, rows; start < ctx->stop && !ctx->stopped; start += rows) {
        rows = min_size(ctx->batch_size, ctx->stop - start);
        const pyrelu_epoch_totals batch = train_batch(ctx, start, start + rows);
        ctx->sums.loss += batch.loss * rows;
        ctx->sums.gradient_norm += batch.gradient_norm * rows;
    }
}

static pyrelu_epoch_totals train(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop,
                                 ptrdiff_t batch_size, optimizer *opt) {
    const ptrdiff_t rows = min_size(min_size(batch_size, stop - start), net->micro_batch_rows);
    run_context ctx = {.micro = {.net = net, .data = data, .start = start, .rows = rows, .opt = opt},
                       .stop = stop,
                       .batch_size = batch_size};
    pyrelu_with_team(threads_for(&ctx.micro), train_batches, &ctx);
    return ctx.sums;
}

typedef struct {
    micro_batch s;
    pyrelu_sums sums;
} step_context;

static void take_step(pyrelu_team *team, void *context) {
    step_context *ctx = context;
    micro_batch *s = &ctx->s;
    s->team = team;
    ctx->sums = run_weight_blocks(s);
    if (s->stage == MEASURE) update_measured(s, sqrt(ctx->sums.gradient));
}

static pyrelu_epoch_totals step(const network *net, double weight, optimizer *opt) {
    const samples none = {.values = NULL};
    step_context ctx = {.s = {.net = net, .data = &none, .rows = 1, .opt = opt, .given = 1, .ends = 1}};
    ctx.s.step = next_step(opt, weight);
    ctx.s.stage = isinf(opt->clip_norm) && !works_on_arrays(opt) ? FUSED : MEASURE;
    pyrelu_with_team(1, take_step, &ctx);
    return (pyrelu_epoch_totals){ctx.sums.loss / weight, sqrt(ctx.sums.gradient)};
}

/* Writes the mean over members of the outputs of the micro-batch's rows. */
static void write_outputs(const micro_batch *s, const layer *last, real *outputs) {
    const ptrdiff_t k = s->net->n_members, n = last->n_outputs;
    const real *y = last->output;
    if (k == 1) {
        memcpy(outputs, y, s->rows * n * sizeof(real));
        return;
    }
    memset(outputs, 0, s->rows * n * sizeof(real));
    for (ptrdiff_t row = 0; row < s->rows; row++, y += k * n, outputs += n) {
        pyrelu_kernels_for(TYPE)->add_rows(y, k, n, outputs);
        for (ptrdiff_t j = 0; j < n; j++) outputs[j] /= k;
    }
}

static void predict_micro_batches(pyrelu_team *team, void *context) {
    run_context *ctx = context;
    const network *net = ctx->micro.net;
    const layer *last = &net->layers[net->n_layers - 1], *hidden_end = last + !ctx->outputs;
    micro_batch s = ctx->micro;
    s.team = team;
    for (; s.start < ctx->stop && !ctx->stopped; s.start += s.rows) {
        s.rows = min_size(net->micro_batch_rows, ctx->stop - s.start);
        run_row_blocks(&s);
        if (ctx->outputs) write_outputs(&s, last, from(ctx->outputs, s.start, last->n_outputs));
        for (const layer *l = net->layers; ctx->alive && l < hidden_end; l++)
            mark_alive(l, net->n_members * s.rows, flags(net, l, ctx->alive));
        advance(ctx, s.rows);
    }
}

static void predict(const network *net, const samples *data, ptrdiff_t start, ptrdiff_t stop, void *outputs,
                    unsigned char *alive) {
    const ptrdiff_t rows = min_size(stop - start, net->micro_batch_rows);
    network asked = *net;
    if (!outputs) asked.n_layers--; /* nothing depends on the output layer */
    run_context ctx = {.micro = {.net = &asked, .data = data, .start = start, .rows = rows},
                       .stop = stop,
                       .outputs = outputs,
                       .alive = alive};
    pyrelu_with_team(threads_for(&ctx.micro), predict_micro_batches, &ctx);
}

static void losses_of_rows(const network *net, const void *targets, ptrdiff_t n_targets, void *outputs, void *losses,
                           ptrdiff_t rows) {
    const ptrdiff_t n = net->layers[net->n_layers - 1].n_outputs;
    for (ptrdiff_t row = 0; row < rows; row++)
        ((real *)losses)[row] = row_losses[net->loss](from(outputs, row, n), from((void *)targets, row, n_targets), n,
                                                      n_targets, net->label_smoothing, net->loss_parameters);
}

static void ranges(const void *values, ptrdiff_t rows, ptrdiff_t n, void *lows, void *highs) {
    pyrelu_kernels_for(TYPE)->range_of_rows(values, rows, n, lows, highs);
}

const pyrelu_core CORE = {plan_workspace, calls_blas, predict, train, step, losses_of_rows, ranges};
