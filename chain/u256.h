/* Unsigned 256-bit integers, as far as amounts, fees and ABI words need them.
 * Thread rule: values, no shared state.
 */
#ifndef LKS_CHAIN_U256_H
#define LKS_CHAIN_U256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_u256 {
    uint64_t w[4]; /* w[0] least significant */
} lks_u256;

/* "0x", 64 digits, zero byte. */
#define LKS_U256_HEX_SIZE 67
/* 78 digits, zero byte. */
#define LKS_U256_DECIMAL_SIZE 79
/* 60 digits before the point, the point, 18 after it, zero byte. */
#define LKS_ETHER_SIZE 80

lks_u256 lks_u256_from_u64(uint64_t value);
/* In: 32 bytes, most significant first. */
lks_u256 lks_u256_from_be(const uint8_t bytes32[32]);
/* Out: 32 bytes, most significant first. */
void lks_u256_to_be(uint8_t bytes32[32], const lks_u256 *a);

/* Returns: whether a is below 2^64; *out is then its value, and otherwise UINT64_MAX. */
bool lks_u256_to_u64(uint64_t *out, const lks_u256 *a);

bool lks_u256_is_zero(const lks_u256 *a);
/* Returns: negative, 0 or positive as a is below, equal to or above b. */
int lks_u256_cmp(const lks_u256 *a, const lks_u256 *b);

/* Out: the result modulo 2^256; r may be a or b. Returns: whether the exact result lies outside 0
 * to 2^256 - 1. */
bool lks_u256_add(lks_u256 *r, const lks_u256 *a, const lks_u256 *b);
bool lks_u256_sub(lks_u256 *r, const lks_u256 *a, const lks_u256 *b);
bool lks_u256_mul_u64(lks_u256 *r, const lks_u256 *a, uint64_t b);

/* Out: r = a / b rounded down; r may be a. Returns: the remainder. b must not be 0 (r is then 0,
 * the remainder 0). */
uint64_t lks_u256_div_u64(lks_u256 *r, const lks_u256 *a, uint64_t b);

/* A JSON-RPC QUANTITY ("0x1f", no leading zeros). Returns: LKS_OK or LKS_CORRUPT. */
lks_err lks_u256_from_hex(lks_u256 *out, const char *text, size_t len) LKS_MUST_USE;
void lks_u256_to_hex(char text[LKS_U256_HEX_SIZE], const lks_u256 *a);

/* Decimal digits only, at least one, leading zeros allowed. Returns: LKS_OK or LKS_BADARGS (it is
 * what people type). */
lks_err lks_u256_from_decimal(lks_u256 *out, const char *text, size_t len) LKS_MUST_USE;
void lks_u256_to_decimal(char text[LKS_U256_DECIMAL_SIZE], const lks_u256 *a);

/* Reads an amount: decimal digits with at most one point, then "ether" (also "eth"), "gwei" or
 * "wei"; no unit means ether. Exact or refused: "1.5", "1.5ether", "0.05 ether", "20gwei", "7wei";
 * no sign, no exponent, no fraction of a wei. Returns: LKS_OK or LKS_BADARGS. */
lks_err lks_wei_parse(lks_u256 *wei, const char *text) LKS_MUST_USE;

/* Writes wei as ether, exactly and without trailing zeros: "1.5", "0", "0.000000000000000001". */
void lks_wei_format(char text[LKS_ETHER_SIZE], const lks_u256 *wei);

#ifdef __cplusplus
}
#endif
#endif
