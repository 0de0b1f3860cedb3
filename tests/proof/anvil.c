#include "tests/proof/anvil.h"

#include "chain/hex.h"
#include "chain/keccak.h"

enum {
    CALLS_AT_ONCE = 32,
    GAS = 16777216, /* the most that a transaction may use (EIP-7825) */
};

static const uint64_t ETHER = 1000000000000000000u;

/* ---- JSON ---- */

static void put_data(lks_buf *out, const char *before, const void *data, size_t len)
{
    lks_buf_put_text(out, before);
    lks_hex_append(out, data, len);
    lks_buf_put_text(out, "\"");
}

static void put_ether(lks_buf *out, const char *before, uint64_t ether)
{
    char text[LKS_U256_HEX_SIZE];
    lks_u256 wei, one = lks_u256_from_u64(ETHER);
    assert_false(lks_u256_mul_u64(&wei, &one, ether));
    lks_u256_to_hex(text, &wei);
    lks_buf_printf(out, "%s%s\"", before, text);
}

/* Calls and waits; params and, unless the caller wants it, the answer are freed. */
static void ask(anvil *a, lks_buf *answer, const char *method, lks_buf *params)
{
    lks_buf own = {0};
    OK(lks_buf_error(params));
    OK(lks_rpc_call_sync(a->rpc, method, lks_buf_text(params), answer ? answer : &own));
    lks_buf_free(&own);
    lks_buf_free(params);
}

/* ---- Opening ---- */

static void read_contracts(anvil *a, const char *path)
{
    const struct {
        const char *name;
        uint8_t *address;
    } contracts[] = {
        {"registry", a->registry}, {"bonds", a->bonds}, {"oracle", a->oracle}, {"game", a->game}};
    char text[4096];
    lks_json doc;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    OK(lks_json_parse(&doc, text, len, 100));
    OK(lks_json_u64(&doc, lks_json_member(&doc, 0, "chainId"), &a->chain_id));
    for (size_t i = 0; i < LKS_COUNT(contracts); i++)
        OK(lks_json_data_fixed(&doc, lks_json_member(&doc, 0, contracts[i].name),
                               contracts[i].address, 20));
    lks_json_free(&doc);
}

void anvil_open(anvil *a, const char *url, const char *contracts)
{
    const lks_rpc_options options = {.max_calls = CALLS_AT_ONCE + 1, .timeout_ms = 300000};
    const char *const settings[][2] = {{"anvil_autoImpersonateAccount", "[true]"},
                                       {"evm_setAutomine", "[true]"},
                                       {"anvil_setBlockTimestampInterval", "[1]"}};
    memset(a, 0, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->answered, NULL);
    read_contracts(a, contracts);
    OK(lks_rpc_open(&a->rpc, url, &options));
    a->node = (lks_eth){lks_rpc_call_sync, a->rpc, NULL};
    OK(lks_eth_check_chain_id(&a->node, a->chain_id));
    for (size_t i = 0; i < LKS_COUNT(settings); i++) {
        lks_buf params = {0};
        lks_buf_put_text(&params, settings[i][1]);
        ask(a, NULL, settings[i][0], &params);
    }
}

void anvil_close(anvil *a)
{
    lks_rpc_close(a->rpc);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->answered);
}

/* ---- One at a time ---- */

void anvil_fund(anvil *a, const uint8_t account20[20], uint64_t ether)
{
    lks_buf params = {0};
    put_data(&params, "[\"", account20, 20);
    put_ether(&params, ",\"", ether);
    lks_buf_put_text(&params, "]");
    ask(a, NULL, "anvil_setBalance", &params);
}

void anvil_mine(anvil *a, unsigned blocks)
{
    lks_buf params = {0};
    lks_buf_printf(&params, "[\"0x%x\"]", blocks);
    ask(a, NULL, "anvil_mine", &params);
}

void anvil_send(anvil *a, const char *what, const uint8_t from20[20], const uint8_t to20[20],
                uint64_t ether, lks_buf *call)
{
    lks_buf params = {0}, answer = {0};
    lks_json receipt;
    OK(lks_buf_error(call));
    put_data(&params, "[{\"from\":\"", from20, 20);
    put_data(&params, ",\"to\":\"", to20, 20);
    put_data(&params, ",\"data\":\"", call->data, call->len);
    put_ether(&params, ",\"value\":\"", ether);
    lks_buf_printf(&params, ",\"gas\":\"0x%x\"}]", GAS);
    lks_buf_free(call);
    ask(a, &answer, "eth_sendTransactionSync", &params);
    OK(lks_json_parse(&receipt, lks_buf_text(&answer), answer.len, LKS_JSON_MAX_VALUES));
    if (!lks_json_equals(&receipt, lks_json_member(&receipt, 0, "status"), "0x1"))
        fail_msg("%s reverted: %s", what, lks_buf_text(&answer));
    lks_json_free(&receipt);
    lks_buf_free(&answer);
}

void anvil_view(anvil *a, lks_buf *result, const uint8_t to20[20], lks_buf *call)
{
    OK(lks_buf_error(call));
    lks_eth_message m = {.to20 = to20, .data = call->data, .data_len = call->len};
    OK(lks_eth_call(&a->node, &m, LKS_ETH_LATEST, result, NULL));
    lks_buf_free(call);
}

void anvil_word_get(anvil *a, uint8_t word32[32], const uint8_t account20[20],
                    const uint8_t slot32[32])
{
    lks_buf params = {0}, answer = {0};
    lks_json doc;
    put_data(&params, "[\"", account20, 20);
    put_data(&params, ",\"", slot32, 32);
    lks_buf_put_text(&params, ",\"latest\"]");
    ask(a, &answer, "eth_getStorageAt", &params);
    OK(lks_json_parse(&doc, lks_buf_text(&answer), answer.len, 10));
    OK(lks_json_data_fixed(&doc, 0, word32, 32));
    lks_json_free(&doc);
    lks_buf_free(&answer);
}

void anvil_word_set(anvil *a, const uint8_t account20[20], const uint8_t slot32[32],
                    const uint8_t word32[32])
{
    lks_buf params = {0};
    put_data(&params, "[\"", account20, 20);
    put_data(&params, ",\"", slot32, 32);
    put_data(&params, ",\"", word32, 32);
    lks_buf_put_text(&params, "]");
    ask(a, NULL, "anvil_setStorageAt", &params);
}

/* ---- Many at once ---- */

typedef struct pending {
    anvil *a;
    const char *error;
    char selector[16]; /* how the error's data begins in JSON */
    char what[200];
} pending;

/* On the client's thread. */
static void on_answer(void *user, int32_t code, const char *json, size_t len)
{
    pending *p = user;
    anvil *a = p->a;
    bool good =
        p->error ? code > 0 && strstr(json, p->selector) : code == 0 && !strcmp(json, "\"0x\"");
    pthread_mutex_lock(&a->lock);
    a->confirmed += good;
    if (!good && !a->failure[0])
        snprintf(a->failure, sizeof a->failure, "%s: wanted %s, not %d %.200s", p->what,
                 p->error ? p->error : "success", (int)code, len ? json : "");
    a->under_way--;
    pthread_cond_signal(&a->answered);
    pthread_mutex_unlock(&a->lock);
    free(p);
}

static void wait_below(anvil *a, unsigned calls)
{
    char failure[sizeof a->failure];
    pthread_mutex_lock(&a->lock);
    while (a->under_way >= calls)
        pthread_cond_wait(&a->answered, &a->lock);
    memcpy(failure, a->failure, sizeof failure);
    pthread_mutex_unlock(&a->lock);
    if (failure[0])
        fail_msg("%s", failure);
}

void anvil_wait(anvil *a)
{
    wait_below(a, 1);
}

static void put_words(lks_buf *out, const anvil_message *m)
{
    put_data(out, ",\"latest\",{\"", m->to20, 20);
    for (size_t i = 0; i < m->word_count; i++) {
        put_data(out, i ? ",\"" : ":{\"stateDiff\":{\"", m->words[i].slot, 32);
        put_data(out, ":\"", m->words[i].value, 32);
    }
    lks_buf_put_text(out, m->word_count ? "}}}]" : ":{}}]");
}

void anvil_call(anvil *a, const anvil_message *m, const char *error, const char *what)
{
    lks_buf params = {0};
    pending *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = a;
    snprintf(p->what, sizeof p->what, "%s", what);
    p->error = error;
    if (error) {
        uint8_t hash[32];
        char selector[LKS_HEX_SIZE(4)];
        lks_keccak256(hash, error, strlen(error));
        lks_hex_encode(selector, hash, 4);
        snprintf(p->selector, sizeof p->selector, "\"%s", selector);
    }
    put_data(&params, "[{\"from\":\"", m->from20, 20);
    put_data(&params, ",\"to\":\"", m->to20, 20);
    put_data(&params, ",\"data\":\"", m->data->data, m->data->len);
    lks_buf_printf(&params, ",\"gas\":\"0x%x\"}", GAS);
    put_words(&params, m);
    OK(lks_buf_error(&params));
    wait_below(a, CALLS_AT_ONCE);
    pthread_mutex_lock(&a->lock);
    a->under_way++;
    pthread_mutex_unlock(&a->lock);
    OK(lks_rpc_call(a->rpc, "eth_call", lks_buf_text(&params), on_answer, p));
    lks_buf_free(&params);
}
