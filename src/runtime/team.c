/* The work of a team: claims, waits, wake-ups. */
#include "runtime/team.h"

#include "runtime/fpenv.h"

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
    monitor_enter(&team->monitor);
    team->sleepers++;
    while (!ready(team)) monitor_wait(&team->monitor);
    team->sleepers--;
    monitor_leave(&team->monitor);
}

/* Call this after each change that another thread may wait for. */
static void wake(pyrelu_team *team) {
    if (!team->sleepers) return;
    monitor_enter(&team->monitor);
    monitor_wake_all(&team->monitor);
    monitor_leave(&team->monitor);
}

/* Claims an iteration and runs it. Returns 0 if there was none. */
static int run_iteration(pyrelu_team *team) {
    ptrdiff_t unclaimed = team->unclaimed;
    while (unclaimed > 0 && !atomic_compare_exchange_weak(&team->unclaimed, &unclaimed, unclaimed - 1)) {
    }
    if (unclaimed <= 0) return 0;
    team->body(team->context, team->n - unclaimed); /* these stay while an iteration is unfinished */
    if (--team->unfinished == 0) wake(team);
    return 1;
}

void pyrelu_run_leader(pyrelu_team *team, void (*lead)(pyrelu_team *, void *), void *context) {
    const fp_environment caller = fp_enter();
    lead(team, context);
    fp_leave(caller);
    if (!team) return;
    team->disbanded = 1;
    wake(team);
}

void pyrelu_run_worker(pyrelu_team *team) {
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
    team->n = n;
    team->unfinished = n;
    team->unclaimed = n;
    wake(team);
    while (run_iteration(team)) {
    }
    wait_until(team, is_done);
}
