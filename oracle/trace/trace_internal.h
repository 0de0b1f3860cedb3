/* Shared by the parts of the trace: trace.c (making it, nodes), trace_pass.c (the computation),
 * trace_hash.c (rows to leaves and spill file), trace_rows.c (rows again). */
#ifndef LKS_ORACLE_TRACE_TRACE_INTERNAL_H
#define LKS_ORACLE_TRACE_TRACE_INTERNAL_H

#include "oracle/engine/engine.h"
#include "oracle/engine/policy.h"
#include "oracle/trace/trace.h"

/* A build with LKS_FAULTS, which only tests and the devnet make, changes rows here: each in
 * committed form before it is hashed, kept or handed out, from any thread. */
#ifdef LKS_FAULTS
#include "oracle/trace/fault.h"
#else
static inline void lks_fault_row(uint32_t op, uint32_t row, uint8_t *bytes, size_t len)
{
    (void)op, (void)row, (void)bytes, (void)len;
}
#endif

struct lks_trace {
    const lks_model *model;
    const atomic_bool *cancel;
    int (*before_pass)(void *user);
    void *user;
    unsigned threads;
    bool tokens_only;
    lks_run run; /* points into ids and allowed */
    lks_sampling sampling;
    uint32_t *ids; /* prompt, then answer */
    uint32_t *allowed;
    uint32_t *tokens;
    uint32_t positions, sampled; /* T, N */
    lks_shape *shapes;           /* one an operation, as the next three */
    uint64_t *first_leaf;        /* and one more: the number of leaves */
    uint64_t *first_byte;        /* of its rows in the file; and one more: its size */
    uint8_t (*roots)[32];
    uint8_t (*leaves)[32]; /* operation by operation, without padding (openings.h) */
    lks_spill_file rows;   /* where its rows are; closed: nowhere */
    char rows_fault[192];  /* why not, where they were to be kept; else empty */
};

/* From now on rows are computed again: what the error message says went wrong with their file. */
void lks_trace_drop_rows(lks_trace *t);

/* ---- trace_pass.c ---- */

/* A computation of the claim's positions. `output` gets every operation's rows but SAMPLE's,
 * `sample` SAMPLE's and the token; row numbers begin at the claim's first sampled position. Either
 * may be NULL. skip, where it is not NULL, says which sampled rows need no logits. Calls come from
 * the calling thread. */
typedef struct lks_trace_pass {
    const lks_trace *trace;
    void (*output)(struct lks_trace_pass *p, uint32_t op, const lks_op_output *o,
                   uint32_t first_row);
    void (*sample)(struct lks_trace_pass *p, uint32_t row, const lks_sample_row *sample,
                   uint32_t token);
    bool (*skip)(const struct lks_trace_pass *p, uint32_t row);
    uint32_t positions;     /* to compute */
    uint32_t ops;           /* as of lks_session_options */
    lks_session *session;   /* while it runs */
    uint32_t first_sampled; /* row of the batch's first sampled position */
} lks_trace_pass;

/* Bytes that a pass over so many positions allocates at most, with the logits of sampled rows;
 * UINT64_MAX as of lks_session_bytes. */
uint64_t lks_trace_pass_bytes(const lks_model *m, uint32_t positions, unsigned threads);
LKS_MUST_USE
lks_err lks_trace_pass_open(lks_trace_pass *p);
LKS_MUST_USE
lks_err lks_trace_pass_run(lks_trace_pass *p);
void lks_trace_pass_close(lks_trace_pass *p);

/* ---- trace_hash.c ---- */

/* Out: row `t` of an output of the engine (kind KV: head * head_rows + position) in committed form.
 */
void lks_trace_store_row(uint8_t *bytes, const lks_op *op, const lks_op_output *o, size_t t);
void lks_trace_store_sample(uint8_t bytes[8], const lks_sample_row *s);

/* Hashes rows into the leaves of a trace and writes them to its file. */
typedef struct lks_trace_hasher lks_trace_hasher;
LKS_MUST_USE
lks_err lks_trace_hasher_open(lks_trace_hasher **out, lks_trace *t, lks_pool *pool);
void lks_trace_hasher_close(lks_trace_hasher *h);
/* The output's rows are the operation's rows from first_row on (kind KV: of every head). The pool
 * does it with its next loop: the rows must stay until then. */
void lks_trace_hasher_output(lks_trace_hasher *h, uint32_t op, const lks_op_output *o,
                             uint32_t first_row);
void lks_trace_hasher_sample(lks_trace_hasher *h, uint32_t row, const lks_sample_row *s);
/* Computes the operations' roots. */
void lks_trace_hasher_finish(lks_trace_hasher *h);

#endif
