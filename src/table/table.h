/* The tables as data: the facts about each activation (activations.def, rowwise.def). */
#ifndef PYRELU_TABLE_H
#define PYRELU_TABLE_H

#include "api.h"

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

/* A gated linear unit: a gate(b), where gate is an activation. */
typedef struct {
    const char *name, *gate;
} pyrelu_gate;

/* A loss of the training core. */
typedef struct {
    const char *name;
    char estimator, targets; /* 'C' or 'R': of classifiers or regressors; 'C' or 'O': a class, or one for each output */
    const char *link, *outputs;
    int n_parameters, ordered; /* as an activation's */
    pyrelu_parameter parameters[PYRELU_MAX_PARAMETERS];
    const char *domain, *formula, *summary, *reference;
} pyrelu_loss;

/* An optimizer of the training core. */
typedef struct {
    const char *name;
    int n_states;
    char scope; /* 'E' or 'A': elements, or whole arrays */
    int decoupled;
    const char *update, *summary, *reference;
} pyrelu_optimizer_row;

/* An embedding of numeric columns. */
typedef struct {
    const char *name;
    int learned; /* whether training changes w and b */
    const char *formula, *summary, *reference;
} pyrelu_embedding_row;

/* A kind of learned parameters. */
typedef struct {
    const char *name;
    double alpha;
    const char *summary;
} pyrelu_parameter_group;

extern PYRELU_API const pyrelu_activation pyrelu_activations[];
extern PYRELU_API const int pyrelu_n_activations;
extern PYRELU_API const pyrelu_axis_function pyrelu_axis_functions[];
extern PYRELU_API const int pyrelu_n_axis_functions;
extern PYRELU_API const pyrelu_gate pyrelu_gates[];
extern PYRELU_API const int pyrelu_n_gates;
extern PYRELU_API const pyrelu_loss pyrelu_losses[];
extern PYRELU_API const int pyrelu_n_losses;
extern PYRELU_API const pyrelu_optimizer_row pyrelu_optimizers[];

/* The rows' numbers, and after them the rule that leaves the parameters as they are and returns their gradient. */
#define OPTIMIZER(name, ...) PYRELU_OPTIMIZER_##name,
enum {
#include "table/optimizers.def"
    PYRELU_N_OPTIMIZERS,
    PYRELU_GRADIENT = PYRELU_N_OPTIMIZERS
};
#undef OPTIMIZER

extern PYRELU_API const pyrelu_embedding_row pyrelu_embeddings[];
extern PYRELU_API const pyrelu_parameter_group pyrelu_parameter_groups[];

#define EMBEDDING(name, ...) PYRELU_EMBEDDING_##name,
enum {
#include "table/embeddings.def"
    PYRELU_N_EMBEDDINGS
};
#undef EMBEDDING

#define GROUP(name, ...) PYRELU_GROUP_##name,
typedef enum {
#include "table/parameter_groups.def"
    PYRELU_N_GROUPS
} pyrelu_group;
#undef GROUP

#endif
