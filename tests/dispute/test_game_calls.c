/* Moves as transactions: what each call says, what it asks and what it sends along. */
#include "oracle/trace/openings.h"
#include "tests/dispute/game_scene.h"

/* The question that the transaction asks, and what it sends along once it is paid for. */
static void check_question(const lks_game_tx *tx, lks_dispute_state asks, uint32_t position)
{
    assert_int_equal(tx->asks, asks);
    assert_int_equal(tx->position, position);
    assert_true(lks_u256_is_zero(&tx->value));
}

static void test_pay(void **state)
{
    (void)state;
    lks_game_dispute d = {.prepaid = lks_u256_from_u64(30)};
    const lks_u256 price = lks_u256_from_u64(100), low = lks_u256_from_u64(15);
    lks_game_tx tx = {.asks = LKS_DISPUTE_NODE};
    lks_game_pay(&tx, &price, &d);
    assert_int_equal(tx.value.w[0], 170); /* twice the price, less what is left */
    tx = (lks_game_tx){.asks = LKS_DISPUTE_NODE};
    lks_game_pay(&tx, &low, &d);
    assert_true(lks_u256_is_zero(&tx.value));
    tx = (lks_game_tx){.asks = LKS_DISPUTE_ROOT, .value = lks_u256_from_u64(7)};
    lks_game_pay(&tx, &price, NULL);
    assert_int_equal(tx.value.w[0], 207);
    tx = (lks_game_tx){.value = lks_u256_from_u64(7)};
    lks_game_pay(&tx, &price, NULL);
    assert_int_equal(tx.value.w[0], 7);
}

static void test_pick_call(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0);
    lks_game_calls calls;
    uint8_t path[3][32] = {{1}, {2}, {3}};
    lks_move m = {.kind = LKS_MOVE_PICK,
                  .op = 1,
                  .height = 2,
                  .index = 5,
                  .hash = {9},
                  .hashes = path,
                  .hash_count = 3};
    assert_false(lks_game_shape_known(g, 1));
    assert_int_equal(lks_game_call(&calls, g, d, &m, NULL, NULL), LKS_BADARGS);
    OK(lks_game_call(&calls, g, d, &m, &s.m.model, NULL));
    assert_int_equal(calls.count, 2);
    check_question(&calls.items[0], LKS_DISPUTE_NONE, 0);
    check_question(&calls.items[1], LKS_DISPUTE_NODE, 0);
    lks_buf want = {0};
    OK(lks_call_pick(&want, &d->terms, 1, 2, 5, m.hash, (const uint8_t(*)[32])path, 3));
    assert_int_equal(calls.items[1].data.len, want.len);
    assert_memory_equal(calls.items[1].data.data, want.data, want.len);
    lks_buf_free(&want);

    /* recordShape: the model, the operation, and an opening of the descriptor that leads to the
     * program's root */
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
    assert_true(lks_opening_root(root, LKS_TREE_PROGRAM, &leaf, 1, 2,
                                 lks_log2_ceil(s.m.model.program.op_count), 0, 0,
                                 (const uint8_t(*)[32])siblings, count));
    assert_memory_equal(root, s.r.commitment.program_root, 32);
    lks_game_calls_free(&calls);

    lks_game_set_shape(g, 1); /* from then on the pick alone */
    OK(lks_game_call(&calls, g, d, &m, NULL, NULL));
    assert_int_equal(calls.count, 1);
    lks_game_calls_free(&calls);
    m.height = 0;
    OK(lks_game_call(&calls, g, d, &m, NULL, NULL));
    check_question(&calls.items[0], LKS_DISPUTE_LEAF, 0);
    lks_game_calls_free(&calls);
    m = (lks_move){.kind = LKS_MOVE_PICK,
                   .op = LKS_TOP,
                   .height = 1,
                   .hash = {9},
                   .hashes = path,
                   .hash_count = 3};
    OK(lks_game_call(&calls, g, d, &m, NULL, NULL));
    assert_int_equal(calls.count, 1);
    lks_game_calls_free(&calls);
    m = (lks_move){0};
    OK(lks_game_call(&calls, g, d, &m, NULL, NULL));
    assert_int_equal(calls.count, 0);
    lks_game_free(g);
}

/* The position of a demand is its row's; without the model the last, which costs the most. */
static void test_demand_call(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0);
    const lks_run *run = lks_game_run(g);
    uint32_t op = 0, last = (uint32_t)(run->prompt_count + run->answer_count) - 2;
    while (s.m.model.program.ops[op].code != LKS_OP_ATTN)
        op++;
    uint64_t leaf = UINT64_C(1) << s.liar.shapes[op].chunk_bits; /* row 1 */
    lks_move m = {.kind = LKS_MOVE_DEMAND_PARTIALS, .op = op, .index = leaf, .element = 3};
    lks_game_calls calls;
    OK(lks_game_call(&calls, g, d, &m, &s.m.model, NULL));
    check_question(&calls.items[0], LKS_DISPUTE_PARTIALS, 1);
    lks_game_calls_free(&calls);
    OK(lks_game_call(&calls, g, d, &m, NULL, NULL));
    check_question(&calls.items[0], LKS_DISPUTE_PARTIALS, last);
    lks_game_calls_free(&calls);
    lks_game_free(g);
}

static void same_call(const lks_game_calls *calls, lks_buf *want)
{
    assert_int_equal(calls->count, 1);
    assert_int_equal(calls->items[0].data.len, want->len);
    assert_memory_equal(calls->items[0].data.data, want->data, want->len);
    lks_buf_clear(want);
}

static void test_challenge_call(void **state)
{
    (void)state;
    lks_game *g = game_new();
    lks_u256 bond = lks_u256_from_u64(77);
    uint8_t id[32], salt[32] = {5}, want_id[32], opening[LKS_REQUEST_SIZE];
    lks_game_calls calls;
    lks_buf want = {0};
    assert_int_equal(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond),
                     LKS_BADARGS); /* nothing is known yet */
    for (size_t i = 0; i < 4; i++)
        game_add(g, i);
    OK(lks_game_update(g));
    lks_claim_ref claim = {.opening = opening, .opening_len = sizeof opening};
    memcpy(claim.source, s.r.deployment.oracle, 20);
    memcpy(claim.name, s.r.name, 32);
    lks_request_encode(opening, &s.r.request);
    OK(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond));
    OK(lks_call_challenge(&want, &claim, lks_game_model(g), &bond, salt));
    assert_int_equal(calls.items[0].asks, LKS_DISPUTE_ROOT);
    assert_int_equal(calls.items[0].value.w[0], 77);
    same_call(&calls, &want);
    lks_dispute_terms terms = {.claim = s.r.terms, .bond = bond, .salt = {5}};
    memcpy(terms.challenger, s.r.operator_address, 20);
    lks_dispute_id(want_id, &terms);
    assert_memory_equal(id, want_id, 32);
    lks_game_calls_free(&calls);
    for (size_t i = 4; i < s.r.log_count; i++)
        game_add(g, i);
    OK(lks_game_update(g));
    OK(lks_game_call_challenge(&calls, id, g, s.r.operator_address, salt, &bond));
    assert_int_equal(calls.items[0].asks, LKS_DISPUTE_NONE); /* the trace is open: the bond alone */
    assert_int_equal(calls.items[0].value.w[0], 77);
    lks_game_calls_free(&calls);
    lks_buf_free(&want);
    lks_game_free(g);
}

static void test_proof_calls(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0);
    uint8_t salt[32] = {5}, opening_bytes[LKS_REQUEST_SIZE], subject[32], commitment[32];
    lks_game_calls calls;
    lks_buf b = {0};
    OK(lks_game_call_timeout(&calls, d));
    OK(lks_call_timeout(&b, &d->terms));
    same_call(&calls, &b);
    lks_game_calls_free(&calls);
    OK(lks_game_call_reclaim(&calls, d));
    OK(lks_call_reclaim(&b, &d->terms));
    same_call(&calls, &b);
    lks_game_calls_free(&calls);

    lks_opening opening = {.data = (uint8_t *)"abc", .data_len = 3};
    lks_witness w = {.unit = {LKS_UNIT_TOKEN, 3, 2, 1, 0}, .openings = &opening, .count = 1};
    lks_call_opening call_opening = {(const uint8_t *)"abc", 3, NULL, 0};
    lks_call_witness call = {1, 3, 2, 1, 0, &call_opening, 1};
    OK(lks_game_call_commit_proof(&calls, &w, s.r.operator_address, salt));
    OK(lks_witness_hash(subject, &call));
    lks_proof_commitment(commitment, s.r.operator_address, salt, subject);
    assert_memory_equal(calls.items[0].data.data + 4, commitment, 32);
    lks_game_calls_free(&calls);

    lks_claim_ref claim = {.opening = opening_bytes, .opening_len = sizeof opening_bytes};
    memcpy(claim.source, s.r.deployment.oracle, 20);
    memcpy(claim.name, s.r.name, 32);
    lks_request_encode(opening_bytes, &s.r.request);
    OK(lks_game_call_prove(&calls, g, lks_game_shown(g)->root, NULL, 0, &w, salt));
    OK(lks_call_prove(&b, &claim, s.r.root, NULL, 0, lks_game_model(g), &call, salt));
    same_call(&calls, &b);
    lks_game_calls_free(&calls);
    uint8_t signature[65] = {7};
    OK(lks_game_call_prove_equivocation(&calls, g, salt, signature, 65, salt));
    OK(lks_call_prove_equivocation(&b, &claim, s.r.root, NULL, 0, salt, signature, 65, salt));
    same_call(&calls, &b);
    lks_game_calls_free(&calls);

    lks_move m = {.kind = LKS_MOVE_STEP, .witness = w};
    lks_game_dispute other = *d;
    OK(lks_game_call(&calls, g, d, &m, NULL, salt));
    OK(lks_call_step(&b, &d->terms, &s.r.facts, lks_game_model(g), &call, salt));
    same_call(&calls, &b);
    lks_game_calls_free(&calls);
    other.alone = true;
    assert_false(lks_game_must_commit(&other, &m));
    OK(lks_game_call(&calls, g, &other, &m, NULL, NULL));
    lks_game_calls_free(&calls);
    other.alone = false;
    assert_true(lks_game_must_commit(&other, &m));
    assert_int_equal(lks_game_call(&calls, g, &other, &m, NULL, NULL), LKS_BADARGS);
    lks_buf_free(&b);
    lks_game_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pay),         cmocka_unit_test(test_pick_call),
        cmocka_unit_test(test_demand_call), cmocka_unit_test(test_challenge_call),
        cmocka_unit_test(test_proof_calls),
    };
    return cmocka_run_group_tests(tests, game_setup, game_teardown);
}
