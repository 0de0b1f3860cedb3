/* The operator's trace as far as it is known: what it revealed, and the own trace where it revealed
 * nothing. A reader for lks_step_check.
 *
 * Rows of the own trace are fetched when they are missed: the check meets zeros in their place, and
 * is made again after lks_view_fetch. Weights, descriptors and RoPE rows are the model's.
 */
#ifndef LKS_ORACLE_PROOF_OPERATOR_VIEW_H
#define LKS_ORACLE_PROOF_OPERATOR_VIEW_H

#include "oracle/proof/witness.h"

typedef struct lks_view {
    lks_reader reader;
    lks_trace *own;
    const lks_model *model;
    const lks_run *run;
    const lks_known *known;
    lks_facts facts;
    lks_trace_row *rows; /* [0, have) are there, sorted; [have, count) are wanted, in any order,
                            with repeats */
    size_t have, count, capacity;
    uint8_t **rooms; /* what was put together for the check at hand */
    size_t room_count, room_capacity;
    lks_witness *record; /* openings of what is read; NULL: none are made */
    const lks_model_trees *trees;
} lks_view;

/* known may be NULL. Everything is borrowed. */
void lks_view_open(lks_view *v, lks_trace *own, const lks_known *known);
void lks_view_close(lks_view *v);

/* Asks for a row of the own trace. Returns: LKS_OK; LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_view_want(lks_view *v, uint32_t op, uint32_t row);
bool lks_view_lacks(const lks_view *v);
/* Gets the rows asked for, in one pass. Returns: LKS_OK; what lks_trace_rows returns. */
LKS_MUST_USE
lks_err lks_view_fetch(lks_view *v);
/* A row that was fetched, as the own trace has it. */
const uint8_t *lks_view_row(const lks_view *v, uint32_t op, uint32_t row);

/* Frees what the last check was given, and the openings recorded: before a check is made again. */
void lks_view_restart(lks_view *v);

/* The leaf as the operator revealed it; NULL: it did not. */
const lks_known_leaf *lks_known_find_leaf(const lks_known *known, uint32_t op, uint64_t leaf);
/* A node of the operator's tree; as lks_trace_node. */
void lks_view_node(uint8_t hash32[32], const lks_view *v, uint32_t op, unsigned height,
                   uint64_t index);

/* ---- Parts of the reader ---- */

/* Out: chunks [first, end) of a row that the range covers. Returns: their bytes. */
size_t lks_view_span(const lks_range *g, uint32_t *first, uint32_t *end);
/* Add the opening of a range that was read as `bytes`, or of the piece of a list that holds an
 * element, to the record. */
LKS_MUST_USE
lks_err lks_view_record_range(lks_view *v, const uint8_t *bytes, const lks_range *g);
LKS_MUST_USE
lks_err lks_view_record_token(lks_view *v, const uint32_t *ids, size_t count, uint32_t index);

#endif
