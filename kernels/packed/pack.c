/* Packing of weights; the layout is in pack.h. */
#include "kernels/packed/pack.h"

#include "kernels/half.h"

#include <assert.h>
#include <string.h>

typedef struct layout {
    uint32_t elements, bytes; /* of a stored block */
    uint32_t bias;
    uint32_t value_bytes;  /* of a record, a lane */
    uint32_t scale_bytes;  /* of a record, a lane */
    uint32_t super_bytes;  /* in front of every eighth record, a lane */
} layout;

static const layout layouts[] = {
    [LKS_Q4_0] = {32, 18, 8, 16, 2, 0},  [LKS_Q4_1] = {32, 20, 0, 16, 4, 0},  [LKS_Q5_0] = {32, 22, 16, 20, 2, 0},  [LKS_Q5_1] = {32, 24, 0, 20, 4, 0},
    [LKS_Q8_0] = {32, 34, 128, 32, 2, 0}, [LKS_Q4_K] = {256, 144, 0, 16, 2, 4}, [LKS_Q5_K] = {256, 176, 0, 20, 2, 4}, [LKS_Q6_K] = {256, 210, 32, 24, 2, 2},
};

static const layout *find(lks_tensor_type type)
{
    assert((size_t)type < sizeof layouts / sizeof *layouts && layouts[type].elements);
    return &layouts[type];
}

uint32_t lks_pack_bias(lks_tensor_type type) { return find(type)->bias; }

size_t lks_pack_group_size(lks_tensor_type type, uint32_t cols, uint32_t lanes)
{
    const layout *l = find(type);
    size_t records = cols / 32;
    return lanes * (records * (l->value_bytes + l->scale_bytes) + (records + 7) / 8 * l->super_bytes);
}

size_t lks_packed_size(const lks_matrix *w, uint32_t lanes)
{
    return (w->rows + lanes - 1) / lanes * lks_pack_group_size(w->type, w->cols, lanes);
}

static uint32_t word_at(const uint8_t *p)
{
    uint32_t u;
    memcpy(&u, p, 4);
    return u;
}

static void put_word(uint8_t *p, uint32_t u) { memcpy(p, &u, 4); }

/* The values of one lane in a record: 32 unsigned bytes v. */
static void pack_values(uint8_t *record, uint32_t lanes, uint32_t lane, const uint8_t *v, const layout *l)
{
    size_t vector = 4 * (size_t)lanes;
    uint8_t *out = record + 4 * (size_t)lane;
    if (l->value_bytes == 32) {
        for (int f = 0; f < 8; f++)
            memcpy(out + f * vector, v + 4 * f, 4);
        return;
    }
    uint32_t fifth = 0, low_upper = 0, high_upper = 0;
    for (int j = 0; j < 4; j++) {
        uint32_t low = word_at(v + 4 * j), high = word_at(v + 16 + 4 * j);
        put_word(out + j * vector, (low & 0x0f0f0f0fu) | (high & 0x0f0f0f0fu) << 4);
        fifth |= (low >> 4 & 0x01010101u) << j | (high >> 4 & 0x01010101u) << (j + 4);
        low_upper |= (low >> 4 & 0x03030303u) << 2 * j;
        high_upper |= (high >> 4 & 0x03030303u) << 2 * j;
    }
    if (l->value_bytes == 20)
        put_word(out + 4 * vector, fifth);
    if (l->value_bytes == 24) {
        put_word(out + 4 * vector, low_upper);
        put_word(out + 5 * vector, high_upper);
    }
}

/* The 6-bit scale and minimum of sub-block j of Q4_K and Q5_K. */
static void scales_k(uint8_t *scale, uint8_t *minimum, const uint8_t *s, uint32_t j)
{
    if (j < 4) {
        *scale = s[j] & 63;
        *minimum = s[j + 4] & 63;
    } else {
        *scale = (uint8_t)((s[j + 4] & 15) | (s[j - 4] >> 6) << 4);
        *minimum = (uint8_t)(s[j + 4] >> 4 | (s[j] >> 6) << 4);
    }
}

/* Scales of one lane: of the record, number `at` of its stored block, and in front of it. block: the stored block. */
static void pack_scales(uint8_t *scales, uint8_t *super, uint32_t lanes, uint32_t lane, const uint8_t *block, uint32_t at, lks_tensor_type type)
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
    default:
        memcpy(scales + 2 * lane, block, 2);
        break;
    }
}

static void pack_lane(uint8_t *out, const lks_matrix *w, uint32_t row, uint32_t lanes, uint32_t lane)
{
    const layout *l = find(w->type);
    uint32_t records_a_block = l->elements / 32;
    const uint8_t *block = w->data + (size_t)row * w->row_size;
    for (uint32_t first = 0; first < w->cols; first += l->elements, block += l->bytes) {
        int8_t q[256];
        uint8_t v[256];
        float scale[16], offset[16];
        lks_unpack(q, scale, offset, w, row, first, l->elements);
        for (uint32_t i = 0; i < l->elements; i++)
            v[i] = (uint8_t)(q[i] + (int)l->bias);
        for (uint32_t at = 0; at < records_a_block; at++) {
            uint8_t *super = at == 0 && l->super_bytes ? out : NULL;
            uint8_t *record = out + (super ? lanes * l->super_bytes : 0);
            pack_values(record, lanes, lane, v + 32 * at, l);
            pack_scales(record + lanes * l->value_bytes, super, lanes, lane, block, at, w->type);
            out = record + lanes * (l->value_bytes + l->scale_bytes);
        }
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
