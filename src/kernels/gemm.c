/* Matrix products as large as a batch needs. Compiled once per instruction set and precision.
 *
 * A tile of C, TILE_ROWS rows by TILE_VECTORS vectors, stays in registers during the sum over k. Each vector is an
 * accumulator of its own, so that the fused multiply-adds wait neither for each other nor for memory. The tile reads B
 * from a packed panel, which stays in the first-level cache, and A in place. The tiling, and with it every bit of the
 * result, depends on the shape alone.
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
    PANEL_DEPTH = 256,                  /* rows: 32 KiB at the widest, two thirds of the first-level cache */
    PANELS = 256 / TILE_VECTORS / WIDTH /* packed at a time: memory is faster in runs of 256 bytes than of 128 */
};

typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real))));
typedef bits quad_indices __attribute__((vector_size(4 * sizeof(bits))));

#ifdef __clang__
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (quad_indices){__VA_ARGS__})
#endif

/* Strides express transposition: a(i, l) is a[i * row_step + l * column_step]. */
typedef struct {
    ptrdiff_t k;
    const real *a;
    ptrdiff_t row_step, column_step;
    const real *panel;
    real *c;
    ptrdiff_t c_stride, columns;
    const real *start; /* initial values of the sums, with rows `start_step` apart; NULL: 0 */
    ptrdiff_t start_step;
} operands;

/* Stores the tile at the right edge of C, which has fewer columns than its vectors: they are in x, rows `width` apart.
 */
static void store_edge(const operands *o, const real *x, ptrdiff_t rows, ptrdiff_t width) {
    for (ptrdiff_t i = 0; i < rows; i++, x += width) {
        real *c = o->c + i * o->c_stride;
        if (o->start) {
            const real *start = o->start + i * o->start_step;
            for (ptrdiff_t j = 0; j < o->columns; j++) c[j] = x[j] + start[j];
        } else
            for (ptrdiff_t j = 0; j < o->columns; j++) c[j] = x[j];
    }
}

/* C = start + A B for a tile; every caller passes constants as `rows` and `vectors`. */
INLINE void compute_tile(const int rows, const int vectors, const operands *o) {
    vector sum[TILE_ROWS][TILE_VECTORS];
    const real *a[TILE_ROWS], *b = o->panel; /* a pointer for every third row: addressing modes reach the next two */
    const ptrdiff_t row_step = o->row_step, column_step = o->column_step;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i += 3) a[i] = o->a + i * row_step;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    for (ptrdiff_t l = 0; l < o->k; l++, b += vectors * LANES) {
        vector y[TILE_VECTORS];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) y[v] = *(const vector *)(b + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const real x = a[i / 3 * 3][i % 3 * row_step];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) sum[i][v] += x * y[v];
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i += 3) a[i] += column_step;
    }
    if (o->columns < vectors * LANES) {
        real x[TILE_ROWS * TILE_COLUMNS];
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) *(vector *)(x + (i * vectors + v) * LANES) = sum[i][v];
        store_edge(o, x, rows, vectors * LANES);
        return;
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            const ptrdiff_t j = v * LANES;
            const vector start = o->start ? *(const vector *)(o->start + i * o->start_step + j) : (vector){0};
            *(vector *)(o->c + i * o->c_stride + j) = sum[i][v] + start;
        }
}

typedef void tile_function(const operands *);

#define TILE(rows)                                                               \
    static void tile_##rows##_1(const operands *o) { compute_tile(rows, 1, o); } \
    static void tile_##rows##_2(const operands *o) { compute_tile(rows, 2, o); }
#define ENTRY(rows) {tile_##rows##_1, tile_##rows##_2},
#define UP_TO_6(F) F(1) F(2) F(3) F(4) F(5) F(6)
#define UP_TO_12(F) UP_TO_6(F) F(7) F(8) F(9) F(10) F(11) F(12)
#if defined(__AVX512F__) || defined(__aarch64__)
#define EACH_TILE_HEIGHT UP_TO_12
#else
#define EACH_TILE_HEIGHT UP_TO_6
#endif
EACH_TILE_HEIGHT(TILE)
static tile_function *const tiles[TILE_ROWS][TILE_VECTORS] = {EACH_TILE_HEIGHT(ENTRY)};

/* ---- packing: panel(l, j) = b(l, j), with columns beyond the last filled up to `width` with 0 ---- */

/* n full panels from consecutive columns, row by row, because memory is fastest in long runs. */
static void pack_whole(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t n, real *panels) {
    for (ptrdiff_t l = 0; l < k; l++, b += stride, panels += TILE_COLUMNS)
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(panels + i * k * TILE_COLUMNS, b + i * TILE_COLUMNS, TILE_COLUMNS * sizeof(real));
}

static void pack_edge(const real *b, ptrdiff_t stride, ptrdiff_t k, ptrdiff_t columns, ptrdiff_t width, real *panel) {
    for (ptrdiff_t l = 0; l < k; l++, b += stride, panel += width) {
        memcpy(panel, b, columns * sizeof(real));
        memset(panel + columns, 0, (width - columns) * sizeof(real));
    }
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

/* ---- the product ---- */

/* Packs `columns` columns of B, at most PANELS panels. */
static void pack(const pyrelu_matrix *b, ptrdiff_t l, ptrdiff_t j, ptrdiff_t k, ptrdiff_t columns, real *panels) {
    const real *values = b->values;
    const ptrdiff_t stride = b->stride, whole = b->transposed ? 0 : columns / TILE_COLUMNS;
    if (whole) pack_whole(values + l * stride + j, stride, k, whole, panels);
    for (ptrdiff_t i = whole * TILE_COLUMNS; i < columns; i += TILE_COLUMNS) {
        const ptrdiff_t n = min_size(columns - i, TILE_COLUMNS), width = ceil_div(n, LANES) * LANES;
        if (b->transposed) pack_transposed(values + (j + i) * stride + l, stride, k, n, width, panels + i * k);
        else pack_edge(values + l * stride + j + i, stride, k, n, width, panels + i * k);
    }
}

/* C = start + A P for `columns` columns of packed panels P, in tiles of about equal height. `o` describes the first
 * tile. The outer loop runs over rows, again for long runs in memory. */
static void compute_tiles(ptrdiff_t m, ptrdiff_t columns, const operands *o) {
    const ptrdiff_t n = ceil_div(m, TILE_ROWS);
    operands tile = *o;
    for (ptrdiff_t t = 0, i = 0; t < n; t++) {
        const ptrdiff_t rows = m * (t + 1) / n - i;
        tile.a = o->a + i * o->row_step;
        for (ptrdiff_t j = 0; j < columns; j += TILE_COLUMNS) {
            tile.panel = o->panel + j * o->k;
            tile.c = o->c + i * o->c_stride + j;
            if (o->start) tile.start = o->start + i * o->start_step + j;
            tile.columns = min_size(columns - j, TILE_COLUMNS);
            tiles[rows - 1][tile.columns > LANES](&tile);
        }
        i += rows;
    }
}

void PER_TARGET(gemm)(const pyrelu_gemm_args *p) {
    _Alignas(64) real panels[PANELS * PANEL_DEPTH * TILE_COLUMNS];
    const ptrdiff_t n = ceil_div(p->k, PANEL_DEPTH);
    for (ptrdiff_t block = 0, l = 0; block < n; block++) {
        const ptrdiff_t k = p->k * (block + 1) / n - l;
        for (ptrdiff_t j = 0; j < p->n; j += PANELS * TILE_COLUMNS) {
            const ptrdiff_t columns = min_size(p->n - j, PANELS * TILE_COLUMNS);
            pack(&p->b, l, j, k, columns, panels);
            operands o = {.k = k,
                          .row_step = p->a.transposed ? 1 : p->a.stride,
                          .column_step = p->a.transposed ? p->a.stride : 1,
                          .panel = panels,
                          .c = (real *)p->c + j,
                          .c_stride = p->c_stride};
            o.a = (const real *)p->a.values + l * o.column_step;
            if (l || p->add) {
                o.start = o.c;
                o.start_step = o.c_stride;
            } else if (p->bias) o.start = (const real *)p->bias + j;
            compute_tiles(p->m, columns, &o);
        }
        l += k;
    }
}
