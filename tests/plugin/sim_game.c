/* The dispute game of the simulated chain: disputes, their clocks, their ends, and what is seen of
 * them. The moves are in sim_moves.c. Money is counted for accounts alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_game.h"

#define OK(expression) assert_int_equal(expression, LKS_OK)

void sim_game_clear(sim *s)
{
    for (size_t i = 0; i < s->dispute_count; i++)
        lks_buf_free(&s->disputes[i].partials);
    s->dispute_count = s->commitment_count = 0;
    s->convictions = s->lost = s->reclaims = s->withdrawals = s->challenges = 0;
    s->answers = s->batches = s->committed_steps = s->proofs = 0;
    memset(s->shapes, 0, sizeof s->shapes);
}

/* ---- state ---- */

sim_seat *sim_seat_of(sim *s, const sim_dispute *d)
{
    return &s->requests[d->request].seats[d->seat];
}

bool sim_is_operators(lks_dispute_state state)
{
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF ||
           state == LKS_DISPUTE_PARTIALS;
}

uint64_t sim_deadline(const sim *s, const sim_dispute *d)
{
    uint32_t left = sim_is_operators(d->at.state) ? d->operator_left : d->challenger_left;
    return d->start + (left > s->floor ? left : s->floor);
}

void sim_begin_turn(sim *s, sim_dispute *d, lks_dispute_state state, const sim_block *b)
{
    uint32_t *left = sim_is_operators(d->at.state) ? &d->operator_left : &d->challenger_left;
    uint64_t used = b->time - d->start;
    *left = *left > used ? *left - (uint32_t)used : 0;
    d->start = b->time;
    d->root_start = 0;
    d->at.state = state;
    d->alone = sim_seat_of(s, d)->disputes == 1;
}

static sim_dispute *find_dispute(sim *s, const uint8_t id[32])
{
    for (size_t i = 0; i < s->dispute_count; i++)
        if (memcmp(s->disputes[i].id, id, 32) == 0)
            return &s->disputes[i];
    return NULL;
}

static bool stands(sim *s, const sim_dispute *d)
{
    return sim_stands(&s->requests[d->request], d->seat) &&
           memcmp(sim_seat_of(s, d)->claim_id, d->claim_id, 32) == 0;
}

lks_u256 sim_prepayment(const sim *s)
{
    lks_u256 wei, fee = lks_u256_from_u64(s->base_fee);
    lks_game_prepayment(&wei, SIM_QUESTION_GAS, &fee);
    return wei;
}

void sim_earn(sim *s, const uint8_t account20[20], const lks_u256 *wei)
{
    sim_account *a = sim_account_at(s, account20);
    if (!a)
        return;
    lks_u256_add(&a->credit, &a->credit, wei);
    lks_u256_add(&a->earned, &a->earned, wei);
}

const char *sim_collect(sim *s, const lks_u256 *due, const sim_run *run)
{
    lks_u256 rest, left = lks_u256_from_u64(0);
    sim_account *a = sim_account_at(s, run->sender);
    if (!lks_u256_sub(&rest, &s->value, due)) {
        if (run->commit)
            sim_earn(s, run->sender, &rest);
        return NULL;
    }
    lks_u256_sub(&rest, due, &s->value);
    if (!a || lks_u256_sub(&left, &a->credit, &rest))
        return "NotEnoughEther(uint256)";
    if (run->commit) {
        a->credit = left;
        lks_u256_add(&a->paid, &a->paid, &rest);
    }
    return NULL;
}

/* ---- views ---- */

/* The contract writes a dispute down when it moves itself. */
static void put_dispute(sim *s, const sim_dispute *d, lks_buf *result)
{
    static const uint8_t zero[32];
    sim_dispute before;
    lks_abi_writer e;
    lks_abi_begin(&e, result, 12);
    if (d && d->root_start && d->at.state != LKS_DISPUTE_CLOSED) {
        before = *d;
        before.at.state = LKS_DISPUTE_ROOT;
        before.start = d->root_start;
        before.operator_left = s->budget;
        d = &before;
    }
    bool closed = !d || d->at.state == LKS_DISPUTE_CLOSED;
    lks_abi_put_u64(&e, d ? d->at.state : 0);
    lks_abi_put_u64(&e, d ? d->at.op : 0);
    lks_abi_put_u64(&e, d ? d->at.height : 0);
    lks_abi_put_u64(&e, d ? d->at.index : 0);
    lks_abi_put_word(&e, zero);
    lks_abi_put_u64(&e, d ? d->at.element : 0);
    lks_abi_put_u64(&e, d ? d->prepaid.w[0] : 0);
    lks_abi_put_u64(&e, closed ? 0 : d->start);
    lks_abi_put_u64(&e, closed ? 0 : sim_deadline(s, d));
    lks_abi_put_u64(&e, d ? d->operator_left : 0);
    lks_abi_put_u64(&e, d ? d->challenger_left : 0);
    lks_abi_put_bool(&e, !closed && d->alone);
    OK(lks_abi_finish(&e));
}

/* DisputedClaim, but for the counts. */
static void put_claim_view(sim *s, const uint8_t claim_id[32], lks_buf *result)
{
    static const uint8_t zero[32];
    const sim_dispute *d = NULL;
    lks_abi_writer e;
    for (size_t i = 0; i < s->dispute_count; i++)
        if (memcmp(s->disputes[i].claim_id, claim_id, 32) == 0)
            d = &s->disputes[i];
    const sim_seat *seat = d ? sim_seat_of(s, d) : NULL;
    bool same =
        seat && seat->status == LKS_SEAT_CLAIMED && memcmp(seat->claim_id, claim_id, 32) == 0;
    lks_abi_begin(&e, result, 8);
    lks_abi_put_u64(&e, !d ? LKS_CLAIM_NONE : same ? LKS_CLAIM_DISPUTED : LKS_CLAIM_CONVICTED);
    lks_abi_put_u64(&e, same ? seat->disputes : 0);
    for (int i = 0; i < 4; i++)
        lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, same ? seat->joined_block : 0);
    lks_abi_put_word(&e, same && seat->is_open ? seat->root : zero);
    OK(lks_abi_finish(&e));
}

bool sim_game_view(sim *s, const uint8_t *data, size_t len, lks_buf *result)
{
    lks_abi_reader r;
    lks_abi_writer e;
    uint8_t id[32];
    if (len < 4)
        return false;
    lks_abi_read(&r, data + 4, len - 4);
    if (sim_is_call(data, len, "disputeOf(bytes32)")) {
        OK(lks_abi_read_word(&r, id));
        put_dispute(s, find_dispute(s, id), result);
        return true;
    }
    if (sim_is_call(data, len, "claimOf(bytes32)")) {
        OK(lks_abi_read_word(&r, id));
        put_claim_view(s, id, result);
        return true;
    }
    if (sim_is_call(data, len, "parameters()")) {
        lks_abi_begin(&e, result, 3);
        lks_abi_put_u64(&e, s->budget);
        lks_abi_put_u64(&e, s->floor);
        lks_abi_put_u64(&e, SIM_MIN_BOND);
    } else if (sim_is_call(data, len, "oracle()")) {
        lks_abi_begin(&e, result, 1);
        lks_abi_put_address(&e, s->oracle);
    } else if (sim_is_call(data, len, "credit(address)")) {
        uint8_t account20[20];
        OK(lks_abi_read_address(&r, account20));
        const sim_account *a = sim_account_at(s, account20);
        lks_u256 credit = a ? a->credit : lks_u256_from_u64(0);
        lks_abi_begin(&e, result, 1);
        lks_abi_put_u256(&e, &credit);
    } else if (sim_is_call(data, len, "questionGas(uint8,uint32)")) {
        lks_abi_begin(&e, result, 1);
        lks_abi_put_u64(&e, SIM_QUESTION_GAS);
    } else if (sim_is_call(data, len, "shapeRecorded(bytes32,uint16)")) {
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

sim_log *sim_game_log(sim *s, const sim_dispute *d, lks_game_event_kind kind, const sim_block *b)
{
    uint8_t topic[32];
    lks_game_event_topic(topic, kind);
    sim_log *log = sim_begin_log(s, b, true, topic, d->claim_id);
    sim_log_word(log, d->id);
    return log;
}

static void log_zeros(sim_log *log, size_t words)
{
    static const uint64_t zero[4];
    sim_log_numbers(log, words, zero);
}

static void put_claim(lks_abi_writer *e, const lks_claim_terms *c)
{
    lks_abi_put_address(e, c->source);
    lks_abi_put_word(e, c->name);
    lks_abi_put_address(e, c->operator_address);
    lks_abi_put_u256(e, &c->stake);
    lks_abi_put_word(e, c->model_id);
    lks_abi_put_word(e, c->facts_hash);
}

static void put_facts(lks_abi_writer *e, const lks_claim_facts *f)
{
    lks_abi_put_u64(e, f->prompt_count);
    lks_abi_put_word(e, f->prompt_hash);
    lks_abi_put_u64(e, f->token_count);
    lks_abi_put_word(e, f->tokens_hash);
    lks_abi_put_u64(e, f->temperature);
    lks_abi_put_u64(e, f->min_p);
    lks_abi_put_u64(e, f->seed);
    lks_abi_put_u64(e, f->allowed_count);
    lks_abi_put_word(e, f->allowed_hash);
}

void sim_facts_of(sim *s, const sim_dispute *d, lks_claim_facts *facts)
{
    uint8_t hash[32];
    const sim_request *q = &s->requests[d->request];
    const lks_buf *tokens = &sim_seat_of(s, d)->tokens;
    lks_tokens_hash(hash, tokens->data, tokens->len);
    lks_claim_facts_of(facts, &q->request, q->seed, (uint32_t)(tokens->len / 4), hash);
}

static void log_challenged(sim *s, const sim_dispute *d, const sim_block *b)
{
    lks_abi_writer e;
    lks_claim_facts facts;
    sim_facts_of(s, d, &facts);
    sim_log *log = sim_game_log(s, d, LKS_GAME_CHALLENGED, b);
    sim_log_address(log, d->terms.challenger);
    lks_abi_begin(&e, &log->data, 21);
    put_claim(&e, &d->terms.claim);
    lks_abi_put_address(&e, d->terms.challenger);
    lks_abi_put_u256(&e, &d->terms.bond);
    lks_abi_put_word(&e, d->terms.salt);
    put_facts(&e, &facts);
    lks_abi_put_u64(&e, d->at.state);
    lks_abi_put_u256(&e, &d->prepaid);
    lks_abi_put_u64(&e, sim_deadline(s, d));
    OK(lks_abi_finish(&e));
}

/* ---- beginning and end ---- */

/* Of a challenge: the claim of that name. */
sim_request *sim_find_named(sim *s, const uint8_t name[32], size_t *seat)
{
    for (size_t i = 0; i < s->request_count; i++)
        for (*seat = 0; *seat < LKS_MAX_REPLICAS; ++*seat)
            if (memcmp(s->requests[i].seats[*seat].name, name, 32) == 0 &&
                sim_stands(&s->requests[i], *seat))
                return &s->requests[i];
    return NULL;
}

static const char *challenge(sim *s, lks_abi_reader *r, const sim_run *run)
{
    uint8_t source[20], name[32], offset[32];
    lks_u256 due;
    size_t seat = 0;
    sim_dispute d = {.at = {.op = LKS_TOP, .height = lks_log2_ceil(s->commitment.op_count)}};
    const sim_block *b = run->block;
    OK(lks_abi_read_address(r, source));
    OK(lks_abi_read_word(r, name));
    OK(lks_abi_read_word(r, offset));
    OK(lks_abi_read_word(r, offset));
    OK(lks_abi_read_u256(r, &d.terms.bond));
    OK(lks_abi_read_word(r, d.terms.salt));
    sim_request *q = sim_find_named(s, name, &seat);
    if (!q || memcmp(source, s->oracle, 20))
        return "NoSuchClaim()";
    if (b->time > q->window_end)
        return "DisputeWindowOver()";
    d.request = (size_t)(q - s->requests);
    d.seat = seat;
    memcpy(d.claim_id, q->seats[seat].claim_id, 32);
    memcpy(d.terms.challenger, run->sender, 20);
    lks_claim_facts facts;
    sim_facts_of(s, &d, &facts);
    lks_claim_terms_of(&d.terms.claim, s->oracle, name, q->seats[seat].operator_address,
                       &q->request, &facts);
    lks_dispute_id(d.id, &d.terms);
    if (find_dispute(s, d.id))
        return "DisputeExists()";
    lks_u256 least = lks_u256_from_u64(SIM_MIN_BOND);
    if (lks_u256_cmp(&d.terms.bond, &least) < 0)
        return "BondTooSmall(uint256)";
    if (!q->seats[seat].is_open)
        d.prepaid = sim_prepayment(s);
    lks_u256_add(&due, &d.terms.bond, &d.prepaid);
    const char *error = sim_collect(s, &due, run);
    if (error || !run->commit)
        return error;
    assert_true(s->dispute_count < SIM_DISPUTES);
    sim_do_dispute_event(s, q, seat, true, b);
    if (q->seats[seat].disputes > 1)
        q->seats[seat].joined_block = b->number;
    d.at.state = q->seats[seat].is_open ? LKS_DISPUTE_PICK : LKS_DISPUTE_ROOT;
    d.start = b->time;
    d.operator_left = d.challenger_left = s->budget;
    d.alone = q->seats[seat].disputes == 1;
    s->disputes[s->dispute_count++] = d;
    s->challenges++;
    log_challenged(s, &d, b);
    return NULL;
}

void sim_convict(sim *s, sim_dispute *d, const sim_block *b)
{
    sim_log *log = sim_game_log(s, d, LKS_GAME_CLAIM_CONVICTED, b);
    sim_log_address(log, d->terms.challenger);
    log_zeros(log, 4);
    sim_do_convict(s, &s->requests[d->request], d->seat, d->terms.challenger, b);
}

static const char *timeout(sim *s, sim_dispute *d, const sim_run *run)
{
    if (run->block->time <= sim_deadline(s, d))
        return "TooEarly()";
    if (!run->commit)
        return NULL;
    if (sim_is_operators(d->at.state)) {
        sim_convict(s, d, run->block);
        return NULL;
    }
    d->at.state = LKS_DISPUTE_CLOSED;
    s->lost++;
    sim_account *loser = sim_account_at(s, d->terms.challenger);
    if (loser)
        loser->lost++;
    lks_u256 share;
    lks_u256_mul_u64(&share, &d->terms.bond, 7);
    lks_u256_div_u64(&share, &share, 10);
    sim_earn(s, d->terms.claim.operator_address, &share);
    sim_earn(s, d->terms.challenger, &d->prepaid);
    log_zeros(sim_game_log(s, d, LKS_GAME_DISPUTE_LOST, run->block), 2);
    sim_do_dispute_event(s, &s->requests[d->request], d->seat, false, run->block);
    return NULL;
}

static const char *reclaim(sim *s, sim_dispute *d, const sim_run *run)
{
    if (d->at.state == LKS_DISPUTE_CLOSED || stands(s, d))
        return "WrongState(uint8)";
    if (!run->commit)
        return NULL;
    d->at.state = LKS_DISPUTE_CLOSED;
    s->reclaims++;
    sim_earn(s, d->terms.challenger, &d->terms.bond);
    sim_earn(s, d->terms.challenger, &d->prepaid);
    log_zeros(sim_game_log(s, d, LKS_GAME_DISPUTE_RECLAIMED, run->block), 1);
    return NULL;
}

static const char *withdraw(sim *s, const sim_run *run)
{
    sim_account *a = sim_account_at(s, run->sender);
    if (!a || lks_u256_is_zero(&a->credit))
        return "NothingToWithdraw()";
    if (run->commit) {
        a->credit = lks_u256_from_u64(0);
        s->withdrawals++;
    }
    return NULL;
}

/* ---- calls ---- */

static void read_dispute(lks_dispute_terms *d, lks_abi_reader *r)
{
    OK(lks_abi_read_address(r, d->claim.source));
    OK(lks_abi_read_word(r, d->claim.name));
    OK(lks_abi_read_address(r, d->claim.operator_address));
    OK(lks_abi_read_u256(r, &d->claim.stake));
    OK(lks_abi_read_word(r, d->claim.model_id));
    OK(lks_abi_read_word(r, d->claim.facts_hash));
    OK(lks_abi_read_address(r, d->challenger));
    OK(lks_abi_read_u256(r, &d->bond));
    OK(lks_abi_read_word(r, d->salt));
}

/* All or none: each is checked before the first takes effect. */
static const char *multicall(sim *s, lks_abi_reader *r, const sim_run *run)
{
    lks_abi_reader list, again;
    size_t count = 0;
    if (s->refuses_multicall)
        return "WrongHash()";
    OK(lks_abi_read_array(r, 1, &list, &count));
    again = list;
    for (int commits = 0; commits <= run->commit; commits++) {
        list = again;
        for (size_t i = 0; i < count; i++) {
            sim_run one = *run;
            one.commit = commits;
            OK(lks_abi_read_bytes(&list, &one.data, &one.len));
            const char *error = sim_game_execute(s, &one);
            assert_true(!error || !commits);
            if (error)
                return error;
        }
    }
    s->batches += run->commit;
    return NULL;
}

/* Those that are not refused; refused when all are. */
static const char *try_multicall(sim *s, lks_abi_reader *r, const sim_run *run)
{
    lks_abi_reader list;
    size_t count = 0, taken = 0;
    const char *refusal = "WrongHash()";
    if (s->refuses_multicall)
        return refusal;
    OK(lks_abi_read_array(r, 1, &list, &count));
    for (size_t i = 0; i < count; i++) {
        sim_run one = *run;
        one.commit = false;
        OK(lks_abi_read_bytes(&list, &one.data, &one.len));
        const char *error = sim_game_execute(s, &one);
        if (error) {
            refusal = error;
            continue;
        }
        taken++;
        one.commit = run->commit;
        if (run->commit)
            assert_null(sim_game_execute(s, &one));
    }
    s->batches += run->commit && taken;
    return taken ? NULL : refusal;
}

static const char *commit_proof(sim *s, lks_abi_reader *r, const sim_run *run)
{
    uint8_t hash[32], topic[32];
    OK(lks_abi_read_word(r, hash));
    if (!run->commit)
        return NULL;
    assert_true(s->commitment_count < SIM_COMMITMENTS);
    memcpy(s->commitments[s->commitment_count].hash, hash, 32);
    s->commitments[s->commitment_count++].block = run->block->number;
    lks_game_event_topic(topic, LKS_GAME_PROOF_COMMITTED);
    sim_begin_log(s, run->block, true, topic, hash);
    return NULL;
}

static const char *prove(sim *s, lks_abi_reader *r, const sim_run *run)
{
    uint8_t source[20], name[32], offset[32];
    size_t seat = 0;
    OK(lks_abi_read_address(r, source));
    OK(lks_abi_read_word(r, name));
    OK(lks_abi_read_word(r, offset));
    sim_request *q = sim_find_named(s, name, &seat);
    return q ? sim_prove(s, q, seat, r, run) : "NoSuchClaim()";
}

const char *sim_game_execute(sim *s, const sim_run *run)
{
    lks_abi_reader r;
    lks_dispute_terms terms;
    uint8_t id[32];
    if (run->len == 0)
        return NULL;
    lks_abi_read(&r, run->data + 4, run->len - 4);
#define IS(signature) sim_is_call(run->data, run->len, signature)
    if (IS("challenge(address,bytes32,bytes," MODEL_TYPE ",uint88,bytes32)"))
        return challenge(s, &r, run);
    if (IS("prove(address,bytes32,bytes,bytes32,bytes," MODEL_TYPE "," WITNESS_TYPE ",bytes32)"))
        return prove(s, &r, run);
    if (IS("withdraw(address)"))
        return withdraw(s, run);
    if (IS("multicall(bytes[])"))
        return multicall(s, &r, run);
    if (IS("tryMulticall(bytes[])"))
        return try_multicall(s, &r, run);
    if (IS("commitProof(bytes32)"))
        return commit_proof(s, &r, run);
    if (IS("recordShape(" MODEL_TYPE ",uint16," OPENING_TYPE ")")) {
        uint32_t op = 0;
        OK(lks_abi_read_word(&r, id));
        OK(lks_abi_read_u32(&r, &op));
        assert_true(op < sizeof s->shapes);
        s->shapes[op] = s->shapes[op] || run->commit;
        return NULL;
    }
    read_dispute(&terms, &r);
    lks_dispute_id(id, &terms);
    sim_dispute *d = find_dispute(s, id);
    if (!d)
        return "NoSuchDispute()";
    if (IS("reclaim(" DISPUTE_TYPE ")"))
        return reclaim(s, d, run);
    if (!stands(s, d))
        return "ClaimNotLive()";
    if (d->at.state == LKS_DISPUTE_CLOSED)
        return "WrongState(uint8)";
    if (IS("timeout(" DISPUTE_TYPE ")"))
        return timeout(s, d, run);
#undef IS
    return sim_move(s, d, &r, run);
}
