/* Several messages of one length at once, one a lane of a vector; all begin with the same few bytes, the prefix. The including file defines what
 * keccak_permute.h asks for, and
 *   LANES, ZERO
 *   gather(words, in, at, from, to): word i of words, for from <= i < to <= 17 and from <= 1, has in lane l the 8 bytes at in[l] + at + 8 i; no other byte is
 *     read. The other words are zero.
 *   join(lanes), store(lanes, word): a vector from its lanes in memory, and back
 */
#include "chain/keccak_permute.h"

#include <stddef.h>
#include <string.h>

static inline __attribute__((always_inline)) void absorb(V s[25], const V w[17])
{
    for (int i = 0; i < 17; i++)
        s[i] = XOR(s[i], w[i]);
    permute(s);
}

/* The prefix and what of the message's `bytes` bytes fits one word with it. */
static inline V first_word(lks_keccak_prefix prefix, const uint8_t *const in[LANES], size_t bytes)
{
    uint64_t lanes[LANES];
    size_t room = 8 - prefix.len;
    for (int l = 0; l < LANES; l++) {
        uint64_t word = 0;
        if (bytes >= 8)
            memcpy(&word, in[l], 8);
        else
            for (size_t i = 0; i < bytes && i < room; i++)
                word |= (uint64_t)in[l][i] << (8 * i);
        lanes[l] = prefix.bytes | word << (8 * prefix.len);
    }
    return join(lanes);
}

/* Fewer than 8 bytes that end the messages, and the padding's first bit. */
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

/* prefix.len < 8. len: of a message without the prefix. */
static inline void hash_lanes(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[LANES], size_t len)
{
    V s[25], w[17];
    size_t at = 0, words, whole = prefix.len + len;
    const uint8_t *from[LANES]; /* where the messages would begin if the prefix lay before them */
    for (int l = 0; l < LANES; l++)
        from[l] = (const uint8_t *)((uintptr_t)in[l] - prefix.len);
    for (int i = 0; i < 25; i++)
        s[i] = ZERO;
    for (; whole - at >= RATE; at += RATE) {
        gather(w, from, at, at == 0, RATE / 8);
        if (at == 0)
            w[0] = first_word(prefix, in, len);
        absorb(s, w);
    }
    words = (whole - at) / 8;
    gather(w, from, at, at == 0, words);
    if (at == 0)
        w[0] = first_word(prefix, in, len);
    if (at == 0 && words == 0) /* prefix and message share one word */
        w[0] = XOR(w[0], SPLAT((uint64_t)0x01 << (8 * whole)));
    else
        w[words] = last_word(from, at + 8 * words, whole % 8);
    w[16] = XOR(w[16], SPLAT(0x8000000000000000u)); /* the padding's last bit */
    absorb(s, w);
    for (int i = 0; i < 4; i++) {
        uint64_t lanes[LANES];
        store(lanes, s[i]);
        for (int l = 0; l < LANES; l++)
            memcpy(out[l] + 8 * i, &lanes[l], 8);
    }
}
