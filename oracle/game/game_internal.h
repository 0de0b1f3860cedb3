/* What the files of oracle/game share. */
#ifndef LKS_ORACLE_GAME_INTERNAL_H
#define LKS_ORACLE_GAME_INTERNAL_H

#include "oracle/game/game.h"

/* A log, kept. */
typedef struct lks_game_log {
    enum { LKS_LOG_GAME, LKS_LOG_ORACLE, LKS_LOG_REGISTRY } source;
    uint64_t block, time;
    uint32_t index;
    uint8_t tx[32];
    uint8_t topics[4][32];
    size_t topic_count;
    uint8_t *data;
    size_t len;
} lks_game_log;

/* Something that the operator is asked for and shows once: the trace, the children of a node, the bytes of a leaf, partials. */
typedef enum lks_slot_kind { LKS_SLOT_TRACE, LKS_SLOT_NODE, LKS_SLOT_LEAF, LKS_SLOT_PARTIALS } lks_slot_kind;

#define LKS_NOBODY SIZE_MAX

typedef struct lks_slot {
    lks_slot_kind kind;
    uint32_t op, height, index, element; /* of partials index is the row; of the trace all are 0 */
    bool filled;
    size_t waiting; /* the first dispute that waits for it, or LKS_NOBODY */
} lks_slot;

/* Every slot that an event names, in order. */
typedef struct lks_slots {
    lks_slot *items;
    size_t count;
} lks_slots;

/* The slot that an event fills, or that it asks for. Returns: false for an event about none. */
bool lks_slot_of_event(lks_slot *out, const lks_game_event *e);
/* Sorts the slots and leaves one of each. */
void lks_slots_order(lks_slots *s);
/* NULL: no event named it. */
lks_slot *lks_slots_find(const lks_slots *s, const lks_slot *key);

/* A dispute as it is replayed. */
typedef struct lks_game_entry {
    lks_game_dispute view;
    size_t order;   /* among the disputes */
    size_t waits;   /* the next dispute that waits for the same slot */
} lks_game_entry;

/* What a replay gives. All owned, but for what points into the logs. */
typedef struct lks_game_state {
    bool has_request, has_seat, has_claim;
    lks_request request;
    uint8_t operator_address[20];
    uint8_t attempt, seat;
    uint64_t seed, window_end;
    uint8_t tokens_hash[32];
    uint32_t *prompt, *allowed, *answer;
    lks_run run;
    lks_shown shown;
    lks_known_node *nodes;
    lks_known_leaf *leaves;
    lks_posted_partials *partials;
    lks_claim_status status;
    lks_game_entry *disputes;
    size_t dispute_count;
    size_t *by_id; /* disputes in the order of their ids */
    lks_game_step *steps;
    lks_slots slots;
} lks_game_state;

struct lks_game {
    lks_game_deployment deployment;
    uint8_t request_id[32], claim_id[32];
    bool model_given, model_known;
    lks_model_commitment model;
    uint8_t *shapes; /* a bit an operation */
    lks_game_log *logs;
    size_t log_count, log_room, bytes;
    lks_game_state state;
};

void lks_game_state_free(lks_game_state *s);
/* Replays g's logs, which are in order and without repeats, into g->state, which is empty. */
LKS_MUST_USE lks_err lks_game_replay(lks_game *g);
/* Its last part: the game's events. step_room: how many steps all disputes can have together. */
LKS_MUST_USE lks_err lks_game_play(lks_game *g, size_t step_room);
/* Puts the logs in the order of the chain, one of each. Returns: LKS_OK; LKS_CORRUPT (two logs at one place). */
LKS_MUST_USE lks_err lks_game_order(lks_game *g);
lks_game_entry *lks_game_entry_find(const lks_game_state *s, const uint8_t id32[32]);
bool lks_slot_is_filled(const lks_game *g, lks_slot_kind kind, uint32_t op, uint32_t height, uint32_t index, uint32_t element);

#endif
