/* The account that the plugin works for, in either role or both. As operator it accepts requests that pay, runs the model, claims, defends its claims and
 * settles them; as challenger it checks the claims of others and disputes wrong ones. One event thread owns everything here.
 *
 * operator.c opens it and turns its wheel, preflight.c checks the chain it finds itself on, act.c decides and does what is due for requests,
 * disputes.c for claims, moves.c makes and sends what belongs to a dispute.
 */
#ifndef LKS_PLUGIN_OPERATOR_H
#define LKS_PLUGIN_OPERATOR_H

#include "chain/signer.h"
#include "plugin/config.h"
#include "plugin/feed.h"
#include "plugin/match.h"
#include "plugin/node.h"
#include "plugin/prover.h"
#include "plugin/sender.h"
#include "plugin/worker.h"

#include <stdatomic.h>

/* Something that failed, or was told, and is not to be tried, or told, again at once. */
typedef struct lks_pause {
    uint8_t id[32]; /* of a request; of LKS_ACTION_MOVE a key */
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

    lks_prover *prover;           /* NULL without a dispute game */
    lks_game_deployment deployment;
    lks_u256 min_bond;            /* the game's */
    uint8_t secret[32];           /* decides which claims are in our share */
    uint64_t trace_us[LKS_MAX_MODELS]; /* a position, as measured; 0: not yet */
    lks_matches matches;
    atomic_uint_fast64_t finished; /* for finished_height */
} lks_operator;

/* Opens the store and starts the worker's thread. In: all outlive the operator. Returns: what lks_store_open returns; LKS_IO (no thread). */
lks_err lks_operator_open(lks_operator *op, const lockstep_host *host, const lks_config *config, const lks_models *models, lks_inbox *inbox,
                          lks_node *rpc, const lks_signer *signer) LKS_MUST_USE;
/* Cancels what runs; frees. Harmless on one that is all zero. */
void lks_operator_close(lks_operator *op);

/* Works until the inbox is stopped. */
void lks_operator_run(lks_operator *op);
/* One turn: waits up to wait_ms for the inbox. Returns: false when that is stopped. */
bool lks_operator_turn(lks_operator *op, uint32_t wait_ms);

/* preflight.c: whether the node is on the configured chain. Returns: LKS_OK; LKS_AUTH; what chain/eth.h returns. */
lks_err lks_preflight_chain(lks_operator *op) LKS_MUST_USE;
/* preflight.c: whether the contracts are there and belong together; tells of missing funds, bond and registrations. */
lks_err lks_preflight_contracts(lks_operator *op) LKS_MUST_USE;

/* act.c: whether something that failed is still held back. */
bool lks_act_is_paused(const lks_operator *op, const uint8_t id32[32], lks_action action);
/* act.c: holds it back. Returns: whether it is the first time in a while, so that it is worth a line. */
bool lks_act_pause(lks_operator *op, const uint8_t id32[32], lks_action action);

/* disputes.c: whether there is a dispute game to be played in. */
bool lks_disputes_on(const lks_operator *op);
/* disputes.c: takes the prover's result, if there is one. Returns: whether there was one. */
bool lks_disputes_results(lks_operator *op);
/* disputes.c: does what every open claim needs. */
void lks_disputes_tick(lks_operator *op);
/* disputes.c: whether a dispute is open, or may be, against a claim of ours. */
bool lks_disputes_hold(lks_operator *op, const uint8_t claim_id32[32]);
/* disputes.c: milliseconds that a trace of so many positions may take; UINT64_MAX when that is not known yet. */
uint64_t lks_disputes_trace_ms(const lks_operator *op, const uint8_t model_id32[32], uint64_t positions);

/* moves.c: dispute number i of the match as the game contract has it, asked once a head. Returns: NULL when that is not known. */
const lks_seen *lks_moves_view(lks_operator *op, lks_match *match, size_t i);
/* moves.c: send a transaction; failures are told, and held back. what: for the log. Returns: whether it is on its way. */
bool lks_moves_challenge(lks_operator *op, lks_match *match, const char *why);
bool lks_moves_timeout(lks_operator *op, lks_match *match, const lks_game_dispute *d);
bool lks_moves_reclaim(lks_operator *op, lks_match *match, const lks_game_dispute *d);
/* moves.c: the transactions of the prover's move. */
void lks_moves_play(lks_operator *op, lks_match *match, lks_task_result *result);
/* moves.c: withdraws what a contract has credited us. Out: *left, whether there is something. */
lks_err lks_moves_withdraw(lks_operator *op, lks_match *match, const uint8_t contract20[20], bool *left) LKS_MUST_USE;
/* moves.c: whether the transaction of that key is on its way, or held back. */
bool lks_moves_busy(lks_operator *op, const lks_match *match, const uint8_t key32[32]);

/* act.c: takes the worker's answer, if there is one, into the store. Returns: whether there was one. */
bool lks_act_answers(lks_operator *op);
/* act.c: looks after transactions, then does what every open job needs. */
void lks_act_tick(lks_operator *op);

/* Milliseconds of the monotonic clock. */
uint64_t lks_now_ms(void);
/* Chain time now: the head's time and what has passed since. */
uint64_t lks_chain_time(const lks_operator *op);

#endif
