#include "plugin/hosts/runner/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void write_line(int level, const char *message)
{
    static const char *const names[] = {"ERROR", "WARN ", "INFO ", "DEBUG"};
    struct timespec now;
    struct tm utc;
    char line[1200];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    int n = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s",
                     utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                     utc.tm_sec, now.tv_nsec / 1000000, names[level & 3], message);
    if (n < 0)
        return;
    size_t len = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[len++] = '\n';
    for (size_t at = 0; at < len;) { /* one write a line, so that threads do not mix theirs */
        ssize_t done = write(STDERR_FILENO, line + at, len - at);
        if (done <= 0)
            return;
        at += (size_t)done;
    }
}

void runner_log(const runner_host *host, int level, const char *format, ...)
{
    char message[1024];
    va_list args;
    if (level > host->log_level)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    write_line(level, message);
}

static void log_of_plugin(void *context, int32_t level, const char *message)
{
    const runner_host *host = context;
    if (level < LOCKSTEP_LOG_ERROR || level > LOCKSTEP_LOG_DEBUG)
        level = LOCKSTEP_LOG_INFO;
    if (level <= host->log_level)
        write_line(level, message);
}

bool runner_allows(const char *method)
{
    static const char *const allowed[] = {"eth_chainId",
                                          "eth_blockNumber",
                                          "eth_getBlockByNumber",
                                          "eth_getBlockByHash",
                                          "eth_getLogs",
                                          "eth_call",
                                          "eth_getBalance",
                                          "eth_getTransactionCount",
                                          "eth_estimateGas",
                                          "eth_feeHistory",
                                          "eth_maxPriorityFeePerGas",
                                          "eth_gasPrice",
                                          "eth_getTransactionReceipt",
                                          "eth_getTransactionByHash",
                                          "eth_sendRawTransaction"};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(method, allowed[i]) == 0)
            return true;
    return false;
}

static int32_t rpc_of_plugin(void *context, const char *method, const char *params_json,
                             lockstep_rpc_reply reply, void *user)
{
    runner_host *host = context;
    if (!runner_allows(method))
        return LOCKSTEP_RPC_REFUSED_METHOD;
    switch (lks_endpoints_call(host->endpoints, method, params_json, reply, user)) {
    case LKS_OK: return 0;
    case LKS_BADARGS: return LOCKSTEP_RPC_REFUSED_INPUT;
    case LKS_IO: return LOCKSTEP_RPC_REFUSED_CLOSED;
    default: return LOCKSTEP_RPC_REFUSED_BUSY;
    }
}

void runner_host_init(runner_host *host, lks_endpoints *endpoints, int log_level)
{
    host->api = (lockstep_host){.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION,
                                .struct_size = sizeof(lockstep_host),
                                .context = host,
                                .log = log_of_plugin,
                                .rpc = rpc_of_plugin};
    host->endpoints = endpoints;
    host->log_level = log_level;
}

uint64_t runner_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
