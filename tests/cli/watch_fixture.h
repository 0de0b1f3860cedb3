/* `lockstep watch` on the simulated chain, with a node of many faults between them. Time goes on by
 * what is slept: a block for each second. */
#ifndef LKS_TESTS_WATCH_FIXTURE_H
#define LKS_TESTS_WATCH_FIXTURE_H

#include "oracle/cli/watch.h"
#include "tests/model/tiny_models.h"
#include "tests/plugin/puppet.h"

#define TOKENS 6u
#define PROMPT 5u

extern sim *chain;
extern lks_watch w;
extern lks_link s;
extern uint32_t right[TOKENS], other[TOKENS]; /* the model's answer; one that differs */
extern char model_path[64];                   /* the file that the watch has read */

/* Of the node, in calls: one of so many fails; 0: none does. */
extern unsigned one_fails, one_keeps_logs_back, one_is_behind;
extern size_t faults; /* so far */

/* Of the group; around each test. */
int make_all(void **state);
int free_all(void **state);
int fresh(void **state);
int end(void **state);

/* The watch's end and a new one, which knows what the state file has. */
void restart(void);
/* Another operator claims these tokens. Returns: the request. */
size_t foreign_claim(const uint32_t *tokens);
/* An operator that defends that claim with a trace of these tokens. */
puppet *defend(size_t request, const uint32_t *tokens);
/* A round, a second, and what is computed until it is done. */
void rounds(size_t count);

#define RUN_UNTIL(condition)                                                                       \
    do {                                                                                           \
        for (int i_ = 0; i_ < 1500 && !(condition); i_++)                                          \
            rounds(1);                                                                             \
        if (!(condition))                                                                          \
            fail_msg("%s did not come about", #condition);                                         \
    } while (0)

#endif
