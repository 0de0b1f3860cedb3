/* One view function, asked many times in one call.
 *
 * A node is given a contract creation to simulate, whose code calls the function once for each
 * argument and reverts with all that was returned, so that neither the size of a contract's code
 * nor the price of storing it bounds the answer. Nothing is created, and no contract has to be
 * deployed for it. */
#ifndef LKS_CHAIN_ETH_EACH_H
#define LKS_CHAIN_ETH_EACH_H

#include "chain/eth.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Arguments of one call. */
#define LKS_ETH_EACH_MOST 128u

/* Where the parts of the code are, for programs that stand in for a node. */
#define LKS_ETH_EACH_SELECTOR_AT 1u
#define LKS_ETH_EACH_ADDRESS_AT 37u
#define LKS_ETH_EACH_ARGUMENTS_AT 95u

typedef struct lks_eth_each {
    const uint8_t *to20;   /* the contract */
    const char *signature; /* of a function with one argument of one word: "disputeOf(bytes32)" */
    size_t returned;       /* bytes that every call of it returns, at most 65,535 */
    const uint8_t (*arguments)[32];
    size_t count; /* of them, 1 to LKS_ETH_EACH_MOST */
} lks_eth_each;

/* Asks at a block (as lks_eth_call). Out: results, cleared first, count times `returned` bytes, in
 * the order of the arguments. Returns also: LKS_REMOTE: the node would not do it, or one of
 * the calls failed: ask one by one. */
lks_err lks_eth_call_each(const lks_eth *node, const lks_eth_each *each, const char *block,
                          lks_buf *results) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
