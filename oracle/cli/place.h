/* Places of a trace in words: layer, operation, position, byte. Pure. */
#ifndef LKS_CLI_PLACE_H
#define LKS_CLI_PLACE_H

#include "chain/json.h"
#include "oracle/model/model.h"
#include "oracle/trace/trace.h"

#define LKS_PLACE_SIZE 256
#define LKS_NO_LAYER UINT32_MAX

/* Facts that give an operation's rows their positions. */
typedef struct lks_place_run {
    const lks_program *program;
    uint32_t prompt_count, answer_count;
} lks_place_run;

/* Where a byte of an operation's output lies. */
typedef struct lks_trace_place {
    uint32_t op;
    uint32_t layer; /* LKS_NO_LAYER: before the first or behind the last */
    uint32_t row;
    uint32_t head; /* of kind KV, else 0 */
    uint32_t position;
    uint32_t byte; /* within the row */
    uint32_t element;
    char element_text[48]; /* "value 17", "scale of block 2" */
} lks_trace_place;

/* The layer that an operation belongs to: that of the first tensor "blk.L." named at it or behind
 * it. */
uint32_t lks_place_layer(const lks_program *p, uint32_t op);

/* Out: "layer 3, operation 40, LINEAR_ROPE_Q (blk.3.attn_q.weight)". Always zero-terminated. */
void lks_place_op(char text[LKS_PLACE_SIZE], const lks_program *p, uint32_t op);

/* Out: what a node covers: "operations 32 to 63"; "layer 3, operation 40, ..., positions 32 to 63".
 * program may be NULL: then numbers alone. */
void lks_place_node(char text[LKS_PLACE_SIZE], const lks_place_run *run, uint32_t op,
                    unsigned height, uint64_t index);

/* Out: the place of byte `offset` of a leaf, which must be in range. */
void lks_place_of(lks_trace_place *out, const lks_place_run *run, uint32_t op, uint64_t leaf,
                  uint32_t offset);
/* Out: "layer 3, operation 40, ..., position 17, byte 103 of the row (value 39)". */
void lks_place_text(char text[LKS_PLACE_SIZE], const lks_place_run *run,
                    const lks_trace_place *place);
/* Members of an object. */
void lks_place_json(lks_json_writer *w, const lks_place_run *run, const lks_trace_place *place);

#endif
