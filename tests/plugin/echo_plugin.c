/* A plugin for the tests of the hosts and of conformance.c: it writes what it is told into a
 * journal, and can break the ABI on purpose. Configuration, a JSON object, all optional: "journal":
 * "FILE"       one line per event, appended "calls": ["METHOD PARAMS", ...]  made by the plugin's
 * thread when it starts and after every block with logs "finished": NUMBER      what
 * finished_height returns until a higher block was given "hold": "FILE"          on_block does not
 * return while FILE exists "load": "FILE"          create does not return while FILE exists
 *   "spoil_fp": true        every function leaves another floating-point environment behind, and
 * logs under it "refuse": true          create returns NULL, with its line in the log
 */
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "plugin/lockstep_plugin.h"

/* Other values build a plugin that every host must refuse. */
#ifndef ECHO_ABI_VERSION
#define ECHO_ABI_VERSION LOCKSTEP_PLUGIN_ABI_VERSION
#endif
#ifndef ECHO_STRUCT_SIZE
#define ECHO_STRUCT_SIZE sizeof(lockstep_plugin)
#endif

#define MAX_CALLS 128

/* Rounds upwards and, where the processor can, flushes denormals to zero: what a library built with
 * fast-math options does to its thread, and worse. */
static void spoil_thread(void)
{
    fesetround(FE_UPWARD);
#ifdef __SSE__
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
}

#ifdef ECHO_SPOIL_ON_LOAD
__attribute__((constructor)) static void on_load(void)
{
    spoil_thread();
}
#endif

typedef struct echo echo;
typedef struct call {
    echo *self;
    char *method;
    char *params;
} call;

struct echo {
    lockstep_plugin plugin; /* first: the ABI's pointer is ours */
    const lockstep_host *host;
    int journal;
    char *hold;
    char *load;
    bool spoil_fp;
    bool refuse;
    size_t call_count;
    call calls[MAX_CALLS];
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the fields below */
    pthread_cond_t changed;
    uint64_t finished;
    unsigned rounds; /* of calls, still to be made */
    bool stopping;
};

static void say(const lockstep_host *host, int32_t level, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    host->log(host->context, level, line);
}

static void note(echo *e, const char *format, ...)
{
    if (e->journal < 0)
        return;
    char line[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (len > (int)sizeof line - 2)
        len = (int)sizeof line - 2;
    line[len] = '\n';
    if (write(e->journal, line, (size_t)len + 1) <
        0) /* one write, so that the lines of two threads do not mix */
        say(e->host, LOCKSTEP_LOG_WARN, "echo: cannot write the journal: %s", strerror(errno));
}

static void spoil(const echo *e, const char *where)
{
    if (!e->spoil_fp)
        return;
    spoil_thread();
    say(e->host, LOCKSTEP_LOG_INFO, "echo: spoilt in %s", where);
}

static const char *hex32(const uint8_t *bytes, char out[65])
{
    for (int i = 0; i < 32; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
    return out;
}

static void on_reply(void *user, int32_t code, const char *json, size_t len)
{
    call *c = user;
    note(c->self, "reply %s %" PRId32 " %s%s", c->method, code, json,
         json[len] ? " (not terminated)" : "");
    spoil(c->self, "on_reply");
}

static void *work(void *arg)
{
    echo *e = arg;
    pthread_mutex_lock(&e->mutex);
    for (;;) {
        while (!e->stopping && e->rounds == 0)
            pthread_cond_wait(&e->changed, &e->mutex);
        if (e->stopping)
            break;
        e->rounds--;
        pthread_mutex_unlock(&e->mutex);
        for (size_t i = 0; i < e->call_count; i++) {
            call *c = &e->calls[i];
            int32_t refused = e->host->rpc(e->host->context, c->method, c->params, on_reply, c);
            if (refused)
                note(e, "refused %s %" PRId32, c->method, refused);
        }
        pthread_mutex_lock(&e->mutex);
    }
    pthread_mutex_unlock(&e->mutex);
    return NULL;
}

static void on_block(lockstep_plugin *plugin, const lockstep_block *block)
{
    echo *e = (echo *)plugin;
    struct stat status;
    if (e->hold && stat(e->hold, &status) == 0)
        note(e, "holding");
    while (e->hold && stat(e->hold, &status) == 0)
        usleep(2000);
    char hash[65], parent[65];
    note(e, "block %" PRIu64 " %s %s %" PRIu64, block->number, hex32(block->hash, hash),
         hex32(block->parent_hash, parent), block->log_count);
    for (uint64_t i = 0; i < block->log_count; i++) {
        const lockstep_log *l = &block->logs[i];
        unsigned sum = 0; /* touches every byte of the data */
        for (size_t k = 0; k < l->data_len; k++)
            sum += l->data[k];
        note(e, "log %u %u %s topics %u data %zu sum %u", l->log_index, l->tx_index,
             hex32(l->tx_hash, hash), l->topic_count, l->data_len, sum);
    }
    pthread_mutex_lock(&e->mutex);
    if (block->number > e->finished)
        e->finished = block->number;
    if (block->log_count) {
        e->rounds++;
        pthread_cond_signal(&e->changed);
    }
    pthread_mutex_unlock(&e->mutex);
    spoil(e, "on_block");
}

static void on_revert(lockstep_plugin *plugin, uint64_t number, const uint8_t hash[32])
{
    echo *e = (echo *)plugin;
    char text[65];
    note(e, "revert %" PRIu64 " %s", number, hex32(hash, text));
    spoil(e, "on_revert");
}

static uint64_t finished_height(lockstep_plugin *plugin)
{
    echo *e = (echo *)plugin;
    pthread_mutex_lock(&e->mutex);
    uint64_t height = e->finished;
    pthread_mutex_unlock(&e->mutex);
    spoil(e, "finished_height");
    return height;
}

static void stop(lockstep_plugin *plugin)
{
    echo *e = (echo *)plugin;
    pthread_mutex_lock(&e->mutex);
    e->stopping = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->mutex);
    pthread_join(e->thread, NULL);
    note(e, "stop");
    spoil(e, "stop");
}

static void release(echo *e)
{
    if (e->journal >= 0)
        close(e->journal);
    for (size_t i = 0; i < e->call_count; i++)
        free(e->calls[i].method);
    free(e->hold);
    free(e->load);
    free(e);
}

static void destroy(lockstep_plugin *plugin)
{
    echo *e = (echo *)plugin;
    note(e, "destroy");
    spoil(e, "destroy");
    release(e);
}

/* Returns: an unescaped copy of the token's text. The tests' values have no other escape than \" .
 */
static char *text_of(const char *json, const jsmntok_t *token)
{
    char *out = malloc((size_t)(token->end - token->start) + 1), *to = out;
    for (int i = token->start; out && i < token->end; i++) {
        if (json[i] == '\\' && i + 1 < token->end)
            i++;
        *to++ = json[i];
    }
    if (out)
        *to = 0;
    return out;
}

static const char *read_calls(echo *e, const char *json, const jsmntok_t *array)
{
    for (int i = 1; i <= array->size; i++) {
        if (array[i].type != JSMN_STRING || e->call_count == MAX_CALLS)
            return "calls must be at most 128 strings";
        char *text = text_of(json, &array[i]);
        char *space = text ? strchr(text, ' ') : NULL;
        if (!space) {
            free(text);
            return "a call must be METHOD PARAMS";
        }
        *space = 0;
        e->calls[e->call_count++] = (call){e, text, space + 1};
    }
    return NULL;
}

/* Returns: NULL, or what is wrong with the configuration. */
static const char *read_config(echo *e, const char *json)
{
    jsmntok_t tokens[2 * MAX_CALLS];
    jsmn_parser parser;
    jsmn_init(&parser);
    int count = jsmn_parse(&parser, json, strlen(json), tokens, sizeof tokens / sizeof *tokens);
    if (count < 1 || tokens[0].type != JSMN_OBJECT ||
        json[tokens[0].end + (int)strspn(json + tokens[0].end, " \n\t\r")])
        return "the configuration is not a JSON object";
    for (int i = 1; i < count;) {
        if (tokens[i].type != JSMN_STRING || tokens[i].size != 1)
            return "the configuration is not JSON: a key has no value";
        const jsmntok_t *value = &tokens[i + 1];
        const char *fault = NULL;
        char *key = text_of(json, &tokens[i]), *text = text_of(json, value);
        if (!key || !text)
            fault = "out of memory";
        else if (!strcmp(key, "journal")) {
            e->journal = open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
            fault = e->journal < 0 ? "the journal cannot be opened" : NULL;
        } else if (!strcmp(key, "hold"))
            e->hold = strdup(text);
        else if (!strcmp(key, "load"))
            e->load = strdup(text);
        else if (!strcmp(key, "finished"))
            e->finished = strtoull(text, NULL, 10);
        else if (!strcmp(key, "spoil_fp"))
            e->spoil_fp = !strcmp(text, "true");
        else if (!strcmp(key, "refuse"))
            e->refuse = !strcmp(text, "true");
        else if (!strcmp(key, "calls") && value->type == JSMN_ARRAY)
            fault = read_calls(e, json, value);
        else
            fault = "the configuration has a key that echo does not know";
        free(key);
        free(text);
        if (fault)
            return fault;
        i += 2 + (value->type == JSMN_ARRAY ? value->size : 0);
    }
    return e->refuse ? "it was told to refuse" : NULL;
}

__attribute__((visibility("default"))) lockstep_plugin *lockstep_plugin_create(
    const lockstep_host *host, const char *config_json);

lockstep_plugin *lockstep_plugin_create(const lockstep_host *host, const char *config_json)
{
    if (host->struct_size < sizeof *host)
        return NULL; /* it may have no log function */
    if (host->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION) {
        say(host, LOCKSTEP_LOG_ERROR, "echo: this host has another version of the plugin ABI");
        return NULL;
    }
    echo *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->host = host;
    e->journal = -1;
    e->plugin = (lockstep_plugin){ECHO_ABI_VERSION, ECHO_STRUCT_SIZE, "echo", "1",    on_block,
                                  on_revert,        finished_height,  stop,   destroy};
    const char *fault = read_config(e, config_json);
    pthread_mutex_init(&e->mutex, NULL);
    pthread_cond_init(&e->changed, NULL);
    e->rounds = 1;
    struct stat status;
    if (e->load)
        note(e, "loading");
    while (e->load && stat(e->load, &status) == 0)
        usleep(1000);
    if (!fault && pthread_create(&e->thread, NULL, work, e))
        fault = "no thread";
    if (fault) {
        say(host, LOCKSTEP_LOG_ERROR, "echo: %s", fault);
        release(e);
        return NULL;
    }
    note(e, "create");
    spoil(e, "create");
    return &e->plugin;
}
