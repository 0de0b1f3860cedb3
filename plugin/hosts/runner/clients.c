#include "plugin/hosts/runner/clients.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin/hosts/runner/host.h"

#define TICK_MS 250u
/* With several end points, one that asks for a longer pause is not waited for. */
#define MAX_PAUSE_MS 2000u

struct runner_clients {
    runner_endpoints *endpoints;
    lks_rpc *rpcs[RUNNER_MAX_ENDPOINTS];
    char names[RUNNER_MAX_ENDPOINTS][320];
    size_t count;
    void (*log)(void *user, int level, const char *line);
    void *user;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

static void notice(void *user, const char *line)
{
    runner_clients *c = user;
    c->log(c->user, LOCKSTEP_LOG_WARN, line);
}

static lks_err call(void *context, const char *method, const char *params_json, lks_rpc_reply reply,
                    void *user)
{
    return lks_rpc_call(context, method, params_json, reply, user);
}

static void *run_checks(void *argument)
{
    runner_clients *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        pthread_mutex_unlock(&c->lock);
        runner_endpoints_tick(c->endpoints);
        uint64_t until = runner_now_ms() + TICK_MS;
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
static void name(runner_clients *c, size_t at)
{
    const char *plain = lks_rpc_name(c->rpcs[at]);
    snprintf(c->names[at], sizeof c->names[at], "%s", plain);
    for (size_t i = 0; i < at; i++)
        if (!strcmp(plain, lks_rpc_name(c->rpcs[i])))
            snprintf(c->names[at], sizeof c->names[at], "%s (number %zu)", plain, at + 1);
}

static lks_err open_all(runner_clients *c, const char *const *urls, size_t count)
{
    const lks_rpc_options options = {.max_calls = 2 * RUNNER_MAX_CALLS,
                                     .max_pause_ms = count > 1 ? MAX_PAUSE_MS : 0,
                                     .notice = notice,
                                     .user = c};
    runner_client clients[RUNNER_MAX_ENDPOINTS];
    for (; c->count < count; c->count++) {
        lks_err err = lks_rpc_open(&c->rpcs[c->count], urls[c->count], &options);
        if (err)
            return count > 1 ? lks_fail_in(err, "end point %zu", c->count + 1) : err;
        name(c, c->count);
        clients[c->count] = (runner_client){c->names[c->count], call, c->rpcs[c->count]};
    }
    const runner_endpoints_options all = {.clients = clients,
                                          .count = count,
                                          .now_ms = runner_now_ms,
                                          .log = c->log,
                                          .user = c->user};
    return runner_endpoints_new(&c->endpoints, &all);
}

lks_err runner_clients_open(runner_clients **out, const char *const *urls, size_t count,
                            void (*log)(void *user, int level, const char *line), void *user)
{
    pthread_condattr_t attr;
    runner_clients *c = calloc(1, sizeof *c);
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
        runner_clients_close(c);
    else
        *out = c;
    return err;
}

runner_endpoints *runner_clients_endpoints(runner_clients *c) { return c->endpoints; }

void runner_clients_close(runner_clients *c)
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
        runner_endpoints_close(c->endpoints);
    for (size_t i = 0; i < c->count; i++)
        lks_rpc_close(c->rpcs[i]);
    runner_endpoints_free(c->endpoints);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
