/* Weight rows as integers and scales: value = q * w - n (docs/SPEC.md, weight rows). Block layouts
 * are ggml's. */
#include "kernels/bytes.h"
#include "kernels/half.h"
#include "kernels/kernels.h"

#include <assert.h>

static float half_at(const uint8_t *p)
{
    return lks_f16_to_f32(lks_load_le16(p));
}

/* 2 bytes d, 32 values */
static void unpack_q8_0(int8_t *q, float *w, float *n, const uint8_t *p)
{
    *w = half_at(p);
    *n = 0;
    memcpy(q, p + 2, 32);
}

/* 2 bytes d, 16 bytes: low nibbles are values 0 to 15, high ones 16 to 31 */
static void unpack_q4_0(int8_t *q, float *w, float *n, const uint8_t *p)
{
    *w = half_at(p);
    *n = 0;
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)((p[2 + i] & 15) - 8);
        q[i + 16] = (int8_t)((p[2 + i] >> 4) - 8);
    }
}

/* 2 bytes d, 2 bytes m, nibbles as above */
static void unpack_q4_1(int8_t *q, float *w, float *n, const uint8_t *p)
{
    *w = half_at(p);
    *n = -half_at(p + 2);
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)(p[4 + i] & 15);
        q[i + 16] = (int8_t)(p[4 + i] >> 4);
    }
}

/* The fifth bits of 32 values, then their nibbles */
static void unpack_five_bits(int8_t *q, const uint8_t *p, int offset)
{
    uint32_t high = lks_load_le32(p);
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)((int)((p[4 + i] & 15u) | (high >> i & 1u) << 4) - offset);
        q[i + 16] =
            (int8_t)((int)((uint32_t)p[4 + i] >> 4 | (high >> (i + 16) & 1u) << 4) - offset);
    }
}

static void unpack_q5_0(int8_t *q, float *w, float *n, const uint8_t *p)
{
    *w = half_at(p);
    *n = 0;
    unpack_five_bits(q, p + 2, 16);
}

static void unpack_q5_1(int8_t *q, float *w, float *n, const uint8_t *p)
{
    *w = half_at(p);
    *n = -half_at(p + 2);
    unpack_five_bits(q, p + 4, 0);
}

/* The eight 6-bit scales and minima of Q4_K and Q5_K, packed into 12 bytes */
static void unpack_scales_k(float *w, float *n, const uint8_t *p)
{
    float d = half_at(p), dmin = half_at(p + 2);
    const uint8_t *s = p + 4;
    for (int j = 0; j < 8; j++) {
        int scale, minimum;
        if (j < 4) {
            scale = s[j] & 63;
            minimum = s[j + 4] & 63;
        } else {
            scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
            minimum = s[j + 4] >> 4 | (s[j] >> 6) << 4;
        }
        w[j] = d * (float)scale;
        n[j] = dmin * (float)minimum;
    }
}

/* 4 bytes d and dmin, 12 bytes scales, 128 bytes: 32 bytes hold the nibbles of two sub-blocks */
static void unpack_q4_k(int8_t *q, float *w, float *n, const uint8_t *p)
{
    unpack_scales_k(w, n, p);
    for (int pair = 0; pair < 4; pair++)
        for (int i = 0; i < 32; i++) {
            uint8_t byte = p[16 + 32 * pair + i];
            q[64 * pair + i] = (int8_t)(byte & 15);
            q[64 * pair + 32 + i] = (int8_t)(byte >> 4);
        }
}

/* As Q4_K with 32 bytes of fifth bits in front of the nibbles: bit j of byte i belongs to element i
 * of sub-block j */
static void unpack_q5_k(int8_t *q, float *w, float *n, const uint8_t *p)
{
    unpack_scales_k(w, n, p);
    const uint8_t *high = p + 16, *low = p + 48;
    for (int pair = 0; pair < 4; pair++)
        for (int i = 0; i < 32; i++) {
            uint8_t byte = low[32 * pair + i];
            q[64 * pair + i] = (int8_t)((byte & 15) | (high[i] >> (2 * pair) & 1) << 4);
            q[64 * pair + 32 + i] = (int8_t)(byte >> 4 | (high[i] >> (2 * pair + 1) & 1) << 4);
        }
}

/* 128 bytes low nibbles, 64 bytes upper two bits, 16 signed scales, 2 bytes d */
static void unpack_q6_k(int8_t *q, float *w, float *n, const uint8_t *p)
{
    float d = half_at(p + 208);
    for (int j = 0; j < 16; j++) {
        w[j] = d * (float)(int8_t)p[192 + j];
        n[j] = 0;
    }
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 32; i++) {
            const uint8_t *low = p + 64 * half, *high = p + 128 + 32 * half;
            int8_t *out = q + 128 * half + i;
            out[0] = (int8_t)(((low[i] & 15) | (high[i] & 3) << 4) - 32);
            out[32] = (int8_t)(((low[i + 32] & 15) | (high[i] >> 2 & 3) << 4) - 32);
            out[64] = (int8_t)((low[i] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
            out[96] = (int8_t)((low[i + 32] >> 4 | (high[i] >> 6 & 3) << 4) - 32);
        }
}

static const struct format {
    uint32_t elements, bytes, sub_block;
    bool offset;
    void (*unpack)(int8_t *q, float *w, float *n, const uint8_t *p);
} formats[] = {
    [LKS_Q4_0] = {32, 18, 32, false, unpack_q4_0},  [LKS_Q4_1] = {32, 20, 32, true, unpack_q4_1},
    [LKS_Q5_0] = {32, 22, 32, false, unpack_q5_0},  [LKS_Q5_1] = {32, 24, 32, true, unpack_q5_1},
    [LKS_Q8_0] = {32, 34, 32, false, unpack_q8_0},  [LKS_Q4_K] = {256, 144, 32, true, unpack_q4_k},
    [LKS_Q5_K] = {256, 176, 32, true, unpack_q5_k}, [LKS_Q6_K] = {256, 210, 16, false, unpack_q6_k},
};

/* Matrices of other types were refused when the program was derived. */
static const struct format *find(lks_tensor_type type)
{
    assert((size_t)type < sizeof formats / sizeof *formats && formats[type].unpack);
    return &formats[type];
}

uint32_t lks_sub_block(lks_tensor_type type)
{
    return find(type)->sub_block;
}
bool lks_has_offset(lks_tensor_type type)
{
    return find(type)->offset;
}

void lks_unpack(int8_t *q, float *w, float *n, const lks_matrix *m, uint32_t row, uint32_t first,
                uint32_t count)
{
    const struct format *f = find(m->type);
    const uint8_t *p =
        m->data + (size_t)row * m->row_size + (size_t)(first / f->elements) * f->bytes;
    uint32_t subs = f->elements / f->sub_block;
    for (uint32_t i = 0; i < count; i += f->elements) {
        f->unpack(q + i, w, n, p);
        p += f->bytes, w += subs, n += subs;
    }
}
