/* How far back a claim that can still be disputed, or whose dispute is live, may lie. */
#ifndef LKS_CLI_LOOKBACK_H
#define LKS_CLI_LOOKBACK_H

#include "oracle/cli/link.h"

/* Out: the first block that such a claim can be in. Of a deployment with a dispute game.
 * Returns: LKS_OK; what the node's calls return. */
LKS_MUST_USE
lks_err lks_lookback_block(uint64_t *block, lks_link *s);

#endif
