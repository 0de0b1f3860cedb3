/* Our contracts' ABI against what forge and cast compute from the Solidity sources (tests/vectors/contracts). */
#include "chain/hex.h"
#include "chain/keccak.h"
#include "tests/chain/abi_vectors.h"

static int setup(void **state) {
    (void)state;
    abi_load("abi.txt");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    abi_free();
    return 0;
}

static void test_calls(void **state) {
    (void)state;
    lks_request_params p = {.prompt = abi.prompt, .prompt_len = sizeof abi.prompt, .temperature = 1065353216, .min_p = 1028443341,
                            .seed = UINT64_MAX, .allowed = abi.allowed, .allowed_len = sizeof abi.allowed, .max_tokens = 64,
                            .stake = abi.request.stake, .window = 20, .accept_period = 60, .claim_period = 120, .replicas = 1,
                            .callback_gas = 200000};
    memcpy(p.model_id, abi.model, 32);
    memcpy(p.callback, abi.oracle, 20);
    uint64_t seed = UINT64_MAX - 1;
    lks_u256 wei = lks_u256_from_u64(1000000000000000000u);
    lks_u256_mul_u64(&wei, &wei, 1000);
    lks_buf b = {0};
#define CALL(name, expression) \
    do { \
        lks_buf_clear(&b); \
        assert_int_equal((expression), LKS_OK); \
        abi_check("call", name, b.data, b.len); \
    } while (0)
    CALL("request", lks_call_request(&b, &p));
    CALL("expire", lks_call_expire(&b, &abi.request));
    CALL("accept", lks_call_accept(&b, &abi.request));
    CALL("claim", lks_call_claim(&b, &abi.request, seed, abi.tokens, sizeof abi.tokens, abi.allowed, sizeof abi.allowed));
    CALL("commitClaim", lks_call_commit_claim(&b, &abi.request, seed, abi.salt));
    CALL("revealClaim", lks_call_reveal_claim(&b, &abi.request, seed, abi.tokens, sizeof abi.tokens, NULL, 0, abi.salt));
    CALL("missed", lks_call_missed(&b, &abi.request, 3));
    CALL("finalize", lks_call_finalize(&b, &abi.request, abi.tokens, sizeof abi.tokens));
    CALL("stateOf", lks_call_state_of(&b, abi.model));
    CALL("result", lks_call_result(&b, abi.model));
    CALL("seatOf", lks_call_seat_of(&b, abi.model, 2, 3));
    CALL("standing", lks_call_standing(&b, abi.model, 2, 3));
    CALL("nonces", lks_call_nonces(&b, abi.operator_address));
    CALL("credit", lks_call_credit(&b, abi.operator_address));
    CALL("parameters", lks_call_parameters(&b));
    CALL("register", lks_call_register(&b, &abi.commitment, abi.salt, "https://example.org/m.gguf"));
    CALL("isRegistered", lks_call_is_registered(&b, abi.model));
    CALL("deposit", lks_call_deposit(&b, abi.operator_address));
    CALL("account", lks_call_account(&b, abi.operator_address));
    CALL("freeBond", lks_call_free_bond(&b, abi.operator_address));
    CALL("withdraw", lks_call_withdraw(&b, abi.operator_address));
    CALL("queueWithdrawal", lks_call_queue_withdrawal(&b, &wei));
    lks_buf_free(&b);
}

static void test_hashes(void **state) {
    (void)state;
    uint8_t hash[32], id[32], claim[32];
    lks_tokens_hash(hash, abi.prompt, sizeof abi.prompt);
    abi_check("hash", "tokens", hash, 32);
    lks_request_id(id, 31337, abi.oracle, &abi.request);
    abi_check("hash", "requestId", id, 32);
    assert_int_equal(lks_model_id(hash, &abi.commitment), LKS_OK);
    abi_check("hash", "modelId", hash, 32);
    lks_tokens_hash(hash, abi.tokens, sizeof abi.tokens);
    lks_claim_hash(claim, 31337, abi.oracle, id, UINT64_MAX - 1, abi.operator_address, 33, hash);
    abi_check("hash", "claimHash", claim, 32);
    lks_claim_id(hash, claim, 2);
    abi_check("hash", "claimId", hash, 32);
    lks_claim_commitment(hash, claim, abi.salt);
    abi_check("hash", "commitment", hash, 32);

    uint8_t zero[32] = {0};
    lks_tokens_hash(hash, NULL, 0);
    assert_memory_equal(hash, zero, 32);
    size_t len = 0;
    char low[17];
    snprintf(low, sizeof low, "%016llx", (unsigned long long)lks_seed_used(UINT64_MAX, abi.block));
    assert_memory_equal(abi_find("hash", "seedUsed", &len) + 50, low, 16);
}

/* Every error of the sources is in our table, by selector, and the table has no other. */
static void test_errors(void **state) {
    (void)state;
    size_t in_sources = 0, ours = 0;
    for (const char *line = abi.text; *line; line = strchr(line, '\n') + 1) in_sources += strncmp(line, "error ", 6) == 0;
    for (size_t i = 0; lks_contract_errors[i]; i++, ours++) {
        uint8_t selector[4];
        char want[24], hex[LKS_HEX_SIZE(4)];
        lks_abi_selector(selector, lks_contract_errors[i]);
        lks_hex_encode(hex, selector, 4);
        snprintf(want, sizeof want, ") %s\n", hex);
        const char *at = strstr(abi.text, want);
        if (!at) fail_msg("%s is not in the sources", lks_contract_errors[i]);
    }
    assert_int_equal(ours, in_sources);
    char line[128];
    uint8_t data[36] = {0};
    lks_abi_selector(data, "WrongSeed(uint64)");
    data[35] = 77;
    lks_abi_revert_text(line, sizeof line, data, sizeof data, lks_contract_errors);
    assert_string_equal(line, "WrongSeed(77)");
}

static void test_topics(void **state) {
    (void)state;
    size_t in_sources = 0;
    for (const char *line = abi.text; *line; line = strchr(line, '\n') + 1) in_sources += strncmp(line, "event ", 6) == 0;
    assert_int_equal(in_sources, LKS_EVENT_KIND_COUNT - 1);
    for (int kind = 1; kind < LKS_EVENT_KIND_COUNT; kind++) {
        uint8_t topic[32];
        char start[64], hex[LKS_HEX_SIZE(32)];
        lks_event_topic(topic, (lks_event_kind)kind);
        lks_hex_encode(hex, topic, 32);
        snprintf(start, sizeof start, "\nevent %s(", lks_event_name((lks_event_kind)kind));
        const char *at = strstr(abi.text, start);
        if (!at) fail_msg("%s is not in the sources", lks_event_name((lks_event_kind)kind));
        at = strstr(at, ") ") + 2;
        assert_memory_equal(at, hex, 66);
    }
}

static lks_err decode(lks_event *e, const abi_log *v) {
    return lks_event_decode(e, (const uint8_t(*)[32])v->topics, v->topic_count, v->data.data, v->data.len);
}

static void test_events(void **state) {
    (void)state;
    lks_event e;
    abi_log v;
    uint8_t id[32];
    lks_request_id(id, 31337, abi.oracle, &abi.request);

    abi_load_log(&v, "Requested");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_int_equal(e.kind, LKS_EVENT_REQUESTED);
    assert_memory_equal(e.request_id, id, 32);
    assert_memory_equal(&e.request, &abi.request, sizeof abi.request);
    assert_int_equal(e.bytes_len, sizeof abi.prompt);
    assert_memory_equal(e.bytes, abi.prompt, sizeof abi.prompt);
    assert_int_equal(e.allowed_len, sizeof abi.allowed);
    assert_memory_equal(e.allowed, abi.allowed, sizeof abi.allowed);
    lks_buf_free(&v.data);

    abi_load_log(&v, "Accepted");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_int_equal(e.kind, LKS_EVENT_ACCEPTED);
    assert_memory_equal(e.account, abi.operator_address, 20);
    assert_int_equal(e.attempt, 2);
    assert_int_equal(e.seat, 3);
    assert_true(e.seed == UINT64_MAX - 1 && e.time == 1700000000);
    lks_buf_free(&v.data);

    abi_load_log(&v, "Claimed");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_int_equal(e.kind, LKS_EVENT_CLAIMED);
    assert_true(e.time == 1700000020 && e.bytes_len == sizeof abi.tokens);
    assert_memory_equal(e.bytes, abi.tokens, sizeof abi.tokens);
    abi_check("hash", "claimHash", e.hash, 32);
    lks_buf_free(&v.data);

    abi_load_log(&v, "Finalized");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_true(e.kind == LKS_EVENT_FINALIZED && e.count == 33);
    assert_memory_equal(e.hash, abi.salt, 32);
    lks_buf_free(&v.data);

    abi_load_log(&v, "ModelRegistered");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_int_equal(e.kind, LKS_EVENT_MODEL_REGISTERED);
    assert_memory_equal(&e.model, &abi.commitment, sizeof abi.commitment);
    assert_memory_equal(e.bytes, "https://example.org/m.gguf", e.bytes_len);
    lks_buf_free(&v.data);

    abi_load_log(&v, "Missed");
    assert_int_equal(decode(&e, &v), LKS_OK);
    assert_true(e.kind == LKS_EVENT_MISSED && e.amount.w[0] == 1000);
    lks_buf_free(&v.data);
}

/* Every truncation and every flipped byte of a log is either refused or, where it is a value, seen; nothing is read outside. */
static void test_hostile_events(void **state) {
    (void)state;
    static const char *const names[] = {"Requested", "Accepted", "Claimed", "Finalized", "ModelRegistered", "Missed"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        abi_log v;
        lks_event e, good;
        abi_load_log(&v, names[n]);
        assert_int_equal(decode(&good, &v), LKS_OK);
        for (size_t len = 0; len < v.data.len; len++) { /* a copy of exactly len bytes, for the address sanitizer */
            uint8_t *cut = malloc(len ? len : 1);
            assert_non_null(cut);
            memcpy(cut, v.data.data, len);
            lks_err err = lks_event_decode(&e, (const uint8_t(*)[32])v.topics, v.topic_count, cut, len);
            if (err != LKS_CORRUPT) fail_msg("%s cut to %zu bytes: %s", names[n], len, lks_err_name(err));
            assert_int_equal(e.kind, LKS_EVENT_NONE);
            free(cut);
        }
        for (size_t i = 0; i < v.data.len; i++) {
            v.data.data[i] ^= 0x81;
            lks_err err = decode(&e, &v);
            if (strcmp(names[n], "Requested") == 0 && err == LKS_OK) { /* then it is in the request, and the id changes */
                uint8_t a[32], b[32];
                lks_request_id(a, 31337, abi.oracle, &good.request);
                lks_request_id(b, 31337, abi.oracle, &e.request);
                assert_memory_not_equal(a, b, 32);
            }
            v.data.data[i] ^= 0x81;
        }
        for (size_t count = 0; count <= 4; count++) {
            if (count == v.topic_count) continue;
            lks_err err = lks_event_decode(&e, (const uint8_t(*)[32])v.topics, count, v.data.data, v.data.len);
            assert_int_equal(err, count == 0 ? LKS_NOTFOUND : LKS_CORRUPT);
        }
        v.topics[0][0] ^= 1;
        assert_int_equal(decode(&e, &v), LKS_NOTFOUND);
        lks_buf_free(&v.data);
    }
}

static void test_returns(void **state) {
    (void)state;
    uint8_t data[320] = {0};
    lks_request_state s;
    data[31] = LKS_REQUEST_CLAIMED;
    data[63] = 2;
    data[95] = 1;
    data[127] = 1;
    data[32 * 5 + 31] = 1;
    data[32 * 6 + 31] = 9;
    data[32 * 7 + 31] = 8;
    data[32 * 8 + 31] = 20;
    data[32 * 9 + 31] = 7;
    assert_int_equal(lks_return_state(&s, data, sizeof data), LKS_OK);
    assert_true(s.status == LKS_REQUEST_CLAIMED && s.attempt == 2 && s.seed_fixed && s.seed == 9 && s.request_block == 8 && s.deadline == 7);
    assert_int_equal(lks_return_state(&s, data, sizeof data - 1), LKS_CORRUPT);
    assert_int_equal(lks_return_state(&s, data, 0), LKS_CORRUPT);
    data[31] = LKS_REQUEST_STATUS_COUNT;
    assert_int_equal(lks_return_state(&s, data, sizeof data), LKS_CORRUPT);
    data[31] = 1;
    data[32 * 5 + 31] = 2; /* no bool */
    assert_int_equal(lks_return_state(&s, data, sizeof data), LKS_CORRUPT);

    uint8_t bonds[128] = {0};
    lks_bond_account account;
    bonds[16] = 1;
    assert_int_equal(lks_return_account(&account, bonds, sizeof bonds), LKS_OK);
    assert_true(account.free.w[1] == UINT64_C(1) << 56);
    bonds[15] = 1; /* over 128 bits */
    assert_int_equal(lks_return_account(&account, bonds, sizeof bonds), LKS_CORRUPT);

    lks_request copy;
    uint8_t words[LKS_REQUEST_SIZE];
    lks_request_encode(words, &abi.request);
    assert_int_equal(lks_request_decode(&copy, words), LKS_OK);
    assert_memory_equal(&copy, &abi.request, sizeof copy);
    words[32 * 16 + 30] = 1; /* replicas over 8 bits */
    assert_int_equal(lks_request_decode(&copy, words), LKS_CORRUPT);
}

static void test_token_lists(void **state) {
    (void)state;
    uint32_t ids[33];
    assert_int_equal(lks_tokens_unpack(ids, abi.tokens, sizeof abi.tokens), LKS_OK);
    assert_int_equal(ids[32], 32 * 101);
    lks_buf b = {0};
    lks_tokens_pack(&b, ids, 33);
    assert_int_equal(b.len, sizeof abi.tokens);
    assert_memory_equal(b.data, abi.tokens, b.len);
    lks_buf_free(&b);
    assert_int_equal(lks_tokens_unpack(ids, abi.tokens, 7), LKS_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),   cmocka_unit_test(test_hashes),         cmocka_unit_test(test_errors),
        cmocka_unit_test(test_topics),  cmocka_unit_test(test_events),         cmocka_unit_test(test_hostile_events),
        cmocka_unit_test(test_returns), cmocka_unit_test(test_token_lists),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
