/* Who works in a team. Where its threads come from is the business of the threads_*.c. */
#ifndef PYRELU_TEAM_H
#define PYRELU_TEAM_H

#include <stdatomic.h>
#include <stddef.h>

#include "runtime/monitor.h"
#include "runtime/threads.h"

/* Any thread that is awake claims the next iteration, from the first on. The leader waits for iterations that others
 * have begun, but never for a thread to wake up. So if another program occupies a core, a loop loses that core's share
 * and little more. The barrier at the end of an OpenMP loop waits until the core is free: 10 ms in a loop of 1 ms. */
struct pyrelu_team {
    int size;
    void (*body)(void *, ptrdiff_t);
    void *context;
    ptrdiff_t n;                               /* iterations in all */
    _Alignas(64) _Atomic ptrdiff_t unclaimed;  /* iterations that no thread has begun; set last */
    _Alignas(64) _Atomic ptrdiff_t unfinished; /* iterations that are not done */
    _Alignas(64) _Atomic int disbanded, sleepers;
    monitor monitor;
};

/* Runs the leader in the default floating-point state, and disbands the team. `team` may be NULL. */
void pyrelu_run_leader(pyrelu_team *team, void (*lead)(pyrelu_team *, void *), void *context);

/* Works until the team is disbanded. */
void pyrelu_run_worker(pyrelu_team *team);

#endif
