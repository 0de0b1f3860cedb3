#include "chain/json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "chain/json_internal.h"

static lks_json_type primitive_type(char first)
{
    switch (first) {
    case 't': return LKS_JSON_TRUE;
    case 'f': return LKS_JSON_FALSE;
    case 'n': return LKS_JSON_NULL;
    }
    return LKS_JSON_NUMBER;
}

/* jsmn's strict mode knows no number, true, false or null that stands alone, though RFC 8259 does.
 */
static bool single_primitive(jsmntok_t *token, const char *text, size_t len)
{
    size_t start = strspn(text, " \t\r\n"), end = len;
    if (strchr("{[\"", text[start]))
        return false;
    while (end > start && strchr(" \t\r\n", text[end - 1]))
        end--;
    *token =
        (jsmntok_t){.type = JSMN_PRIMITIVE, .start = (int)start, .end = (int)end, .parent = -1};
    return true;
}

/* Turns tokens into nodes. Children come after their parents, so going backwards links every list
 * of children in order. */
static bool link_nodes(lks_json_node *nodes, const jsmntok_t *tokens, int count, const char *text)
{
    for (int i = 0; i < count; i++) {
        const jsmntok_t *t = &tokens[i];
        lks_json_node *n = &nodes[i];
        if (t->parent >= i || (i && t->parent < 0) || t->start < 0 || t->end < t->start)
            return false;
        *n = (lks_json_node){.start = t->start,
                             .end = t->end,
                             .parent = t->parent,
                             .first = LKS_JSON_NONE,
                             .next = LKS_JSON_NONE};
        n->is_name = i && t->type == JSMN_STRING && tokens[t->parent].type == JSMN_OBJECT;
        n->type = t->type == JSMN_OBJECT   ? LKS_JSON_OBJECT
                  : t->type == JSMN_ARRAY  ? LKS_JSON_ARRAY
                  : t->type == JSMN_STRING ? LKS_JSON_STRING
                                           : primitive_type(text[t->start]);
    }
    for (int i = count - 1; i > 0; i--) {
        lks_json_node *parent = &nodes[nodes[i].parent];
        nodes[i].next = parent->first;
        parent->first = i;
        parent->size++;
    }
    for (int i = 0; i < count; i++)
        if (nodes[i].is_name && nodes[i].size != 1)
            return false;
    return true;
}

lks_err lks_json_parse(lks_json *doc, const char *text, size_t len, size_t max_values)
{
    lks_err err;
    size_t values;
    jsmn_parser parser;
    jsmntok_t *tokens = NULL;
    lks_json_node *nodes = NULL;
    *doc = (lks_json){0};
    if (len > INT_MAX)
        return lks_fail(LKS_REFUSED, "a JSON text of %zu bytes is too long", len);
    if ((err = lks_json_check(&values, text, len, max_values < INT_MAX ? max_values : INT_MAX)))
        return err;
    tokens = calloc(values, sizeof *tokens);
    nodes = calloc(values, sizeof *nodes);
    if (!tokens || !nodes) {
        err = lks_fail(LKS_NOMEM, "out of memory for %zu JSON values", values);
        goto out;
    }
    if (!single_primitive(tokens, text, len)) {
        jsmn_init(&parser);
        if (jsmn_parse(&parser, text, len, tokens, (unsigned)values) != (int)values) {
            err = lks_fail(LKS_INTERNAL, "the two JSON readers disagree");
            goto out;
        }
    }
    if (!link_nodes(nodes, tokens, (int)values, text)) {
        err = lks_fail(LKS_INTERNAL, "the two JSON readers disagree");
        goto out;
    }
    *doc = (lks_json){text, len, nodes, (int)values};
    nodes = NULL;
out:
    free(tokens);
    free(nodes);
    return err;
}

void lks_json_free(lks_json *doc)
{
    free(doc->nodes);
    *doc = (lks_json){0};
}

lks_json_type lks_json_typeof(const lks_json *doc, int node)
{
    const lks_json_node *n = lks_json_node_at(doc, node);
    return n ? n->type : LKS_JSON_MISSING;
}

static bool is_container(const lks_json_node *n)
{
    return n && (n->type == LKS_JSON_OBJECT || n->type == LKS_JSON_ARRAY);
}

size_t lks_json_size(const lks_json *doc, int node)
{
    const lks_json_node *n = lks_json_node_at(doc, node);
    return is_container(n) ? (size_t)n->size : 0;
}

int lks_json_first(const lks_json *doc, int container)
{
    const lks_json_node *n = lks_json_node_at(doc, container);
    if (!is_container(n) || n->first == LKS_JSON_NONE)
        return LKS_JSON_NONE;
    return n->type == LKS_JSON_OBJECT ? doc->nodes[n->first].first : n->first;
}

int lks_json_name(const lks_json *doc, int member)
{
    const lks_json_node *n = lks_json_node_at(doc, member);
    return n && n->parent >= 0 && doc->nodes[n->parent].is_name ? n->parent : LKS_JSON_NONE;
}

int lks_json_next(const lks_json *doc, int node)
{
    int name = lks_json_name(doc, node);
    if (name == LKS_JSON_NONE) {
        const lks_json_node *n = lks_json_node_at(doc, node);
        return n && !n->is_name ? n->next : LKS_JSON_NONE;
    }
    int next_name = doc->nodes[name].next;
    return next_name == LKS_JSON_NONE ? LKS_JSON_NONE : doc->nodes[next_name].first;
}

/* Whether the string's characters, escapes resolved, are the len bytes at text. */
static bool string_is(const lks_json *doc, const lks_json_node *n, const char *text, size_t len)
{
    const char *at = doc->text + n->start, *end = doc->text + n->end;
    size_t have = (size_t)(end - at);
    if (have == len && memcmp(at, text, len) == 0 && !memchr(text, '\\', len))
        return true;
    if (have < len || !memchr(at, '\\', have))
        return false; /* an escape is longer than its character */
    while (at < end) {
        char piece[4];
        int count = lks_json_next_piece(piece, &at, end);
        if (count < 0 || (size_t)count > len || memcmp(piece, text, (size_t)count))
            return false;
        text += count;
        len -= (size_t)count;
    }
    return len == 0;
}

static int find_member(const lks_json *doc, int object, const char *name, size_t len)
{
    const lks_json_node *n = lks_json_node_at(doc, object);
    int found = LKS_JSON_NONE;
    if (!n || n->type != LKS_JSON_OBJECT)
        return LKS_JSON_NONE;
    for (int i = n->first; i != LKS_JSON_NONE; i = doc->nodes[i].next)
        if (string_is(doc, &doc->nodes[i], name, len))
            found = doc->nodes[i].first;
    return found;
}

int lks_json_member(const lks_json *doc, int object, const char *name)
{
    return find_member(doc, object, name, strlen(name));
}

static int find_element(const lks_json *doc, int array, const char *digits, size_t len)
{
    size_t index = 0;
    if (!len || len > 9 || strspn(digits, "0123456789") < len)
        return LKS_JSON_NONE;
    for (size_t i = 0; i < len; i++)
        index = index * 10 + (size_t)(digits[i] - '0');
    int node = lks_json_first(doc, array);
    while (index-- && node != LKS_JSON_NONE)
        node = lks_json_next(doc, node);
    return node;
}

int lks_json_path(const lks_json *doc, int node, const char *path)
{
    while (node != LKS_JSON_NONE) {
        size_t len = strcspn(path, ".");
        bool array = lks_json_typeof(doc, node) == LKS_JSON_ARRAY;
        node = array ? find_element(doc, node, path, len) : find_member(doc, node, path, len);
        if (!path[len])
            break;
        path += len + 1;
    }
    return node;
}

bool lks_json_equals(const lks_json *doc, int node, const char *text)
{
    const lks_json_node *n = lks_json_node_at(doc, node);
    return n && n->type == LKS_JSON_STRING && string_is(doc, n, text, strlen(text));
}
