/* A model file that changes while the plugin serves it. */
#include "tests/plugin/disputes_fixture.h"

#include <stdlib.h>
#include <unistd.h>

static char copy[64];

/* Serves a copy of the model's file in place of the file. */
static void serve_copy(void)
{
    char command[256];
    char *paths[] = {copy};
    snprintf(copy, sizeof copy, "/tmp/lockstep-served-%d.gguf", (int)getpid());
    snprintf(command, sizeof command, "cp %s %s", config.models[0], copy);
    assert_int_equal(system(command), 0);
    lks_models_close(&models);
    DO(lks_models_open(&models, paths, 1, true));
}

static void cut_file(void)
{
    assert_int_equal(truncate(copy, 4096), 0);
}

static lks_err run_and_cut(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                           const lks_policy *policy, uint32_t max_tokens,
                           const lks_generate_options *o, uint32_t *tokens, uint32_t *count)
{
    lks_err err = lks_generate(served->model, prompt, prompt_count, policy, 1, o, tokens, count);
    if (max_tokens == TOKENS)
        cut_file();
    if (!err)
        err =
            lks_generate(served->model, prompt, prompt_count, policy, max_tokens, o, tokens, count);
    return err;
}

static unsigned errors(void)
{
    unsigned count = 0;
    for (const char *p = sim_host_lines(host); (p = strstr(p, "out of service")); p++)
        count++;
    return count;
}

/* Cut off while an answer is made: the answer is not claimed, nothing more is accepted, and the
 * claim from before is defended. */
static void test_cut_while_answering(void **state)
{
    (void)state;
    fresh_chain(true, false);
    serve_copy();
    start();
    size_t before = own_claim();
    models.run = run_and_cut;
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(errors());
    for (int i = 0; i < 30; i++)
        block();
    assert_int_equal(job_of(r).state, LKS_JOB_ACCEPTED);
    assert_int_equal(chain->claims, 1);
    t = terms();
    size_t later = sim_ask(chain, &t, PROMPT);
    puppet_challenge(play(accuser_of(before, 0x31)));
    RUN_UNTIL(chain->lost);
    assert_int_equal(chain->convictions, 0);
    assert_int_equal(job_of(later).state, LKS_JOB_SEEN);
    assert_int_equal(errors(), 1);
    unlink(copy);
}

/* Changed between two answers: the next one is not begun. Put back, and started again: all goes on.
 */
static void test_changed_between(void **state)
{
    (void)state;
    fresh_chain(true, false);
    serve_copy();
    start();
    own_claim();
    cut_file();
    block();
    assert_int_equal(errors(), 1);
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    for (int i = 0; i < 10; i++)
        block();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    halt();
    serve_copy();
    start();
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    unlink(copy);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_cut_while_answering, no_teardown),
        cmocka_unit_test_teardown(test_changed_between, no_teardown)};
    return cmocka_run_group_tests(tests, make_all, free_all);
}
