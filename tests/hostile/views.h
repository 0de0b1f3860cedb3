/* Other views of a real node's chain, for the layer of hostile.h: the chain as it was some blocks
 * ago, and another branch of it. Both are made of the node's own answers. The branch's blocks have
 * other hashes; half of the branches hold the same transactions, the others none. */
#ifndef LKS_TESTS_VIEWS_H
#define LKS_TESTS_VIEWS_H

#include "chain/eth.h"
#include "tests/hostile/chance.h"

#define VIEWS_HASH_SIZE 67u
#define VIEWS_MOST 64u /* blocks of a branch whose hashes are changed; later ones keep theirs */

typedef struct views {
    lks_eth truth;
    chance chance;
    uint64_t lag; /* of views_behind, in blocks */

    /* Its own: the branch. */
    uint64_t left_at; /* the last block that it shares with the chain */
    bool bare;        /* it holds no transactions */
    size_t count;     /* of the hashes: those of blocks left_at, left_at + 1, ... on the chain */
    char hashes[VIEWS_MOST][VIEWS_HASH_SIZE];
} views;

/* Begins another branch so many blocks below the head. */
void views_leave(views *v, uint64_t blocks);

/* Two lks_eth_call_fn; context is views. Beside what the node's own call returns, they refuse with
 * LKS_REMOTE what a node that has not seen a block refuses. */
lks_err views_behind(void *context, const char *method, const char *params_json, lks_buf *answer);
lks_err views_branch(void *context, const char *method, const char *params_json, lks_buf *answer);

#endif
