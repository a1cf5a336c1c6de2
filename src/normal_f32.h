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
/* (R(a) - a)/(GELU_SLOPE_ROOT - a)/sqrt(2 pi) - 1/2 of w - MIDDLE, relative to that + 1/2: error 2^-27.1 */
static const real GELU_SLOPE_POLYNOMIAL[] = {R(0.037761886), R(-0.5685917), R(-0.15949878), R(0.55701256),
    R(1.2675598), R(0.9953315), R(-2.067822), R(-10.259026), R(-22.205395), R(-4.4386244), R(114.29658),
    R(199.89487)};
/* where R(a) = a */
static const pair GELU_SLOPE_ROOT = {R(0.75179154), R(-1.211445e-8)};
/* 2 sqrt(2/pi) */
static const pair GELU_TANH_LINEAR = {R(1.5957692), R(-4.534068e-8)};
/* 2 sqrt(2/pi) 0.044715 */
static const pair GELU_TANH_CUBIC = {R(0.071354814), R(2.3988325e-9)};
