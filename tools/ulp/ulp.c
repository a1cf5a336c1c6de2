/* Measures the error of every row of activations.def in ULP and compares it with the row's bound.
 *
 *     make -C tools/ulp && tools/ulp/build/v3_32 [-n inputs] [-s stride] [-k f|df|dfy] [name ...]
 *
 * float: every stride-th of the 2^32 bit patterns (1: all), against double. double: n random inputs, spread over the
 * exponents, over [-800, 800], over [-8, 8] and near hard points, against __float128. For each of forward, derivative
 * and derivative from the output: the largest error, its input, what came and what should have. The exit code is 1
 * if a bound is exceeded, NaN does not stay NaN, or a value at +-inf is not that at the largest number.
 */
#include "oracle.h"

#include "../../src/activations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 4096 };

typedef struct {
    double ulp;
    real x, got;
    wide want;
} worst;

typedef void (*loop_function)(const real *x, real *y);
typedef wide (*oracle_function)(wide x, wide a, wide b);

typedef struct {
    const char *name, *kind;
    loop_function loop, input; /* input: f, where the function measured is one of the output */
    oracle_function oracle;
    double a, b, bound;
} row;

#define REQUIRED 0.25
#define ARGUMENTS_NONE
#define ARGUMENTS_ONE(n, d, doc) , (real)(d)
#define ARGUMENTS_TWO(n, d, doc, m, e, more) , (real)(d), (real)(e)
#define VALUES_NONE 0, 0
#define VALUES_ONE(n, d, doc) d, 0
#define VALUES_TWO(n, d, doc, m, e, more) d, e
#define ULP(f, df, f64, df64) PYRELU_BITS == 32 ? f : f64, PYRELU_BITS == 32 ? df : df64
#define FIRST(a, b) a
#define SECOND(a, b) b
#define APPLY(f, ...) f(__VA_ARGS__)

#define LOOP(name, expression)                                                                                         \
    static void name(const real *restrict x, real *restrict y) {                                                       \
        _Pragma("omp simd") for (int i = 0; i < BLOCK; i++) y[i] = expression;                                         \
    }
#define LOOP_X(name)
#define LOOP_Y(name) LOOP(dfy_loop_##name, dfy_##name(x[i]))
#define ACTIVATION(name, reads, parameters, ...)                                                                       \
    LOOP(f_loop_##name, f_##name(x[i] ARGUMENTS_##parameters))                                                         \
    LOOP(df_loop_##name, df_##name(x[i] ARGUMENTS_##parameters))                                                       \
    LOOP_##reads(name)                                                                                                 \
    extern wide oracle_f_##name(wide, wide, wide) __attribute__((weak));                                               \
    extern wide oracle_df_##name(wide, wide, wide) __attribute__((weak));                                              \
    extern wide oracle_dfy_##name(wide, wide, wide) __attribute__((weak));
#include "../../src/activations.def"
#undef ACTIVATION

#define ROW_X(name, parameters, bound)
#define ROW_Y(name, parameters, bound)                                                                                 \
    {#name, "dfy", dfy_loop_##name, f_loop_##name, oracle_dfy_##name, VALUES_##parameters, bound},
#define ACTIVATION(name, reads, parameters, aliases, ulp, ...)                                                         \
    {#name, "f", f_loop_##name, NULL, oracle_f_##name, VALUES_##parameters, APPLY(FIRST, ulp)},                        \
    {#name, "df", df_loop_##name, NULL, oracle_df_##name, VALUES_##parameters, APPLY(SECOND, ulp)},                    \
    ROW_##reads(name, parameters, APPLY(SECOND, ulp))
static const row ROWS[] = {
#include "../../src/activations.def"
};

static double error_in_ulp(real got, wide want, int near_root) {
    wide magnitude = want < 0 ? -want : want, distance = got - want;
    if (got != got || want != want)
        return (got != got) == (want != want) ? 0 : INFINITY;
    if (got == (real)want) /* also where both overflow */
        return isinf(got) ? 0 : (double)(distance < 0 ? -distance : distance) / (double)ulp_of(near_root ? 1 : magnitude);
    return (double)((distance < 0 ? -distance : distance) / ulp_of(near_root ? 1 : magnitude));
}

static worst measure_block(const row *r, const real *x, double root, worst w) {
    real in[BLOCK], y[BLOCK];
    memcpy(in, x, sizeof in);
    if (r->input)
        r->input(x, in);
    r->loop(in, y);
    for (int i = 0; i < BLOCK; i++) {
        if (isinf(in[i]) || isnan(in[i]))
            continue;
        wide want = r->oracle(in[i], r->a, r->b);
        double e = error_in_ulp(y[i], want, r->kind[0] == 'd' && fabs((double)x[i] - root) < 0.25);
        if (!(e <= w.ulp))
            w = (worst){e, in[i], y[i], want};
    }
    return w;
}

#if PYRELU_BITS == 32
static long blocks(long n, long stride) {
    (void)n;
    return ((1L << 32) / stride + BLOCK - 1) / BLOCK;
}

static void fill(real *x, long block, long stride) {
    for (long i = 0; i < BLOCK; i++)
        x[i] = from_bits((bits)((block * BLOCK + i) * stride));
}
#else
static const double HARD[] = {0, 0.34657359027997264, 0.5, 0.6931471805599453, 1, 1.1924, 1.2784645427610738, 1.5, 2.0794, 3, 6,
                              9.01, 18.7, 24, 36.04, 37.43, 48, 96, 372.5, 708.3964, 709.78, 744.44, 745.13, 751.7, 760};

static long blocks(long n, long stride) {
    (void)stride;
    return (n + BLOCK - 1) / BLOCK;
}

static void fill(real *x, long block, long stride) {
    uint64_t s = 0x9e3779b97f4a7c15u * (uint64_t)(block + 1);
    (void)stride;
    for (long i = 0; i < BLOCK; i++) {
        s ^= s << 13, s ^= s >> 7, s ^= s << 17;
        uint64_t r = s * 0x2545f4914f6cdd1du;
        double u = (double)(r >> 11) * 0x1p-53 * 2 - 1;
        double hard = HARD[(r >> 2) % (sizeof HARD / sizeof *HARD)];
        switch (r & 3) {
        case 0: x[i] = from_bits(r); break;
        case 1: x[i] = u * 800; break;
        case 2: x[i] = u * 8; break;
        default: x[i] = copysign(hard + ldexp(u, -2 - (int)(r >> 7) % 44), i & 1 ? 1 : -1);
        }
    }
}
#endif

static worst measure(const row *r, long n, long stride) {
    worst w = {0, 0, 0, 0};
    double root = oracle_root(r->name);
#pragma omp parallel for schedule(dynamic, 16)
    for (long b = 0; b < blocks(n, stride); b++) {
        real x[BLOCK];
        fill(x, b, stride);
        worst mine = measure_block(r, x, root, (worst){0, 0, 0, 0});
#pragma omp critical
        if (!(mine.ulp <= w.ulp))
            w = mine;
    }
    return w;
}

/* NaN must stay, and at +-inf the value be that at +-R_MAX, but for being infinite where that is huge, 0 where it is tiny. */
static int specials(const row *r) {
    real x[BLOCK] = {R_NAN, -R_INF, R_INF, -R_MAX, R_MAX}, y[BLOCK];
    int bad = 0;
    r->loop(x, y);
    if (y[0] == y[0])
        bad = 1, printf("    %s(NaN) = %g\n", r->name, (double)y[0]);
    for (int i = 1; i <= 2 && !r->input; i++)
        if (to_bits(y[i]) != to_bits(y[i + 2]) && !(isinf(y[i]) && fabs((double)y[i + 2]) > 1e30) &&
            !(y[i] == 0 && fabs((double)y[i + 2]) < 1e-30))
            bad = 1, printf("    %s %s(%g) = %g, but %g at %g\n", r->name, r->kind, (double)x[i], (double)y[i], (double)y[i + 2],
                            (double)x[i + 2]);
    return bad;
}

int main(int argc, char **argv) {
    long n = 10000000, stride = 1, bad = 0;
    const char *kind = NULL;
    for (int c; (c = getopt(argc, argv, "n:s:k:")) != -1;)
        switch (c) {
        case 'n': n = atol(optarg); break;
        case 's': stride = atol(optarg); break;
        case 'k': kind = optarg; break;
        default: return 2;
        }
    printf("%-16s %-4s %8s %6s  %s\n", PYRELU_BITS == 32 ? "float32" : "float64", "", "ULP", "bound", "at x: got, want");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const row *r = &ROWS[i];
        int chosen = optind == argc;
        for (int a = optind; a < argc; a++)
            chosen |= !strcmp(argv[a], r->name);
        if (!chosen || (kind && strcmp(kind, r->kind)))
            continue;
        if (!r->oracle) {
            printf("%-16s %-4s no oracle\n", r->name, r->kind);
            continue;
        }
        worst w = measure(r, n, stride);
        printf("%-16s %-4s %8.4g %6g  %a (%.9g): %a, %.17g%s\n", r->name, r->kind, w.ulp, r->bound, (double)w.x, (double)w.x,
               (double)w.got, (double)w.want, w.ulp <= r->bound ? "" : "  EXCEEDED");
        fflush(stdout);
        bad |= specials(r) || !(w.ulp <= r->bound);
    }
    return (int)bad;
}
