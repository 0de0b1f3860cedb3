/* The host's asynchronous rpc as calls that wait: answers, refusals, silence, late replies, and the
 * end in the middle of all of them. */
#include "plugin/node.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MAX_HELD 256

/* A host that holds every call until it is told what to answer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    lockstep_rpc_reply reply;
    void *user;
} held[MAX_HELD];
static size_t held_count, taken;
static int32_t refuse_with;
static size_t busy_times;

static int32_t take(void *context, const char *method, const char *params, lockstep_rpc_reply reply,
                    void *user)
{
    (void)context, (void)method, (void)params;
    int32_t result = 0;
    pthread_mutex_lock(&lock);
    if (refuse_with)
        result = refuse_with;
    else if (busy_times > 0 && busy_times--)
        result = LOCKSTEP_RPC_REFUSED_BUSY;
    else if (held_count == MAX_HELD)
        result = LOCKSTEP_RPC_REFUSED_BUSY;
    else {
        held[held_count].reply = reply;
        held[held_count++].user = user;
        taken++;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static void take_line(void *context, int32_t level, const char *message)
{
    (void)context, (void)level, (void)message;
}

static const lockstep_host host = {
    .abi_version = 1, .struct_size = sizeof host, .log = take_line, .rpc = take};

static int32_t code;
static const char *text;

/* What calls that come from now on are answered with. */
static void set_answer(int32_t new_code, const char *new_text)
{
    pthread_mutex_lock(&lock);
    code = new_code;
    text = new_text;
    pthread_mutex_unlock(&lock);
}

/* Answers everything that is held. */
static size_t answer_all(void)
{
    size_t done = 0;
    for (;;) {
        pthread_mutex_lock(&lock);
        if (held_count == 0) {
            pthread_mutex_unlock(&lock);
            return done;
        }
        held_count--;
        lockstep_rpc_reply reply = held[held_count].reply;
        void *user = held[held_count].user;
        int32_t now_code = code;
        const char *now_text = text;
        pthread_mutex_unlock(&lock);
        reply(user, now_code, now_text, strlen(now_text));
        done++;
    }
}

static atomic_bool answering;

static void *main_of_host(void *argument)
{
    (void)argument;
    while (atomic_load(&answering))
        if (answer_all() == 0)
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    return NULL;
}

static int setup(void **state)
{
    (void)state;
    held_count = taken = busy_times = 0;
    refuse_with = 0;
    set_answer(0, "\"0x7cee\"");
    return 0;
}

static lks_err ask(lks_node *node, uint64_t *out)
{
    lks_eth eth = lks_node_eth(node);
    return lks_eth_chain_id(&eth, out);
}

static void test_answers(void **state)
{
    (void)state;
    lks_node *node = NULL;
    pthread_t thread;
    uint64_t value = 0;
    atomic_store(&answering, true);
    assert_int_equal(pthread_create(&thread, NULL, main_of_host, NULL), 0);
    assert_int_equal(lks_node_new(&node, &host, 20000), LKS_OK);
    busy_times = 3;
    assert_int_equal(ask(node, &value), LKS_OK);
    assert_true(value == 0x7cee && busy_times == 0);
    set_answer(-32000, "{\"code\":-32000,\"message\":\"header not found\"}");
    assert_int_equal(ask(node, &value), LKS_REMOTE);
    assert_non_null(strstr(lks_error_message(), "header not found"));
    set_answer(LOCKSTEP_RPC_FAILED, "{\"message\":\"connection lost\"}");
    assert_int_equal(ask(node, &value), LKS_IO);
    assert_non_null(strstr(lks_error_message(), "connection lost"));
    static const int32_t failures[] = {LOCKSTEP_RPC_TOO_LARGE, LOCKSTEP_RPC_LIMITED,
                                       LOCKSTEP_RPC_TIMED_OUT, LOCKSTEP_RPC_RESERVED};
    static const lks_err kinds[] = {LKS_TOO_LARGE, LKS_BUSY, LKS_TIMEOUT, LKS_IO};
    for (int i = 0; i < 4; i++) {
        set_answer(failures[i], "{\"message\":\"why\"}");
        assert_int_equal(ask(node, &value), kinds[i]);
        assert_non_null(strstr(lks_error_message(), "why"));
    }
    set_answer(0, "{");
    assert_int_equal(ask(node, &value), LKS_CORRUPT);
    static const int32_t refusals[] = {LOCKSTEP_RPC_REFUSED_METHOD, LOCKSTEP_RPC_REFUSED_INPUT,
                                       LOCKSTEP_RPC_REFUSED_CLOSED, 99};
    static const lks_err errors[] = {LKS_REFUSED, LKS_INTERNAL, LKS_IO, LKS_REMOTE};
    for (int i = 0; i < 4; i++) {
        refuse_with = refusals[i];
        assert_int_equal(ask(node, &value), errors[i]);
    }
    lks_node_close(node);
    refuse_with = 0;
    assert_int_equal(ask(node, &value), LKS_IO);
    atomic_store(&answering, false);
    pthread_join(thread, NULL);
    lks_node_free(node);
}

static void test_silence_and_late_replies(void **state)
{
    (void)state;
    lks_node *node = NULL;
    uint64_t value = 0;
    assert_int_equal(lks_node_new(&node, &host, 30), LKS_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(node, &value), LKS_TIMEOUT);
    assert_int_equal(answer_all(), 5); /* nobody waits any more */
    assert_int_equal(ask(node, &value), LKS_TIMEOUT);
    refuse_with = LOCKSTEP_RPC_REFUSED_BUSY;
    assert_int_equal(ask(node, &value), LKS_BUSY);
    lks_node_close(node);
    lks_node_free(node); /* with a reply that never comes */
}

/* One call that the host loses costs seconds of the half minute that a slow one has. */
static void test_lost_call(void **state)
{
    struct timespec begun, ended;
    lks_node *node = NULL;
    uint64_t value = 0;
    (void)state;
    assert_int_equal(lks_node_new(&node, &host, 10 * LKS_NODE_TIMEOUT_MS), LKS_OK);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_int_equal(ask(node, &value), LKS_TIMEOUT);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_true(ended.tv_sec - begun.tv_sec < 10 * LKS_NODE_TIMEOUT_MS / 2000);
    answer_all();
    lks_node_close(node);
    lks_node_free(node);
}

typedef struct caller {
    lks_node *node;
    lks_err err;
} caller;

static void *main_of_caller(void *argument)
{
    caller *c = argument;
    uint64_t value = 0;
    while ((c->err = ask(c->node, &value)) == LKS_OK) {
    }
    return NULL;
}

/* Several threads call while the host answers, and the end comes. */
static void test_close_under_way(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        caller callers[4];
        pthread_t threads[4], answers;
        lks_node *node = NULL;
        assert_int_equal(lks_node_new(&node, &host, 20000), LKS_OK);
        atomic_store(&answering, round % 3 != 0); /* every third time the host says nothing */
        assert_int_equal(pthread_create(&answers, NULL, main_of_host, NULL), 0);
        for (int i = 0; i < 4; i++) {
            callers[i] = (caller){node, LKS_OK};
            assert_int_equal(pthread_create(&threads[i], NULL, main_of_caller, &callers[i]), 0);
        }
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        lks_node_close(node);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(callers[i].err, LKS_IO);
        }
        pthread_mutex_lock(&lock);
        size_t calls = taken;
        pthread_mutex_unlock(&lock);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        pthread_mutex_lock(&lock);
        assert_int_equal(taken, calls); /* no call after the end */
        pthread_mutex_unlock(&lock);
        atomic_store(&answering, false);
        pthread_join(answers, NULL);
        answer_all();
        lks_node_free(node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers, setup),
        cmocka_unit_test_setup(test_silence_and_late_replies, setup),
        cmocka_unit_test_setup(test_lost_call, setup),
        cmocka_unit_test_setup(test_close_under_way, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
