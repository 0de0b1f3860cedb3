/* LINEAR of one element, the rows of f32 that are made of it, and RMS. */
#include "kernels/bytes.h"
#include "kernels/math32.h"
#include "oracle/proof/step_internal.h"

enum {
    ACTIVATION_BLOCK = 64,
    STEP = 256 /* a multiple of every stored block */
};

lks_err lks_step_activations(lks_step *s, lks_step_row *x, int k)
{
    const lks_op *in = &s->inputs[k];
    const uint8_t *row;
    lks_err err = lks_step_input(s, &row, k, 0, lks_op_row_size(in));
    if (!err)
        *x = (lks_step_row){row, (const int8_t *)row + 8 * lks_op_block_count(in)};
    return err;
}

/* Stored blocks [first, first + count) elements of a row, whose bytes begin at `row`. */
static void unpack(int8_t *q, float *w, float *n, const lks_weight_ref *ref, const uint8_t *row,
                   uint32_t first, uint32_t count)
{
    lks_matrix m = {.type = (lks_tensor_type)ref->type,
                    .rows = 1,
                    .cols = ref->cols,
                    .data = row,
                    .row_size = lks_step_weight_size(ref)};
    lks_unpack(q, w, n, &m, 0, first, count);
}

/* Exact, for any bytes: at most 32 products of at most 128 * 128. */
static int32_t dot(const int8_t *w, const int8_t *x, uint32_t count)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += w[i] * x[i];
    return sum;
}

static int32_t total(const int8_t *x, uint32_t count)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

static float product(const lks_weight_ref *ref, const uint8_t *row, const lks_step_row *x)
{
    uint32_t sub = lks_sub_block((lks_tensor_type)ref->type);
    bool offset = lks_has_offset((lks_tensor_type)ref->type);
    float acc = 0.0f, s = 0.0f;
    for (uint32_t first = 0; first < ref->cols; first += STEP) {
        int8_t q[STEP];
        float w[STEP / 16], n[STEP / 16];
        uint32_t count = ref->cols - first < STEP ? ref->cols - first : STEP;
        unpack(q, w, n, ref, row, first, count);
        for (uint32_t i = 0; i < count; i += sub) {
            const int8_t *a = x->q + first + i;
            s = lks_fma((float)dot(q + i, a, sub), w[i / sub], s);
            if (offset)
                s = lks_fma(-(float)total(a, sub), n[i / sub], s);
            uint32_t end = first + i + sub; /* of the sub-block */
            if (end % ACTIVATION_BLOCK == 0 || end == ref->cols) {
                acc =
                    lks_fma(s, lks_step_f32(x->entries + 8 * ((end - 1) / ACTIVATION_BLOCK)), acc);
                s = 0.0f;
            }
        }
    }
    return acc;
}

lks_err lks_step_linear(lks_step *s, float *y, const lks_step_row *x, int k, uint32_t row,
                        bool bias)
{
    const lks_weight_ref *w = &s->op.weights[k];
    const uint8_t *bytes;
    lks_err err = lks_step_weight(s, &bytes, k, row, 0, lks_step_weight_size(w));
    if (err)
        return err;
    *y = product(w, bytes, x);
    if (!bias || s->op.weights[k + 1].tensor == LKS_NONE)
        return LKS_OK;
    if (!(err = lks_step_weight(s, &bytes, k + 1, 0, 4 * row, 4 * row + 4)))
        *y = *y + lks_step_f32(bytes);
    return err;
}

/* ---- Rows of f32 ---- */

static lks_err embed(lks_step *s, float *y)
{
    const lks_facts *f = s->facts;
    const lks_weight_ref *w = &s->op.weights[0];
    uint32_t id, t = s->position, e = s->unit.unit;
    lks_err err = t < f->prompt_count
                      ? lks_step_token(s, &id, LKS_LIST_PROMPT, t)
                      : lks_step_token(s, &id, LKS_LIST_ANSWER, t - f->prompt_count);
    *y = 0.0f;
    if (err || id >= w->rows)
        return err;
    lks_tensor_type type = (lks_tensor_type)w->type;
    uint32_t elements = lks_tensor_type_block(type), size = lks_tensor_type_size(type),
             block = e / elements, i = e % elements;
    const uint8_t *bytes;
    if ((err = lks_step_weight(s, &bytes, 0, id, block * size, (block + 1) * size)))
        return err;
    int8_t q[STEP];
    float scale[STEP / 16], n[STEP / 16];
    unpack(q, scale, n, w, bytes, 0, elements);
    uint32_t b = i / lks_sub_block(type);
    *y = lks_has_offset(type) ? lks_fma((float)q[i], scale[b], -n[b]) : (float)q[i] * scale[b];
    return LKS_OK;
}

static lks_err linear(lks_step *s, float *y)
{
    const uint8_t *bytes = NULL;
    lks_step_row x;
    lks_err err = LKS_OK;
    if (s->op.code == LKS_OP_LINEAR_ADD)
        err = lks_step_input(s, &bytes, 1, 4 * s->unit.unit, 4 * s->unit.unit + 4);
    if (!err)
        err = lks_step_activations(s, &x, 0);
    if (!err)
        err = lks_step_linear(s, y, &x, 0, s->unit.unit, true);
    if (!err && bytes)
        *y = lks_step_f32(bytes) + *y;
    return err;
}

lks_err lks_step_f32_row(lks_step *s, bool *wrong)
{
    uint32_t at = 4 * s->unit.unit;
    float y;
    if (s->unit.unit >= s->op.width || !lks_step_in_x(s, at, at + 4))
        return lks_step_bad_unit(s);
    lks_err err = s->op.code == LKS_OP_EMBED ? embed(s, &y) : linear(s, &y);
    if (!err)
        *wrong = lks_bits(lks_canonical(y)) != lks_load_le32(lks_step_x(s, at));
    return err;
}

/* ---- RMS ---- */

float lks_step_fold(float lanes[LKS_CHUNK])
{
    for (uint32_t half = LKS_CHUNK / 2; half; half /= 2)
        for (uint32_t j = 0; j < half; j++)
            lanes[j] = lanes[j] + lanes[j + half];
    return lanes[0];
}

lks_err lks_step_rms(lks_step *s, bool *wrong)
{
    uint32_t n = s->inputs[0].width, segment = s->unit.unit, last = s->op.width - 1;
    if (segment > last || !lks_step_in_x(s, 4 * segment, 4 * segment + 4))
        return lks_step_bad_unit(s);
    float y;
    if (segment == last) { /* r; a row of RMS is one chunk */
        float sum = 0.0f;
        for (uint32_t i = 0; i < last; i++)
            sum = sum + lks_step_f32(lks_step_x(s, 4 * i));
        y = 1.0f / lks_sqrt(sum / (float)n + s->op.scalar);
    } else {
        uint32_t first = segment * LKS_RMS_SEGMENT,
                 count = n - first < LKS_RMS_SEGMENT ? n - first : LKS_RMS_SEGMENT;
        float lanes[LKS_CHUNK] = {0};
        const uint8_t *x;
        lks_err err = lks_step_input(s, &x, 0, 4 * first, 4 * (first + count));
        if (err)
            return err;
        for (uint32_t i = 0; i < count; i++) {
            float v = lks_step_f32(x + 4 * i);
            lanes[i % LKS_CHUNK] = lks_fma(v, v, lanes[i % LKS_CHUNK]);
        }
        y = lks_step_fold(lanes);
    }
    *wrong = lks_bits(lks_canonical(y)) != lks_load_le32(lks_step_x(s, 4 * segment));
    return LKS_OK;
}
