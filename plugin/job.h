/* One request as an operator sees it: the facts that are known of it, the state that follows from
 * them, and what to do next.
 *
 * Pure: no clock, no chain, no database. The state is never set by hand: it is the fold of the
 * facts through one transition table (job.c), so a re-org is nothing but facts taken away, and a
 * stored state that disagrees with its facts is a damaged database.
 *
 *   SEEN -> ACCEPTING -> ACCEPTED -> ANSWERED [-> COMMITTING -> COMMITTED] -> CLAIMING -> CLAIMED
 *        -> FINALIZING -> FINAL
 *
 * with DROPPED (not taken), REFUSED (the contract would not have it), MISSED, CONVICTED, REFUNDED,
 * UNDECIDED and REORGED beside it. A request that is open again, because its seats were freed or
 * its operators missed their deadlines, begins a new round: the job is SEEN again. Times are Unix
 * seconds of the chain. */
#ifndef LKS_PLUGIN_JOB_H
#define LKS_PLUGIN_JOB_H

#include "chain/contracts.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum lks_job_state {
    LKS_JOB_INVALID = 0,
    LKS_JOB_SEEN,       /* the request is on the chain; not accepted by us */
    LKS_JOB_ACCEPTING,  /* an accept transaction is on its way */
    LKS_JOB_ACCEPTED,   /* accepted by us; the answer is awaited from the model */
    LKS_JOB_ANSWERED,   /* the answer is stored */
    LKS_JOB_COMMITTING, /* replicas: a commit transaction is on its way */
    LKS_JOB_COMMITTED,  /* replicas: committed; the reveal phase is awaited */
    LKS_JOB_CLAIMING,   /* a claim transaction is on its way */
    LKS_JOB_CLAIMED,    /* the claim is on the chain; the challenge window runs */
    LKS_JOB_FINALIZING, /* a finalize transaction is on its way */
    LKS_JOB_FINAL,
    LKS_JOB_DROPPED,   /* we do not take it; the reason is kept */
    LKS_JOB_REFUSED,   /* a transaction of ours was given up; the reason is in the log */
    LKS_JOB_MISSED,    /* our deadline passed; another round may come */
    LKS_JOB_CONVICTED, /* our claim was proved wrong */
    LKS_JOB_REFUNDED,  /* ended without a result */
    LKS_JOB_UNDECIDED, /* claims disagreed to the end: no result, and no fee */
    LKS_JOB_REORGED,   /* the block of the request is no longer canonical */
    LKS_JOB_STATE_COUNT
} lks_job_state;

/* Facts, in the order in which the fold applies them. */
typedef enum lks_job_event {
    LKS_JOB_ON_INVALID = 0,
    LKS_JOB_ON_REQUESTED,
    LKS_JOB_ON_DROPPED,
    LKS_JOB_ON_ACCEPTED,
    LKS_JOB_ON_ANSWERED,
    LKS_JOB_ON_COMMITTED,
    LKS_JOB_ON_CLAIMED,
    LKS_JOB_ON_SENT_ACCEPT,
    LKS_JOB_ON_SENT_COMMIT,
    LKS_JOB_ON_SENT_CLAIM,
    LKS_JOB_ON_SENT_FINALIZE,
    LKS_JOB_ON_REFUSED,
    LKS_JOB_ON_MISSED,
    LKS_JOB_ON_FINAL,
    LKS_JOB_ON_CONVICTED,
    LKS_JOB_ON_REFUNDED,
    LKS_JOB_ON_UNDECIDED,
    LKS_JOB_EVENT_COUNT
} lks_job_event;

/* Actions of an operator for a job. Those before LKS_ACTION_ANSWER are transactions. */
typedef enum lks_action {
    LKS_ACTION_NONE = 0,
    LKS_ACTION_ACCEPT,
    LKS_ACTION_COMMIT,
    LKS_ACTION_CLAIM,
    LKS_ACTION_FINALIZE,
    LKS_ACTION_FREE,   /* replicas: the seats were not filled in time; get the stake back */
    LKS_ACTION_MISS,   /* our deadline passed and nobody said so: get back what is left of the stake
                        */
    LKS_ACTION_MOVE,   /* in or about a dispute; no state of the job follows from it */
    LKS_ACTION_ANSWER, /* run the model */
    LKS_ACTION_DROP,   /* do not take it; the reason is logged */
    LKS_ACTION_COUNT
} lks_action;

/* A block in which something happened; number 0: it has not. */
typedef struct lks_block_ref {
    uint64_t number;
    uint8_t hash[32];
} lks_block_ref;

/* How a request ended on the chain, for us. */
typedef enum lks_job_end {
    LKS_END_NONE = 0,
    LKS_END_FINAL,
    LKS_END_CONVICTED, /* our claim; others may go on, we may not */
    LKS_END_REFUNDED,
    LKS_END_UNDECIDED,
    LKS_END_COUNT
} lks_job_end;

/* Why a request is not taken. */
typedef enum lks_drop {
    LKS_DROP_NONE = 0,
    LKS_DROP_FEE,     /* below min_fee_wei */
    LKS_DROP_STAKE,   /* above max_stake_wei */
    LKS_DROP_BOND,    /* above the free bond */
    LKS_DROP_TIME,    /* the answer would be late */
    LKS_DROP_EXPIRED, /* the time to accept is over, or the block that the seed needs is too old */
    LKS_DROP_TAKEN,   /* no seat left */
    LKS_DROP_MALFORMED, /* prompt or policy that this plugin cannot run */
    LKS_DROP_CONTRACT,  /* the contract would refuse the acceptance: in older databases alone */
    LKS_DROP_ROLE,      /* this plugin answers no requests */
    LKS_DROP_TRACES,    /* the traces of all claims could not be opened in time with it */
    LKS_DROP_SIZE,      /* no transaction could carry its claim */
    LKS_DROP_CANCELLED, /* by its requester */
    LKS_DROP_MISSED,    /* we missed its deadline before */
    LKS_DROP_UNFILLED,  /* its other seats stayed empty before */
    LKS_DROP_LENGTH,    /* above max_prompt_tokens or max_answer_tokens */
    LKS_DROP_GAS,       /* it would not pay for its transactions at today's gas price */
    LKS_DROP_SEATS,     /* too much of the bond waits for empty seats */
    LKS_DROP_MEMORY,    /* it takes more memory than max_memory_bytes allows */
    LKS_DROP_COUNT
} lks_drop;

/* Our part in one round of a request: a round begins with the request, and again whenever it is
 * open anew. Facts of a round that is over are kept by the store, for re-orgs. */
typedef struct lks_round {
    lks_block_ref accepted; /* by us */
    uint8_t attempt;
    uint8_t seat;
    uint64_t fill_deadline;  /* replicas: last second in which the other seats can be taken */
    lks_block_ref full;      /* the last seat was taken, which starts the claim period */
    uint64_t claim_deadline; /* 0 before */

    uint8_t salt[32]; /* replicas: made before the commitment is sent */
    lks_block_ref committed;
    lks_block_ref reveal_opened;
    uint64_t reveal_deadline;

    lks_block_ref claimed; /* by us */
    uint8_t claim_id[32];
    uint64_t window_end;

    lks_block_ref missed; /* our deadline passed, and somebody said so */
    uint32_t misses;      /* earlier rounds of the request that we missed */
    uint32_t unfilled;    /* those in which our seat was freed */
    /* Transactions of ours in this round that were included and reverted, by their action. */
    uint8_t failures[LKS_ACTION_MOVE];
} lks_round;

typedef struct lks_job {
    uint8_t request_id[32];
    lks_request request;
    lks_block_ref requested;
    uint64_t requested_time;
    lks_block_ref seeded;    /* the first acceptance, whoever's: it fixes the seed used */
    uint64_t seed;           /* the seed used, as the chain says */
    lks_block_ref cancelled; /* the request does not reopen */

    lks_round round;

    bool answered;
    uint64_t answer_seed; /* the seed that the stored answer was made with */
    uint32_t answer_count;
    uint8_t answer_hash[32]; /* token hash */

    lks_block_ref ended;
    lks_job_end end;

    lks_drop dropped;
    uint64_t dropped_at; /* number of the block that the decision looked at */
    uint32_t sent;       /* LKS_SENT() of every action that has a live transaction */
    lks_job_state state; /* lks_job_fold of all above */
} lks_job;

#define LKS_SENT(action) (1u << (action))

/* How much of the bond may wait in requests whose other seats are empty. */
typedef enum lks_unfilled {
    LKS_UNFILLED_ANY = 0,
    LKS_UNFILLED_QUARTER, /* a quarter of the bond */
    LKS_UNFILLED_WEI      /* max_unfilled */
} lks_unfilled;

/* Limits of the work that an operator accepts; from the configuration. */
typedef struct lks_job_policy {
    lks_u256 min_fee;
    bool fee_pays_gas;   /* a request that does not pay for its transactions waits until gas is
                            cheaper */
    uint32_t max_prompt; /* tokens; 0: as many as the model takes */
    uint32_t max_answer;
    lks_unfilled unfilled;
    lks_u256 max_unfilled; /* wei, of LKS_UNFILLED_WEI */
    lks_u256 max_stake;
    uint32_t min_claim_seconds;
    bool finalize;
    bool accept; /* false: no request is taken; what is accepted or claimed goes on */
    bool drains; /* for now: requests are not dropped, but wait until their time is over */
} lks_job_policy;

/* The world at the moment of a decision. */
typedef struct lks_job_world {
    uint64_t now;             /* chain time, between blocks by our clock */
    uint64_t head_time;       /* of the newest block */
    uint64_t head;            /* number of the newest block */
    lks_u256 free_bond;       /* after what acceptances on their way will lock */
    lks_u256 bond;            /* that, and what our open jobs lock or will lock */
    lks_u256 unfilled;        /* of it: in requests whose other seats are empty */
    lks_u256 gas_price;       /* wei, of a transaction now; read where policy.fee_pays_gas */
    uint64_t answer_ms;       /* estimate for this job's answer */
    uint64_t backlog_ms;      /* estimate for what is accepted and unanswered before it */
    uint64_t defence_ms;      /* estimate for the passes that a defence of this job's claim takes */
    uint64_t defences_ms;     /* the same with all claims and answers of ours that are not final */
    uint64_t defences_max_ms; /* they must not take longer together */
    uint64_t memory;          /* bytes that this job may need, and that it may with all others */
    uint64_t memories;
    uint64_t memory_max;
    bool disputed;           /* a dispute is open, or may be, against our claim */
    uint64_t inclusion_ms;   /* time that a transaction is given to be included */
    uint32_t reveal_seconds; /* the deployment's reveal period */
    bool worker_idle;
} lks_job_world;

/* An acceptance, commitment or claim that reverted this often in one round is given up. What brings
 * our bond home is not: it is tried again, but seldom. */
#define LKS_MAX_FAILURES 3u
/* A request that we missed this often, or in which our seat was freed this often, is not taken
 * again. */
#define LKS_MAX_MISSES 2u
#define LKS_MAX_UNFILLED 2u
/* Seconds after our deadline in which somebody else may report the miss, before we do. */
#define LKS_MISS_PATIENCE 600u
/* The most that a claim may weigh; the chain's limits are 16,777,216 gas (EIP-7825) and the 128 KiB
 * of a transaction that nodes relay. */
#define LKS_CLAIM_MAX_BYTES 120000u
#define LKS_CLAIM_MAX_GAS UINT64_C(12000000)

/* The one step of the state machine. Returns: the next state; LKS_JOB_INVALID when the event cannot
 * happen in that state. */
lks_job_state lks_job_step(lks_job_state state, lks_job_event event);

/* Returns: the state that the job's facts add up to; LKS_JOB_INVALID when they contradict each
 * other. */
lks_job_state lks_job_fold(const lks_job *job);

/* Takes away every fact of a block above height and folds again. What we made ourselves (answer,
 * salt) stays. Returns: whether anything changed. */
bool lks_job_rewind(lks_job *job, uint64_t height);

/* Begins a new round: forgets what happened in the one before, but for how often we missed. */
void lks_job_new_round(lks_job *job);

/* Whether the longest answer that the request allows can be claimed: calldata and gas of the claim,
 * or of the reveal, by our own bounds. */
bool lks_job_is_claimable(const lks_request *r);

/* Decides. Out: *why: of LKS_ACTION_DROP, the reason; of LKS_ACTION_NONE in state SEEN, what is
 * waited for, or LKS_DROP_NONE. */
lks_action lks_job_next(const lks_job *job, const lks_job_policy *policy,
                        const lks_job_world *world, lks_drop *why);

/* Whether the stored answer is the one that the request needs: greedy answers depend on no seed. */
bool lks_job_has_answer(const lks_job *job);
/* Whether an acceptance must bring the header of the seed block. */
bool lks_job_needs_header(const lks_job *job);
/* Whether the answer of an accepted request would come after its deadline, by the estimate. */
bool lks_job_is_tight(const lks_job *job, const lks_job_world *world);
/* Whether the time for our claim, or for the commitment to it, is over. */
bool lks_job_is_late(const lks_job *job, uint64_t time, uint32_t reveal_seconds);

/* Returns: the last second in which the action is of use, for ordering; UINT64_MAX when there is
 * none. */
uint64_t lks_job_deadline(const lks_job *job, lks_action action, uint32_t reveal_seconds);

/* Whether nothing more is to be done unless a re-org brings it back; of LKS_JOB_REFUSED, where we
 * have no seat. */
bool lks_job_is_over(lks_job_state state);

/* Words for logs. Never NULL. */
const char *lks_job_state_name(lks_job_state state);
const char *lks_action_name(lks_action action);
const char *lks_drop_text(lks_drop drop);

#endif
