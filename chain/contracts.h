/* Lockstep's contracts in C: their structs, calls, events, errors and hashes. A mirror of contracts/src/interfaces, which say what each of them
 * means; shared by the plugin and the command line.
 *
 * Argument order: outputs first, then inputs; a length follows its array. Calls are appended to a buffer as calldata, selector first.
 * Token lists are packed u32 little-endian, 4 bytes an id, wherever this header says "packed".
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_CONTRACTS_H
#define LKS_CHAIN_CONTRACTS_H

#include "chain/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of abi.encode(Request): 19 words. */
#define LKS_REQUEST_SIZE 608u
#define LKS_CONTRACT_MAX_EOS 8u
#define LKS_MAX_REPLICAS 5u

/* Request. stake and fee are below 2^128. */
typedef struct lks_request {
    uint8_t requester[20];
    uint64_t nonce;
    uint8_t model_id[32];
    uint32_t prompt_count;
    uint8_t prompt_hash[32];
    uint32_t temperature; /* float32 bits */
    uint32_t min_p;       /* float32 bits */
    uint64_t seed;        /* the requester's part */
    uint32_t allowed_count;
    uint8_t allowed_hash[32];
    uint32_t max_tokens;
    lks_u256 stake; /* wei */
    lks_u256 fee;   /* wei */
    uint32_t window;        /* seconds, as the next two */
    uint32_t accept_period;
    uint32_t claim_period;
    uint8_t replicas;
    uint8_t callback[20];
    uint32_t callback_gas;
} lks_request;

/* RequestParams. Lists packed. */
typedef struct lks_request_params {
    uint8_t model_id[32];
    const uint8_t *prompt;
    size_t prompt_len;
    uint32_t temperature;
    uint32_t min_p;
    uint64_t seed;
    const uint8_t *allowed;
    size_t allowed_len;
    uint32_t max_tokens;
    lks_u256 stake;
    uint32_t window;
    uint32_t accept_period;
    uint32_t claim_period;
    uint8_t replicas;
    uint8_t callback[20];
    uint32_t callback_gas;
} lks_request_params;

/* ModelCommitment. */
typedef struct lks_model_commitment {
    uint32_t arithmetic_version;
    uint8_t weights_root[32];
    uint8_t program_root[32];
    uint8_t tokenizer_hash[32];
    uint8_t rope_root[32];
    uint32_t op_count;
    uint32_t tensor_count;
    uint32_t sampler_op;
    uint32_t vocab_size;
    uint32_t context_length;
    uint32_t max_positions;
    uint32_t eos_ids[LKS_CONTRACT_MAX_EOS];
    uint32_t eos_count;
} lks_model_commitment;

typedef enum lks_request_status {
    LKS_REQUEST_NONE = 0,
    LKS_REQUEST_OPEN,
    LKS_REQUEST_ACCEPTED,
    LKS_REQUEST_REVEALING,
    LKS_REQUEST_CLAIMED,
    LKS_REQUEST_FINAL,
    LKS_REQUEST_REFUNDED,
    LKS_REQUEST_STATUS_COUNT
} lks_request_status;

/* RequestState. */
typedef struct lks_request_state {
    lks_request_status status;
    uint8_t attempt;
    uint8_t replicas;
    uint8_t seats_taken;
    uint8_t final_seat;
    bool seed_fixed;
    uint64_t seed; /* the seed used */
    uint64_t request_block;
    uint32_t window;
    uint64_t deadline;
} lks_request_state;

typedef enum lks_seat_status {
    LKS_SEAT_EMPTY = 0,
    LKS_SEAT_ACCEPTED,
    LKS_SEAT_COMMITTED,
    LKS_SEAT_CLAIMED,
    LKS_SEAT_MISSED,
    LKS_SEAT_CONVICTED,
    LKS_SEAT_STATUS_COUNT
} lks_seat_status;

/* Seat. */
typedef struct lks_seat {
    uint8_t operator_address[20];
    lks_seat_status status;
    uint32_t token_count;
    uint32_t first_token;
    uint32_t disputes;
    uint8_t value[32];
} lks_seat;

/* OracleParameters. */
typedef struct lks_oracle_parameters {
    lks_u256 min_stake;
    uint32_t min_window, max_window;
    uint32_t min_accept_period, max_accept_period;
    uint32_t min_claim_period, max_claim_period;
    uint32_t reveal_period;
} lks_oracle_parameters;

/* What result() returns. */
typedef struct lks_request_result {
    lks_request_status status;
    uint32_t token_count;
    uint8_t tokens_hash[32];
    uint32_t first_token;
} lks_request_result;

/* BondAccount. */
typedef struct lks_bond_account {
    lks_u256 free, locked, queued;
    uint64_t ready_at;
} lks_bond_account;

/* ---- hashes and lists ---- */

/* Appends count ids, packed. */
void lks_tokens_pack(lks_buf *out, const uint32_t *ids, size_t count);
/* Out: ids, room for len / 4. Returns: LKS_OK; LKS_CORRUPT (len is no multiple of 4). */
lks_err lks_tokens_unpack(uint32_t *ids, const uint8_t *packed, size_t len) LKS_MUST_USE;
/* Out: the token hash of a packed list: keccak over the keccaks of its 1,024-byte pieces; of an empty one 32 zero bytes. */
void lks_tokens_hash(uint8_t hash32[32], const uint8_t *packed, size_t len);

/* Out: abi.encode(Request). */
void lks_request_encode(uint8_t out[LKS_REQUEST_SIZE], const lks_request *r);
/* Reads 19 words. Returns: LKS_OK; LKS_CORRUPT (a value outside its type). */
lks_err lks_request_decode(lks_request *out, const uint8_t in[LKS_REQUEST_SIZE]) LKS_MUST_USE;
/* Out: keccak256(abi.encode(chain id, oracle, Request)). */
void lks_request_id(uint8_t id32[32], uint64_t chain_id, const uint8_t oracle20[20], const lks_request *r);

/* Out: the seed used: the low 64 bits of keccak256(abi.encode(request seed, hash of the block after the request)). */
uint64_t lks_seed_used(uint64_t request_seed, const uint8_t block_hash32[32]);

/* Out: keccak256(abi.encode(ModelCommitment)). */
lks_err lks_model_id(uint8_t id32[32], const lks_model_commitment *c) LKS_MUST_USE;

/* Out: EIP-712 hash of Claim(bytes32 requestId,uint64 seed,address operator,uint32 tokenCount,bytes32 tokensHash). */
void lks_claim_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t oracle20[20], const uint8_t request_id32[32], uint64_t seed,
                    const uint8_t operator20[20], uint32_t token_count, const uint8_t tokens_hash32[32]);
/* Out: keccak256(abi.encode(claimHash, attempt)). */
void lks_claim_id(uint8_t id32[32], const uint8_t claim_hash32[32], uint8_t attempt);
/* Out: keccak256(abi.encode(claimHash, salt)). */
void lks_claim_commitment(uint8_t commitment32[32], const uint8_t claim_hash32[32], const uint8_t salt32[32]);

/* Signatures of every custom error of our contracts, NULL-terminated: for lks_eth_message.errors and lks_abi_revert_text. */
extern const char *const lks_contract_errors[];

/* ---- calls ---- */

/* InferenceOracle. */
lks_err lks_call_request(lks_buf *out, const lks_request_params *p) LKS_MUST_USE;
lks_err lks_call_expire(lks_buf *out, const lks_request *r) LKS_MUST_USE;
lks_err lks_call_accept(lks_buf *out, const lks_request *r) LKS_MUST_USE;
lks_err lks_call_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens, size_t tokens_len, const uint8_t *allowed,
                       size_t allowed_len) LKS_MUST_USE;
lks_err lks_call_commit_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t commitment32[32]) LKS_MUST_USE;
lks_err lks_call_reveal_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens, size_t tokens_len,
                              const uint8_t *allowed, size_t allowed_len, const uint8_t salt32[32]) LKS_MUST_USE;
lks_err lks_call_missed(lks_buf *out, const lks_request *r, uint8_t seat) LKS_MUST_USE;
lks_err lks_call_finalize(lks_buf *out, const lks_request *r, const uint8_t *tokens, size_t tokens_len) LKS_MUST_USE;
lks_err lks_call_state_of(lks_buf *out, const uint8_t request_id32[32]) LKS_MUST_USE;
lks_err lks_call_seat_of(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt, uint8_t seat) LKS_MUST_USE;
/* Returns a bool: whether the claim can still be convicted or become final. */
lks_err lks_call_standing(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt, uint8_t seat) LKS_MUST_USE;
lks_err lks_call_result(lks_buf *out, const uint8_t request_id32[32]) LKS_MUST_USE;
lks_err lks_call_nonces(lks_buf *out, const uint8_t requester20[20]) LKS_MUST_USE;
lks_err lks_call_credit(lks_buf *out, const uint8_t account20[20]) LKS_MUST_USE;
lks_err lks_call_parameters(lks_buf *out) LKS_MUST_USE;

/* ModelRegistry. In: uri, zero-terminated. */
lks_err lks_call_register(lks_buf *out, const lks_model_commitment *c, const uint8_t file_sha256[32], const char *uri) LKS_MUST_USE;
lks_err lks_call_is_registered(lks_buf *out, const uint8_t model_id32[32]) LKS_MUST_USE;

/* OperatorBonds. */
lks_err lks_call_deposit(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE;
lks_err lks_call_queue_withdrawal(lks_buf *out, const lks_u256 *wei) LKS_MUST_USE;
lks_err lks_call_account(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE;
lks_err lks_call_free_bond(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE;

/* withdraw(address payable) of InferenceOracle and of OperatorBonds. */
lks_err lks_call_withdraw(lks_buf *out, const uint8_t to20[20]) LKS_MUST_USE;

/* What the views return; strict: LKS_CORRUPT for another length or a value outside its type. A single bool, uint64 or uint256 is read with
 * lks_abi_read_*. */
lks_err lks_return_state(lks_request_state *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_seat(lks_seat *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_result(lks_request_result *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_parameters(lks_oracle_parameters *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_account(lks_bond_account *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_bool(bool *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_u64(uint64_t *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_u256(lks_u256 *out, const uint8_t *data, size_t len) LKS_MUST_USE;

/* ---- events ---- */

typedef enum lks_event_kind {
    LKS_EVENT_NONE = 0,
    /* InferenceOracle */
    LKS_EVENT_REQUESTED,
    LKS_EVENT_ACCEPTED,
    LKS_EVENT_COMMITTED,
    LKS_EVENT_REVEAL_OPENED,
    LKS_EVENT_CLAIMED,
    LKS_EVENT_MISSED,
    LKS_EVENT_REOPENED,
    LKS_EVENT_FINALIZED,
    LKS_EVENT_CALLBACK_RESULT,
    LKS_EVENT_REFUNDED,
    LKS_EVENT_DISPUTE_OPENED,
    LKS_EVENT_DISPUTE_CLOSED,
    LKS_EVENT_CONVICTED,
    LKS_EVENT_CREDITED,
    LKS_EVENT_WITHDRAWN, /* of InferenceOracle and of OperatorBonds */
    /* ModelRegistry */
    LKS_EVENT_MODEL_REGISTERED,
    /* OperatorBonds */
    LKS_EVENT_DEPOSITED,
    LKS_EVENT_WITHDRAWAL_QUEUED,
    LKS_EVENT_LOCKED,
    LKS_EVENT_UNLOCKED,
    LKS_EVENT_SEIZED,
    LKS_EVENT_BURNED,
    LKS_EVENT_KIND_COUNT
} lks_event_kind;

/* One event. Which members hold something depends on the kind, as its Solidity declaration says; all others are zero. */
typedef struct lks_event {
    lks_event_kind kind;
    uint8_t request_id[32];
    uint8_t claim_id[32];
    uint8_t model_id[32];
    uint8_t hash[32];    /* commitment, claimHash, tokensHash, fileSha256 */
    uint8_t account[20]; /* requester, operator, by, account */
    uint8_t other[20];   /* challenger, to, from */
    lks_request request; /* Requested */
    lks_model_commitment model;
    const uint8_t *bytes; /* prompt, tokens, uri; points into the data given, as the next */
    size_t bytes_len;
    const uint8_t *allowed;
    size_t allowed_len;
    uint8_t attempt;
    uint8_t seat;
    uint64_t seed;
    uint64_t time;   /* claimDeadline, revealDeadline, windowEnd, acceptDeadline, readyAt */
    uint32_t count;  /* tokenCount */
    bool success;    /* CallbackResult */
    lks_u256 amount; /* wei */
} lks_event;

/* Reads one log. Of Requested also checks that the lists have the stated counts and token hashes; the request id is the caller's to recompute,
 * since it takes chain id and address. In: topic_count topics, 0 to 4.
 * Returns: LKS_OK; LKS_NOTFOUND (not an event of ours); LKS_CORRUPT (one of ours, not as declared); LKS_NOMEM. */
lks_err lks_event_decode(lks_event *out, const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data, size_t len) LKS_MUST_USE;
/* Out: topic 0 of a kind. */
void lks_event_topic(uint8_t topic32[32], lks_event_kind kind);
/* "Requested"; "?" for an unknown kind. */
const char *lks_event_name(lks_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif
