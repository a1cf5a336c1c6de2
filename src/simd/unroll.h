/* Kernels take arrays in unrolled blocks of some vectors. A formula is one long chain of operations, each waiting for
 * the one before; the compiler interleaves those of a unrolled block's vectors. */
#ifndef PYRELU_UNROLL_H
#define PYRELU_UNROLL_H

#include "simd/vectors.h"

/* As many as there are registers for */
#if WIDTH == 64
enum { UNROLL = 4 };
#else
enum { UNROLL = 3 };
#endif
enum { UNROLL_LANES = UNROLL * LANES };
#define UNROLLED _Pragma("GCC unroll 8")

#endif
