/* Typed calls of the Ethereum JSON-RPC, over anything that can make a call: our own client
 * (chain/rpc.h) or a plugin host's rpc. Source: ethereum/execution-apis. Every answer is checked
 * member by member; one that does not fit is LKS_CORRUPT. All functions block as long as the call
 * does. Common returns, beside those that a function names: what the call returns, LKS_REMOTE (the
 * node's error), LKS_CORRUPT, LKS_NOMEM. Only the methods that every plugin host serves are used.
 * Thread rule: as the call function; no state of its own.
 */
#ifndef LKS_CHAIN_ETH_H
#define LKS_CHAIN_ETH_H

#include "chain/buf.h"
#include "chain/eth_ranges.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Calls method with params_json, a JSON array, and waits for the answer.
 * Out: answer, cleared first: on LKS_OK the text of "result", on LKS_REMOTE the text of "error",
 * else empty. */
typedef lks_err (*lks_eth_call_fn)(void *context, const char *method, const char *params_json,
                                   lks_buf *answer);

/* A node: `lks_eth node = {lks_rpc_call_sync, rpc, &ranges};` */
typedef struct lks_eth {
    lks_eth_call_fn call;
    void *context;
    lks_eth_ranges
        *ranges; /* what the node answers of logs, remembered between calls; NULL: it is not */
} lks_eth;

/* Names of blocks, for the parameters called block: these, or a QUANTITY text ("0x10"). */
#define LKS_ETH_LATEST "latest"
#define LKS_ETH_PENDING "pending"
#define LKS_ETH_SAFE "safe"
#define LKS_ETH_FINALIZED "finalized"
/* Out: what names a block by its hash (EIP-1898), for lks_eth_call. */
#define LKS_ETH_AT_HASH_SIZE 83
void lks_eth_at_hash(char text[LKS_ETH_AT_HASH_SIZE], const uint8_t hash32[32]);

lks_err lks_eth_chain_id(const lks_eth *node, uint64_t *out) LKS_MUST_USE;
/* Returns also: LKS_AUTH when the node's chain id is not the expected one; the reason names both.
 */
lks_err lks_eth_check_chain_id(const lks_eth *node, uint64_t expected) LKS_MUST_USE;
lks_err lks_eth_block_number(const lks_eth *node, uint64_t *out) LKS_MUST_USE;
lks_err lks_eth_balance(const lks_eth *node, const uint8_t address20[20], const char *block,
                        lks_u256 *wei) LKS_MUST_USE;
/* The number of transactions that address sent; with LKS_ETH_PENDING those in the pool too. */
lks_err lks_eth_nonce(const lks_eth *node, const uint8_t address20[20], const char *block,
                      uint64_t *out) LKS_MUST_USE;

typedef struct lks_eth_header {
    uint64_t number;
    uint64_t timestamp; /* Unix seconds */
    uint8_t hash[32];
    uint8_t parent_hash[32];
    lks_u256 base_fee; /* wei a gas; 0 before EIP-1559 */
    uint64_t gas_limit;
    uint64_t gas_used;
    bool has_bloom; /* the node gave one */
    uint8_t logs_bloom[256];
} lks_eth_header;

/* The header of a block by its name or number text. Returns also: LKS_NOTFOUND. */
lks_err lks_eth_header_at(const lks_eth *node, const char *block, lks_eth_header *out) LKS_MUST_USE;
lks_err lks_eth_header_by_number(const lks_eth *node, uint64_t number,
                                 lks_eth_header *out) LKS_MUST_USE;
lks_err lks_eth_header_by_hash(const lks_eth *node, const uint8_t hash32[32],
                               lks_eth_header *out) LKS_MUST_USE;

/* The RLP of a block's header, and its prevRandao (lks_header_rlp of chain/header.h).
 * Returns also: LKS_NOTFOUND. */
lks_err lks_eth_header_rlp(const lks_eth *node, uint64_t number, lks_buf *rlp,
                           uint8_t prev_randao32[32]) LKS_MUST_USE;

typedef struct lks_eth_fees {
    lks_u256 base_fee;         /* of the next block, wei a gas */
    lks_u256 max_priority_fee; /* what the node suggests; never 0 */
    lks_u256 max_fee; /* 2 * base_fee + max_priority_fee: good for six full blocks in a row */
} lks_eth_fees;

lks_err lks_eth_suggest_fees(const lks_eth *node, lks_eth_fees *out) LKS_MUST_USE;

/* A call to be simulated. */
typedef struct lks_eth_message {
    const uint8_t *from20; /* may be NULL */
    const uint8_t *to20;   /* NULL: contract creation */
    lks_u256 value;        /* wei */
    const uint8_t *data;
    size_t data_len;
    uint64_t gas;              /* limit; 0: the node's own */
    const char *const *errors; /* signatures of custom errors, for the reason of a revert; see
                                  lks_abi_revert_text. May be NULL */
} lks_eth_message;

/* Runs a message without a transaction. Out: result, cleared first, the bytes returned; revert,
 * cleared first, the bytes reverted with (may be NULL). Returns also: LKS_REFUSED: the contract
 * reverted; the reason says with what. */
lks_err lks_eth_call(const lks_eth *node, const lks_eth_message *message, const char *block,
                     lks_buf *result, lks_buf *revert) LKS_MUST_USE;
/* Out: the gas a transaction would need. Returns also: LKS_REFUSED: it would revert; the reason
 * says with what. */
lks_err lks_eth_estimate_gas(const lks_eth *node, const lks_eth_message *message,
                             uint64_t *gas) LKS_MUST_USE;

/* Sends a signed transaction. Out: hash32, computed here. A node that already knows it is no
 * failure. Returns also: LKS_REFUSED: the node turned it down for good (nonce too low, insufficient
 * funds, underpriced replacement); LKS_REMOTE otherwise. */
lks_err lks_eth_send_raw(const lks_eth *node, const uint8_t *raw, size_t len,
                         uint8_t hash32[32]) LKS_MUST_USE;

/* Whether an "error" of eth_sendRawTransaction only says that the node has the transaction already.
 */
bool lks_eth_tx_is_known(const char *error_json, size_t len);

/* One event log. */
typedef struct lks_eth_log {
    uint8_t address[20];
    uint8_t topic_count; /* 0 to 4 */
    uint8_t topics[4][32];
    uint8_t block_hash[32];
    uint8_t tx_hash[32];
    uint64_t block_number;
    uint32_t tx_index;
    uint32_t log_index; /* within the block */
    bool removed;       /* by a re-org */
    uint8_t *data;      /* owned by the list */
    size_t data_len;
} lks_eth_log;

typedef struct lks_eth_logs {
    lks_eth_log *items;
    size_t count;
} lks_eth_logs;

/* Frees the logs and leaves an empty list. Harmless on `lks_eth_logs logs = {0}`. */
void lks_eth_logs_free(lks_eth_logs *logs);

typedef struct lks_eth_receipt {
    bool success;
    uint64_t block_number;
    uint8_t block_hash[32];
    uint64_t gas_used;
    lks_u256 gas_price; /* effective, wei */
    bool has_contract;  /* the transaction created one */
    uint8_t contract[20];
    lks_eth_logs logs; /* owned */
} lks_eth_receipt;

/* Returns also: LKS_NOTFOUND: not in a block yet (or not known). On LKS_OK out is to be freed. */
lks_err lks_eth_receipt_get(const lks_eth *node, const uint8_t hash32[32],
                            lks_eth_receipt *out) LKS_MUST_USE;
void lks_eth_receipt_free(lks_eth_receipt *receipt);
/* Asks every 200 ms until the receipt is there. Returns also: LKS_TIMEOUT. */
lks_err lks_eth_receipt_wait(const lks_eth *node, const uint8_t hash32[32], uint32_t timeout_ms,
                             lks_eth_receipt *out) LKS_MUST_USE;

/* Whether the node knows the transaction, in a block or in its pool. */
lks_err lks_eth_tx_known(const lks_eth *node, const uint8_t hash32[32], bool *known,
                         bool *in_block) LKS_MUST_USE;

typedef struct lks_eth_filter {
    const uint8_t (*addresses)[20]; /* address_count of them; NULL: any */
    size_t address_count;
    const uint8_t (*topics0)[32]; /* topic 0 is one of these; NULL: any */
    size_t topic0_count;
    const uint8_t *topics[3]; /* topics 1 to 3; NULL: any */
    const uint8_t (
        *topics1)[32]; /* topic 1 is one of these, in place of topics[0]; NULL: that says it */
    size_t topic1_count;
} lks_eth_filter;

/* Every log of blocks from to to (both included) that passes the filter (NULL: all), in chain
 * order. Asks for step blocks at a time (0 means 2,000) or for as many as the node has shown to
 * answer (chain/eth_ranges.h): fewer when it refuses, down to one, and when the connection is lost
 * or an answer is unreadable twice at the same range. Out: logs, an empty list before; appended to;
 * freed by the caller, also after a failure. Returns also: LKS_BUSY, at once: the node asks for
 * fewer calls. */
lks_err lks_eth_get_logs(const lks_eth *node, const lks_eth_filter *filter, uint64_t from,
                         uint64_t to, uint64_t step, lks_eth_logs *logs) LKS_MUST_USE;
/* The same, and keeps what it has: in and out, *from is the first block whose logs are not in the
 * list. After a failure the caller may go on later with the same *from and list, or use what is
 * there. */
lks_err lks_eth_get_logs_on(const lks_eth *node, const lks_eth_filter *filter, uint64_t *from,
                            uint64_t to, uint64_t step, lks_eth_logs *logs) LKS_MUST_USE;
/* Every log of one block, named by its hash, so that a re-org cannot mix blocks. */
lks_err lks_eth_get_block_logs(const lks_eth *node, const lks_eth_filter *filter,
                               const uint8_t hash32[32], lks_eth_logs *logs) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
