#include "tests/proof/opened_claim.h"

#include "chain/eth_each.h"
#include "chain/keccak.h"
#include "oracle/dispute/game.h"

enum {
    /* contracts/src/game/GameBase.sol: the mappings' places in the storage layout; claim_open
     * checks them against what the chain holds. */
    CLAIMS = 0,
    MOVING = 1,
    ROOT_WORD = 1,
    NODE_WORD = 1,
    /* contracts/src/game/Turns.sol: bits of a packed turn */
    TURN_OP = 10,
    TURN_INDEX = 26,
    TURN_LAYOUT = 58,
    LAYOUT_BITS = 42,
    LAYOUT_ROW_BYTES = 15, /* Positions.sol */
    /* DisputeState */
    PICK = 2,
    PARTIAL_STEP = 7,
};

static const uint8_t requester[20] = {0x11, 1}, operator_[20] = {0x22, 2},
                     challenger[20] = {0x33, 3}, salt[32] = {0x55};

void claim_accounts(anvil *a)
{
    lks_buf call = {0};
    anvil_fund(a, requester, 100);
    anvil_fund(a, challenger, 1000);
    anvil_fund(a, operator_, 1000);
    OK(lks_call_deposit(&call, operator_));
    anvil_send(a, "deposit", operator_, a->bonds, 500, &call);
}

/* ---- Request and acceptance ---- */

static void pack(lks_buf *out, uint8_t hash32[32], const uint32_t *ids, size_t count)
{
    lks_tokens_pack(out, ids, count);
    OK(lks_buf_error(out));
    lks_tokens_hash(hash32, out->data, out->len);
}

static uint64_t nonce_of(anvil *a)
{
    lks_buf call = {0}, result = {0};
    uint64_t nonce;
    OK(lks_call_nonces(&call, requester));
    anvil_view(a, &result, a->oracle, &call);
    OK(lks_return_u64(&nonce, result.data, result.len));
    lks_buf_free(&result);
    return nonce;
}

static uint64_t time_of(anvil *a)
{
    lks_eth_header newest;
    OK(lks_eth_header_at(&a->node, LKS_ETH_LATEST, &newest));
    return newest.timestamp;
}

static void ask(opened_claim *c, const lks_run *run)
{
    lks_buf call = {0}, prompt = {0}, allowed = {0};
    lks_request *q = &c->request;
    *q = (lks_request){.nonce = nonce_of(c->a),
                       .prompt_count = (uint32_t)run->prompt_count,
                       .temperature = run->policy.temperature,
                       .min_p = run->policy.min_p,
                       .seed = run->policy.seed,
                       .allowed_count = (uint32_t)run->policy.allowed_count,
                       .max_tokens = (uint32_t)run->answer_count,
                       .stake = lks_u256_from_u64(100000000000000000u),
                       .window = 600,
                       .accept_deadline = time_of(c->a) + 600,
                       .claim_period = 600,
                       .replicas = 1};
    memcpy(q->requester, requester, 20);
    OK(lks_model_id(q->model_id, &c->model));
    pack(&prompt, q->prompt_hash, run->prompt, run->prompt_count);
    pack(&allowed, q->allowed_hash, run->policy.allowed, run->policy.allowed_count);
    lks_request_params p = {.prompt = prompt.data,
                            .prompt_len = prompt.len,
                            .temperature = q->temperature,
                            .min_p = q->min_p,
                            .seed = q->seed,
                            .allowed = allowed.data,
                            .allowed_len = allowed.len,
                            .max_tokens = q->max_tokens,
                            .stake = q->stake,
                            .window = q->window,
                            .accept_deadline = q->accept_deadline,
                            .claim_period = q->claim_period,
                            .replicas = q->replicas};
    memcpy(p.model_id, q->model_id, 32);
    OK(lks_call_request(&call, &p));
    anvil_send(c->a, "request", requester, c->a->oracle, 1, &call);
    q->fee = lks_u256_from_u64(1000000000000000000u);
    lks_request_id(c->request_id, c->a->chain_id, c->a->oracle, q);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
}

static lks_request_state state_of(opened_claim *c)
{
    lks_buf call = {0}, result = {0};
    lks_request_state state;
    OK(lks_call_state_of(&call, c->request_id));
    anvil_view(c->a, &result, c->a->oracle, &call);
    OK(lks_return_state(&state, result.data, result.len));
    lks_buf_free(&result);
    return state;
}

uint64_t claim_accept(opened_claim *c, anvil *a, const lks_model_commitment *model,
                      const lks_run *run)
{
    lks_buf call = {0}, header = {0};
    const uint8_t no_file[32] = {0};
    uint8_t randao[32];
    memset(c, 0, sizeof *c);
    c->a = a;
    c->model = *model;
    OK(lks_call_register(&call, &c->model, no_file, "file:tiny"));
    anvil_send(a, "register", operator_, a->registry, 0, &call);
    ask(c, run);
    if (c->request.temperature != 0) {
        anvil_mine(a, LKS_SEED_FIRST_BLOCK);
        OK(lks_eth_header_rlp(&a->node, state_of(c).request_block + LKS_SEED_DELAY, &header,
                              randao));
    }
    OK(lks_call_accept(&call, &c->request, operator_, header.data, header.len));
    anvil_send(a, "accept", operator_, a->oracle, 0, &call);
    lks_buf_free(&header);
    uint64_t seed = state_of(c).seed;
    if (c->request.temperature != 0)
        assert_true(seed == lks_seed_used(c->request.seed, randao));
    return seed;
}

/* ---- Claim and dispute ---- */

static void send_claim(opened_claim *c, const lks_run *run)
{
    lks_buf call = {0}, tokens = {0}, allowed = {0};
    uint8_t hash[32], allowed_hash[32], name[32];
    bool shows = lks_request_shows_allowed(&c->request);
    pack(&tokens, hash, run->answer, run->answer_count);
    pack(&allowed, allowed_hash, run->policy.allowed, run->policy.allowed_count);
    OK(lks_call_claim(&call, &c->request, run->policy.seed, tokens.data, tokens.len,
                      shows ? allowed.data : NULL, shows ? allowed.len : 0));
    anvil_send(c->a, "claim", operator_, c->a->oracle, 0, &call);
    lks_claim_name(name, c->request_id, 1, 0);
    lks_claim_facts_of(&c->facts, &c->request, run->policy.seed, (uint32_t)run->answer_count, hash);
    lks_claim_terms_of(&c->terms.claim, c->a->oracle, name, operator_, &c->request, &c->facts);
    lks_claim_id(c->claim_id, &c->terms.claim);
    memcpy(c->terms.challenger, challenger, 20);
    memcpy(c->terms.salt, salt, 32);
    c->terms.bond = lks_u256_from_u64(500000000000000000u); /* half an ether: above bondFor */
    lks_dispute_id(c->dispute_id, &c->terms);
    lks_buf_free(&tokens);
    lks_buf_free(&allowed);
}

static void send_challenge(opened_claim *c)
{
    lks_buf call = {0};
    uint8_t opening[LKS_REQUEST_SIZE];
    lks_claim_ref claim = {.opening = opening, .opening_len = sizeof opening};
    memcpy(claim.source, c->a->oracle, 20);
    memcpy(claim.name, c->terms.claim.name, 32);
    lks_request_encode(opening, &c->request);
    OK(lks_call_challenge(&call, &claim, &c->model, &c->terms.bond, salt));
    anvil_send(c->a, "challenge", challenger, c->a->game, 1, &call);
}

static void send_trace(opened_claim *c, const run_tree *trace)
{
    lks_buf call = {0};
    uint8_t root[32], children[LKS_GAME_MAX_CHILDREN][32];
    unsigned height = lks_log2_ceil(c->model.op_count), step = height < 5 ? height : 5;
    run_tree_root(root, trace);
    for (unsigned i = 0; i < 1u << step; i++)
        run_tree_node(children[i], trace, LKS_TOP, height - step, i);
    OK(lks_call_open_trace(&call, &c->terms, root, (const uint8_t(*)[32])children,
                           (size_t)1 << step));
    anvil_send(c->a, "openTrace", operator_, c->a->game, 0, &call);
}

/* Slot of a mapping's value at a key; of a word of it that many words behind. */
static void slot_of(uint8_t slot32[32], const uint8_t key32[32], const uint8_t mapping32[32],
                    unsigned word)
{
    uint8_t both[64];
    memcpy(both, key32, 32);
    memcpy(both + 32, mapping32, 32);
    lks_keccak256(slot32, both, 64);
    lks_u256 slot = lks_u256_from_be(slot32), more = lks_u256_from_u64(word);
    (void)lks_u256_add(&slot, &slot, &more);
    lks_u256_to_be(slot32, &slot);
}

static void read_word(opened_claim *c, anvil_word *w, const uint8_t key32[32], uint8_t mapping,
                      unsigned word)
{
    const uint8_t place[32] = {[31] = mapping};
    slot_of(w->slot, key32, place, word);
    anvil_word_get(c->a, w->value, c->a->game, w->slot);
}

void claim_open(opened_claim *c, const run_tree *trace)
{
    const uint8_t none[32] = {0};
    uint8_t root[32];
    send_claim(c, trace->rows->run);
    send_challenge(c);
    send_trace(c, trace);
    read_word(c, &c->root, c->claim_id, CLAIMS, ROOT_WORD);
    read_word(c, &c->turn, c->dispute_id, MOVING, 0);
    read_word(c, &c->node, c->dispute_id, MOVING, NODE_WORD);
    run_tree_root(root, trace);
    assert_memory_equal(c->root.value, root, 32);
    assert_memory_equal(c->node.value, none, 32); /* while that is the root */
    assert_int_equal(c->turn.value[31] & 0xf, PICK);
    assert_int_equal(c->turn.value[30] >> 1 & 1, 1); /* alone: steps need no commitment */
}

/* ---- Other words ---- */

size_t claim_words(anvil_word words[CLAIM_WORDS], const opened_claim *c, const uint8_t root32[32])
{
    words[0] = c->root;
    memcpy(words[0].value, root32, 32);
    return 1;
}

/* Puts the low `width` bits of v at bit `at`, counted from the lowest. */
static void put_bits(uint8_t word[32], unsigned at, unsigned width, uint64_t v)
{
    for (unsigned i = 0; i < width; i++) {
        uint8_t *byte = &word[31 - (at + i) / 8], bit = (uint8_t)(1u << (at + i) % 8);
        *byte = v >> i & 1 ? *byte | bit : *byte & (uint8_t)~bit;
    }
}

size_t claim_partial_words(anvil_word words[CLAIM_WORDS], const opened_claim *c,
                           const uint8_t root32[32], const lks_shape *shape, const lks_unit *u,
                           const uint8_t *partials, size_t len)
{
    size_t count = claim_words(words, c, root32);
    anvil_word *turn = &words[count++];
    *turn = c->turn;
    put_bits(turn->value, 0, TURN_OP - 1,
             PARTIAL_STEP); /* state and height; the bit above is `alone` */
    put_bits(turn->value, TURN_OP, 16, u->op);
    put_bits(turn->value, TURN_INDEX, 32, u->leaf);
    put_bits(turn->value, TURN_LAYOUT, LAYOUT_BITS, (uint64_t)shape->row_size << LAYOUT_ROW_BYTES);
    /* the hash of the partials, and in its lowest byte the element's place in the leaf */
    anvil_word *node = &words[count++];
    *node = c->node;
    lks_keccak256(node->value, partials, len);
    node->value[31] = (uint8_t)u->unit;
    return count;
}

/* ---- Steps ---- */

void claim_step(lks_buf *data, const opened_claim *c, const lks_witness *w, const uint8_t *partials,
                size_t len)
{
    lks_call_witness call;
    lks_call_opening *openings;
    OK(lks_game_witness(&call, &openings, w));
    *data = (lks_buf){0};
    if (partials)
        OK(lks_call_step_partial(data, &c->terms, &c->facts, &c->model, &call, partials, len,
                                 salt));
    else
        OK(lks_call_step(data, &c->terms, &c->facts, &c->model, &call, salt));
    free(openings);
}

anvil_message claim_message(const opened_claim *c, const lks_buf *data, const anvil_word *words,
                            size_t count)
{
    return (anvil_message){challenger, c->a->game, data, words, count};
}

/* Many views in one call return what each returns alone. In: one, of this claim. */
static void check_many_at_once(const opened_claim *c, const lks_buf *one)
{
    uint8_t ids[LKS_ETH_EACH_MOST][32] = {{0}};
    lks_buf results = {0}, call = {0}, none = {0};
    lks_eth_each each = {.to20 = c->a->game,
                         .signature = "claimOf(bytes32)",
                         .returned = one->len,
                         .arguments = (const uint8_t(*)[32])ids,
                         .count = LKS_ETH_EACH_MOST};
    OK(lks_call_claim_of(&call, ids[1]));
    anvil_view(c->a, &none, c->a->game, &call);
    memcpy(ids[0], c->claim_id, 32);
    memcpy(ids[each.count - 1], c->claim_id, 32);
    OK(lks_eth_call_each(&c->a->node, &each, LKS_ETH_LATEST, &results));
    assert_int_equal(results.len, each.count * one->len);
    for (size_t i = 0; i < each.count; i++) {
        bool known = i == 0 || i == each.count - 1;
        assert_memory_equal(results.data + i * one->len, known ? one->data : none.data, one->len);
    }
    each.returned += 32;
    assert_int_equal(lks_eth_call_each(&c->a->node, &each, LKS_ETH_LATEST, &results), LKS_REMOTE);
    each.signature = "noSuchFunction(bytes32)";
    assert_int_equal(lks_eth_call_each(&c->a->node, &each, LKS_ETH_LATEST, &results), LKS_REMOTE);
    lks_buf_free(&results);
    lks_buf_free(&none);
}

void claim_convict(opened_claim *c, lks_buf *data, const anvil_word *words, size_t count)
{
    lks_buf call = {0}, result = {0};
    lks_disputed_claim claim;
    for (size_t i = 0; i < count; i++)
        anvil_word_set(c->a, c->a->game, words[i].slot, words[i].value);
    anvil_send(c->a, "step", challenger, c->a->game, 0, data);
    OK(lks_call_claim_of(&call, c->claim_id));
    anvil_view(c->a, &result, c->a->game, &call);
    OK(lks_return_claim(&claim, result.data, result.len));
    assert_int_equal(claim.status, LKS_CLAIM_CONVICTED);
    check_many_at_once(c, &result);
    lks_buf_free(&result);
}
