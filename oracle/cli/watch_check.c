#include "oracle/cli/watch.h"

#include <stdlib.h>
#include <string.h>

#include "chain/signer.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"

/* With --once: failures in a row of looking at a claim, after which it is given up. */
#define MAX_FAILURES 5u

static lks_rerun_model *find_model(lks_watch *w, const uint8_t model32[32])
{
    for (size_t i = 0; i < w->model_count; i++) {
        if (memcmp(w->models[i].commitment.model_id, model32, 32) == 0)
            return &w->models[i];
    }
    return NULL;
}

static void close_check(lks_watch *w)
{
    if (w->check.game != NULL)
        lks_watch_game_free(w->check.game);
    w->check = (lks_watch_check){0};
}

static void mark_done(lks_watch *w, lks_watched *c)
{
    c->state = LKS_WATCHED_DONE;
    w->changed = true;
}

static void leave_out(lks_watch *w, lks_watched *c)
{
    w->left_out++;
    mark_done(w, c);
}

/* Looking at the claim has failed, which was told. */
static void fail_check(lks_watch *w)
{
    lks_watched *c = lks_claim_set_find(&w->claims, w->check.game->claim.name);
    if (c != NULL) {
        lks_backoff_fail(&c->retry);
        c->failures++;
        if (w->once && c->failures >= MAX_FAILURES)
            mark_done(w, c);
    }
    close_check(w);
}

static lks_err start_task(lks_watch *w, bool hashed)
{
    lks_watch_check *k = &w->check;
    const lks_rerun_job job = {.model = k->game->model,
                               .run = &k->game->claim.run,
                               .judge = k->judged ? NULL : lks_verdict_judge,
                               .user = &k->game->verdict,
                               .options = {.threads = w->threads,
                                           .spill = w->spill,
                                           .cancel = &k->cancel,
                                           .before_pass = lks_gate_pass,
                                           .user = &w->gate,
                                           .tokens_only = !hashed}};
    return lks_rerun_begin(&k->task, &job);
}

/* Hands the claim over to be disputed. */
static void hand_over(lks_watch *w)
{
    lks_watch_check *k = &w->check;
    lks_trace_hand_over(k->game->verdict.trace, lks_interrupt_flag(), NULL, NULL);
    if (lks_watch_keep(w, k->game) != LKS_OK) {
        lks_cli_fail_chain(LKS_NOMEM, w->link->command, NULL);
        fail_check(w);
        return;
    }
    k->game = NULL;
    close_check(w);
}

/* The claim was computed again. */
static void judge(lks_watch *w, lks_trace *trace)
{
    lks_watch_check *k = &w->check;
    lks_watch_game *g = k->game;
    lks_watched *c = lks_claim_set_find(&w->claims, g->claim.name);
    lks_verdict_finish(&g->verdict, trace);
    lks_watch_tell_verdict(w, g);
    *(g->verdict.wrong ? &w->wrong : &w->right) += 1;
    if ((!g->verdict.wrong && !k->own) || w->report_only) {
        mark_done(w, c);
        close_check(w);
        return;
    }
    k->judged = true;
    if (g->verdict.hashed) {
        hand_over(w);
        return;
    }
    if (start_task(w, true) != LKS_OK) {
        lks_cli_fail_chain(LKS_IO, w->link->command, NULL);
        fail_check(w);
    }
}

/* The task under way has ended. */
static void finish_task(lks_watch *w)
{
    lks_watch_check *k = &w->check;
    lks_watch_game *g = k->game;
    lks_trace *trace;
    lks_model_trees *none;
    lks_err err = lks_rerun_end(k->task, &trace, &none);
    k->task = NULL;
    if (k->late) {
        lks_watched *c = lks_claim_set_find(&w->claims, g->claim.name);
        lks_trace_free(trace);
        lks_watch_tell_late(w, c);
        leave_out(w, c);
        close_check(w);
    } else if (err != LKS_OK) {
        lks_progress_end(&w->link->progress);
        lks_cli_fail_file(err, w->link->command, NULL);
        fail_check(w);
    } else if (!k->judged) {
        judge(w, trace);
    } else {
        lks_trace_free(g->verdict.trace);
        g->verdict.trace = trace;
        g->verdict.hashed = true;
        hand_over(w);
    }
}

/* Reads what the chain has about the claim. Out: *wanted, whether it is to be computed again. */
static int read_claim(bool *wanted, lks_watch *w, lks_watch_game *g, const uint8_t name32[32],
                      bool *own)
{
    uint8_t request_id[32];
    memcpy(request_id, name32, sizeof request_id);
    request_id[31] = 0; /* attempt and seat */
    memcpy(g->claim.name, name32, 32);
    *wanted = false;
    lks_err err = lks_request_view_get(&g->view, w->link, request_id, 0);
    if (err == LKS_OK)
        err = lks_claim_view_by_name(&g->claim, &g->view, &w->link->contracts, name32);
    memcpy(g->claim.name, name32, 32);
    if (err == LKS_CORRUPT)
        lks_link_leave(w->link, "contradicts itself about a claim");
    if (err != LKS_OK)
        return lks_link_fail(w->link, err, NULL);
    g->model = find_model(w, g->view.request.model_id);
    bool open = g->claim.standing && g->view.time <= g->claim.window_end;
    if (g->model == NULL || (!open && !*own))
        return LKS_PARSED;
    int code = lks_verdict_begin(&g->verdict, w->link, &g->view, &g->claim, g->model, *own);
    if (code == LKS_PARSED && *own)
        *own = lks_play_find_own_in(g->verdict.follow.game, lks_signer_address(w->link->signer)) !=
               NULL;
    *wanted = open || *own;
    return code;
}

static void begin_check(lks_watch *w, lks_watched *c)
{
    lks_watch_check *k = &w->check;
    bool wanted;
    k->own = c->state == LKS_WATCHED_OWN;
    k->game = calloc(1, sizeof *k->game);
    if (k->game == NULL) {
        lks_cli_fail(LKS_EXIT_INTERNAL, "%s: out of memory", w->link->command);
        lks_backoff_fail(&c->retry);
        return;
    }
    int code = read_claim(&wanted, w, k->game, c->name, &k->own);
    if (code == LKS_PARSED && !wanted) {
        leave_out(w, c);
        close_check(w);
        return;
    }
    if (code == LKS_PARSED && start_task(w, k->game->verdict.hashed) != LKS_OK)
        code = lks_cli_fail_chain(LKS_IO, w->link->command, NULL);
    if (code != LKS_PARSED)
        fail_check(w);
}

/* The next claim: one that the account disputes already, else the one whose window ends first.
 * Those that come too late are told. */
static lks_watched *choose(lks_watch *w)
{
    lks_watched *best = NULL;
    for (size_t i = 0; i < w->claims.count; i++) {
        lks_watched *c = &w->claims.items[i];
        bool own = c->state == LKS_WATCHED_OWN;
        if (c->state == LKS_WATCHED_WAITING && w->head.timestamp > c->window_end) {
            lks_watch_tell_late(w, c);
            leave_out(w, c);
        }
        if ((!own && c->state != LKS_WATCHED_WAITING) || !lks_backoff_ready(&c->retry))
            continue;
        bool better = best == NULL || (own && best->state != LKS_WATCHED_OWN) ||
                      (own == (best->state == LKS_WATCHED_OWN) && c->window_end < best->window_end);
        if (better)
            best = c;
    }
    return best;
}

void lks_watch_check_step(lks_watch *w)
{
    lks_watch_check *k = &w->check;
    if (k->game == NULL) {
        lks_watched *c = choose(w);
        if (c != NULL)
            begin_check(w, c);
        return;
    }
    if (!k->own && !k->late && w->head.timestamp > k->game->claim.window_end) {
        k->late = true;
        atomic_store(&k->cancel, true);
    }
    if (lks_rerun_done(k->task))
        finish_task(w);
}

void lks_watch_check_stop(lks_watch *w)
{
    lks_trace *trace = NULL;
    lks_model_trees *none = NULL;
    if (w->check.game == NULL)
        return;
    lks_gate_open(&w->gate);
    atomic_store(&w->check.cancel, true);
    lks_err err = lks_rerun_end(w->check.task, &trace, &none);
    (void)err; /* cancelled, or done and not looked at */
    lks_trace_free(trace);
    close_check(w);
}
