/* The host's asynchronous rpc as calls that wait, for the plugin's own threads; and as an lks_eth.
 */
#ifndef LKS_PLUGIN_NODE_H
#define LKS_PLUGIN_NODE_H

#include "chain/eth.h"
#include "plugin/lockstep_plugin.h"

typedef struct lks_node lks_node;

/* A call without an answer after that long fails; mostly sooner (plugin/patience.h). */
#define LKS_NODE_TIMEOUT_MS 30000u

lks_err lks_node_new(lks_node **out, const lockstep_host *host, uint32_t timeout_ms) LKS_MUST_USE;
/* Frees, also what belongs to replies that never came. No reply may come any more. NULL is allowed.
 */
void lks_node_free(lks_node *node);

/* Sets the timeout of calls that begin from now on. Any thread. */
void lks_node_set_timeout(lks_node *node, uint32_t timeout_ms);

/* Ends every waiting call with LKS_IO and takes no more. Any thread. After it returned no thread is
 * inside host->rpc. */
void lks_node_close(lks_node *node);

/* The calls of chain/eth.h over this node, which remembers the ranges of logs that it answers. A
 * host's failure keeps its kind: LKS_TOO_LARGE, LKS_BUSY (also a host that is busy for the whole
 * time), LKS_TIMEOUT, else LKS_IO. */
lks_eth lks_node_eth(lks_node *node);

#endif
