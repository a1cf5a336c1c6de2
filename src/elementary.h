/* exp, expm1, log1p, tanh, erfc ... : placeholder until the kernels land. */
#include "real.h"
