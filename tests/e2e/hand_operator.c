/* An operator driven by hand, for the end-to-end tests of disputes: it answers one request, and
 * shows its trace when it is asked, both with the faults of LOCKSTEP_FAULT (oracle/trace/fault.h),
 * or falls silent.
 *
 *   hand_operator answer MODEL REQUEST           accepts the request, computes its answer, claims
 * it hand_operator sign MODEL REQUEST             prints the root of the claim's trace and its
 * signature hand_operator defend MODEL REQUEST MOVES     plays the operator's side of every dispute
 * of its claim: MOVES moves at most, then it ends
 *
 * Node, contracts, key and password come from the environment variables of lockstep.
 */
#include "chain/hex.h"
#include "oracle/cli/claim_view.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/follow.h"
#include "oracle/cli/model_id.h"
#include "oracle/cli/send.h"
#include "oracle/dispute/player.h"
#include "oracle/engine/generate.h"
#include "oracle/model/model.h"
#include "oracle/trace/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct hand {
    lks_link link;
    lks_model model;
    lks_request_view view;
    lks_claim_view claim;
    lks_follow follow;
    lks_trace *own;
} hand;

static int fail(const char *what)
{
    return lks_cli_fail(LKS_EXIT_NO, "hand operator: %s: %s", what, lks_error_message());
}

static int send_call(hand *h, const char *what, const uint8_t to20[20], lks_buf *call, lks_err err)
{
    const lks_u256 nothing = {{0}};
    lks_sent sent = {0};
    int code = lks_send(&h->link, &sent, what, to20, &nothing, call, err);
    if (code == LKS_PARSED) {
        lks_sent_tell(&sent);
    }
    lks_sent_free(&sent);
    return code;
}

static const lks_event *requested(const hand *h)
{
    for (size_t i = 0; i < h->view.event_count; i++) {
        if (h->view.events[i].e.kind == LKS_EVENT_REQUESTED) {
            return &h->view.events[i].e;
        }
    }
    return NULL;
}

/* NULL for an empty list. */
static uint32_t *unpack(const uint8_t *bytes, size_t len)
{
    uint32_t *ids = len > 0 ? malloc(len) : NULL;
    if (len > 0 && lks_tokens_unpack(ids, bytes, len) != LKS_OK) {
        abort();
    }
    return ids;
}

/* Accepts; of a sampled request with the header that its seed is drawn from. */
static int accept_request(hand *h)
{
    lks_buf call = {0}, header = {0};
    uint8_t randao[32];
    lks_err err = LKS_OK;
    if (h->view.request.temperature != 0 && !h->view.state.seed_fixed) {
        err = lks_eth_header_rlp(&h->link.node, h->view.state.request_block + LKS_SEED_DELAY,
                                 &header, randao);
    }
    err = err == LKS_OK
              ? lks_call_accept(&call, &h->view.request, lks_signer_address(h->link.signer),
                                header.data, header.len)
              : err;
    lks_buf_free(&header);
    return send_call(h, "accept", h->link.contracts.oracle, &call, err);
}

static int answer(hand *h, const uint8_t id32[32])
{
    lks_buf call = {0}, packed = {0};
    const uint8_t *oracle = h->link.contracts.oracle;
    int code = accept_request(h);
    if (code != LKS_PARSED) {
        return code;
    }
    uint64_t from = h->view.first_block;
    lks_request_view_free(&h->view);
    if (lks_request_view_get(&h->view, &h->link, id32, from) != LKS_OK) {
        return fail("request");
    }
    const lks_event *e = requested(h);
    const lks_request *r = &h->view.request;
    uint32_t *prompt = unpack(e->bytes, e->bytes_len),
             *allowed = unpack(e->allowed, e->allowed_len);
    uint32_t *tokens = calloc(r->max_tokens, sizeof *tokens), count = 0;
    const lks_policy policy = {.temperature = r->temperature,
                               .min_p = r->min_p,
                               .seed = h->view.state.seed,
                               .allowed = allowed,
                               .allowed_count = e->allowed_len / 4};
    if (tokens == NULL || lks_generate(&h->model, prompt, e->bytes_len / 4, &policy, r->max_tokens,
                                       NULL, tokens, &count) != LKS_OK) {
        return fail("answer");
    }
    lks_fault_answer(tokens, count, r->max_tokens, h->model.program.vocab_size, allowed,
                     e->allowed_len / 4);
    lks_tokens_pack(&packed, tokens, count);
    bool shows = lks_request_shows_allowed(r);
    lks_err err = lks_call_claim(&call, r, h->view.state.seed, packed.data, packed.len,
                                 shows ? e->allowed : NULL, shows ? e->allowed_len : 0);
    code = send_call(h, "claim", oracle, &call, err);
    lks_buf_free(&packed);
    free(prompt);
    free(allowed);
    free(tokens);
    return code == LKS_PARSED ? LKS_EXIT_OK : code;
}

static int move(hand *h, const lks_game_dispute *d, bool *moved)
{
    static const char *const WHAT[] = {[LKS_MOVE_OPEN_TRACE] = "open trace",
                                       [LKS_MOVE_REVEAL] = "reveal",
                                       [LKS_MOVE_REVEAL_LEAF] = "reveal leaf",
                                       [LKS_MOVE_OPEN_PARTIALS] = "open partials"};
    lks_move m = {0};
    lks_game_calls calls = {0};
    int code = LKS_PARSED;
    if (lks_player_operator(&m, h->own, lks_game_shown(h->follow.game), &d->now) != LKS_OK ||
        lks_game_call(&calls, h->follow.game, d, &m, NULL, NULL) != LKS_OK) {
        return fail("move");
    }
    *moved = calls.count > 0;
    for (size_t i = 0; i < calls.count && code == LKS_PARSED; i++) {
        code = send_call(h, WHAT[m.kind], h->link.contracts.game, &calls.items[i].data, LKS_OK);
    }
    lks_game_calls_free(&calls);
    lks_move_free(&m);
    return code;
}

/* Answers what the disputes ask for, until it has made its moves or the claim is over. */
static int play(hand *h, unsigned long moves)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    while (moves > 0) {
        bool moved = false;
        if (lks_follow_update(&h->follow) != LKS_OK) {
            return fail("game");
        }
        if (lks_game_status(h->follow.game) == LKS_CLAIM_CONVICTED) {
            return LKS_EXIT_OK;
        }
        for (size_t i = 0; i < lks_game_dispute_count(h->follow.game) && !moved; i++) {
            const lks_game_dispute *d = lks_game_dispute_at(h->follow.game, i);
            int code = d->end == LKS_GAME_LIVE ? move(h, d, &moved) : LKS_PARSED;
            if (code != LKS_PARSED) {
                return code;
            }
        }
        moves -= moved;
        if (!moved) {
            nanosleep(&pause, NULL);
        }
    }
    return LKS_EXIT_OK;
}

static int trace(hand *h)
{
    const lks_claim_args any = {0};
    if (lks_claim_view_find(&h->claim, &h->view, &h->link.contracts, &any) != LKS_OK ||
        lks_trace_make(&h->own, &h->model, &h->claim.run, NULL) != LKS_OK) {
        return fail("trace");
    }
    return LKS_PARSED;
}

static int sign(hand *h)
{
    uint8_t root[32], digest[32], signature[65];
    char text[LKS_HEX_SIZE(65)];
    lks_signature s;
    lks_trace_root(root, h->own);
    lks_trace_root_hash(digest, h->link.contracts.chain_id, h->link.contracts.game,
                        h->claim.claim_id, root);
    if (lks_signer_sign(h->link.signer, &s, digest) != LKS_OK) {
        return fail("signature");
    }
    memcpy(signature, s.r32, 32);
    memcpy(signature + 32, s.s32, 32);
    signature[64] = 27 + s.parity;
    lks_hex_encode(text, root, 32);
    printf("%s ", text);
    lks_hex_encode(text, signature, 65);
    puts(text);
    return LKS_EXIT_OK;
}

static int defend(hand *h, const char *moves)
{
    lks_model_commitment c;
    if (lks_commitment_make(&c, &h->model, NULL, NULL) != LKS_OK) {
        return fail("model");
    }
    if (lks_follow_open(&h->follow, &h->link, h->claim.name, h->claim.claim_id,
                        h->view.first_block) != LKS_OK ||
        lks_game_set_model(h->follow.game, &c) != LKS_OK) {
        return fail("game");
    }
    return play(h, strtoul(moves, NULL, 10));
}

int main(int argc, char **argv)
{
    hand h = {0};
    const lks_chain_args chain = {0};
    const lks_account_args account = {.after_pending = true}; /* several defend at once */
    uint8_t id[32];
    bool defends = argc == 5 && strcmp(argv[1], "defend") == 0,
         answers = argc == 4 && strcmp(argv[1], "answer") == 0;
    if (!defends && !answers && (argc != 4 || strcmp(argv[1], "sign") != 0)) {
        return lks_cli_fail(
            LKS_EXIT_USAGE,
            "hand_operator answer MODEL REQUEST | sign MODEL REQUEST | defend MODEL REQUEST MOVES");
    }
    if (lks_fault_check() != LKS_OK || lks_model_open(&h.model, argv[2]) != LKS_OK) {
        return fail("start");
    }
    int code = lks_request_parse_id(id, "hand_operator", argv[3]);
    if (code == LKS_PARSED) {
        code = lks_link_open(&h.link, &chain, &account, "hand_operator");
    }
    if (code == LKS_PARSED && lks_request_view_get(&h.view, &h.link, id, 0) != LKS_OK) {
        code = fail("request");
    }
    if (code == LKS_PARSED && !answers) {
        code = trace(&h);
    }
    if (code == LKS_PARSED) {
        code = defends ? defend(&h, argv[4]) : answers ? answer(&h, id) : sign(&h);
    }
    lks_trace_free(h.own);
    lks_follow_close(&h.follow);
    lks_claim_view_free(&h.claim);
    lks_request_view_free(&h.view);
    lks_link_close(&h.link);
    lks_model_close(&h.model);
    return code;
}
