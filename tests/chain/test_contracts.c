/* Our contracts' ABI against what forge and cast compute from the Solidity sources
 * (tests/vectors/contracts/abi.txt). Events are in test_contracts_events.c. */
#include "chain/hex.h"
#include "tests/chain/abi_vectors.h"

#define SEED (UINT64_MAX - 1)

static int setup(void **state)
{
    (void)state;
    abi_load("abi.txt");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    abi_free();
    return 0;
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
    const lks_request *r = &abi.request;
    const uint8_t *tokens = abi.tokens, *allowed = abi.allowed;
    const size_t len = sizeof abi.tokens, allowed_len = sizeof abi.allowed;
    lks_request_params p = {.prompt = abi.prompt,
                            .prompt_len = sizeof abi.prompt,
                            .temperature = 1065353216,
                            .min_p = 1028443341,
                            .seed = UINT64_MAX,
                            .allowed = allowed,
                            .allowed_len = allowed_len,
                            .max_tokens = 64,
                            .stake = r->stake,
                            .window = 20,
                            .accept_deadline = 5000000000,
                            .claim_period = 120,
                            .replicas = 1,
                            .callback_gas = 200000};
    memcpy(p.model_id, abi.model, 32);
    memcpy(p.callback, abi.oracle, 20);
    lks_buf b = {0};
    CALL("request", lks_call_request(&b, &p));
    CALL("cancel", lks_call_cancel(&b, r));
    CALL("withdrawOf", lks_call_withdraw_of(&b, r, abi.operator_address));
    CALL("accept", lks_call_accept(&b, r, abi.operator_address, tokens, len));
    CALL("claim", lks_call_claim(&b, r, SEED, tokens, len, allowed, allowed_len));
    CALL("commitClaim", lks_call_commit_claim(&b, r, 3, SEED, abi.salt));
    CALL("revealClaim", lks_call_reveal_claim(&b, r, 3, SEED, tokens, len, NULL, 0, abi.salt));
    CALL("freeSeats", lks_call_free_seats(&b, r));
    CALL("missed", lks_call_missed(&b, r, 3));
    CALL("expire", lks_call_expire(&b, r));
    CALL("finalize", lks_call_finalize(&b, r, tokens, len));
    CALL("withdraw", lks_call_withdraw(&b, abi.operator_address));
    CALL("register",
         lks_call_register(&b, &abi.commitment, abi.salt, "https://example.org/m.gguf"));
    lks_buf_free(&b);
}

static void test_views(void **state)
{
    (void)state;
    uint8_t opening[LKS_REQUEST_SIZE];
    lks_buf b = {0};
    lks_request_encode(opening, &abi.request);
    CALL("stateOf", lks_call_state_of(&b, abi.model));
    CALL("result", lks_call_result(&b, abi.model));
    CALL("seatOf", lks_call_seat_of(&b, abi.model, 2, 3));
    CALL("standing", lks_call_standing(&b, abi.model));
    CALL("claimOf", lks_call_source_claim(&b, abi.name, opening, sizeof opening));
    CALL("nonces", lks_call_nonces(&b, abi.operator_address));
    CALL("credit", lks_call_credit(&b, abi.operator_address));
    CALL("creditOf", lks_call_credit_of(&b, abi.model));
    CALL("parameters", lks_call_parameters(&b));
    CALL("bonds", lks_call_bonds(&b));
    CALL("disputeGame", lks_call_dispute_game(&b));
    CALL("isRegistered", lks_call_is_registered(&b, abi.model));
    lks_buf_free(&b);
}

static void test_bonds(void **state)
{
    (void)state;
    lks_u256 wei = lks_u256_from_u64(1000000000000000000u);
    lks_u256_mul_u64(&wei, &wei, 1000);
    const uint8_t *operator20 = abi.operator_address;
    lks_buf b = {0};
    CALL("deposit", lks_call_deposit(&b, operator20));
    CALL("queueWithdrawal", lks_call_queue_withdrawal(&b, &wei));
    CALL("setAgent", lks_call_set_agent(&b, operator20, LKS_AGENT_CLAIMS | LKS_AGENT_RECEIPTS));
    CALL("allowSource", lks_call_allow_source(&b, abi.oracle, true));
    CALL("account", lks_call_account(&b, operator20));
    CALL("freeBond", lks_call_free_bond(&b, operator20));
    CALL("lockedBy", lks_call_locked_by(&b, operator20, abi.oracle));
    CALL("agentRoles", lks_call_agent_roles(&b, operator20, abi.oracle));
    CALL("isAllowedSource", lks_call_is_allowed_source(&b, operator20, abi.oracle));
    CALL("withdrawalDelay", lks_call_withdrawal_delay(&b));
    lks_buf_free(&b);
}

/* Each selector of the sources is one of a call above, or of one that no client makes. */
static void test_selectors(void **state)
{
    (void)state;
    static const char *const UNUSED[] = {"requestIdOf(", "nameOf(",  "maxWindow(",    "registry(",
                                         "oracle(",      "limits(",  "packedLimits(", "disputed(",
                                         "settled(",     "convict(", "voidClaim(",    "lock(",
                                         "release(",     NULL};
    for (const char *line = abi.text; !strncmp(line, "selector ", 9);
         line = strchr(line, '\n') + 1) {
        char want[80];
        size_t name = strcspn(line + 9, "(");
        bool unused = false;
        for (size_t i = 0; UNUSED[i]; i++)
            unused = unused || !strncmp(line + 9, UNUSED[i], strlen(UNUSED[i]));
        snprintf(want, sizeof want, "call %.*s %.10s", (int)name, line + 9,
                 strstr(line, ") 0x") + 2);
        if (!unused && !strstr(abi.text, want))
            fail_msg("no call vector for %.*s", (int)strcspn(line, "\n"), line);
    }
}

static void test_hashes(void **state)
{
    (void)state;
    uint8_t hash[32];
    lks_tokens_hash(hash, abi.prompt, sizeof abi.prompt);
    abi_check("hash", "tokens", hash, 32);
    abi_check("hash", "requestId", abi.request_id, 32);
    assert_int_equal(lks_model_id(hash, &abi.commitment), LKS_OK);
    abi_check("hash", "modelId", hash, 32);
    abi_check("hash", "name", abi.name, 32);
    lks_claim_facts_hash(hash, &abi.facts);
    abi_check("hash", "facts", hash, 32);
    lks_claim_id(hash, &abi.claim);
    abi_check("hash", "claimId", hash, 32);
    lks_claim_commitment(hash, abi.name, abi.operator_address, SEED, abi.facts.tokens_hash,
                         abi.salt);
    abi_check("hash", "commitment", hash, 32);

    uint8_t zero[32] = {0};
    lks_tokens_hash(hash, NULL, 0);
    assert_memory_equal(hash, zero, 32);
    size_t len = 0;
    char low[17];
    snprintf(low, sizeof low, "%016llx", (unsigned long long)lks_seed_used(UINT64_MAX, abi.block));
    assert_memory_equal(abi_find("hash", "seedUsed", &len) + 50, low, 16);
}

static void test_names(void **state)
{
    (void)state;
    uint8_t name[32], id[32], attempt, seat;
    assert_int_equal(abi.request_id[31], 0);
    for (unsigned last = 0; last < 256; last++) {
        bool good = last >= 8 && last < 48 && last % 8 < LKS_MAX_REPLICAS;
        memcpy(name, abi.request_id, 32);
        name[31] = (uint8_t)last;
        lks_err err = lks_claim_name_split(id, &attempt, &seat, name);
        assert_int_equal(err, good ? LKS_OK : LKS_CORRUPT);
        if (err)
            continue;
        assert_memory_equal(id, abi.request_id, 32);
        assert_int_equal(8 * attempt + seat, last);
        uint8_t again[32];
        lks_claim_name(again, id, attempt, seat);
        assert_memory_equal(again, name, 32);
    }
}

static void test_allowed(void **state)
{
    (void)state;
    lks_request r = abi.request;
    assert_true(lks_request_shows_allowed(&r));
    r.allowed_count = r.max_tokens = LKS_ALLOWED_ON_CHAIN;
    assert_true(lks_request_shows_allowed(&r));
    r.max_tokens++;
    assert_false(lks_request_shows_allowed(&r));
    r.max_tokens--;
    r.allowed_count++;
    assert_false(lks_request_shows_allowed(&r));
    r.allowed_count = 0;
    assert_false(lks_request_shows_allowed(&r));
}

/* Every error of the sources is in our table, by selector, and the table has no other. */
static void test_errors(void **state)
{
    (void)state;
    size_t in_sources = 0, ours = 0;
    for (const char *line = abi.text; *line; line = strchr(line, '\n') + 1)
        in_sources += strncmp(line, "error ", 6) == 0;
    for (size_t i = 0; lks_contract_errors[i]; i++, ours++) {
        uint8_t selector[4];
        char want[24], hex[LKS_HEX_SIZE(4)];
        lks_abi_selector(selector, lks_contract_errors[i]);
        lks_hex_encode(hex, selector, 4);
        snprintf(want, sizeof want, ") %s\n", hex);
        const char *at = strstr(abi.text, want);
        if (!at)
            fail_msg("%s is not in the sources", lks_contract_errors[i]);
    }
    assert_int_equal(ours, in_sources);
    char line[128];
    uint8_t data[36] = {0};
    lks_abi_selector(data, "WrongSeed(uint64)");
    data[35] = 77;
    lks_abi_revert_text(line, sizeof line, data, sizeof data, lks_contract_errors);
    assert_string_equal(line, "WrongSeed(77)");
}

/* A read of every word's type: each word with its highest byte set is refused where the type is
 * smaller; so is every other length. */
#define STRICT(name, narrow, call)                                                                 \
    do {                                                                                           \
        lks_buf_clear(&b);                                                                         \
        abi_bytes(&b, "return", name);                                                             \
        for (size_t at = 0; at < b.len; at += 32) {                                                \
            b.data[at] ^= 0x80;                                                                    \
            bool is_narrow = (narrow) >> (at / 32) & 1;                                            \
            assert_int_equal(call, is_narrow ? LKS_CORRUPT : LKS_OK);                              \
            b.data[at] ^= 0x80;                                                                    \
        }                                                                                          \
        b.len--;                                                                                   \
        assert_int_equal(call, LKS_CORRUPT);                                                       \
        b.len = 0;                                                                                 \
        assert_int_equal(call, LKS_CORRUPT);                                                       \
        abi_bytes(&b, "return", name);                                                             \
        assert_int_equal(call, LKS_OK);                                                            \
    } while (0)

static void test_returns(void **state)
{
    (void)state;
    lks_buf b = {0};
    lks_u256 most = {{UINT64_MAX, UINT64_MAX, 0, 0}};

    lks_request_state s;
    STRICT("stateOf", 0x3ffu, lks_return_state(&s, b.data, b.len));
    assert_true(s.status == LKS_REQUEST_UNDECIDED && s.attempt == 6 && s.misses == 3);
    assert_true(s.cancelled && s.seats_taken == 5 && s.final_seat == 4);
    assert_true(s.deadline == 5000000000 && s.request_block == UINT64_C(1) << 40);
    assert_true(s.seed_fixed && s.seed == SEED);
    b.data[31] = LKS_REQUEST_STATUS_COUNT;
    assert_int_equal(lks_return_state(&s, b.data, b.len), LKS_CORRUPT);
    b.data[31] = 1;
    b.data[32 * 3 + 31] = 2; /* no bool */
    assert_int_equal(lks_return_state(&s, b.data, b.len), LKS_CORRUPT);

    lks_seat seat;
    STRICT("seatOf", 0x1fu, lks_return_seat(&seat, b.data, b.len));
    assert_memory_equal(seat.operator_address, abi.operator_address, 20);
    assert_true(seat.status == LKS_SEAT_CONVICTED && seat.token_count == 29000);
    assert_true(seat.first_token == (1u << 24) - 1 && seat.disputed);
    assert_memory_equal(seat.value, abi.salt, 32);
    b.data[32 * 2 + 29] = 1; /* over 16 bits */
    assert_int_equal(lks_return_seat(&seat, b.data, b.len), LKS_CORRUPT);

    lks_request_result result;
    STRICT("result", 0xbu, lks_return_result(&result, b.data, b.len));
    assert_true(result.status == LKS_REQUEST_FINAL && result.token_count == 33);
    assert_true(result.first_token == 7);

    lks_oracle_parameters p;
    STRICT("parameters", 0x3ffu, lks_return_parameters(&p, b.data, b.len));
    assert_true(lks_u256_cmp(&p.min_stake, &most) == 0 && p.min_window == 1 && p.max_window == 2);
    assert_true(p.min_accept_period == 3 && p.max_accept_period == 4 && p.min_claim_period == 5);
    assert_true(p.min_replica_claim_period == 6 && p.max_claim_period == 7 && p.fill_period == 8);
    assert_true(p.reveal_period == UINT32_MAX);

    lks_bond_account account;
    STRICT("account", 0xfu, lks_return_account(&account, b.data, b.len));
    assert_true(lks_u256_cmp(&account.free, &most) == 0 && account.locked.w[0] == 2);
    assert_true(account.queued.w[0] == 3 && account.ready_at == 5000000000);
    b.data[15] = 1; /* over 128 bits */
    assert_int_equal(lks_return_account(&account, b.data, b.len), LKS_CORRUPT);
    lks_buf_free(&b);
}

static void test_source_claim(void **state)
{
    (void)state;
    lks_buf b = {0};
    lks_claim_terms claim;
    lks_claim_facts facts;
    abi_bytes(&b, "return", "claimOf");
    assert_int_equal(lks_return_source_claim(&claim, &facts, b.data, b.len), LKS_OK);
    assert_memory_equal(&claim, &abi.claim, sizeof claim);
    assert_memory_equal(&facts, &abi.facts, sizeof facts);
    /* A flip is refused or in the terms; of the facts and their hash it is refused. */
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 0x41;
        lks_err err = lks_return_source_claim(&claim, &facts, b.data, b.len);
        if (!err && (i >= 160 || !memcmp(&claim, &abi.claim, sizeof claim)))
            fail_msg("a flip of byte %zu is not seen", i);
        b.data[i] ^= 0x41;
    }
    assert_int_equal(lks_return_source_claim(&claim, &facts, b.data, b.len - 32), LKS_CORRUPT);
    lks_buf_free(&b);
}

static void test_single_values(void **state)
{
    (void)state;
    uint8_t word[32] = {0}, small, address[20];
    uint64_t number;
    lks_u256 wei;
    bool yes;
    word[31] = 5;
    assert_int_equal(lks_return_u8(&small, word, 32), LKS_OK);
    assert_int_equal(small, 5);
    assert_int_equal(lks_return_u64(&number, word, 32), LKS_OK);
    assert_int_equal(lks_return_u256(&wei, word, 32), LKS_OK);
    assert_int_equal(lks_return_bool(&yes, word, 32), LKS_CORRUPT);
    word[30] = 1;
    assert_int_equal(lks_return_u8(&small, word, 32), LKS_CORRUPT);
    assert_int_equal(lks_return_u64(&number, word, 31), LKS_CORRUPT);
    memcpy(word + 12, abi.oracle, 20);
    assert_int_equal(lks_return_address(address, word, 32), LKS_OK);
    assert_memory_equal(address, abi.oracle, 20);
    word[0] = 1;
    assert_int_equal(lks_return_address(address, word, 32), LKS_CORRUPT);
}

static void test_request(void **state)
{
    (void)state;
    lks_request copy;
    uint8_t words[LKS_REQUEST_SIZE];
    lks_request_encode(words, &abi.request);
    assert_int_equal(lks_request_decode(&copy, words), LKS_OK);
    assert_memory_equal(&copy, &abi.request, sizeof copy);
    words[32 * 16 + 30] = 1; /* replicas over 8 bits */
    assert_int_equal(lks_request_decode(&copy, words), LKS_CORRUPT);
    words[32 * 16 + 30] = 0;
    words[32 * 14 + 23] = 1; /* acceptDeadline over 64 bits */
    assert_int_equal(lks_request_decode(&copy, words), LKS_CORRUPT);
}

static void test_token_lists(void **state)
{
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),         cmocka_unit_test(test_views),
        cmocka_unit_test(test_bonds),         cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_hashes),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_allowed),       cmocka_unit_test(test_errors),
        cmocka_unit_test(test_returns),       cmocka_unit_test(test_source_claim),
        cmocka_unit_test(test_single_values), cmocka_unit_test(test_request),
        cmocka_unit_test(test_token_lists),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
