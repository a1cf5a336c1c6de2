/* Loops along an axis: from NumPy's strides and types to kernels that take whole rows, or rows block by block. */
#include <stdlib.h>

#include "runtime/dispatch.h"
#include "runtime/fpenv.h"
#include "runtime/threads.h"
#include "ufunc/loops.h"
#include "ufunc/operands.h"

enum {
    STACK_ELEMENTS = 1 << 12, /* elements of rows that are copied to the stack */
    MAX_HEAP_BYTES = 4 << 20  /* bytes of a row that is copied to the heap: what a second-level cache may hold */
};

typedef struct {
    const pyrelu_loop *loop;
    char *const *args;
    const ptrdiff_t *steps; /* from row to row, then from element to element of the operands that have the axis */
    ptrdiff_t n;
} row_call;

/* An operand or the output: rows are `row_step` bytes apart; each has n numbers `step` bytes apart, where n is the
 * length of the axis, or 1 for an operand without it. `copied` operands go through a contiguous buffer. */
typedef struct {
    char *start;
    ptrdiff_t row_step, step, n;
    int copied;
} row_operand;

/* Copies rows of an operand, from `row` on, to contiguous numbers of the kernel's type; store_rows copies them back. */
static void load_rows(char *to, const row_operand *o, pyrelu_type type, ptrdiff_t row, ptrdiff_t rows) {
    const char *from = o->start + row * o->row_step;
    if (o->row_step == o->n * o->step) {
        pyrelu_load(to, from, o->step, type, rows * o->n);
        return;
    }
    for (; rows > 0; rows--, to += o->n * computed[type], from += o->row_step)
        pyrelu_load(to, from, o->step, type, o->n);
}

static void store_rows(const row_operand *o, const char *from, pyrelu_type type, ptrdiff_t row, ptrdiff_t rows) {
    char *to = o->start + row * o->row_step;
    if (o->row_step == o->n * o->step) {
        pyrelu_store(to, o->step, from, type, rows * o->n);
        return;
    }
    for (; rows > 0; rows--, to += o->row_step, from += o->n * computed[type])
        pyrelu_store(to, o->step, from, type, o->n);
}

/* A row that is read and written block by block */
typedef struct {
    pyrelu_blocked_row base; /* first, so that a pointer to it can be cast to one to this struct */
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
    pyrelu_load(b->blocks[operand], from, o->step, b->loop->type, n);
    return b->blocks[operand];
}

static void write_block(pyrelu_blocked_row *base, const void *values, ptrdiff_t at, ptrdiff_t n) {
    const blocked_row *b = (const blocked_row *)base;
    const row_operand *o = &b->operands[b->loop->n_data];
    pyrelu_store(o->start + b->row * o->row_step + at * o->step, o->step, values, b->loop->type, n);
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
    ptrdiff_t row_bytes = 0; /* of a row of all operands, in the kernel's type */
    for (int k = 0, axis = n_in + 1; k <= n_in; k++) {
        const int has_axis = loop->has_axis[k];
        operands[k] = (row_operand){.start = c->args[k],
                                    .row_step = c->steps[k],
                                    .step = has_axis ? c->steps[axis++] : size,
                                    .n = has_axis ? c->n : 1};
        row_bytes += operands[k].n * computed[loop->type];
    }

    /* An operand that is not contiguous numbers of the kernel's type is copied, some rows at a time, and so is an
     * output that is also an input. If the buffer has room for only one row, the rows themselves need not be adjacent.
     */
    _Alignas(64) char stack[STACK_ELEMENTS * sizeof(double)];
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
        buffer = heap = row_bytes <= MAX_HEAP_BYTES ? malloc(row_bytes) : NULL;
        if (!heap) { /* too long or out of memory: pass over blocks of the row several times, which needs no memory */
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
