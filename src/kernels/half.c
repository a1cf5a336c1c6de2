/* Half precision is a storage format: widen to float, compute, narrow.
 *
 * A float result within 1 ULP is within 0.5 + 2^-13 ULP of half precision after narrowing.
 */
#include "kernels/targets.h"
#include "simd/real.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

static inline float widen(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    /* A half's exponent field, moved to a float's place, is too small by 2^112, for subnormals too. */
    const uint32_t finite = to_bits(from_bits(magnitude << 13) * 0x1p112f);
    return from_bits(sign | finite | (magnitude >= 0x7c00 ? 0x7f800000 : 0)); /* inf and NaN keep their mantissa */
}

static inline uint16_t narrow(float x) {
    const uint32_t sign = to_bits(x) & 0x80000000, magnitude = to_bits(x) ^ sign;
    /* Round to nearest even: a normal number by adding just under half a unit of the last of 11 bits, a subnormal one
     * by a sum whose unit in the last place is 2^-24. 65520 is the smallest number that rounds to infinity. */
    const uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112 << 23)) >> 13;
    const uint32_t subnormal = to_bits(from_bits(magnitude) + 0.5f) - to_bits(0.5f);
    const uint32_t nan = 0x7e00 | (magnitude >> 13 & 0x3ff);
    const uint32_t finite = magnitude < 0x38800000 ? subnormal : normal;
    /* Its product overflows: as the hardware's conversion does, this sets the flag. */
    const uint32_t overflowed = to_bits(from_bits(magnitude) * 0x1.001002p112f) >= 0x7f800000;
    const uint32_t number = overflowed && magnitude >= 0x477ff000 ? 0x7c00 : finite;
    return (uint16_t)(sign >> 16 | (magnitude > 0x7f800000 ? nan : number));
}

void PER_TARGET(widen)(const void *const *in, int scalars, void *out, ptrdiff_t n) {
    const uint16_t *x = in[0];
    float *y = out;
    ptrdiff_t i = 0;
    (void)scalars;
#ifdef __F16C__ /* 6 times as fast; gcc does not choose this instruction by itself */
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(x + i))));
#endif
    for (; i < n; i++) y[i] = widen(x[i]);
}

void PER_TARGET(narrow)(const void *const *in, int scalars, void *out, ptrdiff_t n) {
    const float *x = in[0];
    uint16_t *y = out;
    ptrdiff_t i = 0;
    (void)scalars;
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) _mm_storeu_si128((void *)(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), 0));
#endif
    for (; i < n; i++) y[i] = narrow(x[i]);
}
