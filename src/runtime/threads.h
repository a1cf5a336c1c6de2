/* How work is split over threads. */
#ifndef PYRELU_THREADS_H
#define PYRELU_THREADS_H

#include <limits.h>
#include <stddef.h>

#include "api.h"

PYRELU_API int pyrelu_has_openmp(void);
PYRELU_API void pyrelu_set_num_threads(int n);
PYRELU_API int pyrelu_get_num_threads(void); /* how many a large array would use now */

enum { PYRELU_ALL_THREADS = INT_MAX };

/* Calls body(context, start, stop) over [0, n) in at most pyrelu_get_num_threads() ranges of at least `grain`. */
PYRELU_API void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t),
                                       void *context);

/* Threads that stay together over many short jobs. NULL: the calling thread alone. */
typedef struct pyrelu_team pyrelu_team;

/* Calls conduct(team, context) with a team of at most n_threads and pyrelu_get_num_threads(). */
PYRELU_API void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context);

/* Calls chunk(context, i) for each i < n, in any order and by any of the team. */
PYRELU_API void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context);

#endif
