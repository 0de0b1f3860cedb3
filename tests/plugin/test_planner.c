/* Whose pass is next: the decision on a clock of the test's own, and the turns of real threads. */
#include "plugin/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the decision ---- */

/* A crowd of tasks on one machine, in microseconds that only passes make go by. */
typedef struct crowd {
    lks_plan plan;
    lks_waiting all[8];
    size_t count;
    uint64_t now, used[8], longest_wait[8], since[8];
} crowd;

static void add(crowd *c, lks_rank rank, uint64_t due, uint64_t pass_us)
{
    c->all[c->count++] = (lks_waiting){rank, due, pass_us};
}

/* Everybody waits all the time. Returns: who had the pass. */
static size_t pass(crowd *c)
{
    bool ahead, waited[LKS_RANKS] = {false};
    size_t who = lks_plan_next(&c->plan, c->all, c->count, &ahead);
    assert_true(who < c->count);
    for (size_t i = 0; i < c->count; i++)
        if (i != who)
            waited[c->all[i].rank] = true;
    uint64_t wait = c->now - c->since[who];
    if (wait > c->longest_wait[who])
        c->longest_wait[who] = wait;
    c->now += c->all[who].pass_us;
    c->used[who] += c->all[who].pass_us;
    c->since[who] = c->now;
    lks_plan_ran(&c->plan, c->all[who].rank, c->all[who].pass_us, ahead, waited);
    return who;
}

static void test_order(void **state)
{
    (void)state;
    lks_plan plan = {0};
    bool ahead = true;
    lks_waiting all[] = {{LKS_RANK_WORK, 10, 1},
                         {LKS_RANK_CHALLENGE, 900, 1},
                         {LKS_RANK_DEFENCE, 800, 1},
                         {LKS_RANK_DEFENCE, 700, 1},
                         {LKS_RANK_WORK, 9, 1}};
    assert_int_equal(lks_plan_next(&plan, all, 0, &ahead), 0);
    assert_int_equal(lks_plan_next(&plan, all, 5, &ahead), 3);
    assert_int_equal(lks_plan_next(&plan, all, 3, &ahead), 2);
    assert_int_equal(lks_plan_next(&plan, all, 2, &ahead), 1);
    assert_int_equal(lks_plan_next(&plan, all, 1, &ahead), 0);
    all[1].rank = all[2].rank = all[3].rank = LKS_RANK_WORK;
    assert_int_equal(lks_plan_next(&plan, all, 5, &ahead), 4);
    assert_false(ahead);
}

/* Whatever passes take, every rank gets its share, the defence most of it, and nobody waits much
 * longer than that takes. */
static void test_shares(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        crowd c = {0};
        uint64_t longest = 0;
        for (int rank = 0; rank < LKS_RANKS; rank++) {
            uint64_t us = 1000u + (uint64_t)rand() % (round % 2 ? 1000u : 10000000u);
            add(&c, (lks_rank)rank, 5, us);
            longest = us > longest ? us : longest;
        }
        while (c.now < 3000 * longest)
            pass(&c);
        for (int rank = 1; rank < LKS_RANKS; rank++) {
            assert_true(c.used[rank] > c.now / 10 - 12 * longest);
            assert_true(c.used[rank] < c.now / 10 + c.now / 40 + 12 * longest);
            assert_true(c.longest_wait[rank] < 12 * c.all[rank].pass_us + 12 * longest);
        }
        assert_true(c.used[LKS_RANK_DEFENCE] > c.now * 3 / 4 - 12 * longest);
    }
}

/* The time that a rank has had while nobody higher wanted it counts for nothing. */
static void test_bursts(void **state)
{
    (void)state;
    crowd c = {0};
    add(&c, LKS_RANK_WORK, 5, 1000);
    for (int i = 0; i < 5000; i++)
        pass(&c);
    add(&c, LKS_RANK_DEFENCE, 5, 1000);
    for (int i = 0; i < 9; i++)
        assert_int_equal(pass(&c), 1);
    assert_true(pass(&c) == 0 || pass(&c) == 0);
    uint64_t before = c.used[0];
    for (int i = 0; i < 1000; i++)
        pass(&c);
    assert_in_range(c.used[0] - before, 95 * 1000, 101 * 1000);
}

/* What a first pass takes is not known: it goes ahead no earlier than another would. */
static void test_first_pass(void **state)
{
    (void)state;
    crowd c = {0};
    add(&c, LKS_RANK_WORK, 5, 0);
    add(&c, LKS_RANK_DEFENCE, 5, 1000);
    for (int i = 0; i < 10; i++) /* 9 parts of 111 are not yet 1,000 */
        assert_int_equal(pass(&c), 1);
    assert_int_equal(pass(&c), 0);
}

/* Passes of one rank that take now little and now much: the share holds all the same. */
static void test_uneven_passes(void **state)
{
    (void)state;
    crowd c = {0};
    add(&c, LKS_RANK_WORK, 5, 10);
    add(&c, LKS_RANK_DEFENCE, 5, 1000);
    for (int i = 0; i < 100000; i++) {
        bool ahead, waited[LKS_RANKS] = {true, false, true};
        size_t who = lks_plan_next(&c.plan, c.all, c.count, &ahead);
        /* It is told of a short pass, and takes a long one. */
        uint64_t us = who ? 1000 : (i % 7 ? 10 : 20000);
        waited[c.all[who].rank] = false;
        lks_plan_ran(&c.plan, c.all[who].rank, us, ahead, waited);
        c.used[who] += us;
        c.now += us;
    }
    assert_in_range(c.used[0], c.now / 11, c.now / 9);
}

/* ---- the turns ---- */

enum {
    THREADS = 4,
    TURNS = 200
};

typedef struct runner {
    lks_planner *planner;
    lks_ticket ticket;
    lks_rank rank;
    atomic_bool cancel;
    atomic_int turns;
    pthread_t thread;
} runner;

static atomic_int on_engine;

static void *run_turns(void *argument)
{
    runner *r = argument;
    for (int task = 0; task < 4; task++) {
        lks_ticket_begin(&r->ticket, r->rank, 100);
        for (int i = 0; i < TURNS / 4; i++) {
            if (lks_ticket_turn(&r->ticket))
                return NULL;
            if (atomic_fetch_add(&on_engine, 1))
                abort();
            atomic_fetch_add(&r->turns, 1);
            usleep(50);
            atomic_fetch_sub(&on_engine, 1);
        }
        lks_ticket_end(&r->ticket);
    }
    return NULL;
}

static void start_runner(runner *r, lks_planner *planner, lks_rank rank)
{
    memset(r, 0, sizeof *r);
    r->planner = planner;
    r->rank = rank;
    lks_ticket_open(&r->ticket, planner, &r->cancel);
}

static void begin(runner *r)
{
    assert_int_equal(pthread_create(&r->thread, NULL, run_turns, r), 0);
}

static void join(runner *r)
{
    assert_int_equal(pthread_join(r->thread, NULL), 0);
    lks_ticket_close(&r->ticket);
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    lks_planner *planner;
    runner all[THREADS];
    assert_int_equal(lks_planner_new(&planner), LKS_OK);
    for (int i = 0; i < THREADS; i++)
        start_runner(&all[i], planner, (lks_rank)(i % LKS_RANKS));
    for (int i = 0; i < THREADS; i++)
        begin(&all[i]);
    for (int i = 0; i < THREADS; i++)
        join(&all[i]);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(atomic_load(&all[i].turns), TURNS);
    lks_planner_free(planner);
}

/* Who waits for a turn that somebody keeps is let go by its cancel flag; who has one keeps no
 * other back once it ended. */
static void test_cancel(void **state)
{
    (void)state;
    lks_planner *planner;
    runner waiting;
    lks_ticket keeper;
    atomic_bool never = false;
    assert_int_equal(lks_planner_new(&planner), LKS_OK);
    lks_ticket_open(&keeper, planner, &never);
    lks_ticket_begin(&keeper, LKS_RANK_WORK, 1);
    assert_int_equal(lks_ticket_turn(&keeper), 0);
    start_runner(&waiting, planner, LKS_RANK_DEFENCE);
    begin(&waiting);
    usleep(2000);
    assert_int_equal(atomic_load(&waiting.turns), 0);
    atomic_store(&waiting.cancel, true);
    lks_planner_wake(planner);
    join(&waiting);
    assert_int_equal(atomic_load(&waiting.turns), 0);
    assert_true(lks_ticket_used_us(&keeper) >= 2000);

    start_runner(&waiting, planner, LKS_RANK_DEFENCE);
    begin(&waiting);
    lks_ticket_end(&keeper);
    join(&waiting);
    assert_int_equal(atomic_load(&waiting.turns), TURNS);
    uint64_t used = lks_ticket_used_us(&keeper);
    assert_true(used >= 2000 && used == lks_ticket_used_us(&keeper));
    lks_ticket_begin(&keeper, LKS_RANK_WORK, 1);
    assert_int_equal(lks_ticket_used_us(&keeper), 0);
    lks_ticket_close(&keeper);
    lks_planner_free(planner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),      cmocka_unit_test(test_shares),
        cmocka_unit_test(test_bursts),     cmocka_unit_test(test_uneven_passes),
        cmocka_unit_test(test_first_pass), cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
