#include "oracle/cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/hex.h"
#include "oracle/cli/cli.h"

void lks_watch_game_free(lks_watch_game *g)
{
    lks_play_close(&g->play);
    lks_verdict_free(&g->verdict);
    lks_claim_view_free(&g->claim);
    lks_request_view_free(&g->view);
    free(g);
}

void lks_watch_mark(lks_watch *w, const lks_watch_game *g, lks_watched_state state)
{
    lks_watched *c = lks_claim_set_find(&w->claims, g->claim.name);
    if (c != NULL)
        c->state = state;
    w->changed = true;
}

lks_err lks_watch_keep(lks_watch *w, lks_watch_game *g)
{
    lks_watch_game **larger = realloc(w->games, (w->game_count + 1) * sizeof larger[0]);
    if (larger == NULL)
        return lks_fail(LKS_NOMEM, "out of memory");
    w->games = larger;
    w->games[w->game_count++] = g;
    lks_watch_mark(w, g, LKS_WATCHED_PLAYED);
    return LKS_OK;
}

static int begin_playing(lks_watch *w, lks_watch_game *g, const char *event)
{
    char id[LKS_HEX_SIZE(32)];
    lks_hex_encode(id, g->play.dispute_id, 32);
    snprintf(g->label, sizeof g->label, "%.10s  ", id);
    g->play.label = g->label;
    g->play.quiet = w->json;
    g->play.gate = &w->gate;
    g->phase = LKS_WATCH_PLAYING;
    lks_watch_tell_dispute(w, g, event);
    return LKS_PARSED;
}

/* Whether a new dispute can be opened and won: the claim stands, and its window is open. */
static lks_err can_open(bool *can, lks_watch *w, const lks_watch_game *g)
{
    lks_buf call = {0}, result = {0};
    bool standing = false;
    lks_err err = lks_call_standing(&call, g->claim.name);
    err = lks_link_view(w->link, w->link->contracts.oracle, &call, err, &result);
    if (err == LKS_OK)
        err = lks_return_bool(&standing, result.data, result.len);
    lks_buf_free(&result);
    *can = standing && w->head.timestamp <= g->claim.window_end;
    return err;
}

static int challenge(lks_watch *w, lks_watch_game *g)
{
    lks_u256 bond;
    bool can = false;
    lks_err err = can_open(&can, w, g);
    if (err == LKS_OK && !can) {
        g->phase = LKS_WATCH_ENDED;
        return LKS_PARSED;
    }
    if (err == LKS_OK)
        err = lks_bond_get(&bond, w->link, &g->view.request.stake);
    if (err != LKS_OK)
        return lks_link_fail(w->link, err, NULL);
    int code = lks_play_challenge(&g->play, &bond);
    return code == LKS_PARSED ? begin_playing(w, g, "challenged") : code;
}

/* Goes on with the account's own dispute about the claim, or opens one if it is wrong. */
static int open_dispute(lks_watch *w, lks_watch_game *g)
{
    int code = lks_play_open(&g->play, w->link, &g->view, &g->claim, g->model, g->verdict.trace);
    const lks_game_dispute *own = code == LKS_PARSED ? lks_play_find_own(&g->play) : NULL;
    if (own != NULL) {
        lks_play_resume(&g->play, own);
        code = begin_playing(w, g, "resumed");
    } else if (code == LKS_PARSED && g->verdict.wrong) {
        code = challenge(w, g);
    } else if (code == LKS_PARSED) {
        g->phase = LKS_WATCH_ENDED;
    }
    if (g->phase == LKS_WATCH_OPENING)
        lks_play_close(&g->play);
    return code;
}

static int play(lks_watch *w, lks_watch_game *g)
{
    bool over = false;
    int code = lks_play_turn(&g->play, &w->head, &over);
    if (code == LKS_PARSED && over) {
        lks_watch_tell_dispute(w, g, "ended");
        g->phase = LKS_WATCH_COLLECTING;
    }
    return code;
}

/* Tries again later, and some times before the turn's deadline. */
static void put_off(lks_watch *w, lks_watch_game *g)
{
    const lks_game_dispute *d = g->phase == LKS_WATCH_PLAYING ? lks_play_dispute(&g->play) : NULL;
    uint64_t deadline = g->phase == LKS_WATCH_OPENING ? g->claim.window_end
                        : d != NULL                   ? d->deadline
                                                      : 0;
    lks_backoff_fail(&g->retry);
    if (deadline > w->head.timestamp)
        lks_backoff_limit(&g->retry, (double)(deadline - w->head.timestamp) / 16);
}

static int turn(lks_watch *w, lks_watch_game *g)
{
    int code = LKS_PARSED;
    if (g->phase == LKS_WATCH_OPENING)
        code = open_dispute(w, g);
    else if (g->phase == LKS_WATCH_PLAYING)
        code = play(w, g);
    if (code == LKS_PARSED && g->phase == LKS_WATCH_COLLECTING) {
        code = lks_play_collect(&g->play);
        if (code == LKS_PARSED)
            g->phase = LKS_WATCH_ENDED;
    }
    if (code == LKS_PARSED)
        lks_backoff_reset(&g->retry);
    else
        put_off(w, g);
    memcpy(g->turned, w->head.hash, 32);
    return code;
}

int lks_watch_play(lks_watch *w)
{
    for (size_t i = 0; i < w->game_count;) {
        lks_watch_game *g = w->games[i];
        bool failed = g->retry.pause != 0;
        bool due = failed ? lks_backoff_ready(&g->retry) : memcmp(g->turned, w->head.hash, 32) != 0;
        if (due && turn(w, g) == LKS_EXIT_INTERRUPTED)
            return LKS_EXIT_INTERRUPTED;
        if (g->phase != LKS_WATCH_ENDED) {
            i++;
            continue;
        }
        lks_watch_mark(w, g, LKS_WATCHED_DONE);
        lks_watch_game_free(g);
        w->games[i] = w->games[--w->game_count];
    }
    return LKS_PARSED;
}
