/* A JSON-RPC proxy over HTTP on this machine, in front of a real node, that misbehaves as hostile.h
 * has it: in episodes, drawn from a seed, each no longer than `longest` seconds.
 *
 *   proxy --to URL --port-file FILE [--port N] [--seed S] [--kinds KINDS] [--longest SECONDS]
 *         [--rest SECONDS]
 *
 * The node is right at first, and between two episodes, for SECONDS of --rest (8) and up to twice
 * as long. KINDS: the names in hostile.c with commas between; all (the default) or none. Writes its
 * port to FILE. SIGTERM ends it; then it prints how many calls were spoilt. */
#include "chain/json.h"
#include "chain/rpc.h"
#include "tests/hostile/hostile.h"
#include "tests/hostile/http_server.h"
#include "tests/hostile/views.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALL_MS 20000u /* the real node's time for an answer */
#define TOO_LARGE "{\"code\":-32008,\"message\":\"Response is too big\"}"

/* Streams of chance. */
enum {
    STREAM_LAYER,
    STREAM_PLAN,
    STREAM_VIEWS,
    STREAM_WIRE
};

typedef struct options {
    const char *to, *port_file;
    int port;
    uint64_t seed, longest, rest;
    uint32_t kinds;
} options;

typedef struct proxy {
    lks_rpc *rpc;
    pthread_mutex_t lock; /* of all below */
    hostile hostile;
    views views;
    chance wire; /* how an answer that does not come fails to */
    chance plan; /* the same episodes at the same seconds, whatever is called */
    uint64_t calls;
    time_t started;
} proxy;

static uint64_t seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec;
}

static uint64_t now_of(void *user)
{
    const proxy *p = user;
    return seconds_now() - (uint64_t)p->started;
}

static void look_back(void *user, uint64_t blocks)
{
    proxy *p = user;
    p->views.lag = blocks;
}

static void leave(void *user, uint64_t blocks)
{
    proxy *p = user;
    views_leave(&p->views, blocks);
}

/* ---- calls ---- */

/* The answer's text of a call that had the result, or the error. */
static void put_reply(lks_buf *body, const char *id, size_t id_len, const char *what,
                      const lks_buf *value)
{
    lks_buf_printf(body, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"%s\":", (int)id_len, id, what);
    lks_buf_put(body, value->data, value->len);
    lks_buf_put_text(body, "}");
}

/* What the layer did, as it looks on the wire. */
static void show(proxy *p, lks_err err, lks_buf *value, const char *id, size_t id_len,
                 http_answer *answer)
{
    if (err == LKS_TIMEOUT) {
        answer->fate = HTTP_SILENT;
    } else if (err == LKS_BUSY) {
        answer->status = chance_of(&p->wire, 700) ? 429 : 503;
        if (answer->status == 503 || chance_of(&p->wire, 500))
            answer->retry_after = chance_between(&p->wire, 1, 3);
    } else if (err == LKS_OK || err == LKS_REMOTE) {
        put_reply(&answer->body, id, id_len, err ? "error" : "result", value);
    } else if (err == LKS_TOO_LARGE) {
        lks_buf_clear(value);
        lks_buf_put_text(value, TOO_LARGE);
        put_reply(&answer->body, id, id_len, "error", value);
    } else {
        answer->fate = chance_of(&p->wire, 500) ? HTTP_CUT : HTTP_HALF;
    }
}

/* Tells on standard output what the node does wrong from now on. */
static void tell(const proxy *p)
{
    const hostile *h = &p->hostile;
    printf("after %llu s:", (unsigned long long)now_of((void *)p));
    for (unsigned i = 0; i < HOSTILE_KINDS; i++)
        if (h->active & 1u << i)
            printf(" %s", hostile_name((hostile_kind)i));
    if (h->active)
        printf(", %u of 1,000 calls, %llu blocks behind, until %llu s\n", h->per_mille,
               (unsigned long long)h->lag, (unsigned long long)h->changes_at);
    else
        printf(" right\n");
    fflush(stdout);
}

/* An http_handler. */
static void handle(void *user, const char *body, size_t len, http_answer *answer)
{
    proxy *p = user;
    lks_json doc = {0};
    lks_buf method = {0}, params = {0}, value = {0};
    const char *id = "null", *text = "[]";
    size_t id_len = 4, text_len = 2;
    lks_err err = lks_json_parse(&doc, body, len, LKS_JSON_MAX_VALUES);
    if (!err)
        err = lks_json_string(&doc, lks_json_member(&doc, 0, "method"), &method);
    if (!err)
        err = lks_json_raw(&doc, lks_json_member(&doc, 0, "id"), &id, &id_len);
    if (!err && lks_json_member(&doc, 0, "params") != LKS_JSON_NONE)
        err = lks_json_raw(&doc, lks_json_member(&doc, 0, "params"), &text, &text_len);
    if (err) {
        answer->status = 400;
    } else {
        lks_buf_put(&params, text, text_len);
        pthread_mutex_lock(&p->lock);
        uint64_t changes_at = p->hostile.changes_at;
        p->calls++;
        err = hostile_call(&p->hostile, lks_buf_text(&method), lks_buf_text(&params), &value);
        if (p->hostile.changes_at != changes_at)
            tell(p);
        show(p, err, &value, id, id_len, answer);
        pthread_mutex_unlock(&p->lock);
    }
    lks_json_free(&doc);
    lks_buf_free(&method);
    lks_buf_free(&params);
    lks_buf_free(&value);
}

/* ---- beginning and end ---- */

static int usage(void)
{
    fprintf(stderr, "usage: proxy --to URL --port-file FILE [--port N] [--seed S] [--kinds KINDS] "
                    "[--longest SECONDS] [--rest SECONDS]\n");
    return 2;
}

static bool read_options(options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"to", required_argument, NULL, 't'},    {"port-file", required_argument, NULL, 'f'},
        {"port", required_argument, NULL, 'p'},  {"seed", required_argument, NULL, 's'},
        {"kinds", required_argument, NULL, 'k'}, {"longest", required_argument, NULL, 'l'},
        {"rest", required_argument, NULL, 'r'},  {0},
    };
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 't': o->to = optarg; break;
        case 'f': o->port_file = optarg; break;
        case 'p': o->port = atoi(optarg); break;
        case 's': o->seed = strtoull(optarg, NULL, 10); break;
        case 'k': o->kinds = hostile_kinds_of(optarg); break;
        case 'l': o->longest = strtoull(optarg, NULL, 10); break;
        case 'r': o->rest = strtoull(optarg, NULL, 10); break;
        default: return false;
        }
    return o->to && o->port_file && optind == argc && o->longest > 0;
}

static bool tell_port(const char *file, int port)
{
    char beside[4096]; /* whoever waits for the file finds it whole */
    snprintf(beside, sizeof beside, "%s.new", file);
    FILE *f = fopen(beside, "w");
    if (!f)
        return false;
    fprintf(f, "%d\n", port);
    return fclose(f) == 0 && rename(beside, file) == 0;
}

static void begin(proxy *p, const options *o)
{
    hostile *h = &p->hostile;
    p->started = (time_t)seconds_now();
    p->views.truth = (lks_eth){lks_rpc_call_sync, p->rpc, NULL};
    p->views.chance = chance_stream(o->seed, STREAM_VIEWS);
    p->wire = chance_stream(o->seed, STREAM_WIRE);
    h->truth = p->views.truth;
    h->behind = (lks_eth){views_behind, &p->views, NULL};
    h->fork = (lks_eth){views_branch, &p->views, NULL};
    h->look_back = look_back;
    h->leave = leave;
    h->now = now_of;
    h->user = p;
    h->kinds = o->kinds;
    h->longest = o->longest;
    h->shortest_rest = o->rest;
    h->more_rest = (uint32_t)o->rest + 1;
    h->chance = chance_stream(o->seed, STREAM_LAYER);
    p->plan = chance_stream(o->seed, STREAM_PLAN);
    h->plan = &p->plan;
}

static int end(proxy *p)
{
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < HOSTILE_KINDS; i++)
        printf("count spoilt_%s %llu\n", hostile_name((hostile_kind)i),
               (unsigned long long)p->hostile.counts[i]);
    printf("count calls %llu\n", (unsigned long long)p->calls);
    fflush(stdout);
    _exit(0); /* connections are still open */
}

typedef struct service {
    int socket;
    proxy *proxy;
} service;

static void *serve(void *argument)
{
    const service *s = argument;
    http_serve(s->socket, handle, s->proxy);
    return NULL;
}

int main(int argc, char **argv)
{
    static proxy p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    options o = {.seed = 1, .longest = 8, .rest = 8, .kinds = HOSTILE_ALL};
    const lks_rpc_options rpc = {.timeout_ms = CALL_MS};
    sigset_t ends;
    pthread_t thread;
    int seen = 0;
    if (!read_options(&o, argc, argv))
        return usage();
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (lks_rpc_open(&p.rpc, o.to, &rpc)) {
        fprintf(stderr, "proxy: %s\n", lks_error_message());
        return 2;
    }
    begin(&p, &o);
    service s = {http_listen(&o.port), &p};
    if (s.socket < 0 || pthread_create(&thread, NULL, serve, &s) ||
        !tell_port(o.port_file, o.port)) {
        perror("proxy");
        return 1;
    }
    printf("seed %llu\n", (unsigned long long)o.seed);
    fflush(stdout);
    sigwait(&ends, &seen);
    return end(&p);
}
