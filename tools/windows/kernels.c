/* Prints a hash of what each kernel of the library gives for fixed inputs, so that two builds of it can be compared.
 *
 *     make -C tools/windows
 *
 * `kernels isas` prints the instruction sets that this machine has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/dispatch.h"
#include "ufunc/loops.h"

enum { N = 5003, MARGIN = 64 }; /* N: blocks, vectors, and a rest that fills neither */

static pyrelu_type type;
static size_t size;

/* ---- inputs: exact, whatever the C library ---- */

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545f4914f6cdd1du;
}

static double power_of_two(int exponent) {
    double x = 1;
    for (; exponent > 0; exponent--) x *= 2;
    for (; exponent < 0; exponent++) x /= 2;
    return x;
}

/* Numbers in [-8, 8) or of exponents from -30 to 10; of those in [0, 1) all are. */
static double number(int unit) {
    const uint64_t r = next();
    const double u = (double)(r >> 40) * 0x1p-24;
    if (unit) return u;
    return r & 1 ? 16 * u - 8 : (r & 2 ? u - 1 : u + 1) * power_of_two((int)(r >> 8) % 41 - 30);
}

static void put(void *array, ptrdiff_t i, double value) {
    if (type == PYRELU_F64) ((double *)array)[i] = value;
    else ((float *)array)[i] = (float)value;
}

static const double SPECIAL[] = {0.0, -0.0, 1, -1, 1e30, -1e30, 88, -88, 1e-40, __builtin_inf(), -__builtin_inf()};
enum { N_SPECIAL = sizeof SPECIAL / sizeof *SPECIAL };

/* n numbers from `seed`; `special`: some of the numbers above among them */
static void *filled(ptrdiff_t n, uint64_t seed, int unit, int special) {
    char *array = malloc((n + MARGIN) * sizeof(double));
    if (!array) exit(2);
    state = 0x9e3779b97f4a7c15u * (seed + 1);
    for (ptrdiff_t i = 0; i < n + MARGIN; i++) put(array, i, number(unit));
    for (int i = 0; special && i < N_SPECIAL; i++) put(array, (i * 389 + 7) % n, SPECIAL[i]);
    return array;
}

/* ---- results ---- */

static int printed;

static void hash(const char *what, const char *name, int variant, const void *result, size_t bytes) {
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < bytes; i++) h = (h ^ ((const unsigned char *)result)[i]) * 0x100000001b3u;
    printf("%s %d %-16s %-24s %2d %016llx\n", pyrelu_isa(), type == PYRELU_F64 ? 64 : 32, what, name, variant,
           (unsigned long long)h);
    printed++;
}

/* ---- the kernels ---- */

static void map(const char *what, const char *name, int variant, pyrelu_map *f, int n_data, int n_parameters,
                const double *defaults) {
    for (int scalars = 0; scalars < 2; scalars++) {
        const void *in[PYRELU_MAX_OPERANDS + PYRELU_MAX_PARAMETERS] = {0};
        void *arrays[PYRELU_MAX_OPERANDS], *out = filled(N, 99, 1, 0);
        for (int k = 0; k < n_data + n_parameters; k++) {
            in[k] = arrays[k] = filled(N, k, 0, k == 0);
            for (ptrdiff_t i = 0; k >= n_data && i < N; i++) put(arrays[k], i, defaults[k - n_data]);
        }
        for (int k = 0; k < PYRELU_MAX_PARAMETERS; k++) in[n_data + n_parameters + k] = in[n_data + n_parameters - 1];
        f(in, scalars, out, N);
        hash(what, name, 2 * variant + scalars, out, N * size);
        for (int k = 0; k < n_data + n_parameters; k++) free(arrays[k]);
        free(out);
        if (!n_parameters) break;
    }
}

static void maps(const pyrelu_kernels *kernels) {
    static const char *const KINDS[] = {"forward", "derivative", "vjp", "backward"};
    for (int i = 0; i < pyrelu_n_activations; i++) {
        const pyrelu_activation *row = &pyrelu_activations[i];
        double defaults[PYRELU_MAX_PARAMETERS];
        for (int k = 0; k < row->n_parameters; k++) {
            const double d = row->parameters[k].default_value;
            defaults[k] = d == d ? d : 0.25;
        }
        for (int kind = 0; kind < PYRELU_N_KINDS; kind++)
            map(KINDS[kind], row->name, 0, kernels->map[i][kind], kind < PYRELU_VJP ? 1 : 2, row->n_parameters,
                defaults);
    }
    for (int i = 0; i < pyrelu_n_gates; i++)
        for (int slope = 0; slope < 2; slope++)
            map("gated", pyrelu_gates[i].name, slope, kernels->gated[i][slope], 2 + slope, 0, NULL);
}

typedef struct {
    pyrelu_blocked_row base;
    const char *const *in;
    const int *has_axis;
    char *out;
} blocked_row;

static const void *read_block(pyrelu_blocked_row *row, int operand, ptrdiff_t at, ptrdiff_t n) {
    const blocked_row *r = (const blocked_row *)row;
    (void)n;
    return r->in[operand] + (r->has_axis[operand] ? at : 0) * size;
}

static void write_block(pyrelu_blocked_row *row, const void *values, ptrdiff_t at, ptrdiff_t n) {
    memcpy(((blocked_row *)row)->out + at * size, values, n * size);
}

static void rowwise(const pyrelu_kernels *kernels) {
    static const ptrdiff_t LENGTHS[] = {1, 2, 7, 10, 33, 100, 777, 4999};
    for (int i = 0; i < pyrelu_n_axis_functions; i++)
        for (int vjp = 0; vjp < 2; vjp++)
            for (size_t l = 0; l < sizeof LENGTHS / sizeof *LENGTHS; l++) {
                const ptrdiff_t n = LENGTHS[l], rows = n < N / 3 ? N / n : 1;
                const pyrelu_loop loop = pyrelu_make_rowwise_loop(i, vjp, type);
                char *in[2] = {filled(rows * n, 1, 0, 0), filled(rows * n, 2, 0, 0)}, *out = filled(rows * n, 3, 1, 0);
                const ptrdiff_t n_out = loop.has_axis[loop.n_data] ? n : 1;
                kernels->rowwise[i][vjp]((const void *const *)in, out, rows, n);
                hash(vjp ? "rowwise vjp" : "rowwise", pyrelu_axis_functions[i].name, (int)l, out, rows * n_out * size);
                blocked_row row = {{n, read_block, write_block}, (const char *const *)in, loop.has_axis, out};
                memset(out, 0, rows * n * size);
                kernels->rowwise_blocked[i][vjp](&row.base);
                hash(vjp ? "blocked vjp" : "blocked", pyrelu_axis_functions[i].name, (int)l, out, n_out * size);
                free(in[0]), free(in[1]), free(out);
            }
}

static void updates(const pyrelu_kernels *kernels) {
    const pyrelu_step step = {.l2 = 0.01,
                              .l1 = 0.001,
                              .scale = 0.125,
                              .decay = 1e-4,
                              .weight_decay = 0.01,
                              .rate = 0.01,
                              .adam_rate = 0.02,
                              .momentum = 0.9,
                              .beta_1 = 0.9,
                              .beta_2 = 0.999,
                              .epsilon = 1e-8,
                              .mean_scale = 10,
                              .next_mean_scale = 5,
                              .square_scale = 1000};
    for (int i = 0; i <= PYRELU_N_OPTIMIZERS; i++) {
        const char *name = i < PYRELU_N_OPTIMIZERS ? pyrelu_optimizers[i].name : "gradient";
        void *w = filled(N, 1, 0, 0), *g = filled(N, 2, 0, 0), *m = filled(N, 3, 1, 0), *v = filled(N, 4, 1, 0);
        const pyrelu_sums sums = kernels->update[i](&step, w, g, (void *const[]){m, v}, N);
        hash("update w", name, 0, w, N * size), hash("update g", name, 0, g, N * size);
        hash("update m", name, 0, m, N * size), hash("update v", name, 0, v, N * size);
        hash("update sums", name, 0, &sums, sizeof sums);
        free(w), free(g), free(m), free(v);
    }
}

static void embeddings(const pyrelu_kernels *kernels) {
    static const char *const NAMES[] = {
#define EMBEDDING(name, ...) #name,
#include "table/embeddings.def"
#undef EMBEDDING
    };
    enum { FEATURES = 13, SIZE = 7, ROWS = 101, STRIDE = 9 };
    for (int i = 0; i < PYRELU_N_EMBEDDINGS; i++) {
        void *of[9];
        for (int k = 0; k < 9; k++) of[k] = filled(N, k, 1, 0);
        const pyrelu_numeric_embedding e = {FEATURES, SIZE, of[0], of[1], of[2], of[3]};
        const pyrelu_numeric_gradients to = {of[4], of[5], of[6], of[7]};
        kernels->embed[i](&e, of[8], 3, ROWS, of[7], STRIDE);
        hash("embed", NAMES[i], 0, of[7], N * size);
        kernels->embed_backward[i](&e, of[8], 3, ROWS, of[7], STRIDE, &to);
        for (int k = 4; k < 8; k++) hash("embed backward", NAMES[i], k, of[k], N * size);
        for (int k = 0; k < 9; k++) free(of[k]);
    }
}

static void products(const pyrelu_kernels *kernels) {
    static const ptrdiff_t SHAPES[][3] = {{1, 1, 1}, {5, 3, 7}, {64, 48, 33}, {17, 130, 260}, {200, 10, 100}};
    for (size_t s = 0; s < sizeof SHAPES / sizeof *SHAPES; s++)
        for (int variant = 0; variant < 8; variant++) {
            const ptrdiff_t m = SHAPES[s][0], n = SHAPES[s][1], k = SHAPES[s][2];
            const int ta = variant & 1, tb = variant >> 1 & 1, add = variant >> 2;
            void *a = filled(m * k, 1, 0, 0), *b = filled(k * n, 2, 0, 0), *c = filled(m * n, 3, 0, 0),
                 *bias = filled(n, 4, 0, 0);
            kernels->gemm(&(pyrelu_gemm_args){.m = m,
                                              .n = n,
                                              .k = k,
                                              .a = {a, ta ? m : k, ta},
                                              .b = {b, tb ? k : n, tb},
                                              .c = c,
                                              .c_stride = n,
                                              .bias = add ? NULL : bias,
                                              .add = add});
            hash("gemm", "", (int)s * 8 + variant, c, m * n * size);
            free(a), free(b), free(c), free(bias);
        }
}

static void others(const pyrelu_kernels *kernels) {
    static const ptrdiff_t LENGTHS[] = {1, 3, 10, 100};
    const pyrelu_random_counter counter = {12345678901234567u, 7, 2, 99};
    enum { ROWS = 17, COLUMNS = 250, RANDOM = 4096 };
    void *x = filled(N, 1, 0, 1), *g = filled(N, 2, 0, 0), *share = filled(N, 3, 1, 0), *y = filled(N, 4, 0, 0),
         *z = filled(N, 5, 0, 0);
    for (size_t l = 0; l < sizeof LENGTHS / sizeof *LENGTHS; l++) {
        void *rows = filled(N, 6, 0, 0);
        kernels->softmax_rows(rows, N / LENGTHS[l], LENGTHS[l]);
        hash("softmax_rows", "", (int)l, rows, N * size);
        free(rows);
    }
    kernels->add_multiple(0.3, g, y, N), hash("add_multiple", "", 0, y, N * size);
    kernels->add_rows(g, ROWS, COLUMNS, y), hash("add_rows", "", 0, y, N * size);
    kernels->drop(x, share, N, y), hash("drop", "", 0, y, N * size);
    kernels->scale_rows(g, share, ROWS, COLUMNS, y), hash("scale_rows", "", 0, y, N * size);
    kernels->mix(g, share, z, y, N), hash("mix", "", 0, z, N * size), hash("mix", "", 1, y, N * size);
    kernels->mix_backward(g, share, x, z, y, N), hash("mix_backward", "", 0, z, N * size),
        hash("mix_backward", "", 1, y, N * size);
    uint32_t *bits = malloc(RANDOM * sizeof *bits);
    if (!bits) exit(2);
    kernels->random(&counter, 40, bits, RANDOM), hash("random", "", 0, bits, RANDOM * sizeof *bits);
    kernels->uniform(&counter, y, N), hash("uniform", "", 0, y, N * size);
    kernels->dropout_mask(&counter, 0.3, y, N), hash("dropout_mask", "", 0, y, N * size);
    const int outside[] = {kernels->any_outside(x, -1e30, 1e31, N), kernels->any_outside(g, -1e9, 1e9, N)};
    hash("any_outside", "", 0, outside, sizeof outside);
    if (kernels->narrow) {
        uint16_t *half = malloc(65536 * sizeof *half);
        float *single = malloc(65536 * sizeof *single);
        if (!half || !single) exit(2);
        for (int i = 0; i < 65536; i++) half[i] = (uint16_t)i;
        kernels->widen((const void *[]){half}, 0, single, 65536), hash("widen", "", 0, single, 65536 * sizeof *single);
        kernels->narrow((const void *[]){x}, 0, half, N), hash("narrow", "", 0, half, N * sizeof *half);
        free(half), free(single);
    }
    free(bits), free(x), free(g), free(share), free(y), free(z);
}

int main(int argc, char **argv) {
    (void)argv;
    for (int i = 0; argc > 1 && pyrelu_isa_name(i); i++) printf("%s\n", pyrelu_isa_name(i));
    if (argc > 1) return 0;
    if (!pyrelu_isa()) return printf("no instruction set\n"), 1;
    for (type = PYRELU_F32; type <= PYRELU_F64; type++) {
        const pyrelu_kernels *kernels = pyrelu_kernels_for(type);
        size = type == PYRELU_F64 ? sizeof(double) : sizeof(float);
        maps(kernels), rowwise(kernels), updates(kernels), embeddings(kernels), products(kernels), others(kernels);
    }
    fprintf(stderr, "%s: %d results\n", pyrelu_isa(), printed);
    return 0;
}
