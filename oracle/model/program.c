#include "oracle/model/program.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[] = {
    [LKS_OP_INVALID] = "INVALID",
    [LKS_OP_EMBED] = "EMBED",
    [LKS_OP_RMS] = "RMS",
    [LKS_OP_NORM_Q] = "NORM_Q",
    [LKS_OP_QUANT] = "QUANT",
    [LKS_OP_LINEAR] = "LINEAR",
    [LKS_OP_LINEAR_Q] = "LINEAR_Q",
    [LKS_OP_LINEAR_ROPE_Q] = "LINEAR_ROPE_Q",
    [LKS_OP_LINEAR_SILU_MUL_Q] = "LINEAR_SILU_MUL_Q",
    [LKS_OP_LINEAR_ADD] = "LINEAR_ADD",
    [LKS_OP_ROPE_Q] = "ROPE_Q",
    [LKS_OP_SILU_MUL_Q] = "SILU_MUL_Q",
    [LKS_OP_ATTN] = "ATTN",
    [LKS_OP_SAMPLE] = "SAMPLE",
};

const char *lks_op_name(lks_opcode code)
{
    return (size_t)code < sizeof op_names / sizeof *op_names ? op_names[code] : "?";
}

uint32_t lks_op_block_count(const lks_op *op)
{
    if (op->form != LKS_FORM_A8)
        return 0;
    if (op->head_width) /* Q, K and V: head by head */
        return op->width / op->head_width * ((op->head_width + op->block - 1) / op->block);
    return (op->width + op->block - 1) / op->block;
}

uint32_t lks_op_row_size(const lks_op *op)
{
    switch (op->form) {
    case LKS_FORM_F32: return 4 * op->width;
    case LKS_FORM_A8: return 8 * lks_op_block_count(op) + op->width;
    case LKS_FORM_RMS: return 4 * op->width;
    case LKS_FORM_SAMPLE: return 8;
    }
    return 0;
}

void lks_op_encode(uint8_t descriptor[LKS_DESCRIPTOR_SIZE], const lks_op *op)
{
    uint32_t words[LKS_DESCRIPTOR_SIZE / 4] = {op->code, op->kind, op->form, op->width, op->block};
    uint32_t *w = words + 5;
    for (int i = 0; i < 4; i++)
        *w++ = op->inputs[i];
    for (int i = 0; i < 4; i++) {
        *w++ = op->weights[i].tensor;
        *w++ = op->weights[i].type;
        *w++ = op->weights[i].rows;
        *w++ = op->weights[i].cols;
    }
    *w++ = op->heads;
    *w++ = op->kv_heads;
    *w++ = op->head_width;
    *w++ = op->rope_width;
    *w++ = op->pairing;
    *w++ = lks_bits(op->scalar);
    *w++ = op->vocab;
    assert(w == words + 32);
    for (size_t i = 0; i < LKS_DESCRIPTOR_SIZE / 4; i++)
        lks_store_le32(descriptor + 4 * i, words[i]);
}

void lks_program_free(lks_program *p)
{
    free(p->ops);
    free(p->tensors);
    free(p->rope_factors);
    memset(p, 0, sizeof *p);
}
