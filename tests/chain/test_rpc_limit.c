/* Nodes that ask for fewer calls: the words, and how long they are left alone. */
#include "chain/rpc_internal.h"

#include "chain_test.h"

#define SECOND INT64_C(1000000)

static rpc_plea plea(const char *method, int32_t code, const char *error, uint32_t *seconds)
{
    rpc_answer answer = {.is_error = true, .code = code};
    lks_buf_put_text(&answer.json, error);
    rpc_plea found = rpc_plea_of(&answer, method, seconds);
    lks_buf_free(&answer.json);
    return found;
}

/* Errors as providers write them. */
static void test_words(void **state)
{
    (void)state;
    static const struct {
        rpc_plea call, logs; /* of eth_call, of eth_getLogs */
        int32_t code;
        const char *message;
    } CASES[] = {
        {RPC_PLEA, RPC_PLEA, 429, "Your app has exceeded its compute units per second capacity."},
        {RPC_PLEA, RPC_PLEA, -32005, "project ID request rate exceeded"},
        {RPC_PLEA, RPC_PLEA, -32005, "daily request count exceeded, request rate limited"},
        {RPC_PLEA, RPC_PLEA, -32007,
         "50/second request limit reached - reduce calls per second or upgrade your account"},
        {RPC_PLEA, RPC_PLEA, -32012, "credits limited to 6000/sec"},
        {RPC_PLEA, RPC_PLEA, -32016, "over rate limit"},
        {RPC_PLEA, RPC_PLEA, -32000,
         "Too many requests, reason: call rate limit exhausted, retry in 10s"},
        {RPC_PLEA, RPC_PLEA, 15, "Too many request, try again later"},
        {RPC_PLEA, RPC_PLEA, -32005, "You have exceeded your requests per second (RPS) limit"},
        {RPC_PLEA, RPC_MAY_BE_PLEA, -32005, "limit exceeded"},
        {RPC_PLEA, RPC_NO_PLEA, -32005,
         "query returned more than 10000 results. Try with this block range [0x1, 0x2]."},
        {RPC_PLEA, RPC_NO_PLEA, -32005, "query timeout exceeded"},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32602, "range 1000000 exceeds limit of 10000"},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32600,
         "You can make eth_getLogs requests with up to a 500 block range."},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32000, "Block range limit exceeded."},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32701, "exceed maximum block range: 50000"},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32000, "nonce too low"},
        {RPC_NO_PLEA, RPC_NO_PLEA, 3, "execution reverted: rate limit"},
        {RPC_NO_PLEA, RPC_NO_PLEA, -32000, "execution reverted: too many requests"},
    };
    uint32_t seconds;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        lks_buf error = {0};
        lks_buf_printf(&error, "{\"code\":%d,\"message\":\"%s\"}", (int)CASES[i].code,
                       CASES[i].message);
        assert_int_equal(plea("eth_call", CASES[i].code, lks_buf_text(&error), &seconds),
                         CASES[i].call);
        assert_int_equal(plea("eth_getLogs", CASES[i].code, lks_buf_text(&error), &seconds),
                         CASES[i].logs);
        assert_int_equal(seconds, 0);
        lks_buf_free(&error);
    }
    assert_int_equal(
        plea("eth_call", -32005,
             "{\"code\":-32005,\"message\":\"rate\",\"data\":{\"rate\":{\"backoff_seconds\":30}}}",
             &seconds),
        RPC_PLEA);
    assert_int_equal(seconds, 30);
    assert_int_equal(plea("eth_call", 429,
                          "{\"data\":{\"rate\":{\"backoff_seconds\":99999999999}}}", &seconds),
                     RPC_PLEA);
    assert_int_equal(seconds, 3600);
    assert_int_equal(plea("eth_call", 0, "7", &seconds), RPC_NO_PLEA);
    const rpc_answer good = {0};
    assert_int_equal(rpc_plea_of(&good, "eth_call", &seconds), RPC_NO_PLEA);
}

/* Pauses double while the node goes on, and are short again after it was content for a minute. */
static void test_pauses(void **state)
{
    (void)state;
    rpc_limit limit = {0};
    int64_t now = 1000 * SECOND;
    static const int PAUSES[] = {1, 2, 4, 8, 16, 32, 60, 60};
    assert_true(rpc_limit_lets(&limit, now, 1000));
    for (size_t i = 0; i < sizeof PAUSES / sizeof *PAUSES; i++) {
        rpc_limit_begin(&limit, now, now, 0);
        assert_true(limit.until_us == now + PAUSES[i] * SECOND);
        assert_false(rpc_limit_lets(&limit, limit.until_us - 1, 0));
        rpc_limit_begin(&limit, now + 1, now - 1, 0); /* a call from before: no further plea */
        assert_true(limit.until_us == now + PAUSES[i] * SECOND);
        now = limit.until_us;
    }
    now += 61 * SECOND;
    rpc_limit_begin(&limit, now, now, 0);
    assert_true(limit.until_us == now + SECOND);
    rpc_limit_begin(&limit, now, now - 1, 7); /* it names a longer one all the same */
    assert_true(limit.until_us == now + 7 * SECOND);
    now = limit.until_us;
    rpc_limit_begin(&limit, now, now, 1000000);
    assert_true(limit.until_us == now + 3600 * SECOND);
}

/* After a pause calls come back few at a time. */
static void test_window(void **state)
{
    (void)state;
    rpc_limit limit = {0};
    int64_t now = 1000 * SECOND;
    rpc_limit_begin(&limit, now, now, 0);
    now = limit.until_us;
    assert_true(rpc_limit_lets(&limit, now, 1));
    assert_false(rpc_limit_lets(&limit, now, 2));
    rpc_limit_answered(&limit, now - SECOND - 1); /* a call from before says nothing */
    assert_false(rpc_limit_lets(&limit, now, 2));
    for (uint32_t i = 2; i < 63; i++) {
        rpc_limit_answered(&limit, now);
        assert_true(rpc_limit_lets(&limit, now, i));
        assert_false(rpc_limit_lets(&limit, now, i + 1));
    }
    rpc_limit_answered(&limit, now);
    assert_true(rpc_limit_lets(&limit, now, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_pauses),
                                       cmocka_unit_test(test_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
