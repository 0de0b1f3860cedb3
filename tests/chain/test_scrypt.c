/* The test vectors of RFC 7914, section 12. */
#include "chain/scrypt.h"

#include "chain_test.h"

static void check(const char *password, const char *salt, uint64_t n, uint32_t r, uint32_t p,
                  const char *digits)
{
    uint8_t out[64];
    OK(lks_scrypt(out, 64, password, strlen(password), (const uint8_t *)salt, strlen(salt), n, r,
                  p));
    assert_hex(out, 64, digits);
}

static void test_rfc7914(void **state)
{
    (void)state;
    check("", "", 16, 1, 1,
          "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a"
          "0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    check("password", "NaCl", 1024, 8, 16,
          "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff10927"
          "9d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    check("pleaseletmein", "SodiumChloride", 16384, 8, 1,
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705"
          "242a9af9e61e85dc0d651e40dfcf017b45575887");
}

static void test_bad_costs(void **state)
{
    (void)state;
    uint8_t out[32];
    static const struct {
        uint64_t n;
        uint32_t r, p;
    } BAD[] = {{0, 1, 1},        {1, 1, 1},
               {3, 1, 1},        {16, 0, 1},
               {16, 1, 0},       {UINT64_C(1) << 63, 1, 1},
               {16, 1 << 21, 2}, {16, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        FAILS(LKS_BADARGS, "scrypt",
              lks_scrypt(out, 32, "", 0, (const uint8_t *)"", 0, BAD[i].n, BAD[i].r, BAD[i].p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc7914),
                                       cmocka_unit_test(test_bad_costs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
