/* The constants of normal.h for PYRELU_BITS = 32, printed by tools/fit/normal.py 32 */
/* clang-format off */

#define NORMAL_SLOPE R(2.0)
#define NORMAL_SHIFT R(2.5)
#define NORMAL_MIDDLE R(0.25)
/* (R(a) a/w/sqrt(2 pi) - SHIFT/2)/w of w - MIDDLE, relative to R(a) a/w/sqrt(2 pi): error 2^-27.8 */
static const real TAIL_POLYNOMIAL[] = {R(-0.38479358), R(-2.098376), R(-1.9047139), R(3.4262326), R(15.673589),
    R(26.490547), R(1.3137794), R(-135.75201), R(-508.91974), R(-1040.3916), R(457.80493), R(8540.57),
    R(13826.771)};
/* d(a R(a)/sqrt(2 pi))/dw/(SLOPE a + SHIFT) of w, relative to R(a)/sqrt(2 pi): error 2^-1.95 */
static const real TAIL_SENSITIVITY[] = {R(0.3838388), R(-0.84838384)};
/* (R(a) - a)/(GELU_SLOPE_ROOT - a)/sqrt(2 pi) - 7/16 of w - MIDDLE, relative to that + 7/16: error 2^-26.7 */
static const real GELU_SLOPE_POLYNOMIAL[] = {R(0.10026188), R(-0.56859183), R(-0.15949783), R(0.5570417),
    R(1.2674786), R(0.9930279), R(-2.0648282), R(-10.180146), R(-22.252745), R(-5.6482277), R(114.54106),
    R(206.6292)};
/* where R(a) = a */
static const dd_constant GELU_SLOPE_ROOT = {R(0.75179154), R(-1.211445e-8)};
/* 1/sqrt(2 pi) */
static const dd_constant INVERSE_ROOT_2PI = {R(0.3989423), R(-1.133517e-8)};
/* 2 sqrt(2/pi), with a short head */
static const dd_constant GELU_TANH_LINEAR = {R(1.5957642), R(4.9614496e-6)};
/* 2 sqrt(2/pi) 0.044715 */
static const dd_constant GELU_TANH_CUBIC = {R(0.071354814), R(2.3988325e-9)};
/* the same in quarters of an octave */
static const dd_constant GELU_TANH_LINEAR_QUARTERS = {R(9.20874), R(9.25582e-5)};
/* and 0.044715 times that */
static const dd_constant GELU_TANH_CUBIC_QUARTERS = {R(0.41177297), R(-8.064794e-9)};
/* three times that */
static const dd_constant GELU_TANH_SLOPE_CUBIC = {R(0.21406445), R(-2.5408342e-10)};
