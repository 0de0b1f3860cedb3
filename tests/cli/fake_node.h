/* A node in memory, for the tests of what the command sends: one account, blocks and a pool, and
 * the faults of nodes. A block is made at each question for the newest number. */
#ifndef LKS_TESTS_FAKE_NODE_H
#define LKS_TESTS_FAKE_NODE_H

#include "chain/eth.h"
#include "chain/tx.h"

#define FAKE_TXS 64

typedef struct fake_tx {
    uint8_t hash[32];
    lks_buf raw;
    lks_tx t; /* points into raw */
    bool forgotten;
    uint64_t block; /* 0: in the pool */
} fake_tx;

typedef struct fake_node {
    uint64_t head, step;         /* newest block; how many each look makes */
    uint64_t base_fee, priority; /* wei per gas: suggested */
    uint64_t least_priority;     /* below it a transaction stays in the pool */
    uint64_t cheap_from;    /* head from which any version will do, the first before the others */
    uint64_t mined;         /* transactions of the account in blocks */
    uint64_t foreign;       /* of the account in the pool, which another program sent */
    bool foreign_stays;     /* they get into no block */
    uint64_t take_nonce_at; /* head at which a foreign transaction takes the nonce; 0: never */
    uint64_t gas;           /* what an estimate says */
    bool reverts;
    bool forgets; /* the first transaction that is sent */
    fake_tx txs[FAKE_TXS];
    size_t sent;
    /* Faults. */
    const char *fails_method; /* answers it with LKS_IO, so many times, having acted or not */
    unsigned fails;
    bool acts;
} fake_node;

/* lks_eth_call_fn; context: a fake_node. */
lks_err fake_node_call(void *context, const char *method, const char *params, lks_buf *answer);
void fake_node_free(fake_node *n);

#endif
