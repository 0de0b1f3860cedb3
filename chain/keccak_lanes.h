/* Several messages of one length at once, one a lane of a vector. The including file defines what keccak_permute.h asks for, and
 *   LANES, gather(words, in, at): word i of words, for i < 17, has in lane l the 8 bytes at in[l] + at + 8 i
 *   ZERO, and store(word, lanes): the lanes of a vector to memory.
 */
#include "chain/keccak_permute.h"

#include <stddef.h>
#include <string.h>

static inline void hash_lanes(uint8_t (*out)[32], const uint8_t *const in[LANES], size_t len)
{
    V s[25], w[17];
    uint8_t last[LANES][RATE];
    const uint8_t *tails[LANES];
    size_t at = 0;
    for (int i = 0; i < 25; i++)
        s[i] = ZERO;
    for (; len - at >= RATE; at += RATE) {
        gather(w, in, at);
        for (int i = 0; i < 17; i++)
            s[i] = XOR(s[i], w[i]);
        permute(s);
    }
    memset(last, 0, sizeof last);
    for (int l = 0; l < LANES; l++) {
        memcpy(last[l], in[l] + at, len - at);
        last[l][len - at] = 0x01;
        last[l][RATE - 1] |= 0x80;
        tails[l] = last[l];
    }
    gather(w, tails, 0);
    for (int i = 0; i < 17; i++)
        s[i] = XOR(s[i], w[i]);
    permute(s);
    for (int i = 0; i < 4; i++) {
        uint64_t lanes[LANES];
        store(lanes, s[i]);
        for (int l = 0; l < LANES; l++)
            memcpy(out[l] + 8 * i, &lanes[l], 8);
    }
}
