/* Claims and disputes that an account has at stake: its claims that can still fall, and the live
 * disputes that it is a party to. */
#ifndef LKS_CLI_OPEN_CLAIMS_H
#define LKS_CLI_OPEN_CLAIMS_H

#include "oracle/cli/dispute_list.h"

typedef struct lks_open_claim {
    uint8_t name[32]; /* in the oracle */
    uint64_t window_end;
} lks_open_claim;

/* All zero: none. */
typedef struct lks_open_claims {
    lks_open_claim *items;
    size_t count;
    lks_dispute_list disputes; /* as operator or as challenger */
} lks_open_claims;

/* In: from, the first block to look at (lks_lookback_block). Out: *out, to be freed in either case.
 * Returns: LKS_OK; what the node's calls return. */
LKS_MUST_USE
lks_err lks_open_claims_get(lks_open_claims *out, lks_link *s, const uint8_t address20[20],
                            uint64_t from);
void lks_open_claims_free(lks_open_claims *c);

/* Rows for people; now: the chain's time. */
void lks_open_claims_print(const lks_open_claims *c, uint64_t now);
/* Members "openClaims" and "disputes" of an object. */
void lks_open_claims_json(lks_json_writer *w, const lks_open_claims *c);

#endif
