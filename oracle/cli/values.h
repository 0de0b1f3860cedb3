/* Values that people type, checked to the last character. Each returns LKS_OK, or LKS_BADARGS with
 * the reason, then *out is untouched. */
#ifndef LKS_CLI_VALUES_H
#define LKS_CLI_VALUES_H

#include "chain/u256.h"
#include "oracle/text/tokenizer.h"

#include <stdint.h>

/* Decimal digits only. */
LKS_MUST_USE
lks_err lks_parse_u64(uint64_t *out, const char *text);
LKS_MUST_USE
lks_err lks_parse_u32(uint32_t *out, const char *text);

/* A decimal number, rounded once to the nearest float32; infinity, NaN and hexadecimal are not
 * accepted. */
LKS_MUST_USE
lks_err lks_parse_f32(uint32_t *bits, const char *text);

/* "20s", "10m", "24h", "7d": seconds. */
LKS_MUST_USE
lks_err lks_parse_duration(uint32_t *seconds, const char *text);

/* A decimal amount with its unit, exact or refused: "1.5ether", "0.1eth", "20gwei", "1000wei". */
LKS_MUST_USE
lks_err lks_parse_amount(lks_u256 *wei, const char *text);

/* Token ids, decimal, separated by commas; at least one. Appended to *out, also in part on failure.
 */
LKS_MUST_USE
lks_err lks_parse_id_list(lks_tokens *out, const char *text);

#endif
