#include "tests/cli/watch_fixture.h"

#include <sched.h>
#include <unistd.h>

#include "chain/json.h"
#include "oracle/cli/options.h"
#include "oracle/engine/generate.h"
#include "tests/cli/fake_clock.h"
#include "tests/plugin/sim_game.h"

sim *chain;
lks_watch w;
lks_link s;
uint32_t right[TOKENS], other[TOKENS];
unsigned one_fails, one_keeps_logs_back, one_is_behind;
size_t faults;

static tiny_model tiny;
static lks_models models;
static lks_signer *signer;
static char state_path[64];
char model_path[64];
static puppet players[8];
static size_t player_count;
static uint64_t seed;
static double mined_at;

static bool falls(unsigned one_of)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    bool hit = one_of != 0 && (seed >> 33) % one_of == 0;
    faults += hit;
    return hit;
}

/* ---- views that the simulated chain lacks ---- */

static const sim_seat *seat_of(const uint8_t id32[32], bool by_claim)
{
    for (size_t i = 0; i < chain->request_count; i++) {
        const sim_request *q = &chain->requests[i];
        const uint8_t *key = by_claim ? q->seats[0].claim_id : q->seats[0].name;
        if (memcmp(key, id32, 32) == 0)
            return &q->seats[0];
    }
    return NULL;
}

static const sim_request *request_of(const uint8_t id32[32])
{
    for (size_t i = 0; i < chain->request_count; i++)
        if (memcmp(chain->requests[i].id, id32, 32) == 0)
            return &chain->requests[i];
    return NULL;
}

static void put_state(lks_abi_writer *e, const sim_request *q)
{
    lks_abi_put_u64(e, q ? q->status : 0);
    lks_abi_put_u64(e, q ? q->attempt : 0);
    for (int i = 0; i < 4; i++) /* misses, cancelled, taken, final seat */
        lks_abi_put_u64(e, 0);
    lks_abi_put_u64(e, q ? q->deadline : 0);
    lks_abi_put_u64(e, 0);
    lks_abi_put_bool(e, true);
    lks_abi_put_u64(e, q ? q->seed : 0);
}

static void put_claim(lks_abi_writer *e, const sim_seat *seat, const uint8_t id32[32])
{
    static const uint8_t zero[32];
    bool disputed = false;
    for (size_t i = 0; i < chain->dispute_count; i++)
        disputed = disputed || memcmp(chain->disputes[i].claim_id, id32, 32) == 0;
    bool convicted = disputed && (!seat || seat->status == LKS_SEAT_CONVICTED);
    lks_abi_put_u64(e, convicted  ? LKS_CLAIM_CONVICTED
                       : disputed ? LKS_CLAIM_DISPUTED
                                  : LKS_CLAIM_NONE);
    lks_abi_put_u64(e, seat ? seat->disputes : 0);
    for (int i = 0; i < 3; i++)
        lks_abi_put_u64(e, 1);
    lks_abi_put_u64(e, seat && seat->is_open);
    lks_abi_put_u64(e, 0);
    lks_abi_put_word(e, zero);
}

/* Returns: false when it is none of them. */
static bool view(const uint8_t *data, size_t len, lks_buf *result)
{
    static const struct {
        const char *signature;
        size_t words;
    } views[] = {{"stateOf(bytes32)", 10},
                 {"creditOf(bytes32)", 1},
                 {"standing(bytes32)", 1},
                 {"claimOf(bytes32)", 8},
                 {"bondFor(uint128)", 1}};
    lks_abi_writer e;
    size_t i = 0;
    while (i < 5 && (len != 36 || !sim_is_call(data, len, views[i].signature)))
        i++;
    if (i == 5)
        return false;
    const uint8_t *id = data + 4;
    const sim_seat *seat = seat_of(id, i == 3);
    lks_abi_begin(&e, result, views[i].words);
    if (i == 0)
        put_state(&e, request_of(id));
    else if (i == 2)
        lks_abi_put_bool(&e, seat && seat->status == LKS_SEAT_CLAIMED);
    else if (i == 3)
        put_claim(&e, seat, id);
    else
        lks_abi_put_u64(&e, i == 4 ? SIM_MIN_BOND : 0);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return true;
}

/* ---- the node ---- */

static lks_err fail_call(const char *method)
{
    seed += 12345;
    switch ((seed >> 40) % 4) {
    case 0:
        return lks_fail(LKS_REMOTE, "the node refused %s: header not found (code -32000)", method);
    case 1: return lks_fail(LKS_CORRUPT, "the node's answer to %s is no JSON", method);
    case 2: return lks_fail(LKS_TIMEOUT, "no answer to %s within 30 s", method);
    default: return lks_fail(LKS_BUSY, "the node asks for fewer calls");
    }
}

static lks_err node_call(void *context, const char *method, const char *params, lks_buf *answer)
{
    lks_json doc;
    lks_json_writer out = {.out = answer};
    lks_buf data = {0}, result = {0};
    bool done = false,
         is_head = strcmp(method, "eth_getBlockByNumber") == 0 && strstr(params, "latest") != NULL;
    (void)context;
    lks_buf_clear(answer);
    if (falls(one_fails))
        return fail_call(method);
    if (is_head && falls(one_is_behind)) {
        char older[64];
        snprintf(older, sizeof older, "[\"0x%zx\",false]", chain->block_count - 3);
        return sim_call(chain, method, older, answer);
    }
    assert_int_equal(lks_json_parse(&doc, params, strlen(params), 4096), LKS_OK);
    if (strcmp(method, "eth_blockNumber") == 0) {
        lks_json_put_quantity(&out, chain->block_count - 1);
        done = true;
    } else if (strcmp(method, "eth_getLogs") == 0 && falls(one_keeps_logs_back)) {
        lks_buf_put_text(answer, "[]");
        done = true;
    } else if (strcmp(method, "eth_call") == 0 &&
               lks_json_data(&doc, lks_json_path(&doc, 0, "0.input"), &data) == LKS_OK &&
               view(data.data, data.len, &result)) {
        lks_json_put_data(&out, result.data, result.len);
        done = true;
    }
    lks_json_free(&doc);
    lks_buf_free(&data);
    lks_buf_free(&result);
    return done ? LKS_OK : sim_call(chain, method, params, answer);
}

/* ---- time ---- */

static void tick(void)
{
    for (; mined_at + 1 <= fake_clock_now; mined_at += 1) {
        for (size_t i = 0; i < player_count; i++)
            puppet_move(&players[i]);
        sim_mine(chain, 1);
    }
}

void rounds(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool idle;
        while (w.check.task != NULL && !lks_rerun_done(w.check.task))
            sched_yield();
        assert_int_equal(lks_watch_round(&w, &idle), LKS_PARSED);
        fake_clock_now += 1;
        tick();
    }
}

/* ---- the group ---- */

int make_all(void **state)
{
    (void)state;
    uint8_t key[32];
    uint32_t prompt[PROMPT], count = 0;
    static char *paths[1];
    const lks_policy greedy = {0};
    const lks_generate_options one = {.threads = 1};
    DO(lks_key_generate(key));
    DO(lks_signer_new(&signer, key));
    tiny_open(&tiny, "mixed");
    paths[0] = tiny.path;
    DO(lks_models_open(&models, paths, 1, true));
    for (uint32_t i = 0; i < PROMPT; i++)
        prompt[i] = i + 1;
    DO(lks_generate(models.items[0].model, prompt, PROMPT, &greedy, TOKENS, &one, right, &count));
    memcpy(other, right, sizeof right);
    other[2] = (other[2] + 1) % models.items[0].vocab_size;
    snprintf(state_path, sizeof state_path, "/tmp/lks-watch-%d", (int)getpid());
    snprintf(model_path, sizeof model_path, "/tmp/lks-watch-%d.gguf", (int)getpid());
    return 0;
}

int free_all(void **state)
{
    (void)state;
    lks_models_close(&models);
    lks_model_close(&tiny.model);
    lks_signer_free(signer);
    return 0;
}

/* A copy of the model's file, which a test may destroy. */
static void copy_model(void)
{
    uint8_t piece[4096];
    size_t n;
    FILE *from = fopen(tiny.path, "rb"), *to = fopen(model_path, "wb");
    assert_true(from && to);
    while ((n = fread(piece, 1, sizeof piece, from)) > 0)
        assert_int_equal(fwrite(piece, 1, n, to), n);
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

static void start(void)
{
    memset(&w, 0, sizeof w);
    copy_model();
    w.link = &s;
    w.threads = 1;
    w.share = 1;
    w.state_path = state_path;
    w.gate = (lks_gate)LKS_GATE_INIT;
    assert_int_equal(lks_rerun_load(&w.models[0], model_path, true, 1, "watch", &s.progress),
                     LKS_PARSED);
    w.model_count = 1;
    while (lks_watch_begin(&w) != LKS_OK)
        continue;
}

int fresh(void **state)
{
    (void)state;
    one_fails = one_keeps_logs_back = one_is_behind = 0;
    seed = 1;
    faults = 0;
    mined_at = fake_clock_now;
    unlink(state_path);
    chain = sim_new(lks_signer_address(signer));
    memset(chain->game, 0x09, 20);
    memcpy(chain->model_id, models.items[0].model_id, 32);
    chain->model = models.items[0].model;
    chain->commitment = models.items[0].commitment;
    chain->budget = 120;
    chain->floor = 40;
    chain->accounts[0].balance.w[1] = 1;
    s = (lks_link){.command = "watch",
                   .signer = signer,
                   .node = {node_call, NULL, NULL},
                   .limits = lks_fee_limits_default(),
                   .receipt_timeout_s = 180,
                   .contracts = {.chain_id = SIM_CHAIN_ID, .has_game = true}};
    memcpy(s.contracts.oracle, chain->oracle, 20);
    memcpy(s.contracts.game, chain->game, 20);
    memcpy(s.contracts.registry, chain->registry, 20);
    fake_clock_tick = tick;
    sim_mine(chain, 2);
    start();
    return 0;
}

int end(void **state)
{
    (void)state;
    lks_watch_close(&w);
    fake_clock_tick = NULL;
    for (size_t i = 0; i < player_count; i++)
        puppet_free(&players[i]);
    player_count = 0;
    sim_free(chain);
    unlink(state_path);
    unlink(model_path);
    return 0;
}

void restart(void)
{
    lks_watch_close(&w);
    start();
}

size_t foreign_claim(const uint32_t *tokens)
{
    lks_request t = sim_terms(chain);
    t.max_tokens = TOKENS;
    t.window = 300;
    t.accept_deadline += 800;
    return sim_foreign_claim(chain, &t, PROMPT, tokens, TOKENS);
}

puppet *defend(size_t request, const uint32_t *tokens)
{
    puppet *p = &players[player_count++];
    *p = (puppet){.chain = chain,
                  .served = &models.items[0],
                  .defends = true,
                  .tokens = tokens,
                  .request = request};
    memcpy(p->address, chain->other, 20);
    return p;
}
