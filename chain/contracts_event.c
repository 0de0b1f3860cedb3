/* Events of our contracts. One row of EVENTS is one event: what its topics and its data hold, in
 * the order of its declaration. */
#include <pthread.h>
#include <string.h>

#include "chain/contracts_internal.h"
#include "chain/event_layout.h"

/* A member of an event, as a letter of the layout strings below.
 * In topics:  r request id, c the claim's name, m model id, a account, o other address.
 * In data:    h a hash, d attempt, s seat, g roles, e seed, t a time, n a token count, b bool, w
 *             wei, q what the requester gets, z what was seized, u what was burned, o other
 *             address, B bytes, L the allowed list, R the Request (19 words), M the ModelCommitment
 *             (a dynamic tuple). */
static const lks_event_layout EVENTS[LKS_EVENT_KIND_COUNT] = {
    [LKS_EVENT_REQUESTED] = {"Requested",
                             "(bytes32,bytes32,address," LKS_REQUEST_TYPE ",bytes,bytes)", "rma",
                             "RBL"},
    [LKS_EVENT_ACCEPTED] = {"Accepted", "(bytes32,address,uint8,uint8,uint64,bool,uint64)", "ra",
                            "dsebt"},
    [LKS_EVENT_SEATS_FREED] = {"SeatsFreed", "(bytes32)", "r", ""},
    [LKS_EVENT_COMMITTED] = {"Committed", "(bytes32,address,uint8,bytes32)", "ra", "sh"},
    [LKS_EVENT_REVEAL_OPENED] = {"RevealOpened", "(bytes32,uint64)", "r", "t"},
    [LKS_EVENT_CLAIMED] = {"Claimed", "(bytes32,bytes32,address,uint64,uint64,bytes)", "rca",
                           "etB"},
    [LKS_EVENT_MISSED] = {"Missed", "(bytes32,address,uint8,uint256,uint256)", "ra", "swq"},
    [LKS_EVENT_REOPENED] = {"Reopened", "(bytes32,uint8)", "r", "d"},
    [LKS_EVENT_CANCELLED] = {"Cancelled", "(bytes32)", "r", ""},
    [LKS_EVENT_FINALIZED] = {"Finalized", "(bytes32,bytes32,uint32)", "rc", "n"},
    [LKS_EVENT_CALLBACK_RESULT] = {"CallbackResult", "(bytes32,bool)", "r", "b"},
    [LKS_EVENT_REFUNDED] = {"Refunded", "(bytes32,uint256)", "r", "w"},
    [LKS_EVENT_UNDECIDED] = {"Undecided", "(bytes32,uint256)", "r", "u"},
    [LKS_EVENT_DISPUTED] = {"Disputed", "(bytes32,bytes32)", "rc", ""},
    [LKS_EVENT_SETTLED] = {"Settled", "(bytes32,bytes32)", "rc", ""},
    [LKS_EVENT_CONVICTED] = {"Convicted",
                             "(bytes32,bytes32,address,address,uint256,uint256,uint256)", "rca",
                             "owqu"},
    [LKS_EVENT_VOIDED] = {"Voided", "(bytes32,bytes32)", "rc", ""},
    [LKS_EVENT_CREDITED] = {"Credited", "(address,bytes32,uint256)", "ac", "w"},
    [LKS_EVENT_WITHDRAWN] = {"Withdrawn", "(address,address,uint256)", "ao", "w"},
    [LKS_EVENT_WITHDRAWN_OF] = {"WithdrawnOf", "(bytes32,address,uint256)", "ro", "w"},
    [LKS_EVENT_MODEL_REGISTERED] = {"ModelRegistered",
                                    "(bytes32,address," LKS_MODEL_TYPE ",bytes32,string)", "ma",
                                    "MhB"},
    [LKS_EVENT_DEPOSITED] = {"Deposited", "(address,address,uint256)", "ao", "w"},
    [LKS_EVENT_WITHDRAWAL_QUEUED] = {"WithdrawalQueued", "(address,uint256,uint64)", "a", "wt"},
    [LKS_EVENT_LOCKED] = {"Locked", "(address,bytes32,address,uint256)", "aco", "w"},
    [LKS_EVENT_RELEASED] = {"Released", "(address,bytes32,address,uint256,uint256,uint256)", "aco",
                            "wzu"},
    [LKS_EVENT_AGENT_SET] = {"AgentSet", "(address,address,uint8)", "ao", "g"},
    [LKS_EVENT_SOURCE_ALLOWED] = {"SourceAllowed", "(address,address,bool)", "ao", "b"},
};

static lks_err read_topic(void *event, char member, const uint8_t topic[32])
{
    lks_event *out = event;
    lks_abi_reader r;
    lks_abi_read(&r, topic, 32);
    switch (member) {
    case 'r': return lks_abi_read_word(&r, out->request_id);
    case 'c': return lks_abi_read_word(&r, out->name);
    case 'm': return lks_abi_read_word(&r, out->model_id);
    case 'a': return lks_abi_read_address(&r, out->account);
    case 'o': return lks_abi_read_address(&r, out->other);
    default: return lks_fail(LKS_INTERNAL, "unknown event topic '%c'", member);
    }
}

static lks_err read_model(lks_model_commitment *m, lks_abi_reader *r)
{
    lks_abi_reader t, ids;
    size_t count = 0;
    lks_err err = lks_abi_read_tuple(r, &t);
    if (!err)
        err = lks_abi_read_u32(&t, &m->arithmetic_version);
    if (!err)
        err = lks_abi_read_word(&t, m->weights_root);
    if (!err)
        err = lks_abi_read_word(&t, m->program_root);
    if (!err)
        err = lks_abi_read_word(&t, m->tokenizer_hash);
    if (!err)
        err = lks_abi_read_word(&t, m->rope_root);
    if (!err)
        err = lks_abi_read_u32(&t, &m->op_count);
    if (!err)
        err = lks_abi_read_u32(&t, &m->tensor_count);
    if (!err)
        err = lks_abi_read_u32(&t, &m->sampler_op);
    if (!err)
        err = lks_abi_read_u32(&t, &m->vocab_size);
    if (!err)
        err = lks_abi_read_u32(&t, &m->context_length);
    if (!err)
        err = lks_abi_read_u32(&t, &m->max_positions);
    if (!err)
        err = lks_abi_read_array(&t, 1, &ids, &count);
    if (!err && count > LKS_MAX_EOS)
        err = lks_fail(LKS_CORRUPT, "a registered model has %zu end-of-sequence ids", count);
    for (size_t i = 0; !err && i < count; i++)
        err = lks_abi_read_u32(&ids, &m->eos_ids[i]);
    m->eos_count = (uint32_t)count;
    return err ? err : lks_model_id(m->model_id, m);
}

static lks_err read_request(lks_request *request, lks_abi_reader *r)
{
    uint8_t words[LKS_REQUEST_SIZE];
    for (size_t i = 0; i < sizeof words; i += 32) {
        lks_err err = lks_abi_read_word(r, words + i);
        if (err)
            return err;
    }
    return lks_request_decode(request, words);
}

static lks_err read_member(void *event, char member, lks_abi_reader *r)
{
    lks_event *out = event;
    switch (member) {
    case 'h': return lks_abi_read_word(r, out->hash);
    case 'd': return lks_read_u8(r, &out->attempt);
    case 's': return lks_read_u8(r, &out->seat);
    case 'g': return lks_read_u8(r, &out->roles);
    case 'e': return lks_abi_read_u64(r, &out->seed);
    case 't': return lks_abi_read_u64(r, &out->time);
    case 'n': return lks_abi_read_u32(r, &out->count);
    case 'b': return lks_abi_read_bool(r, &out->flag);
    case 'w': return lks_abi_read_u256(r, &out->amount);
    case 'q': return lks_abi_read_u256(r, &out->to_requester);
    case 'z': return lks_abi_read_u256(r, &out->seized);
    case 'u': return lks_abi_read_u256(r, &out->burned);
    case 'o': return lks_abi_read_address(r, out->other);
    case 'B': return lks_abi_read_bytes(r, &out->bytes, &out->bytes_len);
    case 'L': return lks_abi_read_bytes(r, &out->allowed, &out->allowed_len);
    case 'R': return read_request(&out->request, r);
    case 'M': return read_model(&out->model, r);
    default: return lks_fail(LKS_INTERNAL, "unknown event member '%c'", member);
    }
}

static lks_err check_list(const char *what, const uint8_t *packed, size_t len, uint32_t count,
                          const uint8_t hash32[32])
{
    uint8_t hash[32];
    if (len != 4 * (uint64_t)count)
        return lks_fail(LKS_CORRUPT, "the %s list has %zu bytes, %u ids are stated", what, len,
                        count);
    lks_tokens_hash(hash, packed, len);
    if (memcmp(hash, hash32, 32))
        return lks_fail(LKS_CORRUPT, "the %s list does not have the token hash that is stated",
                        what);
    return LKS_OK;
}

static lks_err check_requested(const lks_event *e)
{
    const lks_request *r = &e->request;
    lks_err err = check_list("prompt", e->bytes, e->bytes_len, r->prompt_count, r->prompt_hash);
    if (!err)
        err = check_list("allowed", e->allowed, e->allowed_len, r->allowed_count, r->allowed_hash);
    if (!err && (memcmp(r->model_id, e->model_id, 32) || memcmp(r->requester, e->account, 20)))
        err = lks_fail(LKS_CORRUPT, "its topics and its request differ");
    return err;
}

/* Fills attempt and seat from the name of a claim of the request. */
static lks_err check_name(lks_event *e)
{
    uint8_t request_id[32];
    lks_err err = lks_claim_name_split(request_id, &e->attempt, &e->seat, e->name);
    if (!err && memcmp(request_id, e->request_id, 32))
        err = lks_fail(LKS_CORRUPT, "the claim is of another request");
    return err;
}

static uint8_t topics_of_kinds[LKS_EVENT_KIND_COUNT][32];
static pthread_once_t topics_once = PTHREAD_ONCE_INIT;
static const lks_event_table TABLE = {.rows = EVENTS,
                                      .count = LKS_EVENT_KIND_COUNT,
                                      .topics = topics_of_kinds,
                                      .dynamic = "BLM",
                                      .read_topic = read_topic,
                                      .read_member = read_member};

static void make_topics(void)
{
    lks_event_table_fill(&TABLE);
}

void lks_event_topic(uint8_t topic32[32], lks_event_kind kind)
{
    bool known = kind > LKS_EVENT_NONE && kind < LKS_EVENT_KIND_COUNT;
    pthread_once(&topics_once, make_topics);
    memcpy(topic32, topics_of_kinds[known ? kind : LKS_EVENT_NONE], 32);
}

const char *lks_event_name(lks_event_kind kind)
{
    return lks_event_table_name(&TABLE, (int)kind);
}

static lks_err read_event(lks_event *out, lks_event_kind kind, const uint8_t (*topics)[32],
                          size_t topic_count, const uint8_t *data, size_t len)
{
    lks_err err = lks_event_table_read(&TABLE, kind, out, topics, topic_count, data, len);
    if (!err && kind == LKS_EVENT_REQUESTED)
        err = check_requested(out);
    if (!err && kind == LKS_EVENT_CLAIMED && out->bytes_len % 4)
        err = lks_fail(LKS_CORRUPT, "its tokens are no whole number of ids");
    if (!err && !strncmp(EVENTS[kind].topics, "rc", 2))
        err = check_name(out);
    return err;
}

lks_err lks_event_decode(lks_event *out, const uint8_t (*topics)[32], size_t topic_count,
                         const uint8_t *data, size_t len)
{
    memset(out, 0, sizeof *out);
    pthread_once(&topics_once, make_topics);
    int kind = lks_event_table_find(&TABLE, topics, topic_count);
    if (kind == LKS_EVENT_NONE)
        return lks_fail(LKS_NOTFOUND, "not an event of ours");
    lks_err err = read_event(out, (lks_event_kind)kind, topics, topic_count, data, len);
    if (err)
        return lks_fail_in(err, "event %s", lks_event_name((lks_event_kind)kind));
    out->kind = (lks_event_kind)kind;
    return LKS_OK;
}
