/* The dispute player: from the state of a game and a trace of one's own to the next move, for both
 * sides. Pure: no clock, socket or database.
 *
 * The game is IDisputeGame; positions and stages are those of docs/SPEC.md, section 14. */
#ifndef LKS_ORACLE_DISPUTE_PLAYER_H
#define LKS_ORACLE_DISPUTE_PLAYER_H

#include "oracle/proof/witness.h"

/* As DisputeState of IDisputeGame. */
typedef enum lks_dispute_state {
    LKS_DISPUTE_NONE = 0,
    LKS_DISPUTE_ROOT,
    LKS_DISPUTE_PICK,
    LKS_DISPUTE_NODE,
    LKS_DISPUTE_LEAF,
    LKS_DISPUTE_STEP,
    LKS_DISPUTE_PARTIALS,
    LKS_DISPUTE_PARTIAL_STEP,
    LKS_DISPUTE_CLOSED
} lks_dispute_state;

/* Nodes and leaves of a claim's trace that the operator has revealed, in all disputes together: its
 * root binds them all.
 * Borrowed. */
typedef struct lks_shown {
    bool open; /* the root is known */
    uint8_t root[32];
    lks_known known; /* revealed nodes (the root's children too) and leaves */
} lks_shown;

/* One dispute: its state and current node. */
typedef struct lks_dispute {
    lks_dispute_state state;
    uint32_t op; /* LKS_TOP: the tree above operations */
    unsigned height;
    uint64_t index;
    uint32_t element; /* PARTIALS, PARTIAL_STEP */
    /* PARTIAL_STEP: what the operator posted in this dispute. No hash binds partials, so those that
     * it posted in another dispute may be others. Borrowed. */
    const uint8_t *partials;
    size_t partials_len;
} lks_dispute;

typedef enum lks_move_kind {
    LKS_MOVE_NONE = 0,      /* nothing to do: the other side's turn, over, or no fault was found */
    LKS_MOVE_OPEN_TRACE,    /* hash: the root; hashes: children */
    LKS_MOVE_REVEAL,        /* hashes: children */
    LKS_MOVE_REVEAL_LEAF,   /* bytes */
    LKS_MOVE_OPEN_PARTIALS, /* bytes */
    LKS_MOVE_PICK,          /* op, height, index, hash: the node; hashes: its path */
    LKS_MOVE_STEP,          /* witness */
    LKS_MOVE_DEMAND_PARTIALS, /* element */
    LKS_MOVE_STEP_PARTIAL     /* witness, bytes: the partials */
} lks_move_kind;

typedef struct lks_move {
    lks_move_kind kind;
    uint32_t op;
    unsigned height;
    uint64_t index;
    uint32_t element;
    uint8_t hash[32];
    uint8_t (*hashes)[32]; /* owned, as the next two */
    size_t hash_count;
    uint8_t *bytes;
    size_t len;
    lks_witness witness;
} lks_move;

void lks_move_free(lks_move *m);

/* The operator's next moves: it shows its own trace. All rows that the places ask for come from one
 * pass. A place whose move cannot be made does not keep the others back: its move stays
 * LKS_MOVE_NONE. Out: moves, count of them, each to be freed.
 * Returns: LKS_OK; why the last move could not be made, when none could: LKS_BADARGS (a place that
 * the trace does not have), as lks_trace_rows. */
LKS_MUST_USE
lks_err lks_player_operator_all(lks_move *moves, lks_trace *own, const lks_shown *shown,
                                const lks_dispute *places, size_t count);
/* The same for one place. */
LKS_MUST_USE
lks_err lks_player_operator(lks_move *out, lks_trace *own, const lks_shown *shown,
                            const lks_dispute *d);

/* The challenger's next move: goes down the first difference, or proves a wrong token at once where
 * the root is its own. It goes as deep as anything that was shown leads, in whatever dispute that
 * was. LKS_MOVE_NONE on its own turn means that it found no fault: the claim is right, and the
 * dispute is lost.
 * Returns: LKS_OK; LKS_BADARGS (a place that the trace does not have); LKS_NOTFOUND (the revealed
 * leaf differs from the own trace but no unit shows it: one of the two machines is broken); as
 * lks_witness_make. */
LKS_MUST_USE
lks_err lks_player_challenger(lks_move *out, lks_trace *own, const lks_model_trees *trees,
                              const lks_shown *shown, const lks_dispute *d);

/* Whether the operator's opened root differs from the own one, or a token is wrong: there is
 * something to win. */
bool lks_player_should_challenge(const lks_trace *own, const lks_shown *shown);

/* The children of a node: their height and number. Returns: false for a leaf. */
bool lks_stage_below(unsigned *height, uint32_t *count, unsigned node_height);
/* Whether a height is a stage of a tree of height `tree_height`. */
bool lks_stage_is(unsigned height, unsigned tree_height);

#endif
