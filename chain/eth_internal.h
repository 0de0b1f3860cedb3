/* Shared by the files of the typed Ethereum calls. */
#ifndef LKS_CHAIN_ETH_INTERNAL_H
#define LKS_CHAIN_ETH_INTERNAL_H

#include "chain/eth.h"
#include "chain/json.h"

/* One call: its parameters are put by w between eth_begin and eth_ask; then doc is the answer's
 * "result", or, after LKS_REMOTE, its "error". */
typedef struct eth_request {
    const char *method;
    lks_buf params;
    lks_json_writer w;
    lks_buf text; /* what doc points into */
    lks_json doc;
} eth_request;

void eth_begin(eth_request *r, const char *method);
lks_err eth_ask(eth_request *r, const lks_eth *node) LKS_MUST_USE;
/* After eth_begin, in any case. */
void eth_end(eth_request *r);

/* Puts "in the node's answer to METHOD, member NAME" in front of the reason of a failure to read
 * it. */
lks_err eth_bad_member(const eth_request *r, lks_err err, const char *name);

/* The members of an object in the answer, each failing with eth_bad_member. */
lks_err eth_u64(const eth_request *r, int object, const char *name, uint64_t *out) LKS_MUST_USE;
lks_err eth_u32(const eth_request *r, int object, const char *name, uint32_t *out) LKS_MUST_USE;
lks_err eth_u256(const eth_request *r, int object, const char *name, lks_u256 *out) LKS_MUST_USE;
lks_err eth_fixed(const eth_request *r, int object, const char *name, uint8_t *out,
                  size_t len) LKS_MUST_USE;

/* Appends one log. */
lks_err eth_add_log(lks_eth_logs *logs, const eth_request *r, int node) LKS_MUST_USE;

#endif
