/* Shared by the parts of lks_step_check: step.c (places, reads, dispatch), step_program.c,
 * step_linear.c, step_a8.c, step_sample.c, step_attn.c. */
#ifndef LKS_ORACLE_PROOF_STEP_INTERNAL_H
#define LKS_ORACLE_PROOF_STEP_INTERNAL_H

#include "kernels/kernels.h"
#include "oracle/proof/step.h"

/* One check. Everything is set before a part is called; x and what belongs to it only where the
 * kind has a disputed chunk. */
typedef struct lks_step {
    const lks_facts *facts;
    lks_unit unit;
    lks_reader *reader;
    const uint8_t *partials;
    size_t partials_len;
    uint32_t positions; /* T */
    lks_op op, inputs[4];
    lks_shape shape;   /* of the operation's output */
    uint32_t row;      /* of the disputed chunk, in the item's numbering */
    uint32_t position; /* t */
    uint32_t head;     /* of kind KV */
    const uint8_t *x;  /* the disputed chunk: bytes [x_lo, x_hi) of its row */
    uint32_t x_lo, x_hi;
} lks_step;

/* An A8 row in committed form, of blocks of 64. */
typedef struct lks_step_row {
    const uint8_t *entries; /* 8 bytes a block */
    const int8_t *q;
} lks_step_row;

/* ---- Reads. Out: *at, the first byte asked for. ---- */

/* [lo, hi) of input k's row: at this position, or this row for an input of kind SAMPLED. */
LKS_MUST_USE
lks_err lks_step_input(lks_step *s, const uint8_t **at, int k, uint32_t lo, uint32_t hi);
/* [lo, hi) of the operation's own row. */
LKS_MUST_USE
lks_err lks_step_own(lks_step *s, const uint8_t **at, uint32_t lo, uint32_t hi);
/* [lo, hi) of a row of weight k. */
LKS_MUST_USE
lks_err lks_step_weight(lks_step *s, const uint8_t **at, int k, uint32_t row, uint32_t lo,
                        uint32_t hi);
LKS_MUST_USE
lks_err lks_step_rope(lks_step *s, const uint8_t **at, uint32_t lo, uint32_t hi);
/* Rows [32 c, 32 c + count) of one head of input k, of kind KV, one behind the other. */
LKS_MUST_USE
lks_err lks_step_keys(lks_step *s, const uint8_t **at, int k, uint32_t head, uint32_t chunk,
                      uint32_t count);
LKS_MUST_USE
lks_err lks_step_token(lks_step *s, uint32_t *id, lks_token_list list, uint32_t index);

/* Whether [lo, hi) of the row lies in the disputed chunk; the byte there. */
static inline bool lks_step_in_x(const lks_step *s, uint32_t lo, uint32_t hi)
{
    return lo >= s->x_lo && hi <= s->x_hi;
}
static inline const uint8_t *lks_step_x(const lks_step *s, uint32_t lo)
{
    return s->x + (lo - s->x_lo);
}

LKS_MUST_USE
lks_err lks_step_bad_unit(const lks_step *s);

/* ---- Values ---- */

/* All words of a descriptor, whatever they are. */
void lks_step_parse(lks_op *op, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE]);

float lks_step_f32(const uint8_t *p);
/* Bytes of a stored row of a matrix, or of a vector. */
uint32_t lks_step_weight_size(const lks_weight_ref *w);

/* The whole row of input k, of form A8. */
LKS_MUST_USE
lks_err lks_step_activations(lks_step *s, lks_step_row *x, int k);
/* Element `row` of LINEAR with weight k and, where `bias` and present, the bias behind it. Not
 * canonical. */
LKS_MUST_USE
lks_err lks_step_linear(lks_step *s, float *y, const lks_step_row *x, int k, uint32_t row,
                        bool bias);
/* The sum of 32 lanes, halves onto halves; lanes is overwritten. */
float lks_step_fold(float lanes[LKS_CHUNK]);
/* a_i of the A8 block: the scale that element x alone would give, as bits. x is canonical. */
uint32_t lks_step_scale(float x);

/* ---- Parts ---- */

LKS_MUST_USE
lks_err lks_step_f32_row(lks_step *s, bool *wrong);
LKS_MUST_USE
lks_err lks_step_rms(lks_step *s, bool *wrong);
LKS_MUST_USE
lks_err lks_step_a8(lks_step *s, bool *wrong);
LKS_MUST_USE
lks_err lks_step_sample(lks_step *s, bool *wrong);
LKS_MUST_USE
lks_err lks_step_chosen(lks_step *s, bool *wrong);
/* Reads no descriptor: op, inputs, shape and place are not set. */
LKS_MUST_USE
lks_err lks_step_unlisted(lks_step *s, bool *wrong);
LKS_MUST_USE
lks_err lks_step_partial(lks_step *s, bool *wrong);

#endif
