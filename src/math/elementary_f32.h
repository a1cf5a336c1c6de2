/* The constants of exponential.h and elementary.h for PYRELU_BITS = 32, printed by tools/fit/fit.py 32 */
/* clang-format off */

/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r: error 2^-28.2 */
static const real EXP_POLYNOMIAL[] = {R(0.49999994), R(0.16666521), R(0.04166826), R(8.368669e-3),
    R(1.3821516e-3)};
/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/2, relative to e^r - 1: error 2^-30.9 */
static const real EXPM1_POLYNOMIAL[] = {R(0.5), R(0.16666666), R(0.04166649), R(8.333568e-3), R(1.3932643e-3),
    R(1.9739069e-4)};
/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/16 + 2^-10, relative to e^r: error 2^-32.3 */
static const real EXP_POLYNOMIAL_8[] = {R(0.5), R(0.16668087), R(0.041668504)};
/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/32 + 2^-10, relative to e^r: error 2^-29.0 */
static const real EXP_POLYNOMIAL_16[] = {R(0.5000177), R(0.1666688)};
/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/16 + 2^-10, relative to e^r - 1: error 2^-27.4 */
static const real EXPM1_POLYNOMIAL_8[] = {R(0.5), R(0.16668022), R(0.041668452)};
/* (e^r - 1 - r)/r^2 on |r| <= ln(2)/32 + 2^-10, relative to e^r - 1: error 2^-31.3 */
static const real EXPM1_POLYNOMIAL_16[] = {R(0.5), R(0.1666702), R(0.041667126)};
/* 2^(j/8) to 10 bits, with j/8 of an exponent step subtracted from its bit pattern */
static const real EXP_TABLE_8[] = {R(1.0), R(0.9824219), R(0.96972656), R(0.9609375), R(0.95703125),
    R(0.9589844), R(0.9658203), R(0.9794922)};
/* the logarithm of 2^(j/8) divided by that */
static const real EXP_RESIDUAL_8[] = {R(0.0), R(6.090602e-4), R(-2.0684753e-4), R(-2.7331727e-5),
    R(1.0682293e-4), R(-4.9133255e-4), R(9.050603e-5), R(1.2928821e-5)};
/* 2^(j/16) to 10 bits, with j/16 of an exponent step subtracted from its bit pattern */
static const real EXP_TABLE_16[] = {R(1.0), R(0.99121094), R(0.9824219), R(0.97558594), R(0.96972656),
    R(0.96484375), R(0.9609375), R(0.9580078), R(0.95703125), R(0.95703125), R(0.9589844), R(0.96191406),
    R(0.9658203), R(0.9716797), R(0.9794922), R(0.9892578)};
/* the logarithm of 2^(j/16) divided by that */
static const real EXP_RESIDUAL_16[] = {R(0.0), R(-6.2042306e-4), R(6.090602e-4), R(1.0253504e-4),
    R(-2.0684753e-4), R(-2.6544437e-4), R(-2.7331727e-5), R(5.465173e-4), R(1.0682293e-4), R(1.7853793e-4),
    R(-4.9133255e-4), R(-5.200747e-4), R(9.050603e-5), R(2.2367477e-4), R(1.2928821e-5), R(-4.2235275e-4)};
/* ln 2; hi has trailing zeros enough for k LN2.hi to be exact */
static const dd_constant LN2 = {R(0.69314575), R(1.4286068e-6)};
/* (log(1 + z) - z)/z^2 on 0 <= z <= 1/e, relative to log(1 + z): error 2^-31.2 */
static const real LOG1P_POLYNOMIAL[] = {R(-0.4999999), R(0.33332717), R(-0.2498537), R(0.19831695),
    R(-0.15598726), R(0.10346396), R(-0.03940566)};
/* ln 2 */
static const dd_constant LOG_2 = {R(0.6931472), R(-1.9046542e-9)};
/* (log(1 + e^x) - x/2 - ln 2)/x^2 of x^2 on |x| <= 1, relative to log(1 + e^-|x|): error 2^-31.4 */
static const real SOFTPLUS_POLYNOMIAL[] = {R(0.12499999), R(-5.208246e-3), R(3.4687758e-4), R(-2.5741008e-5),
    R(1.623715e-6)};
/* (atanh(s)/s - 1)/s^2 of s^2 on 0 <= s <= 1/3, relative to atanh(s)/s: error 2^-33.0 */
static const real ATANH_POLYNOMIAL[] = {R(0.33333337), R(0.19999476), R(0.14307544), R(0.10722763),
    R(0.12119216)};
/* c 2^(j/4), relative error 2^-29.1, with j/4 of an exponent step subtracted */
static const real QUARTER_TABLE[] = {R(0.99986655), R(0.9695242), R(0.9570124), R(0.9657842)};
/* 2^(t/4)/c - 1 on |t| <= 1/2, relative to 2^(t/4)/c: error 2^-28.1 */
static const real QUARTER_POLYNOMIAL[] = {R(1.3347242e-4), R(0.17330989), R(0.015016164), R(8.6782046e-4),
    R(3.7580623e-5)};
/* 4/ln 2 */
static const dd_constant QUARTERS = {R(5.77078), R(7.703852e-8)};
/* 1.702 times that */
static const dd_constant QUICK_GELU_QUARTERS = {R(9.821868), R(-1.04437994e-7)};
/* x^3/(x - tanh x) of -x^2 on |x| <= 1, relative to tanh(x)/(x - tanh x): error 2^-28.6 */
static const real TANH_DIVISOR_POLYNOMIAL[] = {R(3.0000007), R(-1.1999929), R(-5.692238e-3), R(-2.2670308e-4)};
/* (x^3/(x - tanh x) - 3)/x^2 of x^2 on |x| <= 1, relative to x^3/(x - tanh x): error 2^-30.1 */
static const real TANHSHRINK_POLYNOMIAL[] = {R(1.1999999), R(-5.713683e-3), R(2.5240547e-4), R(-1.0598466e-5)};
/* (1/3 - (x - tanh x)/x^3)/x^2 of x^2 on |x| <= 0.9, relative to x - tanh x: error 2^-29.2 */
static const real TANH_POLYNOMIAL[] = {R(0.13333328), R(-0.05396665), R(0.021852482), R(-8.775561e-3),
    R(3.3420436e-3), R(-1.0401733e-3), R(1.8232671e-4)};
/* lambda */
static const dd_constant SELU_SCALE = {R(1.050701), R(-3.4792652e-8)};
/* lambda alpha */
static const dd_constant SELU_SCALE_ALPHA = {R(1.7580993), R(2.3296717e-8)};
/* 1.702 */
static const dd_constant QUICK_GELU_SCALE = {R(1.702), R(-2.193451e-8)};
/* 1/3 */
static const dd_constant THIRD = {R(0.33333334), R(-9.934108e-9)};
/* 1/6 */
static const dd_constant SIXTH = {R(0.16666667), R(-4.967054e-9)};
