/* Each activation and its derivative, side by side, once for float and double.
 *
 * f_<name>(x, parameters...) is the function, df_<name>(x, parameters...) its derivative and, for the rows of
 * activations.def that read Y, dfy_<name>(y) the derivative as a function of the output. No branches: every
 * alternative is a select, so that a loop over a formula vectorises and takes the same time for all values.
 * Comparisons are written so that NaN takes the branch that keeps it.
 */
#ifndef PYRELU_ACTIVATIONS_H
#define PYRELU_ACTIVATIONS_H

#include "normal.h"

static inline real f_identity(real x) { return x; }
static inline real df_identity(real x) { return x == x ? R(1.0) : x; }
static inline real dfy_identity(real y) { return df_identity(y); }

static inline real f_relu(real x) { return x < 0 ? 0 : x; }
static inline real df_relu(real x) { return x > 0 ? 1 : f_relu(x) * 0; }
static inline real dfy_relu(real y) { return df_relu(y); }

static inline real f_leaky_relu(real x, real slope) { return x > 0 ? x : slope * x; }
static inline real df_leaky_relu(real x, real slope) { return x > 0 ? 1 : (x <= 0 ? slope : x); }

static inline real f_prelu(real x, real weight) { return f_leaky_relu(x, weight); }
static inline real df_prelu(real x, real weight) { return df_leaky_relu(x, weight); }

static inline real f_elu(real x, real alpha) {
    return x >= 0 ? x : times(alpha, expm1_(at_most(at_least(x, -SATURATED), 0)));
}
static inline real df_elu(real x, real alpha) { return x > 0 ? 1 : alpha * exp_nonpositive(at_most(x, 0)); }

static inline real f_selu(real x) {
    pair m = pair_product(SELU_SCALE_ALPHA, expm1_(at_most(at_least(x, -SATURATED), 0)));
    return x >= 0 ? times(x, SELU_SCALE) : pair_value(m);
}
static inline real df_selu(real x) {
    scaled e = exp_((pair){at_most(x, 0), 0});
    return x > 0 ? SELU_SCALE.hi : scale(pair_value(pair_product(SELU_SCALE_ALPHA, e.m)), e.k);
}
static inline real dfy_selu(real y) {
    return y > 0 ? SELU_SCALE.hi : (y + SELU_SCALE_ALPHA.hi) + SELU_SCALE_ALPHA.lo;
}

static inline real f_sigmoid(real x) {
    scaled s = sigmoid_((pair){at_most(x, SATURATED), 0});
    return scale(pair_value(s.m), s.k);
}
static inline real df_sigmoid(real x) { return sigmoid_slope(1, x); }
static inline real dfy_sigmoid(real y) { return y * (1 - y); }

static inline real f_tanh(real x) { return copysign_(pair_value(tanh_abs(x)), x); }
static inline real df_tanh(real x) { return sigmoid_slope(4, 2 * x); }
static inline real dfy_tanh(real y) { return (1 - y) * (1 + y); }

/* x sigmoid(x), where x stops at EXP_LOWEST, so that -inf gives the limit */
static inline real f_silu(real x) {
    real a = at_most(at_least(x, EXP_LOWEST), SATURATED);
    scaled s = sigmoid_((pair){a, 0});
    return x > SATURATED ? x : scale(times(a, s.m), s.k);
}
/* sigmoid(x) (1 + x sigmoid(-x)) = n (d + x m)/d^2, where n/d = sigmoid(x) and m/d = sigmoid(-x) */
static inline real df_silu(real x) {
    real a = at_most(at_least(x, EXP_LOWEST), SATURATED);
    logistic l = logistic_((pair){a, 0});
    pair m = pair_select(a < 0, (pair){1, 0}, l.e), w = pair_sum(l.d, pair_product((pair){a, 0}, m));
    return scale(pair_value(pair_quotient(pair_product(l.n.m, w), pair_product(l.d, l.d))), l.n.k);
}

static inline real f_gelu(real x) { return gelu_(x); }
static inline real df_gelu(real x) { return gelu_slope(x); }

static inline real f_gelu_tanh(real x) { return gelu_tanh_(x); }
static inline real df_gelu_tanh(real x) { return gelu_tanh_slope(x); }

static inline real f_softplus(real x, real beta) {
    pair u = argument(beta, x);
    return u.hi > SATURATED ? x : pair_value(pair_quotient((pair){softplus_(u), 0}, (pair){beta, 0}));
}
static inline real df_softplus(real x, real beta) {
    scaled s = sigmoid_(argument(beta, x));
    return scale(pair_value(s.m), s.k);
}

#endif
