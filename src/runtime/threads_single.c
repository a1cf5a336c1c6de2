/* The calling thread alone, where there is no OpenMP. */
#include "runtime/team.h"

const char *pyrelu_threads_by(void) { return NULL; }

void pyrelu_set_num_threads(int n) { (void)n; }

int pyrelu_get_num_threads(void) { return 1; }

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    (void)grain;
    body(context, 0, n);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    (void)n_threads;
    pyrelu_run_leader(NULL, lead, context);
}
