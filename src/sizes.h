/* Integer arithmetic on sizes and counts. */
#ifndef PYRELU_SIZES_H
#define PYRELU_SIZES_H

#include <stddef.h>

static inline ptrdiff_t min_size(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* n/d rounded up, for n >= 0 and d > 0 */
static inline ptrdiff_t ceil_div(ptrdiff_t n, ptrdiff_t d) { return (n + d - 1) / d; }

#endif
