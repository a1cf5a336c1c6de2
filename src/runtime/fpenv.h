/* The processor's floating-point state while kernels run.
 *
 * Another library in the process may have set flush-to-zero (loading one that was linked with -ffast-math is enough),
 * perhaps for some threads only; our results must not depend on it. And formulas compute both sides of a blend, so the
 * exception flags they raise say nothing about the result, but NumPy would turn them into warnings. Hence fp_enter sets
 * the default state, and fp_leave restores the caller's, flags included where anyone reads them.
 */
#ifndef PYRELU_FPENV_H
#define PYRELU_FPENV_H

#if defined(__SSE2__)
#include <xmmintrin.h>

typedef unsigned fp_environment;

/* The flags of results that were rounded and of subnormal operands: most kernels raise them, nothing here or in NumPy
 * reads them, and they stay. Setting the state takes as long as a vector's worth of arithmetic, so it is set where
 * something else differs. */
enum { FP_DEFAULT = 0x1f80 /* round to nearest, subnormals kept, all exceptions masked */, FP_UNREAD_FLAGS = 0x22 };

static inline fp_environment fp_enter(void) {
    const fp_environment caller = _mm_getcsr();
    if ((caller & ~FP_UNREAD_FLAGS) != FP_DEFAULT) _mm_setcsr(FP_DEFAULT);
    return caller;
}

static inline void fp_leave(fp_environment caller) {
    if ((_mm_getcsr() ^ caller) & ~FP_UNREAD_FLAGS) _mm_setcsr(caller);
}

/* Since fp_enter: whether any operation overflowed or divided by 0, which does not say that a result did */
static inline int fp_overflowed(void) { return _mm_getcsr() & 0xc; }

static inline void fp_forget_overflow(void) { _mm_setcsr(_mm_getcsr() & ~0xc); }

static inline void fp_raise_overflow(void) { _mm_setcsr(_mm_getcsr() | 8); }

static inline void fp_raise_invalid(void) { _mm_setcsr(_mm_getcsr() | 1); }

#else
#include <fenv.h>

typedef fenv_t fp_environment;

static inline fp_environment fp_enter(void) {
    fp_environment caller;
    fegetenv(&caller);
    fesetenv(FE_DFL_ENV);
    return caller;
}

static inline void fp_leave(fp_environment caller) { fesetenv(&caller); }

static inline int fp_overflowed(void) { return fetestexcept(FE_OVERFLOW | FE_DIVBYZERO); }

static inline void fp_forget_overflow(void) { feclearexcept(FE_OVERFLOW | FE_DIVBYZERO); }

static inline void fp_raise_overflow(void) { feraiseexcept(FE_OVERFLOW); }

static inline void fp_raise_invalid(void) { feraiseexcept(FE_INVALID); }

#endif

#endif
