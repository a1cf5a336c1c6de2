/* Each activation and its derivative, side by side, once for float and double.
 *
 * f_<name>(x, parameters...) is the function, df_<name>(x, parameters...) its derivative and, for the rows of
 * activations.def that read Y, dfy_<name>(y) the derivative as a function of the output. No branches: every
 * alternative is a select, so that a loop over a formula vectorises and takes the same time for all values.
 * Comparisons are written so that NaN takes the branch that keeps it.
 */
#ifndef PYRELU_ACTIVATIONS_H
#define PYRELU_ACTIVATIONS_H

#include "elementary.h"

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

#endif
