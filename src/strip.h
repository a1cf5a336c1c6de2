/* Kernels take arrays in strips of some vectors. A formula is one long chain of operations, each waiting for the one
 * before; the compiler interleaves those of a strip's vectors. */
#ifndef PYRELU_STRIP_H
#define PYRELU_STRIP_H

#include "vectors.h"

#ifndef VECTORS
#define VECTORS 4
#endif
enum { STRIP = VECTORS * LANES };
#define UNROLLED _Pragma("GCC unroll 8")

#endif
