/* Shared by the files of the JSON reader. */
#ifndef LKS_CHAIN_JSON_INTERNAL_H
#define LKS_CHAIN_JSON_INTERNAL_H

#include "chain/json.h"

struct lks_json_node {
    int start, end; /* of the value in the text; a string without its quotes */
    int parent;     /* a member's value has its name as parent, the name the object; -1: the root */
    int first;      /* child, or LKS_JSON_NONE; a name has one child, the value */
    int next;       /* sibling, or LKS_JSON_NONE */
    int size;       /* children */
    lks_json_type type;
    bool is_name;
};

/* Checks that len bytes of text are one JSON value with nothing but white space around it.
 * Out: *values: values and member names in it. Returns: LKS_OK, LKS_CORRUPT, or LKS_REFUSED (depth,
 * max_values). */
lks_err lks_json_check(size_t *values, const char *text, size_t len,
                       size_t max_values) LKS_MUST_USE;

/* The node, or NULL for LKS_JSON_NONE and any index outside the document. */
static inline const lks_json_node *lks_json_node_at(const lks_json *doc, int node)
{
    return node >= 0 && node < doc->count ? &doc->nodes[node] : NULL;
}

/* Takes one character, or one escape sequence, off a checked string. Out: piece, UTF-8.
 * Returns: its length, 1 to 4; -1 for half a surrogate pair. */
int lks_json_next_piece(char piece[4], const char **at, const char *end);

#endif
