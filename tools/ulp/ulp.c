/* Measures the error of every row of activations.def in ULP and compares it with the row's bound.
 *
 *     make -C tools/ulp && tools/ulp/build/ulp_32 [-i v3,v4] [-n inputs] [-s stride] [-k f|df|dfy] [name ...]
 *
 * float: every stride-th of the 2^32 bit patterns (1: all), against double. double: n random inputs, spread over the
 * exponents, over [-800, 800], over [-8, 8] and near hard points, against __float128. For each of forward, derivative
 * and derivative from the output, and each instruction set that the processor has: the largest error, its input, what
 * came and what should have. The exit code is 1 if a bound is exceeded, NaN does not stay NaN, a value at +-inf is
 * not that at the largest number, or a row has no oracle.
 */
#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    double ulp;
    real x, got;
    wide want;
} worst;

typedef void (*oracle_function)(const real *x, wide *y, wide a, wide b);

enum { F, DF, DFY };
static const char *const KINDS[] = {"f", "df", "dfy"};

typedef struct {
    const char *name;
    int activation, kind;
    oracle_function oracle;
    double a, b, bound;
} row;

/* ULP_TARGETS is ISA(v3) ISA(v4) ..., as the Makefile links them. */
#define ISA(target) extern const loops loops_##target[];
ULP_TARGETS
#undef ISA

#if defined(__x86_64__)
static int runs_baseline(void) { return 1; }
static int runs_v3(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int runs_v4(void) {
    return runs_v3() && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static int runs_neon(void) { return 1; }
#endif
#define ISA(target) {#target, runs_##target, loops_##target},
static const struct {
    const char *name;
    int (*runs)(void);
    const loops *loops;
} TARGETS[] = {ULP_TARGETS};
enum { N_TARGETS = sizeof TARGETS / sizeof *TARGETS };
static int chosen_targets[N_TARGETS];

#define REQUIRED 0.25
#define VALUES_NONE 0, 0
#define VALUES_ONE(n, d, ...) d, 0
#define VALUES_TWO(n, d, domain, doc, m, e, ...) d, e
#define VALUES_ORDERED(...) VALUES_TWO(__VA_ARGS__)
#define ULP(f, df, f64, df64) PYRELU_BITS == 32 ? f : f64, PYRELU_BITS == 32 ? df : df64
#define FIRST(a, b) a
#define SECOND(a, b) b
#define APPLY(f, ...) f(__VA_ARGS__)

#define ACTIVATION(name, ...)                                                              \
    extern void oracle_f_##name(const real *, wide *, wide, wide) __attribute__((weak));   \
    extern void oracle_df_##name(const real *, wide *, wide, wide) __attribute__((weak));  \
    extern void oracle_dfy_##name(const real *, wide *, wide, wide) __attribute__((weak)); \
    enum { INDEX_##name = __COUNTER__ };
#include "table/activations.def"
#undef ACTIVATION

#define ROW_X(name, parameters, bound)
#define ROW_Y(name, parameters, bound) {#name, INDEX_##name, DFY, oracle_dfy_##name, VALUES_##parameters, bound},
#define ACTIVATION(name, reads, parameters, aliases, ulp, ...)                                \
    {#name, INDEX_##name, F, oracle_f_##name, VALUES_##parameters, APPLY(FIRST, ulp)},        \
        {#name, INDEX_##name, DF, oracle_df_##name, VALUES_##parameters, APPLY(SECOND, ulp)}, \
        ROW_##reads(name, parameters, APPLY(SECOND, ulp))
static const row ROWS[] = {
#include "table/activations.def"
};

/* The loop of a row, and that which makes its input where it reads the output */
static loop_function *loop_of(const row *r, int target) {
    const loops *l = &TARGETS[target].loops[r->activation];
    return r->kind == F ? l->f : r->kind == DF ? l->df : l->dfy;
}
static loop_function *input_of(const row *r, int target) {
    return r->kind == DFY ? TARGETS[target].loops[r->activation].f : NULL;
}

static double error_in_ulp(real got, wide want, int near_root) {
    wide magnitude = want < 0 ? -want : want, distance = got < want ? want - got : got - want;
    if (got != got || want != want) return (got != got) == (want != want) ? 0 : INFINITY;
    if (isinf(got) && got == (real)want) return 0;
    return (double)(distance / ulp_of(near_root ? 1 : magnitude));
}

/* `want` is given unless the input depends on the target; the results are left in y. */
static worst measure_block(const row *r, int target, const real *x, const wide *want, double root, worst w, real *y) {
    real in[BLOCK];
    wide own[BLOCK], error[BLOCK];
    memcpy(in, x, sizeof in);
    if (input_of(r, target)) {
        input_of(r, target)(x, in);
        r->oracle(in, own, r->a, r->b);
        want = own;
    }
    loop_of(r, target)(in, y);
    for (int i = 0; i < BLOCK; i++) { /* most are settled by this, which is a vector loop */
        wide distance = (wide)y[i] - want[i];
        error[i] = (distance < 0 ? -distance : distance) - (wide)w.ulp * ulp_of(want[i] < 0 ? -want[i] : want[i]);
    }
    for (int i = 0; i < BLOCK; i++) {
        if (error[i] <= 0 || isinf(in[i]) || isnan(in[i])) continue;
        double e = error_in_ulp(y[i], want[i], r->kind != F && fabs((double)x[i] - root) < 0.25);
        if (!(e <= w.ulp)) w = (worst){e, in[i], y[i], want[i]};
    }
    return w;
}

/* Whether a target's results are those that another, with the same largest error so far, had for these inputs */
static int same_as(const row *r, int target, const real *x, const real *y) {
    real z[BLOCK];
    if (input_of(r, target)) return 0;
    loop_of(r, target)(x, z);
    return !memcmp(y, z, sizeof z);
}

#if PYRELU_BITS == 32
static long blocks(long n, long stride) {
    (void)n;
    return ((1L << 32) / stride + BLOCK - 1) / BLOCK;
}

static void fill(real *x, long block, long stride) {
    for (long i = 0; i < BLOCK; i++) x[i] = from_bits((bits)((block * BLOCK + i) * stride));
}
#else
/* clang-format off */
static const double HARD[] = {
    0, 0.34657359027997264, 0.5, 0.6931471805599453, 1, 1.1924, 1.2784645427610738, 1.5, 2.0794, 3, 6, 9.01, 18.7, 24,
    36.04, 37.43, 48, 96, 372.5, 708.3964, 709.78, 744.44, 745.13, 751.7, 760};
/* clang-format on */

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
        case 0:
            x[i] = from_bits(r);
            break;
        case 1:
            x[i] = u * 800;
            break;
        case 2:
            x[i] = u * 8;
            break;
        default:
            x[i] = copysign(hard + ldexp(u, -2 - (int)(r >> 7) % 44), i & 1 ? 1 : -1);
        }
    }
}
#endif

static void measure(const row *r, long n, long stride, worst *w) {
    double root = oracle_root(r->name);
    for (int t = 0; t < N_TARGETS; t++) w[t] = (worst){0, 0, 0, 0};
#pragma omp parallel
    {
        worst mine[N_TARGETS], before = {0, 0, 0, 0};
        memcpy(mine, w, sizeof mine);
#pragma omp for schedule(dynamic, 16)
        for (long b = 0; b < blocks(n, stride); b++) {
            real x[BLOCK];
            wide want[BLOCK];
            fill(x, b, stride);
            if (r->kind != DFY) r->oracle(x, want, r->a, r->b);
            real y[BLOCK];
            for (int t = 0, last = -1; t < N_TARGETS; t++) {
                if (!chosen_targets[t]) continue;
                int equal = last >= 0 && mine[t].ulp == before.ulp && same_as(r, t, x, y);
                before = mine[t];
                mine[t] = equal ? mine[last] : measure_block(r, t, x, want, root, mine[t], y);
                last = t;
            }
        }
#pragma omp critical
        for (int t = 0; t < N_TARGETS; t++)
            if (!(mine[t].ulp <= w[t].ulp)) w[t] = mine[t];
    }
}

/* NaN must stay, and at +-inf the value be that at +-R_MAX, but for being infinite where that is huge, 0 where it is
 * tiny. */
static int specials(const row *r, int target) {
    real x[BLOCK] = {R_NAN, -R_INF, R_INF, -R_MAX, R_MAX}, y[BLOCK];
    int bad = 0;
    loop_of(r, target)(x, y);
    if (y[0] == y[0]) bad = 1, printf("    %s(NaN) = %g\n", r->name, (double)y[0]);
    for (int i = 1; i <= 2 && r->kind != DFY; i++)
        if (to_bits(y[i]) != to_bits(y[i + 2]) && !(isinf(y[i]) && fabs((double)y[i + 2]) > 1e30) &&
            !(y[i] == 0 && fabs((double)y[i + 2]) < 1e-30))
            bad = 1, printf("    %s %s(%g) = %g, but %g at %g\n", r->name, KINDS[r->kind], (double)x[i], (double)y[i],
                            (double)y[i + 2], (double)x[i + 2]);
    return bad;
}

static int named(const char *name, char **names, int n) {
    for (int i = 0; i < n; i++)
        if (!strcmp(name, names[i])) return 1;
    return n == 0;
}

int main(int argc, char **argv) {
    long n = 10000000, stride = 1, bad = 0;
    char *kind = NULL, *isa = NULL;
    for (int c; (c = getopt(argc, argv, "i:n:s:k:")) != -1;) switch (c) {
        case 'i':
            isa = optarg;
            break;
        case 'n':
            n = atol(optarg);
            break;
        case 's':
            stride = atol(optarg);
            break;
        case 'k':
            kind = optarg;
            break;
        default:
            return 2;
        }
    for (int t = 0; t < N_TARGETS; t++) chosen_targets[t] = TARGETS[t].runs() && (!isa || strstr(isa, TARGETS[t].name));
    printf("%-16s %-4s %-8s %8s %6s  %s\n", PYRELU_BITS == 32 ? "float32" : "float64", "", "", "ULP", "bound",
           "at x: got, want");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const row *r = &ROWS[i];
        if (!named(r->name, argv + optind, argc - optind) || !named(KINDS[r->kind], &kind, !!kind)) continue;
        if (!r->oracle) {
            printf("%-16s %-4s NO ORACLE\n", r->name, KINDS[r->kind]);
            bad = 1;
            continue;
        }
        worst all[N_TARGETS];
        measure(r, n, stride, all);
        for (int t = 0; t < N_TARGETS; t++) {
            const worst w = all[t];
            if (!chosen_targets[t]) continue;
            printf("%-16s %-4s %-8s %8.4g %6g  %a (%.9g): %a, %.17g%s\n", r->name, KINDS[r->kind], TARGETS[t].name,
                   w.ulp, r->bound, (double)w.x, (double)w.x, (double)w.got, (double)w.want,
                   w.ulp <= r->bound ? "" : "  EXCEEDED");
            bad |= specials(r, t) || !(w.ulp <= r->bound);
        }
        fflush(stdout);
    }
    return (int)bad;
}
