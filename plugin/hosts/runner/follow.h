/* Follows the client's canonical chain and gives it to the plugin: every block once, in order, re-orgs by parent hash, newest revert first.
 */
#ifndef LKS_RUNNER_FOLLOW_H
#define LKS_RUNNER_FOLLOW_H

#include "chain/eth.h"
#include "plugin/hosts/runner/host.h"

/* Blocks given that are remembered, for re-orgs. */
#define RUNNER_REMEMBERED 1024u
/* After a restart the plugin is given at most that many blocks that it has not seen; more it fetches faster itself. */
#define RUNNER_REPLAY 64u

typedef struct runner_block {
    uint64_t number;
    uint8_t hash[32];
} runner_block;

typedef struct runner_follow {
    lks_eth node;
    lks_eth_filter filter;
    lockstep_plugin *plugin;
    const runner_host *host;
    runner_block given[RUNNER_REMEMBERED]; /* a ring: the newest is given[(count - 1) % RUNNER_REMEMBERED] */
    uint64_t count;     /* blocks given and not reverted, ever; 0: none */
    uint64_t kept;      /* how many of them the ring still has */
    bool (*stopping)(void); /* asked between blocks */
} runner_follow;

/* Gives the plugin what is new. Returns: LKS_OK; or what a call to the client failed with: then it is called again later. */
lks_err runner_follow_step(runner_follow *f) LKS_MUST_USE;

#endif
