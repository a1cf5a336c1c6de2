/* Threads by OpenMP. The only file that knows of it. */
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/team.h"
#include "sizes.h"

static _Atomic int limit = INT_MAX; /* pyrelu_set_num_threads; OpenMP's own limit applies too */

/* fork() copies the calling thread only. If libgomp had threads before, the child's first parallel region waits for
 * them for ever (gcc bug 60035), and there is no way to ask whether it had any, perhaps on behalf of another library.
 * So a forked child stays on one thread. */
static int forked;

static void after_fork(void) { forked = 1; }

__attribute__((constructor)) static void watch_fork(void) { pthread_atfork(NULL, NULL, after_fork); }

const char *pyrelu_threads_by(void) { return "OpenMP"; }

void pyrelu_set_num_threads(int n) { limit = n; }

int pyrelu_get_num_threads(void) {
    if (forked || omp_in_parallel()) return 1;
    /* omp_get_max_threads is what OMP_NUM_THREADS, the affinity mask and threadpoolctl say. */
    const int n = omp_get_max_threads();
    return n < limit ? n : limit;
}

/* ---- threads that can be created: libgomp aborts the process if it cannot create one (RLIMIT_NPROC, a cgroup limit)
 * ---- */

/* Threads that all wait until no more can be created. */
typedef struct {
    monitor monitor;
    int finished;
} probe;

static void *wait_for_others(void *context) {
    probe *p = context;
    monitor_enter(&p->monitor);
    while (!p->finished) monitor_wait(&p->monitor);
    monitor_leave(&p->monitor);
    return NULL;
}

/* Creates up to n threads, ends them again, and returns how many there were. */
static int probe_threads(int n) {
    probe p = {.monitor = MONITOR_INIT};
    pthread_t *const threads = malloc(n * sizeof *threads);
    int created = 0;
    if (!threads) return 0;
    while (created < n && pthread_create(&threads[created], NULL, wait_for_others, &p) == 0) created++;
    monitor_enter(&p.monitor);
    p.finished = 1;
    monitor_wake_all(&p.monitor);
    monitor_leave(&p.monitor);
    for (int i = 0; i < created; i++) pthread_join(threads[i], NULL);
    free(threads);
    return created;
}

/* How many threads, up to n and the caller included, a parallel region can have without libgomp aborting: as many as
 * the calling thread's previous region had, since libgomp keeps those, or as many as could be created just now. The
 * probe creates twice as many, because the system may count a joined thread for a moment longer. Other threads and
 * processes may still use up the limit between the probe and the region. */
static int obtainable(int n) {
    static _Thread_local int proven = 1;
    if (n > proven) {
        const int created = 1 + probe_threads(2 * (n - 1)) / 2;
        if (created < n) return created;
    }
    proven = n; /* libgomp ends the threads that a smaller region does not need */
    return n;
}

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    if (n < 2 * grain) { /* a small array costs less than a question to OpenMP */
        body(context, 0, n);
        return;
    }
    ptrdiff_t ranges = pyrelu_get_num_threads();
    if (ranges > n / grain) ranges = n / grain;
    if (ranges > 1) ranges = obtainable((int)ranges);
    if (ranges <= 1) {
        body(context, 0, n);
        return;
    }
    const ptrdiff_t length = ceil_div(n, ranges);
#pragma omp parallel for num_threads((int)ranges) schedule(static, 1)
    for (ptrdiff_t start = 0; start < n; start += length) body(context, start, min_size(start + length, n));
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    const int available = n_threads > 1 ? pyrelu_get_num_threads() : 1;
    int n = available < n_threads ? available : n_threads;
    if (n > 1) n = obtainable(n);
    if (n < 2) {
        pyrelu_run_leader(NULL, lead, context);
        return;
    }
    pyrelu_team team = {.size = n, .monitor = MONITOR_INIT};
#pragma omp parallel num_threads(n)
    if (omp_get_thread_num() == 0) pyrelu_run_leader(&team, lead, context);
    else pyrelu_run_worker(&team);
}
