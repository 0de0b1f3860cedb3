/* The trace: the Merkle root of every operation's output over a whole answer, by teacher forcing (docs/SPEC.md, trace).
 *
 * The forward pass of the tokens is computed again in one batch; no sampling decides what comes next. Rows in their committed form:
 *   F32 and RMS   the floats, little-endian
 *   A8            an entry of 8 bytes a block (d as float32, idx as u32), in block order, then the i8 values
 *   SAMPLE        the maximal logit as float32, its index as u32
 */
#ifndef LKS_ORACLE_TRACE_H
#define LKS_ORACLE_TRACE_H

#include "oracle/generate.h"

/* Out: roots32, room for the program's op_count roots, in the program's order.
 * In: the prompt of P ids, the answer of N ids, the policy, threads (0: one for every core). Computes P + N - 1 positions; one batch of a layer's outputs,
 * the KV cache and one row of logits are held in memory.
 * Returns: LKS_OK, LKS_BADARGS (as lks_generate), LKS_NOMEM. */
LKS_MUST_USE lks_err lks_trace_roots(uint8_t (*roots32)[32], const lks_model *m, const uint32_t *prompt, size_t prompt_count, const uint32_t *answer,
                                     size_t answer_count, const lks_policy *policy, unsigned threads);

#endif
