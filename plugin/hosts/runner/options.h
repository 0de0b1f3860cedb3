/* The command line of lockstep-node, and the plugin's configuration as the host sees it.
 */
#ifndef LKS_RUNNER_OPTIONS_H
#define LKS_RUNNER_OPTIONS_H

#include "chain/buf.h"
#include "chain/nodes.h"

/* Exit codes. */
#define RUNNER_STOPPED 0 /* by a signal, in order */
#define RUNNER_FAILED 1
#define RUNNER_USAGE 2

#define RUNNER_MAX_ADDRESSES 16u

typedef struct runner_options {
    const char *urls[LKS_MAX_ENDPOINTS]; /* of the nodes, in the order of preference; they may hold
                                            access keys */
    size_t url_count;
    const char *url_file;
    lks_buf url_text; /* where those of a file or the environment are kept, owned */
    const char *plugin;
    const char *config_file;
    uint32_t poll_ms;
    int log_level;
    uint8_t addresses[RUNNER_MAX_ADDRESSES]
                     [20]; /* only their logs are given to the plugin; none: all logs */
    size_t address_count;
    lks_buf config; /* the file's text, owned */
} runner_options;

/* Reads the arguments and the configuration file. Returns: true to go on; otherwise *exit_code is
 * to be exited with, after something was printed. */
bool runner_options_read(runner_options *out, int argc, char **argv, int *exit_code);
void runner_options_free(runner_options *options);

#endif
