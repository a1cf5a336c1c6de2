/* The instruction set in use, chosen when the library is loaded. */
#ifndef PYRELU_DISPATCH_H
#define PYRELU_DISPATCH_H

#include "api.h"

PYRELU_API const char *pyrelu_isa(void);           /* the one in use; NULL if PYRELU_ISA names none of these */
PYRELU_API const char *pyrelu_isa_requested(void); /* the value of PYRELU_ISA, or NULL */
PYRELU_API const char *pyrelu_isa_name(int i); /* the i-th that this processor runs, best first; NULL after the last */

#endif
