/* What a node shows that is behind, or on another branch: without it the layer would do nothing. */
#include "tests/hostile/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD 10u

static char asked[400]; /* the last parameters that reached the node */

static void put_hash(char text[67], unsigned block)
{
    snprintf(text, 67, "0x%062xa%x", block, block);
}

/* A block of the chain; its hash ends with its number. */
static void put_block(lks_buf *answer, unsigned block)
{
    char hash[67], parent[67], bloom[513];
    put_hash(hash, block);
    put_hash(parent, block - 1);
    memset(bloom, 'f', 512);
    bloom[512] = 0;
    lks_buf_printf(
        answer,
        "{\"number\":\"0x%x\",\"hash\":\"%s\",\"parentHash\":\"%s\","
        "\"logsBloom\":\"0x%s\",\"timestamp\":\"0x1\",\"gasLimit\":\"0x1\",\"gasUsed\":\"0x0\"}",
        block, hash, parent, bloom);
}

static lks_err chain(void *context, const char *method, const char *params, lks_buf *answer)
{
    (void)context;
    lks_buf_clear(answer);
    snprintf(asked, sizeof asked, "%s", params);
    if (strcmp(method, "eth_blockNumber") == 0)
        lks_buf_printf(answer, "\"0x%x\"", HEAD);
    else if (strcmp(method, "eth_getBlockByNumber") == 0)
        put_block(answer, (unsigned)strtoul(params + 2, NULL, 16));
    else if (strcmp(method, "eth_getBlockByHash") == 0)
        put_block(answer, (unsigned)(params[2 + 65] - '0')); /* the hash's last digit */
    else if (strcmp(method, "eth_getLogs") == 0)
        lks_buf_put_text(answer, "[{\"blockNumber\":\"0x7\"},{\"blockNumber\":\"0x9\"}]");
    else if (strcmp(method, "eth_getTransactionReceipt") == 0)
        lks_buf_put_text(answer, "{\"blockNumber\":\"0x9\"}");
    else
        lks_buf_put_text(answer, "\"0x1\"");
    return LKS_OK;
}

static views new_views(void)
{
    return (views){.truth = {chain, NULL, NULL}, .chance = chance_stream(1, 1)};
}

static void test_behind(void **state)
{
    views v = new_views();
    lks_buf answer = {0};
    (void)state;
    v.lag = 2;
    assert_int_equal(views_behind(&v, "eth_blockNumber", "[]", &answer), LKS_OK);
    assert_string_equal(lks_buf_text(&answer), "\"0x8\"");
    assert_int_equal(views_behind(&v, "eth_getBlockByNumber", "[\"latest\",false]", &answer),
                     LKS_OK);
    assert_non_null(strstr(lks_buf_text(&answer), "\"number\":\"0x8\""));
    assert_int_equal(views_behind(&v, "eth_getBlockByNumber", "[\"0x9\",false]", &answer), LKS_OK);
    assert_string_equal(lks_buf_text(&answer), "null");
    assert_int_equal(views_behind(&v, "eth_getLogs", "[{\"fromBlock\":\"0x1\"}]", &answer), LKS_OK);
    assert_string_equal(lks_buf_text(&answer), "[{\"blockNumber\":\"0x7\"}]");
    assert_int_equal(views_behind(&v, "eth_getLogs", "[{\"blockHash\":\"0x9\"}]", &answer),
                     LKS_REMOTE);
    assert_int_equal(views_behind(&v, "eth_getTransactionReceipt", "[\"0x1\"]", &answer), LKS_OK);
    assert_string_equal(lks_buf_text(&answer), "null");
    assert_int_equal(views_behind(&v, "eth_call", "[{},\"latest\"]", &answer), LKS_OK);
    assert_string_equal(asked, "[{},\"0x8\"]");
    assert_int_equal(views_behind(&v, "eth_estimateGas", "[{}]", &answer), LKS_OK);
    assert_string_equal(asked, "[{},\"0x8\"]");
    lks_buf_free(&answer);
}

/* The block's hash on the branch, read from the view. */
static void hash_on_branch(views *v, unsigned block, char hash[67])
{
    char params[40];
    lks_buf answer = {0};
    snprintf(params, sizeof params, "[\"0x%x\",false]", block);
    assert_int_equal(views_branch(v, "eth_getBlockByNumber", params, &answer), LKS_OK);
    const char *at = strstr(lks_buf_text(&answer), "\"hash\":\"");
    assert_non_null(at);
    snprintf(hash, 67, "%s", at + 8);
    lks_buf_free(&answer);
}

static void test_branch(void **state)
{
    char hash[67], branch[67], params[100];
    lks_buf answer = {0};
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) {
        views v = new_views();
        views_leave(&v, 3);
        v.bare = bare;
        put_hash(hash, 7);
        hash_on_branch(&v, 7, branch);
        assert_string_equal(branch, hash);
        put_hash(hash, 9);
        hash_on_branch(&v, 9, branch);
        assert_string_not_equal(branch, hash);
        /* Its own hash is known there, the chain's is not. */
        snprintf(params, sizeof params, "[\"%s\",false]", branch);
        assert_int_equal(views_branch(&v, "eth_getBlockByHash", params, &answer), LKS_OK);
        assert_non_null(strstr(lks_buf_text(&answer), branch));
        bool has_bloom = strstr(lks_buf_text(&answer), "\"logsBloom\":\"0xff") != NULL;
        assert_int_equal(has_bloom, !bare);
        snprintf(params, sizeof params, "[\"%s\",false]", hash);
        assert_int_equal(views_branch(&v, "eth_getBlockByHash", params, &answer), LKS_OK);
        assert_string_equal(lks_buf_text(&answer), "null");
        assert_int_equal(views_branch(&v, "eth_getTransactionReceipt", "[\"0x1\"]", &answer),
                         LKS_OK);
        assert_int_equal(strcmp(lks_buf_text(&answer), "null") == 0, bare);
        assert_int_equal(views_branch(&v, "eth_call", "[{},\"latest\"]", &answer), LKS_OK);
        assert_string_equal(asked, bare ? "[{},\"0x7\"]" : "[{},\"latest\"]");
    }
    lks_buf_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_behind),
                                       cmocka_unit_test(test_branch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
