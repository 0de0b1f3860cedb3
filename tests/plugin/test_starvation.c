/* A defence that others want to starve: with claims to be checked, and with crowds of false
 * disputes. The engine takes chain time here. */
#include "tests/plugin/disputes_fixture.h"
#include "tests/plugin/engine_time.h"
#include "tests/plugin/known_costs.h"
#include "tests/plugin/sim_game.h"

#include <stdlib.h>

static uint64_t given; /* the newest block that the plugin has */

/* ---- driving ---- */

static bool is_quiet(void)
{
    unsigned busy = !lks_worker_idle(op.worker);
    for (int i = 0; i < LKS_LANES; i++)
        busy += !lks_lane_is_idle(&op.lanes, (lks_lane)i);
    return busy == 0 || engine_time_waits(busy);
}

/* Makes a block, and lets the plugin do what it can until its passes need the chain to go on. */
static void go_on(void)
{
    sim_mine(chain, 1);
    engine_time_at(chain->blocks[chain->block_count - 1].time);
    while (given < chain->block_count - 1)
        lks_inbox_put_block(inbox, sim_block_of(chain, ++given), config.oracle);
    for (int i = 0, quiet = 0; i < 200000 && quiet < 3; i++) {
        assert_true(lks_operator_turn(&op, 1));
        quiet = is_quiet() ? quiet + 1 : 0;
    }
}

static void begin(bool with_challenger, unsigned budget, unsigned floor)
{
    fresh_chain(true, with_challenger);
    config.spill_folder = "";
    chain->budget = budget;
    chain->floor = floor;
    chain->accounts[0].free_bond = lks_u256_from_u64(UINT64_C(18000000000000000000));
    start();
}

static void passes_take(unsigned passes, unsigned seconds)
{
    given = chain->block_count - 1;
    engine_time_at(chain->blocks[given].time);
    engine_time_set(passes, seconds);
}

/* Blocks until something is so; the puppet plays. */
#define RUN_WHILE_NOT(condition, player)                                                           \
    do {                                                                                           \
        for (int i_ = 0; i_ < 600 && !(condition); i_++) {                                         \
            if (player)                                                                            \
                puppet_move(player);                                                               \
            go_on();                                                                               \
        }                                                                                          \
        if (!(condition))                                                                          \
            fail_msg("%s did not come about; log:\n%s", #condition, end_of_log());                 \
    } while (0)

static bool logged(const char *text)
{
    return strstr(sim_host_lines(host), text) != NULL;
}

/* ---- claims to be checked ---- */

/* Another operator claims right tokens, so many times at once. */
static void claim_right(unsigned count, uint32_t window)
{
    size_t ids[8];
    lks_request t = terms();
    t.window = window;
    config.policy.accept = false; /* they are for the other one */
    for (unsigned k = 0; k < count; k++)
        ids[k] = sim_ask(chain, &t, PROMPT);
    sim_mine(chain, 3);
    for (unsigned k = 0; k < count; k++)
        sim_other(chain, SIM_OTHER_ACCEPTS, ids[k]);
    sim_mine(chain, 1);
    for (unsigned k = 0; k < count; k++) {
        lks_buf packed = {0}, call = {0};
        const sim_request *q = &chain->requests[ids[k]];
        lks_tokens_pack(&packed, right, TOKENS);
        DO(lks_call_claim(&call, &q->request, q->seed, packed.data, packed.len, NULL, 0));
        sim_put_call(chain, chain->other, chain->oracle, &call);
        lks_buf_free(&packed);
        lks_buf_free(&call);
    }
    sim_mine(chain, 1);
}

/* Both roles; a run is a quarter of the budget. Checks of others' claims come before the defence by
 * their deadlines, and would take all of its time. */
static void test_checks(void **state)
{
    (void)state;
    begin(true, 60, 10);
    size_t r = own_claim();
    claim_right(5, 63);
    puppet *accuser = play(accuser_of(r, 0x31));
    puppet_challenge(accuser);
    passes_take(5, 3);
    know_cost(&op.costs[0].of[LKS_RUN_CHECK], 15000000 / (PROMPT + TOKENS) + 1);
    for (int i = 0; i < 600 && chain->finals + chain->convictions == 0; i++) {
        puppet_move(accuser);
        puppet_timeout(accuser);
        go_on();
    }
    engine_time_set(1, 0);
    check_defended(1);
    assert_true(logged("6 tokens, right")); /* what there was time for */
    assert_true(logged("is not checked: its window ends in"));
    assert_false(logged("ERROR"));
}

/* A check runs, and a dispute of our own is there, which another program with our key has opened:
 * the check is cancelled, since the move needs the machine, and nothing else comes of it. */
static void test_move_ends_check(void **state)
{
    (void)state;
    begin(true, 200, 40);
    config.policy.accept = false;
    size_t r = foreign_claim(other);
    puppet *liar = play(liar_of(r, right));
    puppet second = accuser_of(r, 0x31);
    memcpy(second.address, lks_signer_address(op.signer), 20);
    passes_take(5, 10);
    RUN_WHILE_NOT(logged("run again"), liar);
    puppet_challenge(&second);
    puppet_free(&second);
    RUN_WHILE_NOT(logged("looking for the challenger's move"), liar);
    go_on();
    assert_true(lks_lane_is_idle(&op.lanes, LKS_LANE_CHECKS) && !chain->convictions);
    RUN_WHILE_NOT(chain->convictions || logged("checked in"), liar);
    assert_int_equal(chain->convictions, 1);
    assert_false(logged("checked in"));
    assert_false(logged("ERROR"));
    engine_time_set(1, 0);
}

/* ---- answers ---- */

/* The machine is slower than was measured: an answer whose deadline is over is given up, without
 * the error of a model that gives none. */
static void test_late_answer(void **state)
{
    (void)state;
    begin(false, 60, 12);
    RUN_UNTIL(logged("measured: "));
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    passes_take(1, 60);
    RUN_WHILE_NOT(logged("its answer is given up"), NULL);
    engine_time_set(1, 0);
    assert_int_equal(job_of(r).state, LKS_JOB_ACCEPTED);
    assert_true(chain->blocks[chain->block_count - 1].time > job_of(r).round.claim_deadline);
    for (int i = 0; i < 5; i++)
        go_on();
    assert_true(lks_worker_idle(op.worker));
    assert_false(logged("the model gave no answer"));
}

/* ---- crowds ---- */

enum {
    MOST_CLAIMS = 10
};

/* False challengers of one claim, who ask for its leaves one after the other, and then for partials
 * where there are some. They never prove anything. */
typedef struct crowd {
    puppet reader; /* reads the game for all of them */
    unsigned size, challenged;
} crowd;

static void name_accuser(puppet *p, unsigned k)
{
    memset(p->address, 0x61, 20);
    p->address[0] = (uint8_t)(p->request + 1);
    p->address[1] = (uint8_t)(k >> 8);
    p->address[2] = (uint8_t)k;
}

/* Leaf number k of the trace, counted across operations, so that neighbours are of different
 * ones. */
static lks_move pick_of(const lks_trace *t, unsigned k)
{
    const uint32_t ops = lks_trace_model(t)->program.op_count;
    lks_move m = {.kind = LKS_MOVE_PICK, .op = k % ops};
    lks_shape s;
    uint32_t size;
    lks_trace_shape(&s, t, m.op);
    uint64_t most = UINT64_C(1) << s.height;
    m.index = (k / ops + 977 * k) % most; /* the first ones and the last ones of long claims */
    while (!lks_shape_leaf(&size, &s, m.index))
        m.index = (m.index + 1) % most;
    return m;
}

static void send_move(crowd *c, const lks_game_dispute *d, const lks_move *m)
{
    lks_game_calls calls = {0};
    memcpy(c->reader.address, d->terms.challenger, 20);
    if (m->kind == LKS_MOVE_PICK)
        lks_game_set_shape(c->reader.game, m->op);
    DO(lks_game_call(&calls, c->reader.game, d, m, c->reader.served->model, NULL));
    for (size_t i = 0; i < calls.count; i++)
        sim_put_call(chain, c->reader.address, chain->game, &calls.items[i].data);
    lks_game_calls_free(&calls);
}

/* As many as get into a block. */
static void crowd_move(crowd *c, unsigned *room)
{
    if (!puppet_look(&c->reader))
        return;
    const lks_trace *t = c->reader.trace;
    for (size_t i = 0; *room && i < lks_game_dispute_count(c->reader.game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(c->reader.game, i);
        lks_move m = pick_of(t, (unsigned)i);
        bool attention =
            d->now.op != LKS_TOP && lks_trace_model(t)->program.ops[d->now.op].code == LKS_OP_ATTN;
        if (d->end != LKS_GAME_LIVE)
            continue;
        if (d->now.state == LKS_DISPUTE_STEP && attention)
            m = (lks_move){.kind = LKS_MOVE_DEMAND_PARTIALS, .element = (uint32_t)i % 8};
        else if (d->now.state != LKS_DISPUTE_PICK)
            continue;
        send_move(c, d, &m);
        --*room;
    }
    while (*room && c->challenged < c->size) {
        name_accuser(&c->reader, c->challenged++);
        puppet_challenge(&c->reader);
        --*room;
    }
}

/* Anybody ends the disputes whose operator is late. */
static void end_late(void)
{
    uint64_t now = chain->blocks[chain->block_count - 1].time;
    for (size_t i = 0; i < chain->dispute_count; i++) {
        const sim_dispute *d = &chain->disputes[i];
        lks_game_calls calls = {0};
        if (!sim_is_operators(d->at.state) || now <= sim_deadline(chain, d))
            continue;
        DO(lks_game_call_timeout(&calls, &(lks_game_dispute){.terms = d->terms}));
        sim_put_call(chain, chain->requester, chain->game, &calls.items[0].data);
        lks_game_calls_free(&calls);
    }
}

/* Passes of the engine over a claim. A tiny one would be a single batch. */
static void passes_for_ten_minutes(void)
{
    uint32_t batches = (prompt_length + TOKENS - 2) / LKS_TRACE_BATCH + 1;
    if (batches > 1)
        passes_take(1, 600 / batches);
    else
        passes_take(4, 150);
}

/* Mainnet's clocks, ten minutes for a claim's positions, no rows kept: so many false disputes on so
 * many claims of ours, as fast as blocks take them. */
static void defend_crowd(unsigned claims, unsigned disputes)
{
    static crowd crowds[MOST_CLAIMS];
    size_t requests[MOST_CLAIMS];
    begin(false, 43200, 7200);
    for (unsigned k = 0; k < claims; k++) {
        lks_request t = terms();
        t.window = 86400;
        t.claim_period = 43200;
        requests[k] = sim_ask(chain, &t, prompt_length);
    }
    for (unsigned k = 0; k < claims; k++) {
        RUN_UNTIL(chain->requests[requests[k]].status == LKS_REQUEST_CLAIMED);
        crowds[k] = (crowd){.reader = accuser_of(requests[k], 0), .size = disputes / claims};
        crowds[k].reader.tokens = other;
    }
    memset(chain->shapes, 1, sizeof chain->shapes);
    chain->period = 300;
    passes_for_ten_minutes();
    for (int i = 0; i < 1500 && chain->lost < disputes && !chain->convictions; i++) {
        unsigned room = SIM_IN_BLOCK - 2;
        for (unsigned k = 0; k < claims; k++)
            crowd_move(&crowds[(k + (unsigned)i) % claims], &room);
        end_late();
        go_on();
    }
    print_message("%u false disputes on %u claims: %u passes, %zu answers, %zu lost, %zu"
                  " convictions, block %zu\n",
                  disputes, claims, engine_time_passes(), chain->answers, chain->lost,
                  chain->convictions, chain->block_count - 1);
    engine_time_set(1, 0);
    if (chain->lost < disputes)
        print_message("%zu disputes, log:\n%s\n", chain->dispute_count, end_of_log());
    for (unsigned k = 0; k < claims; k++)
        puppet_free(&crowds[k].reader);
    assert_int_equal(chain->convictions, 0);
    assert_int_equal(chain->lost, disputes);
}

static void test_crowd(void **state)
{
    (void)state;
    defend_crowd(3, 90);
}

static void test_thousand(void **state)
{
    (void)state;
    defend_crowd(10, 1000);
}

/* Arguments: a pattern of the tests to run; test_thousand runs only so; a model's file, and the
 * length of the prompt for it. */
int main(int argc, char **argv)
{
    cmocka_set_skip_filter(argc > 1 ? NULL : "test_thousand");
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (argc == 4) {
        model_file = argv[2];
        prompt_length = (uint32_t)strtoul(argv[3], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_checks, no_teardown),
        cmocka_unit_test_teardown(test_move_ends_check, no_teardown),
        cmocka_unit_test_teardown(test_late_answer, no_teardown),
        cmocka_unit_test_teardown(test_crowd, no_teardown),
        cmocka_unit_test_teardown(test_thousand, no_teardown),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
