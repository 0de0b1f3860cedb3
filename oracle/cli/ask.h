/* The request of `lockstep ask`: from what was typed to what the contract takes. */
#ifndef LKS_CLI_ASK_H
#define LKS_CLI_ASK_H

#include "oracle/cli/policy.h"
#include "oracle/cli/send.h"

typedef struct lks_ask {
    /* as typed */
    const char *model_path, *model_id_text, *prompt, *prompt_ids;
    const char *fee_text, *stake_text, *window_text, *accept_text, *claim_text, *timeout_text;
    uint32_t max_tokens, replicas;
    bool max_given, yes_no, no_wait;
    lks_policy_args policy;
    lks_chain_args chain;
    lks_account_args account;
    /* made of it */
    lks_model model; /* all zero without a file */
    uint8_t model_id[32];
    lks_tokens ids;
    lks_link link;
    lks_request_params params;
    lks_buf packed_prompt, packed_allowed;
    lks_u256 fee;
    uint64_t timeout; /* seconds */
    uint64_t block;   /* the request is in none before it */
    uint8_t request_id[32];
    double requested; /* seconds after the link was opened */
    lks_sent sent;
} lks_ask;

/* Prepares the parts that need no chain: model id, prompt, policy. Returns: LKS_PARSED, or the exit
 * code after a message. */
int lks_ask_prepare(lks_ask *a);

/* Fits the request to the deployment, sends it and finds its id. The link is open. Returns:
 * LKS_PARSED, or the exit code after telling. */
int lks_ask_send(lks_ask *a);

/* Frees all but the link. */
void lks_ask_free(lks_ask *a);

#endif
