/* The program: a model as a flat list of operations, each a fixed 256-byte descriptor that the
 * chain can read.
 *
 * Descriptor, 64 little-endian u32 words (what a word does not use is 0; an absent index is
 * 0xffffffff): 0 opcode              1 row kind            2 row form           3 width: elements
 * of a row 4 block: elements of an A8 block, 0 if the row is not A8 5..8 inputs: indices of
 * operations, each smaller than this one's 9..24 weights: four times (tensor, type, rows, columns)
 *   25 heads              26 key-value heads    27 head width        28 rotary width
 *   29 pairing: 0 none, 1 interleaved, 2 half-split
 *   30 float32 bits: epsilon of RMS, scale of ATTN
 *   31 vocabulary size (EMBED, SAMPLE)          32..63 zero
 * Valid iff: every opcode is known; every input exists, lies before, and has the form and width
 * that the operation reads; every weight's type, rows and columns fit; the limits of docs/SPEC.md
 * hold.
 */
#ifndef LKS_ORACLE_MODEL_PROGRAM_H
#define LKS_ORACLE_MODEL_PROGRAM_H

#include "oracle/gguf/gguf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_NONE UINT32_MAX
#define LKS_DESCRIPTOR_SIZE 256
#define LKS_MAX_POSITIONS 32768u
#define LKS_MAX_LINEAR_INPUTS 52000u
#define LKS_MAX_PAIR_INPUTS 32768u /* where a unit of proof takes two weight rows */
#define LKS_MAX_RMS_WIDTH 65280u

typedef enum lks_opcode {
    LKS_OP_INVALID = 0,
    LKS_OP_EMBED,
    LKS_OP_RMS,
    LKS_OP_NORM_Q,
    LKS_OP_QUANT,
    LKS_OP_LINEAR,
    LKS_OP_LINEAR_Q,
    LKS_OP_LINEAR_ROPE_Q,
    LKS_OP_LINEAR_SILU_MUL_Q,
    LKS_OP_LINEAR_ADD,
    LKS_OP_ROPE_Q,
    LKS_OP_SILU_MUL_Q,
    LKS_OP_ATTN,
    LKS_OP_SAMPLE
} lks_opcode;

/* Which rows an operation has: one a position; one a sampled position; one a key-value head and
 * position. */
typedef enum lks_row_kind {
    LKS_ROWS_ALL = 0,
    LKS_ROWS_SAMPLED = 1,
    LKS_ROWS_KV = 2
} lks_row_kind;

typedef enum lks_row_form {
    LKS_FORM_F32 = 0,
    LKS_FORM_A8 = 1,
    LKS_FORM_RMS = 2,
    LKS_FORM_SAMPLE = 3
} lks_row_form;

typedef enum lks_pairing {
    LKS_PAIR_NONE = 0,
    LKS_PAIR_INTERLEAVED = 1,
    LKS_PAIR_HALVES = 2
} lks_pairing;

typedef struct lks_weight_ref {
    uint32_t tensor; /* index into the program's tensors, or LKS_NONE */
    uint32_t type;   /* lks_tensor_type */
    uint32_t rows, cols;
} lks_weight_ref;

typedef struct lks_op {
    lks_opcode code;
    lks_row_kind kind;
    lks_row_form form;
    uint32_t width, block;
    uint32_t inputs[4];
    lks_weight_ref
        weights[4]; /* LINEAR forms: weight, bias, and for SILU_MUL second weight, second bias */
    uint32_t heads, kv_heads, head_width, rope_width;
    lks_pairing pairing;
    float scalar; /* word 30 */
    uint32_t vocab;
} lks_op;

typedef struct lks_program {
    lks_op *ops;
    uint32_t op_count;
    const lks_gguf_tensor **tensors; /* in the order in which operations first name them */
    uint32_t tensor_count;
    uint32_t vocab_size, context_length, max_positions;
    uint32_t rope_width;
    float rope_base;
    float *rope_factors; /* rope_width / 2 of them: the frequency's divisor */
} lks_program;

/* Derives the program from the metadata and tensors of a file of the Llama family. Out: *out, all
 * zero on failure; g must outlive it. Returns: LKS_OK, LKS_REFUSED (architecture, limits, a matrix
 * that must be imported first, a tensor that the program does not use), LKS_CORRUPT (missing or
 * contradictory metadata or tensors), LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_program_derive(lks_program *out, const lks_gguf *g);
void lks_program_free(lks_program *p);

/* Bytes of one row in its committed form. */
uint32_t lks_op_row_size(const lks_op *op);
/* Blocks of an A8 row: a row of Q, K or V has its blocks head by head. */
uint32_t lks_op_block_count(const lks_op *op);

/* Out: the descriptor. */
void lks_op_encode(uint8_t descriptor[LKS_DESCRIPTOR_SIZE], const lks_op *op);

const char *lks_op_name(lks_opcode code);

#ifdef __cplusplus
}
#endif
#endif
