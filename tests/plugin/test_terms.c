/* What a request costs in transactions, held to the measured gas, and the order of acceptance. */
#include "plugin/terms.h"

#include "chain/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lks_buf snapshots;
static lks_json doc;

static int read_snapshots(void **state)
{
    (void)state;
    char chunk[4096];
    FILE *f = fopen(LKS_TEST_DIR "/../contracts/snapshots/gas.json", "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        lks_buf_put(&snapshots, chunk, n);
    fclose(f);
    return lks_json_parse(&doc, (const char *)snapshots.data, snapshots.len, 4096);
}

static int free_snapshots(void **state)
{
    (void)state;
    lks_json_free(&doc);
    lks_buf_free(&snapshots);
    return 0;
}

static uint64_t gas(const char *name)
{
    lks_buf text = {0};
    int node = lks_json_member(&doc, 0, name);
    if (node == LKS_JSON_NONE || lks_json_string(&doc, node, &text))
        fail_msg("no %s in the snapshot", name);
    uint64_t value = strtoull(lks_buf_text(&text), NULL, 10);
    lks_buf_free(&text);
    return value;
}

/* Not below what the contracts' tests measure, and not far above it. */
static void expect_gas(const lks_request *r, bool header, uint64_t measured)
{
    uint64_t got = lks_terms_gas(r, header);
    if (got < measured || got > measured + measured / 4)
        fail_msg("%llu gas, measured are %llu", (unsigned long long)got,
                 (unsigned long long)measured);
}

static void test_gas(void **state)
{
    (void)state;
    lks_request r = {.replicas = 1, .max_tokens = 32};
    uint64_t ends = gas("accept") + gas("finalize");
    expect_gas(&r, false, ends + gas("claim_32_tokens"));
    expect_gas(&r, true, gas("accept_with_header") + gas("finalize") + gas("claim_32_tokens"));
    r.max_tokens = 1000;
    expect_gas(&r, false, ends + gas("claim_1000_tokens"));
    r.max_tokens = 1;
    r.callback[0] = 1;
    r.callback_gas = 50000;
    expect_gas(&r, false,
               gas("accept") + gas("claim_verdict") + gas("finalize_verdict_with_callback"));
    r = (lks_request){.replicas = 3, .max_tokens = 1};
    expect_gas(&r, false,
               gas("accept_last_of_2") + gas("commitClaim_last_of_3") +
                   gas("revealClaim_last_of_3") + gas("finalize_3_agree"));
}

static void test_least_fee(void **state)
{
    (void)state;
    lks_request r = {.replicas = 1, .max_tokens = 10};
    lks_u256 fee, price = lks_u256_from_u64(3), most;
    lks_terms_least_fee(&fee, &r, false, &price);
    assert_true(fee.w[0] == 3 * lks_terms_gas(&r, false) && fee.w[1] == 0);
    r.replicas = 2; /* who share it */
    lks_terms_least_fee(&fee, &r, false, &price);
    assert_true(fee.w[0] == 6 * lks_terms_gas(&r, false));
    memset(&price, 0xff, sizeof price);
    memset(&most, 0xff, sizeof most);
    lks_terms_least_fee(&fee, &r, false, &price);
    assert_int_equal(lks_u256_cmp(&fee, &most), 0);
}

static void test_order(void **state)
{
    (void)state;
    lks_request a = {.fee = lks_u256_from_u64(100), .accept_deadline = 50};
    lks_request b = {.fee = lks_u256_from_u64(150), .accept_deadline = 40};
    assert_true(lks_terms_compare(&a, 10, &b, 20) < 0);
    assert_true(lks_terms_compare(&b, 20, &a, 10) > 0);
    assert_true(lks_terms_compare(&a, 10, &b, 14) > 0);
    assert_true(lks_terms_compare(&a, 10, &b, 15) > 0); /* as good: the nearer deadline */
    assert_true(lks_terms_compare(&a, 10, &a, 10) == 0);
    a.fee = b.fee = lks_u256_from_u64(0);
    assert_true(lks_terms_compare(&b, UINT64_MAX, &a, 1) < 0);
    memset(a.fee.w, 0xff, 16); /* the largest fee, for the longest time */
    b.fee = a.fee;
    assert_true(lks_terms_compare(&a, UINT64_MAX, &b, UINT64_MAX - 1) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gas),
        cmocka_unit_test(test_least_fee),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, read_snapshots, free_snapshots);
}
