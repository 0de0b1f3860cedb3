/* An operator on a simulated chain, with a model that makes up its tokens: for the tests of its
 * life. */
#ifndef LKS_TESTS_OPERATOR_FIXTURE_H
#define LKS_TESTS_OPERATOR_FIXTURE_H

#include "plugin/key.h"
#include "plugin/operator.h"
#include "tests/plugin/sim.h"
#include "tests/plugin/sim_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DO(expression)                                                                             \
    do {                                                                                           \
        if ((expression) != LKS_OK)                                                                \
            fail_msg("%s: %s", #expression, lks_error_message());                                  \
    } while (0)

extern char folder[64], keystore[128], password_file[128], database[128];
extern lks_signer *signer;
extern sim *chain;
extern sim_host *host;
extern lks_config config;
extern lks_models models;
extern lks_inbox *inbox;
extern lks_node *rpc;
extern lks_operator op;

/* The model: how often it ran, how often it is still to fail, how long it takes. */
extern atomic_uint runs, failing_runs, delay_ms;
uint32_t token_of(uint32_t prompt_count, uint64_t seed, uint32_t temperature, uint32_t i);

/* Of the group of tests, and of each. */
int make_key(void **state);
int remove_folder(void **state);
int setup(void **state);
int teardown(void **state);

void write_password(const char *text);
void fresh_chain(void);
void forget_database(void);
void start(void);
/* As after a crash: nothing is told to the chain or the store any more. */
void halt(void);
void restart(void);

void give(uint64_t number);
void turn(void);
void mine_and_turn(void);
/* chain->lie: of the next lists of logs so many are empty. */
extern unsigned empty_answers;
bool give_no_logs(void *user, const char *method, const char *params, lks_buf *answer,
                  lks_err *err);
/* chain->lie: what reads the newest blocks once more finds nothing, so that the state check alone
 * can; lists of one request's events are as ever. */
bool hide_from_review(void *user, const char *method, const char *params, lks_buf *answer,
                      lks_err *err);
/* Mines a block whose logs neither the host nor the node gives, and lets it be taken. */
void mine_without_logs(void);
/* All zero when there is none. */
lks_job job_of(size_t request);
void run_until(size_t request, lks_job_state wanted);
/* The answer on the chain is what the model says for the seed that the chain says. */
void check_claim(size_t request);
/* Accepted, claimed and finalized once. */
void check_once(void);

#endif
