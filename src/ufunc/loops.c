/* From NumPy's form of a loop to the kernels': strides, half precision, blocks, threads.
 *
 * Kernels take contiguous float or double. Where an array is that already, a thread's whole share of it goes to the
 * kernel in one chunk. Anything else passes through small buffers, block by block, so that a strided or half-precision
 * array runs the same vector code and gives the same bits.
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifdef __unix__
#include <unistd.h>
#endif

#include "runtime/dispatch.h"
#include "runtime/fpenv.h"
#include "runtime/threads.h"
#include "ufunc/loops.h"

enum {
    BLOCK = 512,                       /* elements in a buffer: all buffers of a loop stay in the first-level cache */
    CHECKED = 1 << 12,                 /* elements whose parameters are looked at first, and then come from the cache */
    MIN_ELEMENTS_PER_THREAD = 1 << 16, /* elements for which a second thread pays: waking one costs about 10 us */
    SHORT_ROW = 1 << 12,               /* elements of strided rows that are copied to the stack */
    MOST_COPIED = 4 << 20 /* bytes of a strided row that are copied to the heap: what a second-level cache may hold */
};

static const size_t stored[PYRELU_N_TYPES] = {2, 4, 8};   /* bytes of an element in the caller's array */
static const size_t computed[PYRELU_N_TYPES] = {4, 4, 8}; /* and in a kernel's */

static void copy_strided(char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step, ptrdiff_t size,
                         ptrdiff_t n) {
    if (to_step == size && from_step == size) {
        memcpy(to, from, n * size);
        return;
    }
    switch (size) { /* a constant size makes each memcpy one instruction */
    case 2:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 2);
        break;
    case 4:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 4);
        break;
    default:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 8);
    }
}

/* n elements of an operand as the kernel's numbers, in `to`. */
static void load(char *to, const char *from, ptrdiff_t step, pyrelu_type type, ptrdiff_t n) {
    if (type != PYRELU_F16) {
        copy_strided(to, stored[type], from, step, stored[type], n);
        return;
    }
    uint16_t halves[BLOCK];
    const pyrelu_kernels *kernels = pyrelu_kernels_for(PYRELU_F32);
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const void *in[] = {halves};
        copy_strided((char *)halves, 2, from + i * step, step, 2, m);
        kernels->widen(in, 0, to + i * sizeof(float), m);
    }
}

static void store(char *to, ptrdiff_t step, const char *from, pyrelu_type type, ptrdiff_t n) {
    if (type != PYRELU_F16) {
        copy_strided(to, step, from, stored[type], stored[type], n);
        return;
    }
    uint16_t halves[BLOCK];
    const pyrelu_kernels *kernels = pyrelu_kernels_for(PYRELU_F32);
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const void *in[] = {from + i * sizeof(float)};
        kernels->narrow(in, 0, halves, m);
        copy_strided(to + i * step, step, (const char *)halves, 2, 2, m);
    }
}

/* ---- results that no cache will hold ---- */

/* Copies past the caches: a result larger than them would only drive out what is still needed, and an ordinary store
 * reads each line from memory before it overwrites it. */
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

static ptrdiff_t last_level_cache(void) {
    if (!streaming_bytes) {
        long found = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
        found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
        streaming_bytes = found > 0 ? found : 32 << 20;
    }
    return streaming_bytes;
}

/* ---- elementwise ---- */

typedef struct {
    const pyrelu_loop *loop;
    char *const *args;
    const ptrdiff_t *steps;
    int n_in, direct, scalars, streaming;
    _Atomic int outside; /* parameters were found outside their domain */
    ptrdiff_t block; /* elements that are computed before one is stored, if not direct */
    _Atomic int overflow;
} map_call;

/* ---- parameters outside their domain ---- */

/* The ends of an interval such as "(0, inf)", moved to the next number of the precision where they are excluded. */
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

/* Whether the parameters of element i are outside. NaN is not: it is what the formula makes of it. */
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

/* Whether one of elements `start` to `stop` has parameters outside. */
static int any_outside(const map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    const pyrelu_loop *loop = c->loop;
    if (loop->n_parameters == 1 && c->direct) { /* the slopes of prelu, as a rule: at the speed of its kernel */
        const char *p = c->args[loop->n_data] + start * c->steps[loop->n_data];
        return loop->any_outside(p, loop->domain[0].low, loop->domain[0].high, stop - start);
    }
    for (ptrdiff_t i = start; i < stop; i++)
        if (is_outside(c, i)) return 1;
    return 0;
}

/* ---- blocks ---- */

static void map_blocks(const map_call *c, ptrdiff_t start, ptrdiff_t stop) {
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
            load(buffers[k], c->args[k] + i * step, step, parameter ? parameter_type : loop->type,
                 parameter && c->scalars ? 1 : n);
        }
        loop->map(in, c->scalars, result, n);
        store(c->args[c->n_in] + i * c->steps[c->n_in], c->steps[c->n_in], result, loop->type, n);
    }
}

/* `in` and `out` are contiguous numbers of the kernel's type; the result goes past the caches. */
static void map_streaming(const map_call *c, const void **in, char *out, ptrdiff_t n) {
    _Alignas(64) char block[BLOCK * sizeof(double)];
    const ptrdiff_t size = computed[c->loop->type];
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        c->loop->map(in, c->scalars, block, m);
        copy_streaming(out + i * size, block, m * size);
        for (int k = 0; k < c->n_in; k++) in[k] = (const char *)in[k] + m * c->steps[k];
    }
}

/* An element's size in units that are not negative; that of infinity, from which those of NaN are up, is at_infinity.
 */
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

/* Whether SCANNED contiguous elements have none that is infinite or NaN: a loop that compilers vectorise */
enum { SCANNED = 64 };
#define ALL_FINITE(type)                                                                \
    static int all_finite_##type(const char *from, type infinity) {                     \
        type block[SCANNED], largest = 0;                                               \
        memcpy(block, from, sizeof block);                                              \
        for (int i = 0; i < SCANNED; i++) largest |= (block[i] & infinity) == infinity; \
        return !largest;                                                                \
    }
ALL_FINITE(uint16_t)
ALL_FINITE(uint32_t)
ALL_FINITE(uint64_t)

static int all_finite(const char *from, pyrelu_type type) {
    switch (type) {
    case PYRELU_F16:
        return all_finite_uint16_t(from, 0x7c00);
    case PYRELU_F32:
        return all_finite_uint32_t(from, 0x7f800000);
    default:
        return all_finite_uint64_t(from, 0x7ff0000000000000);
    }
}

/* Whether a result is infinite and no operand is. One that was written over is taken to have been finite. */
static int overflows(const map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    const pyrelu_type type = c->loop->type, parameter_type = type == PYRELU_F16 ? PYRELU_F32 : type;
    const char *out = c->args[c->n_in];
    const int contiguous = c->steps[c->n_in] == (ptrdiff_t)stored[type];
    for (ptrdiff_t i = start; i < stop; i++) {
        while (contiguous && i + SCANNED < stop && all_finite(out + i * (ptrdiff_t)stored[type], type)) i += SCANNED;
        if (magnitude(out + i * c->steps[c->n_in], type) != at_infinity[type]) continue;
        int finite = 1;
        for (int k = 0; k < c->n_in; k++) {
            const pyrelu_type type_k = k < c->loop->n_data ? type : parameter_type;
            finite &= c->args[k] == out || magnitude(c->args[k] + i * c->steps[k], type_k) < at_infinity[type_k];
        }
        if (finite) return 1;
    }
    return 0;
}

static void map_elements(const map_call *c, ptrdiff_t start, ptrdiff_t stop) {
    if (c->direct) {
        const void *in[PYRELU_MAX_OPERANDS + PYRELU_MAX_PARAMETERS];
        for (int k = 0; k < c->n_in; k++) in[k] = c->args[k] + start * c->steps[k];
        for (int k = 0; k < PYRELU_MAX_PARAMETERS; k++) in[c->n_in + k] = &c->loop->bound[k];
        char *out = c->args[c->n_in] + start * c->steps[c->n_in];
        if (c->streaming) map_streaming(c, in, out, stop - start);
        else c->loop->map(in, c->scalars, out, stop - start);
    } else {
        map_blocks(c, start, stop);
    }
}

/* The same, and NaN where parameters are outside. They are looked at first, as the output may be one of them. */
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
    if (fp_overflowed() && !c->overflow) c->overflow = overflows(c, start, stop);
    fp_leave(caller);
}

/* Whether an input has memory in common with the output. */
static int overlap(const char *in, ptrdiff_t in_step, const char *out, ptrdiff_t out_step, ptrdiff_t n) {
    const char *in_last = in + (n - 1) * in_step, *out_last = out + (n - 1) * out_step;
    const char *in_low = in < in_last ? in : in_last, *in_high = in < in_last ? in_last : in;
    const char *out_low = out < out_last ? out : out_last, *out_high = out < out_last ? out_last : out;
    return in_low < out_high + 8 && out_low < in_high + 8;
}

/* What the order of elements means to a result. IN_ORDER: each is read before it is written over by that of an earlier
 * element, so that blocks may be read before they are written, on one thread. RECURRENT: an element may read what an
 * earlier one wrote, as in accumulate and reduce. */
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
        .type = type,
        .n_data = slope ? 3 : 2,
    };
}

void pyrelu_map_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *data) {
    const pyrelu_loop *loop = data;
    const ptrdiff_t n = dims[0], size = stored[loop->type];
    map_call call = {.loop = loop, .args = args, .steps = steps, .n_in = loop->n_data + loop->n_parameters};

    int contiguous = loop->type != PYRELU_F16 && steps[call.n_in] == size;
    for (int k = 0; k < loop->n_data; k++) contiguous &= steps[k] == size;
    int scalars = 1, arrays = 1;
    for (int k = loop->n_data; k < call.n_in; k++) {
        scalars &= steps[k] == 0;
        arrays &= steps[k] == size;
    }
    call.direct = contiguous && (scalars || arrays);
    call.scalars = scalars;
    call.streaming = n > last_level_cache() / size && args[0] != args[call.n_in];

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
    if (call.outside) feraiseexcept(FE_INVALID); /* the state that kernels run in, and its flags, are left behind */
    if (call.overflow) fp_raise_overflow();
}

/* ---- along an axis ---- */

typedef struct {
    const pyrelu_loop *loop;
    char *const *args;
    const ptrdiff_t *steps; /* from row to row, then from element to element of the operands that have the axis */
    ptrdiff_t n;
} row_call;

/* Of a row: n numbers `step` apart, all of them or one; rows are `row_step` apart. */
typedef struct {
    char *start;
    ptrdiff_t row_step, step, n;
    int copied;
} row_operand;

/* Rows of an operand from `row` on, as the kernel's numbers, one row after the other, and back */
static void load_rows(char *to, const row_operand *o, pyrelu_type type, ptrdiff_t row, ptrdiff_t rows) {
    const char *from = o->start + row * o->row_step;
    if (o->row_step == o->n * o->step) {
        load(to, from, o->step, type, rows * o->n);
        return;
    }
    for (; rows > 0; rows--, to += o->n * computed[type], from += o->row_step) load(to, from, o->step, type, o->n);
}

static void store_rows(const row_operand *o, const char *from, pyrelu_type type, ptrdiff_t row, ptrdiff_t rows) {
    char *to = o->start + row * o->row_step;
    if (o->row_step == o->n * o->step) {
        store(to, o->step, from, type, rows * o->n);
        return;
    }
    for (; rows > 0; rows--, to += o->row_step, from += o->n * computed[type]) store(to, o->step, from, type, o->n);
}

/* Rows block by block */
typedef struct {
    pyrelu_blocked_row base; /* first, so that a pointer to it is one to this */
    const pyrelu_loop *loop;
    const row_operand *operands;
    ptrdiff_t row;
    _Alignas(64) char blocks[2][PYRELU_ROW_BLOCK * sizeof(double)];
} blocked_row;

static const void *read_block(pyrelu_blocked_row *base, int operand, ptrdiff_t at, ptrdiff_t n) {
    blocked_row *b = (blocked_row *)base;
    const row_operand *o = &b->operands[operand];
    const char *from = o->start + b->row * o->row_step + at * o->step;
    if (b->loop->type != PYRELU_F16 && o->step == (ptrdiff_t)stored[b->loop->type]) return from;
    load(b->blocks[operand], from, o->step, b->loop->type, n);
    return b->blocks[operand];
}

static void write_block(pyrelu_blocked_row *base, const void *values, ptrdiff_t at, ptrdiff_t n) {
    const blocked_row *b = (const blocked_row *)base;
    const row_operand *o = &b->operands[b->loop->n_data];
    store(o->start + b->row * o->row_step + at * o->step, o->step, values, b->loop->type, n);
}

static void in_blocks(const pyrelu_loop *loop, const row_operand *operands, ptrdiff_t start, ptrdiff_t stop) {
    blocked_row b = {
        .base = {.n = operands[0].n, .read = read_block, .write = write_block}, .loop = loop, .operands = operands};
    const fp_environment caller = fp_enter();
    for (b.row = start; b.row < stop; b.row++) loop->rowwise_blocked(&b.base);
    fp_leave(caller);
}

static void rowwise_range(void *context, ptrdiff_t start, ptrdiff_t stop) {
    const row_call *c = context;
    const pyrelu_loop *loop = c->loop;
    const int n_in = loop->n_data;
    const ptrdiff_t size = stored[loop->type];
    row_operand operands[3];
    ptrdiff_t row_bytes = 0; /* of the kernel's numbers, in all operands */
    for (int k = 0, axis = n_in + 1; k <= n_in; k++) {
        const int has_axis = loop->has_axis[k];
        operands[k] = (row_operand){.start = c->args[k],
                                    .row_step = c->steps[k],
                                    .step = has_axis ? c->steps[axis++] : size,
                                    .n = has_axis ? c->n : 1};
        row_bytes += operands[k].n * computed[loop->type];
    }

    /* Operands that are not contiguous numbers of the kernel's type go through a copy of some rows, and so does an
     * output that is an input. Where such copies would have but one row, rows need not lie one after the other. */
    _Alignas(64) char stack[SHORT_ROW * sizeof(double)];
    const ptrdiff_t room = row_bytes ? (ptrdiff_t)(sizeof stack) / row_bytes : stop - start;
    ptrdiff_t rows_at_once = room > 1 && stop - start > 1 ? room : 1;
    int copies = 0, apart = 0;
    for (int k = 0; k <= n_in; k++) {
        row_operand *o = &operands[k];
        const int row_apart = o->row_step != o->n * size;
        o->copied = loop->type == PYRELU_F16 || o->step != size || (row_apart && rows_at_once > 1);
        for (int input = 0; k == n_in && input < n_in; input++) o->copied |= o->start == operands[input].start;
        copies += o->copied;
        apart += row_apart;
    }
    if (!copies && !apart) rows_at_once = stop - start;
    char *heap = NULL, *buffer = stack;
    if (copies && room < 1) {
        buffer = heap = row_bytes <= MOST_COPIED ? malloc(row_bytes) : NULL;
        if (!heap) { /* too long, or no memory: several passes over blocks of the row, which want none */
            in_blocks(loop, operands, start, stop);
            return;
        }
    }

    const fp_environment caller = fp_enter();
    for (ptrdiff_t row = start; row < stop; row += rows_at_once) {
        const ptrdiff_t rows = stop - row < rows_at_once ? stop - row : rows_at_once;
        char *rows_of[3], *free_buffer = buffer;
        for (int k = 0; k <= n_in; k++) {
            const row_operand *o = &operands[k];
            rows_of[k] = o->copied ? free_buffer : o->start + row * o->row_step;
            if (!o->copied) continue;
            if (k < n_in) load_rows(free_buffer, o, loop->type, row, rows);
            free_buffer += rows * o->n * computed[loop->type];
        }
        loop->rowwise((const void *const *)rows_of, rows_of[n_in], rows, c->n);
        if (operands[n_in].copied) store_rows(&operands[n_in], rows_of[n_in], loop->type, row, rows);
    }
    fp_leave(caller);
    free(heap);
}

pyrelu_loop pyrelu_make_rowwise_loop(int axis_function, int vjp, pyrelu_type type) {
    const pyrelu_axis_function *row = &pyrelu_axis_functions[axis_function];
    pyrelu_loop loop = {
        .rowwise = pyrelu_kernels_for(type)->rowwise[axis_function][vjp],
        .rowwise_blocked = pyrelu_kernels_for(type)->rowwise_blocked[axis_function][vjp],
        .type = type,
        .n_data = vjp ? 2 : 1,
    };
    int k = 0; /* "(n),()->(n)": each parenthesis opens an operand, with or without the axis */
    for (const char *c = vjp ? row->vjp_signature : row->signature; *c; c++)
        if (*c == '(') loop.has_axis[k++] = c[1] == 'n';
    return loop;
}

void pyrelu_rowwise_loop(char **args, const ptrdiff_t *dims, const ptrdiff_t *steps, void *data) {
    row_call call = {.loop = data, .args = args, .steps = steps, .n = dims[1]};
    pyrelu_parallel_ranges(dims[0], call.n < MIN_ELEMENTS_PER_THREAD ? MIN_ELEMENTS_PER_THREAD / (call.n + 1) + 1 : 1,
                           rowwise_range, &call);
}
