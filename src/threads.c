/* How work is split over threads. The only file that knows of OpenMP. */
#include "pyrelu.h"

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>

static _Atomic int limit = INT_MAX; /* pyrelu_set_num_threads; OpenMP's own settings count as well */

/* fork() copies the calling thread only. If libgomp had threads, the child's first parallel region would wait for
 * them for ever (gcc bug 60035), and whether it had, on behalf of some other library, cannot be asked. So a forked
 * child stays on one thread. */
static int forked;

static void after_fork(void) { forked = 1; }

__attribute__((constructor)) static void watch_fork(void) { pthread_atfork(NULL, NULL, after_fork); }

int pyrelu_has_openmp(void) { return 1; }

void pyrelu_set_num_threads(int n) { limit = n; }

int pyrelu_get_num_threads(void) {
    if (forked || omp_in_parallel()) return 1;
    /* omp_get_max_threads is what OMP_NUM_THREADS, the affinity mask and threadpoolctl say. */
    const int n = omp_get_max_threads();
    return n < limit ? n : limit;
}

void pyrelu_parallel(int n_threads, ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t),
                     void *context) {
    if (n < 2 * grain) { /* asking OpenMP costs more than a small array */
        body(context, 0, n);
        return;
    }
    ptrdiff_t ranges = pyrelu_get_num_threads();
    if (ranges > n_threads) ranges = n_threads;
    if (ranges > n / grain) ranges = n / grain;
    if (ranges <= 1) {
        body(context, 0, n);
        return;
    }
    const ptrdiff_t length = (n + ranges - 1) / ranges;
#pragma omp parallel for num_threads((int)ranges) schedule(static, 1)
    for (ptrdiff_t start = 0; start < n; start += length) body(context, start, start + length < n ? start + length : n);
}

#else

int pyrelu_has_openmp(void) { return 0; }

void pyrelu_set_num_threads(int n) { (void)n; }

int pyrelu_get_num_threads(void) { return 1; }

void pyrelu_parallel(int n_threads, ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t),
                     void *context) {
    (void)n_threads, (void)grain;
    body(context, 0, n);
}

#endif
