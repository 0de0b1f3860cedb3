/* Nodes that ask for fewer calls: how they say it, and how long to wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/json.h"
#include "chain/rpc_internal.h"

#define FIRST_PAUSE_US INT64_C(1000000) /* of a node that names none; doubles */
#define LAST_PAUSE_US INT64_C(60000000)
#define LONGEST_PAUSE_S 3600 /* of one that a node names */
/* Without a further plea for so long, the next pause is a first one again. */
#define FORGET_US INT64_C(60000000)
#define FIRST_WINDOW 2 /* calls at once after a pause: one of them may hang */
#define WIDE 64        /* calls at once from which on nothing is held back */

void rpc_limit_begin(rpc_limit *limit, int64_t now_us, int64_t sent_us, uint32_t retry_after_s)
{
    if (retry_after_s > LONGEST_PAUSE_S)
        retry_after_s = LONGEST_PAUSE_S;
    int64_t named = (int64_t)retry_after_s * 1000000;
    if (limit->until_us &&
        sent_us < limit->began_us) { /* sent before the pause began: no further plea */
        if (now_us + named > limit->until_us)
            limit->until_us = now_us + named;
        return;
    }
    bool first = !limit->until_us || now_us - limit->until_us > FORGET_US;
    limit->pause_us = first                                 ? FIRST_PAUSE_US
                      : 2 * limit->pause_us < LAST_PAUSE_US ? 2 * limit->pause_us
                                                            : LAST_PAUSE_US;
    limit->began_us = now_us;
    limit->until_us = now_us + (named > limit->pause_us ? named : limit->pause_us);
    limit->window = FIRST_WINDOW;
}

void rpc_limit_answered(rpc_limit *limit, int64_t sent_us)
{
    if (limit->window && sent_us >= limit->until_us && ++limit->window >= WIDE)
        limit->window = 0;
}

bool rpc_limit_lets(const rpc_limit *limit, int64_t now_us, uint32_t under_way)
{
    return now_us >= limit->until_us && (!limit->window || under_way < limit->window);
}

static bool contains_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

/* How a node's error asks for fewer calls, in the words of the providers that people use. */
static rpc_plea plea_of(int32_t code, const char *message, bool of_logs)
{
    static const char *const OFTEN[] = {
        "rate limit",    "ratelimit",     "rate-limit", "rate exceeded", "too many request",
        "requests per",  "request limit", "per second", "/second",       "/sec",
        "compute units", "throttl",       NULL};
    static const char *const MUCH[] = {"range", "results", "response size", "query", "blocks",
                                       "logs",  NULL};
    if (code == 3 || strcasestr(message, "revert")) /* the words of a contract */
        return RPC_NO_PLEA;
    if (code == 429 || contains_any(message, OFTEN))
        return RPC_PLEA;
    if (code != -32005) /* "limit exceeded", whichever limit */
        return RPC_NO_PLEA;
    if (!of_logs)
        return RPC_PLEA;
    return contains_any(message, MUCH) ? RPC_NO_PLEA : RPC_MAY_BE_PLEA;
}

rpc_plea rpc_plea_of(const rpc_answer *answer, const char *method, uint32_t *retry_after_s)
{
    lks_json doc = {0};
    lks_buf message = {0};
    uint64_t seconds = 0;
    *retry_after_s = 0;
    if (!answer->is_error ||
        lks_json_parse(&doc, lks_buf_text(&answer->json), answer->json.len, LKS_JSON_MAX_VALUES))
        return RPC_NO_PLEA;
    if (lks_json_string(&doc, lks_json_member(&doc, 0, "message"), &message))
        lks_buf_clear(&message);
    rpc_plea plea = plea_of(answer->code, lks_buf_text(&message), !strcmp(method, "eth_getLogs"));
    if (plea == RPC_PLEA &&
        !lks_json_u64(&doc, lks_json_path(&doc, 0, "data.rate.backoff_seconds"), &seconds))
        *retry_after_s = seconds < LONGEST_PAUSE_S ? (uint32_t)seconds : LONGEST_PAUSE_S;
    lks_buf_free(&message);
    lks_json_free(&doc);
    return plea;
}

bool rpc_limit_outlasts(const lks_rpc *rpc, const rpc_call *call, int64_t now_us)
{
    const rpc_limit *limit = &rpc->limit;
    int64_t last = call->deadline_us;
    if (rpc->max_pause_ms && now_us + (int64_t)rpc->max_pause_ms * 1000 < last)
        last = now_us + (int64_t)rpc->max_pause_ms * 1000;
    bool pausing = limit->until_us > now_us;
    if (pausing ? limit->until_us <= last : !limit->window || call->deadline_us > now_us)
        return false;
    lks_fail(LKS_BUSY, "%s: %s asks for fewer calls", call->method, rpc->url.display);
    return true;
}

/* Begins a pause, or lengthens it. */
static void pause_calls(lks_rpc *rpc, const rpc_call *call, uint32_t retry_after_s)
{
    int64_t now = lws_now_usecs(), before = rpc->limit.began_us;
    char detail[64];
    rpc_limit_begin(&rpc->limit, now, call->sent_us, retry_after_s);
    if (rpc->limit.began_us == before)
        return;
    snprintf(detail, sizeof detail, "none is sent for %.3g s",
             (double)(rpc->limit.until_us - now) / 1e6);
    rpc_tell(rpc, "fewer calls are asked for by", detail);
}

void rpc_send_again(rpc_call *call)
{
    call->sent = false;
    call->status = 0;
    call->retry_after_s = 0;
    lks_buf_clear(&call->answer);
}

void rpc_take_answer(lks_rpc *rpc, rpc_call *call, lks_err err, const rpc_answer *answer)
{
    uint32_t retry_after_s = 0;
    rpc_plea plea =
        err == LKS_REMOTE ? rpc_plea_of(answer, call->method, &retry_after_s) : RPC_NO_PLEA;
    if (call->status == 429 || (call->status == 503 && call->retry_after_s)) {
        plea = RPC_PLEA;
        retry_after_s = call->retry_after_s;
    }
    if (plea)
        pause_calls(rpc, call, retry_after_s);
    else
        rpc_limit_answered(&rpc->limit, call->sent_us);
    if (plea == RPC_PLEA)
        rpc_send_again(call);
    else
        rpc_finish(rpc, call, err, answer->code, &answer->json);
}
