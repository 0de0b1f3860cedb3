/* Events of our contracts against logs that cast encoded (tests/vectors/contracts/abi.txt). */
#include "chain/hex.h"
#include "tests/chain/abi_vectors.h"

static int setup(void **state)
{
    (void)state;
    abi_load("abi.txt");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    abi_free();
    return 0;
}

static void test_topics(void **state)
{
    (void)state;
    size_t in_sources = 0;
    for (const char *line = abi.text; *line; line = strchr(line, '\n') + 1)
        in_sources += strncmp(line, "event ", 6) == 0;
    assert_int_equal(in_sources, LKS_EVENT_KIND_COUNT - 1);
    for (int kind = 1; kind < LKS_EVENT_KIND_COUNT; kind++) {
        uint8_t topic[32];
        char start[64], hex[LKS_HEX_SIZE(32)];
        lks_event_topic(topic, (lks_event_kind)kind);
        lks_hex_encode(hex, topic, 32);
        snprintf(start, sizeof start, "\nevent %s(", lks_event_name((lks_event_kind)kind));
        const char *at = strstr(abi.text, start);
        if (!at)
            fail_msg("%s is not in the sources", lks_event_name((lks_event_kind)kind));
        at = strstr(at, ") ") + 2;
        assert_memory_equal(at, hex, 66);
    }
    assert_string_equal(lks_event_name(LKS_EVENT_KIND_COUNT), "?");
}

static lks_err decode(lks_event *e, const abi_log *v)
{
    return lks_event_decode(e, (const uint8_t(*)[32])v->topics, v->topic_count, v->data.data,
                            v->data.len);
}

/* Letters of the topics that the vector of a kind has: r request id, c name, m model, a account, o
 * other. */
static const char *topics_of(lks_event_kind kind)
{
    switch (kind) {
    case LKS_EVENT_REQUESTED: return "rma";
    case LKS_EVENT_ACCEPTED:
    case LKS_EVENT_COMMITTED:
    case LKS_EVENT_MISSED: return "ra";
    case LKS_EVENT_CLAIMED:
    case LKS_EVENT_CONVICTED: return "rca";
    case LKS_EVENT_FINALIZED:
    case LKS_EVENT_DISPUTED:
    case LKS_EVENT_SETTLED:
    case LKS_EVENT_VOIDED: return "rc";
    case LKS_EVENT_CREDITED: return "ac";
    case LKS_EVENT_MODEL_REGISTERED: return "ma";
    case LKS_EVENT_WITHDRAWN_OF: return "ro";
    case LKS_EVENT_WITHDRAWAL_QUEUED: return "a";
    case LKS_EVENT_LOCKED:
    case LKS_EVENT_RELEASED: return "aco";
    case LKS_EVENT_WITHDRAWN:
    case LKS_EVENT_DEPOSITED:
    case LKS_EVENT_AGENT_SET:
    case LKS_EVENT_SOURCE_ALLOWED: return "ao";
    default: return "r";
    }
}

static void expected_topics(lks_event *e)
{
    const char *topics = topics_of(e->kind);
    if (strchr(topics, 'r'))
        memcpy(e->request_id, abi.request_id, 32);
    if (strchr(topics, 'c'))
        memcpy(e->name, abi.name, 32);
    if (strchr(topics, 'm'))
        memcpy(e->model_id, abi.model, 32);
    if (strchr(topics, 'a'))
        memcpy(e->account, abi.operator_address, 20);
    if (strchr(topics, 'o'))
        memcpy(e->other, abi.oracle, 20);
    if (!strncmp(topics, "rc", 2))
        e->attempt = 2, e->seat = 3;
}

/* Fills what the vector of a kind holds (make.sh), pointers apart. */
static void expected(lks_event *e, lks_event_kind kind)
{
    const uint64_t seed = UINT64_MAX - 1, time = 5000000000;
    memset(e, 0, sizeof *e);
    e->kind = kind;
    expected_topics(e);
    switch (kind) {
    case LKS_EVENT_REQUESTED:
        e->request = abi.request;
        e->bytes_len = sizeof abi.prompt, e->allowed_len = sizeof abi.allowed;
        break;
    case LKS_EVENT_ACCEPTED:
        e->attempt = 2, e->seat = 3, e->seed = seed, e->flag = true, e->time = time;
        break;
    case LKS_EVENT_COMMITTED: e->seat = 3, memcpy(e->hash, abi.salt, 32); break;
    case LKS_EVENT_REVEAL_OPENED: e->time = time; break;
    case LKS_EVENT_CLAIMED: e->seed = seed, e->time = time, e->bytes_len = sizeof abi.tokens; break;
    case LKS_EVENT_MISSED: e->seat = 3, e->amount.w[0] = 1000, e->to_requester.w[0] = 250; break;
    case LKS_EVENT_REOPENED: e->attempt = 2; break;
    case LKS_EVENT_FINALIZED: e->count = 33; break;
    case LKS_EVENT_CALLBACK_RESULT:
    case LKS_EVENT_SOURCE_ALLOWED: e->flag = true; break;
    case LKS_EVENT_REFUNDED: e->amount = (lks_u256){{UINT64_MAX, UINT64_MAX, 0, 0}}; break;
    case LKS_EVENT_UNDECIDED: e->burned.w[0] = 77; break;
    case LKS_EVENT_CONVICTED:
        memcpy(e->other, abi.oracle, 20);
        e->amount.w[0] = 40, e->to_requester.w[0] = 10, e->burned.w[0] = 50;
        break;
    case LKS_EVENT_CREDITED: e->amount.w[0] = 12; break;
    case LKS_EVENT_WITHDRAWN: e->amount.w[0] = 11; break;
    case LKS_EVENT_WITHDRAWN_OF: e->amount.w[0] = 13; break;
    case LKS_EVENT_MODEL_REGISTERED:
        e->model = abi.commitment;
        assert_int_equal(lks_model_id(e->model.model_id, &e->model), LKS_OK);
        memcpy(e->hash, abi.salt, 32);
        e->bytes_len = strlen("https://example.org/m.gguf");
        break;
    case LKS_EVENT_DEPOSITED: e->amount.w[0] = 14; break;
    case LKS_EVENT_WITHDRAWAL_QUEUED: e->amount.w[0] = 15, e->time = time; break;
    case LKS_EVENT_LOCKED: e->amount.w[0] = 16; break;
    case LKS_EVENT_RELEASED: e->amount.w[0] = 17, e->seized.w[0] = 3, e->burned.w[0] = 2; break;
    case LKS_EVENT_AGENT_SET: e->roles = 5; break;
    default: break;
    }
}

static void test_events(void **state)
{
    (void)state;
    for (int kind = 1; kind < LKS_EVENT_KIND_COUNT; kind++) {
        const char *name = lks_event_name((lks_event_kind)kind);
        lks_event e, want;
        abi_log v;
        abi_load_log(&v, name);
        if (decode(&e, &v))
            fail_msg("%s: %s", name, lks_error_message());
        expected(&want, (lks_event_kind)kind);
        if (e.bytes_len)
            assert_memory_equal(e.bytes,
                                kind == LKS_EVENT_REQUESTED ? (const void *)abi.prompt
                                : kind == LKS_EVENT_CLAIMED ? (const void *)abi.tokens
                                                            : "https://example.org/m.gguf",
                                e.bytes_len);
        if (e.allowed_len)
            assert_memory_equal(e.allowed, abi.allowed, e.allowed_len);
        e.bytes = e.allowed = NULL;
        if (memcmp(&e, &want, sizeof e))
            fail_msg("%s is read as something else", name);
        lks_buf_free(&v.data);
    }
}

/* The name of a claim must be one of the request's. */
static void test_foreign_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"Claimed", "Finalized", "Disputed", "Convicted"};
    for (size_t n = 0; n < sizeof NAMES / sizeof *NAMES; n++) {
        abi_log v;
        lks_event e;
        abi_load_log(&v, NAMES[n]);
        v.topics[2][0] ^= 1;
        assert_int_equal(decode(&e, &v), LKS_CORRUPT);
        v.topics[2][0] ^= 1;
        v.topics[2][31] = 7; /* attempt 0 */
        assert_int_equal(decode(&e, &v), LKS_CORRUPT);
        lks_buf_free(&v.data);
    }
}

/* Cuts the data at every length: a copy of exactly that size, for the address sanitizer. */
static void check_cuts(const abi_log *v, const char *name)
{
    const uint8_t(*topics)[32] = (const uint8_t(*)[32])v->topics;
    lks_event e;
    for (size_t len = 0; len < v->data.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, v->data.data, len);
        lks_err err = lks_event_decode(&e, topics, v->topic_count, cut, len);
        if (err != LKS_CORRUPT)
            fail_msg("%s cut to %zu bytes: %s", name, len, lks_err_name(err));
        assert_int_equal(e.kind, LKS_EVENT_NONE);
        free(cut);
    }
}

/* Flips every byte of the data: refused, or seen. */
static void check_flips(abi_log *v, const char *name)
{
    lks_event e, good;
    assert_int_equal(decode(&good, v), LKS_OK);
    for (size_t i = 0; i < v->data.len; i++) {
        v->data.data[i] ^= 0x81;
        lks_err err = decode(&e, v);
        if (!err && !memcmp(&e, &good, sizeof e) && !e.bytes_len)
            fail_msg("%s: a flip of byte %zu is not seen", name, i);
        if (!err && good.kind == LKS_EVENT_REQUESTED) { /* in the request: the id changes */
            uint8_t id[32];
            lks_request_id(id, 31337, abi.oracle, &e.request);
            assert_memory_not_equal(id, abi.request_id, 32);
        }
        v->data.data[i] ^= 0x81;
    }
}

static void test_hostile_events(void **state)
{
    (void)state;
    for (int kind = 1; kind < LKS_EVENT_KIND_COUNT; kind++) {
        const char *name = lks_event_name((lks_event_kind)kind);
        abi_log v;
        lks_event e;
        abi_load_log(&v, name);
        check_cuts(&v, name);
        check_flips(&v, name);
        for (size_t count = 0; count <= 4; count++) {
            if (count == v.topic_count)
                continue;
            lks_err err = lks_event_decode(&e, (const uint8_t(*)[32])v.topics, count, v.data.data,
                                           v.data.len);
            assert_int_equal(err, count == 0 ? LKS_NOTFOUND : LKS_CORRUPT);
        }
        v.topics[0][0] ^= 1;
        assert_int_equal(decode(&e, &v), LKS_NOTFOUND);
        lks_buf_free(&v.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_foreign_name),
        cmocka_unit_test(test_hostile_events),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
