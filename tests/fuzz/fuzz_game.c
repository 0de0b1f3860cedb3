/* Any bytes as the events of a claim's game, in any order. 12 bytes are one event: its kind, the
 * dispute, operation, height, index, element, how many children or bytes it has, block and log
 * index. Whatever the follower takes, its views hold together, and replaying them again gives the
 * same. */
#include "oracle/dispute/game.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RECORD = 12,
    MAX_EVENTS = 400
};

static void check(bool good)
{
    if (!good)
        abort();
}

/* The members that the kind has in its data, as letters: w a word of zeros, N children, B bytes, p
 * prepaid money, others a number of the record. Challenged has a dispute and its facts in front. */
static const char *layout(lks_game_event_kind kind, size_t *topics)
{
    static const struct {
        size_t topics;
        const char *data;
    } all[LKS_GAME_EVENT_COUNT] = {
        [LKS_GAME_CHALLENGED] = {4, "spt"},
        [LKS_GAME_TRACE_OPENED] = {3, "wNpt"},
        [LKS_GAME_PICKED] = {3, "ohiwpt"},
        [LKS_GAME_REVEALED] = {3, "ohiNpt"},
        [LKS_GAME_LEAF_REVEALED] = {3, "oiBpt"},
        [LKS_GAME_PARTIALS_DEMANDED] = {3, "oiept"},
        [LKS_GAME_PARTIALS_OPENED] = {3, "oieBpt"},
        [LKS_GAME_CLAIM_CONVICTED] = {4, "coie"},
        [LKS_GAME_CLAIM_VOIDED] = {2, "o"},
        [LKS_GAME_DISPUTE_LOST] = {3, "ww"},
        [LKS_GAME_DISPUTE_RECLAIMED] = {3, "w"},
        [LKS_GAME_PROOF_COMMITTED] = {2, ""},
        [LKS_GAME_SHAPE_RECORDED] = {2, "o"},
        [LKS_GAME_CREDITED] = {3, "w"},
        [LKS_GAME_WITHDRAWN] = {3, "w"},
    };
    *topics = all[kind].topics;
    return all[kind].data;
}

static void put_member(lks_abi_writer *e, char member, const uint8_t *r)
{
    uint8_t word[32] = {0}, bytes[256];
    memset(bytes, r[7], sizeof bytes);
    switch (member) {
    case 'o': lks_abi_put_u64(e, r[2] & 0x80 ? 65535 : r[2]); break;
    case 'h': lks_abi_put_u64(e, r[3]); break;
    case 'i': lks_abi_put_u64(e, (uint64_t)r[4] | (uint64_t)r[5] << 24); break;
    case 'e': lks_abi_put_u64(e, r[6]); break;
    case 's': lks_abi_put_u64(e, r[3] & 1 ? LKS_DISPUTE_PICK : LKS_DISPUTE_ROOT); break;
    case 'c': lks_abi_put_u64(e, r[3] % LKS_CONVICTION_COUNT); break;
    case 'p': lks_abi_put_u64(e, r[7]); break;
    case 't': lks_abi_put_u64(e, r[11]); break;
    case 'N':
        lks_abi_begin_array(e, r[7] % 40, 1);
        for (int i = 0; i < r[7] % 40; i++)
            lks_abi_put_word(e, word);
        lks_abi_end(e);
        break;
    case 'B': lks_abi_put_bytes(e, bytes, r[7]); break;
    default: lks_abi_put_word(e, word); break;
    }
}

/* The claim is of zeros. Eight disputes about it, told apart by their salts. */
static void make_dispute(lks_dispute_terms *d, uint8_t id32[32], uint8_t number)
{
    const lks_claim_facts facts = {0};
    *d = (lks_dispute_terms){.salt = {number}};
    lks_claim_facts_hash(d->claim.facts_hash, &facts);
    lks_dispute_id(id32, d);
}

/* 18 words: the dispute, and facts of zeros. */
static void put_dispute(lks_abi_writer *e, const lks_dispute_terms *d)
{
    const uint8_t zero[32] = {0};
    for (int i = 0; i < 5; i++)
        lks_abi_put_word(e, zero);
    lks_abi_put_word(e, d->claim.facts_hash);
    lks_abi_put_word(e, zero);
    lks_abi_put_word(e, zero);
    lks_abi_put_word(e, d->salt);
    for (int i = 0; i < 9; i++)
        lks_abi_put_word(e, zero);
}

static lks_err add_event(lks_game *g, const uint8_t *r, const uint8_t claim_id32[32])
{
    lks_game_event_kind kind = (lks_game_event_kind)(1 + r[0] % (LKS_GAME_EVENT_COUNT - 1));
    lks_eth_log log = {.block_number = r[8], .log_index = r[9]};
    lks_dispute_terms dispute;
    size_t topics;
    const char *members = layout(kind, &topics), *m;
    bool challenged = kind == LKS_GAME_CHALLENGED;
    lks_buf data = {0};
    lks_abi_writer e;
    memset(log.tx_hash, r[10], 32);
    lks_game_event_topic(log.topics[0], kind);
    log.topic_count = (uint8_t)topics;
    if (kind < LKS_GAME_PROOF_COMMITTED)
        memcpy(log.topics[1], claim_id32, 32);
    make_dispute(&dispute, log.topics[2], r[1] % 8);
    if (kind == LKS_GAME_CLAIM_CONVICTED && r[1] & 0x80)
        memset(log.topics[2], 0, 32);
    if (kind == LKS_GAME_WITHDRAWN || kind == LKS_GAME_CREDITED)
        memset(log.topics[2], 0, 32);
    lks_abi_begin(&e, &data, strlen(members) + (challenged ? 18 : 0));
    if (challenged)
        put_dispute(&e, &dispute);
    for (m = members; *m; m++)
        put_member(&e, *m, r);
    check(lks_abi_finish(&e) == LKS_OK);
    log.data = data.data;
    log.data_len = data.len;
    lks_err err = lks_game_add(g, &log, r[11]);
    lks_buf_free(&data);
    return err;
}

static void check_views(const lks_game *g)
{
    const lks_shown *shown = lks_game_shown(g);
    size_t live = 0;
    check(shown->open || lks_game_dispute_count(g) == 0 || shown->known.node_count == 0);
    for (size_t i = 0; i < lks_game_dispute_count(g); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(g, i);
        live += d->end == LKS_GAME_LIVE;
        check(lks_game_dispute_find(g, d->id) == d);
        check(d->now.state > LKS_DISPUTE_NONE && d->now.state <= LKS_DISPUTE_CLOSED);
        check((d->end != LKS_GAME_LIVE) == (d->now.state == LKS_DISPUTE_CLOSED));
        check((d->now.state == LKS_DISPUTE_PARTIAL_STEP) <= (d->now.partials != NULL));
        check(!d->alone || lks_game_live_count(g) == 1);
        check(d->step_count > 0 && d->steps[0].kind == LKS_GAME_CHALLENGED);
        for (size_t k = 1; k < d->step_count; k++)
            check(d->steps[k].block >= d->steps[k - 1].block);
    }
    check(live == lks_game_live_count(g));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const lks_game_deployment deployment = {
        .chain_id = 1, .oracle = {1}, .registry = {2}, .budget = 20};
    const lks_model_commitment model = {.op_count = 40};
    lks_dispute_terms any;
    uint8_t name[32] = {0}, id[32], claim_id[32];
    lks_game *g;
    name[31] = 8; /* attempt 1, seat 0 */
    make_dispute(&any, id, 0);
    lks_claim_id(claim_id, &any.claim);
    if (lks_game_new(&g, &deployment, name, claim_id) || lks_game_set_model(g, &model))
        abort();
    for (size_t i = 0; (i + 1) * RECORD <= size && i < MAX_EVENTS; i++) {
        lks_err err = add_event(g, data + i * RECORD, claim_id);
        check(err == LKS_OK || err == LKS_CORRUPT);
    }
    lks_err err = lks_game_update(g);
    check(err == LKS_OK || err == LKS_CORRUPT);
    size_t count = lks_game_dispute_count(g), nodes = lks_game_shown(g)->known.node_count;
    check_views(g);
    check(lks_game_update(g) == err && lks_game_dispute_count(g) == count &&
          lks_game_shown(g)->known.node_count == nodes);
    check_views(g);
    lks_game_free(g);
    return 0;
}
