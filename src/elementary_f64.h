/* The constants of elementary.h for PYRELU_BITS = 64, printed by tools/fit/fit.py 64 */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r - 1: error 2^-59.9 */
static const real EXP_POLYNOMIAL[] = {R(0.5), R(0.16666666666666677), R(0.04166666666666651),
    R(8.333333333321691e-3), R(1.3888888888962116e-3), R(1.9841269885966065e-4), R(2.480158717304101e-5),
    R(2.755724437430588e-6), R(2.7557402218641994e-7), R(2.5108978768698155e-8), R(2.0875458778274632e-9)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-59.0 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333333333333154), R(0.20000000000077697), R(0.14285714274049716),
    R(0.11111111977080337), R(0.09090872237905422), R(0.07693274121496649), R(0.06650562703681283),
    R(0.06052450526034154), R(0.04172601137418349), R(0.08504636938883356)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const pair LN2 = {R(0.6931471805598903), R(5.497923018708371e-14)};
/* lambda */
static const pair SELU_SCALE = {R(1.0507009873554805), R(3.987484766715415e-17)};
/* lambda alpha */
static const pair SELU_SCALE_ALPHA = {R(1.7580993408473768), R(1.415351938008446e-17)};
