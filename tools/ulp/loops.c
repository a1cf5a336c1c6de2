/* Compiled once per instruction set and precision: ULP_TARGET and PYRELU_BITS. */
#include "loops.h"

#include "math/activations.h"

#define REQUIRED 0.25
#define ARGUMENTS_NONE
#define ARGUMENTS_ONE(n, d, ...) , V((real)(d))
#define ARGUMENTS_TWO(n, d, domain, doc, m, e, ...) , V((real)(d)), V((real)(e))
#define ARGUMENTS_ORDERED(...) ARGUMENTS_TWO(__VA_ARGS__)

#define LOOP(name, value)                                           \
    static void name(const real *restrict x, real *restrict y) {    \
        for (int i = 0; i < BLOCK; i += LANES) store(y + i, value); \
    }
#define LOOP_X(name)
#define LOOP_Y(name) LOOP(dfy_##name##_loop, dfy_##name(load(x + i)))
#define ACTIVATION(name, reads, parameters, ...)                          \
    LOOP(f_##name##_loop, f_##name(load(x + i) ARGUMENTS_##parameters))   \
    LOOP(df_##name##_loop, df_##name(load(x + i) ARGUMENTS_##parameters)) \
    LOOP_##reads(name)
#include "table/activations.def"
#undef ACTIVATION

#define OUTPUT_X(name) NULL
#define OUTPUT_Y(name) dfy_##name##_loop
#define ACTIVATION(name, reads, ...) {f_##name##_loop, df_##name##_loop, OUTPUT_##reads(name)},
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
const loops PASTE(loops_, ULP_TARGET)[] = {
#include "table/activations.def"
};
