/* Several end points as one client: which is followed, what becomes of calls, what is said. The end
 * points are made up. */
#include "chain/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/json.h"

#define MAX_HELD 512
#define N 3

typedef enum mode {
    GOOD,
    LOST,    /* no connection */
    LIMITED, /* asks for fewer calls */
    SILENT,  /* holds every call */
    ERROR    /* a JSON-RPC error */
} mode;

typedef struct fake {
    mode mode;
    uint64_t chain_id, head;
    uint64_t fork; /* from this block on, its hashes differ by branch */
    uint8_t branch;
    const char *error;
    unsigned calls, sends;
    struct {
        char method[32];
        uint64_t block;
        bool latest;
        lks_rpc_reply reply;
        void *user;
    } held[MAX_HELD];
    size_t count;
} fake;

static fake fakes[N];
static lks_endpoints *points;
static uint64_t clock_ms;
static char lines[8192];

static lks_err take(void *context, const char *method, const char *params, lks_rpc_reply reply,
                    void *user)
{
    fake *f = context;
    lks_json doc = {0};
    assert_true(f->count < MAX_HELD);
    assert_int_equal(lks_json_parse(&doc, params, strlen(params), 100), LKS_OK);
    uint64_t block = 0;
    bool latest = lks_json_equals(&doc, lks_json_path(&doc, 0, "0"), "latest");
    if (!latest && strstr(method, "Block"))
        assert_int_equal(lks_json_quantity(&doc, lks_json_path(&doc, 0, "0"), &block), LKS_OK);
    lks_json_free(&doc);
    snprintf(f->held[f->count].method, sizeof f->held[f->count].method, "%s", method);
    f->held[f->count].block = block;
    f->held[f->count].latest = latest;
    f->held[f->count].reply = reply;
    f->held[f->count++].user = user;
    return LKS_OK;
}

static int32_t answer_of(fake *f, const char *method, bool latest, uint64_t block, char json[300])
{
    switch (f->mode) {
    case LOST: strcpy(json, "{\"message\":\"cannot connect\"}"); return LKS_RPC_FAILED;
    case LIMITED: strcpy(json, "{\"message\":\"asks for fewer calls\"}"); return LKS_RPC_LIMITED;
    default: break;
    }
    if (!strcmp(method, "eth_chainId"))
        snprintf(json, 300, "\"0x%llx\"", (unsigned long long)f->chain_id);
    else if (strstr(method, "Block")) {
        uint64_t n = latest ? f->head : block;
        snprintf(json, 300, "{\"number\":\"0x%llx\",\"hash\":\"0x%056llx%08x\"}",
                 (unsigned long long)n, (unsigned long long)n, n >= f->fork ? f->branch : 0u);
    } else if (f->mode == ERROR) {
        snprintf(json, 300, "{\"code\":-32000,\"message\":\"%s\"}", f->error);
        return -32000;
    } else
        snprintf(json, 300, "\"from %d\"", (int)(f - fakes));
    return 0;
}

/* Lets the end points answer until none has anything left to say. */
static void deliver(void)
{
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < N; i++) {
            fake *f = &fakes[i];
            if (!f->count || f->mode == SILENT)
                continue;
            char json[300];
            any = true;
            --f->count;
            f->calls++;
            f->sends += !strcmp(f->held[f->count].method, "eth_sendRawTransaction");
            int32_t code = answer_of(f, f->held[f->count].method, f->held[f->count].latest,
                                     f->held[f->count].block, json);
            f->held[f->count].reply(f->held[f->count].user, code, json, strlen(json));
        }
    }
}

static void run(uint64_t ms)
{
    for (uint64_t t = 0; t < ms; t += 250) {
        clock_ms += 250;
        lks_endpoints_tick(points);
        deliver();
    }
}

static uint64_t now_ms(void)
{
    return clock_ms;
}

static void take_line(void *user, bool warns, const char *line)
{
    size_t len = strlen(lines);
    (void)user;
    snprintf(lines + len, sizeof lines - len, "%d %s\n", warns ? 1 : 2, line);
}

/* The reply of one call. */
typedef struct result {
    int replies;
    int32_t code;
    char json[300];
} result;

static void on_result(void *user, int32_t code, const char *json, size_t len)
{
    result *r = user;
    assert_int_equal(strlen(json), len);
    r->replies++;
    r->code = code;
    snprintf(r->json, sizeof r->json, "%s", json);
}

static void call_into(result *r, const char *method)
{
    *r = (result){0};
    assert_int_equal(lks_endpoints_call(points, method, "[]", on_result, r), LKS_OK);
}

/* A call that is answered at once. */
static result call(const char *method)
{
    result r;
    call_into(&r, method);
    deliver();
    assert_int_equal(r.replies, 1);
    return r;
}

static int followed(void)
{
    const char *name = lks_endpoints_name(points);
    return name[strlen(name) - 1] - '0';
}

static void reset_fakes(void)
{
    memset(fakes, 0, sizeof fakes);
    for (int i = 0; i < N; i++) {
        fakes[i].chain_id = 7;
        fakes[i].head = 100;
        fakes[i].fork = UINT64_MAX;
    }
}

static uint64_t wanted_chain;         /* 0: the first one's */
static uint64_t open_first_ms = 1000; /* 500: before the first check has ended */

/* Opens as many of the fakes as they are, and lets the first check end. */
static void open_fakes(size_t count)
{
    static const char *const NAMES[N] = {"http://host0", "http://host1", "http://host2"};
    lks_endpoint clients[N];
    for (int i = 0; i < N; i++)
        clients[i] = (lks_endpoint){NAMES[i], take, &fakes[i]};
    clock_ms = 1000000;
    lines[0] = 0;
    const lks_endpoints_options options = {.clients = clients,
                                           .count = count,
                                           .chain_id = wanted_chain,
                                           .now_ms = now_ms,
                                           .log = take_line};
    assert_int_equal(lks_endpoints_new(&points, &options), LKS_OK);
    run(open_first_ms);
}

static void open_points(size_t count)
{
    reset_fakes();
    open_fakes(count);
}

static void close_points(void)
{
    lks_endpoints_close(points);
    for (int i = 0; i < N; i++)
        fakes[i].mode = LOST;
    deliver();
    lks_endpoints_free(points);
}

static void test_one(void **state)
{
    (void)state;
    open_points(1);
    run(60000);
    assert_int_equal(fakes[0].calls, 0); /* nothing to compare with: no checks */
    assert_string_equal(call("eth_call").json, "\"from 0\"");
    fakes[0].mode = LOST;
    for (int i = 0; i < 10; i++)
        assert_int_equal(call("eth_call").code, LKS_RPC_FAILED);
    assert_string_equal(lines, "");
    close_points();
}

/* All calls go to the first; the others are only asked for what a check needs. */
static void test_good(void **state)
{
    (void)state;
    open_points(N);
    for (int i = 0; i < 20; i++)
        assert_string_equal(call("eth_getLogs").json, "\"from 0\"");
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < N; k++)
            fakes[k].head++;
        run(12000);
    }
    assert_int_equal(followed(), 0);
    assert_true(fakes[1].calls <= 2 * 22);
    assert_string_equal(lines, "");
    close_points();
}

/* A call that finds no connection is made elsewhere at once; three such, and the end point is left
 * for five minutes. */
static void test_lost(void **state)
{
    (void)state;
    open_points(N);
    fakes[0].mode = LOST;
    assert_string_equal(call("eth_call").json, "\"from 1\"");
    assert_int_equal(followed(), 0);
    assert_string_equal(call("eth_call").json, "\"from 1\"");
    assert_string_equal(call("eth_call").json, "\"from 1\"");
    assert_int_equal(followed(), 1);
    assert_non_null(strstr(
        lines,
        "1 http://host0 does not answer (cannot connect): following http://host1 from now on\n"));
    unsigned before = fakes[0].calls;
    assert_string_equal(call("eth_call").json, "\"from 1\"");
    assert_int_equal(fakes[0].calls, before);
    fakes[1].mode = LIMITED; /* so does one that asks for fewer calls */
    for (int i = 0; i < 3; i++)
        assert_string_equal(call("eth_call").json, "\"from 2\"");
    assert_int_equal(followed(), 2);
    fakes[2].mode = LOST; /* all are gone: the failure is told, nothing loops */
    for (int i = 0; i < 5; i++)
        assert_int_equal(call("eth_call").code, LKS_RPC_FAILED);
    run(60000);
    fakes[1].mode = GOOD;
    run(13000);
    assert_int_equal(followed(), 1);
    fakes[0].mode = GOOD;
    run(LKS_ENDPOINTS_BENCH_MS - 15000);
    assert_int_equal(followed(), 1);
    run(45000);
    assert_int_equal(followed(), 0);
    assert_non_null(strstr(lines, "2 http://host0 is good again: following it from now on\n"));
    close_points();
}

/* One that takes calls and never answers is found by the checks, and what it owes is asked of
 * another. */
static void test_hanging(void **state)
{
    (void)state;
    open_points(N);
    result r, sent;
    fakes[0].mode = SILENT;
    call_into(&r, "eth_getLogs");
    call_into(&sent, "eth_sendRawTransaction");
    deliver();
    assert_int_equal(r.replies, 0);
    assert_int_equal(sent.replies, 1); /* the others took it */
    run(14000);
    assert_int_equal(r.replies, 1);
    assert_string_equal(r.json, "\"from 1\"");
    assert_int_equal(followed(), 1);
    assert_non_null(
        strstr(lines, "http://host0 does not answer (nothing in 6 s): following http://host1"));
    fakes[0].mode = GOOD; /* the late answers find nobody */
    deliver();
    assert_int_equal(r.replies, 1);
    assert_int_equal(sent.replies, 1);
    /* An error for a transaction waits for those that may take it, not for one that hangs. */
    run(13000);
    fakes[0].mode = SILENT;
    run(13000);
    fakes[1].mode = fakes[2].mode = ERROR;
    fakes[1].error = "nonce too low";
    fakes[2].error = "underpriced";
    sent = call("eth_sendRawTransaction");
    assert_int_equal(sent.code, -32000);
    close_points();
    /* The same where it is found to hang later. */
    open_points(N);
    fakes[0].mode = SILENT;
    fakes[1].mode = fakes[2].mode = ERROR;
    fakes[1].error = fakes[2].error = "nonce too low";
    call_into(&sent, "eth_sendRawTransaction");
    deliver();
    assert_int_equal(sent.replies, 0);
    run(14000);
    assert_int_equal(sent.replies, 1);
    assert_int_equal(sent.code, -32000);
    close_points();
}

/* Of two that could be followed, the one that was bad lately is the second choice. */
static void test_bad_lately(void **state)
{
    (void)state;
    open_points(N);
    fakes[1].mode = SILENT;
    run(14000);
    fakes[1].mode = GOOD;
    deliver();
    run(14000);
    fakes[0].mode = LOST;
    for (int i = 0; i < 3; i++)
        call("eth_call");
    assert_int_equal(followed(), 2);
    fakes[2].mode = LOST; /* and better than none */
    for (int i = 0; i < 3; i++)
        call("eth_call");
    assert_int_equal(followed(), 1);
    close_points();
}

static void test_behind(void **state)
{
    (void)state;
    open_points(N);
    for (int i = 0; i < 4; i++) { /* a few blocks, or a short while, are nothing */
        fakes[1].head = fakes[2].head = 104;
        run(40000);
        fakes[1].head = fakes[2].head = 120;
        run(20000);
        fakes[0].head = 116;
        run(7000);
        fakes[0].head = fakes[1].head = fakes[2].head = 100;
        run(7000);
    }
    assert_int_equal(followed(), 0);
    assert_string_equal(lines, "");
    fakes[1].head = fakes[2].head = 120;
    run(50000);
    assert_int_equal(followed(), 1);
    assert_non_null(strstr(lines, "http://host0 is 20 blocks behind: following http://host1"));
    /* One alone that is far ahead of the two others makes nobody look behind. */
    fakes[0].head = 120;
    fakes[2].head = 1000000;
    run(60000);
    assert_int_equal(followed(), 1);
    close_points();
}

static void test_disagreement(void **state)
{
    (void)state;
    open_points(N);
    fakes[0].fork = 90;
    fakes[0].branch = 1;
    run(LKS_ENDPOINTS_CHECK_MS + 2000);
    assert_int_equal(followed(), 0); /* once may be a re-org */
    run(15000);
    assert_int_equal(followed(), 1);
    assert_non_null(
        strstr(lines, "http://host0 disagrees with 2 of 3 about block 92: following http://host1"));
    run(2 * LKS_ENDPOINTS_BENCH_MS);
    assert_int_equal(followed(), 1);
    fakes[0].branch = 0;
    run(LKS_ENDPOINTS_BENCH_MS + 30000);
    assert_int_equal(followed(), 0);
    /* A fork above the block that is compared is left to the next checks. */
    fakes[0].fork = 95;
    fakes[0].branch = 1;
    run(60000);
    assert_int_equal(followed(), 0);
    close_points();
}

/* Of two that disagree the one that is ahead is followed, with a warning. */
static void test_two(void **state)
{
    (void)state;
    open_points(2);
    fakes[1].fork = 50;
    fakes[1].branch = 1;
    run(60000);
    assert_int_equal(followed(), 0);
    assert_non_null(strstr(
        lines,
        "1 the end points disagree about block 92 without a majority: staying with http://host0"));
    char *first = strstr(lines, "disagree");
    assert_null(strstr(first + 1, "disagree")); /* said once in five minutes */
    fakes[1].head = 130;
    run(60000);
    assert_int_equal(followed(), 1);
    close_points();
}

static void test_other_chain(void **state)
{
    (void)state;
    result r;
    reset_fakes();
    fakes[1].chain_id = 8;
    open_fakes(2);
    assert_non_null(strstr(lines, "1 http://host1 is on chain 8, not 7: it is not used for now"));
    fakes[0].mode = LOST;
    for (int i = 0; i < 5; i++)
        assert_int_equal(call("eth_call").code, LKS_RPC_FAILED);
    r = call("eth_sendRawTransaction");
    assert_int_equal(r.code, LKS_RPC_FAILED);
    assert_int_equal(fakes[1].sends, 0);
    close_points();
    /* Also before its first check is over. */
    reset_fakes();
    fakes[1].chain_id = 8;
    open_first_ms = 500;
    open_fakes(2);
    open_first_ms = 1000;
    assert_string_equal(lines, "");
    fakes[0].mode = LOST;
    assert_int_equal(call("eth_call").code, LKS_RPC_FAILED);
    close_points();
}

/* A transaction goes to all, and is sent when one takes it, or has it. */
static void test_send(void **state)
{
    (void)state;
    static const struct {
        mode modes[N];
        const char *errors[N], *json;
        int32_t code;
    } CASES[] = {
        {{GOOD, GOOD, GOOD}, {0}, "from", 0},
        {{LOST, GOOD, LOST}, {0}, "\"from 1\"", 0},
        {{ERROR, LOST, GOOD}, {"nonce too low"}, "\"from 2\"", 0},
        {{ERROR, ERROR, LOST}, {"nonce too low", "already known"}, "already known", -32000},
        {{ERROR, ERROR, LOST}, {"nonce too low", "txpool is full"}, "", -32000},
        {{LOST, ERROR, LIMITED}, {NULL, "underpriced"}, "underpriced", -32000},
        {{LOST, LOST, LOST}, {0}, "cannot connect", LKS_RPC_FAILED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        open_points(N);
        for (int k = 0; k < N; k++) {
            fakes[k].mode = CASES[i].modes[k];
            fakes[k].error = CASES[i].errors[k];
        }
        result r = call("eth_sendRawTransaction");
        assert_int_equal(r.code, CASES[i].code);
        assert_non_null(strstr(r.json, CASES[i].json));
        for (int k = 0; k < N; k++)
            assert_int_equal(fakes[k].sends, 1);
        close_points();
    }
}

/* Calls are bounded, and all are answered when the end comes. */
static void test_end(void **state)
{
    (void)state;
    static result r[LKS_ENDPOINTS_CALLS];
    open_points(N);
    for (int i = 0; i < N; i++)
        fakes[i].mode = SILENT;
    for (size_t i = 0; i < LKS_ENDPOINTS_CALLS; i++)
        call_into(&r[i], i % 2 ? "eth_call" : "eth_sendRawTransaction");
    assert_int_equal(lks_endpoints_call(points, "eth_call", "[]", on_result, NULL), LKS_BUSY);
    lks_endpoints_close(points);
    assert_int_equal(lks_endpoints_call(points, "eth_call", "[]", on_result, NULL), LKS_IO);
    close_points();
    for (size_t i = 0; i < LKS_ENDPOINTS_CALLS; i++)
        assert_int_equal(r[i].replies, 1);
}

/* The caller has caught the one that is followed at something. */
static void test_left(void **state)
{
    (void)state;
    open_points(3);
    assert_int_equal(followed(), 0);
    assert_true(lks_endpoints_leave(points, "withholds logs"));
    assert_int_equal(followed(), 1);
    assert_non_null(strstr(lines, "1 http://host0 withholds logs: following http://host1"));
    run(LKS_ENDPOINTS_BENCH_MS - 20000);
    assert_int_equal(followed(), 1);
    run(60000);
    assert_int_equal(followed(), 0);
    close_points();
    open_points(1);
    assert_false(lks_endpoints_leave(points, "withholds logs"));
    assert_true(lks_endpoints_checked(points) && lks_endpoints_is_good(points, 0));
    close_points();
}

/* The caller knows the chain: a node on another one does not say which it is by coming first. */
static void test_known_chain(void **state)
{
    (void)state;
    reset_fakes();
    fakes[0].chain_id = 8;
    wanted_chain = 7;
    open_first_ms = 0;
    open_fakes(3);
    assert_false(lks_endpoints_checked(points));
    run(1000);
    open_first_ms = 1000;
    wanted_chain = 0;
    assert_true(lks_endpoints_checked(points));
    assert_true(followed() == 1 && lks_endpoints_followed(points) == 1);
    assert_true(!lks_endpoints_is_good(points, 0) && lks_endpoints_is_good(points, 2));
    assert_non_null(strstr(lines, "is on chain 8, not 7"));
    close_points();
}

static void test_list_of_urls(void **state)
{
    (void)state;
    const char *urls[LKS_MAX_ENDPOINTS];
    size_t count = 0;
    char words[] = "  http://a  ws://b\n/c.ipc ",
         lines_of[] = "# a node\n http://a # mine\n\nws://b\n";
    char many[] = "1 2 3 4 5 6 7 8 9";
    assert_true(lks_nodes_split(urls, &count, words, " \n"));
    assert_int_equal(count, 3);
    assert_string_equal(urls[0], "http://a");
    assert_string_equal(urls[2], "/c.ipc");
    count = 0;
    assert_true(lks_nodes_split(urls, &count, lines_of, "\n"));
    assert_int_equal(count, 2);
    assert_string_equal(urls[0], "http://a");
    count = 0;
    assert_false(lks_nodes_split(urls, &count, many, " "));
    assert_true(lks_nodes_split(urls, &count, NULL, " "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),         cmocka_unit_test(test_good),
        cmocka_unit_test(test_lost),        cmocka_unit_test(test_hanging),
        cmocka_unit_test(test_behind),      cmocka_unit_test(test_disagreement),
        cmocka_unit_test(test_two),         cmocka_unit_test(test_other_chain),
        cmocka_unit_test(test_send),        cmocka_unit_test(test_end),
        cmocka_unit_test(test_bad_lately),  cmocka_unit_test(test_left),
        cmocka_unit_test(test_known_chain), cmocka_unit_test(test_list_of_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
