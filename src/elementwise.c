/* The table x {forward, derivative, vjp, backward}: loops over contiguous arrays of one precision.
 *
 * Compiled once per instruction set and precision. A formula reaches these loops as a constant function pointer that
 * `flatten` inlines, so each kernel is one vectorised loop over one formula and there is no call per element. The
 * remainder of a vector runs the same formula: an element's bits do not depend on its place.
 */
#include "activations.h"
#include "kernels.h"

#define KERNEL static __attribute__((flatten)) void
#define FORM static inline __attribute__((always_inline)) void
#define EACH_ELEMENT _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++)

typedef real formula0(real);
typedef real formula1(real, real);
typedef real formula2(real, real, real);

/* out = f(x, parameters) */

FORM map0(formula0 *f, const void *const *in, real *out, ptrdiff_t n) {
    const real *x = in[0];
    EACH_ELEMENT out[i] = f(x[i]);
}

FORM map1(formula1 *f, const void *const *in, int scalars, real *out, ptrdiff_t n) {
    const real *x = in[0], *p = in[1];
    if (scalars) {
        const real p0 = *p;
        EACH_ELEMENT out[i] = f(x[i], p0);
    } else {
        EACH_ELEMENT out[i] = f(x[i], p[i]);
    }
}

FORM map2(formula2 *f, const void *const *in, int scalars, real *out, ptrdiff_t n) {
    const real *x = in[0], *p = in[1], *q = in[2];
    if (scalars) {
        const real p0 = *p, q0 = *q;
        EACH_ELEMENT out[i] = f(x[i], p0, q0);
    } else {
        EACH_ELEMENT out[i] = f(x[i], p[i], q[i]);
    }
}

/* out = g * f(x, parameters) */

FORM times0(formula0 *f, const void *const *in, real *out, ptrdiff_t n) {
    const real *x = in[0], *g = in[1];
    EACH_ELEMENT out[i] = g[i] * f(x[i]);
}

FORM times1(formula1 *f, const void *const *in, int scalars, real *out, ptrdiff_t n) {
    const real *x = in[0], *g = in[1], *p = in[2];
    if (scalars) {
        const real p0 = *p;
        EACH_ELEMENT out[i] = g[i] * f(x[i], p0);
    } else {
        EACH_ELEMENT out[i] = g[i] * f(x[i], p[i]);
    }
}

FORM times2(formula2 *f, const void *const *in, int scalars, real *out, ptrdiff_t n) {
    const real *x = in[0], *g = in[1], *p = in[2], *q = in[3];
    if (scalars) {
        const real p0 = *p, q0 = *q;
        EACH_ELEMENT out[i] = g[i] * f(x[i], p0, q0);
    } else {
        EACH_ELEMENT out[i] = g[i] * f(x[i], p[i], q[i]);
    }
}

/* The table read twice: first as functions, then as the array of them. */

#define ARGUMENTS const void *const *in, int scalars, void *out, ptrdiff_t n

#define DEFINE_0(name, form, f) \
    KERNEL name(ARGUMENTS) {    \
        (void)scalars;          \
        form##0(f, in, out, n); \
    }
#define DEFINE_1(name, form, f) \
    KERNEL name(ARGUMENTS) { form##1(f, in, scalars, out, n); }
#define DEFINE_2(name, form, f) \
    KERNEL name(ARGUMENTS) { form##2(f, in, scalars, out, n); }

/* A row that reads X runs its vjp backward; one that reads Y has a derivative in terms of the output. */
#define BACKWARD_X(name) vjp_##name
#define BACKWARD_Y(name) backward_##name
#define DEFINE_BACKWARD_X(name)
#define DEFINE_BACKWARD_Y(name) DEFINE_0(backward_##name, times, dfy_##name)

#define NONE DEFINE_0
#define ONE(...) DEFINE_1
#define TWO(...) DEFINE_2

#define ACTIVATION(name, reads, parameters, ...)                                            \
    parameters(forward_##name, map, f_##name) parameters(derivative_##name, map, df_##name) \
        parameters(vjp_##name, times, df_##name) DEFINE_BACKWARD_##reads(name)
#include "activations.def"
#undef ACTIVATION

#define ACTIVATION(name, reads, ...) {forward_##name, derivative_##name, vjp_##name, BACKWARD_##reads(name)},
pyrelu_map *const PRIVATE(map)[][PYRELU_N_KINDS] = {
#include "activations.def"
};
