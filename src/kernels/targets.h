/* Names for what is compiled several times: once per instruction set and precision. */
#ifndef PYRELU_TARGETS_H
#define PYRELU_TARGETS_H

#include "kernels/kernels.h"

#define PYRELU_PASTE_(name, target, bits) pyrelu_##name##_##target##_##bits
#define PYRELU_PASTE(name, target, bits) PYRELU_PASTE_(name, target, bits)

/* In a file compiled per instruction set: PRIVATE(map) is pyrelu_map_v3_32, say. */
#define PRIVATE(name) PYRELU_PASTE(name, PYRELU_TARGET, PYRELU_BITS)

#ifdef PYRELU_TARGET
extern pyrelu_map *const PRIVATE(map)[][PYRELU_N_KINDS];
extern pyrelu_map *const PRIVATE(gated)[][2];
extern pyrelu_rowwise *const PRIVATE(rowwise)[][2];
extern pyrelu_rowwise_blocked *const PRIVATE(rowwise_blocked)[][2];
extern pyrelu_update *const PRIVATE(update)[];
int PRIVATE(any_outside)(const void *x, double low, double high, ptrdiff_t n);
void PRIVATE(softmax_rows)(void *x, ptrdiff_t rows, ptrdiff_t n);
void PRIVATE(gemm)(const pyrelu_gemm_args *);
void PRIVATE(add_multiple)(double a, const void *x, void *y, ptrdiff_t n);
void PRIVATE(add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y);
void PRIVATE(random)(const pyrelu_random_counter *, uint32_t first_unit, uint32_t *out, ptrdiff_t n);
pyrelu_map PRIVATE(widen), PRIVATE(narrow);
extern const pyrelu_kernels PRIVATE(kernels);
#endif

#endif
