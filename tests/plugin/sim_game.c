/* The dispute game of the simulated chain: the moves, clocks and slots of contracts/src, on the hashes that the players send; steps are judged by the
 * verifier's twin in C. Money is only counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_internal.h"

#define OK(expression) assert_int_equal(expression, LKS_OK)
#define EVENT_TOPIC(name, kind) \
    uint8_t name[32]; \
    lks_game_event_topic(name, kind)

void sim_game_clear(sim *s) {
    for (size_t i = 0; i < s->slot_count; i++) lks_buf_free(&s->slots[i].partials);
    s->slot_count = s->dispute_count = 0;
    s->credit = lks_u256_from_u64(0);
    s->convictions = s->lost = s->reclaims = s->withdrawals = s->challenges = 0;
    memset(s->shapes, 0, sizeof s->shapes);
}

/* ---- state ---- */

static bool is_operators(lks_dispute_state state) {
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF || state == LKS_DISPUTE_PARTIALS;
}

static bool same_place(const lks_dispute *a, const lks_dispute *b) {
    return a->state == b->state && a->op == b->op && a->height == b->height && a->index == b->index && a->element == b->element;
}

static sim_slot *find_slot(sim *s, const uint8_t claim_id[32], const lks_dispute *at) {
    for (size_t i = 0; i < s->slot_count; i++)
        if (memcmp(s->slots[i].claim_id, claim_id, 32) == 0 && same_place(&s->slots[i].at, at)) return &s->slots[i];
    return NULL;
}

static sim_slot *fill(sim *s, const sim_dispute *d, const sim_block *b) {
    assert_true(s->slot_count < SIM_SLOTS);
    sim_slot *slot = &s->slots[s->slot_count++];
    memset(slot, 0, sizeof *slot);
    memcpy(slot->claim_id, d->claim_id, 32);
    slot->at = d->at;
    slot->time = b->time;
    return slot;
}

static uint64_t deadline(const sim *s, const sim_dispute *d) {
    uint32_t left = is_operators(d->at.state) ? d->operator_left : d->challenger_left;
    return d->start + (left > s->floor ? left : s->floor);
}

static void end_turn(sim_dispute *d, uint64_t time) {
    uint32_t *left = is_operators(d->at.state) ? &d->operator_left : &d->challenger_left;
    uint64_t used = time - d->start;
    *left = *left > used ? *left - (uint32_t)used : 0;
    d->start = time;
}

/* The dispute as it is now: what was answered in another dispute counts. */
static sim_dispute now_of(sim *s, const sim_dispute *d) {
    sim_dispute now = *d;
    const sim_slot *slot = is_operators(d->at.state) ? find_slot(s, d->claim_id, &d->at) : NULL;
    if (!slot) return now;
    end_turn(&now, slot->time);
    now.at.state = d->at.state == LKS_DISPUTE_LEAF ? LKS_DISPUTE_STEP : d->at.state == LKS_DISPUTE_PARTIALS ? LKS_DISPUTE_PARTIAL_STEP : LKS_DISPUTE_PICK;
    return now;
}

static sim_dispute *find_dispute(sim *s, const uint8_t id[32]) {
    for (size_t i = 0; i < s->dispute_count; i++)
        if (memcmp(s->disputes[i].id, id, 32) == 0) return &s->disputes[i];
    return NULL;
}

static bool stands(const sim *s, const sim_dispute *d) {
    const sim_request *q = &s->requests[d->request];
    return q->status == LKS_REQUEST_CLAIMED && memcmp(q->claim_id, d->claim_id, 32) == 0;
}

static bool is_call(const uint8_t *data, size_t len, const char *signature) {
    uint8_t selector[4];
    lks_abi_selector(selector, signature);
    return len >= 4 && memcmp(data, selector, 4) == 0;
}

#define REQUEST_TYPE "(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,uint128,uint32,uint32,uint32,uint8,address,uint32)"
#define MODEL_TYPE "(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])"
#define OPENING_TYPE "(bytes,bytes32[])"
#define WITNESS_TYPE "(uint8,uint32,uint32,uint32,uint32," OPENING_TYPE "[])"

/* ---- views ---- */

static void put_dispute(sim *s, const sim_dispute *stored, lks_buf *result) {
    static const uint8_t zero[32];
    lks_abi_writer e;
    lks_abi_begin(&e, result, 14);
    if (!stored) {
        for (int i = 0; i < 14; i++) lks_abi_put_word(&e, zero);
        OK(lks_abi_finish(&e));
        return;
    }
    sim_dispute d = now_of(s, stored);
    bool closed = d.at.state == LKS_DISPUTE_CLOSED;
    lks_abi_put_u64(&e, d.at.state);
    lks_abi_put_word(&e, d.claim_id);
    lks_abi_put_address(&e, d.challenger);
    lks_abi_put_u64(&e, d.at.op);
    lks_abi_put_u64(&e, d.at.height);
    lks_abi_put_u64(&e, d.at.index);
    lks_abi_put_word(&e, zero);
    lks_abi_put_u64(&e, d.at.element);
    lks_abi_put_u64(&e, closed ? 0 : 50);
    lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, closed ? 0 : d.start);
    lks_abi_put_u64(&e, closed ? 0 : deadline(s, &d));
    lks_abi_put_u64(&e, d.operator_left);
    lks_abi_put_u64(&e, d.challenger_left);
    OK(lks_abi_finish(&e));
}

bool sim_game_view(sim *s, const uint8_t *data, size_t len, lks_buf *result) {
    lks_abi_reader r;
    lks_abi_writer e;
    uint8_t id[32];
    lks_abi_read(&r, data + 4, len - 4);
    if (is_call(data, len, "disputeOf(bytes32)")) {
        OK(lks_abi_read_word(&r, id));
        put_dispute(s, find_dispute(s, id), result);
        return true;
    }
    if (is_call(data, len, "parameters()")) {
        lks_abi_begin(&e, result, 3);
        lks_abi_put_u64(&e, s->budget);
        lks_abi_put_u64(&e, s->floor);
        lks_abi_put_u64(&e, 50);
    } else if (is_call(data, len, "oracle()")) {
        lks_abi_begin(&e, result, 1);
        lks_abi_put_address(&e, s->oracle);
    } else if (is_call(data, len, "credit(address)")) {
        lks_abi_begin(&e, result, 1);
        lks_abi_put_u256(&e, &s->credit);
    } else if (is_call(data, len, "shapeRecorded(bytes32,uint16)")) {
        uint32_t op = 0;
        OK(lks_abi_read_word(&r, id));
        OK(lks_abi_read_u32(&r, &op));
        lks_abi_begin(&e, result, 1);
        lks_abi_put_bool(&e, s->shapes[op]);
    } else {
        return false;
    }
    OK(lks_abi_finish(&e));
    return true;
}

/* ---- events ---- */

static void put_nodes(lks_abi_writer *e, const uint8_t (*nodes)[32], size_t count) {
    lks_abi_begin_array(e, count, 1);
    for (size_t i = 0; i < count; i++) lks_abi_put_word(e, nodes[i]);
    lks_abi_end(e);
}

static void log_place(lks_abi_writer *e, const lks_dispute *at) {
    lks_abi_put_u64(e, at->op);
    lks_abi_put_u64(e, at->height);
    lks_abi_put_u64(e, at->index);
}

static void log_of_dispute(sim *s, const sim_dispute *d, lks_game_event_kind kind, size_t words, const sim_block *b) {
    lks_abi_writer e;
    EVENT_TOPIC(topic, kind);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    sim_log_word(log, d->id);
    if (kind == LKS_GAME_CLAIM_CONVICTED) sim_log_address(log, d->challenger);
    lks_abi_begin(&e, &log->data, words);
    for (size_t i = 0; i < words; i++) lks_abi_put_u64(&e, 0);
    OK(lks_abi_finish(&e));
}

/* ---- moves ---- */

static void convict(sim *s, sim_dispute *d, const sim_block *b) {
    log_of_dispute(s, d, LKS_GAME_CLAIM_CONVICTED, 0, b);
    sim_do_convict(s, &s->requests[d->request], d->challenger, b);
}

static const char *challenge(sim *s, lks_abi_reader *r, const lks_request *request, const uint8_t sender[20], const sim_block *b, bool commit) {
    uint32_t attempt = 0, seat = 0;
    uint8_t offset[32], salt[32], id[32];
    sim_request *q = sim_find(s, request);
    r->at = LKS_REQUEST_SIZE;
    OK(lks_abi_read_u32(r, &attempt));
    OK(lks_abi_read_u32(r, &seat));
    OK(lks_abi_read_word(r, offset));
    OK(lks_abi_read_word(r, salt));
    if (!q || q->status != LKS_REQUEST_CLAIMED || attempt != q->attempt || seat) return "NoSuchClaim()";
    if (b->time > q->deadline) return "TooLate()";
    lks_dispute_id(id, q->claim_id, sender, salt);
    if (find_dispute(s, id)) return "DisputeExists()";
    if (!commit) return NULL;
    assert_true(s->dispute_count < SIM_DISPUTES);
    sim_dispute *d = &s->disputes[s->dispute_count++];
    memset(d, 0, sizeof *d);
    memcpy(d->id, id, 32);
    memcpy(d->claim_id, q->claim_id, 32);
    memcpy(d->challenger, sender, 20);
    d->request = (size_t)(q - s->requests);
    d->at = (lks_dispute){.state = LKS_DISPUTE_ROOT, .op = LKS_TOP, .height = lks_log2_ceil(s->commitment.op_count)};
    d->start = b->time;
    d->operator_left = d->challenger_left = s->budget;
    s->challenges++;
    sim_do_dispute_event(s, q, true, b);
    lks_abi_writer e;
    EVENT_TOPIC(topic, LKS_GAME_CHALLENGED);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    sim_log_word(log, d->id);
    sim_log_address(log, sender);
    lks_abi_begin(&e, &log->data, 5);
    lks_abi_put_word(&e, q->id);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    lks_abi_put_u64(&e, 50);
    lks_abi_put_u64(&e, 0);
    OK(lks_abi_finish(&e));
    return NULL;
}

/* openTrace, reveal, revealLeaf, openPartials: the answer to what is asked. */
static const char *answer(sim *s, sim_dispute *d, lks_dispute_state wanted, lks_abi_reader *r, const sim_block *b, bool commit) {
    static const lks_game_event_kind kinds[] = {[LKS_DISPUTE_ROOT] = LKS_GAME_TRACE_OPENED, [LKS_DISPUTE_NODE] = LKS_GAME_REVEALED,
                                                [LKS_DISPUTE_LEAF] = LKS_GAME_LEAF_REVEALED, [LKS_DISPUTE_PARTIALS] = LKS_GAME_PARTIALS_OPENED};
    uint8_t root[32] = {0}, nodes[32][32];
    const uint8_t *bytes = NULL;
    size_t count = 0, len = 0;
    lks_abi_reader list;
    lks_abi_writer e;
    lks_shape shape;
    sim_request *q = &s->requests[d->request];
    if (now_of(s, d).at.state != wanted) return "WrongState(uint8)";
    if (b->time > deadline(s, d)) return "TooLate()";
    if (wanted == LKS_DISPUTE_ROOT) OK(lks_abi_read_word(r, root));
    if (wanted == LKS_DISPUTE_ROOT || wanted == LKS_DISPUTE_NODE) {
        unsigned height;
        uint32_t children;
        OK(lks_abi_read_array(r, 1, &list, &count));
        lks_stage_below(&height, &children, d->at.height);
        if (count != children) return "WrongChildCount()";
        for (size_t i = 0; i < count; i++) OK(lks_abi_read_word(&list, nodes[i]));
    } else {
        OK(lks_abi_read_bytes(r, &bytes, &len));
    }
    if (!commit) return NULL;
    sim_slot *slot = fill(s, d, b);
    if (wanted == LKS_DISPUTE_PARTIALS) lks_buf_put(&slot->partials, bytes, len);
    if (wanted == LKS_DISPUTE_ROOT) {
        q->is_open = true;
        memcpy(q->root, root, 32);
    }
    EVENT_TOPIC(topic, kinds[wanted]);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    lks_abi_begin(&e, &log->data, wanted == LKS_DISPUTE_ROOT ? 2 : wanted == LKS_DISPUTE_LEAF ? 3 : 4);
    if (wanted == LKS_DISPUTE_ROOT) lks_abi_put_word(&e, root);
    else lks_abi_put_u64(&e, d->at.op);
    if (wanted == LKS_DISPUTE_NODE) lks_abi_put_u64(&e, d->at.height);
    if (wanted == LKS_DISPUTE_NODE || wanted == LKS_DISPUTE_LEAF) lks_abi_put_u64(&e, d->at.index);
    if (wanted == LKS_DISPUTE_PARTIALS) {
        lks_shape_output(&shape, &s->model->program.ops[d->at.op], q->request.prompt_count + (uint32_t)(q->tokens.len / 4) - 1, (uint32_t)(q->tokens.len / 4));
        lks_abi_put_u64(&e, d->at.index >> shape.chunk_bits);
        lks_abi_put_u64(&e, d->at.element);
    }
    if (bytes) lks_abi_put_bytes(&e, bytes, len);
    else put_nodes(&e, (const uint8_t(*)[32])nodes, count);
    OK(lks_abi_finish(&e));
    return NULL;
}

static const char *pick(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_block *b, bool commit) {
    uint32_t op = 0, height = 0, index = 0;
    uint8_t node[32];
    OK(lks_abi_read_u32(r, &op));
    OK(lks_abi_read_u32(r, &height));
    OK(lks_abi_read_u32(r, &index));
    OK(lks_abi_read_word(r, node));
    sim_dispute now = now_of(s, d);
    if (now.at.state != LKS_DISPUTE_PICK) return "WrongState(uint8)";
    if (b->time > deadline(s, &now)) return "TooLate()";
    if (op != LKS_TOP && !s->shapes[op]) return "UnknownShape()";
    if (!commit) return NULL;
    end_turn(&now, b->time);
    now.at = (lks_dispute){.state = height ? LKS_DISPUTE_NODE : LKS_DISPUTE_LEAF, .op = op, .height = height, .index = index};
    *d = now;
    lks_abi_writer e;
    EVENT_TOPIC(topic, LKS_GAME_PICKED);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    sim_log_word(log, d->id);
    lks_abi_begin(&e, &log->data, 5);
    log_place(&e, &d->at);
    lks_abi_put_word(&e, node);
    lks_abi_put_u64(&e, 0);
    OK(lks_abi_finish(&e));
    return NULL;
}

static const char *demand(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_block *b, bool commit) {
    uint32_t element = 0;
    OK(lks_abi_read_u32(r, &element));
    sim_dispute now = now_of(s, d);
    if (now.at.state != LKS_DISPUTE_STEP) return "WrongState(uint8)";
    if (b->time > deadline(s, &now)) return "TooLate()";
    if (!commit) return NULL;
    end_turn(&now, b->time);
    now.at.state = LKS_DISPUTE_PARTIALS;
    now.at.element = element;
    *d = now;
    const sim_request *q = &s->requests[d->request];
    lks_shape shape;
    lks_shape_output(&shape, &s->model->program.ops[d->at.op], q->request.prompt_count + (uint32_t)(q->tokens.len / 4) - 1, (uint32_t)(q->tokens.len / 4));
    lks_abi_writer e;
    EVENT_TOPIC(topic, LKS_GAME_PARTIALS_DEMANDED);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    sim_log_word(log, d->id);
    lks_abi_begin(&e, &log->data, 4);
    lks_abi_put_u64(&e, d->at.op);
    lks_abi_put_u64(&e, d->at.index >> shape.chunk_bits);
    lks_abi_put_u64(&e, element);
    lks_abi_put_u64(&e, 0);
    OK(lks_abi_finish(&e));
    return NULL;
}

/* ---- proofs ---- */

static void read_opening(lks_opening *o, lks_abi_reader *list) {
    lks_abi_reader one, path;
    const uint8_t *bytes = NULL;
    OK(lks_abi_read_tuple(list, &one));
    OK(lks_abi_read_bytes(&one, &bytes, &o->data_len));
    OK(lks_abi_read_array(&one, 1, &path, &o->path_count));
    o->data = malloc(o->data_len + 1);
    o->path = malloc(32 * o->path_count + 1);
    assert_true(o->data && o->path);
    memcpy(o->data, bytes, o->data_len);
    for (size_t i = 0; i < o->path_count; i++) OK(lks_abi_read_word(&path, o->path[i]));
}

static void read_witness(lks_witness *w, lks_abi_reader *r) {
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
    for (size_t i = 0; i < w->count; i++) read_opening(&w->openings[i], &list);
}

static const char *step(sim *s, sim_dispute *d, lks_abi_reader *r, bool on_partials, const sim_block *b, bool commit) {
    const sim_request *q = &s->requests[d->request];
    lks_witness w;
    lks_claim_facts c = {.facts = {.prompt_count = q->request.prompt_count, .answer_count = (uint32_t)(q->tokens.len / 4), .allowed_count = q->request.allowed_count,
                                   .seed = q->seed, .op_count = s->commitment.op_count, .tensor_count = s->commitment.tensor_count,
                                   .sampler_op = s->commitment.sampler_op, .vocab_size = s->commitment.vocab_size, .max_positions = s->commitment.max_positions}};
    sim_dispute now = now_of(s, d);
    const uint8_t *partials = NULL;
    size_t partials_len = 0;
    bool wrong = false;
    if (on_partials ? now.at.state != LKS_DISPUTE_PARTIAL_STEP : !q->is_open) return "WrongState(uint8)";
    if (b->time > deadline(s, &now)) return "TooLate()";
    memcpy(&c.facts.temperature, &q->request.temperature, 4);
    memcpy(&c.facts.min_p, &q->request.min_p, 4);
    memcpy(c.trace_root, q->root, 32);
    memcpy(c.prompt_hash, q->request.prompt_hash, 32);
    lks_tokens_hash(c.tokens_hash, q->tokens.data, q->tokens.len);
    memcpy(c.allowed_hash, q->request.allowed_hash, 32);
    r->at = 32 + LKS_REQUEST_SIZE + 32; /* behind the dispute, the request and the model's offset */
    read_witness(&w, r);
    if (on_partials) OK(lks_abi_read_bytes(r, &partials, &partials_len));
    lks_err err = lks_witness_check(&wrong, &c, &s->commitment, &w, partials, partials_len);
    lks_witness_free(&w);
    if (err || !wrong) return "NothingWrong()";
    if (commit) convict(s, d, b);
    return NULL;
}

static const char *timeout(sim *s, sim_dispute *d, const sim_block *b, bool commit) {
    sim_dispute now = now_of(s, d);
    if (b->time <= deadline(s, &now)) return "TooEarly()";
    if (!commit) return NULL;
    if (is_operators(now.at.state)) {
        convict(s, d, b);
        return NULL;
    }
    d->at.state = LKS_DISPUTE_CLOSED;
    s->lost++;
    s->credit = lks_u256_from_u64(35); /* 70 % of the bond, when it is ours to have */
    log_of_dispute(s, d, LKS_GAME_DISPUTE_LOST, 2, b);
    sim_do_dispute_event(s, &s->requests[d->request], false, b);
    return NULL;
}

static const char *reclaim(sim *s, sim_dispute *d, const sim_block *b, bool commit) {
    if (d->at.state == LKS_DISPUTE_CLOSED || stands(s, d)) return "WrongState(uint8)";
    if (!commit) return NULL;
    d->at.state = LKS_DISPUTE_CLOSED;
    d->reclaimed = true;
    s->reclaims++;
    if (memcmp(d->challenger, s->operator_address, 20) == 0) s->credit = lks_u256_from_u64(50);
    log_of_dispute(s, d, LKS_GAME_DISPUTE_RECLAIMED, 0, b);
    return NULL;
}

static const char *withdraw(sim *s, bool commit) {
    if (lks_u256_is_zero(&s->credit)) return "NothingToWithdraw()";
    if (commit) {
        s->credit = lks_u256_from_u64(0);
        s->withdrawals++;
    }
    return NULL;
}

const char *sim_game_execute(sim *s, const uint8_t *data, size_t len, const uint8_t sender20[20], const sim_block *b, bool commit) {
    lks_abi_reader r;
    lks_request request;
    uint8_t id[32];
    lks_abi_read(&r, data + 4, len - 4);
    if (is_call(data, len, "challenge(" REQUEST_TYPE ",uint8,uint8," MODEL_TYPE ",bytes32)")) {
        OK(lks_request_decode(&request, data + 4));
        return challenge(s, &r, &request, sender20, b, commit);
    }
    if (is_call(data, len, "withdraw(address)")) return withdraw(s, commit);
    if (is_call(data, len, "recordShape(" MODEL_TYPE ",uint16," OPENING_TYPE ")")) {
        uint32_t op = 0;
        OK(lks_abi_read_word(&r, id));
        OK(lks_abi_read_u32(&r, &op));
        assert_true(op < sizeof s->shapes);
        if (commit) s->shapes[op] = true;
        return NULL;
    }
    OK(lks_abi_read_word(&r, id));
    sim_dispute *d = find_dispute(s, id);
    if (!d) return "NoSuchDispute()";
    if (is_call(data, len, "reclaim(bytes32)")) return reclaim(s, d, b, commit);
    if (!stands(s, d)) return "ClaimNotLive()";
    if (d->at.state == LKS_DISPUTE_CLOSED) return "WrongState(uint8)";
    if (is_call(data, len, "timeout(bytes32," REQUEST_TYPE ")")) return timeout(s, d, b, commit);
    if (is_call(data, len, "reveal(bytes32,bytes32[])")) return answer(s, d, LKS_DISPUTE_NODE, &r, b, commit);
    if (is_call(data, len, "revealLeaf(bytes32,bytes)")) return answer(s, d, LKS_DISPUTE_LEAF, &r, b, commit);
    bool is_operator = memcmp(sender20, s->requests[d->request].operator_address, 20) == 0;
    if (is_call(data, len, "openTrace(bytes32,bytes32,bytes32[])")) return is_operator ? answer(s, d, LKS_DISPUTE_ROOT, &r, b, commit) : "NotOperator()";
    if (is_call(data, len, "openPartials(bytes32,bytes)")) return is_operator ? answer(s, d, LKS_DISPUTE_PARTIALS, &r, b, commit) : "NotOperator()";
    if (memcmp(sender20, d->challenger, 20)) return "NotChallenger()";
    if (is_call(data, len, "pick(bytes32,uint16,uint8,uint32,bytes32,bytes32[])")) return pick(s, d, &r, b, commit);
    if (is_call(data, len, "demandPartials(bytes32,uint32)")) return demand(s, d, &r, b, commit);
    if (is_call(data, len, "step(bytes32," REQUEST_TYPE "," MODEL_TYPE "," WITNESS_TYPE ")")) return step(s, d, &r, false, b, commit);
    if (is_call(data, len, "stepPartial(bytes32," REQUEST_TYPE "," MODEL_TYPE "," WITNESS_TYPE ",bytes)")) return step(s, d, &r, true, b, commit);
    fail_msg("the plugin sent a call that the game does not know");
    return NULL;
}
