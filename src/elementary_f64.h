/* The constants of elementary.h for PYRELU_BITS = 64, printed by tools/fit/fit.py 64 */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r: error 2^-56.4 */
static const real EXP_POLYNOMIAL[] = {R(0.5000000000000011), R(0.16666666666666413), R(0.04166666666653011),
    R(8.333333333494687e-3), R(1.3888888943644007e-3), R(1.984126950622307e-4), R(2.480149308492452e-5),
    R(2.7557586599149705e-6), R(2.763025310987057e-7), R(2.500001340731377e-8)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-59.0 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333333333333154), R(0.20000000000077697), R(0.14285714274049716),
    R(0.11111111977080337), R(0.09090872237905422), R(0.07693274121496649), R(0.06650562703681283),
    R(0.06052450526034154), R(0.04172601137418349), R(0.08504636938883356)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const pair LN2 = {R(0.6931471805598903), R(5.497923018708371e-14)};
