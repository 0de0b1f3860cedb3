/* What rows of traces cost an operator in disputes: a pass of the model takes chain time here. The
 * linker sends the trace's functions and pwrite here. */
#include "tests/plugin/disputes_fixture.h"
#include "tests/plugin/known_costs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

lks_err __real_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options);
lks_err __wrap_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options);
lks_err __real_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);
lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);
ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);

static unsigned pass_seconds; /* of the plugin's; 0: passes take no time and are not counted */
static atomic_uint passes;
static lks_trace *own_trace; /* the plugin's */
static atomic_int writes_left;

static void take_time(void)
{
    if (pass_seconds == 0)
        return;
    atomic_fetch_add(&passes, 1);
    sim_mine(chain, pass_seconds);
}

lks_err __wrap_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options)
{
    lks_err err = __real_lks_trace_make(out, m, run, options);
    if (err || !options->cancel) /* a puppet's */
        return err;
    own_trace = *out;
    take_time();
    return LKS_OK;
}

lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count)
{
    bool kept = lks_trace_keeps_rows(t);
    lks_err err = __real_lks_trace_rows(t, rows, count);
    if (t == own_trace && (!kept || !lks_trace_keeps_rows(t)))
        take_time();
    return err;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (pass_seconds == 0 || atomic_fetch_sub(&writes_left, 1) > 0)
        return __real_pwrite(fd, bytes, len, at);
    errno = ENOSPC;
    return -1;
}

/* A claim of ours, and accusers whose traces part from ours at different rows. */
static void defend_against(unsigned accusers, unsigned seconds)
{
    static uint32_t answers[6][TOKENS];
    puppet *accuser = NULL;
    size_t r = own_claim();
    own_trace = NULL;
    atomic_store(&passes, 0);
    pass_seconds = seconds;
    for (unsigned k = 0; k < accusers; k++) {
        memcpy(answers[k], right, sizeof right);
        answers[k][k % (TOKENS - 1)] =
            (right[k % (TOKENS - 1)] + 1 + k) % models.items[0].vocab_size;
        accuser = play(accuser_of(r, (uint8_t)(0x31 + k)));
        accuser->tokens = answers[k];
        puppet_challenge(accuser);
    }
    for (int i = 0; i < 400 && chain->lost < accusers && !chain->convictions; i++) {
        puppet_timeout(accuser);
        block();
    }
    pass_seconds = 0;
    if (chain->convictions || chain->lost != accusers || chain->reverts)
        fail_msg("%zu convictions, %zu lost, %zu reverts; log:\n%s", chain->convictions,
                 chain->lost, chain->reverts, end_of_log());
}

static unsigned count_warnings(const char *text)
{
    unsigned count = 0;
    for (const char *p = sim_host_lines(host); (p = strstr(p, text)); p++)
        count++;
    return count;
}

static void open_with_rows(char *folder)
{
    fresh_chain(true, false);
    config.spill_folder = folder;
    config.max_spill_bytes = UINT64_MAX;
    atomic_store(&writes_left, INT32_MAX);
    start();
}

/* Kept rows: one pass, whatever is asked for. The folder is made, and stays empty. */
static void test_kept(void **state)
{
    (void)state;
    char folder[64];
    snprintf(folder, sizeof folder, "/tmp/lockstep-rows-%d", (int)getpid());
    open_with_rows(folder);
    defend_against(5, 12);
    assert_int_equal(atomic_load(&passes), 1);
    assert_int_equal(rmdir(folder), 0);
}

/* Without: the trace, and one pass for all rows that are asked for at a time. */
static void test_not_kept(void **state)
{
    (void)state;
    fresh_chain(true, false);
    config.spill_folder = "";
    start();
    defend_against(5, 8);
    assert_true(atomic_load(&passes) > 1 && atomic_load(&passes) <= 4);
    assert_int_equal(count_warnings("computed again"), 0);
}

/* A disk that is full, at once or in the middle: a warning, and the claim is defended. */
static void test_disk_full(void **state)
{
    (void)state;
    static const int writes[] = {0, 30};
    for (size_t i = 0; i < 2; i++) {
        open_with_rows("/tmp");
        atomic_store(&writes_left, writes[i]);
        defend_against(3, 8);
        assert_int_equal(count_warnings("the rows of a trace are computed again"), 1);
        teardown(NULL);
    }
    open_with_rows("/nowhere/rows");
    assert_int_equal(count_warnings("rows of traces are not kept"), 1);
    defend_against(1, 8);
}

/* ---- before acceptance ---- */

/* A second request, when a trace takes so many milliseconds, and FLOOR allows 533 of defence.
 * Returns: it. */
static size_t ask_again(uint32_t trace_ms)
{
    own_claim();
    know_cost(&op.costs[0].of[LKS_RUN_TRACE], trace_ms * 1000 / (PROMPT + TOKENS));
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    for (int i = 0; i < 10; i++)
        block();
    return r;
}

/* Kept rows are a pass for each claim; those that are not, three. */
static void test_gate_of_passes(void **state)
{
    (void)state;
    for (int kept = 0; kept < 3; kept++) {
        fresh_chain(true, false);
        chain->floor = 1;
        config.spill_folder = kept ? "/tmp" : "";
        config.max_spill_bytes = kept == 2 ? 1000 : UINT64_MAX; /* no room for any */
        start();
        size_t r = ask_again(165);
        assert_int_equal(job_of(r).state == LKS_JOB_SEEN, kept != 1);
        assert_int_equal(chain->accepts, kept == 1 ? 2 : 1);
        teardown(NULL);
    }
    fresh_chain(true, false);
    chain->floor = 1;
    start();
    size_t r = ask_again(200); /* three times that do not fit by themselves */
    assert_int_equal(job_of(r).dropped, LKS_DROP_TRACES);
}

static void test_gate_of_memory(void **state)
{
    (void)state;
    fresh_chain(true, false);
    config.max_memory_bytes = 1000;
    start();
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(r).state == LKS_JOB_DROPPED);
    assert_int_equal(job_of(r).dropped, LKS_DROP_MEMORY);
    assert_non_null(strstr(sim_host_lines(host), "more memory than max_memory_bytes"));
}

/* What one claim of ours needs, were every thread to stand still in the middle of its task. */
static uint64_t memory_of_one(bool challenges, uint64_t *kept)
{
    lks_trace_needs needs;
    const lks_model *m = models.items[0].model;
    assert_true(lks_trace_plan(&needs, m, PROMPT, TOKENS, config.threads));
    *kept = needs.kept;
    return needs.kept + lks_generate_bytes(m, PROMPT, TOKENS, config.threads) +
           (challenges ? 4 : 2) * needs.pass;
}

/* Two defences, a move and a check may be suspended at a time, and the answer. */
static void test_gate_of_suspended(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint64_t kept;
        fresh_chain(true, i / 2);
        config.spill_folder = "/tmp";
        config.max_spill_bytes = UINT64_MAX;
        config.max_memory_bytes = memory_of_one(i / 2, &kept) - (i % 2 == 0);
        start();
        lks_request t = terms();
        size_t r = sim_ask(chain, &t, PROMPT);
        RUN_UNTIL(job_of(r).state == (i % 2 ? LKS_JOB_CLAIMED : LKS_JOB_DROPPED));
        if (i % 2 == 0)
            assert_int_equal(job_of(r).dropped, LKS_DROP_MEMORY);
        teardown(NULL);
    }
}

/* Others' claims are not checked with memory that ours may need; and where we dispute one, nothing
 * is accepted with the memory that the dispute may need. */
static void test_memory_of_others(void **state)
{
    (void)state;
    for (int fits = 0; fits < 2; fits++) {
        uint64_t kept;
        fresh_chain(true, true);
        config.spill_folder = "/tmp";
        config.max_spill_bytes = UINT64_MAX;
        start();
        size_t own = own_claim();
        uint64_t answering = lks_generate_bytes(models.items[0].model, PROMPT, TOKENS, 1);
        op.resources.max_memory = memory_of_one(true, &kept) - answering + kept - !fits;
        foreign_claim(right);
        for (int i = 0; i < 15; i++)
            block();
        assert_int_equal(count_warnings("tokens, right"), fits);
        assert_int_equal(count_warnings("is not checked now: with all that is open") > 0, !fits);
        assert_int_equal(job_of(own).state, LKS_JOB_CLAIMED);
        teardown(NULL);
    }
    for (int fits = 0; fits < 2; fits++) {
        uint64_t kept;
        fresh_chain(true, true);
        config.spill_folder = "/tmp";
        config.max_spill_bytes = UINT64_MAX;
        config.max_memory_bytes = memory_of_one(true, &kept);
        config.max_memory_bytes += fits ? kept : kept - 1;
        start();
        size_t wrong = foreign_claim(other);
        play(liar_of(wrong, right))->silent = true;
        RUN_UNTIL(chain->challenges == 1);
        lks_request t = terms();
        size_t r = sim_ask(chain, &t, PROMPT);
        for (int i = 0; i < 6; i++)
            block();
        assert_int_equal(job_of(r).state == LKS_JOB_SEEN, !fits);
        assert_int_equal(count_warnings("more memory than max_memory_bytes") > 0, !fits);
        teardown(NULL);
    }
    fresh_chain(true, true);
    start();
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_kept, no_teardown),
        cmocka_unit_test_teardown(test_not_kept, no_teardown),
        cmocka_unit_test_teardown(test_disk_full, no_teardown),
        cmocka_unit_test_teardown(test_gate_of_passes, no_teardown),
        cmocka_unit_test_teardown(test_gate_of_memory, no_teardown),
        cmocka_unit_test_teardown(test_gate_of_suspended, no_teardown),
        cmocka_unit_test_teardown(test_memory_of_others, no_teardown)};
    return cmocka_run_group_tests(tests, make_all, free_all);
}
