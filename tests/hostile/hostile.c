#include "tests/hostile/hostile.h"

#include "tests/hostile/hostile_logs.h"
#include "tests/hostile/hostile_words.h"

#include <stdlib.h>
#include <string.h>

#define MOST_KINDS 3u      /* of one episode */
#define RANGE_BLOCKS 3u    /* that HOSTILE_LIMITS answers */
#define ANSWER_BYTES 4000u /* likewise */

static const char *const names[HOSTILE_KINDS] = {
    "drops",  "empty", "repeats", "reorders", "stale", "behind", "alternates", "forked", "receipts",
    "errors", "sends", "forgets", "limits",   "busy",  "hangs",  "cuts",       "back"};

const char *hostile_name(hostile_kind kind)
{
    return (unsigned)kind < HOSTILE_KINDS ? names[kind] : "?";
}

uint32_t hostile_kinds_of(const char *words)
{
    uint32_t kinds = strcmp(words, "all") == 0 ? HOSTILE_ALL : 0;
    for (unsigned i = 0; i < HOSTILE_KINDS; i++)
        if (strstr(words, names[i]))
            kinds |= 1u << i;
    return kinds;
}

/* ---- episodes ---- */

static void draw_episode(hostile *h, chance *plan)
{
    uint32_t count = chance_between(plan, 1, MOST_KINDS);
    h->active = 0;
    while (count > 0) {
        uint32_t kind = 1u << chance_below(plan, HOSTILE_KINDS);
        if (h->kinds & kind) {
            h->active |= kind;
            count--;
        }
    }
    h->lag = chance_between(plan, 1, HOSTILE_MOST_BEHIND);
    h->depth = chance_between(plan, 1, HOSTILE_MOST_BEHIND);
    if (h->active & 1u << HOSTILE_BACK)
        h->lag = chance_between(plan, HOSTILE_MOST_BEHIND, HOSTILE_BACK_BLOCKS);
    h->per_mille = chance_of(plan, 500) ? 1000 : chance_between(plan, 50, 900);
}

/* Begins and ends episodes as time goes on. */
static void keep_time(hostile *h)
{
    uint64_t now = h->now(h->user);
    chance *plan = h->plan ? h->plan : &h->chance;
    if (h->kinds == 0 || now < h->changes_at)
        return;
    if (h->active || h->changes_at == 0) {
        h->active = 0;
        h->changes_at = now + h->shortest_rest + chance_below(plan, h->more_rest);
        return;
    }
    draw_episode(h, plan);
    h->changes_at = now + chance_between(plan, 1, (uint32_t)h->longest);
    if (h->active & (1u << HOSTILE_FORKED | 1u << HOSTILE_RECEIPTS) && h->fork.call)
        h->leave(h->user, h->depth);
}

/* Whether this call is spoilt in that way. */
static bool strikes(hostile *h, hostile_kind kind)
{
    return (h->active & 1u << kind) && chance_of(&h->chance, h->per_mille);
}

static lks_err spoilt(hostile *h, hostile_kind kind, lks_err err)
{
    h->counts[kind]++;
    return err;
}

/* ---- answers from before ---- */

static hostile_memory *recall(hostile *h, const char *question)
{
    for (size_t i = 0; i < HOSTILE_REMEMBERED; i++)
        if (h->memory[i].question && strcmp(h->memory[i].question, question) == 0)
            return &h->memory[i];
    return NULL;
}

static void forget(hostile_memory *m)
{
    free(m->question);
    free(m->answer);
    *m = (hostile_memory){0};
}

/* Remembers what is true now, outside of episodes: what is stale then was true once. */
static void remember(hostile *h, const char *question, lks_buf *answer)
{
    hostile_memory *m = recall(h, question);
    if (h->active || !(h->kinds & 1u << HOSTILE_STALE))
        return;
    if (!m)
        m = &h->memory[h->next_memory++ % HOSTILE_REMEMBERED];
    forget(m);
    m->question = strdup(question);
    m->answer = strdup(lks_buf_text(answer));
}

void hostile_free(hostile *h)
{
    for (size_t i = 0; i < HOSTILE_REMEMBERED; i++)
        forget(&h->memory[i]);
}

/* ---- calls ---- */

static lks_err ask(const lks_eth *view, const char *method, const char *params, lks_buf *answer)
{
    return view->call(view->context, method, params, answer);
}

static bool is_send(const char *method)
{
    return strcmp(method, "eth_sendRawTransaction") == 0;
}

static bool is_receipt(const char *method)
{
    return strcmp(method, "eth_getTransactionReceipt") == 0;
}

static bool is_logs(const char *method)
{
    return strcmp(method, "eth_getLogs") == 0;
}

/* No answer at all. Returns: LKS_OK when there will be one. */
static lks_err fail(hostile *h, const char *method, const char *params, lks_buf *answer)
{
    lks_buf_clear(answer);
    if (strikes(h, HOSTILE_HANGS))
        return spoilt(h, HOSTILE_HANGS, lks_fail(LKS_TIMEOUT, "%s: no answer", method));
    if (strikes(h, HOSTILE_BUSY))
        return spoilt(h, HOSTILE_BUSY, lks_fail(LKS_BUSY, "%s: too many requests", method));
    if (strikes(h, HOSTILE_CUTS)) {
        bool acts = chance_of(&h->chance, 500);
        if (acts && ask(&h->truth, method, params, answer) == LKS_OK)
            lks_buf_clear(answer);
        lks_buf_clear(answer);
        return spoilt(h, HOSTILE_CUTS, lks_fail(LKS_IO, "%s: the connection is lost", method));
    }
    if (is_send(method) && strikes(h, HOSTILE_SENDS)) {
        if (chance_of(&h->chance, 300) && ask(&h->truth, method, params, answer) == LKS_OK)
            h->counts[HOSTILE_SENDS]++; /* it is taken none the less */
        return spoilt(h, HOSTILE_SENDS, hostile_refuse(&h->chance, REFUSES_SEND, method, answer));
    }
    if (strikes(h, HOSTILE_ERRORS)) {
        hostile_refusal what = is_logs(method) ? REFUSES_LOGS : REFUSES_ANY;
        if (chance_of(&h->chance, 300))
            what = REFUSES_ANY;
        return spoilt(h, HOSTILE_ERRORS, hostile_refuse(&h->chance, what, method, answer));
    }
    return LKS_OK;
}

/* The view that this call is answered from. */
static const lks_eth *view_of(hostile *h, const char *method)
{
    if (is_send(method))
        return &h->truth; /* a transaction goes round among all nodes */
    bool alternates = strikes(h, HOSTILE_ALTERNATES) && chance_of(&h->chance, 500);
    hostile_kind back = h->active & 1u << HOSTILE_BACK ? HOSTILE_BACK : HOSTILE_BEHIND;
    if (h->behind.call && (alternates || (h->active & 1u << back))) {
        h->look_back(h->user, h->lag);
        h->counts[alternates ? HOSTILE_ALTERNATES : back]++;
        return &h->behind;
    }
    bool receipt = is_receipt(method) && strikes(h, HOSTILE_RECEIPTS);
    if (h->fork.call && (receipt || strikes(h, HOSTILE_FORKED))) {
        h->counts[receipt ? HOSTILE_RECEIPTS : HOSTILE_FORKED]++;
        return &h->fork;
    }
    return &h->truth;
}

static uint64_t number_in(const char *params, const char *name)
{
    const char *at = strstr(params, name);
    at = at ? strstr(at, "0x") : NULL;
    return at ? strtoull(at, NULL, 16) : 0;
}

static lks_err limit(hostile *h, const char *method, const char *params, lks_buf *answer)
{
    uint64_t from = number_in(params, "\"fromBlock\""), to = number_in(params, "\"toBlock\"");
    bool wide = to > from + RANGE_BLOCKS;
    bool large = to > from && answer->len > ANSWER_BYTES;
    if (!is_logs(method) || !(wide || large) || !strikes(h, HOSTILE_LIMITS))
        return LKS_OK;
    h->counts[HOSTILE_LIMITS]++;
    if (wide)
        return hostile_refuse(&h->chance, REFUSES_LOGS, method, answer);
    lks_buf_clear(answer);
    return lks_fail(LKS_TOO_LARGE, "%s: the answer is too large", method);
}

/* A transaction is taken, and nobody hears of it again. */
static bool forgets(hostile *h, const char *method, lks_buf *answer)
{
    if (!is_send(method) || !strikes(h, HOSTILE_FORGETS))
        return false;
    h->counts[HOSTILE_FORGETS]++;
    lks_buf_clear(answer);
    lks_buf_printf(answer, "\"0x%064d\"", 0);
    return true;
}

/* What is done to an answer that is there. */
static void spoil(hostile *h, const char *method, const char *question, lks_buf *answer)
{
    static const hostile_kind lists[] = {HOSTILE_DROPS, HOSTILE_EMPTY, HOSTILE_REPEATS,
                                         HOSTILE_REORDERS};
    const hostile_memory *m = recall(h, question);
    if (m && !is_send(method) && strikes(h, HOSTILE_STALE)) {
        h->counts[HOSTILE_STALE]++;
        lks_buf_clear(answer);
        lks_buf_put_text(answer, m->answer);
    }
    for (size_t i = 0; is_logs(method) && i < sizeof lists / sizeof *lists; i++)
        if (strikes(h, lists[i]) && hostile_spoil_logs(&h->chance, lists[i], answer))
            h->counts[lists[i]]++;
    if (is_receipt(method) && strikes(h, HOSTILE_RECEIPTS) && chance_of(&h->chance, 300)) {
        h->counts[HOSTILE_RECEIPTS]++;
        lks_buf_clear(answer);
        lks_buf_put_text(answer, "null");
    }
}

lks_err hostile_call(void *context, const char *method, const char *params_json, lks_buf *answer)
{
    hostile *h = context;
    lks_buf question = {0};
    keep_time(h);
    lks_err err = fail(h, method, params_json, answer);
    if (err || forgets(h, method, answer))
        return err;
    err = ask(view_of(h, method), method, params_json, answer);
    if (!err && h->active)
        err = limit(h, method, params_json, answer);
    if (err)
        return err;
    lks_buf_printf(&question, "%s %s", method, params_json);
    spoil(h, method, lks_buf_text(&question), answer);
    remember(h, lks_buf_text(&question), answer);
    lks_buf_free(&question);
    return LKS_OK;
}
