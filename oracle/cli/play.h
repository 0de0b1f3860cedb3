/* The challenger's side of one dispute, played move by move. Never waits longer than one
 * transaction takes: `challenge` calls it in a loop, `watch` for several disputes in turn.
 * Everything it needs follows from chain and model, so a restarted command goes on where the last
 * one ended. */
#ifndef LKS_CLI_PLAY_H
#define LKS_CLI_PLAY_H

#include "oracle/cli/claim_view.h"
#include "oracle/cli/dispute_print.h"
#include "oracle/cli/gate.h"
#include "oracle/cli/rerun.h"
#include "oracle/cli/send.h"

/* A proof that was committed to: it is sent as it is once the commitment is old enough. */
typedef struct lks_play_proof {
    bool made;
    uint8_t salt[32];
    uint64_t block; /* of the commitment */
    lks_move move;  /* owned */
} lks_play_proof;

typedef struct lks_play {
    lks_link *link;               /* with an account; borrowed, as the next two */
    const lks_rerun_model *model; /* with its trees */
    lks_trace *own;               /* with its hashes */
    lks_follow follow;
    uint8_t dispute_id[32];
    lks_play_proof proof;
    const char *label; /* in front of each move's line; may be NULL */
    lks_gate *gate;    /* shut while a move is computed; may be NULL */
    bool quiet;        /* no line for each move */
    bool dead;         /* the claim stands no longer: nothing is left but to reclaim */
    /* On its turn the player found nothing wrong: there is no move to make as things stand, and the
     * dispute will be lost unless something else ends the claim. */
    bool no_fault;
    size_t no_fault_at; /* steps of all disputes of the claim when that was found; 0: never */
    size_t told;        /* moves that were printed */
    uint64_t gas;       /* of the transactions sent here */
    uint64_t sent_block, sent_gas; /* of the last one */
    lks_u256 spent;                /* on that gas, wei */
} lks_play;

/* Begins to follow the claim's game. Out: *p, to be closed in either case. Returns: LKS_PARSED, or
 * the exit code after telling. */
int lks_play_open(lks_play *p, lks_link *s, const lks_request_view *v, const lks_claim_view *c,
                  const lks_rerun_model *m, lks_trace *own);
void lks_play_close(lks_play *p);

/* The account's own dispute on the claim that needs it: a live one, else one whose bond is to be
 * taken back; NULL: none. */
const lks_game_dispute *lks_play_find_own(const lks_play *p);
const lks_game_dispute *lks_play_find_own_in(const lks_game *g, const uint8_t challenger20[20]);
/* Goes on with a dispute of the claim that is the account's own. */
void lks_play_resume(lks_play *p, const lks_game_dispute *d);
/* Opens a dispute with that bond (lks_bond_get). Its salt is the number of disputes that the
 * account has opened on the claim, so that a repeat after a crash cannot open a second one with the
 * same bond.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_play_challenge(lks_play *p, const lks_u256 *bond);

/* Looks at the chain and makes at most one move: the player's next, a time-out against a late
 * operator. Prints what both sides did. In: newest, the newest block; NULL: it is asked for. Out:
 * *over, set when the dispute has ended.
 * Returns: LKS_PARSED, or the exit code after telling; whatever it is, the turn can be tried
 * again. */
int lks_play_turn(lks_play *p, const lks_eth_header *newest, bool *over);
/* The dispute as last seen; NULL: not seen. Borrowed until the next turn. */
const lks_game_dispute *lks_play_dispute(const lks_play *p);
/* How the dispute ended, as last seen. */
lks_game_end lks_play_result(const lks_play *p);

/* Plays to the end, then reclaims and collects what is owed. What fails is tried again, after
 * pauses of up to a minute, until the dispute is over. Returns: LKS_EXIT_OK when the claim fell;
 * LKS_EXIT_NO when the dispute was lost; another code after telling. */
int lks_play_to_end(lks_play *p);
/* After the end: takes a moot dispute's bond back, and withdraws what game and oracle owe the
 * account. Returns: LKS_PARSED, or the exit code after telling. */
int lks_play_collect(lks_play *p);

#endif
