/* The vocabulary that formulas are written in.
 *
 * A file that includes this is compiled once per precision (PYRELU_BITS = 32 or 64) and instruction set. `real` is
 * the number type and `bits` the unsigned integer of its size. Nothing here branches: a loop over any of these
 * functions is left for the compiler to vectorise.
 */
#ifndef PYRELU_REAL_H
#define PYRELU_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if PYRELU_BITS == 32
typedef float real;
typedef uint32_t bits;
#define R(x) x##f /* a literal in the precision at hand: R(0.5) */
#elif PYRELU_BITS == 64
typedef double real;
typedef uint64_t bits;
#define R(x) x
#else
#error "PYRELU_BITS must be 32 or 64"
#endif

#define R_INF ((real)__builtin_inff())
#define R_NAN ((real)__builtin_nanf(""))

#endif
