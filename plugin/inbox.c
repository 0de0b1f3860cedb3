#include "plugin/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lks_inbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    lks_inbox_item *first, *last;
    size_t items, bytes;
    size_t max_items, max_bytes;
    uint64_t dropped;
    bool tapped, stopped;
};

lks_err lks_inbox_new(lks_inbox **out, size_t max_items, size_t max_bytes)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return lks_fail(LKS_NOMEM, "out of memory");
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&(*out)->lock, NULL);
    pthread_cond_init(&(*out)->changed, &attr);
    pthread_condattr_destroy(&attr);
    (*out)->max_items = max_items;
    (*out)->max_bytes = max_bytes;
    return LKS_OK;
}

/* With the lock held. */
static lks_inbox_item *pop(lks_inbox *inbox)
{
    lks_inbox_item *item = inbox->first;
    if (!item)
        return NULL;
    inbox->first = item->next;
    if (!inbox->first)
        inbox->last = NULL;
    inbox->items--;
    inbox->bytes -= item->size;
    return item;
}

void lks_inbox_free(lks_inbox *inbox)
{
    if (!inbox)
        return;
    for (lks_inbox_item *item; (item = pop(inbox));)
        free(item);
    pthread_cond_destroy(&inbox->changed);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
}

/* Appends an item, or counts it as dropped when it is NULL or alone too large. */
static void push(lks_inbox *inbox, lks_inbox_item *item)
{
    pthread_mutex_lock(&inbox->lock);
    if (!item || item->size > inbox->max_bytes || inbox->stopped) {
        inbox->dropped++;
        pthread_mutex_unlock(&inbox->lock);
        free(item);
        return;
    }
    while (inbox->first &&
           (inbox->items >= inbox->max_items || inbox->bytes + item->size > inbox->max_bytes)) {
        free(pop(inbox));
        inbox->dropped++;
    }
    if (inbox->last)
        inbox->last->next = item;
    else
        inbox->first = item;
    inbox->last = item;
    inbox->items++;
    inbox->bytes += item->size;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

void lks_inbox_put_block(lks_inbox *inbox, const lockstep_block *block, const uint8_t address20[20])
{
    size_t count = 0, bytes = 0;
    for (uint64_t i = 0; i < block->log_count; i++) {
        const lockstep_log *log = &block->logs[i];
        if (log->topic_count > 4 || memcmp(log->address, address20, 20))
            continue;
        if (log->data_len >
            inbox->max_bytes -
                bytes) { /* more than there is room for: a gap, which is filled from the chain */
            push(inbox, NULL);
            return;
        }
        count++;
        bytes += log->data_len;
    }
    size_t head = sizeof(lks_inbox_item) + count * sizeof(lks_inbox_log);
    lks_inbox_item *item = calloc(1, head + bytes);
    if (item) {
        item->size = head + bytes;
        item->ref.number = block->number;
        memcpy(item->ref.hash, block->hash, 32);
        memcpy(item->parent, block->parent_hash, 32);
        item->time = block->timestamp;
        uint8_t *data = (uint8_t *)item + head, *end = data + bytes;
        for (uint64_t i = 0; i < block->log_count && item->log_count < count; i++) {
            const lockstep_log *log = &block->logs[i];
            if (log->topic_count > 4 || memcmp(log->address, address20, 20) ||
                log->data_len > (size_t)(end - data))
                continue;
            lks_inbox_log *copy = &item->logs[item->log_count++];
            memcpy(copy->topics, log->topics, sizeof copy->topics);
            copy->topic_count = log->topic_count;
            copy->data = data;
            copy->len = log->data_len;
            if (log->data_len)
                memcpy(data, log->data, log->data_len);
            data += log->data_len;
        }
    }
    push(inbox, item);
}

void lks_inbox_put_revert(lks_inbox *inbox, uint64_t number, const uint8_t hash32[32])
{
    lks_inbox_item *item = calloc(1, sizeof *item);
    if (item) {
        item->size = sizeof *item;
        item->reverted = true;
        item->ref.number = number;
        memcpy(item->ref.hash, hash32, 32);
    }
    push(inbox, item);
}

void lks_inbox_tap(lks_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->tapped = true;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

void lks_inbox_stop(lks_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->stopped = true;
    pthread_cond_broadcast(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

bool lks_inbox_take(lks_inbox *inbox, uint32_t timeout_ms, lks_inbox_item **item)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&inbox->lock);
    int rc = 0;
    while (!inbox->first && !inbox->tapped && !inbox->stopped && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&inbox->changed, &inbox->lock, &until);
    *item = inbox->stopped ? NULL : pop(inbox);
    if (!*item)
        inbox->tapped = false;
    bool going = !inbox->stopped;
    pthread_mutex_unlock(&inbox->lock);
    return going;
}

uint64_t lks_inbox_dropped(lks_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    uint64_t dropped = inbox->dropped;
    pthread_mutex_unlock(&inbox->lock);
    return dropped;
}

bool lks_inbox_empty(lks_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool empty = inbox->first == NULL;
    pthread_mutex_unlock(&inbox->lock);
    return empty;
}

bool lks_inbox_stopped(lks_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool stopped = inbox->stopped;
    pthread_mutex_unlock(&inbox->lock);
    return stopped;
}
