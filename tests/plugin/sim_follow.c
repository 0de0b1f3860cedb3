/* Other views of a simulated chain: what a node tells that lags behind, or stands on a fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_internal.h"

sim *sim_new_view(const sim *of)
{
    static const uint8_t none[20];
    sim *s = sim_new(none);
    memcpy(s->oracle, of->oracle, 20);
    memcpy(s->bonds, of->bonds, 20);
    memcpy(s->registry, of->registry, 20);
    memcpy(s->game, of->game, 20);
    memcpy(s->other, of->other, 20);
    memcpy(s->requester, of->requester, 20);
    memcpy(s->model_id, of->model_id, 32);
    memcpy(s->accounts, of->accounts, sizeof s->accounts);
    s->account_count = of->account_count;
    s->chain_id = of->chain_id;
    s->period = of->period;
    s->model = of->model;
    s->commitment = of->commitment;
    s->budget = of->budget;
    s->floor = of->floor;
    s->blocks[0] = of->blocks[0];
    sim_rebuild(s);
    return s;
}

/* What was sent since: the bytes stay the other chain's. */
static void take_new(sim *s, const sim *of)
{
    for (; s->tx_count < of->tx_count; s->tx_count++) {
        s->txs[s->tx_count] = of->txs[s->tx_count];
        s->txs[s->tx_count].pooled = false;
    }
    for (; s->request_count < of->request_count; s->request_count++) {
        const sim_request *q = &of->requests[s->request_count];
        sim_request *copy = &s->requests[s->request_count];
        memset(copy, 0, sizeof *copy);
        copy->request = q->request;
        memcpy(copy->id, q->id, 32);
        copy->prompt = q->prompt;
        copy->allowed = q->allowed;
    }
}

void sim_follow(sim *s, const sim *of, uint64_t height)
{
    take_new(s, of);
    size_t common = s->block_count < height + 1 ? s->block_count : height + 1;
    while (memcmp(s->blocks[common - 1].hash, of->blocks[common - 1].hash, 32))
        common--;
    if (common < s->block_count) {
        s->block_count = common;
        sim_rebuild(s);
    }
    while (s->block_count <= height)
        sim_append(s, &of->blocks[s->block_count]);
    s->base_fee = of->base_fee;
    s->priority = of->priority;
}

void sim_fork(sim *s, const sim *of, size_t depth)
{
    uint64_t head = of->block_count - 1;
    assert_true(depth <= head);
    sim_follow(s, of, head - depth);
    for (size_t i = 0; i < of->tx_count;
         i++) /* what the chain has not taken yet, the fork may have */
        s->txs[i].pooled = of->txs[i].pooled && of->txs[i].kind == SIM_SIGNED;
    for (uint64_t n = head - depth + 1; n <= head; n++)
        for (size_t i = 0; i < of->blocks[n].tx_count; i++)
            s->txs[of->blocks[n].txs[i]].pooled = true;
    s->branch = (uint8_t)(of->branch + 128);
    sim_mine(s, depth);
}

void sim_free_view(sim *s)
{
    if (!s)
        return;
    s->tx_count = 0;
    for (size_t i = 0; i < s->request_count; i++)
        s->requests[i].prompt = s->requests[i].allowed = (lks_buf){0};
    sim_free(s);
}
