/* Units of proof (docs/SPEC.md, section 13): one small part of a claim's trace, recomputed from its
 * committed inputs.
 *
 * lks_step_check is one function for three uses. What it reads comes through an lks_reader: one
 * that verifies a witness's openings makes it the twin of contracts/src/StepVerifier.sol; one that
 * has a trace and a model of its own makes it the search for a fault; one that also writes down
 * what was read makes the witness (oracle/proof/witness.h).
 */
#ifndef LKS_ORACLE_PROOF_STEP_H
#define LKS_ORACLE_PROOF_STEP_H

#include "oracle/trace/claim.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/shape.h"

/* As UnitKind of IStepVerifier. */
typedef enum lks_unit_kind {
    LKS_UNIT_OUTPUT = 0,
    LKS_UNIT_TOKEN,
    LKS_UNIT_PARTIAL_CHUNK,
    LKS_UNIT_PARTIAL_MAXIMUM,
    LKS_UNIT_PARTIAL_RUNNING,
    LKS_UNIT_PARTIAL_FINAL,
    LKS_UNIT_UNLISTED
} lks_unit_kind;

/* Whether the unit is about partials that the operator posted for an attention element. */
static inline bool lks_unit_is_partial(lks_unit_kind kind)
{
    return kind >= LKS_UNIT_PARTIAL_CHUNK && kind <= LKS_UNIT_PARTIAL_FINAL;
}

#define LKS_UNIT_INDEX                                                                             \
    UINT32_MAX /* unit of SAMPLE: its index itself; place: not the allowed list */

typedef struct lks_unit {
    lks_unit_kind kind;
    uint32_t op, leaf, unit, place;
} lks_unit;

typedef enum lks_token_list {
    LKS_LIST_PROMPT,
    LKS_LIST_ANSWER,
    LKS_LIST_ALLOWED
} lks_token_list;

/* Consecutive chunks of an item: of row `row`, [lo, hi) of its bytes; or, of kind KV, whole rows
 * [row, row + count) of one chunk each. */
typedef struct lks_range {
    lks_tree tree;
    uint32_t item;
    lks_shape shape;
    uint32_t row;
    uint32_t count; /* 1, or rows of kind KV */
    uint32_t lo, hi;
} lks_range;

/* Where a unit's inputs come from. Functions return LKS_OK, or an error that ends the check. */
typedef struct lks_reader {
    void *user;
    /* Out: *bytes, the chunks that cover the range, whole, joined, valid until the check ends. */
    lks_err (*read)(void *user, const uint8_t **bytes, const lks_range *range);
    /* Out: *id, element `index` of a list. */
    lks_err (*token)(void *user, uint32_t *id, lks_token_list list, uint32_t index);
} lks_reader;

/* Facts of the claim and the model that the check needs beside what it reads. */
typedef struct lks_facts {
    uint32_t prompt_count, answer_count, allowed_count;
    float temperature, min_p;
    uint64_t seed;
    uint32_t op_count, tensor_count, sampler_op, vocab_size, max_positions;
} lks_facts;

void lks_facts_of(lks_facts *f, const lks_run *run, const lks_model_commitment *c);

/* Out: *wrong, whether the unit shows that trace or answer is not what the model computes.
 * partials: of the kinds PARTIAL, packed; else NULL. Returns: LKS_OK; LKS_BADARGS (place, unit or
 * chunk out of range; the unit does not lie in the chunk); LKS_REFUSED (the program is malformed at
 * the operation); what the reader returns. */
LKS_MUST_USE
lks_err lks_step_check(bool *wrong, const lks_facts *f, const lks_unit *u, const uint8_t *partials,
                       size_t partials_len, lks_reader *reader);

/* Whether the descriptor, with those of its inputs, breaks a rule of docs/SPEC.md, section 13.
 * inputs[k]: of present inputs that lie before it. */
bool lks_op_is_malformed(uint32_t index, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE],
                         const uint8_t *const inputs[4], const lks_facts *f);
/* Reads a descriptor. Returns: LKS_OK; LKS_REFUSED (a word that section 8 does not know, or that
 * means nothing to this operation). */
LKS_MUST_USE
lks_err lks_op_decode(lks_op *op, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE]);

/* Bytes of the partials at a position; whether they are canonical with the index of the maximum in
 * range. */
size_t lks_partials_size(uint32_t position);
bool lks_partials_are_valid(uint32_t position, const uint8_t *partials, size_t len);

#endif
