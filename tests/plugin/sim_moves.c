/* The moves of the simulated dispute game, on the hashes that the players send; steps are judged by
 * the verifier's twin in C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oracle/dispute/game.h"
#include "tests/plugin/sim_game.h"

#define OK(expression) assert_int_equal(expression, LKS_OK)

/* ---- the operator ---- */

static void put_nodes(lks_abi_writer *e, const uint8_t (*nodes)[32], size_t count)
{
    lks_abi_begin_array(e, count, 1);
    for (size_t i = 0; i < count; i++)
        lks_abi_put_word(e, nodes[i]);
    lks_abi_end(e);
}

/* Row of the output that the current leaf lies in. */
static uint32_t row_of(sim *s, const sim_dispute *d)
{
    lks_shape shape;
    const sim_request *q = &s->requests[d->request];
    uint32_t tokens = (uint32_t)(sim_seat_of(s, d)->tokens.len / 4);
    lks_shape_output(&shape, &s->model->program.ops[d->at.op], q->request.prompt_count + tokens - 1,
                     tokens);
    return (uint32_t)(d->at.index >> shape.chunk_bits);
}

typedef struct shown {
    uint8_t root[32], nodes[32][32];
    size_t count;
    const uint8_t *bytes;
    size_t len;
} shown;

static const char *read_shown(const sim_dispute *d, lks_dispute_state wanted, lks_abi_reader *r,
                              shown *out)
{
    lks_abi_reader list;
    unsigned height;
    uint32_t children;
    memset(out, 0, sizeof *out);
    if (wanted == LKS_DISPUTE_LEAF || wanted == LKS_DISPUTE_PARTIALS) {
        OK(lks_abi_read_bytes(r, &out->bytes, &out->len));
        return NULL;
    }
    if (wanted == LKS_DISPUTE_ROOT)
        OK(lks_abi_read_word(r, out->root));
    OK(lks_abi_read_array(r, 1, &list, &out->count));
    lks_stage_below(&height, &children, d->at.height);
    if (out->count != children)
        return "WrongChildCount()";
    for (size_t i = 0; i < out->count; i++)
        OK(lks_abi_read_word(&list, out->nodes[i]));
    return NULL;
}

static void log_shown(sim *s, const sim_dispute *d, lks_dispute_state wanted, const shown *what,
                      const sim_block *b)
{
    static const lks_game_event_kind kinds[] = {[LKS_DISPUTE_ROOT] = LKS_GAME_TRACE_OPENED,
                                                [LKS_DISPUTE_NODE] = LKS_GAME_REVEALED,
                                                [LKS_DISPUTE_LEAF] = LKS_GAME_LEAF_REVEALED,
                                                [LKS_DISPUTE_PARTIALS] = LKS_GAME_PARTIALS_OPENED};
    static const size_t words[] = {[LKS_DISPUTE_ROOT] = 4,
                                   [LKS_DISPUTE_NODE] = 6,
                                   [LKS_DISPUTE_LEAF] = 5,
                                   [LKS_DISPUTE_PARTIALS] = 6};
    lks_abi_writer e;
    sim_log *log = sim_game_log(s, d, kinds[wanted], b);
    lks_abi_begin(&e, &log->data, words[wanted]);
    if (wanted == LKS_DISPUTE_ROOT)
        lks_abi_put_word(&e, what->root);
    else
        lks_abi_put_u64(&e, d->at.op);
    if (wanted == LKS_DISPUTE_NODE)
        lks_abi_put_u64(&e, d->at.height);
    if (wanted == LKS_DISPUTE_NODE || wanted == LKS_DISPUTE_LEAF)
        lks_abi_put_u64(&e, d->at.index);
    if (wanted == LKS_DISPUTE_PARTIALS) {
        lks_abi_put_u64(&e, row_of(s, d));
        lks_abi_put_u64(&e, d->at.element);
    }
    if (what->bytes)
        lks_abi_put_bytes(&e, what->bytes, what->len);
    else
        put_nodes(&e, (const uint8_t(*)[32])what->nodes, what->count);
    lks_abi_put_u256(&e, &d->prepaid);
    lks_abi_put_u64(&e, sim_deadline(s, d));
    OK(lks_abi_finish(&e));
}

static lks_dispute_state after(lks_dispute_state wanted)
{
    if (wanted == LKS_DISPUTE_LEAF)
        return LKS_DISPUTE_STEP;
    return wanted == LKS_DISPUTE_PARTIALS ? LKS_DISPUTE_PARTIAL_STEP : LKS_DISPUTE_PICK;
}

/* The trace is open for all disputes that wait for it. */
static void open_all(sim *s, sim_dispute *d, const uint8_t root[32], const sim_block *b)
{
    sim_seat *seat = sim_seat_of(s, d);
    seat->is_open = true;
    memcpy(seat->root, root, 32);
    for (size_t i = 0; i < s->dispute_count; i++) {
        sim_dispute *other = &s->disputes[i];
        if (other == d || other->at.state != LKS_DISPUTE_ROOT ||
            memcmp(other->claim_id, d->claim_id, 32))
            continue;
        uint64_t start = other->start;
        sim_begin_turn(s, other, LKS_DISPUTE_PICK, b);
        other->root_start = start;
        other->alone = false;
    }
}

/* openTrace, reveal, revealLeaf, openPartials: the answer to what this dispute asks. */
static const char *answer(sim *s, sim_dispute *d, lks_dispute_state wanted, lks_abi_reader *r,
                          const sim_run *run)
{
    shown what;
    const lks_u256 cost = lks_u256_from_u64(SIM_ANSWER_COST);
    bool repeat =
        (wanted == LKS_DISPUTE_NODE || wanted == LKS_DISPUTE_LEAF) && d->at.state == after(wanted);
    if (repeat)
        return NULL;
    if (d->at.state != wanted)
        return "WrongState(uint8)";
    if (run->block->time > sim_deadline(s, d))
        return "TooLate()";
    const char *error = read_shown(d, wanted, r, &what);
    if (error || !run->commit)
        return error;
    s->answers++;
    lks_u256_sub(&d->prepaid, &d->prepaid, &cost);
    bool is_agent =
        sim_acts_for(s, run->sender, d->terms.claim.operator_address, LKS_AGENT_DISPUTES);
    sim_earn(s, is_agent ? run->sender : d->terms.claim.operator_address, &cost);
    sim_account *asker = sim_account_at(s, d->terms.challenger);
    if (asker)
        lks_u256_add(&asker->answers, &asker->answers, &cost);
    sim_begin_turn(s, d, after(wanted), run->block);
    if (wanted == LKS_DISPUTE_ROOT)
        open_all(s, d, what.root, run->block);
    if (wanted == LKS_DISPUTE_PARTIALS) {
        lks_buf_clear(&d->partials);
        lks_buf_put(&d->partials, what.bytes, what.len);
    }
    log_shown(s, d, wanted, &what, run->block);
    return NULL;
}

/* ---- the challenger's questions ---- */

/* A question is paid for. */
static const char *prepay(sim *s, sim_dispute *d, const sim_run *run)
{
    const lks_u256 due = sim_prepayment(s);
    lks_u256 missing = lks_u256_from_u64(0);
    if (lks_u256_cmp(&d->prepaid, &due) < 0)
        lks_u256_sub(&missing, &due, &d->prepaid);
    const char *error = sim_collect(s, &missing, run);
    if (!error && run->commit)
        lks_u256_add(&d->prepaid, &d->prepaid, &missing);
    return error;
}

static const char *pick(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_run *run)
{
    uint32_t op = 0, height = 0, index = 0;
    uint8_t node[32];
    lks_abi_writer e;
    OK(lks_abi_read_u32(r, &op));
    OK(lks_abi_read_u32(r, &height));
    OK(lks_abi_read_u32(r, &index));
    OK(lks_abi_read_word(r, node));
    if (d->at.state != LKS_DISPUTE_PICK)
        return "WrongState(uint8)";
    if (run->block->time > sim_deadline(s, d))
        return "TooLate()";
    if (op != LKS_TOP && !s->shapes[op])
        return "UnknownShape()";
    const char *error = prepay(s, d, run);
    if (error || !run->commit)
        return error;
    sim_begin_turn(s, d, op != LKS_TOP && height == 0 ? LKS_DISPUTE_LEAF : LKS_DISPUTE_NODE,
                   run->block);
    d->at.op = op;
    d->at.height = height;
    d->at.index = index;
    sim_log *log = sim_game_log(s, d, LKS_GAME_PICKED, run->block);
    lks_abi_begin(&e, &log->data, 6);
    lks_abi_put_u64(&e, op);
    lks_abi_put_u64(&e, height);
    lks_abi_put_u64(&e, index);
    lks_abi_put_word(&e, node);
    lks_abi_put_u256(&e, &d->prepaid);
    lks_abi_put_u64(&e, sim_deadline(s, d));
    OK(lks_abi_finish(&e));
    return NULL;
}

static const char *demand(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_run *run)
{
    uint32_t element = 0;
    OK(lks_abi_read_u32(r, &element));
    if (d->at.state != LKS_DISPUTE_STEP)
        return "WrongState(uint8)";
    if (run->block->time > sim_deadline(s, d))
        return "TooLate()";
    const char *error = prepay(s, d, run);
    if (error || !run->commit)
        return error;
    sim_begin_turn(s, d, LKS_DISPUTE_PARTIALS, run->block);
    d->at.element = element;
    const uint64_t data[5] = {d->at.op, row_of(s, d), element, d->prepaid.w[0], sim_deadline(s, d)};
    sim_log_numbers(sim_game_log(s, d, LKS_GAME_PARTIALS_DEMANDED, run->block), 5, data);
    return NULL;
}

/* ---- proofs ---- */

static void read_opening(lks_opening *o, lks_abi_reader *list)
{
    lks_abi_reader one, path;
    const uint8_t *bytes = NULL;
    OK(lks_abi_read_tuple(list, &one));
    OK(lks_abi_read_bytes(&one, &bytes, &o->data_len));
    OK(lks_abi_read_array(&one, 1, &path, &o->path_count));
    o->data = malloc(o->data_len + 1);
    o->path = malloc(32 * o->path_count + 1);
    assert_true(o->data && o->path);
    memcpy(o->data, bytes, o->data_len);
    for (size_t i = 0; i < o->path_count; i++)
        OK(lks_abi_read_word(&path, o->path[i]));
}

static void read_witness(lks_witness *w, lks_abi_reader *r)
{
    lks_abi_reader t, list;
    uint32_t kind = 0;
    memset(w, 0, sizeof *w);
    OK(lks_abi_read_tuple(r, &t));
    OK(lks_abi_read_u32(&t, &kind));
    w->unit.kind = (lks_unit_kind)kind;
    OK(lks_abi_read_u32(&t, &w->unit.op));
    OK(lks_abi_read_u32(&t, &w->unit.leaf));
    OK(lks_abi_read_u32(&t, &w->unit.unit));
    OK(lks_abi_read_u32(&t, &w->unit.place));
    OK(lks_abi_read_array(&t, 1, &list, &w->count));
    w->openings = calloc(w->count + 1, sizeof *w->openings);
    assert_non_null(w->openings);
    for (size_t i = 0; i < w->count; i++)
        read_opening(&w->openings[i], &list);
}

/* Whether the sender committed to the witness long enough ago. */
static bool is_committed(const sim *s, const lks_witness *w, const uint8_t salt[32],
                         uint64_t blocks, const sim_run *run)
{
    lks_call_witness call;
    lks_call_opening *openings;
    uint8_t subject[32], commitment[32];
    OK(lks_game_witness(&call, &openings, w));
    OK(lks_witness_hash(subject, &call));
    free(openings);
    lks_proof_commitment(commitment, run->sender, salt, subject);
    for (size_t i = 0; i < s->commitment_count; i++)
        if (memcmp(s->commitments[i].hash, commitment, 32) == 0 &&
            s->commitments[i].block + blocks <= run->block->number)
            return true;
    return false;
}

static void claim_facts(sim *s, const sim_request *q, const sim_seat *seat, lks_witness_claim *c)
{
    *c = (lks_witness_claim){.facts = {.prompt_count = q->request.prompt_count,
                                       .answer_count = (uint32_t)(seat->tokens.len / 4),
                                       .allowed_count = q->request.allowed_count,
                                       .seed = q->seed,
                                       .op_count = s->commitment.op_count,
                                       .tensor_count = s->commitment.tensor_count,
                                       .sampler_op = s->commitment.sampler_op,
                                       .vocab_size = s->commitment.vocab_size,
                                       .max_positions = s->commitment.max_positions}};
    memcpy(&c->facts.temperature, &q->request.temperature, 4);
    memcpy(&c->facts.min_p, &q->request.min_p, 4);
    memcpy(c->trace_root, seat->root, 32);
    memcpy(c->prompt_hash, q->request.prompt_hash, 32);
    lks_tokens_hash(c->tokens_hash, seat->tokens.data, seat->tokens.len);
    memcpy(c->allowed_hash, q->request.allowed_hash, 32);
}

static const char *step(sim *s, sim_dispute *d, lks_abi_reader *r, bool on_partials,
                        const sim_run *run)
{
    lks_witness w;
    lks_witness_claim c;
    const uint8_t *partials = NULL;
    size_t partials_len = 0;
    bool wrong = false;
    uint8_t word[32], salt[32];
    if (on_partials ? d->at.state != LKS_DISPUTE_PARTIAL_STEP : !sim_seat_of(s, d)->is_open)
        return "WrongState(uint8)";
    if (run->block->time > sim_deadline(s, d))
        return "TooLate()";
    for (int i = 0; i < 9; i++) { /* the facts, of which two words tell */
        OK(lks_abi_read_word(r, word));
        if (i == 1 && memcmp(word, s->requests[d->request].request.prompt_hash, 32))
            return "WrongFacts()";
    }
    OK(lks_abi_read_word(r, word)); /* the model's offset */
    read_witness(&w, r);
    if (on_partials)
        OK(lks_abi_read_bytes(r, &partials, &partials_len));
    OK(lks_abi_read_word(r, salt));
    const sim_seat *seat = sim_seat_of(s, d);
    bool alone = d->alone && (seat->disputes == 1 || run->block->number < seat->joined_block + 2);
    bool allowed = alone || is_committed(s, &w, salt, LKS_GAME_COMMIT_BLOCKS, run);
    claim_facts(s, &s->requests[d->request], seat, &c);
    lks_err err = lks_witness_check(&wrong, &c, &s->commitment, &w, partials, partials_len);
    lks_witness_free(&w);
    if (!allowed)
        return "NotCommitted()";
    if (err || !wrong)
        return "NothingWrong()";
    if (run->commit) {
        s->committed_steps += !alone;
        sim_convict(s, d, run->block);
    }
    return NULL;
}

const char *sim_prove(sim *s, sim_request *q, size_t number, lks_abi_reader *r, const sim_run *run)
{
    static const uint8_t no_dispute[32];
    sim_seat *seat = &q->seats[number];
    lks_witness w;
    lks_witness_claim c;
    const uint8_t *signature = NULL;
    size_t len = 0;
    bool wrong = false;
    uint8_t root[32], model[32], salt[32], topic[32];
    OK(lks_abi_read_word(r, root));
    OK(lks_abi_read_bytes(r, &signature, &len));
    OK(lks_abi_read_word(r, model));
    read_witness(&w, r);
    OK(lks_abi_read_word(r, salt));
    uint64_t blocks = seat->disputes ? LKS_GAME_LIVE_COMMIT_BLOCKS : LKS_GAME_COMMIT_BLOCKS;
    bool committed = is_committed(s, &w, salt, blocks, run);
    claim_facts(s, q, seat, &c);
    lks_err err = lks_witness_check(&wrong, &c, &s->commitment, &w, NULL, 0);
    lks_witness_free(&w);
    if (len || !seat->is_open || memcmp(root, seat->root, 32))
        return "UnknownRoot()";
    if (!committed)
        return "NotCommitted()";
    if (err || !wrong)
        return "NothingWrong()";
    if (!run->commit)
        return NULL;
    const uint64_t how[4] = {LKS_CONVICTION_PROOF, 0, 0, 0};
    lks_game_event_topic(topic, LKS_GAME_CLAIM_CONVICTED);
    sim_log *log = sim_begin_log(s, run->block, true, topic, seat->claim_id);
    sim_log_word(log, no_dispute);
    sim_log_address(log, run->sender);
    sim_log_numbers(log, 4, how);
    s->proofs++;
    sim_do_convict(s, q, number, run->sender, run->block);
    return NULL;
}

const char *sim_move(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_run *run)
{
#define IS(signature) sim_is_call(run->data, run->len, signature)
    if (IS("reveal(" DISPUTE_TYPE ",bytes32[])"))
        return answer(s, d, LKS_DISPUTE_NODE, r, run);
    if (IS("revealLeaf(" DISPUTE_TYPE ",bytes)"))
        return answer(s, d, LKS_DISPUTE_LEAF, r, run);
    bool opens = IS("openTrace(" DISPUTE_TYPE ",bytes32,bytes32[])");
    if (opens || IS("openPartials(" DISPUTE_TYPE ",bytes)")) {
        if (!sim_acts_for(s, run->sender, d->terms.claim.operator_address, LKS_AGENT_DISPUTES))
            return "NotOperator()";
        return answer(s, d, opens ? LKS_DISPUTE_ROOT : LKS_DISPUTE_PARTIALS, r, run);
    }
    if (memcmp(run->sender, d->terms.challenger, 20))
        return "NotChallenger()";
    if (IS("pick(" DISPUTE_TYPE ",uint16,uint8,uint32,bytes32,bytes32[])"))
        return pick(s, d, r, run);
    if (IS("demandPartials(" DISPUTE_TYPE ",uint32)"))
        return demand(s, d, r, run);
    if (IS("step(" DISPUTE_TYPE "," FACTS_TYPE "," MODEL_TYPE "," WITNESS_TYPE ",bytes32)"))
        return step(s, d, r, false, run);
    if (IS("stepPartial(" DISPUTE_TYPE "," FACTS_TYPE "," MODEL_TYPE "," WITNESS_TYPE
           ",bytes,bytes32)"))
        return step(s, d, r, true, run);
#undef IS
    fail_msg("the plugin sent a call that the game does not know");
    return NULL;
}
