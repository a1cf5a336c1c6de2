/* Parallel loops. */
#ifndef PYRELU_THREADS_H
#define PYRELU_THREADS_H

#include <limits.h>
#include <stddef.h>

#include "api.h"

PYRELU_API const char *pyrelu_threads_by(void); /* whose threads they are; NULL: there is only the calling one */
PYRELU_API void pyrelu_set_num_threads(int n);
PYRELU_API int pyrelu_get_num_threads(void); /* how many threads a large array would use now */

enum { PYRELU_ALL_THREADS = INT_MAX };

/* Splits [0, n) into at most pyrelu_get_num_threads() ranges of at least `grain` elements, and calls
 * body(context, start, stop) for each, in parallel. */
PYRELU_API void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t),
                                       void *context);

/* A team of threads that runs many short parallel loops without being torn down in between. NULL stands for the calling
 * thread alone. */
typedef struct pyrelu_team pyrelu_team;

int pyrelu_team_size(const pyrelu_team *team);

/* Calls lead(team, context) on the calling thread, the leader, with a team of at most n_threads and
 * pyrelu_get_num_threads() threads. */
PYRELU_API void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context);

/* Calls body(context, i) for each i < n, in any order and on any thread of the team; returns when all are done. Only
 * the leader may call this. */
PYRELU_API void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context);

#endif
