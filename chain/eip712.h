/* Typed structured data hashes. Source: EIP-712.
 *   digest = keccak256(0x1901 || domainSeparator || hashStruct(message))
 *   hashStruct(s) = keccak256(typeHash || encodeData(s)), one 32-byte word a member.
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_EIP712_H
#define LKS_CHAIN_EIP712_H

#include <stddef.h>
#include <stdint.h>

#include "chain/keccak.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A hashStruct under way: begin, its members in order, end.
 *     lks_eip712 s;
 *     lks_eip712_begin(&s, "Person(string name,address wallet)");
 *     lks_eip712_bytes(&s, "Cow", 3); lks_eip712_address(&s, cow20);
 *     lks_eip712_end(&s, hash32); */
typedef struct lks_eip712 {
    lks_keccak keccak;
} lks_eip712;

/* In: type, zero-terminated, the type's text followed by those of the structs it refers to, sorted
 * by name. */
void lks_eip712_begin(lks_eip712 *s, const char *type);
/* A member that is a word already: bytes32, or the hashStruct of an inner struct. */
void lks_eip712_word(lks_eip712 *s, const uint8_t word32[32]);
void lks_eip712_u64(lks_eip712 *s, uint64_t value);
void lks_eip712_u256(lks_eip712 *s, const lks_u256 *value);
void lks_eip712_address(lks_eip712 *s, const uint8_t address20[20]);
/* bytes or string: enters as its Keccak-256. */
void lks_eip712_bytes(lks_eip712 *s, const void *data, size_t len);
void lks_eip712_end(lks_eip712 *s, uint8_t hash32[32]);

/* Out: the domain separator of EIP712Domain(string name,string version,uint256 chainId,address
 * verifyingContract). */
void lks_eip712_domain(uint8_t separator32[32], const char *name, const char *version,
                       uint64_t chain_id, const uint8_t contract20[20]);

/* Out: the digest that is signed. */
void lks_eip712_digest(uint8_t digest32[32], const uint8_t separator32[32],
                       const uint8_t struct32[32]);

#ifdef __cplusplus
}
#endif
#endif
