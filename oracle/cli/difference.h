/* Where an operator's opened trace first differs from the own one, as far as it has been revealed.
 * Pure. */
#ifndef LKS_CLI_DIFFERENCE_H
#define LKS_CLI_DIFFERENCE_H

#include "oracle/cli/place.h"
#include "oracle/dispute/player.h"

typedef enum lks_difference_kind {
    LKS_DIFFERENCE_CLOSED = 0, /* the trace is not open */
    LKS_DIFFERENCE_NONE,       /* its root matches ours */
    LKS_DIFFERENCE_NODE, /* the first difference lies below this node, which is the deepest revealed
                          */
    LKS_DIFFERENCE_BYTE  /* this byte of a revealed leaf */
} lks_difference_kind;

typedef struct lks_difference {
    lks_difference_kind kind;
    uint8_t own_root[32];
    uint32_t op; /* LKS_TOP: the tree above operations */
    unsigned height;
    uint64_t index;
    lks_trace_place place; /* BYTE; the next two too */
    uint8_t theirs, own;
} lks_difference;

/* Returns: LKS_OK; LKS_CORRUPT (what was revealed does not have the hash of its node); what
 * lks_trace_rows returns. */
LKS_MUST_USE
lks_err lks_difference_find(lks_difference *out, lks_trace *own, const lks_shown *shown);

/* Out: "its root matches ours", "its root differs from ours; the first difference lies in ...". */
void lks_difference_text(char text[2 * LKS_PLACE_SIZE], const lks_difference *d,
                         const lks_place_run *run);
/* Members of an object: "open", "same", "within" or "place". */
void lks_difference_json(lks_json_writer *w, const lks_difference *d, const lks_place_run *run);

#endif
