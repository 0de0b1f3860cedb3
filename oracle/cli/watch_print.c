#include "oracle/cli/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"

/* An object's begin: what happened, and when. */
static void begin(lks_json_writer *j, const char *event)
{
    lks_json_begin_object(j);
    lks_json_member_text(j, "event", event);
    lks_json_member_u64(j, "time", (uint64_t)time(NULL));
}

static void end(lks_json_writer *j, lks_buf *out)
{
    lks_json_end_object(j);
    puts(lks_buf_text(out));
    lks_buf_free(out);
    fflush(stdout);
}

void lks_watch_tell_verdict(const lks_watch *w, const lks_watch_game *g)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    char claim[LKS_HEX_SIZE(32)], request[LKS_HEX_SIZE(32)];
    lks_progress_end(&w->link->progress);
    if (w->json) {
        begin(&j, "checked");
        lks_verdict_json(&j, &g->verdict, &g->view, &g->claim, g->model);
        end(&j, &out);
        return;
    }
    lks_hex_encode(claim, g->claim.claim_id, 32);
    lks_hex_encode(request, g->view.id, 32);
    lks_cli_stamp(stdout);
    printf("%s  claim %s of request %s, %zu tokens, %.2f s\n", g->verdict.wrong ? "wrong" : "right",
           claim, request, g->claim.run.answer_count, g->verdict.seconds);
    if (g->verdict.wrong)
        lks_verdict_print(&g->verdict, &g->view, &g->claim, g->model);
    fflush(stdout);
}

void lks_watch_tell_dispute(const lks_watch *w, const lks_watch_game *g, const char *event)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    const char *how = g->play.dead ? "moot" : lks_game_end_word(lks_play_result(&g->play));
    char id[LKS_HEX_SIZE(32)];
    lks_progress_end(&w->link->progress);
    if (w->json) {
        begin(&j, event);
        lks_json_member_data(&j, "disputeId", g->play.dispute_id, 32);
        lks_json_member_data(&j, "claimId", g->claim.claim_id, 32);
        lks_json_member_data(&j, "requestId", g->view.id, 32);
        lks_json_member_text(&j, "end", how);
        lks_json_member_u64(&j, "gasUsed", g->play.gas);
        end(&j, &out);
        return;
    }
    lks_hex_encode(id, g->play.dispute_id, 32);
    lks_cli_stamp(stdout);
    printf("%s  dispute %s (%s)\n", event, id, how);
    fflush(stdout);
}

void lks_watch_tell_late(const lks_watch *w, const lks_watched *c)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    char name[LKS_HEX_SIZE(32)], when[LKS_TIME_SIZE];
    lks_progress_end(&w->link->progress);
    if (w->json) {
        begin(&j, "late");
        lks_json_member_data(&j, "claimName", c->name, 32);
        lks_json_member_u64(&j, "windowEnd", c->window_end);
        end(&j, &out);
        return;
    }
    lks_hex_encode(name, c->name, 32);
    lks_time_text(when, c->window_end);
    lks_cli_stamp(stdout);
    printf("late  claim %s was not checked before its window ended at %s\n", name, when);
    fflush(stdout);
}

static void tell_game(const lks_watch *w, const lks_watch_game *g)
{
    char id[LKS_HEX_SIZE(32)], when[LKS_TIME_SIZE];
    const lks_game_dispute *d = lks_play_dispute(&g->play);
    if (g->phase == LKS_WATCH_OPENING) {
        lks_hex_encode(id, g->claim.claim_id, 32);
        lks_time_text(when, g->claim.window_end);
        lks_cli_note("%s: claim %s is wrong and not disputed; its window ends at %s",
                     w->link->command, id, when);
    } else if (d != NULL && d->end == LKS_GAME_LIVE) {
        lks_hex_encode(id, d->id, 32);
        lks_time_text(when, d->deadline);
        lks_cli_note("%s: dispute %s goes on: the %s is to move until %s", w->link->command, id,
                     lks_dispute_operator_moves(d->now.state) ? "operator" : "challenger", when);
    } else {
        lks_hex_encode(id, g->play.dispute_id, 32);
        lks_cli_note("%s: dispute %s is over; its money is still to be withdrawn", w->link->command,
                     id);
    }
}

void lks_watch_tell_open(const lks_watch *w)
{
    size_t waiting = 0;
    lks_progress_end(&w->link->progress);
    for (size_t i = 0; i < w->claims.count; i++)
        waiting += w->claims.items[i].state == LKS_WATCHED_WAITING;
    for (size_t i = 0; i < w->game_count; i++)
        tell_game(w, w->games[i]);
    if (waiting > 0)
        lks_cli_note("%s: %zu claim%s not checked", w->link->command, waiting,
                     waiting == 1 ? " is" : "s are");
    if (waiting > 0 || w->game_count > 0)
        lks_cli_note("%s: restart it in time to continue", w->link->command);
}
