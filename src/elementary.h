/* exp, expm1, sigmoid, log1p, tanh ... without branches and, as pairs, with some bits to spare, so that a formula
 * composed of them still rounds to within 1 ULP.
 *
 * The algorithms stand here once for both precisions; the constants of each are in elementary_f32.h and _f64.h.
 */
#ifndef PYRELU_ELEMENTARY_H
#define PYRELU_ELEMENTARY_H

#include "real.h"

/* EXP_LOWEST: x e^x rounds to 0 from there on. SCALE_BIAS: see scale(). SHIFTER: x + SHIFTER is x rounded to an integer,
 * in its lowest bits. */
#if PYRELU_BITS == 32
#include "elementary_f32.h"
#define EXP_LOWEST R(-120.0)
#define SCALE_BIAS 64
#define SHIFTER R(0x1.8p23)
#else
#include "elementary_f64.h"
#define EXP_LOWEST R(-760.0)
#define SCALE_BIAS 512
#define SHIFTER R(0x1.8p52)
#endif

/* e^x = 2^k (1 + r + s) with |r| <= ln(2)/2 and s = O(r^2), which also holds what r lost to rounding */
typedef struct {
    real r, s;
    bits k; /* k in its low bits, rubbish above them: for power_of_2 */
} exponential;

/* A sum that is still to be multiplied by 2^k */
typedef struct {
    pair m;
    bits k;
} scaled;

/* 2^(k + bias), which must be a normal number */
static inline real power_of_2(bits k, int bias) { return from_bits((k + (bits)(R_BIAS + bias)) << R_FRACTION); }

/* v 2^k for v of ordinary size and EXP_LOWEST's k <= k <= SCALE_BIAS: first exactly, to above the subnormal numbers,
 * then down, so that a subnormal result is rounded here and nowhere before */
static inline real scale(real v, bits k) { return v * power_of_2(k, SCALE_BIAS) * power_of_2(0, -SCALE_BIAS); }

/* The parts of e^(x.hi + x.lo) for x <= EXP_HIGHEST (checked by nobody) and x >= EXP_LOWEST (below that: of
 * e^EXP_LOWEST, which is 0 after any scaling). Cody and Waite: k = round(x / ln 2), r = x - k ln 2 with k LN2.hi exact.
 */
static inline exponential exp_parts(pair x) {
    real shifted = mad(x.hi, R(1.4426950408889634), SHIFTER), k = shifted - SHIFTER;
    real t = mad(k, -LN2.hi, x.hi), c = mad(k, LN2.lo, -x.lo), r = t - c, lost = (t - r) - c;
    return (exponential){r, mad(r * r, POLYNOMIAL(r, EXP_POLYNOMIAL), mad(lost, r, lost)), to_bits(shifted)};
}

/* e^x as a pair in [0.70, 1.42] still to be scaled, with a relative error below 2^-26 (float), 2^-55 (double). x.lo must
 * be finite. */
static inline scaled exp_(pair x) {
    exponential e = exp_parts((pair){at_least(x.hi, EXP_LOWEST), x.lo});
    real hi = 1 + (e.r + e.s);
    return (scaled){{hi, ((1 - hi) + e.r) + e.s}, e.k};
}

#endif
