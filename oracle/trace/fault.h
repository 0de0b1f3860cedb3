/* Faults on purpose, for tests and the devnet's liar. Compiled with LKS_FAULTS only; no product has
 * this file.
 *
 * They come from the environment variable LOCKSTEP_FAULT, several joined by commas:
 *   token:I              token I of every answer is claimed wrong; the trace of the claim is honest
 *   bit:OP:ROW:BYTE:BIT  that bit of the operation's output is flipped in traces; nothing follows
 * from it silent:MOVE          the operator withholds a move: trace, reveal, leaf or partials
 *   accuse               the challenger disputes every claim, wrong or not
 *   hold:FILE            the operator's model computes its answer again and again while FILE
 * exists; the run that measures its speed too Thread rule: any thread; the variable is read once.
 */
#ifndef LKS_ORACLE_TRACE_FAULT_H
#define LKS_ORACLE_TRACE_FAULT_H

#include "chain/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lks_fault_move {
    LKS_FAULT_TRACE,
    LKS_FAULT_REVEAL,
    LKS_FAULT_LEAF,
    LKS_FAULT_PARTIALS
} lks_fault_move;

/* Returns: LKS_OK; LKS_BADARGS (the variable says something else). To be called first. */
LKS_MUST_USE
lks_err lks_fault_check(void);

/* In/Out: a row in its committed form, before it is hashed or read. */
void lks_fault_row(uint32_t op, uint32_t row, uint8_t *bytes, size_t size);
/* In/Out: an answer that is about to be claimed. allowed may be NULL. */
void lks_fault_answer(uint32_t *tokens, uint32_t count, uint32_t max_tokens, uint32_t vocab_size,
                      const uint32_t *allowed, size_t allowed_count);
bool lks_fault_is_silent(lks_fault_move move);
bool lks_fault_accuses(void);
/* Whether an answer that is complete is to be computed once more. */
bool lks_fault_holds(void);

#endif
