/* The RLP of a block's header from the JSON of eth_getBlockByNumber: what `accept` of a sampled
 * request takes. Sources: execution-specs (Header of each fork), execution-apis (Block).
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_HEADER_H
#define LKS_CHAIN_HEADER_H

#include "chain/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a block, of whose members only those of the header matter, and checks that the RLP has the
 * hash that the block states.
 * Out: rlp, cleared first; prev_randao32, the block's mixHash; number, may be NULL.
 * Returns: LKS_OK; LKS_CORRUPT (a member is missing or malformed, or the hash is another: the
 * answer is wrong, or the chain's headers have a member that is not known here); LKS_NOMEM. After a
 * failure rlp is empty. */
lks_err lks_header_rlp(lks_buf *rlp, uint8_t prev_randao32[32], uint64_t *number, const char *json,
                       size_t len) LKS_MUST_USE;
/* The same of a node of a parsed document. */
lks_err lks_header_rlp_of(lks_buf *rlp, uint8_t prev_randao32[32], uint64_t *number,
                          const lks_json *doc, int block) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
