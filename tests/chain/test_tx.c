/* EIP-1559 transactions, signed with eth-account 0.14.0 for comparison, and the fields of EIP-155's
 * example key. */
#include "chain/tx.h"

#include "chain/rlp.h"
#include "chain_test.h"

static const char RAW1[] = "02f873010984773594008504a817c801825208943535353535353535353535353535353"
                           "535353535880de0b6b3a764000080c080a0247b498c2a186a4668acd4c2b29b0b24d5"
                           "02051779cf5b127f0937b61e732f7ca0358b4e6a107cf1204bc363e1f6135f2f4ed0f38"
                           "ac01c74c63a89f3267ad45d9f";
static const char RAW2[] = "02f90128827a6980808d1000000000000000000000000584010000008080b8c80001020"
                           "30405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425"
                           "262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344454647484"
                           "94a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b"
                           "6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8"
                           "f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1"
                           "b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c080a0493757f2e3c42b7ddb9a4"
                           "6531b8b439f4567b47bd006b7ec416a1ce0632787a7a07114bebe074488f22506d4bb"
                           "c4d2e5cb537125356578237cced68d58b3957822";

static lks_tx transfer(void)
{
    lks_tx tx = {.chain_id = 1,
                 .nonce = 9,
                 .max_priority_fee = lks_u256_from_u64(2000000000),
                 .max_fee = lks_u256_from_u64(20000000001),
                 .gas_limit = 21000,
                 .value = lks_u256_from_u64(1000000000000000000)};
    memset(tx.to, 0x35, 20);
    return tx;
}

static void check(const lks_tx *tx, const char *key_digits, const char *raw_digits,
                  const char *hash_digits, const char *address_digits)
{
    uint8_t key[32], hash[32], sender[20], again[32];
    lks_signer *signer;
    lks_buf raw = {0};
    lks_tx read;
    unhex_to(key, 32, key_digits);
    OK(lks_signer_new(&signer, key));
    assert_hex(lks_signer_address(signer), 20, address_digits);
    OK(lks_tx_sign(&raw, hash, tx, signer));
    assert_hex(raw.data, raw.len, raw_digits);
    assert_hex(hash, 32, hash_digits);
    OK(lks_tx_decode(&read, sender, again, raw.data, raw.len));
    assert_hex(sender, 20, address_digits);
    assert_memory_equal(hash, again, 32);
    assert_true(read.chain_id == tx->chain_id && read.nonce == tx->nonce &&
                read.gas_limit == tx->gas_limit && read.is_create == tx->is_create);
    assert_int_equal(lks_u256_cmp(&read.max_fee, &tx->max_fee), 0);
    assert_int_equal(lks_u256_cmp(&read.max_priority_fee, &tx->max_priority_fee), 0);
    assert_int_equal(lks_u256_cmp(&read.value, &tx->value), 0);
    assert_int_equal(read.data_len, tx->data_len);
    if (tx->data_len)
        assert_memory_equal(read.data, tx->data, tx->data_len);
    if (!tx->is_create)
        assert_memory_equal(read.to, tx->to, 20);
    lks_buf_free(&raw);
    lks_signer_free(signer);
}

static void test_transfer(void **state)
{
    (void)state;
    lks_tx tx = transfer();
    check(&tx, "4646464646464646464646464646464646464646464646464646464646464646", RAW1,
          "3d54b0ee2455545659254e09118e816fa9af615551d4861395f0a40e2c240109",
          "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
}

static void test_create(void **state)
{
    (void)state;
    uint8_t data[200];
    for (int i = 0; i < 200; i++)
        data[i] = (uint8_t)i;
    lks_tx tx = {.chain_id = 31337,
                 .max_fee = {{5, UINT64_C(1) << 36, 0, 0}},
                 .gas_limit = 16777216,
                 .is_create = true,
                 .data = data,
                 .data_len = 200};
    check(&tx, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", RAW2,
          "e8185d09fbf23f897efc077e381427ed924bd9c909cc797bb7a736ae05a5854a",
          "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
}

static void test_refusals(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, hash[32];
    lks_signer *signer;
    lks_buf raw = {0};
    OK(lks_signer_new(&signer, key));
    lks_tx tx = transfer();
    tx.chain_id = 0;
    FAILS(LKS_BADARGS, "chain id", lks_tx_sign(&raw, hash, &tx, signer));
    tx = transfer();
    tx.max_priority_fee = lks_u256_from_u64(20000000002);
    FAILS(LKS_BADARGS, "priority fee", lks_tx_sign(&raw, hash, &tx, signer));
    assert_int_equal(raw.len, 0);
    lks_signer_free(signer);
    lks_buf_free(&raw);
}

static void test_decode_hostile(void **state)
{
    (void)state;
    size_t len;
    uint8_t *good = unhex(RAW1, &len), sender[20];
    lks_tx tx;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = (uint8_t *)exact((const char *)good, cut);
        assert_true(lks_tx_decode(&tx, sender, NULL, copy, cut) != LKS_OK);
        free(copy);
    }
    uint8_t *longer = malloc(len + 1);
    memcpy(longer, good, len);
    longer[len] = 0;
    FAILS(LKS_CORRUPT, "too many", lks_tx_decode(&tx, sender, NULL, longer, len + 1));
    free(longer);
    good[0] = 1;
    FAILS(LKS_REFUSED, "type 2", lks_tx_decode(&tx, NULL, NULL, good, len));
    good[0] = 2;
    /* Every changed byte gives a failure or another sender: nothing is unsigned. */
    for (size_t i = 0; i < len; i++) {
        good[i] ^= 1;
        if (!lks_tx_decode(&tx, sender, NULL, good, len))
            assert_memory_not_equal(sender, "\x9d\x8a\x62\xf6", 4);
        good[i] ^= 1;
    }
    free(good);
    /* A transaction with an access list is someone else's. */
    lks_buf raw = {0};
    lks_buf_put_byte(&raw, 2);
    size_t list = lks_rlp_list_begin(&raw);
    for (int i = 0; i < 8; i++)
        lks_rlp_put_bytes(&raw, "", 0);
    size_t access = lks_rlp_list_begin(&raw);
    lks_rlp_put_u64(&raw, 1);
    lks_rlp_list_end(&raw, access);
    lks_rlp_list_end(&raw, list);
    FAILS(LKS_REFUSED, "access list", lks_tx_decode(&tx, NULL, NULL, raw.data, raw.len));
    lks_buf_free(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer), cmocka_unit_test(test_create),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_decode_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
