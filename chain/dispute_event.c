/* Events of the dispute game. One row of `events` is one event: what its topics and its data hold, in the order of its declaration. */
#include "chain/dispute.h"

#include <pthread.h>
#include <string.h>

/* A member of an event, as a letter of the layout strings below.
 * In topics:  c claim id, d dispute id, m model id, a account, t receiver, h hash.
 * In data:    r request id, h a hash, e attempt, s seat, o operation (u16), g height (u8), i index or row (u32), l element (u32), w wei, p prepaid,
 *             b burned, N words, B bytes. */
typedef struct event_layout {
    const char *signature;
    const char *topics;
    const char *data;
} event_layout;

static const event_layout events[LKS_GAME_EVENT_COUNT] = {
    [LKS_GAME_CHALLENGED] = {"Challenged(bytes32,bytes32,address,bytes32,uint8,uint8,uint256,uint256)", "cda", "reswp"},
    [LKS_GAME_TRACE_OPENED] = {"TraceOpened(bytes32,bytes32,bytes32[])", "c", "hN"},
    [LKS_GAME_PICKED] = {"Picked(bytes32,bytes32,uint16,uint8,uint32,bytes32,uint256)", "cd", "ogihp"},
    [LKS_GAME_REVEALED] = {"Revealed(bytes32,uint16,uint8,uint32,bytes32[])", "c", "ogiN"},
    [LKS_GAME_LEAF_REVEALED] = {"LeafRevealed(bytes32,uint16,uint32,bytes)", "c", "oiB"},
    [LKS_GAME_PARTIALS_DEMANDED] = {"PartialsDemanded(bytes32,bytes32,uint16,uint32,uint32,uint256)", "cd", "oilp"},
    [LKS_GAME_PARTIALS_OPENED] = {"PartialsOpened(bytes32,uint16,uint32,uint32,bytes)", "c", "oilB"},
    [LKS_GAME_CLAIM_CONVICTED] = {"ClaimConvicted(bytes32,bytes32,address)", "cda", ""},
    [LKS_GAME_CLAIM_VOIDED] = {"ClaimVoided(bytes32)", "c", ""},
    [LKS_GAME_DISPUTE_LOST] = {"DisputeLost(bytes32,bytes32,uint256,uint256)", "cd", "wb"},
    [LKS_GAME_DISPUTE_RECLAIMED] = {"DisputeReclaimed(bytes32,bytes32)", "cd", ""},
    [LKS_GAME_PROOF_COMMITTED] = {"ProofCommitted(bytes32)", "h", ""},
    [LKS_GAME_SHAPE_RECORDED] = {"ShapeRecorded(bytes32,uint16)", "m", "o"},
    [LKS_GAME_CREDITED] = {"Credited(address,uint256)", "a", "w"},
    [LKS_GAME_WITHDRAWN] = {"Withdrawn(address,address,uint256)", "at", "w"},
};

static uint8_t topics_of_kinds[LKS_GAME_EVENT_COUNT][32];
static pthread_once_t topics_once = PTHREAD_ONCE_INIT;

static void make_topics(void)
{
    for (int kind = 1; kind < LKS_GAME_EVENT_COUNT; kind++)
        lks_abi_topic(topics_of_kinds[kind], events[kind].signature);
}

void lks_game_event_topic(uint8_t topic32[32], lks_game_event_kind kind)
{
    memset(topic32, 0, 32);
    if (kind <= LKS_GAME_NONE || kind >= LKS_GAME_EVENT_COUNT)
        return;
    pthread_once(&topics_once, make_topics);
    memcpy(topic32, topics_of_kinds[kind], 32);
}

const char *lks_game_event_name(lks_game_event_kind kind)
{
    static const char *const names[LKS_GAME_EVENT_COUNT] = {
        "?",           "Challenged",  "TraceOpened", "Picked",           "Revealed",       "LeafRevealed",  "PartialsDemanded", "PartialsOpened",
        "ClaimConvicted", "ClaimVoided", "DisputeLost", "DisputeReclaimed", "ProofCommitted", "ShapeRecorded", "Credited",         "Withdrawn"};
    return (unsigned)kind < LKS_GAME_EVENT_COUNT ? names[kind] : names[0];
}

static lks_err read_topic(lks_game_event *out, char member, const uint8_t topic[32])
{
    static const uint8_t zeros[12];
    switch (member) {
    case 'c': memcpy(out->claim_id, topic, 32); return LKS_OK;
    case 'd': memcpy(out->dispute_id, topic, 32); return LKS_OK;
    case 'm': memcpy(out->model_id, topic, 32); return LKS_OK;
    case 'h': memcpy(out->hash, topic, 32); return LKS_OK;
    default: break;
    }
    if (memcmp(topic, zeros, sizeof zeros))
        return lks_fail(LKS_CORRUPT, "an indexed address has more than 20 bytes");
    memcpy(member == 'a' ? out->account : out->to, topic + 12, 20);
    return LKS_OK;
}

static lks_err read_small(lks_abi_reader *r, uint32_t max, uint32_t *out)
{
    lks_err err = lks_abi_read_u32(r, out);
    if (err == LKS_OK && *out > max)
        err = lks_fail(LKS_CORRUPT, "%u where at most %u can be", *out, max);
    return err;
}

static lks_err read_u8(lks_abi_reader *r, uint8_t *out)
{
    uint32_t value = 0;
    lks_err err = read_small(r, UINT8_MAX, &value);
    *out = (uint8_t)value;
    return err;
}

static lks_err read_u16(lks_abi_reader *r, uint16_t *out)
{
    uint32_t value = 0;
    lks_err err = read_small(r, UINT16_MAX, &value);
    *out = (uint16_t)value;
    return err;
}

/* An array of words lies as it is read: no copy. */
static lks_err read_words(lks_game_event *out, lks_abi_reader *r)
{
    lks_abi_reader words;
    lks_err err = lks_abi_read_array(r, 1, &words, &out->node_count);
    if (err == LKS_OK && out->node_count > LKS_GAME_MAX_CHILDREN)
        err = lks_fail(LKS_CORRUPT, "%zu children where at most %u can be", out->node_count, LKS_GAME_MAX_CHILDREN);
    if (err == LKS_OK)
        out->nodes = (const uint8_t(*)[32])words.data;
    return err;
}

static lks_err read_member(lks_game_event *out, char member, lks_abi_reader *r)
{
    switch (member) {
    case 'r': return lks_abi_read_word(r, out->request_id);
    case 'h': return lks_abi_read_word(r, out->hash);
    case 'e': return read_u8(r, &out->attempt);
    case 's': return read_u8(r, &out->seat);
    case 'o': return read_u16(r, &out->op);
    case 'g': return read_u8(r, &out->height);
    case 'i': return lks_abi_read_u32(r, &out->index);
    case 'l': return lks_abi_read_u32(r, &out->element);
    case 'w': return lks_abi_read_u256(r, &out->amount);
    case 'p': return lks_abi_read_u256(r, &out->prepaid);
    case 'b': return lks_abi_read_u256(r, &out->burned);
    case 'N': return read_words(out, r);
    case 'B': return lks_abi_read_bytes(r, &out->bytes, &out->len);
    default: return lks_fail(LKS_INTERNAL, "unknown event member '%c'", member);
    }
}

lks_err lks_game_event_decode(lks_game_event *out, const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data, size_t len)
{
    memset(out, 0, sizeof *out);
    pthread_once(&topics_once, make_topics);
    int kind = LKS_GAME_NONE + 1;
    while (kind < LKS_GAME_EVENT_COUNT && (topic_count == 0 || memcmp(topics[0], topics_of_kinds[kind], 32)))
        kind++;
    if (kind == LKS_GAME_EVENT_COUNT)
        return lks_fail(LKS_NOTFOUND, "not an event of the dispute game");

    const event_layout *e = &events[kind];
    lks_err err = LKS_OK;
    if (topic_count != 1 + strlen(e->topics))
        err = lks_fail(LKS_CORRUPT, "%zu topics where %zu are due", topic_count, 1 + strlen(e->topics));
    for (size_t i = 0; !err && e->topics[i]; i++)
        err = read_topic(out, e->topics[i], topics[1 + i]);
    lks_abi_reader r;
    lks_abi_read(&r, data, len);
    for (size_t i = 0; !err && e->data[i]; i++)
        err = read_member(out, e->data[i], &r);
    if (!err && strpbrk(e->data, "NB") == NULL && len != r.at)
        err = lks_fail(LKS_CORRUPT, "%zu bytes of data where %zu are due", len, r.at);
    if (err)
        return lks_fail_in(err, "event %s", lks_game_event_name((lks_game_event_kind)kind));
    out->kind = (lks_game_event_kind)kind;
    return LKS_OK;
}
