/* A claim's dispute game, kept in step with the chain. */
#ifndef LKS_CLI_FOLLOW_H
#define LKS_CLI_FOLLOW_H

#include "oracle/cli/link.h"
#include "oracle/dispute/game.h"

struct lks_block_time {
    uint8_t hash[32];
    uint64_t time; /* Unix seconds */
};

typedef struct lks_follow {
    lks_link *link;
    lks_game_deployment deployment;
    lks_game_parameters parameters;
    lks_game *game;
    uint8_t name[32], claim_id[32];
    uint64_t first;        /* block of the request: nothing about it is older */
    bool started;          /* logs up to `newest` are in the game */
    bool doubted;          /* its logs contradict the contract's state, and are to be read anew */
    lks_eth_header newest; /* the block that the game stands at */
    lks_eth_header tail;   /* the newest block whose logs may be in the game */
    /* Times of blocks that were looked up. */
    struct lks_block_time *times;
    size_t time_count, time_capacity;
} lks_follow;

/* Begins to follow the claim of that name and id; nothing is read of its events yet. In: first, the
 * request's block or an earlier one. Out: *f, to be closed in either case.
 * Returns: LKS_OK; what the node's calls return. */
LKS_MUST_USE
lks_err lks_follow_open(lks_follow *f, lks_link *s, const uint8_t name32[32],
                        const uint8_t claim_id32[32], uint64_t first);
void lks_follow_close(lks_follow *f);

/* Reads what has come since the last call, or everything again after a re-org, and replays the
 * game. What the logs say is compared with what the game contract says (claimOf) in the same block;
 * where they differ, the node has kept logs back, and all are read again. A node that is behind the
 * block that the game stands at changes nothing: that is no re-org.
 * Returns: LKS_OK; LKS_CORRUPT also when logs and state go on contradicting each other; what the
 * node's calls and the game return. */
LKS_MUST_USE
lks_err lks_follow_update(lks_follow *f);
/* The same for one who has asked for the newest block. */
LKS_MUST_USE
lks_err lks_follow_update_to(lks_follow *f, const lks_eth_header *newest);
/* The next update reads all logs again. */
void lks_follow_doubt(lks_follow *f);

/* Tells the game the model from its registration on chain: for one who has no model file. */
LKS_MUST_USE
lks_err lks_follow_model_of_chain(lks_follow *f, const uint8_t model_id32[32]);

/* Views of the game contract. Returns also: LKS_NOTFOUND (no such dispute, or a claim that was
 * never disputed). */
LKS_MUST_USE
lks_err lks_dispute_get(lks_dispute_view *out, lks_link *s, const uint8_t dispute_id32[32]);
/* The same in one block. Returns: LKS_OK also where there is none; then its state says so. */
LKS_MUST_USE
lks_err lks_dispute_get_at(lks_dispute_view *out, lks_link *s, const uint8_t dispute_id32[32],
                           const uint8_t block_hash32[32]);
LKS_MUST_USE
lks_err lks_disputed_claim_get(lks_disputed_claim *out, lks_link *s, const uint8_t claim_id32[32]);
LKS_MUST_USE
lks_err lks_game_parameters_get(lks_game_parameters *out, lks_link *s);
/* Out: what a question prepays at the next block's base fee. */
LKS_MUST_USE
lks_err lks_prepayment_get(lks_u256 *wei, lks_link *s, lks_dispute_state asks, uint32_t position);
/* Out: a bond that a challenge needs soon: bondFor at twice the base fee. */
LKS_MUST_USE
lks_err lks_bond_get(lks_u256 *wei, lks_link *s, const lks_u256 *stake);

/* Reads 0x and 64 digits of a dispute's id. Returns: LKS_PARSED, or the exit code after telling. */
int lks_dispute_parse_id(uint8_t id32[32], const char *command, const char *text);

#endif
