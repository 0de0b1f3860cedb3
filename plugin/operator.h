/* The operator role: accepts requests that pay, runs the model, claims, settles. One event thread owns everything here.
 *
 * operator.c opens it and turns its wheel, preflight.c checks the chain it finds itself on, act.c decides and does what is due.
 */
#ifndef LKS_PLUGIN_OPERATOR_H
#define LKS_PLUGIN_OPERATOR_H

#include "chain/signer.h"
#include "plugin/config.h"
#include "plugin/feed.h"
#include "plugin/node.h"
#include "plugin/sender.h"
#include "plugin/worker.h"

#include <stdatomic.h>

/* Something that failed, or was told, and is not to be tried, or told, again at once. */
typedef struct lks_pause {
    uint8_t request_id[32];
    lks_action action;
    uint64_t until_ms; /* monotonic */
} lks_pause;

#define LKS_PAUSES 256u

typedef struct lks_operator {
    const lockstep_host *host;
    const lks_config *config;
    const lks_models *models;
    lks_inbox *inbox;
    lks_node *rpc;
    const lks_signer *signer;
    lks_store *store;
    lks_worker *worker;
    lks_feed feed;
    lks_sender sender;

    bool checked;              /* the contracts were found to be what the configuration says */
    uint64_t next_check_ms;    /* monotonic, as all _ms below */
    uint64_t next_sync_ms;
    uint64_t next_tick_ms;
    uint64_t head_seen_ms;     /* when the head was taken */
    uint64_t head_seen;        /* its number */
    uint64_t interval_ms;      /* between blocks, as measured */
    uint32_t reveal_seconds;   /* the deployment's */
    lks_speed speeds[LKS_MAX_MODELS];
    uint32_t pause_ms;         /* what failed is tried again after that long */
    lks_pause pauses[LKS_PAUSES];
    size_t next_pause;
    atomic_uint_fast64_t finished; /* for finished_height */
} lks_operator;

/* Opens the store and starts the worker's thread. In: all outlive the operator. Returns: what lks_store_open returns; LKS_IO (no thread). */
lks_err lks_operator_open(lks_operator *op, const lockstep_host *host, const lks_config *config, const lks_models *models, lks_inbox *inbox,
                          lks_node *rpc, const lks_signer *signer) LKS_MUST_USE;
/* Cancels the inference that runs; frees. Harmless on one that is all zero. */
void lks_operator_close(lks_operator *op);

/* Works until the inbox is stopped. */
void lks_operator_run(lks_operator *op);
/* One turn: waits up to wait_ms for the inbox. Returns: false when that is stopped. */
bool lks_operator_turn(lks_operator *op, uint32_t wait_ms);

/* preflight.c: whether the node is on the configured chain. Returns: LKS_OK; LKS_AUTH; what chain/eth.h returns. */
lks_err lks_preflight_chain(lks_operator *op) LKS_MUST_USE;
/* preflight.c: whether the contracts are there and belong together; tells of missing funds, bond and registrations. */
lks_err lks_preflight_contracts(lks_operator *op) LKS_MUST_USE;

/* act.c: takes the worker's answer, if there is one, into the store. Returns: whether there was one. */
bool lks_act_answers(lks_operator *op);
/* act.c: looks after transactions, then does what every open job needs. */
void lks_act_tick(lks_operator *op);

/* Milliseconds of the monotonic clock. */
uint64_t lks_now_ms(void);
/* Chain time now: the head's time and what has passed since. */
uint64_t lks_chain_time(const lks_operator *op);

#endif
