/* A8 rows: one element is recomputed and held against its block's entry and its own value, where
 * they lie in the disputed chunk. */
#include "kernels/bytes.h"
#include "kernels/math32.h"
#include "oracle/proof/step_internal.h"

static lks_err norm(lks_step *s, float *x)
{
    uint32_t at = 4 * s->unit.unit, r_at = 4 * (s->inputs[1].width - 1);
    const uint8_t *value, *r, *gain;
    lks_err err = lks_step_input(s, &value, 0, at, at + 4);
    if (!err)
        err = lks_step_input(s, &r, 1, r_at, r_at + 4);
    if (!err)
        err = lks_step_weight(s, &gain, 0, 0, at, at + 4);
    if (!err)
        *x = (lks_step_f32(value) * lks_step_f32(r)) * lks_step_f32(gain);
    return err;
}

static lks_err plain(lks_step *s, float *x, int k, uint32_t element)
{
    const uint8_t *value;
    lks_err err = lks_step_input(s, &value, k, 4 * element, 4 * element + 4);
    if (!err)
        *x = lks_step_f32(value);
    return err;
}

static float silu(float x)
{
    return x / (1.0f + lks_exp32(-x));
}

static lks_err gated(lks_step *s, float *x)
{
    float gate, up;
    lks_err err;
    if (s->op.code == LKS_OP_SILU_MUL_Q) {
        if (!(err = plain(s, &gate, 0, s->unit.unit)))
            err = plain(s, &up, 1, s->unit.unit);
    } else {
        lks_step_row in;
        err = lks_step_activations(s, &in, 0);
        if (!err)
            err = lks_step_linear(s, &gate, &in, 0, s->unit.unit, true);
        if (!err)
            err = lks_step_linear(s, &up, &in, 2, s->unit.unit, true);
    }
    if (!err)
        *x = silu(gate) * up;
    return err;
}

/* ---- Heads ---- */

/* The value before rotation. in: the input row of LINEAR forms. */
static lks_err before_rotation(lks_step *s, float *x, const lks_step_row *in, uint32_t element)
{
    return s->op.code == LKS_OP_ROPE_Q ? plain(s, x, 0, element)
                                       : lks_step_linear(s, x, in, 0, element, true);
}

static lks_err heads(lks_step *s, float *x)
{
    const lks_op *op = &s->op;
    uint32_t width = op->head_width, i = s->unit.unit % width, rot = op->rope_width;
    uint32_t first = s->unit.unit - i +
                     (op->kind == LKS_ROWS_KV ? s->head * width
                                              : 0); /* the head's first element among all heads */
    lks_step_row in = {0};
    lks_err err = op->code == LKS_OP_ROPE_Q ? LKS_OK : lks_step_activations(s, &in, 0);
    if (err)
        return err;
    if (i >= rot)
        return before_rotation(s, x, &in, first + i);
    bool halves = op->pairing == LKS_PAIR_HALVES;
    uint32_t pair = halves ? i % (rot / 2) : i / 2, a_at = halves ? pair : 2 * pair,
             b_at = halves ? pair + rot / 2 : 2 * pair + 1;
    float a, b;
    const uint8_t *turn;
    err = before_rotation(s, &a, &in, first + a_at);
    if (!err)
        err = before_rotation(s, &b, &in, first + b_at);
    if (!err)
        err = lks_step_rope(s, &turn, 8 * pair, 8 * pair + 8);
    if (err)
        return err;
    float cosine = lks_step_f32(turn), sine = lks_step_f32(turn + 4);
    *x = i == a_at ? lks_fma(a, cosine, -(b * sine)) : lks_fma(b, cosine, a * sine);
    return LKS_OK;
}

static lks_err recompute(lks_step *s, float *x)
{
    switch (s->op.code) {
    case LKS_OP_NORM_Q: return norm(s, x);
    case LKS_OP_QUANT: return plain(s, x, 0, s->unit.unit);
    case LKS_OP_LINEAR_SILU_MUL_Q:
    case LKS_OP_SILU_MUL_Q: return gated(s, x);
    default: return heads(s, x);
    }
}

/* ---- The block ---- */

uint32_t lks_step_scale(float x)
{
    uint32_t a = lks_bits(x) & 0x7fffffffu;
    if (a < 0x0d800000u) /* 2^-100 */
        return 0;
    return a >= 0x7f800000u ? LKS_NAN_BITS : lks_bits(lks_float(a) / 127.0f);
}

/* Whether x at place j of a block of `count` elements contradicts the entry. */
static bool entry_is_wrong(uint32_t d, uint32_t idx, float x, uint32_t j, uint32_t count)
{
    uint32_t a = lks_step_scale(x);
    return idx >= count || a > d || (a == d && j < idx) || (j == idx && a != d);
}

static bool value_is_wrong(uint32_t d, float x, int8_t q)
{
    if (d == 0 || d >= 0x7f800000u) /* zero; infinite, NaN, or with the sign bit */
        return q != 0;
    float v = lks_rint(x * (1.0f / lks_float(d)));
    return !(v >= -127.0f && v <= 127.0f) || (int32_t)v != q;
}

lks_err lks_step_a8(lks_step *s, bool *wrong)
{
    const lks_op *op = &s->op;
    uint32_t e = s->unit.unit;
    if (e >= op->width)
        return lks_step_bad_unit(s);
    uint32_t whole =
        op->head_width ? op->head_width : op->width; /* what is cut into blocks on its own */
    uint32_t a_whole = (whole + op->block - 1) / op->block, in_whole = e % whole,
             j = in_whole % op->block;
    uint32_t block = e / whole * a_whole + in_whole / op->block, left = whole - (in_whole - j),
             count = left < op->block ? left : op->block;
    uint32_t entry_at = 8 * block, q_at = 8 * lks_op_block_count(op) + e;
    bool entry_in_x = lks_step_in_x(s, entry_at, entry_at + 8),
         q_in_x = lks_step_in_x(s, q_at, q_at + 1);
    if (!entry_in_x && !q_in_x)
        return lks_step_bad_unit(s);
    const uint8_t *entry;
    float x;
    lks_err err = LKS_OK;
    if (entry_in_x)
        entry = lks_step_x(s, entry_at);
    else
        err = lks_step_own(s, &entry, entry_at, entry_at + 8);
    if (!err)
        err = recompute(s, &x);
    if (err)
        return err;
    uint32_t d = lks_load_le32(entry), idx = lks_load_le32(entry + 4);
    x = lks_canonical(x);
    *wrong = (entry_in_x && entry_is_wrong(d, idx, x, j, count)) ||
             (q_in_x && value_is_wrong(d, x, (int8_t)*lks_step_x(s, q_at)));
    return LKS_OK;
}
