/* Addresses as people read them: 0x and 40 digits, with the checksum of EIP-55 in their case.
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_ADDRESS_H
#define LKS_CHAIN_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "0x", 40 digits, zero byte. */
#define LKS_ADDRESS_SIZE 43

/* Out: text, zero-terminated, with EIP-55's mixed case. */
void lks_address_format(char text[LKS_ADDRESS_SIZE], const uint8_t address20[20]);

/* Reads a zero-terminated address. All digits in one case are taken as they are; mixed case must
 * carry the right checksum. Returns: LKS_OK or LKS_BADARGS. */
lks_err lks_address_parse(uint8_t address20[20], const char *text) LKS_MUST_USE;

/* Out: the address of the contract that sender creates with this nonce: the last 20 bytes of
 * Keccak-256 of RLP([sender, nonce]). */
lks_err lks_address_of_contract(uint8_t address20[20], const uint8_t sender20[20],
                                uint64_t nonce) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
