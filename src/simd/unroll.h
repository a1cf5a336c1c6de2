/* Kernels process arrays in unrolled blocks of several vectors. A formula is one long dependency chain; the compiler
 * hides its latency by interleaving the chains of a block's vectors. */
#ifndef PYRELU_UNROLL_H
#define PYRELU_UNROLL_H

#include "simd/vectors.h"

/* Vectors per block: as many as the registers hold */
#if WIDTH == 64
enum { UNROLL = 4 };
#else
enum { UNROLL = 3 };
#endif
/* Derivatives, alone or times a gradient, and gates, whose formulas are the longest, take as long with fewer, and less
 * code. */
enum { UNROLL_DERIVATIVES = 3, UNROLL_GATES = 2 };
enum { UNROLL_LANES = UNROLL * LANES };
/* Keeps the compiler from moving instructions across this computation of v, for x86: where two halves of a formula need
 * all registers each, mixing them takes tables and constants out of the registers. */
#define SCHEDULING_BARRIER(v) __asm__ volatile("" : "+x"(v))
#define UNROLLED _Pragma("GCC unroll 8")
#define NOT_UNROLLED _Pragma("GCC unroll 1")

#endif
