#include "tests/plugin/sim_host.h"

#include "chain/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_CALLS 64u

typedef struct call {
    char *method, *params;
    lockstep_rpc_reply reply;
    void *user;
} call;

struct sim_host {
    lockstep_host api;
    sim *chain;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    call calls[MAX_CALLS];
    size_t first, count;
    bool busy, ending;
    lks_buf lines;
    char copy[1 << 16];
};

static void take_line(void *context, int32_t level, const char *message)
{
    sim_host *h = context;
    static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    pthread_mutex_lock(&h->lock);
    lks_buf_printf(&h->lines, "%s %s\n", levels[level & 3], message);
    pthread_mutex_unlock(&h->lock);
}

static int32_t take_call(void *context, const char *method, const char *params,
                         lockstep_rpc_reply reply, void *user)
{
    sim_host *h = context;
    int32_t result = LOCKSTEP_RPC_REFUSED_BUSY;
    pthread_mutex_lock(&h->lock);
    if (h->count < MAX_CALLS) {
        h->calls[(h->first + h->count++) % MAX_CALLS] =
            (call){strdup(method), strdup(params), reply, user};
        pthread_cond_broadcast(&h->changed);
        result = 0;
    }
    pthread_mutex_unlock(&h->lock);
    return result;
}

static void answer(sim_host *h, call *c)
{
    lks_buf text = {0};
    lks_err err = sim_call(h->chain, c->method, c->params, &text);
    if (err == LKS_OK)
        c->reply(c->user, 0, lks_buf_text(&text), text.len);
    else if (err == LKS_REMOTE)
        c->reply(c->user, 3, lks_buf_text(&text), text.len);
    else
        c->reply(c->user, LOCKSTEP_RPC_FAILED, "{\"message\":\"lost\"}", 18);
    lks_buf_free(&text);
    free(c->method);
    free(c->params);
}

static void *main_of_host(void *argument)
{
    sim_host *h = argument;
    pthread_mutex_lock(&h->lock);
    while (!h->ending || h->count) {
        if (h->count == 0) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        call c = h->calls[h->first];
        h->first = (h->first + 1) % MAX_CALLS;
        h->count--;
        h->busy = true;
        pthread_mutex_unlock(&h->lock);
        answer(h, &c);
        pthread_mutex_lock(&h->lock);
        h->busy = false;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

sim_host *sim_host_new(sim *s)
{
    sim_host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->chain = s;
    h->api = (lockstep_host){.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION,
                             .struct_size = sizeof h->api,
                             .context = h,
                             .log = take_line,
                             .rpc = take_call};
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    assert_int_equal(pthread_create(&h->thread, NULL, main_of_host, h), 0);
    return h;
}

void sim_host_free(sim_host *h)
{
    pthread_mutex_lock(&h->lock);
    h->ending = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    lks_buf_free(&h->lines);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

void sim_host_show(sim_host *h, sim *s)
{
    sim_host_settle(h);
    pthread_mutex_lock(&h->lock);
    h->chain = s;
    pthread_mutex_unlock(&h->lock);
}

const lockstep_host *sim_host_api(sim_host *h)
{
    return &h->api;
}

void sim_host_settle(sim_host *h)
{
    pthread_mutex_lock(&h->lock);
    while (h->count || h->busy)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

const char *sim_host_lines(sim_host *h)
{
    pthread_mutex_lock(&h->lock);
    const char *text = lks_buf_text(&h->lines);
    size_t len = strlen(text), skip = len < sizeof h->copy ? 0 : len - sizeof h->copy + 1;
    snprintf(h->copy, sizeof h->copy, "%s", text + skip);
    pthread_mutex_unlock(&h->lock);
    return h->copy;
}
