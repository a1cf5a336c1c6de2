/* Columns of a matrix that are 0 throughout: how to find them, and how to put them back. Compiled once per instruction
 * set and precision.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"

enum { ROWS = 4 }; /* at a time, so that what is found is read and written once for all of them */

void PER_TARGET(or_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *found) {
    const bits *from = x;
    bits *restrict to = found;
    for (; rows >= ROWS; rows -= ROWS, from += ROWS * n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] |= (from[j] | from[j + n]) | (from[j + 2 * n] | from[j + 3 * n]);
    for (; rows > 0; rows--, from += n)
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) to[j] |= from[j];
}

int PER_TARGET(all_finite)(const void *x, ptrdiff_t n) {
    const real *from = x;
    real sum = 0; /* of zeros, unless a number is not finite */
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) sum += from[i] * 0;
    return sum == 0;
}

INLINE void spread_one(real *row, const bits *places, ptrdiff_t j) {
    row[j] = places[j] & 1 ? row[places[j] >> 1] : 0;
}

/* From the last column back: what is still to be moved lies before what is written. */
void PER_TARGET(spread)(void *x, ptrdiff_t rows, ptrdiff_t n, const void *places) {
    const bits *place = places;
    real *row = x;
    for (; rows > 0; rows--, row += n) {
        ptrdiff_t j = n;
#if LOOKUP
        if (LOOKUP == LANES) {
            for (; j % LANES > 0;) spread_one(row, place, --j);
            while (j > 0) {
                j -= LANES;
                const vector_bits here = *(const vector_bits *)(place + j);
                const bits first = place[j] >> 1;
                const vector values = lookup(row + first, (here >> 1) - first);
                store(row + j, (vector)((vector_bits)values & -(here & 1)));
            }
        }
#endif
        while (j > 0) spread_one(row, place, --j);
    }
}
