#include "chain/nodes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS 250u
/* With several end points, one that asks for a longer pause is not waited for. */
#define MAX_PAUSE_MS 2000u

struct lks_nodes {
    lks_endpoints *endpoints;
    lks_rpc *rpcs[LKS_MAX_ENDPOINTS];
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

static lks_err open_all(lks_nodes *c, const char *const *urls, size_t count)
{
    const lks_rpc_options options = {.max_calls = 2 * LKS_ENDPOINTS_CALLS,
                                     .max_pause_ms = count > 1 ? MAX_PAUSE_MS : 0,
                                     .notice = notice,
                                     .user = c};
    lks_endpoint clients[LKS_MAX_ENDPOINTS];
    for (; c->count < count; c->count++) {
        lks_err err = lks_rpc_open(&c->rpcs[c->count], urls[c->count], &options);
        if (err)
            return count > 1 ? lks_fail_in(err, "end point %zu", c->count + 1) : err;
        name(c, c->count);
        clients[c->count] = (lks_endpoint){c->names[c->count], call, c->rpcs[c->count]};
    }
    const lks_endpoints_options all = {.clients = clients,
                                          .count = count,
                                          .now_ms = now_ms,
                                          .log = c->log,
                                          .user = c->user};
    return lks_endpoints_new(&c->endpoints, &all);
}

lks_err lks_nodes_open(lks_nodes **out, const char *const *urls, size_t count,
                            void (*log)(void *user, bool warns, const char *line), void *user)
{
    pthread_condattr_t attr;
    lks_nodes *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return lks_fail(LKS_NOMEM, "out of memory");
    c->log = log;
    c->user = user;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &attr);
    pthread_condattr_destroy(&attr);
    lks_err err = open_all(c, urls, count);
    if (!err && count > 1) {
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

lks_endpoints *lks_nodes_endpoints(lks_nodes *c) { return c->endpoints; }

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
