/* What a step does to the parameters, in one pass over them. Compiled once per instruction set and precision. */
#include <tgmath.h>

#include "kernels/targets.h"
#include "simd/real.h"

typedef struct {
    real rate, momentum, beta_1, beta_2, epsilon, decay;
} settings;

/* A rule returns the new value of one parameter w, whose gradient is g, and moves the state that it keeps for it. */
typedef real rule(const settings *s, real w, real g, real *const *state, ptrdiff_t i);

static inline real gradient(const settings *s, real w, real g, real *const *state, ptrdiff_t i) {
    (void)s;
    state[0][i] = g;
    return w;
}

static inline real sgd(const settings *s, real w, real g, real *const *state, ptrdiff_t i) {
    const real velocity = s->momentum * state[0][i] - s->rate * g;
    state[0][i] = velocity;
    return w + velocity;
}

static inline real nesterov(const settings *s, real w, real g, real *const *state, ptrdiff_t i) {
    const real velocity = s->momentum * state[0][i] - s->rate * g;
    state[0][i] = velocity;
    return w + (s->momentum * velocity - s->rate * g);
}

static inline real adam(const settings *s, real w, real g, real *const *state, ptrdiff_t i) {
    const real mean = s->beta_1 * state[0][i] + (1 - s->beta_1) * g;
    const real square = s->beta_2 * state[1][i] + (1 - s->beta_2) * (g * g);
    state[0][i] = mean;
    state[1][i] = square;
    return w - (s->rate * mean / (sqrt(square) + s->epsilon) + s->decay * w);
}

static inline __attribute__((always_inline)) pyrelu_sums each(rule *f, const pyrelu_step *step, real *w, const real *g,
                                                              void *const *state, ptrdiff_t n) {
    const settings s = {step->rate, step->momentum, step->beta_1, step->beta_2, step->epsilon, step->decay};
    const real half_l2 = step->l2 / 2, l1 = step->l1, scale = step->scale;
    real *const states[2] = {state[0], state[1]};
    real penalties = 0, squares = 0;
#pragma omp simd reduction(+ : penalties, squares)
    for (ptrdiff_t i = 0; i < n; i++) {
        const real of_l1 = w[i] == 0 ? 0 : copysign(l1, w[i]), penalty = half_l2 * w[i] + of_l1; /* per unit of w */
        const real gradient = (g[i] + (penalty + half_l2 * w[i])) * scale;
        penalties += penalty * w[i];
        squares += gradient * gradient;
        w[i] = f(&s, w[i], gradient, states, i);
    }
    return (pyrelu_sums){penalties, squares};
}

#define SOLVER(name)                                                                                           \
    static __attribute__((flatten)) pyrelu_sums update_##name(const pyrelu_step *step, void *w, const void *g, \
                                                              void *const *state, ptrdiff_t n) {               \
        return each(name, step, w, g, state, n);                                                               \
    }
SOLVER(gradient)
SOLVER(sgd)
SOLVER(nesterov)
SOLVER(adam)

pyrelu_update *const PRIVATE(update)[PYRELU_N_SOLVERS] = {
    [PYRELU_GRADIENT] = update_gradient,
    [PYRELU_SGD] = update_sgd,
    [PYRELU_NESTEROV] = update_nesterov,
    [PYRELU_ADAM] = update_adam,
};
