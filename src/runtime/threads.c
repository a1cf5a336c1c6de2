/* How work is split over threads. The only file that knows of OpenMP. */
#include "runtime/threads.h"
#include "runtime/fpenv.h"

/* Conducts in the floating-point state that the core computes in. */
static void conduct_guarded(void (*lead)(pyrelu_team *, void *), pyrelu_team *team, void *context) {
    const fp_environment caller = fp_enter();
    lead(team, context);
    fp_leave(caller);
}

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

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

/* ---- what can be had: libgomp ends the process where it cannot make a thread (RLIMIT_NPROC, a full container) ---- */

/* Threads that wait until all that can be made are there. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int over;
} probe;

static void *wait_for_the_rest(void *context) {
    probe *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->over) pthread_cond_wait(&p->change, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* How many threads of `n` can be made. */
static int make(int n) {
    probe p = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    pthread_t *const threads = malloc(n * sizeof *threads);
    int made = 0;
    if (!threads) return 0;
    while (made < n && pthread_create(&threads[made], NULL, wait_for_the_rest, &p) == 0) made++;
    pthread_mutex_lock(&p.lock);
    p.over = 1;
    pthread_cond_broadcast(&p.change);
    pthread_mutex_unlock(&p.lock);
    for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
    free(threads);
    return made;
}

/* At most n threads for a parallel region, the caller counted, so that libgomp can make them: those it has, by our
 * knowledge, of the calling thread's region before, or as many as could be made just now. Made twice over, as a thread
 * that has been joined may count as a process for a little while longer. What other threads and processes make in that
 * moment can still spoil it. */
static int attainable(int n) {
    static _Thread_local int proven = 1;
    if (n > proven) {
        const int made = 1 + make(2 * (n - 1)) / 2;
        if (made < n) return made;
    }
    proven = n; /* libgomp lets go of those that a smaller region does not need */
    return n;
}

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    if (n < 2 * grain) { /* asking OpenMP costs more than a small array */
        body(context, 0, n);
        return;
    }
    ptrdiff_t ranges = pyrelu_get_num_threads();
    if (ranges > n / grain) ranges = n / grain;
    if (ranges > 1) ranges = attainable((int)ranges);
    if (ranges <= 1) {
        body(context, 0, n);
        return;
    }
    const ptrdiff_t length = (n + ranges - 1) / ranges;
#pragma omp parallel for num_threads((int)ranges) schedule(static, 1)
    for (ptrdiff_t start = 0; start < n; start += length) body(context, start, start + length < n ? start + length : n);
}

/* ---- teams ---- */

/* Whoever is awake takes the next chunk of the job; whoever conducts waits for chunks that others have begun, but for
 * no one to come. So a core that another program has taken costs its share of the work and little more, where OpenMP's
 * barrier after each job waits until the core is back: 10 ms where the job takes 1. */
struct pyrelu_team {
    void (*body)(void *, ptrdiff_t);
    void *context;
    _Alignas(64) _Atomic ptrdiff_t left; /* chunks that no one has taken; set last */
    _Alignas(64) _Atomic ptrdiff_t open; /* chunks that are not done */
    _Alignas(64) _Atomic int over, sleepers;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

/* Looks before falling asleep, some 0.1 ms: about what waking up takes, and the difference between two chunks. */
enum { SPIN_LIMIT = 5000 };

static int has_work(pyrelu_team *team) { return team->left > 0 || team->over; }

static int is_done(pyrelu_team *team) { return team->open == 0; }

static void wait_until(pyrelu_team *team, int (*ready)(pyrelu_team *)) {
    for (int looks = 0; looks < SPIN_LIMIT; looks++) {
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

/* To be called after each change that makes something ready. */
static void wake(pyrelu_team *team) {
    if (!team->sleepers) return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->change);
    pthread_mutex_unlock(&team->lock);
}

/* Takes a chunk and does it. Returns 0 where none is left. */
static int work(pyrelu_team *team) {
    ptrdiff_t left = team->left;
    while (left > 0 && !atomic_compare_exchange_weak(&team->left, &left, left - 1)) {
    }
    if (left <= 0) return 0;
    team->body(team->context, left - 1); /* a job does not change while one of its chunks is open */
    if (--team->open == 0) wake(team);
    return 1;
}

static void serve(pyrelu_team *team) {
    const fp_environment caller = fp_enter();
    while (!team->over)
        if (!work(team)) wait_until(team, has_work);
    fp_leave(caller);
}

void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context) {
    if (!team || n < 2) {
        for (ptrdiff_t i = 0; i < n; i++) body(context, i);
        return;
    }
    team->body = body;
    team->context = context;
    team->open = n;
    team->left = n;
    wake(team);
    while (work(team)) {
    }
    wait_until(team, is_done);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    const int available = n_threads > 1 ? pyrelu_get_num_threads() : 1;
    int n = available < n_threads ? available : n_threads;
    if (n > 1) n = attainable(n);
    if (n < 2) {
        conduct_guarded(lead, NULL, context);
        return;
    }
    pyrelu_team team = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
#pragma omp parallel num_threads(n)
    if (omp_get_thread_num() == 0) {
        conduct_guarded(lead, &team, context);
        team.over = 1;
        wake(&team);
    } else {
        serve(&team);
    }
}

#else

int pyrelu_has_openmp(void) { return 0; }

void pyrelu_set_num_threads(int n) { (void)n; }

int pyrelu_get_num_threads(void) { return 1; }

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    (void)grain;
    body(context, 0, n);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    (void)n_threads;
    conduct_guarded(lead, NULL, context);
}

void pyrelu_team_for(pyrelu_team *team, ptrdiff_t n, void (*body)(void *, ptrdiff_t), void *context) {
    (void)team;
    for (ptrdiff_t i = 0; i < n; i++) body(context, i);
}

#endif
