/* Applies logs of the oracle to our jobs. */
#ifndef LKS_PLUGIN_EVENTS_H
#define LKS_PLUGIN_EVENTS_H

#include "plugin/lockstep_plugin.h"
#include "plugin/models.h"
#include "plugin/store.h"

typedef struct lks_events {
    lks_store *store;
    const lks_models *models;
    const lockstep_host *host; /* for its log */
    lks_store_identity who;
} lks_events;

/* Applies one log of the oracle, found in a canonical block. Within a transaction of the store. A
 * log that does not concern us, or does not follow its declaration, changes nothing. Returns:
 * LKS_OK, or what the store returns. */
lks_err lks_events_apply(const lks_events *e, const lks_block_ref *block, uint64_t time,
                         const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                         size_t len) LKS_MUST_USE;

/* "0x" and the first 8 digits of an id, for log lines. */
#define LKS_SHORT_ID_SIZE 11
void lks_short_id(char text[LKS_SHORT_ID_SIZE], const uint8_t id32[32]);

#endif
