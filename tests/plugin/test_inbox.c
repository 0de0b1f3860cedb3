/* The queue between the host's thread and ours: only our logs, bounded, never blocking. */
#include "plugin/inbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t ours[20] = {1, 2, 3}, other[20] = {9};

static lockstep_log a_log(const uint8_t address[20], const uint8_t *data, size_t len)
{
    lockstep_log log = {.topic_count = 2, .data = data, .data_len = len};
    memcpy(log.address, address, 20);
    memset(log.topics[1], 7, 32);
    return log;
}

static void put(lks_inbox *inbox, uint64_t number, const lockstep_log *logs, uint64_t count)
{
    lockstep_block block = {
        .number = number, .timestamp = 100 + number, .log_count = count, .logs = logs};
    memset(block.hash, (int)number, 32);
    memset(block.parent_hash, (int)(number - 1), 32);
    lks_inbox_put_block(inbox, &block, ours);
}

static void test_copies_our_logs(void **state)
{
    (void)state;
    lks_inbox *inbox = NULL;
    lks_inbox_item *item = NULL;
    uint8_t data[3][5] = {"aaaa", "bbbb", "cccc"};
    assert_int_equal(lks_inbox_new(&inbox, 10, 1 << 16), LKS_OK);
    lockstep_log logs[5] = {a_log(ours, data[0], 5), a_log(other, data[1], 5), a_log(ours, NULL, 0),
                            a_log(ours, data[2], 5), a_log(ours, data[2], 5)};
    logs[4].topic_count = 5; /* a host's mistake */
    put(inbox, 3, logs, 5);
    memset(data, 0, sizeof data);
    assert_true(lks_inbox_take(inbox, 1000, &item));
    assert_true(item && item->ref.number == 3 && item->time == 103 && item->log_count == 3 &&
                item->parent[5] == 2 && item->ref.hash[5] == 3);
    assert_memory_equal(item->logs[0].data, "aaaa", 5);
    assert_int_equal(item->logs[1].len, 0);
    assert_memory_equal(item->logs[2].data, "cccc", 5);
    assert_int_equal(item->logs[2].topics[1][31], 7);
    free(item);
    assert_true(lks_inbox_take(inbox, 0, &item));
    assert_null(item);
    lks_inbox_free(inbox);
}

static void test_overflow_drops_the_oldest(void **state)
{
    (void)state;
    lks_inbox *inbox = NULL;
    lks_inbox_item *item = NULL;
    static uint8_t big[3000];
    assert_int_equal(lks_inbox_new(&inbox, 4, 8192), LKS_OK);
    for (uint64_t n = 1; n <= 10; n++)
        put(inbox, n, NULL, 0);
    assert_true(lks_inbox_dropped(inbox) == 6);
    for (uint64_t n = 7; n <= 8; n++) {
        assert_true(lks_inbox_take(inbox, 0, &item) && item && item->ref.number == n);
        free(item);
    }
    lockstep_log log = a_log(ours, big, sizeof big);
    for (uint64_t n = 11; n <= 13; n++)
        put(inbox, n, &log, 1); /* three do not fit: by size, not by number */
    assert_true(lks_inbox_take(inbox, 0, &item) && item && item->ref.number == 12);
    free(item);
    lockstep_log too_big = a_log(ours, big, sizeof big);
    too_big.data_len = 9000;
    put(inbox, 14, &too_big, 1); /* dropped whole: a block without its log would be a lost event */
    put(inbox, 15, NULL, 0);
    for (uint64_t n = 13; n <= 15; n += 2) {
        assert_true(lks_inbox_take(inbox, 0, &item) && item && item->ref.number == n);
        free(item);
    }
    lks_inbox_free(inbox);
}

static atomic_bool something_taken;

static void *put_many(void *inbox)
{
    for (uint64_t n = 1; n <= 20000; n++)
        put(inbox, n, NULL, 0);
    while (!atomic_load(&something_taken))
        usleep(100); /* on a busy machine the other thread may only begin now */
    lks_inbox_stop(inbox);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    lks_inbox *inbox = NULL;
    lks_inbox_item *item = NULL;
    pthread_t thread;
    uint64_t last = 0, taken = 0;
    assert_int_equal(lks_inbox_new(&inbox, 100, 1 << 20), LKS_OK);
    assert_int_equal(pthread_create(&thread, NULL, put_many, inbox), 0);
    while (lks_inbox_take(inbox, 1000, &item)) {
        if (!item)
            continue;
        assert_true(item->ref.number > last);
        last = item->ref.number;
        taken++;
        atomic_store(&something_taken, true);
        free(item);
    }
    pthread_join(thread, NULL);
    assert_true(taken + lks_inbox_dropped(inbox) <= 20000 && last <= 20000 && taken > 0);
    lks_inbox_free(inbox);
}

static void *tap_soon(void *inbox)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    lks_inbox_tap(inbox);
    return NULL;
}

static void test_tap_and_stop(void **state)
{
    (void)state;
    lks_inbox *inbox = NULL;
    lks_inbox_item *item = NULL;
    pthread_t thread;
    struct timespec start, end;
    assert_int_equal(lks_inbox_new(&inbox, 4, 4096), LKS_OK);
    assert_int_equal(pthread_create(&thread, NULL, tap_soon, inbox), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_true(lks_inbox_take(inbox, 20000, &item));
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_null(item);
    assert_true(end.tv_sec - start.tv_sec < 10);
    pthread_join(thread, NULL);
    put(inbox, 1, NULL, 0);
    lks_inbox_put_revert(inbox, 1, (const uint8_t[32]){1});
    assert_true(lks_inbox_take(inbox, 0, &item) && item && !item->reverted);
    free(item);
    assert_false(lks_inbox_stopped(inbox));
    lks_inbox_stop(inbox);
    assert_true(lks_inbox_stopped(inbox));
    assert_false(lks_inbox_take(inbox, 20000, &item));
    assert_null(item);
    lks_inbox_free(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_our_logs),
        cmocka_unit_test(test_overflow_drops_the_oldest),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_tap_and_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
