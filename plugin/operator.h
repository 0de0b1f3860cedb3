/* The account that the plugin works with, in either role or both. As operator, or agent of one, it
 * accepts requests that pay, runs the model, claims, defends its claims and settles them; as
 * challenger it checks the claims of others and disputes wrong ones. One event thread owns
 * everything here.
 *
 * operator.c opens it and turns its wheel, preflight.c checks the chain it finds itself on, act.c
 * decides and does what is due for requests, with answers.c and job_calls.c; disputes.c decides for
 * claims, moves.c, moves_answer.c and prove.c make and send what belongs to a dispute, money.c
 * brings home what was earned there. */
#ifndef LKS_PLUGIN_OPERATOR_H
#define LKS_PLUGIN_OPERATOR_H

#include "chain/signer.h"
#include "plugin/clock.h"
#include "plugin/config.h"
#include "plugin/estimate.h"
#include "plugin/feed.h"
#include "plugin/lanes.h"
#include "plugin/match.h"
#include "plugin/node.h"
#include "plugin/pauses.h"
#include "plugin/resources.h"
#include "plugin/sender.h"
#include "plugin/state_check.h"
#include "plugin/worker.h"

#include <stdatomic.h>

/* Since when the newest block is not known, and when that was said; monotonic, 0: it is. */
typedef struct lks_gap {
    uint64_t since_ms, told_ms;
} lks_gap;

/* Log state of a plugin that accepts nothing: which lines about its obligations are out. */
typedef struct lks_drain {
    bool begun, over;
    uint64_t head; /* at which they were read */
} lks_drain;

/* A transaction is given that many blocks to be included, in estimates. */
#define LKS_INCLUSION_BLOCKS 3u

struct lks_operator {
    const lockstep_host *host;
    const lks_config *config;
    const lks_models *models;
    lks_inbox *inbox;
    lks_node *rpc;
    const lks_signer *signer;
    lks_store *store;
    lks_planner *planner;
    lks_worker *worker;
    lks_feed feed;
    lks_sender sender;
    lks_sender moves;   /* of a second account, for moves in defence; no signer: none */
    bool moves_allowed; /* it is an agent for disputes */

    /* The newest block, which all decisions look at: the feed's; while that is behind, the node's.
     * Number 0: not known yet. */
    lks_store_block head;
    uint64_t head_ms;  /* monotonic, as all _ms below: when it was taken */
    uint64_t heard_ms; /* when the host gave a block, or the head was taken */
    uint64_t idle_ms;  /* after that long without either, but for slow chains, the node is asked */
    bool stale;        /* the head is so old that no request is accepted */
    lks_reminder unheard, stalled, aged, unsynced, one_by_one;

    bool checked; /* the contracts were found to be what the configuration says */
    uint64_t next_check_ms;
    uint64_t next_sync_ms;
    uint64_t next_tick_ms;
    uint64_t interval_ms;     /* between blocks, as measured */
    uint64_t interval_head;   /* newest block when that was last tried */
    uint64_t one_by_one_head; /* newest block at which the node did not take many calls in one */
    bool interval_known;
    uint32_t reveal_seconds; /* the deployment's */
    lks_costs costs[LKS_MAX_MODELS];
    bool out_of_service[LKS_MAX_MODELS]; /* their files changed */
    uint64_t
        unwritable_told_ms; /* when it was last said that the database cannot be written; or 0 */
    uint32_t pause_ms;      /* what failed is tried again after that long */
    lks_pauses pauses;
    lks_u256 gas_price;      /* of a transaction, wei */
    uint64_t gas_price_head; /* block at which it was asked for; 0: not yet */
    uint64_t collected_head; /* block at which credits were last looked at; 0: not yet */
    lks_drain drain;
    lks_gap gap;

    lks_lanes lanes; /* none without a dispute game */
    lks_game_deployment deployment;
    lks_u256 min_bond;  /* the game's */
    uint32_t floor;     /* seconds that the game gives a move at least */
    uint8_t secret[32]; /* decides which claims are in our share */
    lks_resources resources;
    lks_matches matches;
    lks_state_check state_check;
    atomic_uint_fast64_t finished; /* for finished_height */
};

/* Opens the store and starts the worker's thread. In: all outlive the operator. Returns: what
 * lks_store_open returns; LKS_IO (no thread). */
lks_err lks_operator_open(lks_operator *op, const lockstep_host *host, const lks_config *config,
                          const lks_models *models, lks_inbox *inbox, lks_node *rpc,
                          const lks_signer *signer) LKS_MUST_USE;
/* Gives it a second account for the defence of our claims, NULL for none. The signer outlives the
 * operator. Before the first turn. */
void lks_operator_use_moves(lks_operator *op, const lks_signer *signer);
/* Cancels what runs; frees. Harmless on one that is all zero. */
void lks_operator_close(lks_operator *op);

/* Works until the inbox is stopped. */
void lks_operator_run(lks_operator *op);
/* One turn: waits up to wait_ms for the inbox. Returns: false when that is stopped. */
bool lks_operator_turn(lks_operator *op, uint32_t wait_ms);

/* preflight.c: whether the node is on the configured chain. Returns: LKS_OK; LKS_AUTH; what
 * chain/eth.h returns. */
lks_err lks_preflight_chain(lks_operator *op) LKS_MUST_USE;
/* preflight.c: whether the configured dispute game, or none, is the oracle's. Takes its parameters.
 * Returns also: LKS_REFUSED; the reason names the claims that wait for the right one. */
lks_err lks_preflight_game(lks_operator *op) LKS_MUST_USE;
/* preflight.c: whether the contracts are there and belong together; tells of missing funds, bond
 * and registrations. */
lks_err lks_preflight_contracts(lks_operator *op) LKS_MUST_USE;

/* act.c: whether something that failed is still held back. */
bool lks_act_is_paused(const lks_operator *op, const uint8_t id32[32], lks_action action);
/* act.c: holds it back. Returns: whether it is the first time in a while, so that it is worth a
 * line. */
bool lks_act_pause(lks_operator *op, const uint8_t id32[32], lks_action action);

/* disputes.c: whether there is a dispute game to be played in. */
bool lks_disputes_on(const lks_operator *op);
/* disputes.c: takes the results that the lanes have. Returns: whether there was one. */
bool lks_disputes_results(lks_operator *op);
/* disputes.c: does what every open claim needs. */
void lks_disputes_tick(lks_operator *op);
/* disputes.c: whether a dispute is open, or may be, against a claim of ours. */
bool lks_disputes_hold(lks_operator *op, const uint8_t claim_id32[32]);

/* disputes.c: stores what is known of a claim. */
void lks_disputes_put_claim(lks_operator *op, const lks_claim *claim);
/* disputes.c: what is known of a live dispute of the match by its logs and by the contract, where
 * they agree. Returns: NULL when they do not, or the contract cannot be asked. */
const lks_seen *lks_disputes_look(lks_operator *op, lks_match *m, size_t i);

/* Disputes of one claim that are answered together, and the places that they ask for. */
#define LKS_MOST_ANSWERS 64u
#define LKS_MOST_PLACES 64u

/* views.c: dispute number i of the match as the game contract has it, asked once per head, with
 * others in the same call. Returns: NULL when that is not known. */
const lks_seen *lks_moves_view(lks_operator *op, lks_match *match, size_t i);
/* moves.c: send a transaction; failures are logged, and held back. why: for the log. Returns:
 * whether it is on its way. */
bool lks_moves_challenge(lks_operator *op, lks_match *match, const char *why);
/* moves.c: whether max_bond_wei allows a challenge now. */
bool lks_moves_can_bond(lks_operator *op, const lks_match *match);
bool lks_moves_timeout(lks_operator *op, lks_match *match, const lks_game_dispute *d);
bool lks_moves_reclaim(lks_operator *op, lks_match *match, const lks_game_dispute *d);
/* moves.c: the transactions of the challenger's move, or the first step towards it. */
void lks_moves_play(lks_operator *op, lks_match *match, lks_task_result *result);
/* moves.c: whether the transaction of that key is on its way, or held back. */
bool lks_moves_busy(lks_operator *op, const lks_match *match, const uint8_t key32[32]);
/* moves.c: logs a failure, and holds the key back: quietly after the first time. */
void lks_moves_failed(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                      const char *what);
/* views.c: calls a view of a contract at the newest block. In: call, freed here. */
lks_err lks_moves_call_view(lks_operator *op, const uint8_t to20[20], lks_err encoded,
                            lks_buf *call, lks_buf *result) LKS_MUST_USE;
/* moves.c: sends one transaction under a key, by a sender's account. In: simulated, false for one
 * that another must come before. */
lks_err lks_moves_send_by(lks_operator *op, lks_sender *sender, const lks_match *m,
                          const uint8_t key32[32], const uint8_t to20[20], const lks_game_tx *tx,
                          bool simulated, uint64_t deadline) LKS_MUST_USE;
/* moves.c: the same, by the account that the move is for. */
lks_err lks_moves_send(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                       const uint8_t to20[20], const lks_game_tx *tx, bool simulated,
                       uint64_t deadline) LKS_MUST_USE;
/* moves.c: sends the calls of one deed, the last of them under its key, those ahead of it under
 * keys of their own. They are freed; made: how making them ended. Returns: whether they are on
 * their way. */
bool lks_moves_send_calls(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                          lks_game_calls *calls, lks_err made, uint64_t deadline, const char *what);
/* moves.c: words for the log. */
void lks_moves_describe(char *text, size_t size, const lks_move *m);

/* prove.c: whether a move in our dispute is a proof that others could take for their own: unless
 * the dispute was alone when its turn began, by the contract's word, and none has joined it
 * since. */
bool lks_prove_must_commit(lks_operator *op, lks_match *match, const lks_game_dispute *d,
                           const lks_move *move);
/* prove.c: goes on with the proof that is held: the commitment, and when that is old enough the
 * step. */
void lks_prove_step(lks_operator *op, lks_match *match, const lks_game_dispute *d,
                    uint64_t deadline);
/* prove.c: goes on with the proof of a wrong claim without a dispute. Returns: true when the proof
 * is to be found first, by a task with one place. */
bool lks_prove_claim(lks_operator *op, lks_match *match, lks_task *task, lks_dispute *at);
/* prove.c: takes what such a task found. */
void lks_prove_take(lks_operator *op, lks_match *match, lks_task_result *result);

/* moves_answer.c: sends the answers that the prover made to every dispute that asks for them. */
void lks_moves_answer(lks_operator *op, lks_match *match, const lks_task_result *result);
/* moves_answer.c: whether answers of the claim, those with rows or those without, are on their way,
 * or held back. */
bool lks_moves_answering(lks_operator *op, const lks_match *m, bool rows);
/* moves_answer.c: out: the key of the claim's transaction number i with such answers. */
void lks_moves_answers_key(uint8_t key32[32], const lks_match *m, bool rows, size_t i);

/* money.c: withdraws what a contract has credited a sender's account, when it is worth the gas.
 * Out: *left, whether there is something worth it. */
lks_err lks_money_withdraw(lks_operator *op, lks_sender *sender, lks_match *match,
                           const uint8_t contract20[20], bool *left) LKS_MUST_USE;
/* money.c: now and then withdraws fees and other credit of our accounts, when it is a sum (see
 * withdraw_above_wei). */
void lks_money_collect(lks_operator *op);

/* answers.c: takes the worker's answer, if there is one, into the store. Returns: whether there was
 * one. */
bool lks_answers_take(lks_operator *op);
/* answers.c: gives the worker a job, unless it cannot be done in time. In: answer_ms, what it may
 * take. Returns: whether it runs. */
bool lks_answers_start(lks_operator *op, const lks_job *job, uint64_t answer_ms);
/* answers.c: cancels the answer that is being made when its job is late, or not among the open
 * ones. */
void lks_answers_drop(lks_operator *op, const lks_jobs *jobs);
/* answers.c: measures a model whose speed is not known, or not at enough lengths. Returns: whether
 * a run for that was started. */
bool lks_answers_trial(lks_operator *op);
/* answers.c: whether such runs are to come, without which the cost of so many positions is a guess.
 */
bool lks_answers_measures(const lks_operator *op, const lks_served *served, uint64_t positions);
/* answers.c: whether the worker has such a run, which gives way to any answer. */
bool lks_answers_is_trial(const lks_operator *op);
/* answers.c: whether the model can run the request. Out: *err, why not, or why that is not
 * known. */
bool lks_answers_can_run(lks_operator *op, const lks_job *job, lks_err *err);

/* service.c: whether requests for the model are accepted and answered. */
bool lks_service_has(const lks_operator *op, const lks_served *served);
/* service.c: looks at the models' files; the model of one that changed is out of service. */
void lks_service_look(lks_operator *op);
/* service.c: the same for one model. In: why, with the file's name. */
void lks_service_end(lks_operator *op, const lks_served *served, const char *why);

/* job_calls.c: appends the calldata of an action to the oracle. Stores a salt that is needed. */
lks_err lks_job_call(lks_operator *op, lks_job *job, lks_action action, lks_buf *call) LKS_MUST_USE;

/* job_calls.c: wei that a transaction of an action may cost when its deadline is near: half of what
 * a missed deadline costs at least, the fee and a fiftieth of the stake. */
lks_u256 lks_job_worth(const lks_job *job, lks_action action);

/* act.c: looks after transactions. */
void lks_act_tend(lks_operator *op);
/* act.c: does what every open job needs. */
void lks_act_tick(lks_operator *op);

/* Chain time now: the head's time and what has passed since. */
uint64_t lks_chain_time(const lks_operator *op);

#endif
