/* Sigmoids and their kin without e^x, where piecewise.h has tables of 32 numbers.
 *
 * On octave k, where u/ln 2 is nearest to k, a function that falls like e^-u is 2^-k times a polynomial in
 * d = u - k ln 2, with coefficients that are looked up. From octave 31 on it is 2^-k e^-d.
 */
#ifndef PYRELU_OCTAVES_H
#define PYRELU_OCTAVES_H

#include "math/piecewise.h"

#if PIECEWISE

typedef struct {
    _Alignas(WIDTH) real centre[32], at_centre[32], coefficients[6][32];
} octaves;

#include "math/octaves_f32.h"

/* Tables that say so in octaves_f32.h are of the function divided by OCTAVES_UNIT, so that what is computed from them
 * is no subnormal number unless the result is. */
#define OCTAVES_UNIT R(0x1p-80)

/* f(u) = 2^minus_k (at_centre + distance slope) */
typedef struct {
    piece at;
    vector minus_k;
} octave;

/* k + SHIFTER for u >= 0 */
INLINE vector octave_number(vector u) { return mad(u, V(R(1.4426950408889634)), V(SHIFTER)); }
INLINE vector_bits row_of(vector number) { return (vector_bits)min_(number, V(SHIFTER + 31)); }

/* The distance of u from the centre of its octave but for k times LOG_2.lo, exactly: k ln 2 is so near to u that u less
 * k times LOG_2.hi is a number. */
INLINE vector from_centre(const octaves *f, vector number, vector u) {
    return mad(SHIFTER - number, V(LOG_2.hi), u) - lookup_32(f->centre, row_of(number));
}

INLINE octave octave_at(const octaves *f, vector number, vector distance) {
    const vector_bits i = row_of(number);
    const vector slope = lookup_32_horner(distance, COUNTED(f->coefficients), i);
    return (octave){{lookup_32(f->at_centre, i), distance, slope}, SHIFTER - number};
}

/* That of u, or of a u of which lo is beyond the last bit of hi */
INLINE octave octave_of(const octaves *f, vector u) {
    const vector number = octave_number(u);
    return octave_at(f, number, mad(SHIFTER - number, V(LOG_2.lo), from_centre(f, number, u)));
}
INLINE octave octave_of_dd(const octaves *f, dd u) {
    const vector number = octave_number(u.hi);
    return octave_at(f, number, from_centre(f, number, u.hi) + mad(SHIFTER - number, V(LOG_2.lo), u.lo));
}

/* 2^k f(u) in two parts */
INLINE dd octave_parts(octave o) {
    const vector hi = piece_value(o.at);
    return (dd){hi, mad(o.at.distance, o.at.slope, o.at.at_centre - hi)};
}

/* x 2^n, rounded once */
INLINE vector scalef(vector x, vector n) { return _mm512_scalef_ps(x, n); }

/* 2^k f(u) */
INLINE vector octave_value(octave o) { return piece_value(o.at); }

/* max(x, 0) + scale log(1 + e^-u), computed `units` times as large, but x where that would be too large */
INLINE vector softplus_by_octave(vector x, vector scale, vector units, octave o) {
    const dd tail = octave_parts(o);
    const vector factor = scale * (units * OCTAVES_UNIT);
    const vector first = clamp(x, V(0), 0x1p126 / units) * units, second = factor * scalef(tail.hi, o.minus_k);
    const vector sum = first + second, lost = min_(first, second) - (sum - max_(first, second));
    return max_((sum + mad(factor, scalef(tail.lo, o.minus_k), lost)) * (1 / units), x);
}

#endif
#endif
