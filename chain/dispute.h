/* The dispute game in C: calls, views, events and hashes of contracts/src/interfaces/IDisputeGame.sol, which says what each of them means.
 *
 * Conventions of chain/contracts.h: outputs first, then inputs; a length follows its array; calls are appended as calldata, selector first.
 * Selectors that the game shares with other contracts have one binding: lks_call_credit, lks_call_parameters, lks_call_withdraw of contracts.h.
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_DISPUTE_H
#define LKS_CHAIN_DISPUTE_H

#include "chain/contracts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* op of a node of the tree above operations. */
#define LKS_GAME_TOP_OP 65535u
/* Children that one reveal has at most. */
#define LKS_GAME_MAX_CHILDREN 32u

/* Opening. Borrowed. */
typedef struct lks_call_opening {
    const uint8_t *data;
    size_t data_len;
    const uint8_t (*path)[32];
    size_t path_count;
} lks_call_opening;

/* Witness. Borrowed. */
typedef struct lks_call_witness {
    uint8_t kind; /* UnitKind */
    uint32_t op, leaf, unit, place;
    const lks_call_opening *openings;
    size_t opening_count;
} lks_call_witness;

/* GameParameters. Seconds; wei, below 2^128. */
typedef struct lks_game_parameters {
    uint32_t budget, floor;
    lks_u256 min_bond;
} lks_game_parameters;

/* DisputeView. */
typedef struct lks_dispute_view {
    uint8_t state; /* DisputeState, 0 None to 8 Closed */
    uint8_t claim_id[32];
    uint8_t challenger[20];
    uint16_t op; /* the current node, as the next three */
    uint8_t height;
    uint32_t index;
    uint8_t node[32];
    uint32_t element;
    lks_u256 bond, prepaid; /* wei */
    uint64_t turn_start, deadline;
    uint32_t operator_left, challenger_left;
} lks_dispute_view;
#define LKS_DISPUTE_STATE_MAX 8u

typedef enum lks_claim_status { LKS_CLAIM_NONE = 0, LKS_CLAIM_DISPUTED, LKS_CLAIM_CONVICTED, LKS_CLAIM_VOID, LKS_CLAIM_STATUS_COUNT } lks_claim_status;

/* DisputedClaim. */
typedef struct lks_disputed_claim {
    uint8_t request_id[32];
    uint8_t model_id[32];
    uint8_t root[32]; /* zero until the trace is open */
    uint8_t operator_address[20];
    uint8_t attempt, seat;
    lks_claim_status status;
    uint32_t prompt_count, token_count;
    uint16_t op_count;
} lks_disputed_claim;

/* ---- hashes ---- */

/* Out: keccak256(abi.encode(claimId, challenger, salt)). */
void lks_dispute_id(uint8_t id32[32], const uint8_t claim_id32[32], const uint8_t challenger20[20], const uint8_t salt32[32]);
/* Out: EIP-712 hash of TraceRoot(bytes32 claimId,bytes32 root), which an operator signs. */
void lks_trace_root_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t game20[20], const uint8_t claim_id32[32], const uint8_t root32[32]);
/* Out: what commitProof takes; subject: lks_witness_hash, or lks_equivocation_hash. */
void lks_proof_commitment(uint8_t commitment32[32], const uint8_t sender20[20], const uint8_t salt32[32], const uint8_t subject32[32]);
/* Out: keccak256(abi.encode(witness)). */
lks_err lks_witness_hash(uint8_t hash32[32], const lks_call_witness *w) LKS_MUST_USE;
/* Out: keccak256(abi.encode(root, otherRoot)). */
void lks_equivocation_hash(uint8_t hash32[32], const uint8_t root32[32], const uint8_t other_root32[32]);

/* ---- money ---- */

/* Out: gas x (2 basefee + 2 gwei), at most 2^72 - 1 wei: what a move prepays for gas units at that base fee. */
void lks_game_prepayment(lks_u256 *wei, uint64_t gas, const lks_u256 *base_fee);
/* Out: the bond of a challenge at that base fee: max(min_bond, stake / 100, 1,000,000 x 2 basefee), at most 2^88 - 1. */
void lks_game_bond(lks_u256 *wei, const lks_u256 *min_bond, const lks_u256 *stake, const lks_u256 *base_fee);

/* itemGas of what the operator is asked for (docs/SPEC.md, the dispute game). */
#define LKS_GAME_GAS_TRACE 140000u
#define LKS_GAME_GAS_NODE 100000u
#define LKS_GAME_GAS_LEAF 90000u
#define LKS_GAME_GAS_PARTIALS 60000u
#define LKS_GAME_GAS_PARTIAL_CHUNK 500u

/* ---- calls ---- */

/* Challenger. */
lks_err lks_call_challenge(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const lks_model_commitment *model,
                           const uint8_t salt32[32]) LKS_MUST_USE;
lks_err lks_call_pick(lks_buf *out, const uint8_t dispute_id32[32], uint16_t op, uint8_t height, uint32_t index, const uint8_t node32[32],
                      const uint8_t (*path)[32], size_t path_count) LKS_MUST_USE;
lks_err lks_call_step(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r, const lks_model_commitment *model,
                      const lks_call_witness *w) LKS_MUST_USE;
lks_err lks_call_demand_partials(lks_buf *out, const uint8_t dispute_id32[32], uint32_t element) LKS_MUST_USE;
lks_err lks_call_step_partial(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r, const lks_model_commitment *model,
                              const lks_call_witness *w, const uint8_t *partials, size_t partials_len) LKS_MUST_USE;
lks_err lks_call_commit_proof(lks_buf *out, const uint8_t commitment32[32]) LKS_MUST_USE;
/* signature: 65 bytes r, s, v, or none for the opened root. */
lks_err lks_call_prove(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const uint8_t root32[32], const uint8_t *signature,
                       size_t signature_len, const lks_model_commitment *model, const lks_call_witness *w, const uint8_t salt32[32]) LKS_MUST_USE;
lks_err lks_call_prove_equivocation(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const uint8_t root32[32],
                                    const uint8_t *signature, size_t signature_len, const uint8_t other_root32[32], const uint8_t *other_signature,
                                    size_t other_signature_len, const uint8_t salt32[32]) LKS_MUST_USE;

/* Operator. */
lks_err lks_call_open_trace(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t root32[32], const uint8_t (*children)[32],
                            size_t child_count) LKS_MUST_USE;
lks_err lks_call_open_partials(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t *partials, size_t partials_len) LKS_MUST_USE;

/* Anybody. */
lks_err lks_call_reveal(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t (*children)[32], size_t child_count) LKS_MUST_USE;
lks_err lks_call_reveal_leaf(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_call_timeout(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r) LKS_MUST_USE;
lks_err lks_call_record_shape(lks_buf *out, const lks_model_commitment *model, uint16_t op, const lks_call_opening *descriptor) LKS_MUST_USE;
lks_err lks_call_void_claim(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const lks_model_commitment *model, uint32_t op,
                            const lks_call_opening *descriptors, size_t descriptor_count) LKS_MUST_USE;
lks_err lks_call_reclaim(lks_buf *out, const uint8_t dispute_id32[32]) LKS_MUST_USE;
/* In: call_count finished calls of the game. */
lks_err lks_call_multicall(lks_buf *out, const lks_buf *calls, size_t call_count) LKS_MUST_USE;

/* Views; what they return is read below. */
lks_err lks_call_dispute_of(lks_buf *out, const uint8_t dispute_id32[32]) LKS_MUST_USE;   /* lks_return_dispute */
lks_err lks_call_claim_of(lks_buf *out, const uint8_t claim_id32[32]) LKS_MUST_USE;       /* lks_return_claim */
lks_err lks_call_filled_at(lks_buf *out, const uint8_t claim_id32[32], uint16_t op, uint8_t height, uint32_t index) LKS_MUST_USE; /* lks_return_u64 */
lks_err lks_call_partials_filled_at(lks_buf *out, const uint8_t claim_id32[32], uint16_t op, uint32_t row,
                                    uint32_t element) LKS_MUST_USE;                       /* lks_return_u64 */
lks_err lks_call_bond_for(lks_buf *out, const lks_u256 *stake) LKS_MUST_USE;              /* lks_return_u256 */
lks_err lks_call_prepayment(lks_buf *out, uint64_t gas) LKS_MUST_USE;                     /* lks_return_u256 */
lks_err lks_call_shape_recorded(lks_buf *out, const uint8_t model_id32[32], uint16_t op) LKS_MUST_USE; /* lks_return_bool */
lks_err lks_call_game_oracle(lks_buf *out) LKS_MUST_USE;                                  /* lks_return_address */
lks_err lks_call_game_verifier(lks_buf *out) LKS_MUST_USE;                                /* lks_return_address */

/* Strict: LKS_CORRUPT for another length or a value outside its type. Of parameters(): lks_return_game_parameters. */
lks_err lks_return_dispute(lks_dispute_view *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_claim(lks_disputed_claim *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_game_parameters(lks_game_parameters *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_address(uint8_t address20[20], const uint8_t *data, size_t len) LKS_MUST_USE;

/* ---- events ---- */

typedef enum lks_game_event_kind {
    LKS_GAME_NONE = 0,
    LKS_GAME_CHALLENGED,
    LKS_GAME_TRACE_OPENED,
    LKS_GAME_PICKED,
    LKS_GAME_REVEALED,
    LKS_GAME_LEAF_REVEALED,
    LKS_GAME_PARTIALS_DEMANDED,
    LKS_GAME_PARTIALS_OPENED,
    LKS_GAME_CLAIM_CONVICTED,
    LKS_GAME_CLAIM_VOIDED,
    LKS_GAME_DISPUTE_LOST,
    LKS_GAME_DISPUTE_RECLAIMED,
    LKS_GAME_PROOF_COMMITTED,
    LKS_GAME_SHAPE_RECORDED,
    LKS_GAME_CREDITED,
    LKS_GAME_WITHDRAWN,
    LKS_GAME_EVENT_COUNT
} lks_game_event_kind;

/* One event of the game contract. Which members hold something depends on the kind, as its Solidity declaration says; all others are zero. */
typedef struct lks_game_event {
    lks_game_event_kind kind;
    uint8_t claim_id[32];
    uint8_t dispute_id[32];
    uint8_t request_id[32];
    uint8_t model_id[32];
    uint8_t hash[32];    /* root, node, commitment */
    uint8_t account[20]; /* challenger, account */
    uint8_t to[20];
    uint8_t attempt, seat;
    uint16_t op;
    uint8_t height;
    uint32_t index; /* of a node or leaf; row of partials */
    uint32_t element;
    lks_u256 amount;  /* bond, toOperator, amount; wei, as the next two */
    lks_u256 prepaid;
    lks_u256 burned;
    const uint8_t (*nodes)[32]; /* children; points into the data given, as the next */
    size_t node_count;
    const uint8_t *bytes; /* of a leaf, of partials */
    size_t len;
} lks_game_event;

/* Reads one log of the game contract; the address is the caller's to check: other contracts have events of the same topics.
 * Returns: LKS_OK; LKS_NOTFOUND (not an event of the game); LKS_CORRUPT (one of them, not as declared). */
lks_err lks_game_event_decode(lks_game_event *out, const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data, size_t len) LKS_MUST_USE;
/* Out: topic 0 of a kind. */
void lks_game_event_topic(uint8_t topic32[32], lks_game_event_kind kind);
/* "Challenged"; "?" for an unknown kind. */
const char *lks_game_event_name(lks_game_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif
