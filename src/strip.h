/* Kernels take arrays in strips of some vectors. A formula is one long chain of operations, each waiting for the one
 * before; the compiler interleaves those of a strip's vectors. */
#ifndef PYRELU_STRIP_H
#define PYRELU_STRIP_H

#include "vectors.h"

/* As many as there are registers for */
#if WIDTH == 64
enum { VECTORS = 4 };
#else
enum { VECTORS = 3 };
#endif
enum { STRIP = VECTORS * LANES };
#define UNROLLED _Pragma("GCC unroll 8")

#endif
