/* The partials of an attention element (docs/SPEC.md, section 13), as they are laid out and
 * computed.
 *
 * For n = t / 32 + 1 chunks, packed: n times (m, z, o); the maximum and a chunk that attains it;
 * (z, o) after every full 32 chunks and after the last chunk.
 */
#ifndef LKS_ORACLE_PROOF_PARTIALS_H
#define LKS_ORACLE_PROOF_PARTIALS_H

#include "kernels/kernels.h"
#include "oracle/proof/step.h"

enum {
    LKS_PART_SIZE = 12,
    LKS_MAXIMUM_SIZE = 8,
    LKS_RUNNING_SIZE = 8,
    LKS_RUN_CHUNKS = 32
};

static inline uint32_t lks_partials_chunks(uint32_t position)
{
    return position / LKS_CHUNK + 1;
}
static inline uint32_t lks_partials_runs(uint32_t position)
{
    return (lks_partials_chunks(position) + LKS_RUN_CHUNKS - 1) / LKS_RUN_CHUNKS;
}

/* Where chunk c, the maximum and running sum k begin. */
static inline size_t lks_partials_part_at(uint32_t c)
{
    return LKS_PART_SIZE * (size_t)c;
}
static inline size_t lks_partials_maximum_at(uint32_t position)
{
    return lks_partials_part_at(lks_partials_chunks(position));
}
static inline size_t lks_partials_running_at(uint32_t position, uint32_t k)
{
    return lks_partials_maximum_at(position) + LKS_MAXIMUM_SIZE + LKS_RUNNING_SIZE * (size_t)k;
}

/* A query's head and the rows of keys and values of up to 32 positions, all in committed form. */
typedef struct lks_head_rows {
    const uint8_t *q_entries, *k, *v;
    const int8_t *q;
    uint32_t present; /* rows of k and v */
    uint32_t block, blocks, row_size;
    float scale;
} lks_head_rows;

typedef struct lks_part {
    float m, z, o;
} lks_part;

/* Out: what one chunk gives for element e of the head. Canonical. */
void lks_part_compute(lks_part *out, const lks_head_rows *h, uint32_t e);

/* (z, o) after chunks [32 k, 32 k + 32) as far as they exist, from the partials before it.
 * Canonical. */
void lks_running_compute(float *z, float *o, uint32_t position, const uint8_t *partials,
                         uint32_t k);

/* Out: lks_partials_size(position) bytes. h: the rows of all positions up to this one; present is
 * not read. */
void lks_partials_compute(uint8_t *out, const lks_head_rows *h, uint32_t position, uint32_t e);

#endif
