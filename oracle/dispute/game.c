#include "oracle/dispute/game.h"

#include "oracle/dispute/game_internal.h"

#include <stdlib.h>
#include <string.h>

#define SHAPE_BYTES ((LKS_TOP + 8u) / 8u)

lks_err lks_game_new(lks_game **out, const lks_game_deployment *deployment,
                     const uint8_t name32[32], const uint8_t claim_id32[32])
{
    uint8_t request_id[32], attempt, seat;
    *out = NULL;
    if (lks_claim_name_split(request_id, &attempt, &seat, name32))
        return lks_fail(LKS_BADARGS, "no claim of the oracle has that name: its attempt or seat "
                                     "cannot be");
    lks_game *g = calloc(1, sizeof *g);
    if (g)
        g->shapes = calloc(1, SHAPE_BYTES);
    if (!g || !g->shapes) {
        lks_game_free(g);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    g->deployment = *deployment;
    memcpy(g->name, name32, 32);
    memcpy(g->request_id, request_id, 32);
    memcpy(g->claim_id, claim_id32, 32);
    g->attempt = attempt;
    g->seat = seat;
    *out = g;
    return LKS_OK;
}

void lks_game_clear(lks_game *g)
{
    lks_game_state_free(&g->state);
    for (size_t i = 0; i < g->log_count; i++)
        free(g->logs[i].data);
    g->log_count = 0;
    g->bytes = 0;
    g->model_known = g->model_given;
    memset(g->shapes, 0, SHAPE_BYTES);
}

void lks_game_free(lks_game *g)
{
    if (!g)
        return;
    if (g->shapes)
        lks_game_clear(g);
    free(g->logs);
    free(g->shapes);
    free(g);
}

lks_err lks_game_set_model(lks_game *g, const lks_model_commitment *c)
{
    if (c->op_count == 0 || c->op_count >= LKS_TOP || c->eos_count > LKS_MAX_EOS)
        return lks_fail(LKS_BADARGS,
                        "a model of %u operations and %u end-of-sequence ids cannot be disputed",
                        c->op_count, c->eos_count);
    g->model = *c;
    g->model_given = g->model_known = true;
    return LKS_OK;
}

void lks_game_set_shape(lks_game *g, uint32_t op)
{
    if (op < LKS_TOP)
        g->shapes[op / 8] |= (uint8_t)(1u << op % 8);
}

bool lks_game_shape_known(const lks_game *g, uint32_t op)
{
    return op < LKS_TOP && g->shapes[op / 8] >> op % 8 & 1;
}

/* ---- logs ---- */

static lks_err wanted_of_game(bool *wanted, const lks_game *g, const lks_eth_log *log)
{
    lks_game_event e;
    lks_err err =
        lks_game_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    if (err)
        return err;
    *wanted = e.kind == LKS_GAME_SHAPE_RECORDED ||
              (e.kind < LKS_GAME_PROOF_COMMITTED && memcmp(e.claim_id, g->claim_id, 32) == 0);
    return LKS_OK;
}

static lks_err wanted_of_oracle(bool *wanted, const lks_game *g, const lks_eth_log *log)
{
    lks_event e;
    lks_err err = lks_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    if (err)
        return err;
    if (e.kind == LKS_EVENT_REQUESTED)
        *wanted = memcmp(e.request_id, g->request_id, 32) == 0;
    else
        *wanted = e.kind == LKS_EVENT_CLAIMED && memcmp(e.name, g->name, 32) == 0;
    return LKS_OK;
}

static lks_err wanted_of_registry(bool *wanted, const lks_eth_log *log)
{
    lks_event e;
    lks_err err = lks_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    *wanted = err == LKS_OK && e.kind == LKS_EVENT_MODEL_REGISTERED;
    return err;
}

static lks_err make_room(lks_game *g, size_t len)
{
    if (g->log_count >= LKS_GAME_MAX_LOGS || len > LKS_GAME_MAX_BYTES ||
        g->bytes > LKS_GAME_MAX_BYTES - len)
        return lks_fail(
            LKS_REFUSED,
            "the claim has more than %u events or %zu bytes of them; this version follows no more",
            LKS_GAME_MAX_LOGS, LKS_GAME_MAX_BYTES);
    if (g->log_count < g->log_room)
        return LKS_OK;
    size_t room = g->log_room ? 2 * g->log_room : 64;
    lks_game_log *logs = realloc(g->logs, room * sizeof *logs);
    if (!logs)
        return lks_fail(LKS_NOMEM, "out of memory");
    g->logs = logs;
    g->log_room = room;
    return LKS_OK;
}

lks_err lks_game_add(lks_game *g, const lks_eth_log *log, uint64_t time)
{
    bool wanted = false;
    lks_err err = LKS_NOTFOUND;
    lks_game_log kept = {.source = LKS_LOG_GAME,
                         .block = log->block_number,
                         .time = time,
                         .index = log->log_index,
                         .topic_count = log->topic_count,
                         .len = log->data_len};
    if (log->removed || log->topic_count > 4)
        return LKS_OK;
    if (memcmp(log->address, g->deployment.game, 20) == 0) {
        err = wanted_of_game(&wanted, g, log);
    } else if (memcmp(log->address, g->deployment.oracle, 20) == 0) {
        kept.source = LKS_LOG_ORACLE;
        err = wanted_of_oracle(&wanted, g, log);
    } else if (memcmp(log->address, g->deployment.registry, 20) == 0) {
        kept.source = LKS_LOG_REGISTRY;
        err = wanted_of_registry(&wanted, log);
    }
    if (err == LKS_NOTFOUND || (err == LKS_OK && !wanted))
        return LKS_OK;
    if (!err)
        err = make_room(g, log->data_len);
    if (err)
        return err;
    memcpy(kept.tx, log->tx_hash, 32);
    memcpy(kept.topics, log->topics, sizeof kept.topics);
    kept.data = malloc(log->data_len ? log->data_len : 1);
    if (!kept.data)
        return lks_fail(LKS_NOMEM, "out of memory");
    if (log->data_len)
        memcpy(kept.data, log->data, log->data_len);
    g->bytes += log->data_len;
    g->logs[g->log_count++] = kept;
    return LKS_OK;
}

static int compare_logs(const void *left, const void *right)
{
    const lks_game_log *a = left, *b = right;
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool same_log(const lks_game_log *a, const lks_game_log *b)
{
    return memcmp(a->tx, b->tx, 32) == 0 && a->topic_count == b->topic_count &&
           memcmp(a->topics, b->topics, sizeof a->topics) == 0 && a->len == b->len &&
           memcmp(a->data, b->data, a->len) == 0;
}

lks_err lks_game_order(lks_game *g)
{
    size_t kept = 0;
    bool clash = false;
    if (g->log_count)
        qsort(g->logs, g->log_count, sizeof *g->logs, compare_logs);
    for (size_t i = 0; i < g->log_count; i++) {
        bool again = kept && compare_logs(&g->logs[kept - 1], &g->logs[i]) == 0;
        if (again && same_log(&g->logs[kept - 1], &g->logs[i])) {
            g->bytes -= g->logs[i].len;
            free(g->logs[i].data);
            continue;
        }
        clash = clash || again;
        g->logs[kept++] = g->logs[i];
    }
    g->log_count = kept;
    return clash ? lks_fail(LKS_CORRUPT,
                            "two branches of the chain are mixed: read the claim's events again")
                 : LKS_OK;
}

lks_err lks_game_update(lks_game *g)
{
    lks_game_state_free(&g->state);
    g->model_known = g->model_given;
    lks_err err = lks_game_order(g);
    if (!err)
        err = lks_game_replay(g);
    if (err)
        lks_game_state_free(&g->state);
    return err;
}

/* ---- views ---- */

const lks_run *lks_game_run(const lks_game *g)
{
    return g->state.has_claim ? &g->state.run : NULL;
}

bool lks_game_claim(lks_claim_terms *claim, lks_claim_facts *facts, const lks_game *g)
{
    if (!g->state.has_claim)
        return false;
    if (claim)
        *claim = g->state.claim;
    if (facts)
        *facts = g->state.facts;
    return true;
}

const lks_request *lks_game_request(const lks_game *g)
{
    return g->state.has_request ? &g->state.request : NULL;
}

const lks_model_commitment *lks_game_model(const lks_game *g)
{
    return g->model_known ? &g->model : NULL;
}

bool lks_game_seat(const lks_game *g, uint8_t *attempt, uint8_t *seat, uint8_t operator20[20],
                   uint64_t *window_end)
{
    const lks_game_state *s = &g->state;
    if (!s->has_claim)
        return false;
    if (attempt)
        *attempt = g->attempt;
    if (seat)
        *seat = g->seat;
    if (operator20)
        memcpy(operator20, s->claim.operator_address, 20);
    if (window_end)
        *window_end = s->window_end;
    return true;
}

const lks_shown *lks_game_shown(const lks_game *g)
{
    return &g->state.shown;
}

lks_claim_status lks_game_status(const lks_game *g)
{
    return g->state.status;
}

size_t lks_game_dispute_count(const lks_game *g)
{
    return g->state.dispute_count;
}

bool lks_game_fits_view(lks_dispute_view *v, const lks_game_dispute *d)
{
    if (v->state == LKS_DISPUTE_ROOT && d->now.state == LKS_DISPUTE_PICK) {
        v->state = LKS_DISPUTE_PICK;
        v->turn_start = d->turn_start;
        v->deadline = d->deadline;
        v->alone = false;
    }
    return v->state == (uint8_t)d->now.state && v->op == d->now.op && v->height == d->now.height &&
           v->index == d->now.index;
}

size_t lks_game_live_count(const lks_game *g)
{
    return g->state.live_count;
}

const lks_game_dispute *lks_game_dispute_at(const lks_game *g, size_t i)
{
    return i < g->state.dispute_count ? &g->state.disputes[i].view : NULL;
}

const lks_game_dispute *lks_game_dispute_find(const lks_game *g, const uint8_t dispute_id32[32])
{
    const lks_game_entry *d = lks_game_entry_find(&g->state, dispute_id32);
    return d ? &d->view : NULL;
}

bool lks_game_facts(lks_witness_claim *out, const lks_game *g)
{
    const lks_game_state *s = &g->state;
    const lks_run *run = lks_game_run(g);
    memset(out, 0, sizeof *out);
    if (!run || !g->model_known || !s->shown.open)
        return false;
    const lks_model_commitment c = {.op_count = g->model.op_count,
                                    .tensor_count = g->model.tensor_count,
                                    .sampler_op = g->model.sampler_op,
                                    .vocab_size = g->model.vocab_size,
                                    .max_positions = g->model.max_positions};
    lks_facts_of(&out->facts, run, &c);
    memcpy(out->trace_root, s->shown.root, 32);
    memcpy(out->prompt_hash, s->facts.prompt_hash, 32);
    memcpy(out->tokens_hash, s->facts.tokens_hash, 32);
    memcpy(out->allowed_hash, s->facts.allowed_hash, 32);
    return true;
}
