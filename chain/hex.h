/* Hexadecimal text as Ethereum's JSON-RPC writes it (execution-apis, "Hex value encoding").
 *   DATA: "0x" and two digits a byte; "0x" alone is no bytes.
 *   QUANTITY: "0x" and at least one digit, without leading zeros; "0x0" is zero.
 * Readers are strict: lower-case "0x", and nothing else than what is said above; both cases of
 * digits are read, lower case is written. Argument order here and in all of chain/: outputs first,
 * then inputs; a length follows its array. Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_HEX_H
#define LKS_CHAIN_HEX_H

#include "chain/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Characters of DATA for len bytes, with "0x" and the zero byte. */
#define LKS_HEX_SIZE(len) (2 * (size_t)(len) + 3)
/* Characters of the longest 64-bit QUANTITY, with "0x" and the zero byte. */
#define LKS_HEX_U64_SIZE 19

/* Returns: 0 to 15, or -1 when c is no hexadecimal digit. */
int lks_hex_digit(char c);

/* Out: text, LKS_HEX_SIZE(len) characters, zero-terminated. In: len bytes at data. */
void lks_hex_encode(char *text, const void *data, size_t len);
/* Appends the DATA text of len bytes at data. */
void lks_hex_append(lks_buf *out, const void *data, size_t len);

/* Reads DATA of exactly len bytes. In: text_len characters at text.
 * Returns: LKS_OK, or LKS_CORRUPT (out is then undefined). */
lks_err lks_hex_decode(uint8_t *out, size_t len, const char *text, size_t text_len) LKS_MUST_USE;

/* Reads DATA of any length and appends it to out. Returns: LKS_OK, LKS_CORRUPT, LKS_NOMEM; out is
 * unchanged on LKS_CORRUPT. */
lks_err lks_hex_decode_buf(lks_buf *out, const char *text, size_t text_len) LKS_MUST_USE;

/* Out: text, a zero-terminated QUANTITY. */
void lks_hex_from_u64(char text[LKS_HEX_U64_SIZE], uint64_t value);

/* Reads a QUANTITY below 2^64. Returns: LKS_OK, or LKS_CORRUPT (not a QUANTITY, or too large). */
lks_err lks_hex_to_u64(uint64_t *out, const char *text, size_t text_len) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
