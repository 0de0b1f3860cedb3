/* Transactions: estimated first, so that a refusal costs nothing; then signed, sent and awaited.
 *
 * One that stays out of blocks is replaced by a version with higher fees, under the link's ceilings
 * (oracle/cli/fees.h). What it can cost at most is said before it is signed. */
#ifndef LKS_CLI_SEND_H
#define LKS_CLI_SEND_H

#include "chain/json.h"
#include "oracle/cli/link.h"

typedef struct lks_sent {
    const char *what; /* static: "request" */
    uint8_t hash[32]; /* of the version that is in a block, else of the newest */
    double seconds;   /* from sending to the receipt */
    lks_eth_receipt receipt;
} lks_sent;

/* Sends calldata and value from the link's account. In: call, freed; call_err, what writing it
 * returned.
 * Out: *sent, to be freed with lks_sent_free; also when the transaction reverted.
 * Returns: LKS_PARSED, or the exit code after telling: LKS_EXIT_REFUSED also when the account has
 * transactions waiting that this command did not make and the link allows no other behind them. */
int lks_send(lks_link *s, lks_sent *sent, const char *what, const uint8_t to20[20],
             const lks_u256 *value, lks_buf *call, lks_err call_err);
void lks_sent_free(lks_sent *sent);

/* Writes {"what":...,"hash":...,"block":...,"gasUsed":...,"seconds":...}. */
void lks_sent_json(lks_json_writer *w, const lks_sent *sent);
/* Prints "request: transaction 0x..., block 12, 123456 gas" on standard error. */
void lks_sent_tell(const lks_sent *sent);

/* Finds an event of the wanted kind among the receipt's logs of one contract. Returns: whether
 * there is one. *event points into the receipt. */
bool lks_sent_event(lks_event *event, const lks_sent *sent, const uint8_t contract20[20],
                    lks_event_kind kind);

#endif
