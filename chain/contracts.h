/* Lockstep's contracts in C: their structs, calls, events, errors and hashes. A mirror of
 * contracts/src/interfaces, which say what each of them means; shared by the plugin and the command
 * line. The dispute game is in chain/dispute.h.
 *
 * Argument order: outputs first, then inputs; a length follows its array. Calls are appended to a
 * buffer as calldata, selector first. Token lists are packed u32 little-endian, 4 bytes per id,
 * wherever this header says "packed".
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_CONTRACTS_H
#define LKS_CHAIN_CONTRACTS_H

#include "chain/abi.h"
#include "chain/model_commitment.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of abi.encode(Request): 19 words. */
#define LKS_REQUEST_SIZE 608u
#define LKS_MAX_REPLICAS 5u
/* Attempts of a request; the one after them takes no acceptance any more. */
#define LKS_MAX_ATTEMPTS 5u
/* `claim` and `revealClaim` take the allowed list when both it and maxTokens are at most this. */
#define LKS_ALLOWED_ON_CHAIN 64u

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
    lks_u256 stake;           /* wei */
    lks_u256 fee;             /* wei */
    uint32_t window;          /* seconds */
    uint64_t accept_deadline; /* Unix seconds: the last in which a seat can be taken */
    uint32_t claim_period;    /* seconds */
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
    uint64_t accept_deadline;
    uint32_t claim_period;
    uint8_t replicas;
    uint8_t callback[20];
    uint32_t callback_gas;
} lks_request_params;

typedef enum lks_request_status {
    LKS_REQUEST_NONE = 0,
    LKS_REQUEST_OPEN,
    LKS_REQUEST_ACCEPTED,
    LKS_REQUEST_REVEALING,
    LKS_REQUEST_CLAIMED,
    LKS_REQUEST_FINAL,
    LKS_REQUEST_REFUNDED,
    LKS_REQUEST_UNDECIDED,
    LKS_REQUEST_STATUS_COUNT
} lks_request_status;

/* RequestState. */
typedef struct lks_request_state {
    lks_request_status status;
    uint8_t attempt; /* 1 to LKS_MAX_ATTEMPTS; one more: none is left */
    uint8_t misses;  /* 0 to 3 */
    bool cancelled;
    uint8_t seats_taken;
    uint8_t final_seat;
    uint64_t deadline; /* Unix seconds; what for depends on the status */
    uint64_t request_block;
    bool seed_fixed;
    uint64_t seed; /* the seed used, once it is fixed */
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
    bool disputed;
    uint8_t value[32]; /* commitment, or token hash of the claim */
} lks_seat;

/* OracleParameters. Wei; seconds. */
typedef struct lks_oracle_parameters {
    lks_u256 min_stake;
    uint32_t min_window;
    uint32_t max_window;
    uint32_t min_accept_period; /* from the request to accept_deadline */
    uint32_t max_accept_period;
    uint32_t min_claim_period;
    uint32_t min_replica_claim_period;
    uint32_t max_claim_period;
    uint32_t fill_period;
    uint32_t reveal_period;
} lks_oracle_parameters;

/* The values that result() returns. */
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

/* Roles of an agent (AgentRoles): a set of bits. */
enum {
    LKS_AGENT_CLAIMS = 1,   /* acceptances, commitments, claims */
    LKS_AGENT_DISPUTES = 2, /* moves in disputes */
    LKS_AGENT_RECEIPTS = 4, /* receipts for answers off chain */
    LKS_AGENT_ALL = 7
};

/* ClaimFacts. */
typedef struct lks_claim_facts {
    uint32_t prompt_count;
    uint8_t prompt_hash[32];
    uint32_t token_count;
    uint8_t tokens_hash[32];
    uint32_t temperature; /* float32 bits of the request, as min_p */
    uint32_t min_p;
    uint64_t seed; /* the seed used; 0 when greedy */
    uint32_t allowed_count;
    uint8_t allowed_hash[32];
} lks_claim_facts;

/* Claim: everything about a claim that never changes. stake is below 2^128. */
typedef struct lks_claim_terms {
    uint8_t source[20]; /* the contract that the claim lives in */
    uint8_t name[32];   /* its name there */
    uint8_t operator_address[20];
    lks_u256 stake; /* wei */
    uint8_t model_id[32];
    uint8_t facts_hash[32];
} lks_claim_terms;

/* ---- hashes and lists ---- */

/* Appends count ids, packed. */
void lks_tokens_pack(lks_buf *out, const uint32_t *ids, size_t count);
/* Out: ids, room for len / 4. Returns: LKS_OK; LKS_CORRUPT (len is no multiple of 4). */
lks_err lks_tokens_unpack(uint32_t *ids, const uint8_t *packed, size_t len) LKS_MUST_USE;
/* Out: the token hash of a packed list: keccak over the keccaks of its 1,024-byte pieces; of an
 * empty one 32 zero bytes. */
void lks_tokens_hash(uint8_t hash32[32], const uint8_t *packed, size_t len);

/* Out: abi.encode(Request). */
void lks_request_encode(uint8_t out[LKS_REQUEST_SIZE], const lks_request *r);
/* Reads 19 words. Returns: LKS_OK; LKS_CORRUPT (a value outside its type). */
lks_err lks_request_decode(lks_request *out, const uint8_t in[LKS_REQUEST_SIZE]) LKS_MUST_USE;
/* Out: keccak256(abi.encode(chain id, oracle, Request)) with its last byte cleared. */
void lks_request_id(uint8_t id32[32], uint64_t chain_id, const uint8_t oracle20[20],
                    const lks_request *r);

/* Returns: the seed used of a sampled request: the low 64 bits of keccak256(abi.encode(request
 * seed, prevRandao)). In: prevRandao (mixHash) of the seed block, LKS_SEED_DELAY after the
 * request's. */
uint64_t lks_seed_used(uint64_t request_seed, const uint8_t prev_randao32[32]);
/* Blocks from the request to the one whose prevRandao enters the seed, and to the first and the
 * last one in which the first acceptance of a sampled request can be. */
#define LKS_SEED_DELAY 8u
#define LKS_SEED_FIRST_BLOCK 9u
#define LKS_SEED_LAST_BLOCK 8000u

/* Out: the oracle's name of a claim: the request id with 8 * attempt + seat in its last byte.
 * attempt: 1 to LKS_MAX_ATTEMPTS; seat: below LKS_MAX_REPLICAS. */
void lks_claim_name(uint8_t name32[32], const uint8_t request_id32[32], uint8_t attempt,
                    uint8_t seat);
/* The reverse. Returns: LKS_OK; LKS_CORRUPT (no attempt or seat of the oracle). */
lks_err lks_claim_name_split(uint8_t request_id32[32], uint8_t *attempt, uint8_t *seat,
                             const uint8_t name32[32]) LKS_MUST_USE;

/* Out: the facts of a claim of the oracle. seed: the seed used, 0 when greedy. */
void lks_claim_facts_of(lks_claim_facts *out, const lks_request *r, uint64_t seed,
                        uint32_t token_count, const uint8_t tokens_hash32[32]);
/* Out: the terms of a claim of the oracle. */
void lks_claim_terms_of(lks_claim_terms *out, const uint8_t oracle20[20], const uint8_t name32[32],
                        const uint8_t operator20[20], const lks_request *r,
                        const lks_claim_facts *facts);

/* Out: keccak256(abi.encode(ClaimFacts)). */
void lks_claim_facts_hash(uint8_t hash32[32], const lks_claim_facts *facts);
/* Out: keccak256(abi.encode(Claim)): the dispute game's key of the claim. */
void lks_claim_id(uint8_t id32[32], const lks_claim_terms *claim);
/* Out: what commitClaim takes: keccak256(abi.encode(name, operator, seed, tokensHash, salt)). */
void lks_claim_commitment(uint8_t commitment32[32], const uint8_t name32[32],
                          const uint8_t operator20[20], uint64_t seed,
                          const uint8_t tokens_hash32[32], const uint8_t salt32[32]);

/* Signatures of every custom error of our contracts, NULL-terminated: for lks_eth_message.errors
 * and lks_abi_revert_text. */
extern const char *const lks_contract_errors[];

/* ---- calls ---- */

/* InferenceOracle, requester. */
lks_err lks_call_request(lks_buf *out, const lks_request_params *p) LKS_MUST_USE;
lks_err lks_call_cancel(lks_buf *out, const lks_request *r) LKS_MUST_USE;
lks_err lks_call_withdraw_of(lks_buf *out, const lks_request *r,
                             const uint8_t to20[20]) LKS_MUST_USE;

/* InferenceOracle, operator or its agent for claims. */
/* header: lks_header_rlp of the seed block, or none. */
lks_err lks_call_accept(lks_buf *out, const lks_request *r, const uint8_t operator20[20],
                        const uint8_t *header, size_t header_len) LKS_MUST_USE;
/* allowed: the request's list, or none where lks_request_shows_allowed is false; so for
 * lks_call_reveal_claim. */
lks_err lks_call_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens,
                       size_t tokens_len, const uint8_t *allowed, size_t allowed_len) LKS_MUST_USE;
lks_err lks_call_commit_claim(lks_buf *out, const lks_request *r, uint8_t seat, uint64_t seed,
                              const uint8_t commitment32[32]) LKS_MUST_USE;
lks_err lks_call_reveal_claim(lks_buf *out, const lks_request *r, uint8_t seat, uint64_t seed,
                              const uint8_t *tokens, size_t tokens_len, const uint8_t *allowed,
                              size_t allowed_len, const uint8_t salt32[32]) LKS_MUST_USE;
/* Returns: whether a claim brings the request's allowed list with it. */
bool lks_request_shows_allowed(const lks_request *r);

/* InferenceOracle, anybody. */
lks_err lks_call_free_seats(lks_buf *out, const lks_request *r) LKS_MUST_USE;
lks_err lks_call_missed(lks_buf *out, const lks_request *r, uint8_t seat) LKS_MUST_USE;
lks_err lks_call_expire(lks_buf *out, const lks_request *r) LKS_MUST_USE;
lks_err lks_call_finalize(lks_buf *out, const lks_request *r, const uint8_t *tokens,
                          size_t tokens_len) LKS_MUST_USE;

/* InferenceOracle, views. What they return is named where it is not the obvious one below. */
lks_err lks_call_state_of(lks_buf *out, const uint8_t request_id32[32]) LKS_MUST_USE;
lks_err lks_call_seat_of(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt,
                         uint8_t seat) LKS_MUST_USE;
lks_err lks_call_result(lks_buf *out, const uint8_t request_id32[32]) LKS_MUST_USE;
lks_err lks_call_nonces(lks_buf *out, const uint8_t requester20[20]) LKS_MUST_USE;     /* u64 */
lks_err lks_call_credit(lks_buf *out, const uint8_t account20[20]) LKS_MUST_USE;       /* u256 */
lks_err lks_call_credit_of(lks_buf *out, const uint8_t request_id32[32]) LKS_MUST_USE; /* u256 */
lks_err lks_call_parameters(lks_buf *out) LKS_MUST_USE;

/* IClaims: of any source of claims. */
/* opening: of the oracle abi.encode(Request). Returned: lks_return_source_claim. */
lks_err lks_call_source_claim(lks_buf *out, const uint8_t name32[32], const uint8_t *opening,
                              size_t opening_len) LKS_MUST_USE;
/* Returned, a bool: whether the claim can still be convicted or become final. */
lks_err lks_call_standing(lks_buf *out, const uint8_t name32[32]) LKS_MUST_USE;
lks_err lks_call_dispute_game(lks_buf *out) LKS_MUST_USE; /* lks_return_address */
lks_err lks_call_bonds(lks_buf *out) LKS_MUST_USE;        /* lks_return_address; also of the game */

/* ModelRegistry. In: uri, zero-terminated. */
lks_err lks_call_register(lks_buf *out, const lks_model_commitment *c,
                          const uint8_t file_sha256[32], const char *uri) LKS_MUST_USE;
lks_err lks_call_is_registered(lks_buf *out, const uint8_t model_id32[32]) LKS_MUST_USE;

/* OperatorBonds. */
lks_err lks_call_deposit(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE;
lks_err lks_call_queue_withdrawal(lks_buf *out, const lks_u256 *wei) LKS_MUST_USE;
/* roles: LKS_AGENT_*; 0 revokes. */
lks_err lks_call_set_agent(lks_buf *out, const uint8_t agent20[20], uint8_t roles) LKS_MUST_USE;
lks_err lks_call_allow_source(lks_buf *out, const uint8_t source20[20], bool allowed) LKS_MUST_USE;
lks_err lks_call_account(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE;
lks_err lks_call_free_bond(lks_buf *out, const uint8_t operator20[20]) LKS_MUST_USE; /* u256 */
lks_err lks_call_locked_by(lks_buf *out, const uint8_t operator20[20],
                           const uint8_t source20[20]) LKS_MUST_USE; /* u256 */
lks_err lks_call_agent_roles(lks_buf *out, const uint8_t operator20[20],
                             const uint8_t agent20[20]) LKS_MUST_USE; /* u8 */
lks_err lks_call_is_allowed_source(lks_buf *out, const uint8_t operator20[20],
                                   const uint8_t source20[20]) LKS_MUST_USE; /* bool */
lks_err lks_call_withdrawal_delay(lks_buf *out) LKS_MUST_USE;                /* u64 */

/* withdraw(address payable) of InferenceOracle, OperatorBonds and DisputeGame. */
lks_err lks_call_withdraw(lks_buf *out, const uint8_t to20[20]) LKS_MUST_USE;

/* Decoders of the values that views return; strict: LKS_CORRUPT for another length or a value
 * outside its type. */
lks_err lks_return_state(lks_request_state *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_seat(lks_seat *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_result(lks_request_result *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_parameters(lks_oracle_parameters *out, const uint8_t *data,
                              size_t len) LKS_MUST_USE;
/* Also checks that the claim's factsHash is that of the facts. */
lks_err lks_return_source_claim(lks_claim_terms *claim, lks_claim_facts *facts, const uint8_t *data,
                                size_t len) LKS_MUST_USE;
lks_err lks_return_account(lks_bond_account *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_bool(bool *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_u8(uint8_t *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_u64(uint64_t *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_u256(lks_u256 *out, const uint8_t *data, size_t len) LKS_MUST_USE;
lks_err lks_return_address(uint8_t address20[20], const uint8_t *data, size_t len) LKS_MUST_USE;

/* ---- events ---- */

typedef enum lks_event_kind {
    LKS_EVENT_NONE = 0,
    /* InferenceOracle */
    LKS_EVENT_REQUESTED,
    LKS_EVENT_ACCEPTED,
    LKS_EVENT_SEATS_FREED,
    LKS_EVENT_COMMITTED,
    LKS_EVENT_REVEAL_OPENED,
    LKS_EVENT_CLAIMED,
    LKS_EVENT_MISSED,
    LKS_EVENT_REOPENED,
    LKS_EVENT_CANCELLED,
    LKS_EVENT_FINALIZED,
    LKS_EVENT_CALLBACK_RESULT,
    LKS_EVENT_REFUNDED,
    LKS_EVENT_UNDECIDED,
    LKS_EVENT_DISPUTED,
    LKS_EVENT_SETTLED,
    LKS_EVENT_CONVICTED,
    LKS_EVENT_VOIDED,
    LKS_EVENT_CREDITED,  /* of the dispute game too, where `name` is the claim id */
    LKS_EVENT_WITHDRAWN, /* of InferenceOracle, OperatorBonds and DisputeGame */
    LKS_EVENT_WITHDRAWN_OF,
    /* ModelRegistry */
    LKS_EVENT_MODEL_REGISTERED,
    /* OperatorBonds */
    LKS_EVENT_DEPOSITED,
    LKS_EVENT_WITHDRAWAL_QUEUED,
    LKS_EVENT_LOCKED,
    LKS_EVENT_RELEASED,
    LKS_EVENT_AGENT_SET,
    LKS_EVENT_SOURCE_ALLOWED,
    LKS_EVENT_KIND_COUNT
} lks_event_kind;

/* One event. Which members hold something depends on the kind, as its Solidity declaration says;
 * all others are zero. */
typedef struct lks_event {
    lks_event_kind kind;
    uint8_t request_id[32];
    uint8_t name[32]; /* of the claim */
    uint8_t model_id[32];
    uint8_t hash[32];    /* commitment, fileSha256 */
    uint8_t account[20]; /* requester, operator, by, account */
    uint8_t other[20];   /* challenger, to, from, source, agent */
    lks_request request; /* Requested */
    lks_model_commitment model;
    const uint8_t *bytes; /* prompt, tokens, uri; points into the data given, as the next */
    size_t bytes_len;
    const uint8_t *allowed;
    size_t allowed_len;
    uint8_t attempt; /* also where only the claim's name says it; so the seat */
    uint8_t seat;
    uint8_t roles; /* LKS_AGENT_* */
    uint64_t seed;
    uint64_t time;   /* Unix seconds: deadline, revealDeadline, windowEnd, readyAt */
    uint32_t count;  /* tokenCount */
    bool flag;       /* Accepted: filled; CallbackResult: success; SourceAllowed: allowed */
    lks_u256 amount; /* wei, as the next three: amount, penalty, fee, toChallenger */
    lks_u256 to_requester;
    lks_u256 seized;
    lks_u256 burned;
} lks_event;

/* Reads one log. Also checks of Requested that the lists have the stated counts and token hashes
 * (the request id is the caller's to recompute, since it takes chain id and address), and of
 * Claimed and the like that the name is of the request. In: topic_count topics, 0 to 4.
 * Returns: LKS_OK; LKS_NOTFOUND (not an event of ours); LKS_CORRUPT (one of ours, not as declared);
 * LKS_NOMEM. */
lks_err lks_event_decode(lks_event *out, const uint8_t (*topics)[32], size_t topic_count,
                         const uint8_t *data, size_t len) LKS_MUST_USE;
/* Out: topic 0 of a kind. */
void lks_event_topic(uint8_t topic32[32], lks_event_kind kind);
/* "Requested"; "?" for an unknown kind. */
const char *lks_event_name(lks_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif
