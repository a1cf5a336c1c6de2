/* Times src/kernels/gemm.c against a BLAS: where the bound in src/training/products-inl.h comes from.
 *
 * products LIBRARY: a shared library with Fortran's sgemm_ and dgemm_, such as SciPy's OpenBLAS. Prints for each
 * product of a training step, and larger ones, the microseconds of both, the least of many samples taken in turn.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PYRELU_TARGET tool
#include "kernels/gemm.c"

typedef void blas_gemm(char *, char *, int *, int *, int *, real *, const real *, int *, const real *, int *, real *,
                       real *, int *);

enum { FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT };
static const char *const names[] = {"A B", "A' B", "A B'"};
static const int shapes[][4] = {
    {FORWARD, 32, 100, 64},
    {WEIGHT_GRADIENT, 64, 100, 32},
    {FORWARD, 32, 10, 100},
    {WEIGHT_GRADIENT, 100, 10, 32},
    {INPUT_GRADIENT, 32, 100, 10},
    {FORWARD, 200, 100, 64},
    {WEIGHT_GRADIENT, 64, 100, 200},
    {FORWARD, 256, 64, 64},
    {WEIGHT_GRADIENT, 64, 64, 256},
    {INPUT_GRADIENT, 256, 64, 64},
    {FORWARD, 128, 256, 256},
    {WEIGHT_GRADIENT, 256, 256, 128},
    {INPUT_GRADIENT, 128, 256, 256},
    {FORWARD, 64, 1024, 784},
    {FORWARD, 128, 1024, 784},
    {WEIGHT_GRADIENT, 784, 1024, 128},
    {INPUT_GRADIENT, 128, 1024, 10},
    {FORWARD, 256, 1024, 1024},
    {WEIGHT_GRADIENT, 1024, 1024, 256},
    {INPUT_GRADIENT, 256, 1024, 1024},
    {FORWARD, 1024, 1024, 1024},
    {WEIGHT_GRADIENT, 1024, 1024, 1024},
    {INPUT_GRADIENT, 1024, 1024, 1024},
    {FORWARD, 1024, 2048, 2048},
    {WEIGHT_GRADIENT, 2048, 2048, 1024},
    {INPUT_GRADIENT, 1024, 2048, 2048},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * t.tv_sec + 1e-3 * t.tv_nsec;
}

static void call_blas(blas_gemm *f, const pyrelu_gemm_args *p) {
    int m = p->m, n = p->n, k = p->k, lda = p->a.stride, ldb = p->b.stride, ldc = p->c_stride;
    real one = 1, zero = 0;
    f(p->b.transposed ? "T" : "N", p->a.transposed ? "T" : "N", &n, &m, &k, &one, p->b.values, &ldb, p->a.values, &lda,
      &zero, p->c, &ldc);
}

/* As the core has it: where A is transposed, B is packed for many products. */
static void call_ours(const pyrelu_gemm_args *p, real *packed) {
    pyrelu_gemm_args args = *p;
    if (p->a.transposed) {
        PER_TARGET(pack_rows)(p->b.values, p->n, 0, p->k, p->k, packed);
        args.packed = 1;
        args.b.values = packed;
    }
    PER_TARGET(gemm)(&args);
}

static real *numbers(size_t n) {
    real *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++) x[i] = rand() / (real)RAND_MAX - R(0.5);
    return x;
}

int main(int argc, char **argv) {
    void *library = dlopen(argc > 1 ? argv[1] : "libblas.so", RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    const char *name = PYRELU_BITS == 32 ? "scipy_sgemm_" : "scipy_dgemm_"; /* SciPy's have a prefix */
    blas_gemm *f = (blas_gemm *)dlsym(library, name);
    if (!f) f = (blas_gemm *)dlsym(library, name + 6);
    if (!f) return fprintf(stderr, "%s has no %s\n", argv[1], name + 6), 1;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const int form = shapes[s][0], a = form == WEIGHT_GRADIENT, b = form == INPUT_GRADIENT;
        const ptrdiff_t m = shapes[s][1], n = shapes[s][2], k = shapes[s][3];
        pyrelu_gemm_args ours = {
            m, n, k, {numbers(m * k), a ? m : k, a}, {numbers(k * n), b ? k : n, b}, numbers(m * n), n};
        pyrelu_gemm_args theirs = ours;
        theirs.c = numbers(m * n);
        real *packed = numbers((n + 64) * k);
        const int calls = 1 + 2e7 / ((double)m * n * k);
        double least_ours = INFINITY, least_theirs = INFINITY;
        for (int sample = 0; sample < 15; sample++) {
            double start = now();
            for (int i = 0; i < calls; i++) call_ours(&ours, packed);
            least_ours = fmin(least_ours, (now() - start) / calls);
            start = now();
            for (int i = 0; i < calls; i++) call_blas(f, &theirs);
            least_theirs = fmin(least_theirs, (now() - start) / calls);
        }
        printf("%-4s %4td x %4td x %4td  2^%4.1f  ours %8.1f  BLAS %8.1f  ratio %.2f\n", names[form], m, n, k,
               log2((double)m * n * k), least_ours, least_theirs, least_theirs / least_ours);
    }
}
