/* Calls: taking them from any thread, sending them in turn, timing them out, answering them. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "chain/json.h"
#include "chain/rpc_internal.h"

#define FIRST_PAUSE_MS 250
#define LAST_PAUSE_MS 8000

/* Where lks_rpc_call_sync waits. */
struct rpc_waiter {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
    lks_err err;
    char reason[512];
    lks_buf *answer;
};

static void free_call(rpc_call *call)
{
    lks_buf_free(&call->body);
    lks_buf_free(&call->answer);
    free(call);
}

static void wake_waiter(rpc_waiter *waiter, const rpc_call *call, lks_err err, const lks_buf *json)
{
    if (err == LKS_OK || err == LKS_REMOTE)
        lks_buf_put(waiter->answer, json->data, json->len);
    if (err == LKS_REMOTE)
        lks_rpc_fail_remote(call->method, lks_buf_text(json), json->len);
    pthread_mutex_lock(&waiter->lock);
    waiter->err = err;
    strcpy(waiter->reason, lks_error_message()); /* at most 511 bytes, by its contract */
    waiter->is_done = true;
    pthread_cond_signal(&waiter->done);
    pthread_mutex_unlock(&waiter->lock);
}

/* The reply for a call that got no answer: {"message": the stored reason}. */
static void reply_failed(const rpc_call *call, lks_err err)
{
    int32_t code = err == LKS_TOO_LARGE ? LKS_RPC_TOO_LARGE
                   : err == LKS_BUSY    ? LKS_RPC_LIMITED
                   : err == LKS_TIMEOUT ? LKS_RPC_TIMED_OUT
                                        : LKS_RPC_FAILED;
    lks_buf json = {0};
    lks_json_writer w = {.out = &json};
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "message");
    lks_json_put_text(&w, lks_error_message());
    lks_json_end_object(&w);
    static const char NO_MEMORY[] = "{\"message\":\"out of memory\"}";
    if (json.failed)
        call->reply(call->user, LKS_RPC_FAILED, NO_MEMORY, sizeof NO_MEMORY - 1);
    else
        call->reply(call->user, code, lks_buf_text(&json), json.len);
    lks_buf_free(&json);
}

void rpc_finish(lks_rpc *rpc, rpc_call *call, lks_err err, int32_t code, const lks_buf *json)
{
    rpc_call **at = &rpc->calls;
    while (*at && *at != call)
        at = &(*at)->next;
    if (*at)
        *at = call->next;
    rpc_http_abandon(call);
    pthread_mutex_lock(&rpc->lock);
    rpc->under_way--;
    pthread_mutex_unlock(&rpc->lock);
    if (call->waiter)
        wake_waiter(call->waiter, call, err, json);
    else if (err == LKS_OK || err == LKS_REMOTE)
        call->reply(call->user, code, lks_buf_text(json), json->len);
    else
        reply_failed(call, err);
    free_call(call);
}

void rpc_finish_all(lks_rpc *rpc, lks_err err, bool only_sent)
{
    char reason[512];
    strcpy(reason, lks_error_message());
    for (rpc_call *call = rpc->calls, *next; call; call = next) {
        next = call->next;
        if (only_sent && !call->sent)
            continue;
        lks_fail(err, "%s",
                 reason); /* again each time: a reply may have failed at something of its own */
        rpc_finish(rpc, call, err, 0, NULL);
    }
}

rpc_call *rpc_find(lks_rpc *rpc, uint64_t id)
{
    rpc_call *call = rpc->calls;
    while (call && call->id != id)
        call = call->next;
    return call;
}

rpc_call *rpc_next_unsent(lks_rpc *rpc)
{
    rpc_call *unsent = NULL;
    uint32_t under_way = 0;
    for (rpc_call *call = rpc->calls; call; call = call->next)
        if (call->sent)
            under_way++;
        else if (!unsent)
            unsent = call;
    return unsent && rpc_limit_lets(&rpc->limit, lws_now_usecs(), under_way) ? unsent : NULL;
}

void rpc_sending(rpc_call *call)
{
    call->sent = true;
    call->sent_us = lws_now_usecs();
}

void rpc_http_answer(lks_rpc *rpc, rpc_call *call)
{
    rpc_answer answer;
    lks_err err = rpc_answer_parse(&answer, lks_buf_text(&call->answer), call->answer.len);
    if (!err && (answer.is_notice || (answer.has_id ? answer.id != call->id : !answer.is_error)))
        err = lks_fail(LKS_CORRUPT, "the node's answer has an id that we never gave");
    if (!err && answer.is_error)
        err = LKS_REMOTE;
    if (err == LKS_CORRUPT && call->status != 200)
        err = lks_fail(LKS_IO, "%s answered with HTTP status %d", rpc->url.display, call->status);
    rpc_take_answer(rpc, call, err, &answer);
    lks_buf_free(&answer.json);
}

/* The call that a message answers of which only the beginning can be read. Nodes put "id" before
 * "result". Returns: NULL when there is none. */
static rpc_call *find_by_start(lks_rpc *rpc, const char *text, size_t len)
{
    char start[128];
    size_t known = len < sizeof start - 1 ? len : sizeof start - 1;
    memcpy(start, text, known);
    start[known] = 0;
    const char *id = strstr(start, "\"id\":");
    rpc_call *call = id ? rpc_find(rpc, strtoull(id + 5, NULL, 10)) : NULL;
    return call && call->sent ? call : NULL;
}

lks_err rpc_stream_too_large(lks_rpc *rpc, const char *text, size_t len)
{
    char reason[512];
    strcpy(reason, lks_error_message()); /* at most 511 bytes, by its contract */
    rpc_call *call = find_by_start(rpc, text, len);
    if (!call)
        return LKS_TOO_LARGE;
    rpc_finish(rpc, call, LKS_TOO_LARGE, 0, NULL);
    return lks_fail(LKS_IO, "%s", reason);
}

lks_err rpc_stream_message(lks_rpc *rpc, const char *text, size_t len)
{
    rpc_answer answer;
    lks_err err = rpc_answer_parse(&answer, text, len);
    if (err == LKS_TOO_LARGE) { /* it is whole, so the connection is still good */
        err = rpc_stream_too_large(rpc, text, len);
        return err == LKS_IO ? LKS_OK : err;
    }
    if (!err && !answer.is_notice && !answer.has_id)
        err = answer.is_error ? lks_rpc_fail_remote("a request that it could not read",
                                                    lks_buf_text(&answer.json), answer.json.len)
                              : lks_fail(LKS_CORRUPT, "the node's answer has no id");
    rpc_call *call = err || answer.is_notice ? NULL : rpc_find(rpc, answer.id);
    if (call && call->sent) /* else it timed out meanwhile */
        rpc_take_answer(rpc, call, answer.is_error ? LKS_REMOTE : LKS_OK, &answer);
    lks_buf_free(&answer.json);
    return err == LKS_REMOTE ? LKS_CORRUPT : err;
}

void rpc_tell(lks_rpc *rpc, const char *what, const char *detail)
{
    lks_buf line = {0};
    if (!rpc->notice)
        return;
    lks_buf_printf(&line, "%s %s%s%s", what, rpc->url.display, *detail ? ": " : "", detail);
    if (!line.failed)
        rpc->notice(rpc->user, lks_buf_text(&line));
    lks_buf_free(&line);
}

void rpc_link_up(lks_rpc *rpc, struct lws *wsi)
{
    rpc->link = RPC_UP;
    rpc->wsi = wsi;
    rpc->pause_ms = 0;
    lks_buf_clear(&rpc->received);
    rpc->frame = (rpc_frame){0};
    if (rpc->was_up && rpc->lost)
        rpc_tell(rpc, "connected again to", "");
    rpc->was_up = true;
    rpc->lost = false;
    lws_callback_on_writable(wsi);
}

/* The next attempt to connect comes after a pause that doubles each time. */
static void pause_link(lks_rpc *rpc)
{
    rpc->link = RPC_DOWN;
    rpc->wsi = NULL;
    rpc->pause_ms = !rpc->pause_ms                      ? FIRST_PAUSE_MS
                    : rpc->pause_ms * 2 < LAST_PAUSE_MS ? rpc->pause_ms * 2
                                                        : LAST_PAUSE_MS;
    rpc->next_attempt_us = lws_now_usecs() + (int64_t)rpc->pause_ms * 1000;
}

void rpc_link_failed(lks_rpc *rpc, const char *reason)
{
    pause_link(rpc);
    lks_fail(LKS_IO, "cannot connect to %s: %s", rpc->url.display, reason);
    rpc_finish_all(rpc, LKS_IO, false);
}

void rpc_link_lost(lks_rpc *rpc, lks_err err)
{
    pause_link(rpc);
    rpc->lost = true;
    rpc_tell(rpc, "lost the connection to", lks_error_message());
    rpc_finish_all(rpc, err, true);
}

/* Takes the calls that other threads brought. Returns: whether the client is closing. */
static bool take_calls(lks_rpc *rpc)
{
    pthread_mutex_lock(&rpc->lock);
    rpc_call *incoming = rpc->incoming, *ordered = NULL;
    bool closing = rpc->closing;
    rpc->incoming = NULL;
    pthread_mutex_unlock(&rpc->lock);
    while (incoming) {
        rpc_call *next = incoming->next;
        incoming->next = ordered;
        ordered = incoming;
        incoming = next;
    }
    rpc_call **end = &rpc->calls;
    while (*end)
        end = &(*end)->next;
    *end = ordered;
    return closing;
}

static void time_out(lks_rpc *rpc, int64_t now)
{
    for (rpc_call *call = rpc->calls, *next; call; call = next) {
        next = call->next;
        if (!call->sent && rpc_limit_outlasts(rpc, call, now)) {
            rpc_finish(rpc, call, LKS_BUSY, 0, NULL);
            continue;
        }
        if (call->deadline_us > now)
            continue;
        lks_fail(LKS_TIMEOUT, "no answer to %s from %s within %.3g s", call->method,
                 rpc->url.display, call->timeout_ms / 1e3);
        rpc_finish(rpc, call, LKS_TIMEOUT, 0, NULL);
    }
}

/* Does what is due now. Out: *wait_us, until something is due again. Returns: whether the client is
 * closing. */
static bool pump(lks_rpc *rpc, int64_t *wait_us)
{
    bool closing = take_calls(rpc);
    int64_t now = lws_now_usecs(), next = now + INT64_C(60000000);
    if (closing)
        return true;
    time_out(rpc, now);
    bool unsent = rpc_next_unsent(rpc) != NULL;
    if (rpc->url.transport == RPC_HTTP)
        rpc_http_send(rpc->http);
    else if (unsent && rpc->link == RPC_UP)
        lws_callback_on_writable(rpc->wsi);
    else if (unsent && rpc->link == RPC_DOWN && now >= rpc->next_attempt_us)
        rpc_lws_connect(rpc);
    for (rpc_call *call = rpc->calls; call; call = call->next)
        if (call->deadline_us < next)
            next = call->deadline_us;
    if (rpc->calls && rpc->url.transport != RPC_HTTP && rpc->link == RPC_DOWN &&
        rpc->next_attempt_us < next)
        next = rpc->next_attempt_us;
    if (rpc->calls && now < rpc->limit.until_us && rpc->limit.until_us < next)
        next = rpc->limit.until_us;
    int64_t wait = next - lws_now_usecs();
    *wait_us = wait > 1000 ? wait : 1000;
    return false;
}

static void *serve(void *argument)
{
    lks_rpc *rpc = argument;
    int64_t wait_us;
    while (!pump(rpc, &wait_us))
        if ((rpc->http ? rpc_http_wait(rpc->http, wait_us) : rpc_lws_wait(rpc, wait_us)) < 0)
            break;
    /* From here on no call is taken, whatever ended the loop. */
    pthread_mutex_lock(&rpc->lock);
    rpc->closing = true;
    pthread_mutex_unlock(&rpc->lock);
    take_calls(rpc);
    rpc->wsi = NULL; /* its end is no loss any more */
    lks_fail(LKS_IO, "the connection to %s is being closed", rpc->url.display);
    rpc_finish_all(rpc, LKS_IO, false);
    if (rpc->lws)
        lws_sul_cancel(&rpc->timer);
    return NULL;
}

/* Makes the service thread look at what there is to do. Any thread. */
static void wake(lks_rpc *rpc)
{
    if (rpc->http)
        rpc_http_wake(rpc->http);
    else
        lws_cancel_service(rpc->lws);
}

static int start_thread(lks_rpc *rpc)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the host program's affair */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&rpc->thread, NULL, serve, rpc);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void free_rpc(lks_rpc *rpc)
{
    if (rpc->lws)
        lws_context_destroy(rpc->lws);
    rpc_http_free(rpc->http);
    pthread_mutex_destroy(&rpc->lock);
    lks_buf_free(&rpc->received);
    lks_buf_free(&rpc->sent);
    rpc_url_free(&rpc->url);
    free(rpc);
}

lks_err lks_rpc_open(lks_rpc **out, const char *url, const lks_rpc_options *options)
{
    const lks_rpc_options defaults = {0};
    rpc_url parsed;
    *out = NULL;
    lks_err err = rpc_url_parse(&parsed, url);
    if (err)
        return err;
    lks_rpc *rpc = calloc(1, sizeof *rpc);
    if (!rpc) {
        rpc_url_free(&parsed);
        return lks_fail(LKS_NOMEM, "out of memory for a JSON-RPC client");
    }
    if (!options)
        options = &defaults;
    rpc->url = parsed;
    rpc->max_calls = options->max_calls ? options->max_calls : 64;
    rpc->timeout_ms = options->timeout_ms ? options->timeout_ms : 30000;
    rpc->max_pause_ms = options->max_pause_ms;
    rpc->max_answer = options->max_answer ? options->max_answer : (size_t)64 << 20;
    rpc->notice = options->notice;
    rpc->user = options->user;
    rpc->next_id = 1;
    pthread_mutex_init(&rpc->lock, NULL);
    if (rpc->url.transport == RPC_HTTP)
        rpc->http = rpc_http_create(rpc);
    else
        rpc->lws = rpc_lws_create(rpc);
    if (!rpc->lws && !rpc->http)
        err = lks_fail(LKS_INTERNAL, "the client of %s does not start", rpc->url.display);
    else if (start_thread(rpc))
        err = lks_fail(LKS_INTERNAL, "no thread for a JSON-RPC client");
    if (err)
        free_rpc(rpc);
    else
        *out = rpc;
    return err;
}

void lks_rpc_close(lks_rpc *rpc)
{
    if (!rpc)
        return;
    pthread_mutex_lock(&rpc->lock);
    rpc->closing = true;
    pthread_mutex_unlock(&rpc->lock);
    wake(rpc);
    pthread_join(rpc->thread, NULL);
    free_rpc(rpc);
}

const char *lks_rpc_name(const lks_rpc *rpc)
{
    return rpc->url.display;
}

/* Hands a call to the service thread. */
static lks_err submit(lks_rpc *rpc, const char *method, const char *params_json,
                      lks_rpc_reply reply, void *user, rpc_waiter *waiter)
{
    lks_err err = LKS_OK;
    rpc_call *call = calloc(1, sizeof *call);
    if (!call)
        return lks_fail(LKS_NOMEM, "out of memory for a call");
    pthread_mutex_lock(&rpc->lock);
    call->id = rpc->next_id++;
    pthread_mutex_unlock(&rpc->lock);
    lks_buf_extend(&call->body, LWS_PRE);
    if ((err = rpc_request(&call->body, call->id, method, params_json)))
        goto out;
    strcpy(call->method, method); /* rpc_request checked that it fits */
    call->reply = reply;
    call->user = user;
    call->waiter = waiter;
    call->timeout_ms = rpc->timeout_ms;
    call->deadline_us = lws_now_usecs() + (int64_t)rpc->timeout_ms * 1000;
    pthread_mutex_lock(&rpc->lock);
    if (rpc->closing)
        err = lks_fail(LKS_IO, "the connection to %s is being closed", rpc->url.display);
    else if (rpc->under_way == rpc->max_calls)
        err = lks_fail(LKS_BUSY, "%u calls to %s are under way already: try again later",
                       rpc->max_calls, rpc->url.display);
    else {
        call->next = rpc->incoming;
        rpc->incoming = call;
        rpc->under_way++;
        call = NULL;
        wake(rpc);
    }
    pthread_mutex_unlock(&rpc->lock);
out:
    if (call)
        free_call(call);
    return err;
}

lks_err lks_rpc_call(lks_rpc *rpc, const char *method, const char *params_json, lks_rpc_reply reply,
                     void *user)
{
    return submit(rpc, method, params_json, reply, user, NULL);
}

lks_err lks_rpc_call_sync(void *context, const char *method, const char *params_json,
                          lks_buf *answer)
{
    lks_rpc *rpc = context;
    rpc_waiter waiter = {.answer = answer};
    lks_buf_clear(answer);
    if (pthread_equal(pthread_self(), rpc->thread))
        return lks_fail(LKS_BADARGS, "a reply must not wait for another call");
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.done, NULL);
    lks_err err = submit(rpc, method, params_json, NULL, NULL, &waiter);
    if (!err) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.is_done)
            pthread_cond_wait(&waiter.done, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        err = waiter.err;
        if (err)
            lks_fail(err, "%s", waiter.reason);
        else
            err = lks_buf_error(answer);
    }
    pthread_cond_destroy(&waiter.done);
    pthread_mutex_destroy(&waiter.lock);
    return err;
}
