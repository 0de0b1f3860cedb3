#include "tests/plugin/sim.h"

#include "chain/keccak.h"
#include "chain/rlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_internal.h"

void sim_header(const sim_block *b, lks_buf *rlp)
{
    static const uint8_t zero[32];
    size_t mark = lks_rlp_list_begin(rlp);
    lks_rlp_put_bytes(rlp, b->parent, 32);
    lks_rlp_put_bytes(rlp, zero, 32); /* uncles */
    lks_rlp_put_bytes(rlp, zero, 20); /* miner */
    for (int i = 0; i < 3; i++)       /* roots */
        lks_rlp_put_bytes(rlp, zero, 32);
    lks_rlp_put_bytes(rlp, b->bloom, 256);
    lks_rlp_put_u64(rlp, 0); /* difficulty */
    lks_rlp_put_u64(rlp, b->number);
    lks_rlp_put_u64(rlp, 60000000);
    lks_rlp_put_u64(rlp, 21000);
    lks_rlp_put_u64(rlp, b->time);
    lks_rlp_put_bytes(rlp, &b->branch, 1);
    lks_rlp_put_bytes(rlp, b->prev_randao, 32);
    lks_rlp_put_bytes(rlp, zero, 8);
    lks_rlp_put_u64(rlp, b->base_fee);
    lks_rlp_list_end(rlp, mark);
    assert_int_equal(lks_buf_error(rlp), LKS_OK);
}

static void add_to_bloom(uint8_t bloom[256], const uint8_t *value, size_t len)
{
    uint8_t hash[32];
    lks_keccak256(hash, value, len);
    for (int i = 0; i < 6; i += 2) {
        unsigned bit = (hash[i] * 256u + hash[i + 1]) & 2047;
        bloom[255 - bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

static void add_log_to_bloom(const sim *s, sim_block *b, const sim_log *log)
{
    add_to_bloom(b->bloom, log->of_game ? s->game : s->oracle, 20);
    for (size_t t = 0; t < log->topic_count; t++)
        add_to_bloom(b->bloom, log->topics[t], 32);
}

static void seal(sim_block *b)
{
    lks_buf rlp = {0};
    sim_header(b, &rlp);
    lks_keccak256(b->hash, rlp.data, rlp.len);
    lks_buf_free(&rlp);
}

sim *sim_new(const uint8_t account20[20])
{
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    pthread_mutex_init(&s->lock, NULL);
    memset(s->oracle, 0x0a, 20);
    memset(s->bonds, 0x0b, 20);
    memset(s->registry, 0x0c, 20);
    memset(s->other, 0x0d, 20);
    memset(s->requester, 0x0e, 20);
    memset(s->model_id, 0x77, 32);
    s->chain_id = SIM_CHAIN_ID;
    s->period = 1;
    s->base_fee = 1000000000;
    s->priority = 100000000;
    sim_add_account(s, account20);
    s->blocks[0].time = 1700000000;
    s->blocks[0].base_fee = s->base_fee;
    s->block_count = 1;
    seal(&s->blocks[0]);
    return s;
}

sim_account *sim_add_account(sim *s, const uint8_t address20[20])
{
    assert_true(s->account_count < SIM_ACCOUNTS);
    sim_account *a = &s->accounts[s->account_count++];
    memset(a, 0, sizeof *a);
    memcpy(a->address, address20, 20);
    memcpy(a->operator_address, address20, 20);
    a->balance = (lks_u256){{0, 1000, 0, 0}};
    a->free_bond = lks_u256_from_u64(UINT64_C(5000000000000000000));
    return a;
}

sim_account *sim_account_at(sim *s, const uint8_t address20[20])
{
    for (size_t i = 0; i < s->account_count; i++)
        if (memcmp(s->accounts[i].address, address20, 20) == 0)
            return &s->accounts[i];
    return NULL;
}

lks_u256 sim_free_bond(const sim_account *a)
{
    lks_u256 left = a->free_bond, gone;
    lks_u256_add(&gone, &a->locked, &a->penalties);
    lks_u256_add(&gone, &gone, &a->burned);
    if (lks_u256_sub(&left, &left, &gone))
        return lks_u256_from_u64(0);
    return left;
}

static void clear_logs(sim *s)
{
    for (size_t i = 0; i < s->log_count; i++)
        lks_buf_free(&s->logs[i].data);
    s->log_count = 0;
}

void sim_free(sim *s)
{
    clear_logs(s);
    sim_game_clear(s);
    sim_oracle_clear(s);
    for (size_t i = 0; i < s->tx_count; i++)
        lks_buf_free(&s->txs[i].raw);
    for (size_t i = 0; i < s->request_count; i++) {
        lks_buf_free(&s->requests[i].prompt);
        lks_buf_free(&s->requests[i].allowed);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

size_t sim_add_tx(sim *s, sim_kind kind, size_t request)
{
    assert_true(s->tx_count < SIM_TXS);
    sim_tx *tx = &s->txs[s->tx_count];
    memset(tx, 0, sizeof *tx);
    tx->kind = kind;
    tx->request = request;
    tx->pooled = true;
    uint8_t name[3] = {(uint8_t)kind, (uint8_t)s->tx_count, (uint8_t)(s->tx_count >> 8)};
    lks_keccak256(tx->hash, name, sizeof name);
    return s->tx_count++;
}

lks_request sim_terms(const sim *s)
{
    lks_request r = {.max_tokens = 8, .window = 10, .claim_period = 200, .replicas = 1};
    r.accept_deadline = s->blocks[s->block_count - 1].time + 100;
    memcpy(r.requester, s->requester, 20);
    memcpy(r.model_id, s->model_id, 32);
    r.stake = lks_u256_from_u64(UINT64_C(1000000000000000000));
    r.fee = lks_u256_from_u64(UINT64_C(1000000000000000));
    return r;
}

size_t sim_ask(sim *s, const lks_request *terms, uint32_t prompt_count)
{
    pthread_mutex_lock(&s->lock);
    assert_true(s->request_count < SIM_REQUESTS);
    size_t index = s->request_count++;
    sim_request *q = &s->requests[index];
    memset(q, 0, sizeof *q);
    q->request = terms ? *terms : sim_terms(s);
    q->request.nonce = index;
    q->request.prompt_count = prompt_count;
    for (uint32_t i = 0; i < prompt_count; i++) {
        uint32_t id = i + 1;
        lks_tokens_pack(&q->prompt, &id, 1);
    }
    lks_tokens_hash(q->request.prompt_hash, q->prompt.data, q->prompt.len);
    lks_request_id(q->id, s->chain_id, s->oracle, &q->request);
    sim_add_tx(s, SIM_REQUEST, index);
    pthread_mutex_unlock(&s->lock);
    return index;
}

void sim_other(sim *s, sim_kind kind, size_t request)
{
    pthread_mutex_lock(&s->lock);
    sim_add_tx(s, kind, request);
    pthread_mutex_unlock(&s->lock);
}

void sim_put_call(sim *s, const uint8_t from20[20], const uint8_t to20[20], const lks_buf *data)
{
    pthread_mutex_lock(&s->lock);
    sim_tx *tx = &s->txs[sim_add_tx(s, SIM_CALL, 0)];
    memcpy(tx->from, from20, 20);
    memcpy(tx->to, to20, 20);
    lks_buf_put(&tx->raw, data->data, data->len);
    pthread_mutex_unlock(&s->lock);
}

size_t sim_foreign_claim(sim *s, const lks_request *terms, uint32_t prompt_count,
                         const uint32_t *tokens, size_t count)
{
    lks_buf packed = {0}, call = {0};
    size_t r = sim_ask(s, terms, prompt_count);
    sim_mine(s, 3);
    sim_other(s, SIM_OTHER_ACCEPTS, r);
    sim_mine(s, 1);
    lks_tokens_pack(&packed, tokens, count);
    assert_int_equal(lks_call_claim(&call, &s->requests[r].request, s->requests[r].seed,
                                    packed.data, packed.len, NULL, 0),
                     LKS_OK);
    sim_put_call(s, s->other, s->oracle, &call);
    sim_mine(s, 1);
    assert_int_equal(s->requests[r].status, LKS_REQUEST_CLAIMED);
    lks_buf_free(&packed);
    lks_buf_free(&call);
    return r;
}

void sim_forget_pool(sim *s)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->tx_count; i++)
        if (s->txs[i].kind == SIM_SIGNED)
            s->txs[i].pooled = false;
    pthread_mutex_unlock(&s->lock);
}

/* ---- blocks ---- */

static const char *execute(sim *s, const uint8_t to20[20], const uint8_t *data, size_t len,
                           const uint8_t sender20[20], const sim_block *b)
{
    const sim_run run = {data, len, sender20, b, true};
    return memcmp(to20, s->game, 20) == 0 ? sim_game_execute(s, &run) : sim_execute(s, &run);
}

/* What one unit of gas costs a transaction above the base fee. */
static uint64_t priority_of(const lks_tx *t, uint64_t base_fee)
{
    uint64_t left = t->max_fee.w[0] - base_fee;
    return left < t->max_priority_fee.w[0] ? left : t->max_priority_fee.w[0];
}

static void pay_gas(sim_account *account, const lks_tx *t, uint64_t base_fee)
{
    lks_u256 price = lks_u256_from_u64(base_fee + priority_of(t, base_fee));
    lks_u256_mul_u64(&price, &price, t->data_len ? SIM_TX_GAS : SIM_EMPTY_GAS);
    lks_u256_add(&account->fees, &account->fees, &price);
}

/* Runs one included transaction in the newest block. */
static void include(sim *s, size_t index)
{
    sim_block *b = &s->blocks[s->block_count - 1];
    sim_tx *tx = &s->txs[index];
    sim_account *account = NULL;
    const char *error = NULL;
    const sim_run other = {.sender = s->other, .block = b, .commit = true};
    memset(&s->value, 0xff, sizeof s->value);
    switch (tx->kind) {
    case SIM_REQUEST: sim_do_request(s, tx->request, b); break;
    case SIM_CANCELS: sim_do_cancel(s, tx->request, b); break;
    case SIM_OTHER_ACCEPTS:
        error = sim_do_accept(s, &s->requests[tx->request].request, s->other, NULL, 0, &other);
        break;
    case SIM_OTHER_MISSES: sim_do_miss(s, tx->request, b); break;
    case SIM_FOREIGN: /* signed when it was first included: it has that nonce from then on */
        tx->t.nonce = s->accounts[tx->account].nonce++;
        tx->has_nonce = true;
        break;
    case SIM_CALL: error = execute(s, tx->to, tx->raw.data, tx->raw.len, tx->from, b); break;
    default:
        account = &s->accounts[tx->account];
        account->nonce++;
        pay_gas(account, &tx->t, b->base_fee);
        s->value = tx->t.value;
        if (s->failing_txs) {
            s->failing_txs--;
            error = "Fails()";
        } else {
            error = execute(s, tx->t.to, tx->t.data, tx->t.data_len, account->address, b);
        }
        if (error)
            s->reverts++;
        else
            lks_u256_add(&account->paid, &account->paid, &tx->t.value);
        break;
    }
    tx->pooled = false;
    b->txs[b->tx_count] = index;
    b->ok[b->tx_count++] = error == NULL;
}

static bool includable(const sim *s, const sim_tx *tx)
{
    if (!tx->pooled)
        return false;
    if (tx->kind == SIM_FOREIGN)
        return !tx->has_nonce || tx->t.nonce == s->accounts[tx->account].nonce;
    if (tx->kind != SIM_SIGNED)
        return true;
    if (s->accounts[tx->account].jammed)
        return false;
    return tx->t.nonce == s->accounts[tx->account].nonce && tx->t.max_fee.w[0] >= s->base_fee &&
           priority_of(&tx->t, s->base_fee) >= s->least_priority;
}

static void mine(sim *s)
{
    assert_true(s->block_count < SIM_BLOCKS);
    const sim_block *parent = &s->blocks[s->block_count - 1];
    sim_block *b = &s->blocks[s->block_count];
    memset(b, 0, sizeof *b);
    b->number = s->block_count++;
    b->time = parent->time + s->period;
    memcpy(b->parent, parent->hash, 32);
    b->branch = s->branch;
    b->base_fee = s->base_fee;
    const uint8_t entropy[3] = {(uint8_t)b->number, (uint8_t)(b->number >> 8), s->branch};
    lks_keccak256(b->prev_randao, entropy, sizeof entropy);
    size_t first_log = s->log_count;
    bool again = true; /* one transaction can make room for the next nonce */
    while (again) {
        again = false;
        for (size_t i = 0; i < s->tx_count && b->tx_count < SIM_IN_BLOCK; i++)
            if (includable(s, &s->txs[i])) {
                include(s, i);
                again = true;
            }
    }
    for (size_t i = first_log; i < s->log_count; i++)
        add_log_to_bloom(s, b, &s->logs[i]);
    seal(b);
}

void sim_mine(sim *s, size_t count)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < count; i++)
        mine(s);
    pthread_mutex_unlock(&s->lock);
}

/* Forgets what blocks did to the accounts. */
static void clear_accounts(sim *s)
{
    for (size_t i = 0; i < s->account_count; i++) {
        sim_account *a = &s->accounts[i];
        a->fees = lks_u256_from_u64(0);
        a->nonce = a->misses = a->convictions = a->lost = 0;
        a->locked = a->penalties = a->burned = lks_u256_from_u64(0);
        a->credit = a->reward = a->paid = a->earned = a->answers = lks_u256_from_u64(0);
    }
}

void sim_append(sim *s, const sim_block *b)
{
    uint64_t base_fee = s->base_fee;
    sim_block *copy = &s->blocks[s->block_count++];
    if (copy != b)
        *copy = *b;
    size_t count = copy->tx_count;
    copy->tx_count = 0;
    s->base_fee = copy->base_fee; /* prices of then */
    for (size_t i = 0; i < count; i++)
        include(s, copy->txs[i]);
    s->base_fee = base_fee;
}

void sim_rebuild(sim *s)
{
    size_t count = s->block_count;
    clear_logs(s);
    sim_game_clear(s);
    sim_oracle_clear(s);
    clear_accounts(s);
    s->reverts = 0;
    for (s->block_count = 1; s->block_count < count;)
        sim_append(s, &s->blocks[s->block_count]);
}

void sim_reorg(sim *s, size_t count, bool keep_requests, bool keep_txs)
{
    pthread_mutex_lock(&s->lock);
    assert_true(count < s->block_count);
    for (size_t i = 0; i < count; i++) {
        sim_block *b = &s->blocks[--s->block_count];
        for (size_t k = 0; k < b->tx_count; k++) {
            sim_tx *tx = &s->txs[b->txs[k]];
            tx->pooled = tx->kind == SIM_SIGNED    ? keep_txs
                         : tx->kind == SIM_FOREIGN ? keep_requests && !s->loses_foreign
                                                   : keep_requests;
        }
    }
    s->branch++;
    sim_rebuild(s);
    for (size_t i = 0; i < count; i++)
        mine(s);
    pthread_mutex_unlock(&s->lock);
}

const lockstep_block *sim_block_of(sim *s, uint64_t number)
{
    static lockstep_block block;
    static lockstep_log logs[512];
    pthread_mutex_lock(&s->lock);
    const sim_block *b = &s->blocks[number];
    block = (lockstep_block){.number = number, .timestamp = b->time, .logs = logs};
    memcpy(block.hash, b->hash, 32);
    memcpy(block.parent_hash, b->parent, 32);
    for (size_t i = 0; i < s->log_count; i++) {
        const sim_log *log = &s->logs[i];
        if (log->block != number)
            continue;
        assert_true(block.log_count < sizeof logs / sizeof *logs);
        lockstep_log *to = &logs[block.log_count++];
        *to = (lockstep_log){.topic_count = (uint8_t)log->topic_count,
                             .data = log->data.data,
                             .data_len = log->data.len};
        memcpy(to->address, log->of_game ? s->game : s->oracle, 20);
        memcpy(to->topics, log->topics, sizeof to->topics);
    }
    pthread_mutex_unlock(&s->lock);
    return &block;
}
