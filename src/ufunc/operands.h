/* Copies between the caller's arrays, of any stride and of half precision too, and contiguous numbers for kernels. */
#ifndef PYRELU_OPERANDS_H
#define PYRELU_OPERANDS_H

#include <stddef.h>

#include "kernels/kernels.h"

static const size_t stored[PYRELU_N_TYPES] = {2, 4, 8};   /* bytes per element in the caller's array */
static const size_t computed[PYRELU_N_TYPES] = {4, 4, 8}; /* bytes per element in a kernel */

/* The number of elements for which a second thread pays: waking one costs about 10 us. */
enum { MIN_ELEMENTS_PER_THREAD = 1 << 16 };

/* Copies n elements, `step` bytes apart, to contiguous numbers of the kernel's type. */
void pyrelu_load(char *to, const char *from, ptrdiff_t step, pyrelu_type type, ptrdiff_t n);

/* Copies n contiguous numbers of the kernel's type to elements that are `step` bytes apart. */
void pyrelu_store(char *to, ptrdiff_t step, const char *from, pyrelu_type type, ptrdiff_t n);

#endif
