/* The operations of the Lockstep arithmetic (docs/SPEC.md), behind one table of function pointers.
 *
 * lks_kernels_scalar is the executable specification: plain C, one operation a file. Tables of
 * other instruction sets give the same bytes for every input, NaN and infinity included, whatever
 * the split into calls: no result depends on another row.
 *
 * Conventions. Outputs come first. A matrix of T rows is row-major; `ld` is the distance between
 * rows in elements. Pointers do not overlap unless stated. Kernels use no heap, no lock and no
 * global state: any number of threads may call them on different outputs. Preconditions (shapes,
 * block counts) are the caller's; what a file or a chain says was checked before
 * (oracle/model/program.h).
 */
#ifndef LKS_KERNELS_KERNELS_H
#define LKS_KERNELS_KERNELS_H

#include "kernels/tensor_type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_CHUNK 32 /* positions of one attention chunk, lanes of a sum */
#define LKS_RMS_SEGMENT 256
#define LKS_MAX_HEAD_BLOCKS 2
#define LKS_MAX_HEAD_WIDTH 256
#define LKS_ATTN_ROWS 8 /* positions that one call of attn takes at most */

/* A weight matrix as stored in the file: rows of cols elements. A vector is one row. */
typedef struct lks_matrix {
    lks_tensor_type type;
    uint32_t rows, cols;
    const uint8_t *data;
    size_t row_size; /* bytes */
    const uint8_t
        *packed; /* the same weights as lks_pack made them for `lanes`; NULL: only as stored */
    uint32_t lanes;
} lks_matrix;

/* Rows of A8 blocks: i8 values with one f32 scale a block. Also a view of some columns of such
 * rows. */
typedef struct lks_a8 {
    int8_t *q;     /* [T][width], rows q_ld apart */
    float *d;      /* [T][blocks], rows d_ld apart */
    int32_t *sum;  /* [T][width / 32], rows sum_ld apart: the sums of 32 values; NULL where nothing
                      reads them (Q, K, V) */
    uint32_t *idx; /* [T][blocks], rows d_ld apart: the element that attains d; NULL unless a trace
                      is made */
    uint32_t width, block, blocks;
    size_t q_ld, d_ld, sum_ld;
} lks_a8;

/* Sampling policy, decoded (docs/SPEC.md, SAMPLE). */
typedef struct lks_sampling {
    float temperature; /* 0: greedy */
    float min_p;
    uint64_t seed;
    const uint32_t *allowed; /* strictly increasing; NULL: all */
    size_t allowed_count;
} lks_sampling;

/* The row of SAMPLE: the maximal logit among the allowed tokens, and its index, the smallest among
 * equals. */
typedef struct lks_sample_row {
    float max;
    uint32_t index;
} lks_sample_row;

typedef struct lks_kernels {
    const char *name;
    uint32_t
        lanes; /* weight rows that linear wants packed side by side; 0: as stored. It takes both. */

    /* y[t] = row ids[t] of w, dequantised; a row of +0 where ids[t] >= w->rows. y: [rows][w->cols].
     */
    void (*embed)(float *y, const lks_matrix *w, const uint32_t *ids, size_t rows);

    /* y[t * ld + r - first] = (row r of w) . (row t of x) + bias[r], for first <= r < last. bias:
     * f32 row, or NULL. Not canonical yet. */
    void (*linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                   uint32_t last, const lks_a8 *x, size_t rows);

    /* y[t]: the sums of squares of the 256-element segments of x[t], then r. y: [rows][segments +
     * 1], x: [rows][width]. Canonical. */
    void (*rms)(float *y, const float *x, uint32_t width, float epsilon, size_t rows);

    /* A8 of (x[t][i] * r[t]) * gain[i]; r is the last element of sums[t], rows of sums_ld elements.
     */
    void (*norm_q)(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld,
                   const float *gain, size_t rows);

    /* A8 of x. Rows of x are ld apart. */
    void (*quant)(const lks_a8 *y, const float *x, size_t ld, size_t rows);

    /* Rotates the heads of x in place: x[t] has heads * head_width elements, rows ld apart; table[t
     * * rope_width ...] is the row of x[t]'s position. */
    void (*rope)(float *x, size_t ld, uint32_t heads, uint32_t head_width, uint32_t rope_width,
                 bool halves, const float *table, size_t rows);

    /* gate[i] = silu(gate[i]) * up[i], in place, count elements. */
    void (*silu_mul)(float *gate, const float *up, size_t count);

    /* y[t][i] = canonical(x[t][i] + z[t][i]) for i < width; rows y_ld, x_ld and z_ld apart. */
    void (*add)(float *y, size_t y_ld, const float *x, size_t x_ld, const float *z, size_t z_ld,
                uint32_t width, size_t rows);

    /* One head at `rows` (1 to LKS_ATTN_ROWS) consecutive positions from `position` on, which share
     * the reading of keys and values. q: a row for each, as wide as the head; k, v: the rows of
     * positions 0 to the last, without room between them. Rows of o are ld apart. scores: rows
     * times lks_attn_scratch(the last position). Canonical. */
    void (*attn)(float *o, size_t ld, const lks_a8 *q, const lks_a8 *k, const lks_a8 *v,
                 uint32_t position, uint32_t rows, float scale, float *scores);

    /* Scans logits for SAMPLE's row, and chooses the token at a position of the sequence. logits:
     * vocab floats, any bits. */
    void (*sample_max)(lks_sample_row *row, const float *logits, uint32_t vocab,
                       const lks_sampling *policy);
    uint32_t (*sample_choose)(const lks_sample_row *row, const float *logits, uint32_t vocab,
                              const lks_sampling *policy, uint32_t position);
} lks_kernels;

/* The scalar reference. */
extern const lks_kernels lks_kernels_scalar;

/* The fastest table that this machine runs, or the one that the environment variable LOCKSTEP_CPU
 * names (scalar, avx2, avxvnni, avx512, amx; on ARM neon, neondot). lks_kernels_check refuses a
 * name that this machine does not run. */
const lks_kernels *lks_kernels_best(void);
/* The tables that this machine runs, slowest first. Returns: NULL from the first index that has
 * none. */
const lks_kernels *lks_kernels_at(size_t index);

/* Bytes of a matrix packed for `lanes` rows (4, 8 or 16), and its packing: rows [first, last),
 * first a multiple of lanes, to their place in out. */
size_t lks_packed_size(const lks_matrix *w, uint32_t lanes);
void lks_pack(uint8_t *out, const lks_matrix *w, uint32_t lanes, uint32_t first, uint32_t last);

/* Checks, on the calling thread, that arithmetic is what the specification needs: hardware FMA,
 * subnormals kept (no FTZ, no DAZ), round to nearest even. Returns: NULL when all is well, else a
 * static line saying what is wrong. */
const char *lks_kernels_check(void);

/* Floats of scratch that attn needs at a position. */
static inline size_t lks_attn_scratch(uint32_t position)
{
    size_t chunks = position / LKS_CHUNK + 1;
    return chunks * LKS_CHUNK + chunks;
}

/* ---- Pieces that operations, traces and tests share ---- */

/* Unpacks `count` elements of a weight row from element `first` (both multiples of the type's
 * block) into values q, and for every sub-block of lks_sub_block(type) elements its scale w and its
 * offset n (0 for types without): value = q * w - n. */
void lks_unpack(int8_t *q, float *w, float *n, const lks_matrix *m, uint32_t row, uint32_t first,
                uint32_t count);
uint32_t lks_sub_block(lks_tensor_type type); /* 16 for Q6_K, else 32 */
bool lks_has_offset(lks_tensor_type type);

/* One A8 block of count values (1 to 128): q, and the scale. idx may be NULL. */
void lks_quantize_block(int8_t *q, float *d, uint32_t *idx, const float *x, uint32_t count);

/* The sum of 32 lanes in the order of the specification; lanes is overwritten. */
float lks_fold_lanes(float lanes[LKS_CHUNK]);

/* Philox4x32-10 (Salmon et al., SC'11). */
void lks_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* One row of the RoPE table, pairs (cosine, sine). base: finite, at least 1. factors: width / 2
 * divisors, finite, at least 2^-6. width: even, at most 256. position: below 32,768. */
void lks_rope_frequencies(double *frequencies, float base, uint32_t width, const float *factors);
void lks_rope_row(float *row, uint32_t position, const double *frequencies, uint32_t width);

#ifdef __cplusplus
}
#endif
#endif
