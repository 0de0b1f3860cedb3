/* Lines for the host's log. */
#ifndef LKS_PLUGIN_LOG_H
#define LKS_PLUGIN_LOG_H

#include "plugin/lockstep_plugin.h"

/* Formats one line of at most 1,023 bytes and gives it to the host. Any thread. */
void lks_log(const lockstep_host *host, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define LKS_ERROR LOCKSTEP_LOG_ERROR
#define LKS_WARN LOCKSTEP_LOG_WARN
#define LKS_INFO LOCKSTEP_LOG_INFO
#define LKS_DEBUG LOCKSTEP_LOG_DEBUG

#endif
