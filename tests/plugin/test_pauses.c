/* The table of pauses: none that is live is lost, none that is over is kept. */
#include "plugin/pauses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MANY 5000u

static lks_pause make(uint32_t number, lks_action action, uint64_t until_ms)
{
    lks_pause pause = {.action = action, .until_ms = until_ms, .head = number};
    uint32_t mixed = number * 2654435761u >> 8; /* ids are hashes: some meet in the table */
    memcpy(pause.id, &mixed, sizeof mixed);
    memcpy(pause.id + sizeof mixed, &number, sizeof number);
    return pause;
}

static bool holds(const lks_pauses *p, uint32_t number, lks_action action, uint64_t now_ms)
{
    const lks_pause like = make(number, action, 0);
    return lks_pauses_hold(p, like.id, action, now_ms);
}

static bool put(lks_pauses *p, uint32_t number, uint64_t until_ms, uint64_t now_ms)
{
    const lks_pause pause = make(number, LKS_ACTION_CLAIM, until_ms);
    return lks_pauses_put(p, &pause, now_ms);
}

static void test_one(void **state)
{
    (void)state;
    lks_pauses p = {0};
    assert_false(holds(&p, 1, LKS_ACTION_CLAIM, 0));
    assert_true(put(&p, 1, 100, 0));
    assert_true(holds(&p, 1, LKS_ACTION_CLAIM, 99));
    assert_false(holds(&p, 1, LKS_ACTION_CLAIM, 100));
    assert_false(holds(&p, 1, LKS_ACTION_ACCEPT, 50));
    assert_false(holds(&p, 2, LKS_ACTION_CLAIM, 50));
    assert_false(put(&p, 1, 300, 200)); /* again, soon after: no news */
    assert_true(holds(&p, 1, LKS_ACTION_CLAIM, 299));
    assert_false(put(&p, 1, 500, 300 + LKS_PAUSES_MEMORY_MS));
    assert_true(put(&p, 1, 2 * LKS_PAUSES_MEMORY_MS, 501 + LKS_PAUSES_MEMORY_MS)); /* long after */
    lks_pauses_free(&p);
    lks_pauses_free(&p);
}

/* The head at which it began stays; what has worked is forgotten at once. */
static void test_beginning(void **state)
{
    (void)state;
    lks_pauses p = {0};
    lks_pause pause = make(1, LKS_ACTION_ACCEPT, 100);
    pause.head = 7;
    assert_true(lks_pauses_put(&p, &pause, 0));
    pause.head = 9;
    assert_false(lks_pauses_put(&p, &pause, 50));
    assert_true(lks_pauses_find(&p, pause.id, pause.action, 150)->head == 7);
    lks_pauses_end(&p, pause.id, pause.action);
    assert_null(lks_pauses_find(&p, pause.id, pause.action, 50));
    assert_true(lks_pauses_put(&p, &pause, 60));
    assert_true(lks_pauses_find(&p, pause.id, pause.action, 60)->head == 9);
    lks_pauses_free(&p);
}

static void test_many(void **state)
{
    (void)state;
    lks_pauses p = {0};
    for (uint32_t i = 0; i < MANY; i++)
        assert_true(put(&p, i, 1000, 0));
    for (uint32_t i = 0; i < MANY; i++) {
        assert_true(holds(&p, i, LKS_ACTION_CLAIM, 500));
        assert_false(holds(&p, i, LKS_ACTION_ACCEPT, 500));
        assert_false(put(&p, i, 1000, 500));
    }
    /* Those that end take none with them. */
    for (uint32_t i = 0; i < MANY; i += 2) {
        const lks_pause like = make(i, LKS_ACTION_CLAIM, 0);
        lks_pauses_end(&p, like.id, like.action);
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(holds(&p, i, LKS_ACTION_CLAIM, 500), i % 2);
    assert_true(p.capacity <= 4 * MANY);
    /* Forgotten ones make room: the table does not grow with all that ever was. */
    uint64_t now = 1000;
    for (uint32_t i = 0; i < 20 * MANY; i++) {
        now += LKS_PAUSES_MEMORY_MS / MANY;
        assert_true(put(&p, MANY + i, now + 1, now));
    }
    assert_true(p.capacity <= 8 * MANY);
    lks_pauses_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one), cmocka_unit_test(test_beginning),
                                       cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
