#include "oracle/cli/watch.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/chain/chain_test.h"
#include "tests/cli/fake_clock.h"

static char path[64], beside[80];
static lks_link s;

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/lks-watch-XXXXXX");
    int fd = mkstemp(path);
    snprintf(beside, sizeof beside, "%s.new", path);
    s = (lks_link){.command = "watch", .contracts.chain_id = 7};
    return fd < 0 ? -1 : close(fd) + unlink(path);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void make(lks_watch *w)
{
    memset(w, 0, sizeof *w);
    w->link = &s;
    w->state_path = path;
    w->model_count = 1;
    w->models[0].commitment.model_id[3] = 9;
}

static lks_watched claim(uint32_t n, lks_watched_state state)
{
    lks_watched c = {.block = n, .window_end = 1000 + n, .state = state};
    memcpy(c.name, &n, sizeof n);
    c.name[31] = (uint8_t)n;
    return c;
}

/* ---- the set ---- */

static void test_set(void **state)
{
    (void)state;
    enum {
        MANY = 5000
    };
    lks_claim_set set = {0};
    for (uint32_t i = 0; i < MANY; i++) {
        lks_watched c = claim(i, i % 3 == 0 ? LKS_WATCHED_DONE : LKS_WATCHED_WAITING);
        assert_null(lks_claim_set_find(&set, c.name));
        OK(lks_claim_set_add(&set, &c));
    }
    assert_int_equal(lks_claim_set_prune(&set, MANY / 2), (MANY / 2 + 2) / 3);
    for (uint32_t i = 0; i < MANY; i++) {
        lks_watched c = claim(i, 0), *found = lks_claim_set_find(&set, c.name);
        assert_int_equal(found != NULL, i % 3 != 0 || i >= MANY / 2);
        assert_true(found == NULL || found->block == i);
    }
    assert_int_equal(lks_claim_set_prune(&set, MANY / 2), 0);
    lks_claim_set_free(&set);
    assert_null(lks_claim_set_find(&set, claim(1, 0).name));
}

static void test_backoff(void **state)
{
    (void)state;
    lks_backoff b = {0};
    double pauses[] = {1, 2, 4, 8, 16, 32, 60, 60};
    assert_true(lks_backoff_ready(&b));
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        lks_backoff_fail(&b);
        fake_clock_now += pauses[i] - 0.001;
        assert_false(lks_backoff_ready(&b));
        fake_clock_now += 0.002;
        assert_true(lks_backoff_ready(&b));
    }
    lks_backoff_reset(&b);
    lks_backoff_fail(&b);
    assert_true(b.pause == 1);
}

/* ---- the file ---- */

static void test_round_trip(void **state)
{
    (void)state;
    lks_watch w, again;
    make(&w);
    FAILS(LKS_NOTFOUND, "", lks_watch_state_read(&w));
    w.next = 1234567;
    for (uint32_t i = 0; i < 4; i++) {
        lks_watched c = claim(i, (lks_watched_state)i);
        OK(lks_claim_set_add(&w.claims, &c));
    }
    OK(lks_watch_state_write(&w));
    assert_int_equal(access(beside, F_OK), -1);
    make(&again);
    OK(lks_watch_state_read(&again));
    assert_int_equal(again.next, w.next);
    assert_int_equal(again.claims.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        lks_watched *c = lks_claim_set_find(&again.claims, claim(i, 0).name);
        assert_int_equal(c->block, i);
        assert_int_equal(c->window_end, 1000 + i);
        /* A dispute under way is taken up anew. */
        assert_int_equal(c->state, i == LKS_WATCHED_PLAYED ? LKS_WATCHED_OWN : i);
    }
    lks_claim_set_free(&w.claims);
    lks_claim_set_free(&again.claims);
}

/* Each byte changed, each length: damaged, or of another watch; never taken. */
static void test_damage(void **state)
{
    (void)state;
    lks_watch w;
    char bytes[2048];
    make(&w);
    w.next = 5;
    lks_watched c = claim(3, LKS_WATCHED_WAITING);
    OK(lks_claim_set_add(&w.claims, &c));
    OK(lks_watch_state_write(&w));
    FILE *f = fopen(path, "rb");
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(len > 200 && len < sizeof bytes);
    for (size_t i = 0; i < 2 * len; i++) {
        size_t kept = i < len ? len : i - len, at = i % len;
        bytes[at] ^= i < len;
        f = fopen(path, "wb");
        fwrite(bytes, 1, kept, f);
        fclose(f);
        bytes[at] ^= i < len;
        lks_claim_set_free(&w.claims);
        FAILS(LKS_CORRUPT, "damaged", lks_watch_state_read(&w));
        assert_int_equal(w.claims.count, 0);
    }
    lks_claim_set_free(&w.claims);
}

static void test_other_watch(void **state)
{
    (void)state;
    lks_watch w;
    make(&w);
    OK(lks_watch_state_write(&w));
    s.contracts.chain_id = 8;
    FAILS(LKS_BADARGS, "belongs to another deployment", lks_watch_state_read(&w));
    s.contracts.chain_id = 7;
    s.contracts.oracle[0] = 1;
    FAILS(LKS_BADARGS, "belongs to another deployment", lks_watch_state_read(&w));
    s.contracts.oracle[0] = 0;
    w.models[0].commitment.model_id[3] = 8;
    FAILS(LKS_CORRUPT, "for other models", lks_watch_state_read(&w));
    make(&w);
    w.report_only = true; /* what was only reported is to be disputed later */
    FAILS(LKS_CORRUPT, "for other models, or with other options", lks_watch_state_read(&w));
}

static void test_cannot_write(void **state)
{
    (void)state;
    lks_watch w;
    make(&w);
    w.state_path = "/nowhere/state";
    FAILS(LKS_IO, "", lks_watch_state_write(&w));
    /* What was written before stays whole. */
    w.state_path = path;
    w.next = 7;
    OK(lks_watch_state_write(&w));
    assert_int_equal(mkdir(beside, 0700), 0);
    w.next = 8;
    FAILS(LKS_IO, "", lks_watch_state_write(&w));
    assert_int_equal(rmdir(beside), 0);
    OK(lks_watch_state_read(&w));
    assert_int_equal(w.next, 7);
}

/* A claim that is there twice, under a hash that is right. */
static void test_twice(void **state)
{
    (void)state;
    lks_watch w;
    lks_watched c = claim(3, LKS_WATCHED_WAITING);
    make(&w);
    OK(lks_claim_set_add(&w.claims, &c));
    OK(lks_claim_set_add(&w.claims, &c));
    OK(lks_watch_state_write(&w));
    lks_claim_set_free(&w.claims);
    FAILS(LKS_CORRUPT, "damaged", lks_watch_state_read(&w));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_set),         TEST(test_backoff),      TEST(test_round_trip), TEST(test_damage),
        TEST(test_other_watch), TEST(test_cannot_write), TEST(test_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
