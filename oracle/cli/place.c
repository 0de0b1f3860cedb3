#include "oracle/cli/place.h"

#include "oracle/cli/output.h"
#include "oracle/trace/shape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends to a text of LKS_PLACE_SIZE. */
static void add(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, LKS_PLACE_SIZE - used, format, args);
    va_end(args);
}

/* L of a name "blk.L.rest"; LKS_NO_LAYER for others. */
static uint32_t layer_of(const lks_gguf_string *name)
{
    uint32_t layer = 0;
    size_t i = 4;
    if (name->len < 6 || memcmp(name->data, "blk.", 4) != 0) {
        return LKS_NO_LAYER;
    }
    for (; i < name->len && name->data[i] >= '0' && name->data[i] <= '9' && layer < 100000; i++) {
        layer = 10 * layer + (uint32_t)(name->data[i] - '0');
    }
    return i > 4 && i < name->len && name->data[i] == '.' ? layer : LKS_NO_LAYER;
}

uint32_t lks_place_layer(const lks_program *p, uint32_t op)
{
    for (uint32_t i = op; i < p->op_count; i++) {
        uint32_t tensor = p->ops[i].weights[0].tensor;
        if (tensor < p->tensor_count) {
            return layer_of(&p->tensors[tensor]->name);
        }
    }
    return LKS_NO_LAYER;
}

void lks_place_op(char text[LKS_PLACE_SIZE], const lks_program *p, uint32_t op)
{
    uint32_t layer = p != NULL ? lks_place_layer(p, op) : LKS_NO_LAYER;
    text[0] = '\0';
    if (layer != LKS_NO_LAYER) {
        add(text, "layer %" PRIu32 ", ", layer);
    }
    add(text, "operation %" PRIu32, op);
    if (p == NULL || op >= p->op_count) {
        return;
    }
    add(text, ", %s", lks_op_name(p->ops[op].code));
    uint32_t tensor = p->ops[op].weights[0].tensor;
    if (tensor < p->tensor_count) {
        add(text, " (%.*s)", (int)p->tensors[tensor]->name.len, p->tensors[tensor]->name.data);
    }
}

static void add_range(char *text, const char *what, uint64_t first, uint64_t last)
{
    if (first == last) {
        add(text, "%s %" PRIu64, what, first);
    } else {
        add(text, "%ss %" PRIu64 " to %" PRIu64, what, first, last);
    }
}

static void shape_of(lks_shape *s, const lks_place_run *run, uint32_t op)
{
    lks_shape_output(s, &run->program->ops[op], run->prompt_count + run->answer_count - 1,
                     run->answer_count);
}

static uint32_t position_of(const lks_place_run *run, uint32_t op, const lks_shape *s, uint64_t row)
{
    switch (run->program->ops[op].kind) {
    case LKS_ROWS_SAMPLED: return run->prompt_count - 1 + (uint32_t)row;
    case LKS_ROWS_KV: return (uint32_t)(row & ((UINT64_C(1) << s->position_bits) - 1));
    default: return (uint32_t)row;
    }
}

/* Rows first to last, both in range or clipped to it. */
static void add_rows(char *text, const lks_place_run *run, uint32_t op, const lks_shape *s,
                     uint64_t first, uint64_t last)
{
    if (s->heads != 0) {
        uint64_t head = first >> s->position_bits, last_head = last >> s->position_bits;
        last_head = last_head < s->heads ? last_head : s->heads - 1;
        add(text, ", ");
        add_range(text, "key-value head", head, last_head);
        if (head != last_head) {
            return;
        }
    }
    uint64_t from = position_of(run, op, s, first), to = position_of(run, op, s, last);
    uint64_t most = position_of(run, op, s, s->rows - 1);
    add(text, ", ");
    add_range(text, "position", from, to < most ? to : most);
}

void lks_place_node(char text[LKS_PLACE_SIZE], const lks_place_run *run, uint32_t op,
                    unsigned height, uint64_t index)
{
    lks_shape s;
    text[0] = '\0';
    height = height < 63 ? height : 63;
    if (op == LKS_TOP) {
        uint64_t first = index << height, last = first + (UINT64_C(1) << height) - 1;
        if (run->program != NULL && last >= run->program->op_count) {
            last = run->program->op_count - 1;
        }
        add_range(text, "operation", first, last);
        return;
    }
    lks_place_op(text, run->program, op);
    if (run->program == NULL || op >= run->program->op_count) {
        if (height == 0) {
            add(text, ", leaf %" PRIu64, index);
        } else {
            add(text, ", leaves %" PRIu64 " to %" PRIu64, index << height,
                ((index + 1) << height) - 1);
        }
        return;
    }
    shape_of(&s, run, op);
    if (height >= s.height) {
        return;
    }
    uint64_t first = index << height, last = first + (UINT64_C(1) << height) - 1;
    add_rows(text, run, op, &s, first >> s.chunk_bits, last >> s.chunk_bits);
    if (height < s.chunk_bits) {
        uint64_t mask = (UINT64_C(1) << s.chunk_bits) - 1,
                 end = ((last & mask) + 1) * LKS_CHUNK_SIZE;
        add(text, ", bytes %" PRIu64 " to %" PRIu64, (first & mask) * LKS_CHUNK_SIZE,
            (end < s.row_size ? end : s.row_size) - 1);
    }
}

static void name_element(lks_trace_place *out, const lks_op *op)
{
    uint32_t blocks = lks_op_block_count(op);
    const char *what = "value";
    out->element = out->byte / 4;
    switch (op->form) {
    case LKS_FORM_F32: break;
    case LKS_FORM_A8:
        if (out->byte < 8 * blocks) {
            what = out->byte % 8 < 4 ? "scale of block" : "greatest index of block";
            out->element = out->byte / 8;
        } else {
            out->element = out->byte - 8 * blocks;
        }
        break;
    case LKS_FORM_RMS: what = out->element + 1 < op->width ? "sum of segment" : "factor"; break;
    case LKS_FORM_SAMPLE: what = out->element == 0 ? "greatest logit" : "its token"; break;
    }
    if (op->form == LKS_FORM_SAMPLE ||
        (op->form == LKS_FORM_RMS && out->element + 1 >= op->width)) {
        snprintf(out->element_text, sizeof out->element_text, "%s", what);
    } else {
        snprintf(out->element_text, sizeof out->element_text, "%s %" PRIu32, what, out->element);
    }
}

void lks_place_of(lks_trace_place *out, const lks_place_run *run, uint32_t op, uint64_t leaf,
                  uint32_t offset)
{
    lks_shape s;
    shape_of(&s, run, op);
    *out = (lks_trace_place){.op = op, .layer = lks_place_layer(run->program, op)};
    out->row = (uint32_t)(leaf >> s.chunk_bits);
    out->head = s.heads != 0 ? out->row >> s.position_bits : 0;
    out->position = position_of(run, op, &s, out->row);
    out->byte = (uint32_t)(leaf & ((UINT64_C(1) << s.chunk_bits) - 1)) * LKS_CHUNK_SIZE + offset;
    name_element(out, &run->program->ops[op]);
}

void lks_place_text(char text[LKS_PLACE_SIZE], const lks_place_run *run,
                    const lks_trace_place *place)
{
    lks_place_op(text, run->program, place->op);
    if (run->program->ops[place->op].kind == LKS_ROWS_KV) {
        add(text, ", key-value head %" PRIu32, place->head);
    }
    add(text, ", position %" PRIu32 ", byte %" PRIu32 " of the row (%s)", place->position,
        place->byte, place->element_text);
}

void lks_place_json(lks_json_writer *w, const lks_place_run *run, const lks_trace_place *place)
{
    if (place->layer != LKS_NO_LAYER) {
        lks_json_member_u64(w, "layer", place->layer);
    }
    lks_json_member_u64(w, "operation", place->op);
    lks_json_member_text(w, "opcode", lks_op_name(run->program->ops[place->op].code));
    lks_json_member_u64(w, "position", place->position);
    if (run->program->ops[place->op].kind == LKS_ROWS_KV) {
        lks_json_member_u64(w, "head", place->head);
    }
    lks_json_member_u64(w, "row", place->row);
    lks_json_member_u64(w, "byte", place->byte);
    lks_json_member_text(w, "element", place->element_text);
}
