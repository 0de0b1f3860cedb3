/* The job state machine: every state with every event, every history of facts, and the decisions.
 */
#include "plugin/job.h"
#include "plugin/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The transition table once more, written down by the rules of plugin/job.h rather than copied:
 * what may follow what. */
static lks_job_state expected(lks_job_state s, lks_job_event e)
{
    bool begun = s == LKS_JOB_ACCEPTED || s == LKS_JOB_ANSWERED || s == LKS_JOB_COMMITTING ||
                 s == LKS_JOB_COMMITTED || s == LKS_JOB_CLAIMING;
    bool claimed = s == LKS_JOB_CLAIMED || s == LKS_JOB_FINALIZING;
    bool waiting = s == LKS_JOB_SEEN || s == LKS_JOB_ACCEPTING || s == LKS_JOB_DROPPED;
    bool refused = s == LKS_JOB_REFUSED, missed = s == LKS_JOB_MISSED;
    bool running = waiting || begun || claimed || refused || missed; /* what others do can end it */
    switch (e) {
    case LKS_JOB_ON_REQUESTED: return s == LKS_JOB_INVALID ? LKS_JOB_SEEN : LKS_JOB_INVALID;
    case LKS_JOB_ON_DROPPED: return s == LKS_JOB_SEEN ? LKS_JOB_DROPPED : LKS_JOB_INVALID;
    case LKS_JOB_ON_ACCEPTED:
        return s == LKS_JOB_SEEN || s == LKS_JOB_DROPPED ? LKS_JOB_ACCEPTED : LKS_JOB_INVALID;
    case LKS_JOB_ON_ANSWERED: return s == LKS_JOB_ACCEPTED ? LKS_JOB_ANSWERED : LKS_JOB_INVALID;
    case LKS_JOB_ON_COMMITTED:
        return s == LKS_JOB_ACCEPTED || s == LKS_JOB_ANSWERED ? LKS_JOB_COMMITTED : LKS_JOB_INVALID;
    case LKS_JOB_ON_CLAIMED:
        return s == LKS_JOB_ACCEPTED || s == LKS_JOB_ANSWERED || s == LKS_JOB_COMMITTED
                   ? LKS_JOB_CLAIMED
                   : LKS_JOB_INVALID;
    case LKS_JOB_ON_SENT_ACCEPT: return s == LKS_JOB_SEEN ? LKS_JOB_ACCEPTING : LKS_JOB_INVALID;
    case LKS_JOB_ON_SENT_COMMIT:
        return s == LKS_JOB_ANSWERED ? LKS_JOB_COMMITTING : LKS_JOB_INVALID;
    case LKS_JOB_ON_SENT_CLAIM:
        return s == LKS_JOB_ANSWERED || s == LKS_JOB_COMMITTED ? LKS_JOB_CLAIMING : LKS_JOB_INVALID;
    case LKS_JOB_ON_SENT_FINALIZE:
        return s == LKS_JOB_CLAIMED ? LKS_JOB_FINALIZING : LKS_JOB_INVALID;
    case LKS_JOB_ON_REFUSED:
        return s == LKS_JOB_SEEN || s == LKS_JOB_ANSWERED || s == LKS_JOB_COMMITTED
                   ? LKS_JOB_REFUSED
                   : LKS_JOB_INVALID;
    case LKS_JOB_ON_FINAL: return running ? LKS_JOB_FINAL : LKS_JOB_INVALID;
    case LKS_JOB_ON_REFUNDED: return running ? LKS_JOB_REFUNDED : LKS_JOB_INVALID;
    case LKS_JOB_ON_UNDECIDED: return running ? LKS_JOB_UNDECIDED : LKS_JOB_INVALID;
    case LKS_JOB_ON_MISSED: return begun || refused ? LKS_JOB_MISSED : LKS_JOB_INVALID;
    case LKS_JOB_ON_CONVICTED: return claimed ? LKS_JOB_CONVICTED : LKS_JOB_INVALID;
    default: return LKS_JOB_INVALID;
    }
}

static void test_every_transition(void **state)
{
    (void)state;
    size_t checked = 0;
    for (int s = -1; s <= LKS_JOB_STATE_COUNT; s++)
        for (int e = -1; e <= LKS_JOB_EVENT_COUNT; e++, checked++) {
            bool real = s >= 0 && s < LKS_JOB_STATE_COUNT && e >= 0 && e < LKS_JOB_EVENT_COUNT;
            lks_job_state want =
                real ? expected((lks_job_state)s, (lks_job_event)e) : LKS_JOB_INVALID;
            lks_job_state got = lks_job_step((lks_job_state)s, (lks_job_event)e);
            if (got != want)
                fail_msg("state %d (%s), event %d: %s, not %s", s,
                         lks_job_state_name((lks_job_state)s), e, lks_job_state_name(got),
                         lks_job_state_name(want));
        }
    assert_int_equal(checked, (LKS_JOB_STATE_COUNT + 2) * (LKS_JOB_EVENT_COUNT + 2));
}

static lks_job request_at(uint64_t block)
{
    lks_job job = {.requested = {.number = block}, .requested_time = 1000};
    job.request.accept_deadline = 1060;
    job.request.claim_period = 120;
    job.request.replicas = 1;
    job.request.max_tokens = 8;
    job.state = lks_job_fold(&job);
    return job;
}

/* Every combination of facts that are in an order that a chain can give: the state is the furthest,
 * never invalid; and after a re-org to any height it is what the remaining facts say. */
static void test_every_history(void **state)
{
    (void)state;
    size_t histories = 0;
    for (unsigned facts = 0; facts < 5;
         facts++) /* accepted, committed, claimed, ended: so many of them */
        for (unsigned answer = 0; answer < 3; answer++)   /* none, for the seed, for another seed */
            for (unsigned sent = 0; sent < 64; sent += 2) /* any live transactions */
                for (unsigned replicas = 1; replicas < 3; replicas++) {
                    lks_job job = request_at(10);
                    job.request.replicas = (uint8_t)replicas;
                    job.request.temperature = 1065353216;
                    job.seed = 77;
                    if (facts >= 1)
                        job.round.accepted.number = job.round.full.number = job.seeded.number = 12;
                    if (facts >= 2 && replicas > 1)
                        job.round.committed.number = 14;
                    if (facts >= 3)
                        job.round.claimed.number = 16;
                    if (facts >= 4) {
                        job.ended.number = 18;
                        job.end = LKS_END_FINAL;
                    }
                    if (answer) {
                        job.answered = true;
                        job.answer_count = 3;
                        job.answer_seed = answer == 1 ? 77 : 78;
                    }
                    job.sent = sent;
                    job.state = lks_job_fold(&job);
                    assert_int_not_equal(job.state, LKS_JOB_INVALID);
                    if (facts == 4)
                        assert_int_equal(job.state, LKS_JOB_FINAL);
                    if (facts == 3)
                        assert_int_equal(job.state, sent & LKS_SENT(LKS_ACTION_FINALIZE)
                                                        ? LKS_JOB_FINALIZING
                                                        : LKS_JOB_CLAIMED);
                    if (facts == 1 && answer != 1)
                        assert_int_equal(job.state, LKS_JOB_ACCEPTED);
                    if (facts == 1 && answer == 1 && sent == 0)
                        assert_int_equal(job.state, LKS_JOB_ANSWERED);
                    if (facts == 0)
                        assert_int_equal(job.state, sent & LKS_SENT(LKS_ACTION_ACCEPT)
                                                        ? LKS_JOB_ACCEPTING
                                                        : LKS_JOB_SEEN);
                    for (uint64_t height = 20; height >= 8; height--) {
                        lks_job rewound = job;
                        bool changed = lks_job_rewind(&rewound, height);
                        lks_job again = rewound;
                        assert_false(lks_job_rewind(&again, height));
                        assert_int_equal(rewound.state, lks_job_fold(&rewound));
                        assert_int_not_equal(rewound.state, LKS_JOB_INVALID);
                        assert_true(rewound.answered == job.answered);
                        if (height < 10)
                            assert_int_equal(rewound.state, LKS_JOB_REORGED);
                        if (!changed)
                            assert_memory_equal(&rewound, &job, sizeof job);
                        histories++;
                    }
                }
    assert_int_equal(histories, 5 * 3 * 32 * 2 * 13);
}

static lks_job_world calm(void)
{
    return (lks_job_world){.now = 1010,
                           .head_time = 1010,
                           .head = 12,
                           .free_bond = lks_u256_from_u64(1000),
                           .answer_ms = 1000,
                           .inclusion_ms = 3000,
                           .reveal_seconds = 30,
                           .worker_idle = true};
}

static lks_job_policy open_policy(void)
{
    lks_job_policy p = {.finalize = true, .accept = true};
    memset(&p.max_stake, 0xff, sizeof p.max_stake);
    return p;
}

static void expect(const lks_job *job, const lks_job_policy *policy, const lks_job_world *world,
                   lks_action action, lks_drop drop)
{
    lks_drop why;
    lks_action got = lks_job_next(job, policy, world, &why);
    if (got != action || why != drop)
        fail_msg("%s (%s), not %s (%s)", lks_action_name(got), lks_drop_text(why),
                 lks_action_name(action), lks_drop_text(drop));
}

static void test_accepting(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);

    policy.min_fee = lks_u256_from_u64(5);
    job.request.fee = lks_u256_from_u64(4);
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_FEE);
    job.request.fee = lks_u256_from_u64(5);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);

    policy.max_stake = lks_u256_from_u64(100);
    job.request.stake = lks_u256_from_u64(101);
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_STAKE);
    job.request.stake = lks_u256_from_u64(100);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.free_bond = lks_u256_from_u64(99);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_BOND);
    world = calm();

    world.now = 1060 - 3;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.now++;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_EXPIRED);
    job = request_at(10);
    world = calm();
    policy = open_policy();

    policy.min_claim_seconds = 121;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_TIME);
    policy.min_claim_seconds = 120;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.answer_ms =
        (120 - 3) * 500; /* twice that, and the time to be included, is just in time */
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.backlog_ms = 1; /* not yet, but perhaps when the other answers are done */
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_TIME);
    world.backlog_ms = 0;
    world.answer_ms += 500;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_TIME);
    world = calm();

    world.defences_max_ms = 60000; /* what all claims may need, disputed at once */
    world.defence_ms = 20000;
    world.defences_ms = 60000;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.defences_ms++; /* not yet, but when another claim is final */
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_TRACES);
    world.defence_ms = 60001;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_TRACES);
    world = calm();
    world.memory_max = 1000;
    world.memory = 400;
    world.memories = 1000;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.memories++;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_MEMORY);
    world.memory = 1001;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_MEMORY);
    world = calm();
    policy.accept = false;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_ROLE);
    policy.drains = true; /* until it accepts again */
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
}

/* The ceilings and what is derived: lengths drop a request, the price of gas and empty seats make
 * it wait. */
static void test_terms(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    job.request.prompt_count = 100;
    policy.max_prompt = 99;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_LENGTH);
    policy.max_prompt = 100;
    policy.max_answer = 7;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_LENGTH);
    policy.max_answer = 8;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);

    world.gas_price = lks_u256_from_u64(7);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE); /* whatever it pays */
    policy.fee_pays_gas = true;
    lks_terms_least_fee(&job.request.fee, &job.request, false, &world.gas_price);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.gas_price = lks_u256_from_u64(8); /* until gas is cheaper */
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_GAS);
    policy.fee_pays_gas = false;

    world.bond = lks_u256_from_u64(1000);
    world.unfilled = lks_u256_from_u64(150);
    job.request.stake = lks_u256_from_u64(100);
    policy.unfilled = LKS_UNFILLED_QUARTER;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    job.request.replicas = 2;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.unfilled = lks_u256_from_u64(151);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_SEATS);
    policy.unfilled = LKS_UNFILLED_WEI;
    policy.max_unfilled = lks_u256_from_u64(251);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    policy.max_unfilled = lks_u256_from_u64(0);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_SEATS);
    job.request.replicas = 1; /* which has no other seats */
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    job.request.replicas = 2;
    policy.unfilled = LKS_UNFILLED_ANY;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
}

/* Greedy requests can be accepted at once. A sampled one needs its seed block and the header of it,
 * until another operator has brought that. */
static void test_seed_block(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    world.head = 10;
    assert_false(lks_job_needs_header(&job));
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    job.request.temperature = 1065353216;
    assert_true(lks_job_needs_header(&job));
    for (world.head = 10; world.head < 19; world.head++)
        expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.head = 10 + 8000 - 1;
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    world.head++;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_EXPIRED);
    job.seeded.number = 20; /* the contract knows the seed: no block is looked at any more */
    assert_false(lks_job_needs_header(&job));
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
}

/* What no transaction could carry is left alone. */
static void test_claimable(void **state)
{
    (void)state;
    static const struct {
        uint32_t tokens, allowed;
        bool claimable;
    } cases[] = {
        {1, 0, true},      {29000, 0, true},  {29000, 16384, true}, /* a long list stays out */
        {29800, 0, false}, {40000, 0, false}, {UINT32_MAX, 0, false},
        {64, 64, true},    {65, 64, true},    {8000, 100, true}};
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lks_job job = request_at(10);
        job.request.max_tokens = cases[i].tokens;
        job.request.allowed_count = cases[i].allowed;
        if (lks_job_is_claimable(&job.request) != cases[i].claimable)
            fail_msg("%u tokens, %u allowed", cases[i].tokens, cases[i].allowed);
        expect(&job, &policy, &world, cases[i].claimable ? LKS_ACTION_ACCEPT : LKS_ACTION_DROP,
               cases[i].claimable ? LKS_DROP_NONE : LKS_DROP_SIZE);
    }
}

static void test_cancelled(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    job.cancelled.number = 11;
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_CANCELLED);
    job.round.accepted.number = job.round.full.number =
        11; /* before that: the claim still counts */
    job.round.claim_deadline = 1200;
    job.answered = true;
    job.answer_count = 1;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_CLAIM, LKS_DROP_NONE);
    assert_true(lks_job_rewind(&job, 10));
    assert_int_equal(job.cancelled.number, 0);
    assert_int_equal(job.state, LKS_JOB_SEEN);
}

/* A salt is a seat's: after a re-org another seat may be ours, or the same one with a commitment
 * that was made for it before, whose salt is derived again. */
static void test_salt_of_a_seat(void **state)
{
    (void)state;
    static const uint8_t none[32];
    lks_job job = request_at(10);
    job.round.accepted.number = 11;
    memset(job.round.salt, 7, sizeof job.round.salt);
    (void)lks_job_rewind(&job, 11);
    assert_int_equal(job.round.salt[31], 7);
    (void)lks_job_rewind(&job, 10);
    assert_memory_equal(job.round.salt, none, sizeof none);
}

/* A missed round does not end the job: with the answer at hand it is taken once more, without it
 * never. */
static void test_rounds(void **state)
{
    (void)state;
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    lks_job job = request_at(10);
    job.round.accepted.number = job.round.full.number = 12;
    job.round.claim_deadline = 1005;
    job.state = lks_job_fold(&job);
    assert_true(lks_job_is_late(&job, world.now, 30));
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE); /* others may say so first */
    world.now = world.head_time = 1005 + LKS_MISS_PATIENCE + 1;
    expect(&job, &policy, &world, LKS_ACTION_MISS, LKS_DROP_NONE);
    job.sent = LKS_SENT(LKS_ACTION_MISS);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    job.sent = 0;
    world = calm();
    job.round.missed.number = 13;
    assert_int_equal(lks_job_fold(&job), LKS_JOB_MISSED);
    lks_job_new_round(&job);
    job.state = lks_job_fold(&job);
    assert_true(job.state == LKS_JOB_SEEN && job.round.misses == 1 &&
                job.round.accepted.number == 0);
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_MISSED);
    job.answered = true;
    job.answer_count = 1;
    world.answer_ms = 600000; /* is not needed any more */
    expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
    job.round.accepted.number = job.round.full.number = 14;
    job.round.missed.number = 15;
    lks_job_new_round(&job);
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_MISSED);
    job = request_at(10);
    world = calm();
    for (int i = 0; i < 2; i++) { /* seats that stay empty cost gas each time */
        expect(&job, &policy, &world, LKS_ACTION_ACCEPT, LKS_DROP_NONE);
        job.round.accepted.number = 12;
        lks_job_new_round(&job);
        job.state = lks_job_fold(&job);
    }
    expect(&job, &policy, &world, LKS_ACTION_DROP, LKS_DROP_UNFILLED);
}

static void test_single_claim(void **state)
{
    (void)state;
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    lks_job job = request_at(10);
    job.round.accepted.number = job.round.full.number = 13;
    job.round.claim_deadline = 1200;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_ANSWER, LKS_DROP_NONE);
    world.worker_idle = false;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    world = calm();
    world.now = 1201;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    job.answered = true;
    job.answer_count = 1;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE); /* too late */
    world.now = 1200;
    expect(&job, &policy, &world, LKS_ACTION_CLAIM, LKS_DROP_NONE);
    assert_true(lks_job_deadline(&job, LKS_ACTION_CLAIM, 30) == 1200);
    job.sent = LKS_SENT(LKS_ACTION_CLAIM);
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    job.sent = 0;
    job.round.claimed.number = 15;
    job.round.window_end = 1300;
    job.state = lks_job_fold(&job);
    world.now = 1400; /* by our clock, but no block says so yet */
    world.head_time = 1300;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    world.head_time = 1301;
    expect(&job, &policy, &world, LKS_ACTION_FINALIZE, LKS_DROP_NONE);
    policy.finalize = false;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
}

/* An answer that would come too late, before anything is late. */
static void test_tight(void **state)
{
    (void)state;
    lks_job_world world = calm();
    lks_job job = request_at(10);
    job.round.accepted.number = 13;
    job.state = lks_job_fold(&job);
    world.answer_ms = 100000;
    assert_false(lks_job_is_tight(&job, &world)); /* its period has not begun */
    job.round.full.number = 13;
    job.round.claim_deadline = world.now + 103;
    assert_false(lks_job_is_tight(&job, &world));
    world.now++;
    assert_true(lks_job_is_tight(&job, &world));
    world.answer_ms = UINT64_MAX;
    assert_false(lks_job_is_tight(&job, &world));
    world.answer_ms = 100000;
    job.answered = true;
    job.answer_count = 1;
    job.state = lks_job_fold(&job);
    assert_false(lks_job_is_tight(&job, &world));
}

static void test_replicas(void **state)
{
    (void)state;
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    lks_job job = request_at(10);
    job.request.replicas = 3;
    job.round.accepted.number = 13;
    job.round.fill_deadline = 1060;
    job.answered = true;
    job.answer_count = 1;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE); /* seats are free */
    world.head_time = world.now = 1061;
    expect(&job, &policy, &world, LKS_ACTION_FREE, LKS_DROP_NONE);
    job.sent = LKS_SENT(LKS_ACTION_FREE);
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    job.sent = 0;
    job.round.full.number = 14;
    job.round.claim_deadline = 1200;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_COMMIT, LKS_DROP_NONE);
    job.round.committed.number = 15;
    job.state = lks_job_fold(&job);
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    world.head_time = world.now = 1201; /* the others are late: reveals are open without an event */
    expect(&job, &policy, &world, LKS_ACTION_CLAIM, LKS_DROP_NONE);
    world.head_time = world.now = 1231;
    expect(&job, &policy, &world, LKS_ACTION_NONE, LKS_DROP_NONE);
    job.round.reveal_opened.number = 16;
    job.round.reveal_deadline = 1231;
    expect(&job, &policy, &world, LKS_ACTION_CLAIM, LKS_DROP_NONE);
    assert_true(lks_job_deadline(&job, LKS_ACTION_CLAIM, 30) == 1231);
}

/* A request that moved keeps its greedy answer; a drawn one needs the seed that goes with the new
 * block. */
static void test_answers_and_seeds(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    job.round.accepted.number = job.round.full.number = 13;
    job.seed = 5;
    job.seeded.number = 13;
    job.answered = true;
    job.answer_count = 1;
    job.answer_seed = 4;
    assert_true(lks_job_has_answer(&job));
    job.request.temperature = 1065353216;
    assert_false(lks_job_has_answer(&job));
    assert_int_equal(lks_job_fold(&job), LKS_JOB_ACCEPTED);
    job.answer_seed = 5;
    assert_int_equal(lks_job_fold(&job), LKS_JOB_ANSWERED);
}

static void test_giving_up(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    uint8_t *failures = job.round.failures;
    job.round.accepted.number = job.round.full.number = 13;
    job.answered = true;
    job.answer_count = 1;
    for (; failures[LKS_ACTION_CLAIM] < LKS_MAX_FAILURES; failures[LKS_ACTION_CLAIM]++)
        assert_int_equal(lks_job_fold(&job), LKS_JOB_ANSWERED);
    assert_int_equal(lks_job_fold(&job), LKS_JOB_REFUSED);
    assert_true(lks_job_is_over(LKS_JOB_REFUSED));
    job.state = LKS_JOB_REFUSED;
    assert_true(lks_job_rewind(&job, 12));
    assert_int_equal(failures[LKS_ACTION_CLAIM], 0);
    assert_int_equal(job.state, LKS_JOB_SEEN);
}

/* Lost races for one action give up no other, and what brings bond home is never given up. */
static void test_failures_by_action(void **state)
{
    (void)state;
    for (unsigned replicas = 1; replicas <= 2; replicas++)
        for (int action = LKS_ACTION_ACCEPT; action < LKS_ACTION_MOVE; action++) {
            lks_job job = request_at(10);
            job.request.replicas = (uint8_t)replicas;
            job.round.failures[action] = LKS_MAX_FAILURES;
            bool accepts = action == LKS_ACTION_ACCEPT;
            bool commits = action == LKS_ACTION_COMMIT, claims = action == LKS_ACTION_CLAIM;
            assert_int_equal(lks_job_fold(&job), accepts ? LKS_JOB_REFUSED : LKS_JOB_SEEN);
            job.round.accepted.number = job.round.full.number = 13;
            assert_int_equal(lks_job_fold(&job), LKS_JOB_ACCEPTED);
            job.answered = true;
            job.answer_count = 1;
            bool given_up = replicas > 1 ? commits : claims;
            assert_int_equal(lks_job_fold(&job), given_up ? LKS_JOB_REFUSED : LKS_JOB_ANSWERED);
            job.round.committed.number = 14;
            assert_int_equal(lks_job_fold(&job), claims ? LKS_JOB_REFUSED : LKS_JOB_COMMITTED);
            job.round.claimed.number = 15;
            assert_int_equal(lks_job_fold(&job), LKS_JOB_CLAIMED);
        }
}

/* A claim that was given up is reported as missed when its time is over, so that what is left of
 * the stake comes back. */
static void test_given_up_is_missed(void **state)
{
    (void)state;
    lks_job job = request_at(10);
    lks_job_policy policy = open_policy();
    lks_job_world world = calm();
    lks_drop why;
    job.round.accepted.number = job.round.full.number = 13;
    job.round.claim_deadline = 1100;
    job.answered = true;
    job.answer_count = 1;
    job.round.failures[LKS_ACTION_CLAIM] = LKS_MAX_FAILURES;
    job.state = lks_job_fold(&job);
    assert_int_equal(lks_job_next(&job, &policy, &world, &why), LKS_ACTION_NONE);
    world.now = world.head_time = 1100 + LKS_MISS_PATIENCE;
    assert_int_equal(lks_job_next(&job, &policy, &world, &why), LKS_ACTION_NONE);
    world.now = ++world.head_time;
    assert_int_equal(lks_job_next(&job, &policy, &world, &why), LKS_ACTION_MISS);
    job = request_at(10);
    job.round.failures[LKS_ACTION_ACCEPT] = LKS_MAX_FAILURES;
    job.state = lks_job_fold(&job);
    assert_int_equal(lks_job_next(&job, &policy, &world, &why), LKS_ACTION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_transition),
        cmocka_unit_test(test_every_history),
        cmocka_unit_test(test_salt_of_a_seat),
        cmocka_unit_test(test_accepting),
        cmocka_unit_test(test_single_claim),
        cmocka_unit_test(test_replicas),
        cmocka_unit_test(test_answers_and_seeds),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_failures_by_action),
        cmocka_unit_test(test_given_up_is_missed),
        cmocka_unit_test(test_tight),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_seed_block),
        cmocka_unit_test(test_claimable),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
