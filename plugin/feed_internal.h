/* Shared by the files of the feed. */
#ifndef LKS_PLUGIN_FEED_INTERNAL_H
#define LKS_PLUGIN_FEED_INTERNAL_H

#include "plugin/feed.h"

/* Forgets everything above height, in one transaction, and makes the newest block that is left the
 * head, or anchor, a canonical block of that height, where it is not NULL. Returns also:
 * LKS_REFUSED: a block that was final is above height. A failure is told. */
lks_err lks_feed_rewind(lks_feed *f, uint64_t height, const lks_store_block *anchor) LKS_MUST_USE;
/* Takes back what is no longer canonical by the node's word. In: the node's newest block. */
lks_err lks_feed_follow_fork(lks_feed *f, const lks_eth_header *newest) LKS_MUST_USE;
/* Filter for the oracle's events in a block. topics: room for their topics. */
lks_eth_filter lks_feed_oracle_filter(const lks_feed *f, uint8_t topics[LKS_EVENT_KIND_COUNT][32]);
/* Asks the node now and then which block is final. */
void lks_feed_learn_final(lks_feed *f);

#endif
