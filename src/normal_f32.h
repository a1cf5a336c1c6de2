/* The constants of normal.h for PYRELU_BITS = 32, printed by tools/fit/normal.py 32 */

#define NORMAL_SLOPE R(1.8203125)
#define NORMAL_SHIFT R(2.5)
#define NORMAL_MIDDLE R(0.25)
/* (R(a) a/w/sqrt(2 pi) - SHIFT/2)/w of w - MIDDLE, relative to R(a) a/w/sqrt(2 pi): error 2^-27.9 */
static const real TAIL_POLYNOMIAL[] = {R(-0.546923), R(-1.5737314), R(-0.6860047), R(2.7190993), R(7.1313157),
    R(6.9589696), R(-7.5825963), R(-46.83229), R(-117.6565), R(-112.611565), R(433.7413), R(1104.9777)};
/* d(a R(a)/sqrt(2 pi))/dw/(SLOPE a + SHIFT) of w, relative to R(a)/sqrt(2 pi): error 2^-1.86 */
static const real TAIL_SENSITIVITY[] = {R(0.36579645), R(-0.74409413)};
/* (R(a) - a)/(GELU_SLOPE_ROOT - a)/sqrt(2 pi) is GELU_SLOPE_MIDDLE at w = MIDDLE */
#define GELU_SLOPE_MIDDLE R(0.5438538)
/* the rest of it, per w - MIDDLE, of w - MIDDLE, relative: error 2^-28.8 */
static const real GELU_SLOPE_POLYNOMIAL[] = {R(-0.51744324), R(-0.059149325), R(0.4226292), R(0.64233375),
    R(0.19613318), R(-1.2227054), R(-3.394641), R(-4.521858), R(2.1175485), R(22.925022), R(30.477419)};
/* where R(a) = a */
static const pair GELU_SLOPE_ROOT = {R(0.75179154), R(-1.211445e-8)};
/* 2 sqrt(2/pi) */
static const pair GELU_TANH_LINEAR = {R(1.5957692), R(-4.534068e-8)};
/* 2 sqrt(2/pi) 0.044715 */
static const pair GELU_TANH_CUBIC = {R(0.071354814), R(2.3988325e-9)};
