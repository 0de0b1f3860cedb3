/* What happened, as the contracts' events say it. */
#include "tests/dispute/referee_internal.h"

static lks_eth_log *add_log(referee *r, const uint8_t address[20], const uint8_t topic0[32])
{
    if (r->log_count == r->log_room) {
        r->log_room = r->log_room ? 2 * r->log_room : 64;
        r->logs = realloc(r->logs, r->log_room * sizeof *r->logs);
        r->times = realloc(r->times, r->log_room * sizeof *r->times);
        assert_non_null(r->logs);
        assert_non_null(r->times);
    }
    lks_eth_log *log = &r->logs[r->log_count];
    memset(log, 0, sizeof *log);
    memcpy(log->address, address, 20);
    memcpy(log->topics[0], topic0, 32);
    log->topic_count = 1;
    log->block_number = r->block;
    log->log_index = (uint32_t)(r->log_count % 1000);
    memset(log->tx_hash, (int)(r->log_count & 0xff), 32);
    r->times[r->log_count++] = r->time;
    return log;
}

static void put_topic(lks_eth_log *log, const uint8_t *bytes, size_t len)
{
    memcpy(log->topics[log->topic_count++] + 32 - len, bytes, len);
}

/* An event of the game about the claim; its data follow with the writer. */
static lks_eth_log *emit(referee *r, lks_game_event_kind kind, const uint8_t *dispute_id,
                         const uint8_t *account)
{
    uint8_t topic[32];
    lks_game_event_topic(topic, kind);
    lks_eth_log *log = add_log(r, r->deployment.game, topic);
    put_topic(log, r->claim_id, 32);
    put_topic(log, dispute_id, 32);
    if (account)
        put_topic(log, account, 20);
    return log;
}

static void set_data(lks_eth_log *log, lks_abi_writer *e, lks_buf *b)
{
    OK(lks_abi_finish(e));
    log->data = b->data;
    log->data_len = b->len;
}

static void put_nodes(lks_abi_writer *e, const lks_move *m)
{
    lks_abi_begin_array(e, m->hash_count, 1);
    for (size_t i = 0; i < m->hash_count; i++)
        lks_abi_put_word(e, m->hashes[i]);
    lks_abi_end(e);
}

/* ---- the claim ---- */

static void pack(lks_buf *out, const uint32_t *ids, size_t count)
{
    lks_tokens_pack(out, ids, count);
    OK(lks_buf_error(out));
}

static void log_request(referee *r)
{
    lks_buf prompt = {0}, allowed = {0}, data = {0};
    lks_request *q = &r->request;
    pack(&prompt, r->run->prompt, r->run->prompt_count);
    pack(&allowed, r->run->policy.allowed, r->run->policy.allowed_count);
    OK(lks_model_id(q->model_id, &r->commitment));
    memset(q->requester, 0x77, 20);
    q->prompt_count = (uint32_t)r->run->prompt_count;
    q->allowed_count = (uint32_t)r->run->policy.allowed_count;
    lks_tokens_hash(q->prompt_hash, prompt.data, prompt.len);
    lks_tokens_hash(q->allowed_hash, allowed.data, allowed.len);
    q->temperature = r->run->policy.temperature;
    q->min_p = r->run->policy.min_p;
    q->max_tokens = 64;
    q->accept_deadline = r->time + 300;
    q->replicas = 1;
    q->stake = lks_u256_from_u64(1000000000000000000u);
    lks_request_id(r->request_id, r->deployment.chain_id, r->deployment.oracle, q);
    uint8_t topic[32], words[LKS_REQUEST_SIZE];
    lks_event_topic(topic, LKS_EVENT_REQUESTED);
    lks_eth_log *log = add_log(r, r->deployment.oracle, topic);
    put_topic(log, r->request_id, 32);
    put_topic(log, q->model_id, 32);
    put_topic(log, q->requester, 20);
    lks_abi_writer e;
    lks_abi_begin(&e, &data, LKS_REQUEST_SIZE / 32 + 2);
    lks_request_encode(words, q);
    for (size_t i = 0; i < sizeof words; i += 32)
        lks_abi_put_word(&e, words + i);
    lks_abi_put_bytes(&e, prompt.data, prompt.len);
    lks_abi_put_bytes(&e, allowed.data, allowed.len);
    set_data(log, &e, &data);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
}

static void log_acceptance(referee *r)
{
    uint8_t topic[32];
    lks_abi_writer e;
    lks_buf data = {0};
    memset(r->operator_address, 0x99, 20);
    lks_event_topic(topic, LKS_EVENT_ACCEPTED);
    lks_eth_log *log = add_log(r, r->deployment.oracle, topic);
    put_topic(log, r->request_id, 32);
    put_topic(log, r->operator_address, 20);
    lks_abi_begin(&e, &data, 5);
    lks_abi_put_u64(&e, 2);
    lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, r->run->policy.seed);
    lks_abi_put_u64(&e, 1);
    lks_abi_put_u64(&e, r->time + 100);
    set_data(log, &e, &data);
}

static void log_claim(referee *r)
{
    lks_buf tokens = {0}, data = {0};
    uint8_t topic[32], hash[32];
    lks_abi_writer e;
    pack(&tokens, r->run->answer, r->run->answer_count);
    lks_tokens_hash(hash, tokens.data, tokens.len);
    lks_claim_name(r->name, r->request_id, 2, 0);
    lks_claim_facts_of(&r->facts, &r->request, r->run->policy.seed, (uint32_t)r->run->answer_count,
                       hash);
    lks_claim_terms_of(&r->terms, r->deployment.oracle, r->name, r->operator_address, &r->request,
                       &r->facts);
    lks_claim_id(r->claim_id, &r->terms);
    lks_event_topic(topic, LKS_EVENT_CLAIMED);
    lks_eth_log *log = add_log(r, r->deployment.oracle, topic);
    put_topic(log, r->request_id, 32);
    put_topic(log, r->name, 32);
    put_topic(log, r->operator_address, 20);
    lks_abi_begin(&e, &data, 3);
    lks_abi_put_u64(&e, r->run->policy.seed);
    lks_abi_put_u64(&e, r->time + 500);
    lks_abi_put_bytes(&e, tokens.data, tokens.len);
    set_data(log, &e, &data);
    lks_buf_free(&tokens);
}

static void log_model(referee *r)
{
    uint8_t topic[32], zero[32] = {0};
    lks_buf call = {0};
    lks_event_topic(topic, LKS_EVENT_MODEL_REGISTERED);
    lks_eth_log *log = add_log(r, r->deployment.registry, topic);
    put_topic(log, r->request.model_id, 32);
    put_topic(log, r->operator_address, 20);
    OK(lks_call_register(&call, &r->commitment, zero,
                         "file")); /* its arguments are what the event holds */
    log->data_len = call.len - 4;
    log->data = malloc(log->data_len);
    assert_non_null(log->data);
    memcpy(log->data, call.data + 4, log->data_len);
    lks_buf_free(&call);
}

void referee_log_claim(referee *r)
{
    log_request(r);
    log_acceptance(r);
    log_claim(r);
    log_model(r);
}

/* ---- the game ---- */

void referee_log_shape(referee *r, uint32_t op)
{
    uint8_t topic[32];
    lks_buf data = {0};
    lks_abi_writer e;
    lks_game_event_topic(topic, LKS_GAME_SHAPE_RECORDED);
    lks_eth_log *log = add_log(r, r->deployment.game, topic);
    put_topic(log, r->request.model_id, 32);
    lks_abi_begin(&e, &data, 1);
    lks_abi_put_u64(&e, op);
    set_data(log, &e, &data);
}

static void put_dispute(lks_abi_writer *e, const lks_dispute_terms *d)
{
    lks_abi_put_address(e, d->claim.source);
    lks_abi_put_word(e, d->claim.name);
    lks_abi_put_address(e, d->claim.operator_address);
    lks_abi_put_u256(e, &d->claim.stake);
    lks_abi_put_word(e, d->claim.model_id);
    lks_abi_put_word(e, d->claim.facts_hash);
    lks_abi_put_address(e, d->challenger);
    lks_abi_put_u256(e, &d->bond);
    lks_abi_put_word(e, d->salt);
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

void referee_log_challenged(referee *r, const referee_dispute *d, uint64_t deadline)
{
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_CHALLENGED, d->id, d->terms.challenger);
    lks_abi_begin(&e, &data, 21);
    put_dispute(&e, &d->terms);
    put_facts(&e, &r->facts);
    lks_abi_put_u64(&e, d->at.state);
    lks_abi_put_u64(&e, d->prepaid);
    lks_abi_put_u64(&e, deadline);
    set_data(log, &e, &data);
}

void referee_log_trace(referee *r, const referee_dispute *d, const lks_move *m, uint64_t deadline)
{
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_TRACE_OPENED, d->id, NULL);
    lks_abi_begin(&e, &data, 4);
    lks_abi_put_word(&e, m->hash);
    put_nodes(&e, m);
    lks_abi_put_u64(&e, d->prepaid);
    lks_abi_put_u64(&e, deadline);
    set_data(log, &e, &data);
}

/* The words in front of prepaid money and deadline; w a number of the move, H its hash, N its
 * children, B its bytes. */
static void put_members(lks_abi_writer *e, const char *members, const uint64_t *numbers,
                        const lks_move *m)
{
    for (; *members; members++) {
        switch (*members) {
        case 'w': lks_abi_put_u64(e, *numbers++); break;
        case 'H': lks_abi_put_word(e, m->hash); break;
        case 'N': put_nodes(e, m); break;
        default: lks_abi_put_bytes(e, m->bytes, m->len); break;
        }
    }
}

void referee_log_move(referee *r, const referee_dispute *d, const lks_move *m, uint64_t deadline)
{
    static const struct {
        lks_game_event_kind kind;
        const char *members;
    } events[] = {
        [LKS_MOVE_PICK] = {LKS_GAME_PICKED, "wwwH"},
        [LKS_MOVE_REVEAL] = {LKS_GAME_REVEALED, "wwwN"},
        [LKS_MOVE_REVEAL_LEAF] = {LKS_GAME_LEAF_REVEALED, "wwB"},
        [LKS_MOVE_DEMAND_PARTIALS] = {LKS_GAME_PARTIALS_DEMANDED, "www"},
        [LKS_MOVE_OPEN_PARTIALS] = {LKS_GAME_PARTIALS_OPENED, "wwwB"},
    };
    uint64_t numbers[3] = {d->at.op, d->at.height, d->at.index};
    lks_buf data = {0};
    lks_abi_writer e;
    if (m->kind == LKS_MOVE_REVEAL_LEAF) {
        numbers[1] = d->at.index;
    } else if (m->kind == LKS_MOVE_DEMAND_PARTIALS || m->kind == LKS_MOVE_OPEN_PARTIALS) {
        numbers[1] = d->at.index >> referee_shape(r, d->at.op).chunk_bits;
        numbers[2] = d->at.element;
    }
    lks_eth_log *log = emit(r, events[m->kind].kind, d->id, NULL);
    lks_abi_begin(&e, &data, strlen(events[m->kind].members) + 2);
    put_members(&e, events[m->kind].members, numbers, m);
    lks_abi_put_u64(&e, d->prepaid);
    lks_abi_put_u64(&e, deadline);
    set_data(log, &e, &data);
}

void referee_log_conviction(referee *r, const referee_dispute *d, lks_conviction how,
                            const lks_unit *u)
{
    static const uint8_t none[32], stranger[20] = {0xee};
    const lks_unit nothing = {0};
    lks_buf data = {0};
    lks_abi_writer e;
    u = u ? u : &nothing;
    lks_eth_log *log =
        emit(r, LKS_GAME_CLAIM_CONVICTED, d ? d->id : none, d ? d->terms.challenger : stranger);
    lks_abi_begin(&e, &data, 4);
    lks_abi_put_u64(&e, how);
    lks_abi_put_u64(&e, u->op);
    lks_abi_put_u64(&e, u->leaf);
    lks_abi_put_u64(&e, u->unit);
    set_data(log, &e, &data);
}

void referee_log_lost(referee *r, const referee_dispute *d)
{
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_DISPUTE_LOST, d->id, NULL);
    lks_abi_begin(&e, &data, 2);
    lks_abi_put_u64(&e, 35);
    lks_abi_put_u64(&e, 15);
    set_data(log, &e, &data);
}
