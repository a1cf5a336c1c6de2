/* The constants of elementary.h for PYRELU_BITS = 64, printed by tools/fit/fit.py 64 */
/* clang-format off */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r - 1: error 2^-61.6 */
static const real EXP_POLYNOMIAL[] = {R(0.5), R(0.16666666666666677), R(0.04166666666666664),
    R(8.333333333321468e-3), R(1.3888888888907828e-3), R(1.984126988646282e-4), R(2.4801587269508266e-5),
    R(2.7557243926615087e-6), R(2.755732611962745e-7), R(2.5109120108884165e-8), R(2.0897510364211905e-9)};
/* (r coth(r/2) - 2)/r^2 of r^2 on |r| <= ln(2)/2, relative in e^r: error 2^-62.1 */
static const real COTH_POLYNOMIAL[] = {R(0.16666666666666555), R(-2.7777777776696526e-3),
    R(6.613756250172933e-5), R(-1.6533837204067422e-6), R(4.136049240918655e-8)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-59.0 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333333333333154), R(0.2000000000007783), R(0.1428571427403338),
    R(0.11111111978019736), R(0.09090872207866044), R(0.07693274696996291), R(0.0665055594196156),
    R(0.06052498285391216), R(0.04172414845532291), R(0.08504945482998659)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const pair LN2 = {R(0.6931471805598903), R(5.497923018708371e-14)};
/* (x - tanh x)/x^3 where x^2 = 1/2 */
static const pair TANHSHRINK_MIDDLE = {R(0.2778856568389047), R(7.930950161266997e-18)};
/* the rest of it, per x^2 - 1/2, of x^2 - 1/2 on |x| <= 1, relative to all of it: error 2^-55.4 */
static const real TANHSHRINK_POLYNOMIAL[] = {R(-0.09223751778642147), R(0.03102924485493837),
    R(-0.010454406818229503), R(3.5229851973249703e-3), R(-1.187224805066752e-3), R(4.000889019166174e-4),
    R(-1.348280404676108e-4), R(4.5436325665136836e-5), R(-1.5311828456445707e-5), R(5.160710900108739e-6),
    R(-1.739115529492679e-6), R(5.827169313331255e-7), R(-1.9642446849094248e-7), R(7.456211563412944e-8),
    R(-2.5072115339810763e-8)};
/* lambda */
static const pair SELU_SCALE = {R(1.0507009873554805), R(3.987484766715415e-17)};
/* lambda alpha */
static const pair SELU_SCALE_ALPHA = {R(1.7580993408473768), R(1.415351938008446e-17)};
/* 1.702 */
static const pair QUICK_GELU_SCALE = {R(1.702), R(4.263256414560601e-17)};
/* 1/3 */
static const pair THIRD = {R(0.3333333333333333), R(1.850371707708594e-17)};
/* 1/6 */
static const pair SIXTH = {R(0.16666666666666666), R(9.25185853854297e-18)};
