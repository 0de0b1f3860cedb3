#include "oracle/cli/cli.h"
#include "oracle/cli/link.h"
#include "oracle/cli/options.h"
#include "oracle/cli/request_view.h"

#include "tests/chain/chain_test.h"

#define A1 "0x5FbDB2315678afecb367f032d93F642f64180aa3"
#define A2 "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"
#define A3 "0x9FE46736679D2D9A65F0992F2272DE9F3C7FA6E0"

static lks_err parse(lks_deployment *d, const char *text)
{
    char *copy = exact(text, strlen(text));
    lks_err err = lks_deployment_parse(d, copy, strlen(text));
    free(copy);
    return err;
}

static void test_good(void **state)
{
    (void)state;
    lks_deployment d;
    OK(parse(&d, "{\"chainId\":31337,\"extra\":[1],\"registry\":\"" A1 "\",\"bonds\":\"" A2
                 "\",\"oracle\":\"" A3 "\"}\n"));
    assert_int_equal(d.chain_id, 31337);
    assert_hex(d.registry, 20, "5fbdb2315678afecb367f032d93f642f64180aa3");
    assert_hex(d.bonds, 20, "e7f1725e7734ce288f8367e1bb143e90bb3f0512");
    assert_hex(d.oracle, 20, "9fe46736679d2d9a65f0992f2272de9f3c7fa6e0");
    assert_false(d.has_game);
    assert_int_equal(d.block, 0);
}

static void test_game(void **state)
{
    (void)state;
    lks_deployment d;
    OK(parse(&d, "{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\",\"oracle\":\"" A3
                 "\",\"game\":\"" A2 "\",\"verifier\":\"" A1 "\",\"block\":17}"));
    assert_true(d.has_game);
    assert_hex(d.game, 20, "e7f1725e7734ce288f8367e1bb143e90bb3f0512");
    assert_hex(d.verifier, 20, "5fbdb2315678afecb367f032d93f642f64180aa3");
    assert_int_equal(d.block, 17);
}

/* A deployment without a game is told so; the commands end there. */
static void test_need_game(void **state)
{
    (void)state;
    lks_link s = {.command = "challenge"};
    assert_int_equal(lks_link_need_game(&s), LKS_EXIT_INPUT);
    s.contracts.has_game = true;
    assert_int_equal(lks_link_need_game(&s), LKS_PARSED);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", ""},
        {"[]", "chainId"},
        {"{}", "chainId"},
        {"{\"chainId\":\"1\"}", "chainId"},
        {"{\"chainId\":-1}", "chainId"},
        {"{\"chainId\":1.5}", "chainId"},
        {"{\"chainId\":1}", "registry"},
        {"{\"chainId\":1,\"registry\":7}", "registry"},
        {"{\"chainId\":1,\"registry\":\"0x12\"}", "registry"},
        {"{\"chainId\":1,\"registry\":\"0x5fbDB2315678afecb367f032d93F642f64180aa3\"}",
         "registry"}, /* wrong checksum */
        {"{\"chainId\":1,\"registry\":\"" A1 "\"}", "bonds"},
        {"{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\"}", "oracle"},
        {"{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\",\"oracle\":\"" A3 "\"", ""},
        {"{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\",\"oracle\":\"" A3
         "\",\"game\":\"0x\"}",
         "game"},
        {"{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\",\"oracle\":\"" A3
         "\",\"game\":\"" A1 "\"}",
         "verifier"},
        {"{\"chainId\":1,\"registry\":\"" A1 "\",\"bonds\":\"" A2 "\",\"oracle\":\"" A3
         "\",\"block\":\"1\"}",
         "block"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lks_deployment d = {.chain_id = 99};
        FAILS(LKS_CORRUPT, cases[i].reason, parse(&d, cases[i].text));
        assert_int_equal(d.chain_id, 99);
    }
}

/* Every kind of event has a line, also in too little room. */
static void test_event_lines(void **state)
{
    (void)state;
    for (int kind = LKS_EVENT_NONE; kind <= LKS_EVENT_KIND_COUNT; kind++) {
        const lks_event e = {.kind = (lks_event_kind)kind, .time = UINT64_MAX, .bytes_len = 4};
        char line[256], cut[8];
        lks_event_line(line, sizeof line, &e);
        lks_event_line(cut, sizeof cut, &e);
        assert_true(line[0] != '\0' && strlen(cut) < sizeof cut &&
                    strncmp(line, cut, strlen(cut)) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_game),
        cmocka_unit_test(test_need_game),   cmocka_unit_test(test_bad),
        cmocka_unit_test(test_event_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
