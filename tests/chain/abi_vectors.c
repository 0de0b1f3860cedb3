#include "tests/chain/abi_vectors.h"

#include "chain/hex.h"

abi_values abi;

static void fill_list(uint8_t *out, uint32_t count, uint32_t step)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = i * step % 49152;
        for (int b = 0; b < 4; b++)
            out[4 * i + (uint32_t)b] = (uint8_t)(id >> (8 * b));
    }
}

static void fill_request(lks_request *r)
{
    memcpy(r->requester, abi.operator_address, 20);
    r->nonce = 7;
    memcpy(r->model_id, abi.model, 32);
    r->prompt_count = 300;
    lks_tokens_hash(r->prompt_hash, abi.prompt, sizeof abi.prompt);
    r->temperature = 1065353216;
    r->min_p = 1028443341;
    r->seed = UINT64_MAX;
    r->allowed_count = 2;
    lks_tokens_hash(r->allowed_hash, abi.allowed, sizeof abi.allowed);
    r->max_tokens = 64;
    r->stake = lks_u256_from_u64(100000000000000000u);
    r->fee = (lks_u256){{UINT64_MAX, UINT64_MAX, 0, 0}};
    r->window = 20;
    r->accept_deadline = 5000000000;
    r->claim_period = 120;
    r->replicas = 1;
    memcpy(r->callback, abi.oracle, 20);
    r->callback_gas = 200000;
}

static void fill_claim(void)
{
    uint8_t hash[32];
    lks_request_id(abi.request_id, 31337, abi.oracle, &abi.request);
    lks_claim_name(abi.name, abi.request_id, 2, 3);
    lks_tokens_hash(hash, abi.tokens, sizeof abi.tokens);
    lks_claim_facts_of(&abi.facts, &abi.request, UINT64_MAX - 1, 33, hash);
    lks_claim_terms_of(&abi.claim, abi.oracle, abi.name, abi.operator_address, &abi.request,
                       &abi.facts);
}

void abi_load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, LKS_TEST_DIR "/vectors/contracts/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    abi.text = calloc(1, 1 << 18);
    assert_non_null(abi.text);
    size_t n = fread(abi.text, 1, (1 << 18) - 1, f);
    assert_in_range(n, 1000, (1 << 18) - 2);
    fclose(f);
    memset(abi.model, 0xa5, 32);
    memset(abi.salt, 0x5a, 32);
    memset(abi.block, 0x3c, 32);
    assert_int_equal(lks_hex_decode(abi.oracle, 20, "0x5FbDB2315678afecb367f032d93F642f64180aa3",
                                    42),
                     LKS_OK);
    assert_int_equal(lks_hex_decode(abi.operator_address, 20,
                                    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", 42),
                     LKS_OK);
    fill_list(abi.prompt, 300, 7919);
    fill_list(abi.allowed, 2, 9);
    fill_list(abi.tokens, 33, 101);
    fill_request(&abi.request);
    fill_claim();
    abi.commitment = (lks_model_commitment){.arithmetic_version = 1,
                                            .op_count = 483,
                                            .tensor_count = 272,
                                            .sampler_op = 482,
                                            .vocab_size = 49152,
                                            .context_length = 8192,
                                            .max_positions = 8192,
                                            .eos_ids = {0, 2},
                                            .eos_count = 2};
    abi.commitment.weights_root[31] = 11;
    abi.commitment.program_root[31] = 12;
    abi.commitment.tokenizer_hash[31] = 13;
    abi.commitment.rope_root[31] = 14;
}

void abi_free(void)
{
    free(abi.text);
    memset(&abi, 0, sizeof abi);
}

const char *abi_find(const char *kind, const char *name, size_t *len)
{
    char start[96];
    int n = snprintf(start, sizeof start, "%s %s ", kind, name);
    assert_in_range(n, 1, sizeof start - 1);
    const char *at = strncmp(abi.text, start, (size_t)n) == 0 ? abi.text : NULL;
    if (!at) {
        char line[100];
        snprintf(line, sizeof line, "\n%s", start);
        at = strstr(abi.text, line);
        if (!at)
            fail_msg("no vector %s %s", kind, name);
        at++;
    }
    at += n;
    *len = strcspn(at, "\n");
    return at;
}

void abi_check(const char *kind, const char *name, const void *data, size_t len)
{
    size_t want_len = 0;
    const char *want = abi_find(kind, name, &want_len);
    char *got = malloc(LKS_HEX_SIZE(len));
    assert_non_null(got);
    lks_hex_encode(got, data, len);
    if (strlen(got) != want_len || memcmp(got, want, want_len))
        fail_msg("%s %s: %s, not %.*s", kind, name, got, (int)want_len, want);
    free(got);
}

void abi_bytes(lks_buf *out, const char *kind, const char *name)
{
    size_t len = 0;
    const char *at = abi_find(kind, name, &len);
    assert_int_equal(lks_hex_decode_buf(out, at, len), LKS_OK);
}

void abi_load_log(abi_log *v, const char *name)
{
    size_t len = 0;
    const char *at = abi_find("log", name, &len), *end = at + len;
    memset(v, 0, sizeof *v);
    for (;;) {
        size_t n = strcspn(at, ",\n");
        if (at + n == end)
            break;
        assert_true(v->topic_count < 4);
        assert_int_equal(lks_hex_decode(v->topics[v->topic_count++], 32, at, n), LKS_OK);
        at += n + 1;
    }
    assert_int_equal(lks_hex_decode_buf(&v->data, at, (size_t)(end - at)), LKS_OK);
}
