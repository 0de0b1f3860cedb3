#include "oracle/cli/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/signer.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"
#include "oracle/cli/lookback.h"

/* Blocks that are read again at every look, so that neither a short re-org nor a node that is
 * behind hides a claim. */
#define REREAD_BLOCKS 32u
/* For which a node may stand below the newest block seen before it is told. */
#define BEHIND_S 60.0

lks_err lks_watch_begin(lks_watch *w)
{
    lks_err err =
        lks_lookback_block(&w->next, w->link); /* which says whether there are such contracts */
    if (err != LKS_OK || w->state_path == NULL)
        return err;
    uint64_t from = w->next;
    err = lks_watch_state_read(w);
    if (err == LKS_CORRUPT || err == LKS_IO) {
        lks_cli_note("%s: %s: %s; a new one is begun", w->link->command, w->state_path,
                     lks_error_message());
        w->next = from;
    }
    return err == LKS_BADARGS || err == LKS_NOMEM ? err : LKS_OK;
}

/* ---- new claims ---- */

/* A claim that an event names. In: own, the account disputes it. */
static lks_err see_claim(lks_watch *w, const uint8_t name32[32], uint64_t block,
                         uint64_t window_end, bool own)
{
    uint32_t drawn;
    lks_watched new = {.block = block, .window_end = window_end};
    lks_watched *c = lks_claim_set_find(&w->claims, name32);
    if (c != NULL) {
        c->block = c->block > block ? c->block : block;
        if (own && c->state == LKS_WATCHED_WAITING)
            c->state = LKS_WATCHED_OWN;
        return LKS_OK;
    }
    /* Drawn by this machine alone: an operator cannot know which of its claims are looked at. */
    lks_err err = lks_random(&drawn, sizeof drawn);
    if (err != LKS_OK)
        return err;
    memcpy(new.name, name32, sizeof new.name);
    new.state = own                                ? LKS_WATCHED_OWN
                : drawn >= w->share * 4294967296.0 ? LKS_WATCHED_DONE
                                                   : LKS_WATCHED_WAITING;
    err = lks_claim_set_add(&w->claims, &new);
    w->left_out += err == LKS_OK && new.state == LKS_WATCHED_DONE;
    w->changed = true;
    return err;
}

/* Takes note of one log. */
typedef lks_err (*see_log)(lks_watch *w, const lks_eth_log *log);

static lks_err see_claimed(lks_watch *w, const lks_eth_log *log)
{
    lks_event e;
    lks_err err = lks_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    if (err != LKS_OK || log->removed)
        return err;
    return see_claim(w, e.name, log->block_number, e.time, false);
}

static lks_err see_challenged(lks_watch *w, const lks_eth_log *log)
{
    lks_game_event e;
    lks_err err =
        lks_game_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    if (err != LKS_OK || log->removed ||
        memcmp(e.dispute.claim.source, w->link->contracts.oracle, 20) != 0)
        return err;
    return see_claim(w, e.dispute.claim.name, log->block_number, UINT64_MAX, true);
}

static bool is_among(const lks_eth_logs *logs, const lks_eth_log *log)
{
    for (size_t i = 0; i < logs->count; i++) {
        const lks_eth_log *l = &logs->items[i];
        if (memcmp(l->tx_hash, log->tx_hash, 32) == 0 && l->topic_count == log->topic_count &&
            memcmp(l->topics, log->topics, sizeof l->topics[0] * l->topic_count) == 0)
            return true;
    }
    return false;
}

/* Takes note of logs that another node has and the followed one has not given. Failures are
 * ignored: the node is not needed. Returns: whether there were any. */
static bool see_others(lks_watch *w, size_t node, const lks_eth_filter *filter,
                       const lks_eth_logs *known, see_log see)
{
    const lks_eth *other = lks_nodes_at(w->link->nodes, node);
    lks_eth_logs logs = {0};
    uint64_t newest, last = w->head.number;
    bool more = false;
    lks_err err = lks_eth_block_number(other, &newest);
    if (err == LKS_OK) {
        last = newest < last ? newest : last;
        if (w->next <= last)
            err = lks_eth_get_logs(other, filter, w->next, last, 0, &logs);
    }
    for (size_t i = 0; err == LKS_OK && i < logs.count; i++)
        if (!is_among(known, &logs.items[i]))
            more |= see(w, &logs.items[i]) == LKS_OK;
    lks_eth_logs_free(&logs);
    return more;
}

/* Asks each of several nodes: one that withholds logs must not hide a claim, and is left. */
static lks_err scan_logs(lks_watch *w, const lks_eth_filter *filter, see_log see)
{
    lks_eth_logs logs = {0};
    bool more = false;
    lks_nodes *nodes = w->link->nodes;
    size_t followed = nodes != NULL ? lks_endpoints_followed(lks_nodes_endpoints(nodes)) : 0;
    lks_err err = lks_eth_get_logs(&w->link->node, filter, w->next, w->head.number, 0, &logs);
    for (size_t i = 0; i < logs.count && err == LKS_OK; i++)
        err = see(w, &logs.items[i]);
    for (size_t i = 0; err == LKS_OK && nodes != NULL && i < lks_nodes_count(nodes); i++)
        if (i != followed && lks_endpoints_is_good(lks_nodes_endpoints(nodes), i))
            more |= see_others(w, i, filter, &logs, see);
    if (more)
        lks_link_leave(w->link, "withholds logs that another has");
    lks_eth_logs_free(&logs);
    return err;
}

static lks_err scan_claims(lks_watch *w)
{
    uint8_t topic[32];
    lks_event_topic(topic, LKS_EVENT_CLAIMED);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])w->link->contracts.oracle,
                                   .address_count = 1,
                                   .topics0 = (const uint8_t(*)[32])topic,
                                   .topic0_count = 1};
    return scan_logs(w, &filter, see_claimed);
}

/* Disputes of the account's own, of another run or another machine. */
static lks_err scan_own(lks_watch *w)
{
    uint8_t topic[32], who[32] = {0};
    lks_game_event_topic(topic, LKS_GAME_CHALLENGED);
    memcpy(who + 12, lks_signer_address(w->link->signer), 20);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])w->link->contracts.game,
                                   .address_count = 1,
                                   .topics0 = (const uint8_t(*)[32])topic,
                                   .topic0_count = 1,
                                   .topics = {NULL, NULL, who}};
    return scan_logs(w, &filter, see_challenged);
}

/* Takes note of claims up to the newest block. */
static lks_err scan(lks_watch *w)
{
    lks_err err = LKS_OK;
    if (w->next > w->head.number)
        return LKS_OK;
    err = scan_claims(w);
    if (err == LKS_OK && !w->report_only)
        err = scan_own(w);
    if (err == LKS_OK && w->head.number + 1 > w->next + REREAD_BLOCKS) {
        w->next = w->head.number + 1 - REREAD_BLOCKS;
        w->changed = true;
        lks_claim_set_prune(&w->claims, w->next);
    }
    return err;
}

/* ---- rounds ---- */

/* Says that something failed and is tried again. */
static void tell_retry(lks_watch *w, lks_err err, lks_backoff *retry)
{
    lks_backoff_fail(retry);
    lks_link_fail(w->link, err, "trying again");
}

/* A node below the newest block that was seen is behind: that is no re-org, and what it says is
 * old. */
static void note_behind(lks_watch *w, const lks_eth_header *newest)
{
    double now = lks_now();
    if (w->behind_since == 0)
        w->behind_since = now;
    if (now - w->behind_since < BEHIND_S)
        return;
    w->behind_since = now;
    lks_progress_end(&w->link->progress);
    if (w->link->url_count > 1) { /* the one that is followed agrees with the others by now */
        w->head.number = 0;
        return;
    }
    lks_cli_note("%s: the node is behind: it stands at block %" PRIu64 ", and block %" PRIu64
                 " was seen; nothing is done until it has caught up",
                 w->link->command, newest->number, w->head.number);
}

/* Asks for the newest block. Returns: whether there is one to work at. */
static bool look_at_head(lks_watch *w)
{
    lks_eth_header newest;
    if (!lks_backoff_ready(&w->node_retry))
        return false;
    lks_err err = lks_eth_header_at(&w->link->node, LKS_ETH_LATEST, &newest);
    if (err != LKS_OK) {
        tell_retry(w, err, &w->node_retry);
        return false;
    }
    lks_backoff_reset(&w->node_retry);
    if (newest.number < w->head.number) {
        note_behind(w, &newest);
        return false;
    }
    w->behind_since = 0;
    if (memcmp(newest.hash, w->head.hash, 32) != 0) {
        w->head = newest;
        w->scanned = false;
    }
    return true;
}

static void save(lks_watch *w)
{
    if (w->state_path == NULL || !w->changed || !lks_backoff_ready(&w->state_retry))
        return;
    lks_err err = lks_watch_state_write(w);
    if (err != LKS_OK) {
        lks_backoff_fail(&w->state_retry);
        lks_cli_note("%s: %s: %s; trying again", w->link->command, w->state_path,
                     lks_error_message());
        return;
    }
    lks_backoff_reset(&w->state_retry);
    w->changed = false;
}

int lks_watch_round(lks_watch *w, bool *idle)
{
    *idle = true;
    if (!look_at_head(w))
        return lks_interrupted() ? LKS_EXIT_INTERRUPTED : LKS_PARSED;
    if (!w->scanned && lks_backoff_ready(&w->scan_retry)) {
        lks_err err = scan(w);
        w->scanned = err == LKS_OK;
        if (err == LKS_OK)
            lks_backoff_reset(&w->scan_retry);
        else
            tell_retry(w, err, &w->scan_retry);
    }
    int code = lks_watch_play(w);
    if (code == LKS_PARSED) {
        lks_watch_check_step(w);
        *idle = w->check.game == NULL || w->check.task != NULL;
    }
    save(w);
    return code == LKS_PARSED && lks_interrupted() ? LKS_EXIT_INTERRUPTED : code;
}

bool lks_watch_settled(const lks_watch *w)
{
    for (size_t i = 0; i < w->claims.count; i++) {
        if (w->claims.items[i].state != LKS_WATCHED_DONE)
            return false;
    }
    return w->scanned && w->check.game == NULL && w->game_count == 0;
}

void lks_watch_close(lks_watch *w)
{
    lks_watch_check_stop(w);
    if (w->changed)
        save(w);
    for (size_t i = 0; i < w->game_count; i++)
        lks_watch_game_free(w->games[i]);
    for (size_t i = 0; i < w->model_count; i++)
        lks_rerun_close(&w->models[i]);
    free(w->games);
    lks_claim_set_free(&w->claims);
    lks_spill_close(w->spill);
    *w = (lks_watch){0};
}
