#include "oracle.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if PYRELU_BITS == 32
#define W(f) f
#define C(x) x
#elif __LDBL_MANT_DIG__ == 113
#define W(f) f##l
#define C(x) x##L
#else
#include <quadmath.h>
#define W(f) f##q
#define C(x) x##Q
#endif

#if PYRELU_BITS == 64
wide ulp_of(wide x) {
    enum { FRACTION = 52, LOWEST = -1022 };
    int e;
    W(frexp)(x, &e);
    return W(ldexp)(1, (x == 0 || e - 1 < LOWEST ? LOWEST : e - 1) - FRACTION);
}
#endif

double oracle_root(const char *name) {
    static const struct {
        const char *name;
        double root;
    } roots[] = {{"silu", -1.2785},   {"mish", -1.1925}, {"quick_gelu", -0.7511},
                 {"hardswish", -1.5}, {"gelu", -0.7518}, {"gelu_tanh", -0.7525}};
    for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++)
        if (!strcmp(roots[i].name, name)) return roots[i].root;
    return NAN;
}

#define DEFINE(kind, name, expression)                                                              \
    static inline wide kind##_##name(wide x, wide a, wide b) {                                      \
        (void)x, (void)a, (void)b;                                                                  \
        return expression;                                                                          \
    }                                                                                               \
    void oracle_##kind##_##name(const real *x, wide *y, wide a, wide b) {                           \
        _Pragma("omp simd") for (int i = 0; i < BLOCK; i++) y[i] = kind##_##name((wide)x[i], a, b); \
    }
/* the function, its derivative; a and b are the parameters */
#define ORACLE(name, value, derivative) DEFINE(f, name, value) DEFINE(df, name, derivative)
/* the derivative as a function of the output, here called x */
#define ORACLE_Y(name, derivative) DEFINE(dfy, name, derivative)

/* Calls stand outside of selects, so that the compiler can take the vector functions of libmvec. */
static inline wide nonpositive(wide x) { return x < 0 ? x : 0; }
static inline wide logistic(wide x) { return 1 / (1 + W(exp)(-x)); }
static inline wide slope(wide x) { return logistic(x) * logistic(-x); }
static inline wide softplus(wide x) { return W(fmax)(x, 0) + W(log1p)(W(exp)(-W(fabs)(x))); }

#define LAMBDA C(1.050700987355480493419334985294606351959)
#define LAMBDA_ALPHA C(1.758099340847376859940217520812279577324)

#define PI C(3.141592653589793238462643383279502884197)
/* Phi(-x), which is all tail where x is large */
static inline wide phi_tail(wide x) { return W(erfc)(x / W(sqrt)(2)) / 2; }
/* the argument of gelu_tanh's tanh and its derivative */
static inline wide bert(wide x) { return W(sqrt)(2 / PI) * (x + C(0.044715) * x * x * x); }
static inline wide bert_slope(wide x) { return W(sqrt)(2 / PI) * (1 + 3 * C(0.044715) * x * x); }

/* e = e^x; tanh(log(1 + e)) and its derivative, by e^-|x| */
static inline wide mish_factor(wide x) {
    wide e = W(exp)(-W(fabs)(x));
    return x < 0 ? e * (e + 2) / (e * (e + 2) + 2) : (1 + 2 * e) / (1 + 2 * e * (1 + e));
}
static inline wide mish_slope(wide x) {
    wide e = W(exp)(-W(fabs)(x)), d = x < 0 ? e * (e + 2) + 2 : 1 + 2 * e * (1 + e);
    return 4 * (x < 0 ? e * (1 + e) : e * e * (1 + e)) / (d * d);
}

/* x - tanh x, by its series where that would cancel */
static inline wide tanhshrink(wide x) {
    wide far = x - W(tanh)(x);
    /* coefficients of the continued fraction tanh x = x/(1 + z/(3 + z/(5 + ...))), so that x - tanh x = x z/(3 + ... +
     * z) */
    wide z = x * x, tail = 0;
    for (int n = 25; n >= 5; n -= 2) tail = z / (n + tail);
    return W(fabs)(x) > C(0.1) ? far : x * z / (3 + tail + z);
}

static inline wide root(wide x, wide b) { return W(sqrt)(x * x + b); }
static inline wide clamp(wide x, wide low, wide high) { return x < low ? low : x > high ? high : x; }

ORACLE(identity, x, 1)
ORACLE_Y(identity, 1)
ORACLE(relu, x > 0 ? x : 0, x > 0)
ORACLE_Y(relu, x > 0)
ORACLE(leaky_relu, x > 0 ? x : a * x, x > 0 ? 1 : a)
ORACLE(prelu, x > 0 ? x : a * x, x > 0 ? 1 : a)
ORACLE(rrelu, x > 0 ? x : (a + b) / 2 * x, x > 0 ? 1 : (a + b) / 2)
ORACLE(relu6, clamp(x, 0, 6), x > 0 && x < 6)
ORACLE_Y(relu6, x > 0 && x < 6)
ORACLE(relu_squared, x > 0 ? x * x : 0, x > 0 ? 2 * x : 0)
ORACLE(threshold, x > a ? x : b, x > a)
ORACLE(hardtanh, clamp(x, a, b), x > a && x < b)
ORACLE(hardshrink, W(fabs)(x) > a ? x : 0, W(fabs)(x) > a)
ORACLE(softshrink, x > a ? x - a : x < -a ? x + a : 0, W(fabs)(x) > a)
ORACLE(step, x > 0, 0)
ORACLE(hardsigmoid, clamp(x + 3, 0, 6) / 6, x > -3 && x < 3 ? (wide)1 / 6 : 0)
ORACLE(hardswish, x *clamp(x + 3, 0, 6) / 6, x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6)
ORACLE(sparse_sigmoid, clamp(x + 1, 0, 2) / 2, x > -1 && x < 1 ? (wide)1 / 2 : 0)
ORACLE(sparse_plus, x > 1 ? x : clamp(x + 1, 0, 2) * clamp(x + 1, 0, 2) / 4, clamp(x + 1, 0, 2) / 2)

ORACLE(exponential, W(exp)(x), W(exp)(x))
ORACLE_Y(exponential, x)
ORACLE(elu, (x > 0 ? x : 0) + a * W(expm1)(nonpositive(x)), (x > 0 ? 1 : a) * W(exp)(nonpositive(x)))
ORACLE(selu, (x > 0 ? LAMBDA * x : 0) + LAMBDA_ALPHA * W(expm1)(nonpositive(x)),
       (x > 0 ? LAMBDA : LAMBDA_ALPHA) * W(exp)(nonpositive(x)))
ORACLE_Y(selu, x > 0 ? LAMBDA : x + LAMBDA_ALPHA)
ORACLE(celu, (x > 0 ? x : 0) + a * W(expm1)(nonpositive(x / a)), W(exp)(nonpositive(x / a)))

ORACLE(sigmoid, logistic(x), slope(x))
ORACLE_Y(sigmoid, x * (1 - x))
ORACLE(tanh, W(tanh)(x), 4 * slope(2 * x))
ORACLE_Y(tanh, (1 - x) * (1 + x))
ORACLE(tanhshrink, tanhshrink(x), W(tanh)(x) * W(tanh)(x))
ORACLE(softsign, x / (1 + W(fabs)(x)), 1 / (1 + W(fabs)(x)) / (1 + W(fabs)(x)))
ORACLE_Y(softsign, (1 - W(fabs)(x)) * (1 - W(fabs)(x)))

ORACLE(softplus, softplus(a *x) / a, logistic(a *x))
ORACLE(log_sigmoid, -softplus(-x), logistic(-x))
ORACLE(squareplus, x < 0 ? a / 2 / (root(x, a) - x) : (x + root(x, a)) / 2,
       (x < 0 ? a / 2 / (root(x, a) - x) : (x + root(x, a)) / 2) / root(x, a))
ORACLE(silu, x *logistic(x), logistic(x) * (1 + x * logistic(-x)))
ORACLE(gelu, x *phi_tail(-x), phi_tail(-x) + x * W(exp)(-x * x / 2) / W(sqrt)(2 * PI))
ORACLE(gelu_tanh, x *logistic(2 * bert(x)),
       logistic(2 * bert(x)) * (1 + 2 * x * bert_slope(x) * logistic(-2 * bert(x))))
ORACLE(quick_gelu, x *logistic(C(1.702) * x), logistic(C(1.702) * x) * (1 + C(1.702) * x * logistic(-C(1.702) * x)))
ORACLE(mish, x *mish_factor(x), mish_factor(x) + x * mish_slope(x))
