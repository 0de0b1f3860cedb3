/* The oracle of the simulated chain: requests with one seat or more, rounds and attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "chain/keccak.h"
#include "tests/plugin/sim_internal.h"

#define OK(expression) assert_int_equal(expression, LKS_OK)
#define REQUEST_TYPE                                                                               \
    "(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,"   \
    "uint128,uint32,uint64,uint32,uint8,address,uint32)"

/* The selector of a signature that is a literal, hashed once. */
static const uint8_t *selector_of(const char *signature)
{
    static struct {
        const char *signature;
        uint8_t selector[4];
    } known[256];
    size_t i = (uintptr_t)signature / 8 % 256;
    if (known[i].signature != signature) {
        lks_abi_selector(known[i].selector, signature);
        known[i].signature = signature;
    }
    return known[i].selector;
}

bool sim_is_call(const uint8_t *data, size_t len, const char *signature)
{
    return len >= 4 && memcmp(data, selector_of(signature), 4) == 0;
}

/* ---- logs ---- */

sim_log *sim_begin_log(sim *s, const sim_block *b, bool of_game, const uint8_t topic0[32],
                       const uint8_t id[32])
{
    assert_true(s->log_count < SIM_LOGS);
    sim_log *log = &s->logs[s->log_count++];
    memset(log, 0, sizeof *log);
    log->block = b->number;
    log->of_game = of_game;
    memcpy(log->topics[0], topic0, 32);
    memcpy(log->topics[1], id, 32);
    log->topic_count = 2;
    return log;
}

sim_log *sim_log_of(sim *s, const sim_block *b, lks_event_kind kind, const uint8_t id[32])
{
    uint8_t topic[32];
    lks_event_topic(topic, kind);
    return sim_begin_log(s, b, false, topic, id);
}

void sim_log_address(sim_log *log, const uint8_t address[20])
{
    memcpy(log->topics[log->topic_count++] + 12, address, 20);
}

void sim_log_word(sim_log *log, const uint8_t word[32])
{
    memcpy(log->topics[log->topic_count++], word, 32);
}

/* Data of a few numbers. */
void sim_log_numbers(sim_log *log, size_t count, const uint64_t *numbers)
{
    lks_abi_writer e;
    lks_abi_begin(&e, &log->data, count);
    for (size_t i = 0; i < count; i++)
        lks_abi_put_u64(&e, numbers[i]);
    OK(lks_abi_finish(&e));
}

/* ---- state ---- */

sim_request *sim_find(sim *s, const lks_request *r)
{
    uint8_t id[32];
    lks_request_id(id, s->chain_id, s->oracle, r);
    for (size_t i = 0; i < s->request_count; i++)
        if (memcmp(s->requests[i].id, id, 32) == 0)
            return &s->requests[i];
    return NULL;
}

bool sim_acts_for(const sim *s, const uint8_t sender[20], const uint8_t operator20[20],
                  uint8_t role)
{
    if (memcmp(sender, operator20, 20) == 0)
        return true;
    for (size_t i = 0; i < s->account_count; i++) {
        const sim_account *a = &s->accounts[i];
        if (memcmp(sender, a->address, 20) == 0 &&
            memcmp(operator20, a->operator_address, 20) == 0 && (a->agent_roles & role))
            return true;
    }
    return false;
}

sim_account *sim_account_for(sim *s, const uint8_t operator20[20])
{
    for (size_t i = 0; i < s->account_count; i++)
        if (memcmp(s->accounts[i].operator_address, operator20, 20) == 0)
            return &s->accounts[i];
    return NULL;
}

bool sim_stands(const sim_request *q, size_t seat)
{
    return q->seats[seat].status == LKS_SEAT_CLAIMED &&
           (q->status == LKS_REQUEST_CLAIMED || q->status == LKS_REQUEST_REVEALING);
}

void sim_unlock(sim *s, const sim_request *q, const sim_seat *seat)
{
    sim_account *a = sim_account_for(s, seat->operator_address);
    if (a)
        lks_u256_sub(&a->locked, &a->locked, &q->request.stake);
}

static void clear_seats(sim_request *q)
{
    for (size_t i = 0; i < LKS_MAX_REPLICAS; i++) {
        lks_buf_free(&q->seats[i].tokens);
        memset(&q->seats[i], 0, sizeof q->seats[i]);
    }
    q->taken = 0;
}

void sim_oracle_clear(sim *s)
{
    s->accepts = s->claims = s->finals = s->freed = s->misses = 0;
    for (size_t i = 0; i < s->request_count; i++) {
        sim_request *q = &s->requests[i];
        clear_seats(q);
        q->status = LKS_REQUEST_NONE;
        q->block = q->deadline = q->seed = q->window_end = 0;
        q->attempt = q->misses = 0;
        q->seed_fixed = q->cancelled = false;
        q->barred_count = 0;
    }
}

/* ---- requests ---- */

void sim_do_request(sim *s, size_t request, const sim_block *b)
{
    sim_request *q = &s->requests[request];
    uint8_t words[LKS_REQUEST_SIZE];
    lks_abi_writer e;
    q->status = LKS_REQUEST_OPEN;
    q->block = b->number;
    q->attempt = 1;
    sim_log *log = sim_log_of(s, b, LKS_EVENT_REQUESTED, q->id);
    sim_log_word(log, q->request.model_id);
    sim_log_address(log, q->request.requester);
    lks_request_encode(words, &q->request);
    lks_abi_begin(&e, &log->data, LKS_REQUEST_SIZE / 32 + 2);
    for (size_t i = 0; i < LKS_REQUEST_SIZE; i += 32)
        lks_abi_put_word(&e, words + i);
    lks_abi_put_bytes(&e, q->prompt.data, q->prompt.len);
    lks_abi_put_bytes(&e, q->allowed.data, q->allowed.len);
    OK(lks_abi_finish(&e));
}

static void free_seats(sim *s, sim_request *q, const sim_block *b)
{
    for (size_t i = 0; i < q->taken; i++)
        sim_unlock(s, q, &q->seats[i]);
    clear_seats(q);
    q->deadline = 0;
    s->freed++;
    sim_log_numbers(sim_log_of(s, b, LKS_EVENT_SEATS_FREED, q->id), 0, NULL);
}

static void refund(sim *s, sim_request *q, const sim_block *b)
{
    const uint64_t fee = 1;
    q->status = LKS_REQUEST_REFUNDED;
    sim_log_numbers(sim_log_of(s, b, LKS_EVENT_REFUNDED, q->id), 1, &fee);
}

void sim_reopen(sim *s, sim_request *q, const sim_block *b)
{
    const uint64_t attempt = q->attempt;
    clear_seats(q);
    q->deadline = 0;
    q->status = LKS_REQUEST_OPEN;
    sim_log_numbers(sim_log_of(s, b, LKS_EVENT_REOPENED, q->id), 1, &attempt);
    if (q->cancelled || b->time > q->request.accept_deadline || attempt > LKS_MAX_ATTEMPTS)
        refund(s, q, b);
}

void sim_do_cancel(sim *s, size_t request, const sim_block *b)
{
    sim_request *q = &s->requests[request];
    q->cancelled = true;
    sim_log_numbers(sim_log_of(s, b, LKS_EVENT_CANCELLED, q->id), 0, NULL);
    if (q->status != LKS_REQUEST_OPEN)
        return;
    if (q->taken)
        free_seats(s, q, b);
    refund(s, q, b);
}

/* ---- seats ---- */

static const char *check_seed_block(sim *s, const sim_request *q, const uint8_t *header,
                                    size_t header_len, const sim_block *b)
{
    uint8_t hash[32];
    if (q->request.temperature == 0)
        return header_len ? "WrongHeader()" : NULL;
    if (q->seed_fixed)
        return NULL;
    if (b->number < q->block + LKS_SEED_FIRST_BLOCK)
        return "TooEarly()";
    if (b->number > q->block + LKS_SEED_LAST_BLOCK)
        return "TooLate()";
    if (!header)
        return NULL;
    lks_keccak256(hash, header, header_len);
    return memcmp(hash, s->blocks[q->block + LKS_SEED_DELAY].hash, 32) ? "WrongHeader()" : NULL;
}

static bool has_part(const sim_request *q, const uint8_t operator20[20])
{
    for (size_t i = 0; i < q->barred_count; i++)
        if (memcmp(q->barred[i], operator20, 20) == 0)
            return true;
    for (size_t i = 0; i < q->taken; i++)
        if (memcmp(q->seats[i].operator_address, operator20, 20) == 0)
            return true;
    return false;
}

static void take_seat(sim *s, sim_request *q, const uint8_t operator20[20], const sim_block *b)
{
    if (q->request.temperature && !q->seed_fixed)
        q->seed = lks_seed_used(q->request.seed, s->blocks[q->block + LKS_SEED_DELAY].prev_randao);
    q->seed_fixed = true;
    uint8_t number = (uint8_t)q->taken++;
    sim_seat *seat = &q->seats[number];
    seat->status = LKS_SEAT_ACCEPTED;
    memcpy(seat->operator_address, operator20, 20);
    lks_claim_name(seat->name, q->id, q->attempt, number);
    bool filled = q->taken == q->request.replicas;
    if (filled) {
        q->status = LKS_REQUEST_ACCEPTED;
        q->deadline = b->time + q->request.claim_period;
    } else if (number == 0) {
        q->deadline = b->time + SIM_FILL_SECONDS;
    }
    sim_account *a = sim_account_for(s, operator20);
    if (a) {
        lks_u256_add(&a->locked, &a->locked, &q->request.stake);
        s->accepts++;
    }
    sim_log *log = sim_log_of(s, b, LKS_EVENT_ACCEPTED, q->id);
    sim_log_address(log, operator20);
    const uint64_t data[5] = {q->attempt, number, q->seed + s->lies_about_seed, filled,
                              q->deadline};
    sim_log_numbers(log, 5, data);
}

static bool is_unfilled(const sim_request *q, const sim_block *b)
{
    return q->status == LKS_REQUEST_OPEN && q->taken && b->time > q->deadline;
}

static const char *do_free(sim *s, sim_request *q, const sim_run *run)
{
    if (q->status != LKS_REQUEST_OPEN || q->taken == 0)
        return "WrongStatus(uint8)";
    if (!is_unfilled(q, run->block))
        return "TooEarly()";
    if (!run->commit)
        return NULL;
    free_seats(s, q, run->block);
    return NULL;
}

const char *sim_do_accept(sim *s, const lks_request *r, const uint8_t operator20[20],
                          const uint8_t *header, size_t header_len, const sim_run *run)
{
    sim_request *q = sim_find(s, r);
    const sim_block *b = run->block;
    if (!q || q->status != LKS_REQUEST_OPEN)
        return "WrongStatus(uint8)";
    if (!sim_acts_for(s, run->sender, operator20, LKS_AGENT_CLAIMS))
        return "NotOperatorOrAgent()";
    if (b->time > r->accept_deadline)
        return "TooLate()";
    if (q->cancelled || q->attempt > LKS_MAX_ATTEMPTS)
        return "NoMoreAttempts()";
    const char *error = check_seed_block(s, q, header, header_len, b);
    if (error)
        return error;
    bool unfilled = is_unfilled(q, b);
    sim_request probe = *q;
    if (unfilled)
        probe.taken = 0;
    if (has_part(&probe, operator20))
        return "AlreadyAccepted()";
    const sim_account *a = sim_account_for(s, operator20);
    lks_u256 bond = a ? sim_free_bond(a) : r->stake;
    if (lks_u256_cmp(&r->stake, &bond) > 0)
        return "InsufficientFreeBond(address,uint256,uint256)";
    if (!run->commit)
        return NULL;
    if (unfilled)
        do_free(s, q, run);
    take_seat(s, q, operator20, b);
    return NULL;
}

/* ---- misses ---- */

static void fine(sim *s, sim_request *q, size_t number, const sim_block *b)
{
    sim_seat *seat = &q->seats[number];
    lks_u256 penalty;
    lks_u256_div_u64(&penalty, &q->request.stake, 50);
    lks_u256_mul_u64(&penalty, &penalty, UINT64_C(1) << (q->misses < 3 ? q->misses : 3));
    seat->status = LKS_SEAT_MISSED;
    sim_unlock(s, q, seat);
    sim_account *a = sim_account_for(s, seat->operator_address);
    if (a) {
        lks_u256_add(&a->penalties, &a->penalties, &penalty);
        a->misses++;
        s->misses++;
    }
    sim_log *log = sim_log_of(s, b, LKS_EVENT_MISSED, q->id);
    sim_log_address(log, seat->operator_address);
    const uint64_t data[3] = {number, penalty.w[0], 0};
    sim_log_numbers(log, 3, data);
    for (size_t i = 0; i < q->taken; i++)
        if (q->seats[i].status != LKS_SEAT_MISSED)
            return;
    q->misses++;
    sim_reopen(s, q, b);
}

void sim_do_miss(sim *s, size_t request, const sim_block *b)
{
    fine(s, &s->requests[request], 0, b);
}

/* The last second of what is awaited of a seat. */
static uint64_t due(const sim_request *q, const sim_seat *seat)
{
    if (q->status == LKS_REQUEST_ACCEPTED && seat->status == LKS_SEAT_COMMITTED)
        return q->deadline + SIM_REVEAL_SECONDS;
    return q->deadline;
}

static const char *do_missed(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run)
{
    uint32_t number = 0;
    OK(lks_abi_read_u32(r, &number));
    if (q->status != LKS_REQUEST_ACCEPTED && q->status != LKS_REQUEST_REVEALING)
        return "WrongStatus(uint8)";
    const sim_seat *seat = &q->seats[number];
    bool awaited = seat->status == LKS_SEAT_ACCEPTED || seat->status == LKS_SEAT_COMMITTED;
    if (number >= q->taken || !awaited)
        return "NotMissed()";
    if (run->block->time <= due(q, seat))
        return "TooEarly()";
    if (run->commit)
        fine(s, q, number, run->block);
    return NULL;
}

static const char *do_withdraw(sim *s, const sim_run *run)
{
    sim_account *a = sim_account_at(s, run->sender);
    if (!a || lks_u256_is_zero(&a->reward))
        return "NothingToWithdraw()";
    if (run->commit)
        a->reward = lks_u256_from_u64(0);
    return NULL;
}

const char *sim_execute(sim *s, const sim_run *run)
{
    lks_request request;
    if (run->len == 0)
        return NULL; /* an empty transaction */
    if (sim_is_call(run->data, run->len, "withdraw(address)"))
        return do_withdraw(s, run);
    if (run->len < 4 + LKS_REQUEST_SIZE || lks_request_decode(&request, run->data + 4))
        return "MalformedTokens()";
    sim_request *q = sim_find(s, &request);
    lks_abi_reader r;
    lks_abi_read(&r, run->data + 4, run->len - 4);
    r.at = LKS_REQUEST_SIZE;
    if (!q)
        return "WrongStatus(uint8)";
#define IS(signature) sim_is_call(run->data, run->len, signature)
    if (IS("accept(" REQUEST_TYPE ",address,bytes)")) {
        uint8_t operator20[20];
        const uint8_t *header = NULL;
        size_t len = 0;
        OK(lks_abi_read_address(&r, operator20));
        OK(lks_abi_read_bytes(&r, &header, &len));
        return sim_do_accept(s, &request, operator20, header, len, run);
    }
    if (IS("claim(" REQUEST_TYPE ",uint64,bytes,bytes)"))
        return sim_do_claim(s, q, &r, run);
    if (IS("commitClaim(" REQUEST_TYPE ",uint8,uint64,bytes32)"))
        return sim_do_commit(s, q, &r, run);
    if (IS("revealClaim(" REQUEST_TYPE ",uint8,uint64,bytes,bytes,bytes32)"))
        return sim_do_reveal(s, q, &r, run);
    if (IS("finalize(" REQUEST_TYPE ",bytes)"))
        return sim_do_finalize(s, q, run);
    if (IS("freeSeats(" REQUEST_TYPE ")"))
        return do_free(s, q, run);
    if (IS("missed(" REQUEST_TYPE ",uint8)"))
        return do_missed(s, q, &r, run);
#undef IS
    fail_msg("the plugin sent a call that the oracle does not know");
    return NULL;
}
