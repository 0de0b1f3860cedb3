/* Bond and credit of an account in a deployment. */
#ifndef LKS_CLI_BOND_VIEW_H
#define LKS_CLI_BOND_VIEW_H

#include "chain/json.h"
#include "oracle/cli/credit.h"

typedef struct lks_bond_view {
    lks_u256 balance; /* of the account itself; all in wei */
    lks_bond_account bond;
    lks_credits credit; /* fees, refunds and rewards that it can withdraw from the oracle; bonds and
                           prepaid money from the dispute game */
} lks_bond_view;

LKS_MUST_USE
lks_err lks_bond_view_get(lks_bond_view *out, lks_link *s, const uint8_t address20[20]);
/* In: now, Unix seconds of the chain. */
void lks_bond_print(const lks_bond_view *b, uint64_t now);
/* Members of an object; amounts in wei, as decimal text. */
void lks_bond_json(lks_json_writer *w, const lks_bond_view *b);

#endif
