/* The places that a unit names, the reads that it may make, and which part judges it. */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/proof/step_internal.h"

#include <string.h>

void lks_facts_of(lks_facts *f, const lks_run *run, const lks_model_commitment *c)
{
    *f = (lks_facts){.prompt_count = (uint32_t)run->prompt_count,
                     .answer_count = (uint32_t)run->answer_count,
                     .allowed_count = (uint32_t)run->policy.allowed_count,
                     .temperature = lks_float(run->policy.temperature),
                     .min_p = lks_float(run->policy.min_p),
                     .seed = run->policy.seed,
                     .op_count = c->op_count,
                     .tensor_count = c->tensor_count,
                     .sampler_op = c->sampler_op,
                     .vocab_size = c->vocab_size,
                     .max_positions = c->max_positions};
}

lks_err lks_step_bad_unit(const lks_step *s)
{
    return lks_fail(LKS_BADARGS,
                    "no such unit of proof: kind %d, operation %u, leaf %u, unit %u, place %u",
                    (int)s->unit.kind, s->unit.op, s->unit.leaf, s->unit.unit, s->unit.place);
}

float lks_step_f32(const uint8_t *p)
{
    return lks_float(lks_load_le32(p));
}

/* ---- Reads ---- */

static lks_err read_range(lks_step *s, const uint8_t **at, const lks_range *range)
{
    lks_err err = s->reader->read(s->reader->user, at, range);
    if (!err)
        *at += range->lo % LKS_CHUNK_SIZE;
    return err;
}

static lks_err read_row(lks_step *s, const uint8_t **at, lks_tree tree, uint32_t item,
                        const lks_shape *shape, uint32_t row, uint32_t lo, uint32_t hi)
{
    lks_range range = {
        .tree = tree, .item = item, .shape = *shape, .row = row, .count = 1, .lo = lo, .hi = hi};
    return read_range(s, at, &range);
}

static lks_err read_descriptor(lks_step *s, const uint8_t **at, uint32_t op)
{
    lks_shape shape;
    lks_shape_rows(&shape, LKS_DESCRIPTOR_SIZE, s->facts->op_count);
    return read_row(s, at, LKS_TREE_PROGRAM, 0, &shape, op, 0, LKS_DESCRIPTOR_SIZE);
}

lks_err lks_step_input(lks_step *s, const uint8_t **at, int k, uint32_t lo, uint32_t hi)
{
    const lks_op *in = &s->inputs[k];
    lks_shape shape;
    lks_shape_output(&shape, in, s->positions, s->facts->answer_count);
    return read_row(s, at, LKS_TREE_TRACE, s->op.inputs[k], &shape,
                    in->kind == LKS_ROWS_SAMPLED ? s->row : s->position, lo, hi);
}

lks_err lks_step_own(lks_step *s, const uint8_t **at, uint32_t lo, uint32_t hi)
{
    return read_row(s, at, LKS_TREE_TRACE, s->unit.op, &s->shape, s->row, lo, hi);
}

uint32_t lks_step_weight_size(const lks_weight_ref *w)
{
    uint32_t block = lks_tensor_type_block((lks_tensor_type)w->type);
    return w->cols / block * lks_tensor_type_size((lks_tensor_type)w->type);
}

lks_err lks_step_weight(lks_step *s, const uint8_t **at, int k, uint32_t row, uint32_t lo,
                        uint32_t hi)
{
    const lks_weight_ref *w = &s->op.weights[k];
    lks_shape shape;
    lks_shape_rows(&shape, lks_step_weight_size(w), w->rows);
    return read_row(s, at, LKS_TREE_WEIGHTS, w->tensor, &shape, row, lo, hi);
}

lks_err lks_step_rope(lks_step *s, const uint8_t **at, uint32_t lo, uint32_t hi)
{
    lks_shape shape;
    lks_shape_rows(&shape, 4 * s->op.rope_width, s->facts->max_positions);
    return read_row(s, at, LKS_TREE_ROPE, 0, &shape, s->position, lo, hi);
}

lks_err lks_step_keys(lks_step *s, const uint8_t **at, int k, uint32_t head, uint32_t chunk,
                      uint32_t count)
{
    lks_range range = {.tree = LKS_TREE_TRACE, .item = s->op.inputs[k], .count = count};
    lks_shape_output(&range.shape, &s->inputs[k], s->positions, s->facts->answer_count);
    range.row = head << range.shape.position_bits | chunk * LKS_CHUNK;
    range.hi = range.shape.row_size;
    return read_range(s, at, &range);
}

lks_err lks_step_token(lks_step *s, uint32_t *id, lks_token_list list, uint32_t index)
{
    return s->reader->token(s->reader->user, id, list, index);
}

/* ---- Places ---- */

/* D(op) and D(input) for every input, in order. */
static lks_err read_program(lks_step *s)
{
    const uint8_t *own, *inputs[4] = {NULL};
    lks_err err = read_descriptor(s, &own, s->unit.op);
    if (!err)
        err = lks_op_decode(&s->op, own);
    for (int k = 0; !err && k < 4; k++) {
        if (s->op.inputs[k] == LKS_NONE)
            continue;
        if (s->op.inputs[k] >= s->unit.op)
            return lks_fail(
                LKS_REFUSED,
                "operation %u of the program reads operation %u, which does not lie before it",
                s->unit.op, s->op.inputs[k]);
        if (!(err = read_descriptor(s, &inputs[k], s->op.inputs[k])))
            lks_step_parse(&s->inputs[k], inputs[k]);
    }
    if (!err && lks_op_is_malformed(s->unit.op, own, inputs, s->facts))
        err = lks_fail(LKS_REFUSED, "operation %u of the program is malformed", s->unit.op);
    return err;
}

/* Row and position of the unit's leaf. */
static lks_err find_place(lks_step *s)
{
    uint32_t size;
    lks_shape_output(&s->shape, &s->op, s->positions, s->facts->answer_count);
    if (!lks_shape_leaf(&size, &s->shape, s->unit.leaf))
        return lks_step_bad_unit(s);
    s->row = s->unit.leaf >> s->shape.chunk_bits;
    s->x_lo = (s->unit.leaf & ((1u << s->shape.chunk_bits) - 1)) * LKS_CHUNK_SIZE;
    s->x_hi = s->x_lo + size;
    s->position = s->row;
    if (s->op.kind == LKS_ROWS_SAMPLED)
        s->position = s->facts->prompt_count - 1 + s->row;
    if (s->op.kind == LKS_ROWS_KV) {
        s->position = s->row & ((1u << s->shape.position_bits) - 1);
        s->head = s->row >> s->shape.position_bits;
    }
    return LKS_OK;
}

static lks_err read_disputed(lks_step *s)
{
    return lks_step_own(s, &s->x, s->x_lo, s->x_hi);
}

static lks_err check_output(lks_step *s, bool *wrong)
{
    if (s->op.code == LKS_OP_ATTN)
        return lks_fail(LKS_BADARGS, "an element of ATTN is refuted by its partials");
    lks_err err = read_disputed(s);
    if (err)
        return err;
    switch (s->op.form) {
    case LKS_FORM_F32: return lks_step_f32_row(s, wrong);
    case LKS_FORM_A8: return lks_step_a8(s, wrong);
    case LKS_FORM_RMS: return lks_step_rms(s, wrong);
    case LKS_FORM_SAMPLE: return lks_step_sample(s, wrong);
    }
    return lks_step_bad_unit(s);
}

static lks_err check_partial(lks_step *s, bool *wrong)
{
    /* unit < width first: 4 * unit must not overflow */
    if (s->op.code != LKS_OP_ATTN || s->unit.unit >= s->op.width ||
        !lks_step_in_x(s, 4 * s->unit.unit, 4 * s->unit.unit + 4))
        return lks_step_bad_unit(s);
    if (!lks_partials_are_valid(s->position, s->partials, s->partials_len))
        return lks_fail(LKS_BADARGS, "these are not the partials of an element at position %u",
                        s->position);
    lks_err err = s->unit.kind == LKS_UNIT_PARTIAL_FINAL ? read_disputed(s) : LKS_OK;
    return err ? err : lks_step_partial(s, wrong);
}

lks_err lks_step_check(bool *wrong, const lks_facts *f, const lks_unit *u, const uint8_t *partials,
                       size_t partials_len, lks_reader *reader)
{
    lks_step s = {.facts = f,
                  .unit = *u,
                  .reader = reader,
                  .partials = partials,
                  .partials_len = partials_len};
    *wrong = false;
    if (u->op >= f->op_count || f->prompt_count == 0 || f->answer_count == 0 ||
        f->prompt_count > f->max_positions ||
        f->answer_count > f->max_positions - f->prompt_count + 1)
        return lks_step_bad_unit(&s);
    s.positions = f->prompt_count + f->answer_count - 1;
    if (u->kind == LKS_UNIT_UNLISTED)
        return lks_step_unlisted(&s, wrong);
    lks_err err = read_program(&s);
    if (!err)
        err = find_place(&s);
    if (err)
        return err;
    switch (u->kind) {
    case LKS_UNIT_OUTPUT: return check_output(&s, wrong);
    case LKS_UNIT_TOKEN: return lks_step_chosen(&s, wrong);
    case LKS_UNIT_PARTIAL_CHUNK:
    case LKS_UNIT_PARTIAL_MAXIMUM:
    case LKS_UNIT_PARTIAL_RUNNING:
    case LKS_UNIT_PARTIAL_FINAL: return check_partial(&s, wrong);
    case LKS_UNIT_UNLISTED: break; /* reads no program: above */
    }
    return lks_step_bad_unit(&s);
}
