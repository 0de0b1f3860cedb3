/* The RLP of block headers against what geth says of its blocks
 * (tests/vectors/contracts/headers.txt).
 */
#include "chain/header.h"

#include "chain/hex.h"
#include "chain/rlp.h"
#include "tests/chain/abi_vectors.h"

static const char *const BLOCKS[] = {"mainnet-0",   "osaka-0",     "osaka-4",    "osaka-6",
                                     "amsterdam-0", "amsterdam-4", "amsterdam-6"};
#define BLOCK_COUNT (sizeof BLOCKS / sizeof *BLOCKS)

static int setup(void **state)
{
    (void)state;
    abi_load("headers.txt");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    abi_free();
    return 0;
}

static lks_err read_block(lks_buf *rlp, uint8_t randao[32], uint64_t *number, const char *json)
{
    return lks_header_rlp(rlp, randao, number, json, strlen(json));
}

/* A block's JSON, zero-terminated; the caller frees it. */
static char *block_text(const char *name)
{
    size_t len;
    const char *at = abi_find("block", name, &len);
    char *copy = calloc(1, len + 1);
    assert_non_null(copy);
    memcpy(copy, at, len);
    return copy;
}

/* Replaces the first occurrence of one text by another. The caller frees the result. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *copy = calloc(1, strlen(text) + strlen(to) + 1);
    assert_non_null(copy);
    memcpy(copy, text, (size_t)(at - text));
    strcat(copy, to);
    strcat(copy, at + strlen(from));
    return copy;
}

static void test_blocks(void **state)
{
    (void)state;
    lks_buf rlp = {0};
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        uint8_t randao[32], mix[32];
        uint64_t number = 99;
        char *text = block_text(BLOCKS[i]);
        if (read_block(&rlp, randao, &number, text))
            fail_msg("%s: %s", BLOCKS[i], lks_error_message());
        abi_check("rlp", BLOCKS[i], rlp.data, rlp.len);
        assert_int_equal(number, strrchr(BLOCKS[i], '-')[1] - '0');
        const char *at = strstr(text, "\"mixHash\":\"") + strlen("\"mixHash\":\"");
        assert_int_equal(lks_hex_decode(mix, 32, at, 66), LKS_OK);
        assert_memory_equal(randao, mix, 32);

        /* What the contract reads: item 13, counted from 0. */
        lks_rlp_reader in = {rlp.data, rlp.len}, items;
        lks_rlp_item item;
        assert_int_equal(lks_rlp_read_list(&in, &items), LKS_OK);
        assert_int_equal(lks_rlp_read_end(&in), LKS_OK);
        for (int n = 0; n <= 13; n++)
            assert_int_equal(lks_rlp_next(&items, &item), LKS_OK);
        assert_int_equal(item.len, 32);
        assert_memory_equal(item.data, mix, 32);
        free(text);
    }
    lks_buf_free(&rlp);
}

/* Changes that leave the header as it is: other members, null for a member of a later fork. */
static void test_harmless(void **state)
{
    (void)state;
    lks_buf rlp = {0};
    uint8_t randao[32];
    char *text = block_text("osaka-6");
    static const char *const CHANGES[][2] = {
        {"{", "{\"slotNumber\":null,"},
        {"{", "{\"totalDifficulty\":\"0x0\","},
        {"\"uncles\":[]", "\"uncles\":[\"0x00\", {\"hash\": 1}]"},
        {"\"size\":\"0x2e1\"", "\"size\":-1"},
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        char *changed = replaced(text, CHANGES[i][0], CHANGES[i][1]);
        assert_int_equal(read_block(&rlp, randao, NULL, changed), LKS_OK);
        abi_check("rlp", "osaka-6", rlp.data, rlp.len);
        free(changed);
    }
    free(text);
    lks_buf_free(&rlp);
}

static void refuses(const char *json, const char *reason)
{
    lks_buf rlp = {0};
    uint8_t randao[32];
    uint64_t number = 77;
    lks_err err = read_block(&rlp, randao, &number, json);
    if (err != LKS_CORRUPT || !strstr(lks_error_message(), reason))
        fail_msg("%s: %s for %.60s", lks_err_name(err), lks_error_message(), json);
    assert_int_equal(rlp.len, 0);
    assert_int_equal(number, 77);
    lks_buf_free(&rlp);
}

static void test_refused(void **state)
{
    (void)state;
    char *text = block_text("amsterdam-6");
    static const char *const CHANGES[][3] = {
        /* missing, of another type, of another length, or not canonical */
        {"\"mixHash\"", "\"prevRandao\"", "mixHash"},
        {"\"hash\"", "\"hush\"", "hash"},
        {"\"number\":\"0x6\"", "\"number\":6", "number"},
        {"\"number\":\"0x6\"", "\"number\":null", "number"},
        {"\"number\":\"0x6\"", "\"number\":\"0x06\"", "number"},
        {"\"number\":\"0x6\"", "\"number\":\"6\"", "number"},
        {"\"nonce\":\"0x00", "\"nonce\":\"0x", "nonce"},
        {"\"miner\":\"0x00", "\"miner\":\"0x0000", "miner"},
        {"\"extraData\":\"0x", "\"extraData\":\"0x0", "extraData"},
        {"\"difficulty\":\"0x0\"", "\"difficulty\":\"0x\"", "difficulty"},
        {"\"gasUsed\":\"0x", "\"gasUsed\":\"-0x", "gasUsed"},
        {"\"requestsHash\":\"0x", "\"requestsHash\":\"0x00", "requestsHash"},
        {"\"slotNumber\":\"0x0\"", "\"slotNumber\":false", "slotNumber"},
        /* well-formed, and another header */
        {"\"slotNumber\":\"0x0\"", "\"slotNumber\":\"0x1\"", "do not have its hash"},
        {"\"slotNumber\"", "\"newMember\"", "do not have its hash"},
        {"\"blockAccessListHash\"", "\"newMember\"", "do not have its hash"},
        {"\"baseFeePerGas\"", "\"newMember\"", "do not have its hash"},
        {"\"gasUsed\":\"0x", "\"gasUsed\":\"0x1", "do not have its hash"},
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        char *changed = replaced(text, CHANGES[i][0], CHANGES[i][1]);
        refuses(changed, CHANGES[i][2]);
        free(changed);
    }
    free(text);
    refuses("null", "no JSON object");
    refuses("[]", "no JSON object");
    refuses("\"0x\"", "no JSON object");
    refuses("{}", "parentHash");
    refuses("", "");
    refuses("{\"parentHash\":{}}", "parentHash");
    refuses("{\"parentHash\":[[[[[[[[", "");
}

/* Every truncation is refused; every flipped character is refused or changes nothing. */
static void test_hostile(void **state)
{
    (void)state;
    lks_buf rlp = {0};
    uint8_t randao[32];
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        char *text = block_text(BLOCKS[i]);
        size_t len = strlen(text);
        for (size_t cut = 0; cut < len; cut++) { /* exactly that long, for the address sanitizer */
            char *copy = malloc(cut ? cut : 1);
            assert_non_null(copy);
            memcpy(copy, text, cut);
            assert_int_equal(lks_header_rlp(&rlp, randao, NULL, copy, cut), LKS_CORRUPT);
            free(copy);
        }
        for (size_t at = 0; at < len; at++) {
            text[at] ^= 1;
            lks_err err = read_block(&rlp, randao, NULL, text);
            if (!err)
                abi_check("rlp", BLOCKS[i], rlp.data, rlp.len);
            else
                assert_true(rlp.len == 0);
            text[at] ^= 1;
        }
        free(text);
    }
    lks_buf_free(&rlp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_harmless),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
