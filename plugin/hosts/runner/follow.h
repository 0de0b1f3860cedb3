/* Follows the client's canonical chain and gives it to the plugin: every block once, in order,
 * re-orgs by parent hash, newest revert first.
 *
 * The client is not trusted to be of one mind: behind an address there may be several nodes, one of
 * which lags. A head that is an ancestor of the newest block given is no re-org: nothing is taken
 * back. A block whose bloom says that it has logs of ours, and of which none come, is asked for
 * again. Either is logged when it goes on. Ownership: node, filter, plugin and host are the
 * caller's and outlive the struct. Thread rule: one thread.
 */
#ifndef LKS_RUNNER_FOLLOW_H
#define LKS_RUNNER_FOLLOW_H

#include "chain/eth.h"
#include "plugin/hosts/runner/host.h"

/* Blocks given that are remembered, for re-orgs. */
#define RUNNER_REMEMBERED 1024u
/* After a restart the plugin is given at most that many blocks that it has not seen; more it
 * fetches faster itself. */
#define RUNNER_REPLAY 64u
/* Milliseconds without a new block after which that is a warning, and between two such warnings. */
#define RUNNER_QUIET_MS 120000u
#define RUNNER_QUIET_AGAIN_MS 300000u
/* How often the client's head may go back without a re-org within RUNNER_QUIET_AGAIN_MS before that
 * is a warning. */
#define RUNNER_FALLS 10u
/* Steps in which the logs of a block that must have some are asked for, until it is given without.
 */
#define RUNNER_LOG_STEPS 5u

typedef struct runner_block {
    uint64_t number;
    uint8_t hash[32];
} runner_block;

typedef struct runner_follow {
    lks_eth node;
    lks_eth_filter filter;
    lockstep_plugin *plugin;
    const runner_host *host;
    bool (*stopping)(void);   /* asked between blocks */
    uint64_t (*now_ms)(void); /* a clock that never goes back */

    /* Its own; zero at first. */
    runner_block
        given[RUNNER_REMEMBERED]; /* a ring: the newest is given[(count - 1) % RUNNER_REMEMBERED] */
    uint64_t count;               /* blocks given and not reverted, ever; 0: none */
    uint64_t kept;                /* how many of them the ring still has */
    uint64_t head;                /* the number of the client's newest block, as it last said */
    uint64_t fresh_ms;            /* when a block was last given; 0: not begun */
    uint64_t warned_ms;           /* when the quiet was last warned of; 0: not since then */
    bool lags;                    /* the head is below the newest block given */
    uint32_t falls;               /* how often it fell there since falls_ms */
    uint64_t falls_ms;
    runner_block empty; /* the block whose logs do not come, and how many steps they have not */
    uint32_t empty_steps;
} runner_follow;

/* Gives the plugin what is new. Returns: LKS_OK; or what a call to the client failed with: then it
 * is called again later. */
lks_err runner_follow_step(runner_follow *f) LKS_MUST_USE;

/* Warns when no block has come for RUNNER_QUIET_MS, at intervals. In: err, what the last step
 * returned, its reason stored. */
void runner_follow_watch(runner_follow *f, lks_err err);

#endif
