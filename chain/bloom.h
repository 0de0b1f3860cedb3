/* The logs bloom of a block's header: which logs the block may have. Source: Yellow Paper, 4.3.1.
 *
 * A log's address and each of its topics set three bits. So a filter whose bits are not all set has
 * no log in the block, for certain; one whose bits are set may have one, or the bits are those of
 * other logs.
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_BLOOM_H
#define LKS_CHAIN_BLOOM_H

#include "chain/eth.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the block may have a log that passes the filter. */
bool lks_bloom_matches(const uint8_t bloom256[256], const lks_eth_filter *filter);
/* How many of its 2,048 bits are set. A value that is in no log matches by chance with the third
 * power of their share. Blocks of busy chains have most bits set, and then a match tells nothing.
 */
unsigned lks_bloom_bits(const uint8_t bloom256[256]);
/* Whether so few are that a match by chance is rarer than one in a thousand, of a filter of one
 * address and some topics. */
bool lks_bloom_is_telling(const uint8_t bloom256[256]);

#ifdef __cplusplus
}
#endif
#endif
