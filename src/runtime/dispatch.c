/* Chooses the instruction set once, when the library is loaded. PYRELU_ISA overrides the choice. */
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "kernels/targets.h"
#include "runtime/dispatch.h"
#include "runtime/environment.h"

/* PYRELU_TARGETS is ISA(v4) ISA(v3) ISA(baseline), best first: the targets that CMake compiled. */
#define ISA(target)                                                \
    extern const pyrelu_kernels PYRELU_PASTE(kernels, target, 32); \
    extern const pyrelu_kernels PYRELU_PASTE(kernels, target, 64);
PYRELU_TARGETS
#undef ISA

/* The processor features that each target's compiler flags assume. They are asked for here and not by
 * __builtin_cpu_supports, which clang-cl leaves to a library that it does not link, and which lacks f16c in older
 * clang. */
static int runs_baseline(void) { return 1; }
#if defined(__x86_64__)
/* The processor's answers (Intel's manual, volume 2, CPUID): of leaf 1 in ECX, of leaf 7 in EBX. */
enum { FMA = 1 << 12, OSXSAVE = 1 << 27, AVX = 1 << 28, F16C = 1 << 29 };
enum { AVX2 = 1 << 5, BMI2 = 1 << 8, AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512CD = 1 << 28, AVX512BW = 1 << 30 };
static const unsigned AVX512VL = 1u << 31;
/* The registers that the system saves (XCR0): those of AVX, and with AVX-512's masks and upper halves. */
enum { YMM = 0x6, ZMM = 0xe6 };

__attribute__((target("xsave"))) static unsigned saved_registers(void) { return (unsigned)_xgetbv(0); }

/* Whether it has all these, and the system saves those registers. */
static int has(unsigned of_1, unsigned of_7, unsigned registers) {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & of_1) != of_1 || !(ecx & OSXSAVE)) return 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (ebx & of_7) != of_7) return 0;
    return (saved_registers() & registers) == registers;
}

static int runs_v3(void) { return has(AVX | FMA | F16C, AVX2 | BMI2, YMM); }
static int runs_v4(void) { return runs_v3() && has(AVX, AVX512F | AVX512BW | AVX512CD | AVX512DQ | AVX512VL, ZMM); }
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
