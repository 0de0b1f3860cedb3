/* Claims on the simulated chain: made, revealed, settled, convicted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_internal.h"

#define OK(expression) assert_int_equal(expression, LKS_OK)

/* ---- claims ---- */

static void put_claim(sim *s, sim_request *q, size_t number, const uint8_t *tokens, size_t len,
                      const sim_block *b)
{
    uint8_t hash[32];
    lks_claim_facts facts;
    lks_claim_terms terms;
    lks_abi_writer e;
    sim_seat *seat = &q->seats[number];
    if (sim_account_for(s, seat->operator_address))
        s->claims++;
    seat->status = LKS_SEAT_CLAIMED;
    lks_buf_clear(&seat->tokens);
    lks_buf_put(&seat->tokens, tokens, len);
    lks_tokens_hash(hash, tokens, len);
    lks_claim_facts_of(&facts, &q->request, q->seed, (uint32_t)(len / 4), hash);
    lks_claim_terms_of(&terms, s->oracle, seat->name, seat->operator_address, &q->request, &facts);
    lks_claim_id(seat->claim_id, &terms);
    sim_log *log = sim_log_of(s, b, LKS_EVENT_CLAIMED, q->id);
    sim_log_word(log, seat->name);
    sim_log_address(log, seat->operator_address);
    lks_abi_begin(&e, &log->data, 3);
    lks_abi_put_u64(&e, q->seed);
    lks_abi_put_u64(&e, q->window_end);
    lks_abi_put_bytes(&e, tokens, len);
    OK(lks_abi_finish(&e));
}

/* Rules of an answer, the same for claims and reveals. */
static const char *check_answer(const sim_request *q, uint64_t seed, size_t len, size_t allowed_len)
{
    if (seed != q->seed)
        return "WrongSeed(uint64)";
    if (len == 0 || len > 4 * (size_t)q->request.max_tokens)
        return "TokenCountOutOfRange()";
    size_t list = lks_request_shows_allowed(&q->request) ? q->allowed.len : 0;
    return allowed_len == list ? NULL : "WrongAllowedList()";
}

const char *sim_do_claim(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run)
{
    uint64_t seed = 0;
    const uint8_t *tokens = NULL, *allowed = NULL;
    size_t len = 0, allowed_len = 0;
    OK(lks_abi_read_u64(r, &seed));
    OK(lks_abi_read_bytes(r, &tokens, &len));
    OK(lks_abi_read_bytes(r, &allowed, &allowed_len));
    if (q->request.replicas > 1)
        return "CommitRequired()";
    if (q->status != LKS_REQUEST_ACCEPTED)
        return "WrongStatus(uint8)";
    if (run->block->time > q->deadline)
        return "TooLate()";
    if (!sim_acts_for(s, run->sender, q->seats[0].operator_address, LKS_AGENT_CLAIMS))
        return "NotSeated()";
    const char *error = check_answer(q, seed, len, allowed_len);
    if (error || !run->commit)
        return error;
    q->status = LKS_REQUEST_CLAIMED;
    q->window_end = q->deadline = run->block->time + q->request.window;
    put_claim(s, q, 0, tokens, len, run->block);
    return NULL;
}

static bool all_have(const sim_request *q, lks_seat_status status)
{
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].status != status)
            return false;
    return true;
}

const char *sim_do_commit(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run)
{
    uint32_t number = 0;
    uint64_t seed = 0;
    uint8_t commitment[32];
    OK(lks_abi_read_u32(r, &number));
    OK(lks_abi_read_u64(r, &seed));
    OK(lks_abi_read_word(r, commitment));
    if (q->request.replicas == 1)
        return "NotReplicated()";
    if (q->status != LKS_REQUEST_ACCEPTED)
        return "WrongStatus(uint8)";
    if (run->block->time > q->deadline)
        return "TooLate()";
    sim_seat *seat = &q->seats[number];
    if (number >= q->taken || seat->status != LKS_SEAT_ACCEPTED ||
        !sim_acts_for(s, run->sender, seat->operator_address, LKS_AGENT_CLAIMS))
        return "NotSeated()";
    if (seed != q->seed)
        return "WrongSeed(uint64)";
    if (!run->commit)
        return NULL;
    seat->status = LKS_SEAT_COMMITTED;
    memcpy(seat->commitment, commitment, 32);
    sim_log *log = sim_log_of(s, run->block, LKS_EVENT_COMMITTED, q->id);
    sim_log_address(log, seat->operator_address);
    lks_abi_writer e;
    lks_abi_begin(&e, &log->data, 2);
    lks_abi_put_u64(&e, number);
    lks_abi_put_word(&e, commitment);
    OK(lks_abi_finish(&e));
    if (!all_have(q, LKS_SEAT_COMMITTED))
        return NULL;
    q->status = LKS_REQUEST_REVEALING;
    q->deadline = run->block->time + SIM_REVEAL_SECONDS;
    q->window_end = q->deadline + q->request.window;
    sim_log_numbers(sim_log_of(s, run->block, LKS_EVENT_REVEAL_OPENED, q->id), 1, &q->deadline);
    return NULL;
}

const char *sim_do_reveal(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run)
{
    uint32_t number = 0;
    uint64_t seed = 0;
    const uint8_t *tokens = NULL, *allowed = NULL;
    size_t len = 0, allowed_len = 0;
    uint8_t salt[32], hash[32], commitment[32];
    OK(lks_abi_read_u32(r, &number));
    OK(lks_abi_read_u64(r, &seed));
    OK(lks_abi_read_bytes(r, &tokens, &len));
    OK(lks_abi_read_bytes(r, &allowed, &allowed_len));
    OK(lks_abi_read_word(r, salt));
    const sim_block *b = run->block;
    bool by_time = q->status == LKS_REQUEST_ACCEPTED && b->time > q->deadline;
    if (q->status != LKS_REQUEST_REVEALING && !by_time)
        return "WrongStatus(uint8)";
    if (b->time > q->deadline + (by_time ? SIM_REVEAL_SECONDS : 0))
        return "TooLate()";
    sim_seat *seat = &q->seats[number];
    if (number >= q->taken || seat->status != LKS_SEAT_COMMITTED ||
        !sim_acts_for(s, run->sender, seat->operator_address, LKS_AGENT_CLAIMS))
        return "NotSeated()";
    const char *error = check_answer(q, seed, len, allowed_len);
    if (error)
        return error;
    lks_tokens_hash(hash, tokens, len);
    lks_claim_commitment(commitment, seat->name, seat->operator_address, seed, hash, salt);
    if (memcmp(commitment, seat->commitment, 32))
        return "WrongReveal()";
    if (!run->commit)
        return NULL;
    if (by_time) {
        q->status = LKS_REQUEST_REVEALING;
        q->deadline += SIM_REVEAL_SECONDS;
        q->window_end = q->deadline + q->request.window;
    }
    put_claim(s, q, number, tokens, len, b);
    if (all_have(q, LKS_SEAT_CLAIMED))
        q->status = LKS_REQUEST_CLAIMED;
    return NULL;
}

/* ---- ends ---- */

/* The oracle credits an account. */
static void pay(sim *s, const uint8_t account20[20], const lks_u256 *wei)
{
    sim_account *a = sim_account_at(s, account20);
    if (!a)
        return;
    lks_u256_add(&a->reward, &a->reward, wei);
    lks_u256_add(&a->earned, &a->earned, wei);
}

/* Whether all claims that stand are the same. Out: *first of them. */
static bool agree(const sim_request *q, size_t *first)
{
    bool any = false, same = true;
    for (size_t i = 0; i < q->taken; i++) {
        const sim_seat *seat = &q->seats[i];
        if (seat->status != LKS_SEAT_CLAIMED)
            continue;
        if (!any)
            *first = i;
        const lks_buf *a = &q->seats[*first].tokens;
        same =
            same && a->len == seat->tokens.len && memcmp(a->data, seat->tokens.data, a->len) == 0;
        any = true;
    }
    return same;
}

const char *sim_do_finalize(sim *s, sim_request *q, const sim_run *run)
{
    const sim_block *b = run->block;
    size_t first = 0;
    bool by_time = q->status == LKS_REQUEST_REVEALING && b->time > q->deadline;
    if (q->status != LKS_REQUEST_CLAIMED && !by_time)
        return "WrongStatus(uint8)";
    if (b->time <= q->window_end)
        return "TooEarly()";
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].disputes)
            return "DisputeLive()";
    if (!run->commit)
        return NULL;
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].status == LKS_SEAT_CLAIMED)
            sim_unlock(s, q, &q->seats[i]);
    if (!agree(q, &first)) {
        const uint64_t burned = 1;
        q->status = LKS_REQUEST_UNDECIDED;
        sim_log_numbers(sim_log_of(s, b, LKS_EVENT_UNDECIDED, q->id), 1, &burned);
        return NULL;
    }
    s->finals++;
    q->status = LKS_REQUEST_FINAL;
    lks_u256 share;
    lks_u256_div_u64(&share, &q->request.fee, q->taken);
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].status == LKS_SEAT_CLAIMED)
            pay(s, q->seats[i].operator_address, &share);
    const uint64_t count = q->seats[first].tokens.len / 4;
    sim_log *log = sim_log_of(s, b, LKS_EVENT_FINALIZED, q->id);
    sim_log_word(log, q->seats[first].name);
    sim_log_numbers(log, 1, &count);
    return NULL;
}

void sim_do_convict(sim *s, sim_request *q, size_t number, const uint8_t challenger20[20],
                    const sim_block *b)
{
    lks_abi_writer e;
    sim_seat *seat = &q->seats[number];
    s->convictions++;
    seat->status = LKS_SEAT_CONVICTED;
    seat->disputes = 0;
    memcpy(q->barred[q->barred_count++], seat->operator_address, 20);
    sim_unlock(s, q, seat);
    sim_account *loser = sim_account_for(s, seat->operator_address);
    if (loser) {
        lks_u256_add(&loser->burned, &loser->burned, &q->request.stake);
        loser->convictions++;
    }
    lks_u256 reward;
    lks_u256_div_u64(&reward, &q->request.stake, 4);
    pay(s, challenger20, &reward);
    sim_log *log = sim_log_of(s, b, LKS_EVENT_CONVICTED, q->id);
    sim_log_word(log, seat->name);
    sim_log_address(log, seat->operator_address);
    lks_abi_begin(&e, &log->data, 4);
    lks_abi_put_address(&e, challenger20);
    for (int i = 0; i < 3; i++)
        lks_abi_put_u64(&e, 1);
    OK(lks_abi_finish(&e));
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].status != LKS_SEAT_CONVICTED && q->seats[i].status != LKS_SEAT_MISSED)
            return;
    q->attempt++;
    sim_reopen(s, q, b);
}

void sim_do_dispute_event(sim *s, sim_request *q, size_t number, bool opened, const sim_block *b)
{
    sim_seat *seat = &q->seats[number];
    uint32_t before = seat->disputes;
    seat->disputes += opened ? 1 : (uint32_t)-1;
    if ((before && seat->disputes) || (opened && s->loses_disputed))
        return;
    sim_log_word(sim_log_of(s, b, opened ? LKS_EVENT_DISPUTED : LKS_EVENT_SETTLED, q->id),
                 seat->name);
}
