#include "chain/u256.h"

#include <stdio.h>
#include <string.h>

#include "chain/hex.h"

__extension__ typedef unsigned __int128 u128;

lks_u256 lks_u256_from_u64(uint64_t value)
{
    return (lks_u256){{value, 0, 0, 0}};
}

lks_u256 lks_u256_from_be(const uint8_t bytes32[32])
{
    lks_u256 a = {{0}};
    for (int i = 0; i < 32; i++)
        a.w[3 - i / 8] = a.w[3 - i / 8] << 8 | bytes32[i];
    return a;
}

void lks_u256_to_be(uint8_t bytes32[32], const lks_u256 *a)
{
    for (int i = 0; i < 32; i++)
        bytes32[i] = (uint8_t)(a->w[3 - i / 8] >> (8 * (7 - i % 8)));
}

bool lks_u256_to_u64(uint64_t *out, const lks_u256 *a)
{
    bool fits = !(a->w[1] | a->w[2] | a->w[3]);
    *out = fits ? a->w[0] : UINT64_MAX;
    return fits;
}

bool lks_u256_is_zero(const lks_u256 *a)
{
    return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

int lks_u256_cmp(const lks_u256 *a, const lks_u256 *b)
{
    for (int i = 3; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

bool lks_u256_add(lks_u256 *r, const lks_u256 *a, const lks_u256 *b)
{
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->w[i] + b->w[i];
        r->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

bool lks_u256_sub(lks_u256 *r, const lks_u256 *a, const lks_u256 *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 d = (u128)a->w[i] - b->w[i] - borrow;
        r->w[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    return borrow != 0;
}

bool lks_u256_mul_u64(lks_u256 *r, const lks_u256 *a, uint64_t b)
{
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->w[i] * b;
        r->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

uint64_t lks_u256_div_u64(lks_u256 *r, const lks_u256 *a, uint64_t b)
{
    u128 rest = 0;
    if (!b) {
        *r = (lks_u256){{0}};
        return 0;
    }
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | a->w[i];
        r->w[i] = (uint64_t)(rest / b);
        rest %= b;
    }
    return (uint64_t)rest;
}

lks_err lks_u256_from_hex(lks_u256 *out, const char *text, size_t len)
{
    if (len < 3 || text[0] != '0' || text[1] != 'x')
        return lks_fail(LKS_CORRUPT, "a quantity must be 0x and at least one digit");
    if (len > 3 && text[2] == '0')
        return lks_fail(LKS_CORRUPT, "a quantity with a leading zero");
    if (len > 66)
        return lks_fail(LKS_CORRUPT, "a quantity over 256 bits (%zu digits)", len - 2);
    lks_u256 a = {{0}};
    for (size_t i = 2; i < len; i++) {
        int digit = lks_hex_digit(text[i]);
        if (digit < 0)
            return lks_fail(LKS_CORRUPT, "not a hexadecimal digit at character %zu", i);
        size_t place = len - 1 - i;
        a.w[place / 16] |= (uint64_t)digit << (4 * (place % 16));
    }
    *out = a;
    return LKS_OK;
}

void lks_u256_to_hex(char text[LKS_U256_HEX_SIZE], const lks_u256 *a)
{
    uint8_t bytes[32];
    char digits[LKS_HEX_SIZE(32)];
    lks_u256_to_be(bytes, a);
    lks_hex_encode(digits, bytes, 32);
    size_t first = 2;
    while (first < 65 && digits[first] == '0')
        first++;
    memcpy(text, "0x", 2);
    memcpy(text + 2, digits + first, sizeof digits - first);
}

lks_err lks_u256_from_decimal(lks_u256 *out, const char *text, size_t len)
{
    lks_u256 a = {{0}};
    if (!len)
        return lks_fail(LKS_BADARGS, "a number is missing");
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return lks_fail(LKS_BADARGS, "\"%.*s\" is not a decimal number",
                            (int)(len < 80 ? len : 80), text);
        lks_u256 digit = lks_u256_from_u64((uint64_t)(text[i] - '0'));
        if (lks_u256_mul_u64(&a, &a, 10) || lks_u256_add(&a, &a, &digit))
            return lks_fail(LKS_BADARGS, "the number is over 256 bits");
    }
    *out = a;
    return LKS_OK;
}

void lks_u256_to_decimal(char text[LKS_U256_DECIMAL_SIZE], const lks_u256 *a)
{
    char digits[LKS_U256_DECIMAL_SIZE];
    size_t at = sizeof digits;
    lks_u256 rest = *a;
    digits[--at] = 0;
    do
        digits[--at] = (char)('0' + lks_u256_div_u64(&rest, &rest, 10));
    while (!lks_u256_is_zero(&rest));
    memcpy(text, digits + at, sizeof digits - at);
}

/* Returns: decimals of the unit (18, 9 or 0), or -1 when there is no such unit. */
static int unit_decimals(const char *unit)
{
    if (!*unit || !strcmp(unit, "ether") || !strcmp(unit, "eth"))
        return 18;
    if (!strcmp(unit, "gwei"))
        return 9;
    if (!strcmp(unit, "wei"))
        return 0;
    return -1;
}

lks_err lks_wei_parse(lks_u256 *wei, const char *text)
{
    const char *help = "write for example 1.5ether, 20gwei or 7wei";
    char digits[128];
    size_t count = 0, whole = strspn(text, "0123456789"), fraction = 0;
    const char *rest = text + whole;
    if (*rest == '.') {
        fraction = strspn(rest + 1, "0123456789");
        if (!fraction)
            return lks_fail(LKS_BADARGS, "\"%.80s\" is not an amount: %s", text, help);
        rest += 1 + fraction;
    }
    rest += strspn(rest, " ");
    int decimals = unit_decimals(rest);
    if (!whole || decimals < 0)
        return lks_fail(LKS_BADARGS, "\"%.80s\" is not an amount: %s", text, help);
    if (fraction > (size_t)decimals)
        return lks_fail(LKS_BADARGS, "\"%.80s\" has a fraction of a wei: %s", text, help);
    if (whole > sizeof digits - 20)
        return lks_fail(LKS_BADARGS, "the amount is over 256 bits");
    memcpy(digits, text, whole);
    count = whole;
    if (fraction)
        memcpy(digits + count, text + whole + 1, fraction);
    count += fraction;
    memset(digits + count, '0', (size_t)decimals - fraction);
    count += (size_t)decimals - fraction;
    return lks_u256_from_decimal(wei, digits, count);
}

void lks_wei_format(char text[LKS_ETHER_SIZE], const lks_u256 *wei)
{
    lks_u256 whole;
    uint64_t fraction = lks_u256_div_u64(&whole, wei, UINT64_C(1000000000000000000));
    lks_u256_to_decimal(text, &whole);
    if (!fraction)
        return;
    char digits[20];
    snprintf(digits, sizeof digits, ".%018llu", (unsigned long long)fraction);
    for (size_t last = 18; digits[last] == '0'; last--)
        digits[last] = 0;
    strcpy(text + strlen(text), digits);
}
