/* The shared object's one exported function, and the plugin object: the host's calls on one side,
 * the event thread on the other. */
#include "plugin/key.h"
#include "plugin/lockstep_plugin.h"
#include "plugin/log.h"
#include "plugin/obligations.h"
#include "plugin/operator.h"

#ifdef LKS_FAULTS
#include "oracle/trace/fault.h"
#endif

#include <fenv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The node has that long to say which chain it is on while the plugin is made; after that it is
 * asked again later. */
#define FIRST_CALL_MS 5000u

typedef enum phase {
    STARTING,
    RUNNING,
    FAILED
} phase;

typedef struct plugin {
    lockstep_plugin api; /* first: the host's pointer is also ours */
    const lockstep_host *host;
    lks_config config;
    lks_models models;
    lks_inbox *inbox;
    lks_node *rpc;
    lks_signer *signer, *moves_signer; /* the second is NULL when none is configured */
    lks_operator op;
    pthread_t thread;
    bool joined;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    phase phase;
} plugin;

static plugin *of(lockstep_plugin *self)
{
    return (plugin *)(void *)self;
}

static void set_phase(plugin *p, phase value)
{
    pthread_mutex_lock(&p->lock);
    p->phase = value;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* Whether the node is on the configured chain. One that does not answer yet is no failure: it is
 * asked again later. */
static lks_err check_chain(plugin *p)
{
    lks_eth node = lks_node_eth(p->rpc);
    lks_node_set_timeout(p->rpc, FIRST_CALL_MS);
    lks_err err = lks_eth_check_chain_id(&node, p->config.chain_id);
    lks_node_set_timeout(p->rpc, LKS_NODE_TIMEOUT_MS);
    if (err == LKS_OK || err == LKS_AUTH)
        return err;
    lks_log(p->host, LKS_WARN, "the node does not say yet which chain it is on: %s",
            lks_error_message());
    return LKS_OK;
}

/* Whether the dispute game is the one that open claims need. A node that does not answer yet is no
 * failure: the contracts are checked again before anything is done. */
static lks_err check_game(plugin *p)
{
    lks_obligations list = {0};
    lks_err err = lks_obligations_read(&p->op, &list);
    size_t open = list.count;
    lks_obligations_free(&list);
    if (err || open == 0)
        return err;
    lks_node_set_timeout(p->rpc, FIRST_CALL_MS);
    err = lks_preflight_game(&p->op);
    lks_node_set_timeout(p->rpc, LKS_NODE_TIMEOUT_MS);
    return err == LKS_REFUSED ? err : LKS_OK;
}

/* Everything that can fail for good, so that the host is told. The database comes last: a wrong
 * configuration must not make one. */
static lks_err open_all(plugin *p)
{
    lks_err err = lks_key_load(&p->signer, &p->config);
    if (!err)
        err = lks_key_load_moves(&p->moves_signer, &p->config, lks_signer_address(p->signer));
    if (!err)
        err = check_chain(p);
    /* Operators dispute too: claims beside their own. */
    if (!err)
        err = lks_models_open(&p->models, p->config.models, p->config.model_count,
                              lks_config_has_game(&p->config));
    if (!err)
        err =
            lks_operator_open(&p->op, p->host, &p->config, &p->models, p->inbox, p->rpc, p->signer);
    if (err)
        return err;
    lks_operator_use_moves(&p->op, p->moves_signer);
    err = check_game(p);
    if (err)
        lks_operator_close(&p->op);
    return err;
}

static void *main_of_events(void *argument)
{
    plugin *p = argument;
    /* A thread inherits the floating-point environment of its maker, which is the host's; the
     * model's arithmetic needs the default one. */
    fesetenv(FE_DFL_ENV);
    if (open_all(p)) {
        lks_log(p->host, LKS_ERROR, "%s", lks_error_message());
        set_phase(p, FAILED);
        return NULL;
    }
    set_phase(p, RUNNING);
    lks_operator_run(&p->op);
    return NULL;
}

static void on_block(lockstep_plugin *self, const lockstep_block *block)
{
    plugin *p = of(self);
    lks_inbox_put_block(p->inbox, block, p->config.oracle);
}

static void on_revert(lockstep_plugin *self, uint64_t number, const uint8_t hash[32])
{
    lks_inbox_put_revert(of(self)->inbox, number, hash);
}

static uint64_t finished_height(lockstep_plugin *self)
{
    return atomic_load(&of(self)->op.finished);
}

static void stop(lockstep_plugin *self)
{
    plugin *p = of(self);
    if (p->joined)
        return;
    lks_inbox_stop(p->inbox);
    lks_worker_stop(p->op.worker);
    lks_lanes_stop(&p->op.lanes);
    lks_node_close(p->rpc);
    pthread_join(p->thread, NULL);
    lks_operator_close(&p->op);
    p->joined = true;
}

static void free_plugin(plugin *p)
{
    lks_node_free(p->rpc);
    lks_inbox_free(p->inbox);
    lks_models_close(&p->models);
    lks_signer_free(p->signer);
    lks_signer_free(p->moves_signer);
    lks_config_free(&p->config);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void destroy(lockstep_plugin *self)
{
    stop(self);
    free_plugin(of(self));
}

/* Starts the event thread and waits until it has opened everything. */
static lks_err start(plugin *p, const char *config_json)
{
    lks_err err = lks_config_parse(&p->config, config_json, strlen(config_json));
#ifdef LKS_FAULTS
    if (!err)
        err = lks_fault_check();
#endif
    if (!err)
        err = lks_inbox_new(&p->inbox, LKS_INBOX_ITEMS, LKS_INBOX_BYTES);
    if (!err)
        err = lks_node_new(&p->rpc, p->host, LKS_NODE_TIMEOUT_MS);
    if (!err && pthread_create(&p->thread, NULL, main_of_events, p))
        err = lks_fail(LKS_IO, "a thread cannot be started");
    if (err) {
        lks_log(p->host, LKS_ERROR, "%s", lks_error_message());
        return err;
    }
    pthread_mutex_lock(&p->lock);
    while (p->phase == STARTING)
        pthread_cond_wait(&p->changed, &p->lock);
    bool failed = p->phase == FAILED;
    pthread_mutex_unlock(&p->lock);
    if (!failed)
        return LKS_OK;
    pthread_join(p->thread, NULL);
    return LKS_REFUSED; /* the thread has said why */
}

__attribute__((visibility("default"))) lockstep_plugin *lockstep_plugin_create(
    const lockstep_host *host, const char *config_json);

lockstep_plugin *lockstep_plugin_create(const lockstep_host *host, const char *config_json)
{
    /* The check reads only what every version of the struct begins with; log is there from version
     * 1 on. */
    if (host->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION ||
        host->struct_size < sizeof(lockstep_host)) {
        if (host->struct_size >= offsetof(lockstep_host, log) + sizeof host->log)
            lks_log(host, LKS_ERROR,
                    "this plugin speaks version %u of the plugin interface, the host version %u "
                    "(%u bytes)",
                    LOCKSTEP_PLUGIN_ABI_VERSION, host->abi_version, host->struct_size);
        return NULL;
    }
    plugin *p = calloc(1, sizeof *p);
    if (!p) {
        lks_log(host, LKS_ERROR, "out of memory");
        return NULL;
    }
    p->api = (lockstep_plugin){.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION,
                               .struct_size = sizeof(lockstep_plugin),
                               .name = "lockstep",
                               .version = LKS_VERSION,
                               .on_block = on_block,
                               .on_revert = on_revert,
                               .finished_height = finished_height,
                               .stop = stop,
                               .destroy = destroy};
    p->host = host;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (start(p, config_json)) {
        free_plugin(p);
        return NULL;
    }
    lks_log(host, LKS_INFO, "plugin %s started as %s", LKS_VERSION,
            !p->config.is_challenger ? "operator"
            : p->config.is_operator  ? "operator and challenger"
                                     : "challenger");
    return &p->api;
}
