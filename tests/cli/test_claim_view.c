#include "oracle/cli/claim_view.h"
#include "oracle/cli/cli.h"

#include "tests/chain/chain_test.h"

/* A request with a prompt of three tokens, answered in attempt 1 by two operators on seats 0 and 1,
 * reopened, and answered in attempt 2 by a third. */
enum {
    REQUESTED,
    CLAIMED_B,
    CLAIMED_A,
    CONVICTED_A,
    CONVICTED_B,
    REOPENED,
    CLAIMED_C,
    FINALIZED,
    EVENTS
};

static const uint8_t prompt[12] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0};
static const uint8_t answers[3][8] = {
    {5, 0, 0, 0, 6, 0, 0, 0}, {5, 0, 0, 0, 7, 0, 0, 0}, {8, 0, 0, 0, 9, 0, 0, 0}};
static const lks_deployment deployment = {.chain_id = 7, .oracle = {0x0a}};

typedef struct scene {
    lks_request_event events[EVENTS];
    lks_eth_log logs[EVENTS];
    lks_request_view view;
} scene;

static void put_claim(scene *s, int claimed, uint8_t who, uint8_t attempt, uint8_t seat)
{
    lks_event *c = &s->events[claimed].e;
    *c = (lks_event){.kind = LKS_EVENT_CLAIMED,
                     .account = {who},
                     .attempt = attempt,
                     .seat = seat,
                     .seed = 99,
                     .time = 1000,
                     .bytes = answers[who - 1],
                     .bytes_len = 8};
    lks_claim_name(c->name, s->view.id, attempt, seat);
}

static void put_end(scene *s, int event, lks_event_kind kind, int claimed)
{
    s->events[event].e = (lks_event){.kind = kind};
    memcpy(s->events[event].e.name, s->events[claimed].e.name, 32);
}

static void set_scene(scene *s, size_t events, lks_request_status status, uint8_t attempt)
{
    *s = (scene){0};
    for (size_t i = 0; i < EVENTS; i++) {
        s->logs[i].block_number = 100 + i;
        s->events[i].log = &s->logs[i];
    }
    s->view = (lks_request_view){.id = {0x77},
                                 .events = s->events,
                                 .event_count = events,
                                 .state = {.status = status, .attempt = attempt}};
    s->view.request.temperature = 0x3f800000;
    s->view.request.min_p = 0x3d4ccccd;
    s->events[REQUESTED].e =
        (lks_event){.kind = LKS_EVENT_REQUESTED, .bytes = prompt, .bytes_len = sizeof prompt};
    put_claim(s, CLAIMED_A, 1, 1, 0);
    put_claim(s, CLAIMED_B, 2, 1, 1);
    put_end(s, CONVICTED_A, LKS_EVENT_CONVICTED, CLAIMED_A);
    put_end(s, CONVICTED_B, LKS_EVENT_CONVICTED, CLAIMED_B);
    s->events[REOPENED].e = (lks_event){.kind = LKS_EVENT_REOPENED, .attempt = 2};
    put_claim(s, CLAIMED_C, 3, 2, 0);
    put_end(s, FINALIZED, LKS_EVENT_FINALIZED, CLAIMED_C);
}

/* What the dispute game calls the claim, from its parts. */
static void claim_id(uint8_t id32[32], const scene *s, const lks_event *e)
{
    uint8_t tokens[32];
    lks_claim_facts facts;
    lks_claim_terms terms;
    lks_tokens_hash(tokens, e->bytes, e->bytes_len);
    lks_claim_facts_of(&facts, &s->view.request, 99, 2, tokens);
    lks_claim_terms_of(&terms, deployment.oracle, e->name, e->account, &s->view.request, &facts);
    lks_claim_id(id32, &terms);
}

static void expect(const scene *s, const lks_claim_args *args, int event, uint8_t attempt,
                   uint8_t seat, bool standing, bool convicted)
{
    lks_claim_view c;
    const lks_event *e = &s->events[event].e;
    OK(lks_claim_view_find(&c, &s->view, &deployment, args));
    uint8_t id[32];
    claim_id(id, s, e);
    assert_memory_equal(c.claim_id, id, 32);
    assert_memory_equal(c.name, e->name, 32);
    assert_memory_equal(c.operator20, e->account, 20);
    assert_int_equal(c.attempt, attempt);
    assert_int_equal(c.seat, seat);
    assert_int_equal(c.standing, standing);
    assert_int_equal(c.convicted, convicted);
    assert_int_equal(c.window_end, 1000);
    assert_int_equal(c.block, s->logs[event].block_number);
    assert_int_equal(c.run.prompt_count, 3);
    assert_int_equal(c.run.prompt[2], 0x103);
    assert_int_equal(c.run.answer_count, 2);
    assert_int_equal(c.run.answer[1], e->bytes[4]);
    assert_int_equal(c.run.policy.seed, 99);
    assert_int_equal(c.run.policy.temperature, 0x3f800000);
    assert_null(c.run.policy.allowed);
    lks_claim_view_free(&c);
    OK(lks_claim_view_by_name(&c, &s->view, &deployment, e->name));
    assert_int_equal(c.attempt, attempt);
    lks_claim_view_free(&c);
}

static void refuse(const scene *s, const lks_claim_args *args, lks_err err, const char *reason)
{
    lks_claim_view c;
    FAILS(err, reason, lks_claim_view_find(&c, &s->view, &deployment, args));
    lks_claim_view_free(&c);
}

static const lks_claim_args any = {0}, seat_1 = {.seat = 1, .seat_given = true},
                            attempt_1 = {.attempt = 1, .attempt_given = true};

static void test_choice(void **state)
{
    (void)state;
    static const lks_claim_args both = {
        .seat = 0, .seat_given = true, .attempt = 1, .attempt_given = true};
    scene s;
    set_scene(&s, CLAIMED_B, LKS_REQUEST_ACCEPTED, 1);
    refuse(&s, &any, LKS_NOTFOUND, "the request has no claim");
    set_scene(&s, CLAIMED_A, LKS_REQUEST_REVEALING, 1);
    expect(&s, &any, CLAIMED_B, 1, 1, true, false);
    set_scene(&s, CONVICTED_A, LKS_REQUEST_CLAIMED, 1);
    refuse(&s, &any, LKS_BADARGS, "choose one with --seat");
    expect(&s, &seat_1, CLAIMED_B, 1, 1, true, false);
    set_scene(&s, CONVICTED_B, LKS_REQUEST_CLAIMED, 1);
    expect(&s, &both, CLAIMED_A, 1, 0, false, true);
    set_scene(&s, FINALIZED, LKS_REQUEST_CLAIMED, 2);
    expect(&s, &any, CLAIMED_C, 2, 0, true, false);
    refuse(&s, &seat_1, LKS_NOTFOUND, "no claim there");
    refuse(&s, &attempt_1, LKS_BADARGS, "attempt 1 of the request has 2 claims");
    expect(&s, &both, CLAIMED_A, 1, 0, false, true);
    set_scene(&s, EVENTS, LKS_REQUEST_FINAL, 2);
    expect(&s, &any, CLAIMED_C, 2, 0, false, false);
}

/* A claim whose model turned out malformed, and one of a request whose claims disagreed to the
 * end. */
static void test_ends(void **state)
{
    (void)state;
    scene s;
    set_scene(&s, CONVICTED_B, LKS_REQUEST_CLAIMED, 1);
    s.events[CONVICTED_A].e.kind = LKS_EVENT_VOIDED;
    static const lks_claim_args first = {.seat_given = true};
    lks_claim_view c;
    OK(lks_claim_view_find(&c, &s.view, &deployment, &first));
    assert_true(c.voided && !c.convicted && !c.standing);
    lks_claim_view_free(&c);
    set_scene(&s, CONVICTED_A, LKS_REQUEST_UNDECIDED, 1);
    expect(&s, &seat_1, CLAIMED_B, 1, 1, false, false);
}

/* The claim that a request's answer is read from. */
static void test_answer(void **state)
{
    (void)state;
    scene s;
    set_scene(&s, CONVICTED_A, LKS_REQUEST_CLAIMED, 1);
    lks_request_view_find_claim(&s.view);
    assert_ptr_equal(s.view.claim, &s.events[CLAIMED_A].e); /* the newest */
    set_scene(&s, CONVICTED_B, LKS_REQUEST_CLAIMED, 1);
    lks_request_view_find_claim(&s.view);
    assert_ptr_equal(s.view.claim, &s.events[CLAIMED_B].e); /* the newest is convicted */
    set_scene(&s, CLAIMED_C, LKS_REQUEST_OPEN, 2);
    lks_request_view_find_claim(&s.view);
    assert_null(s.view.claim);
    set_scene(&s, EVENTS, LKS_REQUEST_FINAL, 2);
    lks_request_view_find_claim(&s.view);
    assert_ptr_equal(s.view.claim, &s.events[CLAIMED_C].e);
    set_scene(&s, CONVICTED_A, LKS_REQUEST_UNDECIDED, 1);
    lks_request_view_find_claim(&s.view);
    assert_null(s.view.claim);
}

static void test_contradictions(void **state)
{
    (void)state;
    scene s;
    set_scene(&s, CLAIMED_A, LKS_REQUEST_CLAIMED, 1);
    s.events[CLAIMED_B].e.bytes_len = 0;
    refuse(&s, &any, LKS_CORRUPT, "lacks events");
    set_scene(&s, CLAIMED_A, LKS_REQUEST_CLAIMED, 1);
    s.events[REQUESTED].e.kind = LKS_EVENT_REFUNDED;
    refuse(&s, &any, LKS_CORRUPT, "lacks events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice), cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_answer),
                                       cmocka_unit_test(test_contradictions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
