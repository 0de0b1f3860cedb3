/* Keccak-256. The empty and "abc" values are the well-known ones; the others were computed with
 * PyCryptodome 3.24.1 (Crypto.Hash.keccak) over the pattern below; 135, 136 and 137 lie around the
 * rate. */
#include "chain/keccak.h"

#include "chain_test.h"

static uint8_t *pattern(size_t len)
{
    uint8_t *data = malloc(len ? len : 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    return data;
}

static const struct {
    size_t len;
    const char *digest;
} VECTORS[] = {
    {0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
    {1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"},
    {31, "65960cfce3a84820e730d982bdae9e293a440cf554595d2e66b2c14c08971ffe"},
    {32, "5a46a96313b8d5dab379f188f7c3dd4930687a3677fb4bed8fdd84149a0f4f9f"},
    {33, "5b28865e9399248a07eae5d205f6679930352954a1c367d81014ee0a74fa202e"},
    {135, "154f5dc27520a599653a2b10189cf53f5ce03b7c594d11fd98f67012ea304b6c"},
    {136, "81e7ecb492d033f1692e770a6eb874e70aac45ec10da93483fc8d3537805c097"},
    {137, "a595973359b39ba1fec5cf8f40710c5a213e76281dd4f174f1ea83106ee7759b"},
    {271, "db6d89f6d24994bce04f3b44f7be4439584d86cd709da0f6025d15cd5ba9596c"},
    {272, "f9586a49b28506f2ab997d32f3e9983afbcd5602eab14b82169745e94695ceb6"},
    {273, "a3983aa1750cc4ea6b44b65c9b27232fa8d01732945068feadaafbb71c732f60"},
    {1 << 20, "499eb9ce5ad373ae4e9b05a65839652cab9f4cc58421170ffb80574563247730"},
};

static void test_known_answers(void **state)
{
    (void)state;
    uint8_t digest[32];
    lks_keccak256(digest, NULL, 0);
    assert_hex(digest, 32, VECTORS[0].digest);
    lks_keccak256(digest, "abc", 3);
    assert_hex(digest, 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        uint8_t *data = pattern(VECTORS[i].len);
        lks_keccak256(digest, data, VECTORS[i].len);
        assert_hex(digest, 32, VECTORS[i].digest);
        free(data);
    }
}

/* Pieces of any size give what the whole gives. */
static void test_pieces(void **state)
{
    (void)state;
    uint8_t whole[32], pieces[32], *data = pattern(1000);
    lks_keccak256(whole, data, 1000);
    for (size_t size = 1; size <= 300; size++) {
        lks_keccak ctx;
        lks_keccak_init(&ctx);
        for (size_t at = 0; at < 1000; at += size)
            lks_keccak_update(&ctx, data + at, size < 1000 - at ? size : 1000 - at);
        lks_keccak_final(&ctx, pieces);
        assert_memory_equal(whole, pieces, 32);
    }
    free(data);
}

/* Every level that this machine has, over every length up to sixteen blocks and more, for numbers
 * of messages around the lanes and every length of the prefix. Messages lie at odd addresses, each
 * at the very beginning or end of its memory. */
static void test_many(void **state)
{
    (void)state;
    enum {
        MOST = 19,
        LENGTHS = 2200
    };
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, MOST};
    static const uint8_t prefix[9] = {8, 1, 200, 255, 0, 77, 3, 128, 9};
    uint8_t *data[MOST], want[MOST][32], got[MOST + 1][32];
    const uint8_t *in[MOST];
    for (size_t len = 0; len <= LENGTHS; len++) {
        size_t prefix_len = len % 11 < 9 ? len % 11 : len % 3;
        for (size_t i = 0; i < MOST; i++) {
            lks_keccak ctx;
            in[i] = data[i] = malloc(len ? len : 1);
            assert_non_null(data[i]);
            for (size_t k = 0; k < len; k++)
                data[i][k] = (uint8_t)(k * (2 * i + 1) + k / 251 + i * 89);
            lks_keccak_init(&ctx);
            lks_keccak_update(&ctx, prefix, prefix_len);
            lks_keccak_update(&ctx, in[i], len);
            lks_keccak_final(&ctx, want[i]);
        }
        for (int level = LKS_KECCAK_PLAIN; level <= (int)lks_keccak_best(); level++) {
            size_t count = counts[len % (sizeof counts / sizeof *counts)];
            lks_keccak_force((lks_keccak_level)level);
            for (int whole = 0; whole < 2; whole++, count = MOST) {
                memset(got, 0xa5, sizeof got);
                lks_keccak256_many(got, prefix, prefix_len, in, len, count);
                if (memcmp(got, want, 32 * count))
                    fail_msg("level %d differs for %zu messages of %zu and %zu bytes", level, count,
                             prefix_len, len);
                for (size_t i = 0; i < 32; i++)
                    assert_int_equal(got[count][i], 0xa5);
            }
        }
        for (size_t i = 0; i < MOST; i++)
            free(data[i]);
    }
    lks_keccak_force(lks_keccak_best());
}

/* Short messages with every prefix, where both share a word. */
static void test_prefixes(void **state)
{
    (void)state;
    static const uint8_t bytes[200] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    uint8_t got[9][32], want[32];
    for (int level = LKS_KECCAK_PLAIN; level <= (int)lks_keccak_best(); level++) {
        lks_keccak_force((lks_keccak_level)level);
        for (size_t prefix = 0; prefix < 10; prefix++)
            for (size_t len = 0; len < 160; len++) {
                uint8_t *copy = malloc(len ? len : 1);
                const uint8_t *in[9];
                assert_non_null(copy);
                memcpy(copy, bytes + prefix, len);
                for (int i = 0; i < 9; i++)
                    in[i] = copy;
                lks_keccak256(want, bytes, prefix + len);
                lks_keccak256_many(got, bytes, prefix, in, len, 9);
                for (int i = 0; i < 9; i++)
                    assert_memory_equal(got[i], want, 32);
                free(copy);
            }
    }
    lks_keccak_force(lks_keccak_best());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_answers),
                                       cmocka_unit_test(test_pieces), cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_prefixes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
