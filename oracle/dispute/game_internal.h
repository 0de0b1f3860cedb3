/* Shared by the files of a claim's game. */
#ifndef LKS_ORACLE_DISPUTE_GAME_INTERNAL_H
#define LKS_ORACLE_DISPUTE_GAME_INTERNAL_H

#include "oracle/dispute/game.h"

/* A log, kept. */
typedef struct lks_game_log {
    enum {
        LKS_LOG_GAME,
        LKS_LOG_ORACLE,
        LKS_LOG_REGISTRY
    } source;
    uint64_t block, time;
    uint32_t index;
    uint8_t tx[32];
    uint8_t topics[4][32];
    size_t topic_count;
    uint8_t *data;
    size_t len;
} lks_game_log;

/* A dispute as it is replayed. */
typedef struct lks_game_entry {
    lks_game_dispute view;
    size_t order; /* among the disputes */
} lks_game_entry;

/* The result of a replay. It owns everything but pointers into the logs. */
typedef struct lks_game_state {
    bool has_request, has_claim;
    lks_request request;
    lks_claim_terms claim;
    lks_claim_facts facts;
    uint64_t window_end;
    uint32_t *prompt, *allowed, *answer;
    lks_run run;
    lks_shown shown;
    lks_known_node *nodes;
    lks_known_leaf *leaves;
    lks_claim_status status;
    lks_game_entry *disputes;
    size_t dispute_count, live_count;
    size_t *by_id; /* disputes in the order of their ids */
    lks_game_step *steps;
} lks_game_state;

struct lks_game {
    lks_game_deployment deployment;
    uint8_t name[32], request_id[32], claim_id[32];
    uint8_t attempt, seat;
    bool model_given, model_known;
    lks_model_commitment model;
    uint8_t *shapes; /* a bit per operation */
    lks_game_log *logs;
    size_t log_count, log_room, bytes;
    lks_game_state state;
};

void lks_game_state_free(lks_game_state *s);
/* Replays g's logs, which are in order and without repeats, into g->state, which is empty. */
LKS_MUST_USE
lks_err lks_game_replay(lks_game *g);
/* Its last part: the game's events. step_room: how many steps all disputes can have together. */
LKS_MUST_USE
lks_err lks_game_play(lks_game *g, size_t step_room);
/* Puts the logs in the order of the chain, one of each. Returns: LKS_OK; LKS_CORRUPT (two logs at
 * one place). */
LKS_MUST_USE
lks_err lks_game_order(lks_game *g);
LKS_MUST_USE
lks_err lks_game_log_decode(lks_game_event *e, const lks_game_log *log);
lks_game_entry *lks_game_entry_find(const lks_game_state *s, const uint8_t id32[32]);

/* Leaves one of each place that several disputes had shown: what the player reads does not grow
 * with the number of disputes. Returns: false when two of them differ. */
bool lks_game_nodes_unite(lks_known_node *nodes, size_t *count);
bool lks_game_leaves_unite(lks_known_leaf *leaves, size_t *count);

#endif
