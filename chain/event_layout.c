#include "chain/event_layout.h"

#include <stdio.h>
#include <string.h>

/* Longer than any event's signature. */
#define SIGNATURE_SIZE 512

void lks_event_table_fill(const lks_event_table *t)
{
    memset(t->topics[0], 0, 32);
    for (int row = 1; row < t->count; row++) {
        char signature[SIGNATURE_SIZE];
        snprintf(signature, sizeof signature, "%s%s", t->rows[row].name, t->rows[row].arguments);
        lks_abi_topic(t->topics[row], signature);
    }
}

int lks_event_table_find(const lks_event_table *t, const uint8_t (*topics)[32], size_t topic_count)
{
    for (int row = 1; topic_count != 0 && row < t->count; row++)
        if (!memcmp(topics[0], t->topics[row], 32))
            return row;
    return 0;
}

lks_err lks_event_table_read(const lks_event_table *t, int row, void *event,
                             const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                             size_t len)
{
    const lks_event_layout *e = &t->rows[row];
    lks_abi_reader r;
    lks_err err = LKS_OK;
    if (topic_count != 1 + strlen(e->topics))
        return lks_fail(LKS_CORRUPT, "%zu topics where %zu are due", topic_count,
                        1 + strlen(e->topics));
    for (size_t i = 0; !err && e->topics[i]; i++)
        err = t->read_topic(event, e->topics[i], topics[1 + i]);
    lks_abi_read(&r, data, len);
    for (size_t i = 0; !err && e->data[i]; i++)
        err = t->read_member(event, e->data[i], &r);
    if (!err && !strpbrk(e->data, t->dynamic) && len != r.at)
        err = lks_fail(LKS_CORRUPT, "%zu bytes of data where %zu are due", len, r.at);
    return err;
}

const char *lks_event_table_name(const lks_event_table *t, int row)
{
    return row > 0 && row < t->count ? t->rows[row].name : "?";
}
