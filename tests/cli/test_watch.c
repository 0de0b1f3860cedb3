/* The watch against liars, through a node that fails, lies about its logs and falls behind. */
#include "tests/cli/watch_fixture.h"

#include <unistd.h>

static void check_won(size_t claims)
{
    if (chain->convictions != claims || chain->challenges != claims || chain->reverts != 0)
        fail_msg("%zu convictions, %zu challenges, %zu reverts after %zu faults",
                 chain->convictions, chain->challenges, chain->reverts, faults);
}

static void test_right(void **state)
{
    (void)state;
    foreign_claim(right);
    RUN_UNTIL(w.right == 1);
    rounds(50);
    assert_int_equal(chain->sends, 0);
    assert_true(lks_watch_settled(&w));
}

static void test_wrong_token(void **state)
{
    (void)state;
    defend(foreign_claim(other), other);
    RUN_UNTIL(chain->convictions == 1);
    RUN_UNTIL(w.game_count == 0);
    check_won(1);
    assert_int_equal(chain->reclaims + chain->withdrawals > 0, 1);
}

static void test_wrong_trace(void **state)
{
    (void)state;
    defend(foreign_claim(other), right);
    RUN_UNTIL(chain->convictions == 1);
    check_won(1);
    assert_true(chain->answers > 1);
}

static void test_silent(void **state)
{
    (void)state;
    defend(foreign_claim(other), right)->silent = true;
    RUN_UNTIL(chain->convictions == 1);
    check_won(1);
}

/* Right claims in between, three wrong ones, and every twelfth call fails. */
static void test_failing_node(void **state)
{
    (void)state;
    one_fails = 12;
    for (int i = 0; i < 3; i++) {
        foreign_claim(right);
        defend(foreign_claim(other), i == 0 ? other : right);
    }
    RUN_UNTIL(chain->convictions == 3);
    RUN_UNTIL(w.right == 3);
    check_won(3);
    assert_true(faults > 50);
}

/* Every fifth list of logs is empty. */
static void test_logs_kept_back(void **state)
{
    (void)state;
    one_keeps_logs_back = 5;
    defend(foreign_claim(other), right);
    RUN_UNTIL(chain->convictions == 1);
    check_won(1);
    assert_true(faults > 3);
}

/* Every second head is two blocks old: no re-org, nothing is read again, no move is made twice. */
static void test_behind(void **state)
{
    (void)state;
    one_is_behind = 2;
    defend(foreign_claim(other), right);
    RUN_UNTIL(chain->convictions == 1);
    check_won(1);
    assert_true(faults > 5);
}

static void test_all_faults(void **state)
{
    (void)state;
    one_fails = 20;
    one_keeps_logs_back = 10;
    one_is_behind = 5;
    defend(foreign_claim(other), right);
    defend(foreign_claim(other), other);
    RUN_UNTIL(chain->convictions == 2);
    check_won(2);
}

/* Ended and started again at every tenth round: it goes on, and looks at nothing twice. */
static void test_restarts(void **state)
{
    (void)state;
    foreign_claim(right);
    defend(foreign_claim(other), right);
    RUN_UNTIL(w.right == 1 && w.game_count == 1);
    for (int i = 0; i < 60 && chain->convictions == 0; i++) {
        restart();
        rounds(10);
        assert_int_equal(w.right, 0);
    }
    check_won(1);
}

static void test_reorg(void **state)
{
    (void)state;
    defend(foreign_claim(other), right);
    for (int i = 0; i < 40 && chain->convictions == 0; i++) {
        rounds(7);
        sim_reorg(chain, 3, true, true);
    }
    RUN_UNTIL(chain->convictions == 1);
    assert_int_equal(chain->challenges, 1);
}

/* Claims that are done are forgotten once no look can show them again. */
static void test_forgets(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        foreign_claim(right);
        rounds(12);
    }
    RUN_UNTIL(w.right == 12);
    rounds(40);
    assert_int_equal(w.claims.count, 0);
}

/* A window that ends before the claim was looked at. */
static void test_late(void **state)
{
    (void)state;
    foreign_claim(other);
    one_fails = 1;
    rounds(320);
    one_fails = 0;
    RUN_UNTIL(w.left_out == 1);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(chain->sends, 0);
}

/* The model's file is cut off: claims are checked and disputed with what was read of it. */
static void test_file_cut_off(void **state)
{
    (void)state;
    assert_int_equal(truncate(model_path, 100), 0);
    foreign_claim(right);
    RUN_UNTIL(w.right == 1);
    defend(foreign_claim(other), other);
    RUN_UNTIL(chain->convictions == 1);
    check_won(1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, end)
    const struct CMUnitTest tests[] = {
        TEST(test_right),        TEST(test_wrong_token),  TEST(test_wrong_trace),
        TEST(test_silent),       TEST(test_failing_node), TEST(test_logs_kept_back),
        TEST(test_behind),       TEST(test_all_faults),   TEST(test_restarts),
        TEST(test_reorg),        TEST(test_forgets),      TEST(test_late),
        TEST(test_file_cut_off),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
