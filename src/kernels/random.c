/* Random numbers for the units of a row (philox.h). Compiled once per instruction set and precision.
 *
 * Each 64-bit lane holds a counter: products of 32 bits by 32 need the width, and read nothing of a lane's upper half,
 * so that what is left there does no harm.
 */
#include "kernels/philox.h"

#include "kernels/targets.h"
#include "simd/vectors.h"

typedef uint64_t lanes __attribute__((vector_size(WIDTH)));
enum { COUNTERS = WIDTH / sizeof(uint64_t), ROUNDS = 10 };

/* The product of the lower halves. */
INLINE lanes multiply_halves(lanes x, uint32_t factor) {
    const lanes y = factor - (lanes){0};
#if WIDTH == 64
    return (lanes)_mm512_mul_epu32((__m512i)x, (__m512i)y);
#elif WIDTH == 32
    return (lanes)_mm256_mul_epu32((__m256i)x, (__m256i)y);
#elif defined(__SSE2__)
    return (lanes)_mm_mul_epu32((__m128i)x, (__m128i)y);
#else
    return (x & 0xFFFFFFFF) * y;
#endif
}

/* The pairs of a counter's first and last two numbers, of every second lane from `first` on. */
INLINE lanes interleave(lanes a, lanes b, const int first) {
#if WIDTH == 64
    return (lanes)(first ? _mm512_unpackhi_epi64((__m512i)a, (__m512i)b)
                         : _mm512_unpacklo_epi64((__m512i)a, (__m512i)b));
#elif WIDTH == 32
    return (lanes)(first ? _mm256_unpackhi_epi64((__m256i)a, (__m256i)b)
                         : _mm256_unpacklo_epi64((__m256i)a, (__m256i)b));
#else
    return (lanes){a[first], b[first]};
#endif
}

/* The numbers of COUNTERS counters from i on, as philox() computes those of one. Even lanes have the first counters,
 * odd lanes the others, as `interleave` takes them. */
INLINE void philox_lanes(const pyrelu_random_counter *counter, const lanes keys[ROUNDS][2], uint32_t i, uint32_t *out) {
    lanes a, b = counter->row - (lanes){0}, c = counter->stream - (lanes){0}, d = counter->step - (lanes){0};
#pragma GCC unroll 8
    for (int lane = 0; lane < COUNTERS; lane++) a[lane] = lane / 2 + lane % 2 * (COUNTERS / 2);
    a += i;
#pragma GCC unroll 10
    for (int round = 0; round < ROUNDS; round++) {
        const lanes p = multiply_halves(a, PHILOX_FACTOR_0), q = multiply_halves(c, PHILOX_FACTOR_1);
        a = (q >> 32) ^ b ^ keys[round][0];
        c = (p >> 32) ^ d ^ keys[round][1];
        b = q;
        d = p;
    }
    const lanes first = (a & 0xFFFFFFFF) | b << 32, last = (c & 0xFFFFFFFF) | d << 32;
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; odd++) {
        const lanes numbers = interleave(first, last, odd);
        memcpy(out + 2 * odd * COUNTERS, &numbers, sizeof numbers);
    }
}

void PER_TARGET(random)(const pyrelu_random_counter *counter, uint32_t first, uint32_t *out, ptrdiff_t n) {
    const pyrelu_random_counter copy = *counter; /* which no store to `out` changes, as the compiler knows */
    uint32_t key_0 = (uint32_t)copy.seed, key_1 = (uint32_t)(copy.seed >> 32);
    lanes keys[ROUNDS][2]; /* each round's in all lanes, for all counters of the row */
#pragma GCC unroll 10
    for (int round = 0; round < ROUNDS; round++, key_0 += PHILOX_WEYL_0, key_1 += PHILOX_WEYL_1) {
        keys[round][0] = key_0 - (lanes){0};
        keys[round][1] = key_1 - (lanes){0};
    }
    ptrdiff_t i = 0;
    for (; i + 4 * COUNTERS <= n; i += 4 * COUNTERS) philox_lanes(&copy, keys, (first + (uint32_t)i) / 4, out + i);
    for (; i < n; i += 4) {
        uint32_t four[4];
        philox(counter, (first + (uint32_t)i) / 4, four);
        memcpy(out + i, four, (n - i < 4 ? n - i : 4) * sizeof *four);
    }
}
