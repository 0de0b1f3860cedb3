/* The HTTP transport of the JSON-RPC client against a node in this process: requests as they are
 * sent, answers whole and broken, connections that end. */
#include "chain/rpc.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "chain_test.h"
#include "node_server.h"

#define OF(...)                                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":1," __VA_ARGS__ "}" /* the answer to the first call               \
                                                      */
#define GOOD OF("\"result\":\"0x1\"")                /* 39 = 0x27 bytes */

static node_server *server;
static char url[64];

static int start(void **state)
{
    (void)state;
    server = node_start(NODE_HTTP, 0, NULL);
    assert_non_null(server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", node_port(server));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    node_stop(server);
    return 0;
}

static lks_rpc *open_client(const char *at, uint32_t timeout_ms)
{
    lks_rpc *rpc;
    const lks_rpc_options options = {.timeout_ms = timeout_ms, .max_answer = 1 << 20};
    OK(lks_rpc_open(&rpc, at, &options));
    return rpc;
}

/* One call of a client of its own, which the node answers with the text. */
static lks_err ask(const char *text, uint32_t timeout_ms, lks_buf *answer)
{
    lks_rpc *rpc = open_client(url, timeout_ms);
    node_set_text(server, text);
    lks_err err = lks_rpc_call_sync(rpc, "eth_echo", "[]", answer);
    lks_rpc_close(rpc);
    return err;
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The node gets what the call says, and nothing that the environment or an answer adds: no proxy
 * stands in between, no password or cookie is sent. */
static void test_request(void **state)
{
    (void)state;
    static const char *const PROXIES[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"};
    char home[] = "/tmp/lks-http-XXXXXX", at[128], wanted[256], head[256];
    lks_buf answer = {0};
    assert_non_null(mkdtemp(home));
    put_file(home, ".netrc", "machine 127.0.0.1 login somebody password secret\n");
    assert_int_equal(setenv("HOME", home, 1), 0);
    for (size_t i = 0; i < sizeof PROXIES / sizeof *PROXIES; i++)
        assert_int_equal(setenv(PROXIES[i], "http://127.0.0.1:1", 1), 0);
    snprintf(at, sizeof at, "%s/v3/../KEY%%41?a=b c", url);
    *strchr(at, ' ') = '+';
    lks_rpc *rpc = open_client(at, 20000);
    node_set_text(server, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 39\r\n\r\n" GOOD);
    OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    node_set(server, NODE_ECHO);
    OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    snprintf(wanted, sizeof wanted,
             "POST /v3/../KEY%%41?a=b+c HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
             "Accept: application/json\r\nContent-Length: 56",
             url + strlen("http://"));
    node_head(server, head, sizeof head);
    assert_string_equal(head, wanted);
    lks_rpc_close(rpc);
    lks_buf_free(&answer);
    for (size_t i = 0; i < sizeof PROXIES / sizeof *PROXIES; i++)
        unsetenv(PROXIES[i]);
    snprintf(at, sizeof at, "%s/.netrc", home);
    unlink(at);
    rmdir(home);
}

static void test_answers(void **state)
{
    (void)state;
    static const char *const GOOD_ONES[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n" GOOD,
        "HTTP/1.1 200\r\ncontent-length:39\r\n\r\n" GOOD,
        "HTTP/1.1 200 OK\nContent-Length: 39 \n\n" GOOD,
        "HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 39\r\n\r\n" GOOD,
        "HTTP/1.0 200 OK\r\nContent-Length: 39\r\n\r\n" GOOD,
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 39\r\n\r\n" GOOD,
        "HTTP/1.1 200 OK\r\n\r\n" GOOD,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n" GOOD,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n27;n=v\r\n" GOOD
        "\r\n0\r\nTrailer: x\r\n\r\n",
        /* Another answer after it is not of it. */
        "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n" GOOD "HTTP/1.1 500 No\r\n\r\n",
    };
    lks_buf answer = {0};
    for (size_t i = 0; i < sizeof GOOD_ONES / sizeof *GOOD_ONES; i++) {
        OK(ask(GOOD_ONES[i], 20000, &answer));
        assert_string_equal(lks_buf_text(&answer), "\"0x1\"");
    }
    lks_buf_free(&answer);
}

/* What is no answer is a failure, within the bounds on size and time. */
static void test_broken(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "HTTP/1.1 2x0 OK\r\n\r\n" GOOD,
        "SSH-2.0-OpenSSH\r\n",
        "\r\n\r\n",
        GOOD, /* as of HTTP/0.9 */
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" GOOD,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n27\r\n" GOOD "\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    };
    lks_buf answer = {0}, endless = {0};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        lks_err err = ask(BAD[i], 20000, &answer);
        if (err != LKS_IO && err != LKS_CORRUPT)
            fail_msg("answer %zu gives %s: %s", i, lks_err_name(err), lks_error_message());
        assert_int_equal(answer.len, 0);
    }
    /* Headers without end, in one line or many. */
    lks_buf_put_text(&endless, "HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 700000; i++)
        lks_buf_put_text(&endless, "0123456789");
    assert_int_equal(ask(lks_buf_text(&endless), 20000, &answer) == LKS_OK, false);
    lks_buf_clear(&endless);
    lks_buf_put_text(&endless, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 700000; i++)
        lks_buf_put_text(&endless, "X: yyy\r\n");
    lks_buf_put_text(&endless, "\r\n" GOOD);
    assert_int_equal(ask(lks_buf_text(&endless), 20000, &answer) == LKS_OK, false);
    lks_buf_free(&endless);
    lks_buf_free(&answer);
}

static void test_statuses(void **state)
{
    (void)state;
    lks_buf answer = {0}, moved = {0};
    /* No redirect is followed. */
    lks_buf_printf(&moved, "HTTP/1.1 308 Moved\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n",
                   url);
    unsigned before = node_requests(server);
    FAILS(LKS_IO, "HTTP status 308", ask(lks_buf_text(&moved), 20000, &answer));
    assert_int_equal(node_requests(server), before + 1);
    /* The node's error counts, whatever the status. */
    FAILS(LKS_REMOTE, "no such thing (code 5)",
          ask("HTTP/1.1 404 Not Found\r\n\r\n" OF(
                  "\"error\":{\"code\":5,\"message\":\"no such thing\"}"),
              20000, &answer));
    /* The pause of a node that asks for fewer calls is longer than the call can wait. */
    FAILS(LKS_IO, "HTTP status 503", ask("HTTP/1.1 503 Busy\r\n\r\n", 700, &answer));
    FAILS(LKS_BUSY, "fewer calls", ask("HTTP/1.1 429 Too Many\r\n\r\n", 700, &answer));
    FAILS(LKS_BUSY, "fewer calls",
          ask("HTTP/1.1 503 Busy\r\nRetry-After: 17\r\n\r\n", 10000, &answer));
    FAILS(LKS_BUSY, "fewer calls",
          ask("HTTP/1.1 503 Busy\r\nRetry-After: 99999999999\r\n\r\n", 10000, &answer));
    FAILS(LKS_BUSY, "fewer calls",
          ask("HTTP/1.1 503 Busy\r\nRetry-After: Tue, 31 Dec 2199 23:59:59 GMT\r\n\r\n", 10000,
              &answer));
    static const char PAST[] =
        "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n";
    FAILS(LKS_BUSY, "fewer calls", ask(PAST, 700, &answer));
    lks_rpc *rpc = open_client(url, 20000);
    node_set_for(server, NODE_TEXT, 1);
    OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer)); /* after a second */
    lks_rpc_close(rpc);
    lks_buf_free(&moved);
    lks_buf_free(&answer);
}

static void keep_code(void *user, int32_t code, const char *json, size_t len)
{
    (void)json, (void)len;
    atomic_store((atomic_int *)user, code);
}

static void wait_until(unsigned (*count)(const node_server *), unsigned value)
{
    for (int i = 0; i < 3000 && count(server) < value; i++)
        usleep(10000);
    assert_int_equal(count(server), value);
}

/* Calls are made side by side, on 16 connections at most. */
static void test_many(void **state)
{
    (void)state;
    atomic_int codes[40] = {0};
    lks_buf answer = {0};
    lks_rpc *rpc = open_client(url, 60000);
    node_set_for(server, NODE_SILENT, 16);
    for (int i = 0; i < 15; i++)
        OK(lks_rpc_call(rpc, "eth_echo", "[]", keep_code, &codes[i]));
    wait_until(node_requests, 15);
    node_set(server, NODE_ECHO);
    OK(lks_rpc_call_sync(rpc, "eth_echo", "[1]", &answer)); /* it does not wait for them */
    node_set(server, NODE_SILENT);
    for (int i = 15; i < 40; i++)
        OK(lks_rpc_call(rpc, "eth_echo", "[]", keep_code, &codes[i]));
    wait_until(node_requests, 17);
    usleep(100000);
    assert_int_equal(node_connections(server), 16);
    lks_rpc_close(rpc);
    for (int i = 0; i < 40; i++)
        assert_int_equal(atomic_load(&codes[i]), LKS_RPC_FAILED);
    lks_buf_free(&answer);
}

/* A kept connection that the node ends costs no call, however the node does it. */
static void test_ended_connections(void **state)
{
    (void)state;
    atomic_int codes[8];
    char head[256];
    lks_buf answer = {0}, params = {0};
    lks_rpc *rpc = open_client(url, 60000);
    node_set(server, NODE_SPLIT);
    for (int i = 0; i < 8; i++) { /* so many connections */
        atomic_store(&codes[i], 1);
        OK(lks_rpc_call(rpc, "eth_echo", "[]", keep_code, &codes[i]));
    }
    for (int i = 0; i < 8; i++)
        while (atomic_load(&codes[i]))
            usleep(1000);
    lks_buf_put_text(&params, "[\"");
    memset(lks_buf_extend(&params, 16 << 20), 'x', 16 << 20); /* no socket takes it whole */
    lks_buf_put_text(&params, "\"]");
    node_set(server, NODE_SHUT);
    for (int i = 0; i < 3; i++)
        OK(lks_rpc_call_sync(rpc, "eth_echo", lks_buf_text(&params), &answer));
    node_head(server, head, sizeof head);
    assert_null(strstr(head, "Expect")); /* no question before it */
    for (int i = 0; i < 10; i++)
        OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    node_set(server, NODE_408);
    for (int i = 0; i < 3; i++) {
        unsigned closed = node_closed(server);
        OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
        wait_until(node_closed, closed + 1);
    }
    node_set_text(server, "HTTP/1.1 408 Request Timeout\r\n\r\n"); /* not twice */
    FAILS(LKS_IO, "HTTP status 408", lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    lks_rpc_close(rpc);
    lks_buf_free(&params);
    lks_buf_free(&answer);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A node that sends the body when the head is acknowledged does not wait for the 40 ms for which
 * an acknowledgement may be put off: not in every one of many calls. */
static void test_acknowledged(void **state)
{
    (void)state;
    double fastest = 1000;
    lks_buf answer = {0};
    lks_rpc *rpc = open_client(url, 20000);
    node_set(server, NODE_APART);
    for (int i = 0; i < 60; i++) {
        double begun = seconds();
        OK(lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
        double took = seconds() - begun;
        if (i >= 30 && took < fastest) /* of a new connection Linux acknowledges all at once */
            fastest = took;
    }
    assert_true(fastest < 0.035);
    lks_rpc_close(rpc);
    lks_buf_free(&answer);
}

static pthread_mutex_t name_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t name_known = PTHREAD_COND_INITIALIZER;
static bool asked, let_go, given_up;

/* A name server that does not answer before it is told to, or for a minute. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    struct timespec end;
    (void)name, (void)service, (void)hints;
    *out = NULL;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    pthread_mutex_lock(&name_lock);
    asked = true;
    while (!let_go && !given_up)
        given_up = pthread_cond_timedwait(&name_known, &name_lock, &end) != 0;
    pthread_mutex_unlock(&name_lock);
    return EAI_NONAME;
}

/* A name server that does not answer holds neither the limit of a call up nor the end. */
static void test_slow_name(void **state)
{
    (void)state;
    lks_buf answer = {0};
    lks_rpc *rpc = open_client("http://slow.invalid", 200);
    FAILS(LKS_TIMEOUT, "no answer to eth_echo from http://slow.invalid",
          lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    lks_rpc_close(rpc);
    pthread_mutex_lock(&name_lock);
    assert_true(asked);
    assert_false(given_up);
    let_go = true;
    pthread_cond_broadcast(&name_known);
    pthread_mutex_unlock(&name_lock);
    rpc = open_client("http://nowhere.invalid", 20000);
    FAILS(LKS_IO, "cannot connect to http://nowhere.invalid: ",
          lks_rpc_call_sync(rpc, "eth_echo", "[]", &answer));
    lks_rpc_close(rpc);
    lks_buf_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request),      TEST(test_answers),
        TEST(test_broken),       TEST(test_statuses),
        TEST(test_many),         TEST(test_ended_connections),
        TEST(test_acknowledged), cmocka_unit_test(test_slow_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
