/* `real`, the floating-point type of a file that is compiled once per precision (PYRELU_BITS = 32 or 64), and `bits`,
 * the unsigned integer of the same size. */
#ifndef PYRELU_REAL_H
#define PYRELU_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if PYRELU_BITS == 32
typedef float real;
typedef uint32_t bits;
#define R(x) x##f /* a literal of type real: R(0.5) */
#define R_MAX R(0x1.fffffep127)
#define R_MIN R(0x1p-126) /* the smallest normal number */
enum { R_FRACTION = 23, R_BIAS = 127 };
#elif PYRELU_BITS == 64
typedef double real;
typedef uint64_t bits;
#define R(x) x
#define R_MAX R(0x1.fffffffffffffp1023)
#define R_MIN R(0x1p-1022)
enum { R_FRACTION = 52, R_BIAS = 1023 };
#else
#error "PYRELU_BITS must be 32 or 64"
#endif

#define R_INF ((real)__builtin_inff())
#define R_NAN ((real)__builtin_nanf(""))

static inline bits to_bits(real x) {
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline real from_bits(bits b) {
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

#endif
