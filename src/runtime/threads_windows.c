/* Threads of the system's pool, on Windows. The pool keeps them from one call to the next, and is no library that other
 * packages bring in another version, as an OpenMP runtime is. */
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/environment.h"
#include "runtime/team.h"
#include "sizes.h"

static _Atomic int limit = INT_MAX; /* pyrelu_set_num_threads */
static int named_limit = INT_MAX;   /* OMP_NUM_THREADS, as processes are told that are to share a machine */

/* A thread of a team calls no others: those of its team are at work. */
static _Thread_local int in_team;

__attribute__((constructor)) static void read_environment(void) {
    char buffer[PYRELU_ENVIRONMENT_CHARS];
    const char *const number = environment("OMP_NUM_THREADS", buffer);
    const int n = number ? atoi(number) : 0; /* the first of a list, which is of nested regions */
    if (n > 0) named_limit = n;
}

const char *pyrelu_threads_by(void) { return "Windows's thread pool"; }

void pyrelu_set_num_threads(int n) { limit = n; }

int pyrelu_get_num_threads(void) {
    if (in_team) return 1;
    return limit < named_limit ? limit : named_limit;
}

static void CALLBACK join_team(PTP_CALLBACK_INSTANCE instance, void *team, PTP_WORK work) {
    (void)instance, (void)work;
    in_team = 1;
    pyrelu_run_worker(team);
    in_team = 0;
}

static void lead_team(pyrelu_team *team, void (*lead)(pyrelu_team *, void *), void *context) {
    in_team = 1;
    pyrelu_run_leader(team, lead, context);
    in_team = 0;
}

/* A team of n threads at most. Those that the pool has not sent when the leader is done are no longer waited for. */
static void run_team(int n, void (*lead)(pyrelu_team *, void *), void *context) {
    pyrelu_team team = {.size = n, .monitor = MONITOR_INIT};
    TP_CALLBACK_ENVIRON settings;
    InitializeThreadpoolEnvironment(&settings);
    SetThreadpoolCallbackRunsLong(&settings); /* the pool is to have other threads for others */
    const PTP_WORK work = CreateThreadpoolWork(join_team, &team, &settings);
    DestroyThreadpoolEnvironment(&settings);
    if (!work) { /* out of memory */
        lead_team(NULL, lead, context);
        return;
    }
    for (int i = 1; i < n; i++) SubmitThreadpoolWork(work);
    lead_team(&team, lead, context);
    WaitForThreadpoolWorkCallbacks(work, TRUE);
    CloseThreadpoolWork(work);
}

void pyrelu_with_team(int n_threads, void (*lead)(pyrelu_team *, void *), void *context) {
    const int available = n_threads > 1 ? pyrelu_get_num_threads() : 1;
    const int n = available < n_threads ? available : n_threads;
    if (n > 1) run_team(n, lead, context);
    else pyrelu_run_leader(NULL, lead, context);
}

typedef struct {
    void (*body)(void *, ptrdiff_t, ptrdiff_t);
    void *context;
    ptrdiff_t n, length;
} ranges;

static void run_range(void *context, ptrdiff_t i) {
    const ranges *r = context;
    r->body(r->context, i * r->length, min_size((i + 1) * r->length, r->n));
}

static void lead_ranges(pyrelu_team *team, void *context) {
    const ranges *r = context;
    pyrelu_team_for(team, ceil_div(r->n, r->length), run_range, context);
}

void pyrelu_parallel_ranges(ptrdiff_t n, ptrdiff_t grain, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *context) {
    ptrdiff_t count = n < 2 * grain ? 1 : pyrelu_get_num_threads();
    if (count > n / grain) count = n / grain;
    if (count < 2) {
        body(context, 0, n);
        return;
    }
    run_team((int)count, lead_ranges, &(ranges){body, context, n, ceil_div(n, count)});
}
