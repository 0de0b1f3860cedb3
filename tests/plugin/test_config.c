/* The plugin's configuration: every key, and everything that is wrong. */
#include "plugin/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NEEDED                                                                                     \
    "\"roles\":[\"operator\"],\"chain_id\":31982,\"contracts\":{\"registry\":"                     \
    "\"0x1111111111111111111111111111111111111111\","                                              \
    "\"bonds\":\"0x2222222222222222222222222222222222222222\",\"oracle\":"                         \
    "\"0x3333333333333333333333333333333333333333\"},"                                             \
    "\"models\":[\"a.gguf\",\"b.gguf\"],\"keystore\":\"key\",\"password_file\":\"pw\","            \
    "\"database\":\"jobs.db\""

static lks_err parse(lks_config *c, const char *text)
{
    return lks_config_parse(c, text, strlen(text));
}

static void test_defaults(void **state)
{
    (void)state;
    lks_config c;
    assert_int_equal(parse(&c, "{" NEEDED "}"), LKS_OK);
    assert_true(c.chain_id == 31982 && c.model_count == 2 && c.threads == 0 && c.nice == 10 &&
                c.start_block == LKS_START_NEWEST);
    assert_int_equal(c.max_head_age, 600);
    assert_string_equal(c.models[1], "b.gguf");
    assert_string_equal(c.keystore, "key");
    assert_string_equal(c.password_file, "pw");
    assert_string_equal(c.database, "jobs.db");
    assert_true(c.registry[0] == 0x11 && c.bonds[19] == 0x22 && c.oracle[7] == 0x33);
    lks_u256 ether;
    assert_int_equal(lks_u256_from_decimal(&ether, "10000000000000000000", 20), LKS_OK);
    assert_true(c.policy.finalize && lks_u256_is_zero(&c.policy.min_fee) && c.policy.fee_pays_gas);
    assert_int_equal(lks_u256_cmp(&c.policy.max_stake, &ether), 0);
    assert_true(c.policy.min_claim_seconds == 60 && c.policy.unfilled == LKS_UNFILLED_QUARTER);
    assert_true(c.policy.max_prompt == 16384 && c.policy.max_answer == 4096);
    assert_true(c.max_fee.w[0] == 500000000000u && c.max_priority_fee.w[0] == 10000000000u);
    assert_true(c.is_operator && c.policy.accept && !c.policy.drains && !c.is_challenger &&
                c.game[0] == 0 && !c.is_agent);
    assert_true(c.check_share == LKS_SHARE_ALL && c.max_bond.w[3] == UINT64_MAX &&
                c.recheck_stake.w[3] == UINT64_MAX);
    assert_true(!c.withdraws_above && lks_u256_is_zero(&c.withdraw_above));
    assert_string_equal(c.spill_folder, "jobs.db-rows");
    assert_true(c.max_spill_bytes == UINT64_C(16) << 30);
    lks_config_free(&c);
}

static void test_every_key(void **state)
{
    (void)state;
    lks_config c;
    assert_int_equal(parse(&c,
                           "{" NEEDED
                           ",\"threads\":3,\"nice\":19,\"start_block\":0,\"max_head_age_seconds\":"
                           "0,\"min_fee_wei\":\"1000000000000000000000\",\"max_stake_wei\":\"2\","
                           "\"min_claim_seconds\":60,\"max_fee_per_gas_wei\":\"7\",\"max_priority_"
                           "fee_wei\":\"7\",\"finalize\":false,"
                           "\"withdraw_above_wei\":\"5\",\"recheck_stake_wei\":\"0\",\"operator_"
                           "address\":\"0x5555555555555555555555555555555555555555\"}"),
                     LKS_OK);
    assert_true(c.is_agent && c.operator_address[0] == 0x55);
    assert_true(c.withdraws_above && c.withdraw_above.w[0] == 5);
    assert_true(c.threads == 3 && c.nice == 19 && c.start_block == 0 && c.max_head_age == 0 &&
                c.policy.min_fee.w[1] == 54 && c.policy.max_stake.w[0] == 2);
    assert_true(c.policy.min_claim_seconds == 60 && c.max_fee.w[0] == 7 && !c.policy.finalize &&
                lks_u256_is_zero(&c.recheck_stake));
    lks_config_free(&c);
}

/* A choice of one's own takes the place of what is derived, zero too. */
static void test_terms(void **state)
{
    (void)state;
    lks_config c;
    assert_int_equal(parse(&c, "{" NEEDED ",\"min_fee_wei\":\"0\",\"max_prompt_tokens\":0,"
                               "\"max_answer_tokens\":7,\"max_unfilled_bond_wei\":\"0\","
                               "\"min_claim_seconds\":0}"),
                     LKS_OK);
    assert_true(lks_u256_is_zero(&c.policy.min_fee) && !c.policy.fee_pays_gas);
    assert_true(c.policy.max_prompt == 0 && c.policy.max_answer == 7);
    assert_true(c.policy.unfilled == LKS_UNFILLED_WEI && lks_u256_is_zero(&c.policy.max_unfilled));
    assert_int_equal(c.policy.min_claim_seconds, 0);
    lks_config_free(&c);
}

/* Nothing is taken for now. A challenger takes nothing anyway. */
static void test_drain(void **state)
{
    (void)state;
    lks_config c;
    assert_int_equal(parse(&c, "{" NEEDED ",\"accept\":false}"), LKS_OK);
    assert_true(c.is_operator && !c.policy.accept && c.policy.drains && c.policy.finalize);
    lks_config_free(&c);
}

/* Rows of traces: none of them are kept where the configuration says so. */
static void test_no_spill(void **state)
{
    (void)state;
    static const char *const words[] = {"\"\"", "\"none\""};
    char json[1024];
    lks_config c;
    for (size_t i = 0; i < 2; i++) {
        snprintf(json, sizeof json,
                 "{" NEEDED ",\"spill_folder\":%s,\"max_spill_bytes\":7,\"max_memory_bytes\":9}",
                 words[i]);
        assert_int_equal(parse(&c, json), LKS_OK);
        assert_string_equal(c.spill_folder, "");
        assert_int_equal(c.max_spill_bytes, 7);
        assert_int_equal(c.max_memory_bytes, 9);
        lks_config_free(&c);
    }
}

#define CHALLENGER                                                                                 \
    "\"roles\":[\"challenger\"],\"chain_id\":31982,\"contracts\":{\"registry\":"                   \
    "\"0x1111111111111111111111111111111111111111\","                                              \
    "\"bonds\":\"0x2222222222222222222222222222222222222222\",\"oracle\":"                         \
    "\"0x3333333333333333333333333333333333333333\","                                              \
    "\"game\":\"0x4444444444444444444444444444444444444444\"},\"models\":[\"a.gguf\"],"            \
    "\"keystore\":\"key\",\"password_file\":\"pw\",\"database\":\"jobs.db\""

static void test_challenger(void **state)
{
    (void)state;
    lks_config c;
    assert_int_equal(parse(&c, "{" CHALLENGER ",\"max_bond_wei\":\"9\",\"spill_folder\":\"/tmp\"}"),
                     LKS_OK);
    assert_true(c.is_challenger && !c.is_operator && !c.policy.accept && c.game[19] == 0x44 &&
                c.max_bond.w[0] == 9);
    assert_string_equal(c.spill_folder, "/tmp");
    lks_config_free(&c);
    static const struct {
        const char *text;
        uint32_t share;
    } shares[] = {{"1", 100000000},    {"0", 0},          {"0.25", 25000000}, {"25%", 25000000},
                  {"100%", 100000000}, {"0.5%", 500000},  {"0.00000001", 1},  {"1.0", 100000000},
                  {"12.5%", 12500000}, {"00.5", 50000000}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        char text[1024];
        snprintf(text, sizeof text, "{" CHALLENGER ",\"check_share\":\"%s\"}", shares[i].text);
        if (parse(&c, text))
            fail_msg("%s: %s", shares[i].text, lks_error_message());
        assert_int_equal(c.check_share, shares[i].share);
        lks_config_free(&c);
    }
}

/* Each with a part of the line that must be told. */
static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"", "configuration"},
        {"[]", "must be an object"},
        {"{" NEEDED, "configuration"},
        {"{" NEEDED ",\"gas\":1}", "key \"gas\" is not known"},
        {"{" NEEDED ",\"threads\":1,\"threads\":2}", "key \"threads\" appears twice"},
        {"{\"roles\":[\"operator\"]}", "is missing"},
        {"{" NEEDED ",\"operator_address\":\"0x12\"}", "key \"operator_address\""},
        {"{" NEEDED ",\"operator_address\":\"0x0000000000000000000000000000000000000000\"}",
         "zero address"},
        {"{" NEEDED ",\"threads\":257}", "key \"threads\": must be a whole number from 0 to 256"},
        {"{" NEEDED ",\"nice\":20}", "key \"nice\": must be a whole number from 0 to 19"},
        {"{" NEEDED ",\"threads\":\"2\"}", "key \"threads\""},
        {"{" NEEDED ",\"threads\":-1}", "key \"threads\""},
        {"{" NEEDED ",\"threads\":1.5}", "key \"threads\""},
        {"{" NEEDED ",\"start_block\":9223372036854775808}", "key \"start_block\""},
        {"{" NEEDED ",\"max_prompt_tokens\":\"9\"}", "key \"max_prompt_tokens\""},
        {"{" NEEDED ",\"max_answer_tokens\":4294967296}", "key \"max_answer_tokens\""},
        {"{" NEEDED ",\"max_unfilled_bond_wei\":5}", "key \"max_unfilled_bond_wei\""},
        {"{" NEEDED ",\"min_fee_wei\":5}",
         "key \"min_fee_wei\": must be a string of decimal digits"},
        {"{" NEEDED ",\"min_fee_wei\":\"1e18\"}", "key \"min_fee_wei\""},
        {"{" NEEDED ",\"min_fee_wei\":\"\"}", "key \"min_fee_wei\""},
        {"{" NEEDED ",\"accept\":\"no\"}", "key \"accept\": must be true or false"},
        {"{" NEEDED ",\"finalize\":1}", "key \"finalize\": must be true or false"},
        {"{" NEEDED ",\"max_fee_per_gas_wei\":\"1\"}", "must not be above max_fee_per_gas_wei"},
        {"{" NEEDED ",\"check_share\":\"1.00000001\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"101%\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"0.000000001\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"-1\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"%\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\".5\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"1.\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":\"99999999999999999999\"}", "key \"check_share\""},
        {"{" NEEDED ",\"check_share\":0.5}", "key \"check_share\": must be a string"},
        {"{" NEEDED ",\"max_bond_wei\":5}", "key \"max_bond_wei\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lks_config c;
        assert_int_not_equal(parse(&c, cases[i].text), LKS_OK);
        if (!strstr(lks_error_message(), cases[i].line))
            fail_msg("%s: told \"%s\"", cases[i].text, lks_error_message());
        assert_int_equal(c.model_count, 0);
    }
}

/* Each needed key with a wrong value, and left out. */
static void test_needed_keys(void **state)
{
    (void)state;
    static const struct {
        const char *good, *bad, *line;
    } cases[] = {
        {"\"roles\":[\"operator\"]", "\"roles\":[\"challenger\"]",
         "a challenger needs the DisputeGame"},
        {"\"roles\":[\"operator\"]", "\"roles\":[\"operator\",\"operator\"]", "\"roles\""},
        {"\"roles\":[\"operator\"]", "\"roles\":[]", "\"roles\""},
        {"\"roles\":[\"operator\"]", "\"roles\":[\"watcher\"]", "\"roles\""},
        {"\"roles\":[\"operator\"]", "\"roles\":\"operator\"", "\"roles\""},
        {"\"chain_id\":31982", "\"chain_id\":0", "\"chain_id\""},
        {"\"chain_id\":31982", "\"chain_id\":\"31982\"", "\"chain_id\""},
        {"\"0x1111111111111111111111111111111111111111\"", "\"0x11\"", "\"registry\""},
        {"\"0x2222222222222222222222222222222222222222\"",
         "\"0x0000000000000000000000000000000000000000\"", "\"bonds\""},
        {"\"0x3333333333333333333333333333333333333333\"", "7", "\"oracle\""},
        {"\"registry\"", "\"register\"", "\"register\" is not known in \"contracts\""},
        {"\"models\":[\"a.gguf\",\"b.gguf\"]", "\"models\":[]", "\"models\""},
        {"\"models\":[\"a.gguf\",\"b.gguf\"]", "\"models\":[1]", "\"models\""},
        {"\"models\":[\"a.gguf\",\"b.gguf\"]", "\"models\":\"a.gguf\"", "\"models\""},
        {"\"keystore\":\"key\"", "\"keystore\":\"\"", "\"keystore\""},
        {"\"keystore\":\"key\"", "\"keystore\":\"key\",\"moves_keystore\":\"k\"",
         "one needs the other"},
        {"\"keystore\":\"key\"", "\"keystore\":\"key\",\"moves_password_file\":\"p\"",
         "one needs the other"},
        {"\"keystore\":\"key\"", "\"keystore\":\"a\\u0000b\"", "\"keystore\""},
        {"\"password_file\":\"pw\",", "", "key \"password_file\" is missing"},
        {"\"database\":\"jobs.db\"", "\"database\":null", "\"database\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *whole = "{" NEEDED "}", *at = strstr(whole, cases[i].good);
        char text[1024];
        lks_config c;
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, cases[i].bad,
                 at + strlen(cases[i].good));
        assert_int_not_equal(parse(&c, text), LKS_OK);
        if (!strstr(lks_error_message(), cases[i].line))
            fail_msg("%s: told \"%s\"", text, lks_error_message());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_drain),    cmocka_unit_test(test_terms),
        cmocka_unit_test(test_no_spill), cmocka_unit_test(test_challenger),
        cmocka_unit_test(test_wrong),    cmocka_unit_test(test_needed_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
