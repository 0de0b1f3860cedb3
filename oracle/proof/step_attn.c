/* Attention partials against what they are made of: one 32-chunk, the maximum, one running sum, the
 * last division. */
#include "kernels/bytes.h"
#include "kernels/math32.h"
#include "oracle/proof/partials.h"
#include "oracle/proof/step_internal.h"

/* The keys and values of a chunk, and the query's head. */
static lks_err read_chunk(lks_step *s, lks_head_rows *h)
{
    const lks_op *op = &s->op, *k = &s->inputs[1];
    uint32_t hd = op->head_width, head = s->unit.unit / hd, kv = head / (op->heads / op->kv_heads),
             left = s->position + 1 - s->unit.place * LKS_CHUNK;
    *h = (lks_head_rows){.present = left < LKS_CHUNK ? left : LKS_CHUNK,
                         .block = k->block,
                         .blocks = lks_op_block_count(k),
                         .row_size = lks_op_row_size(k),
                         .scale = op->scalar};
    uint32_t q_at = 8 * op->heads * h->blocks + head * hd;
    const uint8_t *q;
    lks_err err =
        lks_step_input(s, &h->q_entries, 0, 8 * head * h->blocks, 8 * (head + 1) * h->blocks);
    if (!err)
        err = lks_step_input(s, &q, 0, q_at, q_at + hd);
    if (!err)
        err = lks_step_keys(s, &h->k, 1, kv, s->unit.place, h->present);
    if (!err)
        err = lks_step_keys(s, &h->v, 2, kv, s->unit.place, h->present);
    if (!err)
        h->q = (const int8_t *)q;
    return err;
}

static bool differs(const uint8_t *posted, float value)
{
    return lks_load_le32(posted) != lks_bits(value);
}

static lks_err chunk(lks_step *s, bool *wrong)
{
    lks_head_rows h;
    lks_part part;
    if (s->unit.place >= lks_partials_chunks(s->position))
        return lks_step_bad_unit(s);
    lks_err err = read_chunk(s, &h);
    if (err)
        return err;
    lks_part_compute(&part, &h, s->unit.unit % s->op.head_width);
    const uint8_t *posted = s->partials + lks_partials_part_at(s->unit.place);
    *wrong = differs(posted, part.m) || differs(posted + 4, part.z) || differs(posted + 8, part.o);
    return LKS_OK;
}

static lks_err maximum(lks_step *s, bool *wrong)
{
    uint32_t c = s->unit.place;
    if (c >= lks_partials_chunks(s->position))
        return lks_step_bad_unit(s);
    const uint8_t *posted = s->partials + lks_partials_maximum_at(s->position);
    float m = lks_step_f32(posted), of_chunk = lks_step_f32(s->partials + lks_partials_part_at(c));
    *wrong = lks_order_key(of_chunk) > lks_order_key(m) ||
             (c == lks_load_le32(posted + 4) && lks_bits(of_chunk) != lks_bits(m));
    return LKS_OK;
}

static lks_err running(lks_step *s, bool *wrong)
{
    float z, o;
    if (s->unit.place >= lks_partials_runs(s->position))
        return lks_step_bad_unit(s);
    lks_running_compute(&z, &o, s->position, s->partials, s->unit.place);
    const uint8_t *posted = s->partials + lks_partials_running_at(s->position, s->unit.place);
    *wrong = differs(posted, z) || differs(posted + 4, o);
    return LKS_OK;
}

static void final(lks_step *s, bool *wrong)
{
    const uint8_t *last =
        s->partials + lks_partials_running_at(s->position, lks_partials_runs(s->position) - 1);
    *wrong = differs(lks_step_x(s, 4 * s->unit.unit),
                     lks_canonical(lks_step_f32(last + 4) / lks_step_f32(last)));
}

lks_err lks_step_partial(lks_step *s, bool *wrong)
{
    switch (s->unit.kind) {
    case LKS_UNIT_PARTIAL_CHUNK: return chunk(s, wrong);
    case LKS_UNIT_PARTIAL_MAXIMUM: return maximum(s, wrong);
    case LKS_UNIT_PARTIAL_RUNNING: return running(s, wrong);
    default: final(s, wrong); return LKS_OK;
    }
}
