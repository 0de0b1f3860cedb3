/* Packing of weights; the layout is in pack.h. */
#include "kernels/packed/pack.h"

#include "kernels/bytes.h"

#include <assert.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct layout {
    uint32_t elements, bytes; /* of a stored block */
    uint32_t bias;
    uint32_t value_bytes; /* of a record, a lane */
    uint32_t scale_bytes; /* of a record, a lane */
    uint32_t super_bytes; /* in front of every eighth record, a lane */
} layout;

static const layout layouts[] = {
    [LKS_Q4_0] = {32, 18, 8, 16, 2, 0},   [LKS_Q4_1] = {32, 20, 0, 16, 4, 0},
    [LKS_Q5_0] = {32, 22, 16, 20, 2, 0},  [LKS_Q5_1] = {32, 24, 0, 20, 4, 0},
    [LKS_Q8_0] = {32, 34, 128, 32, 2, 0}, [LKS_Q4_K] = {256, 144, 0, 16, 2, 4},
    [LKS_Q5_K] = {256, 176, 0, 20, 2, 4}, [LKS_Q6_K] = {256, 210, 32, 24, 2, 2},
};

static const layout *find(lks_tensor_type type)
{
    assert((size_t)type < sizeof layouts / sizeof *layouts && layouts[type].elements);
    return &layouts[type];
}

uint32_t lks_pack_bias(lks_tensor_type type)
{
    return find(type)->bias;
}

size_t lks_pack_group_size(lks_tensor_type type, uint32_t cols, uint32_t lanes)
{
    const layout *l = find(type);
    size_t records = cols / 32;
    return lanes *
           (records * (l->value_bytes + l->scale_bytes) + (records + 7) / 8 * l->super_bytes);
}

size_t lks_packed_size(const lks_matrix *w, uint32_t lanes)
{
    return (w->rows + lanes - 1) / lanes * lks_pack_group_size(w->type, w->cols, lanes);
}

/* Nibbles of 16 + 16 columns, whose bytes begin at low and at high, shifted down by `shift`. */
INLINE void put_nibbles(uint32_t words[4], const uint8_t *low, const uint8_t *high, unsigned shift)
{
    for (int j = 0; j < 4; j++)
        words[j] = (lks_word_at(low + 4 * j) >> shift & 0x0f0f0f0fu) |
                   (lks_word_at(high + 4 * j) >> shift & 0x0f0f0f0fu) << 4;
}

/* Every fourth bit of x from bit `first`, closed up. */
INLINE uint32_t every_fourth(uint32_t x, unsigned first)
{
    x = x >> first & 0x11111111u;
    x = (x | x >> 3) & 0x03030303u;
    x = (x | x >> 6) & 0x000f000fu;
    return (x | x >> 12) & 0xffu;
}

/* The values of a record of one lane, a word for every vector: number `at` of its stored block.
 * Words are only cut and joined byte by byte, so their byte order does not matter. */
INLINE void record_words(uint32_t words[8], const uint8_t *block, uint32_t at, lks_tensor_type type)
{
    switch (type) {
    case LKS_Q8_0:
        for (int f = 0; f < 8; f++)
            words[f] = lks_word_at(block + 2 + 4 * f) ^ 0x80808080u;
        break;
    case LKS_Q4_0: memcpy(words, block + 2, 16); break;
    case LKS_Q4_1: memcpy(words, block + 4, 16); break;
    case LKS_Q5_0:
    case LKS_Q5_1: {
        const uint8_t *bits = block + (type == LKS_Q5_0 ? 2 : 4);
        uint8_t fifth[4];
        memcpy(words, bits + 4, 16);
        for (unsigned i = 0; i < 4; i++)
            fifth[i] = (uint8_t)every_fourth(lks_load_le32(bits), i);
        memcpy(words + 4, fifth, 4);
        break;
    }
    case LKS_Q4_K:
    case LKS_Q5_K: {
        const uint8_t *low = block + (type == LKS_Q4_K ? 16 : 48) + at / 2 * 32;
        put_nibbles(words, low, low + 16, at % 2 * 4);
        words[4] = 0;
        for (int f = 0; type == LKS_Q5_K && f < 8; f++)
            words[4] |= (lks_word_at(block + 16 + 4 * f) >> at & 0x01010101u) << f;
        break;
    }
    default: { /* Q6_K */
        const uint8_t *low = block + at / 4 * 64 + at % 2 * 32, *high = block + 128 + at / 4 * 32;
        put_nibbles(words, low, low + 16, at % 4 / 2 * 4);
        words[4] = words[5] = 0;
        for (int j = 0; j < 8; j++)
            words[4 + j / 4] |= (lks_word_at(high + 4 * j) >> at % 4 * 2 & 0x03030303u)
                                << j % 4 * 2;
        break;
    }
    }
}

/* The 6-bit scale and minimum of sub-block j of Q4_K and Q5_K. */
INLINE void scales_k(uint8_t *scale, uint8_t *minimum, const uint8_t *s, uint32_t j)
{
    if (j < 4) {
        *scale = s[j] & 63;
        *minimum = s[j + 4] & 63;
    } else {
        *scale = (uint8_t)((s[j + 4] & 15) | (s[j - 4] >> 6) << 4);
        *minimum = (uint8_t)(s[j + 4] >> 4 | (s[j] >> 6) << 4);
    }
}

/* Scales of one lane: of the record, number `at` of its stored block, and in front of it. block:
 * the stored block. */
INLINE void pack_scales(uint8_t *scales, uint8_t *super, uint32_t lanes, uint32_t lane,
                        const uint8_t *block, uint32_t at, lks_tensor_type type)
{
    switch (type) {
    case LKS_Q4_1:
    case LKS_Q5_1:
        memcpy(scales + 2 * lane, block, 2);
        memcpy(scales + 2 * lanes + 2 * lane, block + 2, 2);
        break;
    case LKS_Q4_K:
    case LKS_Q5_K:
        scales_k(&scales[lane], &scales[lanes + lane], block + 4, at);
        if (super) {
            memcpy(super + 2 * lane, block, 2);
            memcpy(super + 2 * lanes + 2 * lane, block + 2, 2);
        }
        break;
    case LKS_Q6_K:
        scales[lane] = block[192 + 2 * at];
        scales[lanes + lane] = block[192 + 2 * at + 1];
        if (super)
            memcpy(super + 2 * lane, block + 208, 2);
        break;
    default: memcpy(scales + 2 * lane, block, 2); break;
    }
}

INLINE void pack_lane_of(uint8_t *out, const lks_matrix *w, uint32_t row, uint32_t lanes,
                         uint32_t lane, lks_tensor_type type)
{
    const layout l = layouts[type];
    const uint8_t *block = w->data + (size_t)row * w->row_size;
    for (uint32_t first = 0; first < w->cols; first += l.elements, block += l.bytes)
        for (uint32_t at = 0; at < l.elements / 32; at++) {
            uint8_t *super = at == 0 && l.super_bytes ? out : NULL;
            uint32_t words[8];
            out += super ? lanes * l.super_bytes : 0;
            record_words(words, block, at, type);
            for (uint32_t f = 0; f < l.value_bytes / 4; f++)
                memcpy(out + 4 * (f * lanes + lane), &words[f], 4);
            out += lanes * l.value_bytes;
            pack_scales(out, super, lanes, lane, block, at, type);
            out += lanes * l.scale_bytes;
        }
}

/* A loop for every type, in which it is a constant. */
static void pack_lane(uint8_t *out, const lks_matrix *w, uint32_t row, uint32_t lanes,
                      uint32_t lane)
{
    switch (w->type) {
    case LKS_Q4_0: pack_lane_of(out, w, row, lanes, lane, LKS_Q4_0); break;
    case LKS_Q4_1: pack_lane_of(out, w, row, lanes, lane, LKS_Q4_1); break;
    case LKS_Q5_0: pack_lane_of(out, w, row, lanes, lane, LKS_Q5_0); break;
    case LKS_Q5_1: pack_lane_of(out, w, row, lanes, lane, LKS_Q5_1); break;
    case LKS_Q8_0: pack_lane_of(out, w, row, lanes, lane, LKS_Q8_0); break;
    case LKS_Q4_K: pack_lane_of(out, w, row, lanes, lane, LKS_Q4_K); break;
    case LKS_Q5_K: pack_lane_of(out, w, row, lanes, lane, LKS_Q5_K); break;
    default: pack_lane_of(out, w, row, lanes, lane, LKS_Q6_K); break;
    }
}

void lks_pack(uint8_t *out, const lks_matrix *w, uint32_t lanes, uint32_t first, uint32_t last)
{
    size_t group = lks_pack_group_size(w->type, w->cols, lanes);
    assert(first % lanes == 0);
    out += first / lanes * group;
    for (uint32_t r = first; r < last; r += lanes, out += group) {
        if (last - r < lanes)
            memset(out, 0, group);
        for (uint32_t lane = 0; lane < lanes && r + lane < last; lane++)
            pack_lane(out, w, r + lane, lanes, lane);
    }
}
