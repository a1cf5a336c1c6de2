/* Functions of a whole row: softmax and its kin. Compiled once per instruction set and precision. */
#include "elementary.h"
#include "kernels.h"

static void forward_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0];
    real *y = out;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i];
}

static void vjp_softmax(const void *const *in, void *out, ptrdiff_t n) {
    const real *x = in[0], *g = in[1];
    real *dx = out;
    for (ptrdiff_t i = 0; i < n; i++) dx[i] = x[i] * g[i];
}

#define AXIS_FUNCTION(name, ...) {forward_##name, vjp_##name},
pyrelu_rowwise *const PRIVATE(rowwise)[][2] = {
#include "rowwise.def"
};
