/* The constants of normal.h for PYRELU_BITS = 32, printed by tools/fit/normal.py 32 */

#define NORMAL_SLOPE R(2.0)
#define NORMAL_SHIFT R(2.5)
#define NORMAL_MIDDLE R(0.25)
/* (R(a) a/w/sqrt(2 pi) - SHIFT/2)/w of w - MIDDLE, relative to R(a) a/w/sqrt(2 pi): error 2^-27.7 */
static const real TAIL_POLYNOMIAL[] = {R(-0.38479358), R(-2.0983763), R(-1.9047145), R(3.4263127), R(15.673577),
    R(26.482138), R(1.3247658), R(-135.3771), R(-509.61893), R(-1047.7946), R(473.4043), R(8593.665), R(13712.759)};
/* d(a R(a)/sqrt(2 pi))/dw/(SLOPE a + SHIFT) of w, relative to R(a)/sqrt(2 pi): error 2^-1.97 */
static const real TAIL_SENSITIVITY[] = {R(0.38284692), R(-0.8460011)};
/* (R(a) - a)/(GELU_SLOPE_ROOT - a)/sqrt(2 pi) - 1/2 of w - MIDDLE, relative to that + 1/2: error 2^-27.2 */
static const real GELU_SLOPE_POLYNOMIAL[] = {R(0.037761886), R(-0.5685917), R(-0.1594988), R(0.55701256),
    R(1.2675643), R(0.9953375), R(-2.068183), R(-10.259758), R(-22.194748), R(-4.4115977), R(114.19165),
    R(199.58696)};
/* where R(a) = a */
static const pair GELU_SLOPE_ROOT = {R(0.75179154), R(-1.211445e-8)};
#define GELU_TANH_GRID R(16.0)
/* 2 sqrt(2/pi) */
static const pair GELU_TANH_LINEAR = {R(1.5957699), R(-7.6059644e-7)};
/* 2 sqrt(2/pi) 0.044715 */
static const pair GELU_TANH_CUBIC = {R(0.071354814), R(2.3988325e-9)};
