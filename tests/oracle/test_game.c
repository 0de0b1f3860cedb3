/* The follower of a claim's events and the moves' transactions: logs in any order, twice, missing, foreign, damaged; filters; what each call says. */
#include "oracle/openings.h"
#include "tests/oracle/liar.h"
#include "tests/oracle/run_rows.h"

typedef struct scene {
    tiny_model m;
    vector_run run;
    lks_model_trees *trees;
    lks_trace *own;
    liar liar;
    referee r;
} scene;

static scene s;

/* A whole game with a wrong attention element, and a second dispute beside it that is lost. */
static void play(void)
{
    size_t first, second;
    lks_game *g = referee_follow(&s.r);
    size_t fed = s.r.log_count;
    assert_true(referee_challenge(&s.r, &first));
    assert_true(referee_challenge(&s.r, &second));
    for (int moves = 0; !s.r.over; moves++) {
        lks_move m;
        lks_dispute at = referee_at(&s.r, first);
        assert_true(moves < 30);
        referee_feed(&s.r, g, &fed);
        referee_compare(&s.r, g);
        if (moves == 3)
            referee_timeout(&s.r, second);
        if (referee_is_operators(at.state)) {
            liar_answer(&m, &s.liar, &at);
        } else {
            OK(lks_player_challenger(&m, s.own, s.trees, lks_game_shown(g), &at));
            if (m.kind == LKS_MOVE_PICK && m.op != LKS_TOP)
                assert_true(referee_record_shape(&s.r, m.op));
        }
        assert_true(referee_move(&s.r, first, &m));
        lks_move_free(&m);
    }
    lks_game_free(g);
}

static int setup(void **state)
{
    (void)state;
    vector_file f;
    tiny_open(&s.m, "q4-0");
    tiny_vectors(&f, &s.m, "runs");
    vector_run_read(&s.run, &f, vectors_first(&f));
    vectors_close(&f);
    OK(lks_model_trees_make(&s.trees, &s.m.model));
    lks_trace_options o = {.threads = 1};
    OK(lks_trace_make(&s.own, &s.m.model, &s.run.run, &o));
    liar_open(&s.liar, s.own);
    const lks_program *p = &s.m.model.program;
    uint32_t op = 0;
    while (p->ops[op].code != LKS_OP_ATTN)
        op++;
    uint64_t leaf = 0;
    uint32_t size;
    while (!lks_shape_leaf(&size, &s.liar.shapes[op], leaf))
        leaf++;
    liar_flip(&s.liar, op, leaf, 5, 3);
    s.liar.partials = 3;
    referee_open(&s.r, &s.m.model, lks_model_trees_commitment(s.trees), &s.run.run);
    play();
    assert_true(s.r.convicted && s.r.log_count >= 12);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    referee_close(&s.r);
    liar_close(&s.liar);
    lks_trace_free(s.own);
    lks_model_trees_free(s.trees);
    vector_run_free(&s.run);
    lks_model_close(&s.m.model);
    return 0;
}

static lks_game *new_game(void)
{
    lks_game *g;
    OK(lks_game_new(&g, &s.r.deployment, s.r.request_id, s.r.claim_id));
    return g;
}

static void add(lks_game *g, size_t i) { OK(lks_game_add(g, &s.r.logs[i], s.r.times[i])); }

/* ---- what the events say ---- */

static void test_claim(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_run *run = lks_game_run(g), *want = &s.run.run;
    assert_non_null(run);
    assert_int_equal(run->prompt_count, want->prompt_count);
    assert_memory_equal(run->prompt, want->prompt, 4 * want->prompt_count);
    assert_int_equal(run->answer_count, want->answer_count);
    assert_memory_equal(run->answer, want->answer, 4 * want->answer_count);
    assert_true(run->policy.seed == want->policy.seed && run->policy.temperature == want->policy.temperature);
    uint8_t attempt, seat, operator_address[20];
    uint64_t end;
    assert_true(lks_game_seat(g, &attempt, &seat, operator_address, &end));
    assert_true(attempt == 2 && seat == 0 && end == s.r.times[2] + 500);
    assert_memory_equal(operator_address, s.r.operator_address, 20);
    assert_memory_equal(lks_game_request(g), &s.r.request, sizeof s.r.request);
    lks_model_commitment c;
    lks_game_commitment(&c, &s.r.commitment);
    assert_memory_equal(lks_game_model(g), &c, sizeof c);
    lks_claim_facts facts;
    assert_true(lks_game_facts(&facts, g));
    assert_memory_equal(facts.trace_root, s.r.facts.trace_root, 4 * 32);
    assert_true(facts.facts.seed == s.r.facts.facts.seed && facts.facts.vocab_size == s.r.facts.facts.vocab_size &&
                facts.facts.max_positions == s.r.facts.facts.max_positions && facts.facts.answer_count == s.r.facts.facts.answer_count);
    lks_game_free(g);
}

static void test_history(void **state)
{
    (void)state;
    static const lks_game_event_kind kinds[] = {LKS_GAME_CHALLENGED, LKS_GAME_TRACE_OPENED, LKS_GAME_PICKED, LKS_GAME_REVEALED, LKS_GAME_PICKED,
                                                LKS_GAME_LEAF_REVEALED, LKS_GAME_PARTIALS_DEMANDED, LKS_GAME_PARTIALS_OPENED, LKS_GAME_CLAIM_CONVICTED};
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0), *lost = lks_game_dispute_at(g, 1);
    assert_null(lks_game_dispute_at(g, 2));
    assert_true(d->end == LKS_GAME_WON && d->now.state == LKS_DISPUTE_CLOSED && lost->end == LKS_GAME_LOST);
    size_t at = 0;
    for (size_t i = 0; i < d->step_count; i++) {
        bool answer = d->steps[i].kind == LKS_GAME_TRACE_OPENED || d->steps[i].kind == LKS_GAME_REVEALED || d->steps[i].kind == LKS_GAME_LEAF_REVEALED ||
                      d->steps[i].kind == LKS_GAME_PARTIALS_OPENED;
        assert_int_equal(d->steps[i].by_operator, answer);
        assert_true(i == 0 || (d->steps[i].block > d->steps[i - 1].block && d->steps[i].time > d->steps[i - 1].time));
        at += at < LKS_COUNT(kinds) && d->steps[i].kind == kinds[at];
    }
    assert_int_equal(at, LKS_COUNT(kinds));
    assert_int_equal(d->steps[0].amount.w[0], 50);
    assert_int_equal(lost->steps[lost->step_count - 1].kind, LKS_GAME_DISPUTE_LOST);
    assert_int_equal(lost->steps[lost->step_count - 1].amount.w[0], 35);
    assert_true(lks_game_shape_known(g, d->steps[d->step_count - 2].op) && !lks_game_shape_known(g, 65534) && !lks_game_shape_known(g, LKS_TOP));
    lks_game_free(g);
}

/* Every prefix of the logs, fed in any order, in batches, with repeats, gives what the same logs in order give. */
static void test_any_order(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (size_t n = 0; n <= s.r.log_count; n++) {
        lks_game *a = new_game(), *b = new_game();
        size_t order[256];
        assert_true(n <= LKS_COUNT(order));
        for (size_t i = 0; i < n; i++) {
            size_t k = liar_below(&random, i + 1);
            order[i] = order[k];
            order[k] = i;
            add(a, i);
        }
        OK(lks_game_update(a));
        for (size_t i = 0; i < n; i++) {
            add(b, order[i]);
            if (liar_below(&random, 3) == 0)
                add(b, order[i]);
            lks_err err = i % 4 == 3 ? lks_game_update(b) : LKS_OK; /* what lacks logs in its middle may be refused */
            assert_true(err == LKS_OK || err == LKS_CORRUPT || err == LKS_NOTFOUND);
        }
        OK(lks_game_update(b));
        assert_int_equal(lks_game_dispute_count(a), lks_game_dispute_count(b));
        for (size_t i = 0; i < lks_game_dispute_count(a); i++) {
            lks_game_dispute x = *lks_game_dispute_at(a, i), y = *lks_game_dispute_at(b, i);
            assert_int_equal(x.step_count, y.step_count);
            assert_memory_equal(x.steps, y.steps, x.step_count * sizeof *x.steps);
            x.steps = y.steps = NULL;
            assert_memory_equal(&x, &y, sizeof x);
        }
        const lks_shown *p = lks_game_shown(a), *q = lks_game_shown(b);
        assert_true(p->open == q->open && p->known.node_count == q->known.node_count && p->known.leaf_count == q->known.leaf_count &&
                    p->partials_count == q->partials_count);
        for (size_t i = 0; i < p->known.node_count; i++)
            assert_memory_equal(p->known.nodes[i].hash, q->known.nodes[i].hash, 32);
        assert_int_equal(lks_game_status(a), lks_game_status(b));
        lks_game_free(a);
        lks_game_free(b);
    }
}

/* A log that is missing shows, or what it said is not known; nothing is invented. */
static void test_missing(void **state)
{
    (void)state;
    size_t refused = 0;
    lks_game *whole = referee_follow(&s.r);
    for (size_t missing = 0; missing < s.r.log_count; missing++) {
        lks_game *g = new_game();
        for (size_t i = 0; i < s.r.log_count; i++)
            if (i != missing)
                add(g, i);
        lks_err err = lks_game_update(g);
        refused += err != LKS_OK;
        if (err)
            assert_true((err == LKS_CORRUPT || err == LKS_NOTFOUND) && lks_game_dispute_count(g) == 0 && !lks_game_shown(g)->open && !lks_game_run(g));
        else
            assert_true(missing < 3 || lks_game_shown(g)->known.node_count <= lks_game_shown(whole)->known.node_count);
        if (missing < 3)
            assert_null(lks_game_run(g));
        add(g, missing);
        OK(lks_game_update(g));
        assert_int_equal(lks_game_status(g), LKS_CLAIM_CONVICTED);
        lks_game_free(g);
    }
    assert_true(refused >= 8);
    lks_game_free(whole);
}

static void test_foreign(void **state)
{
    (void)state;
    lks_game *g = new_game();
    for (size_t i = 0; i < s.r.log_count; i++) {
        lks_eth_log log = s.r.logs[i];
        log.address[0] ^= 1; /* another contract */
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        log.removed = true;
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        log.topics[0][3] ^= 1; /* another event */
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        if (memcmp(log.address, s.r.deployment.registry, 20)) {
            log.topics[1][3] ^= 1; /* another claim, request or model */
            lks_err err = lks_game_add(g, &log, s.r.times[i]);
            assert_true(err == LKS_OK || (err == LKS_CORRUPT && i < 4));
        }
    }
    OK(lks_game_update(g));
    assert_true(lks_game_dispute_count(g) == 0 && !lks_game_run(g) && !lks_game_request(g) && !lks_game_shown(g)->open);
    lks_game_free(g);
}

static void test_branches(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    lks_eth_log log = s.r.logs[8];
    log.tx_hash[0] ^= 1; /* the same place, on another branch */
    OK(lks_game_add(g, &log, s.r.times[8]));
    assert_int_equal(lks_game_update(g), LKS_CORRUPT);
    assert_int_equal(lks_game_update(g), LKS_CORRUPT);
    assert_int_equal(lks_game_dispute_count(g), 0);
    lks_game_clear(g);
    OK(lks_game_update(g));
    assert_null(lks_game_run(g));
    size_t fed = 0;
    referee_feed(&s.r, g, &fed);
    referee_compare(&s.r, g);
    lks_game_free(g);
}

/* Every byte of every log flipped, one at a time: refused, ignored or told; never out of bounds (the address sanitizer sees exact copies). */
static void test_damage(void **state)
{
    (void)state;
    size_t refused = 0, taken = 0;
    for (size_t i = 0; i < s.r.log_count; i++)
        for (size_t at = 0; at < s.r.logs[i].data_len; at += 1 + (at > 700) * 7) {
            lks_game *g = new_game();
            lks_err err = LKS_OK;
            for (size_t k = 0; k < s.r.log_count && !err; k++) {
                lks_eth_log log = s.r.logs[k];
                uint8_t *copy = malloc(log.data_len ? log.data_len : 1);
                assert_non_null(copy);
                if (log.data_len)
                    memcpy(copy, log.data, log.data_len);
                if (k == i)
                    copy[at] ^= 0x41;
                log.data = copy;
                err = lks_game_add(g, &log, s.r.times[k]);
                free(copy);
            }
            if (!err)
                err = lks_game_update(g);
            assert_true(err == LKS_OK || err == LKS_CORRUPT || err == LKS_NOTFOUND);
            if (err)
                refused++;
            else
                taken++;
            lks_game_free(g);
        }
    printf("count damaged_logs %zu\ncount damaged_logs_refused %zu\n", refused + taken, refused);
    assert_true(refused > taken / 4);
}

static void test_no_model(void **state)
{
    (void)state;
    lks_game *g = new_game();
    for (size_t i = 0; i < s.r.log_count; i++)
        if (i != 3)
            add(g, i);
    assert_int_equal(lks_game_update(g), LKS_NOTFOUND);
    lks_model_commitment c;
    lks_game_commitment(&c, &s.r.commitment);
    lks_model_commitment none = c;
    none.op_count = 0;
    assert_int_equal(lks_game_set_model(g, &none), LKS_BADARGS);
    OK(lks_game_set_model(g, &c));
    OK(lks_game_update(g));
    referee_compare(&s.r, g);
    lks_game_free(g);
}

/* ---- filters ---- */

static bool passes(const lks_eth_filter *f, const lks_eth_log *log)
{
    bool address = false, kind = f->topic0_count == 0;
    for (size_t i = 0; i < f->address_count; i++)
        address = address || memcmp(f->addresses[i], log->address, 20) == 0;
    for (size_t i = 0; i < f->topic0_count; i++)
        kind = kind || memcmp(f->topics0[i], log->topics[0], 32) == 0;
    for (int i = 0; i < 3; i++)
        if (f->topics[i] && (log->topic_count < i + 2 || memcmp(f->topics[i], log->topics[i + 1], 32)))
            return false;
    return address && kind;
}

/* Each log passes exactly one of the four filters. */
static void test_filters(void **state)
{
    (void)state;
    lks_game_filter f[4];
    size_t passed[4] = {0};
    lks_game_filter_claim(&f[0], &s.r.deployment, s.r.claim_id);
    lks_game_filter_request(&f[1], &s.r.deployment, s.r.request_id);
    lks_game_filter_shapes(&f[2], &s.r.deployment, s.r.request.model_id);
    lks_game_filter_model(&f[3], &s.r.deployment, s.r.request.model_id);
    for (size_t i = 0; i < s.r.log_count; i++) {
        int count = 0;
        for (int k = 0; k < 4; k++)
            if (passes(&f[k].filter, &s.r.logs[i])) {
                passed[k]++;
                count++;
            }
        assert_int_equal(count, 1);
    }
    assert_true(passed[0] > 8 && passed[1] == 3 && passed[2] >= 1 && passed[3] == 1);
}

/* ---- transactions ---- */

static void check_price(const lks_game_tx *tx, uint64_t gas)
{
    lks_u256 fee = lks_u256_from_u64(14), want;
    assert_int_equal(tx->prepaid_gas, gas);
    lks_game_prepayment(&want, gas, &fee);
    assert_int_equal(lks_u256_cmp(&tx->value, &want), 0);
}

static void test_pick_call(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0);
    lks_u256 fee = lks_u256_from_u64(7);
    lks_game_calls calls;
    uint8_t path[3][32] = {{1}, {2}, {3}};
    lks_move m = {.kind = LKS_MOVE_PICK, .op = 1, .height = 2, .index = 5, .hash = {9}, .hashes = path, .hash_count = 3};
    assert_false(lks_game_shape_known(g, 1));
    assert_int_equal(lks_game_call(&calls, g, d, &m, NULL, &fee), LKS_BADARGS);
    OK(lks_game_call(&calls, g, d, &m, &s.m.model, &fee));
    assert_int_equal(calls.count, 2);
    check_price(&calls.items[1], LKS_GAME_GAS_NODE);
    assert_true(calls.items[0].prepaid_gas == 0 && lks_u256_is_zero(&calls.items[0].value));
    lks_buf want = {0};
    OK(lks_call_pick(&want, d->id, 1, 2, 5, m.hash, (const uint8_t(*)[32])path, 3));
    assert_int_equal(calls.items[1].data.len, want.len);
    assert_memory_equal(calls.items[1].data.data, want.data, want.len);
    lks_buf_free(&want);

    /* recordShape: the model, the operation, and an opening of the descriptor that leads to the program's root */
    lks_abi_reader r, opening, elements;
    uint8_t word[32], leaf[32], root[32], siblings[LKS_PATH_MAX][32];
    const uint8_t *descriptor;
    size_t len, count;
    uint32_t op;
    lks_abi_read(&r, calls.items[0].data.data + 4, calls.items[0].data.len - 4);
    OK(lks_abi_read_word(&r, word));
    OK(lks_abi_read_u32(&r, &op));
    OK(lks_abi_read_tuple(&r, &opening));
    OK(lks_abi_read_bytes(&opening, &descriptor, &len));
    OK(lks_abi_read_array(&opening, 1, &elements, &count));
    assert_true(op == 1 && len == LKS_DESCRIPTOR_SIZE && count < LKS_PATH_MAX);
    for (size_t i = 0; i < count; i++)
        OK(lks_abi_read_word(&elements, siblings[i]));
    lks_tree_leaf(leaf, LKS_TREE_PROGRAM, descriptor, len);
    assert_true(lks_opening_root(root, LKS_TREE_PROGRAM, &leaf, 1, 2, lks_log2_ceil(s.m.model.program.op_count), 0, 0, (const uint8_t(*)[32])siblings, count));
    assert_memory_equal(root, s.r.commitment.program_root, 32);
    lks_game_calls_free(&calls);

    lks_game_set_shape(g, 1); /* from then on the pick alone */
    OK(lks_game_call(&calls, g, d, &m, NULL, &fee));
    assert_int_equal(calls.count, 1);
    lks_game_calls_free(&calls);
    m.height = 0;
    OK(lks_game_call(&calls, g, d, &m, NULL, &fee));
    check_price(&calls.items[0], LKS_GAME_GAS_LEAF);
    lks_game_calls_free(&calls);
    m = (lks_move){.kind = LKS_MOVE_PICK, .op = LKS_TOP, .height = 1, .hash = {9}, .hashes = path, .hash_count = 3};
    OK(lks_game_call(&calls, g, d, &m, NULL, &fee));
    assert_int_equal(calls.count, 1);
    lks_game_calls_free(&calls);

    const lks_game_step *shown = NULL; /* a node that is shown already costs nothing */
    for (size_t i = 0; i < d->step_count; i++)
        if (d->steps[i].kind == LKS_GAME_REVEALED)
            shown = &d->steps[i];
    assert_non_null(shown);
    m = (lks_move){.kind = LKS_MOVE_PICK, .op = shown->op, .height = shown->height, .index = shown->index, .hashes = path, .hash_count = 3};
    OK(lks_game_call(&calls, g, d, &m, &s.m.model, &fee));
    check_price(&calls.items[calls.count - 1], 0);
    lks_game_calls_free(&calls);
    m = (lks_move){0};
    OK(lks_game_call(&calls, g, d, &m, NULL, &fee));
    assert_int_equal(calls.count, 0);
    lks_game_free(g);
}

static void test_other_calls(void **state)
{
    (void)state;
    lks_game *g = new_game();
    lks_u256 fee = lks_u256_from_u64(7), bond = lks_u256_from_u64(1);
    uint8_t id[32], salt[32] = {5}, want_id[32];
    lks_game_calls calls;
    assert_int_equal(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond, &fee), LKS_BADARGS); /* nothing is known yet */
    for (size_t i = 0; i < 4; i++)
        add(g, i);
    OK(lks_game_update(g));
    OK(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond, &fee));
    lks_dispute_id(want_id, s.r.claim_id, s.r.operator_address, salt);
    assert_memory_equal(id, want_id, 32);
    lks_u256 want, twice = lks_u256_from_u64(14), stake_part = lks_u256_from_u64(10000000000000000u);
    lks_game_prepayment(&want, LKS_GAME_GAS_TRACE, &twice);
    lks_u256_add(&want, &want, &stake_part);
    assert_int_equal(lks_u256_cmp(&calls.items[0].value, &want), 0);
    lks_game_calls_free(&calls);
    for (size_t i = 4; i < s.r.log_count; i++)
        add(g, i);
    OK(lks_game_update(g));
    OK(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond, &fee)); /* the trace is open: the bond alone */
    assert_int_equal(lks_u256_cmp(&calls.items[0].value, &stake_part), 0);
    lks_game_calls_free(&calls);

    const lks_game_dispute *d = lks_game_dispute_at(g, 0);
    lks_buf b = {0};
    OK(lks_game_call_timeout(&calls, g, d));
    OK(lks_call_timeout(&b, d->id, &s.r.request));
    assert_memory_equal(calls.items[0].data.data, b.data, b.len);
    lks_game_calls_free(&calls);
    OK(lks_game_call_reclaim(&calls, d));
    lks_game_calls_free(&calls);

    lks_opening opening = {.data = (uint8_t *)"abc", .data_len = 3};
    lks_witness w = {.unit = {LKS_UNIT_TOKEN, 3, 2, 1, 0}, .openings = &opening, .count = 1};
    lks_call_opening call_opening = {(const uint8_t *)"abc", 3, NULL, 0};
    lks_call_witness call = {1, 3, 2, 1, 0, &call_opening, 1};
    uint8_t subject[32], commitment[32];
    OK(lks_game_call_commit_proof(&calls, &w, s.r.operator_address, salt));
    OK(lks_witness_hash(subject, &call));
    lks_proof_commitment(commitment, s.r.operator_address, salt, subject);
    assert_memory_equal(calls.items[0].data.data + 4, commitment, 32);
    lks_game_calls_free(&calls);
    OK(lks_game_call_prove(&calls, g, lks_game_shown(g)->root, NULL, 0, &w, salt));
    lks_buf_clear(&b);
    OK(lks_call_prove(&b, &s.r.request, 2, 0, s.r.root, NULL, 0, lks_game_model(g), &call, salt));
    assert_int_equal(calls.items[0].data.len, b.len);
    assert_memory_equal(calls.items[0].data.data, b.data, b.len);
    lks_game_calls_free(&calls);
    lks_move m = {.kind = LKS_MOVE_STEP, .witness = w};
    OK(lks_game_call(&calls, g, d, &m, NULL, &fee));
    lks_buf_clear(&b);
    OK(lks_call_step(&b, d->id, &s.r.request, lks_game_model(g), &call));
    assert_memory_equal(calls.items[0].data.data, b.data, b.len);
    lks_game_calls_free(&calls);
    lks_buf_free(&b);
    lks_game_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim),    cmocka_unit_test(test_history),  cmocka_unit_test(test_any_order), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_foreign),  cmocka_unit_test(test_branches), cmocka_unit_test(test_damage),    cmocka_unit_test(test_no_model),
        cmocka_unit_test(test_filters),  cmocka_unit_test(test_pick_call), cmocka_unit_test(test_other_calls),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
