/* One element of an attention row of a trace of one's own, and the partials that it is made of. */
#ifndef LKS_ORACLE_PROOF_ELEMENT_H
#define LKS_ORACLE_PROOF_ELEMENT_H

#include "oracle/proof/operator_view.h"

typedef struct lks_element {
    uint32_t op, row;
    uint32_t number; /* in the row */
} lks_element;

/* Asks the view for what the partials are made of: the query's row, and the keys and values of the
 * element's head at every position up to the row's.
 * Returns: LKS_OK; LKS_BADARGS (the trace has no such element); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_element_want(lks_view *v, const lks_element *e);
/* Computes the partials of an element that was asked for, after lks_view_fetch. Out: *out, *len
 * bytes, allocated; free with free(). Returns: LKS_OK; LKS_NOMEM, and *out is NULL. */
LKS_MUST_USE
lks_err lks_element_partials(uint8_t **out, size_t *len, const lks_view *v, const lks_element *e);

#endif
