/* Several disputes about one claim, several claims of one request. */
#include "tests/plugin/disputes_fixture.h"

/* ---- operator ---- */

/* Two accusers go down the same way: each is answered, both in one transaction. */
static void test_same_node(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet *a = play(accuser_of(r, 0x31)), *b = play(accuser_of(r, 0x32));
    puppet_challenge(a);
    puppet_challenge(b);
    RUN_UNTIL(chain->dispute_count == 2 && chain->disputes[0].at.state == LKS_DISPUTE_STEP &&
              chain->disputes[1].at.state == LKS_DISPUTE_STEP);
    const lks_dispute *x = &chain->disputes[0].at, *y = &chain->disputes[1].at;
    assert_true(x->op == y->op && x->height == y->height && x->index == y->index);
    assert_true(chain->batches >= 2); /* children and leaf; the trace is opened once for both */
    assert_int_equal(chain->answers % 2, 1);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(2);
    assert_int_equal(op.matches.count > 1, 0);
}

/* The contract refuses answers together: they are sent one by one. */
static void test_batch_refused(void **state)
{
    (void)state;
    fresh_chain(true, false);
    chain->refuses_multicall = true;
    start();
    size_t r = own_claim();
    puppet *a = play(accuser_of(r, 0x31)), *b = play(accuser_of(r, 0x32)),
           *c = play(accuser_of(r, 0x33));
    puppet_challenge(a);
    puppet_challenge(b);
    puppet_challenge(c);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(3);
    assert_int_equal(chain->batches, 0);
}

/* The same through restarts and re-orgs: all answers of a block are taken back together. */
static void test_many_through_reorgs(void **state)
{
    (void)state;
    for (int height = 2; height <= 14; height += 4) {
        fresh_chain(true, false);
        start();
        size_t r = own_claim();
        puppet_challenge(play(accuser_of(r, 0x31)));
        puppet_challenge(play(accuser_of(r, 0x32)));
        for (int i = 0; i < height; i++)
            block();
        sim_reorg(chain, 1, true, height & 4);
        restart();
        RUN_UNTIL(chain->finals + chain->convictions);
        assert_int_equal(chain->convictions, 0);
        teardown(NULL);
    }
}

/* One head's logs are missing in the middle of a dispute, and nobody says so: the contract's word
 * differs from the logs' then, and all of them are read again. */
static void test_missing_logs(void **state)
{
    (void)state;
    for (int after = 1; after < 5; after++) {
        fresh_chain(true, false);
        start();
        size_t r = own_claim();
        puppet *p = play(accuser_of(r, 0x31));
        puppet_challenge(p);
        for (int i = 0; i < after; i++)
            block();
        puppet_move(p);
        p->silent = true;
        chain->hides_logs = true;
        block();
        chain->hides_logs = false;
        p->silent = false;
        RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        check_defended(1);
        teardown(NULL);
    }
}

/* A re-org moves the request to a block before the one in which it was first seen. */
static void test_request_moves(void **state)
{
    (void)state;
    for (int defends = 0; defends < 2; defends++) {
        fresh_chain(defends, !defends);
        start();
        for (int i = 0; i < 6; i++)
            block();
        size_t r = defends ? own_claim() : foreign_claim(other);
        puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
        if (defends)
            puppet_challenge(p);
        RUN_UNTIL(chain->dispute_count);
        uint64_t asked = chain->requests[r].block;
        sim_reorg(chain, chain->block_count - asked + 4, true, true);
        assert_true(chain->requests[r].block < asked);
        RUN_UNTIL(chain->finals + chain->convictions);
        assert_int_equal(chain->convictions, !defends);
        assert_int_equal(chain->lost, defends);
        teardown(NULL);
    }
}

/* Credit that is not worth its gas stays where it is. */
static void test_small_credit_stays(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet_challenge(play(accuser_of(r, 0x31)));
    RUN_UNTIL(chain->lost);
    chain->accounts->credit =
        lks_u256_from_u64(UINT64_C(100000000000000)); /* 60,000 gas cost 66,000 gwei */
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->withdrawals, 0);
}

/* Calls to the node for one block while so many disputes about a claim of ours are live. */
static uint64_t calls_per_head(size_t disputes, bool one_by_one)
{
    fresh_chain(true, false);
    chain->budget = chain->floor = 10000;
    chain->refuses_each = one_by_one;
    start();
    size_t r = own_claim();
    for (size_t i = 0; i < disputes; i++) {
        puppet accuser = accuser_of(r, (uint8_t)(0x31 + i));
        puppet_challenge(&accuser);
        puppet_free(&accuser);
    }
    RUN_UNTIL(chain->challenges == disputes);
    for (int i = 0; i < 20; i++)
        block();
    uint64_t before = chain->calls;
    for (int i = 0; i < 8; i++)
        block();
    uint64_t calls = (chain->calls - before) / 8;
    assert_int_equal(chain->requests[r].seats[0].disputes, disputes);
    assert_non_null(strstr(sim_host_lines(host), "open the trace"));
    assert_int_equal(strstr(sim_host_lines(host), "asking one by one") != NULL, one_by_one);
    teardown(NULL);
    return calls;
}

/* Live disputes are asked about together: their number hardly shows in the calls. A node that does
 * not take that is asked about one after the other. */
static void test_calls_per_head(void **state)
{
    (void)state;
    enum {
        FEW = 2,
        MANY = 192
    };
    uint64_t few = calls_per_head(FEW, false), many = calls_per_head(MANY, false);
    uint64_t alone = calls_per_head(MANY, true);
    print_message("calls per head: %llu with %d disputes, %llu with %d, %llu with %d one by one\n",
                  (unsigned long long)few, FEW, (unsigned long long)many, MANY,
                  (unsigned long long)alone, MANY);
    assert_true(many <= few + MANY / 128 + 1);
    assert_true(alone >= MANY);
}

/* ---- challenger ---- */

/* A parasite has a dispute too: without our commitment it could take our proof for its own. */
static void test_step_with_commitment(void **state)
{
    (void)state;
    for (int joins_later = 0; joins_later < 2; joins_later++) {
        fresh_chain(false, true);
        start();
        size_t r = foreign_claim(other);
        play(liar_of(r, right));
        puppet parasite = accuser_of(r, 0x31);
        parasite.silent = true;
        if (!joins_later)
            puppet_challenge(&parasite);
        RUN_UNTIL(chain->answers >= 2);
        if (joins_later)
            puppet_challenge(&parasite);
        RUN_UNTIL(chain->convictions);
        puppet_free(&parasite);
        assert_true(chain->challenges == 2 && chain->committed_steps == 1 && chain->reverts == 0);
        assert_true(chain->commitment_count == 1);
        assert_non_null(strstr(sim_host_lines(host), "commit to a proof"));
        assert_null(strstr(sim_host_lines(host), "must wait")); /* nothing was tried too early */
        RUN_UNTIL(open_claims() == 0);
        assert_true(chain->reclaims == 1 && chain->withdrawals == 1);
        teardown(NULL);
    }
}

/* Alone, it needs none. */
static void test_step_alone(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), right));
    RUN_UNTIL(chain->convictions);
    check_won();
    assert_int_equal(chain->commitment_count, 0);
}

/* The commitment survives a restart and a re-org that takes its block away. */
static void test_commitment_through_reorg(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        fresh_chain(false, true);
        start();
        size_t r = foreign_claim(other);
        play(liar_of(r, other));
        puppet parasite = accuser_of(r, 0x31);
        puppet_challenge(&parasite);
        puppet_free(&parasite);
        RUN_UNTIL(chain->commitment_count);
        if (kept)
            restart();
        sim_reorg(chain, 1, true, kept);
        RUN_UNTIL(chain->convictions);
        assert_true(chain->committed_steps == 1);
        teardown(NULL);
    }
}

/* A bond is more than we may spend, but a dispute of somebody else has opened the trace: a proof
 * needs no bond, only a commitment that is old enough. */
static void test_proof_without_dispute(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        fresh_chain(false, true);
        config.max_bond = lks_u256_from_u64(1);
        start();
        size_t r = foreign_claim(other);
        play(liar_of(r, other));
        for (int i = 0; i < 5; i++)
            block();
        assert_non_null(strstr(sim_host_lines(host), "above max_bond_wei"));
        puppet stranger = accuser_of(r, 0x31);
        puppet_challenge(&stranger);
        puppet_free(&stranger);
        RUN_UNTIL(chain->commitment_count);
        uint64_t committed = chain->block_count - 1;
        if (kept)
            restart();
        RUN_UNTIL(chain->convictions);
        assert_true(chain->proofs == 1 && chain->challenges == 1 && chain->reverts == 0);
        assert_true(chain->block_count - 1 >= committed + LKS_GAME_LIVE_COMMIT_BLOCKS);
        assert_int_equal(chain->commitment_count, 1);
        assert_null(strstr(sim_host_lines(host), "must wait"));
        teardown(NULL);
    }
}

/* ---- replicas ---- */

/* An operator checks whoever answers beside it, without the challenger's role as with a share of
 * nothing: a wrong claim there costs it the fee. A right one is left alone. */
static void test_co_seat(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        bool lies = how > 0;
        fresh_chain(true, how == 2);
        config.check_share = how == 2 ? 0 : LKS_SHARE_ALL;
        start();
        size_t r = claim_beside(lies ? other : right);
        puppet liar = liar_of(r, other);
        liar.seat = 1;
        play(liar);
        RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        assert_true(chain->convictions == (size_t)lies && chain->challenges == (size_t)lies);
        assert_true(lks_u256_is_zero(&chain->accounts->locked) &&
                    lks_u256_is_zero(&chain->accounts->burned));
        teardown(NULL);
    }
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_same_node),
        TEST(test_batch_refused),
        TEST(test_many_through_reorgs),
        TEST(test_calls_per_head),
        TEST(test_small_credit_stays),
        TEST(test_step_with_commitment),
        TEST(test_step_alone),
        TEST(test_commitment_through_reorg),
        TEST(test_co_seat),
        TEST(test_missing_logs),
        TEST(test_request_moves),
        TEST(test_proof_without_dispute),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
