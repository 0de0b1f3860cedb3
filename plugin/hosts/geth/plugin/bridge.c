// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge.h"

#include <dlfcn.h>
#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "_cgo_export.h" /* hostLog, hostRPC */

/* Go code uses the thread before and after: whatever the plugin does to the floating-point state is
 * undone. A library that gcc < 13 linked with -ffast-math, for one, sets FTZ and DAZ in the thread
 * that loads it. */
#define WITH_OUR_FP(statement)                                                                     \
    do {                                                                                           \
        fenv_t ours_;                                                                              \
        fegetenv(&ours_);                                                                          \
        statement;                                                                                 \
        fesetenv(&ours_);                                                                          \
    } while (0)

/* The other direction: the plugin calls from a thread in whatever state, and Go code expects the
 * default. */
#define WITH_DEFAULT_FP(statement)                                                                 \
    do {                                                                                           \
        fenv_t theirs_;                                                                            \
        fegetenv(&theirs_);                                                                        \
        fesetenv(FE_DFL_ENV);                                                                      \
        statement;                                                                                 \
        fesetenv(&theirs_);                                                                        \
    } while (0)

static void host_log(void *context, int32_t level, const char *message)
{
    WITH_DEFAULT_FP(hostLog((uintptr_t)context, level, (char *)message));
}

static int32_t host_rpc(void *context, const char *method, const char *params_json,
                        lockstep_rpc_reply reply, void *user)
{
    int32_t result;
    WITH_DEFAULT_FP(result = hostRPC((uintptr_t)context, (char *)method, (char *)params_json, reply,
                                     user));
    return result;
}

/* Returns: NULL when the plugin keeps to the ABI, else what it breaks. */
static const char *abi_fault(const lockstep_plugin *plugin, char *line, size_t line_len)
{
    if (plugin->abi_version != LOCKSTEP_PLUGIN_ABI_VERSION) {
        snprintf(line, line_len,
                 "it speaks version %" PRIu32
                 " of the plugin ABI and this host version %u: use builds of one release",
                 plugin->abi_version, LOCKSTEP_PLUGIN_ABI_VERSION);
        return line;
    }
    if (plugin->struct_size < sizeof *plugin) {
        snprintf(line, line_len,
                 "its lockstep_plugin has %" PRIu32 " bytes, version %u of the ABI has %zu",
                 plugin->struct_size, LOCKSTEP_PLUGIN_ABI_VERSION, sizeof *plugin);
        return line;
    }
    if (!plugin->name || !plugin->version || !plugin->on_block || !plugin->on_revert ||
        !plugin->finished_height || !plugin->stop || !plugin->destroy)
        return "it leaves a field of lockstep_plugin NULL";
    return NULL;
}

bridge *bridge_load(const char *path, const char *config_json, uintptr_t handle, char *message,
                    size_t message_len)
{
    void *library;
    WITH_OUR_FP(library = dlopen(path, RTLD_NOW | RTLD_LOCAL));
    if (!library) {
        snprintf(message, message_len, "%s", dlerror());
        return NULL;
    }
    lockstep_plugin_create_fn create =
        (lockstep_plugin_create_fn)dlsym(library, LOCKSTEP_PLUGIN_SYMBOL);
    if (!create) {
        snprintf(message, message_len,
                 "it does not export " LOCKSTEP_PLUGIN_SYMBOL ": it is no Lockstep plugin");
        return NULL;
    }
    bridge *b = calloc(1, sizeof *b);
    if (!b) {
        snprintf(message, message_len, "out of memory");
        return NULL;
    }
    b->host = (lockstep_host){LOCKSTEP_PLUGIN_ABI_VERSION, sizeof b->host, (void *)handle, host_log,
                              host_rpc};
    WITH_OUR_FP(b->plugin = create(&b->host, config_json));
    if (!b->plugin) {
        snprintf(message, message_len, "it refused to start: its reason is the error line above");
        return NULL; /* b stays: a thread of the plugin may still hold &b->host */
    }
    char line[200];
    const char *fault = abi_fault(b->plugin, line, sizeof line);
    if (fault) {
        snprintf(message, message_len, "%s", fault);
        return NULL;
    }
    return b;
}

void bridge_block(bridge *b, const lockstep_block *block)
{
    WITH_OUR_FP(b->plugin->on_block(b->plugin, block));
}

void bridge_revert(bridge *b, uint64_t number, const uint8_t *hash)
{
    WITH_OUR_FP(b->plugin->on_revert(b->plugin, number, hash));
}

uint64_t bridge_finished(bridge *b)
{
    uint64_t height;
    WITH_OUR_FP(height = b->plugin->finished_height(b->plugin));
    return height;
}

void bridge_stop(bridge *b)
{
    WITH_OUR_FP(b->plugin->stop(b->plugin));
}

void bridge_destroy(bridge *b)
{
    WITH_OUR_FP(b->plugin->destroy(b->plugin));
    b->plugin = NULL;
}

void bridge_reply(lockstep_rpc_reply reply, void *user, int32_t code, const char *json, size_t len)
{
    WITH_OUR_FP(reply(user, code, json, len));
}
