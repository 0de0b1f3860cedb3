/* The logs bloom. The digest is that of TestBloomExtensively in go-ethereum's core/types. */
#include "chain/bloom.h"

#include "chain/keccak.h"
#include "chain_test.h"

static void add(uint8_t bloom[256], const void *value, size_t len)
{
    uint8_t hash[32];
    lks_keccak256(hash, value, len);
    for (int i = 0; i < 3; i++) {
        unsigned bit = (hash[2 * i] * 256u + hash[2 * i + 1]) & 2047;
        bloom[255 - bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

static void test_known_answer(void **state)
{
    (void)state;
    uint8_t bloom[256] = {0}, digest[32], topics[100][32];
    for (int i = 0; i < 100; i++) {
        char text[40];
        int len = snprintf(text, sizeof text, "xxxxxxxxxx data %d yyyyyyyyyyyyyy", i);
        add(bloom, text, (size_t)len);
        memcpy(topics[i], text, 32); /* all of the first ten */
    }
    lks_keccak256(digest, bloom, sizeof bloom);
    assert_hex(digest, 32, "c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263");
    for (size_t i = 0; i < 10; i++) {
        const lks_eth_filter filter = {.topics = {topics[i]}};
        assert_true(lks_bloom_matches(bloom, &filter));
    }
    memset(bloom, 1, sizeof bloom);
    memset(bloom, 0xff, 2);
    assert_int_equal(lks_bloom_bits(bloom), 254 + 16);
    memset(bloom, 1, sizeof bloom);
    memset(bloom, 3, 153);
    assert_true(lks_bloom_is_telling(bloom));
    memset(bloom, 3, 154);
    assert_false(lks_bloom_is_telling(bloom));
}

static void test_filters(void **state)
{
    (void)state;
    uint8_t bloom[256] = {0}, addresses[3][20], topics[6][32];
    memset(addresses, 0, sizeof addresses);
    memset(topics, 0, sizeof topics);
    for (uint8_t i = 0; i < 3; i++)
        addresses[i][0] = (uint8_t)(i + 1);
    for (uint8_t i = 0; i < 6; i++)
        topics[i][0] = (uint8_t)(i + 1);
    const uint8_t(*const a)[20] = (const uint8_t(*)[20])addresses;
    const uint8_t(*const t)[32] = (const uint8_t(*)[32])topics;
    add(bloom, addresses[1], 20);
    for (int i = 1; i < 4; i++)
        add(bloom, topics[i], 32);
    const struct {
        lks_eth_filter filter;
        bool matches;
    } cases[] = {
        {{0}, true},
        {{.addresses = a, .address_count = 1}, false},
        {{.addresses = a, .address_count = 2}, true},
        {{.addresses = a + 1, .address_count = 1}, true},
        {{.addresses = a + 1, .address_count = 1, .topics0 = t, .topic0_count = 1}, false},
        {{.addresses = a + 1, .address_count = 1, .topics0 = t, .topic0_count = 2}, true},
        {{.topics0 = t + 1, .topic0_count = 1, .topics1 = t + 2, .topic1_count = 1}, true},
        {{.topics0 = t + 1, .topic0_count = 1, .topics1 = t + 4, .topic1_count = 2}, false},
        {{.topics = {t[1], t[2], t[3]}}, true},
        {{.topics = {t[1], t[2], t[4]}}, false},
        {{.topics = {NULL, t[5], NULL}}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (lks_bloom_matches(bloom, &cases[i].filter) != cases[i].matches)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
