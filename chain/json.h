/* JSON: a strict reader on jsmn (JSMN_STRICT, JSMN_PARENT_LINKS), and a writer. Source: RFC 8259.
 *
 * jsmn's strict mode still accepts text that is not JSON (missing commas and colons, bad numbers,
 * raw control characters, several values in a row, a \u escape cut short). So a separate pass
 * checks the whole grammar first, with bounded depth and a bounded number of values, without
 * recursion; jsmn then only finds the values. Invalid UTF-8 is refused too.
 *
 * A parsed document is an array of nodes; a node is named by its index, 0 is the root,
 * LKS_JSON_NONE is "there is no such node" and may be passed to every function below: a look-up in
 * nothing finds nothing, and reading nothing fails with LKS_CORRUPT. Thread rule: a document is
 * read-only after parsing and may then be shared; a writer belongs to one thread at a time.
 */
#ifndef LKS_CHAIN_JSON_H
#define LKS_CHAIN_JSON_H

#include "chain/buf.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_JSON_NONE (-1)
#define LKS_JSON_MAX_DEPTH 64
/* A default for max_values: 32 MiB of nodes. */
#define LKS_JSON_MAX_VALUES (1u << 20)

typedef enum lks_json_type {
    LKS_JSON_MISSING = 0, /* the type of LKS_JSON_NONE */
    LKS_JSON_OBJECT,
    LKS_JSON_ARRAY,
    LKS_JSON_STRING,
    LKS_JSON_NUMBER,
    LKS_JSON_TRUE,
    LKS_JSON_FALSE,
    LKS_JSON_NULL
} lks_json_type;

typedef struct lks_json_node lks_json_node;

typedef struct lks_json {
    const char *text; /* the caller's; must outlive the document */
    size_t len;
    lks_json_node *nodes; /* owned */
    int count;
} lks_json;

/* The bound for an answer of a node, of len bytes: an ordinary one has more bytes per value than
 * LKS_JSON_VALUE_BYTES (a log has 25), so its size alone bounds it. */
#define LKS_JSON_VALUE_BYTES 16u
static inline size_t lks_json_values_of(size_t len)
{
    size_t values = len / LKS_JSON_VALUE_BYTES;
    return values > LKS_JSON_MAX_VALUES ? values : LKS_JSON_MAX_VALUES;
}

/* Parses len bytes of text (no zero byte needed). max_values bounds the values, counting member
 * names too. Returns: LKS_OK, doc is to be freed; LKS_CORRUPT (not JSON; the reason names the byte
 * offset); LKS_REFUSED (JSON, but too deep, over max_values or over 2^31 - 1 bytes); LKS_NOMEM. On
 * failure doc is empty. */
lks_err lks_json_parse(lks_json *doc, const char *text, size_t len, size_t max_values) LKS_MUST_USE;
/* Frees the nodes and leaves an empty document. Harmless on `lks_json doc = {0}`. */
void lks_json_free(lks_json *doc);

lks_json_type lks_json_typeof(const lks_json *doc, int node);
/* Returns: the number of elements of an array, members of an object; else 0. */
size_t lks_json_size(const lks_json *doc, int node);

/* The member of an object by its name (no escapes in name). Of equal names the last counts, as in
 * JavaScript and Go. */
int lks_json_member(const lks_json *doc, int object, const char *name);
/* A member of a member: names joined by '.', a number indexes an array: "result.logs.0.address". */
int lks_json_path(const lks_json *doc, int node, const char *path);

/* Walks the elements of an array, or the members of an object in turn (each is its value's node):
 *     for (int n = lks_json_first(&doc, array); n != LKS_JSON_NONE; n = lks_json_next(&doc, n)) */
int lks_json_first(const lks_json *doc, int container);
int lks_json_next(const lks_json *doc, int node);
/* The node that holds a member's name, given its value; LKS_JSON_NONE for anything else. */
int lks_json_name(const lks_json *doc, int member);

/* Out: the value as it stands in the text, a string with its quotes. */
lks_err lks_json_raw(const lks_json *doc, int node, const char **text, size_t *len) LKS_MUST_USE;

/* Typed access. Each fails with LKS_CORRUPT, naming what it wanted, when the node is missing or of
 * another type or form. */
/* Appends a string's characters to out, escapes resolved, UTF-8. A half surrogate pair is
 * LKS_CORRUPT. */
lks_err lks_json_string(const lks_json *doc, int node, lks_buf *out) LKS_MUST_USE;
/* Returns: whether the node is a string that equals text. */
bool lks_json_equals(const lks_json *doc, int node, const char *text);
lks_err lks_json_bool(const lks_json *doc, int node, bool *out) LKS_MUST_USE;
/* A number that is a whole one below 2^64, written with digits only. */
lks_err lks_json_u64(const lks_json *doc, int node, uint64_t *out) LKS_MUST_USE;
/* A number that is a whole one within int64_t, written with digits and perhaps a minus sign. */
lks_err lks_json_i64(const lks_json *doc, int node, int64_t *out) LKS_MUST_USE;
/* A number as the nearest double; finite. */
lks_err lks_json_f64(const lks_json *doc, int node, double *out) LKS_MUST_USE;
/* Strings with a QUANTITY or DATA (chain/hex.h). */
lks_err lks_json_quantity(const lks_json *doc, int node, uint64_t *out) LKS_MUST_USE;
lks_err lks_json_quantity_u256(const lks_json *doc, int node, lks_u256 *out) LKS_MUST_USE;
lks_err lks_json_data(const lks_json *doc, int node, lks_buf *out) LKS_MUST_USE; /* appends */
lks_err lks_json_data_fixed(const lks_json *doc, int node, uint8_t *out,
                            size_t len) LKS_MUST_USE; /* exactly len bytes */

/* Writing. Values and names go to a buffer; commas and colons come by themselves. The caller keeps
 * begin and end in step. lks_json_writer w = {.out = &buf}; lks_json_begin_object(&w);
 * lks_json_put_name(&w, "id"); lks_json_put_u64(&w, 1); lks_json_end_object(&w); */
typedef struct lks_json_writer {
    lks_buf *out;
    bool comma; /* the next value or name is not the first of its container */
} lks_json_writer;

void lks_json_begin_object(lks_json_writer *w);
void lks_json_end_object(lks_json_writer *w);
void lks_json_begin_array(lks_json_writer *w);
void lks_json_end_array(lks_json_writer *w);
void lks_json_put_name(lks_json_writer *w, const char *name);
/* Quotes and escapes. Bytes that are not UTF-8 become U+FFFD, so that the result is always JSON. */
void lks_json_put_string(lks_json_writer *w, const char *text, size_t len);
void lks_json_put_text(lks_json_writer *w, const char *text); /* zero-terminated */
void lks_json_put_u64(lks_json_writer *w, uint64_t value);
void lks_json_put_i64(lks_json_writer *w, int64_t value);
/* The shortest of %.15g to %.17g that reads back as value, in any locale; null when it is not
 * finite. */
void lks_json_put_f64(lks_json_writer *w, double value);
void lks_json_put_bool(lks_json_writer *w, bool value);
void lks_json_put_null(lks_json_writer *w);
void lks_json_put_quantity(lks_json_writer *w, uint64_t value);
void lks_json_put_quantity_u256(lks_json_writer *w, const lks_u256 *value);
void lks_json_put_data(lks_json_writer *w, const void *data, size_t len);
/* A value that is JSON text already. */
void lks_json_put_raw(lks_json_writer *w, const char *json, size_t len);

#ifdef __cplusplus
}
#endif
#endif
