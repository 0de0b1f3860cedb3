/* A job store in a folder of its own, for its tests. */
#ifndef LKS_TESTS_STORE_FIXTURE_H
#define LKS_TESTS_STORE_FIXTURE_H

#include "plugin/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DO(expression)                                                                             \
    do {                                                                                           \
        if ((expression) != LKS_OK)                                                                \
            fail_msg("%s: %s", #expression, lks_error_message());                                  \
    } while (0)

extern char folder[64], path[96];
extern const lks_store_identity who;
extern const uint8_t prompt[12], tokens[8];

int setup(void **state);
int teardown(void **state);
lks_store *open_store(void);
/* On the closed file. */
void run_sql(const char *sql);

lks_job make_job(uint64_t nonce);
void add_job(lks_store *s, lks_job *job);
/* A live transaction. */
lks_store_tx add_tx(lks_store *s, const lks_job *job, lks_action action, uint64_t nonce);

#endif
