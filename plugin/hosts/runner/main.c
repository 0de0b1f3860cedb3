/* lockstep-node: loads a plugin, feeds it the chain of a client beside it, and serves its calls to
 * that client. */
#include "chain/nodes.h"
#include "plugin/hosts/runner/follow.h"
#include "plugin/hosts/runner/options.h"
#include "plugin/node.h"

#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

/* A client that does not answer is asked again after that long. */
#define RETRY_MS 1000u

static sigset_t our_signals;
static bool stop_seen;
static const runner_host *signal_host;

/* Waits for a signal that ends the program. The signals are blocked in every thread, so none is
 * lost or runs in the middle of something. SIGHUP ends nothing: with the terminal gone, claims are
 * still to be defended. */
static bool stopped_within(uint32_t ms)
{
    uint64_t until = runner_now_ms() + ms;
    while (!stop_seen) {
        uint64_t now = runner_now_ms(), left = now < until ? until - now : 0;
        struct timespec wait = {.tv_sec = (time_t)(left / 1000),
                                .tv_nsec = (long)(left % 1000) * 1000000};
        int seen = sigtimedwait(&our_signals, NULL, &wait);
        if (seen == SIGHUP)
            runner_log(signal_host, LOCKSTEP_LOG_INFO,
                       "SIGHUP: going on; files are read only at the start, so restart after "
                       "changing one");
        else if (seen > 0)
            stop_seen = true;
        else if (!left)
            break;
    }
    return stop_seen;
}

static bool stopping(void)
{
    return stopped_within(0);
}

static void log_line(void *user, bool warns, const char *line)
{
    runner_log(user, warns ? LOCKSTEP_LOG_WARN : LOCKSTEP_LOG_INFO, "%s", line);
}

/* Waits until the client answers at all, so that the plugin can be told its chain. Returns: false
 * when stopped. */
static bool wait_for_client(const runner_host *host, const lks_eth *node)
{
    uint64_t chain_id = 0, told_ms = 0;
    while (lks_eth_chain_id(node, &chain_id)) {
        if (!told_ms || runner_now_ms() - told_ms >= RUNNER_QUIET_AGAIN_MS) {
            runner_log(host, LOCKSTEP_LOG_WARN, "waiting for the client at %s: %s",
                       lks_endpoints_name(host->endpoints), lks_error_message());
            told_ms = runner_now_ms();
        }
        if (stopped_within(RETRY_MS))
            return false;
    }
    runner_log(host, LOCKSTEP_LOG_INFO, "client at %s, chain %llu",
               lks_endpoints_name(host->endpoints), (unsigned long long)chain_id);
    return !stopping();
}

/* Returns: the plugin, or NULL after having said why. */
static lockstep_plugin *load(const runner_host *host, const runner_options *o)
{
    fenv_t env; /* constructors of a library linked with -ffast-math would change how this thread
                   computes */
    fegetenv(&env);
    void *library = dlopen(o->plugin, RTLD_NOW | RTLD_LOCAL);
    fesetenv(&env);
    if (!library) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "plugin: %s", dlerror());
        return NULL;
    }
    lockstep_plugin_create_fn create = NULL;
    void *symbol = dlsym(library, LOCKSTEP_PLUGIN_SYMBOL);
    memcpy(&create, &symbol,
           sizeof create); /* POSIX's way from an object pointer to a function pointer */
    if (!create) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "plugin: %s does not export %s", o->plugin,
                   LOCKSTEP_PLUGIN_SYMBOL);
        return NULL;
    }
    lockstep_plugin *plugin = create(&host->api, lks_buf_text(&o->config));
    fesetenv(&env);
    if (!plugin) {
        runner_log(host, LOCKSTEP_LOG_ERROR, "the plugin did not start");
        return NULL;
    }
    if (plugin->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION ||
        plugin->struct_size < sizeof *plugin) {
        runner_log(host, LOCKSTEP_LOG_ERROR,
                   "plugin: %s speaks version %u of the plugin interface, not %u", o->plugin,
                   plugin->abi_version, LOCKSTEP_PLUGIN_ABI_VERSION);
        return NULL;
    }
    runner_log(host, LOCKSTEP_LOG_INFO, "plugin %s %s", plugin->name, plugin->version);
    return plugin;
}

static void feed(const runner_host *host, lockstep_plugin *plugin, const lks_eth *node,
                 const runner_options *o)
{
    static runner_follow f;
    f.node = *node;
    f.filter =
        (lks_eth_filter){.addresses = o->address_count ? (const uint8_t(*)[20])o->addresses : NULL,
                         .address_count = o->address_count};
    f.plugin = plugin;
    f.host = host;
    f.stopping = stopping;
    f.now_ms = runner_now_ms;
    bool failing = false;
    do {
        lks_err err = runner_follow_step(&f);
        if (err && !failing)
            runner_log(host, LOCKSTEP_LOG_WARN, "no new blocks: %s; trying again",
                       lks_error_message());
        if (!err && failing)
            runner_log(host, LOCKSTEP_LOG_INFO, "the client answers again");
        failing = err != LKS_OK;
        runner_follow_watch(&f, err);
    } while (!stopped_within(failing ? RETRY_MS : o->poll_ms));
}

/* A second signal ends the program at once: a plugin may take its time to stop. */
static void let_signals_kill(void)
{
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, &our_signals, NULL);
}

static void take_signals(const runner_host *host)
{
    signal_host = host;
    sigemptyset(&our_signals);
    sigaddset(&our_signals, SIGTERM);
    sigaddset(&our_signals, SIGINT);
    sigaddset(&our_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &our_signals, NULL); /* before there are threads: they inherit it */
    signal(SIGPIPE, SIG_IGN);
}

/* Runs the plugin until a signal comes. Returns: the exit code. */
static int run(runner_host *host, lks_nodes **clients, const lks_eth *node, const runner_options *o)
{
    if (!wait_for_client(host, node))
        return RUNNER_STOPPED;
    lockstep_plugin *plugin = load(host, o);
    if (!plugin)
        return RUNNER_FAILED;
    feed(host, plugin, node, o);
    runner_log(host, LOCKSTEP_LOG_INFO, "stopping");
    let_signals_kill();
    plugin->stop(plugin);
    lks_nodes_close(*clients); /* runs every reply that is left */
    *clients = NULL;
    plugin->destroy(plugin); /* the library stays loaded: something of it may still run at exit */
    runner_log(host, LOCKSTEP_LOG_INFO, "stopped");
    return RUNNER_STOPPED;
}

int main(int argc, char **argv)
{
    runner_options o;
    runner_host host = {.log_level = LOCKSTEP_LOG_INFO};
    lks_nodes *clients = NULL;
    lks_node *node = NULL;
    int code = RUNNER_FAILED;
    prctl(PR_SET_DUMPABLE,
          0); /* the plugin will have a key: no core file, no debugger of the same user */
    if (!runner_options_read(&o, argc, argv, &code))
        goto out;
    host.log_level = o.log_level;
    take_signals(&host);
    const lks_nodes_options nodes = {
        .urls = o.urls, .count = o.url_count, .log = log_line, .user = &host};
    if (lks_nodes_open(&clients, &nodes)) {
        fprintf(stderr, "lockstep-node: %s\n", lks_error_message());
        code = RUNNER_USAGE;
        goto out;
    }
    runner_host_init(&host, lks_nodes_endpoints(clients), o.log_level);
    if (lks_node_new(&node, &host.api, LKS_NODE_TIMEOUT_MS)) {
        fprintf(stderr, "lockstep-node: %s\n", lks_error_message());
        goto out;
    }
    const lks_eth eth = lks_node_eth(node);
    code = run(&host, &clients, &eth, &o);
out:
    lks_nodes_close(clients);
    lks_node_free(node);
    runner_options_free(&o);
    return code;
}
