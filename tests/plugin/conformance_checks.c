/* The checks of the conformance program, in the order in which they run. Each gives the plugin a
 * host and a life of its own. */
#include "tests/plugin/conformance.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_STOP_MS 10000.0
#define LOG_MS 1.0         /* of a large block, each */
#define EMPTY_BLOCK_MS 5.0 /* median */
#define NESTING 100000

static uint64_t next_random(test *t)
{ /* splitmix64 */
    uint64_t z = (t->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill_random(test *t, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)next_random(t);
}

/* Gives a block whose memory is overwritten once on_block has returned. Returns: how long that
 * took, in ms. */
static double give_block(test *t, lockstep_plugin *p, uint64_t number, uint8_t branch,
                         uint8_t parent_branch, size_t log_count)
{
    lockstep_log *logs = log_count ? calloc(log_count, sizeof *logs) : NULL;
    uint8_t data[256];
    fill_random(t, data, sizeof data);
    for (size_t i = 0; logs && i < log_count; i++) {
        lockstep_log *l = &logs[i];
        fill_random(t, (uint8_t *)l->topics, sizeof l->topics);
        memcpy(l->address, t->address_count ? t->addresses[i % t->address_count] : data, 20);
        l->topic_count = (uint8_t)(next_random(t) % 5);
        l->log_index = (uint32_t)i;
        l->tx_index = (uint32_t)(i / 3);
        l->data_len = next_random(t) % (sizeof data + 1);
        l->data = l->data_len ? data : NULL;
    }
    lockstep_block block = {.number = number,
                            .timestamp = number + 1000,
                            .log_count = logs ? log_count : 0,
                            .logs = logs};
    fake_block_hash(number, branch, block.hash);
    fake_block_hash(number - 1, parent_branch, block.parent_hash);
    double start = now_ms();
    CALL(t, "on_block", p->on_block(p, &block));
    double took = now_ms() - start;
    memset(data, 0xa5, sizeof data);
    if (logs)
        memset(logs, 0xa5, log_count * sizeof *logs);
    memset(&block, 0xa5, sizeof block);
    free(logs);
    return took;
}

static void revert_block(test *t, lockstep_plugin *p, uint64_t number, uint8_t branch)
{
    uint8_t hash[32];
    fake_block_hash(number, branch, hash);
    CALL(t, "on_revert", p->on_revert(p, number, hash));
}

static lockstep_plugin *create(test *t, fake_host *h, const char *config)
{
    lockstep_plugin *p;
    CALL(t, "create", p = t->create(&h->host, config));
    return p;
}

/* Stops and destroys the plugin; between the two the calls under way are answered, or dropped.
 * Returns: how long stop took. */
static double end(test *t, fake_host *h, lockstep_plugin *p, bool answer)
{
    double start = now_ms();
    CALL(t, "stop", p->stop(p));
    double took = now_ms() - start;
    fake_set_life(h, FAKE_STOPPED);
    if (answer)
        fake_release(h);
    CALL(t, "destroy", p->destroy(p));
    fake_set_life(h, FAKE_GONE);
    return took;
}

static void report_breach(test *t, fake_host *h)
{
    const char *broken = fake_breach(h);
    report(t, !broken, "%s", broken ? broken : "");
}

static bool refused_with_a_reason(test *t, fake_host *h, const char *config, char *why,
                                  size_t why_len)
{
    fake_clear(h);
    lockstep_plugin *p = create(t, h, config);
    if (p) {
        snprintf(why, why_len, "it started");
        end(t, h, p, true);
        fake_set_life(h, FAKE_RUNNING);
        return false;
    }
    if (fake_errors(h) != 1)
        snprintf(why, why_len, "%u error lines, not one", fake_errors(h));
    return fake_errors(h) == 1;
}

static void check_abi_versions(test *t)
{
    char why[200] = "";
    fake_host *h = fake_start(FAKE_ANSWERS);
    h->host.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION + 1;
    report(t, refused_with_a_reason(t, h, t->config, why, sizeof why), "%s", why);
    fake_end(h);
}

static atomic_uint touched;

static void touch_log(void *context, int32_t level, const char *message)
{
    (void)context, (void)level, (void)message;
    touched++;
}

static int32_t touch_rpc(void *context, const char *method, const char *params,
                         lockstep_rpc_reply reply, void *user)
{
    (void)context, (void)method, (void)params, (void)reply, (void)user;
    touched++;
    return LOCKSTEP_RPC_REFUSED_CLOSED;
}

static void check_small_host(test *t)
{
    lockstep_host small = {LOCKSTEP_PLUGIN_ABI_VERSION, offsetof(lockstep_host, context), NULL,
                           touch_log, touch_rpc};
    lockstep_plugin *p;
    CALL(t, "create", p = t->create(&small, t->config));
    report(t, !p && !touched, "%s",
           p ? "it started" : "it used a function beyond the host's struct_size");
}

static void check_bad_configs(test *t)
{
    char *nested = malloc(NESTING + 16), why[200] = "";
    memset(nested, '[', NESTING);
    memcpy(nested, "{\"a\":", 5);
    nested[NESTING] = 0;
    const char *configs[] = {
        "",      " ",      "nonsense",         "[]",  "null", "\"x\"", "{", "{\"a\":}",
        "{} {}", "{\"a\"", "{\"a\":\"\xff\"}", nested};
    fake_host *h = fake_start(FAKE_ANSWERS);
    bool good = true;
    for (size_t i = 0; good && i < sizeof configs / sizeof *configs; i++) {
        good = refused_with_a_reason(t, h, configs[i], why, sizeof why);
        if (!good)
            report(t, false, "of the configuration \"%.20s\": %s", configs[i], why);
    }
    if (good)
        report_breach(t, h);
    fake_end(h);
    free(nested);
}

static const char *fault_of(const lockstep_plugin *p)
{
    if (p->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION)
        return "another abi_version";
    if (p->struct_size < sizeof *p)
        return "a struct_size smaller than the header's";
    if (!p->name || !p->name[0] || !p->version || !p->version[0])
        return "no name or no version";
    if (!p->on_block || !p->on_revert || !p->finished_height || !p->stop || !p->destroy)
        return "a function that is NULL";
    return NULL;
}

static void check_create(test *t)
{
    fake_host *h = fake_start(FAKE_ANSWERS);
    lockstep_plugin *p = create(t, h, t->config);
    const char *fault = p ? fault_of(p) : h->error;
    report(t, p && !fault, "%s%s", p ? "it has " : "it refuses CONFIG.json: ", fault ? fault : "");
    if (p && fault)
        return; /* it cannot be ended, so its threads may go on to use the host */
    if (p)
        end(t, h, p, true);
    fake_end(h);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check_block_times(test *t)
{
    enum {
        EMPTY = 301,
        LARGE = 2000,
        REPLAY = 3000
    };
    static double took[EMPTY];
    fake_host *h = fake_start(FAKE_ANSWERS);
    lockstep_plugin *p = create(t, h, t->config);
    uint64_t n = 100;
    double large = 0;
    for (int i = 0; i < EMPTY; i++, n++) {
        fake_set_head(h, n);
        took[i] = give_block(t, p, n, 0, 0, 0);
    }
    large = give_block(t, p, n++, 0, 0, LARGE);
    fake_set_mode(h, FAKE_HOLDS); /* a client that does not answer is no reason to wait either */
    double start = now_ms();
    for (int i = 0; i < REPLAY; i++)
        give_block(t, p, n++, 0, 0, 2);
    double replay = now_ms() - start;
    double stop_ms = end(t, h, p, true);
    qsort(took, EMPTY, sizeof *took, by_value);
    print("# on_block: median of an empty block %.4f ms, one of %d logs %.2f ms, %d blocks of 2 "
          "logs %.1f ms; stop %.1f ms\n",
          took[EMPTY / 2], LARGE, large, REPLAY, replay, stop_ms);
    report(t,
           took[EMPTY / 2] <= EMPTY_BLOCK_MS && large <= LARGE * LOG_MS &&
               replay <= REPLAY * 2 * LOG_MS && stop_ms <= MAX_STOP_MS && !fake_breach(h),
           "%s", fake_breach(h) ? h->breach : "it takes too long");
    fake_end(h);
}

static void check_reorgs(test *t)
{
    fake_host *h = fake_start(FAKE_ANSWERS);
    lockstep_plugin *p = create(t, h, t->config);
    for (uint64_t n = 10; n < 20; n++)
        give_block(t, p, n, 0, 0, 3);
    for (uint64_t n = 19; n >= 15; n--)
        revert_block(t, p, n, 0);
    for (uint64_t n = 15; n < 22; n++)
        give_block(t, p, n, 1, n == 15 ? 0 : 1, 3);
    for (uint64_t n = 18; n < 24; n++) /* a host that leaves on_revert out */
        give_block(t, p, n, 2, n == 18 ? 1 : 2, 3);
    for (uint64_t n = 23; n >= 10; n--)
        revert_block(t, p, n, n >= 18 ? 2 : n >= 15 ? 1 : 0);
    give_block(t, p, 9, 0, 0, 1); /* deeper than what was given */
    give_block(t, p, 10, 0, 0, 1);
    end(t, h, p, true);
    report_breach(t, h);
    fake_end(h);
}

typedef struct poll {
    lockstep_plugin *plugin;
    atomic_bool done;
    uint64_t highest;
} poll;

static void *poll_height(void *arg)
{
    poll *q = arg;
    while (!q->done) {
        uint64_t height = q->plugin->finished_height(q->plugin);
        if (height > q->highest)
            q->highest = height;
    }
    return NULL;
}

static void check_finished_height(test *t)
{
    fake_host *h = fake_start(FAKE_ANSWERS);
    lockstep_plugin *p = create(t, h, t->config);
    uint64_t begin, last = 0;
    CALL(t, "finished_height", begin = p->finished_height(p));
    poll q = {.plugin = p};
    pthread_t thread;
    pthread_create(&thread, NULL, poll_height, &q);
    for (int i = 0; i < 500; i++) {
        last = begin + 1 + (uint64_t)i;
        fake_set_head(h, last);
        give_block(t, p, last, 0, 0, i % 7 == 0);
    }
    q.done = true;
    pthread_join(thread, NULL);
    report(t, q.highest <= last && !fake_breach(h), "%s",
           fake_breach(h) ? h->breach : "it is higher than any block that was given");
    end(t, h, p, true);
    fake_end(h);
}

/* A client that lies, is busy or does not answer harms nothing but the plugin's work. */
static void check_bad_clients(test *t)
{
    static const enum fake_mode modes[] = {FAKE_LIES, FAKE_BUSY, FAKE_HOLDS, FAKE_LIES};
    fake_host *h = fake_start(FAKE_ANSWERS);
    lockstep_plugin *p = create(t, h, t->config);
    uint64_t n = 10;
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        fake_set_mode(h, modes[m]);
        for (int i = 0; i < 100; i++, n++) {
            fake_set_head(h, n);
            give_block(t, p, n, 0, 0, i % 3 == 0);
            usleep(2000);
        }
    }
    print("# the plugin made %lu rpc calls\n", h->taken);
    double stop_ms = end(t, h, p, true);
    report(t, !fake_breach(h) && stop_ms <= MAX_STOP_MS, "%s",
           fake_breach(h) ? h->breach : "stop takes too long");
    fake_end(h);
}

static void check_repetition(test *t)
{
    unsigned threads = process_threads(), files = 0;
    char why[512] = "";
    for (int i = 0; i < 20 && !why[0]; i++) {
        fake_host *h = fake_start(FAKE_ANSWERS);
        lockstep_plugin *p = create(t, h, t->config);
        if (!p) {
            snprintf(why, sizeof why, "time %d: it refuses: %.300s", i, h->error);
        } else {
            fake_set_mode(h, i % 2 ? FAKE_HOLDS : FAKE_ANSWERS);
            for (uint64_t n = 10; n < 20; n++)
                give_block(t, p, n, 0, 0, 2);
            double stop_ms = end(t, h, p, i % 4 != 3); /* late replies, or none ever */
            if (stop_ms > MAX_STOP_MS)
                snprintf(why, sizeof why, "stop took %.0f ms", stop_ms);
            if (fake_breach(h))
                snprintf(why, sizeof why, "time %d: %.400s", i, h->breach);
        }
        fake_end(h);
        if (i == 0)
            files = process_files(); /* what a library opens once is no leak */
    }
    for (int i = 0; i < 200 && process_threads() > threads; i++)
        usleep(10000); /* a joined thread's entry disappears a moment later */
    if (!why[0] && process_threads() > threads)
        snprintf(why, sizeof why, "%u threads before, %u after", threads, process_threads());
    if (!why[0] && process_files() > files)
        snprintf(why, sizeof why, "%u open files after the first time, %u after the last", files,
                 process_files());
    report(t, !why[0], "%s", why);
}

const check checks[] = {
    {"refuses another version of the ABI", check_abi_versions, false},
    {"refuses a host of a smaller struct", check_small_host, false},
    {"refuses bad configurations with one line", check_bad_configs, false},
    {"starts", check_create, true},
    {"on_block returns quickly", check_block_times, false},
    {"takes re-orgs, named or not", check_reorgs, false},
    {"tells finished_height on any thread", check_finished_height, false},
    {"bears a client that lies, is busy or silent", check_bad_clients, false},
    {"starts and ends 20 times without leaks, with late replies", check_repetition, false},
    {NULL, NULL, false},
};
