// SPDX-License-Identifier: GPL-3.0-or-later
/* The C side of the host: everything that touches the plugin's functions. Only plain C types cross
 * the cgo border. */
#ifndef LKS_GETH_BRIDGE_H
#define LKS_GETH_BRIDGE_H

#include "lockstep_plugin.h"

/* One loaded plugin. It is never freed, nor is its shared object closed: threads of the plugin may
 * outlive it. */
typedef struct bridge {
    lockstep_host host;
    lockstep_plugin *plugin;
} bridge;

/* Opens path and creates the plugin. handle becomes host.context. The calling thread must stay the
 * same meanwhile. Returns: the bridge, or NULL with a line in message (message_len bytes). */
bridge *bridge_load(const char *path, const char *config_json, uintptr_t handle, char *message,
                    size_t message_len);

void bridge_block(bridge *b, const lockstep_block *block);
void bridge_revert(bridge *b, uint64_t number, const uint8_t *hash);
uint64_t bridge_finished(bridge *b);
void bridge_stop(bridge *b);
void bridge_destroy(bridge *b);
void bridge_reply(lockstep_rpc_reply reply, void *user, int32_t code, const char *json, size_t len);

#endif
