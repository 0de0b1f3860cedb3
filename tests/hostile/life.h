/* One life: a simulated chain of some hundred blocks, with an honest operator and an honest
 * challenger, each a plugin on a store of its own behind a node that may misbehave; and with those
 * whom they must hold out against: liars, false challengers, odd requests, re-orgs, fees that jump,
 * processes that end. A seed repeats it. What became of it is read from the chain's books. */
#ifndef LKS_TESTS_LIFE_H
#define LKS_TESTS_LIFE_H

#include "tests/hostile/hostile.h"
#include "tests/hostile/party.h"
#include "tests/plugin/puppet.h"
#include "tests/plugin/sim.h"

#define LIFE_ERRANDS 16u
#define LIFE_ACCUSERS 3u
#define LIFE_PARTIES 2u
#define LIFE_MAX_PROMPT 6u
#define LIFE_MAX_TOKENS 6u

/* Nodes are wrong for at most so many blocks at a time, unless a life is counted apart; then they
 * are right for at least as many. A move in a dispute has so many seconds at least, and as many
 * blocks; all moves of a side have LIFE_BUDGET, where that is more. */
#define LIFE_BRIDGED 8u
#define LIFE_MORE_REST 40u /* beyond that, at most */
#define LIFE_FLOOR 30u
#define LIFE_BUDGET 80u

/* Streams of chance. */
enum {
    LIFE_PLAN,       /* who asks for what, and who lies */
    LIFE_CHAIN,      /* re-orgs, fees, what the pool forgets */
    LIFE_CRASHES,    /* and one for each party's node from here on */
    LIFE_CLOCK = 100 /* the time of day that the parties' machine has */
};

/* What a life has beside requests. */
typedef struct life_options {
    uint64_t seed;
    bool liars, accusers, odd, reorgs, restarts, fees, clock;
    uint32_t kinds;                  /* of what nodes do wrong: 1 << hostile_kind */
    uint32_t bridged, floor, budget; /* LIFE_BRIDGED, LIFE_FLOOR, LIFE_BUDGET, or less */
    bool tell; /* the parties' logs, and what happens on the chain, go to standard output */
} life_options;

/* What a party's node tells: of the chain as it is, as it was, and as it is on another branch. */
typedef struct life_node {
    hostile hostile;
    struct life *life;
    sim *past, *branch; /* NULL until they are looked at */
} life_node;

/* A claim that somebody other than the operator makes, in a seat beside it or alone. */
typedef struct life_rival {
    bool takes_part, lies;
    bool shows_right;     /* the trace that it opens is of the right tokens */
    uint64_t silent_from; /* it makes no move from that block on */
    uint32_t tokens[LIFE_MAX_TOKENS], trace_tokens[LIFE_MAX_TOKENS];
    uint32_t count;
    bool claimed; /* ever */
    puppet player;
} life_rival;

/* A false challenge of the operator's claim. */
typedef struct life_accuser {
    uint64_t after; /* seconds into the window */
    uint32_t tokens[LIFE_MAX_TOKENS];
    lks_dispute moved_from; /* where its dispute stood when it last moved */
    uint64_t moved_at;      /* block */
    puppet player;
} life_accuser;

/* A request, and what is to happen with it. */
typedef struct life_errand {
    uint64_t ask_at, cancel_at; /* blocks; 0: it is not cancelled */
    lks_request terms;
    uint32_t prompt_count;
    bool asked;
    size_t request;
    uint64_t pushed_at; /* when somebody other than the parties was last made to act for it */
    life_rival rival;
    size_t accuser_count;
    life_accuser accusers[LIFE_ACCUSERS];
} life_errand;

/* What became of it. */
typedef struct life_result {
    size_t lives;           /* of a sum */
    size_t requests, final; /* not counting those that were cancelled */
    size_t liars, liars_convicted;
    size_t
        honest_losses; /* convictions, misses, lost disputes, accounts below what they began with */
    uint64_t blocks;
    bool too_wrong; /* a node was wrong for longer than LIFE_BRIDGED blocks at a time */
    uint64_t spoilt[HOSTILE_KINDS]; /* calls */
    char reason[400];               /* of the first loss, or of what else went wrong; "" */
} life_result;

typedef struct life {
    life_options options;
    sim *chain;
    const lks_models *models;
    chance plan, weather, crashes, clock;
    int64_t clock_off;    /* seconds that the parties' time of day is wrong by */
    uint64_t clock_until; /* block up to which it is */
    uint64_t period_ms, next_block_ms;
    uint64_t dear_until;         /* the block up to which the base fee stays where it is */
    uint64_t last_block;         /* nothing new begins after it */
    party parties[LIFE_PARTIES]; /* the operator, the challenger */
    life_node nodes[LIFE_PARTIES];
    char rows_folder[128];
    lks_spill *rows; /* of the traces of everybody else */
    life_errand errands[LIFE_ERRANDS];
    size_t errand_count;
    life_result result;
} life;

/* The operator's account, and the challenger's. */
enum {
    LIFE_OPERATOR,
    LIFE_CHALLENGER
};

/* Opens the model that all lives use, and what is served of it. */
void life_open_model(void);
void life_close_model(void);

/* Lives one life. folder: for the stores. Out: *result. A failed assertion ends the process. */
void life_run(const life_options *options, const char *folder, life_result *result);

/* ---- parts ---- */

/* world.c: plans who asks for what; makes everybody but the parties act, before the next block. */
void world_plan(life *l);
void world_act(life *l);
/* world.c: whether every request has ended and every dispute is over. */
bool world_is_quiet(const life *l);
/* world.c: the weather of the chain: fees, what the pool forgets, a re-org. */
void world_weather(life *l);
/* nodes.c: puts a node that misbehaves between a party and the chain. */
void nodes_begin(life *l, size_t i);
void nodes_end(life *l, size_t i);
/* judge.c: fills in the result. */
void life_judge(life *l);
/* judge.c: prints what the chain has. */
void life_tell(const life *l);
/* answers.c: what the model answers. Out: tokens, room for LIFE_MAX_TOKENS. Returns: how many. */
uint32_t life_answer(uint32_t prompt_count, uint32_t max_tokens, uint64_t seed,
                     uint32_t temperature, uint32_t *tokens);
/* answers.c: the models as they are served. */
const lks_models *life_models(void);

#endif
