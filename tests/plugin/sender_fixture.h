/* A sender and a store on a simulated chain, with one request. */
#ifndef LKS_TESTS_SENDER_FIXTURE_H
#define LKS_TESTS_SENDER_FIXTURE_H

#include "plugin/sender.h"
#include "tests/plugin/sim.h"

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
#define GWEI UINT64_C(1000000000)

extern sim *chain;
extern lks_signer *signer;
extern lks_store *store;
extern lks_sender sender;
extern lks_job job;
extern size_t request;
extern char lines[16384]; /* the log */

/* A request in block 1, seen; blocks up to 3. */
int setup(void **state);
int teardown(void **state);

/* Ceilings of both fees. */
void make_sender(uint64_t max_fee, uint64_t max_priority_fee);
lks_sender_now now(void);
/* Sends the request's acceptance. */
lks_err accept_until(uint64_t deadline);
/* Sends something else, which reverts and is not simulated. */
lks_err send_other(lks_action action, uint64_t deadline, uint64_t worth);
void tend(void);
/* Out: first, the live one with the lowest nonce, if there is one; may be NULL. */
size_t live_count(lks_store_tx *first);
size_t versions(const lks_store_tx *tx);
/* The newest pooled transaction; NULL when there is none. */
const sim_tx *pooled(void);
/* The pooled one of a nonce. */
const sim_tx *pooled_at(uint64_t nonce);

#endif
