/* Prints the budget of a training step: its parts, the bound of each, and what each takes.
 *
 *     step LIBRARY [layers/batch ...]     such as 784-1024-10/128; relu, softmax, cross entropy, Adam, float32
 *
 * LIBRARY is a build of libpyrelu. It asks this program for its kernels, which hands them out with a clock around each,
 * so that no part of the core knows of the measurement. PYRELU_ISA and OMP_NUM_THREADS choose what is measured, SAMPLES
 * how often (150 times).
 *
 * Bounds come from what the processor does here: a loop of multiply-adds in registers, and loops over as many bytes as
 * the part reads and writes. The bound of an update is the larger of its bytes and its divisions and square roots.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "training/network.h"

/* Short samples, of which the quickest counts, for each part by itself: what another program interrupts tells nothing.
 */
enum { MOST_LAYERS = 8, MOST_THREADS = 64 };
static int n_samples = 150;
static const double SAMPLE_WORK = 1e8; /* floating-point operations of a sample, about: 1 ms */

typedef enum {
    FORWARD,
    WEIGHT_GRADIENT,
    INPUT_GRADIENT,
    PACK,
    ACTIVATION,
    DERIVATIVE,
    OUTPUT,
    SUMS,
    UPDATE,
    N_PARTS
} part;
static const char *const part_names[N_PARTS] = {
    "products, forward",
    "products, weight gradient",
    "products, input gradient",
    "packing of delta",
    "activation",
    "derivative",
    "softmax",
    "sums of biases",
    "update",
};

/* ---- the kernels with a clock around each ---- */

typedef struct {
    _Alignas(64) double ns[N_PARTS];
    double calls[N_PARTS];
} account;

static account accounts[MOST_THREADS];
static _Atomic int n_accounts;
static __thread account *mine;
static const pyrelu_kernels *kernels; /* the library's own */
static pyrelu_kernels clocked;
static pyrelu_map **activation_maps;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * t.tv_sec + t.tv_nsec;
}

static void charge(part which, double start) {
    if (!mine) mine = &accounts[n_accounts++ % MOST_THREADS];
    mine->ns[which] += now() - start;
    mine->calls[which]++;
}

#define CLOCKED(which, call)        \
    do {                            \
        const double start = now(); \
        call;                       \
        charge(which, start);       \
    } while (0)

static void gemm(const pyrelu_gemm_args *p) {
    CLOCKED(p->a.transposed ? WEIGHT_GRADIENT : p->b.transposed ? INPUT_GRADIENT : FORWARD, kernels->gemm(p));
}
static void softmax_rows(void *x, ptrdiff_t rows, ptrdiff_t n) { CLOCKED(OUTPUT, kernels->softmax_rows(x, rows, n)); }
static void pack_rows(const void *x, ptrdiff_t n, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t k, void *packed) {
    CLOCKED(PACK, kernels->pack_rows(x, n, first, rows, k, packed));
}
static void pack_columns(const void *x, ptrdiff_t stride, const int32_t *columns, ptrdiff_t n, ptrdiff_t k,
                         void *packed) {
    CLOCKED(PACK, kernels->pack_columns(x, stride, columns, n, k, packed));
}
static void or_rows(const void *x, ptrdiff_t rows, ptrdiff_t n, void *found) {
    CLOCKED(PACK, kernels->or_rows(x, rows, n, found));
}
static int all_finite(const void *x, ptrdiff_t n) {
    int finite;
    CLOCKED(PACK, finite = kernels->all_finite(x, n));
    return finite;
}
static void spread(void *x, ptrdiff_t rows, ptrdiff_t n, const void *places) {
    CLOCKED(WEIGHT_GRADIENT, kernels->spread(x, rows, n, places));
}
static void add_rows(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y) {
    CLOCKED(SUMS, kernels->add_rows(x, rows, n, y));
}
static void forward(const void *const *in, int scalars, void *out, ptrdiff_t n) {
    CLOCKED(ACTIVATION, activation_maps[PYRELU_FORWARD](in, scalars, out, n));
}
static void backward(const void *const *in, int scalars, void *out, ptrdiff_t n) {
    CLOCKED(DERIVATIVE, activation_maps[PYRELU_BACKWARD](in, scalars, out, n));
}
static pyrelu_sums update(const pyrelu_step *step, void *w, void *g, void *const *state, ptrdiff_t n) {
    pyrelu_sums sums;
    CLOCKED(UPDATE, sums = kernels->update[PYRELU_OPTIMIZER_adam](step, w, g, state, n));
    return sums;
}

const pyrelu_kernels *pyrelu_kernels_for(pyrelu_type type) {
    (void)type; /* only F32 is asked for */
    return &clocked;
}

/* ---- the network ---- */

typedef struct {
    int n_layers;
    ptrdiff_t sizes[MOST_LAYERS + 1], batch, steps, steps_of_sample, next;
    pyrelu_layer layers[MOST_LAYERS];
    pyrelu_network net;
    pyrelu_optimizer opt;
    pyrelu_samples data;
    const ptrdiff_t *order;
    ptrdiff_t n_weights, n_parameters;
} problem;

static const pyrelu_core *core;

static float *numbers(ptrdiff_t n, float scale) {
    const size_t bytes = (n * sizeof(float) + 63) / 64 * 64;
    float *x = aligned_alloc(bytes < 1 << 22 ? 64 : 1 << 21, (bytes + (1 << 21) - 1) >> 21 << 21);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = scale * (2 * (rand() / (float)RAND_MAX) - 1);
    return x;
}

static int row_named(void *library, const char *table, size_t row_size, const char *name) {
    const char *rows = dlsym(library, table); /* each row begins with its name */
    for (int i = 0;; i++)
        if (!strcmp(*(const char *const *)(rows + i * row_size), name)) return i;
}

static int nothing(void *context) { return (void)context, 0; }

static int read_network(const char *text, problem *p) {
    char *end;
    for (p->n_layers = -1; p->n_layers < MOST_LAYERS; text = end + 1) {
        p->sizes[++p->n_layers] = strtol(text, &end, 10);
        if (end == text || p->sizes[p->n_layers] < 1) return 0;
        if (*end == '/') return p->n_layers > 0 && (p->batch = strtol(end + 1, &end, 10)) > 0 && !*end;
        if (*end != '-') return 0;
    }
    return 0;
}

static void set_up(void *library, problem *p) {
    p->n_weights = p->n_parameters = 0;
    for (int i = 0; i < p->n_layers; i++) {
        p->n_weights += p->sizes[i] * p->sizes[i + 1];
        p->n_parameters += (p->sizes[i] + 1) * p->sizes[i + 1];
    }
    float *parameters = numbers(p->n_parameters, 0.05f), *at = parameters;
    memset(p->layers, 0, sizeof p->layers);
    for (int i = 0; i < p->n_layers; at += p->sizes[i] * p->sizes[i + 1], i++)
        p->layers[i] = (pyrelu_layer){.n_inputs = p->sizes[i],
                                      .width = p->sizes[i + 1],
                                      .n_outputs = p->sizes[i + 1],
                                      .rate_factor = 1,
                                      .trust_ratio = 1,
                                      .weights = at};
    for (int i = 0; i < p->n_layers; at += p->sizes[++i]) {
        p->layers[i].bias = at;
        p->layers[i].transform = i < p->n_layers - 1 ? PYRELU_ELEMENTWISE : PYRELU_SOFTMAX;
        p->layers[i].activation = row_named(library, "pyrelu_activations", sizeof(pyrelu_activation), "relu");
    }
    p->net = (pyrelu_network){.n_layers = p->n_layers,
                              .layers = p->layers,
                              .n_features = p->sizes[0],
                              .loss = row_named(library, "pyrelu_losses", sizeof(pyrelu_loss), "log_loss"),
                              .n_members = 1,
                              .n_threads = PYRELU_ALL_THREADS,
                              .interrupted = nothing};
    const size_t size = core->plan_workspace(&p->net, p->batch, 1, NULL);
    core->plan_workspace(&p->net, p->batch, 1, numbers(size / sizeof(float) + 1, 0));
    const ptrdiff_t each =
        (p->n_parameters + 15) / 16 * 16; /* of whole lines of the cache, as the estimators have them */
    float *state = numbers(3 * each, 0);
    p->opt = (pyrelu_optimizer){.solver = PYRELU_OPTIMIZER_adam,
                                .learning_rate = 1e-3,
                                .beta_1 = 0.9,
                                .beta_2 = 0.999,
                                .epsilon = 1e-8,
                                .alpha = 1e-4,
                                .clip_norm = INFINITY,
                                .dropout_factor = 1,
                                .parameters = parameters,
                                .gradients = state,
                                .state = {state + each, state + 2 * each}};
    for (int i = 0; i < PYRELU_N_GROUPS; i++) p->opt.rate_factors[i] = p->opt.alpha_factors[i] = 1;
    double work = 0;
    for (int i = 0; i < p->n_layers; i++) work += 6.0 * p->batch * p->sizes[i] * p->sizes[i + 1];
    p->steps_of_sample = fmax(SAMPLE_WORK / work, 1);
    p->steps = p->steps_of_sample * 12;
    p->next = 0;
    const ptrdiff_t n = p->batch * p->steps;
    ptrdiff_t *order = malloc(n * sizeof *order);
    for (ptrdiff_t i = 0; i < n; i++) order[i] = i;
    for (ptrdiff_t i = n - 1; i > 0; i--) {
        const ptrdiff_t j = rand() % (i + 1), x = order[i];
        order[i] = order[j];
        order[j] = x;
    }
    float *targets = numbers(n, 0);
    for (ptrdiff_t i = 0; i < n; i++) targets[i] = i % p->sizes[p->n_layers];
    p->data = (pyrelu_samples){.values = numbers(n * p->sizes[0], 1), .targets = targets, .n_targets = 1};
    p->order = order;
}

/* Nanoseconds of a step. */
static double train(problem *p, int with_clocks) {
    clocked = *kernels;
    if (with_clocks) {
        static pyrelu_map *maps[1024][PYRELU_N_KINDS];
        static pyrelu_update *updates[PYRELU_N_OPTIMIZERS + 1];
        memcpy(maps, kernels->map, (p->layers[0].activation + 1) * sizeof *maps);
        activation_maps = (pyrelu_map **)kernels->map[p->layers[0].activation];
        maps[p->layers[0].activation][PYRELU_FORWARD] = forward;
        maps[p->layers[0].activation][PYRELU_BACKWARD] = backward;
        memcpy(updates, kernels->update, sizeof updates);
        updates[PYRELU_OPTIMIZER_adam] = update;
        clocked.map = (pyrelu_map *const(*)[PYRELU_N_KINDS])maps;
        clocked.update = updates;
        clocked.gemm = gemm;
        clocked.pack_rows = pack_rows;
        clocked.pack_columns = pack_columns;
        clocked.or_rows = or_rows;
        clocked.all_finite = all_finite;
        clocked.spread = spread;
        clocked.softmax_rows = softmax_rows;
        clocked.add_rows = add_rows;
    }
    p->data.order = p->order;
    const ptrdiff_t rows = p->batch * p->steps_of_sample;
    p->next = (p->next + rows) % (p->batch * p->steps);
    const double start = now();
    core->train(&p->net, &p->data, p->next, p->next + rows, p->batch, &p->opt);
    return (now() - start) / p->steps_of_sample;
}

/* ---- bounds ---- */

/* Nanoseconds of a vector's multiply-add, and of its division and square root together, when nothing waits. */
typedef struct {
    int lanes;
    double multiply_add, divide_and_root;
} processor;

#define TEN(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) /* chains: ports times latency, and some more */
#define DECLARE(i) x##i = {0},
#define OPERAND(i) "+v"(x##i),
#define MEASURE_PROCESSOR(name, instructions, vector, lanes)                                                 \
    __attribute__((target(instructions), noinline)) static double name##_multiply_adds(ptrdiff_t n) {        \
        vector TEN(DECLARE) y = {0};                                                                         \
        y += 1; /* a multiplier of zeros would take less power */                                            \
        const double start = now();                                                                          \
        for (ptrdiff_t i = 0; i < n; i++) __asm__ volatile(TEN(MULTIPLY_ADD) : TEN(OPERAND) "+v"(y));        \
        return (now() - start) / n / 10;                                                                     \
    }                                                                                                        \
    __attribute__((target(instructions), noinline)) static double name##_divisions(ptrdiff_t n) {            \
        vector x = {0}, root, quotient;                                                                      \
        for (int i = 0; i < lanes; i++) x[i] = 1.5f;                                                         \
        const double start = now();                                                                          \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            __asm__ volatile("vsqrtps %2, %0\n\tvdivps %2, %2, %1" : "=&v"(root), "=&v"(quotient) : "v"(x)); \
        return (now() - start) / n;                                                                          \
    }
#define MULTIPLY_ADD(i) "vfmadd231ps %10, %10, %" #i "\n\t"
typedef float vector8 __attribute__((vector_size(32)));
typedef float vector16 __attribute__((vector_size(64)));
MEASURE_PROCESSOR(v3, "avx2,fma", vector8, 8)
MEASURE_PROCESSOR(v4, "avx512f", vector16, 16)

static double least(double (*measure)(ptrdiff_t), ptrdiff_t n) {
    double found = INFINITY;
    for (int i = 0; i < 40; i++) found = fmin(found, measure(n));
    return found;
}

/* The same, but after a second of it: under a load of wide multiply-adds, as a fit is, a processor lowers its clock. */
static double sustained(double (*measure)(ptrdiff_t), ptrdiff_t n) {
    for (const double end = now() + 1e9; now() < end;) measure(n);
    return least(measure, n);
}

static processor measure_processor(const char *isa) {
    if (!strcmp(isa, "v4")) return (processor){16, sustained(v4_multiply_adds, 20000), least(v4_divisions, 5000)};
    if (!strcmp(isa, "v3")) return (processor){8, sustained(v3_multiply_adds, 20000), least(v3_divisions, 5000)};
    return (processor){4, NAN, NAN};
}

/* Nanoseconds to read `arrays` arrays of n floats each, and to write them if `writes`. */
__attribute__((optimize("tree-vectorize"), target_clones("avx512f", "avx2", "default"))) static double
pass_over(ptrdiff_t n, int arrays, int writes) {
    float *x = numbers(n * arrays, 1);
    double found = INFINITY;
    for (int sample = 0; sample < 12; sample++) {
        const int repeats = 1 + 200000 / (n * arrays);
        const double start = now();
        for (int r = 0; r < repeats; r++) {
            float sum[64] = {0};
            for (ptrdiff_t i = 0; i + 64 <= n * arrays; i += 64)
                for (int j = 0; j < 64; j++)
                    if (writes) x[i + j] += 1;
                    else sum[j] += x[i + j];
            __asm__ volatile("" : : "r"(sum), "r"(x) : "memory"); /* the loop is not to be left out */
        }
        found = fmin(found, (now() - start) / repeats);
    }
    free(x);
    return found;
}

/* Nanoseconds to copy the rows of a batch together, as the core does. */
static double gather(const problem *p) {
    const ptrdiff_t n = p->sizes[0], offset = (rand() % p->steps) * p->batch;
    const double start = now();
    for (ptrdiff_t i = 0; i < p->batch; i++)
        memcpy((float *)p->net.inputs + i * n, (const float *)p->data.values + p->order[offset + i] * n,
               n * sizeof(float));
    return now() - start;
}

static void set_bounds(const problem *p, const processor *cpu, double *bounds) {
    for (int i = 0; i < N_PARTS; i++) bounds[i] = 0;
    for (int i = 0; i < p->n_layers; i++) {
        const ptrdiff_t m = p->batch, k = p->sizes[i], n = p->sizes[i + 1];
        const double product = (double)m * n * k * cpu->multiply_add / cpu->lanes;
        bounds[FORWARD] += product;
        bounds[WEIGHT_GRADIENT] += product;
        if (i) bounds[INPUT_GRADIENT] += product;
        bounds[SUMS] += pass_over(m * n, 1, 0);
        bounds[PACK] += pass_over(m * n, 1, 1);
        if (i == p->n_layers - 1) continue;
        bounds[ACTIVATION] += pass_over(m * n, 1, 1);
        bounds[DERIVATIVE] += pass_over(m * n, 1, 1) + pass_over(m * n, 1, 0);
    }
    bounds[UPDATE] = fmax(p->n_parameters * cpu->divide_and_root / cpu->lanes, pass_over(p->n_parameters, 3, 1));
}

/* ---- the table ---- */

static void print_machine(void) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file) && *line != '\n') {
        char *value = strchr(line, ':');
        if (!value || (strncmp(line, "vendor", 6) && strncmp(line, "cpu family", 10) && strncmp(line, "model", 5)))
            continue;
        printf("%s, ", strtok(value + 2, "\n"));
    }
    if (file) fclose(file);
}

static void line(const char *what, double ns, double total, double bound) {
    printf("| %-25s | %9.1f | %5.1f%% |", what, ns / 1e3, 100 * ns / total);
    if (bound > 0) printf(" %9.1f | %5.2f |\n", bound / 1e3, ns / bound);
    else printf("         - |     - |\n");
}

static void print_budget(void *library, const char *name, problem *p, const processor *cpu, int threads) {
    double measured = INFINITY, gathering = INFINITY, rest = INFINITY, parts[N_PARTS], bounds[N_PARTS];
    set_up(library, p);
    for (int i = 0; i < N_PARTS; i++) parts[i] = INFINITY;
    for (int sample = 0; sample < n_samples; sample++) {
        measured = fmin(measured, train(p, 0));
        gathering = fmin(gathering, gather(p));
        memset(accounts, 0, sizeof accounts);
        double others = threads * train(p, 1);
        for (int i = 0; i < N_PARTS; i++) {
            double ns = 0;
            for (int t = 0; t < MOST_THREADS; t++) ns += accounts[t].ns[i] / p->steps_of_sample;
            parts[i] = fmin(parts[i], ns);
            others -= ns;
        }
        rest = fmin(rest, others);
    }
    rest = fmax(rest - gathering, 0);
    set_bounds(p, cpu, bounds);
    double floor = 0, total = gathering + rest;
    for (int i = 0; i < N_PARTS; i++) total += parts[i];
    for (int i = FORWARD; i <= INPUT_GRADIENT; i++) floor += bounds[i];
    printf("\n%s, %d thread%s: %.1f us a step, of which the multiply-adds at the processor's peak are %.0f%%\n\n", name,
           threads, threads > 1 ? "s" : "", fmin(measured, total / threads) / 1e3,
           100 * floor / threads / fmin(measured, total / threads));
    printf("| part                      |        us |  share |  bound us | ratio |\n");
    printf("| ------------------------- | --------: | -----: | --------: | ----: |\n");
    for (int i = 0; i < N_PARTS; i++)
        if (parts[i] > 0) line(part_names[i], parts[i], total, bounds[i]);
    line("gather", gathering, total, pass_over(p->batch * p->sizes[0], 1, 1));
    line(threads > 1 ? "loss, calls, waiting" : "loss, calls", rest, total, 0);
}

int main(int argc, char **argv) {
    static const char *const networks[] = {"784-1024-10/128", "784-256-256-10/128", "64-100-10/200", "64-100-10/32",
                                           "20-64-64-10/256"};
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library)
        return fprintf(stderr, "step LIBRARY [layers/batch ...]: %s\n", argc > 1 ? dlerror() : "no library"), 2;
    if (getenv("SAMPLES")) n_samples = atoi(getenv("SAMPLES"));
    core = dlsym(library, "pyrelu_core_f32");
    kernels = ((const pyrelu_kernels *(*)(pyrelu_type))dlsym(library, "pyrelu_kernels_for"))(PYRELU_F32);
    const char *isa = ((const char *(*)(void))dlsym(library, "pyrelu_isa"))();
    const int threads = ((int (*)(void))dlsym(library, "pyrelu_get_num_threads"))();
    const processor cpu = measure_processor(isa);
    print_machine();
    printf("%s: %.1f GFLOP/s of multiply-adds a thread, a division and a square root of %d floats in %.2f ns\n", isa,
           2 * cpu.lanes / cpu.multiply_add, cpu.lanes, cpu.divide_and_root);
    for (int i = 2; i < argc || (argc == 2 && i < 7); i++) {
        static problem p;
        const char *name = argc == 2 ? networks[i - 2] : argv[i];
        if (!read_network(name, &p)) return fprintf(stderr, "%s is not layers/batch\n", name), 2;
        print_budget(library, name, &p, &cpu, threads);
    }
}
