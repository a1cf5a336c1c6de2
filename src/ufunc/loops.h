/* Loops in the form that NumPy calls: any strides, half precision, threads. */
#ifndef PYRELU_LOOPS_H
#define PYRELU_LOOPS_H

#include <stddef.h>

#include "api.h"
#include "kernels/kernels.h"

/* The domain of a parameter, including both ends. */
typedef struct {
    double low, high;
} pyrelu_interval;

typedef struct {
    pyrelu_map *map;         /* elementwise loops */
    pyrelu_rowwise *rowwise; /* loops along an axis */
    pyrelu_rowwise_blocked *rowwise_blocked;
    pyrelu_type type;
    int n_data;       /* operands of this type: x, or x and g, or b and a, or b, a and g */
    int n_parameters; /* operands after those; float if `type` is half */
    union {
        float f32;
        double f64;
    } bound[PYRELU_MAX_PARAMETERS]; /* the defaults, for a loop whose parameters are not operands */
    int (*any_outside)(const void *x, double low, double high, ptrdiff_t n);
    pyrelu_interval domain[PYRELU_MAX_PARAMETERS];
    int ordered;     /* whether the first parameter must not exceed the second */
    int has_axis[3]; /* along an axis: whether each operand and, last, the output has the core dimension */
} pyrelu_loop;

/* With `defaults`, the activation's parameters are not operands but have their default values. */
PYRELU_API pyrelu_loop pyrelu_make_map_loop(int activation, pyrelu_kind kind, pyrelu_type type, int defaults);
/* The loop for the product a gate(b) or, with `slope`, for g a gate'(b) */
PYRELU_API pyrelu_loop pyrelu_make_gated_loop(int gate, int slope, pyrelu_type type);
PYRELU_API pyrelu_loop pyrelu_make_rowwise_loop(int axis_function, int vjp, pyrelu_type type);

/* Sets the size from which results bypass the caches. The default is that of the last-level cache. For tests. */
PYRELU_API void pyrelu_set_streaming_bytes(ptrdiff_t bytes);

PYRELU_API void pyrelu_map_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *loop);

PYRELU_API void pyrelu_rowwise_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *loop);

#endif
