/* Environment variables. On Windows, a C runtime has a copy of its own of them, and a process has several runtimes:
 * what Python's os.environ sets reaches Python's runtime and the system, so the system is asked. */
#ifndef PYRELU_ENVIRONMENT_H
#define PYRELU_ENVIRONMENT_H

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { PYRELU_ENVIRONMENT_CHARS = 256 };

/* The variable's value, in `buffer`; NULL if it is not set, or longer than any that we know. */
static inline const char *environment(const char *name, char buffer[PYRELU_ENVIRONMENT_CHARS]) {
    const DWORD length = GetEnvironmentVariableA(name, buffer, PYRELU_ENVIRONMENT_CHARS);
    return length > 0 && length < PYRELU_ENVIRONMENT_CHARS ? buffer : NULL;
}

#else
#include <stdlib.h>

enum { PYRELU_ENVIRONMENT_CHARS = 1 };

static inline const char *environment(const char *name, char buffer[PYRELU_ENVIRONMENT_CHARS]) {
    (void)buffer;
    return getenv(name);
}

#endif

#endif
