/* The dispute game in C: calls, views, events and hashes of
 * contracts/src/interfaces/IDisputeGame.sol, which says what each of them means.
 *
 * Conventions of chain/contracts.h: outputs first, then inputs; a length follows its array; calls
 * are appended as calldata, selector first. Selectors that the game shares with other contracts
 * have one binding, in contracts.h: lks_call_credit, lks_call_parameters, lks_call_withdraw,
 * lks_call_bonds.
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
/* Most children of one reveal. */
#define LKS_GAME_MAX_CHILDREN 32u
/* Blocks from a commitProof to the call that needs it: at least two; fifty for prove and
 * proveEquivocation while a dispute of the claim is live. step and stepPartial need none while the
 * dispute is `alone`, and then fewer than two blocks after another one joined (joined_block). */
#define LKS_GAME_COMMIT_BLOCKS 2u
#define LKS_GAME_LIVE_COMMIT_BLOCKS 50u

/* How a call names a claim. Borrowed. */
typedef struct lks_claim_ref {
    uint8_t source[20];
    uint8_t name[32];
    const uint8_t *opening; /* of the oracle abi.encode(Request) */
    size_t opening_len;
} lks_claim_ref;

/* Dispute: everything about a dispute that never changes. bond is in wei, below 2^88. */
typedef struct lks_dispute_terms {
    lks_claim_terms claim;
    uint8_t challenger[20];
    lks_u256 bond;
    uint8_t salt[32];
} lks_dispute_terms;

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
    uint16_t op;   /* the current node, as the next three */
    uint8_t height;
    uint32_t index;
    uint8_t node[32];
    uint32_t element;
    lks_u256 prepaid; /* wei */
    uint64_t turn_start, deadline;
    uint32_t operator_left, challenger_left;
    bool alone; /* was the claim's only live dispute when the turn began */
} lks_dispute_view;
#define LKS_DISPUTE_STATE_MAX 8u

typedef enum lks_claim_status {
    LKS_CLAIM_NONE = 0,
    LKS_CLAIM_DISPUTED,
    LKS_CLAIM_CONVICTED,
    LKS_CLAIM_VOID,
    LKS_CLAIM_STATUS_COUNT
} lks_claim_status;

/* DisputedClaim. */
typedef struct lks_disputed_claim {
    lks_claim_status status;
    uint32_t live; /* disputes */
    uint16_t prompt_count, token_count;
    uint16_t op_count;
    uint64_t opened_at;    /* Unix seconds; 0 until the trace is open */
    uint64_t joined_block; /* in which a dispute last joined another that was live */
    uint8_t root[32];      /* zero until the trace is open */
} lks_disputed_claim;

/* Conviction. */
typedef enum lks_conviction {
    LKS_CONVICTION_TIMEOUT = 0,
    LKS_CONVICTION_STEP,
    LKS_CONVICTION_PARTIAL_STEP,
    LKS_CONVICTION_PROOF,
    LKS_CONVICTION_EQUIVOCATION,
    LKS_CONVICTION_COUNT
} lks_conviction;

/* ---- hashes ---- */

/* Out: keccak256(abi.encode(claimId, challenger, bond, salt)). */
void lks_dispute_id(uint8_t id32[32], const lks_dispute_terms *dispute);
/* Out: EIP-712 hash of TraceRoot(bytes32 claimId,bytes32 root), which an operator signs. */
void lks_trace_root_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t game20[20],
                         const uint8_t claim_id32[32], const uint8_t root32[32]);
/* Out: what commitProof takes; subject: lks_witness_hash, or lks_equivocation_hash. */
void lks_proof_commitment(uint8_t commitment32[32], const uint8_t sender20[20],
                          const uint8_t salt32[32], const uint8_t subject32[32]);
/* Out: keccak256(abi.encode(witness)). */
lks_err lks_witness_hash(uint8_t hash32[32], const lks_call_witness *w) LKS_MUST_USE;
/* Out: keccak256(abi.encode(root, otherRoot)). */
void lks_equivocation_hash(uint8_t hash32[32], const uint8_t root32[32],
                           const uint8_t other_root32[32]);

/* ---- money ---- */

/* Out: gas x 2 x (basefee + 1 gwei), at most 2^72 - 1 wei: what a question prepays at that base
 * fee. gas: questionGas. Both here and for the bond the base fee is that of the block that the call
 * will be in; what is sent in excess becomes the sender's credit. */
void lks_game_prepayment(lks_u256 *wei, uint64_t gas, const lks_u256 *base_fee);
/* Out: the bond that a challenge needs at that base fee: max(min_bond, stake / 100, 1,000,000 x
 * 2 basefee), at most 2^88 - 1. */
void lks_game_bond(lks_u256 *wei, const lks_u256 *min_bond, const lks_u256 *stake,
                   const lks_u256 *base_fee);

/* ---- calls ---- */

/* Challenger. bond: below 2^88, else LKS_BADARGS; so for that of every dispute passed. */
lks_err lks_call_challenge(lks_buf *out, const lks_claim_ref *claim,
                           const lks_model_commitment *model, const lks_u256 *bond,
                           const uint8_t salt32[32]) LKS_MUST_USE;
lks_err lks_call_pick(lks_buf *out, const lks_dispute_terms *d, uint16_t op, uint8_t height,
                      uint32_t index, const uint8_t node32[32], const uint8_t (*path)[32],
                      size_t path_count) LKS_MUST_USE;
lks_err lks_call_step(lks_buf *out, const lks_dispute_terms *d, const lks_claim_facts *facts,
                      const lks_model_commitment *model, const lks_call_witness *w,
                      const uint8_t commit_salt32[32]) LKS_MUST_USE;
lks_err lks_call_demand_partials(lks_buf *out, const lks_dispute_terms *d,
                                 uint32_t element) LKS_MUST_USE;
lks_err lks_call_step_partial(lks_buf *out, const lks_dispute_terms *d,
                              const lks_claim_facts *facts, const lks_model_commitment *model,
                              const lks_call_witness *w, const uint8_t *partials,
                              size_t partials_len, const uint8_t commit_salt32[32]) LKS_MUST_USE;
lks_err lks_call_commit_proof(lks_buf *out, const uint8_t commitment32[32]) LKS_MUST_USE;
/* signature: 65 bytes r, s, v, or none for the opened root. */
lks_err lks_call_prove(lks_buf *out, const lks_claim_ref *claim, const uint8_t root32[32],
                       const uint8_t *signature, size_t signature_len,
                       const lks_model_commitment *model, const lks_call_witness *w,
                       const uint8_t salt32[32]) LKS_MUST_USE;
lks_err lks_call_prove_equivocation(lks_buf *out, const lks_claim_ref *claim,
                                    const uint8_t root32[32], const uint8_t *signature,
                                    size_t signature_len, const uint8_t other_root32[32],
                                    const uint8_t *other_signature, size_t other_signature_len,
                                    const uint8_t salt32[32]) LKS_MUST_USE;

/* Operator, or its agent for disputes. */
lks_err lks_call_open_trace(lks_buf *out, const lks_dispute_terms *d, const uint8_t root32[32],
                            const uint8_t (*children)[32], size_t child_count) LKS_MUST_USE;
lks_err lks_call_open_partials(lks_buf *out, const lks_dispute_terms *d, const uint8_t *partials,
                               size_t partials_len) LKS_MUST_USE;

/* Anybody. */
lks_err lks_call_reveal(lks_buf *out, const lks_dispute_terms *d, const uint8_t (*children)[32],
                        size_t child_count) LKS_MUST_USE;
lks_err lks_call_reveal_leaf(lks_buf *out, const lks_dispute_terms *d, const uint8_t *data,
                             size_t len) LKS_MUST_USE;
lks_err lks_call_timeout(lks_buf *out, const lks_dispute_terms *d) LKS_MUST_USE;
lks_err lks_call_record_shape(lks_buf *out, const lks_model_commitment *model, uint16_t op,
                              const lks_call_opening *descriptor) LKS_MUST_USE;
lks_err lks_call_void_claim(lks_buf *out, const lks_claim_ref *claim,
                            const lks_model_commitment *model, uint32_t op,
                            const lks_call_opening *descriptors,
                            size_t descriptor_count) LKS_MUST_USE;
lks_err lks_call_reclaim(lks_buf *out, const lks_dispute_terms *d) LKS_MUST_USE;
/* In: call_count finished calls of the game. */
lks_err lks_call_multicall(lks_buf *out, const lks_buf *calls, size_t call_count) LKS_MUST_USE;
/* The same, for answers: one that is refused keeps back no other. */
lks_err lks_call_try_multicall(lks_buf *out, const lks_buf *calls, size_t call_count) LKS_MUST_USE;

/* Views, with what reads their return value. */
/* lks_return_dispute, which takes so many bytes */
#define LKS_DISPUTE_OF "disputeOf(bytes32)"
#define LKS_DISPUTE_VIEW_SIZE 384u
lks_err lks_call_dispute_of(lks_buf *out, const uint8_t dispute_id32[32]) LKS_MUST_USE;
/* lks_return_claim */
lks_err lks_call_claim_of(lks_buf *out, const uint8_t claim_id32[32]) LKS_MUST_USE;
/* lks_return_u256 */
lks_err lks_call_bond_for(lks_buf *out, const lks_u256 *stake) LKS_MUST_USE;
/* lks_return_u64. state: DisputeState that awaits the answer, Root, Node, Leaf or Partials;
 * position: of the element, for Partials. */
lks_err lks_call_question_gas(lks_buf *out, uint8_t state, uint32_t position) LKS_MUST_USE;
/* lks_return_bool */
lks_err lks_call_shape_recorded(lks_buf *out, const uint8_t model_id32[32],
                                uint16_t op) LKS_MUST_USE;
/* lks_return_address */
lks_err lks_call_game_oracle(lks_buf *out) LKS_MUST_USE;
lks_err lks_call_game_verifier(lks_buf *out) LKS_MUST_USE;

/* Strict: LKS_CORRUPT for another length or a value outside its type. */
lks_err lks_return_dispute(lks_dispute_view *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_claim(lks_disputed_claim *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_game_parameters(lks_game_parameters *out, const uint8_t *data,
                                   size_t len) LKS_MUST_USE;

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

/* One event of the game contract. Which members hold something depends on the kind, as its Solidity
 * declaration says; all others are zero. */
typedef struct lks_game_event {
    lks_game_event_kind kind;
    uint8_t claim_id[32];
    uint8_t dispute_id[32];
    uint8_t model_id[32];
    uint8_t hash[32];    /* root, node, commitment */
    uint8_t account[20]; /* challenger, account */
    uint8_t to[20];
    lks_dispute_terms dispute; /* Challenged, as the next two */
    lks_claim_facts facts;
    uint8_t state;      /* DisputeState */
    lks_conviction how; /* ClaimConvicted */
    uint32_t op;        /* below 2^16 but of ClaimConvicted and ClaimVoided */
    uint8_t height;
    uint32_t index; /* of a node or leaf; row of partials */
    uint32_t element;
    uint32_t unit;
    lks_u256 amount; /* wei, as the next two: toOperator, amount */
    lks_u256 prepaid;
    lks_u256 burned;
    uint64_t deadline;          /* Unix seconds: of the side whose turn it is now */
    const uint8_t (*nodes)[32]; /* children; points into the data given, as the next */
    size_t node_count;
    const uint8_t *bytes; /* of a leaf, of partials */
    size_t len;
} lks_game_event;

/* Reads one log of the game contract; the address is the caller's to check: other contracts have
 * events of the same topics. Checks of Challenged that its ids, challenger and factsHash are those
 * of its Dispute and ClaimFacts.
 * Returns: LKS_OK; LKS_NOTFOUND (not an event of the game); LKS_CORRUPT (one of them, not as
 * declared). */
lks_err lks_game_event_decode(lks_game_event *out, const uint8_t (*topics)[32], size_t topic_count,
                              const uint8_t *data, size_t len) LKS_MUST_USE;
/* Out: topic 0 of a kind. */
void lks_game_event_topic(uint8_t topic32[32], lks_game_event_kind kind);
/* "Challenged"; "?" for an unknown kind. */
const char *lks_game_event_name(lks_game_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif
