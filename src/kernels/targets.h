/* Symbol names of files that are compiled once per instruction set and precision. */
#ifndef PYRELU_TARGETS_H
#define PYRELU_TARGETS_H

#include "kernels/kernels.h"

#define PYRELU_PASTE_(name, target, bits) pyrelu_##name##_##target##_##bits
#define PYRELU_PASTE(name, target, bits) PYRELU_PASTE_(name, target, bits)

/* The symbol's name in the file being compiled: PER_TARGET(map) is pyrelu_map_v3_32, say. */
#define PER_TARGET(name) PYRELU_PASTE(name, PYRELU_TARGET, PYRELU_BITS)

#ifdef PYRELU_TARGET
extern pyrelu_map *const PER_TARGET(map)[][PYRELU_N_KINDS];
extern pyrelu_map *const PER_TARGET(gated)[][2];
extern pyrelu_rowwise *const PER_TARGET(rowwise)[][2];
extern pyrelu_rowwise_blocked *const PER_TARGET(rowwise_blocked)[][2];
extern pyrelu_update *const PER_TARGET(update)[];
extern pyrelu_embed *const PER_TARGET(embed)[];
extern pyrelu_embed_backward *const PER_TARGET(embed_backward)[];
int PER_TARGET(any_outside)(const void *x, double low, double high, ptrdiff_t n);
void PER_TARGET(softmax_rows)(void *x, ptrdiff_t rows, ptrdiff_t n);
void PER_TARGET(gemm)(const pyrelu_gemm_args *);
void PER_TARGET(pack_rows)(const void *x, ptrdiff_t n, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t k, void *packed);
void PER_TARGET(pack_columns)(const void *x, ptrdiff_t stride, const int32_t *columns, ptrdiff_t n, ptrdiff_t k,
                              void *packed);
void PER_TARGET(or_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *found);
int PER_TARGET(all_finite)(const void *x, ptrdiff_t n);
void PER_TARGET(spread)(void *x, ptrdiff_t rows, ptrdiff_t n, const void *places);
void PER_TARGET(max_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y);
void PER_TARGET(range_of_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *lows, void *highs);
void PER_TARGET(add_rises)(const void *before, const void *after, const void *lows, const void *highs, ptrdiff_t rows,
                           ptrdiff_t n, void *rises, void *sizes);
void PER_TARGET(add_multiple)(double a, const void *x, void *y, ptrdiff_t n);
void PER_TARGET(add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y);
void PER_TARGET(random)(const pyrelu_random_counter *, uint32_t first_unit, uint32_t *out, ptrdiff_t n);
void PER_TARGET(uniform)(const pyrelu_random_counter *, void *u, ptrdiff_t n);
void PER_TARGET(dropout_mask)(const pyrelu_random_counter *, double dropout, void *mask, ptrdiff_t n);
void PER_TARGET(drop)(const void *x, const void *mask, ptrdiff_t n, void *out);
void PER_TARGET(scale_rows)(const void *x, const void *scales, ptrdiff_t rows, ptrdiff_t n, void *y);
void PER_TARGET(scale_and_shift)(const void *x, const void *scales, const void *shifts, ptrdiff_t rows, ptrdiff_t n,
                                 void *y);
void PER_TARGET(add_products)(const void *x, const void *factors, ptrdiff_t rows, ptrdiff_t n, void *y);
void PER_TARGET(mix)(const void *z, const void *a, void *f, void *y, ptrdiff_t n);
void PER_TARGET(mix_backward)(const void *g, const void *a, const void *vjp, void *change, void *delta, ptrdiff_t n);
pyrelu_map PER_TARGET(widen), PER_TARGET(narrow);
extern const pyrelu_kernels PER_TARGET(kernels);
#endif

#endif
