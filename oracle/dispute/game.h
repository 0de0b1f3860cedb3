/* The player's chain side: a claim's game as its events tell it, and the player's moves as
 * transactions.
 *
 * A game follows one claim of the oracle. Logs go in, batch after batch, in any order;
 * lks_game_update replays them in the order of the chain. Everything that the views give follows
 * from the logs alone, so a light client needs nothing else; after a re-org call lks_game_clear and
 * feed what is true now.
 *
 *     lks_game_new(&g, &deployment, name, claim_id);
 *     lks_game_filter_request(&f, &deployment, name), lks_game_filter_claim(...),
 *     lks_game_filter_model(...): for lks_eth_get_logs
 *     for each log: lks_game_add(g, log, time of its block);
 *     lks_game_update(g);
 *     lks_trace_make(&own, model, lks_game_run(g), ...);
 *     lks_player_challenger(&move, own, trees, lks_game_shown(g), &dispute->now);
 *     if lks_game_must_commit(dispute, &move): lks_game_call_commit_proof(...), and two blocks
 *     later lks_game_call(&calls, g, dispute, &move, model, salt);
 *     for each transaction that asks: questionGas(asks, position) by eth_call, lks_game_pay(...).
 *
 * Libraries: above lks_oracle and lks_contracts, below the command line and the plugin. No socket,
 * clock or file.
 * Thread rule: a game belongs to one thread at a time.
 */
#ifndef LKS_ORACLE_DISPUTE_GAME_H
#define LKS_ORACLE_DISPUTE_GAME_H

#include "chain/dispute.h"
#include "chain/eth.h"
#include "oracle/dispute/player.h"

/* Limits of a game's logs; more is LKS_REFUSED. */
#define LKS_GAME_MAX_LOGS (1u << 18)
#define LKS_GAME_MAX_BYTES ((size_t)1 << 29)

typedef struct lks_game_deployment {
    uint64_t chain_id;
    uint8_t oracle[20], game[20], registry[20];
    uint32_t budget; /* seconds, parameters() of the game; 0: the seconds left are not computed */
} lks_game_deployment;

/* The effect of one transaction on a dispute. */
typedef struct lks_game_step {
    lks_game_event_kind kind;
    bool by_operator; /* the operator's turn; another account may have sent it */
    uint32_t op;      /* of the node, leaf or partials; of a conviction the witness's */
    unsigned height;
    uint64_t index; /* of partials: the row; of a conviction the leaf */
    uint32_t element;
    lks_conviction how; /* of a conviction */
    uint8_t hash[32];   /* of the node picked, of the root opened */
    /* wei: of Challenged the bond; of a question what is prepaid for the answer, of an answer what
     * is left of that; of DisputeLost what the operator got; of DisputeReclaimed what went back */
    lks_u256 amount;
    uint64_t block, time; /* time: Unix seconds, 0 where it was not given */
    uint8_t tx[32];
} lks_game_step;

typedef enum lks_game_end {
    LKS_GAME_LIVE = 0,
    LKS_GAME_WON,  /* it convicted the claim */
    LKS_GAME_LOST, /* the challenger let its time pass */
    LKS_GAME_MOOT, /* the claim was convicted by another, is void or stands no longer */
} lks_game_end;

typedef struct lks_game_dispute {
    uint8_t id[32];
    lks_dispute_terms terms; /* what every move passes: claim, challenger, bond, salt */
    lks_dispute now;         /* state and current node */
    uint8_t node[32];        /* hash of the current node; 0 until the trace is open */
    /* wei that is not spent of the prepayments: the operator's answer is repaid from it, and in the
     * challenger's turn it counts towards the next question */
    lks_u256 prepaid;
    lks_game_end end;
    bool reclaimed;
    /* Whether this was the only live dispute about the claim when the turn began, and still is:
     * then a step needs no commitment. */
    bool alone;
    uint64_t deadline; /* last second of the turn; 0: over */
    /* Zero without the times of blocks; the last two also without a budget. */
    uint64_t turn_start;
    uint32_t operator_left, challenger_left;
    const lks_game_step *steps; /* in the order of the chain */
    size_t step_count;
} lks_game_dispute;

typedef struct lks_game lks_game;

/* In: name32, the claim's name: it holds request id, attempt and seat. claim_id32: lks_claim_id of
 * its terms; the logs must be of that claim.
 * Returns: LKS_OK; LKS_BADARGS (no name of the oracle's); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_game_new(lks_game **out, const lks_game_deployment *deployment,
                     const uint8_t name32[32], const uint8_t claim_id32[32]);
void lks_game_free(lks_game *g);

/* The model of the request, for one who has it; else its ModelRegistered log does. Returns: LKS_OK;
 * LKS_BADARGS (no such model can be). */
LKS_MUST_USE
lks_err lks_game_set_model(lks_game *g, const lks_model_commitment *c);
/* Notes that the game contract knows an operation's shape (shapeRecorded), for one who does not
 * feed the model's ShapeRecorded logs. */
void lks_game_set_shape(lks_game *g, uint32_t op);

/* Takes a copy of a log. Those of other claims, requests, models or contracts, and ones seen
 * before, are ignored. time: of its block, Unix seconds; 0: not known.
 * Returns: LKS_OK; LKS_CORRUPT (one of ours, not as declared; a dispute whose claim or facts do not
 * hash to what it names); LKS_REFUSED (too many); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_game_add(lks_game *g, const lks_eth_log *log, uint64_t time);
/* Forgets all logs, and the shapes that were noted. */
void lks_game_clear(lks_game *g);

/* Replays. What the views below gave before is invalid after it, and after lks_game_clear.
 * Returns: LKS_OK; LKS_CORRUPT (logs that contradict each other: some are missing, or from a branch
 * of the chain that is gone); LKS_NOTFOUND (the trace is open but the model is not known);
 * LKS_NOMEM. After a failure the views show nothing. */
LKS_MUST_USE
lks_err lks_game_update(lks_game *g);

/* ---- views; borrowed until the next update ---- */

/* NULL until the logs Requested and Claimed are there; so the next. */
const lks_run *lks_game_run(const lks_game *g);
/* Out: the claim and its facts as the contracts have them; either may be NULL. Returns: false until
 * they are known. */
bool lks_game_claim(lks_claim_terms *claim, lks_claim_facts *facts, const lks_game *g);
/* NULL until Requested is there. */
const lks_request *lks_game_request(const lks_game *g);
/* NULL until known. */
const lks_model_commitment *lks_game_model(const lks_game *g);
/* Out: attempt, seat and operator of the claim, and the end of its window; any may be NULL.
 * Returns: false until they are known. */
bool lks_game_seat(const lks_game *g, uint8_t *attempt, uint8_t *seat, uint8_t operator20[20],
                   uint64_t *window_end);
/* Nodes and leaves that the operator has revealed, in all disputes together; never NULL. */
const lks_shown *lks_game_shown(const lks_game *g);
lks_claim_status lks_game_status(const lks_game *g);
/* In the order in which they were opened. */
size_t lks_game_dispute_count(const lks_game *g);
const lks_game_dispute *lks_game_dispute_at(const lks_game *g, size_t i);
/* NULL: no such dispute. */
const lks_game_dispute *lks_game_dispute_find(const lks_game *g, const uint8_t dispute_id32[32]);
/* Compares what disputeOf says of a live dispute with what the logs say. The contract writes a
 * dispute down only when it moves itself: of one for which another's answer has opened the trace it
 * goes on saying that the trace is awaited. In and out: *v, brought up to date in that case.
 * Returns: whether both are the same. */
bool lks_game_fits_view(lks_dispute_view *v, const lks_game_dispute *d);
/* Disputes that are live. */
size_t lks_game_live_count(const lks_game *g);
bool lks_game_shape_known(const lks_game *g, uint32_t op);
/* Out: what lks_witness_check needs. Returns: false until run, model and root are known. */
bool lks_game_facts(lks_witness_claim *out, const lks_game *g);

/* ---- filters for lks_eth_get_logs; the filter points into its struct, which must not be copied
 * ---- */

typedef struct lks_game_filter {
    uint8_t address[1][20];
    uint8_t topic0[1][32];
    uint8_t topic1[32];
    lks_eth_filter filter;
} lks_game_filter;

/* Every event of the game about a claim. */
void lks_game_filter_claim(lks_game_filter *f, const lks_game_deployment *d,
                           const uint8_t claim_id32[32]);
/* Every event of the oracle about a request: its id, or the name of one of its claims. */
void lks_game_filter_request(lks_game_filter *f, const lks_game_deployment *d,
                             const uint8_t name32[32]);
/* The shapes that the game has recorded of a model. */
void lks_game_filter_shapes(lks_game_filter *f, const lks_game_deployment *d,
                            const uint8_t model_id32[32]);
/* The model's registration: needed only without the model file. */
void lks_game_filter_model(lks_game_filter *f, const lks_game_deployment *d,
                           const uint8_t model_id32[32]);

/* ---- moves as transactions ---- */

/* One transaction to the game contract. */
typedef struct lks_game_tx {
    lks_buf data;
    lks_u256 value; /* wei to send along: of a challenge the bond, else 0, until lks_game_pay */
    /* The question to the operator, whose gas, questionGas(asks, position), must be prepaid.
     * NONE: there is none. */
    lks_dispute_state asks;
    uint32_t position;
    /* Limit that suffices, at most 2^24: calldata and the move's own work. eth_estimateGas gives
     * less, where what it depends on is mined. */
    uint64_t gas;
} lks_game_tx;

/* Adds what the transaction prepays to its value: twice what is needed now, since fees rise until
 * it is in a block (what is over becomes the sender's credit), less what the dispute has left. In:
 * prepayment, lks_game_prepayment of questionGas at the newest base fee; d NULL for a challenge. */
void lks_game_pay(lks_game_tx *tx, const lks_u256 *prepayment, const lks_game_dispute *d);

/* Transactions to be sent in order; each may be sent before the one ahead of it is mined. An
 * operator that answers many disputes may join several that have no value with lks_call_multicall.
 * Not so moves that prepay: inside a multicall prepayments come from credit alone. */
typedef struct lks_game_calls {
    lks_game_tx items[2];
    size_t count;
} lks_game_calls;

void lks_game_calls_free(lks_game_calls *calls);

/* Whether the move is a proof to commit to at least LKS_GAME_COMMIT_BLOCKS earlier. Keep the move
 * until then: what others reveal meanwhile may lead the player to another proof. (A dispute that
 * was alone is given two blocks after another joined; it commits all the same, and need not
 * hurry.) */
bool lks_game_must_commit(const lks_game_dispute *d, const lks_move *m);

/* The transactions of a move in a dispute. A pick at or below an operation whose shape the contract
 * may not know has recordShape ahead of it, a transaction of its own, so that the pick's prepayment
 * can be sent along (needs the model; NULL where the move is no pick). commit_salt32: of the
 * commitment; NULL where none is needed.
 * Out: *calls; count 0 for LKS_MOVE_NONE. Returns: LKS_OK; LKS_BADARGS (request or model are not
 * known yet; a number that the contract cannot take); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_game_call(lks_game_calls *out, const lks_game *g, const lks_game_dispute *d,
                      const lks_move *m, const lks_model *model, const uint8_t *commit_salt32);
/* Opens a dispute against the claim. bond: at least bondFor(stake) of the block that it gets into,
 * below 2^88 wei; it is part of the dispute's id. Out: also the id. */
LKS_MUST_USE
lks_err lks_game_call_challenge(lks_game_calls *out, uint8_t dispute_id32[32], const lks_game *g,
                                const uint8_t challenger20[20], const uint8_t salt32[32],
                                const lks_u256 *bond);
/* Ends a dispute whose side to move is late; gives a challenger its money back after the claim's
 * end. */
LKS_MUST_USE
lks_err lks_game_call_timeout(lks_game_calls *out, const lks_game_dispute *d);
LKS_MUST_USE
lks_err lks_game_call_reclaim(lks_game_calls *out, const lks_game_dispute *d);
/* Commits to a proof: of a step in a dispute, or of lks_game_call_prove. */
LKS_MUST_USE
lks_err lks_game_call_commit_proof(lks_game_calls *out, const lks_witness *w,
                                   const uint8_t sender20[20], const uint8_t salt32[32]);
/* Blocks that a commitment must be old for lks_game_call_prove as things stand. */
uint64_t lks_game_proof_delay(const lks_game *g);
/* Proof without a dispute. signature: NULL for the opened root. */
LKS_MUST_USE
lks_err lks_game_call_prove(lks_game_calls *out, const lks_game *g, const uint8_t root32[32],
                            const uint8_t *signature, size_t signature_len, const lks_witness *w,
                            const uint8_t salt32[32]);
/* The operator signed another root than the one that it opened. The commitment has
 * lks_equivocation_hash of both in place of a witness's. */
LKS_MUST_USE
lks_err lks_game_call_prove_equivocation(lks_game_calls *out, const lks_game *g,
                                         const uint8_t other_root32[32], const uint8_t *signature,
                                         size_t signature_len, const uint8_t salt32[32]);

/* Out: *opening, a witness's opening for the bindings: borrowed; the witness's openings, allocated,
 * to be freed with free. */
LKS_MUST_USE
lks_err lks_game_witness(lks_call_witness *out, lks_call_opening **openings, const lks_witness *w);

#endif
