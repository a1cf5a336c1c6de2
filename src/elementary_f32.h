/* The constants of elementary.h for PYRELU_BITS = 32, printed by tools/fit/fit.py 32 */
/* clang-format off */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r - 1: error 2^-30.9 */
static const real EXP_POLYNOMIAL[] = {R(0.5), R(0.16666666), R(0.04166649), R(8.333568e-3), R(1.3932643e-3),
    R(1.9739069e-4)};
/* (r coth(r/2) - 2)/r^2 of r^2 on |r| <= ln(2)/2, relative in e^r: error 2^-30.8 */
static const real COTH_POLYNOMIAL[] = {R(0.16666618), R(-2.7660122e-3)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-33.0 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333337), R(0.19999476), R(0.14307544), R(0.10722763),
    R(0.12119216)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const pair LN2 = {R(0.69314575), R(1.4286068e-6)};
/* (x - tanh x)/x^3 where x^2 = 1/2 */
static const pair TANHSHRINK_MIDDLE = {R(0.27788565), R(1.1210929e-8)};
/* the rest of it, per x^2 - 1/2, of x^2 - 1/2 on |x| <= 1, relative to all of it: error 2^-27.2 */
static const real TANHSHRINK_POLYNOMIAL[] = {R(-0.09223752), R(0.031029383), R(-0.010454467), R(3.5196585e-3),
    R(-1.1860263e-3), R(4.2276783e-4), R(-1.4260033e-4)};
/* lambda */
static const pair SELU_SCALE = {R(1.050701), R(-3.4792652e-8)};
/* lambda alpha */
static const pair SELU_SCALE_ALPHA = {R(1.7580993), R(2.3296717e-8)};
/* 1.702 */
static const pair QUICK_GELU_SCALE = {R(1.702), R(-2.193451e-8)};
/* 1/3 */
static const pair THIRD = {R(0.33333334), R(-9.934108e-9)};
/* 1/6 */
static const pair SIXTH = {R(0.16666667), R(-4.967054e-9)};
