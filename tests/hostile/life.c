/* The course of a life: blocks, and what the parties do after each. */
#include "tests/hostile/life.h"

#include "tests/hostile/sim_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS 260u      /* in which requests are made and claimed */
#define REST_BLOCKS 12u  /* more than a re-org takes away, after which nothing is open */
#define MOST_BLOCKS 900u /* until everything is settled */
#define OLD_BLOCKS 2100u /* that some chains have before */
#define CALL_TIMEOUT_MS 5000u

static void one_block(life *l);

/* ---- time ---- */

/* Lets time pass until then, with the blocks that fall into it. */
static void pass_until(life *l, uint64_t until_ms)
{
    while (l->next_block_ms <= until_ms) {
        sim_clock.now_ms = l->next_block_ms;
        l->next_block_ms += l->period_ms;
        one_block(l);
    }
    if (sim_clock.now_ms < until_ms)
        sim_clock.now_ms = until_ms;
}

/* A party waits: for an answer of its node, or in vain. */
static void wait_for(void *user, uint64_t until_ms)
{
    life *l = user;
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        if (party_answer(&l->parties[i]))
            return;
    pass_until(l, until_ms);
}

/* ---- blocks ---- */

static void crash(life *l, party *p)
{
    if (p->inside)
        return;
    if (!p->open) {
        if (chance_of(&l->crashes, 300))
            party_start(p);
    } else if (l->options.restarts && chance_of(&l->crashes, 15)) {
        party_halt(p);
        if (chance_of(&l->crashes, 800))
            party_start(p);
    }
}

static void one_block(life *l)
{
    world_act(l);
    world_weather(l);
    for (size_t i = 0; i < LIFE_PARTIES; i++) {
        crash(l, &l->parties[i]);
        party_work(&l->parties[i]);
    }
}

/* ---- beginning and end ---- */

static void configure(life *l, party *p, const char *name, const char *folder)
{
    const sim *s = l->chain;
    lks_config *c = &p->config;
    p->name = name;
    p->models = l->models;
    p->timeout_ms = CALL_TIMEOUT_MS;
    snprintf(p->database, sizeof p->database, "%s/%s.db", folder, name);
    c->chain_id = SIM_CHAIN_ID;
    memcpy(c->oracle, s->oracle, 20);
    memcpy(c->bonds, s->bonds, 20);
    memcpy(c->registry, s->registry, 20);
    memcpy(c->game, s->game, 20);
    c->models[0] = "tiny";
    c->model_count = 1;
    c->threads = 1;
    c->start_block = 1;
    c->max_head_age = 600;
    if (l->options.seed % 2) {
        c->spill_folder = l->rows_folder;
        c->max_spill_bytes = LKS_DEFAULT_SPILL_BYTES;
    }
    c->policy.finalize = true;
    memset(&c->policy.max_stake, 0xff, sizeof c->policy.max_stake);
    memset(&c->recheck_stake, 0xff, sizeof c->recheck_stake);
    memset(&c->max_bond, 0xff, sizeof c->max_bond);
    c->check_share = LKS_SHARE_ALL;
    c->max_fee = lks_u256_from_u64(UINT64_C(500000000000));
    c->max_priority_fee = lks_u256_from_u64(UINT64_C(10000000000));
}

static void remove_stores(const life *l)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", "-lock"};
    char path[160];
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            snprintf(path, sizeof path, "%s%s", l->parties[i].database, ends[k]);
            remove(path);
        }
}

static void make_chain(life *l)
{
    static const uint8_t none[20];
    sim *s = sim_new(none);
    s->account_count = 0;
    memset(s->game, 0x09, 20);
    memcpy(s->model_id, l->models->items[0].model_id, 32);
    s->model = l->models->items[0].model;
    s->commitment = l->models->items[0].commitment;
    s->budget = l->options.budget;
    s->floor = l->options.floor;
    l->chain = s;
    l->period_ms = s->period * 1000;
    sim_clock = (sim_time){.now_ms = 1000, .wait = wait_for, .user = l};
    sim_clock.unix_seconds = s->blocks[0].time - 1;
    l->next_block_ms = sim_clock.now_ms + l->period_ms;
}

/* A chain that a node can go back on by thousands of blocks. */
static void grow_old(life *l)
{
    sim_mine(l->chain, OLD_BLOCKS);
    sim_clock.unix_seconds += OLD_BLOCKS * l->period_ms / 1000;
    l->last_block += OLD_BLOCKS;
    for (size_t i = 0; i < l->errand_count; i++) {
        l->errands[i].ask_at += OLD_BLOCKS;
        if (l->errands[i].cancel_at)
            l->errands[i].cancel_at += OLD_BLOCKS;
        if (l->errands[i].rival.silent_from != UINT64_MAX)
            l->errands[i].rival.silent_from += OLD_BLOCKS;
    }
}

static void begin(life *l, const char *folder)
{
    uint8_t key[32] = {0};
    make_chain(l);
    snprintf(l->rows_folder, sizeof l->rows_folder, "%s/rows", folder);
    assert_int_equal(mkdir(l->rows_folder, 0700), 0);
    DO(lks_spill_open(&l->rows, l->rows_folder, LKS_DEFAULT_SPILL_BYTES));
    configure(l, &l->parties[LIFE_OPERATOR], "operator", folder);
    configure(l, &l->parties[LIFE_CHALLENGER], "challenger", folder);
    l->parties[LIFE_OPERATOR].config.is_operator = true;
    l->parties[LIFE_OPERATOR].config.policy.accept = true;
    l->parties[LIFE_CHALLENGER].config.is_challenger = true;
    remove_stores(l);
    for (size_t i = 0; i < LIFE_PARTIES; i++) {
        key[31] = (uint8_t)(i + 1);
        party_begin(&l->parties[i], key);
        sim_add_account(l->chain, lks_signer_address(l->parties[i].signer));
    }
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        nodes_begin(l, i);
    l->last_block = BLOCKS;
    world_plan(l);
    if (chance_of(&l->plan, 60) && l->options.kinds & 1u << HOSTILE_BACK)
        grow_old(l);
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        party_start(&l->parties[i]);
}

static void end(life *l)
{
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        party_end(&l->parties[i]);
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        nodes_end(l, i);
    for (size_t i = 0; i < l->errand_count; i++) {
        puppet_free(&l->errands[i].rival.player);
        for (size_t k = 0; k < l->errands[i].accuser_count; k++)
            puppet_free(&l->errands[i].accusers[k].player);
    }
    lks_spill_close(l->rows);
    rmdir(l->rows_folder);
    remove_stores(l);
    sim_free(l->chain);
}

static void tell(const life *l)
{
    life_tell(l);
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        printf("---- %s\n%s", l->parties[i].name, lks_buf_text((lks_buf *)&l->parties[i].log));
}

static void live(life *l)
{
    uint64_t most = l->last_block - BLOCKS + MOST_BLOCKS;
    uint64_t busy = l->chain->block_count; /* when something was last open */
    while (l->chain->block_count < most && l->chain->block_count < busy + REST_BLOCKS) {
        pass_until(l, l->next_block_ms);
        if (!world_is_quiet(l))
            busy = l->chain->block_count;
    }
}

void life_run(const life_options *options, const char *folder, life_result *result)
{
    static life l; /* too large for a stack */
    memset(&l, 0, sizeof l);
    l.options = *options;
    l.models = life_models();
    l.plan = chance_stream(options->seed, LIFE_PLAN);
    l.weather = chance_stream(options->seed, LIFE_CHAIN);
    l.crashes = chance_stream(options->seed, LIFE_CRASHES);
    l.clock = chance_stream(options->seed, LIFE_CLOCK);
    l.result.too_wrong = options->kinds && chance_of(&l.plan, 100);
    begin(&l, folder);
    live(&l);
    life_judge(&l);
    if (options->tell)
        tell(&l);
    end(&l);
    *result = l.result;
}
