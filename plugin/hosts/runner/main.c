/* lockstep-node: loads a plugin, feeds it the chain of a client beside it, and serves its calls to that client. */
#include "plugin/hosts/runner/follow.h"
#include "plugin/hosts/runner/options.h"

#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A client that does not answer is asked again after that long. */
#define RETRY_MS 1000u

static sigset_t stop_signals;
static bool stop_seen;

/* Waits for a signal that ends the program. The signals are blocked in every thread, so none is lost or runs in the middle of something. */
static bool stopped_within(uint32_t ms) {
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    if (!stop_seen && sigtimedwait(&stop_signals, NULL, &wait) > 0) stop_seen = true;
    return stop_seen;
}

static bool stopping(void) {
    return stopped_within(0);
}

static void notice(void *user, const char *line) {
    runner_log(user, LOCKSTEP_LOG_WARN, "%s", line);
}

/* Waits until the client answers at all, so that the plugin can be told its chain. Returns: false when stopped. */
static bool wait_for_client(const runner_host *host, const lks_eth *node, const char *url) {
    uint64_t chain_id = 0;
    bool told = false;
    while (lks_eth_chain_id(node, &chain_id)) {
        if (!told) runner_log(host, LOCKSTEP_LOG_WARN, "waiting for the client at %s: %s", url, lks_error_message());
        told = true;
        if (stopped_within(RETRY_MS)) return false;
    }
    runner_log(host, LOCKSTEP_LOG_INFO, "client at %s, chain %llu", url, (unsigned long long)chain_id);
    return !stopping();
}

/* Returns: the plugin, or NULL after having said why. */
static lockstep_plugin *load(const runner_host *host, const runner_options *o) {
    fenv_t env; /* constructors of a library linked with -ffast-math would change how this thread computes */
    fegetenv(&env);
    void *library = dlopen(o->plugin, RTLD_NOW | RTLD_LOCAL);
    fesetenv(&env);
    if (!library) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "plugin: %s", dlerror());
        return NULL;
    }
    lockstep_plugin_create_fn create = NULL;
    void *symbol = dlsym(library, LOCKSTEP_PLUGIN_SYMBOL);
    memcpy(&create, &symbol, sizeof create); /* POSIX's way from an object pointer to a function pointer */
    if (!create) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "plugin: %s does not export %s", o->plugin, LOCKSTEP_PLUGIN_SYMBOL);
        return NULL;
    }
    lockstep_plugin *plugin = create(&host->api, lks_buf_text(&o->config));
    fesetenv(&env);
    if (!plugin) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "the plugin did not start");
        return NULL;
    }
    if (plugin->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION || plugin->struct_size < sizeof *plugin) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "plugin: %s speaks version %u of the plugin interface, not %u", o->plugin, plugin->abi_version,
                   LOCKSTEP_PLUGIN_ABI_VERSION);
        return NULL;
    }
    runner_log(host, LOCKSTEP_LOG_INFO, "plugin %s %s", plugin->name, plugin->version);
    return plugin;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void feed(const runner_host *host, lockstep_plugin *plugin, const lks_eth *node, const runner_options *o) {
    static runner_follow f;
    f.node = *node;
    f.filter = (lks_eth_filter){.addresses = o->address_count ? (const uint8_t(*)[20])o->addresses : NULL, .address_count = o->address_count};
    f.plugin = plugin;
    f.host = host;
    f.stopping = stopping;
    f.now_ms = now_ms;
    bool failing = false;
    do {
        lks_err err = runner_follow_step(&f);
        if (err && !failing) runner_log(host, LOCKSTEP_LOG_WARN, "no new blocks: %s; trying again", lks_error_message());
        if (!err && failing) runner_log(host, LOCKSTEP_LOG_INFO, "the client answers again");
        failing = err != LKS_OK;
        runner_follow_watch(&f, err);
    } while (!stopped_within(failing ? RETRY_MS : o->poll_ms));
}

/* A second signal ends the program at once: a plugin may take its time to stop. */
static void let_signals_kill(void) {
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &stop_signals, NULL);
}

int main(int argc, char **argv) {
    runner_options o;
    runner_host host = {.log_level = LOCKSTEP_LOG_INFO};
    lks_rpc *rpc = NULL;
    int code = RUNNER_FAILED;
    if (!runner_options_read(&o, argc, argv, &code)) goto out;
    host.log_level = o.log_level;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL); /* before there are threads: they inherit it */
    signal(SIGPIPE, SIG_IGN);

    lks_rpc_options rpc_options = {.max_calls = RUNNER_MAX_CALLS, .notice = notice, .user = &host};
    if (lks_rpc_open(&rpc, o.rpc, &rpc_options)) {
        fprintf(stderr, "lockstep-node: %s\n", lks_error_message());
        code = RUNNER_USAGE;
        goto out;
    }
    runner_host_init(&host, rpc, o.log_level);
    lks_eth node = {lks_rpc_call_sync, rpc, NULL};
    if (!wait_for_client(&host, &node, o.rpc)) {
        code = RUNNER_STOPPED;
        goto out;
    }
    lockstep_plugin *plugin = load(&host, &o);
    if (!plugin) goto out;
    feed(&host, plugin, &node, &o);
    runner_log(&host, LOCKSTEP_LOG_INFO, "stopping");
    let_signals_kill();
    plugin->stop(plugin);
    lks_rpc_close(rpc); /* runs every reply that is left */
    rpc = NULL;
    plugin->destroy(plugin); /* the library stays loaded: something of it may still run at exit */
    runner_log(&host, LOCKSTEP_LOG_INFO, "stopped");
    code = RUNNER_STOPPED;
out:
    lks_rpc_close(rpc);
    runner_options_free(&o);
    return code;
}
