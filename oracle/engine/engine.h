/* The engine: runs a model's program over positions, with a KV cache. A position's bits do not
 * depend on the batch or the threads it was computed with.
 *
 * A session belongs to one thread at a time; sessions of one model may run side by side.
 */
#ifndef LKS_ORACLE_ENGINE_ENGINE_H
#define LKS_ORACLE_ENGINE_ENGINE_H

#include "kernels/kernels.h"
#include "oracle/model/model.h"
#include "oracle/model/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_session lks_session;

/* One operation's output in the engine's form, for `rows` positions (or sampled rows) from `first`
 * on. */
typedef struct lks_op_output {
    const float *f32; /* [rows][width]: forms F32 and RMS; else NULL */
    /* Form A8. Kinds ALL and SAMPLED: one view of `rows` rows. Kind KV: key-value head h's row of a
     * position is at q + (h * head_rows + position) * q_ld, and so on, and first is a position. */
    lks_a8 a8;
    size_t head_rows;
    uint32_t first;
    size_t rows;
} lks_op_output;

typedef void (*lks_op_hook)(void *user, uint32_t op, const lks_op_output *output);

typedef struct lks_session_options {
    unsigned threads;           /* 0: one for every core */
    uint32_t batch;             /* positions that one pass computes at most; 0: 512 */
    uint32_t max_positions;     /* room of the KV cache; at most the model's */
    const lks_kernels *kernels; /* NULL: the fastest */
    /* Called after each operation of a pass; NULL: none. Makes A8 indices too. The output stays as
     * it is while the next operation is computed, for a loop that the hook adds to the session's
     * pool (lks_pool_add). */
    lks_op_hook hook;
    /* Asked before each operation of a pass: true ends the pass with LKS_REFUSED, after which the
     * session can only be closed. NULL: never. */
    bool (*stop)(void *user);
    void *user;
    uint32_t ops; /* operations of a pass, from the first; 0: all, as logits need it */
} lks_session_options;

/* Memory: the KV cache (max_positions * layers * key-value heads * 2 * (head width + 4 * blocks))
 * and one batch of a layer's outputs. Returns: LKS_OK; LKS_BADARGS (max_positions is 0 or above the
 * model's, other kernels than a settled model's); LKS_NOMEM. The model must outlive the session. */
LKS_MUST_USE
lks_err lks_session_open(lks_session **out, const lks_model *m, const lks_session_options *options);
void lks_session_close(lks_session *s);
/* Bytes that such a session allocates, but for threads and less than a page per buffer; UINT64_MAX
 * when that cannot be told (out of memory). Not counted: what packed weights take, which all
 * sessions of a model share. */
uint64_t lks_session_bytes(const lks_model *m, const lks_session_options *options);

/* Computes `count` more positions with these token ids, in passes of at most the batch, and keeps
 * the final norm's rows of the last `sampled` of them (at most the batch, and at most the last
 * pass's length). Returns: LKS_OK; LKS_BADARGS (beyond max_positions, sampled too large);
 * LKS_REFUSED (stopped). */
LKS_MUST_USE
lks_err lks_session_forward(lks_session *s, const uint32_t *ids, size_t count, size_t sampled);

/* Out: the logits, vocab_size floats, of sampled row `row` of the last forward. */
void lks_session_logits(lks_session *s, size_t row, float *logits);
/* The same of `count` sampled rows from `row` on, one behind the other: cheaper than one by one. */
void lks_session_logits_rows(lks_session *s, size_t row, size_t count, float *logits);

/* Out: SAMPLE's rows of sampled rows [row, row + count), count at most LKS_GREEDY_ROWS, when every
 * token is allowed: rows[i].index is what temperature 0 chooses. No logits are kept, which saves
 * most of their memory traffic. Returns: LKS_OK, LKS_NOMEM. */
enum {
    LKS_GREEDY_ROWS = 96
};
LKS_MUST_USE
lks_err lks_session_greedy_rows(lks_session *s, size_t row, size_t count, lks_sample_row *rows);

/* The session's threads, for its owner between passes and within the hook. */
lks_pool *lks_session_pool(const lks_session *s);

/* The table that the session computes with. */
const lks_kernels *lks_session_kernels(const lks_session *s);

/* Positions computed so far. */
uint32_t lks_session_positions(const lks_session *s);

#ifdef __cplusplus
}
#endif
#endif
