/* The Lockstep plugin ABI, version 1: everything that a host and a plugin know of each other.
 *
 * A host is an Ethereum client, or a program beside one. It loads a shared object, calls its one
 * exported symbol LOCKSTEP_PLUGIN_SYMBOL, and from then on tells the plugin of the canonical chain.
 * The plugin acts through the host's rpc function. MUST, MUST NOT and MAY are those of RFC 2119.
 * The shape follows EVMC's header.
 *
 * Threads. on_block, on_revert and stop come from one host thread at a time, in chain order. log
 * and rpc MAY be called by the plugin from any thread, also from within on_block and from within a
 * reply. A reply MAY run on any host thread. Time. on_block and on_revert MUST return quickly (well
 * under a millisecond a log): they queue, and the plugin's own threads work. Memory. Pointers that
 * are arguments are valid until the call returns, unless stated; each side frees what it allocated.
 * Floating point. The plugin MUST leave the calling thread's floating-point environment as it found
 * it. Layout. Both structs begin with abi_version and struct_size; fields are only ever appended. A
 * side MUST NOT touch a field beyond the other's struct_size.
 */
#ifndef LOCKSTEP_PLUGIN_H
#define LOCKSTEP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOCKSTEP_PLUGIN_ABI_VERSION 1u
#define LOCKSTEP_PLUGIN_SYMBOL "lockstep_plugin_create"

/* Levels of log(). */
enum lockstep_log_level {
    LOCKSTEP_LOG_ERROR = 0,
    LOCKSTEP_LOG_WARN = 1,
    LOCKSTEP_LOG_INFO = 2,
    LOCKSTEP_LOG_DEBUG = 3
};

/* One event log of a block. Hashes and addresses are big-endian bytes as in the Yellow Paper. */
typedef struct lockstep_log {
    uint8_t address[20];
    uint8_t topic_count; /* 0 to 4 */
    uint8_t reserved[3];
    uint8_t topics[4][32];
    uint8_t tx_hash[32];
    uint32_t tx_index;
    uint32_t log_index; /* within the block */
    const uint8_t *data;
    size_t data_len;
} lockstep_log;

/* A block that became canonical, with every log of it in order. */
typedef struct lockstep_block {
    uint64_t number;
    uint64_t timestamp; /* Unix seconds */
    uint8_t hash[32];
    uint8_t parent_hash[32];
    uint64_t log_count;
    const lockstep_log *logs; /* log_count of them; MAY be NULL when 0 */
} lockstep_block;

/* The answer to one rpc call.
 * code: 0, then json is the JSON text of "result"; or the JSON-RPC error code, then json is the
 * JSON text of "error"; or LOCKSTEP_RPC_FAILED, _TOO_LARGE, _LIMITED or _TIMED_OUT, no answer was
 * to be had, then json is {"message":"..."}. Codes from LOCKSTEP_RPC_RESERVED to -1 never stand for
 * a JSON-RPC error code: a host gives one of a node's that falls there as -32000. A plugin MUST
 * take one that it does not know for LOCKSTEP_RPC_FAILED; a host MAY give that for all of them.
 * json: len bytes, followed by a zero byte that len does not count. */
typedef void (*lockstep_rpc_reply)(void *user, int32_t code, const char *json, size_t len);

#define LOCKSTEP_RPC_FAILED                                                                        \
    INT32_C(-1) /* no connection, a lost one, or an answer that cannot be read */
#define LOCKSTEP_RPC_TOO_LARGE                                                                     \
    INT32_C(-6) /* the answer is larger than the host takes: ask for less */
#define LOCKSTEP_RPC_LIMITED                                                                       \
    INT32_C(-7) /* the client asks for fewer calls: wait before the next                           \
                 */
#define LOCKSTEP_RPC_TIMED_OUT INT32_C(-8)
#define LOCKSTEP_RPC_RESERVED INT32_C(-15)

/* Codes that rpc returns when it does not take a call. */
#define LOCKSTEP_RPC_REFUSED_BUSY INT32_C(-2)   /* too many calls under way: try again later */
#define LOCKSTEP_RPC_REFUSED_METHOD INT32_C(-3) /* the method is not on the host's allow-list */
#define LOCKSTEP_RPC_REFUSED_INPUT INT32_C(-4)  /* params are not a JSON array */
#define LOCKSTEP_RPC_REFUSED_CLOSED INT32_C(-5) /* the host is stopping */

/* Functions of the host. It outlives the plugin object. */
typedef struct lockstep_host {
    uint32_t abi_version; /* LOCKSTEP_PLUGIN_ABI_VERSION */
    uint32_t struct_size; /* sizeof(lockstep_host) at the host's build */
    void *context;        /* first argument of every function below; opaque to the plugin */

    /* Writes one line (UTF-8, no newline) to the host's log. MUST NOT block for long. */
    void (*log)(void *context, int32_t level, const char *message);

    /* Calls a JSON-RPC method of the client. params_json is a JSON array.
     * Returns at once: 0 when the call was taken, then reply runs exactly once, later, never from
     * within rpc itself; or one of LOCKSTEP_RPC_REFUSED_*, then reply never runs. A host MUST bound
     * the calls under way and MUST serve at least these methods: eth_chainId, eth_blockNumber,
     * eth_getBlockByNumber, eth_getBlockByHash, eth_getLogs, eth_call, eth_getBalance,
     * eth_getTransactionCount, eth_estimateGas, eth_feeHistory, eth_maxPriorityFeePerGas,
     * eth_gasPrice, eth_getTransactionReceipt, eth_getTransactionByHash, eth_sendRawTransaction. It
     * SHOULD serve no others. */
    int32_t (*rpc)(void *context, const char *method, const char *params_json,
                   lockstep_rpc_reply reply, void *user);
} lockstep_host;

/* Functions of the plugin. */
typedef struct lockstep_plugin lockstep_plugin;
struct lockstep_plugin {
    uint32_t abi_version; /* LOCKSTEP_PLUGIN_ABI_VERSION */
    uint32_t struct_size; /* sizeof(lockstep_plugin) at the plugin's build */
    const char *name;     /* static strings */
    const char *version;

    /* A block became canonical. The first one MAY be any block; each further one's parent is the
     * previous, after the reverts of a re-org. The plugin itself fetches what happened before the
     * first. */
    void (*on_block)(lockstep_plugin *self, const lockstep_block *block);

    /* The newest block that was given is no longer canonical. On a re-org: newest first. A host
     * that cannot name the reverted blocks MAY leave this out: the plugin also finds the common
     * ancestor by parent hash. */
    void (*on_revert)(lockstep_plugin *self, uint64_t number, const uint8_t hash[32]);

    /* Returns: the highest block number that the plugin needs no more: its effects are stored. A
     * host MAY forget up to it, and after a restart SHOULD begin no later than the block after it.
     * Any thread. */
    uint64_t (*finished_height)(lockstep_plugin *self);

    /* The host is going down: start no new work, end what runs, call rpc no more after it returned.
     * MAY take some seconds. Replies under way MAY still come until destroy. */
    void (*stop)(lockstep_plugin *self);

    /* Frees the object. The host calls stop first and MUST have run, or dropped for ever, every
     * reply. */
    void (*destroy)(lockstep_plugin *self);
};

/* The type of LOCKSTEP_PLUGIN_SYMBOL.
 * In: host, which outlives the result; config_json, a JSON object (see docs/OPERATING.md).
 * Returns: the plugin; or NULL after having said why by host->log at level LOCKSTEP_LOG_ERROR. It
 * MUST return NULL when host->abi_version differs from its own or host->struct_size is too small.
 * It MAY call rpc before it returns. */
typedef lockstep_plugin *(*lockstep_plugin_create_fn)(const lockstep_host *host,
                                                      const char *config_json);

#ifdef __cplusplus
}
#endif
#endif
