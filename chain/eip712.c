#include "chain/eip712.h"

#include <string.h>

void lks_eip712_begin(lks_eip712 *s, const char *type)
{
    uint8_t type_hash[32];
    lks_keccak256(type_hash, type, strlen(type));
    lks_keccak_init(&s->keccak);
    lks_keccak_update(&s->keccak, type_hash, 32);
}

void lks_eip712_word(lks_eip712 *s, const uint8_t word32[32])
{
    lks_keccak_update(&s->keccak, word32, 32);
}

void lks_eip712_u256(lks_eip712 *s, const lks_u256 *value)
{
    uint8_t word[32];
    lks_u256_to_be(word, value);
    lks_eip712_word(s, word);
}

void lks_eip712_u64(lks_eip712 *s, uint64_t value)
{
    lks_u256 wide = lks_u256_from_u64(value);
    lks_eip712_u256(s, &wide);
}

void lks_eip712_address(lks_eip712 *s, const uint8_t address20[20])
{
    uint8_t word[32] = {0};
    memcpy(word + 12, address20, 20);
    lks_eip712_word(s, word);
}

void lks_eip712_bytes(lks_eip712 *s, const void *data, size_t len)
{
    uint8_t hash[32];
    lks_keccak256(hash, data, len);
    lks_eip712_word(s, hash);
}

void lks_eip712_end(lks_eip712 *s, uint8_t hash32[32])
{
    lks_keccak_final(&s->keccak, hash32);
}

void lks_eip712_domain(uint8_t separator32[32], const char *name, const char *version,
                       uint64_t chain_id, const uint8_t contract20[20])
{
    lks_eip712 s;
    lks_eip712_begin(
        &s, "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    lks_eip712_bytes(&s, name, strlen(name));
    lks_eip712_bytes(&s, version, strlen(version));
    lks_eip712_u64(&s, chain_id);
    lks_eip712_address(&s, contract20);
    lks_eip712_end(&s, separator32);
}

void lks_eip712_digest(uint8_t digest32[32], const uint8_t separator32[32],
                       const uint8_t struct32[32])
{
    lks_keccak keccak;
    lks_keccak_init(&keccak);
    lks_keccak_update(&keccak, "\x19\x01", 2);
    lks_keccak_update(&keccak, separator32, 32);
    lks_keccak_update(&keccak, struct32, 32);
    lks_keccak_final(&keccak, digest32);
}
