/* Kernels take arrays in strips of two vectors. A formula is one long chain of operations, each waiting for the one
 * before; the compiler interleaves those of the two vectors: 1.2 times as fast on the average. */
#ifndef PYRELU_STRIP_H
#define PYRELU_STRIP_H

#include "vectors.h"

enum { STRIP = 2 * LANES };

#endif
