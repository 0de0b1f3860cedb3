/* What a person reads of a request's events and of its state. */
#include "chain/address.h"
#include "oracle/cli/request_view.h"

#include "tests/chain/chain_test.h"

static void line_is(const lks_event *e, const char *wanted)
{
    char line[512];
    lks_event_line(line, sizeof line, e);
    assert_string_equal(line, wanted);
}

static lks_u256 milli_ether(uint64_t n)
{
    return lks_u256_from_u64(n * 1000000000000000u);
}

#define WHO "0x0100000000000000000000000000000000000000"
#define OTHER "0x0200000000000000000000000000000000000000"

static void test_rounds(void **state)
{
    (void)state;
    lks_event e = {.kind = LKS_EVENT_ACCEPTED, .account = {1}, .seed = 7, .flag = true, .time = 60};
    line_is(&e, "accepted by " WHO ", seed used 7, to claim by 1970-01-01 00:01:00 UTC");
    e.flag = false;
    e.seed = 0;
    line_is(&e, "accepted by " WHO ", other seats to be taken by 1970-01-01 00:01:00 UTC");
    e = (lks_event){.kind = LKS_EVENT_SEATS_FREED};
    line_is(&e, "seats were not filled in time: all are free again");
    e = (lks_event){.kind = LKS_EVENT_MISSED,
                    .account = {1},
                    .amount = milli_ether(20),
                    .to_requester = milli_ether(5)};
    line_is(&e, "deadline missed by " WHO ", which pays 0.02 ether, 0.005 of it to the requester");
    e = (lks_event){.kind = LKS_EVENT_REOPENED, .attempt = 1};
    line_is(&e, "open again, attempt 1");
    e = (lks_event){.kind = LKS_EVENT_CANCELLED};
    line_is(&e, "cancelled by the requester: it does not open again");
}

static void test_ends(void **state)
{
    (void)state;
    lks_event e = {.kind = LKS_EVENT_REFUNDED, .amount = milli_ether(1)};
    line_is(&e, "no result, 0.001 ether went back to the requester");
    e = (lks_event){.kind = LKS_EVENT_UNDECIDED, .burned = milli_ether(1)};
    line_is(&e,
            "no result: claims disagree after the last attempt; the fee, 0.001 ether, is burned");
    e = (lks_event){.kind = LKS_EVENT_CONVICTED,
                    .account = {1},
                    .other = {2},
                    .amount = milli_ether(25),
                    .to_requester = milli_ether(10),
                    .burned = milli_ether(65)};
    line_is(&e, "claim of " WHO " convicted by " OTHER
                ", who gets 0.025 ether; 0.01 to the requester, 0.065 burned");
    e = (lks_event){.kind = LKS_EVENT_WITHDRAWN_OF, .other = {2}, .amount = milli_ether(3)};
    line_is(&e, "0.003 ether withdrawn by the requester to " OTHER);
    e = (lks_event){.kind = LKS_EVENT_DISPUTED, .attempt = 2, .seat = 1};
    line_is(&e, "claim of attempt 2, seat 1 disputed");
}

static void test_words(void **state)
{
    (void)state;
    static const char *const words[LKS_REQUEST_STATUS_COUNT] = {
        "unknown", "open", "accepted", "revealing", "claimed", "final", "refunded", "undecided"};
    for (int i = 0; i < LKS_REQUEST_STATUS_COUNT; i++) {
        lks_request_status status = (lks_request_status)i;
        assert_string_equal(lks_request_status_word(status), words[i]);
        assert_int_equal(lks_request_is_settled(status), i >= LKS_REQUEST_FINAL);
    }
    assert_string_equal(lks_request_status_word(LKS_REQUEST_STATUS_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds), cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
