/* The constants of elementary.h for PYRELU_BITS = 32, printed by tools/fit/fit.py 32 */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r - 1: error 2^-28.7 */
static const real EXP_POLYNOMIAL[] = {R(0.5), R(0.16666666), R(0.04166636), R(8.333387e-3), R(1.3940652e-3),
    R(1.984721e-4)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-30.5 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333337), R(0.19999443), R(0.14308314), R(0.10715245),
    R(0.121451296)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const pair LN2 = {R(0.69314575), R(1.4286068e-6)};
/* lambda */
static const pair SELU_SCALE = {R(1.050701), R(-3.4792652e-8)};
/* lambda alpha */
static const pair SELU_SCALE_ALPHA = {R(1.7580993), R(2.3296717e-8)};
