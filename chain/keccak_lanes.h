/* Several messages of one length at once, one a lane of a vector. The including file defines what keccak_permute.h asks for, and
 *   LANES, ZERO
 *   gather(words, in, at, n): word i of words, for i < n <= 17, has in lane l the 8 bytes at in[l] + at + 8 i; reads no byte beyond the n-th word.
 *     The others are zero.
 *   join(lanes), store(lanes, word): a vector from its lanes in memory, and back
 */
#include "chain/keccak_permute.h"

#include <stddef.h>
#include <string.h>

static inline void absorb(V s[25], const V w[17])
{
    for (int i = 0; i < 17; i++)
        s[i] = XOR(s[i], w[i]);
    permute(s);
}

/* The bytes after the last whole word, fewer than 8, and the padding's first bit. */
static inline V last_word(const uint8_t *const in[LANES], size_t at, size_t bytes)
{
    uint64_t lanes[LANES];
    for (int l = 0; l < LANES; l++) {
        lanes[l] = (uint64_t)0x01 << (8 * bytes);
        for (size_t i = 0; i < bytes; i++)
            lanes[l] |= (uint64_t)in[l][at + i] << (8 * i);
    }
    return join(lanes);
}

static inline void hash_lanes(uint8_t (*out)[32], const uint8_t *const in[LANES], size_t len)
{
    V s[25], w[17];
    size_t at = 0, words;
    for (int i = 0; i < 25; i++)
        s[i] = ZERO;
    for (; len - at >= RATE; at += RATE) {
        gather(w, in, at, RATE / 8);
        absorb(s, w);
    }
    words = (len - at) / 8;
    gather(w, in, at, words);
    w[words] = last_word(in, at + 8 * words, len % 8);
    w[16] = XOR(w[16], SPLAT(0x8000000000000000u)); /* the padding's last bit */
    absorb(s, w);
    for (int i = 0; i < 4; i++) {
        uint64_t lanes[LANES];
        store(lanes, s[i]);
        for (int l = 0; l < LANES; l++)
            memcpy(out[l] + 8 * i, &lanes[l], 8);
    }
}
