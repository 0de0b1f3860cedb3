/* Keys, signatures, addresses, typed hashes. */
#include "chain/address.h"
#include "chain/eip712.h"
#include "chain/secret.h"
#include "chain/signer.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

#include "chain_test.h"

/* RFC 6979 nonces on secp256k1 with SHA-256: the vectors that libraries for this curve share (first
 * published with CoreBitcoin); checked with eth-keys 0.8.0. The digest is SHA-256 of the text named
 * beside it. */
static const struct {
    const char *key, *digest, *r, *s;
    uint8_t parity;
} RFC6979[] = {
    /* "Satoshi Nakamoto" */
    {"0000000000000000000000000000000000000000000000000000000000000001",
     "a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e",
     "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8",
     "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5", 1},
    /* "All those moments will be lost in time, like tears in rain. Time to die..." */
    {"0000000000000000000000000000000000000000000000000000000000000001",
     "7d1833f54854ac51659521afcd0ec6dca2ce2351429614bfa28a756b1b3c637f",
     "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b",
     "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21", 0},
    /* "Alan Turing" */
    {"f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181",
     "4ba38d48a60f1b29e9eb726eaff08b2e83d8d81e031666fee50e85900d7dc1ef",
     "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c",
     "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea", 0},
};

/* Out: the flags of the mapping that an address lies in, "rd wr ...". */
static void read_flags(const void *address, char flags[256])
{
    char line[512];
    unsigned long from = 0, to = 0, at = (unsigned long)address;
    bool inside = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    flags[0] = 0;
    assert_non_null(f);
    while (!flags[0] && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = at >= from && at < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, 256, "%.200s", line + 8);
    }
    fclose(f);
}

/* A key is in no core dump. Its pages are locked where that is allowed. */
static void test_secret_pages(void **state)
{
    (void)state;
    static const uint8_t key[32] = {[31] = 1};
    char flags[256];
    void *probe = lks_secret_new(32);
    lks_signer *signer;
    assert_non_null(probe);
    OK(lks_signer_new(&signer, key));
    read_flags(signer, flags);
    assert_non_null(strstr(flags, " dd"));
#ifndef __SANITIZE_ADDRESS__ /* its mlock does nothing and says that it did */
    if (mlock(probe, 32) == 0)
        assert_non_null(strstr(flags, " lo"));
#endif
    lks_signer_free(signer);
    lks_secret_free(probe, 32);
    lks_secret_free(NULL, 32);
}

static lks_signer *make(const char *key_digits)
{
    uint8_t key[32];
    lks_signer *signer;
    unhex_to(key, 32, key_digits);
    OK(lks_signer_new(&signer, key));
    return signer;
}

static void test_rfc6979(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof RFC6979 / sizeof *RFC6979; i++) {
        uint8_t digest[32], address[20];
        lks_signature signature;
        lks_signer *signer = make(RFC6979[i].key);
        unhex_to(digest, 32, RFC6979[i].digest);
        OK(lks_signer_sign(signer, &signature, digest));
        assert_hex(signature.r32, 32, RFC6979[i].r);
        assert_hex(signature.s32, 32, RFC6979[i].s);
        assert_int_equal(signature.parity, RFC6979[i].parity);
        OK(lks_recover_address(address, &signature, digest));
        assert_memory_equal(address, lks_signer_address(signer), 20);
        digest[0] ^= 1;
        if (!lks_recover_address(address, &signature, digest))
            assert_memory_not_equal(address, lks_signer_address(signer), 20);
        lks_signer_free(signer);
    }
}

static void test_bad_signature(void **state)
{
    (void)state;
    uint8_t digest[32] = {1}, address[20];
    lks_signature good, bad;
    lks_signer *signer = make("0000000000000000000000000000000000000000000000000000000000000001");
    OK(lks_signer_sign(signer, &good, digest));
    bad = good, bad.parity = 2;
    FAILS(LKS_CORRUPT, "range", lks_recover_address(address, &bad, digest));
    bad = good, bad.s32[0] = 0x80; /* EIP-2 */
    FAILS(LKS_CORRUPT, "range", lks_recover_address(address, &bad, digest));
    bad = good, memset(bad.s32, 0, 32);
    FAILS(LKS_CORRUPT, "no key", lks_recover_address(address, &bad, digest));
    bad = good, memset(bad.r32, 0, 32);
    FAILS(LKS_CORRUPT, "no key", lks_recover_address(address, &bad, digest));
    bad = good, memset(bad.r32, 0xff, 32);
    FAILS(LKS_CORRUPT, "no key", lks_recover_address(address, &bad, digest));
    lks_signer_free(signer);
}

static void test_keys(void **state)
{
    (void)state;
    uint8_t key[32] = {0}, other[32];
    lks_signer *signer;
    FAILS(LKS_BADARGS, "not valid", lks_signer_new(&signer, key));
    assert_null(signer);
    unhex_to(
        key, 32,
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"); /* the group order */
    FAILS(LKS_BADARGS, "not valid", lks_signer_new(&signer, key));
    key[31]--;
    OK(lks_signer_new(&signer, key));
    lks_signer_free(signer);
    lks_signer_free(NULL);
    OK(lks_key_generate(key));
    OK(lks_key_generate(other));
    assert_memory_not_equal(key, other, 32);
    OK(lks_signer_new(&signer, key));
    lks_signer_free(signer);
}

/* The examples of EIP-55. */
static void test_address_text(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"};
    char text[LKS_ADDRESS_SIZE], lower[LKS_ADDRESS_SIZE];
    uint8_t address[20], again[20];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        OK(lks_address_parse(address, GOOD[i]));
        lks_address_format(text, address);
        assert_string_equal(text, GOOD[i]);
        for (int c = 0; c < LKS_ADDRESS_SIZE; c++)
            lower[c] =
                (char)(GOOD[i][c] >= 'A' && GOOD[i][c] <= 'F' ? GOOD[i][c] + 32 : GOOD[i][c]);
        OK(lks_address_parse(again, lower));
        assert_memory_equal(address, again, 20);
    }
    FAILS(LKS_BADARGS, "checksum",
          lks_address_parse(address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"));
    FAILS(LKS_BADARGS, "not an address",
          lks_address_parse(address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"));
    FAILS(LKS_BADARGS, "not an address",
          lks_address_parse(address, "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00"));
    FAILS(LKS_BADARGS, "not an address",
          lks_address_parse(address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg"));
    FAILS(LKS_BADARGS, "not an address", lks_address_parse(address, ""));
}

/* The contract that 0x6ac7... made first is the well-known 0xcd234a47...; that of nonce 0 of the
 * first developer account is every devnet's 0x5FbDB231.... */
static void test_contract_address(void **state)
{
    (void)state;
    uint8_t sender[20], address[20];
    char text[LKS_ADDRESS_SIZE];
    unhex_to(sender, 20, "6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
    OK(lks_address_of_contract(address, sender, 0));
    assert_hex(address, 20, "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
    OK(lks_address_of_contract(address, sender, 1));
    assert_hex(address, 20, "343c43a37d37dff08ae8c4a11544c718abb4fcf8");
    unhex_to(sender, 20, "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    OK(lks_address_of_contract(address, sender, 0));
    lks_address_format(text, address);
    assert_string_equal(text, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
}

static void hash_person(uint8_t hash[32], const char *name, const char *wallet)
{
    lks_eip712 s;
    uint8_t address[20];
    unhex_to(address, 20, wallet);
    lks_eip712_begin(&s, "Person(string name,address wallet)");
    lks_eip712_bytes(&s, name, strlen(name));
    lks_eip712_address(&s, address);
    lks_eip712_end(&s, hash);
}

/* The example of EIP-712: hashes and signature are those of its Example.js. */
static void test_ether_mail(void **state)
{
    (void)state;
    lks_eip712 s;
    uint8_t domain[32], from[32], to[32], mail[32], digest[32], contract[20];
    lks_signature signature;
    unhex_to(contract, 20, "cccccccccccccccccccccccccccccccccccccccc");
    lks_eip712_domain(domain, "Ether Mail", "1", 1, contract);
    assert_hex(domain, 32, "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
    hash_person(from, "Cow", "cd2a3d9f938e13cd947ec05abc7fe734df8dd826");
    hash_person(to, "Bob", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    lks_eip712_begin(
        &s, "Mail(Person from,Person to,string contents)Person(string name,address wallet)");
    lks_eip712_word(&s, from);
    lks_eip712_word(&s, to);
    lks_eip712_bytes(&s, "Hello, Bob!", 11);
    lks_eip712_end(&s, mail);
    assert_hex(mail, 32, "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
    lks_eip712_digest(digest, domain, mail);
    assert_hex(digest, 32, "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    /* The key is Keccak-256 of "cow". */
    lks_signer *signer = make("c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4");
    assert_hex(lks_signer_address(signer), 20, "cd2a3d9f938e13cd947ec05abc7fe734df8dd826");
    OK(lks_signer_sign(signer, &signature, digest));
    assert_hex(signature.r32, 32,
               "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
    assert_hex(signature.s32, 32,
               "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
    assert_int_equal(27 + signature.parity, 28);
    lks_signer_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc6979),       cmocka_unit_test(test_secret_pages),
        cmocka_unit_test(test_bad_signature), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_address_text),  cmocka_unit_test(test_contract_address),
        cmocka_unit_test(test_ether_mail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
