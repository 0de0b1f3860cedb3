/* A claim's game from its logs: first what was asked and claimed, then the list of disputes, then
 * every event in the order of the chain. */
#include "oracle/dispute/game_internal.h"

#include <stdlib.h>
#include <string.h>

void lks_game_state_free(lks_game_state *s)
{
    free(s->prompt);
    free(s->allowed);
    free(s->answer);
    free(s->nodes);
    free(s->leaves);
    free(s->disputes);
    free(s->by_id);
    free(s->steps);
    memset(s, 0, sizeof *s);
}

static lks_err no_memory(void)
{
    return lks_fail(LKS_NOMEM, "out of memory");
}

/* ---- request and claim ---- */

static lks_err read_list(uint32_t **out, const uint8_t *packed, size_t len)
{
    *out = malloc(len ? len : 1);
    return *out ? lks_tokens_unpack(*out, packed, len) : no_memory();
}

static lks_err take_request(lks_game *g, const lks_event *e)
{
    lks_game_state *s = &g->state;
    uint8_t id[32];
    lks_request_id(id, g->deployment.chain_id, g->deployment.oracle, &e->request);
    if (memcmp(id, g->request_id, 32))
        return lks_fail(LKS_CORRUPT,
                        "a request does not hash to its id: chain id or oracle are others");
    if (s->has_request)
        return LKS_OK;
    s->request = e->request;
    s->run.policy = (lks_policy){.temperature = e->request.temperature, .min_p = e->request.min_p};
    lks_err err = read_list(&s->prompt, e->bytes, e->bytes_len);
    if (!err)
        err = read_list(&s->allowed, e->allowed, e->allowed_len);
    s->run.prompt = s->prompt;
    s->run.prompt_count = e->bytes_len / 4;
    s->run.policy.allowed = e->allowed_len ? s->allowed : NULL;
    s->run.policy.allowed_count = e->allowed_len / 4;
    s->has_request = !err;
    return err;
}

/* Once the request is known. The claim's id binds all that the event says: an event that gives
 * another id is of another claim, of a branch of the chain that is gone. */
static lks_err take_claim(lks_game *g, const lks_event *e)
{
    lks_game_state *s = &g->state;
    uint8_t hash[32], id[32];
    if (s->has_claim || !s->has_request)
        return LKS_OK;
    lks_tokens_hash(hash, e->bytes, e->bytes_len);
    lks_claim_facts_of(&s->facts, &s->request, e->seed, (uint32_t)(e->bytes_len / 4), hash);
    lks_claim_terms_of(&s->claim, g->deployment.oracle, g->name, e->account, &s->request,
                       &s->facts);
    lks_claim_id(id, &s->claim);
    if (memcmp(id, g->claim_id, 32))
        return LKS_OK;
    lks_err err = read_list(&s->answer, e->bytes, e->bytes_len);
    s->run.answer = s->answer;
    s->run.answer_count = e->bytes_len / 4;
    s->run.policy.seed = e->seed;
    s->window_end = e->time;
    s->has_claim = !err;
    return err;
}

static lks_err decode_log(lks_event *e, const lks_game_log *log)
{
    return lks_event_decode(e, (const uint8_t(*)[32])log->topics, log->topic_count, log->data,
                            log->len);
}

static lks_err take_model(lks_game *g, const lks_event *e)
{
    if (g->model_known || !g->state.has_request ||
        memcmp(e->model_id, g->state.request.model_id, 32))
        return LKS_OK;
    lks_err err = LKS_OK;
    if (memcmp(e->model.model_id, e->model_id, 32))
        err = lks_fail(LKS_CORRUPT, "a registered model does not hash to its id");
    if (!err && (e->model.op_count == 0 || e->model.op_count >= LKS_TOP))
        err = lks_fail(LKS_CORRUPT, "a registered model has %u operations", e->model.op_count);
    if (err)
        return err;
    g->model = e->model;
    g->model_known = true;
    return LKS_OK;
}

typedef lks_err (*take_event)(lks_game *g, const lks_event *e);

/* Hands over every event of a kind. */
static lks_err take_all(lks_game *g, lks_event_kind kind, take_event take)
{
    lks_err err = LKS_OK;
    for (size_t i = 0; i < g->log_count && !err; i++) {
        lks_event e;
        if (g->logs[i].source == LKS_LOG_GAME)
            continue;
        err = decode_log(&e, &g->logs[i]);
        if (!err && e.kind == kind)
            err = take(g, &e);
    }
    return err;
}

static lks_err take_claim_logs(lks_game *g)
{
    lks_err err = take_all(g, LKS_EVENT_REQUESTED, take_request);
    if (!err)
        err = take_all(g, LKS_EVENT_CLAIMED, take_claim);
    return err ? err : take_all(g, LKS_EVENT_MODEL_REGISTERED, take_model);
}

/* ---- disputes ---- */

lks_err lks_game_log_decode(lks_game_event *e, const lks_game_log *log)
{
    return lks_game_event_decode(e, (const uint8_t(*)[32])log->topics, log->topic_count, log->data,
                                 log->len);
}

static int compare_entries(const void *left, const void *right)
{
    const lks_game_entry *a = left, *b = right;
    return memcmp(a->view.id, b->view.id, 32);
}

lks_game_entry *lks_game_entry_find(const lks_game_state *s, const uint8_t id32[32])
{
    size_t low = 0, high = s->dispute_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        lks_game_entry *d = &s->disputes[s->by_id[middle]];
        int by = memcmp(id32, d->view.id, 32);
        if (by == 0)
            return d;
        if (by < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int compare_orders(const void *left, const void *right)
{
    const lks_game_entry *a = left, *b = right;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Sorts the disputes by id for the index, and back. */
static lks_err index_disputes(lks_game_state *s)
{
    size_t n = s->dispute_count;
    if (n == 0)
        return LKS_OK;
    s->by_id = malloc(n * sizeof *s->by_id);
    if (!s->by_id)
        return no_memory();
    qsort(s->disputes, n, sizeof *s->disputes, compare_entries);
    for (size_t i = 0; i < n; i++)
        s->by_id[i] = s->disputes[i].order;
    for (size_t i = 1; i < n; i++)
        if (memcmp(s->disputes[i - 1].view.id, s->disputes[i].view.id, 32) == 0)
            return lks_fail(LKS_CORRUPT, "a dispute was opened twice");
    qsort(s->disputes, n, sizeof *s->disputes, compare_orders);
    return LKS_OK;
}

typedef struct totals {
    size_t disputes, nodes, leaves, steps;
} totals;

static lks_err count_events(totals *n, const lks_game *g)
{
    memset(n, 0, sizeof *n);
    for (size_t i = 0; i < g->log_count; i++) {
        lks_game_event e;
        if (g->logs[i].source != LKS_LOG_GAME)
            continue;
        lks_err err = lks_game_log_decode(&e, &g->logs[i]);
        if (err)
            return err;
        n->disputes += e.kind == LKS_GAME_CHALLENGED;
        n->nodes += e.node_count;
        n->leaves += e.kind == LKS_GAME_LEAF_REVEALED;
        /* A dispute has a step for each event that names it, one for a trace that another had
         * opened, and one for the claim's end. */
        n->steps += e.kind == LKS_GAME_CHALLENGED ? 3 : 1;
    }
    return LKS_OK;
}

static lks_err make_room(lks_game_state *s, const totals *n)
{
    s->disputes = calloc(n->disputes + 1, sizeof *s->disputes);
    s->nodes = calloc(n->nodes + 1, sizeof *s->nodes);
    s->leaves = calloc(n->leaves + 1, sizeof *s->leaves);
    if (!s->disputes || !s->nodes || !s->leaves)
        return no_memory();
    s->shown.known.nodes = s->nodes;
    s->shown.known.leaves = s->leaves;
    return LKS_OK;
}

static lks_err list_disputes(lks_game *g)
{
    lks_game_state *s = &g->state;
    for (size_t i = 0; i < g->log_count; i++) {
        lks_game_event e;
        if (g->logs[i].source != LKS_LOG_GAME)
            continue;
        lks_err err = lks_game_log_decode(&e, &g->logs[i]);
        if (err)
            return err;
        if (e.kind != LKS_GAME_CHALLENGED)
            continue;
        lks_game_entry *d = &s->disputes[s->dispute_count];
        memcpy(d->view.id, e.dispute_id, 32);
        d->view.terms = e.dispute;
        d->order = s->dispute_count++;
    }
    return index_disputes(s);
}

lks_err lks_game_replay(lks_game *g)
{
    totals n;
    lks_err err = take_claim_logs(g);
    if (!err)
        err = count_events(&n, g);
    if (!err)
        err = make_room(&g->state, &n);
    if (!err)
        err = list_disputes(g);
    if (!err && n.disputes && !g->model_known)
        err = lks_fail(LKS_NOTFOUND, "the claim is disputed but its model is not known: its "
                                     "registration is missing");
    return err ? err : lks_game_play(g, n.steps);
}
