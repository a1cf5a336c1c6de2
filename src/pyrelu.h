/* What the C library offers to its callers. Nothing here or below knows of Python. */
#ifndef PYRELU_H
#define PYRELU_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define PYRELU_API __declspec(dllexport)
#else
#define PYRELU_API __attribute__((visibility("default")))
#endif

/* ---- the table: facts about each activation (activations.def, rowwise.def) ---- */

enum { PYRELU_MAX_PARAMETERS = 2, PYRELU_MAX_OPERANDS = 2 + PYRELU_MAX_PARAMETERS };

typedef struct {
    const char *name;
    double default_value; /* NaN: the caller must give it */
    const char *domain;   /* an interval, such as "(0, inf)" */
    const char *doc;
} pyrelu_parameter;

typedef struct {
    const char *name;
    char reads;                /* 'X' or 'Y': what the backward pass needs, the input or the output */
    int n_parameters, ordered; /* ordered: the first parameter must not be greater than the second */
    pyrelu_parameter parameters[PYRELU_MAX_PARAMETERS];
    const char *aliases;
    double ulp[4]; /* float32 forward, derivative; float64 forward, derivative */
    const char *kinks, *limits[4], *range, *formula, *summary, *reference;
} pyrelu_activation;

/* A function along an axis. Its NumPy signature says how many operands it has. */
typedef struct {
    const char *name, *signature, *vjp_signature, *error, *formula, *range, *summary, *reference;
} pyrelu_axis_function;

extern PYRELU_API const pyrelu_activation pyrelu_activations[];
extern PYRELU_API const int pyrelu_n_activations;
extern PYRELU_API const pyrelu_axis_function pyrelu_axis_functions[];
extern PYRELU_API const int pyrelu_n_axis_functions;

/* ---- kernels: contiguous arrays of one precision, one thread ---- */

typedef enum { PYRELU_F16, PYRELU_F32, PYRELU_F64, PYRELU_N_TYPES } pyrelu_type; /* F16 is stored, never computed in */

/* BACKWARD is what the training core calls: VJP from the row's `reads`, the input or the output. */
typedef enum { PYRELU_FORWARD, PYRELU_DERIVATIVE, PYRELU_VJP, PYRELU_BACKWARD, PYRELU_N_KINDS } pyrelu_kind;

/* out[i] = f(in[0][i], ...) for i < n. in[0] is x (or y, for BACKWARD), then g for VJP and BACKWARD, then the
 * parameters: one value each where `scalars`, else n of them. out may be in[0] or in[1]. */
typedef void pyrelu_map(const void *const *in, int scalars, void *out, ptrdiff_t n);

/* Rows of n elements, one after the other: out = f(in[0], ...) of each, and none of the inputs. An operand without the
 * axis has one number for each row. */
typedef void pyrelu_rowwise(const void *const *in, void *out, ptrdiff_t rows, ptrdiff_t n);

/* The same of one row of n elements of which no more than PYRELU_ROW_BLOCK are at hand at a time; the bits are the
 * same. Where an operand or the result has one number, that is its element 0. */
enum { PYRELU_ROW_BLOCK = 768 };

typedef struct pyrelu_blocked_row pyrelu_blocked_row;
struct pyrelu_blocked_row {
    ptrdiff_t n;
    /* Elements `at` to `at` + n of an operand, until the next call for that operand. */
    const void *(*read)(pyrelu_blocked_row *row, int operand, ptrdiff_t at, ptrdiff_t n);
    /* Makes `values` the result's elements `at` to `at` + n. */
    void (*write)(pyrelu_blocked_row *row, const void *values, ptrdiff_t at, ptrdiff_t n);
};

typedef void pyrelu_rowwise_blocked(pyrelu_blocked_row *row);

typedef enum { PYRELU_GRADIENT, PYRELU_SGD, PYRELU_NESTEROV, PYRELU_ADAM, PYRELU_N_SOLVERS } pyrelu_solver;

typedef struct {
    double l2, l1, scale; /* the gradient is (gradient + l2 * w + l1 * sign(w)) * scale */
    double decay;         /* a step takes so much of w away, beside all else */
    double rate, momentum, beta_1, beta_2, epsilon;
} pyrelu_step;

typedef struct {
    double loss;     /* of rows, or the penalties on parameters */
    double gradient; /* the sum of its squares */
} pyrelu_sums;

/* Updates n parameters and what the solver keeps for each: GRADIENT the gradient itself (and leaves w as it is), SGD
 * and NESTEROV the velocity, ADAM two means; `state` has two entries in any case. Returns the penalties on the
 * parameters as they were, and their gradient.
 */
typedef pyrelu_sums pyrelu_update(const pyrelu_step *step, void *w, const void *gradient, void *const *state,
                                  ptrdiff_t n);

/* Where in the training random numbers are drawn (random.h). */
typedef struct {
    uint64_t seed;
    uint32_t row, stream, step;
} pyrelu_place;

/* Rows of numbers that lie `stride` apart; columns of the matrix where it is `transposed`. */
typedef struct {
    const void *values;
    ptrdiff_t stride;
    int transposed;
} pyrelu_matrix;

/* C = A B + bias, or C += A B where `add`: A is (m, k), B (k, n), C (m, n). */
typedef struct {
    ptrdiff_t m, n, k;
    pyrelu_matrix a, b;
    void *c;
    ptrdiff_t c_stride;
    const void *bias; /* (n,), added to each row; NULL: 0 */
    int add;
} pyrelu_product;

typedef struct {
    pyrelu_map *const (*map)[PYRELU_N_KINDS];            /* [row of pyrelu_activations][kind] */
    pyrelu_rowwise *const (*rowwise)[2];                 /* [row of pyrelu_axis_functions][forward, vjp] */
    pyrelu_rowwise_blocked *const (*rowwise_blocked)[2]; /* likewise */
    int (*any_outside)(const void *x, double low, double high, ptrdiff_t n); /* whether a number is; NaN is not */
    pyrelu_update *const *update;                                            /* [pyrelu_solver] */
    void (*softmax_rows)(void *x, ptrdiff_t rows, ptrdiff_t n);              /* in place */
    void (*multiply)(const pyrelu_product *);
    void (*add_multiple)(double a, const void *x, void *y, ptrdiff_t n);   /* y += a x */
    void (*add_rows)(const void *x, ptrdiff_t rows, ptrdiff_t n, void *y); /* y += the sum of the rows of x */
    void (*random)(const pyrelu_place *, uint32_t first_unit, uint32_t *out, ptrdiff_t n); /* a multiple of 4 */
    pyrelu_map *widen, *narrow; /* half to float and back; with the float kernels only */
} pyrelu_kernels;

/* The kernels for F32 or F64 of the instruction set that was chosen when the library was loaded. */
PYRELU_API const pyrelu_kernels *pyrelu_kernels_for(pyrelu_type type);

/* ---- instruction sets ---- */

PYRELU_API const char *pyrelu_isa(void);           /* the one in use; NULL if PYRELU_ISA asked for one not to be had */
PYRELU_API const char *pyrelu_isa_requested(void); /* the value of PYRELU_ISA, or NULL */
PYRELU_API const char *pyrelu_isa_name(int i); /* those that this machine can run, best first; NULL after the last */

/* ---- threads ---- */

PYRELU_API int pyrelu_has_openmp(void);
PYRELU_API void pyrelu_set_num_threads(int n);
PYRELU_API int pyrelu_get_num_threads(void); /* how many a large array would use now */

enum { PYRELU_ALL_THREADS = INT_MAX };

/* Calls body(context, start, stop) over [0, n) in at most pyrelu_get_num_threads() ranges of at least `grain`. */
PYRELU_API void pyrelu_parallel(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t),
                                void *context);

/* Threads that stay together over many short jobs. NULL: the calling thread alone. */
typedef struct pyrelu_team pyrelu_team;

/* Calls conduct(team, context) with a team of at most n_threads and pyrelu_get_num_threads(). */
PYRELU_API void pyrelu_with_team(int n_threads, void (*conduct)(pyrelu_team *, void *), void *context);

/* Calls piece(context, i) for each i < n, in any order and by any of the team. */
PYRELU_API void pyrelu_share(pyrelu_team *team, ptrdiff_t n, void (*piece)(void *, ptrdiff_t), void *context);

/* ---- loops in the form of NumPy's: any strides, half precision, threads ---- */

/* Where a parameter may lie, both ends included. */
typedef struct {
    double low, high;
} pyrelu_interval;

typedef struct {
    pyrelu_map *map; /* one of these two */
    pyrelu_rowwise *rowwise;
    pyrelu_rowwise_blocked *rowwise_blocked;
    pyrelu_type type;
    int n_data;       /* operands of that type: x, or x and g */
    int n_parameters; /* operands after those; of type float where `type` is half */
    union {
        float f32;
        double f64;
    } bound[PYRELU_MAX_PARAMETERS]; /* the defaults, for a loop that does not take the parameters as operands */
    int (*any_outside)(const void *x, double low, double high, ptrdiff_t n);
    pyrelu_interval domain[PYRELU_MAX_PARAMETERS];
    int ordered;     /* whether the first parameter must not be greater than the second */
    int has_axis[3]; /* rowwise: which of the operands and, last, the output have the core dimension */
} pyrelu_loop;

/* `defaults`: the activation's parameters are not operands, but have their default values. */
PYRELU_API pyrelu_loop pyrelu_make_map_loop(int activation, pyrelu_kind kind, pyrelu_type type, int defaults);
PYRELU_API pyrelu_loop pyrelu_make_rowwise_loop(int axis_function, int vjp, pyrelu_type type);

/* Results larger than this go past the caches; at first it is the size of the last-level cache. For tests. */
PYRELU_API void pyrelu_set_streaming_bytes(ptrdiff_t bytes);

PYRELU_API void pyrelu_map_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *loop);

PYRELU_API void pyrelu_rowwise_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *loop);

#endif
