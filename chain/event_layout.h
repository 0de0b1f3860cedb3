/* Layouts of the events of a contract, one row of a table per event, and the reader of a log by its
 * row. */
#ifndef LKS_CHAIN_EVENT_LAYOUT_H
#define LKS_CHAIN_EVENT_LAYOUT_H

#include "chain/abi.h"

typedef struct lks_event_layout {
    const char *name;
    const char *arguments; /* their types in parentheses, as in the event's signature */
    const char *topics;    /* a letter for each indexed member */
    const char *data;      /* a letter for each other member */
} lks_event_layout;

/* The events of one contract; row 0 is none of them. */
typedef struct lks_event_table {
    const lks_event_layout *rows;
    int count;             /* of rows */
    uint8_t (*topics)[32]; /* topic 0 of each row, after lks_event_table_fill */
    const char *dynamic;   /* letters of data whose length is not fixed */
    lks_err (*read_topic)(void *event, char member, const uint8_t topic32[32]);
    lks_err (*read_member)(void *event, char member, lks_abi_reader *r);
} lks_event_table;

/* Computes the topics. */
void lks_event_table_fill(const lks_event_table *t);
/* Returns: the row of a log with these topics; 0 when it is none of the events. */
int lks_event_table_find(const lks_event_table *t, const uint8_t (*topics)[32], size_t topic_count);
/* Reads the members of a log by its row. Returns: LKS_OK; LKS_CORRUPT (it is not as declared);
 * what the table's functions return. */
lks_err lks_event_table_read(const lks_event_table *t, int row, void *event,
                             const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                             size_t len) LKS_MUST_USE;
/* Returns: the name of a row, "?" where there is no such row. */
const char *lks_event_table_name(const lks_event_table *t, int row);

#endif
