#include "plugin/hosts/runner/options.h"

#include "chain/address.h"
#include "chain/json.h"
#include "plugin/lockstep_plugin.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONFIG (1u << 20)

static const char usage[] =
    "usage: lockstep-node --rpc URL... --plugin FILE --plugin-config FILE [options]\n"
    "\n"
    "Runs a Lockstep plugin beside an Ethereum client, over the client's JSON-RPC.\n"
    "\n"
    "  --rpc URL             the client: ws://, wss://, http://, https://, or the path of its IPC "
    "socket; repeated,\n"
    "                        up to 8: the first good one is followed, the others check it and "
    "stand in for it\n"
    "  --rpc-file FILE       the same from a file, one URL per line, so that no process list shows "
    "an access key\n"
    "                        in it; without either, LOCKSTEP_RPC names the URLs, separated by "
    "spaces\n"
    "  --plugin FILE         the plugin, liblockstep.so\n"
    "  --plugin-config FILE  its configuration, a JSON object\n"
    "  --poll-ms N           how often the client is asked for new blocks, 10 to 60000 (default "
    "500)\n"
    "  --address 0x...       give the plugin only logs of this contract; may be repeated\n"
    "                        (default: the addresses under \"contracts\" in its configuration, or "
    "else all logs)\n"
    "  --log-level LEVEL     error, warn, info or debug (default info)\n"
    "  -h, --help            print this\n"
    "  --version             print the version\n"
    "\n"
    "Exits with 0 on SIGTERM or SIGINT, with 1 when the plugin does not start, with 2 when the "
    "command\n"
    "line is wrong. SIGHUP does not end it.\n";

static bool fail_usage(int *exit_code, const char *what, const char *value)
{
    fprintf(stderr, "lockstep-node: %s%s%s (see --help)\n", what, value ? " " : "",
            value ? value : "");
    *exit_code = RUNNER_USAGE;
    return false;
}

static bool read_level(const char *text, int *level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = LOCKSTEP_LOG_ERROR; i <= LOCKSTEP_LOG_DEBUG; i++)
        if (strcmp(text, names[i]) == 0) {
            *level = i;
            return true;
        }
    return false;
}

static bool read_number(const char *text, uint32_t low, uint32_t high, uint32_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || text[0] < '0' || text[0] > '9' || *end || value < low || value > high)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* Reads a file's text. */
static bool read_text(lks_buf *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "lockstep-node: %s: %s\n", path, strerror(errno));
        return false;
    }
    char piece[4096];
    size_t n = 0;
    while (out->len <= MAX_CONFIG && (n = fread(piece, 1, sizeof piece, f)) > 0)
        lks_buf_put(out, piece, n);
    const char *why = ferror(f)               ? strerror(errno)
                      : out->len > MAX_CONFIG ? "it is larger than 1 MiB"
                                              : NULL;
    if (!why && out->len && memchr(out->data, 0, out->len))
        why = "it is not a text file";
    if (!why && lks_buf_error(out))
        why = lks_error_message();
    fclose(f);
    if (why)
        fprintf(stderr, "lockstep-node: %s: %s\n", path, why);
    return why == NULL;
}

static bool add_url(runner_options *o, const char *url)
{
    if (o->url_count == LKS_MAX_ENDPOINTS)
        return false;
    o->urls[o->url_count++] = url;
    return true;
}

/* The URLs of --rpc-file, or of the environment when the command line names none. */
static bool read_urls(runner_options *o, int *exit_code)
{
    const char *words = getenv("LOCKSTEP_RPC");
    bool fit = true;
    if (o->url_file) {
        if (!read_text(&o->url_text, o->url_file)) {
            *exit_code = RUNNER_FAILED;
            return false;
        }
        fit = lks_nodes_split(o->urls, &o->url_count, (char *)o->url_text.data, "\n");
    } else if (!o->url_count && words) {
        lks_buf_put_text(&o->url_text, words);
        fit = lks_nodes_split(o->urls, &o->url_count, (char *)o->url_text.data, " \n");
    }
    if (!fit)
        return fail_usage(exit_code, "more than 8 URLs", NULL);
    if (!o->url_count)
        return fail_usage(exit_code, o->url_file ? "--rpc-file: no URL in" : "--rpc is missing",
                          o->url_file);
    return true;
}

/* The addresses under "contracts". A configuration that has none, or is not JSON, is the plugin's
 * to judge. */
static void take_addresses(runner_options *o)
{
    lks_json doc = {0};
    if (lks_json_parse(&doc, lks_buf_text(&o->config), o->config.len, LKS_JSON_MAX_VALUES))
        return;
    int contracts = lks_json_member(&doc, 0, "contracts");
    for (int n = lks_json_first(&doc, contracts);
         n != LKS_JSON_NONE && o->address_count < RUNNER_MAX_ADDRESSES; n = lks_json_next(&doc, n))
        if (lks_json_data_fixed(&doc, n, o->addresses[o->address_count], 20) == LKS_OK)
            o->address_count++;
    lks_json_free(&doc);
}

enum {
    OPTION_RPC = 256,
    OPTION_RPC_FILE,
    OPTION_PLUGIN,
    OPTION_CONFIG,
    OPTION_POLL,
    OPTION_ADDRESS,
    OPTION_LEVEL,
    OPTION_VERSION
};

static const struct option options[] = {{"rpc", required_argument, NULL, OPTION_RPC},
                                        {"rpc-file", required_argument, NULL, OPTION_RPC_FILE},
                                        {"plugin", required_argument, NULL, OPTION_PLUGIN},
                                        {"plugin-config", required_argument, NULL, OPTION_CONFIG},
                                        {"poll-ms", required_argument, NULL, OPTION_POLL},
                                        {"address", required_argument, NULL, OPTION_ADDRESS},
                                        {"log-level", required_argument, NULL, OPTION_LEVEL},
                                        {"help", no_argument, NULL, 'h'},
                                        {"version", no_argument, NULL, OPTION_VERSION},
                                        {NULL, 0, NULL, 0}};

static bool read_argument(runner_options *o, int option, int *exit_code)
{
    switch (option) {
    case OPTION_RPC: return add_url(o, optarg) || fail_usage(exit_code, "more than 8 URLs", NULL);
    case OPTION_RPC_FILE: o->url_file = optarg; return true;
    case OPTION_PLUGIN: o->plugin = optarg; return true;
    case OPTION_CONFIG: o->config_file = optarg; return true;
    case OPTION_POLL:
        return read_number(optarg, 10, 60000, &o->poll_ms) ||
               fail_usage(exit_code, "--poll-ms must be 10 to 60000, not", optarg);
    case OPTION_ADDRESS:
        if (o->address_count == RUNNER_MAX_ADDRESSES)
            return fail_usage(exit_code, "too many --address", NULL);
        if (lks_address_parse(o->addresses[o->address_count], optarg))
            return fail_usage(exit_code, "--address: not an address:", optarg);
        o->address_count++;
        return true;
    case OPTION_LEVEL:
        return read_level(optarg, &o->log_level) ||
               fail_usage(exit_code, "--log-level must be error, warn, info or debug, not", optarg);
    case 'h':
        fputs(usage, stdout);
        *exit_code = RUNNER_STOPPED;
        return false;
    case OPTION_VERSION:
        printf("lockstep-node %s, plugin interface %u\n", LKS_VERSION, LOCKSTEP_PLUGIN_ABI_VERSION);
        *exit_code = RUNNER_STOPPED;
        return false;
    default: /* getopt has said what is wrong */ *exit_code = RUNNER_USAGE; return false;
    }
}

bool runner_options_read(runner_options *out, int argc, char **argv, int *exit_code)
{
    memset(out, 0, sizeof *out);
    out->poll_ms = 500;
    out->log_level = LOCKSTEP_LOG_INFO;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        if (!read_argument(out, option, exit_code))
            return false;
    if (optind < argc)
        return fail_usage(exit_code, "unexpected argument", argv[optind]);
    if (!read_urls(out, exit_code))
        return false;
    if (!out->plugin)
        return fail_usage(exit_code, "--plugin is missing", NULL);
    if (!out->config_file)
        return fail_usage(exit_code, "--plugin-config is missing", NULL);
    if (!read_text(&out->config, out->config_file)) {
        *exit_code = RUNNER_FAILED;
        return false;
    }
    if (out->address_count == 0)
        take_addresses(out);
    return true;
}

void runner_options_free(runner_options *o)
{
    lks_buf_free(&o->config);
    lks_buf_free(&o->url_text);
}
