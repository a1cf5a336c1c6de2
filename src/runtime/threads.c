/* Parallel loops. The only file that knows of OpenMP. */
#include "runtime/threads.h"
#include "runtime/fpenv.h"
#include "sizes.h"

/* Runs the leader in the default floating-point state. */
static void run_leader(void (*lead)(pyrelu_team *, void *), pyrelu_team *team, void *context) {
    const fp_environment caller = fp_enter();
    lead(team, context);
    fp_leave(caller);
}

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic int limit = INT_MAX; /* pyrelu_set_num_threads; OpenMP's own limit applies too */

/* fork() copies the calling thread only. If libgomp had threads before, the child's first parallel region waits for
 * them for ever (gcc bug 60035), and there is no way to ask whether it had any, perhaps on behalf of another library.
 * So a forked child stays on one thread. */
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

/* ---- threads that can be created: libgomp aborts the process if it cannot create one (RLIMIT_NPROC, a cgroup limit)
 * ---- */

/* Threads that all wait until no more can be created. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int finished;
} probe;

static void *wait_for_others(void *context) {
    probe *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->finished) pthread_cond_wait(&p->change, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Creates up to n threads, ends them again, and returns how many there were. */
static int probe_threads(int n) {
    probe p = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    pthread_t *const threads = malloc(n * sizeof *threads);
    int created = 0;
    if (!threads) return 0;
    while (created < n && pthread_create(&threads[created], NULL, wait_for_others, &p) == 0) created++;
    pthread_mutex_lock(&p.lock);
    p.finished = 1;
    pthread_cond_broadcast(&p.change);
    pthread_mutex_unlock(&p.lock);
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

/* ---- teams ---- */

/* Any thread that is awake claims the next iteration. The leader waits for iterations that others have begun, but never
 * for a thread to wake up. So if another program occupies a core, a loop loses that core's share and little more; the
 * barrier at the end of an OpenMP loop waits until the core is free again: 10 ms in a loop of 1 ms. */
struct pyrelu_team {
    int size;
    void (*body)(void *, ptrdiff_t);
    void *context;
    _Alignas(64) _Atomic ptrdiff_t unclaimed;  /* iterations that no thread has begun; set last */
    _Alignas(64) _Atomic ptrdiff_t unfinished; /* iterations that are not done */
    _Alignas(64) _Atomic int disbanded, sleepers;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

/* Spins before sleeping, some 0.1 ms in all: about as long as a wake-up takes, and as two iterations differ by. */
enum { SPIN_LIMIT = 5000 };

int pyrelu_team_size(const pyrelu_team *team) { return team ? team->size : 1; }

static int has_work(pyrelu_team *team) { return team->unclaimed > 0 || team->disbanded; }

static int is_done(pyrelu_team *team) { return team->unfinished == 0; }

static void wait_until(pyrelu_team *team, int (*ready)(pyrelu_team *)) {
    for (int spins = 0; spins < SPIN_LIMIT; spins++) {
        if (ready(team)) return;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    pthread_mutex_lock(&team->lock);
    team->sleepers++;
    while (!ready(team)) pthread_cond_wait(&team->change, &team->lock);
    team->sleepers--;
    pthread_mutex_unlock(&team->lock);
}

/* Call this after each change that another thread may wait for. */
static void wake(pyrelu_team *team) {
    if (!team->sleepers) return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->change);
    pthread_mutex_unlock(&team->lock);
}

/* Claims an iteration and runs it. Returns 0 if there was none. */
static int run_iteration(pyrelu_team *team) {
    ptrdiff_t unclaimed = team->unclaimed;
    while (unclaimed > 0 && !atomic_compare_exchange_weak(&team->unclaimed, &unclaimed, unclaimed - 1)) {
    }
    if (unclaimed <= 0) return 0;
    team->body(team->context, unclaimed - 1); /* body and context stay while an iteration is unfinished */
    if (--team->unfinished == 0) wake(team);
    return 1;
}

static void run_worker(pyrelu_team *team) {
    const fp_environment caller = fp_enter();
    while (!team->disbanded)
        if (!run_iteration(team)) wait_until(team, has_work);
    fp_leave(caller);
}

void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context) {
    if (!team || n < 2) {
        for (ptrdiff_t i = 0; i < n; i++) body(context, i);
        return;
    }
    team->body = body;
    team->context = context;
    team->unfinished = n;
    team->unclaimed = n;
    wake(team);
    while (run_iteration(team)) {
    }
    wait_until(team, is_done);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    const int available = n_threads > 1 ? pyrelu_get_num_threads() : 1;
    int n = available < n_threads ? available : n_threads;
    if (n > 1) n = obtainable(n);
    if (n < 2) {
        run_leader(lead, NULL, context);
        return;
    }
    pyrelu_team team = {.size = n, .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
#pragma omp parallel num_threads(n)
    if (omp_get_thread_num() == 0) {
        run_leader(lead, &team, context);
        team.disbanded = 1;
        wake(&team);
    } else {
        run_worker(&team);
    }
}

#else

int pyrelu_has_openmp(void) { return 0; }

void pyrelu_set_num_threads(int n) { (void)n; }

int pyrelu_team_size(const pyrelu_team *team) { return (void)team, 1; }

int pyrelu_get_num_threads(void) { return 1; }

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    (void)grain;
    body(context, 0, n);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    (void)n_threads;
    run_leader(lead, NULL, context);
}

void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context) {
    (void)team;
    for (ptrdiff_t i = 0; i < n; i++) body(context, i);
}

#endif
