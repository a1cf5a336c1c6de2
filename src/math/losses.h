/* Each loss and its gradient, side by side, once for float and double; losses.def says how the functions are called.
 *
 * As in scikit-learn, probabilities are clipped to [EPSILON, 1 - EPSILON] before a logarithm.
 */
#ifndef PYRELU_LOSSES_H
#define PYRELU_LOSSES_H

#include "math/functions.h"
#include <float.h>

#include "simd/real.h"

#define EPSILON (PYRELU_BITS == 32 ? FLT_EPSILON : DBL_EPSILON)

static inline real clip(real p) { return p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p; }

/* ---- classes ---- */

static inline real class_loss_log_loss(real *y, ptrdiff_t truth, ptrdiff_t n, real smoothing, const real *p) {
    (void)p;
    const real evenly = smoothing / n;
    real loss = -(1 - smoothing) * log(clip(y[truth]));
    if (smoothing > 0)
        for (ptrdiff_t j = 0; j < n; j++) {
            loss -= evenly * log(clip(y[j]));
            y[j] -= evenly;
        }
    y[truth] -= 1 - smoothing;
    return loss;
}

static inline real loss_binary_log_loss(real y, real t, const real *p) {
    (void)p;
    if (t == 0 || t == 1) return -log(clip(t > 0 ? y : 1 - y));
    return -(t * log(clip(y)) + (1 - t) * log(clip(1 - y)));
}
static inline real dloss_binary_log_loss(real y, real t, const real *p) {
    (void)p;
    return y - t;
}

/* y times the derivative of -(1 - y)^gamma log y, which is gamma (1 - y)^(gamma - 1) y log y - (1 - y)^gamma. The first
 * term tends to 0 with 1 - y and with gamma. */
static inline real focal_slope(real y, real gamma) {
    const real q = 1 - y;
    const real curvature = q > 0 && gamma > 0 ? gamma * pow(q, gamma - 1) * y * log(clip(y)) : 0;
    return curvature - pow(q, gamma);
}

/* With a = y times the derivative with respect to y, the gradient with respect to z is a - y sum(a). */
static inline real class_loss_focal(real *y, ptrdiff_t truth, ptrdiff_t n, real smoothing, const real *p) {
    const real gamma = p[0], evenly = smoothing / n;
    real loss = 0, sum = 0;
    for (ptrdiff_t j = 0; j < n; j++) {
        const real t = evenly + (j == truth ? 1 - smoothing : 0);
        if (t == 0) continue;
        loss -= t * pow(1 - y[j], gamma) * log(clip(y[j]));
        sum += t * focal_slope(y[j], gamma);
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        const real t = evenly + (j == truth ? 1 - smoothing : 0);
        y[j] = (t == 0 ? 0 : t * focal_slope(y[j], gamma)) - y[j] * sum;
    }
    return loss;
}

static inline real loss_binary_focal(real y, real t, const real *p) {
    return -(t * pow(1 - y, p[0]) * log(clip(y)) + (1 - t) * pow(y, p[0]) * log(clip(1 - y)));
}
static inline real dloss_binary_focal(real y, real t, const real *p) {
    const real q = 1 - y; /* dy/dz = y q */
    return t * q * focal_slope(y, p[0]) - (1 - t) * y * focal_slope(q, p[0]);
}

static inline real loss_hinge(real y, real t, const real *p) {
    (void)p;
    const real excess = 1 - (2 * t - 1) * y;
    return excess < 0 ? 0 : excess;
}
static inline real dloss_hinge(real y, real t, const real *p) {
    const real loss = loss_hinge(y, t, p);
    return loss > 0 ? 1 - 2 * t : loss; /* 0, or NaN */
}

static inline real loss_squared_hinge(real y, real t, const real *p) {
    return loss_hinge(y, t, p) * loss_hinge(y, t, p);
}
static inline real dloss_squared_hinge(real y, real t, const real *p) { return 2 * loss_hinge(y, t, p) * (1 - 2 * t); }

/* ---- numbers ---- */

static inline real loss_squared_error(real y, real t, const real *p) {
    (void)p;
    return (y - t) * (y - t) / 2;
}
static inline real dloss_squared_error(real y, real t, const real *p) {
    (void)p;
    return y - t;
}

static inline real loss_absolute_error(real y, real t, const real *p) {
    (void)p;
    return fabs(y - t);
}
static inline real dloss_absolute_error(real y, real t, const real *p) {
    (void)p;
    return y > t ? 1 : y < t ? -1 : y - t; /* NaN stays */
}

static inline real loss_huber(real y, real t, const real *p) {
    const real error = fabs(y - t), delta = p[0];
    return error > delta ? delta * (error - delta / 2) : error * error / 2;
}
static inline real dloss_huber(real y, real t, const real *p) {
    const real error = y - t, delta = p[0];
    return error > delta ? delta : error < -delta ? -delta : error;
}

static inline real loss_quantile(real y, real t, const real *p) { return (t < y ? p[0] - 1 : p[0]) * (t - y); }
static inline real dloss_quantile(real y, real t, const real *p) { return y > t ? 1 - p[0] : y < t ? -p[0] : y - t; }

/* |x| + log(1 + e^(-2|x|)) - log 2 does not overflow; below 0.5, where it would cancel, log(1 + 2 sinh^2(x/2)). */
static inline real loss_log_cosh(real y, real t, const real *p) {
    (void)p;
    const real error = fabs(y - t);
    if (error < R(0.5)) {
        const real s = sinh(error / 2);
        return log1p(2 * s * s);
    }
    return error + (log1p(exp(-2 * error)) - R(0.6931471805599453));
}
static inline real dloss_log_cosh(real y, real t, const real *p) {
    (void)p;
    return tanh(y - t);
}

/* With an exponential link dy/dz = y. */

static inline real loss_poisson(real y, real t, const real *p) {
    (void)p;
    return (t > 0 ? t * log(t / y) : 0) - t + y;
}
static inline real dloss_poisson(real y, real t, const real *p) {
    (void)p;
    return y - t;
}

static inline real loss_gamma(real y, real t, const real *p) {
    (void)p;
    return log(y / t) + (t - y) / y;
}
static inline real dloss_gamma(real y, real t, const real *p) {
    (void)p;
    return (y - t) / y;
}

static inline real loss_tweedie(real y, real t, const real *p) {
    const real power = p[0];
    const real of_t = t > 0 ? pow(t, 2 - power) / (2 - power) - t * pow(y, 1 - power) : 0; /* no 0 * inf */
    return of_t / (1 - power) + pow(y, 2 - power) / (2 - power);
}
static inline real dloss_tweedie(real y, real t, const real *p) {
    return t > 0 ? (y - t) * pow(y, 1 - p[0]) : pow(y, 2 - p[0]);
}

#endif
