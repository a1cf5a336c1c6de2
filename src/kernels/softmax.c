/* Softmax of many short rows, for a network's output layer. Compiled once per instruction set and precision.
 *
 * One loop computes the exponentials of all rows, so that rows of ten fill the vectors as well as long ones do. Sums
 * are plain; rowwise.c compensates its sums.
 */
#include "kernels/targets.h"
#include "math/elementary.h"

void PER_TARGET(softmax_rows)(void *x, ptrdiff_t rows, ptrdiff_t n) {
    real *const start = x, *const stop = start + rows * n;
    for (real *row = start; row < stop; row += n) {
        real largest = row[0];
        for (ptrdiff_t j = 1; j < n; j++) largest = row[j] > largest ? row[j] : largest;
        for (ptrdiff_t j = 0; j < n; j++) row[j] = row[j] == largest ? 0 : row[j] - largest; /* of infinities too */
    }
    for (ptrdiff_t i = 0; i < rows * n; i += LANES) {
        const ptrdiff_t left = rows * n - i;
        store_some(start + i, left, exp_nonpositive(exponent_of(max_(load_some(start + i, left, 0), V(EXP_LOWEST)))));
    }
    for (real *row = start; row < stop; row += n) {
        real sum = 0;
        for (ptrdiff_t j = 0; j < n; j++) sum += row[j];
        for (ptrdiff_t j = 0; j < n; j++) row[j] /= sum;
    }
}
