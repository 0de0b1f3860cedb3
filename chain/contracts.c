#include "chain/contracts.h"

#include "chain/eip712.h"
#include "chain/keccak.h"

#include <string.h>

/* Bytes that one piece of a token list has, at most. */
#define PIECE 1024u

const char *const lks_contract_errors[] = {
    /* InferenceOracle */
    "UnknownModel(bytes32)", "MalformedTokens()", "EmptyPrompt()", "PromptTooLong()", "TokenOutsideVocabulary()", "NoTokensAsked()",
    "TooManyPositions()", "BadTemperature()", "BadMinP()", "AllowedNotIncreasing()", "StakeTooSmall()", "FeeTooLarge()",
    "WindowOutOfRange()", "AcceptPeriodOutOfRange()", "ClaimPeriodOutOfRange()", "ReplicasOutOfRange()", "CallbackGasOutOfRange()",
    "WrongStatus(uint8)", "TooEarly()", "TooLate()", "AlreadyAccepted()", "SeedBlockUnavailable()", "NotSeated()", "WrongSeed(uint64)",
    "CommitRequired()", "NotReplicated()", "EmptyCommitment()", "WrongReveal()", "TokenCountOutOfRange()", "TokensAfterEnd()",
    "EndsTooSoon()", "WrongAllowedList()", "TokenNotAllowed()", "NotMissed()", "DisputeLive()", "WrongTokens()", "InsufficientGas()",
    "NotDisputeGame()", "NoSuchClaim()", "NothingToWithdraw()", "TransferFailed()", "NotBonds()", "BadParameters()",
    /* OperatorBonds */
    "NotOracle()", "ZeroOperator()", "BadAmount()", "InsufficientFreeBond(address,uint256,uint256)",
    "InsufficientLockedBond(address,uint256,uint256)", "NothingQueued()", "WithdrawalNotReady(uint64)",
    /* ModelRegistry */
    "UnknownArithmeticVersion(uint32)", "MalformedCommitment()",
    /* DisputeGame */
    "WrongModel()", "WrongRequest()", "ClaimNotLive()", "DisputeExists()", "NoSuchDispute()", "WrongState(uint8)", "NotChallenger()", "NotOperator()",
    "NotEnoughEther(uint256)", "WrongChildCount()", "WrongHash()", "BadPadding()", "BadPick()", "UnknownShape()", "WrongLength()", "BadElement()",
    "BadPartials()", "NothingWrong()", "NotCommitted()", "UnknownRoot()", "WellFormed()",
    /* StepVerifier */
    "BadOpening()", "WrongRoot()", "BadUnit()", "MalformedProgram()",
    NULL};

void lks_tokens_pack(lks_buf *out, const uint32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t b[4] = {(uint8_t)ids[i], (uint8_t)(ids[i] >> 8), (uint8_t)(ids[i] >> 16), (uint8_t)(ids[i] >> 24)};
        lks_buf_put(out, b, sizeof b);
    }
}

lks_err lks_tokens_unpack(uint32_t *ids, const uint8_t *packed, size_t len) {
    if (len % 4) return lks_fail(LKS_CORRUPT, "a token list of %zu bytes is no whole number of ids", len);
    for (size_t i = 0; i < len / 4; i++) {
        const uint8_t *b = packed + 4 * i;
        ids[i] = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    }
    return LKS_OK;
}

void lks_tokens_hash(uint8_t hash32[32], const uint8_t *packed, size_t len) {
    memset(hash32, 0, 32);
    if (len == 0) return;
    lks_keccak outer;
    lks_keccak_init(&outer);
    for (size_t at = 0; at < len; at += PIECE) {
        uint8_t piece[32];
        lks_keccak256(piece, packed + at, len - at < PIECE ? len - at : PIECE);
        lks_keccak_update(&outer, piece, sizeof piece);
    }
    lks_keccak_final(&outer, hash32);
}

/* Words of a fixed layout, written in turn. */
static uint8_t *put_u64(uint8_t *at, uint64_t value) {
    memset(at, 0, 32);
    for (int i = 0; i < 8; i++) at[31 - i] = (uint8_t)(value >> (8 * i));
    return at + 32;
}

static uint8_t *put_word(uint8_t *at, const uint8_t word[32]) {
    memcpy(at, word, 32);
    return at + 32;
}

static uint8_t *put_address(uint8_t *at, const uint8_t address[20]) {
    memset(at, 0, 12);
    memcpy(at + 12, address, 20);
    return at + 32;
}

static uint8_t *put_u256(uint8_t *at, const lks_u256 *value) {
    lks_u256_to_be(at, value);
    return at + 32;
}

void lks_request_encode(uint8_t out[LKS_REQUEST_SIZE], const lks_request *r) {
    uint8_t *at = out;
    at = put_address(at, r->requester);
    at = put_u64(at, r->nonce);
    at = put_word(at, r->model_id);
    at = put_u64(at, r->prompt_count);
    at = put_word(at, r->prompt_hash);
    at = put_u64(at, r->temperature);
    at = put_u64(at, r->min_p);
    at = put_u64(at, r->seed);
    at = put_u64(at, r->allowed_count);
    at = put_word(at, r->allowed_hash);
    at = put_u64(at, r->max_tokens);
    at = put_u256(at, &r->stake);
    at = put_u256(at, &r->fee);
    at = put_u64(at, r->window);
    at = put_u64(at, r->accept_period);
    at = put_u64(at, r->claim_period);
    at = put_u64(at, r->replicas);
    at = put_address(at, r->callback);
    put_u64(at, r->callback_gas);
}

static lks_err read_u128(lks_abi_reader *r, lks_u256 *out) {
    lks_err err = lks_abi_read_u256(r, out);
    if (err == LKS_OK && (out->w[2] || out->w[3])) err = lks_fail(LKS_CORRUPT, "an amount has more than 128 bits");
    return err;
}

static lks_err read_u8(lks_abi_reader *r, uint8_t *out) {
    uint32_t value = 0;
    lks_err err = lks_abi_read_u32(r, &value);
    if (err == LKS_OK && value > UINT8_MAX) err = lks_fail(LKS_CORRUPT, "a small number has more than 8 bits");
    *out = (uint8_t)value;
    return err;
}

lks_err lks_request_decode(lks_request *out, const uint8_t in[LKS_REQUEST_SIZE]) {
    lks_abi_reader r;
    lks_abi_read(&r, in, LKS_REQUEST_SIZE);
    memset(out, 0, sizeof *out);
    lks_err err = lks_abi_read_address(&r, out->requester);
    if (!err) err = lks_abi_read_u64(&r, &out->nonce);
    if (!err) err = lks_abi_read_word(&r, out->model_id);
    if (!err) err = lks_abi_read_u32(&r, &out->prompt_count);
    if (!err) err = lks_abi_read_word(&r, out->prompt_hash);
    if (!err) err = lks_abi_read_u32(&r, &out->temperature);
    if (!err) err = lks_abi_read_u32(&r, &out->min_p);
    if (!err) err = lks_abi_read_u64(&r, &out->seed);
    if (!err) err = lks_abi_read_u32(&r, &out->allowed_count);
    if (!err) err = lks_abi_read_word(&r, out->allowed_hash);
    if (!err) err = lks_abi_read_u32(&r, &out->max_tokens);
    if (!err) err = read_u128(&r, &out->stake);
    if (!err) err = read_u128(&r, &out->fee);
    if (!err) err = lks_abi_read_u32(&r, &out->window);
    if (!err) err = lks_abi_read_u32(&r, &out->accept_period);
    if (!err) err = lks_abi_read_u32(&r, &out->claim_period);
    if (!err) err = read_u8(&r, &out->replicas);
    if (!err) err = lks_abi_read_address(&r, out->callback);
    if (!err) err = lks_abi_read_u32(&r, &out->callback_gas);
    return err;
}

void lks_request_id(uint8_t id32[32], uint64_t chain_id, const uint8_t oracle20[20], const lks_request *r) {
    uint8_t words[64 + LKS_REQUEST_SIZE];
    uint8_t *at = put_u64(words, chain_id);
    at = put_address(at, oracle20);
    lks_request_encode(at, r);
    lks_keccak256(id32, words, sizeof words);
}

uint64_t lks_seed_used(uint64_t request_seed, const uint8_t block_hash32[32]) {
    uint8_t words[64], hash[32];
    put_word(put_u64(words, request_seed), block_hash32);
    lks_keccak256(hash, words, sizeof words);
    uint64_t seed = 0;
    for (int i = 24; i < 32; i++) seed = seed << 8 | hash[i];
    return seed;
}

void lks_claim_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t oracle20[20], const uint8_t request_id32[32], uint64_t seed,
                    const uint8_t operator20[20], uint32_t token_count, const uint8_t tokens_hash32[32]) {
    lks_eip712 s;
    uint8_t domain[32], claim[32];
    lks_eip712_domain(domain, "Lockstep", "1", chain_id, oracle20);
    lks_eip712_begin(&s, "Claim(bytes32 requestId,uint64 seed,address operator,uint32 tokenCount,bytes32 tokensHash)");
    lks_eip712_word(&s, request_id32);
    lks_eip712_u64(&s, seed);
    lks_eip712_address(&s, operator20);
    lks_eip712_u64(&s, token_count);
    lks_eip712_word(&s, tokens_hash32);
    lks_eip712_end(&s, claim);
    lks_eip712_digest(hash32, domain, claim);
}

void lks_claim_id(uint8_t id32[32], const uint8_t claim_hash32[32], uint8_t attempt) {
    uint8_t words[64];
    put_u64(put_word(words, claim_hash32), attempt);
    lks_keccak256(id32, words, sizeof words);
}

void lks_claim_commitment(uint8_t commitment32[32], const uint8_t claim_hash32[32], const uint8_t salt32[32]) {
    uint8_t words[64];
    put_word(put_word(words, claim_hash32), salt32);
    lks_keccak256(commitment32, words, sizeof words);
}
