/* The game's events in the order of the chain: whose turn it is, what was shown, which dispute goes on. */
#include "oracle/game/game_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct replay {
    lks_game *g;
    lks_game_state *s;
    const lks_game_log *log;
    lks_game_step *steps; /* in the order of the chain, of all disputes */
    size_t *owners;       /* the dispute of each */
    size_t step_count, step_room;
} replay;

static lks_err contradiction(const lks_game_event *e)
{
    return lks_fail(LKS_CORRUPT, "the claim's event %s does not fit those before it: some are missing, or from another branch of the chain", lks_game_event_name(e->kind));
}

/* ---- history and clocks ---- */

static void add_step(replay *p, lks_game_entry *d, const lks_game_event *e, bool by_operator, const lks_u256 *amount)
{
    if (p->step_count == p->step_room) /* counted before: cannot be */
        return;
    lks_game_step *step = &p->steps[p->step_count];
    *step = (lks_game_step){.kind = e->kind, .by_operator = by_operator, .op = e->op, .height = e->height, .index = e->index, .element = e->element,
                            .block = p->log->block, .time = p->log->time};
    memcpy(step->hash, e->hash, 32);
    memcpy(step->tx, p->log->tx, 32);
    if (amount)
        step->amount = *amount;
    if (e->kind == LKS_GAME_CHALLENGED || e->kind == LKS_GAME_TRACE_OPENED) {
        step->op = LKS_TOP;
        step->height = lks_log2_ceil(p->g->model.op_count);
    }
    p->owners[p->step_count++] = d->order;
    d->view.step_count++;
}

static bool is_operators(lks_dispute_state state)
{
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF || state == LKS_DISPUTE_PARTIALS;
}

/* The turn passes, or goes on in another state, at the time of the log. */
static void go_on(replay *p, lks_game_entry *d, lks_dispute_state state)
{
    lks_game_dispute *v = &d->view;
    const lks_game_deployment *c = &p->g->deployment;
    uint64_t now = p->log->time;
    bool mover = is_operators(v->now.state);
    uint32_t *left = mover ? &v->operator_left : &v->challenger_left;
    if (v->now.state != LKS_DISPUTE_NONE) {
        uint64_t used = now > v->turn_start ? now - v->turn_start : 0;
        *left = used < *left ? *left - (uint32_t)used : 0;
    }
    v->now.state = state;
    if (!is_operators(state))
        v->prepaid = lks_u256_from_u64(0);
    if (state == LKS_DISPUTE_CLOSED || c->budget == 0 || now == 0) {
        v->turn_start = v->deadline = 0;
        return;
    }
    uint32_t rest = is_operators(state) ? v->operator_left : v->challenger_left;
    v->turn_start = now;
    v->deadline = now + (rest > c->floor ? rest : c->floor);
}

static void end(replay *p, lks_game_entry *d, lks_game_end how)
{
    if (d->view.now.state == LKS_DISPUTE_CLOSED)
        return;
    go_on(p, d, LKS_DISPUTE_CLOSED);
    d->view.end = how;
}

static void end_all(replay *p, const lks_game_event *e, lks_game_end how)
{
    for (size_t i = 0; i < p->s->dispute_count; i++) {
        lks_game_entry *d = &p->s->disputes[i];
        if (d->view.now.state == LKS_DISPUTE_NONE || d->view.now.state == LKS_DISPUTE_CLOSED)
            continue;
        add_step(p, d, e, false, NULL);
        end(p, d, how);
    }
}

/* ---- slots ---- */

static lks_dispute_state state_after(lks_slot_kind kind)
{
    return kind == LKS_SLOT_LEAF ? LKS_DISPUTE_STEP : kind == LKS_SLOT_PARTIALS ? LKS_DISPUTE_PARTIAL_STEP : LKS_DISPUTE_PICK;
}

static lks_dispute_state state_before(lks_slot_kind kind)
{
    static const lks_dispute_state states[] = {[LKS_SLOT_TRACE] = LKS_DISPUTE_ROOT,
                                               [LKS_SLOT_NODE] = LKS_DISPUTE_NODE,
                                               [LKS_SLOT_LEAF] = LKS_DISPUTE_LEAF,
                                               [LKS_SLOT_PARTIALS] = LKS_DISPUTE_PARTIALS};
    return states[kind];
}

/* The dispute asks for what an event names: it waits, or goes on where that is shown already. */
static void ask(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_slot key;
    lks_slot_of_event(&key, e);
    lks_slot *slot = lks_slots_find(&p->s->slots, &key);
    if (slot->filled) {
        go_on(p, d, state_after(key.kind));
        return;
    }
    go_on(p, d, state_before(key.kind));
    d->view.prepaid = e->prepaid;
    d->waits = slot->waiting;
    slot->waiting = d->order;
}

/* Returns: false when it was filled before. */
static bool fill(replay *p, const lks_game_event *e)
{
    lks_slot key;
    lks_slot_of_event(&key, e);
    lks_slot *slot = lks_slots_find(&p->s->slots, &key);
    if (slot->filled)
        return false;
    slot->filled = true;
    for (size_t i = slot->waiting; i != LKS_NOBODY;) {
        lks_game_entry *d = &p->s->disputes[i];
        i = d->waits;
        d->waits = LKS_NOBODY;
        if (d->view.now.state == LKS_DISPUTE_CLOSED)
            continue;
        add_step(p, d, e, true, NULL);
        go_on(p, d, state_after(key.kind));
    }
    slot->waiting = LKS_NOBODY;
    return true;
}

static lks_err show_children(replay *p, const lks_game_event *e, uint32_t op, unsigned height, uint64_t index)
{
    unsigned below;
    uint32_t count;
    if (!lks_stage_below(&below, &count, height))
        count = 0;
    if (e->node_count != count)
        return contradiction(e);
    for (uint32_t i = 0; i < count; i++) {
        lks_known_node *n = &p->s->nodes[p->s->shown.known.node_count++];
        *n = (lks_known_node){.op = op, .height = below, .index = index * count + i};
        memcpy(n->hash, e->nodes[i], 32);
    }
    return LKS_OK;
}

/* ---- events ---- */

static unsigned top_height(const replay *p) { return lks_log2_ceil(p->g->model.op_count); }

static lks_err on_challenged(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    bool open = p->s->shown.open;
    lks_game_dispute *v = &d->view;
    if (v->now.state != LKS_DISPUTE_NONE || memcmp(e->request_id, p->g->request_id, 32))
        return contradiction(e);
    v->now.op = LKS_TOP;
    v->now.height = top_height(p);
    if (open)
        memcpy(v->node, p->s->shown.root, 32);
    v->operator_left = v->challenger_left = p->log->time ? p->g->deployment.budget : 0;
    add_step(p, d, e, false, &e->amount);
    ask(p, d, e);
    return LKS_OK;
}

static lks_err on_trace_opened(replay *p, const lks_game_event *e)
{
    lks_shown *shown = &p->s->shown;
    if (shown->open || !p->g->model_known)
        return contradiction(e);
    lks_err err = show_children(p, e, LKS_TOP, top_height(p), 0);
    if (err)
        return err;
    shown->open = true;
    memcpy(shown->root, e->hash, 32);
    for (size_t i = 0; i < p->s->dispute_count; i++)
        memcpy(p->s->disputes[i].view.node, e->hash, 32);
    fill(p, e);
    return LKS_OK;
}

static lks_err on_picked(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_game_dispute *v = &d->view;
    if (v->now.state != LKS_DISPUTE_PICK || (e->op != LKS_TOP && e->op >= p->g->model.op_count))
        return contradiction(e);
    v->now.op = e->op;
    v->now.height = e->height;
    v->now.index = e->index;
    memcpy(v->node, e->hash, 32);
    add_step(p, d, e, false, &e->prepaid);
    ask(p, d, e);
    return LKS_OK;
}

static lks_err on_demanded(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_game_dispute *v = &d->view;
    if (v->now.state != LKS_DISPUTE_STEP || v->now.op != e->op)
        return contradiction(e);
    v->now.element = e->element;
    add_step(p, d, e, false, &e->prepaid);
    ask(p, d, e);
    return LKS_OK;
}

static lks_err on_leaf(replay *p, const lks_game_event *e)
{
    if (e->op >= p->g->model.op_count)
        return contradiction(e);
    if (fill(p, e))
        p->s->leaves[p->s->shown.known.leaf_count++] = (lks_known_leaf){e->op, e->index, e->bytes, e->len};
    return LKS_OK;
}

static lks_err on_partials(replay *p, const lks_game_event *e)
{
    if (e->op >= p->g->model.op_count)
        return contradiction(e);
    if (fill(p, e))
        p->s->partials[p->s->shown.partials_count++] = (lks_posted_partials){e->op, e->index, e->element, e->bytes, e->len};
    return LKS_OK;
}

static lks_err on_convicted(replay *p, const lks_game_event *e)
{
    static const uint8_t none[32];
    lks_game_entry *winner = lks_game_entry_find(p->s, e->dispute_id);
    if (p->s->status == LKS_CLAIM_CONVICTED || p->s->status == LKS_CLAIM_VOID || (!winner && memcmp(e->dispute_id, none, 32)))
        return contradiction(e);
    p->s->status = LKS_CLAIM_CONVICTED;
    if (winner && winner->view.now.state != LKS_DISPUTE_CLOSED) {
        add_step(p, winner, e, false, NULL);
        end(p, winner, LKS_GAME_WON);
    }
    end_all(p, e, LKS_GAME_MOOT);
    return LKS_OK;
}

static lks_err on_dispute_event(replay *p, const lks_game_event *e)
{
    lks_game_entry *d = lks_game_entry_find(p->s, e->dispute_id);
    if (!d)
        return contradiction(e);
    switch (e->kind) {
    case LKS_GAME_CHALLENGED:
        if (p->s->status == LKS_CLAIM_NONE)
            p->s->status = LKS_CLAIM_DISPUTED;
        return on_challenged(p, d, e);
    case LKS_GAME_PICKED: return on_picked(p, d, e);
    case LKS_GAME_PARTIALS_DEMANDED: return on_demanded(p, d, e);
    case LKS_GAME_DISPUTE_LOST:
        add_step(p, d, e, false, &e->amount);
        end(p, d, LKS_GAME_LOST);
        return LKS_OK;
    default: /* DisputeReclaimed */
        add_step(p, d, e, false, NULL);
        end(p, d, LKS_GAME_MOOT);
        d->view.reclaimed = true;
        return LKS_OK;
    }
}

static lks_err on_event(replay *p, const lks_game_event *e)
{
    switch (e->kind) {
    case LKS_GAME_TRACE_OPENED: return on_trace_opened(p, e);
    case LKS_GAME_REVEALED:
        if (!p->s->shown.open || (e->op != LKS_TOP && e->op >= p->g->model.op_count))
            return contradiction(e);
        return fill(p, e) ? show_children(p, e, e->op, e->height, e->index) : LKS_OK;
    case LKS_GAME_LEAF_REVEALED: return on_leaf(p, e);
    case LKS_GAME_PARTIALS_OPENED: return on_partials(p, e);
    case LKS_GAME_CLAIM_CONVICTED: return on_convicted(p, e);
    case LKS_GAME_CLAIM_VOIDED:
        p->s->status = LKS_CLAIM_VOID;
        end_all(p, e, LKS_GAME_MOOT);
        return LKS_OK;
    case LKS_GAME_SHAPE_RECORDED:
        if (p->s->has_request && memcmp(e->model_id, p->s->request.model_id, 32) == 0)
            lks_game_set_shape(p->g, e->op);
        return LKS_OK;
    default: return on_dispute_event(p, e);
    }
}

/* Gives each dispute its steps, in one array. */
static lks_err share_steps(replay *p)
{
    lks_game_state *s = p->s;
    s->steps = malloc((p->step_count + 1) * sizeof *s->steps);
    size_t *next = malloc((s->dispute_count + 1) * sizeof *next), at = 0;
    lks_err err = s->steps && next ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; !err && i < s->dispute_count; i++) {
        next[i] = at;
        s->disputes[i].view.steps = s->steps + at;
        at += s->disputes[i].view.step_count;
    }
    for (size_t i = 0; !err && i < p->step_count; i++)
        s->steps[next[p->owners[i]]++] = p->steps[i];
    free(next);
    return err;
}

lks_err lks_game_play(lks_game *g, size_t step_room)
{
    replay p = {.g = g, .s = &g->state, .step_room = step_room};
    lks_err err = LKS_OK;
    p.steps = malloc((step_room + 1) * sizeof *p.steps);
    p.owners = malloc((step_room + 1) * sizeof *p.owners);
    if (!p.steps || !p.owners)
        err = lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; i < g->log_count && !err; i++) {
        lks_game_event e;
        if (g->logs[i].source != LKS_LOG_GAME)
            continue;
        p.log = &g->logs[i];
        err = lks_game_event_decode(&e, (const uint8_t(*)[32])p.log->topics, p.log->topic_count, p.log->data, p.log->len);
        if (!err)
            err = on_event(&p, &e);
    }
    if (!err)
        err = share_steps(&p);
    free(p.steps);
    free(p.owners);
    return err;
}
