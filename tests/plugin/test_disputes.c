/* Both roles in disputes, on a simulated chain with a real model: what the plugin does against liars and false challengers, whom the test plays with the dispute
 * player and a trace of other tokens; through restarts, re-orgs and lost connections. */
#include "chain/keystore.h"
#include "plugin/operator.h"
#include "tests/oracle/tiny_models.h"
#include "tests/plugin/sim.h"
#include "tests/plugin/sim_host.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DO(expression) \
    do { \
        if ((expression) != LKS_OK) fail_msg("%s: %s", #expression, lks_error_message()); \
    } while (0)
#define TOKENS 6u
#define PROMPT 5u

static char folder[64], database[128];
static char *paths[1];
static tiny_model tiny;
static lks_signer *signer;
static lks_models models;
static uint32_t right[TOKENS], other[TOKENS]; /* the model's answer, and one that differs in token 2 */
static sim *chain;
static sim_host *host;
static lks_config config;
static lks_inbox *inbox;
static lks_node *rpc;
static lks_operator op;
static bool is_open;

/* ---- the fixture ---- */

static int make_all(void **state) {
    (void)state;
    uint8_t key[32];
    uint32_t prompt[PROMPT], count = 0;
    snprintf(folder, sizeof folder, "%s/lockstep-disputes-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(database, sizeof database, "%s/jobs.db", folder);
    DO(lks_key_generate(key));
    DO(lks_signer_new(&signer, key));
    tiny_open(&tiny, "mixed");
    paths[0] = tiny.path;
    DO(lks_models_open(&models, paths, 1, true));
    for (uint32_t i = 0; i < PROMPT; i++) prompt[i] = i + 1;
    const lks_policy greedy = {0};
    const lks_generate_options one = {.threads = 1};
    DO(lks_generate(models.items[0].model, prompt, PROMPT, &greedy, TOKENS, &one, right, &count));
    assert_int_equal(count, TOKENS);
    memcpy(other, right, sizeof right);
    other[2] = (other[2] + 1) % models.items[0].vocab_size;
    return 0;
}

static int free_all(void **state) {
    (void)state;
    lks_models_close(&models);
    lks_model_close(&tiny.model);
    lks_signer_free(signer);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void start(void) {
    DO(lks_inbox_new(&inbox, 1000, 1 << 20));
    DO(lks_node_new(&rpc, sim_host_api(host), 5000));
    DO(lks_operator_open(&op, sim_host_api(host), &config, &models, inbox, rpc, signer));
    op.pause_ms = 1;
    is_open = true;
}

static void halt(void) {
    if (!is_open) return;
    lks_inbox_stop(inbox);
    lks_worker_cancel(op.worker);
    lks_prover_cancel(op.prover);
    lks_node_close(rpc);
    lks_operator_close(&op);
    sim_host_settle(host);
    lks_node_free(rpc);
    lks_inbox_free(inbox);
    is_open = false;
}

static void restart(void) {
    halt();
    start();
}

static void fresh_chain(bool is_operator, bool is_challenger) {
    char command[160];
    snprintf(command, sizeof command, "rm -f %s*", database);
    assert_int_equal(system(command), 0);
    chain = sim_new(lks_signer_address(signer));
    host = sim_host_new(chain);
    memset(chain->game, 0x09, 20);
    memcpy(chain->model_id, models.items[0].model_id, 32);
    chain->model = models.items[0].model;
    chain->commitment = models.items[0].commitment;
    chain->budget = 60;
    chain->floor = 12;
    memset(&config, 0, sizeof config);
    config.chain_id = SIM_CHAIN_ID;
    memcpy(config.oracle, chain->oracle, 20);
    memcpy(config.bonds, chain->bonds, 20);
    memcpy(config.registry, chain->registry, 20);
    memcpy(config.game, chain->game, 20);
    config.models[0] = tiny.path;
    config.model_count = 1;
    config.database = database;
    config.threads = 1;
    config.start_block = 1;
    memset(&config.policy.max_stake, 0xff, sizeof config.policy.max_stake);
    memset(&config.recheck_stake, 0xff, sizeof config.recheck_stake);
    config.policy.finalize = true;
    config.is_operator = config.policy.accept = is_operator;
    config.is_challenger = is_challenger;
    config.check_share = LKS_SHARE_ALL;
    memset(&config.max_bond, 0xff, sizeof config.max_bond);
    config.max_fee = lks_u256_from_u64(UINT64_C(100000000000));
    config.max_priority_fee = config.max_fee;
    sim_mine(chain, 2);
}

static void play_nobody(void);

static int teardown(void **state) {
    (void)state;
    play_nobody();
    halt();
    sim_host_free(host);
    sim_free(chain);
    host = NULL;
    chain = NULL;
    return 0;
}

/* After a test that made chains of its own. */
static int no_teardown(void **state) {
    (void)state;
    if (chain) teardown(state);
    return 0;
}

/* ---- the other side ---- */

/* An account that plays with a trace of tokens of its own choice. */
typedef struct puppet {
    uint8_t address[20];
    bool defends;
    const uint32_t *tokens;
    size_t request;
    lks_trace *trace;
    lks_game *game;
    bool silent; /* makes no move */
} puppet;

static lks_game_deployment deployment(void) {
    lks_game_deployment d = {.chain_id = SIM_CHAIN_ID};
    memcpy(d.oracle, chain->oracle, 20);
    memcpy(d.game, chain->game, 20);
    memcpy(d.registry, chain->registry, 20);
    return d;
}

static void feed(puppet *p, const lks_eth *node, const lks_eth_filter *filter) {
    lks_eth_logs logs = {0};
    DO(lks_eth_get_logs(node, filter, 1, chain->block_count - 1, 0, &logs));
    for (size_t i = 0; i < logs.count; i++) DO(lks_game_add(p->game, &logs.items[i], 0));
    lks_eth_logs_free(&logs);
}

/* Brings the puppet's game to the head. Returns: false when there is no claim. */
static bool puppet_look(puppet *p) {
    const lks_game_deployment d = deployment();
    const sim_request *q = &chain->requests[p->request];
    lks_eth node = {sim_call, chain};
    lks_game_filter f;
    lks_model_commitment model;
    if (q->status != LKS_REQUEST_CLAIMED) return false;
    lks_game_free(p->game);
    p->game = NULL;
    DO(lks_game_new(&p->game, &d, q->id, q->claim_id));
    lks_game_commitment(&model, &models.items[0].commitment);
    DO(lks_game_set_model(p->game, &model));
    lks_game_filter_request(&f, &d, q->id);
    feed(p, &node, &f.filter);
    lks_game_filter_claim(&f, &d, q->claim_id);
    feed(p, &node, &f.filter);
    DO(lks_game_update(p->game));
    if (p->trace) return true;
    lks_run run = *lks_game_run(p->game);
    run.answer = p->tokens;
    DO(lks_trace_make(&p->trace, models.items[0].model, &run, &(lks_trace_options){.threads = 1}));
    return true;
}

static void puppet_send(const puppet *p, lks_game_calls *calls) {
    for (size_t i = 0; i < calls->count; i++) sim_put_call(chain, p->address, chain->game, &calls->items[i].data);
    lks_game_calls_free(calls);
}

/* Makes the puppet's moves, which the next block has. */
static void puppet_move(puppet *p) {
    lks_u256 fee = lks_u256_from_u64(1);
    if (p->silent || !puppet_look(p)) return;
    for (size_t i = 0; i < lks_game_dispute_count(p->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(p->game, i);
        lks_move move = {0};
        lks_game_calls calls = {0};
        if (d->end != LKS_GAME_LIVE || (!p->defends && memcmp(d->challenger, p->address, 20))) continue;
        lks_err err = p->defends ? lks_player_operator(&move, p->trace, lks_game_shown(p->game), &d->now)
                                 : lks_player_challenger(&move, p->trace, models.items[0].trees, lks_game_shown(p->game), &d->now);
        if (!err && move.kind != LKS_MOVE_NONE) {
            DO(lks_game_call(&calls, p->game, d, &move, models.items[0].model, &fee));
            puppet_send(p, &calls);
        }
        lks_move_free(&move);
    }
}

static void puppet_challenge(puppet *p) {
    static const uint8_t salt[32] = {1};
    uint8_t id[32];
    lks_game_calls calls = {0};
    lks_u256 one = lks_u256_from_u64(1);
    assert_true(puppet_look(p));
    DO(lks_game_call_challenge(&calls, id, p->game, p->address, salt, &one, &one));
    puppet_send(p, &calls);
}

static void puppet_free(puppet *p) {
    lks_trace_free(p->trace);
    lks_game_free(p->game);
}

/* ---- driving ---- */

static puppet players[3];
static size_t player_count;

static void take_turns(void) {
    lks_inbox_put_block(inbox, sim_block_of(chain, chain->block_count - 1), config.oracle);
    for (int i = 0; i < 3; i++) assert_true(lks_operator_turn(&op, 1));
    /* What runs may take longer than a block lasts here: a second of the chain. */
    for (int i = 0; i < 4000 && (!lks_prover_idle(op.prover) || !lks_worker_idle(op.worker)); i++) assert_true(lks_operator_turn(&op, 1));
}

static void block(void) {
    for (size_t i = 0; i < player_count; i++) puppet_move(&players[i]);
    sim_mine(chain, 1);
    take_turns();
}

static lks_job job_of(size_t request) {
    lks_job job;
    lks_err err = lks_store_job_get(op.store, chain->requests[request].id, &job);
    if (err) memset(&job, 0, sizeof job);
    return job;
}

static size_t open_claims(void) {
    lks_claims claims = {0};
    DO(lks_store_claims_open(op.store, &claims));
    size_t count = claims.count;
    lks_claims_free(&claims);
    return count;
}

static lks_request terms(void) {
    lks_request t = sim_terms(chain);
    t.max_tokens = TOKENS;
    t.window = 300;
    t.accept_period = 900;
    return t;
}

/* Another operator claims these tokens. Returns: the request. */
static size_t foreign_claim(const uint32_t *tokens) {
    lks_request t = terms();
    lks_buf packed = {0}, call = {0};
    size_t r = sim_ask(chain, &t, PROMPT);
    sim_mine(chain, 3);
    sim_other(chain, SIM_OTHER_ACCEPTS, r);
    sim_mine(chain, 1);
    lks_tokens_pack(&packed, tokens, TOKENS);
    DO(lks_call_claim(&call, &chain->requests[r].request, chain->requests[r].seed, packed.data, packed.len, NULL, 0));
    sim_put_call(chain, chain->other, chain->oracle, &call);
    sim_mine(chain, 1);
    assert_int_equal(chain->requests[r].status, LKS_REQUEST_CLAIMED);
    lks_buf_free(&packed);
    lks_buf_free(&call);
    return r;
}

static puppet liar_of(size_t request, const uint32_t *trace_tokens) {
    puppet p = {.defends = true, .tokens = trace_tokens, .request = request};
    memcpy(p.address, chain->other, 20);
    return p;
}

static puppet accuser_of(size_t request, uint8_t name) {
    puppet p = {.tokens = other, .request = request};
    memset(p.address, name, 20);
    return p;
}

/* Lets a puppet play until the test ends. */
static puppet *play(puppet p) {
    players[player_count] = p;
    return &players[player_count++];
}

static void play_nobody(void) {
    for (size_t i = 0; i < player_count; i++) puppet_free(&players[i]);
    player_count = 0;
}

/* As much of it as a failure's message has room for. */
static const char *end_of_log(void) {
    const char *lines = sim_host_lines(host);
    size_t len = strlen(lines);
    return len > 700 ? lines + len - 700 : lines;
}

#define RUN_UNTIL(condition) \
    do { \
        for (int i_ = 0; i_ < 700 && !(condition); i_++) block(); \
        if (!(condition)) fail_msg("%s did not come about; log:\n%s", #condition, end_of_log()); \
    } while (0)

static void check_won(void) {
    if (chain->convictions != 1 || chain->challenges != 1 || chain->reverts) fail_msg("%zu convictions, %zu challenges, %zu reverts; log:\n%s", chain->convictions, chain->challenges, chain->reverts, end_of_log());
}

/* ---- challenger ---- */

static void test_right_claim(void **state) {
    (void)state;
    fresh_chain(false, true);
    start();
    foreign_claim(right);
    for (int i = 0; i < 20; i++) block();
    assert_non_null(strstr(sim_host_lines(host), "6 tokens, right"));
    assert_int_equal(chain->challenges, 0);
    assert_int_equal(chain->sends, 0);
}

/* The tokens are wrong, the trace is honest: one step. */
static void test_wrong_token(void **state) {
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), other));
    RUN_UNTIL(chain->convictions);
    RUN_UNTIL(open_claims() == 0);
    check_won();
    assert_true(chain->reclaims == 1 && chain->withdrawals == 1);
    assert_int_equal(op.matches.count, 0);
}

/* The trace is of other tokens: down the tree to the first difference. */
static void test_wrong_trace(void **state) {
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), right));
    RUN_UNTIL(chain->convictions);
    check_won();
    assert_true(chain->slot_count > 1);
    assert_non_null(strstr(sim_host_lines(host), "of operation"));
}

static void test_silent_operator(void **state) {
    (void)state;
    for (int blocks = 0; blocks < 6; blocks += 2) { /* 0: the trace is due, 2: children, 4: a leaf */
        fresh_chain(false, true);
        start();
        puppet *liar = play(liar_of(foreign_claim(other), right));
        for (int i = 0; i < blocks; i++) block();
        liar->silent = true;
        RUN_UNTIL(chain->convictions);
        check_won();
        assert_non_null(strstr(sim_host_lines(host), "timeout"));
        teardown(NULL);
    }
}

static void test_share_and_bond(void **state) {
    (void)state;
    fresh_chain(false, true);
    config.check_share = 0;
    start();
    foreign_claim(other);
    for (int i = 0; i < 10; i++) block();
    assert_int_equal(chain->challenges, 0);
    assert_null(strstr(sim_host_lines(host), "checked"));
    teardown(NULL);
    fresh_chain(false, true);
    config.max_bond = lks_u256_from_u64(49);
    start();
    foreign_claim(other);
    for (int i = 0; i < 10; i++) block();
    assert_int_equal(chain->challenges, 0);
    assert_non_null(strstr(sim_host_lines(host), "above max_bond_wei"));
}

/* A claim out of our share, right in its tokens; somebody else's challenge opens a trace that is wrong. */
static void test_opened_root(void **state) {
    (void)state;
    fresh_chain(false, true);
    config.check_share = 0;
    start();
    size_t r = foreign_claim(right);
    puppet accuser = accuser_of(r, 0x31);
    play(liar_of(r, other));
    puppet_challenge(&accuser);
    puppet_free(&accuser);
    RUN_UNTIL(chain->convictions);
    assert_int_equal(chain->challenges, 2);
    assert_non_null(strstr(sim_host_lines(host), "the trace that its operator opened is wrong"));
}

/* Both roles: a claim of our own is not disputed, wrong as it is. */
static lks_err run_wrongly(const lks_served *served, const uint32_t *prompt, size_t prompt_count, const lks_policy *policy, uint32_t max_tokens,
                           const lks_generate_options *o, uint32_t *tokens, uint32_t *count) {
    lks_err err = lks_generate(served->model, prompt, prompt_count, policy, max_tokens, o, tokens, count);
    if (*count > 2) tokens[2] = (tokens[2] + 1) % served->vocab_size;
    return err;
}

static void test_own_claim(void **state) {
    (void)state;
    fresh_chain(true, true);
    lks_run_fn run = models.run;
    models.run = run_wrongly;
    start();
    lks_request t = terms();
    t.window = 30;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    assert_int_equal(chain->challenges, 0);
    models.run = run;
}

/* ---- operator ---- */

/* A wrong answer is not claimed where the stake is worth a second run; when the machine is right again, the answer is. */
static void test_recheck(void **state) {
    (void)state;
    fresh_chain(true, false);
    lks_run_fn run = models.run;
    models.run = run_wrongly;
    lks_request t = terms();
    config.recheck_stake = t.stake;
    start();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(strstr(sim_host_lines(host), "a second run gives another token 2"));
    assert_int_equal(chain->claims, 0);
    models.run = run;
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    uint32_t claimed[TOKENS];
    assert_int_equal(chain->requests[r].tokens.len, sizeof claimed);
    DO(lks_tokens_unpack(claimed, chain->requests[r].tokens.data, sizeof claimed));
    assert_memory_equal(claimed, right, sizeof right);
}

static size_t own_claim(void) {
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    return r;
}

static void check_defended(size_t accusers) {
    if (chain->convictions || chain->lost != accusers || chain->reverts || chain->finals != 1)
        fail_msg("%zu convictions, %zu lost, %zu reverts, %zu final; log:\n%s", chain->convictions, chain->lost, chain->reverts, chain->finals, end_of_log());
}

static void test_false_challenges(void **state) {
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet_challenge(play(accuser_of(r, 0x31)));
    block();
    puppet_challenge(play(accuser_of(r, 0x32)));
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(2);
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->withdrawals, 1);
}

/* The settlement waits for a dispute that is open beyond the window. */
static void test_finality_waits(void **state) {
    (void)state;
    fresh_chain(true, false);
    start();
    lks_request t = terms();
    t.window = 30;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    puppet a = accuser_of(r, 0x31);
    puppet_challenge(&a);
    puppet_free(&a);
    for (int i = 0; i < 60; i++) block();
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    assert_null(strstr(sim_host_lines(host), "finalize must wait"));
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
}

/* More traces than could be opened in time: the second request waits. */
static void test_refuses_traces(void **state) {
    (void)state;
    fresh_chain(true, false);
    chain->budget = 1;
    start();
    own_claim();
    op.trace_us[0] = 30000; /* of 11 positions: 330 of 500 ms */
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    for (int i = 0; i < 10; i++) block();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    assert_non_null(strstr(sim_host_lines(host), "could not be opened in time"));
}

/* ---- through everything ---- */

static void test_restarts(void **state) {
    (void)state;
    for (int defends = 0; defends < 2; defends++)
        for (int period = 1; period <= 3; period++) {
            fresh_chain(defends, !defends);
            start();
            size_t r = defends ? own_claim() : foreign_claim(other);
            puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
            if (defends) puppet_challenge(p);
            for (int i = 0; i < 600 && chain->convictions + chain->finals == 0; i++) {
                block();
                if (i % period == 0) restart();
            }
            if (defends) check_defended(1);
            else check_won();
            teardown(NULL);
        }
}

/* A re-org at each height of the game, which takes the last blocks' moves of both sides away, kept by the node or lost. */
static void test_reorgs(void **state) {
    (void)state;
    size_t done = 0;
    for (int defends = 0; defends < 2; defends++)
        for (int height = 1; height <= 16; height += 3)
            for (int how = 0; how < 4; how++) {
                fresh_chain(defends, !defends);
                start();
                size_t r = defends ? own_claim() : foreign_claim(other);
                puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
                if (defends) puppet_challenge(p);
                for (int i = 0; i < height; i++) block();
                sim_reorg(chain, how & 2 ? 2 : 1, true, how & 1);
                for (int i = 0; i < 600 && chain->convictions + chain->finals == 0; i++) block();
                bool challenged = chain->challenges == 1 || (defends && chain->challenges == 0); /* it goes when it comes back before the claim */
                if (chain->convictions != (defends ? 0 : 1) || chain->finals != (defends ? 1 : 0) || !challenged)
                    fail_msg("height %d, how %d: %zu convictions, %zu final, %zu challenges; log:\n%s", height, how, chain->convictions, chain->finals,
                             chain->challenges, end_of_log());
                done++;
                teardown(NULL);
            }
    print_message("%zu re-orgs\n", done);
}

#ifdef LKS_FEWER_CASES
enum { CALLS_APART = 9 };
#else
enum { CALLS_APART = 3 };
#endif

/* The connection is lost at the n-th call of the plugin, and so is the process; then both come back. */
static void test_crashes(void **state) {
    (void)state;
    size_t crashes = 0;
    uint64_t calls = 400;
    for (uint64_t n = 20; n < calls; n += CALLS_APART) {
        fresh_chain(false, true);
        start();
        play(liar_of(foreign_claim(other), right));
        uint64_t begun = chain->calls;
        for (int i = 0; i < 100 && chain->calls < begun + n && !chain->convictions; i++) block();
        if (chain->convictions) calls = 0;
        chain->fail_from = chain->calls + 1 + n % 5;
        chain->fail_after_doing = n % 2;
        sim_mine(chain, 1);
        take_turns();
        halt();
        chain->fail_from = 0;
        start();
        RUN_UNTIL(chain->convictions);
        check_won();
        crashes++;
        teardown(NULL);
    }
    print_message("%zu crashes\n", crashes);
    assert_true(crashes > 30 / CALLS_APART);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv) {
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_right_claim), TEST(test_wrong_token), TEST(test_wrong_trace), TEST(test_silent_operator), TEST(test_share_and_bond),
        TEST(test_opened_root), TEST(test_own_claim), TEST(test_recheck), TEST(test_false_challenges), TEST(test_finality_waits),
        TEST(test_refuses_traces), TEST(test_restarts), TEST(test_reorgs), TEST(test_crashes),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
