/* A toy referee of the dispute game (docs/SPEC.md, section 14): its rules without money, for tests
 * of both players. It speaks as the contract does: each accepted move is an event log, from which a
 * follower (oracle/dispute) knows what happened. Verdicts are those of lks_witness_check. */
#ifndef LKS_TESTS_DISPUTE_REFEREE_H
#define LKS_TESTS_DISPUTE_REFEREE_H

#include "oracle/dispute/game.h"
#include "tests/model/tiny_models.h"

#define REFEREE_DISPUTES 1024
#define REFEREE_COMMITMENTS 64
#define REFEREE_BUDGET 1000u
#define REFEREE_FLOOR 50u
/* What a question prepays, and what the answer costs of it. */
#define REFEREE_PREPAID 100u
#define REFEREE_COST 60u

typedef struct referee_dispute {
    uint8_t id[32];
    lks_dispute_terms terms;
    lks_dispute at;
    uint8_t node[32];
    uint64_t start;
    uint32_t left[2]; /* of the operator, of the challenger */
    uint64_t prepaid;
    bool alone;
    uint8_t digest[32]; /* of the partials that were posted */
} referee_dispute;

typedef struct referee_commitment {
    uint8_t hash[32];
    uint64_t block;
} referee_commitment;

typedef struct referee {
    lks_game_deployment deployment;
    const lks_model *model;
    const lks_run *run;
    lks_model_commitment commitment;
    lks_witness_claim claim;
    lks_request request;
    lks_claim_terms terms;
    lks_claim_facts facts;
    uint8_t request_id[32], name[32], claim_id[32], operator_address[20];
    bool open, over, convicted;
    uint8_t root[32];
    bool *recorded; /* shapes */
    referee_dispute disputes[REFEREE_DISPUTES];
    size_t dispute_count, live;
    uint64_t joined; /* block in which a dispute last joined another */
    referee_commitment commitments[REFEREE_COMMITMENTS];
    size_t commitment_count;
    uint64_t time, block;
    lks_eth_log *logs;
    uint64_t *times;
    size_t log_count, log_room;
} referee;

/* A claim that was asked for and made: its first logs are Requested, Accepted, Claimed, and the
 * model's registration. */
void referee_open(referee *r, const lks_model *m, const lks_model_commitment *c,
                  const lks_run *run);
void referee_close(referee *r);

/* Each returns whether the contract would take it. The dispute is its number. */
bool referee_challenge(referee *r, size_t *dispute);
bool referee_record_shape(referee *r, uint32_t op);
void referee_commit(referee *r, const uint8_t commitment32[32]);
void referee_mine(referee *r, unsigned blocks);
/* A player's move, of the side whose turn it is. commit_salt32: of a step; NULL: none. */
bool referee_move(referee *r, size_t dispute, const lks_move *m, const uint8_t *commit_salt32);
/* Ends the dispute of the side to move, whose time is made to pass. */
void referee_timeout(referee *r, size_t dispute);
/* Another convicts the claim, without a dispute. */
void referee_prove(referee *r);

/* The dispute as the chain sees it now. */
lks_dispute referee_at(const referee *r, size_t dispute);
/* The last second of its turn. */
uint64_t referee_deadline(const referee_dispute *d);
bool referee_is_operators(lks_dispute_state state);

/* A new game with all logs fed and replayed; to be freed. */
lks_game *referee_follow(const referee *r);
/* Feeds what came since the last call; *fed counts. */
void referee_feed(const referee *r, lks_game *g, size_t *fed);
/* Every dispute of the follower stands where the referee's does, clocks too. */
void referee_compare(const referee *r, const lks_game *g);

#endif
