#include "tests/plugin/fake_host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/json.h"

static const char *const methods[] = {"eth_chainId",
                                      "eth_blockNumber",
                                      "eth_getBlockByNumber",
                                      "eth_getBlockByHash",
                                      "eth_getLogs",
                                      "eth_call",
                                      "eth_getBalance",
                                      "eth_getTransactionCount",
                                      "eth_estimateGas",
                                      "eth_feeHistory",
                                      "eth_maxPriorityFeePerGas",
                                      "eth_gasPrice",
                                      "eth_getTransactionReceipt",
                                      "eth_getTransactionByHash",
                                      "eth_sendRawTransaction"};

/* Called with the mutex held. */
static void breach(fake_host *h, const char *format, ...)
{
    if (h->breach[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(h->breach, sizeof h->breach, format, args);
    va_end(args);
}

static bool is_one_line(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return text[0] != 0;
}

static void on_log(void *context, int32_t level, const char *message)
{
    fake_host *h = context;
    pthread_mutex_lock(&h->mutex);
    if (h->life == FAKE_GONE)
        breach(h, "log was called after destroy had returned");
    if (level < LOCKSTEP_LOG_ERROR || level > LOCKSTEP_LOG_DEBUG)
        breach(h, "log was called with level %" PRId32, level);
    if (!message || !is_one_line(message))
        breach(h, "log was called with what is not one line of text: \"%.200s\"",
               message ? message : "(NULL)");
    else if (level == LOCKSTEP_LOG_ERROR) {
        h->errors++;
        snprintf(h->error, sizeof h->error, "%s", message);
    }
    pthread_mutex_unlock(&h->mutex);
}

static bool is_allowed(const char *method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (!strcmp(method, methods[i]))
            return true;
    return false;
}

static bool is_json_array(const char *text)
{
    lks_json doc = {0};
    bool is_array = text &&
                    lks_json_parse(&doc, text, strlen(text), LKS_JSON_MAX_VALUES) == LKS_OK &&
                    lks_json_typeof(&doc, 0) == LKS_JSON_ARRAY;
    lks_json_free(&doc);
    return is_array;
}

static int32_t on_rpc(void *context, const char *method, const char *params,
                      lockstep_rpc_reply reply, void *user)
{
    fake_host *h = context;
    int32_t result = 0;
    pthread_mutex_lock(&h->mutex);
    if (h->life != FAKE_RUNNING) {
        breach(h, "rpc was called after %s had returned",
               h->life == FAKE_STOPPED ? "stop" : "destroy");
        result = LOCKSTEP_RPC_REFUSED_CLOSED;
    } else if (!method || !is_allowed(method)) {
        breach(h, "rpc was called with the method %s, which hosts need not serve",
               method ? method : "(NULL)");
        result = LOCKSTEP_RPC_REFUSED_METHOD;
    } else if (!reply || !is_json_array(params)) {
        breach(h, "rpc of %s was called %s", method,
               reply ? "with params that are not a JSON array" : "without a reply function");
        result = LOCKSTEP_RPC_REFUSED_INPUT;
    } else if (h->mode == FAKE_BUSY || h->call_count == FAKE_MAX_CALLS) {
        result = LOCKSTEP_RPC_REFUSED_BUSY;
    } else {
        fake_call *c = &h->calls[h->call_count++];
        snprintf(c->method, sizeof c->method, "%s", method);
        c->reply = reply;
        c->user = user;
        h->taken++;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->mutex);
    return result;
}

void fake_block_hash(uint64_t number, uint8_t branch, uint8_t hash32[32])
{
    memset(hash32, 0x5a, 32);
    hash32[0] = branch;
    for (int i = 0; i < 8; i++)
        hash32[8 + i] = (uint8_t)(number >> (56 - 8 * i));
}

static void hex32(const uint8_t *bytes, char out[67])
{
    strcpy(out, "0x");
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 + 2 * i, 3, "%02x", bytes[i]);
}

static int32_t answer(const char *method, uint64_t head, char *json, size_t json_len)
{
    uint8_t hash[32];
    char hash_text[67], parent_text[67];
    fake_block_hash(head, 0, hash);
    hex32(hash, hash_text);
    fake_block_hash(head - 1, 0, hash);
    hex32(hash, parent_text);
    if (!strcmp(method, "eth_chainId"))
        snprintf(json, json_len, "\"0x%x\"", FAKE_CHAIN_ID);
    else if (!strcmp(method, "eth_blockNumber"))
        snprintf(json, json_len, "\"0x%" PRIx64 "\"", head);
    else if (!strcmp(method, "eth_getBlockByNumber"))
        snprintf(json, json_len,
                 "{\"number\":\"0x%" PRIx64
                 "\",\"hash\":\"%s\",\"parentHash\":\"%s\",\"timestamp\":\"0x%" PRIx64
                 "\",\"baseFeePerGas\":\"0x7\",\"gasLimit\":\"0x3938700\",\"gasUsed\":\"0x0\","
                 "\"transactions\":[]}",
                 head, hash_text, parent_text, head + 1000);
    else if (!strcmp(method, "eth_getLogs"))
        snprintf(json, json_len, "[]");
    else if (!strcmp(method, "eth_getBalance"))
        snprintf(json, json_len, "\"0xde0b6b3a7640000\"");
    else if (!strcmp(method, "eth_getTransactionCount"))
        snprintf(json, json_len, "\"0x0\"");
    else if (!strcmp(method, "eth_estimateGas"))
        snprintf(json, json_len, "\"0x186a0\"");
    else if (!strcmp(method, "eth_feeHistory"))
        snprintf(
            json, json_len,
            "{\"oldestBlock\":\"0x%" PRIx64
            "\",\"baseFeePerGas\":[\"0x7\",\"0x7\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x1\"]]}",
            head);
    else if (!strcmp(method, "eth_gasPrice") || !strcmp(method, "eth_maxPriorityFeePerGas"))
        snprintf(json, json_len, "\"0x3b9aca00\"");
    else if (!strcmp(method, "eth_call") || !strcmp(method, "eth_sendRawTransaction")) {
        snprintf(json, json_len, "{\"code\":-32000,\"message\":\"not on this chain\"}");
        return -32000;
    } else /* a receipt, a transaction, a block by its hash: unknown */
        snprintf(json, json_len, "null");
    return 0;
}

static int32_t lie(unsigned which, char *json, size_t json_len)
{
    static const struct {
        int32_t code;
        const char *json;
    } lies[] = {
        {0, "null"},
        {0, "{}"},
        {0, "[]"},
        {0, "\"0x\""},
        {0, "\"0xzz\""},
        {0, "-1"},
        {0, "\"0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\""},
        {0, "{\"number\":\"0x1\",\"hash\":\"0x12\",\"logs\":7}"},
        {0, ""},
        {0, "{\"a\":"},
        {0, "[[[[[[[["},
        {0, "\"\\ud800\""},
        {0, "\"\xff\""},
        {LOCKSTEP_RPC_FAILED, "{\"message\":\"no answer within 60 s\"}"},
        {LOCKSTEP_RPC_FAILED, ""},
        {-32000, "{\"code\":-32000}"},
        {3, "\"reverted\""},
        {7, "nonsense"},
    };
    which %= sizeof lies / sizeof *lies;
    snprintf(json, json_len, "%s", lies[which].json);
    return lies[which].code;
}

static void *run(void *arg)
{
    fake_host *h = arg;
    char json[2048];
    pthread_mutex_lock(&h->mutex);
    for (;;) {
        while (!h->ending && (h->call_count == 0 || h->mode == FAKE_HOLDS))
            pthread_cond_wait(&h->changed, &h->mutex);
        if (h->ending)
            break;
        fake_call call = h->calls[0];
        memmove(h->calls, h->calls + 1, --h->call_count * sizeof *h->calls);
        h->under_way = 1;
        int32_t code = h->mode == FAKE_LIES ? lie(h->lies++, json, sizeof json)
                                            : answer(call.method, h->head, json, sizeof json);
        pthread_mutex_unlock(&h->mutex);
        size_t len = strlen(json);
        char *exact = malloc(len + 1); /* so that a sanitizer sees a plugin that reads too far */
        if (exact) {
            memcpy(exact, json, len + 1);
            call.reply(call.user, code, exact, len);
            free(exact);
        }
        pthread_mutex_lock(&h->mutex);
        h->under_way = 0;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

fake_host *fake_start(enum fake_mode mode)
{
    fake_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->host = (lockstep_host){LOCKSTEP_PLUGIN_ABI_VERSION, sizeof h->host, h, on_log, on_rpc};
    h->mode = mode;
    h->head = 1;
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (pthread_create(&h->thread, NULL, run, h)) {
        free(h);
        return NULL;
    }
    return h;
}

void fake_end(fake_host *h)
{
    pthread_mutex_lock(&h->mutex);
    h->ending = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->mutex);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

void fake_set_mode(fake_host *h, enum fake_mode mode)
{
    pthread_mutex_lock(&h->mutex);
    h->mode = mode;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->mutex);
}

void fake_set_head(fake_host *h, uint64_t head)
{
    pthread_mutex_lock(&h->mutex);
    h->head = head;
    pthread_mutex_unlock(&h->mutex);
}

void fake_set_life(fake_host *h, enum fake_life life)
{
    pthread_mutex_lock(&h->mutex);
    h->life = life;
    pthread_mutex_unlock(&h->mutex);
}

void fake_clear(fake_host *h)
{
    pthread_mutex_lock(&h->mutex);
    h->errors = 0;
    h->error[0] = 0;
    pthread_mutex_unlock(&h->mutex);
}

unsigned fake_errors(fake_host *h)
{
    pthread_mutex_lock(&h->mutex);
    unsigned errors = h->errors;
    pthread_mutex_unlock(&h->mutex);
    return errors;
}

const char *fake_breach(fake_host *h)
{
    pthread_mutex_lock(&h->mutex);
    bool broken = h->breach[0] != 0; /* the text does not change any more */
    pthread_mutex_unlock(&h->mutex);
    return broken ? h->breach : NULL;
}

void fake_release(fake_host *h)
{
    pthread_mutex_lock(&h->mutex);
    enum fake_mode mode = h->mode;
    if (mode == FAKE_HOLDS)
        h->mode = FAKE_ANSWERS;
    pthread_cond_broadcast(&h->changed);
    while (h->call_count || h->under_way)
        pthread_cond_wait(&h->changed, &h->mutex);
    h->mode = mode;
    pthread_mutex_unlock(&h->mutex);
}
