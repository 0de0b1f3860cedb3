/* A host without a client, for conformance.c: it answers rpc calls from a canned chain, or holds
 * them back, or answers them with rubbish, and notes every rule of lockstep_plugin.h that the
 * plugin breaks. */
#ifndef LKS_TESTS_FAKE_HOST_H
#define LKS_TESTS_FAKE_HOST_H

#include <pthread.h>
#include <stdbool.h>

#include "plugin/lockstep_plugin.h"

#define FAKE_MAX_CALLS 64
#define FAKE_CHAIN_ID 31982u

enum fake_mode {
    FAKE_ANSWERS, /* sensibly, on a thread of its own */
    FAKE_HOLDS,   /* not before fake_release() */
    FAKE_BUSY,    /* takes no call */
    FAKE_LIES     /* errors, null, other types than expected, text that is not JSON */
};

enum fake_life {
    FAKE_RUNNING,
    FAKE_STOPPED,
    FAKE_GONE
};

typedef struct fake_call {
    char method[64];
    lockstep_rpc_reply reply;
    void *user;
} fake_call;

typedef struct fake_host {
    lockstep_host host; /* what the plugin is given; its context is this struct */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the fields below */
    pthread_cond_t changed;
    enum fake_mode mode;
    enum fake_life life;
    bool ending;
    uint64_t head;
    fake_call calls[FAKE_MAX_CALLS];
    unsigned call_count, under_way;
    unsigned long taken; /* calls since the start */
    unsigned lies;
    unsigned errors;  /* lines at level ERROR since fake_clear() */
    char error[512];  /* the last of them */
    char breach[512]; /* the first rule that was broken, or "" */
} fake_host;

/* Returns: a running host, or NULL. */
fake_host *fake_start(enum fake_mode mode);
/* Ends the host's thread; held calls are dropped. The plugin must be destroyed. */
void fake_end(fake_host *h);

void fake_set_mode(fake_host *h, enum fake_mode mode);
void fake_set_head(fake_host *h, uint64_t head);
/* stop or destroy has returned: rpc, and then log, are breaches from now on. */
void fake_set_life(fake_host *h, enum fake_life life);
void fake_clear(fake_host *h);
/* Returns: the lines at level ERROR since fake_clear(). */
unsigned fake_errors(fake_host *h);
/* Returns: the first rule that was broken, or NULL. */
const char *fake_breach(fake_host *h);
/* Answers what is held and waits until every reply has returned. */
void fake_release(fake_host *h);

/* The canned chain: the hash of a block on one of its branches. */
void fake_block_hash(uint64_t number, uint8_t branch, uint8_t hash32[32]);

#endif
