/* The search for the unit of proof that shows an operator's claim wrong (docs/SPEC.md, section 13).
 *
 * Each unit that is returned was checked to show the fault. */
#ifndef LKS_ORACLE_PROOF_UNIT_FIND_H
#define LKS_ORACLE_PROOF_UNIT_FIND_H

#include "oracle/proof/witness.h"

/* Finds a unit of a leaf whose bytes differ from the own trace's that shows it wrong. For a leaf of
 * ATTN: the element whose partials are to be demanded (kind OUTPUT). Out: *u. Returns: LKS_OK;
 * LKS_NOTFOUND (every unit agrees: the fault lies elsewhere); as lks_witness_make. */
LKS_MUST_USE
lks_err lks_unit_find(lks_unit *u, lks_trace *own, const lks_model_trees *trees,
                      const lks_known *known, uint32_t op, uint32_t leaf);
/* Finds a unit that shows token `index` of the answer wrong. Kind UNLISTED, of a token that is not
 * in the allowed list, needs nothing of the operator's trace; kind TOKEN needs the operator's
 * SAMPLE and NORM_Q rows to equal ours. */
LKS_MUST_USE
lks_err lks_unit_find_token(lks_unit *u, lks_trace *own, uint32_t index);

/* Out: the partials of an attention element, appended to nothing: *out of *len bytes, to be freed
 * with free. */
LKS_MUST_USE
lks_err lks_partials_make(uint8_t **out, size_t *len, lks_trace *own, uint32_t op, uint32_t row,
                          uint32_t element);
/* Finds the unit (a kind PARTIAL) that shows the operator's partials wrong. Returns also
 * LKS_NOTFOUND. */
LKS_MUST_USE
lks_err lks_unit_find_partial(lks_unit *u, lks_trace *own, const lks_known *known, uint32_t op,
                              uint32_t leaf, uint32_t element, const uint8_t *partials, size_t len);

#endif
