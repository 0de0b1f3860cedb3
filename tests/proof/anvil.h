/* anvil with Lockstep's contracts: transactions from any account, and many calls at once that see
 * other words in a contract's storage. What goes wrong fails the test. */
#ifndef LKS_TESTS_PROOF_ANVIL_H
#define LKS_TESTS_PROOF_ANVIL_H

#include "chain/eth.h"
#include "chain/rpc.h"
#include "tests/kernels/vectors.h"

#include <pthread.h>

typedef struct anvil {
    lks_rpc *rpc;
    lks_eth node;
    uint64_t chain_id;
    uint8_t registry[20], bonds[20], oracle[20], game[20];
    pthread_mutex_t lock; /* of the next four */
    pthread_cond_t answered;
    unsigned under_way;
    uint64_t confirmed; /* answered as they had to be */
    char failure[512];
} anvil;

/* In: url: as lks_rpc_open; contracts: a file with the line that contracts/script/Deploy.s.sol
 * prints. From here on a block is made for each transaction, and no other, a second after the one
 * before it: while calls are made the chain's clock stands still, and no turn of a dispute ends. */
void anvil_open(anvil *a, const char *url, const char *contracts);
void anvil_close(anvil *a);

void anvil_fund(anvil *a, const uint8_t account20[20], uint64_t ether);
void anvil_mine(anvil *a, unsigned blocks);
/* Sends ether with a call's data, which is freed. what: for messages. */
void anvil_send(anvil *a, const char *what, const uint8_t from20[20], const uint8_t to20[20],
                uint64_t ether, lks_buf *call);
/* What a view returns; call is freed. */
void anvil_view(anvil *a, lks_buf *result, const uint8_t to20[20], lks_buf *call);
void anvil_word_get(anvil *a, uint8_t word32[32], const uint8_t account20[20],
                    const uint8_t slot32[32]);
void anvil_word_set(anvil *a, const uint8_t account20[20], const uint8_t slot32[32],
                    const uint8_t word32[32]);

typedef struct anvil_word {
    uint8_t slot[32], value[32];
} anvil_word;

/* A call without a transaction, to a contract in whose storage these words are put for it. */
typedef struct anvil_message {
    const uint8_t *from20, *to20;
    const lks_buf *data;
    const anvil_word *words;
    size_t word_count;
} anvil_message;

/* Starts the call, once fewer than 32 are under way. error: the custom error that it must revert
 * with, "NothingWrong()", a literal; NULL: it must return, and nothing. what: what an unexpected
 * answer is reported with, here or by anvil_wait. */
void anvil_call(anvil *a, const anvil_message *m, const char *error, const char *what);
/* Waits for every call; fails the test if one was answered as it should not be. */
void anvil_wait(anvil *a);

#endif
