/* Shared by the two files of the end points:
 *   endpoints.c        calls: given to one or all, tried again elsewhere, answered once
 *   endpoints_check.c  checks, and which end point is followed
 * Everything here needs the lock.
 */
#ifndef LKS_CHAIN_ENDPOINTS_INTERNAL_H
#define LKS_CHAIN_ENDPOINTS_INTERNAL_H

#include <pthread.h>

#include "chain/endpoints.h"

#define FAILURES 3u /* in a row */

/* Questions to an end point in a check. */
typedef enum probe {
    PROBE_NONE,
    PROBE_CHAIN,
    PROBE_HEAD,
    PROBE_MARK
} probe;

typedef struct endpoint {
    lks_endpoint client;
    lks_endpoints *all;

    probe asked; /* under way; its answer may still come when it hangs */
    uint64_t asked_ms;
    bool has_chain;
    uint64_t chain_id;
    bool answered; /* the question for its head, in this check */
    uint64_t head; /* block number; 0: not known */
    bool has_mark; /* it told the hash of the block that all were asked for */
    uint8_t mark[32];

    unsigned failures; /* calls in a row */
    char failure[160]; /* the last one's reason */
    bool hangs;
    uint64_t behind_ms; /* since when it is behind; 0: it is not */
    unsigned odd;       /* checks in a row in which the majority was against it */

    bool bad;
    uint64_t bad_ms; /* when it was last bad; 0: never */
} endpoint;

typedef struct call call;

typedef struct attempt {
    call *of;
    size_t at; /* the end point */
} attempt;

/* One call of the plugin. */
struct call {
    call *next, *previous; /* while it is not answered */
    lks_endpoints *all;
    char *method, *params;
    lks_rpc_reply reply;
    void *user;
    bool to_all;
    bool answered;
    unsigned uses;             /* attempts under way, and one until it is answered */
    uint32_t tried, under_way; /* sets of end points */
    attempt attempts[LKS_MAX_ENDPOINTS];
    bool has_rest; /* what to answer when nothing better comes: */
    int32_t rest_code;
    lks_buf rest;
};

typedef enum check_phase {
    CHECK_IDLE,
    CHECK_HEADS,
    CHECK_MARKS
} check_phase;

struct lks_endpoints {
    pthread_mutex_t lock;
    uint64_t (*now_ms)(void);
    void (*log)(void *user, bool warns, const char *line);
    void *user;
    bool closed;
    size_t count, followed;
    endpoint list[LKS_MAX_ENDPOINTS];
    call *calls; /* not answered */
    unsigned call_count;

    bool has_chain;
    uint64_t chain_id;
    check_phase phase;
    bool checked; /* once, at least */
    uint64_t next_check_ms;
    uint64_t reference; /* the head that others are measured by */
    uint64_t mark;      /* the number of the block that all were asked for */
    uint64_t split_ms;  /* when it was last said that there is no majority; 0: there is one */
};

void endpoints_log(lks_endpoints *e, bool warns, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether calls may be given to it. */
bool endpoint_is_good(const endpoint *p);
/* Whether it is known to be on the chain of all; a transaction may be given to it, bad or not. */
bool endpoint_is_of_chain(const endpoint *p);
/* How a call ended there. May change which is followed. */
void endpoint_note(lks_endpoints *e, endpoint *p, int32_t code, const char *json, size_t len);
/* Whether a code means that no answer was to be had, and another end point may have one. */
bool endpoint_failed(int32_t code);

/* Another one is followed: makes the calls there that the one at from still owes. */
void endpoints_move_calls(lks_endpoints *e, size_t from);
/* Answers the calls that wait for bad end points alone. Lets the lock go meanwhile. */
void endpoints_settle(lks_endpoints *e);

#endif
