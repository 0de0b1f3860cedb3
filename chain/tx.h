/* Transactions of type 2. Source: EIP-1559: 0x02 || rlp([chain_id, nonce, max_priority_fee_per_gas,
 * max_fee_per_gas, gas_limit, destination, amount, data, access_list, y_parity, r, s]); what is
 * signed is Keccak-256 of the same without the last three. The access list is always empty. Thread
 * rule: no shared state.
 */
#ifndef LKS_CHAIN_TX_H
#define LKS_CHAIN_TX_H

#include "chain/buf.h"
#include "chain/signer.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Nodes relay no transaction over 128 KiB; this leaves room for all of it but the calldata. */
#define LKS_MAX_CALL_BYTES (128u * 1024u - 512u)
/* EIP-7825's limit of a transaction's gas. */
#define LKS_MAX_TX_GAS UINT64_C(16777216)

typedef struct lks_tx {
    uint64_t chain_id;
    uint64_t nonce;
    lks_u256 max_priority_fee; /* wei a gas */
    lks_u256 max_fee;          /* wei a gas, base fee included */
    uint64_t gas_limit;
    bool is_create; /* no destination: data is a contract's creation code */
    uint8_t to[20];
    lks_u256 value; /* wei */
    const uint8_t *data;
    size_t data_len;
} lks_tx;

/* Out: the digest to sign. Returns: LKS_OK or LKS_NOMEM. */
lks_err lks_tx_digest(uint8_t digest32[32], const lks_tx *tx) LKS_MUST_USE;

/* Signs. Out: raw, appended, what eth_sendRawTransaction takes; hash32, the transaction's hash.
 * Returns: LKS_OK; LKS_BADARGS (max_priority_fee above max_fee, chain_id 0); LKS_NOMEM;
 * LKS_INTERNAL. */
lks_err lks_tx_sign(lks_buf *raw, uint8_t hash32[32], const lks_tx *tx,
                    const lks_signer *signer) LKS_MUST_USE;

/* Reads a signed transaction of type 2 with an empty access list, strictly.
 * Out: tx, whose data points into raw; sender20, recovered from the signature; hash32. Each of the
 * last two may be NULL. Returns: LKS_OK; LKS_CORRUPT; LKS_REFUSED (another type, or an access
 * list). */
lks_err lks_tx_decode(lks_tx *tx, uint8_t sender20[20], uint8_t hash32[32], const uint8_t *raw,
                      size_t len) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
