/* One piece of work at a time, on a thread that gives way to others and has the default
 * floating-point environment. */
#include "plugin/desk.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

typedef struct errand {
    lks_desk desk;
    int given, done, nice, nice_of_helper, rounding;
} errand;

static void *look_at_nice(void *out)
{
    *(int *)out = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static void do_errand(void *owner)
{
    errand *e = owner;
    pthread_t helper;
    e->done = e->given + 1;
    e->nice = getpriority(PRIO_PROCESS, 0);
    e->rounding = fegetround();
    if (pthread_create(&helper, NULL, look_at_nice, &e->nice_of_helper) == 0)
        pthread_join(helper, NULL);
}

static void wait_for(errand *e, lks_inbox *inbox)
{
    lks_inbox_item *item;
    for (int i = 0; i < 100 && lks_desk_look(&e->desk) != LKS_DESK_DONE; i++)
        assert_true(lks_inbox_take(inbox, 100, &item));
    assert_int_equal(lks_desk_look(&e->desk), LKS_DESK_DONE);
}

static void test_errands(void **state)
{
    (void)state;
    lks_inbox *inbox;
    errand e;
    int nice = getpriority(PRIO_PROCESS, 0), wanted = nice < 7 ? 7 : nice;
    memset(&e, 0, sizeof e);
    assert_int_equal(lks_inbox_new(&inbox, 4, 1024), LKS_OK);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    assert_int_equal(lks_desk_open(&e.desk, do_errand, &e, 7, inbox), LKS_OK);
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    for (e.given = 1; e.given < 4; e.given++) {
        assert_int_equal(lks_desk_look(&e.desk), LKS_DESK_IDLE);
        lks_desk_give(&e.desk);
        wait_for(&e, inbox);
        assert_int_equal(e.done, e.given + 1);
        assert_true(e.nice == wanted && e.nice_of_helper == wanted && e.rounding == FE_TONEAREST);
        lks_desk_clear(&e.desk);
    }
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nice);
    e.given = 10;
    lks_desk_give(&e.desk);
    lks_desk_close(&e.desk); /* with the work before it, or behind it */
    assert_true(e.done == 4 || e.done == 11);
    lks_inbox_free(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_errands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
