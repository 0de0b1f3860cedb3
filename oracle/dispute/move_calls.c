/* The player's moves as transactions to the game contract. */
#include "oracle/dispute/game.h"

#include "oracle/dispute/game_internal.h"
#include "oracle/trace/openings.h"

#include <stdlib.h>
#include <string.h>

/* A transaction's gas is at most this (EIP-7825). */
#define GAS_CAP (UINT64_C(1) << 24)

/* Gas of what calls do beside their calldata: bounds, about twice what they need. */
#define WORK_CHALLENGE 500000u
#define WORK_TRACE 250000u
#define WORK_PICK 250000u
#define WORK_REVEAL 200000u
#define WORK_LEAF 200000u
#define WORK_DEMAND 200000u
#define WORK_PARTIALS 200000u
#define WORK_PARTIAL_CHUNK 5000u
#define WORK_SHAPE 400000u
#define WORK_STEP 1000000u
#define WORK_WITNESS_BYTE 400u /* a weight's byte: unpacked, multiplied, hashed */
#define WORK_END 500000u
#define WORK_COMMIT 100000u

/* Transactions: 21,000 gas, 4 or 16 a byte of calldata, and at least 21,000 and 10 or 40 a byte
 * (EIP-7623). */
static uint64_t gas_limit(const lks_buf *data, uint64_t work)
{
    uint64_t tokens = 0;
    for (size_t i = 0; i < data->len; i++)
        tokens += data->data[i] ? 4 : 1;
    uint64_t standard = 21000 + 4 * tokens + work, floor = 21000 + 10 * tokens;
    uint64_t gas = standard > floor ? standard : floor;
    return gas < GAS_CAP ? gas : GAS_CAP;
}

void lks_game_calls_free(lks_game_calls *calls)
{
    for (size_t i = 0; i < sizeof calls->items / sizeof *calls->items; i++)
        lks_buf_free(&calls->items[i].data);
    memset(calls, 0, sizeof *calls);
}

/* Ends the transaction that was written into the next item. */
static lks_err finish(lks_game_calls *out, lks_err err, uint64_t work)
{
    if (err) {
        lks_game_calls_free(out);
        return err;
    }
    lks_game_tx *tx = &out->items[out->count++];
    tx->gas = gas_limit(&tx->data, work);
    return LKS_OK;
}

/* The same for one that asks the operator for something. */
static lks_err finish_question(lks_game_calls *out, lks_err err, uint64_t work,
                               lks_dispute_state asks, uint32_t position)
{
    err = finish(out, err, work);
    if (err)
        return err;
    out->items[out->count - 1].asks = asks;
    out->items[out->count - 1].position = position;
    return LKS_OK;
}

void lks_game_pay(lks_game_tx *tx, const lks_u256 *prepayment, const lks_game_dispute *d)
{
    lks_u256 due;
    if (tx->asks == LKS_DISPUTE_NONE)
        return;
    lks_u256_mul_u64(&due, prepayment, 2);
    if (d && lks_u256_cmp(&d->prepaid, &due) >= 0)
        return;
    if (d)
        lks_u256_sub(&due, &due, &d->prepaid);
    lks_u256_add(&tx->value, &tx->value, &due);
}

static lks_buf *next(lks_game_calls *out)
{
    return &out->items[out->count].data;
}

static const uint8_t (*words(uint8_t (*hashes)[32]))[32]
{
    return (const uint8_t(*)[32])hashes;
}

lks_err lks_game_witness(lks_call_witness *out, lks_call_opening **openings, const lks_witness *w)
{
    *openings = malloc((w->count + 1) * sizeof **openings);
    if (!*openings)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; i < w->count; i++)
        (*openings)[i] = (lks_call_opening){w->openings[i].data, w->openings[i].data_len,
                                            words(w->openings[i].path), w->openings[i].path_count};
    *out = (lks_call_witness){(uint8_t)w->unit.kind, w->unit.op, w->unit.leaf, w->unit.unit,
                              w->unit.place,         *openings,  w->count};
    return LKS_OK;
}

static lks_err need_claim(const lks_game *g)
{
    if (lks_game_run(g) && lks_game_model(g))
        return LKS_OK;
    return lks_fail(LKS_BADARGS,
                    "the claim's request, answer or model is not known yet: read their "
                    "events first");
}

/* How the claim is named to the game. opening: room for LKS_REQUEST_SIZE bytes, to which *out
 * points. */
static void name_claim(lks_claim_ref *out, uint8_t opening[LKS_REQUEST_SIZE], const lks_game *g)
{
    memcpy(out->source, g->deployment.oracle, 20);
    memcpy(out->name, g->name, 32);
    lks_request_encode(opening, &g->state.request);
    out->opening = opening;
    out->opening_len = LKS_REQUEST_SIZE;
}

/* ---- shapes ---- */

typedef struct program_tree {
    lks_shape shape;
    uint8_t (*leaves)[32];
} program_tree;

static lks_err program_node(void *user, uint8_t hash32[32], bool top, unsigned height,
                            uint64_t index)
{
    (void)top; /* the program is one item: there is no tree above it */
    const program_tree *t = user;
    lks_item_node(hash32, LKS_TREE_PROGRAM, &t->shape, words(t->leaves), height, index);
    return LKS_OK;
}

/* recordShape, ahead of a pick. */
static lks_err call_shape(lks_game_calls *out, const lks_game *g, const lks_model *model,
                          uint32_t op)
{
    const lks_program *p = &model->program;
    uint8_t descriptor[LKS_DESCRIPTOR_SIZE], path[LKS_PATH_MAX][32];
    program_tree t;
    size_t count;
    if (op >= p->op_count || p->op_count != g->model.op_count)
        return lks_fail(LKS_BADARGS, "the model has no operation %u, or it is not the request's",
                        op);
    lks_shape_rows(&t.shape, LKS_DESCRIPTOR_SIZE, p->op_count);
    t.leaves = malloc(p->op_count * sizeof *t.leaves);
    if (!t.leaves)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (uint32_t i = 0; i < p->op_count; i++) {
        lks_op_encode(descriptor, &p->ops[i]);
        lks_tree_leaf(t.leaves[i], LKS_TREE_PROGRAM, descriptor, sizeof descriptor);
    }
    lks_err err = lks_opening_path(path, &count, op, (uint64_t)op + 1, t.shape.height, 0, 0,
                                   program_node, &t);
    free(t.leaves);
    if (err)
        return err;
    lks_op_encode(descriptor, &p->ops[op]);
    const lks_call_opening opening = {descriptor, sizeof descriptor, words(path), count};
    err = lks_call_record_shape(next(out), &g->model, (uint16_t)op, &opening);
    return finish(out, err, WORK_SHAPE);
}

/* ---- moves ---- */

static lks_err call_pick(lks_game_calls *out, const lks_game *g, const lks_game_dispute *d,
                         const lks_move *m, const lks_model *model)
{
    lks_err err = LKS_OK;
    if (m->op > LKS_TOP || m->height > UINT8_MAX || m->index > UINT32_MAX)
        return lks_fail(LKS_BADARGS,
                        "a pick of operation %u, height %u is none that the contract takes", m->op,
                        m->height);
    if (m->op != LKS_TOP && !lks_game_shape_known(g, m->op)) {
        if (!model)
            return lks_fail(LKS_BADARGS,
                            "a pick needs the model: the shape of operation %u is to be recorded",
                            m->op);
        err = call_shape(out, g, model, m->op);
    }
    if (err)
        return err;
    bool leaf = m->op != LKS_TOP && m->height == 0;
    err = lks_call_pick(next(out), &d->terms, (uint16_t)m->op, (uint8_t)m->height,
                        (uint32_t)m->index, m->hash, words(m->hashes), m->hash_count);
    return finish_question(out, err, WORK_PICK, leaf ? LKS_DISPUTE_LEAF : LKS_DISPUTE_NODE, 0);
}

static lks_err call_demand(lks_game_calls *out, const lks_game *g, const lks_game_dispute *d,
                           const lks_move *m, const lks_model *model)
{
    const lks_run *run = lks_game_run(g);
    uint32_t last = (uint32_t)(run->prompt_count + run->answer_count) - 2, position = last;
    if (model &&
        m->op < model->program.op_count) { /* else the last position, which costs the most */
        lks_shape s;
        lks_shape_output(&s, &model->program.ops[m->op], last + 1, (uint32_t)run->answer_count);
        position = (uint32_t)(m->index >> s.chunk_bits);
    }
    lks_err err = lks_call_demand_partials(next(out), &d->terms, m->element);
    return finish_question(out, err, WORK_DEMAND, LKS_DISPUTE_PARTIALS, position);
}

static uint64_t witness_work(const lks_witness *w)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < w->count; i++)
        bytes += w->openings[i].data_len;
    return WORK_STEP + WORK_WITNESS_BYTE * bytes;
}

static lks_err call_step(lks_game_calls *out, const lks_game *g, const lks_game_dispute *d,
                         const lks_move *m, const uint8_t *commit_salt32)
{
    static const uint8_t no_salt[32];
    const uint8_t *salt = commit_salt32 ? commit_salt32 : no_salt;
    const lks_claim_facts *facts = &g->state.facts;
    lks_call_witness w;
    lks_call_opening *openings;
    if (!commit_salt32 && !d->alone)
        return lks_fail(LKS_BADARGS, "another dispute about the claim is live: commit to the proof "
                                     "first");
    lks_err err = lks_game_witness(&w, &openings, &m->witness);
    if (err)
        return err;
    if (m->kind == LKS_MOVE_STEP)
        err = lks_call_step(next(out), &d->terms, facts, &g->model, &w, salt);
    else
        err = lks_call_step_partial(next(out), &d->terms, facts, &g->model, &w, m->bytes, m->len,
                                    salt);
    free(openings);
    return finish(out, err, witness_work(&m->witness));
}

/* The operator's moves, which need nothing but the dispute. */
static lks_err call_answer(lks_game_calls *out, const lks_game_dispute *d, const lks_move *m)
{
    const uint8_t(*hashes)[32] = words(m->hashes);
    lks_err err;
    switch (m->kind) {
    case LKS_MOVE_OPEN_TRACE:
        err = lks_call_open_trace(next(out), &d->terms, m->hash, hashes, m->hash_count);
        return finish(out, err, WORK_TRACE);
    case LKS_MOVE_REVEAL:
        err = lks_call_reveal(next(out), &d->terms, hashes, m->hash_count);
        return finish(out, err, WORK_REVEAL);
    case LKS_MOVE_REVEAL_LEAF:
        err = lks_call_reveal_leaf(next(out), &d->terms, m->bytes, m->len);
        return finish(out, err, WORK_LEAF);
    default: /* partials: at least 12 bytes per chunk */
        err = lks_call_open_partials(next(out), &d->terms, m->bytes, m->len);
        return finish(out, err, WORK_PARTIALS + WORK_PARTIAL_CHUNK * (uint64_t)(m->len / 12));
    }
}

bool lks_game_must_commit(const lks_game_dispute *d, const lks_move *m)
{
    return (m->kind == LKS_MOVE_STEP || m->kind == LKS_MOVE_STEP_PARTIAL) && !d->alone;
}

lks_err lks_game_call(lks_game_calls *out, const lks_game *g, const lks_game_dispute *d,
                      const lks_move *m, const lks_model *model, const uint8_t *commit_salt32)
{
    memset(out, 0, sizeof *out);
    if (m->kind == LKS_MOVE_NONE)
        return LKS_OK;
    lks_err err = need_claim(g);
    if (err)
        return err;
    switch (m->kind) {
    case LKS_MOVE_OPEN_TRACE:
    case LKS_MOVE_REVEAL:
    case LKS_MOVE_REVEAL_LEAF:
    case LKS_MOVE_OPEN_PARTIALS: return call_answer(out, d, m);
    case LKS_MOVE_PICK: err = call_pick(out, g, d, m, model); break;
    case LKS_MOVE_DEMAND_PARTIALS: err = call_demand(out, g, d, m, model); break;
    case LKS_MOVE_STEP:
    case LKS_MOVE_STEP_PARTIAL: err = call_step(out, g, d, m, commit_salt32); break;
    default: err = lks_fail(LKS_BADARGS, "there is no move of kind %d", (int)m->kind); break;
    }
    if (err)
        lks_game_calls_free(out);
    return err;
}

lks_err lks_game_call_challenge(lks_game_calls *out, uint8_t dispute_id32[32], const lks_game *g,
                                const uint8_t challenger20[20], const uint8_t salt32[32],
                                const lks_u256 *bond)
{
    lks_claim_ref claim;
    uint8_t opening[LKS_REQUEST_SIZE];
    memset(out, 0, sizeof *out);
    lks_err err = need_claim(g);
    if (err)
        return err;
    lks_dispute_terms terms = {.claim = g->state.claim, .bond = *bond};
    memcpy(terms.challenger, challenger20, 20);
    memcpy(terms.salt, salt32, 32);
    lks_dispute_id(dispute_id32, &terms);
    name_claim(&claim, opening, g);
    err = lks_call_challenge(next(out), &claim, &g->model, bond, salt32);
    bool open = g->state.shown.open;
    err = finish_question(out, err, WORK_CHALLENGE, open ? LKS_DISPUTE_NONE : LKS_DISPUTE_ROOT, 0);
    if (!err)
        out->items[0].value = *bond;
    return err;
}

lks_err lks_game_call_timeout(lks_game_calls *out, const lks_game_dispute *d)
{
    memset(out, 0, sizeof *out);
    return finish(out, lks_call_timeout(next(out), &d->terms), WORK_END);
}

lks_err lks_game_call_reclaim(lks_game_calls *out, const lks_game_dispute *d)
{
    memset(out, 0, sizeof *out);
    return finish(out, lks_call_reclaim(next(out), &d->terms), WORK_END);
}

lks_err lks_game_call_commit_proof(lks_game_calls *out, const lks_witness *w,
                                   const uint8_t sender20[20], const uint8_t salt32[32])
{
    lks_call_witness call;
    lks_call_opening *openings;
    uint8_t subject[32], commitment[32];
    memset(out, 0, sizeof *out);
    lks_err err = lks_game_witness(&call, &openings, w);
    if (err)
        return err;
    err = lks_witness_hash(subject, &call);
    free(openings);
    if (err)
        return err;
    lks_proof_commitment(commitment, sender20, salt32, subject);
    return finish(out, lks_call_commit_proof(next(out), commitment), WORK_COMMIT);
}

uint64_t lks_game_proof_delay(const lks_game *g)
{
    return lks_game_live_count(g) ? LKS_GAME_LIVE_COMMIT_BLOCKS : LKS_GAME_COMMIT_BLOCKS;
}

lks_err lks_game_call_prove(lks_game_calls *out, const lks_game *g, const uint8_t root32[32],
                            const uint8_t *signature, size_t signature_len, const lks_witness *w,
                            const uint8_t salt32[32])
{
    lks_call_witness call;
    lks_call_opening *openings;
    lks_claim_ref claim;
    uint8_t opening[LKS_REQUEST_SIZE];
    memset(out, 0, sizeof *out);
    lks_err err = need_claim(g);
    if (!err)
        err = lks_game_witness(&call, &openings, w);
    if (err)
        return err;
    name_claim(&claim, opening, g);
    err = lks_call_prove(next(out), &claim, root32, signature, signature_len, &g->model, &call,
                         salt32);
    free(openings);
    return finish(out, err, witness_work(w) + WORK_END);
}

lks_err lks_game_call_prove_equivocation(lks_game_calls *out, const lks_game *g,
                                         const uint8_t other_root32[32], const uint8_t *signature,
                                         size_t signature_len, const uint8_t salt32[32])
{
    lks_claim_ref claim;
    uint8_t opening[LKS_REQUEST_SIZE];
    memset(out, 0, sizeof *out);
    lks_err err = need_claim(g);
    if (err)
        return err;
    name_claim(&claim, opening, g);
    err = lks_call_prove_equivocation(next(out), &claim, g->state.shown.root, NULL, 0, other_root32,
                                      signature, signature_len, salt32);
    return finish(out, err, WORK_END);
}
