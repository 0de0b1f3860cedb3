/* A party to disputes on the simulated chain that is no plugin: an account that plays with a trace
 * of tokens of its own choice, as a liar that defends its claim or as a false challenger. It sees
 * the chain as it is, and moves in the next block. */
#ifndef LKS_TESTS_PUPPET_H
#define LKS_TESTS_PUPPET_H

#include "oracle/dispute/game.h"
#include "plugin/models.h"
#include "tests/plugin/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DO(expression)                                                                             \
    do {                                                                                           \
        if ((expression) != LKS_OK)                                                                \
            fail_msg("%s: %s", #expression, lks_error_message());                                  \
    } while (0)

typedef struct puppet {
    sim *chain;
    const lks_served *served; /* with trees, of one that challenges */
    uint8_t address[20];
    bool defends;
    const uint32_t *tokens; /* its trace's; as many as the claim has */
    size_t request, seat;
    bool silent;         /* makes no move */
    lks_spill *spill;    /* for the rows of its trace; NULL: each move computes them again */
    lks_trace *trace;    /* owned */
    lks_game *game;      /* owned */
    uint8_t read_at[32]; /* the newest block with a log when it was read */
} puppet;

/* Brings the puppet's game to the head, and makes its trace. Returns: false when there is no
 * claim. */
bool puppet_look(puppet *p);
/* Makes the puppet's moves. */
void puppet_move(puppet *p);
/* Opens a dispute of the puppet's. */
void puppet_challenge(puppet *p);
/* Ends every dispute of its claim that the other side lets wait beyond its time. */
void puppet_timeout(puppet *p);
/* Frees what it owns. */
void puppet_free(puppet *p);

#endif
