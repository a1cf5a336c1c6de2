/* The functions of math.h for float and double by one name, as tgmath.h has them. That header declares complex
 * functions as well, which does not compile where C has no complex numbers (clang-cl on Windows); and they are the
 * compiler's own here, as a math.h may define some with branches (MinGW's copysign), which keep a loop from being
 * vectorised. */
#ifndef PYRELU_FUNCTIONS_H
#define PYRELU_FUNCTIONS_H

#include <math.h>

#define OF_ONE(name, x) _Generic((x), float: __builtin_##name##f((float)(x)), default: __builtin_##name(x))
#define OF_TWO(name, x, y) \
    _Generic((x) + (y), float: __builtin_##name##f((float)(x), (float)(y)), default: __builtin_##name(x, y))

#define exp(x) OF_ONE(exp, x)
#define fabs(x) OF_ONE(fabs, x)
#define log(x) OF_ONE(log, x)
#define log1p(x) OF_ONE(log1p, x)
#define sinh(x) OF_ONE(sinh, x)
#define sqrt(x) OF_ONE(sqrt, x)
#define tanh(x) OF_ONE(tanh, x)
#define copysign(x, y) OF_TWO(copysign, x, y)
#define pow(x, y) OF_TWO(pow, x, y)

#endif
