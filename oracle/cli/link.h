/* A command's connection to the chain: the node, the contracts of one deployment, and perhaps an
 * account. */
#ifndef LKS_CLI_LINK_H
#define LKS_CLI_LINK_H

#include "chain/contracts.h"
#include "chain/eth.h"
#include "chain/nodes.h"
#include "oracle/cli/account.h"
#include "oracle/cli/fees.h"
#include "oracle/cli/options.h"
#include "oracle/cli/progress.h"

typedef struct lks_chain_args {
    lks_text_list rpc;
    const char *contracts;
    bool progress, json;
    bool patient; /* lks_link_open waits for a node that is not there or talks nonsense */
} lks_chain_args;

#define LKS_CHAIN_OPTIONS(c)                                                                       \
    {.name = "rpc",                                                                                \
     .kind = LKS_OPT_LIST,                                                                         \
     .out = &(c).rpc,                                                                              \
     .value = "URL",                                                                               \
     .help = "node: ws://, http://, or a socket's path (default: $LOCKSTEP_RPC, then "             \
             "http://127.0.0.1:8545);\n"                                                           \
             "                              repeated, or with spaces between in $LOCKSTEP_RPC: "   \
             "up to 8, of which one is\n"                                                          \
             "                              followed and the others check it"},                    \
        {.name = "contracts",                                                                      \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(c).contracts,                                                                    \
         .value = "FILE",                                                                          \
         .help = "deployment: JSON with chainId, registry, bonds, oracle, game (default: "         \
                 "$LOCKSTEP_CONTRACTS)"},                                                          \
        {.name = "json", .kind = LKS_OPT_FLAG, .out = &(c).json, .help = "one line of JSON"},      \
        {.name = "progress",                                                                       \
         .kind = LKS_OPT_FLAG,                                                                     \
         .out = &(c).progress,                                                                     \
         .help = "show progress even if standard error is not a terminal"}

typedef struct lks_deployment {
    uint64_t chain_id;
    uint8_t registry[20], bonds[20], oracle[20];
    /* Dispute game and its step verifier, where the deployment has disputes. */
    bool has_game;
    uint8_t game[20], verifier[20];
    uint64_t block; /* the first that can have events; 0 where the file does not say */
} lks_deployment;

/* Reads a deployment from len bytes of JSON. Returns: LKS_OK, LKS_CORRUPT, LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_deployment_parse(lks_deployment *out, const char *json, size_t len);

typedef struct lks_link {
    const char *command;
    lks_deployment contracts;
    lks_nodes *nodes; /* NULL: node is something else */
    const char *urls[LKS_MAX_ENDPOINTS];
    size_t url_count;
    char *url_text;        /* that they point into; NULL: argv */
    lks_eth_ranges ranges; /* of logs that the node answers */
    lks_eth node;
    lks_signer *signer; /* NULL: none unlocked */
    lks_tx_fees limits;
    /* How lks_send behaves. */
    bool after_pending; /* goes after transactions that the command did not make */
    bool patient;       /* does so too, and waits for a block without end: a dispute's moves */
    double receipt_timeout_s; /* for which it waits otherwise */
    uint64_t sent_block;      /* newest block with a transaction of this link; 0: none */
    lks_progress progress;
} lks_link;

/* Reads the deployment, connects and makes sure that the node is on its chain. When account is not
 * NULL, unlocks it (after the rest, so that nobody types a password in vain). Returns: LKS_PARSED,
 * or the exit code after telling. The caller closes *s in either case. */
int lks_link_open(lks_link *s, const lks_chain_args *c, const lks_account_args *account,
                  const char *command);
void lks_link_close(lks_link *s);

/* Follows another node, where there is a good one: this one was caught at something, "keeps logs
 * back". Returns: whether there is another. */
bool lks_link_leave(lks_link *s, const char *why);

/* Whether the deployment has a dispute game. Returns: LKS_PARSED, or the exit code after telling
 * what is missing. */
int lks_link_need_game(const lks_link *s);

/* Calls a view in the newest block, or in one that is named as for lks_eth_call. In: call,
 * calldata, which is freed; call_err, what writing it returned. Out: result, cleared first.
 * Returns: LKS_OK; call_err; LKS_AUTH when there is no contract at the address; what lks_eth_call
 * returns. */
LKS_MUST_USE
lks_err lks_link_view(lks_link *s, const uint8_t to20[20], lks_buf *call, lks_err call_err,
                      lks_buf *result);
LKS_MUST_USE
lks_err lks_link_view_at(lks_link *s, const uint8_t to20[20], const char *block, lks_buf *call,
                         lks_err call_err, lks_buf *result);

/* Tells of a failure between this command and the chain, on a fresh line. Returns: the exit code.
 */
int lks_link_fail(lks_link *s, lks_err err, const char *hint);

#endif
