#include "chain/endpoints.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/endpoints_internal.h"
#include "chain/eth.h"

void endpoints_log(lks_endpoints *e, bool warns, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    e->log(e->user, warns, line);
}

lks_err lks_endpoints_new(lks_endpoints **out, const lks_endpoints_options *options)
{
    *out = NULL;
    if (!options->count || options->count > LKS_MAX_ENDPOINTS)
        return lks_fail(LKS_BADARGS, "1 to %u end points are needed", LKS_MAX_ENDPOINTS);
    lks_endpoints *e = calloc(1, sizeof *e);
    if (!e)
        return lks_fail(LKS_NOMEM, "out of memory for end points");
    pthread_mutex_init(&e->lock, NULL);
    e->now_ms = options->now_ms;
    e->log = options->log;
    e->user = options->user;
    e->count = options->count;
    e->has_chain = options->chain_id != 0;
    e->chain_id = options->chain_id;
    for (size_t i = 0; i < e->count; i++) {
        e->list[i].client = options->clients[i];
        e->list[i].all = e;
    }
    *out = e;
    return LKS_OK;
}

void lks_endpoints_close(lks_endpoints *e)
{
    pthread_mutex_lock(&e->lock);
    e->closed = true;
    pthread_mutex_unlock(&e->lock);
}

static void free_call(call *c)
{
    lks_buf_free(&c->rest);
    free(c->method);
    free(c->params);
    free(c);
}

void lks_endpoints_free(lks_endpoints *e)
{
    if (!e)
        return;
    pthread_mutex_destroy(&e->lock);
    free(e);
}

const char *lks_endpoints_name(lks_endpoints *e)
{
    pthread_mutex_lock(&e->lock);
    const char *name = e->list[e->followed].client.name;
    pthread_mutex_unlock(&e->lock);
    return name;
}

size_t lks_endpoints_followed(lks_endpoints *e)
{
    pthread_mutex_lock(&e->lock);
    size_t at = e->followed;
    pthread_mutex_unlock(&e->lock);
    return at;
}

bool lks_endpoints_is_good(lks_endpoints *e, size_t i)
{
    pthread_mutex_lock(&e->lock);
    bool good = e->count == 1 || endpoint_is_good(&e->list[i]);
    pthread_mutex_unlock(&e->lock);
    return good;
}

bool lks_endpoints_checked(lks_endpoints *e)
{
    pthread_mutex_lock(&e->lock);
    bool checked = e->count == 1 || e->checked;
    pthread_mutex_unlock(&e->lock);
    return checked;
}

bool endpoint_failed(int32_t code)
{
    return code == LKS_RPC_FAILED || code == LKS_RPC_TIMED_OUT || code == LKS_RPC_LIMITED;
}

static void on_reply(void *user, int32_t code, const char *json, size_t len);

/* Gives the call to an end point. Returns: whether it was taken; else the reason is stored. */
static lks_err attempt_at(call *c, size_t at)
{
    endpoint *p = &c->all->list[at];
    uint32_t bit = UINT32_C(1) << at;
    c->tried |= bit;
    c->under_way |= bit;
    c->uses++;
    c->attempts[at] = (attempt){c, at};
    lks_err err =
        p->client.call(p->client.context, c->method, c->params, on_reply, &c->attempts[at]);
    if (err) {
        c->under_way &= ~bit;
        c->uses--;
    }
    return err;
}

/* Gives the call to the first good end point that it was not given to. Returns: false when there is
 * none. */
static bool try_another(call *c)
{
    lks_endpoints *e = c->all;
    for (size_t i = 0; i < e->count && !e->closed; i++)
        if (!(c->tried & UINT32_C(1) << i) && endpoint_is_good(&e->list[i]) && !attempt_at(c, i))
            return true;
    return false;
}

static void release(call *c)
{
    if (!--c->uses)
        free_call(c);
}

/* Answers the call, with the lock let go meanwhile. */
static void answer(call *c, int32_t code, const char *json, size_t len)
{
    lks_endpoints *e = c->all;
    c->answered = true;
    if (c->previous)
        c->previous->next = c->next;
    else
        e->calls = c->next;
    if (c->next)
        c->next->previous = c->previous;
    e->call_count--;
    pthread_mutex_unlock(&e->lock);
    c->reply(c->user, code, json, len);
    pthread_mutex_lock(&e->lock);
    release(c);
}

/* Keeps what to answer with when nothing better comes: an error before a failure, the first of
 * each. */
static void keep(call *c, int32_t code, const char *json, size_t len)
{
    if (c->has_rest && (!endpoint_failed(c->rest_code) || endpoint_failed(code)))
        return;
    c->has_rest = true;
    c->rest_code = code;
    lks_buf_clear(&c->rest);
    lks_buf_put(&c->rest, json, len);
}

static void answer_rest(call *c)
{
    static const char NOTHING[] = "{\"message\":\"no end point takes the call\"}";
    if (c->has_rest && !c->rest.failed)
        answer(c, c->rest_code, lks_buf_text(&c->rest), c->rest.len);
    else
        answer(c, LKS_RPC_FAILED, NOTHING, sizeof NOTHING - 1);
}

/* Whether no answer is awaited any more that could be better than the one that is kept. */
static bool is_settled(const call *c)
{
    const lks_endpoints *e = c->all;
    if (!c->has_rest)
        return !c->under_way;
    for (size_t i = 0; i < e->count; i++)
        if (c->under_way & UINT32_C(1) << i && (!c->to_all || endpoint_is_good(&e->list[i])))
            return false;
    return true;
}

static void on_reply(void *user, int32_t code, const char *json, size_t len)
{
    attempt *a = user;
    call *c = a->of;
    lks_endpoints *e = c->all;
    pthread_mutex_lock(&e->lock);
    c->under_way &= ~(UINT32_C(1) << a->at);
    endpoint_note(e, &e->list[a->at], code, json, len);
    bool good = c->to_all ? code == 0 || lks_eth_tx_is_known(json, len) : !endpoint_failed(code);
    if (c->answered) { /* by another */
    } else if (good)
        answer(c, code, json, len);
    else {
        keep(c, code, json, len);
        bool again = !c->to_all && !c->under_way && try_another(c);
        if (!again && is_settled(c))
            answer_rest(c);
    }
    release(c);
    pthread_mutex_unlock(&e->lock);
}

void endpoints_move_calls(lks_endpoints *e, size_t from)
{
    for (call *c = e->calls; c; c = c->next)
        if (!c->to_all && c->under_way == UINT32_C(1) << from)
            (void)try_another(c);
}

void endpoints_settle(lks_endpoints *e)
{
    for (call *c = e->calls, *next; c; c = next) {
        next = c->next;
        if (c->has_rest && is_settled(c)) {
            answer_rest(c);
            next = e->calls; /* the list may have changed meanwhile */
        }
    }
}

/* Gives a new call to its first end points. Returns: LKS_OK when one took it. */
static lks_err start(call *c)
{
    lks_endpoints *e = c->all;
    lks_err err = attempt_at(c, e->followed), other = LKS_OK;
    for (size_t i = 0; i < e->count && (c->to_all || err); i++)
        if (!(c->tried & UINT32_C(1) << i) &&
            (c->to_all ? endpoint_is_of_chain(&e->list[i]) : endpoint_is_good(&e->list[i]))) {
            other = attempt_at(c, i);
            err = other ? err : LKS_OK;
        }
    return err;
}

static call *new_call(lks_endpoints *e, const char *method, const char *params, lks_rpc_reply reply,
                      void *user)
{
    call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->all = e;
    c->method = strdup(method);
    c->params = strdup(params);
    c->reply = reply;
    c->user = user;
    c->to_all = e->count > 1 && !strcmp(method, "eth_sendRawTransaction");
    c->uses = 1;
    if (c->method && c->params)
        return c;
    free_call(c);
    return NULL;
}

lks_err lks_endpoints_call(lks_endpoints *e, const char *method, const char *params_json,
                           lks_rpc_reply reply, void *user)
{
    call *c = new_call(e, method, params_json, reply, user);
    lks_err err = LKS_OK;
    if (!c)
        return lks_fail(LKS_NOMEM, "out of memory for a call");
    pthread_mutex_lock(&e->lock);
    if (e->closed)
        err = lks_fail(LKS_IO, "the end points are being closed");
    else if (e->call_count == LKS_ENDPOINTS_CALLS)
        err = lks_fail(LKS_BUSY, "%u calls are under way already: try again later",
                       LKS_ENDPOINTS_CALLS);
    else
        err = start(c);
    if (!err) {
        c->next = e->calls;
        if (c->next)
            c->next->previous = c;
        e->calls = c;
        e->call_count++;
    }
    pthread_mutex_unlock(&e->lock);
    if (err)
        free_call(c);
    return err;
}
