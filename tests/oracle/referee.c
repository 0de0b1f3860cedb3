#include "tests/oracle/referee.h"

#include "chain/abi.h"
#include "chain/keccak.h"

/* ---- logs ---- */

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
static lks_eth_log *emit(referee *r, lks_game_event_kind kind, const referee_dispute *d, const uint8_t *account)
{
    uint8_t topic[32];
    lks_game_event_topic(topic, kind);
    lks_eth_log *log = add_log(r, r->deployment.game, topic);
    put_topic(log, r->claim_id, 32);
    if (d)
        put_topic(log, d->id, 32);
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

static void put_nodes(lks_abi_writer *e, const uint8_t (*nodes)[32], size_t count)
{
    lks_abi_begin_array(e, count, 1);
    for (size_t i = 0; i < count; i++)
        lks_abi_put_word(e, nodes[i]);
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
    lks_model_commitment c;
    lks_game_commitment(&c, &r->commitment);
    pack(&prompt, r->run->prompt, r->run->prompt_count);
    pack(&allowed, r->run->policy.allowed, r->run->policy.allowed_count);
    OK(lks_model_id(q->model_id, &c));
    memset(q->requester, 0x77, 20);
    q->prompt_count = (uint32_t)r->run->prompt_count;
    q->allowed_count = (uint32_t)r->run->policy.allowed_count;
    lks_tokens_hash(q->prompt_hash, prompt.data, prompt.len);
    lks_tokens_hash(q->allowed_hash, allowed.data, allowed.len);
    q->temperature = r->run->policy.temperature;
    q->min_p = r->run->policy.min_p;
    q->max_tokens = 64;
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

static void log_claim(referee *r)
{
    lks_buf tokens = {0}, data = {0}, accepted = {0};
    uint8_t topic[32], hash[32], claim_hash[32];
    lks_abi_writer e;
    memset(r->operator_address, 0x99, 20);
    lks_event_topic(topic, LKS_EVENT_ACCEPTED);
    lks_eth_log *log = add_log(r, r->deployment.oracle, topic);
    put_topic(log, r->request_id, 32);
    put_topic(log, r->operator_address, 20);
    lks_abi_begin(&e, &accepted, 4);
    lks_abi_put_u64(&e, 2);
    lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, r->run->policy.seed);
    lks_abi_put_u64(&e, r->time + 100);
    set_data(log, &e, &accepted);
    pack(&tokens, r->run->answer, r->run->answer_count);
    lks_tokens_hash(hash, tokens.data, tokens.len);
    lks_claim_hash(claim_hash, r->deployment.chain_id, r->deployment.oracle, r->request_id, r->run->policy.seed, r->operator_address,
                   (uint32_t)r->run->answer_count, hash);
    lks_claim_id(r->claim_id, claim_hash, 2);
    lks_event_topic(topic, LKS_EVENT_CLAIMED);
    log = add_log(r, r->deployment.oracle, topic);
    put_topic(log, r->request_id, 32);
    put_topic(log, r->claim_id, 32);
    put_topic(log, r->operator_address, 20);
    lks_abi_begin(&e, &data, 3);
    lks_abi_put_word(&e, claim_hash);
    lks_abi_put_u64(&e, r->time + 500);
    lks_abi_put_bytes(&e, tokens.data, tokens.len);
    set_data(log, &e, &data);
    memcpy(r->facts.tokens_hash, hash, 32);
    lks_buf_free(&tokens);
}

static void log_model(referee *r)
{
    uint8_t topic[32], zero[32] = {0};
    lks_model_commitment c;
    lks_buf call = {0};
    lks_game_commitment(&c, &r->commitment);
    lks_event_topic(topic, LKS_EVENT_MODEL_REGISTERED);
    lks_eth_log *log = add_log(r, r->deployment.registry, topic);
    put_topic(log, r->request.model_id, 32);
    put_topic(log, r->operator_address, 20);
    OK(lks_call_register(&call, &c, zero, "file")); /* its arguments are what the event holds */
    log->data_len = call.len - 4;
    log->data = malloc(log->data_len);
    assert_non_null(log->data);
    memcpy(log->data, call.data + 4, log->data_len);
    lks_buf_free(&call);
}

void referee_open(referee *r, const lks_model *m, const lks_commitment *c, const lks_run *run)
{
    memset(r, 0, sizeof *r);
    r->model = m;
    r->run = run;
    r->commitment = *c;
    r->time = 1700000000;
    r->block = 10;
    r->deployment = (lks_game_deployment){.chain_id = 31337, .budget = REFEREE_BUDGET, .floor = REFEREE_FLOOR};
    memset(r->deployment.oracle, 1, 20);
    memset(r->deployment.game, 2, 20);
    memset(r->deployment.registry, 3, 20);
    r->recorded = calloc(m->program.op_count, sizeof *r->recorded);
    assert_non_null(r->recorded);
    log_request(r);
    log_claim(r);
    log_model(r);
    lks_facts_of(&r->facts.facts, run, c);
    memcpy(r->facts.prompt_hash, r->request.prompt_hash, 32);
    memcpy(r->facts.allowed_hash, r->request.allowed_hash, 32);
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
    return s == LKS_DISPUTE_ROOT || s == LKS_DISPUTE_NODE || s == LKS_DISPUTE_LEAF || s == LKS_DISPUTE_PARTIALS;
}

static lks_shape shape_of(const referee *r, uint32_t op)
{
    lks_shape s;
    uint32_t positions = (uint32_t)(r->run->prompt_count + r->run->answer_count) - 1;
    lks_shape_output(&s, &r->model->program.ops[op], positions, (uint32_t)r->run->answer_count);
    return s;
}

/* The slot of what the operator is asked for in a state; made where there is none. */
static referee_slot *slot_of(referee *r, const lks_dispute *d)
{
    referee_slot key = {.op = d->op, .height = d->height, .index = d->index};
    if (d->state == LKS_DISPUTE_PARTIALS || d->state == LKS_DISPUTE_PARTIAL_STEP) {
        lks_shape s = shape_of(r, d->op);
        key = (referee_slot){.kind = 1, .op = d->op, .index = d->index >> s.chunk_bits, .element = d->element};
    }
    for (size_t i = 0; i < r->slot_count; i++) {
        referee_slot *s = &r->slots[i];
        if (s->kind == key.kind && s->op == key.op && s->height == key.height && s->index == key.index && s->element == key.element)
            return s;
    }
    assert_true(r->slot_count < REFEREE_SLOTS);
    r->slots[r->slot_count] = key;
    return &r->slots[r->slot_count++];
}

static lks_dispute_state answered(lks_dispute_state s)
{
    return s == LKS_DISPUTE_LEAF ? LKS_DISPUTE_STEP : s == LKS_DISPUTE_PARTIALS ? LKS_DISPUTE_PARTIAL_STEP : LKS_DISPUTE_PICK;
}

static void end_turn(referee_dispute *d, uint64_t time)
{
    uint32_t *left = &d->left[referee_is_operators(d->at.state) ? 0 : 1];
    uint64_t used = time - d->start;
    *left = *left > used ? *left - (uint32_t)used : 0;
    d->start = time;
}

/* The dispute with what was answered meanwhile. */
static referee_dispute now(const referee *r, size_t i)
{
    referee_dispute d = r->disputes[i];
    if (r->over)
        d.at.state = LKS_DISPUTE_CLOSED;
    if (!referee_is_operators(d.at.state))
        return d;
    const referee_slot *slot = slot_of((referee *)r, &d.at);
    if (slot->filled == 0)
        return d;
    end_turn(&d, slot->filled);
    d.at.state = answered(d.at.state);
    return d;
}

lks_dispute referee_at(const referee *r, size_t dispute) { return now(r, dispute).at; }

void referee_clock(const referee *r, size_t dispute, uint64_t *start, uint64_t *deadline, uint32_t left[2])
{
    referee_dispute d = now(r, dispute);
    uint32_t mine = d.left[referee_is_operators(d.at.state) ? 0 : 1];
    *start = d.start;
    *deadline = d.start + (mine > REFEREE_FLOOR ? mine : REFEREE_FLOOR);
    memcpy(left, d.left, sizeof d.left);
}

/* A block goes by with every move. */
static void tick(referee *r)
{
    r->block++;
    r->time += 1 + r->log_count % 7;
}

/* The challenger asks; where that is filled it goes on at once. */
static void ask(referee *r, referee_dispute *d)
{
    if (slot_of(r, &d->at)->filled)
        d->at.state = answered(d->at.state);
}

static uint8_t top_height(const referee *r) { return (uint8_t)lks_log2_ceil(r->model->program.op_count); }

bool referee_challenge(referee *r, size_t *dispute)
{
    if (r->over || r->dispute_count == REFEREE_DISPUTES)
        return false;
    tick(r);
    referee_dispute *d = &r->disputes[r->dispute_count];
    memset(d, 0, sizeof *d);
    uint8_t salt[32] = {0};
    salt[30] = (uint8_t)(r->dispute_count >> 8);
    salt[31] = (uint8_t)r->dispute_count;
    memset(d->challenger, 0x55 + (int)r->dispute_count, 20);
    lks_dispute_id(d->id, r->claim_id, d->challenger, salt);
    d->at = (lks_dispute){.state = LKS_DISPUTE_ROOT, .op = LKS_TOP, .height = top_height(r)};
    d->start = r->time;
    d->left[0] = d->left[1] = REFEREE_BUDGET;
    memcpy(d->node, r->root, 32);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_CHALLENGED, d, d->challenger);
    lks_abi_begin(&e, &data, 5);
    lks_abi_put_word(&e, r->request_id);
    lks_abi_put_u64(&e, 2);
    lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, 50);
    lks_abi_put_u64(&e, r->open ? 0 : 140);
    set_data(log, &e, &data);
    ask(r, d);
    *dispute = r->dispute_count++;
    return true;
}

bool referee_record_shape(referee *r, uint32_t op)
{
    uint8_t topic[32];
    if (op >= r->model->program.op_count)
        return false;
    if (r->recorded[op])
        return true;
    tick(r);
    r->recorded[op] = true;
    lks_game_event_topic(topic, LKS_GAME_SHAPE_RECORDED);
    lks_eth_log *log = add_log(r, r->deployment.game, topic);
    put_topic(log, r->request.model_id, 32);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &data, 1);
    lks_abi_put_u64(&e, op);
    set_data(log, &e, &data);
    return true;
}

/* ---- nodes ---- */

typedef struct tree {
    bool top;
    lks_shape shape;
    uint32_t ops;
    unsigned height;
} tree;

static tree tree_of(const referee *r, uint32_t op)
{
    tree t = {.top = op == LKS_TOP, .ops = r->model->program.op_count, .height = top_height(r)};
    if (!t.top) {
        t.shape = shape_of(r, op);
        t.height = t.shape.height;
    }
    return t;
}

static bool is_present(const tree *t, unsigned height, uint64_t index)
{
    if (height > t->height || index >> (t->height - height))
        return false;
    return t->top ? index << height < t->ops : lks_shape_node(&t->shape, height, index);
}

static void padding(uint8_t hash[32], const tree *t, unsigned height)
{
    lks_tree_pad(hash, LKS_TREE_TRACE, t->top ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD, height);
}

static void join(uint8_t hash[32], const tree *t, unsigned height, const uint8_t left[32], const uint8_t right[32])
{
    lks_tree_node(hash, LKS_TREE_TRACE, t->top ? LKS_ROLE_TOP : LKS_ROLE_NODE, height, left, right);
}

/* Whether the children are those of the node (height, index): their number, their padding, their hash. */
static bool folds(const tree *t, unsigned height, uint64_t index, const uint8_t (*children)[32], size_t count, const uint8_t node[32])
{
    uint8_t level[32][32];
    unsigned levels = height < 5 ? height : 5;
    if (count != (size_t)1 << levels || levels == 0)
        return false;
    unsigned h = height - levels;
    memcpy(level, children, 32 * count);
    for (uint64_t first = index << levels; ; first /= 2, h++) {
        for (size_t i = 0; i < count; i++) {
            uint8_t pad[32];
            padding(pad, t, h);
            if (is_present(t, h, first + i))
                continue;
            if (h == height - levels && memcmp(level[i], pad, 32))
                return false;
            memcpy(level[i], pad, 32);
        }
        if (count == 1)
            return memcmp(level[0], node, 32) == 0;
        count /= 2;
        for (size_t i = 0; i < count; i++)
            join(level[i], t, h + 1, level[2 * i], level[2 * i + 1]);
    }
}

static void climb(uint8_t hash[32], const tree *t, unsigned height, uint64_t index, const uint8_t (*path)[32], size_t count)
{
    for (size_t i = 0; i < count; i++, index /= 2)
        join(hash, t, height + (unsigned)i + 1, index & 1 ? path[i] : hash, index & 1 ? hash : path[i]);
}

static bool pick_is_right(const referee *r, const referee_dispute *d, const lks_move *m)
{
    uint8_t hash[32];
    const uint8_t(*path)[32] = (const uint8_t(*)[32])m->hashes;
    bool crosses = m->op != d->at.op;
    if (crosses && (d->at.op != LKS_TOP || m->op >= r->model->program.op_count || m->op >> d->at.height != d->at.index || !r->recorded[m->op]))
        return false;
    tree t = tree_of(r, m->op), top = tree_of(r, LKS_TOP);
    if (!lks_stage_is(m->height, t.height) || !is_present(&t, m->height, m->index))
        return false;
    memcpy(hash, m->hash, 32);
    if (!crosses) {
        if (m->height >= d->at.height || m->index >> (d->at.height - m->height) != d->at.index || (m->op == LKS_TOP && m->height == 0) ||
            m->hash_count != d->at.height - m->height)
            return false;
        climb(hash, &t, m->height, m->index, path, m->hash_count);
    } else {
        size_t inside = t.height - m->height;
        if (m->hash_count != inside + d->at.height)
            return false;
        climb(hash, &t, m->height, m->index, path, inside);
        climb(hash, &top, 0, m->op, path + inside, d->at.height);
    }
    return memcmp(hash, d->node, 32) == 0;
}

/* ---- moves ---- */

static void fill(referee *r, referee_dispute *d, const uint8_t *digest)
{
    referee_slot *slot = slot_of(r, &d->at);
    end_turn(d, r->time);
    slot->filled = r->time;
    if (digest)
        memcpy(slot->digest, digest, 32);
    d->at.state = answered(d->at.state);
}

static bool open_trace(referee *r, referee_dispute *d, const lks_move *m)
{
    tree t = tree_of(r, LKS_TOP);
    const uint8_t(*children)[32] = (const uint8_t(*)[32])m->hashes;
    if (d->at.state != LKS_DISPUTE_ROOT || !folds(&t, t.height, 0, children, m->hash_count, m->hash))
        return false;
    tick(r);
    r->open = true;
    memcpy(r->root, m->hash, 32);
    memcpy(r->facts.trace_root, m->hash, 32);
    for (size_t i = 0; i < r->dispute_count; i++)
        memcpy(r->disputes[i].node, m->hash, 32);
    fill(r, d, NULL);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_TRACE_OPENED, NULL, NULL);
    lks_abi_begin(&e, &data, 2);
    lks_abi_put_word(&e, m->hash);
    put_nodes(&e, children, m->hash_count);
    set_data(log, &e, &data);
    return true;
}

static bool reveal(referee *r, referee_dispute *d, const lks_move *m)
{
    tree t = tree_of(r, d->at.op);
    const uint8_t(*children)[32] = (const uint8_t(*)[32])m->hashes;
    if (d->at.state != LKS_DISPUTE_NODE || !folds(&t, d->at.height, d->at.index, children, m->hash_count, d->node))
        return false;
    tick(r);
    fill(r, d, NULL);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_REVEALED, NULL, NULL);
    lks_abi_begin(&e, &data, 4);
    lks_abi_put_u64(&e, d->at.op);
    lks_abi_put_u64(&e, d->at.height);
    lks_abi_put_u64(&e, d->at.index);
    put_nodes(&e, children, m->hash_count);
    set_data(log, &e, &data);
    return true;
}

static bool reveal_leaf(referee *r, referee_dispute *d, const lks_move *m)
{
    uint32_t size;
    uint8_t hash[32];
    tree t = tree_of(r, d->at.op);
    if (d->at.state != LKS_DISPUTE_LEAF || !lks_shape_leaf(&size, &t.shape, d->at.index) || m->len != size)
        return false;
    lks_tree_leaf(hash, LKS_TREE_TRACE, m->bytes, m->len);
    if (memcmp(hash, d->node, 32))
        return false;
    tick(r);
    fill(r, d, NULL);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_LEAF_REVEALED, NULL, NULL);
    lks_abi_begin(&e, &data, 3);
    lks_abi_put_u64(&e, d->at.op);
    lks_abi_put_u64(&e, d->at.index);
    lks_abi_put_bytes(&e, m->bytes, m->len);
    set_data(log, &e, &data);
    return true;
}

static bool open_partials(referee *r, referee_dispute *d, const lks_move *m)
{
    uint8_t digest[32];
    if (d->at.state != LKS_DISPUTE_PARTIALS)
        return false;
    lks_shape s = shape_of(r, d->at.op);
    uint32_t row = (uint32_t)(d->at.index >> s.chunk_bits);
    if (!lks_partials_are_valid(row, m->bytes, m->len))
        return false;
    tick(r);
    lks_keccak256(digest, m->bytes, m->len);
    fill(r, d, digest);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_PARTIALS_OPENED, NULL, NULL);
    lks_abi_begin(&e, &data, 4);
    lks_abi_put_u64(&e, d->at.op);
    lks_abi_put_u64(&e, row);
    lks_abi_put_u64(&e, d->at.element);
    lks_abi_put_bytes(&e, m->bytes, m->len);
    set_data(log, &e, &data);
    return true;
}

static bool pick(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_PICK || !pick_is_right(r, d, m))
        return false;
    tick(r);
    end_turn(d, r->time);
    d->at = (lks_dispute){.state = m->height ? LKS_DISPUTE_NODE : LKS_DISPUTE_LEAF, .op = m->op, .height = m->height, .index = m->index};
    memcpy(d->node, m->hash, 32);
    ask(r, d);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_PICKED, d, NULL);
    lks_abi_begin(&e, &data, 5);
    lks_abi_put_u64(&e, m->op);
    lks_abi_put_u64(&e, m->height);
    lks_abi_put_u64(&e, m->index);
    lks_abi_put_word(&e, m->hash);
    lks_abi_put_u64(&e, referee_is_operators(d->at.state) ? 100 : 0);
    set_data(log, &e, &data);
    return true;
}

static bool demand(referee *r, referee_dispute *d, const lks_move *m)
{
    if (d->at.state != LKS_DISPUTE_STEP || r->model->program.ops[d->at.op].code != LKS_OP_ATTN)
        return false;
    lks_shape s = shape_of(r, d->at.op);
    if (4 * (uint64_t)m->element >= s.row_size || m->element >> 8 != (d->at.index & ((UINT64_C(1) << s.chunk_bits) - 1)))
        return false;
    tick(r);
    end_turn(d, r->time);
    d->at.state = LKS_DISPUTE_PARTIALS;
    d->at.element = m->element;
    ask(r, d);
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_PARTIALS_DEMANDED, d, NULL);
    lks_abi_begin(&e, &data, 4);
    lks_abi_put_u64(&e, d->at.op);
    lks_abi_put_u64(&e, d->at.index >> s.chunk_bits);
    lks_abi_put_u64(&e, m->element);
    lks_abi_put_u64(&e, 9);
    set_data(log, &e, &data);
    return true;
}

static void convict(referee *r, const referee_dispute *d)
{
    tick(r);
    r->over = r->convicted = true;
    emit(r, LKS_GAME_CLAIM_CONVICTED, d, d->challenger);
}

static bool step(referee *r, referee_dispute *d, const lks_move *m)
{
    bool wrong = false, partial = m->kind == LKS_MOVE_STEP_PARTIAL;
    const lks_unit *u = &m->witness.unit;
    if (!r->open || partial != (d->at.state == LKS_DISPUTE_PARTIAL_STEP) ||
        partial != lks_unit_is_partial(u->kind))
        return false;
    if (partial) {
        uint8_t digest[32];
        lks_keccak256(digest, m->bytes, m->len);
        if (u->op != d->at.op || u->leaf != d->at.index || u->unit != d->at.element || memcmp(digest, slot_of(r, &d->at)->digest, 32))
            return false;
    }
    lks_err err = lks_witness_check(&wrong, &r->facts, &r->commitment, &m->witness, partial ? m->bytes : NULL, partial ? m->len : 0);
    if (err || !wrong)
        return false;
    convict(r, d);
    return true;
}

bool referee_move(referee *r, size_t dispute, const lks_move *m)
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
    case LKS_MOVE_STEP_PARTIAL: done = step(r, &d, m); break;
    default: break;
    }
    if (done) {
        memcpy(d.node, m->kind == LKS_MOVE_OPEN_TRACE ? r->root : d.node, 32);
        r->disputes[dispute] = d;
    }
    return done;
}

void referee_timeout(referee *r, size_t dispute)
{
    referee_dispute d = now(r, dispute);
    uint64_t start, deadline;
    uint32_t left[2];
    if (d.at.state == LKS_DISPUTE_CLOSED)
        return;
    referee_clock(r, dispute, &start, &deadline, left);
    r->time = r->time > deadline ? r->time : deadline + 1;
    if (referee_is_operators(d.at.state)) {
        convict(r, &d);
        return;
    }
    tick(r);
    r->disputes[dispute].at.state = LKS_DISPUTE_CLOSED;
    lks_buf data = {0};
    lks_abi_writer e;
    lks_eth_log *log = emit(r, LKS_GAME_DISPUTE_LOST, &d, NULL);
    lks_abi_begin(&e, &data, 2);
    lks_abi_put_u64(&e, 35);
    lks_abi_put_u64(&e, 15);
    set_data(log, &e, &data);
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
    OK(lks_game_new(&g, &r->deployment, r->request_id, r->claim_id));
    referee_feed(r, g, &fed);
    return g;
}

void referee_compare(const referee *r, const lks_game *g)
{
    const lks_shown *shown = lks_game_shown(g);
    assert_int_equal(lks_game_dispute_count(g), r->dispute_count);
    assert_int_equal(shown->open, r->open);
    if (r->open)
        assert_memory_equal(shown->root, r->root, 32);
    assert_int_equal(lks_game_status(g), r->convicted ? LKS_CLAIM_CONVICTED : r->dispute_count ? LKS_CLAIM_DISPUTED : LKS_CLAIM_NONE);
    for (size_t i = 0; i < r->dispute_count; i++) {
        const lks_game_dispute *d = lks_game_dispute_find(g, r->disputes[i].id);
        assert_non_null(d);
        assert_ptr_equal(d, lks_game_dispute_at(g, i));
        referee_dispute want = now(r, i);
        assert_int_equal(d->now.state, want.at.state);
        if (want.at.state == LKS_DISPUTE_CLOSED) {
            assert_int_not_equal(d->end, LKS_GAME_LIVE);
            continue;
        }
        uint64_t start, deadline;
        uint32_t left[2];
        referee_clock(r, i, &start, &deadline, left);
        assert_true(d->now.op == want.at.op && d->now.height == want.at.height && d->now.index == want.at.index);
        if (want.at.state == LKS_DISPUTE_PARTIALS || want.at.state == LKS_DISPUTE_PARTIAL_STEP)
            assert_int_equal(d->now.element, want.at.element);
        if (r->open)
            assert_memory_equal(d->node, want.node, 32);
        assert_true(d->turn_start == start && d->deadline == deadline && d->operator_left == left[0] && d->challenger_left == left[1]);
        assert_true(lks_u256_is_zero(&d->prepaid) != referee_is_operators(want.at.state));
    }
}
