/* LINEAR with AMX-INT8, for many rows of activations: a tile of 16 rows times 16 weight rows and 32
 * columns at once, whose sums AVX-512 then scales in the order of scalar/op_linear.c. Expanded
 * weights (packed/tile.inc) lie as the tile instructions want them: 4 columns of 16 rows in 64
 * bytes. They are made signed, so nothing need be subtracted. A few rows of activations are
 * avx512's work, and so are weights whose scales are for 16 columns: moving that many sums out of
 * the tiles costs more than the tiles save.
 *
 * The tile instructions run only on machines that have them; tests on others run this source with
 * the instructions written out in C.
 */
#include "kernels/packed/zmm.inc"

#include "kernels/amx/tiles.h"

#define ROWS 16
#define BLOCKS 9
#define WIDE 1
#define FEW 6 /* rows that avx512 multiplies faster */
#define BIAS(type) 0
#define expanded(v, type) _mm512_sub_epi8(v, _mm512_set1_epi8((char)lks_pack_bias(type)))
#include "kernels/packed/values.inc"
#include "kernels/packed/tile.inc"

#undef LKS_PACKED_TYPES
#define LKS_PACKED_TYPES(of) of(Q4_0) of(Q4_1) of(Q5_0) of(Q5_1) of(Q8_0) of(Q4_K) of(Q5_K)

/* Before a loop over rows: unrolled whole, so that its vectors stay in registers. */
#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Registers: the activations and weights of a record, and the sums of the two records that share a
 * scale of the activations. */
#define A 0
#define B 1
#define C0 2
#define C1 3

static const tile_shapes shapes = {
    .palette = 1,
    .rows = {[A] = ROWS, [B] = 8, [C0] = ROWS, [C1] = ROWS},
    .row_bytes = {[A] = 32, [B] = VECTOR, [C0] = VECTOR, [C1] = VECTOR},
};

typedef int32_t tile_sums[ROWS][LANES];

/* A macro, since registers are part of the instruction. */
#define sums_of(sums, c, a, a_ld, w)                                                               \
    do {                                                                                           \
        tile_zero(c);                                                                              \
        tile_load(A, a, a_ld);                                                                     \
        tile_load(B, w, VECTOR);                                                                   \
        tile_dot(c, A, B);                                                                         \
        tile_store(c, sums, VECTOR);                                                               \
    } while (0)

/* The sums of one or two records that share a scale of the activations. */
INLINE void sum_pair(tile_sums sums[2], const int8_t *a, size_t a_ld, const uint8_t *w,
                     const unsigned records)
{
    sums_of(sums[0], C0, a, a_ld, w);
    if (records == 2)
        sums_of(sums[1], C1, a + 32, a_ld, w + RECORD);
}

/* total += what these sums stand for */
INLINE void add_pair(vf total[ROWS], const tile_sums sums[2], const uint8_t *w, const side *sides,
                     const float *d, const unsigned records, lks_tensor_type type)
{
    const vf none = set1f(0.0f),
             scale[2] = {scale_at(w, 8), records == 2 ? scale_at(w + RECORD, 8) : none};
    const vf offset[2] = {is_offset(type) ? scale_at(w, 9) : none,
                          is_offset(type) && records == 2 ? scale_at(w + RECORD, 9) : none};
    UNROLLED
    for (unsigned t = 0; t < ROWS; t++) {
        vf s = none;
        for (unsigned r = 0; r < records; r++) {
            s = fma_(to_f32(load(sums[r][t])), scale[r], s);
            if (is_offset(type))
                s = fma_(set1f(sides[2 * PANEL * t + r].f), offset[r], s);
        }
        total[t] = fma_(s, set1f(d[PANEL / 2 * t]), total[t]);
    }
}

/* to = from + the expanded records times one block of rows. The tiles work one pair of records
 * ahead of the scaling. Meanwhile 64 bytes a record from `ahead` on are fetched: what will be
 * expanded next. */
INLINE void multiply(sum_rows to, sum_rows from, const uint8_t *w, const row_block *x,
                     uint32_t records, const uint8_t *ahead, lks_tensor_type type)
{
    tile_sums sums[2][2] __attribute__((aligned(64)));
    const uint32_t pairs = records / 2;
    vf total[ROWS];
    UNROLLED
    for (unsigned t = 0; t < ROWS; t++)
        total[t] = loadf(from.y + from.ld * t);
    for (uint32_t p = 0; p <= pairs; p++) {
        if (p < pairs) {
            __builtin_prefetch(ahead + 128 * p, 0, 2);
            __builtin_prefetch(ahead + 128 * p + 64, 0, 2);
            sum_pair(sums[p % 2], x->q + 64 * p, x->q_ld, w + 2 * RECORD * p, 2);
        }
        if (p > 0)
            add_pair(total, sums[(p - 1) % 2], w + 2 * RECORD * (p - 1), x->sides + 2 * (p - 1),
                     x->d + p - 1, 2, type);
    }
    if (records % 2) {
        sum_pair(sums[0], x->q + 64 * pairs, x->q_ld, w + 2 * RECORD * pairs, 1);
        add_pair(total, sums[0], w + 2 * RECORD * pairs, x->sides + 2 * pairs, x->d + pairs, 1,
                 type);
    }
    UNROLLED
    for (unsigned t = 0; t < ROWS; t++)
        storef(to.y + to.ld * t, total[t]);
}

#include "kernels/packed/gemm.inc"

void LKS_KERNEL(linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                        uint32_t last, const lks_a8 *x, size_t rows)
{
    if (rows <= FEW || !is_packed(w, x) || w->type == LKS_Q6_K) {
        lks_avx512_linear(y, ld, w, bias, first, last, x, rows);
        return;
    }
    const product o = {y, ld, w, first, last, x};
    tile_configure(&shapes);
    gemm(&o, rows);
    tile_release();
    add_bias(&o, bias, rows);
}
