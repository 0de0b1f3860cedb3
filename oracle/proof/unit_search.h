/* Which unit of proof shows a fault, given what the own computation has in its place. Every unit
 * that is handed back was checked to show it. */
#ifndef LKS_ORACLE_PROOF_UNIT_SEARCH_H
#define LKS_ORACLE_PROOF_UNIT_SEARCH_H

#include "oracle/proof/step.h"

/* A fault that is looked for. The reader of the functions below shows the operator's side, and
 * serves every read of a unit of the leaf. */
typedef struct lks_suspect {
    const lks_facts *facts;
    const lks_op *op;
    const lks_shape *shape; /* of the operation's output */
    uint32_t index;         /* of the operation */
    uint32_t leaf;
    const uint32_t *allowed; /* the list of facts->allowed_count, or NULL */
} lks_suspect;

/* own, shown: the leaf's bytes. Out: *u; for a leaf of ATTN the first element that differs, as kind
 * OUTPUT, unchecked. Returns: LKS_OK; LKS_NOTFOUND (every unit agrees); LKS_REFUSED (malformed
 * program); what the reader returns. */
LKS_MUST_USE
lks_err lks_unit_search(lks_unit *u, const lks_suspect *s, const uint8_t *own, const uint8_t *shown,
                        lks_reader *reader);

/* The same for token s->leaf of the answer. claimed, own: the token of the answer and the one that
 * the model gives. For a token that is not in the allowed list the unit is of kind UNLISTED, and
 * the reader need only have the lists. */
LKS_MUST_USE
lks_err lks_unit_search_token(lks_unit *u, const lks_suspect *s, uint32_t claimed, uint32_t own,
                              lks_reader *reader);

/* The same for the partials of an element of the leaf, at a position. own, shown: valid partials.
 */
LKS_MUST_USE
lks_err lks_unit_search_partial(lks_unit *u, const lks_suspect *s, uint32_t position,
                                uint32_t element, const uint8_t *own, const uint8_t *shown,
                                lks_reader *reader);

/* Whether there is an allowed list and it lacks the id. Out: *place, the number of its elements
 * below the id. */
bool lks_suspect_lacks(const lks_suspect *s, uint32_t *place, uint32_t id);

/* Number of elements of a strictly increasing list below an id. */
uint32_t lks_count_below(const uint32_t *list, uint32_t count, uint32_t id);

#endif
