/* Vectors as wide as the instruction set has them, for loops that keep sums in registers. */
#ifndef PYRELU_VECTORS_H
#define PYRELU_VECTORS_H

#include "real.h"

#if defined(__AVX512F__)
enum { WIDTH = 64 };
#elif defined(__AVX__)
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif
enum { LANES = WIDTH / sizeof(real) };

/* At any address: what is loaded from or stored to need not be aligned. */
typedef real vector __attribute__((vector_size(WIDTH), aligned(sizeof(real))));

#define INLINE static inline __attribute__((always_inline))

#endif
