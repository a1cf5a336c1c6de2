/* What training does to the units of a row beside their activation: dropout, learned scales, learned mixtures with the
 * identity. Compiled once per instruction set and precision.
 */
#include "kernels/dropout.h"
#include "kernels/targets.h"
#include "sizes.h"

enum { BUFFER = 256 };

void PER_TARGET(uniform)(const pyrelu_random_counter *counter, void *u, ptrdiff_t n) {
    uint32_t bits[BUFFER];
    real *out = u;
    for (ptrdiff_t j = 0; j < n; j += BUFFER) {
        const ptrdiff_t m = min_size(BUFFER, n - j);
        PER_TARGET(random)(counter, (uint32_t)j, bits, m);
        for (ptrdiff_t k = 0; k < m; k++) out[j + k] = uniform(bits[k]);
    }
}

void PER_TARGET(dropout_mask)(const pyrelu_random_counter *counter, double dropout, void *mask, ptrdiff_t n) {
    const real probability = dropout;
    real *out = mask;
    PER_TARGET(uniform)(counter, mask, n);
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) out[i] = multiplier(out[i], probability);
}

void PER_TARGET(drop)(const void *x, const void *mask, ptrdiff_t n, void *out) {
    const real *from = x, *factors = mask;
    real *to = out;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        const real product = from[i] * factors[i];
        to[i] = factors[i] == 0 ? 0 : product;
    }
}

void PER_TARGET(scale_rows)(const void *x, const void *scales, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *from = x, *factors = scales;
    real *to = y;
    for (; rows > 0; rows--, from += n, to += n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] = from[j] * factors[j];
}

void PER_TARGET(scale_and_shift)(const void *x, const void *scales, const void *shifts, ptrdiff_t rows, ptrdiff_t n,
                                 void *y) {
    const real *from = x, *factors = scales, *terms = shifts;
    real *to = y;
    for (; rows > 0; rows--, from += n, to += n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] = from[j] * factors[j] + terms[j];
}

void PER_TARGET(add_products)(const void *x, const void *factors, ptrdiff_t rows, ptrdiff_t n, void *y) {
    const real *a = x, *b = factors;
    real *to = y;
    for (; rows > 0; rows--, a += n, b += n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] += a[j] * b[j];
}

void PER_TARGET(mix)(const void *z, const void *shares, void *f, void *y, ptrdiff_t n) {
    const real *x = z, *a = shares;
    real *d = f, *to = y;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        const real at = x[i], change = d[i] - at;
        d[i] = change;
        to[i] = at + a[i] * change;
    }
}

void PER_TARGET(mix_backward)(const void *g, const void *shares, const void *vjp, void *change, void *delta,
                              ptrdiff_t n) {
    const real *of_y = g, *a = shares, *of_f = vjp;
    real *d = change, *to = delta;
#pragma omp simd
    for (ptrdiff_t i = 0; i < n; i++) {
        const real gradient = of_y[i];
        d[i] *= gradient;
        to[i] = gradient + a[i] * (of_f[i] - gradient);
    }
}
