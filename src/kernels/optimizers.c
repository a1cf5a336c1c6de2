/* What a step does to the parameters, in one pass over them. Compiled once per instruction set and precision.
 *
 * The rows of optimizers.def: each has a rule, which says what becomes of one parameter.
 */
#include "math/functions.h"

#include "kernels/targets.h"
#include "simd/real.h"

typedef struct {
    real rate, adam_rate, momentum, beta_1, beta_2, epsilon, decay, weight_decay;
    real mean_scale, next_mean_scale, square_scale; /* what makes up for running means that begin with 0 */
} settings;

/* Returns the new value of one parameter w, whose gradient is g, and moves the state that it keeps for it; of an ARRAY
 * row, returns the direction of the step instead. `s` has the state: m is the first of them, v the second. */
typedef real rule(const settings *s, real w, real g, real *m, real *v);

static inline real gradient(const settings *s, real w, real g, real *m, real *v) {
    (void)s, (void)v;
    *m = g;
    return w;
}

/* A running mean of gradients; 0 where it is below the smallest normal number. The mean of a unit that no longer learns
 * would stay subnormal for ever, as each decay of it rounds to itself. Subnormal numbers take a hundred times as long,
 * and what they change about a weight is far below its last place. Not for lion and lamb, whose steps do not shrink
 * with the mean. */
static inline real without_subnormals(real mean) { return fabs(mean) < R_MIN ? 0 : mean; }

static inline real sgd(const settings *s, real w, real g, real *m, real *v) {
    (void)v;
    *m = without_subnormals(s->momentum * *m - s->rate * g);
    return w + *m;
}

static inline real nesterov(const settings *s, real w, real g, real *m, real *v) {
    (void)v;
    *m = without_subnormals(s->momentum * *m - s->rate * g);
    return w + (s->momentum * *m - s->rate * g);
}

/* The running means of the gradient and of its square. */
static inline void moments(const settings *s, real g, real *m, real *v) {
    *m = s->beta_1 * *m + (1 - s->beta_1) * g;
    *v = s->beta_2 * *v + (1 - s->beta_2) * (g * g);
}

static inline real adamw(const settings *s, real w, real g, real *m, real *v) {
    moments(s, g, m, v);
    *m = without_subnormals(*m);
    return w - (s->adam_rate * *m / (sqrt(*v) + s->epsilon) + s->decay * w);
}

/* the same with decay = 0 */
static inline real adam(const settings *s, real w, real g, real *m, real *v) { return adamw(s, w, g, m, v); }

static inline real nadam(const settings *s, real w, real g, real *m, real *v) {
    moments(s, g, m, v);
    *m = without_subnormals(*m);
    const real mean = s->beta_1 * *m * s->next_mean_scale + (1 - s->beta_1) * g * s->mean_scale;
    return w - s->rate * mean / (sqrt(*v * s->square_scale) + s->epsilon);
}

static inline real rmsprop(const settings *s, real w, real g, real *m, real *v) {
    (void)v;
    *m = s->beta_2 * *m + (1 - s->beta_2) * (g * g);
    return w - s->rate * g / (sqrt(*m) + s->epsilon);
}

static inline real lion(const settings *s, real w, real g, real *m, real *v) {
    (void)v;
    const real mean = s->beta_1 * *m + (1 - s->beta_1) * g;
    *m = s->beta_2 * *m + (1 - s->beta_2) * g;
    const real sign = mean == 0 ? 0 : copysign((real)1, mean);
    return w - (s->rate * (mean == mean ? sign : mean) + s->decay * w);
}

static inline real lamb(const settings *s, real w, real g, real *m, real *v) {
    moments(s, g, m, v);
    return *m * s->mean_scale / (sqrt(*v * s->square_scale) + s->epsilon) + s->weight_decay * w;
}

#define INLINE static inline __attribute__((always_inline))

INLINE settings settings_of(const pyrelu_step *step) {
    return (settings){step->rate,       step->adam_rate,       step->momentum,    step->beta_1,
                      step->beta_2,     step->epsilon,         step->decay,       step->weight_decay,
                      step->mean_scale, step->next_mean_scale, step->square_scale};
}

INLINE pyrelu_sums update_elements(rule *f, const pyrelu_step *step, real *w, real *g, real *m, real *v, ptrdiff_t n) {
    const settings s = settings_of(step);
    const real half_l2 = step->l2 / 2, l1 = step->l1, scale = step->scale;
    real penalties = 0, squares = 0;
#pragma omp simd reduction(+ : penalties, squares)
    for (ptrdiff_t i = 0; i < n; i++) {
        const real of_l1 = w[i] == 0 ? 0 : copysign(l1, w[i]), penalty = half_l2 * w[i] + of_l1; /* per unit of w */
        const real gradient = (g[i] + (penalty + half_l2 * w[i])) * scale;
        penalties += penalty * w[i];
        squares += gradient * gradient;
        w[i] = f(&s, w[i], gradient, m + i, v + i);
    }
    return (pyrelu_sums){penalties, squares};
}

/* The gradient becomes the direction; the sums are those of the squares of w and of the direction. */
INLINE pyrelu_sums direct_array(rule *f, const pyrelu_step *step, real *w, real *g, real *m, real *v, ptrdiff_t n) {
    const settings s = settings_of(step);
    real of_w = 0, of_direction = 0;
#pragma omp simd reduction(+ : of_w, of_direction)
    for (ptrdiff_t i = 0; i < n; i++) {
        g[i] = f(&s, w[i], g[i] * (real)step->scale, m + i, v + i);
        of_w += w[i] * w[i];
        of_direction += g[i] * g[i];
    }
    return (pyrelu_sums){of_w, of_direction};
}

#define ELEMENT update_elements
#define ARRAY direct_array
#define OPTIMIZER(name, states, scope, ...)                                                              \
    static __attribute__((flatten)) pyrelu_sums update_##name(const pyrelu_step *step, void *w, void *g, \
                                                              void *const *state, ptrdiff_t n) {         \
        return scope(name, step, w, g, state[0], state[states - 1], n);                                  \
    }
OPTIMIZER(gradient, 1, ELEMENT)
#include "table/optimizers.def"
#undef OPTIMIZER

#define OPTIMIZER(name, ...) update_##name,
pyrelu_update *const PER_TARGET(update)[] = {
#include "table/optimizers.def"
    update_gradient,
};
