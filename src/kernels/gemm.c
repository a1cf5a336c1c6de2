/* Matrix products as large as a batch needs. Compiled once per instruction set and precision.
 *
 * A tile of C, TILE_ROWS rows by TILE_VECTORS vectors, stays in registers during the sum over k. Each vector is an
 * accumulator of its own, so that the fused multiply-adds wait neither for each other nor for memory. The tile reads B
 * from a packed panel, which stays in the first-level cache, and A in place, or, where that is transposed, from a
 * packed strip: a column of A in place would touch a page for each number. Every element of C is the sum of its
 * products in their order, in parts of at most PANEL_DEPTH, so that the bits depend on k alone.
 *
 * Contraction is on in this file: the compiler may fuse products and sums, as any BLAS does.
 */
#include "kernels/targets.h"
#include "simd/vectors.h"
#include "sizes.h"

#if defined(__AVX512F__) || defined(__aarch64__)
enum { TILE_ROWS = 12 }; /* 24 of 32 registers hold the tile */
#else
enum { TILE_ROWS = 6 }; /* 12 of 16 */
#endif
enum {
    TILE_VECTORS = 2,
    TILE_COLUMNS = TILE_VECTORS * LANES,
    PANEL_DEPTH = PYRELU_WHOLE_SUM,      /* rows: 32 KiB at the widest, two thirds of the first-level cache */
    PANELS = 256 / TILE_VECTORS / WIDTH, /* packed at a time: memory is faster in runs of 256 bytes than of 128 */
    STRIPS = 4,       /* of A packed at a time: each panel serves as many tiles while it is in the first-level cache */
    MIN_COLUMNS = 128 /* of C, from which on packed strips pay */
};

/* Steps of the sum over k in a loop's body, of whole tiles and of others. Were all unrolled by 4, they would be a fifth
 * of the library; the fewer the rounds of a loop, the more often the processor foresees its end. */
enum { STEPS = 4 };
#if WIDTH == 16 && defined(__x86_64__)
enum { EDGE_STEPS = 1 };
#else
enum { EDGE_STEPS = 2 };
#endif

typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real))));
typedef bits quad_indices __attribute__((vector_size(4 * sizeof(bits))));

#ifdef __clang__
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (quad_indices){__VA_ARGS__})
#endif

/* Where a(i, l) is: ROWS a[i * stride + l], COLUMNS a[i + l * stride], STRIP a[i + l * (the rows of the tile)]. Steps
 * that the compiler knows become part of an instruction's address; to add them up would take the multiply-adds' ports.
 */
typedef enum { ROWS, COLUMNS, STRIP, N_FORMS } form;

/* What is to be in cache afterwards: a tile asks for the arrays' bytes up to `due`, some further. */
typedef struct {
    const char *arrays[PYRELU_PREFETCHED];
    ptrdiff_t at, due, stop, step;
} prefetching;

/* The rows of B that are packed next, likewise: a tile asks for `each` of those that are left. */
typedef struct {
    const real *row;
    ptrdiff_t left, each, stride, columns;
} rows_ahead;

typedef struct {
    form form;
    ptrdiff_t k;
    const real *a;
    ptrdiff_t stride;
    real *panel;
    const real *unpacked; /* the panel's numbers in rows `unpacked_step` apart, to be packed; or NULL: it is packed */
    ptrdiff_t unpacked_step;
    real *c;
    ptrdiff_t c_stride, columns;
    const real *start; /* initial values of the sums, with rows `start_step` apart; NULL: 0 */
    ptrdiff_t start_step;
    prefetching *fetched;
    rows_ahead *ahead; /* or NULL */
} operands;

INLINE void prefetch_lines(prefetching *p) {
#pragma GCC unroll 3
    for (int i = 0; i < PYRELU_PREFETCHED; i++) __builtin_prefetch(p->arrays[i] + p->at, 0, 2);
    p->at += PYRELU_CACHE_LINE;
}

static void prefetch_rows(rows_ahead *p) {
    for (ptrdiff_t n = min_size(p->each, p->left); n > 0; n--, p->left--, p->row += p->stride)
        for (ptrdiff_t j = 0; j < p->columns; j += PYRELU_CACHE_LINE / sizeof(real))
            __builtin_prefetch(p->row + j, 0, 2);
}

/* Stores the tile at the right edge of C, which has fewer columns than its vectors: they are in x, rows `width` apart.
 * Not inlined, as it would be half of each tile's code. */
static __attribute__((noinline)) void store_edge(const operands *o, const real *x, ptrdiff_t rows, ptrdiff_t width) {
    for (ptrdiff_t i = 0; i < rows; i++, x += width) {
        real *c = o->c + i * o->c_stride;
        if (o->start) {
            const real *start = o->start + i * o->start_step;
            for (ptrdiff_t j = 0; j < o->columns; j++) c[j] = x[j] + start[j];
        } else
            for (ptrdiff_t j = 0; j < o->columns; j++) c[j] = x[j];
    }
}

/* sums += a column of A times the row b of B, which becomes one of the panel where the tile `packs`, and on to the next
 * column: a has a pointer for every `reach` rows. */
INLINE void add_product(vector sum[TILE_ROWS][TILE_VECTORS], const int rows, const int vectors, const int reach,
                        const real **a, ptrdiff_t row_step, ptrdiff_t column_step, const real *b, const int packs,
                        real *packed) {
    vector y[TILE_VECTORS];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) y[v] = *(const vector *)(b + v * LANES);
#pragma GCC unroll 2
    for (int v = 0; packs && v < vectors; v++) store(packed + v * LANES, y[v]);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        const real x = a[i / reach][i % reach * row_step];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] += x * y[v];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i += reach) a[i / reach] += column_step;
}

/* C = start + A B for a tile; every caller passes constants before the operands. */
INLINE void compute_tile(const form form, const int rows, const int vectors, const int packs, const operands *o) {
    vector sum[TILE_ROWS][TILE_VECTORS];
    const real *a[TILE_ROWS], *b = packs ? o->unpacked : o->panel;
    real *packed = o->panel;
    const ptrdiff_t width = vectors * LANES, b_step = packs ? o->unpacked_step : width;
    const int reach = form == ROWS ? 3 : rows; /* an addressing mode reaches two steps that are not known */
    const ptrdiff_t row_step = form == ROWS ? o->stride : 1;
    const int steps = rows == TILE_ROWS && vectors == TILE_VECTORS ? STEPS : EDGE_STEPS;
    const ptrdiff_t column_step = form == ROWS ? 1 : form == STRIP ? rows : o->stride;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i += reach) a[i / reach] = o->a + i * row_step;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    ptrdiff_t l = 0;
    prefetching *fetched = o->fetched;
    for (; l < o->k - (steps - 1); l += steps) {
        /* one by one: where a tile asks for all at once, what it reads itself waits for them */
        if (form == STRIP && fetched->at < fetched->due) prefetch_lines(fetched);
#pragma GCC unroll 4
        for (int each = 0; each < steps; each++, b += b_step, packed += width)
            add_product(sum, rows, vectors, reach, a, row_step, column_step, b, packs, packed);
    }
#pragma GCC unroll 1
    for (; l < o->k; l++, b += b_step, packed += width)
        add_product(sum, rows, vectors, reach, a, row_step, column_step, b, packs, packed);
    if (o->columns < width) {
        real x[TILE_ROWS * TILE_COLUMNS];
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) *(vector *)(x + (i * vectors + v) * LANES) = sum[i][v];
        store_edge(o, x, rows, width);
        return;
    }
    static const real zeros[TILE_COLUMNS];
    const real *start = o->start ? o->start : zeros;
    const ptrdiff_t start_step = o->start ? o->start_step : 0;
    real *c = o->c;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, c += o->c_stride, start += start_step)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) *(vector *)(c + v * LANES) = sum[i][v] + *(const vector *)(start + v * LANES);
}

typedef void tile_function(const operands *);

#define TILE(rows)                                                                              \
    static void rows_##rows##_1(const operands *o) { compute_tile(ROWS, rows, 1, 0, o); }       \
    static void rows_##rows##_2(const operands *o) { compute_tile(ROWS, rows, 2, 0, o); }       \
    static void columns_##rows##_1(const operands *o) { compute_tile(COLUMNS, rows, 1, 0, o); } \
    static void columns_##rows##_2(const operands *o) { compute_tile(COLUMNS, rows, 2, 0, o); }
#define OF_ROWS(rows) {rows_##rows##_1, rows_##rows##_2},
#define OF_COLUMNS(rows) {columns_##rows##_1, columns_##rows##_2},
#define UP_TO_5(F) F(1) F(2) F(3) F(4) F(5)
#define UP_TO_11(F) UP_TO_5(F) F(6) F(7) F(8) F(9) F(10) F(11)
#if defined(__AVX512F__) || defined(__aarch64__)
#define EACH_LOWER_TILE UP_TO_11
#define WHOLE_TILE(F) F(12)
#else
#define EACH_LOWER_TILE UP_TO_5
#define WHOLE_TILE(F) F(6)
#endif
EACH_LOWER_TILE(TILE)
WHOLE_TILE(TILE)
/* A packed strip is columns `rows` apart, which only the whole tile needs to know before. */
static void whole_strip(const operands *o) { compute_tile(STRIP, TILE_ROWS, TILE_VECTORS, 0, o); }
/* Packs the panel in passing. */
static void packing(const operands *o) { compute_tile(ROWS, TILE_ROWS, TILE_VECTORS, 1, o); }
#define OF_WHOLE_STRIP(rows) {columns_##rows##_1, whole_strip},
static tile_function *const tiles[N_FORMS][TILE_ROWS][TILE_VECTORS] = {
    [ROWS] = {EACH_LOWER_TILE(OF_ROWS) WHOLE_TILE(OF_ROWS)},
    [COLUMNS] = {EACH_LOWER_TILE(OF_COLUMNS) WHOLE_TILE(OF_COLUMNS)},
    [STRIP] = {EACH_LOWER_TILE(OF_COLUMNS) WHOLE_TILE(OF_WHOLE_STRIP)},
};

/* ---- packing: panel(l, j) = b(l, j), with columns beyond the last filled up to `width` with 0 ---- */

/* n full panels from consecutive columns, row by row, because memory is fastest in long runs. */
static void pack_whole(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t n, ptrdiff_t depth, real *panels) {
    for (ptrdiff_t l = 0; l < k; l++, b += stride, panels += TILE_COLUMNS)
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(panels + i * depth * TILE_COLUMNS, b + i * TILE_COLUMNS, TILE_COLUMNS * sizeof(real));
}

static void pack_edge(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t columns, ptrdiff_t width, real *panel) {
    for (ptrdiff_t l = 0; l < k; l++, b += stride, panel += width)
        for (ptrdiff_t j = 0; j < width; j += LANES) store(panel + j, load_some(b + j, columns - j, 0));
}

INLINE quad load_quad(const real *x) { return *(const quad *)x; }

/* Transposes a block of 4 by 4. */
INLINE void transpose(const real *b, ptrdiff_t stride, real *to, ptrdiff_t width) {
    const quad x = load_quad(b), y = load_quad(b + stride), z = load_quad(b + 2 * stride),
               w = load_quad(b + 3 * stride);
    const quad xy = SHUFFLE(x, y, 0, 4, 1, 5), zw = SHUFFLE(z, w, 0, 4, 1, 5);
    const quad XY = SHUFFLE(x, y, 2, 6, 3, 7), ZW = SHUFFLE(z, w, 2, 6, 3, 7);
    *(quad *)to = SHUFFLE(xy, zw, 0, 1, 4, 5);
    *(quad *)(to + width) = SHUFFLE(xy, zw, 2, 3, 6, 7);
    *(quad *)(to + 2 * width) = SHUFFLE(XY, ZW, 0, 1, 4, 5);
    *(quad *)(to + 3 * width) = SHUFFLE(XY, ZW, 2, 3, 6, 7);
}

/* The same for a transposed B: b(l, j) is b[j * stride + l]. */
static void pack_transposed(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t columns, ptrdiff_t width,
                            real *panel) {
    if (columns < width || k < 4) memset(panel, 0, k * width * sizeof(real));
    ptrdiff_t j = 0;
    for (; k >= 4 && j + 4 <= columns; j += 4) {
        const real *from = b + j * stride;
        for (ptrdiff_t l = 0; l < k - 4; l += 4) transpose(from + l, stride, panel + l * width + j, width);
        transpose(from + k - 4, stride, panel + (k - 4) * width + j, width); /* may overlap the block before */
    }
    for (; j < columns; j++)
        for (ptrdiff_t l = 0; l < k; l++) panel[l * width + j] = b[j * stride + l];
}

/* The same for A: rows of `height` numbers, `height` being that of the tiles. */
static void pack_strip(const real *a, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t height, real *strip) {
    if (height == TILE_ROWS) /* known to the compiler */
        for (ptrdiff_t l = 0; l < k; l++, a += stride, strip += TILE_ROWS) memcpy(strip, a, TILE_ROWS * sizeof(real));
    else
        for (ptrdiff_t l = 0; l < k; l++, a += stride, strip += height) memcpy(strip, a, height * sizeof(real));
}

/* ---- the product ---- */

static ptrdiff_t width_of_panel(ptrdiff_t columns) { return ceil_div(min_size(columns, TILE_COLUMNS), LANES) * LANES; }

/* Packs `columns` columns of k rows, which become row `at` and those that follow of panels of that depth. */
static void pack_run(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t columns, ptrdiff_t depth, ptrdiff_t at,
                     real *panels) {
    const ptrdiff_t whole = columns / TILE_COLUMNS, rest = columns % TILE_COLUMNS, width = width_of_panel(rest);
    pack_whole(b, stride, k, whole, depth, panels + at * TILE_COLUMNS);
    panels += whole * TILE_COLUMNS * depth;
    if (rest) pack_edge(b + whole * TILE_COLUMNS, stride, k, rest, width, panels + at * width);
}

/* Packs `columns` columns of B, at most PANELS panels. */
static void pack(const pyrelu_matrix *b, ptrdiff_t l, ptrdiff_t j, ptrdiff_t k, ptrdiff_t columns, real *panels) {
    const real *values = b->values;
    const ptrdiff_t stride = b->stride;
    if (!b->transposed) pack_run(values + l * stride + j, stride, k, columns, k, 0, panels);
    for (ptrdiff_t i = 0; b->transposed && i < columns; i += TILE_COLUMNS) {
        const ptrdiff_t n = min_size(columns - i, TILE_COLUMNS);
        pack_transposed(values + (j + i) * stride + l, stride, k, n, width_of_panel(n), panels + i * k);
    }
}

/* Part `part` of the parts that a sum of k products is made of: where it begins. */
static ptrdiff_t part_start(ptrdiff_t k, ptrdiff_t part) { return k * part / ceil_div(k, PANEL_DEPTH); }

void PER_TARGET(pack_rows)(const void *x, ptrdiff_t n, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t k, void *packed) {
    const ptrdiff_t row_size = ceil_div(n, LANES) * LANES, parts = ceil_div(k, PANEL_DEPTH);
    const real *from = x;
    for (ptrdiff_t part = 0; part < parts; part++) {
        const ptrdiff_t start = part_start(k, part), depth = part_start(k, part + 1) - start;
        const ptrdiff_t l = first > start ? first - start : 0, end = min_size(first + rows - start, depth);
        if (l >= end) continue;
        const real *b = from + (start + l - first) * n;
        real *panels = (real *)packed + start * row_size;
        for (ptrdiff_t j = 0; j < n; j += PANELS * TILE_COLUMNS)
            pack_run(b + j, n, end - l, min_size(n - j, PANELS * TILE_COLUMNS), depth, l, panels + j * depth);
    }
}

void PER_TARGET(pack_columns)(const void *x, ptrdiff_t stride, const int32_t *columns, ptrdiff_t n, ptrdiff_t k,
                              void *packed) {
    const real *from = x;
    real *to = packed;
    for (ptrdiff_t part = 0; part < ceil_div(k, PANEL_DEPTH); part++) {
        const ptrdiff_t start = part_start(k, part), end = part_start(k, part + 1);
        for (ptrdiff_t j = 0; j < n; j += TILE_COLUMNS) {
            const ptrdiff_t some = min_size(n - j, TILE_COLUMNS), width = width_of_panel(some);
            for (ptrdiff_t l = start; l < end; l++, to += width)
                for (ptrdiff_t i = 0; i < width; i++) to[i] = i < some ? from[l * stride + columns[j + i]] : 0;
        }
    }
}

/* Computes a tile, and asks for its share of the arrays. */
static void compute(const operands *tile, ptrdiff_t rows) {
    prefetching *p = tile->fetched;
    p->due = min_size(p->at + p->step, p->stop);
    if (tile->ahead) prefetch_rows(tile->ahead);
    if (tile->unpacked) packing(tile);
    else tiles[tile->form][rows - 1][tile->columns > LANES](tile);
    while (p->at < p->due) prefetch_lines(p);
}

static prefetching prefetched_by(const pyrelu_gemm_args *p) {
    const ptrdiff_t n = ceil_div(p->k, PANEL_DEPTH) * ceil_div(p->m, TILE_ROWS) * ceil_div(p->n, TILE_COLUMNS);
    prefetching fetched = {.stop = p->prefetched_bytes,
                           .step = ceil_div(p->prefetched_bytes, n * PYRELU_CACHE_LINE) * PYRELU_CACHE_LINE};
    for (int i = 0; i < PYRELU_PREFETCHED; i++)
        fetched.arrays[i] = p->prefetched[i] ? p->prefetched[i] : p->prefetched[0];
    return fetched;
}

/* Where strip t of m rows begins, where all are of about equal height. */
static ptrdiff_t strip_start(ptrdiff_t m, ptrdiff_t t) { return ceil_div(m * t, ceil_div(m, TILE_ROWS)); }

/* C = start + A P for `columns` columns of packed panels P. `o` describes the first tile. The outer loop runs over
 * rows, again for long runs in memory. */
static void compute_tiles(ptrdiff_t m, ptrdiff_t columns, const operands *o) {
    const ptrdiff_t n = ceil_div(m, TILE_ROWS);
    operands tile = *o;
    for (ptrdiff_t t = 0, i = 0; t < n; t++) {
        const ptrdiff_t rows = strip_start(m, t + 1) - i;
        tile.a = o->a + i * (o->form == ROWS ? o->stride : 1);
        for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
            tile.panel = o->panel + j * o->k;
            tile.c = o->c + i * o->c_stride + j;
            if (o->start) tile.start = o->start + i * o->start_step + j;
            tile.columns = min_size(columns - j, TILE_COLUMNS);
            tile.unpacked = t == 0 && o->unpacked && tile.columns == TILE_COLUMNS ? o->unpacked + j : NULL;
            compute(&tile, rows);
        }
        i += rows;
    }
}

/* The same, where A is at most STRIPS strips: each panel with all of them, as they fit into the second-level cache
 * beside the panels, which may be too many for it. Packed strips are one behind the other. */
static void compute_strips(ptrdiff_t m, ptrdiff_t columns, const operands *o) {
    const ptrdiff_t n = ceil_div(m, TILE_ROWS);
    operands tile = *o;
    for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
        tile.panel = o->panel + j * o->k;
        tile.columns = min_size(columns - j, TILE_COLUMNS);
        for (ptrdiff_t t = 0, i = 0; t < n; t++) {
            const ptrdiff_t rows = strip_start(m, t + 1) - i;
            tile.a = o->a + i * (o->form == STRIP ? o->k : o->form == ROWS ? o->stride : 1);
            if (o->form == STRIP) tile.stride = rows;
            tile.c = o->c + i * o->c_stride + j;
            if (o->start) tile.start = o->start + i * o->start_step + j;
            compute(&tile, rows);
            i += rows;
        }
    }
}

/* What is the same for all tiles of a part of the sums, which begins at l. */
static operands operands_of(const pyrelu_gemm_args *p, ptrdiff_t l, ptrdiff_t k, prefetching *fetched) {
    operands o = {.form = p->a.transposed ? COLUMNS : ROWS,
                  .k = k,
                  .a = (const real *)p->a.values + l * (p->a.transposed ? p->a.stride : 1),
                  .stride = p->a.stride,
                  .c = p->c,
                  .c_stride = p->c_stride,
                  .fetched = fetched};
    if (l || p->add) {
        o.start = o.c;
        o.start_step = o.c_stride;
    } else if (p->bias) o.start = p->bias;
    return o;
}

/* Moves the operands by rows and columns of C. */
static operands moved(operands o, ptrdiff_t rows, ptrdiff_t columns) {
    o.a += rows * (o.form == ROWS ? o.stride : 1);
    o.c += rows * o.c_stride + columns;
    if (o.start) o.start += rows * o.start_step + columns;
    return o;
}

/* The product with a B that pack_rows packed: some strips of A with all panels, then the next. */
static void multiply_packed(const pyrelu_gemm_args *p) {
    _Alignas(64) real strips[STRIPS * TILE_ROWS * PANEL_DEPTH];
    const ptrdiff_t parts = ceil_div(p->k, PANEL_DEPTH), row_size = ceil_div(p->n, LANES) * LANES;
    const int packs = p->a.transposed && p->n >= MIN_COLUMNS;
    prefetching fetched = prefetched_by(p);
    for (ptrdiff_t i = 0; i < p->m; i += STRIPS * TILE_ROWS) {
        const ptrdiff_t m = min_size(p->m - i, STRIPS * TILE_ROWS);
        for (ptrdiff_t part = 0; part < parts; part++) {
            const ptrdiff_t l = part_start(p->k, part), k = part_start(p->k, part + 1) - l;
            operands o = moved(operands_of(p, l, k, &fetched), i, 0);
            o.panel = (real *)p->b.values + l * row_size;
            for (ptrdiff_t t = 0, at = 0, rows; packs && t < ceil_div(m, TILE_ROWS); t++, at += rows) {
                rows = strip_start(m, t + 1) - at;
                pack_strip(o.a + at, o.stride, k, rows, strips + at * k);
            }
            if (packs) {
                o.a = strips;
                o.form = STRIP;
            }
            compute_strips(m, p->n, &o);
        }
    }
}

/* What multiply packs next behind `columns` columns from j on of part `part`. */
static rows_ahead rows_behind(const pyrelu_gemm_args *p, ptrdiff_t part, ptrdiff_t j, ptrdiff_t columns) {
    const ptrdiff_t tiles = ceil_div(p->m, TILE_ROWS) * ceil_div(columns, TILE_COLUMNS);
    j += columns;
    if (j == p->n) {
        j = 0;
        part++;
    }
    if (part == ceil_div(p->k, PANEL_DEPTH)) return (rows_ahead){.left = 0};
    const ptrdiff_t l = part_start(p->k, part), k = part_start(p->k, part + 1) - l;
    return (rows_ahead){.row = (const real *)p->b.values + l * p->b.stride + j,
                        .left = k,
                        .each = ceil_div(k, tiles),
                        .stride = p->b.stride,
                        .columns = min_size(p->n - j, PANELS * TILE_COLUMNS)};
}

static void multiply(const pyrelu_gemm_args *p) {
    _Alignas(64) real panels[PANELS * PANEL_DEPTH * TILE_COLUMNS];
    const ptrdiff_t parts = ceil_div(p->k, PANEL_DEPTH);
    const int in_passing = !p->a.transposed && !p->b.transposed && strip_start(p->m, 1) == TILE_ROWS;
    prefetching fetched = prefetched_by(p);
    for (ptrdiff_t part = 0; part < parts; part++) {
        const ptrdiff_t l = part_start(p->k, part), k = part_start(p->k, part + 1) - l;
        for (ptrdiff_t j = 0; j < p->n; j += PANELS * TILE_COLUMNS) {
            const ptrdiff_t columns = min_size(p->n - j, PANELS * TILE_COLUMNS);
            operands o = moved(operands_of(p, l, k, &fetched), 0, j);
            o.panel = panels;
            rows_ahead ahead;
            if (in_passing) {
                const ptrdiff_t whole = columns / TILE_COLUMNS * TILE_COLUMNS;
                pack(&p->b, l, j + whole, k, columns - whole, panels + whole * k);
                o.unpacked = (const real *)p->b.values + l * p->b.stride + j;
                o.unpacked_step = p->b.stride;
                ahead = rows_behind(p, part, j, columns);
                if (ahead.left) o.ahead = &ahead;
            } else pack(&p->b, l, j, k, columns, panels);
            compute_tiles(p->m, columns, &o);
        }
    }
}

void PER_TARGET(gemm)(const pyrelu_gemm_args *p) {
    if (p->packed) multiply_packed(p);
    else multiply(p);
}
