#include "chain/nodes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/json.h"

#define TICK_MS 250u
/* With several end points, one that asks for a longer pause is not waited for. */
#define MAX_PAUSE_MS 2000u

struct lks_nodes {
    lks_endpoints *endpoints;
    lks_rpc *rpcs[LKS_MAX_ENDPOINTS];
    lks_eth alone[LKS_MAX_ENDPOINTS];
    lks_eth_ranges ranges[LKS_MAX_ENDPOINTS];
    char names[LKS_MAX_ENDPOINTS][320];
    size_t count;
    void (*log)(void *user, bool warns, const char *line);
    void *user;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void notice(void *user, const char *line)
{
    lks_nodes *c = user;
    c->log(c->user, true, line);
}

static lks_err call(void *context, const char *method, const char *params_json, lks_rpc_reply reply,
                    void *user)
{
    return lks_rpc_call(context, method, params_json, reply, user);
}

static void *run_checks(void *argument)
{
    lks_nodes *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        pthread_mutex_unlock(&c->lock);
        lks_endpoints_tick(c->endpoints);
        uint64_t until = now_ms() + TICK_MS;
        struct timespec wake = {.tv_sec = (time_t)(until / 1000),
                                .tv_nsec = (long)(until % 1000) * 1000000};
        pthread_mutex_lock(&c->lock);
        if (!c->stopping)
            pthread_cond_timedwait(&c->changed, &c->lock, &wake);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Makes the name of an end point in messages; two keys at one host get their place too. */
static void name(lks_nodes *c, size_t at)
{
    const char *plain = lks_rpc_name(c->rpcs[at]);
    snprintf(c->names[at], sizeof c->names[at], "%s", plain);
    for (size_t i = 0; i < at; i++)
        if (!strcmp(plain, lks_rpc_name(c->rpcs[i])))
            snprintf(c->names[at], sizeof c->names[at], "%s (number %zu)", plain, at + 1);
}

static lks_err open_all(lks_nodes *c, const lks_nodes_options *o)
{
    const lks_rpc_options options = {.timeout_ms = o->timeout_ms,
                                     .max_calls = 2 * LKS_ENDPOINTS_CALLS,
                                     .max_pause_ms = o->count > 1 ? MAX_PAUSE_MS : 0,
                                     .notice = notice,
                                     .user = c};
    lks_endpoint clients[LKS_MAX_ENDPOINTS];
    if (o->count > LKS_MAX_ENDPOINTS)
        return lks_fail(LKS_BADARGS, "at most %u end points can be used", LKS_MAX_ENDPOINTS);
    for (; c->count < o->count; c->count++) {
        size_t i = c->count;
        lks_err err = lks_rpc_open(&c->rpcs[i], o->urls[i], &options);
        if (err)
            return o->count > 1 ? lks_fail_in(err, "end point %zu", i + 1) : err;
        name(c, i);
        clients[i] = (lks_endpoint){c->names[i], call, c->rpcs[i]};
        c->ranges[i] = (lks_eth_ranges)LKS_ETH_RANGES_INIT;
        c->alone[i] = (lks_eth){lks_rpc_call_sync, c->rpcs[i], &c->ranges[i]};
    }
    const lks_endpoints_options all = {.clients = clients,
                                       .count = o->count,
                                       .chain_id = o->chain_id,
                                       .now_ms = now_ms,
                                       .log = o->log,
                                       .user = o->user};
    return lks_endpoints_new(&c->endpoints, &all);
}

lks_err lks_nodes_open(lks_nodes **out, const lks_nodes_options *options)
{
    pthread_condattr_t attr;
    lks_nodes *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return lks_fail(LKS_NOMEM, "out of memory");
    c->log = options->log;
    c->user = options->user;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    lks_err err = open_all(c, options);
    if (!err && c->count > 1) {
        c->has_thread = !pthread_create(&c->thread, NULL, run_checks, c);
        if (!c->has_thread)
            err = lks_fail(LKS_INTERNAL, "no thread for the checks of the end points");
    }
    if (err)
        lks_nodes_close(c);
    else
        *out = c;
    return err;
}

lks_endpoints *lks_nodes_endpoints(lks_nodes *c)
{
    return c->endpoints;
}

void lks_nodes_close(lks_nodes *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    if (c->endpoints)
        lks_endpoints_close(c->endpoints);
    for (size_t i = 0; i < c->count; i++)
        lks_rpc_close(c->rpcs[i]);
    lks_endpoints_free(c->endpoints);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

size_t lks_nodes_count(const lks_nodes *c)
{
    return c->count;
}

const lks_eth *lks_nodes_at(lks_nodes *c, size_t i)
{
    return &c->alone[i];
}

/* ---- calls that wait ---- */

typedef struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
    int32_t code;
    lks_buf *answer;
} waiter;

static void wake(void *user, int32_t code, const char *json, size_t len)
{
    waiter *w = user;
    pthread_mutex_lock(&w->lock);
    w->code = code;
    lks_buf_put(w->answer, json, len);
    w->is_done = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

/* A call that got no answer: {"message": why}. */
static lks_err fail_unanswered(int32_t code, const lks_buf *json)
{
    lks_json doc = {0};
    lks_buf why = {0};
    lks_err err = code == LKS_RPC_TOO_LARGE   ? LKS_TOO_LARGE
                  : code == LKS_RPC_LIMITED   ? LKS_BUSY
                  : code == LKS_RPC_TIMED_OUT ? LKS_TIMEOUT
                                              : LKS_IO;
    bool told = !lks_json_parse(&doc, lks_buf_text(json), json->len, 100) &&
                !lks_json_string(&doc, lks_json_member(&doc, 0, "message"), &why);
    err = lks_fail(err, "%s", told ? lks_buf_text(&why) : "no answer from the node");
    lks_buf_free(&why);
    lks_json_free(&doc);
    return err;
}

lks_err lks_nodes_call_sync(void *context, const char *method, const char *params_json,
                            lks_buf *answer)
{
    lks_nodes *c = context;
    waiter w = {.answer = answer};
    lks_buf_clear(answer);
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.done, NULL);
    lks_err err = lks_endpoints_call(c->endpoints, method, params_json, wake, &w);
    if (!err) {
        pthread_mutex_lock(&w.lock);
        while (!w.is_done)
            pthread_cond_wait(&w.done, &w.lock);
        pthread_mutex_unlock(&w.lock);
        err = lks_buf_error(answer);
    }
    pthread_cond_destroy(&w.done);
    pthread_mutex_destroy(&w.lock);
    if (err || w.code == 0)
        return err;
    if (w.code < 0 && w.code >= LKS_RPC_RESERVED)
        return fail_unanswered(w.code, answer);
    return lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
}

/* ---- lists of URLs ---- */

bool lks_nodes_split(const char *urls[LKS_MAX_ENDPOINTS], size_t *count, char *text,
                     const char *between)
{
    char *line;
    while (text && (line = strsep(&text, between))) {
        line += strspn(line, " \t\r");
        line[strcspn(line, " \t\r")] = 0;
        if (!*line || *line == '#')
            continue;
        if (*count == LKS_MAX_ENDPOINTS)
            return false;
        urls[(*count)++] = line;
    }
    return true;
}
