/* The trace: the op-major Merkle tree over every operation's output of a claim, by teacher forcing
 * (docs/SPEC.md, trees).
 *
 * The forward pass of prompt and answer is computed again in batches; no sampling decides what
 * comes next. Rows in their committed form: F32 and RMS   the floats, little-endian A8 an entry of
 * 8 bytes a block (d as float32, idx as u32), in block order, then the i8 values SAMPLE        the
 * maximal logit as float32, its index as u32
 *
 * Memory of a trace: 32 bytes a chunk of 1,024 (the leaves' hashes; every node above is computed
 * from them when it is asked for) and 32 an operation. While it is made, and while rows are read
 * again: beside that one session (engine.h) whose batch is LKS_TRACE_BATCH positions, 64 rows of
 * logits, and a few rows a thread and a size of rows. Rows are kept in a file where a spill was
 * given and has room for them; else, and when that file fails, they are computed again in one pass.
 * A trace belongs to one thread at a time, but for its shapes, nodes and root, which other threads
 * may read meanwhile: they never change. The model must outlive it.
 */
#ifndef LKS_ORACLE_TRACE_TRACE_H
#define LKS_ORACLE_TRACE_TRACE_H

#include "oracle/trace/claim.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/shape.h"
#include "oracle/trace/spill.h"

#include <stdatomic.h>

#define LKS_TRACE_BATCH 256u
/* The tree above operations, as op of a node. */
#define LKS_TOP 65535u

typedef struct lks_trace lks_trace;

typedef struct lks_trace_options {
    unsigned threads; /* 0: one for every core */
    lks_spill *spill; /* keep the rows there; NULL: compute them again when they are read */
    const atomic_bool *cancel; /* set from any thread: ends with LKS_REFUSED soon, lks_trace_rows
                                  too; outlives the trace; may be NULL */
    bool tokens_only; /* compute the tokens alone: no leaf is hashed, and only the functions marked
                         T may be called */
    /* Called before each batch of at most LKS_TRACE_BATCH positions goes through the model, on the
     * calling thread, by lks_trace_rows too; it may block. Non-zero: ends with LKS_REFUSED. May be
     * NULL. */
    int (*before_pass)(void *user);
    void *user;
} lks_trace_options;

/* Computes the claim again. Copies the run.
 * Returns: LKS_OK; LKS_BADARGS (no prompt or answer, an id outside the vocabulary, too many
 * positions, a policy that a request cannot state); LKS_REFUSED (cancelled); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                       const lks_trace_options *options);
void lks_trace_free(lks_trace *t);
/* Replaces cancel, before_pass and user of the options for the calls to come: the trace goes to
 * another owner. */
void lks_trace_hand_over(lks_trace *t, const atomic_bool *cancel, int (*before_pass)(void *user),
                         void *user);

/* Memory and disk that a trace needs, by the model's shapes; bytes. */
typedef struct lks_trace_needs {
    uint64_t kept; /* of memory, as long as it exists */
    uint64_t pass; /* of memory, beside that: while it is made, or rows are computed again */
    uint64_t rows; /* of the disk, where they are kept */
} lks_trace_needs;

/* Plans the trace of a claim of so many tokens. In: threads, as in the options. Returns: false when
 * the model has not so many positions, or memory is out. */
bool lks_trace_plan(lks_trace_needs *out, const lks_model *m, size_t prompt, size_t answer,
                    unsigned threads);

const lks_run *lks_trace_run(const lks_trace *t);     /* T */
const lks_model *lks_trace_model(const lks_trace *t); /* T */
/* T. Out: the token that the model gives at each of the N sampled positions, after the claim's own
 * tokens before it. */
const uint32_t *lks_trace_tokens(const lks_trace *t);
/* T. Index of the first token that differs from the claim's; N when all are right. */
uint32_t lks_trace_first_wrong_token(const lks_trace *t);

void lks_trace_shape(lks_shape *s, const lks_trace *t, uint32_t op);
/* Out: the hash of a node: (op, height, index), op LKS_TOP for the tree above operations, whose
 * height 0 are the operations' roots. */
void lks_trace_node(uint8_t hash32[32], const lks_trace *t, uint32_t op, unsigned height,
                    uint64_t index);
void lks_trace_root(uint8_t hash32[32], const lks_trace *t);
/* Leaves, and bytes of all of them. */
uint64_t lks_trace_leaf_count(const lks_trace *t);
uint64_t lks_trace_size(const lks_trace *t);

/* One row wanted; bytes: room for the row, filled by lks_trace_rows. */
typedef struct lks_trace_row {
    uint32_t op, row;
    uint8_t *bytes;
} lks_trace_row;

/* Fills all rows, from the file that they are kept in, or in one pass over the positions up to the
 * last that is needed. A row that the file gives is hashed first: one that it has lost or changed
 * ends the file.
 * Returns: LKS_OK; LKS_BADARGS (a row that the trace does not have); LKS_REFUSED (cancelled);
 * LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);
/* Whether rows are read from a file. */
bool lks_trace_keeps_rows(const lks_trace *t);
/* Why they are not, although a spill was given. Returns: NULL when they are, or were not to be. */
const char *lks_trace_rows_fault(const lks_trace *t);

#endif
