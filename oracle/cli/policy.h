/* Shared by `run` and `ask`: how tokens are chosen, and how the prompt becomes ids. */
#ifndef LKS_CLI_POLICY_H
#define LKS_CLI_POLICY_H

#include "oracle/cli/options.h"
#include "oracle/model/model.h"

typedef struct lks_policy_args {
    bool greedy, temperature_given, min_p_given, seed_given, raw;
    uint32_t temperature, min_p; /* float32 bits */
    uint64_t seed;
    const char *allow, *allow_ids;
    lks_tokens allowed; /* filled by lks_policy_resolve: strictly increasing */
} lks_policy_args;

/* The entries of an option table for an lks_policy_args p. */
#define LKS_POLICY_OPTIONS(p, seed_help)                                                           \
    {.name = "greedy",                                                                             \
     .kind = LKS_OPT_FLAG,                                                                         \
     .out = &(p).greedy,                                                                           \
     .help = "always the most likely token (the default)"},                                        \
        {.name = "temperature",                                                                    \
         .letter = 't',                                                                            \
         .kind = LKS_OPT_F32,                                                                      \
         .out = &(p).temperature,                                                                  \
         .given = &(p).temperature_given,                                                          \
         .value = "T",                                                                             \
         .help = "sample at this temperature; 0 is greedy"},                                       \
        {.name = "min-p",                                                                          \
         .kind = LKS_OPT_F32,                                                                      \
         .out = &(p).min_p,                                                                        \
         .given = &(p).min_p_given,                                                                \
         .value = "P",                                                                             \
         .help = "only tokens at least P times as likely as the likeliest (0 to 1)"},              \
        {.name = "seed",                                                                           \
         .kind = LKS_OPT_U64,                                                                      \
         .out = &(p).seed,                                                                         \
         .given = &(p).seed_given,                                                                 \
         .value = "S",                                                                             \
         .help = seed_help},                                                                       \
        {.name = "allow",                                                                          \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(p).allow,                                                                        \
         .value = "A,B,...",                                                                       \
         .help = "answer with one of these texts, each of them a single token"},                   \
        {.name = "allow-ids",                                                                      \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(p).allow_ids,                                                                    \
         .value = "I,J,...",                                                                       \
         .help = "the same by token id"},                                                          \
        {.name = "raw",                                                                            \
         .kind = LKS_OPT_FLAG,                                                                     \
         .out = &(p).raw,                                                                          \
         .help = "take the prompt as it is, control tokens included, without the chat template"}

/* Checks the options that need no model. Returns: LKS_PARSED, or the exit code after telling. */
int lks_policy_check(const lks_policy_args *p, const char *command);

/* Makes p->allowed of --allow and --allow-ids. t may be NULL when there is no --allow; ids are then
 * not held against a vocabulary. Returns: LKS_PARSED, or the exit code after telling. The caller
 * frees p->allowed.ids. */
int lks_policy_resolve(lks_policy_args *p, const char *command, const lks_tokenizer *t);

/* Makes the prompt's ids. text "-" is standard input, less one newline at its end. Out: ids,
 * appended. Returns: LKS_PARSED, or the exit code after telling. */
int lks_prompt_encode(lks_tokens *ids, const lks_model *m, const char *command, const char *text,
                      bool raw);

/* Opens a model file. Returns: LKS_PARSED, or the exit code after telling. */
int lks_cli_open_model(lks_model *m, const char *command, const char *path);

/* Opens the tokenizer of a file, which need hold nothing else. The caller closes both, also after a
 * failure. The reason names the file. */
LKS_MUST_USE
lks_err lks_cli_open_vocabulary(lks_gguf **file, lks_tokenizer **tokenizer, const char *path);

#endif
