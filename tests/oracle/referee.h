/* A toy referee of the dispute game (docs/SPEC.md, section 14): its rules without money, for tests of both players. It speaks as the contract does: each
 * accepted move is an event log, from which a follower (oracle/game) knows what happened. Verdicts are those of lks_witness_check.
 */
#ifndef LKS_TESTS_REFEREE_H
#define LKS_TESTS_REFEREE_H

#include "oracle/game/game.h"
#include "tests/oracle/tiny_models.h"

#define REFEREE_DISPUTES 1024
#define REFEREE_SLOTS 4096
#define REFEREE_BUDGET 1000u
#define REFEREE_FLOOR 50u

typedef struct referee_slot {
    int kind; /* 0 node or leaf, 1 partials */
    uint32_t op, height, element;
    uint64_t index; /* of partials: the row */
    uint64_t filled; /* second; 0: empty */
    uint8_t digest[32]; /* of partials */
} referee_slot;

typedef struct referee_dispute {
    uint8_t id[32], challenger[20];
    lks_dispute at; /* as stored: a slot filled meanwhile does not show */
    uint8_t node[32];
    uint64_t start;
    uint32_t left[2]; /* of the operator, of the challenger */
} referee_dispute;

typedef struct referee {
    lks_game_deployment deployment;
    const lks_model *model;
    const lks_run *run;
    lks_commitment commitment;
    lks_claim_facts facts;
    lks_request request;
    uint8_t request_id[32], claim_id[32], operator_address[20];
    bool open, over, convicted;
    uint8_t root[32];
    bool *recorded; /* shapes */
    referee_dispute disputes[REFEREE_DISPUTES];
    size_t dispute_count;
    referee_slot slots[REFEREE_SLOTS];
    size_t slot_count;
    uint64_t time, block;
    lks_eth_log *logs;
    uint64_t *times;
    size_t log_count, log_room;
} referee;

/* A claim that was asked for and made: its first logs are Requested, Accepted, Claimed, and the model's registration. */
void referee_open(referee *r, const lks_model *m, const lks_commitment *c, const lks_run *run);
void referee_close(referee *r);

/* Each returns whether the contract would take it. The dispute is its number. */
bool referee_challenge(referee *r, size_t *dispute);
bool referee_record_shape(referee *r, uint32_t op);
/* A player's move, of the side whose turn it is. */
bool referee_move(referee *r, size_t dispute, const lks_move *m);
/* Ends the dispute of the side to move, whose time is made to pass. */
void referee_timeout(referee *r, size_t dispute);

/* The dispute as the chain sees it now. */
lks_dispute referee_at(const referee *r, size_t dispute);
/* Its clocks: when the turn began, the last second of it, the seconds left of both sides then. */
void referee_clock(const referee *r, size_t dispute, uint64_t *start, uint64_t *deadline, uint32_t left[2]);
bool referee_is_operators(lks_dispute_state state);

/* A new game with all logs fed and replayed; to be freed. */
lks_game *referee_follow(const referee *r);
/* Feeds what came since the last call; *fed counts. */
void referee_feed(const referee *r, lks_game *g, size_t *fed);
/* Every dispute of the follower stands where the referee's does, clocks too. */
void referee_compare(const referee *r, const lks_game *g);

#endif
