/* An operator that lies: an honest trace with chosen leaves and nodes replaced, and everything
 * above them hashed again. It answers as far as it can. Kinds as in a simulation of the game:
 * flipped bits, leaves of wrong lengths, nodes from nowhere, garbage in padding, padding where data
 * should be.
 */
#ifndef LKS_TESTS_DISPUTE_LIAR_H
#define LKS_TESTS_DISPUTE_LIAR_H

#include "tests/dispute/referee.h"

typedef enum liar_kind {
    LIAR_FLIP,
    LIAR_SHORTER,
    LIAR_LONGER,
    LIAR_ALIEN,     /* a node of an operation's tree without a preimage */
    LIAR_ALIEN_TOP, /* one of the tree above */
    LIAR_PADDING_GARBAGE,
    LIAR_PADDING_LOOKALIKE,
    LIAR_KINDS
} liar_kind;

/* A node that is not what it should be. */
typedef struct liar_change {
    uint32_t op;
    unsigned height;
    uint64_t index;
    uint8_t hash[32];
    uint8_t *bytes; /* of a leaf, or NULL: nobody knows what hashes to it */
    size_t len;
} liar_change;

#define LIAR_CHANGES 8

typedef struct liar {
    lks_trace *honest;
    lks_shape *shapes;
    liar_change changes[LIAR_CHANGES];
    size_t count;
    int withhold; /* the answer, counted from 0, that it does not give; -1: none */
    int answers;
    int partials; /* how it makes partials: 0 honest ones, 1 one with a flipped byte, 2 the last sum
                     forged, 3 the division made to fit */
} liar;

void liar_open(liar *l, lks_trace *honest);
void liar_close(liar *l);
/* Forgets the changes. */
void liar_reset(liar *l);

/* Adds a change of that kind at a place that the random state chooses. */
void liar_add(liar *l, liar_kind kind, uint64_t *random);
/* Flips bit `bit` of byte `byte` of a leaf. */
void liar_flip(liar *l, uint32_t op, uint64_t leaf, uint32_t byte, unsigned bit);

void liar_node(uint8_t hash32[32], const liar *l, uint32_t op, unsigned height, uint64_t index);
void liar_root(uint8_t hash32[32], const liar *l);
/* The hashes beside the way from a node up to the current one of a dispute, as its tree has them.
 * Out: m, a pick. */
void liar_pick(lks_move *m, const liar *l, const lks_dispute *from, uint32_t op, unsigned height,
               uint64_t index);

/* Its answer in a dispute; kind NONE where it has none to give. To be freed. */
void liar_answer(lks_move *m, liar *l, const lks_dispute *d);

uint64_t liar_random(uint64_t *state);
static inline uint64_t liar_below(uint64_t *state, uint64_t n)
{
    return liar_random(state) % n;
}

#endif
