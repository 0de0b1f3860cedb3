/* The nodes of the parties: a layer that misbehaves over views of the simulated chain. */
#include "tests/hostile/life.h"

#include <string.h>

static void look_back(void *user, uint64_t blocks)
{
    life_node *n = user;
    const sim *chain = n->life->chain;
    uint64_t head = chain->block_count - 1;
    if (!n->past) {
        n->past = sim_new_view(chain);
        n->hostile.behind.context = n->past;
    }
    sim_follow(n->past, chain, head > blocks ? head - blocks : 1);
}

static void leave(void *user, uint64_t blocks)
{
    life_node *n = user;
    const sim *chain = n->life->chain;
    uint64_t head = chain->block_count - 1;
    if (!n->branch) {
        n->branch = sim_new_view(chain);
        n->hostile.fork.context = n->branch;
    }
    sim_fork(n->branch, chain, head > blocks ? blocks : head - 1);
}

static uint64_t now_of(void *user)
{
    const life_node *n = user;
    return n->life->chain->block_count;
}

void nodes_begin(life *l, size_t i)
{
    life_node *n = &l->nodes[i];
    hostile *h = &n->hostile;
    *n = (life_node){.life = l};
    h->truth = (lks_eth){sim_call, l->chain, NULL};
    h->behind.call = h->fork.call = sim_call;
    h->look_back = look_back;
    h->leave = leave;
    h->now = now_of;
    h->user = n;
    h->kinds = l->options.kinds;
    h->chance = chance_stream(l->options.seed, LIFE_CRASHES + 1 + i);
    h->longest = l->result.too_wrong ? 2 * l->options.floor : l->options.bridged;
    h->shortest_rest = LIFE_BRIDGED;
    h->more_rest = LIFE_MORE_REST;
    l->parties[i].node = (lks_eth){hostile_call, h, NULL};
}

void nodes_end(life *l, size_t i)
{
    life_node *n = &l->nodes[i];
    for (size_t k = 0; k < HOSTILE_KINDS; k++)
        l->result.spoilt[k] += n->hostile.counts[k];
    hostile_free(&n->hostile);
    sim_free_view(n->past);
    sim_free_view(n->branch);
}
