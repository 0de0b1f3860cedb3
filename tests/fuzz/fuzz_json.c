/* Any bytes: parsing either fails, or gives a document all of whose values can be read, whose
 * strings survive writing and reading again, and which the stream reader of the JSON-RPC client
 * ends at the same place. */
#include "chain/json.h"

#include <stdlib.h>
#include <string.h>

#include "chain/rpc_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_string(const lks_json *doc, int node)
{
    lks_buf text = {0}, json = {0}, again = {0};
    lks_json_writer w = {.out = &json};
    lks_json copy = {0};
    if (!lks_json_string(doc, node, &text)) {
        lks_json_put_string(&w, lks_buf_text(&text), text.len);
        check(!lks_json_parse(&copy, lks_buf_text(&json), json.len, 1));
        check(!lks_json_string(&copy, 0, &again));
        check(again.len == text.len && !memcmp(again.data, text.data, text.len));
        if (!memchr(text.data, 0, text.len))
            check(lks_json_equals(doc, node, lks_buf_text(&text)));
    }
    lks_json_free(&copy);
    lks_buf_free(&text);
    lks_buf_free(&json);
    lks_buf_free(&again);
}

static void check_scalars(const lks_json *doc, int node)
{
    uint64_t u;
    int64_t s;
    double f;
    bool b;
    lks_u256 wide;
    lks_buf bytes = {0};
    uint8_t fixed[32];
    lks_err errors[] = {
        lks_json_u64(doc, node, &u),      lks_json_i64(doc, node, &s),
        lks_json_f64(doc, node, &f),      lks_json_bool(doc, node, &b),
        lks_json_quantity(doc, node, &u), lks_json_quantity_u256(doc, node, &wide),
        lks_json_data(doc, node, &bytes), lks_json_data_fixed(doc, node, fixed, 32)};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        check(errors[i] == LKS_OK || errors[i] == LKS_CORRUPT);
    lks_buf_free(&bytes);
}

/* Every node is in the list of its container exactly as often as the container's size says. */
static void check_container(const lks_json *doc, int node)
{
    size_t count = 0;
    for (int n = lks_json_first(doc, node); n != LKS_JSON_NONE; n = lks_json_next(doc, n)) {
        count++;
        check((lks_json_name(doc, n) != LKS_JSON_NONE) ==
              (lks_json_typeof(doc, node) == LKS_JSON_OBJECT));
    }
    check(count == lks_json_size(doc, node));
}

static void check_frame(const lks_json *doc, const char *text, size_t size)
{
    rpc_frame frame = {0};
    size_t used;
    const char *raw;
    size_t len;
    lks_json_type type = lks_json_typeof(doc, 0);
    if (type != LKS_JSON_OBJECT && type != LKS_JSON_ARRAY)
        return;
    check(!lks_json_raw(doc, 0, &raw, &len));
    check(rpc_frame_next(&frame, text, size, &used) == 1 && text + used == raw + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    lks_json doc;
    rpc_answer answer;
    if (!lks_json_parse(&doc, text, size, 10000)) {
        check_frame(&doc, text, size);
        for (int n = 0; n < doc.count; n++) {
            const char *raw;
            size_t len;
            check(!lks_json_raw(&doc, n, &raw, &len) && raw >= text && raw + len <= text + size);
            check_string(&doc, n);
            check_scalars(&doc, n);
            check_container(&doc, n);
        }
        lks_json_path(&doc, 0, "result.0.a.b");
    }
    lks_json_free(&doc);
    (void)!rpc_answer_parse(&answer, text, size);
    lks_buf_free(&answer.json);
    lks_rpc_fail_remote("eth_call", text, size);
    return 0;
}
