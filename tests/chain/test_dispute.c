/* The dispute game's ABI against what forge and cast compute from the Solidity sources
 * (tests/vectors/contracts/dispute.txt). */
#include "chain/dispute.h"
#include "chain/hex.h"
#include "tests/chain/abi_vectors.h"

static uint8_t dispute_id[32], claim_id[32], signature[65], opening[LKS_REQUEST_SIZE];
static lks_dispute_terms dispute;
static lks_claim_ref ref;
static uint8_t opening_path[2][32], model_path[1][32];
static const uint8_t short_data[5] = {1, 2, 3, 4, 5};
static lks_call_opening openings[3];
static lks_call_witness witness;

static int setup(void **state)
{
    (void)state;
    abi_load("dispute.txt");
    dispute.claim = abi.claim;
    memcpy(dispute.challenger, abi.operator_address, 20);
    dispute.bond = (lks_u256){{UINT64_MAX, (1u << 24) - 1, 0, 0}};
    memcpy(dispute.salt, abi.salt, 32);
    lks_claim_id(claim_id, &abi.claim);
    lks_dispute_id(dispute_id, &dispute);
    lks_request_encode(opening, &abi.request);
    memcpy(ref.source, abi.oracle, 20);
    memcpy(ref.name, abi.name, 32);
    ref.opening = opening;
    ref.opening_len = sizeof opening;
    memset(signature, 0xc3, sizeof signature);
    memcpy(opening_path[0], abi.salt, 32);
    memcpy(opening_path[1], abi.block, 32);
    memcpy(model_path[0], abi.model, 32);
    openings[0] =
        (lks_call_opening){abi.prompt, sizeof abi.prompt, (const uint8_t(*)[32])opening_path, 2};
    openings[2] =
        (lks_call_opening){short_data, sizeof short_data, (const uint8_t(*)[32])model_path, 1};
    witness = (lks_call_witness){2, 200, 138, 530, 7, openings, 3};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    abi_free();
    return 0;
}

static lks_u256 big(void)
{
    return (lks_u256){{UINT64_MAX, UINT64_MAX, 0, 0}};
}

#define CALL(name, expression)                                                                     \
    do {                                                                                           \
        lks_buf_clear(&b);                                                                         \
        assert_int_equal((expression), LKS_OK);                                                    \
        abi_check("call", name, b.data, b.len);                                                    \
    } while (0)

static void test_moves(void **state)
{
    (void)state;
    lks_buf b = {0};
    const lks_model_commitment *m = &abi.commitment;
    uint8_t words[3][32];
    memcpy(words[0], abi.salt, 32);
    memcpy(words[1], abi.model, 32);
    memcpy(words[2], abi.block, 32);
    const uint8_t(*list)[32] = (const uint8_t(*)[32])words;
    const lks_dispute_terms *d = &dispute;
    const lks_claim_facts *f = &abi.facts;
    const uint8_t *tokens = abi.tokens, *salt = abi.salt;
    const size_t len = sizeof abi.tokens, signed_len = sizeof signature;
    CALL("challenge", lks_call_challenge(&b, &ref, m, &d->bond, salt));
    CALL("pick", lks_call_pick(&b, d, 65535, 4, 12, abi.block, list, 3));
    CALL("step", lks_call_step(&b, d, f, m, &witness, abi.block));
    CALL("demandPartials", lks_call_demand_partials(&b, d, 530));
    CALL("stepPartial", lks_call_step_partial(&b, d, f, m, &witness, tokens, len, abi.block));
    CALL("commitProof", lks_call_commit_proof(&b, salt));
    CALL("prove", lks_call_prove(&b, &ref, abi.block, signature, signed_len, m, &witness, salt));
    CALL("proveEquivocation", lks_call_prove_equivocation(&b, &ref, abi.block, NULL, 0, abi.model,
                                                          signature, signed_len, salt));
    CALL("openTrace", lks_call_open_trace(&b, d, abi.block, list, 2));
    CALL("openPartials", lks_call_open_partials(&b, d, tokens, len));
    CALL("reveal", lks_call_reveal(&b, d, list, 1));
    CALL("revealLeaf", lks_call_reveal_leaf(&b, d, abi.prompt, sizeof abi.prompt));
    CALL("timeout", lks_call_timeout(&b, d));
    CALL("recordShape", lks_call_record_shape(&b, m, 482, &openings[0]));
    CALL("voidClaim", lks_call_void_claim(&b, &ref, m, 7, openings, 2));
    CALL("reclaim", lks_call_reclaim(&b, d));
    lks_buf calls[2] = {{0}, {0}};
    lks_buf_put(&calls[0], "\x12\x34", 2);
    lks_buf_put(&calls[1], abi.tokens, sizeof abi.tokens);
    CALL("multicall", lks_call_multicall(&b, calls, 2));
    CALL("tryMulticall", lks_call_try_multicall(&b, calls, 2));
    lks_buf_free(&calls[0]);
    lks_buf_free(&calls[1]);
    lks_buf_free(&b);
}

/* A bond that is no uint88 never reaches a call. */
static void test_bond_range(void **state)
{
    (void)state;
    lks_buf b = {0};
    lks_dispute_terms d = dispute;
    d.bond.w[1]++;
    assert_int_equal(lks_call_challenge(&b, &ref, &abi.commitment, &d.bond, abi.salt), LKS_BADARGS);
    assert_int_equal(lks_call_timeout(&b, &d), LKS_BADARGS);
    assert_int_equal(lks_call_reveal(&b, &d, NULL, 0), LKS_BADARGS);
    assert_int_equal(b.len, 0);
    lks_buf_free(&b);
}

static void test_views(void **state)
{
    (void)state;
    lks_buf b = {0};
    lks_u256 stake = big();
    CALL("disputeOf", lks_call_dispute_of(&b, dispute_id));
    CALL("claimOf", lks_call_claim_of(&b, dispute_id));
    CALL("bondFor", lks_call_bond_for(&b, &stake));
    CALL("questionGas", lks_call_question_gas(&b, 6, 32767));
    CALL("shapeRecorded", lks_call_shape_recorded(&b, abi.model, 482));
    CALL("oracle", lks_call_game_oracle(&b));
    CALL("verifier", lks_call_game_verifier(&b));
    CALL("bonds", lks_call_bonds(&b));
    lks_buf_free(&b);
}

/* No call is forgotten: each selector of the sources is one of a call above, or of one that other
 * contracts share, or of a hash that is computed here. */
static void test_selectors(void **state)
{
    (void)state;
    static const char *const NOT_HERE[] = {"credit(",    "parameters(",  "withdraw(",
                                           "claimIdOf(", "disputeIdOf(", NULL};
    size_t count = 0;
    for (const char *line = abi.text; strncmp(line, "selector ", 9) == 0;
         line = strchr(line, '\n') + 1, count++) {
        const char *selector = strstr(line, ") 0x") + 2;
        char want[80];
        bool elsewhere = false;
        for (size_t i = 0; NOT_HERE[i]; i++)
            elsewhere = elsewhere || !strncmp(line + 9, NOT_HERE[i], strlen(NOT_HERE[i]));
        snprintf(want, sizeof want, "call %.*s %.10s", (int)strcspn(line + 9, "("), line + 9,
                 selector);
        if (!elsewhere && !strstr(abi.text, want))
            fail_msg("no call vector for %.*s", (int)strcspn(line, "\n"), line);
    }
    assert_int_equal(count, 30);
}

static void test_hashes(void **state)
{
    (void)state;
    uint8_t hash[32], subject[32];
    abi_check("hash", "claimId", claim_id, 32);
    abi_check("hash", "disputeId", dispute_id, 32);
    assert_int_equal(lks_witness_hash(subject, &witness), LKS_OK);
    abi_check("hash", "witness", subject, 32);
    lks_proof_commitment(hash, abi.operator_address, abi.salt, subject);
    abi_check("hash", "proof", hash, 32);
    lks_equivocation_hash(hash, abi.block, abi.model);
    abi_check("hash", "equivocation", hash, 32);
    lks_trace_root_hash(hash, 31337, abi.oracle, claim_id, abi.block);
    abi_check("hash", "traceRoot", hash, 32);
}

static void test_money(void **state)
{
    (void)state;
    lks_u256 fee = lks_u256_from_u64(10000000000u), wei, want, stake, least;
    lks_game_prepayment(&wei, 730000, &fee); /* 730,000 gas x 22 gwei */
    assert_int_equal(lks_wei_parse(&want, "0.01606"), LKS_OK);
    assert_int_equal(lks_u256_cmp(&wei, &want), 0);
    want = (lks_u256){{UINT64_MAX, 255, 0, 0}}; /* 2^72 - 1 */
    lks_game_prepayment(&wei, UINT64_MAX, &fee);
    assert_int_equal(lks_u256_cmp(&wei, &want), 0);
    lks_u256 huge = {{0, 0, 0, UINT64_MAX}};
    lks_game_prepayment(&wei, 0, &huge); /* overflows on the way */
    assert_int_equal(lks_u256_cmp(&wei, &want), 0);
    assert_int_equal(lks_wei_parse(&stake, "1"), LKS_OK);
    assert_int_equal(lks_wei_parse(&least, "0.05"), LKS_OK);
    lks_game_bond(&wei, &least, &stake, &fee);
    assert_int_equal(lks_u256_cmp(&wei, &least), 0);
    assert_int_equal(lks_wei_parse(&stake, "100"), LKS_OK);
    assert_int_equal(lks_wei_parse(&want, "1"), LKS_OK);
    lks_game_bond(&wei, &least, &stake, &fee);
    assert_int_equal(lks_u256_cmp(&wei, &want), 0);
    lks_u256_mul_u64(&fee, &fee, 1000);
    assert_int_equal(lks_wei_parse(&want, "20"), LKS_OK);
    lks_game_bond(&wei, &least, &stake, &fee);
    assert_int_equal(lks_u256_cmp(&wei, &want), 0);
    fee = (lks_u256){{0, 0, 0, UINT64_MAX}};
    lks_game_bond(&wei, &least, &stake, &fee);
    assert_int_equal(lks_u256_cmp(&wei, &dispute.bond), 0); /* 2^88 - 1 */
}

static void test_topics(void **state)
{
    (void)state;
    size_t in_sources = 0;
    for (const char *line = abi.text; *line; line = strchr(line, '\n') + 1)
        in_sources += strncmp(line, "event ", 6) == 0;
    assert_int_equal(in_sources, LKS_GAME_EVENT_COUNT - 1);
    for (int kind = 1; kind < LKS_GAME_EVENT_COUNT; kind++) {
        uint8_t topic[32];
        char start[64], hex[LKS_HEX_SIZE(32)];
        lks_game_event_topic(topic, (lks_game_event_kind)kind);
        lks_hex_encode(hex, topic, 32);
        snprintf(start, sizeof start, "\nevent %s(",
                 lks_game_event_name((lks_game_event_kind)kind));
        const char *at = strstr(abi.text, start);
        if (!at)
            fail_msg("%s is not in the sources", lks_game_event_name((lks_game_event_kind)kind));
        assert_memory_equal(strstr(at, ") ") + 2, hex, 66);
    }
}

static lks_err decode(lks_game_event *e, const abi_log *v)
{
    return lks_game_event_decode(e, (const uint8_t(*)[32])v->topics, v->topic_count, v->data.data,
                                 v->data.len);
}

/* Fills what the vector of a kind holds (make.sh). */
static void expected(lks_game_event *e, lks_game_event_kind kind)
{
    memset(e, 0, sizeof *e);
    e->kind = kind;
    bool of_claim = kind < LKS_GAME_PROOF_COMMITTED || kind == LKS_GAME_CREDITED;
    if (of_claim)
        memcpy(e->claim_id, claim_id, 32);
    if (kind < LKS_GAME_PROOF_COMMITTED && kind != LKS_GAME_CLAIM_VOIDED)
        memcpy(e->dispute_id, dispute_id, 32);
    if (kind == LKS_GAME_CHALLENGED || kind == LKS_GAME_CLAIM_CONVICTED ||
        kind == LKS_GAME_CREDITED || kind == LKS_GAME_WITHDRAWN)
        memcpy(e->account, abi.operator_address, 20);
    if (kind <= LKS_GAME_PARTIALS_OPENED)
        e->deadline = 5000000000;
    if (kind > LKS_GAME_CHALLENGED && kind <= LKS_GAME_PARTIALS_OPENED)
        e->prepaid = lks_u256_from_u64(69u + (unsigned)kind);
    if (kind == LKS_GAME_PARTIALS_DEMANDED || kind == LKS_GAME_PARTIALS_OPENED)
        e->op = 17, e->index = 34, e->element = 530;
    switch (kind) {
    case LKS_GAME_CHALLENGED:
        e->dispute = dispute;
        e->facts = abi.facts;
        e->state = 1;
        e->prepaid = big();
        break;
    case LKS_GAME_TRACE_OPENED: memcpy(e->hash, abi.block, 32), e->node_count = 3; break;
    case LKS_GAME_PICKED:
        e->op = 65535, e->height = 4, e->index = 12;
        memcpy(e->hash, abi.salt, 32);
        break;
    case LKS_GAME_REVEALED:
        e->op = 200, e->height = 3, e->index = UINT32_MAX, e->node_count = 2;
        break;
    case LKS_GAME_LEAF_REVEALED: e->op = 200, e->index = 138, e->len = sizeof abi.prompt; break;
    case LKS_GAME_PARTIALS_OPENED: e->len = sizeof abi.tokens; break;
    case LKS_GAME_CLAIM_CONVICTED:
        e->how = LKS_CONVICTION_EQUIVOCATION;
        e->op = UINT32_MAX, e->index = 138, e->unit = 530;
        break;
    case LKS_GAME_CLAIM_VOIDED: e->op = 70000; break;
    case LKS_GAME_DISPUTE_LOST:
        e->amount = lks_u256_from_u64(35), e->burned = lks_u256_from_u64(15);
        break;
    case LKS_GAME_DISPUTE_RECLAIMED: e->amount = lks_u256_from_u64(36); break;
    case LKS_GAME_PROOF_COMMITTED: memcpy(e->hash, abi.salt, 32); break;
    case LKS_GAME_SHAPE_RECORDED: memcpy(e->model_id, abi.model, 32), e->op = 482; break;
    case LKS_GAME_CREDITED: e->amount = big(); break;
    case LKS_GAME_WITHDRAWN:
        memcpy(e->to, abi.oracle, 20), e->amount = lks_u256_from_u64(11);
        break;
    default: break;
    }
}

static void test_events(void **state)
{
    (void)state;
    for (int kind = 1; kind < LKS_GAME_EVENT_COUNT; kind++) {
        lks_game_event e, want;
        abi_log v;
        abi_load_log(&v, lks_game_event_name((lks_game_event_kind)kind));
        if (decode(&e, &v) != LKS_OK)
            fail_msg("%s: %s", lks_game_event_name((lks_game_event_kind)kind), lks_error_message());
        expected(&want, (lks_game_event_kind)kind);
        const uint8_t(*nodes)[32] = e.nodes;
        const uint8_t *bytes = e.bytes;
        e.nodes = NULL;
        e.bytes = NULL;
        if (memcmp(&e, &want, sizeof e))
            fail_msg("%s is read as something else",
                     lks_game_event_name((lks_game_event_kind)kind));
        if (kind == LKS_GAME_TRACE_OPENED) {
            assert_memory_equal(nodes[0], abi.salt, 32);
            assert_memory_equal(nodes[2], abi.block, 32);
        }
        if (kind == LKS_GAME_REVEALED)
            assert_memory_equal(nodes[1], abi.salt, 32);
        if (e.len)
            assert_memory_equal(bytes, kind == LKS_GAME_LEAF_REVEALED ? abi.prompt : abi.tokens,
                                e.len);
        lks_buf_free(&v.data);
    }
}

/* Every truncation is refused, every flipped byte is refused or seen, and nothing is read outside.
 */
static void test_hostile_events(void **state)
{
    (void)state;
    size_t cuts = 0, flips = 0;
    for (int kind = 1; kind < LKS_GAME_EVENT_COUNT; kind++) {
        abi_log v;
        lks_game_event e;
        abi_load_log(&v, lks_game_event_name((lks_game_event_kind)kind));
        for (size_t len = 0; len < v.data.len;
             len++, cuts++) { /* a copy of exactly len bytes, for the address sanitizer */
            uint8_t *cut = malloc(len ? len : 1);
            assert_non_null(cut);
            memcpy(cut, v.data.data, len);
            lks_err err =
                lks_game_event_decode(&e, (const uint8_t(*)[32])v.topics, v.topic_count, cut, len);
            if (err != LKS_CORRUPT)
                fail_msg("%s cut to %zu bytes: %s", lks_game_event_name((lks_game_event_kind)kind),
                         len, lks_err_name(err));
            assert_int_equal(e.kind, LKS_GAME_NONE);
            free(cut);
        }
        for (size_t i = 0; i < v.data.len; i++, flips++) {
            lks_game_event good;
            assert_int_equal(decode(&good, &v), LKS_OK);
            v.data.data[i] ^= 0x81;
            uint8_t *copy = malloc(v.data.len);
            assert_non_null(copy);
            memcpy(copy, v.data.data, v.data.len);
            lks_err err = lks_game_event_decode(&e, (const uint8_t(*)[32])v.topics, v.topic_count,
                                                copy, v.data.len);
            if (err == LKS_OK && memcmp(&e, &good, sizeof e) == 0 && e.len + e.node_count == 0)
                fail_msg("%s: a flip of byte %zu is not seen",
                         lks_game_event_name((lks_game_event_kind)kind), i);
            free(copy);
            v.data.data[i] ^= 0x81;
        }
        for (size_t count = 0; count <= 4; count++) {
            if (count == v.topic_count)
                continue;
            lks_err err = lks_game_event_decode(&e, (const uint8_t(*)[32])v.topics, count,
                                                v.data.data, v.data.len);
            assert_int_equal(err, count == 0 ? LKS_NOTFOUND : LKS_CORRUPT);
        }
        v.topics[0][0] ^= 1;
        assert_int_equal(decode(&e, &v), LKS_NOTFOUND);
        lks_buf_free(&v.data);
    }
    assert_true(cuts > 1000 && flips == cuts);
}

static void test_returns(void **state)
{
    (void)state;
    lks_buf b = {0};
    lks_dispute_view d;
    lks_u256 most = big();
    abi_bytes(&b, "return", "disputeOf");
    assert_int_equal(lks_return_dispute(&d, b.data, b.len), LKS_OK);
    assert_true(d.state == 6 && d.op == 200 && d.height == 0 && d.index == 138);
    assert_memory_equal(d.node, abi.block, 32);
    assert_true(d.element == 530 && d.prepaid.w[0] == 77);
    assert_true(d.turn_start == 1700000000 && d.deadline == 5000000000);
    assert_true(d.operator_left == 29 && d.challenger_left == 28 && d.alone);
    assert_int_equal(lks_return_dispute(&d, b.data, b.len - 1), LKS_CORRUPT);
    b.data[32 * 11 + 31] = 2; /* no bool */
    assert_int_equal(lks_return_dispute(&d, b.data, b.len), LKS_CORRUPT);
    b.data[32 * 11 + 31] = 1;
    b.data[31] = 9; /* no state */
    assert_int_equal(lks_return_dispute(&d, b.data, b.len), LKS_CORRUPT);

    lks_disputed_claim c;
    lks_buf_clear(&b);
    abi_bytes(&b, "return", "claimOf");
    assert_int_equal(lks_return_claim(&c, b.data, b.len), LKS_OK);
    assert_true(c.status == LKS_CLAIM_DISPUTED && c.live == 2 && c.prompt_count == 300);
    assert_true(c.token_count == 33 && c.op_count == 483);
    assert_true(c.opened_at == (UINT64_C(1) << 40) - 1);
    assert_true(c.joined_block == (UINT64_C(1) << 40) - 2);
    assert_memory_equal(c.root, abi.block, 32);
    b.data[32 * 5 + 26] = 1; /* over 40 bits */
    assert_int_equal(lks_return_claim(&c, b.data, b.len), LKS_CORRUPT);
    b.data[32 * 5 + 26] = 0;
    b.data[31] = 4; /* no status */
    assert_int_equal(lks_return_claim(&c, b.data, b.len), LKS_CORRUPT);

    lks_game_parameters p;
    lks_buf_clear(&b);
    abi_bytes(&b, "return", "parameters");
    assert_int_equal(lks_return_game_parameters(&p, b.data, b.len), LKS_OK);
    assert_true(p.budget == 30 && p.floor == 6 && lks_u256_cmp(&p.min_bond, &most) == 0);
    b.data[64] = 1; /* over 128 bits */
    assert_int_equal(lks_return_game_parameters(&p, b.data, b.len), LKS_CORRUPT);
    lks_buf_free(&b);
}

static void test_errors(void **state)
{
    (void)state;
    char line[128];
    uint8_t data[36] = {0};
    lks_abi_selector(data, "WrongState(uint8)");
    data[35] = 4;
    lks_abi_revert_text(line, sizeof line, data, sizeof data, lks_contract_errors);
    assert_string_equal(line, "WrongState(4)");
    lks_abi_selector(data, "NothingWrong()");
    lks_abi_revert_text(line, sizeof line, data, 4, lks_contract_errors);
    assert_string_equal(line, "NothingWrong()");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),   cmocka_unit_test(test_bond_range),
        cmocka_unit_test(test_views),   cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_hashes),  cmocka_unit_test(test_money),
        cmocka_unit_test(test_topics),  cmocka_unit_test(test_events),
        cmocka_unit_test(test_returns), cmocka_unit_test(test_hostile_events),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
