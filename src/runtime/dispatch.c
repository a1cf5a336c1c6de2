/* Chooses the instruction set once, when the library is loaded. PYRELU_ISA overrides the choice. */
#include <string.h>

#include "kernels/targets.h"
#include "runtime/dispatch.h"
#include "runtime/environment.h"

/* PYRELU_TARGETS is ISA(v4) ISA(v3) ISA(baseline), best first: the targets that CMake compiled. */
#define ISA(target)                                                \
    extern const pyrelu_kernels PYRELU_PASTE(kernels, target, 32); \
    extern const pyrelu_kernels PYRELU_PASTE(kernels, target, 64);
PYRELU_TARGETS
#undef ISA

/* The processor features that each target's compiler flags assume. */
static int runs_baseline(void) { return 1; }
#if defined(__x86_64__)
static int runs_v3(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("f16c");
}
static int runs_v4(void) {
    return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

typedef struct {
    const char *name;
    int (*runs)(void);
    const pyrelu_kernels *f32, *f64;
} target;

#define ISA(target) {#target, runs_##target, &PYRELU_PASTE(kernels, target, 32), &PYRELU_PASTE(kernels, target, 64)},
static const target targets[] = {PYRELU_TARGETS};
#undef ISA
enum { N_TARGETS = sizeof targets / sizeof *targets };

static const target *chosen;
static const char *requested;

static const target *supported(int i) {
    for (int t = 0; t < N_TARGETS; t++)
        if (targets[t].runs() && i-- == 0) return &targets[t];
    return NULL;
}

__attribute__((constructor)) static void choose_target(void) {
    static char buffer[PYRELU_ENVIRONMENT_CHARS];
    requested = environment("PYRELU_ISA", buffer);
    if (!requested || !*requested) {
        chosen = supported(0);
        return;
    }
    const target *t;
    for (int i = 0; (t = supported(i)); i++)
        if (strcmp(requested, t->name) == 0) chosen = t;
}

const pyrelu_kernels *pyrelu_kernels_for(pyrelu_type type) {
    if (!chosen) return NULL;
    return type == PYRELU_F64 ? chosen->f64 : chosen->f32;
}

const char *pyrelu_isa(void) { return chosen ? chosen->name : NULL; }

const char *pyrelu_isa_requested(void) { return requested; }

const char *pyrelu_isa_name(int i) {
    const target *t = supported(i);
    return t ? t->name : NULL;
}
