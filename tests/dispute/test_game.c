/* The follower of a claim's events: logs in any order, twice, missing, foreign, damaged; many
 * disputes; filters. */
#include "tests/dispute/game_scene.h"

/* ---- what the events say ---- */

static void test_claim(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    const lks_run *run = lks_game_run(g), *want = &s.run.run;
    assert_non_null(run);
    assert_int_equal(run->prompt_count, want->prompt_count);
    assert_memory_equal(run->prompt, want->prompt, 4 * want->prompt_count);
    assert_int_equal(run->answer_count, want->answer_count);
    assert_memory_equal(run->answer, want->answer, 4 * want->answer_count);
    assert_true(run->policy.seed == want->policy.seed &&
                run->policy.temperature == want->policy.temperature);
    uint8_t attempt, seat, operator_address[20];
    uint64_t end;
    assert_true(lks_game_seat(g, &attempt, &seat, operator_address, &end));
    assert_true(attempt == 2 && seat == 0 && end == s.r.times[2] + 500);
    assert_memory_equal(operator_address, s.r.operator_address, 20);
    assert_memory_equal(lks_game_request(g), &s.r.request, sizeof s.r.request);
    assert_memory_equal(lks_game_model(g), &s.r.commitment, sizeof s.r.commitment);
    lks_witness_claim facts;
    assert_true(lks_game_facts(&facts, g));
    assert_memory_equal(facts.trace_root, s.r.claim.trace_root, 4 * 32);
    const lks_facts *got = &facts.facts, *right = &s.r.claim.facts;
    assert_true(got->seed == right->seed && got->vocab_size == right->vocab_size &&
                got->max_positions == right->max_positions &&
                got->answer_count == right->answer_count);
    lks_claim_terms terms;
    lks_claim_facts claim_facts;
    uint8_t id[32];
    assert_true(lks_game_claim(&terms, &claim_facts, g));
    lks_claim_id(id, &terms);
    assert_memory_equal(id, s.r.claim_id, 32);
    lks_claim_facts_hash(id, &claim_facts);
    assert_memory_equal(id, terms.facts_hash, 32);
    lks_game_free(g);
}

static void test_history(void **state)
{
    (void)state;
    static const lks_game_event_kind kinds[] = {
        LKS_GAME_CHALLENGED,        LKS_GAME_TRACE_OPENED,    LKS_GAME_PICKED,
        LKS_GAME_REVEALED,          LKS_GAME_PICKED,          LKS_GAME_LEAF_REVEALED,
        LKS_GAME_PARTIALS_DEMANDED, LKS_GAME_PARTIALS_OPENED, LKS_GAME_CLAIM_CONVICTED};
    lks_game *g = referee_follow(&s.r);
    const lks_game_dispute *d = lks_game_dispute_at(g, 0), *lost = lks_game_dispute_at(g, 1);
    assert_null(lks_game_dispute_at(g, 2));
    assert_true(d->end == LKS_GAME_WON && d->now.state == LKS_DISPUTE_CLOSED &&
                lost->end == LKS_GAME_LOST);
    size_t at = 0;
    for (size_t i = 0; i < d->step_count; i++) {
        bool answer = d->steps[i].kind == LKS_GAME_TRACE_OPENED ||
                      d->steps[i].kind == LKS_GAME_REVEALED ||
                      d->steps[i].kind == LKS_GAME_LEAF_REVEALED ||
                      d->steps[i].kind == LKS_GAME_PARTIALS_OPENED;
        assert_int_equal(d->steps[i].by_operator, answer);
        assert_true(i == 0 || (d->steps[i].block > d->steps[i - 1].block &&
                               d->steps[i].time > d->steps[i - 1].time));
        at += at < LKS_COUNT(kinds) && d->steps[i].kind == kinds[at];
    }
    assert_int_equal(at, LKS_COUNT(kinds));
    assert_int_equal(d->steps[0].amount.w[0], 50);
    assert_int_equal(d->steps[d->step_count - 1].how, LKS_CONVICTION_PARTIAL_STEP);
    assert_int_equal(lost->steps[1].kind, LKS_GAME_TRACE_OPENED); /* by an answer to the other */
    assert_true(lost->steps[1].by_operator && lks_u256_is_zero(&lost->steps[1].amount));
    assert_int_equal(lost->steps[lost->step_count - 1].kind, LKS_GAME_DISPUTE_LOST);
    assert_int_equal(lost->steps[lost->step_count - 1].amount.w[0], 35);
    assert_true(lks_game_shape_known(g, d->steps[d->step_count - 2].op) &&
                !lks_game_shape_known(g, 65534) && !lks_game_shape_known(g, LKS_TOP));
    lks_game_free(g);
}

/* Every prefix of the logs, fed in any order, in batches, with repeats, gives what the same logs in
 * order give. */
static void test_any_order(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (size_t n = 0; n <= s.r.log_count; n++) {
        lks_game *a = game_new(), *b = game_new();
        size_t order[256];
        assert_true(n <= LKS_COUNT(order));
        for (size_t i = 0; i < n; i++) {
            size_t k = liar_below(&random, i + 1);
            order[i] = order[k];
            order[k] = i;
            game_add(a, i);
        }
        OK(lks_game_update(a));
        for (size_t i = 0; i < n; i++) {
            game_add(b, order[i]);
            if (liar_below(&random, 3) == 0)
                game_add(b, order[i]);
            lks_err err = i % 4 == 3 ? lks_game_update(b)
                                     : LKS_OK; /* what lacks logs in its middle may be refused */
            assert_true(err == LKS_OK || err == LKS_CORRUPT || err == LKS_NOTFOUND);
        }
        OK(lks_game_update(b));
        assert_int_equal(lks_game_dispute_count(a), lks_game_dispute_count(b));
        for (size_t i = 0; i < lks_game_dispute_count(a); i++) {
            lks_game_dispute x = *lks_game_dispute_at(a, i), y = *lks_game_dispute_at(b, i);
            assert_int_equal(x.step_count, y.step_count);
            assert_memory_equal(x.steps, y.steps, x.step_count * sizeof *x.steps);
            assert_int_equal(x.now.partials_len, y.now.partials_len);
            assert_memory_equal(x.now.partials, y.now.partials, x.now.partials_len);
            x.steps = y.steps = NULL;
            x.now.partials = y.now.partials = NULL; /* into the logs */
            assert_memory_equal(&x, &y, sizeof x);
        }
        const lks_shown *p = lks_game_shown(a), *q = lks_game_shown(b);
        assert_true(p->open == q->open && p->known.node_count == q->known.node_count &&
                    p->known.leaf_count == q->known.leaf_count);
        for (size_t i = 0; i < p->known.node_count; i++)
            assert_memory_equal(p->known.nodes[i].hash, q->known.nodes[i].hash, 32);
        assert_int_equal(lks_game_status(a), lks_game_status(b));
        lks_game_free(a);
        lks_game_free(b);
    }
}

/* A log that is missing shows, or what it said is not known; nothing is invented. */
static void test_missing(void **state)
{
    (void)state;
    size_t refused = 0;
    lks_game *whole = referee_follow(&s.r);
    for (size_t missing = 0; missing < s.r.log_count; missing++) {
        lks_game *g = game_new();
        for (size_t i = 0; i < s.r.log_count; i++)
            if (i != missing)
                game_add(g, i);
        lks_err err = lks_game_update(g);
        refused += err != LKS_OK;
        if (err)
            assert_true((err == LKS_CORRUPT || err == LKS_NOTFOUND) &&
                        lks_game_dispute_count(g) == 0 && !lks_game_shown(g)->open &&
                        !lks_game_run(g));
        else
            assert_true(lks_game_shown(g)->known.node_count <=
                        lks_game_shown(whole)->known.node_count);
        if (missing == 0 || missing == 2)
            assert_null(lks_game_run(g));
        game_add(g, missing);
        OK(lks_game_update(g));
        assert_int_equal(lks_game_status(g), LKS_CLAIM_CONVICTED);
        lks_game_free(g);
    }
    assert_true(refused >= 8);
    lks_game_free(whole);
}

static void test_foreign(void **state)
{
    (void)state;
    lks_game *g = game_new();
    for (size_t i = 0; i < s.r.log_count; i++) {
        lks_eth_log log = s.r.logs[i];
        log.address[0] ^= 1; /* another contract */
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        log.removed = true;
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        log.topics[0][3] ^= 1; /* another event */
        OK(lks_game_add(g, &log, s.r.times[i]));
        log = s.r.logs[i];
        if (memcmp(log.address, s.r.deployment.registry, 20)) {
            log.topics[1][3] ^= 1; /* another claim, request or model */
            lks_err err = lks_game_add(g, &log, s.r.times[i]);
            /* the ids of Challenged, and the names of claims, are hashes of what is in the event */
            assert_true(err == LKS_OK || err == LKS_CORRUPT);
        }
    }
    OK(lks_game_update(g));
    assert_true(lks_game_dispute_count(g) == 0 && !lks_game_run(g) && !lks_game_request(g) &&
                !lks_game_shown(g)->open);
    lks_game_free(g);
}

static void test_branches(void **state)
{
    (void)state;
    lks_game *g = referee_follow(&s.r);
    lks_eth_log log = s.r.logs[8];
    log.tx_hash[0] ^= 1; /* the same place, on another branch */
    OK(lks_game_add(g, &log, s.r.times[8]));
    assert_int_equal(lks_game_update(g), LKS_CORRUPT);
    assert_int_equal(lks_game_update(g), LKS_CORRUPT);
    assert_int_equal(lks_game_dispute_count(g), 0);
    lks_game_clear(g);
    OK(lks_game_update(g));
    assert_null(lks_game_run(g));
    size_t fed = 0;
    referee_feed(&s.r, g, &fed);
    referee_compare(&s.r, g);
    lks_game_free(g);
}

/* Every byte of every log flipped, one at a time: refused, ignored or told; never out of bounds
 * (the address sanitizer sees exact copies). */
static void test_damage(void **state)
{
    (void)state;
    size_t refused = 0, taken = 0;
    for (size_t i = 0; i < s.r.log_count; i++)
        for (size_t at = 0; at < s.r.logs[i].data_len; at += 1 + (at > 700) * 7) {
            lks_game *g = game_new();
            lks_err err = LKS_OK;
            for (size_t k = 0; k < s.r.log_count && !err; k++) {
                lks_eth_log log = s.r.logs[k];
                uint8_t *copy = malloc(log.data_len ? log.data_len : 1);
                assert_non_null(copy);
                if (log.data_len)
                    memcpy(copy, log.data, log.data_len);
                if (k == i)
                    copy[at] ^= 0x41;
                log.data = copy;
                err = lks_game_add(g, &log, s.r.times[k]);
                free(copy);
            }
            if (!err)
                err = lks_game_update(g);
            assert_true(err == LKS_OK || err == LKS_CORRUPT || err == LKS_NOTFOUND);
            if (err)
                refused++;
            else
                taken++;
            lks_game_free(g);
        }
    printf("count damaged_logs %zu\ncount damaged_logs_refused %zu\n", refused + taken, refused);
    assert_true(refused > taken / 4);
}

/* The first pick, replaced by another. Returns: what the follower says of the logs up to it. Out:
 * g, the game, to be freed. */
static lks_err pick_instead(lks_game **g, uint16_t op, uint8_t height, uint32_t index)
{
    lks_err err = LKS_OK;
    *g = game_new();
    for (size_t i = 0; !err && i < s.r.log_count; i++) {
        lks_game_event e;
        lks_eth_log log = s.r.logs[i];
        bool of_game = memcmp(log.address, s.r.deployment.game, 20) == 0;
        if (!of_game ||
            lks_game_event_decode(&e, (const uint8_t(*)[32])log.topics, log.topic_count, log.data,
                                  log.data_len) ||
            e.kind != LKS_GAME_PICKED) {
            game_add(*g, i);
            continue;
        }
        uint8_t *data = malloc(log.data_len);
        const uint32_t words[] = {op, height, index};
        assert_non_null(data);
        memcpy(data, log.data, log.data_len);
        for (size_t k = 0; k < 3; k++)
            for (int b = 0; b < 4; b++)
                data[32 * k + 28 + b] = (uint8_t)(words[k] >> (24 - 8 * b));
        log.data = data;
        err = lks_game_add(*g, &log, s.r.times[i]);
        free(data);
        return err ? err : lks_game_update(*g);
    }
    return LKS_NOTFOUND;
}

/* Picks that no contract would have taken, but a node may tell of. */
static void test_impossible_picks(void **state)
{
    (void)state;
    const uint32_t ops = s.m.model.program.op_count;
    const uint8_t top = (uint8_t)lks_log2_ceil(ops), stage = (uint8_t)(top > 5 ? top - 5 : 1);
    const struct {
        uint32_t op;
        uint8_t height;
        uint32_t index;
        bool taken;
    } picks[] = {
        {LKS_TOP, stage, 0, top > 5},
        {LKS_TOP, top, 0, false},
        {LKS_TOP, 0, 0, false},
        {LKS_TOP, 69, 0, false},
        {LKS_TOP, 255, 0, false},
        {LKS_TOP, (uint8_t)(stage + 1), 0, false},
        {LKS_TOP, stage, 1u << 31, false},
        {LKS_TOP, stage, (ops >> stage) + 1, false},
        {ops, 0, 0, false},
        {65534, 0, 0, false},
        {3, LKS_TREE_MAX_BITS + 1, 0, false},
        {3, 69, 0, false},
        {3, 255, UINT32_MAX, false},
        {3, LKS_TREE_MAX_BITS, 0, true}, /* only its shape tells */
        {3, 0, UINT32_MAX, true},
    };
    for (size_t i = 0; i < LKS_COUNT(picks); i++) {
        lks_game *g;
        lks_err err = pick_instead(&g, (uint16_t)picks[i].op, picks[i].height, picks[i].index);
        if (err != (picks[i].taken ? LKS_OK : LKS_CORRUPT))
            fail_msg("pick %zu gives %s", i, lks_err_name(err));
        if (picks[i].taken && picks[i].op != LKS_TOP) { /* the players know the shape */
            lks_move m;
            const lks_game_dispute *d = lks_game_dispute_at(g, 0);
            assert_int_equal(lks_player_operator(&m, s.own, lks_game_shown(g), &d->now),
                             LKS_BADARGS);
        }
        lks_game_free(g);
    }
}

static void test_no_model(void **state)
{
    (void)state;
    lks_game *g = game_new();
    for (size_t i = 0; i < s.r.log_count; i++)
        if (i != 3)
            game_add(g, i);
    assert_int_equal(lks_game_update(g), LKS_NOTFOUND);
    const lks_model_commitment c = s.r.commitment;
    lks_model_commitment none = c;
    none.op_count = 0;
    assert_int_equal(lks_game_set_model(g, &none), LKS_BADARGS);
    OK(lks_game_set_model(g, &c));
    OK(lks_game_update(g));
    referee_compare(&s.r, g);
    lks_game_free(g);
}

/* ---- filters ---- */

static bool passes(const lks_eth_filter *f, const lks_eth_log *log)
{
    bool address = false, kind = f->topic0_count == 0;
    for (size_t i = 0; i < f->address_count; i++)
        address = address || memcmp(f->addresses[i], log->address, 20) == 0;
    for (size_t i = 0; i < f->topic0_count; i++)
        kind = kind || memcmp(f->topics0[i], log->topics[0], 32) == 0;
    for (int i = 0; i < 3; i++)
        if (f->topics[i] &&
            (log->topic_count < i + 2 || memcmp(f->topics[i], log->topics[i + 1], 32)))
            return false;
    return address && kind;
}

/* Each log passes exactly one of the four filters. */
static void test_filters(void **state)
{
    (void)state;
    lks_game_filter f[4];
    size_t passed[4] = {0};
    lks_game_filter_claim(&f[0], &s.r.deployment, s.r.claim_id);
    lks_game_filter_request(&f[1], &s.r.deployment, s.r.request_id);
    lks_game_filter_shapes(&f[2], &s.r.deployment, s.r.request.model_id);
    lks_game_filter_model(&f[3], &s.r.deployment, s.r.request.model_id);
    for (size_t i = 0; i < s.r.log_count; i++) {
        int count = 0;
        for (int k = 0; k < 4; k++)
            if (passes(&f[k].filter, &s.r.logs[i])) {
                passed[k]++;
                count++;
            }
        assert_int_equal(count, 1);
    }
    assert_true(passed[0] > 8 && passed[1] == 3 && passed[2] >= 1 && passed[3] == 1);
}

/* ---- many disputes ---- */

/* A dispute is alone when it was so when its turn began and still is; a proof without a dispute
 * waits longer while any is live. */
static void test_alone(void **state)
{
    (void)state;
    static referee r; /* large */
    size_t first, second, fed = 0;
    lks_game *g;
    lks_move m;
    referee_open(&r, &s.m.model, lks_model_trees_commitment(s.trees), &s.run.run);
    OK(lks_game_new(&g, &r.deployment, r.name, r.claim_id));
    referee_feed(&r, g, &fed);
    assert_int_equal(lks_game_proof_delay(g), 2);
    assert_true(referee_challenge(&r, &first));
    referee_feed(&r, g, &fed);
    assert_true(lks_game_dispute_at(g, 0)->alone);
    assert_int_equal(lks_game_proof_delay(g), 50);
    assert_true(referee_challenge(&r, &second));
    referee_feed(&r, g, &fed);
    assert_true(!lks_game_dispute_at(g, 0)->alone && !lks_game_dispute_at(g, 1)->alone);
    lks_dispute at = referee_at(&r, first);
    liar_answer(&m, &s.liar, &at);
    assert_true(referee_move(&r, first, &m, NULL));
    lks_move_free(&m);
    referee_feed(&r, g, &fed);
    referee_compare(&r, g);
    assert_true(!lks_game_dispute_at(g, 0)->alone && !lks_game_dispute_at(g, 1)->alone);
    /* the trace was opened for both: the second keeps all that it had prepaid */
    assert_int_equal(lks_game_dispute_at(g, 0)->prepaid.w[0], REFEREE_PREPAID - REFEREE_COST);
    assert_int_equal(lks_game_dispute_at(g, 1)->prepaid.w[0], REFEREE_PREPAID);
    assert_true(lks_game_dispute_at(g, 1)->deadline == lks_game_dispute_at(g, 0)->deadline);
    referee_timeout(&r, second);
    referee_feed(&r, g, &fed);
    referee_compare(&r, g);
    assert_int_equal(lks_game_live_count(g), 1);
    assert_false(lks_game_dispute_at(g, 0)->alone); /* it was not when its turn began */
    referee_prove(&r);
    referee_feed(&r, g, &fed);
    referee_compare(&r, g);
    assert_int_equal(lks_game_dispute_at(g, 0)->end, LKS_GAME_MOOT);
    assert_int_equal(lks_game_dispute_at(g, 1)->end, LKS_GAME_LOST);
    assert_int_equal(lks_game_proof_delay(g), 2);
    lks_game_free(g);
    referee_close(&r);
}

/* A dispute that says of the claim, its facts, its challenger or itself what its ids do not
 * bind. */
static void test_wrong_facts(void **state)
{
    (void)state;
    for (size_t at = 0; at < 18 * 32; at += 32) {
        lks_game *g = game_new();
        for (size_t i = 0; i < 4; i++)
            game_add(g, i);
        lks_eth_log log = s.r.logs[4];
        uint8_t data[21 * 32];
        assert_int_equal(log.data_len, sizeof data);
        memcpy(data, log.data, sizeof data);
        data[at + 31] ^= 1;
        log.data = data;
        assert_int_equal(lks_game_add(g, &log, s.r.times[4]), LKS_CORRUPT);
        lks_game_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim),     cmocka_unit_test(test_history),
        cmocka_unit_test(test_any_order), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_foreign),   cmocka_unit_test(test_branches),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_impossible_picks),
        cmocka_unit_test(test_no_model),  cmocka_unit_test(test_filters),
        cmocka_unit_test(test_alone),     cmocka_unit_test(test_wrong_facts),
    };
    return cmocka_run_group_tests(tests, game_setup, game_teardown);
}
