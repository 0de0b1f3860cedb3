/* The JSON-RPC client against a node in this process, over each transport. */
#include "chain/rpc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "chain_test.h"
#include "node_server.h"

static const node_kind KINDS[] = {NODE_WS, NODE_HTTP, NODE_IPC};

typedef struct bench {
    node_kind kind;
    node_server *server;
    lks_rpc *rpc;
    char url[128], path[64];
    atomic_uint notices;
    char last_notice[256];
} bench;

static void on_notice(void *user, const char *line)
{
    bench *b = user;
    snprintf(b->last_notice, sizeof b->last_notice, "%s", line);
    atomic_fetch_add(&b->notices, 1);
}

static void open_bench(bench *b, node_kind kind, uint32_t timeout_ms, uint32_t max_calls)
{
    memset(b, 0, sizeof *b);
    b->kind = kind;
    snprintf(b->path, sizeof b->path, "/tmp/lks-rpc-%d.ipc", (int)getpid());
    b->server = node_start(kind, 0, b->path);
    assert_non_null(b->server);
    if (kind == NODE_IPC)
        snprintf(b->url, sizeof b->url, "%s", b->path);
    else
        snprintf(b->url, sizeof b->url, "%s://127.0.0.1:%d", kind == NODE_WS ? "ws" : "http",
                 node_port(b->server));
    const lks_rpc_options options = {.timeout_ms = timeout_ms,
                                     .max_calls = max_calls,
                                     .max_answer = 1 << 20,
                                     .notice = on_notice,
                                     .user = b};
    OK(lks_rpc_open(&b->rpc, b->url, &options));
}

static void close_bench(bench *b)
{
    lks_rpc_close(b->rpc);
    if (b->server)
        node_stop(b->server);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static lks_err call(bench *b, const char *params, lks_buf *answer)
{
    return lks_rpc_call_sync(b->rpc, "eth_echo", params, answer);
}

#define FOR_EACH_TRANSPORT(b) for (size_t transport_ = 0; transport_ < 3; transport_++)

static void test_answers(void **state)
{
    (void)state;
    static const node_mode MODES[] = {NODE_ECHO,      NODE_SPLIT,   NODE_NOTICE,
                                      NODE_NO_LENGTH, NODE_CHUNKED, NODE_GOODBYE};
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 5000, 0);
        for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
            node_set(b.server, MODES[i]);
            OK(call(&b, "[1,\"}\\\"{\",{\"a\":[]}]", &answer));
            assert_string_equal(lks_buf_text(&answer), "[1,\"}\\\"{\",{\"a\":[]}]");
            OK(call(&b, "[]", &answer));
            assert_string_equal(lks_buf_text(&answer), "[]");
        }
        assert_int_equal(node_requests(b.server), 12);
        assert_int_equal(atomic_load(&b.notices), 0);
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

/* A request and an answer of 300 KB each. */
static void test_long(void **state)
{
    (void)state;
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0}, params = {0};
        open_bench(&b, KINDS[transport_], 20000, 0);
        lks_buf_put_text(&params, "[\"");
        memset(lks_buf_extend(&params, 300000), 'x', 300000);
        lks_buf_put_text(&params, "\"]");
        OK(call(&b, lks_buf_text(&params), &answer));
        assert_int_equal(answer.len, params.len);
        assert_memory_equal(answer.data, params.data, params.len);
        lks_buf_free(&answer);
        lks_buf_free(&params);
        close_bench(&b);
    }
}

/* Each way of answering wrongly, the value and reason it gives, and that the next call works again.
 */
static void test_bad_answers(void **state)
{
    (void)state;
    static const struct {
        node_mode mode;
        lks_err err;
        const char *reason;
    } CASES[] = {
        {NODE_ERROR, LKS_REMOTE, "the node refused eth_echo: execution?reverted (code 3)"},
        {NODE_ODD_ERROR, LKS_REMOTE, "odd (code -32000)"},
        {NODE_MALFORMED, LKS_CORRUPT, "the node's answer: not JSON"},
        {NODE_NOT_RPC, LKS_CORRUPT, "not JSON-RPC 2.0"},
        {NODE_BOTH, LKS_CORRUPT, "or both"},
        {NODE_LARGE, LKS_TOO_LARGE, "over 1048576 bytes"},
        {NODE_DEEP, LKS_TOO_LARGE, "nested over 64 deep"},
        {NODE_CLOSE, LKS_IO, "closed before the answer came"},
    };
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 5000, 0);
        for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
            node_set(b.server, CASES[i].mode);
            FAILS(CASES[i].err, CASES[i].reason, call(&b, "[]", &answer));
            if (CASES[i].mode == NODE_ERROR)
                assert_string_equal(
                    lks_buf_text(&answer),
                    "{\"code\":3,\"message\":\"execution\\nreverted\",\"data\":\"0x\"}");
            else if (CASES[i].err != LKS_REMOTE)
                assert_int_equal(answer.len, 0);
            node_set(b.server, NODE_ECHO);
            OK(call(&b, "[2]", &answer));
            assert_string_equal(lks_buf_text(&answer), "[2]");
        }
        /* An error without our id: over HTTP it can only be meant for this call; else the
         * connection is no good any more. */
        node_set(b.server, NODE_NULL_ID);
        FAILS(b.kind == NODE_HTTP ? LKS_REMOTE : LKS_CORRUPT, "parse error",
              call(&b, "[]", &answer));
        node_set(b.server, NODE_HALF);
        assert_int_not_equal(call(&b, "[]", &answer), LKS_OK);
        node_set(b.server, NODE_ECHO);
        OK(call(&b, "[3]", &answer));
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

/* HTTP: one connection for all calls that follow each other; one that the node has ended in between
 * costs no call. */
static void test_kept_connections(void **state)
{
    (void)state;
    bench b;
    lks_buf answer = {0};
    open_bench(&b, NODE_HTTP, 5000, 0);
    for (int i = 0; i < 50; i++)
        OK(call(&b, "[1]", &answer));
    assert_int_equal(node_connections(b.server), 1);
    node_set(b.server, NODE_ERROR); /* an error is no reason for a new one */
    for (int i = 0; i < 5; i++)
        FAILS(LKS_REMOTE, "code 3", call(&b, "[1]", &answer));
    assert_int_equal(node_connections(b.server), 1);
    node_set(b.server, NODE_LEAVE);
    for (int i = 0; i < 20; i++) {
        OK(call(&b, "[1]", &answer));
        usleep(i % 4 * 1000);
    }
    node_set(b.server, NODE_ECHO);
    OK(call(&b, "[1]", &answer));
    unsigned before = node_connections(b.server), requests = node_requests(b.server);
    node_set(b.server, NODE_CLOSE); /* without an answer: made once more, and no oftener */
    FAILS(LKS_IO, "closed before the answer came", call(&b, "[1]", &answer));
    assert_int_equal(node_connections(b.server), before + 1);
    assert_int_equal(node_requests(b.server), requests + 2);
    node_set(b.server, NODE_SILENT); /* a call that timed out takes its connection along */
    lks_rpc_close(b.rpc);
    const lks_rpc_options options = {.timeout_ms = 200};
    OK(lks_rpc_open(&b.rpc, b.url, &options));
    FAILS(LKS_TIMEOUT, "no answer", call(&b, "[1]", &answer));
    node_set(b.server, NODE_ECHO);
    OK(call(&b, "[2]", &answer));
    assert_string_equal(lks_buf_text(&answer), "[2]");
    lks_buf_free(&answer);
    close_bench(&b);
}

static void keep_code(void *user, int32_t code, const char *json, size_t len)
{
    (void)json, (void)len;
    atomic_store((atomic_int *)user, code);
}

static int wait_for_code(atomic_int *code)
{
    for (int i = 0; i < 1000 && !atomic_load(code); i++)
        usleep(10000);
    return atomic_load(code);
}

/* Of two calls on one connection, the one whose answer is too large is told so; the other only
 * loses its connection, and that only when the rest of the answer cannot be skipped. Each kind of
 * failure has a code of its own. */
static void test_kinds(void **state)
{
    (void)state;
    static const node_kind STREAMS[] = {NODE_WS, NODE_IPC};
    for (size_t i = 0; i < 2; i++) {
        bench b;
        atomic_int other = 0, large = 0;
        open_bench(&b, STREAMS[i], 20000, 0);
        node_set(b.server, NODE_SILENT);
        OK(lks_rpc_call(b.rpc, "eth_echo", "[1]", keep_code, &other));
        while (node_requests(b.server) < 1)
            usleep(1000);
        node_set(b.server, NODE_DEEP);
        OK(lks_rpc_call(b.rpc, "eth_echo", "[2]", keep_code, &large));
        assert_int_equal(wait_for_code(&large), LKS_RPC_TOO_LARGE);
        assert_int_equal(atomic_load(&b.notices), 0);
        assert_int_equal(atomic_load(&other), 0);
        atomic_store(&large, 0);
        node_set(b.server, NODE_LARGE);
        OK(lks_rpc_call(b.rpc, "eth_echo", "[3]", keep_code, &large));
        assert_int_equal(wait_for_code(&large), LKS_RPC_TOO_LARGE);
        assert_int_equal(wait_for_code(&other), LKS_RPC_FAILED);
        close_bench(&b);
    }
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        atomic_int code = 0;
        open_bench(&b, KINDS[transport_], 100, 0);
        node_set(b.server, NODE_SILENT);
        OK(lks_rpc_call(b.rpc, "eth_echo", "[1]", keep_code, &code));
        assert_int_equal(wait_for_code(&code), LKS_RPC_TIMED_OUT);
        close_bench(&b);
    }
}

/* A node that asks for fewer calls is left alone for a while; the call is made then, and its caller
 * sees nothing of it. */
static void test_limited(void **state)
{
    (void)state;
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 30000, 0);
        if (b.kind != NODE_WS) {
            node_set_for(b.server, NODE_429, 1);
            double start = seconds();
            OK(call(&b, "[1]", &answer));
            assert_string_equal(lks_buf_text(&answer), "[1]");
            assert_true(seconds() - start > 0.9);
            assert_int_equal(node_requests(b.server), 2);
            assert_int_equal(atomic_load(&b.notices), 1);
            assert_non_null(strstr(b.last_notice, "fewer calls are asked for by"));
        }
        close_bench(&b);
        open_bench(&b, KINDS[transport_], 30000, 0); /* of which no pause is known */
        if (b.kind != NODE_IPC) {                    /* it names the time */
            node_set_for(b.server, NODE_RETRY, 1);
            double start = seconds();
            OK(call(&b, "[2]", &answer));
            assert_string_equal(lks_buf_text(&answer), "[2]");
            assert_true(seconds() - start > 1.9);
        }
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

/* Calls that cannot wait for the end of a pause fail at once, without a request. */
static void test_limited_too_long(void **state)
{
    (void)state;
    static const char *const METHODS[] = {"eth_echo", "eth_getLogs"};
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        atomic_int code = 0;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 700, 0);
        node_set(b.server, NODE_429);
        double start = seconds();
        FAILS(LKS_BUSY, "asks for fewer calls", call(&b, "[]", &answer));
        for (int i = 0; i < 50; i++)
            FAILS(LKS_BUSY, "asks for fewer calls", call(&b, "[]", &answer));
        OK(lks_rpc_call(b.rpc, "eth_echo", "[7]", keep_code, &code));
        assert_int_equal(wait_for_code(&code), LKS_RPC_LIMITED);
        if (seconds() - start < 0.9)
            assert_int_equal(node_requests(b.server), 1);
        close_bench(&b);
        lks_buf_free(&answer);
    }
    /* An error that may mean either is given to a caller that can ask for less, and slows the
     * others down. */
    for (size_t i = 0; i < 2; i++) {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, NODE_WS, 700, 0);
        node_set(b.server, NODE_UNSURE);
        FAILS(i ? LKS_REMOTE : LKS_BUSY, i ? "limit exceeded" : "fewer calls",
              lks_rpc_call_sync(b.rpc, METHODS[i], "[]", &answer));
        FAILS(LKS_BUSY, "fewer calls", lks_rpc_call_sync(b.rpc, "eth_echo", "[]", &answer));
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

static void test_http_status(void **state)
{
    (void)state;
    bench b;
    lks_buf answer = {0};
    open_bench(&b, NODE_HTTP, 5000, 0);
    node_set(b.server, NODE_STATUS);
    FAILS(LKS_IO, "HTTP status 503", call(&b, "[]", &answer));
    node_set(b.server, NODE_WRONG_ID);
    FAILS(LKS_CORRUPT, "never gave", call(&b, "[]", &answer));
    lks_buf_free(&answer);
    close_bench(&b);
}

static void test_time_out(void **state)
{
    (void)state;
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 300, 0);
        node_set(b.server, NODE_SILENT);
        double start = seconds();
        FAILS(LKS_TIMEOUT, "no answer to eth_echo", call(&b, "[]", &answer));
        assert_true(seconds() - start > 0.25 && seconds() - start < 3);
        if (b.kind != NODE_HTTP) { /* the answer to another call changes nothing */
            node_set(b.server, NODE_WRONG_ID);
            FAILS(LKS_TIMEOUT, "within 0.3 s", call(&b, "[]", &answer));
        }
        node_set(b.server, NODE_ECHO);
        OK(call(&b, "[2]", &answer));
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

/* Nobody is there: an error at once, and a working call once somebody is. */
static void test_nobody(void **state)
{
    (void)state;
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 10000, 0);
        int port = node_port(b.server);
        node_stop(b.server);
        b.server = NULL;
        double start = seconds();
        FAILS(LKS_IO, "cannot connect to", call(&b, "[]", &answer));
        assert_non_null(strstr(lks_error_message(), b.url));
        assert_true(seconds() - start < 3);
        b.server = node_start(b.kind, port, b.path);
        assert_non_null(b.server);
        OK(call(&b, "[5]", &answer));
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

static void test_restart(void **state)
{
    (void)state;
    static const node_kind STREAMS[] = {NODE_WS, NODE_IPC};
    for (size_t i = 0; i < 2; i++) {
        bench b;
        lks_buf answer = {0};
        open_bench(&b, STREAMS[i], 10000, 0);
        OK(call(&b, "[1]", &answer));
        int port = node_port(b.server);
        node_stop(b.server);
        for (int wait = 0; wait < 200 && !atomic_load(&b.notices); wait++)
            usleep(10000);
        assert_int_equal(atomic_load(&b.notices), 1);
        assert_non_null(strstr(b.last_notice, "lost the connection to"));
        b.server = node_start(b.kind, port, b.path);
        assert_non_null(b.server);
        OK(call(&b, "[2]", &answer));
        assert_int_equal(atomic_load(&b.notices), 2);
        assert_non_null(strstr(b.last_notice, "connected again to"));
        lks_buf_free(&answer);
        close_bench(&b);
    }
}

typedef struct tally {
    atomic_uint good, failed, other;
    bench *b;
} tally;

static void count_reply(void *user, int32_t code, const char *json, size_t len)
{
    tally *t = user;
    assert_int_equal(strlen(json), len);
    if (code == 0 && !strcmp(json, "[7]"))
        atomic_fetch_add(&t->good, 1);
    else if (code == LKS_RPC_FAILED && strstr(json, "\"message\""))
        atomic_fetch_add(&t->failed, 1);
    else
        atomic_fetch_add(&t->other, 1);
}

static void *call_often(void *argument)
{
    tally *t = argument;
    lks_buf answer = {0};
    for (int i = 0; i < 25; i++) {
        while (lks_rpc_call(t->b->rpc, "eth_echo", "[7]", count_reply, t) == LKS_BUSY)
            usleep(1000);
        lks_err err = lks_rpc_call_sync(t->b->rpc, "eth_echo", "[8]", &answer);
        if (err != LKS_OK && err != LKS_BUSY)
            atomic_fetch_add(&t->other, 1);
    }
    lks_buf_free(&answer);
    return NULL;
}

static void wait_for(atomic_uint *counter, unsigned value)
{
    for (int i = 0; i < 1000 && atomic_load(counter) < value; i++)
        usleep(10000);
    assert_int_equal(atomic_load(counter), value);
}

/* Several threads; every call is answered once. */
static void test_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        bench b;
        tally t = {.b = &b};
        pthread_t threads[4];
        open_bench(&b, KINDS[i], 20000, 16);
        for (int k = 0; k < 4; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, call_often, &t), 0);
        for (int k = 0; k < 4; k++)
            pthread_join(threads[k], NULL);
        wait_for(&t.good, 100);
        assert_int_equal(atomic_load(&t.failed) + atomic_load(&t.other), 0);
        close_bench(&b);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    FOR_EACH_TRANSPORT(b)
    {
        bench b;
        tally t = {.b = &b};
        lks_buf answer = {0};
        open_bench(&b, KINDS[transport_], 60000, 3);
        node_set(b.server, NODE_SILENT);
        for (int i = 0; i < 3; i++)
            OK(lks_rpc_call(b.rpc, "eth_echo", "[7]", count_reply, &t));
        FAILS(LKS_BUSY, "3 calls", lks_rpc_call(b.rpc, "eth_echo", "[7]", count_reply, &t));
        FAILS(LKS_BUSY, "3 calls", call(&b, "[]", &answer));
        /* Closing answers all that is under way. */
        double start = seconds();
        close_bench(&b);
        assert_true(seconds() - start < 5);
        assert_int_equal(atomic_load(&t.failed), 3);
        assert_int_equal(atomic_load(&t.good) + atomic_load(&t.other), 0);
        lks_buf_free(&answer);
    }
}

static void call_in_reply(void *user, int32_t code, const char *json, size_t len)
{
    tally *t = user;
    lks_buf answer = {0};
    (void)json, (void)len;
    if (code == 0 && lks_rpc_call_sync(t->b->rpc, "eth_echo", "[]", &answer) == LKS_BADARGS &&
        lks_rpc_call(t->b->rpc, "eth_echo", "[7]", count_reply, t) == LKS_OK)
        atomic_fetch_add(&t->other, 1);
    lks_buf_free(&answer);
}

static void test_call_in_reply(void **state)
{
    (void)state;
    bench b;
    tally t = {.b = &b};
    open_bench(&b, NODE_WS, 5000, 0);
    OK(lks_rpc_call(b.rpc, "eth_echo", "[]", call_in_reply, &t));
    wait_for(&t.other, 1);
    wait_for(&t.good, 1);
    close_bench(&b);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const char *const METHODS[] = {
        "", "eth call", "eth\"", "eth_\xc3\xa9",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static const char *const PARAMS[] = {
        "", "{}", "[", "[1,]", "[] []", "\"[]\"", "[]}, {\"id\":2"};
    bench b;
    tally t = {.b = &b};
    open_bench(&b, NODE_WS, 5000, 0);
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        FAILS(LKS_BADARGS, "method", lks_rpc_call(b.rpc, METHODS[i], "[]", count_reply, &t));
    for (size_t i = 0; i < sizeof PARAMS / sizeof *PARAMS; i++)
        FAILS(LKS_BADARGS, "JSON array",
              lks_rpc_call(b.rpc, "eth_echo", PARAMS[i], count_reply, &t));
    assert_int_equal(node_requests(b.server), 0);
    close_bench(&b);
    assert_int_equal(atomic_load(&t.failed), 0);
}

static void test_urls(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "localhost",
                                      "127.0.0.1:8545",
                                      "ftp://x",
                                      "ws://",
                                      "ws://:1",
                                      "ws://h:",
                                      "ws://h:0",
                                      "ws://h:65536",
                                      "ws://h:1x",
                                      "ws://h:999999",
                                      "http://h\r\nX: y",
                                      "http://h /",
                                      "http://[::1",
                                      "http://[::1]x",
                                      "http://h/#f",
                                      "ipc:",
                                      "http://h/\x01"};
    static const char *const GOOD[] = {"ws://h",       "ws://h:1/p?q=1", "http://[::1]:8545",
                                       "https://h",    "wss://h/v3/KEY", "./geth.ipc",
                                       "ipc:geth.ipc", "http://h?k=v"};
    lks_rpc *rpc;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(lks_rpc_open(&rpc, BAD[i], NULL), LKS_BADARGS);
        assert_null(rpc);
    }
    FAILS(LKS_REFUSED, "password", lks_rpc_open(&rpc, "http://user:secret@h", NULL));
    assert_null(strstr(lks_error_message(), "secret"));
    char longer[200] = "/";
    memset(longer + 1, 'a', 150);
    FAILS(LKS_BADARGS, "107", lks_rpc_open(&rpc, longer, NULL));
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        OK(lks_rpc_open(&rpc, GOOD[i], NULL));
        lks_rpc_close(rpc);
    }
    lks_rpc_close(NULL);
    /* The path may hold an access key: no message shows it. */
    lks_buf answer = {0};
    OK(lks_rpc_open(&rpc, "http://127.0.0.1:1/v3/0123KEY", NULL));
    FAILS(LKS_IO, "http://127.0.0.1:1:", lks_rpc_call_sync(rpc, "eth_chainId", "[]", &answer));
    assert_null(strstr(lks_error_message(), "KEY"));
    lks_rpc_close(rpc);
    lks_buf_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_long),
        cmocka_unit_test(test_bad_answers), cmocka_unit_test(test_http_status),
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_kept_connections),
        cmocka_unit_test(test_limited),     cmocka_unit_test(test_limited_too_long),
        cmocka_unit_test(test_time_out),    cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_restart),     cmocka_unit_test(test_threads),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_call_in_reply),
        cmocka_unit_test(test_bad_input),   cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
