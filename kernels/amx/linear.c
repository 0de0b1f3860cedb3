/* LINEAR with AMX-INT8, for many rows of activations: a tile of 16 rows times 16 weight rows and 32 columns at once, whose sums AVX-512 then scales in the
 * order of scalar/op_linear.c. Expanded weights (packed/tile.inc) lie as the tile instructions want them: 4 columns of 16 rows in 64 bytes. They are made
 * signed, so nothing need be subtracted. One row of activations is avx512's work.
 *
 * The tile instructions run only on machines that have them; tests on others run this source with the instructions written out in C.
 */
#include "kernels/packed/zmm.inc"

#include "kernels/amx/tiles.h"

#define ROWS 16
#define BLOCKS 6
#define WIDE 1
#define BIAS(type) 0
#define expanded(v, type) _mm512_sub_epi8(v, _mm512_set1_epi8((char)lks_pack_bias(type)))
#include "kernels/packed/values.inc"
#include "kernels/packed/tile.inc"

/* Registers: the activations and weights of the two records that share a scale (of Q6_K: of a half), and their sums. */
#define A0 0
#define A1 1
#define B0 2
#define B1 3
#define C0 4
#define C1 5

static tile_shapes shapes_of(lks_tensor_type type)
{
    const uint8_t depth = type == LKS_Q6_K ? 16 : 32; /* columns that share a scale of the weights */
    tile_shapes s = {.palette = 1};
    for (int i = A0; i <= C1; i++) {
        s.rows[i] = i == B0 || i == B1 ? depth / 4 : ROWS;
        s.row_bytes[i] = i == A0 || i == A1 ? depth : VECTOR;
    }
    return s;
}

/* A macro, since registers are part of the instruction. */
#define sums_of(c, a_tile, b_tile, c_tile, a, a_ld, w) \
    do { \
        tile_zero(c_tile); \
        tile_load(a_tile, a, a_ld); \
        tile_load(b_tile, w, VECTOR); \
        tile_dot(c_tile, a_tile, b_tile); \
        tile_store(c_tile, c, VECTOR); \
    } while (0)

typedef int32_t tile_sums[ROWS][LANES];

INLINE vf scaled(vf s, const int32_t *sums, const uint8_t *w, unsigned at)
{
    return fma_(to_f32(load(sums)), loadf((const float *)(const void *)(w + VECTOR * at)), s);
}

/* to = from + the expanded records times one block of rows. Meanwhile 64 bytes a record from `ahead` on are fetched: what will be expanded next. */
INLINE void multiply(sum_rows to, sum_rows from, const uint8_t *w, const row_block *x, uint32_t records, const uint8_t *ahead, lks_tensor_type type)
{
    tile_sums c[4] __attribute__((aligned(64)));
    const int8_t *a = x->q;
    const side *sides = x->sides;
    vf total[ROWS];
    for (unsigned t = 0; t < ROWS; t++)
        total[t] = loadf(from.y + from.ld * t);
    for (uint32_t b = 0; b < records; b += 2, w += 2 * RECORD, a += 64, sides += 2, ahead += 128) {
        __builtin_prefetch(ahead, 0, 2);
        __builtin_prefetch(ahead + 64, 0, 2);
        const bool two = b + 1 < records;
        const uint8_t *w1 = w + RECORD;
        sums_of(c[0], A0, B0, C0, a, x->q_ld, w);
        if (type == LKS_Q6_K)
            sums_of(c[1], A1, B1, C1, a + 16, x->q_ld, w + 4 * VECTOR);
        if (two) {
            sums_of(c[2], A0, B0, C0, a + 32, x->q_ld, w1);
            if (type == LKS_Q6_K)
                sums_of(c[3], A1, B1, C1, a + 48, x->q_ld, w1 + 4 * VECTOR);
        }
        for (unsigned t = 0; t < ROWS; t++) {
            vf s = scaled(set1f(0.0f), c[0][t], w, 8);
            if (type == LKS_Q6_K)
                s = scaled(s, c[1][t], w, 9);
            if (is_offset(type))
                s = fma_(set1f(sides[2 * PANEL * t].f), loadf((const float *)(const void *)(w + VECTOR * 9)), s);
            if (two) {
                s = scaled(s, c[2][t], w1, 8);
                if (type == LKS_Q6_K)
                    s = scaled(s, c[3][t], w1, 9);
                if (is_offset(type))
                    s = fma_(set1f(sides[2 * PANEL * t + 1].f), loadf((const float *)(const void *)(w1 + VECTOR * 9)), s);
            }
            total[t] = fma_(s, set1f(x->d[x->d_ld * t + b / 2]), total[t]);
        }
    }
    for (unsigned t = 0; t < ROWS; t++)
        storef(to.y + to.ld * t, total[t]);
}

#include "kernels/packed/gemm.inc"

void LKS_KERNEL(linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    if (rows == 1 || !is_packed(w, x)) {
        lks_avx512_linear(y, ld, w, bias, first, last, x, rows);
        return;
    }
    const product o = {y, ld, w, first, last, x};
    const tile_shapes shapes = shapes_of(w->type);
    tile_configure(&shapes);
    gemm(&o, rows);
    tile_release();
    add_bias(&o, bias, rows);
}
