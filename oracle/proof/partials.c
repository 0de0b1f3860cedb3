#include "oracle/proof/partials.h"

#include "kernels/bytes.h"
#include "kernels/math32.h"
#include "oracle/proof/step_internal.h"

#include <string.h>

size_t lks_partials_size(uint32_t position)
{
    return lks_partials_running_at(position, lks_partials_runs(position));
}

bool lks_partials_are_valid(uint32_t position, const uint8_t *partials, size_t len)
{
    if (!partials || len != lks_partials_size(position))
        return false;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t word = lks_load_le32(partials + i);
        if (i == lks_partials_maximum_at(position) + 4
                ? word >= lks_partials_chunks(position)
                : lks_bits(lks_canonical(lks_float(word))) != word)
            return false;
    }
    return true;
}

/* ---- A chunk ---- */

static float scale_at(const uint8_t *entries, uint32_t block)
{
    return lks_step_f32(entries + 8 * block);
}
static const uint8_t *row_at(const lks_head_rows *h, const uint8_t *rows, uint32_t i)
{
    return rows + (size_t)i * h->row_size;
}
static const int8_t *values_of(const lks_head_rows *h, const uint8_t *row)
{
    return (const int8_t *)row + 8 * h->blocks;
}

/* Exact, for any bytes: at most 128 products of at most 128 * 128. */
static int32_t dot(const int8_t *a, const int8_t *b, uint32_t count)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static float score_of(const lks_head_rows *h, uint32_t i)
{
    const uint8_t *k = row_at(h, h->k, i);
    float acc = 0.0f;
    for (uint32_t b = 0; b < h->blocks; b++) {
        float factor = (scale_at(h->q_entries, b) * h->scale) * scale_at(k, b);
        acc = lks_fma((float)dot(h->q + b * h->block, values_of(h, k) + b * h->block, h->block),
                      factor, acc);
    }
    return lks_canonical(acc);
}

/* The weights times the values' scales, as an A8 block of 32 without idx, times the values. */
static float value_of(const lks_head_rows *h, const float weights[LKS_CHUNK], uint32_t e)
{
    uint32_t block = e / h->block, top = 0;
    float p[LKS_CHUNK];
    int32_t sum = 0;
    for (uint32_t i = 0; i < h->present; i++) {
        p[i] = lks_canonical(weights[i] * scale_at(row_at(h, h->v, i), block));
        uint32_t a = lks_step_scale(p[i]);
        top = a > top ? a : top;
    }
    float d = lks_float(top);
    if (top == 0 || top == LKS_NAN_BITS)
        return 0.0f * d;
    float r = 1.0f / d;
    for (uint32_t i = 0; i < h->present; i++)
        sum += (int32_t)lks_rint(p[i] * r) * values_of(h, row_at(h, h->v, i))[e];
    return (float)sum * d;
}

void lks_part_compute(lks_part *out, const lks_head_rows *h, uint32_t e)
{
    float scores[LKS_CHUNK], weights[LKS_CHUNK] = {0}, m = 0.0f;
    for (uint32_t i = 0; i < h->present; i++) {
        scores[i] = score_of(h, i);
        if (i == 0 || lks_order_key(scores[i]) > lks_order_key(m))
            m = scores[i];
    }
    for (uint32_t i = 0; i < h->present; i++)
        weights[i] = lks_exp32(scores[i] - m);
    out->m = m;
    out->o = lks_canonical(value_of(h, weights, e));
    out->z = lks_canonical(lks_step_fold(weights));
}

/* ---- All of them ---- */

void lks_running_compute(float *z, float *o, uint32_t position, const uint8_t *partials, uint32_t k)
{
    float m = lks_step_f32(partials + lks_partials_maximum_at(position));
    *z = *o = 0.0f;
    if (k) {
        *z = lks_step_f32(partials + lks_partials_running_at(position, k - 1));
        *o = lks_step_f32(partials + lks_partials_running_at(position, k - 1) + 4);
    }
    for (uint32_t c = LKS_RUN_CHUNKS * k;
         c < LKS_RUN_CHUNKS * (k + 1) && c < lks_partials_chunks(position); c++) {
        const uint8_t *part = partials + lks_partials_part_at(c);
        float f = lks_exp32(lks_step_f32(part) - m);
        *z = lks_fma(f, lks_step_f32(part + 4), *z);
        *o = lks_fma(f, lks_step_f32(part + 8), *o);
    }
    *z = lks_canonical(*z);
    *o = lks_canonical(*o);
}

static void put(uint8_t *p, float f)
{
    lks_store_le32(p, lks_bits(f));
}

void lks_partials_compute(uint8_t *out, const lks_head_rows *all, uint32_t position, uint32_t e)
{
    float m = 0.0f;
    uint32_t attained = 0;
    for (uint32_t c = 0; c < lks_partials_chunks(position); c++) {
        lks_head_rows h = *all;
        lks_part part;
        uint32_t left = position + 1 - c * LKS_CHUNK;
        h.present = left < LKS_CHUNK ? left : LKS_CHUNK;
        h.k = row_at(all, all->k, c * LKS_CHUNK);
        h.v = row_at(all, all->v, c * LKS_CHUNK);
        lks_part_compute(&part, &h, e);
        uint8_t *p = out + lks_partials_part_at(c);
        put(p, part.m), put(p + 4, part.z), put(p + 8, part.o);
        if (c == 0 || lks_order_key(part.m) > lks_order_key(m)) {
            m = part.m;
            attained = c;
        }
    }
    put(out + lks_partials_maximum_at(position), m);
    lks_store_le32(out + lks_partials_maximum_at(position) + 4, attained);
    for (uint32_t k = 0; k < lks_partials_runs(position); k++) {
        float z, o;
        uint8_t *p = out + lks_partials_running_at(position, k);
        lks_running_compute(&z, &o, position, out, k);
        put(p, z), put(p + 4, o);
    }
}
