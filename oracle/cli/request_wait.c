#include "oracle/cli/request_wait.h"

#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Often while things happen in seconds, seldom once they take minutes. */
static void pause_for(double waited)
{
    const struct timespec often = {.tv_nsec = 500000000}, seldom = {.tv_sec = 5};
    nanosleep(waited < 120 ? &often : &seldom, NULL);
}

static void note_events(lks_wait *w, lks_link *s, size_t *shown)
{
    double now = lks_now() - s->progress.started;
    char line[256];
    for (; *shown < w->view.event_count; (*shown)++) {
        const lks_event *e = &w->view.events[*shown].e;
        lks_event_line(line, sizeof line, e);
        lks_progress_note(&s->progress, "%s", line);
        if (e->kind == LKS_EVENT_ACCEPTED && w->accepted == 0) {
            w->accepted = now;
        }
        if (e->kind == LKS_EVENT_CLAIMED && w->claimed == 0) {
            w->claimed = now;
        }
    }
}

static void show_waiting(const lks_wait *w, lks_link *s)
{
    const lks_request_state *state = &w->view.state;
    const char *what = "waiting for the node";
    switch (state->status) {
    case LKS_REQUEST_OPEN:
        what = w->view.time > w->view.request.accept_deadline
                   ? "nobody accepted in time: lockstep cancel gives the fee back"
               : state->seats_taken > 0 ? "waiting for the other operators"
                                        : "waiting for an operator";
        break;
    case LKS_REQUEST_ACCEPTED:
    case LKS_REQUEST_REVEALING: what = "waiting for the claim"; break;
    case LKS_REQUEST_CLAIMED:
        what = w->view.time > state->deadline
                   ? "the window is over, waiting for somebody to finalize"
                   : "waiting for the challenge window to end";
        break;
    default: break;
    }
    lks_progress_wait(&s->progress, what);
}

/* The request goes on without the command. */
static int tell_interrupted(const lks_link *s, const char *id)
{
    return lks_cli_fail(LKS_EXIT_INTERRUPTED,
                        "%s: interrupted; request %s goes on: lockstep status shows it, lockstep "
                        "cancel takes it back with its fee unless it is accepted already",
                        s->command, id);
}

int lks_request_wait(lks_wait *w, lks_link *s, const uint8_t id32[32], uint64_t from,
                     uint64_t timeout_s)
{
    double started = lks_now();
    char id[LKS_HEX_SIZE(32)];
    size_t shown = 0;
    *w = (lks_wait){0};
    lks_hex_encode(id, id32, 32);
    for (;;) {
        lks_request_view_free(&w->view);
        lks_err err = lks_request_view_get(&w->view, s, id32, from);
        if (lks_interrupted()) {
            lks_progress_end(&s->progress);
            return tell_interrupted(s, id);
        }
        /* NOTFOUND: a re-org took the request's block away, and its transaction comes again. */
        if (err != LKS_OK && err != LKS_IO && err != LKS_TIMEOUT && err != LKS_BUSY &&
            err != LKS_NOTFOUND) {
            return lks_link_fail(s, err, NULL);
        }
        if (err == LKS_OK) {
            note_events(w, s, &shown);
        }
        if (err == LKS_OK && lks_request_is_settled(w->view.state.status)) {
            w->settled = lks_now() - s->progress.started;
            lks_progress_end(&s->progress);
            return LKS_PARSED;
        }
        if (lks_now() - started > (double)timeout_s) {
            lks_progress_end(&s->progress);
            return lks_cli_fail(LKS_EXIT_NO,
                                "%s: request %s is not settled after %" PRIu64
                                " s (%s); look again with lockstep status, settle what is due with "
                                "lockstep finalize, or take it back with lockstep cancel",
                                s->command, id, timeout_s,
                                lks_request_status_word(w->view.state.status));
        }
        show_waiting(w, s);
        pause_for(lks_now() - started);
    }
}
