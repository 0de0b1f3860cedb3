#include <inttypes.h>
#include <string.h>

#include "chain/json.h"
#include "chain/rpc_internal.h"

static bool good_method(const char *method)
{
    size_t len = strspn(method, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return len && !method[len] && len < sizeof((rpc_call *)0)->method;
}

lks_err rpc_request(lks_buf *out, uint64_t id, const char *method, const char *params_json)
{
    lks_json doc;
    if (!good_method(method))
        return lks_fail(LKS_BADARGS, "JSON-RPC: \"%.80s\" is no method's name", method);
    size_t len = strlen(params_json);
    lks_err err = lks_json_parse(&doc, params_json, len, LKS_JSON_MAX_VALUES);
    bool array = !err && lks_json_typeof(&doc, 0) == LKS_JSON_ARRAY;
    lks_json_free(&doc);
    if (err == LKS_NOMEM)
        return err;
    if (!array)
        return lks_fail(LKS_BADARGS, "JSON-RPC: the parameters of %s are not a JSON array", method);
    lks_json_writer w = {.out = out};
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "jsonrpc");
    lks_json_put_text(&w, "2.0");
    lks_json_put_name(&w, "id");
    lks_json_put_u64(&w, id);
    lks_json_put_name(&w, "method");
    lks_json_put_text(&w, method);
    lks_json_put_name(&w, "params");
    lks_json_put_raw(&w, params_json, len);
    lks_json_end_object(&w);
    return lks_buf_error(out);
}

/* The code of a JSON-RPC error object, outside the values that replies use for themselves. */
static int32_t error_code(const lks_json *doc, int error)
{
    int64_t code;
    if (lks_json_i64(doc, lks_json_member(doc, error, "code"), &code) || code < INT32_MIN ||
        code > INT32_MAX || (code >= LKS_RPC_RESERVED && code <= 0))
        return LKS_RPC_ERROR_OTHER;
    return (int32_t)code;
}

static lks_err read_answer(rpc_answer *answer, const lks_json *doc)
{
    int id = lks_json_member(doc, 0, "id"), error = lks_json_member(doc, 0, "error"),
        result = lks_json_member(doc, 0, "result");
    const char *text;
    size_t len;
    if (lks_json_typeof(doc, 0) != LKS_JSON_OBJECT ||
        !lks_json_equals(doc, lks_json_member(doc, 0, "jsonrpc"), "2.0"))
        return lks_fail(LKS_CORRUPT, "the node's answer is not JSON-RPC 2.0");
    if (lks_json_member(doc, 0, "method") != LKS_JSON_NONE) {
        answer->is_notice = true;
        return LKS_OK;
    }
    answer->has_id = lks_json_typeof(doc, id) == LKS_JSON_NUMBER;
    if (answer->has_id && lks_json_u64(doc, id, &answer->id))
        return lks_fail(LKS_CORRUPT, "the node's answer has an id that we never gave");
    if (lks_json_typeof(doc, error) == LKS_JSON_NULL && result != LKS_JSON_NONE)
        error = LKS_JSON_NONE; /* some nodes say "error": null beside a result */
    if ((error == LKS_JSON_NONE) == (result == LKS_JSON_NONE) ||
        (error != LKS_JSON_NONE && lks_json_typeof(doc, error) != LKS_JSON_OBJECT))
        return lks_fail(LKS_CORRUPT,
                        "the node's answer has neither a result nor an error, or both");
    answer->is_error = error != LKS_JSON_NONE;
    if (answer->is_error)
        answer->code = error_code(doc, error);
    lks_err err = lks_json_raw(doc, answer->is_error ? error : result, &text, &len);
    if (err)
        return err;
    lks_buf_put(&answer->json, text, len);
    return lks_buf_error(&answer->json);
}

lks_err rpc_answer_parse(rpc_answer *answer, const char *text, size_t len)
{
    lks_json doc;
    *answer = (rpc_answer){0};
    lks_err err = lks_json_parse(&doc, text, len, lks_json_values_of(len));
    if (err)
        return lks_fail_in(err == LKS_REFUSED ? LKS_TOO_LARGE : err, "the node's answer");
    err = read_answer(answer, &doc);
    lks_json_free(&doc);
    return err;
}

lks_err lks_rpc_fail_remote(const char *method, const char *error_json, size_t len)
{
    lks_json doc = {0};
    lks_buf message = {0};
    bool read = !lks_json_parse(&doc, error_json, len, 100000);
    if (!read || lks_json_string(&doc, lks_json_member(&doc, 0, "message"), &message))
        lks_buf_put_text(&message, "no message");
    int32_t code = read ? error_code(&doc, 0) : LKS_RPC_ERROR_OTHER;
    lks_err err = lks_fail(LKS_REMOTE, "the node refused %s: %.300s (code %" PRId32 ")", method,
                           lks_buf_text(&message), code);
    lks_buf_free(&message);
    lks_json_free(&doc);
    return err;
}

int rpc_frame_next(rpc_frame *frame, const char *data, size_t len, size_t *used)
{
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        if (frame->in_string) {
            if (frame->escaped)
                frame->escaped = false;
            else if (c == '\\')
                frame->escaped = true;
            else if (c == '"')
                frame->in_string = false;
        } else if (c == '{' || c == '[')
            frame->depth++;
        else if (!frame->depth && (c == ' ' || c == '\n' || c == '\r' || c == '\t'))
            continue;
        else if (!frame->depth)
            return -1;
        else if (c == '"')
            frame->in_string = true;
        else if ((c == '}' || c == ']') && !--frame->depth) {
            *used = i + 1;
            return 1;
        }
    }
    *used = len;
    return 0;
}
