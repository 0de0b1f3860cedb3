#include "oracle/cli/watch.h"

#include "chain/hex.h"
#include "chain/signer.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/dispute_list.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks that are read again at every look, so that a short re-org hides no claim. */
#define REREAD_BLOCKS 32u
#define MAX_FAILURES 5u

static void free_game(lks_watch_game *g)
{
    lks_play_close(&g->play);
    lks_verdict_free(&g->verdict);
    lks_claim_view_free(&g->claim);
    lks_request_view_free(&g->view);
    free(g);
}

void lks_watch_free(lks_watch *w)
{
    for (size_t i = 0; i < w->game_count; i++) {
        free_game(w->games[i]);
    }
    for (size_t i = 0; i < w->model_count; i++) {
        lks_rerun_close(&w->models[i]);
    }
    free(w->games);
    free(w->claims);
    *w = (lks_watch){0};
}

static lks_err add_claim(lks_watch *w, const uint8_t name32[32], bool played)
{
    uint32_t drawn;
    for (size_t i = 0; i < w->claim_count; i++) {
        if (memcmp(w->claims[i].name, name32, 32) == 0) {
            return LKS_OK;
        }
    }
    if (w->claim_count == w->claim_capacity) {
        size_t capacity = w->claim_capacity == 0 ? 64 : 2 * w->claim_capacity;
        lks_watched *larger = realloc(w->claims, capacity * sizeof larger[0]);
        if (larger == NULL) {
            return lks_fail(LKS_NOMEM, "out of memory");
        }
        w->claims = larger;
        w->claim_capacity = capacity;
    }
    /* Drawn by this machine alone: an operator cannot know which of its claims are looked at. */
    lks_err err = lks_random(&drawn, sizeof drawn);
    if (err != LKS_OK) {
        return err;
    }
    lks_watched *c = &w->claims[w->claim_count++];
    *c = (lks_watched){.played = played, .done = !played && drawn >= w->share * 4294967296.0};
    memcpy(c->name, name32, sizeof c->name);
    w->left_out += c->done;
    return LKS_OK;
}

/* Out: the first block whose time is at least `time`; the newest when there is none. */
static lks_err block_at(uint64_t *block, lks_link *s, uint64_t time, uint64_t low)
{
    uint64_t high;
    lks_err err = lks_eth_block_number(&s->node, &high);
    low = low < high ? low : high;
    while (err == LKS_OK && low < high) {
        lks_eth_header h;
        uint64_t middle = low + (high - low) / 2;
        err = lks_eth_header_by_number(&s->node, middle, &h);
        if (err == LKS_OK && h.timestamp >= time) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *block = low;
    return err;
}

static lks_err first_block(lks_watch *w)
{
    lks_buf call = {0}, result = {0};
    lks_oracle_parameters p;
    lks_game_parameters game = {0};
    lks_eth_header newest;
    lks_err err = lks_call_parameters(&call);
    err = lks_link_view(w->link, w->link->contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_parameters(&p, result.data, result.len) : err;
    lks_buf_free(&result);
    err = err == LKS_OK ? lks_game_parameters_get(&game, w->link) : err;
    err = err == LKS_OK ? lks_eth_header_at(&w->link->node, LKS_ETH_LATEST, &newest) : err;
    if (err != LKS_OK) {
        return err;
    }
    /* The longest window, the longest dispute (docs/DISPUTES.md: 2 budgets and 24 floors at most),
     * and the time that replicas have to reveal. */
    uint64_t back = (uint64_t)p.max_window + p.reveal_period + 2 * (uint64_t)game.budget + 24 * (uint64_t)game.floor;
    return block_at(&w->next, w->link, newest.timestamp > back ? newest.timestamp - back : 0, w->link->contracts.block);
}

int lks_watch_begin(lks_watch *w)
{
    lks_dispute_list own = {0};
    lks_err err = first_block(w);
    if (err == LKS_OK && !w->report_only) {
        const lks_dispute_query query = {.challenger20 = lks_signer_address(w->link->signer), .from = w->next};
        err = lks_dispute_list_get(&own, w->link, &query);
    }
    for (size_t i = 0; i < own.count && err == LKS_OK; i++) {
        err = own.rows[i].of_oracle ? add_claim(w, own.rows[i].terms.claim.name, true) : LKS_OK;
    }
    lks_dispute_list_free(&own);
    return err == LKS_OK ? LKS_PARSED : lks_link_fail(w->link, err, NULL);
}

lks_err lks_watch_scan(lks_watch *w)
{
    uint8_t topic[32];
    uint64_t newest;
    lks_eth_logs logs = {0};
    lks_event_topic(topic, LKS_EVENT_CLAIMED);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])w->link->contracts.oracle, .address_count = 1,
                                   .topics0 = (const uint8_t(*)[32])topic, .topic0_count = 1};
    lks_err err = lks_eth_block_number(&w->link->node, &newest);
    if (err == LKS_OK && w->next <= newest) {
        err = lks_eth_get_logs(&w->link->node, &filter, w->next, newest, 0, &logs);
    }
    for (size_t i = 0; i < logs.count && err == LKS_OK; i++) {
        const lks_eth_log *log = &logs.items[i];
        lks_event e;
        err = lks_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
        err = err == LKS_OK && !log->removed ? add_claim(w, e.name, false) : err;
    }
    lks_eth_logs_free(&logs);
    if (err == LKS_OK && newest + 1 > w->next + REREAD_BLOCKS) {
        w->next = newest + 1 - REREAD_BLOCKS;
    }
    return err;
}

static lks_rerun_model *find_model(lks_watch *w, const uint8_t model32[32])
{
    for (size_t i = 0; i < w->model_count; i++) {
        if (memcmp(w->models[i].commitment.model_id, model32, 32) == 0) {
            return &w->models[i];
        }
    }
    return NULL;
}

/* One line about a claim that was looked at. */
static void tell_verdict(const lks_watch *w, const lks_watch_game *g, const lks_rerun_model *m)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    char claim[LKS_HEX_SIZE(32)], request[LKS_HEX_SIZE(32)];
    lks_progress_end(&w->link->progress);
    if (w->json) {
        lks_json_begin_object(&j);
        lks_json_member_text(&j, "event", "checked");
        lks_verdict_json(&j, &g->verdict, &g->view, &g->claim, m);
        lks_json_end_object(&j);
        puts(lks_buf_text(&out));
        lks_buf_free(&out);
    } else {
        lks_hex_encode(claim, g->claim.claim_id, 32);
        lks_hex_encode(request, g->view.id, 32);
        printf("%s  claim %s of request %s, %zu tokens, %.2f s\n", g->verdict.wrong ? "wrong" : "right", claim, request, g->claim.run.answer_count,
               g->verdict.seconds);
        if (g->verdict.wrong) {
            lks_verdict_print(&g->verdict, &g->view, &g->claim, m);
        }
    }
    fflush(stdout);
}

static void tell_dispute(const lks_watch *w, const lks_watch_game *g, const char *event)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    char id[LKS_HEX_SIZE(32)];
    lks_progress_end(&w->link->progress);
    if (w->json) {
        lks_json_begin_object(&j);
        lks_json_member_text(&j, "event", event);
        lks_json_member_data(&j, "disputeId", g->play.dispute_id, 32);
        lks_json_member_data(&j, "claimId", g->claim.claim_id, 32);
        lks_json_member_data(&j, "requestId", g->view.id, 32);
        lks_json_member_text(&j, "end", lks_game_end_word(lks_play_result(&g->play)));
        lks_json_member_u64(&j, "gasUsed", g->play.gas);
        lks_json_end_object(&j);
        puts(lks_buf_text(&out));
        lks_buf_free(&out);
    } else {
        lks_hex_encode(id, g->play.dispute_id, 32);
        printf("%s  dispute %s (%s)\n", event, id, lks_game_end_word(lks_play_result(&g->play)));
    }
    fflush(stdout);
}

static int keep_game(lks_watch *w, lks_watch_game *g)
{
    lks_watch_game **larger = realloc(w->games, (w->game_count + 1) * sizeof larger[0]);
    if (larger == NULL) {
        free_game(g);
        return lks_cli_fail(LKS_EXIT_INTERNAL, "watch: out of memory");
    }
    w->games = larger;
    w->games[w->game_count++] = g;
    return LKS_PARSED;
}

/* Opens a dispute about the claim, or goes on with the account's own. Takes g over. */
static int dispute(lks_watch *w, lks_watch_game *g, lks_rerun_model *m)
{
    char id[LKS_HEX_SIZE(32)];
    bool open = false;
    int code = lks_rerun_trees(m, w->link->command, &w->link->progress);
    if (code == LKS_PARSED) {
        code = lks_play_open(&g->play, w->link, &g->view, &g->claim, m, g->verdict.trace);
    }
    if (code == LKS_PARSED) {
        const lks_game_dispute *own = lks_play_find_own(&g->play);
        open = own == NULL && g->claim.standing && g->view.time <= g->claim.window_end;
        if (own != NULL) {
            lks_play_resume(&g->play, own);
        } else if (open) {
            lks_u256 bond;
            lks_err err = lks_bond_get(&bond, w->link, &g->view.request.stake);
            code = err == LKS_OK ? lks_play_challenge(&g->play, &bond) : lks_link_fail(w->link, err, NULL);
        } else {
            free_game(g);
            return LKS_PARSED;
        }
    }
    if (code != LKS_PARSED) {
        free_game(g);
        return code;
    }
    lks_hex_encode(id, g->play.dispute_id, 32);
    snprintf(g->label, sizeof g->label, "%.10s  ", id);
    g->play.label = g->label;
    g->play.quiet = w->json;
    tell_dispute(w, g, open ? "challenged" : "resumed");
    return keep_game(w, g);
}

/* Computes the claim again; the hashes too when it is wrong and is to be disputed. */
static int judge(lks_watch *w, lks_watch_game *g, const lks_rerun_model *m)
{
    int code = lks_verdict_make(&g->verdict, w->link, &g->view, &g->claim, m, &w->rerun, false);
    if (code != LKS_PARSED) {
        return code;
    }
    tell_verdict(w, g, m);
    *(g->verdict.wrong ? &w->wrong : &w->right) += 1;
    if (g->verdict.wrong && !g->verdict.hashed && !w->report_only) {
        lks_verdict_free(&g->verdict);
        code = lks_verdict_make(&g->verdict, w->link, &g->view, &g->claim, m, &w->rerun, true);
    }
    return code;
}

static int look_at(lks_watch *w, lks_watched *c)
{
    lks_watch_game *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return lks_cli_fail(LKS_EXIT_INTERNAL, "watch: out of memory");
    }
    uint8_t request_id[32];
    memcpy(request_id, c->name, sizeof request_id);
    request_id[31] = 0; /* attempt and seat */
    lks_err err = lks_request_view_get(&g->view, w->link, request_id, 0);
    err = err == LKS_OK ? lks_claim_view_by_name(&g->claim, &g->view, &w->link->contracts, c->name) : err;
    if (err != LKS_OK) {
        free_game(g);
        return err == LKS_NOTFOUND ? LKS_PARSED : lks_link_fail(w->link, err, NULL); /* a re-org took it away */
    }
    lks_rerun_model *m = find_model(w, g->view.request.model_id);
    bool disputable = g->claim.standing && (c->played || g->view.time <= g->claim.window_end);
    if (m == NULL || !disputable) {
        w->left_out++;
        free_game(g);
        return LKS_PARSED;
    }
    int code = judge(w, g, m);
    if (code != LKS_PARSED || !g->verdict.wrong || w->report_only) {
        free_game(g);
        return code;
    }
    return dispute(w, g, m);
}

int lks_watch_check(lks_watch *w, bool *any)
{
    lks_watched *c = NULL;
    for (size_t i = 0; i < w->claim_count && c == NULL; i++) {
        c = w->claims[i].done ? NULL : &w->claims[i];
    }
    *any = c != NULL;
    if (c == NULL) {
        return LKS_PARSED;
    }
    int code = look_at(w, c);
    bool may_pass = code == LKS_EXIT_CHAIN || code == LKS_EXIT_REFUSED;
    c->done = code == LKS_PARSED || ++c->failures >= MAX_FAILURES;
    return may_pass ? LKS_PARSED : code;
}

int lks_watch_play(lks_watch *w)
{
    for (size_t i = 0; i < w->game_count;) {
        lks_watch_game *g = w->games[i];
        bool over = false;
        int code = lks_play_turn(&g->play, &over);
        if (code == LKS_PARSED && over) {
            code = g->play.no_fault ? LKS_PARSED : lks_play_collect(&g->play);
            tell_dispute(w, g, "ended");
            code = code == LKS_EXIT_REFUSED || code == LKS_EXIT_CHAIN ? LKS_PARSED : code;
        }
        if (code != LKS_PARSED) {
            return code;
        }
        if (!over) {
            i++;
            continue;
        }
        free_game(g);
        w->games[i] = w->games[--w->game_count];
    }
    return LKS_PARSED;
}
