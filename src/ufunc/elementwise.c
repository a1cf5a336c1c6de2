/* Elementwise loops: from NumPy's strides and types to the kernels, in blocks and on several threads.
 *
 * Kernels take contiguous floats or doubles. If the arrays are contiguous, a thread passes its whole range to the
 * kernel at once. Other arrays are copied through small buffers, block by block, so that a strided or half-precision
 * array runs the same vector code and gives the same bits.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifdef __unix__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "runtime/dispatch.h"
#include "runtime/fpenv.h"
#include "runtime/threads.h"
#include "ufunc/loops.h"
#include "ufunc/operands.h"

enum {
    BLOCK = 512,       /* elements in a buffer: all buffers of a loop stay in the first-level cache */
    CHECKED = 1 << 12, /* elements whose parameters are checked at a time; the kernel then reads them from the cache */
    ALIGNED = 1 << 12, /* from so many elements on, a kernel's vectors begin where a line of the result does */
};

/* ---- results larger than the caches ---- */

/* Copies with stores that bypass the caches. A result larger than the caches would only evict data that is still
 * needed, and an ordinary store reads each line from memory before it overwrites it. */
static void copy_streaming(char *to, const char *from, ptrdiff_t n) {
#ifdef __SSE2__
    const ptrdiff_t head = -(intptr_t)to & 15;
    if (n < head + 16) {
        memcpy(to, from, n);
        return;
    }
    memcpy(to, from, head);
    ptrdiff_t i = head;
    for (; i + 16 <= n; i += 16) _mm_stream_si128((__m128i *)(to + i), _mm_loadu_si128((const __m128i *)(from + i)));
    memcpy(to + i, from + i, n - i);
#else
    memcpy(to, from, n);
#endif
}

static _Atomic ptrdiff_t streaming_bytes;

void pyrelu_set_streaming_bytes(ptrdiff_t bytes) { streaming_bytes = bytes; }

/* The bytes of the last-level cache, as far as one process can count on them: virtual machines state the cache of the
 * whole host, of which other programs have their share. */
static ptrdiff_t last_level_cache(void) {
    enum { SHARE = 32 << 20 };
    if (!streaming_bytes) {
        long found = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
        found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
        streaming_bytes = found > 0 && found < SHARE ? found : SHARE;
    }
    return streaming_bytes;
}

/* Whether these bytes are fresh memory, as a result is that NumPy has just allocated. The system fills a page with
 * zeros when it is first written to, which brings it into the caches: stores past them would write it to memory twice.
 */
static int is_fresh(const char *start, ptrdiff_t bytes) {
#ifdef __linux__
    const intptr_t page = sysconf(_SC_PAGESIZE);
    unsigned char resident;
    return mincore((void *)((intptr_t)(start + bytes / 2) & -page), 1, &resident) == 0 && !(resident & 1);
#else
    (void)start, (void)bytes;
    return 0;
#endif
}

/* ---- parameters outside their domain ---- */

/* One call of an elementwise loop */
typedef struct {
    const pyrelu_loop *loop;
    char *const *args;
    const ptrdiff_t *steps;
    int n_in;
    int direct;    /* kernels read and write the caller's arrays */
    int scalars;   /* all parameters are single numbers */
    int streaming; /* the result bypasses the caches */
    int shared[PYRELU_MAX_OPERANDS],
        any_shared;                /* which operands share memory with the result, which overwrites them */
    ptrdiff_t block;               /* elements that are computed before any of them is stored, unless `direct` */
    _Atomic int outside, overflow; /* found: a parameter outside its domain, an overflow */
} map_call;

/* Parses an interval such as "(0, inf)". An excluded end is moved to the next number of the precision. */
static pyrelu_interval interval(const char *text, pyrelu_type type) {
    char *after;
    double low = strtod(text + 1, &after), high = strtod(after + 1, &after);
    const int single = type != PYRELU_F64;
    if (*text == '(') low = single ? nextafterf((float)low, INFINITY) : nextafter(low, INFINITY);
    if (*after == ')') high = single ? nextafterf((float)high, -INFINITY) : nextafter(high, -INFINITY);
    return (pyrelu_interval){low, high};
}

static double parameter_at(const map_call *c, int k, ptrdiff_t i) {
    const int place = c->loop->n_data + k;
    const char *value = c->args[place] + i * c->steps[place];
    float narrow;
    double wide;
    if (c->loop->type == PYRELU_F64) {
        memcpy(&wide, value, sizeof wide);
        return wide;
    }
    memcpy(&narrow, value, sizeof narrow);
    return narrow;
}

/* Whether the parameters of element i are outside their domain. NaN is not; the formula decides what it gives. */
static int is_outside(const map_call *c, ptrdiff_t i) {
    const pyrelu_loop *loop = c->loop;
    for (int k = 0; k < loop->n_parameters; k++) {
        const double p = parameter_at(c, k, i);
        if (p < loop->domain[k].low || p > loop->domain[k].high) return 1;
    }
    return loop->ordered && parameter_at(c, 0, i) > parameter_at(c, 1, i);
}

static void store_nan(const map_call *c, ptrdiff_t i) {
    static const uint16_t half = 0x7e00;
    const float single = NAN;
    const double wide = NAN;
    const void *const nan[PYRELU_N_TYPES] = {&half, &single, &wide};
    memcpy(c->args[c->n_in] + i * c->steps[c->n_in], nan[c->loop->type], stored[c->loop->type]);
}

/* Whether any element from `start` to `stop` has parameters outside their domain. */
static int any_outside(const map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    const pyrelu_loop *loop = c->loop;
    if (loop->n_parameters == 1 && c->direct) { /* usually the slopes of prelu: as fast as its kernel */
        const char *p = c->args[loop->n_data] + start * c->steps[loop->n_data];
        return loop->any_outside(p, loop->domain[0].low, loop->domain[0].high, stop - start);
    }
    for (ptrdiff_t i = start; i < stop; i++)
        if (is_outside(c, i)) return 1;
    return 0;
}

/* ---- overflows ---- */

/* The bits of |element| as an integer, which orders numbers by magnitude: at_infinity is infinity, NaN is above it. */
static uint64_t magnitude(const char *element, pyrelu_type type) {
    uint16_t half;
    uint32_t single;
    uint64_t whole;
    switch (type) {
    case PYRELU_F16:
        memcpy(&half, element, sizeof half);
        return half & 0x7fff;
    case PYRELU_F32:
        memcpy(&single, element, sizeof single);
        return single & 0x7fffffff;
    default:
        memcpy(&whole, element, sizeof whole);
        return whole & 0x7fffffffffffffff;
    }
}

static const uint64_t at_infinity[PYRELU_N_TYPES] = {0x7c00, 0x7f800000, 0x7ff0000000000000};

/* Whether one of SCANNED contiguous results is infinite where x is finite, by loops that compilers vectorise */
enum { SCANNED = 64 };
#define INFINITE_OF_FINITE(type)                                                                   \
    static int infinite_of_finite_##type(const char *from, const char *x, type infinity) {         \
        const type magnitude = (type) - 1 >> 1;                                                    \
        type results[SCANNED], given[SCANNED], found = 0;                                          \
        memcpy(results, from, sizeof results);                                                     \
        for (int i = 0; i < SCANNED; i++) found |= (results[i] & infinity) == infinity;            \
        if (!found) return 0;                                                                      \
        memcpy(given, x, sizeof given);                                                            \
        found = 0;                                                                                 \
        for (int i = 0; i < SCANNED; i++)                                                          \
            found |= ((results[i] & magnitude) == infinity) & ((given[i] & magnitude) < infinity); \
        return found;                                                                              \
    }
INFINITE_OF_FINITE(uint16_t)
INFINITE_OF_FINITE(uint32_t)
INFINITE_OF_FINITE(uint64_t)

static int infinite_of_finite(const char *from, const char *x, pyrelu_type type) {
    switch (type) {
    case PYRELU_F16:
        return infinite_of_finite_uint16_t(from, x, 0x7c00);
    case PYRELU_F32:
        return infinite_of_finite_uint32_t(from, x, 0x7f800000);
    default:
        return infinite_of_finite_uint64_t(from, x, 0x7ff0000000000000);
    }
}

/* Stands for operands that are known to have been finite */
static const char finite_numbers[SCANNED * sizeof(double)];

/* Operands of some elements, where their numbers are, and how far apart */
typedef struct {
    const char *place[PYRELU_MAX_OPERANDS];
    ptrdiff_t step[PYRELU_MAX_OPERANDS];
    pyrelu_type type[PYRELU_MAX_OPERANDS];
} operands;

/* The caller's, from element `start` on */
static operands operands_at(const map_call *c, ptrdiff_t start) {
    const pyrelu_type type = c->loop->type, parameter_type = type == PYRELU_F16 ? PYRELU_F32 : type;
    operands all;
    for (int k = 0; k < c->n_in; k++) {
        all.place[k] = c->args[k] + start * c->steps[k];
        all.step[k] = c->steps[k];
        all.type[k] = k < c->loop->n_data ? type : parameter_type;
    }
    return all;
}

/* Whether any of n results from `start` on is infinite without an infinite operand. */
static int overflows(const map_call *c, const operands *in, ptrdiff_t start, ptrdiff_t n) {
    const pyrelu_type type = c->loop->type;
    const ptrdiff_t size = stored[type], step = c->steps[c->n_in];
    const char *out = c->args[c->n_in] + start * step;
    const int comparable =
        step == size && in->type[0] == type && (in->step[0] == size || in->place[0] == finite_numbers);
    for (ptrdiff_t i = 0; i < n; i++) {
        while (comparable && i + SCANNED < n &&
               !infinite_of_finite(out + i * size, in->place[0] + i * in->step[0], type))
            i += SCANNED;
        if (magnitude(out + i * step, type) != at_infinity[type]) continue;
        int finite = 1;
        for (int k = 0; k < c->n_in; k++)
            finite &= magnitude(in->place[k] + i * in->step[k], in->type[k]) < at_infinity[in->type[k]];
        if (finite) return 1;
    }
    return 0;
}

/* ---- blocks ---- */

static void map_blocks(map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    const pyrelu_loop *loop = c->loop;
    const pyrelu_type parameter_type = loop->type == PYRELU_F16 ? PYRELU_F32 : loop->type;
    _Alignas(64) char buffers[PYRELU_MAX_OPERANDS][BLOCK * sizeof(double)];
    _Alignas(64) char result[BLOCK * sizeof(double)];
    const void *in[PYRELU_MAX_OPERANDS + PYRELU_MAX_PARAMETERS];
    for (int k = 0; k < c->n_in; k++) in[k] = buffers[k];
    for (int k = 0; k < PYRELU_MAX_PARAMETERS; k++) in[c->n_in + k] = &loop->bound[k];

    for (ptrdiff_t i = start; i < stop; i += c->block) {
        const ptrdiff_t n = stop - i < c->block ? stop - i : c->block;
        for (int k = 0; k < c->n_in; k++) {
            const ptrdiff_t step = c->steps[k];
            const int parameter = k >= loop->n_data;
            pyrelu_load(buffers[k], c->args[k] + i * step, step, parameter ? parameter_type : loop->type,
                        parameter && c->scalars ? 1 : n);
        }
        loop->map(in, c->scalars, result, n);
        pyrelu_store(c->args[c->n_in] + i * c->steps[c->n_in], c->steps[c->n_in], result, loop->type, n);
        if (c->any_shared && fp_overflowed() && !c->overflow) {
            operands all;
            for (int k = 0; k < c->n_in; k++) {
                all.place[k] = in[k];
                all.type[k] = parameter_type;
                all.step[k] = k >= loop->n_data && c->scalars ? 0 : computed[loop->type];
            }
            c->overflow = overflows(c, &all, i, n);
        }
    }
}

static void prefetch(const char *start, ptrdiff_t bytes) {
    for (ptrdiff_t i = 0; i < bytes; i += PYRELU_CACHE_LINE) __builtin_prefetch(start + i);
}

/* Computes contiguous numbers of the kernel's type; the result bypasses the caches. The next block is asked for before
 * this one is computed: processors fetch ahead by themselves up to the end of a page only. */
static void map_streaming(const map_call *c, const void **in, char *out, ptrdiff_t n) {
    _Alignas(64) char block[BLOCK * sizeof(double)];
    const ptrdiff_t size = computed[c->loop->type];
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const ptrdiff_t next = n - i - m < BLOCK ? n - i - m : BLOCK;
        for (int k = 0; k < c->n_in; k++) prefetch((const char *)in[k] + m * c->steps[k], next * c->steps[k]);
        c->loop->map(in, c->scalars, block, m);
        copy_streaming(out + i * size, block, m * size);
        for (int k = 0; k < c->n_in; k++) in[k] = (const char *)in[k] + m * c->steps[k];
    }
}

/* Computes n elements from `start` on where the result overwrites operands. Where one of these is infinite, from
 * copies, so that afterwards an infinite result can be told from an infinite operand. */
static void map_overwriting(map_call *c, const void **in, char *out, ptrdiff_t start, ptrdiff_t n, int infinite) {
    _Alignas(64) char copies[PYRELU_MAX_OPERANDS][BLOCK * sizeof(double)];
    operands all = operands_at(c, start);
    for (int k = 0; k < c->n_in; k++) {
        if (c->shared[k] && infinite)
            all.place[k] = memcpy(copies[k], all.place[k], (all.step[k] ? n : 1) * computed[c->loop->type]);
        in[k] = all.place[k];
        if (c->shared[k] && !infinite) all.place[k] = finite_numbers, all.step[k] = 0;
    }
    c->loop->map(in, c->scalars, out, n);
    if (fp_overflowed() && !c->overflow) c->overflow = overflows(c, &all, start, n);
}

/* Whether a kernel of x alone overflows for numbers of no size, not even in what a blend drops: then nothing needs to
 * be remembered of operands that it overwrites. */
static int never_overflows(const map_call *c, const void *const *in) {
    enum { N = 16 };
    static const float singles[N] = {INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MAX / 2, -FLT_MAX / 2, 1e30f, -1e30f,
                                     1e19f,    -1e19f,    1e10f,   -1e10f,   1e4f,        -1e4f,        100,   -100};
    static const double doubles[N] = {INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MAX / 2, -DBL_MAX / 2, 1e200, -1e200,
                                      1e155,    -1e155,    1e20,    -1e20,    1e4,         -1e4,         1000,  -1000};
    _Alignas(64) char results[N * sizeof(double)];
    if (c->loop->n_data > 1 || !c->scalars) return 0;
    const void *probes[PYRELU_MAX_OPERANDS + PYRELU_MAX_PARAMETERS];
    for (int k = 0; k < c->n_in + PYRELU_MAX_PARAMETERS; k++) probes[k] = in[k];
    probes[0] = c->loop->type == PYRELU_F64 ? (const void *)doubles : singles;
    c->loop->map(probes, 1, results, N);
    const int overflowed = fp_overflowed() != 0;
    if (overflowed) fp_forget_overflow();
    return !overflowed;
}

static void map_shared(map_call *c, const void **in, char *out, ptrdiff_t start, ptrdiff_t n) {
    if (n > BLOCK && never_overflows(c, in)) {
        c->loop->map(in, c->scalars, out, n);
        return;
    }
    const double most = c->loop->type == PYRELU_F64 ? DBL_MAX : FLT_MAX;
    for (ptrdiff_t i = 0, m; i < n; i += m) {
        m = n - i < CHECKED ? n - i : CHECKED;
        int infinite = 0;
        for (int k = 0; k < c->n_in; k++) {
            const ptrdiff_t step = c->steps[k];
            if (c->shared[k])
                infinite |= c->loop->any_outside(c->args[k] + (start + i) * step, -most, most, step ? m : 1);
        }
        if (infinite && m > BLOCK) m = BLOCK;
        map_overwriting(c, in, out + i * computed[c->loop->type], start + i, m, infinite);
    }
}

/* Computes `n` elements from `start` on in the caller's arrays. */
static void map_direct(map_call *c, ptrdiff_t start, ptrdiff_t n) {
    const void *in[PYRELU_MAX_OPERANDS + PYRELU_MAX_PARAMETERS];
    for (int k = 0; k < c->n_in; k++) in[k] = c->args[k] + start * c->steps[k];
    for (int k = 0; k < PYRELU_MAX_PARAMETERS; k++) in[c->n_in + k] = &c->loop->bound[k];
    char *out = c->args[c->n_in] + start * c->steps[c->n_in];
    if (c->any_shared) map_shared(c, in, out, start, n);
    else if (c->streaming) map_streaming(c, in, out, n);
    else c->loop->map(in, c->scalars, out, n);
}

/* The elements in front of the first that begins a line of the caches. NumPy's arrays begin 16 or 48 bytes behind such
 * a start, where each vector of 64 bytes, and every second one of 32, would be stored to two lines, which takes twice
 * as long: relu a quarter longer. */
static ptrdiff_t before_line(const char *out, ptrdiff_t size) {
    const ptrdiff_t bytes = -(intptr_t)out & (PYRELU_CACHE_LINE - 1);
    return bytes % size ? 0 : bytes / size;
}

static void map_elements(map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    if (!c->direct) {
        map_blocks(c, start, stop);
        return;
    }
    if (stop - start >= ALIGNED && !c->streaming) {
        const ptrdiff_t step = c->steps[c->n_in], first = before_line(c->args[c->n_in] + start * step, step);
        if (first) map_direct(c, start, first);
        start += first;
    }
    map_direct(c, start, stop - start);
}

/* Like map_elements, but NaN for elements whose parameters are outside their domain. The parameters are checked before
 * anything is written, because the output may be one of them. */
static void map_checked(map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    if (!any_outside(c, start, c->scalars ? start + 1 : stop)) {
        map_elements(c, start, stop);
        return;
    }
    c->outside = 1;
    for (ptrdiff_t i = start; i < stop; i++)
        if (is_outside(c, i)) store_nan(c, i);
        else map_elements(c, i, i + 1);
}

static void map_range(void *context, ptrdiff_t start, ptrdiff_t stop) {
    map_call *c = context;
    const ptrdiff_t step = c->scalars ? stop - start : CHECKED;
    const fp_environment caller = fp_enter();
    if (!c->loop->n_parameters) map_elements(c, start, stop);
    else
        for (ptrdiff_t i = start; i < stop; i += step) map_checked(c, i, stop - i < step ? stop : i + step);
    if (fp_overflowed() && !c->any_shared && !c->overflow) {
        const operands all = operands_at(c, start);
        c->overflow = overflows(c, &all, start, stop - start);
    }
    fp_leave(caller);
}

/* Whether an input shares memory with the output */
static int overlap(const char *in, ptrdiff_t in_step, const char *out, ptrdiff_t out_step, ptrdiff_t n) {
    const char *in_last = in + (n - 1) * in_step, *out_last = out + (n - 1) * out_step;
    const char *in_low = in < in_last ? in : in_last, *in_high = in < in_last ? in_last : in;
    const char *out_low = out < out_last ? out : out_last, *out_high = out < out_last ? out_last : out;
    return in_low < out_high + 8 && out_low < in_high + 8;
}

/* How the result depends on the order in which elements are computed. IN_ORDER: writing an element may overwrite the
 * input of a later one, never of an earlier one; one thread may go through blocks in order. RECURRENT: an element may
 * read what an earlier one wrote, as in accumulate and reduce. */
typedef enum { ANY_ORDER, IN_ORDER, RECURRENT } element_order;

static element_order order_of(const char *in, ptrdiff_t in_step, const char *out, ptrdiff_t out_step, ptrdiff_t n) {
    if (n < 2 || (in == out && in_step == out_step && out_step)) return ANY_ORDER;
    if (!overlap(in, in_step, out, out_step, n)) return out_step ? ANY_ORDER : IN_ORDER;
    return in_step == out_step && (out_step > 0 ? out < in : out > in) ? IN_ORDER : RECURRENT;
}

pyrelu_loop pyrelu_make_map_loop(int activation, pyrelu_kind kind, pyrelu_type type, int defaults) {
    const pyrelu_activation *row = &pyrelu_activations[activation];
    pyrelu_loop loop = {
        .map = pyrelu_kernels_for(type)->map[activation][kind],
        .any_outside = pyrelu_kernels_for(type)->any_outside,
        .type = type,
        .n_data = kind == PYRELU_VJP || kind == PYRELU_BACKWARD ? 2 : 1,
        .n_parameters = defaults ? 0 : row->n_parameters,
    };
    for (int k = 0; k < row->n_parameters; k++) {
        if (type == PYRELU_F64) loop.bound[k].f64 = row->parameters[k].default_value;
        else loop.bound[k].f32 = (float)row->parameters[k].default_value;
        loop.domain[k] = interval(row->parameters[k].domain, type);
    }
    loop.ordered = row->ordered;
    return loop;
}

pyrelu_loop pyrelu_make_gated_loop(int gate, int slope, pyrelu_type type) {
    return (pyrelu_loop){
        .map = pyrelu_kernels_for(type)->gated[gate][slope],
        .any_outside = pyrelu_kernels_for(type)->any_outside,
        .type = type,
        .n_data = slope ? 3 : 2,
    };
}

void pyrelu_map_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *data) {
    const pyrelu_loop *loop = data;
    const ptrdiff_t n = dims[0], size = stored[loop->type];
    map_call call = {.loop = loop, .args = args, .steps = steps, .n_in = loop->n_data + loop->n_parameters};

    const int alone = n == 1; /* whatever its step, which NumPy may give as 0 */
    int contiguous = loop->type != PYRELU_F16 && (alone || steps[call.n_in] == size);
    for (int k = 0; k < loop->n_data; k++) contiguous &= alone || steps[k] == size;
    int scalars = 1, arrays = 1;
    for (int k = loop->n_data; k < call.n_in; k++) {
        scalars &= alone || steps[k] == 0;
        arrays &= steps[k] == size;
    }
    call.direct = contiguous && (scalars || arrays);
    call.scalars = scalars;
    for (int k = 0; k < call.n_in; k++)
        call.any_shared |= call.shared[k] = overlap(args[k], steps[k], args[call.n_in], steps[call.n_in], n);
    call.streaming = n * size > last_level_cache() && !call.any_shared && !is_fresh(args[call.n_in], n * size);

    element_order order = ANY_ORDER;
    for (int k = 0; k < call.n_in; k++) {
        const element_order of_k = order_of(args[k], steps[k], args[call.n_in], steps[call.n_in], n);
        if (of_k > order) order = of_k;
    }
    if (order == RECURRENT) call.direct = 0;
    call.block = order == RECURRENT ? 1 : BLOCK;

    if (order == ANY_ORDER && n >= 2 * MIN_ELEMENTS_PER_THREAD)
        pyrelu_parallel_ranges(n, MIN_ELEMENTS_PER_THREAD, map_range, &call);
    else map_range(&call, 0, n);
    if (call.outside) fp_raise_invalid(); /* here, because fp_leave discards the flags that kernels raise */
    if (call.overflow) fp_raise_overflow();
}
