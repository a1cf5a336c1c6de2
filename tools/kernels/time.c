/* Times kernels alone: one thread, 16,384 elements in cache, contiguous, no Python.
 *
 *     make && build/time v4 32 forward this sigmoid tanh
 *     make SOURCE=../../../before/src TAG=before && build/time v4 32 vjp before,this gelu silu
 *
 *     build/time clock
 *
 * Prints the median ns per element of 400 runs for each tree, and the first's divided by the last's. The trees are run
 * in turn, so that what else the machine does meets them alike. An activation called `copy` is memcpy. With `clock`,
 * prints the clock in GHz.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

enum { N = 1 << 14, RUNS = 400, MOST_TREES = 4 };
static const char *const KINDS[PYRELU_N_KINDS] = {"forward", "derivative", "vjp", "backward"};
typedef pyrelu_map *const maps[][PYRELU_N_KINDS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Cycles per nanosecond: a multiplication of integers has taken three cycles on all processors since 2011, and each of
 * these waits for the one before. */
static double clock_rate(void) {
    double fastest = 0;
    for (int run = 0; run < 1000; run++) {
        enum { LENGTH = 20000 };
        long product = 1;
        const double start = now();
        for (int i = 0; i < LENGTH; i++) __asm__ volatile("imul $3, %0, %0\n\timul $3, %0, %0" : "+r"(product));
        const double rate = 6. * LENGTH / (now() - start);
        if (rate > fastest) fastest = rate;
    }
    return fastest;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *symbol(const char *tree, const char *isa, int bits, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "build/%s.%s.%d.so", tree, isa, bits);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *found = library ? dlsym(library, name) : NULL;
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return found;
}

static int row_of(const pyrelu_activation *table, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(table[i].name, name)) return i;
    fprintf(stderr, "no activation %s\n", name);
    exit(2);
}

int main(int n_arguments, char **arguments) {
    if (n_arguments == 2 && !strcmp(arguments[1], "clock")) {
        printf("%.3f\n", clock_rate());
        return 0;
    }
    int kind = 0;
    while (n_arguments > 5 && kind < PYRELU_N_KINDS && strcmp(KINDS[kind], arguments[3])) kind++;
    if (n_arguments < 6 || kind == PYRELU_N_KINDS) {
        fprintf(stderr, "time v3|v4 32|64 forward|derivative|vjp|backward tree[,tree ...] activation ...\n");
        return 2;
    }
    const char *isa = arguments[1];
    const int bits = atoi(arguments[2]);

    maps *map[MOST_TREES];
    const pyrelu_activation *table[MOST_TREES];
    const int *rows[MOST_TREES];
    char name[64];
    snprintf(name, sizeof name, "pyrelu_map_%s_%d", isa, bits);
    int trees = 0;
    for (char *tree = strtok(arguments[4], ","); tree && trees < MOST_TREES; tree = strtok(NULL, ","), trees++) {
        map[trees] = symbol(tree, isa, bits, name);
        table[trees] = symbol(tree, isa, bits, "pyrelu_activations");
        rows[trees] = symbol(tree, isa, bits, "pyrelu_n_activations");
    }

    static _Alignas(64) double x[N], g[N], out[N];
    for (int i = 0; i < N; i++) {
        const double value = 8. * rand() / RAND_MAX - 4;
        if (bits == 64) x[i] = value, g[i] = 1 + value / 9;
        else ((float *)x)[i] = value, ((float *)g)[i] = 1 + value / 9;
    }
    for (int k = 5; k < n_arguments; k++) {
        static double time[MOST_TREES][RUNS];
        for (int run = 0; run < RUNS; run++)
            for (int t = 0; t < trees; t++) {
                const int n_data = kind < PYRELU_VJP ? 1 : 2, is_copy = !strcmp(arguments[k], "copy");
                const int row = is_copy ? 0 : row_of(table[t], *rows[t], arguments[k]);
                const void *in[PYRELU_MAX_OPERANDS] = {x, g};
                double parameters[PYRELU_MAX_PARAMETERS];
                for (int p = 0; p < table[t][row].n_parameters; p++) {
                    const double given = table[t][row].parameters[p].default_value, value = isnan(given) ? 0.25 : given;
                    const float narrow = value;
                    memcpy(&parameters[p], bits == 64 ? (const void *)&value : &narrow, bits / 8);
                    in[n_data + p] = &parameters[p];
                }
                const double start = now();
                if (is_copy) memcpy(out, x, N * (bits / 8));
                else (*map[t])[row][kind](in, 1, out, N);
                time[t][run] = (now() - start) / N;
            }
        printf("%-14s", arguments[k]);
        for (int t = 0; t < trees; t++) {
            qsort(time[t], RUNS, sizeof **time, ascending);
            printf("  %.3f", time[t][RUNS / 2]);
        }
        printf("  %.2f\n", time[0][RUNS / 2] / time[trees - 1][RUNS / 2]);
    }
}
