/* Between the phases of a batch: columns of delta that are 0 in all rows, such as those of dead units, are left out of
 * the product that is the gradient of the weights. Sums of finite numbers times 0 are 0, so that no bit changes.
 */
#ifndef PYRELU_ZERO_COLUMNS_INL_H
#define PYRELU_ZERO_COLUMNS_INL_H

#include "training/micro_batch-inl.h"
#include "training/products-inl.h"
#include "training/row_blocks-inl.h"

/* Multiply-adds that take as long as to pack a number by itself, and as to spread a number of the gradient. */
enum { WORK_PER_CHOSEN = 40, WORK_PER_SPREAD = 8 };

static int pays(const micro_batch *s, const layer *l, ptrdiff_t n_columns) {
    const double rows = s->rows, saved = rows * l->n_inputs * (l->width - n_columns);
    return saved > WORK_PER_CHOSEN * rows * n_columns + (double)WORK_PER_SPREAD * l->n_inputs * l->width;
}

/* Whether this column's number is not 0, nor -0. */
static inline int is_chosen(const bits *column_bits, ptrdiff_t j) { return column_bits[j] << 1 != 0; }

/* Returns for how many columns not all parts of the rows have 0, and sets the bits of part 0 to those of all. */
static ptrdiff_t count_columns(const micro_batch *s, const layer *l) {
    bits *all = l->column_bits;
    for (ptrdiff_t part = 1; part < row_parts(s); part++) {
        const bits *some = (const bits *)l->column_bits + part * l->width;
        for (ptrdiff_t j = 0; j < l->width; j++) all[j] |= some[j];
    }
    ptrdiff_t n = 0;
    for (ptrdiff_t j = 0; j < l->width; j++) n += is_chosen(all, j);
    return n;
}

/* Packs the columns of layer i that are not 0 in place of all. */
static void choose_columns(void *context, ptrdiff_t i) {
    const micro_batch *s = context;
    layer *l = &s->net->layers[i];
    if (l->n_packed == l->width) return;
    if (!pyrelu_kernels_for(TYPE)->all_finite(inputs(s, (int)i, 0), s->rows * l->n_inputs)) {
        l->n_packed = l->width;
        return;
    }
    bits *places = l->places;
    ptrdiff_t n = 0;
    for (ptrdiff_t j = 0; j < l->width; j++) {
        const int chosen = is_chosen(l->column_bits, j);
        places[j] = 2 * n + chosen;
        l->columns[n] = (int32_t)j;
        n += chosen;
    }
    pyrelu_kernels_for(TYPE)->pack_columns(l->delta, l->width, l->columns, n, s->rows, l->packed);
}

static void leave_out_zero_columns(const micro_batch *s) {
    int any = 0;
    for (int i = 0; i < s->net->n_layers; i++) {
        layer *l = &s->net->layers[i];
        l->n_packed = l->width;
        if (!packs_delta(s, l) || !may_leave_out_columns(s, l)) continue;
        const ptrdiff_t n = count_columns(s, l);
        if (n < l->width && n > 0 && pays(s, l, n)) { /* without columns, there would be no product to prefetch */
            l->n_packed = n;
            any = 1;
        }
    }
    if (any) pyrelu_team_for(s->team, s->net->n_layers, choose_columns, (void *)s);
}

#endif
