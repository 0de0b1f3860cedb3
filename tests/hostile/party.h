/* An honest party of a life: a plugin's operator on a store of its own, which sees the chain
 * through what its node answers, with lockstep-node's way of following it. It ends and begins again
 * at any time. */
#ifndef LKS_TESTS_PARTY_H
#define LKS_TESTS_PARTY_H

#include "plugin/hosts/runner/follow.h"
#include "plugin/operator.h"

/* Calls of the plugin that its node has not answered yet. */
#define PARTY_CALLS 64u

typedef struct party_call {
    char *method, *params;
    lockstep_rpc_reply reply;
    void *user;
} party_call;

typedef struct party {
    const char *name;
    lks_eth node;       /* how it sees the chain; LKS_TIMEOUT is an answer that does not come */
    lks_signer *signer; /* owned */
    lks_config config;  /* of which the strings are not owned */
    const lks_models *models;
    uint32_t timeout_ms; /* of a call */
    char database[128];

    lockstep_host host;
    lockstep_plugin plugin; /* what the runner gives blocks to */
    runner_host runner;
    runner_follow follow;
    lks_inbox *inbox;
    lks_node *rpc;
    lks_operator op;
    bool open;
    bool inside; /* it is at work, perhaps waiting */
    party_call calls[PARTY_CALLS], hung[PARTY_CALLS];
    size_t call_count, hung_count;
    lks_buf log;
} party;

/* In: p, all zero but name, node, models, config, timeout_ms and database, with the key of its
 * account. */
void party_begin(party *p, const uint8_t key32[32]);
/* Frees everything. The database stays. */
void party_end(party *p);
/* Starts it; ends it as a crash does: nothing is told to the chain or the store any more. */
void party_start(party *p);
void party_halt(party *p);
/* Reads what is new on the chain, and does what is then due. */
void party_work(party *p);
/* Answers one call that the party waits for. Returns: false when it waits for none. */
bool party_answer(party *p);

#endif
