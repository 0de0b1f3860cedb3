/* One claim that is looked at closely: its game as the chain has it, our trace of it.
 */
#ifndef LKS_PLUGIN_MATCH_H
#define LKS_PLUGIN_MATCH_H

#include "oracle/dispute/game.h"
#include "plugin/models.h"
#include "plugin/store.h"

/* View of a dispute by the game contract at the head that the match stands at. */
typedef struct lks_seen {
    bool asked;
    bool same; /* as the logs have it */
    lks_dispute_view view;
} lks_seen;

/* A proof of ours, which waits until our commitment to it is old enough. */
typedef struct lks_held {
    bool any;
    uint8_t subject[32]; /* the dispute that it is for; the claim, of one without a dispute */
    lks_dispute at;      /* the turn that it is for */
    lks_move move;       /* owned */
} lks_held;

/* Turns of ours in the disputes of a claim, and what was said of them. */
typedef struct lks_turns {
    size_t count;
    uint64_t deadline; /* chain time, of the one that ends first */
    uint64_t told;     /* chain time of the last warning; 0: none */
    bool window, lost; /* these warnings were given */
} lks_turns;

typedef struct lks_match {
    lks_claim claim;
    const lks_served *served;
    uint64_t from; /* block of the request */
    lks_u256 stake;
    lks_game *game;
    lks_trace *trace;     /* NULL until it is made */
    unsigned lent;        /* tasks that run for it: it must not go */
    bool trace_lent;      /* one of them may use more than the trace's nodes, or makes it */
    bool keeps_rows;      /* the trace has its rows in a file */
    bool wanted;          /* there is something to be done for it, as of the last tick */
    lks_seen *seen;       /* one for each dispute of the game */
    lks_block_ref synced; /* the game has the logs up to this block; number 0: none */
    bool odd;             /* at this head logs and contract disagree about a dispute */
    bool compared;        /* the root that the operator opened, with ours */
    bool differs;         /* what came of it */
    lks_held held;
    lks_turns turns;
} lks_match;

typedef struct lks_matches {
    lks_match **items; /* their addresses stay */
    size_t count, capacity;
} lks_matches;

/* Returns: NULL when there is none. */
lks_match *lks_match_find(const lks_matches *all, const uint8_t claim_id32[32]);
/* Adds a match. */
lks_err lks_match_add(lks_match **out, lks_matches *all, const lks_game_deployment *deployment,
                      const lks_claim *claim, const lks_job *job,
                      const lks_served *served) LKS_MUST_USE;
void lks_match_remove(lks_matches *all, lks_match *match);
void lks_matches_free(lks_matches *all);

/* Where games are read from. */
typedef struct lks_matches_source {
    const lks_game_deployment *deployment;
    const lks_eth *node;
    lks_store *store;
} lks_matches_source;

/* Brings the game to the head, from its synced block on, and with it those of all others that stand
 * at the same block, by one query; all of it is read where that is no block of the chain. The last
 * blocks are read again each time. Returns also: what chain/eth.h, the store and lks_game_update
 * return. */
lks_err lks_match_sync(lks_matches *all, lks_match *match, const lks_matches_source *source,
                       const lks_block_ref *head) LKS_MUST_USE;

/* Takes over a proof for the turn of a dispute, or for a claim; the move is then empty. */
void lks_match_hold(lks_match *match, const uint8_t subject32[32], const lks_dispute *at,
                    lks_move *move);
/* The proof that is held for it. Returns: NULL when there is none. */
const lks_move *lks_match_held(const lks_match *match, const uint8_t subject32[32],
                               const lks_dispute *at);

/* Purpose of a transaction. */
typedef enum lks_verb {
    LKS_VERB_MOVE = 1,
    LKS_VERB_ANSWERS,
    LKS_VERB_COMMIT,
    LKS_VERB_TIMEOUT,
    LKS_VERB_CHALLENGE,
    LKS_VERB_RECLAIM,
    LKS_VERB_WITHDRAW,
    LKS_VERB_SHAPE,
    LKS_VERB_CHECK,
    LKS_VERB_COMPARE
} lks_verb;

/* Out: the name of something to be done once: by a verb, a dispute, claim, model or account, and
 * the place in the game (NULL where it has none). */
void lks_match_key(uint8_t key32[32], lks_verb verb, const void *subject, size_t len,
                   const lks_dispute *at);
/* Whether two disputes are in the same state at the same place: the operator's answer is the
 * same. */
bool lks_match_same_place(const lks_dispute *a, const lks_dispute *b);

/* Whether it is the operator's turn, in a state of a dispute that is not over. */
bool lks_state_is_operators(lks_dispute_state state);
/* Whether the operator's answer takes rows of its trace: leaves, partials. */
bool lks_state_asks_rows(lks_dispute_state state);
const char *lks_state_name(lks_dispute_state state);

#endif
