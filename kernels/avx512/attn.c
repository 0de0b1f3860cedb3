/* ATTN with AVX-512 VNNI: chunks of 32 positions as in scalar/op_attn.c, in two halves of 16 lanes. Keys are the lanes of scores and weights, elements of the
 * head the lanes of values. Signed bytes x enter products as x + 128; the surplus, 128 times the sum of the other factor, is taken off again.
 */
#include "kernels/scalar/blocks.h"
#include "kernels/scalar/scalar.h"

#include <immintrin.h>

enum { LANES = 16, PIECE = 64, MAX_PIECES = LKS_MAX_HEAD_WIDTH / PIECE };

/* A head of `width` bytes in pieces of 64, the last of fewer; a block never ends inside a piece unless the head does. */
typedef struct head {
    uint32_t width, blocks, pieces;
    __mmask64 tail; /* bytes of the last piece */
} head;

#define INLINE static inline __attribute__((always_inline))

INLINE __mmask64 mask_of(const head *h, uint32_t piece) { return piece + 1 < h->pieces ? ~(__mmask64)0 : h->tail; }

/* Rows whose number is at least `present` are zero. */
INLINE __m512i row_of(const head *h, const int8_t *rows, uint32_t i, uint32_t present, uint32_t piece)
{
    return _mm512_maskz_loadu_epi8(i < present ? mask_of(h, piece) : 0, rows + (size_t)i * h->width + piece * PIECE);
}

/* lks_exp32 of 16 lanes. The two last products of the scalar program are one scaling: the first is exact. */
INLINE __m512 exp16(__m512 x)
{
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    x = _mm512_mask_mov_ps(_mm512_set1_ps(89.0f), _mm512_cmp_ps_mask(x, _mm512_set1_ps(89.0f), _CMP_LT_OQ), x);
    x = _mm512_mask_mov_ps(_mm512_set1_ps(-105.0f), _mm512_cmp_ps_mask(x, _mm512_set1_ps(-105.0f), _CMP_GT_OQ), x);
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(lks_float(0x3fb8aa3bu))), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(LKS_LN2_HIGH), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(LKS_LN2_LOW), r);
    __m512 p = _mm512_set1_ps(lks_float(0x3ab51e3du));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(lks_float(0x3c091bb6u)));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(lks_float(0x3d2aac4fu)));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(lks_float(0x3e2aaa49u)));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(lks_float(0x3efffffeu)));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_scalef_ps(p, n);
    return _mm512_mask_mov_ps(p, nan, _mm512_set1_ps(lks_float(LKS_NAN_BITS)));
}

INLINE __m512 canonical16(__m512 x)
{
    return _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), _mm512_set1_ps(lks_float(LKS_NAN_BITS)));
}

/* The key of the total order; its own inverse. */
static inline __m512i key16(__m512i b) { return _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi32(b, 31), _mm512_set1_epi32(0x7fffffff))); }
static inline float from_key(int32_t key) { return lks_float((uint32_t)key ^ ((uint32_t)(key >> 31) & 0x7fffffffu)); }

/* The scales of block b of 16 rows, +0 for those not in the mask. */
INLINE __m512 scales16(const head *h, const float *d, uint32_t b, __mmask16 lanes)
{
    if (h->blocks == 1)
        return _mm512_maskz_loadu_ps(lanes, d);
    __m512i index = _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 1);
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, index, d + b, 4);
}

/* ---- Scores ---- */

typedef struct query {
    __m512i q[MAX_PIECES];
    int32_t surplus[LKS_MAX_HEAD_BLOCKS]; /* 128 * the sum of the block's values */
    float scaled[LKS_MAX_HEAD_BLOCKS];    /* dq * scale */
} query;

static void load_query(query *o, const head *h, const int8_t *q, const float *dq, float scale)
{
    uint32_t block = h->width / h->blocks;
    for (uint32_t p = 0; p < h->pieces; p++)
        o->q[p] = _mm512_maskz_loadu_epi8(mask_of(h, p), q + p * PIECE);
    for (uint32_t b = 0; b < h->blocks; b++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < block; i++)
            sum += q[b * block + i];
        o->surplus[b] = 128 * sum;
        o->scaled[b] = dq[b] * scale;
    }
}

INLINE __m512i join32(__m512i a, __m512i b) { return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)); }
INLINE __m512i join64(__m512i a, __m512i b) { return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)); }

/* Lane i = the sum of the lanes of v[i]. */
INLINE __m512i sums_of(const __m512i v[LANES])
{
    __m512i quarter[4];
    for (int k = 0; k < 4; k++) /* lane 4 L + j of quarter[k]: a part of the sum of v[4 k + j] */
        quarter[k] = join64(join32(v[4 * k], v[4 * k + 1]), join32(v[4 * k + 2], v[4 * k + 3]));
    /* Each quarter's four 128-bit parts are added up, and the results put side by side. */
    __m512i a = _mm512_add_epi32(_mm512_shuffle_i32x4(quarter[0], quarter[1], 0x88), _mm512_shuffle_i32x4(quarter[0], quarter[1], 0xdd));
    __m512i b = _mm512_add_epi32(_mm512_shuffle_i32x4(quarter[2], quarter[3], 0x88), _mm512_shuffle_i32x4(quarter[2], quarter[3], 0xdd));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

/* Scores of up to 16 keys; lanes beyond `present` hold anything. pieces: of a block; a constant where this is inlined, as present is where it is 16. */
INLINE __m512 scores16(const head *h, const query *q, const int8_t *k, const float *dk, uint32_t present, const uint32_t pieces)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const __mmask16 lanes = (__mmask16)((1u << present) - 1);
    __m512 acc = _mm512_setzero_ps();
    for (uint32_t b = 0; b < h->blocks; b++) {
        __m512i products[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            products[i] = _mm512_setzero_si512();
            for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++)
                products[i] = _mm512_dpbusd_epi32(products[i], _mm512_xor_si512(row_of(h, k, i, present, p), flip), q->q[p]);
        }
        __m512i dots = _mm512_sub_epi32(sums_of(products), _mm512_set1_epi32(q->surplus[b]));
        acc = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), _mm512_mul_ps(_mm512_set1_ps(q->scaled[b]), scales16(h, dk, b, lanes)), acc);
    }
    return canonical16(acc);
}

/* s: the 32 scores of a chunk. Returns: their maximum. */
static float chunk_scores(float *s, const head *h, const query *q, const int8_t *k, const float *dk, uint32_t present)
{
    __m512i best = _mm512_set1_epi32(INT32_MIN);
    for (uint32_t first = 0; first < present; first += LANES) {
        uint32_t count = present - first < LANES ? present - first : LANES;
        const int8_t *keys = k + (size_t)first * h->width;
        const float *d = dk + first * h->blocks;
        bool one = h->pieces == h->blocks; /* piece a block */
        __m512 v = count == LANES ? (one ? scores16(h, q, keys, d, LANES, 1) : scores16(h, q, keys, d, LANES, 2))
                                  : (one ? scores16(h, q, keys, d, count, 1) : scores16(h, q, keys, d, count, 2));
        _mm512_storeu_ps(s + first, v);
        best = _mm512_mask_max_epi32(best, (__mmask16)((1u << count) - 1), best, key16(_mm512_castps_si512(v)));
    }
    return from_key(_mm512_reduce_max_epi32(best));
}

/* ---- Values ---- */

/* Within a piece the products with the values come out with the elements 16 L + 4 k + e in lane 4 L + e of vector k: o is kept so, and put in order at the end. */
typedef struct output {
    __m512 part[MAX_PIECES][4];
} output;

static float sum32(__m512 low, __m512 high)
{
    __m512 l = _mm512_add_ps(low, high);
    __m256 m = _mm256_add_ps(_mm512_castps512_ps256(l), _mm512_extractf32x8_ps(l, 1));
    __m128 n = _mm_add_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
    n = _mm_add_ps(n, _mm_movehl_ps(n, n));
    return _mm_cvtss_f32(_mm_add_ss(n, _mm_shuffle_ps(n, n, 1)));
}

static int32_t sum_bytes(const int8_t q[LKS_CHUNK])
{
    __m256i s = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), _mm256_loadu_si256((const __m256i *)(const void *)q));
    __m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
}

/* The A8 block of 32 weights, without idx; Out: qp, and dp. */
static float quantise_weights(int8_t qp[LKS_CHUNK], __m512 low, __m512 high)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512i a = _mm512_and_si512(_mm512_castps_si512(low), magnitude), b = _mm512_and_si512(_mm512_castps_si512(high), magnitude);
    uint32_t bits = lks_scale_bits(lks_float(_mm512_reduce_max_epu32(_mm512_max_epu32(a, b))));
    float d = lks_float(bits);
    if (bits == 0 || bits == LKS_NAN_BITS) {
        memset(qp, 0, LKS_CHUNK);
        return d;
    }
    __m512 r = _mm512_set1_ps(1.0f / d);
    _mm_storeu_si128((__m128i *)(void *)qp, _mm512_cvtepi32_epi8(_mm512_cvt_roundps_epi32(_mm512_mul_ps(low, r), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)));
    _mm_storeu_si128((__m128i *)(void *)(qp + LANES),
                     _mm512_cvtepi32_epi8(_mm512_cvt_roundps_epi32(_mm512_mul_ps(high, r), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)));
    return d;
}

/* One piece of the values of a chunk times the weights; rows beyond `present` have weight 0 and are not read. */
INLINE void piece_products(__m512i sums[4], const head *h, uint32_t piece, const int8_t *qp, int32_t surplus, const int8_t *v, uint32_t present)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int k = 0; k < 4; k++)
        sums[k] = _mm512_set1_epi32(-surplus);
    for (uint32_t i = 0; i < present; i += 4) {
        __m512i row[4];
        for (uint32_t j = 0; j < 4; j++)
            row[j] = _mm512_xor_si512(row_of(h, v, i + j, present, piece), flip);
        __m512i a = _mm512_unpacklo_epi8(row[0], row[1]), b = _mm512_unpackhi_epi8(row[0], row[1]);
        __m512i c = _mm512_unpacklo_epi8(row[2], row[3]), d = _mm512_unpackhi_epi8(row[2], row[3]);
        int32_t four;
        memcpy(&four, qp + i, 4);
        __m512i weights = _mm512_set1_epi32(four);
        sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_unpacklo_epi16(a, c), weights);
        sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_unpackhi_epi16(a, c), weights);
        sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_unpacklo_epi16(b, d), weights);
        sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_unpackhi_epi16(b, d), weights);
    }
}

/* o = fma(f, the chunk's o, o). Returns: z of the chunk. */
static float chunk_values(output *o, float f, const head *h, const float *s, float max, const int8_t *v, const float *dv, uint32_t present)
{
    uint32_t lanes = present < 32 ? (1u << present) - 1 : UINT32_MAX, pieces = h->pieces / h->blocks;
    __mmask16 low = (__mmask16)lanes, high = (__mmask16)(lanes >> 16);
    __m512 e0 = _mm512_maskz_mov_ps(low, exp16(_mm512_sub_ps(_mm512_maskz_loadu_ps(low, s), _mm512_set1_ps(max))));
    __m512 e1 = _mm512_maskz_mov_ps(high, exp16(_mm512_sub_ps(_mm512_maskz_loadu_ps(high, s + LANES), _mm512_set1_ps(max))));
    for (uint32_t b = 0; b < h->blocks; b++) {
        int8_t qp[LKS_CHUNK];
        /* absent lanes: +0, whatever e and d would give */
        __m512 p0 = _mm512_maskz_mul_ps(low, e0, scales16(h, dv, b, low)), p1 = _mm512_maskz_mul_ps(high, e1, scales16(h, dv + LANES * h->blocks, b, high));
        __m512 dp = _mm512_set1_ps(quantise_weights(qp, p0, p1));
        int32_t surplus = 128 * sum_bytes(qp);
        for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++) {
            __m512i sums[4];
            if (present == LKS_CHUNK)
                piece_products(sums, h, p, qp, surplus, v, LKS_CHUNK);
            else
                piece_products(sums, h, p, qp, surplus, v, present);
            for (int k = 0; k < 4; k++)
                o->part[p][k] = _mm512_fmadd_ps(_mm512_set1_ps(f), _mm512_mul_ps(_mm512_cvtepi32_ps(sums[k]), dp), o->part[p][k]);
        }
    }
    return sum32(e0, e1);
}

/* y = canonical(o / z), in order. */
static void finish(float *y, const head *h, const output *o, float z)
{
    for (uint32_t p = 0; p < h->pieces; p++) {
        float part[4][LANES];
        uint32_t count = h->width - p * PIECE < PIECE ? h->width - p * PIECE : PIECE;
        for (int k = 0; k < 4; k++)
            _mm512_storeu_ps(part[k], canonical16(_mm512_div_ps(o->part[p][k], _mm512_set1_ps(z))));
        for (uint32_t i = 0; i < count; i++)
            y[p * PIECE + i] = part[i / 4 % 4][i / 16 * 4 + i % 4];
    }
}

void lks_avx512_attn(float *o, const int8_t *q, const float *dq, const int8_t *k, const float *dk, const int8_t *v, const float *dv, uint32_t position,
                     uint32_t head_width, uint32_t blocks, float scale, float *scores)
{
    head h = {head_width, blocks, (head_width + PIECE - 1) / PIECE, 0};
    h.tail = ~(__mmask64)0 >> (h.pieces * PIECE - head_width);
    query in;
    load_query(&in, &h, q, dq, scale);
    uint32_t chunks = position / LKS_CHUNK + 1;
    float *maxima = scores + (size_t)chunks * LKS_CHUNK, max = 0.0f, z = 0.0f;
    for (uint32_t c = 0; c < chunks; c++) {
        size_t first = (size_t)c * LKS_CHUNK;
        uint32_t present = position + 1 - c * LKS_CHUNK < LKS_CHUNK ? position + 1 - c * LKS_CHUNK : LKS_CHUNK;
        maxima[c] = chunk_scores(scores + first, &h, &in, k + first * head_width, dk + first * blocks, present);
        max = c == 0 || lks_order_key(maxima[c]) > lks_order_key(max) ? maxima[c] : max;
    }
    output sum;
    for (uint32_t p = 0; p < h.pieces; p++)
        for (int j = 0; j < 4; j++)
            sum.part[p][j] = _mm512_setzero_ps();
    for (uint32_t c = 0; c < chunks; c++) {
        size_t first = (size_t)c * LKS_CHUNK;
        uint32_t present = position + 1 - c * LKS_CHUNK < LKS_CHUNK ? position + 1 - c * LKS_CHUNK : LKS_CHUNK;
        float f = lks_exp32(maxima[c] - max);
        z = lks_fma(f, chunk_values(&sum, f, &h, scores + first, maxima[c], v + first * head_width, dv + first * blocks, present), z);
    }
    finish(o, &h, &sum, z);
}
