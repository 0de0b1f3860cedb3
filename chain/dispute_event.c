/* Events of the dispute game. One row of EVENTS is one event: what its topics and its data hold, in
 * the order of its declaration. */
#include <pthread.h>
#include <string.h>

#include "chain/dispute_internal.h"
#include "chain/event_layout.h"

/* A member of an event, as a letter of the layout strings below.
 * In topics:  c claim id, d dispute id, m model id, a account, t receiver, h hash.
 * In data:    D the Dispute (9 words), F the ClaimFacts (9 words), s state, k how a claim was
 *             convicted, h a hash, o operation (u16), O operation (u32), g height (u8), i index,
 *             leaf or row (u32), l element (u32), u unit (u32), w wei, p prepaid, b burned, e
 *             deadline, N words, B bytes. */
static const lks_event_layout EVENTS[LKS_GAME_EVENT_COUNT] = {
    [LKS_GAME_CHALLENGED] = {"Challenged",
                             "(bytes32,bytes32,address," LKS_DISPUTE_TYPE "," LKS_FACTS_TYPE
                             ",uint8,uint256,uint64)",
                             "cda", "DFspe"},
    [LKS_GAME_TRACE_OPENED] = {"TraceOpened", "(bytes32,bytes32,bytes32,bytes32[],uint256,uint64)",
                               "cd", "hNpe"},
    [LKS_GAME_PICKED] = {"Picked", "(bytes32,bytes32,uint16,uint8,uint32,bytes32,uint256,uint64)",
                         "cd", "ogihpe"},
    [LKS_GAME_REVEALED] = {"Revealed",
                           "(bytes32,bytes32,uint16,uint8,uint32,bytes32[],uint256,uint64)", "cd",
                           "ogiNpe"},
    [LKS_GAME_LEAF_REVEALED] = {"LeafRevealed",
                                "(bytes32,bytes32,uint16,uint32,bytes,uint256,uint64)", "cd",
                                "oiBpe"},
    [LKS_GAME_PARTIALS_DEMANDED] = {"PartialsDemanded",
                                    "(bytes32,bytes32,uint16,uint32,uint32,uint256,uint64)", "cd",
                                    "oilpe"},
    [LKS_GAME_PARTIALS_OPENED] = {"PartialsOpened",
                                  "(bytes32,bytes32,uint16,uint32,uint32,bytes,uint256,uint64)",
                                  "cd", "oilBpe"},
    [LKS_GAME_CLAIM_CONVICTED] = {"ClaimConvicted",
                                  "(bytes32,bytes32,address,uint8,uint32,uint32,uint32)", "cda",
                                  "kOiu"},
    [LKS_GAME_CLAIM_VOIDED] = {"ClaimVoided", "(bytes32,uint32)", "c", "O"},
    [LKS_GAME_DISPUTE_LOST] = {"DisputeLost", "(bytes32,bytes32,uint256,uint256)", "cd", "wb"},
    [LKS_GAME_DISPUTE_RECLAIMED] = {"DisputeReclaimed", "(bytes32,bytes32,uint256)", "cd", "w"},
    [LKS_GAME_PROOF_COMMITTED] = {"ProofCommitted", "(bytes32)", "h", ""},
    [LKS_GAME_SHAPE_RECORDED] = {"ShapeRecorded", "(bytes32,uint16)", "m", "o"},
    [LKS_GAME_CREDITED] = {"Credited", "(address,bytes32,uint256)", "ac", "w"},
    [LKS_GAME_WITHDRAWN] = {"Withdrawn", "(address,address,uint256)", "at", "w"},
};

static lks_err read_topic(void *event, char member, const uint8_t topic[32])
{
    lks_game_event *out = event;
    lks_abi_reader r;
    lks_abi_read(&r, topic, 32);
    switch (member) {
    case 'c': return lks_abi_read_word(&r, out->claim_id);
    case 'd': return lks_abi_read_word(&r, out->dispute_id);
    case 'm': return lks_abi_read_word(&r, out->model_id);
    case 'h': return lks_abi_read_word(&r, out->hash);
    case 'a': return lks_abi_read_address(&r, out->account);
    case 't': return lks_abi_read_address(&r, out->to);
    default: return lks_fail(LKS_INTERNAL, "unknown event topic '%c'", member);
    }
}

static lks_err read_dispute(lks_dispute_terms *out, lks_abi_reader *r)
{
    lks_err err = lks_claim_terms_read(&out->claim, r);
    if (!err)
        err = lks_abi_read_address(r, out->challenger);
    if (!err)
        err = lks_read_amount(r, LKS_BOND_BITS, &out->bond);
    if (!err)
        err = lks_abi_read_word(r, out->salt);
    return err;
}

static lks_err read_state(lks_abi_reader *r, uint8_t *out)
{
    uint64_t state = 0;
    lks_err err = lks_read_up_to(r, LKS_DISPUTE_STATE_MAX, &state);
    *out = (uint8_t)state;
    return err;
}

static lks_err read_conviction(lks_abi_reader *r, lks_conviction *out)
{
    uint64_t how = 0;
    lks_err err = lks_read_up_to(r, LKS_CONVICTION_COUNT - 1, &how);
    if (!err)
        *out = (lks_conviction)how;
    return err;
}

static lks_err read_op(lks_abi_reader *r, uint32_t *out)
{
    uint16_t op = 0;
    lks_err err = lks_read_u16(r, &op);
    *out = op;
    return err;
}

/* An array of words lies as it is read: no copy. */
static lks_err read_nodes(lks_game_event *out, lks_abi_reader *r)
{
    lks_abi_reader words;
    lks_err err = lks_abi_read_array(r, 1, &words, &out->node_count);
    if (!err && out->node_count > LKS_GAME_MAX_CHILDREN)
        err = lks_fail(LKS_CORRUPT, "%zu children where at most %u can be", out->node_count,
                       LKS_GAME_MAX_CHILDREN);
    if (!err)
        out->nodes = (const uint8_t(*)[32])words.data;
    return err;
}

static lks_err read_member(void *event, char member, lks_abi_reader *r)
{
    lks_game_event *out = event;
    switch (member) {
    case 'D': return read_dispute(&out->dispute, r);
    case 'F': return lks_claim_facts_read(&out->facts, r);
    case 's': return read_state(r, &out->state);
    case 'k': return read_conviction(r, &out->how);
    case 'h': return lks_abi_read_word(r, out->hash);
    case 'o': return read_op(r, &out->op);
    case 'O': return lks_abi_read_u32(r, &out->op);
    case 'g': return lks_read_u8(r, &out->height);
    case 'i': return lks_abi_read_u32(r, &out->index);
    case 'l': return lks_abi_read_u32(r, &out->element);
    case 'u': return lks_abi_read_u32(r, &out->unit);
    case 'w': return lks_abi_read_u256(r, &out->amount);
    case 'p': return lks_abi_read_u256(r, &out->prepaid);
    case 'b': return lks_abi_read_u256(r, &out->burned);
    case 'e': return lks_abi_read_u64(r, &out->deadline);
    case 'N': return read_nodes(out, r);
    case 'B': return lks_abi_read_bytes(r, &out->bytes, &out->len);
    default: return lks_fail(LKS_INTERNAL, "unknown event member '%c'", member);
    }
}

static lks_err check_challenged(const lks_game_event *e)
{
    uint8_t claim_id[32], dispute_id[32];
    lks_claim_id(claim_id, &e->dispute.claim);
    lks_dispute_id(dispute_id, &e->dispute);
    if (memcmp(claim_id, e->claim_id, 32) || memcmp(dispute_id, e->dispute_id, 32) ||
        memcmp(e->dispute.challenger, e->account, 20))
        return lks_fail(LKS_CORRUPT, "its topics and its dispute differ");
    return lks_claim_check_facts(&e->dispute.claim, &e->facts);
}

static uint8_t topics_of_kinds[LKS_GAME_EVENT_COUNT][32];
static pthread_once_t topics_once = PTHREAD_ONCE_INIT;
static const lks_event_table TABLE = {.rows = EVENTS,
                                      .count = LKS_GAME_EVENT_COUNT,
                                      .topics = topics_of_kinds,
                                      .dynamic = "NB",
                                      .read_topic = read_topic,
                                      .read_member = read_member};

static void make_topics(void)
{
    lks_event_table_fill(&TABLE);
}

void lks_game_event_topic(uint8_t topic32[32], lks_game_event_kind kind)
{
    bool known = kind > LKS_GAME_NONE && kind < LKS_GAME_EVENT_COUNT;
    pthread_once(&topics_once, make_topics);
    memcpy(topic32, topics_of_kinds[known ? kind : LKS_GAME_NONE], 32);
}

const char *lks_game_event_name(lks_game_event_kind kind)
{
    return lks_event_table_name(&TABLE, (int)kind);
}

static lks_err read_event(lks_game_event *out, lks_game_event_kind kind,
                          const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                          size_t len)
{
    lks_err err = lks_event_table_read(&TABLE, kind, out, topics, topic_count, data, len);
    if (!err && kind == LKS_GAME_CHALLENGED)
        err = check_challenged(out);
    return err;
}

lks_err lks_game_event_decode(lks_game_event *out, const uint8_t (*topics)[32], size_t topic_count,
                              const uint8_t *data, size_t len)
{
    memset(out, 0, sizeof *out);
    pthread_once(&topics_once, make_topics);
    int kind = lks_event_table_find(&TABLE, topics, topic_count);
    if (kind == LKS_GAME_NONE)
        return lks_fail(LKS_NOTFOUND, "not an event of the dispute game");
    lks_err err = read_event(out, (lks_game_event_kind)kind, topics, topic_count, data, len);
    if (err)
        return lks_fail_in(err, "event %s", lks_game_event_name((lks_game_event_kind)kind));
    out->kind = (lks_game_event_kind)kind;
    return LKS_OK;
}
