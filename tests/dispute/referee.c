#include "tests/dispute/referee_internal.h"

#include "chain/keccak.h"

void referee_open(referee *r, const lks_model *m, const lks_model_commitment *c, const lks_run *run)
{
    memset(r, 0, sizeof *r);
    r->model = m;
    r->run = run;
    r->commitment = *c;
    r->time = 1700000000;
    r->block = 10;
    r->deployment = (lks_game_deployment){.chain_id = 31337, .budget = REFEREE_BUDGET};
    memset(r->deployment.oracle, 1, 20);
    memset(r->deployment.game, 2, 20);
    memset(r->deployment.registry, 3, 20);
    r->recorded = calloc(m->program.op_count, sizeof *r->recorded);
    assert_non_null(r->recorded);
    referee_log_claim(r);
    lks_facts_of(&r->claim.facts, run, c);
    memcpy(r->claim.prompt_hash, r->request.prompt_hash, 32);
    memcpy(r->claim.allowed_hash, r->request.allowed_hash, 32);
    memcpy(r->claim.tokens_hash, r->facts.tokens_hash, 32);
}

void referee_close(referee *r)
{
    for (size_t i = 0; i < r->log_count; i++)
        free(r->logs[i].data);
    free(r->logs);
    free(r->times);
    free(r->recorded);
    memset(r, 0, sizeof *r);
}

/* ---- turns ---- */

bool referee_is_operators(lks_dispute_state s)
{
    return s == LKS_DISPUTE_ROOT || s == LKS_DISPUTE_NODE || s == LKS_DISPUTE_LEAF ||
           s == LKS_DISPUTE_PARTIALS;
}

static referee_dispute now(const referee *r, size_t i)
{
    referee_dispute d = r->disputes[i];
    if (r->over)
        d.at.state = LKS_DISPUTE_CLOSED;
    return d;
}

lks_dispute referee_at(const referee *r, size_t dispute)
{
    return now(r, dispute).at;
}

uint64_t referee_deadline(const referee_dispute *d)
{
    uint32_t mine = d->left[referee_is_operators(d->at.state) ? 0 : 1];
    return d->start + (mine > REFEREE_FLOOR ? mine : REFEREE_FLOOR);
}

/* The turn passes. */
static void pass(const referee *r, referee_dispute *d, lks_dispute_state next)
{
    uint32_t *left = &d->left[referee_is_operators(d->at.state) ? 0 : 1];
    uint64_t used = r->time - d->start;
    *left = *left > used ? *left - (uint32_t)used : 0;
    d->start = r->time;
    d->at.state = next;
    d->alone = r->live == 1;
}

void referee_mine(referee *r, unsigned blocks)
{
    r->block += blocks;
}

/* A block goes by with every move. */
static void tick(referee *r)
{
    r->block++;
    r->time += 1 + r->log_count % 7;
}

bool referee_challenge(referee *r, size_t *dispute)
{
    if (r->over || r->dispute_count == REFEREE_DISPUTES)
        return false;
    tick(r);
    referee_dispute *d = &r->disputes[r->dispute_count];
    memset(d, 0, sizeof *d);
    d->terms = (lks_dispute_terms){.claim = r->terms, .bond = lks_u256_from_u64(50)};
    d->terms.salt[30] = (uint8_t)(r->dispute_count >> 8);
    d->terms.salt[31] = (uint8_t)r->dispute_count;
    memset(d->terms.challenger, 0x55 + (int)r->dispute_count, 20);
    lks_dispute_id(d->id, &d->terms);
    d->at = (lks_dispute){.state = r->open ? LKS_DISPUTE_PICK : LKS_DISPUTE_ROOT,
                          .op = LKS_TOP,
                          .height = referee_top_height(r)};
    d->start = r->time;
    d->left[0] = d->left[1] = REFEREE_BUDGET;
    d->prepaid = r->open ? 0 : REFEREE_PREPAID;
    d->alone = ++r->live == 1;
    r->joined = d->alone ? r->joined : r->block;
    memcpy(d->node, r->root, 32);
    referee_log_challenged(r, d, referee_deadline(d));
    *dispute = r->dispute_count++;
    return true;
}

bool referee_record_shape(referee *r, uint32_t op)
{
    if (op >= r->model->program.op_count)
        return false;
    if (r->recorded[op])
        return true;
    tick(r);
    r->recorded[op] = true;
    referee_log_shape(r, op);
    return true;
}

void referee_commit(referee *r, const uint8_t commitment32[32])
{
    assert_true(r->commitment_count < REFEREE_COMMITMENTS);
    tick(r);
    referee_commitment *c = &r->commitments[r->commitment_count++];
    memcpy(c->hash, commitment32, 32);
    c->block = r->block;
}

/* ---- operator ---- */

static void answered(referee *r, referee_dispute *d, const lks_move *m, lks_dispute_state next)
{
    tick(r);
    pass(r, d, next);
    d->prepaid -= REFEREE_COST;
    if (m->kind != LKS_MOVE_OPEN_TRACE)
        referee_log_move(r, d, m, referee_deadline(d));
}

/* All disputes that wait for the trace go on with it. */
static bool open_trace(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_ROOT || r->open ||
        !referee_folds(r, LKS_TOP, referee_top_height(r), 0, m, m->hash))
        return false;
    r->open = true;
    memcpy(r->root, m->hash, 32);
    memcpy(r->claim.trace_root, m->hash, 32);
    memcpy(d->node, m->hash, 32);
    answered(r, d, m, LKS_DISPUTE_PICK);
    for (size_t i = 0; i < r->dispute_count; i++) {
        referee_dispute *other = &r->disputes[i];
        if (other->at.state != LKS_DISPUTE_ROOT || memcmp(other->id, d->id, 32) == 0)
            continue;
        memcpy(other->node, m->hash, 32);
        pass(r, other, LKS_DISPUTE_PICK);
    }
    referee_log_trace(r, d, m, referee_deadline(d));
    return true;
}

static bool reveal(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_NODE ||
        !referee_folds(r, d->at.op, d->at.height, d->at.index, m, d->node))
        return false;
    answered(r, d, m, LKS_DISPUTE_PICK);
    return true;
}

static bool reveal_leaf(referee *r, referee_dispute *d, const lks_move *m)
{
    uint32_t size;
    uint8_t hash[32];
    if (d->at.state != LKS_DISPUTE_LEAF)
        return false;
    lks_shape s = referee_shape(r, d->at.op);
    if (!lks_shape_leaf(&size, &s, d->at.index) || m->len != size)
        return false;
    lks_tree_leaf(hash, LKS_TREE_TRACE, m->bytes, m->len);
    if (memcmp(hash, d->node, 32))
        return false;
    answered(r, d, m, LKS_DISPUTE_STEP);
    return true;
}

static bool open_partials(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_PARTIALS)
        return false;
    lks_shape s = referee_shape(r, d->at.op);
    if (!lks_partials_are_valid((uint32_t)(d->at.index >> s.chunk_bits), m->bytes, m->len))
        return false;
    lks_keccak256(d->digest, m->bytes, m->len);
    answered(r, d, m, LKS_DISPUTE_PARTIAL_STEP);
    return true;
}

/* ---- challenger ---- */

static void asked(referee *r, referee_dispute *d, const lks_move *m, lks_dispute_state next)
{
    tick(r);
    pass(r, d, next);
    if (d->prepaid < REFEREE_PREPAID)
        d->prepaid = REFEREE_PREPAID;
    referee_log_move(r, d, m, referee_deadline(d));
}

static bool pick(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_PICK || !referee_pick_is_right(r, d, m))
        return false;
    d->at.op = m->op;
    d->at.height = m->height;
    d->at.index = m->index;
    memcpy(d->node, m->hash, 32);
    asked(r, d, m, m->height ? LKS_DISPUTE_NODE : LKS_DISPUTE_LEAF);
    return true;
}

static bool demand(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_STEP || r->model->program.ops[d->at.op].code != LKS_OP_ATTN)
        return false;
    lks_shape s = referee_shape(r, d->at.op);
    uint64_t chunk = d->at.index & ((UINT64_C(1) << s.chunk_bits) - 1);
    if (4 * (uint64_t)m->element >= s.row_size || m->element >> 8 != chunk)
        return false;
    d->at.element = m->element;
    asked(r, d, m, LKS_DISPUTE_PARTIALS);
    return true;
}

static void convict(referee *r, const referee_dispute *d, lks_conviction how, const lks_unit *u)
{
    tick(r);
    r->over = r->convicted = true;
    r->live = 0;
    referee_log_conviction(r, d, how, u);
}

void referee_prove(referee *r)
{
    convict(r, NULL, LKS_CONVICTION_PROOF, NULL);
}

/* Whether the challenger committed to the witness with that salt two blocks ago. */
static bool committed(const referee *r, const referee_dispute *d, const lks_move *m,
                      const uint8_t *salt32)
{
    uint8_t subject[32], hash[32];
    lks_call_witness w;
    lks_call_opening *openings;
    if (!salt32)
        return false;
    OK(lks_game_witness(&w, &openings, &m->witness));
    OK(lks_witness_hash(subject, &w));
    free(openings);
    lks_proof_commitment(hash, d->terms.challenger, salt32, subject);
    for (size_t i = 0; i < r->commitment_count; i++)
        if (memcmp(r->commitments[i].hash, hash, 32) == 0)
            return r->block + 1 >= r->commitments[i].block + LKS_GAME_COMMIT_BLOCKS;
    return false;
}

static bool step(referee *r, referee_dispute *d, const lks_move *m, const uint8_t *salt32)
{
    bool wrong = false, partial = m->kind == LKS_MOVE_STEP_PARTIAL;
    const lks_unit *u = &m->witness.unit;
    if (!r->open || partial != (d->at.state == LKS_DISPUTE_PARTIAL_STEP) ||
        partial != lks_unit_is_partial(u->kind))
        return false;
    bool alone = d->alone && (r->live == 1 || r->block + 1 < r->joined + LKS_GAME_COMMIT_BLOCKS);
    if (!alone && !committed(r, d, m, salt32))
        return false;
    if (partial) {
        uint8_t digest[32];
        lks_keccak256(digest, m->bytes, m->len);
        if (u->op != d->at.op || u->leaf != d->at.index || u->unit != d->at.element ||
            memcmp(digest, d->digest, 32))
            return false;
    }
    lks_err err = lks_witness_check(&wrong, &r->claim, &r->commitment, &m->witness,
                                    partial ? m->bytes : NULL, partial ? m->len : 0);
    if (err || !wrong)
        return false;
    convict(r, d, partial ? LKS_CONVICTION_PARTIAL_STEP : LKS_CONVICTION_STEP, u);
    return true;
}

bool referee_move(referee *r, size_t dispute, const lks_move *m, const uint8_t *commit_salt32)
{
    referee_dispute d = now(r, dispute);
    bool done = false;
    if (d.at.state == LKS_DISPUTE_CLOSED)
        return false;
    switch (m->kind) {
    case LKS_MOVE_OPEN_TRACE: done = open_trace(r, &d, m); break;
    case LKS_MOVE_REVEAL: done = reveal(r, &d, m); break;
    case LKS_MOVE_REVEAL_LEAF: done = reveal_leaf(r, &d, m); break;
    case LKS_MOVE_OPEN_PARTIALS: done = open_partials(r, &d, m); break;
    case LKS_MOVE_PICK: done = pick(r, &d, m); break;
    case LKS_MOVE_DEMAND_PARTIALS: done = demand(r, &d, m); break;
    case LKS_MOVE_STEP:
    case LKS_MOVE_STEP_PARTIAL: done = step(r, &d, m, commit_salt32); break;
    default: break;
    }
    if (done)
        r->disputes[dispute] = d;
    return done;
}

void referee_timeout(referee *r, size_t dispute)
{
    referee_dispute d = now(r, dispute);
    if (d.at.state == LKS_DISPUTE_CLOSED)
        return;
    uint64_t deadline = referee_deadline(&d);
    r->time = r->time > deadline ? r->time : deadline + 1;
    if (referee_is_operators(d.at.state)) {
        convict(r, &d, LKS_CONVICTION_TIMEOUT, NULL);
        return;
    }
    tick(r);
    r->live--;
    r->disputes[dispute].at.state = LKS_DISPUTE_CLOSED;
    referee_log_lost(r, &d);
}

/* ---- the follower ---- */

void referee_feed(const referee *r, lks_game *g, size_t *fed)
{
    for (; *fed < r->log_count; ++*fed)
        OK(lks_game_add(g, &r->logs[*fed], r->times[*fed]));
    OK(lks_game_update(g));
}

lks_game *referee_follow(const referee *r)
{
    lks_game *g;
    size_t fed = 0;
    OK(lks_game_new(&g, &r->deployment, r->name, r->claim_id));
    referee_feed(r, g, &fed);
    return g;
}

static void compare(const referee *r, const lks_game_dispute *d, const referee_dispute *want)
{
    uint8_t id[32];
    assert_int_equal(d->now.state, want->at.state);
    lks_dispute_id(id, &d->terms);
    assert_memory_equal(id, want->id, 32);
    if (want->at.state == LKS_DISPUTE_CLOSED) {
        assert_int_not_equal(d->end, LKS_GAME_LIVE);
        return;
    }
    assert_true(d->now.op == want->at.op && d->now.height == want->at.height &&
                d->now.index == want->at.index);
    if (want->at.state == LKS_DISPUTE_PARTIALS || want->at.state == LKS_DISPUTE_PARTIAL_STEP)
        assert_int_equal(d->now.element, want->at.element);
    if (want->at.state == LKS_DISPUTE_PARTIAL_STEP) {
        uint8_t digest[32];
        lks_keccak256(digest, d->now.partials, d->now.partials_len);
        assert_memory_equal(digest, want->digest, 32);
    }
    if (r->open)
        assert_memory_equal(d->node, want->node, 32);
    assert_true(d->turn_start == want->start && d->deadline == referee_deadline(want));
    assert_true(d->operator_left == want->left[0] && d->challenger_left == want->left[1]);
    assert_int_equal(d->prepaid.w[0], want->prepaid);
    assert_int_equal(d->alone, want->alone && r->live == 1);
}

void referee_compare(const referee *r, const lks_game *g)
{
    const lks_shown *shown = lks_game_shown(g);
    assert_int_equal(lks_game_dispute_count(g), r->dispute_count);
    assert_int_equal(lks_game_live_count(g), r->live);
    assert_int_equal(shown->open, r->open);
    if (r->open)
        assert_memory_equal(shown->root, r->root, 32);
    assert_int_equal(lks_game_status(g), r->convicted       ? LKS_CLAIM_CONVICTED
                                         : r->dispute_count ? LKS_CLAIM_DISPUTED
                                                            : LKS_CLAIM_NONE);
    for (size_t i = 0; i < r->dispute_count; i++) {
        const lks_game_dispute *d = lks_game_dispute_find(g, r->disputes[i].id);
        assert_non_null(d);
        assert_ptr_equal(d, lks_game_dispute_at(g, i));
        referee_dispute want = now(r, i);
        compare(r, d, &want);
    }
}
