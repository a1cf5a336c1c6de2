/* A lock, and a condition that its holders wait for: POSIX's or Windows's. */
#ifndef PYRELU_MONITOR_H
#define PYRELU_MONITOR_H

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef struct {
    SRWLOCK lock;
    CONDITION_VARIABLE change;
} monitor;

#define MONITOR_INIT {SRWLOCK_INIT, CONDITION_VARIABLE_INIT}

static inline void monitor_enter(monitor *m) { AcquireSRWLockExclusive(&m->lock); }
static inline void monitor_leave(monitor *m) { ReleaseSRWLockExclusive(&m->lock); }
static inline void monitor_wait(monitor *m) { SleepConditionVariableSRW(&m->change, &m->lock, INFINITE, 0); }
static inline void monitor_wake_all(monitor *m) { WakeAllConditionVariable(&m->change); }

#else
#include <pthread.h>

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
} monitor;

#define MONITOR_INIT {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER}

static inline void monitor_enter(monitor *m) { pthread_mutex_lock(&m->lock); }
static inline void monitor_leave(monitor *m) { pthread_mutex_unlock(&m->lock); }
static inline void monitor_wait(monitor *m) { pthread_cond_wait(&m->change, &m->lock); }
static inline void monitor_wake_all(monitor *m) { pthread_cond_broadcast(&m->change); }

#endif

#endif
