/* A chain in memory, for the tests of the plugin: blocks, re-orgs, a transaction pool, a few
 * accounts, and of the oracle and the dispute game what an account meets there, by the rules of
 * contracts/src. Answers the JSON-RPC methods of a plugin host.
 *
 * Time is chain time: a block lasts `period` seconds. Nothing happens by itself: sim_mine makes a
 * block.
 */
#ifndef LKS_TESTS_SIM_H
#define LKS_TESTS_SIM_H

#include "chain/dispute.h"
#include "chain/eth.h"
#include "chain/tx.h"
#include "oracle/dispute/player.h"
#include "plugin/lockstep_plugin.h"

#include <pthread.h>

#define SIM_CHAIN_ID 31982u
#define SIM_BLOCKS 8192
#define SIM_TXS 4096
#define SIM_IN_BLOCK 16
#define SIM_REQUESTS 512
#define SIM_LOGS 8192
#define SIM_ACCOUNTS 4
#define SIM_DISPUTES 2048
#define SIM_COMMITMENTS 2048
#define SIM_FILL_SECONDS 30u /* the deployment's periods */
#define SIM_REVEAL_SECONDS 30u
#define SIM_TX_GAS UINT64_C(70000)
#define SIM_EMPTY_GAS UINT64_C(21000)
#define SIM_MIN_BOND UINT64_C(50000000000000000) /* wei */

typedef struct sim_log {
    uint64_t block;
    bool of_game; /* else of the oracle */
    uint8_t topics[4][32];
    size_t topic_count;
    lks_buf data;
} sim_log;

/* A signed transaction, or one of the requester or of another operator, which are not signed here.
 */
typedef enum sim_kind {
    SIM_SIGNED,
    SIM_REQUEST,
    SIM_CANCELS,       /* the requester */
    SIM_OTHER_ACCEPTS, /* `other` takes the next seat */
    SIM_OTHER_MISSES,  /* the operator of seat 0 is reported, whatever the time */
    SIM_FOREIGN,       /* a transaction of the account that the plugin did not make */
    SIM_CALL
} sim_kind;

typedef struct sim_tx {
    sim_kind kind;
    size_t account; /* SIM_SIGNED and SIM_FOREIGN: whose */
    uint8_t hash[32];
    lks_buf raw;
    lks_tx t;                 /* points into raw */
    size_t request;           /* SIM_REQUEST and the others: index */
    uint8_t from[20], to[20]; /* SIM_CALL: raw is the calldata */
    bool pooled;
    bool has_nonce; /* SIM_FOREIGN: t.nonce is its nonce */
} sim_tx;

typedef struct sim_block {
    uint64_t number, time, base_fee;
    uint8_t hash[32], parent[32], prev_randao[32], branch;
    uint8_t bloom[256];
    size_t txs[SIM_IN_BLOCK];
    bool ok[SIM_IN_BLOCK];
    size_t tx_count;
} sim_block;

typedef struct sim_seat {
    lks_seat_status status;
    uint8_t operator_address[20];
    uint8_t commitment[32];
    uint8_t name[32], claim_id[32];
    lks_buf tokens;
    uint32_t disputes; /* live ones */
    uint64_t joined_block;
    bool is_open; /* the trace */
    uint8_t root[32];
} sim_seat;

typedef struct sim_request {
    lks_request request;
    uint8_t id[32];
    lks_buf prompt, allowed;
    /* what follows is state: made anew from the blocks after a re-org */
    lks_request_status status;
    uint64_t block, deadline, seed, window_end;
    uint8_t attempt, misses;
    bool seed_fixed, cancelled;
    sim_seat seats[LKS_MAX_REPLICAS];
    size_t taken;
    uint8_t barred[LKS_MAX_REPLICAS * LKS_MAX_ATTEMPTS][20]; /* operators that were convicted */
    size_t barred_count;
} sim_request;

typedef struct sim_dispute {
    uint8_t id[32], claim_id[32];
    lks_dispute_terms terms;
    size_t request, seat;
    lks_dispute at;
    uint64_t start;
    uint64_t root_start; /* another's answer opened its trace: it is shown as it was before, with
                            its turn from this time on, until it moves; 0: not so */
    uint32_t operator_left, challenger_left;
    bool alone; /* when the turn began */
    lks_u256 prepaid;
    lks_buf partials;
} sim_dispute;

/* An account whose signed transactions the node takes, with its books. Amounts are in wei; only
 * `fees` has gas in it. */
typedef struct sim_account {
    uint8_t address[20];
    uint8_t operator_address[20]; /* the account itself, or whose agent it is */
    uint8_t agent_roles;          /* of the account for another operator */
    lks_u256 balance;             /* as it is told; no transaction changes it */
    bool jammed;                  /* none of its transactions gets into a block */
    lks_u256 free_bond;           /* the operator's, before anything is locked or lost */
    /* what follows is state: made anew from the blocks after a re-org */
    uint64_t nonce;
    lks_u256 locked, penalties, burned; /* of free_bond: secures seats; fined for misses; taken by
                                           convictions */
    lks_u256 credit, reward;            /* not withdrawn yet: in the game; in the oracle */
    lks_u256 paid, earned;              /* ever: sent with calls; credited by either contract */
    lks_u256 answers;                   /* of paid: gas of answers to its questions */
    lks_u256 fees; /* ever: of its gas, SIM_TX_GAS or SIM_EMPTY_GAS a transaction */
    size_t misses, convictions, lost; /* of its operator's seats; disputes that it lost */
} sim_account;

typedef struct sim {
    pthread_mutex_t lock; /* sim_call comes from any thread */
    uint8_t oracle[20], bonds[20], registry[20], game[20], other[20], requester[20];
    sim_account accounts[SIM_ACCOUNTS]; /* the first is the plugin's where there is one */
    size_t account_count;
    uint8_t model_id[32];
    sim_block blocks[SIM_BLOCKS]; /* blocks[i] has number i; 0 is the genesis block */
    size_t block_count;
    sim_tx txs[SIM_TXS];
    size_t tx_count;
    sim_request requests[SIM_REQUESTS];
    size_t request_count;
    sim_log logs[SIM_LOGS];
    size_t log_count;
    uint64_t period;
    uint64_t base_fee, priority; /* wei per gas; priority is what the node suggests */
    uint64_t least_priority;     /* wei per gas: blocks have no transaction that leaves less */
    lks_u256 value;              /* of the call that runs */
    /* The dispute game; none while the address is zero. */
    const lks_model *model;
    lks_model_commitment commitment; /* of model_id */
    uint32_t budget, floor;
    sim_dispute disputes[SIM_DISPUTES];
    size_t dispute_count;
    struct {
        uint8_t hash[32];
        uint64_t block;
    } commitments[SIM_COMMITMENTS]; /* of proofs */
    size_t commitment_count;
    bool shapes[1024];
    size_t convictions, lost, reclaims, withdrawals, challenges, answers, batches, committed_steps,
        proofs;
    uint8_t branch;
    /* what the canonical chain has; of claims and acceptances those of accounts */
    size_t accepts, claims, finals, freed, misses, reverts;
    /* faults */
    uint64_t calls;        /* so far */
    uint64_t fail_from;    /* calls of this number and later fail; 0: none */
    bool fail_after_doing; /* the first of them still takes effect */
    bool pool_forgets;     /* transactions are taken and forgotten */
    bool loses_foreign;    /* re-orgs lose what the accounts sent without the plugin */
    bool lies_about_seed;
    bool refuses_multicall;
    bool refuses_each; /* many views in one call, as lks_eth_call_each asks them */
    size_t
        early_estimates;  /* so many simulations are refused, as by a node that is a block behind */
    size_t failing_txs;   /* so many of the accounts' transactions revert where they are included */
    size_t fork_receipts; /* so many receipts are of a fork that has the transaction in its newest
                             block */
    bool loses_disputed;  /* the oracle's Disputed is in no list of logs */
    bool hides_logs;      /* eth_getLogs has none of the game, as a node that lags behind */
    const char *send_error; /* answered to eth_sendRawTransaction */
    uint64_t finalized;     /* the newest final block; 0: the node knows of none */
    /* Answers a call in place of the chain, or does not (false). *err is LKS_OK; with LKS_REMOTE
     * the answer is an error. From the thread of the call. */
    bool (*lie)(void *user, const char *method, const char *params_json, lks_buf *answer,
                lks_err *err);
    void *liar; /* its user */
    uint64_t chain_id;
    size_t sends; /* eth_sendRawTransaction calls that were taken */
    void (*on_send)(void *user, const uint8_t hash32[32]);
    void *user;
} sim;

/* With one account, which is its own operator. */
sim *sim_new(const uint8_t account20[20]);
void sim_free(sim *s);
/* Another account, its own operator. */
sim_account *sim_add_account(sim *s, const uint8_t address20[20]);

/* Makes count blocks, each with what is in the pool and can be included. */
void sim_mine(sim *s, size_t count);
/* Takes count blocks away and makes as many others. keep_requests: the requests in them go back to
 * the pool; keep_txs: so do the operator's. */
void sim_reorg(sim *s, size_t count, bool keep_requests, bool keep_txs);
/* Puts a request of that prompt length into the pool. Returns: its index. terms may be NULL. */
size_t sim_ask(sim *s, const lks_request *terms, uint32_t prompt_count);
/* The terms that sim_ask takes for NULL. */
lks_request sim_terms(const sim *s);
/* Another account acts in the next block. */
void sim_other(sim *s, sim_kind kind, size_t request);
/* A call by another account, in the next block. */
void sim_put_call(sim *s, const uint8_t from20[20], const uint8_t to20[20], const lks_buf *data);
/* A request of these terms, which `other` accepts and claims with these tokens, within five blocks.
 * Returns: its index. */
size_t sim_foreign_claim(sim *s, const lks_request *terms, uint32_t prompt_count,
                         const uint32_t *tokens, size_t count);
/* The node forgets the pooled transactions of accounts. */
void sim_forget_pool(sim *s);
/* What the bond of the account's operator has left to be locked. */
lks_u256 sim_free_bond(const sim_account *a);

/* Another view of a chain: what a node tells that lags behind it, or stands on a fork of it. It
 * shows what sim_follow or sim_fork last made of it; takes no transactions. The chain outlives it.
 */
sim *sim_new_view(const sim *of);
void sim_free_view(sim *s); /* NULL is allowed */
/* The chain's blocks up to a height. */
void sim_follow(sim *s, const sim *of, uint64_t height);
/* A fork that leaves the chain depth blocks below its head, and has as many blocks of its own, with
 * the transactions of those that it has not, in other places. */
void sim_fork(sim *s, const sim *of, size_t depth);

/* lks_eth_call_fn. */
lks_err sim_call(void *context, const char *method, const char *params_json, lks_buf *answer);

/* Gives block number to a plugin's on_block, or to whoever. The arrays live until the next call. */
const lockstep_block *sim_block_of(sim *s, uint64_t number);

#endif
