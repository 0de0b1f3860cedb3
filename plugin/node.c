#include "plugin/node.h"

#include "chain/rpc.h"
#include "plugin/patience.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A host that is busy is asked again after that long. */
#define BUSY_PAUSE_MS 20u

/* One call, from when it is started until its reply ran. Its waiter may have gone by then. */
typedef struct call {
    struct call *next, *previous;
    lks_node *node;
    bool replied;
    bool abandoned; /* nobody waits: the reply frees it */
    int32_t code;
    lks_buf text;
} call;

struct lks_node {
    const lockstep_host *host;
    uint32_t timeout_ms;
    lks_patience patience; /* below that */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    call *calls;
    size_t inside; /* threads within host->rpc */
    bool closed;
    lks_eth_ranges ranges;
};

lks_err lks_node_new(lks_node **out, const lockstep_host *host, uint32_t timeout_ms)
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
    (*out)->host = host;
    (*out)->timeout_ms = timeout_ms;
    (*out)->ranges = (lks_eth_ranges)LKS_ETH_RANGES_INIT;
    return LKS_OK;
}

/* With the lock held. */
static void unlink_call(call *c)
{
    if (c->previous)
        c->previous->next = c->next;
    else
        c->node->calls = c->next;
    if (c->next)
        c->next->previous = c->previous;
}

static void free_call(call *c)
{
    lks_buf_free(&c->text);
    free(c);
}

void lks_node_free(lks_node *node)
{
    if (!node)
        return;
    while (node->calls) {
        call *c = node->calls;
        unlink_call(c);
        free_call(c);
    }
    pthread_cond_destroy(&node->changed);
    pthread_mutex_destroy(&node->lock);
    free(node);
}

void lks_node_set_timeout(lks_node *node, uint32_t timeout_ms)
{
    pthread_mutex_lock(&node->lock);
    node->timeout_ms = timeout_ms;
    pthread_mutex_unlock(&node->lock);
}

void lks_node_close(lks_node *node)
{
    pthread_mutex_lock(&node->lock);
    node->closed = true;
    pthread_cond_broadcast(&node->changed);
    while (node->inside)
        pthread_cond_wait(&node->changed, &node->lock);
    pthread_mutex_unlock(&node->lock);
}

/* Runs on a thread of the host. */
static void on_reply(void *user, int32_t code, const char *json, size_t len)
{
    call *c = user;
    lks_node *node = c->node;
    pthread_mutex_lock(&node->lock);
    if (c->abandoned) {
        unlink_call(c);
        free_call(c);
    } else {
        c->code = code;
        lks_buf_put(&c->text, json, len);
        c->replied = true;
        pthread_cond_broadcast(&node->changed);
    }
    pthread_mutex_unlock(&node->lock);
}

static struct timespec after_ms(uint32_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static bool is_over(const struct timespec *until)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > until->tv_sec ||
           (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

/* With the lock held: gives the call to the host, as often as that is busy. Returns: LKS_OK when it
 * was taken. */
static lks_err start(lks_node *node, call *c, const char *method, const char *params,
                     const struct timespec *until)
{
    for (;;) {
        if (node->closed)
            return lks_fail(LKS_IO, "%s: the host is stopping", method);
        node->inside++;
        pthread_mutex_unlock(&node->lock);
        int32_t taken = node->host->rpc(node->host->context, method, params, on_reply, c);
        pthread_mutex_lock(&node->lock);
        node->inside--;
        if (node->closed)
            pthread_cond_broadcast(&node->changed);
        switch (taken) {
        case 0: return LKS_OK;
        case LOCKSTEP_RPC_REFUSED_BUSY: break;
        case LOCKSTEP_RPC_REFUSED_METHOD:
            return lks_fail(LKS_REFUSED, "the host does not allow %s", method);
        case LOCKSTEP_RPC_REFUSED_INPUT:
            return lks_fail(LKS_INTERNAL, "the host does not take the parameters of %s", method);
        case LOCKSTEP_RPC_REFUSED_CLOSED:
            return lks_fail(LKS_IO, "%s: the host is stopping", method);
        default:
            return lks_fail(LKS_REMOTE, "%s: the host refused the call with the unknown code %d",
                            method, (int)taken);
        }
        if (is_over(until))
            return lks_fail(LKS_BUSY, "%s: the host was busy for too long", method);
        struct timespec pause = after_ms(BUSY_PAUSE_MS);
        while (!node->closed && !is_over(&pause))
            pthread_cond_timedwait(&node->changed, &node->lock, &pause);
    }
}

/* A host's failure as an error that callers tell apart. */
static lks_err kind_of(int32_t code)
{
    switch (code) {
    case LOCKSTEP_RPC_TOO_LARGE: return LKS_TOO_LARGE;
    case LOCKSTEP_RPC_LIMITED: return LKS_BUSY;
    case LOCKSTEP_RPC_TIMED_OUT: return LKS_TIMEOUT;
    default: return LKS_IO;
    }
}

static lks_err finish(call *c, const char *method, lks_buf *answer)
{
    lks_err err = lks_buf_error(&c->text);
    if (err)
        return err;
    if (c->code < 0 && c->code >= LOCKSTEP_RPC_RESERVED)
        return lks_fail(kind_of(c->code), "%s: no answer from the node: %.200s", method,
                        lks_buf_text(&c->text));
    lks_buf_put(answer, c->text.data, c->text.len);
    err = lks_buf_error(answer);
    if (err == LKS_OK && c->code)
        err = lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
    return err;
}

static lks_err call_and_wait(void *context, const char *method, const char *params_json,
                             lks_buf *answer)
{
    lks_node *node = context;
    lks_buf_clear(answer);
    call *c = calloc(1, sizeof *c);
    if (!c)
        return lks_fail(LKS_NOMEM, "out of memory");
    c->node = node;
    pthread_mutex_lock(&node->lock);
    uint32_t timeout_ms = lks_patience_wait(&node->patience, method, node->timeout_ms);
    struct timespec until = after_ms(timeout_ms), half = after_ms(timeout_ms / 2);
    c->next = node->calls;
    if (c->next)
        c->next->previous = c;
    node->calls = c;
    lks_err err = start(node, c, method, params_json, &until);
    bool taken = err == LKS_OK;
    while (taken && !c->replied && !node->closed && !is_over(&until))
        pthread_cond_timedwait(&node->changed, &node->lock, &until);
    if (taken && !c->replied) { /* the reply may still come: it finds nobody and frees the call */
        err = node->closed
                  ? lks_fail(LKS_IO, "%s: the host is stopping", method)
                  : lks_fail(LKS_TIMEOUT, "%s: no answer after %u s", method, timeout_ms / 1000);
        c->abandoned = true;
        lks_patience_in_vain(&node->patience, method, timeout_ms);
        pthread_mutex_unlock(&node->lock);
        return err;
    }
    unlink_call(c);
    if (taken && !is_over(&half))
        lks_patience_early(&node->patience, method);
    pthread_mutex_unlock(&node->lock);
    if (taken)
        err = finish(c, method, answer);
    free_call(c);
    return err;
}

lks_eth lks_node_eth(lks_node *node)
{
    return (lks_eth){call_and_wait, node, &node->ranges};
}
