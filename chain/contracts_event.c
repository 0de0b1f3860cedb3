/* Events of our contracts. One row of `events` is one event: what its topics and its data hold, in the order of its declaration. */
#include "chain/contracts.h"
#include "chain/keccak.h"

#include <pthread.h>
#include <string.h>

/* A member of an event, as a letter of the layout strings below.
 * In topics:  r request id, c claim id, m model id, a account, o other address.
 * In data:    h a hash, d attempt, s seat, e seed, t a time, n a token count, b bool, w wei, x other address, B bytes, L the allowed list,
 *             R the Request (19 words), M the ModelCommitment (a dynamic tuple). */
typedef struct event_layout {
    const char *signature;
    const char *topics;
    const char *data;
} event_layout;

static const event_layout events[LKS_EVENT_KIND_COUNT] = {
    [LKS_EVENT_REQUESTED] = {"Requested(bytes32,bytes32,address,(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,"
                             "bytes32,uint32,uint128,uint128,uint32,uint32,uint32,uint8,address,uint32),bytes,bytes)",
                             "rma", "RBL"},
    [LKS_EVENT_ACCEPTED] = {"Accepted(bytes32,address,uint8,uint8,uint64,uint64)", "ra", "dset"},
    [LKS_EVENT_COMMITTED] = {"Committed(bytes32,address,bytes32)", "ra", "h"},
    [LKS_EVENT_REVEAL_OPENED] = {"RevealOpened(bytes32,uint64)", "r", "t"},
    [LKS_EVENT_CLAIMED] = {"Claimed(bytes32,bytes32,address,bytes32,uint64,bytes)", "rca", "htB"},
    [LKS_EVENT_MISSED] = {"Missed(bytes32,address,uint256)", "ra", "w"},
    [LKS_EVENT_REOPENED] = {"Reopened(bytes32,uint8,uint64)", "r", "dt"},
    [LKS_EVENT_FINALIZED] = {"Finalized(bytes32,bytes32,uint32,bytes32)", "rc", "nh"},
    [LKS_EVENT_CALLBACK_RESULT] = {"CallbackResult(bytes32,bool)", "r", "b"},
    [LKS_EVENT_REFUNDED] = {"Refunded(bytes32)", "r", ""},
    [LKS_EVENT_DISPUTE_OPENED] = {"DisputeOpened(bytes32,bytes32)", "rc", ""},
    [LKS_EVENT_DISPUTE_CLOSED] = {"DisputeClosed(bytes32,bytes32)", "rc", ""},
    [LKS_EVENT_CONVICTED] = {"Convicted(bytes32,bytes32,address,address)", "rca", "x"},
    [LKS_EVENT_CREDITED] = {"Credited(address,bytes32,uint256)", "ar", "w"},
    [LKS_EVENT_WITHDRAWN] = {"Withdrawn(address,address,uint256)", "ao", "w"},
    [LKS_EVENT_MODEL_REGISTERED] = {"ModelRegistered(bytes32,address,(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,"
                                    "uint32,uint32,uint32,uint32[]),bytes32,string)",
                                    "ma", "MhB"},
    [LKS_EVENT_DEPOSITED] = {"Deposited(address,address,uint256)", "ao", "w"},
    [LKS_EVENT_WITHDRAWAL_QUEUED] = {"WithdrawalQueued(address,uint256,uint64)", "a", "wt"},
    [LKS_EVENT_LOCKED] = {"Locked(address,uint256)", "a", "w"},
    [LKS_EVENT_UNLOCKED] = {"Unlocked(address,uint256)", "a", "w"},
    [LKS_EVENT_SEIZED] = {"Seized(address,uint256)", "a", "w"},
    [LKS_EVENT_BURNED] = {"Burned(address,uint256)", "a", "w"},
};

static uint8_t topics_of_kinds[LKS_EVENT_KIND_COUNT][32];
static pthread_once_t topics_once = PTHREAD_ONCE_INIT;

static void make_topics(void) {
    for (int kind = 1; kind < LKS_EVENT_KIND_COUNT; kind++) lks_abi_topic(topics_of_kinds[kind], events[kind].signature);
}

void lks_event_topic(uint8_t topic32[32], lks_event_kind kind) {
    memset(topic32, 0, 32);
    if (kind <= LKS_EVENT_NONE || kind >= LKS_EVENT_KIND_COUNT) return;
    pthread_once(&topics_once, make_topics);
    memcpy(topic32, topics_of_kinds[kind], 32);
}

const char *lks_event_name(lks_event_kind kind) {
    static const char *const names[LKS_EVENT_KIND_COUNT] = {
        "?", "Requested", "Accepted", "Committed", "RevealOpened", "Claimed", "Missed", "Reopened", "Finalized", "CallbackResult",
        "Refunded", "DisputeOpened", "DisputeClosed", "Convicted", "Credited", "Withdrawn", "ModelRegistered", "Deposited",
        "WithdrawalQueued", "Locked", "Unlocked", "Seized", "Burned"};
    return (unsigned)kind < LKS_EVENT_KIND_COUNT ? names[kind] : names[0];
}

static lks_err read_topic(lks_event *out, char member, const uint8_t topic[32]) {
    static const uint8_t zeros[12];
    switch (member) {
    case 'r': memcpy(out->request_id, topic, 32); return LKS_OK;
    case 'c': memcpy(out->claim_id, topic, 32); return LKS_OK;
    case 'm': memcpy(out->model_id, topic, 32); return LKS_OK;
    default: break;
    }
    if (memcmp(topic, zeros, sizeof zeros)) return lks_fail(LKS_CORRUPT, "an indexed address has more than 20 bytes");
    memcpy(member == 'a' ? out->account : out->other, topic + 12, 20);
    return LKS_OK;
}

static lks_err read_model(lks_model_commitment *m, lks_abi_reader *r) {
    lks_abi_reader t, ids;
    size_t count = 0;
    lks_err err = lks_abi_read_tuple(r, &t);
    if (!err) err = lks_abi_read_u32(&t, &m->arithmetic_version);
    if (!err) err = lks_abi_read_word(&t, m->weights_root);
    if (!err) err = lks_abi_read_word(&t, m->program_root);
    if (!err) err = lks_abi_read_word(&t, m->tokenizer_hash);
    if (!err) err = lks_abi_read_word(&t, m->rope_root);
    if (!err) err = lks_abi_read_u32(&t, &m->op_count);
    if (!err) err = lks_abi_read_u32(&t, &m->tensor_count);
    if (!err) err = lks_abi_read_u32(&t, &m->sampler_op);
    if (!err) err = lks_abi_read_u32(&t, &m->vocab_size);
    if (!err) err = lks_abi_read_u32(&t, &m->context_length);
    if (!err) err = lks_abi_read_u32(&t, &m->max_positions);
    if (!err) err = lks_abi_read_array(&t, 1, &ids, &count);
    if (!err && count > LKS_CONTRACT_MAX_EOS) err = lks_fail(LKS_CORRUPT, "a registered model has %zu end-of-sequence ids", count);
    for (size_t i = 0; !err && i < count; i++) err = lks_abi_read_u32(&ids, &m->eos_ids[i]);
    m->eos_count = (uint32_t)count;
    return err;
}

static lks_err read_request(lks_request *request, lks_abi_reader *r) {
    uint8_t words[LKS_REQUEST_SIZE];
    for (size_t i = 0; i < sizeof words; i += 32) {
        lks_err err = lks_abi_read_word(r, words + i);
        if (err) return err;
    }
    return lks_request_decode(request, words);
}

static lks_err read_u8(lks_abi_reader *r, uint8_t *out) {
    uint32_t value = 0;
    lks_err err = lks_abi_read_u32(r, &value);
    if (err == LKS_OK && value > UINT8_MAX) err = lks_fail(LKS_CORRUPT, "a small number has more than 8 bits");
    *out = (uint8_t)value;
    return err;
}

static lks_err read_member(lks_event *out, char member, lks_abi_reader *r) {
    switch (member) {
    case 'h': return lks_abi_read_word(r, out->hash);
    case 'd': return read_u8(r, &out->attempt);
    case 's': return read_u8(r, &out->seat);
    case 'e': return lks_abi_read_u64(r, &out->seed);
    case 't': return lks_abi_read_u64(r, &out->time);
    case 'n': return lks_abi_read_u32(r, &out->count);
    case 'b': return lks_abi_read_bool(r, &out->success);
    case 'w': return lks_abi_read_u256(r, &out->amount);
    case 'x': return lks_abi_read_address(r, out->other);
    case 'B': return lks_abi_read_bytes(r, &out->bytes, &out->bytes_len);
    case 'L': return lks_abi_read_bytes(r, &out->allowed, &out->allowed_len);
    case 'R': return read_request(&out->request, r);
    case 'M': return read_model(&out->model, r);
    default: return lks_fail(LKS_INTERNAL, "unknown event member '%c'", member);
    }
}

static lks_err check_list(const char *what, const uint8_t *packed, size_t len, uint32_t count, const uint8_t hash32[32]) {
    uint8_t hash[32];
    if (len != 4 * (uint64_t)count) return lks_fail(LKS_CORRUPT, "the %s list has %zu bytes, %u ids are stated", what, len, count);
    lks_tokens_hash(hash, packed, len);
    if (memcmp(hash, hash32, 32)) return lks_fail(LKS_CORRUPT, "the %s list does not have the token hash that is stated", what);
    return LKS_OK;
}

lks_err lks_event_decode(lks_event *out, const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data, size_t len) {
    memset(out, 0, sizeof *out);
    pthread_once(&topics_once, make_topics);
    int kind = LKS_EVENT_NONE + 1;
    while (kind < LKS_EVENT_KIND_COUNT && (topic_count == 0 || memcmp(topics[0], topics_of_kinds[kind], 32))) kind++;
    if (kind == LKS_EVENT_KIND_COUNT) return lks_fail(LKS_NOTFOUND, "not an event of ours");

    const event_layout *e = &events[kind];
    lks_err err = LKS_OK;
    if (topic_count != 1 + strlen(e->topics))
        err = lks_fail(LKS_CORRUPT, "%zu topics where %zu are due", topic_count, 1 + strlen(e->topics));
    for (size_t i = 0; !err && e->topics[i]; i++) err = read_topic(out, e->topics[i], topics[1 + i]);
    lks_abi_reader r;
    lks_abi_read(&r, data, len);
    for (size_t i = 0; !err && e->data[i]; i++) err = read_member(out, e->data[i], &r);
    bool is_static = strpbrk(e->data, "BLM") == NULL;
    if (!err && is_static && len != r.at) err = lks_fail(LKS_CORRUPT, "%zu bytes of data where %zu are due", len, r.at);
    if (!err && kind == LKS_EVENT_REQUESTED) {
        err = check_list("prompt", out->bytes, out->bytes_len, out->request.prompt_count, out->request.prompt_hash);
        if (!err) err = check_list("allowed", out->allowed, out->allowed_len, out->request.allowed_count, out->request.allowed_hash);
        if (!err && (memcmp(out->request.model_id, out->model_id, 32) || memcmp(out->request.requester, out->account, 20)))
            err = lks_fail(LKS_CORRUPT, "its topics and its request differ");
    }
    if (!err && kind == LKS_EVENT_CLAIMED && out->bytes_len % 4) err = lks_fail(LKS_CORRUPT, "its tokens are no whole number of ids");
    if (err) return lks_fail_in(err, "event %s", lks_event_name((lks_event_kind)kind));
    out->kind = (lks_event_kind)kind;
    return LKS_OK;
}
