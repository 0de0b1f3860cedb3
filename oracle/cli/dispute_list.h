/* The disputes of a deployment, a claim or a request, by their Challenged events. */
#ifndef LKS_CLI_DISPUTE_LIST_H
#define LKS_CLI_DISPUTE_LIST_H

#include "chain/json.h"
#include "oracle/cli/follow.h"

typedef struct lks_dispute_row {
    uint8_t id[32], claim_id[32];
    lks_dispute_terms terms;
    /* Whether the claim is the oracle's; then request, attempt and seat of its name. */
    bool of_oracle;
    uint8_t request_id[32], attempt, seat;
    uint64_t block;
    lks_dispute_view now;
    lks_claim_status claim_status;
} lks_dispute_row;

typedef struct lks_dispute_list {
    lks_dispute_row *rows;
    size_t count;
    uint64_t time; /* of the newest block */
} lks_dispute_list;

/* Each NULL: any. */
typedef struct lks_dispute_query {
    const uint8_t *claim32, *request32, *dispute32, *challenger20;
    uint64_t from; /* block; 0: the deployment's first */
    bool all;      /* also those that are over */
} lks_dispute_query;

/* Out: *out, to be freed in either case. */
LKS_MUST_USE
lks_err lks_dispute_list_get(lks_dispute_list *out, lks_link *s, const lks_dispute_query *query);
void lks_dispute_list_free(lks_dispute_list *l);
/* Out: the dispute of that id, from its Challenged event. Returns also: LKS_NOTFOUND; LKS_REFUSED
 * (it is about a claim of another source than the deployment's oracle). */
LKS_MUST_USE
lks_err lks_dispute_row_get(lks_dispute_row *out, lks_link *s, const uint8_t dispute_id32[32]);

/* Returns: the exit code. */
int lks_dispute_list_print(const lks_dispute_list *l, bool json);
/* A member "disputes" of an object. */
void lks_dispute_list_json(lks_json_writer *w, const lks_dispute_list *l);
/* "pick, operator to move until ...", "over". */
void lks_dispute_row_text(char *text, size_t size, const lks_dispute_row *r, uint64_t now);

#endif
