/* A database that cannot be written, and one that is restored from an older copy: nothing is signed
 * that is not stored, nothing is done twice, and the request ends as it would have. */
#include "tests/plugin/operator_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* No file of this process can be written beyond its beginning, as on a full disk. */
static void fill_disk(bool full)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const lks_job_state states[] = {LKS_JOB_SEEN,     LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED,
                                       LKS_JOB_CLAIMING, LKS_JOB_CLAIMED,   LKS_JOB_FINALIZING};
#define STATES (sizeof states / sizeof *states)

/* A request whose seed is to be waited for, so that it is in each state for a while. */
static size_t ask_sampled(void)
{
    lks_request terms = sim_terms(chain);
    terms.temperature = 1065353216;
    return sim_ask(chain, &terms, 5);
}

static void test_full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < STATES; i++) {
        turn();
        mine_and_turn();
        if (states[i] == LKS_JOB_ACCEPTED)
            atomic_store(&delay_ms, 30);
        size_t r = ask_sampled();
        run_until(r, states[i]);
        size_t sends = chain->sends;
        fill_disk(true);
        for (int b = 0; b < 8; b++)
            mine_and_turn();
        fill_disk(false);
        assert_int_equal(chain->sends, sends); /* nothing new was signed */
        assert_non_null(strstr(sim_host_lines(host), "cannot be written, so nothing is signed"));
        atomic_store(&delay_ms, 0);
        op.next_sync_ms = 0;
        run_until(r, LKS_JOB_FINAL);
        assert_non_null(strstr(sim_host_lines(host), "the database can be written again"));
        check_claim(r);
        check_once();
        teardown(NULL);
        setup(NULL);
    }
}

static void copy(const char *from, const char *to)
{
    char command[1024];
    snprintf(command, sizeof command, "rm -f %s %s-wal %s-shm && cp %s %s", to, to, to, from, to);
    assert_int_equal(system(command), 0);
}

/* Yesterday's copy, of a request in each state, comes back when the request has gone on. */
static void test_restored(void **state)
{
    (void)state;
    static const lks_job_state later[] = {LKS_JOB_ACCEPTED, LKS_JOB_CLAIMED, LKS_JOB_FINAL};
    char saved[160];
    snprintf(saved, sizeof saved, "%s/saved.db", folder);
    for (size_t i = 0; i < STATES; i++)
        for (size_t k = 0; k < 3; k++) {
            turn();
            mine_and_turn();
            if (states[i] == LKS_JOB_ACCEPTED || later[k] == LKS_JOB_ACCEPTED)
                atomic_store(&delay_ms, 30);
            size_t r = ask_sampled();
            run_until(r, states[i]);
            halt();
            copy(database, saved);
            start();
            for (int b = 0; b < 60 && job_of(r).state < later[k]; b++)
                mine_and_turn();
            halt();
            copy(saved, database);
            atomic_store(&delay_ms, 0);
            start();
            run_until(r, LKS_JOB_FINAL);
            check_claim(r);
            check_once();
            teardown(NULL);
            setup(NULL);
        }
}

/* The copy is older than the commitment of a request with replicas, and even than its answer: both
 * follow from what it has. */
static void test_restored_before_commitment(void **state)
{
    (void)state;
    char saved[160];
    snprintf(saved, sizeof saved, "%s/saved.db", folder);
    lks_request terms = sim_terms(chain);
    terms.replicas = 2;
    turn();
    mine_and_turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_ACCEPTING);
    halt();
    copy(database, saved);
    start();
    run_until(r, LKS_JOB_ANSWERED);
    sim_other(chain, SIM_OTHER_ACCEPTS, r);
    run_until(r, LKS_JOB_COMMITTED);
    halt();
    copy(saved, database);
    start();
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    assert_true(chain->claims == 1 && chain->reverts == 0);
}

/* All of the database is lost, and with it the salt: that is an error, and nothing else is done. */
static void test_lost_salt(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.replicas = 2;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_ANSWERED);
    sim_other(chain, SIM_OTHER_ACCEPTS, r);
    run_until(r, LKS_JOB_COMMITTED);
    halt();
    forget_database();
    config.start_block = 1;
    start();
    for (int b = 0; b < 250; b++)
        mine_and_turn();
    assert_true(chain->claims == 0 && chain->reverts == 0);
    assert_non_null(strstr(sim_host_lines(host), "is lost, so is its salt"));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_full_disk),
        TEST(test_restored),
        TEST(test_restored_before_commitment),
        TEST(test_lost_salt),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
