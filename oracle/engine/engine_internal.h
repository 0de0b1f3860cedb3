/* Shared by the engine's two halves: engine.c (memory, passes) and engine_ops.c (one operation over
 * a batch). */
#ifndef LKS_ORACLE_ENGINE_ENGINE_INTERNAL_H
#define LKS_ORACLE_ENGINE_ENGINE_INTERNAL_H

#include "oracle/engine/engine.h"

/* Where an operation's output lies. KV outputs own their cache; others share buffers. */
typedef struct slot {
    float *f32;
    lks_a8 a8;
    int buffer;       /* index into the session's shared buffers, or -1 */
    bool sampled;     /* of its rows only the sampled ones are read: see find_sampled */
    size_t head_rows; /* KV: rows of one head */
} slot;

struct lks_session {
    const lks_model *model;
    const lks_kernels *kernels;
    lks_pool *pool;
    lks_op_hook hook;
    bool (*stop)(void *user);
    void *user;
    uint32_t ops; /* of a pass */
    uint32_t batch, max_positions, positions, widest_head;
    slot *slots; /* one an operation */
    uint8_t **buffers;
    uint32_t buffer_count;
    float **scratch; /* one a thread, for attention scores */
};

/* One pass: rows positions from `first`; operations of kind SAMPLED work on the last `sampled`
 * rows. */
typedef struct pass {
    lks_session *s;
    const uint32_t *ids;
    uint32_t first;
    size_t rows, sampled;
} pass;

/* Runs operation `index` of the program. */
void lks_run_op(const pass *p, uint32_t index);

lks_matrix lks_op_matrix(const lks_session *s, const lks_weight_ref *w);

#endif
