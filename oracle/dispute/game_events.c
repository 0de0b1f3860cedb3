/* The game's events in the order of the chain: whose turn it is, what was shown, which dispute goes
 * on. */
#include "oracle/dispute/game_internal.h"

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
    return lks_fail(LKS_CORRUPT,
                    "the claim's event %s does not fit those before it: some are missing, or from "
                    "another branch of the chain",
                    lks_game_event_name(e->kind));
}

/* ---- history and turns ---- */

static void add_step(replay *p, lks_game_entry *d, const lks_game_event *e, bool by_operator,
                     const lks_u256 *amount)
{
    if (p->step_count == p->step_room) /* counted before: cannot be */
        return;
    lks_game_step *step = &p->steps[p->step_count];
    *step = (lks_game_step){.kind = e->kind,
                            .by_operator = by_operator,
                            .op = e->op,
                            .height = e->height,
                            .index = e->index,
                            .element = e->element,
                            .how = e->how,
                            .block = p->log->block,
                            .time = p->log->time};
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
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF ||
           state == LKS_DISPUTE_PARTIALS;
}

/* A turn begins at the time of the log. */
static void begin_turn(replay *p, lks_game_entry *d, lks_dispute_state state, uint64_t deadline)
{
    lks_game_dispute *v = &d->view;
    uint64_t now = p->log->time;
    uint32_t *left = is_operators(v->now.state) ? &v->operator_left : &v->challenger_left;
    if (v->now.state != LKS_DISPUTE_NONE) {
        uint64_t used = now > v->turn_start ? now - v->turn_start : 0;
        *left = used < *left ? *left - (uint32_t)used : 0;
    }
    v->now.state = state;
    v->alone = p->s->live_count == 1;
    v->deadline = deadline;
    v->turn_start = now;
}

static void end(replay *p, lks_game_entry *d, lks_game_end how)
{
    if (d->view.now.state == LKS_DISPUTE_CLOSED)
        return;
    p->s->live_count--;
    begin_turn(p, d, LKS_DISPUTE_CLOSED, 0);
    d->view.turn_start = 0;
    d->view.alone = false;
    d->view.prepaid = lks_u256_from_u64(0);
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

/* ---- challenger's events ---- */

static unsigned top_height(const replay *p)
{
    return lks_log2_ceil(p->g->model.op_count);
}

static lks_err on_challenged(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_game_dispute *v = &d->view;
    bool open = p->s->shown.open;
    if (v->now.state != LKS_DISPUTE_NONE || p->s->status > LKS_CLAIM_DISPUTED ||
        e->state != (open ? LKS_DISPUTE_PICK : LKS_DISPUTE_ROOT))
        return contradiction(e);
    p->s->status = LKS_CLAIM_DISPUTED;
    p->s->live_count++;
    v->now.op = LKS_TOP;
    v->now.height = top_height(p);
    if (open)
        memcpy(v->node, p->s->shown.root, 32);
    v->operator_left = v->challenger_left = p->log->time ? p->g->deployment.budget : 0;
    v->prepaid = e->prepaid;
    add_step(p, d, e, false, &v->terms.bond);
    begin_turn(p, d, (lks_dispute_state)e->state, e->deadline);
    return LKS_OK;
}

/* Whether the contract could have taken the pick, as far as that can be told without the
 * operations' shapes: a node below the current one, at a stage, and not padding. */
static bool is_below(const replay *p, const lks_dispute *from, const lks_game_event *e)
{
    uint32_t ops = p->g->model.op_count;
    if (e->op == LKS_TOP) {
        if (e->height == 0 || !lks_stage_is(e->height, top_height(p)) ||
            (uint64_t)e->index << e->height >= ops)
            return false;
    } else if (e->op >= ops || e->height > LKS_TREE_MAX_BITS) {
        return false;
    }
    if (e->op == from->op)
        return e->height < from->height && e->index >> (from->height - e->height) == from->index;
    return from->op == LKS_TOP && (uint64_t)e->op >> from->height == from->index;
}

static lks_err on_picked(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_game_dispute *v = &d->view;
    if (v->now.state != LKS_DISPUTE_PICK || !is_below(p, &v->now, e))
        return contradiction(e);
    v->now.op = e->op;
    v->now.height = e->height;
    v->now.index = e->index;
    memcpy(v->node, e->hash, 32);
    v->prepaid = e->prepaid;
    add_step(p, d, e, false, &e->prepaid);
    bool leaf = e->op != LKS_TOP && e->height == 0;
    begin_turn(p, d, leaf ? LKS_DISPUTE_LEAF : LKS_DISPUTE_NODE, e->deadline);
    return LKS_OK;
}

static lks_err on_demanded(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_game_dispute *v = &d->view;
    if (v->now.state != LKS_DISPUTE_STEP || v->now.op != e->op)
        return contradiction(e);
    v->now.element = e->element;
    v->prepaid = e->prepaid;
    add_step(p, d, e, false, &e->prepaid);
    begin_turn(p, d, LKS_DISPUTE_PARTIALS, e->deadline);
    return LKS_OK;
}

/* ---- operator's events ---- */

/* The operator answered the dispute. */
static void answered(replay *p, lks_game_entry *d, const lks_game_event *e, lks_dispute_state next)
{
    d->view.prepaid = e->prepaid;
    add_step(p, d, e, true, &e->prepaid);
    begin_turn(p, d, next, e->deadline);
}

static lks_err show_children(replay *p, const lks_game_event *e, uint32_t op, unsigned height,
                             uint64_t index)
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

/* The trace is opened once, for every dispute that waits for it. Each of them has its whole budget
 * left on both sides, so the challenger's deadline in the event is that of all. */
static lks_err on_trace_opened(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_shown *shown = &p->s->shown;
    if (shown->open || d->view.now.state != LKS_DISPUTE_ROOT)
        return contradiction(e);
    lks_err err = show_children(p, e, LKS_TOP, top_height(p), 0);
    if (err)
        return err;
    shown->open = true;
    memcpy(shown->root, e->hash, 32);
    for (size_t i = 0; i < p->s->dispute_count; i++) {
        lks_game_entry *other = &p->s->disputes[i];
        if (other->view.now.state != LKS_DISPUTE_ROOT)
            continue;
        memcpy(other->view.node, e->hash, 32);
        if (other == d) {
            answered(p, d, e, LKS_DISPUTE_PICK);
        } else {
            add_step(p, other, e, true, NULL); /* its own prepayment is untouched */
            begin_turn(p, other, LKS_DISPUTE_PICK, e->deadline);
        }
    }
    return LKS_OK;
}

static bool is_at(const lks_dispute *at, const lks_game_event *e, unsigned height)
{
    return at->op == e->op && at->height == height && at->index == e->index;
}

static lks_err on_revealed(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    if (d->view.now.state != LKS_DISPUTE_NODE || !is_at(&d->view.now, e, e->height))
        return contradiction(e);
    answered(p, d, e, LKS_DISPUTE_PICK);
    return show_children(p, e, e->op, e->height, e->index);
}

static lks_err on_leaf(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    if (d->view.now.state != LKS_DISPUTE_LEAF || !is_at(&d->view.now, e, 0))
        return contradiction(e);
    answered(p, d, e, LKS_DISPUTE_STEP);
    p->s->leaves[p->s->shown.known.leaf_count++] =
        (lks_known_leaf){e->op, e->index, e->bytes, e->len};
    return LKS_OK;
}

static lks_err on_partials(replay *p, lks_game_entry *d, const lks_game_event *e)
{
    lks_dispute *at = &d->view.now;
    if (at->state != LKS_DISPUTE_PARTIALS || at->op != e->op || at->element != e->element)
        return contradiction(e);
    answered(p, d, e, LKS_DISPUTE_PARTIAL_STEP);
    at->partials = e->bytes;
    at->partials_len = e->len;
    return LKS_OK;
}

/* ---- ends ---- */

static lks_err on_convicted(replay *p, const lks_game_event *e)
{
    static const uint8_t none[32];
    lks_game_entry *winner = lks_game_entry_find(p->s, e->dispute_id);
    if (p->s->status > LKS_CLAIM_DISPUTED || (!winner && memcmp(e->dispute_id, none, 32)))
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
    if (!d || (e->kind != LKS_GAME_CHALLENGED && d->view.now.state == LKS_DISPUTE_NONE))
        return contradiction(e);
    switch (e->kind) {
    case LKS_GAME_CHALLENGED: return on_challenged(p, d, e);
    case LKS_GAME_TRACE_OPENED: return on_trace_opened(p, d, e);
    case LKS_GAME_PICKED: return on_picked(p, d, e);
    case LKS_GAME_REVEALED: return on_revealed(p, d, e);
    case LKS_GAME_LEAF_REVEALED: return on_leaf(p, d, e);
    case LKS_GAME_PARTIALS_DEMANDED: return on_demanded(p, d, e);
    case LKS_GAME_PARTIALS_OPENED: return on_partials(p, d, e);
    case LKS_GAME_DISPUTE_LOST:
        add_step(p, d, e, false, &e->amount);
        end(p, d, LKS_GAME_LOST);
        return LKS_OK;
    default: /* DisputeReclaimed */
        add_step(p, d, e, false, &e->amount);
        end(p, d, LKS_GAME_MOOT);
        d->view.reclaimed = true;
        return LKS_OK;
    }
}

static lks_err on_event(replay *p, const lks_game_event *e)
{
    switch (e->kind) {
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

static lks_err unite(lks_game_state *s)
{
    if (lks_game_nodes_unite(s->nodes, &s->shown.known.node_count) &&
        lks_game_leaves_unite(s->leaves, &s->shown.known.leaf_count))
        return LKS_OK;
    return lks_fail(LKS_CORRUPT, "two disputes about the claim show different things at one place: "
                                 "the node's events are not those of the contract");
}

/* One that others have joined is alone no longer. */
static void look_around(lks_game_state *s)
{
    for (size_t i = 0; i < s->dispute_count && s->live_count != 1; i++)
        s->disputes[i].view.alone = false;
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
        err = lks_game_log_decode(&e, p.log);
        if (!err)
            err = on_event(&p, &e);
    }
    if (!err)
        err = share_steps(&p);
    if (!err)
        err = unite(&g->state);
    if (!err)
        look_around(&g->state);
    free(p.steps);
    free(p.owners);
    return err;
}
