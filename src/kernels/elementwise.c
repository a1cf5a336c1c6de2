/* The table x {forward, derivative, vjp, backward}: loops over contiguous arrays of one precision.
 *
 * Compiled once per instruction set and precision. A formula reaches these loops as a constant function pointer that
 * `flatten` inlines, so each kernel is one loop over one formula, with nothing left to call.
 *
 * The remainder of an array is padded to an unrolled block, so that the same code computes it and an element's bits do
 * not depend on its place.
 */
#include "kernels/targets.h"
#include "math/activations.h"
#include "math/gates.h"
#include "simd/unroll.h"

#define KERNEL static __attribute__((flatten, noinline)) void
#define FORM static inline __attribute__((always_inline)) void

/* out[i .. i + LANES) = value, an expression in i, for a whole array of n elements, a multiple of LANES. The vectors of
 * an unrolled block, `vectors` of them, are computed side by side. What is less than a block takes a vector at a time:
 * an array of a few elements is not to wait for a block of them. The code for SSE2 has no blocks, which would make it 3
 * times as large, 1 of 5 MB of all kernels, for processors of before 2013 that would gain a quarter. */
#if WIDTH == 16 && defined(__x86_64__)
#define STORE_BLOCKS(value)        \
    const ptrdiff_t in_blocks = 0; \
    (void)vectors;
#else
#define STORE_BLOCKS(value)                                                                   \
    const ptrdiff_t in_blocks = n - n % (vectors * LANES);                                    \
    for (ptrdiff_t block = 0; block < in_blocks; block += vectors * LANES) {                  \
        vector result[UNROLL];                                                                \
        UNROLLED for (int v = 0; v < vectors; v++) {                                          \
            const ptrdiff_t i = block + v * LANES;                                            \
            result[v] = value;                                                                \
        }                                                                                     \
        UNROLLED for (int v = 0; v < vectors; v++) store(out + block + v * LANES, result[v]); \
    }
#endif
#define STORE_EACH_VECTOR(value) \
    STORE_BLOCKS(value)          \
    NOT_UNROLLED for (ptrdiff_t i = in_blocks; i < n; i += LANES) store(out + i, value);

typedef vector formula0(vector);
typedef vector formula1(vector, vector);
typedef vector formula2(vector, vector, vector);

/* out = f(x, parameters). As NumPy allows, `out` may be an input, or overlap one that begins after it, since an
 * unrolled block is read before it is written. So no pointer here is `restrict`, which would let the compiler reorder
 * these. */

FORM map0(formula0 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0];
    (void)scalars;
    STORE_EACH_VECTOR(f(load(x + i)))
}

FORM map1(formula1 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0], *p = in[1];
    if (scalars) {
        const vector p0 = V(*p);
        STORE_EACH_VECTOR(f(load(x + i), p0))
    } else {
        STORE_EACH_VECTOR(f(load(x + i), load(p + i)))
    }
}

FORM map2(formula2 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0], *p = in[1], *q = in[2];
    if (scalars) {
        const vector p0 = V(*p), q0 = V(*q);
        STORE_EACH_VECTOR(f(load(x + i), p0, q0))
    } else {
        STORE_EACH_VECTOR(f(load(x + i), load(p + i), load(q + i)))
    }
}

/* out = g * f(x, parameters). Infinity times 0 is 0: a slope of 0 stops every gradient, and a gradient of 0 stays 0
 * where the slope overflows. NaN stays. */
INLINE vector gradient(vector g, vector slope) {
    const vector product = mul(g, slope);
    return drop(ordered(g, slope) & is_nan(product), product);
}

FORM vjp_map0(formula0 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0], *g = in[1];
    (void)scalars;
    STORE_EACH_VECTOR(gradient(load(g + i), f(load(x + i))))
}

FORM vjp_map1(formula1 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0], *g = in[1], *p = in[2];
    if (scalars) {
        const vector p0 = V(*p);
        STORE_EACH_VECTOR(gradient(load(g + i), f(load(x + i), p0)))
    } else {
        STORE_EACH_VECTOR(gradient(load(g + i), f(load(x + i), load(p + i))))
    }
}

FORM vjp_map2(formula2 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *x = in[0], *g = in[1], *p = in[2], *q = in[3];
    if (scalars) {
        const vector p0 = V(*p), q0 = V(*q);
        STORE_EACH_VECTOR(gradient(load(g + i), f(load(x + i), p0, q0)))
    } else {
        STORE_EACH_VECTOR(gradient(load(g + i), f(load(x + i), load(p + i), load(q + i))))
    }
}

/* Runs a kernel on any number of elements: first the whole vectors, then the remainder, padded to a vector with its
 * last element. The first `n_data` operands have n elements each, and so do the parameters unless they are scalars. Not
 * inlined, as it would be a tenth of the code. */
static __attribute__((noinline)) void in_vectors(pyrelu_map *loop, int n_data, int n_parameters, const void *const *in,
                                                 int scalars, real *out, ptrdiff_t n) {
    const ptrdiff_t rest = n % LANES, whole = n - rest;
    if (whole) loop(in, scalars, out, whole);
    if (!rest) return;
    vector padded[PYRELU_MAX_OPERANDS], result;
    const void *tail[PYRELU_MAX_OPERANDS];
    for (int k = 0; k < n_data + n_parameters; k++) {
        const real *from = in[k];
        tail[k] = from;
        if (k >= n_data && scalars) continue;
        padded[k] = load_some(from + whole, rest, from[n - 1]);
        tail[k] = &padded[k];
    }
    loop(tail, scalars, &result, LANES);
    store_some(out + whole, rest, result);
}

/* The table is included twice: first to define the functions, then to list them in an array. */

#define ARGUMENTS const void *const *in, int scalars, void *out, ptrdiff_t n
#define DATA_map 1
#define DATA_derivative_map 1
#define DATA_vjp_map 2
#define VECTORS_map UNROLL
#define VECTORS_derivative_map UNROLL_DERIVATIVES
#define VECTORS_vjp_map UNROLL_DERIVATIVES
#define derivative_map0 map0
#define derivative_map1 map1
#define derivative_map2 map2

#define DEFINE(name, form, n_parameters, f)                                                \
    KERNEL name(ARGUMENTS) { form##n_parameters(f, in, scalars, out, n, VECTORS_##form); } \
    static void any_##name(ARGUMENTS) { in_vectors(name, DATA_##form, n_parameters, in, scalars, out, n); }
#define DEFINE_0(name, form, f) DEFINE(name, form, 0, f)
#define DEFINE_1(name, form, f) DEFINE(name, form, 1, f)
#define DEFINE_2(name, form, f) DEFINE(name, form, 2, f)

/* A row that reads X runs its vjp backward; one that reads Y has a derivative in terms of the output. */
#define BACKWARD_X(name) any_vjp_##name
#define BACKWARD_Y(name) any_backward_##name
#define DEFINE_BACKWARD_X(name)
#define DEFINE_BACKWARD_Y(name) DEFINE_0(backward_##name, vjp_map, dfy_##name)

#define NONE DEFINE_0
#define ONE(...) DEFINE_1
#define TWO(...) DEFINE_2
#define ORDERED TWO

#define ACTIVATION(name, reads, parameters, ...)                                                       \
    parameters(forward_##name, map, f_##name) parameters(derivative_##name, derivative_map, df_##name) \
        parameters(vjp_##name, vjp_map, df_##name) DEFINE_BACKWARD_##reads(name)
#include "table/activations.def"
#undef ACTIVATION

#define ACTIVATION(name, reads, ...) \
    {any_forward_##name, any_derivative_##name, any_vjp_##name, BACKWARD_##reads(name)},
pyrelu_map *const PER_TARGET(map)[][PYRELU_N_KINDS] = {
#include "table/activations.def"
};

/* Gated linear units: their first operand is b; the product also takes a (or g instead), and the slope a and g. */

FORM gated0(formula1 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *b = in[0], *a = in[1];
    (void)scalars;
    STORE_EACH_VECTOR(f(load(b + i), load(a + i)))
}

FORM sloped0(formula2 *f, const void *const *in, int scalars, real *out, ptrdiff_t n, const int vectors) {
    const real *b = in[0], *a = in[1], *g = in[2];
    (void)scalars;
    STORE_EACH_VECTOR(f(load(b + i), load(a + i), load(g + i)))
}

#define DATA_gated 2
#define DATA_sloped 3
#define VECTORS_gated UNROLL_GATES
#define VECTORS_sloped UNROLL_GATES
#define GATED(name, gate) \
    DEFINE_0(product_##name, gated, gated_##gate) DEFINE_0(slope_##name, sloped, gated_slope_##gate)
#include "table/gates.def"
#undef GATED

#define GATED(name, gate) {any_product_##name, any_slope_##name},
pyrelu_map *const PER_TARGET(gated)[][2] = {
#include "table/gates.def"
};
