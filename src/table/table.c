/* The tables as data: what a caller may know about each function. */
#include "table/table.h"

#define REQUIRED __builtin_nan("")
/* How many, whether the first must not be greater than the second, and what each is */
#define NONE \
    0, 0, {{0}}
#define ONE(name, value, domain, doc) \
    1, 0, {                           \
        {                             \
            #name, value, domain, doc \
        }                             \
    }
#define PAIR(name1, value1, domain1, doc1, name2, value2, domain2, doc2)   \
    {                                                                      \
        {#name1, value1, domain1, doc1}, { #name2, value2, domain2, doc2 } \
    }
#define TWO(...) 2, 0, PAIR(__VA_ARGS__)
#define ORDERED(...) 2, 1, PAIR(__VA_ARGS__)
#define ULP(...) {__VA_ARGS__}
#define LIMITS(...) {__VA_ARGS__}
#define LETTER_X 'X'
#define LETTER_Y 'Y'
#define ACTIVATION(name, reads, parameters, aliases, ulp, kinks, limits, range, formula, summary, reference) \
    {#name, LETTER_##reads, parameters, aliases, ulp, kinks, limits, range, formula, summary, reference},

const pyrelu_activation pyrelu_activations[] = {
#include "table/activations.def"
};

#define AXIS_FUNCTION(name, ...) {#name, __VA_ARGS__},

const pyrelu_axis_function pyrelu_axis_functions[] = {
#include "table/rowwise.def"
};

#define GATED(name, gate) {#name, #gate},

const pyrelu_gate pyrelu_gates[] = {
#include "table/gates.def"
};

#define LETTER_CLASSIFIER 'C'
#define LETTER_REGRESSOR 'R'
#define LETTER_CLASSES 'C'
#define LETTER_OUTPUTS 'O'
#define LOSS(name, estimator, targets, link, outputs, parameters, domain, formula, summary, reference) \
    {#name, LETTER_##estimator, LETTER_##targets, #link, #outputs, parameters, domain, formula, summary, reference},

const pyrelu_loss pyrelu_losses[] = {
#include "table/losses.def"
};

#define LETTER_ELEMENT 'E'
#define LETTER_ARRAY 'A'
#define IS_COUPLED 0
#define IS_DECOUPLED 1
#define OPTIMIZER(name, states, scope, decay, update, summary, reference) \
    {#name, states, LETTER_##scope, IS_##decay, update, summary, reference},

const pyrelu_optimizer_row pyrelu_optimizers[] = {
#include "table/optimizers.def"
};

#define IS_LEARNED 1
#define IS_FIXED 0
#define EMBEDDING(name, features, formula, summary, reference) {#name, IS_##features, formula, summary, reference},

const pyrelu_embedding_row pyrelu_embeddings[] = {
#include "table/embeddings.def"
};

#define GROUP(name, alpha, summary) {#name, alpha, summary},

const pyrelu_parameter_group pyrelu_parameter_groups[] = {
#include "table/parameter_groups.def"
};

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))
const int pyrelu_n_activations = LENGTH(pyrelu_activations);
const int pyrelu_n_axis_functions = LENGTH(pyrelu_axis_functions);
const int pyrelu_n_gates = LENGTH(pyrelu_gates);
const int pyrelu_n_losses = LENGTH(pyrelu_losses);
