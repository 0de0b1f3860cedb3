#include "chain/bloom.h"

#include "chain/keccak.h"

/* Bits that a bloom may have for a match to tell something: a fifth of them. The three bits of an
 * address are then all set by chance in 1 of 125 blocks, and those of one topic of twenty in 1 of 7
 * of these. */
#define TELLING_BITS 409u

static bool has(const uint8_t bloom[256], const uint8_t *value, size_t len)
{
    uint8_t hash[32];
    lks_keccak256(hash, value, len);
    for (int i = 0; i < 6; i += 2) {
        unsigned bit = ((unsigned)hash[i] << 8 | hash[i + 1]) % 2048;
        if (!(bloom[255 - bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}

/* Whether one of the topics may be there; NULL: any topic will do. */
static bool has_one(const uint8_t bloom[256], const uint8_t (*topics)[32], size_t count)
{
    bool found = !topics;
    for (size_t i = 0; !found && i < count; i++)
        found = has(bloom, topics[i], 32);
    return found;
}

bool lks_bloom_matches(const uint8_t bloom256[256], const lks_eth_filter *filter)
{
    bool found = !filter->addresses;
    for (size_t i = 0; !found && i < filter->address_count; i++)
        found = has(bloom256, filter->addresses[i], 20);
    if (!found || !has_one(bloom256, filter->topics0, filter->topic0_count) ||
        !has_one(bloom256, filter->topics1, filter->topic1_count))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (filter->topics[i] && !has(bloom256, filter->topics[i], 32))
            return false;
    return true;
}

unsigned lks_bloom_bits(const uint8_t bloom256[256])
{
    unsigned bits = 0;
    for (size_t i = 0; i < 256; i++)
        for (unsigned byte = bloom256[i]; byte; byte >>= 1)
            bits += byte & 1;
    return bits;
}

bool lks_bloom_is_telling(const uint8_t bloom256[256])
{
    return lks_bloom_bits(bloom256) <= TELLING_BITS;
}
