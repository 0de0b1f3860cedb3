/* Both roles of the plugin in disputes, on a simulated chain with a real model; liars and false
 * challengers are played by the test, with the dispute player and a trace of other tokens. */
#ifndef LKS_TESTS_DISPUTES_FIXTURE_H
#define LKS_TESTS_DISPUTES_FIXTURE_H

#include "plugin/operator.h"
#include "tests/model/tiny_models.h"
#include "tests/plugin/puppet.h"
#include "tests/plugin/sim.h"
#include "tests/plugin/sim_host.h"

#define TOKENS 6u
#define PROMPT 5u

extern lks_models models;
extern uint32_t right[TOKENS], other[TOKENS]; /* the model's answer; one that differs in token 2 */
extern sim *chain;
extern sim_host *host;
extern lks_config config;
extern lks_inbox *inbox;
extern lks_operator op;

/* May be set before the group runs. */
extern char *model_file;       /* NULL: a tiny one */
extern uint32_t prompt_length; /* of the prompt that is answered by `right` */

/* Of the group of tests; after each, and after one that may have no chain. */
int make_all(void **state);
int free_all(void **state);
int teardown(void **state);
int no_teardown(void **state);

void fresh_chain(bool is_operator, bool is_challenger);
void start(void);
void halt(void);
void restart(void);
/* What start gives the operator as its second account; NULL: none. */
extern lks_signer *moves_signer;

/* ---- the other side ---- */

puppet liar_of(size_t request, const uint32_t *trace_tokens);
puppet accuser_of(size_t request, uint8_t name);
/* Lets a puppet play until the test ends. */
puppet *play(puppet p);
void play_nobody(void);

/* ---- driving ---- */

/* Gives the newest block to the plugin, and waits until it has done what it then does. */
void take_turns(void);
/* One block: the puppets move, then the plugin. */
void block(void);
lks_job job_of(size_t request);
size_t open_claims(void);
lks_request terms(void);
/* Another operator claims these tokens; the plugin does. Returns: the request. */
size_t foreign_claim(const uint32_t *tokens);
size_t own_claim(void);
/* A request with two seats: the plugin claims in the first, and another operator claims these
 * tokens in the second. */
size_t claim_beside(const uint32_t *tokens);
/* As much of it as a failure's message has room for. */
const char *end_of_log(void);
/* One challenge convicted one claim; so many accusers lost and our claim is final. */
void check_won(void);
void check_defended(size_t accusers);

#define RUN_UNTIL(condition)                                                                       \
    do {                                                                                           \
        for (int i_ = 0; i_ < 700 && !(condition); i_++)                                           \
            block();                                                                               \
        if (!(condition))                                                                          \
            fail_msg("%s did not come about; log:\n%s", #condition, end_of_log());                 \
    } while (0)

#endif
