/* The rows of activations.def as loops over BLOCK numbers, once per instruction set. */
#ifndef LOOPS_H
#define LOOPS_H

#include "simd/real.h"

enum { BLOCK = 4096 };

typedef void loop_function(const real *restrict x, real *restrict y);

/* forward, derivative, and derivative from the output where the row reads that */
typedef struct {
    loop_function *f, *df, *dfy;
} loops;

#endif
