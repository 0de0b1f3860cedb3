#include "tests/hostile/hostile_logs.h"

#include <stdlib.h>
#include <string.h>

#define MOST 256u /* items of a list that is spoilt; longer ones are left alone */

typedef struct item {
    const char *text;
    size_t len;
} item;

/* The objects of an array. There is no brace in a string of a log. */
static size_t split(const char *text, item *items)
{
    size_t count = 0, depth = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '{' && depth++ == 0) {
            if (count == MOST)
                return 0;
            items[count].text = p;
        }
        if (*p == '}' && --depth == 0) {
            items[count].len = (size_t)(p + 1 - items[count].text);
            count++;
        }
    }
    return count;
}

static void join(lks_buf *out, const item *items, size_t count)
{
    lks_buf_put_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            lks_buf_put_text(out, ",");
        lks_buf_put(out, items[i].text, items[i].len);
    }
    lks_buf_put_text(out, "]");
}

static void swap_some(chance *c, item *items, size_t count)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t k = chance_below(c, (uint32_t)i + 1);
        item one = items[i];
        items[i] = items[k];
        items[k] = one;
    }
}

static size_t drop_some(chance *c, item *items, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (!chance_of(c, 500))
            items[left++] = items[i];
    return left;
}

bool hostile_spoil_logs(chance *c, hostile_kind how, lks_buf *list)
{
    item items[MOST + 1];
    lks_buf out = {0};
    size_t count = split(lks_buf_text(list), items);
    if (count == 0)
        return false;
    if (how == HOSTILE_EMPTY)
        count = 0;
    else if (how == HOSTILE_DROPS)
        count = drop_some(c, items, count);
    else if (how == HOSTILE_REORDERS)
        swap_some(c, items, count);
    if (how == HOSTILE_REPEATS) {
        items[count] = items[chance_below(c, (uint32_t)count)];
        count++;
    }
    join(&out, items, count);
    lks_buf_free(list);
    *list = out;
    return true;
}
