/* Checks of the end points, and the choice of the one that is followed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain/endpoints_internal.h"
#include "chain/hex.h"
#include "chain/json.h"

#define MARK_DEPTH                                                                                 \
    4u /* blocks that the one whose hash is compared lies below the head of the last that keeps up \
        */
#define ODD_CHECKS 2u /* checks in a row: a re-org may be under way in one */
#define SPLIT_AGAIN_MS 300000u

bool endpoint_is_good(const endpoint *p)
{
    return !p->bad && p->head && p->all->has_chain && p->has_chain &&
           p->chain_id == p->all->chain_id;
}

bool endpoint_is_of_chain(const endpoint *p)
{
    return p->all->has_chain && p->has_chain && p->chain_id == p->all->chain_id;
}

/* Follows another good end point, when there is one: one that was not bad lately rather than one
 * that was. */
static bool leave(lks_endpoints *e, const char *why)
{
    size_t best = e->count;
    uint64_t now = e->now_ms();
    for (size_t i = 0; i < e->count; i++) {
        const endpoint *p = &e->list[i];
        bool lately = p->bad_ms && now - p->bad_ms < LKS_ENDPOINTS_BENCH_MS;
        if (i == e->followed || !endpoint_is_good(p))
            continue;
        if (!lately) {
            best = i;
            break;
        }
        if (best == e->count)
            best = i;
    }
    if (best == e->count)
        return false;
    size_t from = e->followed;
    e->followed = best;
    endpoints_log(e, true, "%s %s: following %s from now on", e->list[from].client.name, why,
                  e->list[best].client.name);
    endpoints_move_calls(e, from);
    return true;
}

/* Goes back to an end point nearer to the front of the list that was good for long enough. */
static void come_back(lks_endpoints *e)
{
    uint64_t now = e->now_ms();
    for (size_t i = 0; i < e->followed; i++) {
        const endpoint *p = &e->list[i];
        if (!endpoint_is_good(p) || (p->bad_ms && now - p->bad_ms < LKS_ENDPOINTS_BENCH_MS))
            continue;
        endpoints_log(e, false, "%s is good again: following it from now on", p->client.name);
        e->followed = i;
        return;
    }
}

/* p is bad, for that reason. */
static void set_bad(lks_endpoints *e, endpoint *p, const char *why)
{
    bool news = !p->bad;
    p->bad = true;
    p->bad_ms = e->now_ms();
    if (p == &e->list[e->followed] && leave(e, why))
        return;
    if (news)
        endpoints_log(e, true, "%s %s%s", p->client.name, why,
                      p == &e->list[e->followed] ? ", and there is no better one"
                                                 : ": it is not used for now");
}

static void set_good(lks_endpoints *e, endpoint *p)
{
    if (p->bad)
        endpoints_log(e, false, "%s is good again", p->client.name);
    p->bad = false;
}

static void keep_failure(endpoint *p, const char *json, size_t len)
{
    lks_json doc = {0};
    lks_buf message = {0};
    if (!lks_json_parse(&doc, json, len, 100) &&
        !lks_json_string(&doc, lks_json_member(&doc, 0, "message"), &message))
        snprintf(p->failure, sizeof p->failure, "%s", lks_buf_text(&message));
    lks_buf_free(&message);
    lks_json_free(&doc);
}

void endpoint_note(lks_endpoints *e, endpoint *p, int32_t code, const char *json, size_t len)
{
    if (!endpoint_failed(code)) {
        p->failures = 0;
        return;
    }
    keep_failure(p, json, len);
    if (++p->failures >= FAILURES && e->count > 1 && !e->closed && !p->bad) {
        char why[sizeof p->failure + 32];
        snprintf(why, sizeof why, "does not answer (%s)", p->failure);
        set_bad(e, p, why);
    }
}

static void ask(lks_endpoints *e, endpoint *p, probe what);

static void take_chain(lks_endpoints *e, endpoint *p, const lks_json *doc)
{
    if (lks_json_quantity(doc, 0, &p->chain_id))
        return;
    p->has_chain = true;
    ask(e, p, PROBE_HEAD);
}

static void take_block(lks_endpoints *e, endpoint *p, probe what, const lks_json *doc)
{
    uint64_t number;
    uint8_t hash[32];
    if (lks_json_quantity(doc, lks_json_member(doc, 0, "number"), &number) ||
        lks_json_data_fixed(doc, lks_json_member(doc, 0, "hash"), hash, 32))
        return;
    if (what == PROBE_HEAD) {
        p->answered = true;
        p->head = number ? number : 1;
    } else if (number == e->mark) {
        p->has_mark = true;
        memcpy(p->mark, hash, 32);
    }
}

static void on_probe(void *user, int32_t code, const char *json, size_t len)
{
    endpoint *p = user;
    lks_endpoints *e = p->all;
    lks_json doc = {0};
    pthread_mutex_lock(&e->lock);
    probe what = p->asked;
    p->asked = PROBE_NONE;
    p->hangs = false;
    endpoint_note(e, p, code, json, len);
    if (!code && !lks_json_parse(&doc, json, len, lks_json_values_of(len))) {
        if (what == PROBE_CHAIN)
            take_chain(e, p, &doc);
        else
            take_block(e, p, what, &doc);
    }
    lks_json_free(&doc);
    pthread_mutex_unlock(&e->lock);
}

static void ask(lks_endpoints *e, endpoint *p, probe what)
{
    char params[LKS_HEX_U64_SIZE + 16], number[LKS_HEX_U64_SIZE];
    lks_hex_from_u64(number, e->mark);
    snprintf(params, sizeof params, "[\"%s\",false]", what == PROBE_HEAD ? "latest" : number);
    bool chain = what == PROBE_CHAIN;
    p->asked = what;
    p->asked_ms = e->now_ms();
    if (p->client.call(p->client.context, chain ? "eth_chainId" : "eth_getBlockByNumber",
                       chain ? "[]" : params, on_probe, p))
        p->asked = PROBE_NONE;
}

/* Whether no answer of this phase is to be waited for any more. What hangs is marked. */
static bool phase_is_over(lks_endpoints *e)
{
    bool over = true;
    uint64_t now = e->now_ms();
    for (size_t i = 0; i < e->count; i++) {
        endpoint *p = &e->list[i];
        if (p->asked && now - p->asked_ms >= LKS_ENDPOINTS_HANG_MS)
            p->hangs = true;
        over &= !p->asked || p->hangs;
    }
    return over;
}

/* The chain of the foremost end point that told one is the chain of all. */
static void find_chain(lks_endpoints *e)
{
    for (size_t i = 0; i < e->count && !e->has_chain; i++)
        if (e->list[i].has_chain) {
            e->has_chain = true;
            e->chain_id = e->list[i].chain_id;
        }
}

/* The head that others are measured by: the second highest of three or more, so that no single one
 * can name it. */
static uint64_t find_reference(const lks_endpoints *e)
{
    uint64_t first = 0, second = 0;
    unsigned told = 0;
    for (size_t i = 0; i < e->count; i++) {
        const endpoint *p = &e->list[i];
        if (!p->answered || !endpoint_is_of_chain(p))
            continue;
        told++;
        if (p->head > first) {
            second = first;
            first = p->head;
        } else if (p->head > second)
            second = p->head;
    }
    return told > 2 ? second : first;
}

static bool keeps_up(const lks_endpoints *e, const endpoint *p)
{
    return p->answered && endpoint_is_of_chain(p) && p->head + LKS_ENDPOINTS_BEHIND >= e->reference;
}

static void begin_check(lks_endpoints *e)
{
    for (size_t i = 0; i < e->count; i++) {
        endpoint *p = &e->list[i];
        p->answered = p->has_mark = false;
        if (!p->asked)
            ask(e, p, p->has_chain ? PROBE_HEAD : PROBE_CHAIN);
    }
    e->phase = CHECK_HEADS;
}

static void ask_marks(lks_endpoints *e)
{
    find_chain(e);
    e->reference = find_reference(e);
    e->mark = e->reference > LKS_ENDPOINTS_BEHIND + MARK_DEPTH
                  ? e->reference - LKS_ENDPOINTS_BEHIND - MARK_DEPTH
                  : 0;
    for (size_t i = 0; i < e->count; i++)
        if (!e->list[i].asked && keeps_up(e, &e->list[i]))
            ask(e, &e->list[i], PROBE_MARK);
    e->phase = CHECK_MARKS;
}

/* How many tell the same hash as p. */
static unsigned count_same(const lks_endpoints *e, const endpoint *p)
{
    unsigned n = 0;
    for (size_t i = 0; i < e->count; i++)
        n += e->list[i].has_mark && !memcmp(e->list[i].mark, p->mark, 32);
    return n;
}

/* Counts the checks in which each was against the majority. Out: *told, how many told a hash. */
static void compare_marks(lks_endpoints *e, unsigned *told)
{
    unsigned most = 0;
    *told = 0;
    for (size_t i = 0; i < e->count; i++)
        if (e->list[i].has_mark) {
            unsigned same = count_same(e, &e->list[i]);
            most = same > most ? same : most;
            ++*told;
        }
    bool split = *told > 1 && 2 * most <= *told;
    for (size_t i = 0; i < e->count; i++) {
        endpoint *p = &e->list[i];
        if (p->has_mark)
            p->odd = !split && count_same(e, p) < most ? p->odd + 1 : 0;
    }
    uint64_t now = e->now_ms();
    if (!split)
        e->split_ms = 0;
    else if (!e->split_ms || now - e->split_ms >= SPLIT_AGAIN_MS) {
        e->split_ms = now;
        endpoints_log(e, true,
                      "the end points disagree about block %" PRIu64
                      " without a majority: staying with %s",
                      e->mark, e->list[e->followed].client.name);
    }
}

/* Finds the fault of an end point after a check. Out: why. Returns: false: none. */
static bool find_fault(const lks_endpoints *e, const endpoint *p, unsigned told, char *why,
                       size_t size)
{
    if (p->has_chain && e->has_chain && p->chain_id != e->chain_id)
        snprintf(why, size, "is on chain %" PRIu64 ", not %" PRIu64, p->chain_id, e->chain_id);
    else if (p->hangs)
        snprintf(why, size, "does not answer (nothing in %u s)", LKS_ENDPOINTS_HANG_MS / 1000);
    else if (p->failures >= FAILURES || (!p->head && p->failures))
        snprintf(why, size, "does not answer (%s)", p->failure);
    else if (p->behind_ms && e->now_ms() - p->behind_ms >= LKS_ENDPOINTS_BEHIND_MS)
        snprintf(why, size, "is %" PRIu64 " blocks behind", e->reference - p->head);
    else if (p->odd >= ODD_CHECKS)
        snprintf(why, size, "disagrees with %u of %u about block %" PRIu64, told - count_same(e, p),
                 told, e->mark);
    else
        return false;
    return true;
}

static void judge(lks_endpoints *e)
{
    unsigned told;
    char why[256];
    uint64_t now = e->now_ms();
    compare_marks(e, &told);
    for (size_t i = 0; i < e->count; i++) {
        endpoint *p = &e->list[i];
        bool behind = p->answered && endpoint_is_of_chain(p) && !keeps_up(e, p);
        if (!behind && p->answered)
            p->behind_ms = 0;
        else if (behind && !p->behind_ms)
            p->behind_ms = now;
    }
    /* First those that are good, so that there is one to go to. */
    for (size_t i = 0; i < e->count; i++)
        if (e->list[i].answered && !find_fault(e, &e->list[i], told, why, sizeof why))
            set_good(e, &e->list[i]);
    for (size_t i = 0; i < e->count; i++)
        if (find_fault(e, &e->list[i], told, why, sizeof why))
            set_bad(e, &e->list[i], why);
    if (!endpoint_is_good(&e->list[e->followed]))
        (void)leave(e, "does not answer yet");
    come_back(e);
    e->phase = CHECK_IDLE;
    e->checked = true;
    e->next_check_ms = now + LKS_ENDPOINTS_CHECK_MS;
}

void lks_endpoints_tick(lks_endpoints *e)
{
    pthread_mutex_lock(&e->lock);
    if (e->count > 1 && !e->closed) {
        if (e->phase == CHECK_IDLE && e->now_ms() >= e->next_check_ms)
            begin_check(e);
        else if (e->phase == CHECK_HEADS && phase_is_over(e))
            ask_marks(e);
        else if (e->phase == CHECK_MARKS && phase_is_over(e))
            judge(e);
        endpoints_settle(e);
    }
    pthread_mutex_unlock(&e->lock);
}

bool lks_endpoints_leave(lks_endpoints *e, const char *why)
{
    pthread_mutex_lock(&e->lock);
    endpoint *p = &e->list[e->followed];
    p->bad_ms = e->now_ms();
    bool left = e->count > 1 && leave(e, why);
    pthread_mutex_unlock(&e->lock);
    return left;
}
